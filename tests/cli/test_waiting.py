"""The line that says what takes long: what, how far, since when; never over a question, gone with the next event."""

from __future__ import annotations

import asyncio
import time

from attache.faces.cli import waiting
from attache.faces.cli.waiting import AFTER_SECONDS, Line, Waiting, painted, progress
from attache.schema.code import IndexStatus
from attache.schema.data import ApprovalId, CallId, RunId, SessionId
from attache.schema.events import ApprovalAnswered, ApprovalAsked, Entry, Event, ToolFinished, ToolStarted
from attache.schema.session import Approval, ApprovalAnswer

BUILDING = IndexStatus(state="building", files=1_200, pending=800)
RUN, CALL = RunId("r_1"), CallId("t_1")
ASKED = Approval(id=ApprovalId("a_1"), run_id=RUN, call_id=CALL, tool="shell", title="ls", digest="d")
ANSWER = ApprovalAnswer(approval_id=ASKED.id, digest="d", choice="allow_once")


def entry(event: Event) -> Entry:
    return Entry(session_id=SessionId("s_1"), seq=1, at=0.0, event=event)


def started(name: str = "search") -> Entry:
    return entry(ToolStarted(run_id=RUN, call_id=CALL, name=name, arguments={}, title="`retry`"))


def test_what_takes_long_is_said_with_how_far_the_index_is() -> None:
    wait = Waiting(lambda: BUILDING, Line())
    wait(started())
    assert wait.text() == ""
    time.sleep(AFTER_SECONDS + 0.05)
    assert wait.text() == "… search `retry` · reading the code: 1,200 of 2,000 files · 1 s"
    wait(entry(ApprovalAsked(approval=ASKED)))
    assert wait.text() == ""
    wait(entry(ApprovalAnswered(run_id=RUN, answer=ANSWER)))
    assert wait.text() != ""
    wait(entry(ToolFinished(run_id=RUN, call_id=CALL, name="search", text="", title="", is_error=False, seconds=1.0)))
    assert wait.text() == ""
    wait(started("ask_user"))
    time.sleep(AFTER_SECONDS + 0.05)
    assert wait.text() == ""


def test_a_whole_index_is_not_spoken_of() -> None:
    assert progress(IndexStatus(state="ready", files=7)) == ""
    assert progress(IndexStatus(state="starting")) == "reading the code: 0 files"


def test_the_line_is_cut_to_the_terminal_and_taken_away(monkeypatch, capsys) -> None:
    monkeypatch.setattr(waiting.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "10")

    async def wait() -> None:
        async with painted(Line(), lambda: "a long line of words"):
            await asyncio.sleep(waiting.EVERY_SECONDS * 1.5)

    asyncio.run(wait())
    assert capsys.readouterr().err == "\r\x1b[Ka long li\r\x1b[K"
