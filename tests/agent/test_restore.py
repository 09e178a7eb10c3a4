"""Going back: the files as they stood at an earlier moment, whoever has closed and opened the session since."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attache.schema.data import SessionId
from attache.schema.errors import EditRefused, UserError
from attache.schema.events import ChangeLanded, ChangeUndone, RunStarted
from attache.storage.checkpoints import Checkpoints

from .conftest import Start
from .test_session import call


def edit(path: str, search: str, replace: str) -> dict[str, object]:
    return call("edit", path=path, edits=[{"search": search, "replace": replace}])


def write(path: str, text: str) -> dict[str, object]:
    return call("write", path=path, content=text)


async def moments(agent, session) -> tuple[list[int], list[int]]:
    """Return the numbers of the events before each prompt, and before each landed step."""
    entries = await agent.resources.log.read(SessionId(session.id))
    prompts = [entry.seq - 1 for entry in entries if isinstance(entry.event, RunStarted)]
    steps = [entry.seq - 1 for entry in entries if isinstance(entry.event, ChangeLanded)]
    return prompts, steps


TURNS = [
    edit("a.py", "x = 1", "x = 2"),
    edit("a.py", "y = 1", "y = 2"),
    {"text": "first"},
    edit("a.py", "x = 2", "x = 3"),
    write("new.py", "made = True\n"),
    {"text": "second"},
]
BEFORE = "x = 1\n# 2\n# 3\n# 4\n# 5\n# 6\ny = 1\n"


async def test_files_go_back_and_forth_over_runs_and_processes(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text(BEFORE)
    async with start(TURNS) as agent:
        session = await agent.session()
        await agent.chat("one")
        await agent.chat("two")
        name = session.id
    after = (folder / "a.py").read_text()
    assert after == BEFORE.replace("x = 1", "x = 3").replace("y = 1", "y = 2")
    async with start([{"text": "third"}]) as agent:  # another process, nothing in memory
        session = await agent.load_session(name)
        prompts, steps = await moments(agent, session)
        assert len(steps) == 4
        end = session.state.seq
        landed = await session.rewind(prompts[1], conversation=False, files=True)
        assert landed is not None
        assert (folder / "a.py").read_text() == BEFORE.replace("x = 1", "x = 2").replace("y = 1", "y = 2")
        assert not (folder / "new.py").exists()
        assert len(session.state.messages) > 2, "what was said stays"
        await session.rewind(steps[1], files=True)
        assert (folder / "a.py").read_text() == BEFORE.replace("x = 1", "x = 2")
        assert session.state.messages[-1].role != "user" or len(session.state.messages) < 5
        await session.rewind(prompts[0], files=True)
        assert (folder / "a.py").read_text() == BEFORE
        assert session.state.messages == ()
        await session.rewind(end, conversation=False, files=True)  # and back again
        assert (folder / "a.py").read_text() == after
        assert (folder / "new.py").read_text() == "made = True\n"
        assert await session.rewind(session.state.seq, conversation=False, files=True) is None, "nothing to do"


async def test_what_the_user_did_since_stays_or_the_whole_is_refused(start: Start, folder: Path) -> None:
    path = folder / "a.py"
    path.write_text(BEFORE)
    async with start(TURNS) as agent:
        session = await agent.session()
        await agent.chat("one")
        prompts, _ = await moments(agent, session)
        path.write_text(path.read_text().replace("# 4\n", "# 4\nmine = 1\n"))
        await session.rewind(prompts[0], conversation=False, files=True)
        assert path.read_text() == BEFORE.replace("# 4\n", "# 4\nmine = 1\n")
    path.write_text(BEFORE)
    async with start(TURNS, script="again.json") as agent:
        session = await agent.new_session()
        await session.run(())
        prompts, _ = await moments(agent, session)
        path.write_text(path.read_text().replace("x = 2", "x = 2 + mine"))
        kept, seen = path.read_text(), session.state.messages
        with pytest.raises(EditRefused, match=r"cannot be taken back; nothing was changed: a\.py:1 changed"):
            await session.rewind(prompts[0], files=True)
        assert path.read_text() == kept
        assert session.state.messages == seen, "neither of both when one cannot be"


async def test_a_hunk_that_was_rejected_and_a_step_that_was_undone_are_not_taken_back_twice(
    start: Start, folder: Path
) -> None:
    path = folder / "a.py"
    path.write_text(BEFORE)
    both = call(
        "edit", path="a.py", edits=[{"search": "x = 1", "replace": "x = 2"}, {"search": "y = 1", "replace": "y = 2"}]
    )
    async with start([both, {"text": "one"}, edit("a.py", "y = 1", "y = 5"), {"text": "two"}]) as agent:
        session = await agent.session()
        await agent.chat("one")
        review, workspace = agent.resources.review, agent.resources.workspace
        second = [hunk for hunk in review.pending() if "y = 2\n" in hunk.after]
        rejected = await workspace.land(review.reject([hunk.id for hunk in second]))
        review.saw(rejected)
        assert path.read_text() == BEFORE.replace("x = 1", "x = 2")
        await agent.chat("two")
        entries = await agent.resources.log.read(SessionId(session.id))
        last = [entry.event for entry in entries if isinstance(entry.event, ChangeLanded)][-1]
        kept = agent.resources.checkpoints.recall(last.change_set)
        await workspace.undo(kept)
        await session.record(ChangeUndone(change_set=last.change_set))
        assert path.read_text() == BEFORE.replace("x = 1", "x = 2")
        prompts, _ = await moments(agent, session)
        await session.rewind(prompts[0], files=True)
    assert path.read_text() == BEFORE


async def test_a_step_that_is_not_kept_any_more_is_said(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text(BEFORE)
    async with start(TURNS) as agent:
        session = await agent.session()
        await agent.chat("one")
        prompts, _ = await moments(agent, session)
        home = agent.resources.settings.home
        for text in (home / "checkpoints" / "texts").rglob("*"):
            if text.is_file():
                text.write_bytes(b"damaged")
        with pytest.raises(UserError, match="is not kept any more"):
            await session.rewind(prompts[0], files=True)
        if os.name == "posix":
            files = [path for path in (home / "checkpoints").rglob("*") if path.is_file()]
            assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_texts_are_kept_once_and_the_oldest_go(start: Start, folder: Path) -> None:
    (folder / "a.py").write_text("".join(f"line_{number} = {number}\n" for number in range(2_000)))
    turns = [edit("a.py", f"line_{number} = {number}\n", f"line_{number} = 0\n") for number in range(5, 10)]
    async with start([*turns, {"text": "done"}]) as agent:
        await agent.chat("go")
        home = agent.resources.settings.home
        session = await agent.session()
        entries = await agent.resources.log.read(SessionId(session.id))
    landed = [entry.event.change_set for entry in entries if isinstance(entry.event, ChangeLanded)]
    texts = [path for path in (home / "checkpoints" / "texts").rglob("*") if path.is_file()]
    assert len(texts) == len(turns) + 1
    size = sum(path.stat().st_size for path in (home / "checkpoints").rglob("*") if path.is_file())
    assert size <= 2 * len(turns) * (folder / "a.py").stat().st_size
    assert Checkpoints(home).recall(landed[0]) is not None
    for number, path in enumerate(sorted(texts, key=lambda path: path.stat().st_mtime)):
        os.utime(path, (number, number))
    assert Checkpoints(home).prune() > 0
    assert Checkpoints(home).recall(landed[0]) is None
