"""What is noted shares a commit with what follows, in order; nothing stands on what could not be written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from attache.agent.journal import Journal
from attache.schema.data import RunId, SessionId
from attache.schema.errors import StorageError
from attache.schema.events import Entry, Event, NoteTaken
from attache.storage.log import SessionLog

from .conftest import Start


def note(text: str) -> NoteTaken:
    return NoteTaken(run_id=RunId("r_1"), text=text)


class Pages:
    """A log whose writing takes a moment, and fails when told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failing = 0
        self.writing = 0

    async def write(self, happened: Sequence[Event]) -> None:
        assert not self.writing
        self.writing += 1
        await asyncio.sleep(0.01)
        self.writing -= 1
        if self.failing:
            self.failing -= 1
            raise StorageError("the disk is full")
        self.batches.append([event.text for event in happened if isinstance(event, NoteTaken)])


async def test_neighbours_share_a_commit_in_their_order() -> None:
    pages = Pages()
    journal = Journal(pages.write)
    journal.note(note("a"))
    journal.note(note("b"))
    await journal.record(note("c"))
    assert pages.batches == [["a", "b", "c"]]
    journal.note(note("d"))
    await asyncio.sleep(0.005)  # its commit is under way; what comes now goes into the next one, all of it
    await asyncio.gather(*(journal.record(note(text)) for text in "efg"))
    assert pages.batches[1:] == [["d"], ["e", "f", "g"]]
    journal.note(note("h"))
    await journal.settled()
    assert pages.batches[3:] == [["h"]]


async def test_what_stands_on_a_failed_event_fails_with_it() -> None:
    pages = Pages()
    journal = Journal(pages.write)
    pages.failing = 1
    journal.note(note("a"))
    await asyncio.sleep(0.005)
    with pytest.raises(StorageError):
        await journal.record(note("acts on a"))
    assert pages.batches == []
    await journal.record(note("the end of the run"))  # the failure was heard: what follows is tried anew
    assert pages.batches == [["the end of the run"]]


async def test_a_failure_nobody_waited_for_is_heard_by_the_next() -> None:
    pages = Pages()
    journal = Journal(pages.write)
    pages.failing = 1
    journal.note(note("a"))
    await asyncio.sleep(0.05)
    with pytest.raises(StorageError):
        await journal.record(note("b"))
    await journal.record(note("c"))
    assert pages.batches == [["c"]]


async def test_who_is_stopped_waits_until_it_is_written() -> None:
    pages = Pages()
    journal = Journal(pages.write)

    async def run() -> None:
        journal.note(note("a"))
        await journal.record(note("b"))

    task = asyncio.create_task(run())
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pages.batches == [["a", "b"]]


async def test_a_turn_commits_before_it_acts_and_not_more_often(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[str]] = []
    append = SessionLog.append

    async def watched(log: SessionLog, session_id: SessionId, happened: Sequence[Event]) -> tuple[Entry, ...]:
        batches.append([event.type for event in happened])
        return await append(log, session_id, happened)

    monkeypatch.setattr(SessionLog, "append", watched)
    look = {"tool_calls": [{"name": "list", "arguments": {}}]}
    async with start([look, look, {"text": "done"}]) as agent:
        await agent.chat("look around")
    told = ["message.added", "turn.started"]
    assert batches == [
        ["session.created"],
        ["run.started"],
        ["turn.started"],  # the model is asked
        ["message.added", "tool.started"],  # the tool runs
        ["stage.changed", "tool.finished", *told],  # the model is asked
        ["message.added", "tool.started"],
        ["tool.finished", *told],
        ["message.added"],
        ["run.finished"],
    ]
