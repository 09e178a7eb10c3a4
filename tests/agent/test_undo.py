"""Forty ways to change a folder, each taken back whole: by going back in the session, forth again, and step by step."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.workspace.clients import Editor
from tests.workspace.kinds import fill, tree

from attache.agent.orchestrator import Orchestrator
from attache.agent.session import Session
from attache.schema.data import CallId, SessionId
from attache.schema.errors import EditRefused
from attache.schema.events import ChangeLanded
from attache.schema.messages import ToolCall
from attache.schema.tools import ToolOutput

from .conftest import Start

if sys.platform == "win32":
    pytest.skip("the commands are a POSIX shell's, and modes and links are tested", allow_module_level=True)

GIT = "git -c user.name=a -c user.email=a@example.org"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 132\n"
LINES = "".join(f"line {number}\n" for number in range(40))

Step = tuple[str, dict[str, object]]


def sh(text: str) -> Step:
    return "shell", {"command": text, "view": "cow"}


def write(path: str, text: str) -> Step:
    return "write", {"path": path, "content": text}


def edit(path: str, search: str, put: str) -> Step:
    return "edit", {"path": path, "edits": [{"search": search, "replace": put}]}


def move(path: str, new_path: str, **more: object) -> Step:
    return "move", {"path": path, "new_path": new_path, **more}


def delete(*paths: str) -> Step:
    return "delete", {"paths": list(paths)}


SCENARIOS: dict[str, tuple[Step, ...]] = {
    "create": (write("new.txt", "new\n"),),
    "create in new folders": (write("a/b/c/d.txt", "deep\n"),),
    "create an empty file": (write("empty.txt", ""),),
    "edit": (edit("text.txt", "two", "TWO"),),
    "edit twice the same line": (edit("text.txt", "two", "TWO"), edit("text.txt", "TWO", "2")),
    "edit and take back by hand": (edit("text.txt", "two", "TWO"), edit("text.txt", "TWO", "two")),
    "overwrite": (write("text.txt", LINES),),
    "truncate": (write("text.txt", ""), write("other.txt", "")),
    "delete": (delete("text.txt"),),
    "delete and create again": (delete("text.txt"), write("text.txt", "another\n")),
    "delete a folder": (sh("rm -r folder"),),
    "rename": (move("text.txt", "moved.txt"),),
    "rename over another": (move("text.txt", "other.txt", overwrite=True),),
    "rename there and back": (move("text.txt", "x.txt"), move("x.txt", "text.txt")),
    "two change places": (move("text.txt", "x.txt"), move("other.txt", "text.txt"), move("x.txt", "other.txt")),
    "rename a folder": (move("pile", "heap"),),
    "create, edit, rename": (write("a.txt", LINES), edit("a.txt", "line 7\n", "seven\n"), move("a.txt", "b.txt")),
    "edit, rename, edit": (edit("text.txt", "one", "1"), move("text.txt", "b.txt"), edit("b.txt", "three", "3")),
    "rename what is executable": (sh("chmod 755 text.txt"), move("text.txt", "run.txt"), edit("run.txt", "one", "1")),
    "chmod": (sh("chmod 600 text.txt"),),
    "chmod and edit in one command": (sh("echo more >> text.txt && chmod 755 text.txt"),),
    "chmod, then edit": (sh("chmod +x text.txt"), edit("text.txt", "two", "TWO")),
    "edit, then chmod, then delete": (edit("text.txt", "two", "2"), sh("chmod 700 text.txt"), delete("text.txt")),
    "chmod of what is new": (write("run.sh", "true\n"), sh("chmod 755 run.sh"), edit("run.sh", "true", "false")),
    "make, turn and remove links": (sh("ln -s text.txt new && ln -sfn other.txt link"), sh("rm link")),
    "file becomes link": (edit("text.txt", "two", "2"), sh("rm text.txt && ln -s other.txt text.txt")),
    "link becomes file": (sh("rm link && echo file > link"), edit("link", "file", "FILE")),
    "write through a link": (sh("echo more >> link"),),
    "binary": (
        sh(r"printf '\0\1' >> data.bin; rm folder/c.bin; printf '\0' > new.bin"),
        sh(r"printf '\2' >> data.bin"),
    ),
    "text becomes binary": (edit("text.txt", "two", "2"), sh(r"printf '\0\1\2' > text.txt")),
    "binary becomes text": (sh("echo text > data.bin"), edit("data.bin", "text", "TEXT")),
    "binary moved": (sh("mv data.bin moved.bin && chmod 755 moved.bin"),),
    "CRLF": (edit("crlf.txt", "two", "TWO"), write("crlf.txt", "1\n2\n")),
    "byte order mark and UTF-16": (edit("bom.txt", "one", "1"), edit("utf16.txt", "one", "1"), delete("utf16.txt")),
    "Latin-1": (edit("latin.txt", "one", "ONE"), delete("latin.txt", "bom.txt")),
    "nested repository": (
        edit("nested/a.txt", "inner", "INNER"),
        write("nested/b.txt", "b\n"),
        sh("rm nested/a.txt; mkdir nested/empty"),
    ),
    "LFS pointer": (write("big.psd", POINTER.format("b" * 64)), delete("big.psd")),
    "folders": (sh("mkdir -p empty/er/still && mv folder renamed && mkdir folder"), sh("rmdir empty/er/still")),
    "read-only replaced": (sh("rm -f locked.txt && echo open > locked.txt"), edit("locked.txt", "open", "OPEN")),
    "many at once": (sh("for n in $(seq 60); do echo $n > many$n.txt; done; rm -r pile; sed -i s/o/0/ *.txt"),),
}


@dataclass(slots=True)
class Played:
    """A session that has made its steps, and what stood in the folder before and after them."""

    agent: Orchestrator
    session: Session
    first: int
    last: int
    before: dict[str, tuple[object, ...]]
    after: dict[str, tuple[object, ...]]
    metadata: dict[str, tuple[object, ...]]

    async def back(self) -> None:
        await self.session.rewind(self.first, conversation=False, files=True)

    async def forth(self) -> None:
        await self.session.rewind(self.last, conversation=False, files=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with something of everything: a repository that holds another, and has something staged."""
    folder = tmp_path_factory.mktemp("model")
    fill(folder)
    (folder / "big.psd").write_text(POINTER.format("a" * 64))
    (folder / "nested").mkdir()
    (folder / "nested" / "a.txt").write_text("inner\n")
    (folder / ".gitattributes").write_text("*.psd filter=lfs\n")
    first = f"git init -q -b main . && git add {{}} && {GIT} commit -qm first"
    for place, text in (("nested", first.format(".")), (".", first.format("text.txt"))):
        subprocess.run(["sh", "-c", text], cwd=folder / place, check=True)
    subprocess.run(["sh", "-c", "git add other.txt && git switch -qc work"], cwd=folder, check=True)
    return folder


@pytest.fixture
def filled(model: Path, folder: Path) -> Path:
    return Path(shutil.copytree(model, folder, symlinks=True, dirs_exist_ok=True))


def metadata(folder: Path) -> dict[str, tuple[object, ...]]:
    """What both repositories keep: index, branches, objects."""
    inner = {name: held for name, held in tree(folder / "nested").items() if name.startswith(".git/")}
    return {**tree(folder / ".git", times=True), **inner}


async def do(session: Session, step: Step) -> ToolOutput:
    done = await session.run_tool(ToolCall(id=CallId("x"), name=step[0], arguments=step[1]))
    assert not done.is_error, done.text
    assert done.data.get("exit_code", 0) == 0, done.text
    assert "not taken over" not in done.text
    return done


async def play(agent: Orchestrator, folder: Path, steps: tuple[Step, ...]) -> Played:
    before, repositories = tree(folder), metadata(folder)
    session = await agent.session()
    first = session.state.seq
    for step in steps:
        await do(session, step)
    return Played(agent, session, first, session.state.seq, before, tree(folder), repositories)


async def undo_each(played: Played) -> None:
    """Undo the steps of the scenario one after the other, as they are kept, the last first."""
    entries = await played.agent.resources.log.read(SessionId(played.session.id))
    steps = [entry.event for entry in entries if isinstance(entry.event, ChangeLanded) and entry.seq <= played.last]
    for step in reversed(steps):
        kept = played.agent.resources.checkpoints.recall(step.change_set)
        assert kept is not None
        await played.agent.resources.workspace.undo(kept)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_what_was_done_is_undone_whole(name: str, start: Start, filled: Path) -> None:
    folder = filled
    async with start([{"text": "unused"}], approve="all") as agent:
        played = await play(agent, folder, SCENARIOS[name])
        await played.back()
        assert tree(folder) == played.before
        assert agent.resources.review.pending() == (), "nothing is left to review"
        await played.forth()
        assert tree(folder) == played.after, "a restore is a step, and is taken back like one"
        await undo_each(played)
        assert tree(folder) == played.before
        assert metadata(folder) == played.metadata, "neither index nor branch is touched"


def with_editor(agent: Orchestrator) -> Editor:
    workspace = agent.resources.workspace
    workspace.editor = editor = Editor(workspace.buffers)
    return editor


async def test_what_was_typed_in_open_files_since_stays(start: Start, filled: Path) -> None:
    """An edit, a chmod and a command's change of two open files, with text of the user's own around them."""
    steps = (
        edit("text.txt", "two", "TWO"),
        sh("chmod 755 text.txt; sed -i s/three/THREE/ text.txt; echo x >> other.txt"),
    )
    (filled / "text.txt").write_text(LINES + "two\n" + LINES.replace("line", "more") + "three\n")
    async with start([{"text": "unused"}], approve="all") as agent:
        editor = with_editor(agent)
        text, other = editor.open(filled / "text.txt"), editor.open(filled / "other.txt")
        played = await play(agent, filled, steps)
        assert "TWO" in editor.screens[text].text
        assert editor.screens[other].text == "other\nx\n"
        editor.put(text, "line 3\n", "line 3\nmine\n")
        await played.back()
        assert editor.screens[text].text == played.before["text.txt"][2].decode().replace("line 3\n", "line 3\nmine\n")
        assert editor.screens[other].text == "other\n"
        assert tree(filled) == played.before, "on disk nothing was saved, and the permissions are as they were"
        await played.forth()
        assert "mine\n" in editor.screens[text].text
        assert "TWO" in editor.screens[text].text
        assert (filled / "text.txt").stat().st_mode & 0o777 == 0o755


async def test_where_the_user_typed_over_it_nothing_at_all_is_taken_back(start: Start, filled: Path) -> None:
    steps = (edit("text.txt", "two", "TWO"), sh(r"echo x >> other.txt; printf '\0' >> data.bin; rm -r pile"))
    async with start([{"text": "unused"}], approve="all") as agent:
        editor = with_editor(agent)
        text = editor.open(filled / "text.txt")
        played = await play(agent, filled, steps)
        editor.put(text, "TWO", "mine")
        with pytest.raises(EditRefused, match="nothing was changed"):
            await played.back()
        assert tree(filled) == played.after
        assert editor.screens[text].text == "one\nmine\nthree\n"


async def test_where_others_changed_a_binary_file_since_nothing_is_taken_back(start: Start, filled: Path) -> None:
    steps = (edit("text.txt", "two", "TWO"), sh(r"printf '\0\1' >> data.bin; ln -sfn other.txt link"))
    async with start([{"text": "unused"}], approve="all") as agent:
        played = await play(agent, filled, steps)
        (filled / "data.bin").write_bytes(b"\0theirs")
        theirs = tree(filled)
        with pytest.raises(EditRefused, match="nothing was changed"):
            await played.back()
        assert tree(filled) == theirs


def test_there_are_forty() -> None:
    assert len(SCENARIOS) >= 40
