"""The session log: what is appended is read back, without secrets, and the list says the same as the log."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3

import pytest

from attache.agent.state import replay
from attache.schema import events
from attache.schema.data import RunId, SessionId
from attache.schema.errors import StorageError
from attache.schema.messages import Message, Text, Thinking, ToolCall, assistant, user
from attache.schema.models import Usage
from attache.storage.database import Database
from attache.storage.log import SessionLog

ONE, TWO = SessionId("s_one"), SessionId("s_two")
RUN = RunId("r1")
SECRET = "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.fixture
async def log(tmp_path):
    database = await Database.open(tmp_path / "log.sqlite")
    yield SessionLog(database)
    await database.close()


def created(cwd="/work", **more):
    return events.SessionCreated(**{"cwd": cwd, "model": "a/one", "mode": "build", **more})


def said(text, **more):
    return events.MessageAdded(run_id=RUN, message=assistant(text), **more)


async def test_events_are_numbered_from_one_in_each_session_and_read_back(log):
    first = await log.append(ONE, [created(), events.RunStarted(run_id=RUN, parts=user("hello").parts)])
    other = await log.append(TWO, [created()])
    second = await log.append(ONE, [said("grüße 🎉\x00\u2028")])
    assert [entry.seq for entry in (*first, *second)] == [1, 2, 3]
    assert [entry.seq for entry in other] == [1]
    assert await log.read(ONE) == (*first, *second)
    assert await log.read(ONE, after=2) == second
    assert await log.read(ONE, after=3) == ()
    assert await log.read(SessionId("nobody")) == ()


async def test_every_kind_of_event_survives_the_journey(log):
    happened = [
        created(parent=TWO, parent_seq=3),
        events.SessionConfigured(model="a/two", title="T"),
        events.SessionRewound(to_seq=1),
        events.RunStarted(run_id=RUN, parts=(Text(text="q"),), title="t"),
        events.TurnStarted(run_id=RUN, turn=1, model="a/two"),
        events.StageChanged(run_id=RUN, stage="READING"),
        events.MessageAdded(
            run_id=RUN,
            message=Message(
                role="assistant",
                parts=(
                    Thinking(text="hm", signature="c2lnbmVk+/=="),
                    ToolCall(id="c", name="read", arguments={"a": [1, None]}),
                ),
            ),
            usage=Usage(input_tokens=5, output_tokens=2),
            cost_usd=0.25,
        ),
        events.ToolStarted(run_id=RUN, call_id="c", name="read", arguments={"path": "a b#ü.py"}),
        events.ToolFinished(run_id=RUN, call_id="c", name="read", text="x", data={"n": [1.5, {"k": "v"}]}),
        events.ErrorRaised(where="index", message="m"),
        events.RunFinished(run_id=RUN, stop_reason="end_turn", usage=Usage(), cost_usd=0.25),
    ]
    appended = await log.append(ONE, happened)
    assert [entry.event for entry in appended] == happened
    assert await log.read(ONE) == appended


async def test_transient_events_are_not_kept(log):
    appended = await log.append(ONE, [created(), events.TextStreamed(run_id=RUN, text="a"), said("a")])
    assert [entry.event.type for entry in appended] == ["session.created", "message.added"]
    assert await log.append(ONE, [events.ThinkingStreamed(run_id=RUN, text="a")]) == ()
    assert await log.append(ONE, []) == ()


async def test_a_session_begins_with_its_creation_and_only_once(log):
    with pytest.raises(StorageError, match="no session s_one"):
        await log.append(ONE, [said("a")])
    await log.append(ONE, [created()])
    with pytest.raises(StorageError):
        await log.append(ONE, [created()])
    assert len(await log.read(ONE)) == 1


async def test_no_secret_reaches_the_disk_or_whoever_is_told(log, tmp_path):
    happened = [
        created(),
        events.RunStarted(run_id=RUN, parts=user(f"my key is {SECRET}").parts),
        events.ToolStarted(run_id=RUN, call_id="c", name="shell", arguments={"env": {"TOKEN": SECRET}, SECRET: 1}),
        events.ToolFinished(
            run_id=RUN, call_id="c", name="shell", text=f"GITHUB_TOKEN={SECRET}\n", data={"lines": [SECRET]}
        ),
        events.ErrorRaised(where=SECRET, message=f"https://me:{SECRET}@github.com"),
        events.SessionConfigured(title=f"about {SECRET}"),
    ]
    appended = await log.append(ONE, happened)
    assert SECRET not in repr(appended)
    assert await log.read(ONE) == appended
    info = await log.info(ONE)
    assert info is not None
    assert info.title == "about [redacted github key]"
    assert all(SECRET.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    assert any(b"redacted github key" in path.read_bytes() for path in tmp_path.iterdir())


async def test_the_list_is_newest_first_and_by_folder(log):
    for name, cwd in (("a", "/x"), ("b", "/y"), ("c", "/x")):
        await log.append(SessionId(name), [created(cwd)])
    await log.append(SessionId("a"), [said("later")])
    assert [info.id for info in await log.sessions()] == ["a", "c", "b"]
    assert [info.id for info in await log.sessions("/x")] == ["a", "c"]
    assert await log.sessions("/z") == ()
    assert await log.info(SessionId("z")) is None


async def test_a_deleted_session_is_gone_with_its_events_and_its_name_is_free(log, tmp_path):
    await log.append(ONE, [created(), said("a")])
    await log.append(TWO, [created()])
    await log.delete(ONE)
    await log.delete(SessionId("nobody"))
    assert (await log.info(ONE), await log.read(ONE)) == (None, ())
    assert len(await log.sessions()) == 1
    with sqlite3.connect(tmp_path / "log.sqlite") as plain:
        assert plain.execute("SELECT count(*) FROM events").fetchone() == (1,)
    plain.close()
    assert (await log.append(ONE, [created()]))[0].seq == 1


def some_event(chance: random.Random):
    usage = Usage(**{name: chance.randint(0, 9) for name in Usage.model_fields})
    return chance.choice([
        events.SessionConfigured(model=chance.choice([None, "a/x", "a/y"]), mode=chance.choice([None, "plan", "explore"])),
        events.SessionConfigured(title=chance.choice([None, "named"])) if chance.random() < 0.2 else said("plain"),
        events.RunStarted(run_id=RUN, parts=user(chance.choice(["", "\n\n first line \n second", "w " * 90])).parts),
        events.RunStarted(run_id=RUN, parts=user("a").parts, title=chance.choice(["", "given"])),
        events.RunFinished(run_id=RUN, stop_reason="end_turn", usage=usage, cost_usd=9.0),
        said("text", usage=chance.choice([None, usage]), cost_usd=chance.random()),
        events.StageChanged(run_id=RUN, stage="READING"),
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
async def test_the_list_says_what_the_log_says(log, seed):
    chance = random.Random(seed)
    entries = await log.append(ONE, [created()])
    for _ in range(30):
        entries += await log.append(ONE, [some_event(chance) for _ in range(chance.randint(1, 5))])
    state, info = replay(ONE, entries), await log.info(ONE)
    assert info is not None
    assert info.cost_usd == pytest.approx(state.cost_usd)
    for name in ("cwd", "title", "model", "mode", "runs", "usage"):
        assert getattr(info, name) == getattr(state, name), name
    assert (info.created_at, info.updated_at) == (entries[0].at, entries[-1].at)


async def test_many_at_once_keep_their_order(log):
    names = [SessionId(f"s{number}") for number in range(20)]

    async def work(name):
        await log.append(name, [created()])
        for number in range(25):
            await log.append(name, [said(f"{number}"), said(f"{number}b")])

    await asyncio.gather(*(work(name) for name in names))
    for name in names:
        texts = [entry.event.message.text for entry in (await log.read(name))[1:]]
        assert texts == [text for number in range(25) for text in (f"{number}", f"{number}b")]


async def test_two_databases_on_one_file_share_a_session(log, tmp_path):
    database = await Database.open(tmp_path / "log.sqlite")
    other = SessionLog(database)
    await log.append(ONE, [created()])
    seqs = await asyncio.gather(*(side.append(ONE, [said("a")]) for side in (log, other) * 50))
    assert sorted(entry.seq for (entry,) in seqs) == list(range(2, 102))
    await database.close()


async def test_half_an_emoji_and_a_folder_of_other_bytes_can_be_kept(log):
    cwd = os.fsdecode(b"/work/caf\xe9")
    appended = await log.append(ONE, [created(cwd), said("half \ud83c of it")])
    assert appended[1].event.message.text == "half \ud83c of it"
    assert await log.read(ONE) == appended
    assert [info.id for info in await log.sessions(cwd)] == [ONE]


async def test_an_event_of_a_newer_version_is_told_and_unknown_fields_are_let_through(log, tmp_path):
    await log.append(ONE, [created(), said("a")])

    def edit(old, new):
        with sqlite3.connect(tmp_path / "log.sqlite") as plain:
            changed = plain.execute("UPDATE events SET body = replace(body, ?, ?) WHERE seq = 2", (old, new)).rowcount
        plain.close()
        assert changed == 1

    edit('"cost_usd"', '"colour": "blue", "cost_usd"')
    assert len(await log.read(ONE)) == 2
    edit('"message.added"', '"message.sung"')
    with pytest.raises(StorageError, match=r"event 2 .* of session s_one cannot be read"):
        await log.read(ONE)
    assert len(await log.sessions()) == 1
