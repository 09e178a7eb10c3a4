"""Every path of the corpus through the real file tools: nothing outside is read or changed, nothing protected unasked."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.session import Approval, ApprovalAnswer

from .path_corpus import CORPUS, Spot

if sys.platform == "win32":
    pytest.skip("links and special files as POSIX has them", allow_module_level=True)

SECRET = "CANARY-4e19d0"
GUARDED = (".git", ".vscode", ".attache")
LEAST = 150
LONG = os.environ.get("ATTACHE_LONG") == "1"


class Denier:
    """Says no, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        self.asked += 1
        return ApprovalAnswer(approval_id=approval.id, digest=approval.digest, choice="deny")


class Place:
    """A workspace and what lies round it, made anew for every case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ws, self.outside, self.home = (folder / name for name in ("ws", "outside", "home"))
        for path in (self.outside / "secret.txt", self.outside / "below" / "x", self.home / ".ssh" / "id_rsa",
                     self.home / ".aws" / "credentials", self.home / ".bashrc", folder / "ws-evil" / "secret.txt"):  # fmt: skip
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("line\n" if path.name == "x" else f"{SECRET}\nline\n")
        self.ws.mkdir()
        subprocess.run(["git", "init", "-q", "--template=", "."], cwd=self.ws, check=True)

    def fill(self, text: str) -> str:
        for name in ("ws", "outside", "home"):
            text = text.replace("{" + name + "}", str(getattr(self, name)))
        return text

    def prepare(self, spot: Spot) -> str:
        """Make the way of a case and return its path."""
        for old in self.ws.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for name in ("README.md", "src/a.py", "src/deep/x.py", ".attache/tools/y.py", ".vscode/z.json", *spot.files):
            self._write(name)
        for name, target in spot.links.items():
            link = self.ws / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(self.fill(target))
        path = self.fill(spot.path)
        match spot.special:
            case "fifo":
                os.mkfifo(self.ws / path)
            case "socket":
                with socket.socket(socket.AF_UNIX) as one:
                    one.bind(os.path.relpath(self.ws / path))
            case "hard":
                os.link(self.outside / "below" / "x", self.ws / path)
            case "gitconfig":
                os.link(self.ws / ".git" / "config", self.ws / path)
            case "unreadable":
                self._write(path)
                (self.ws / path).chmod(0)
            case _:
                pass
        return path

    def _write(self, name: str) -> None:
        path = self.ws / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text\n")

    def state(self) -> dict[str, str]:
        """Return what must not change: everything outside, and what is protected inside."""
        found: dict[str, str] = {}
        for top in (self.outside, self.home, self.folder / "ws-evil", *(self.ws / name for name in GUARDED)):
            for path in [top, *top.rglob("*")]:
                if path.is_file():
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
                else:
                    found[str(path)] = str(path.readlink()) if path.is_symlink() else "folder"
        return found


def calls(path: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return a call of every file tool for a path, those that only read first."""
    reading = [
        ("read", {"path": path}),
        ("list", {"path": path}),
        ("grep", {"pattern": "CANARY", "path": path}),
        ("write", {"path": path, "content": "mine\n"}),
        ("edit", {"path": path, "edits": [{"search": "line", "replace": "mine"}]}),
        ("move", {"path": "README.md", "new_path": path}),
    ]
    if kind == "inside":
        return [*reading[3:4], *reading[:1]]
    return [*reading, ("move", {"path": path, "new_path": "taken.txt"}), ("delete", {"paths": [path]})]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[tuple[Orchestrator, Place, Denier]]:
    place, person = Place(tmp_path / "place"), Denier()
    environ = {"HOME": str(place.home), "ATTACHE_HOME": str(tmp_path / "state"), "PATH": os.environ["PATH"]}
    overrides = {"model": "offline", "approve": "edits", "language_servers": "off", "tool_timeout_seconds": 10}
    async with Orchestrator(
        load(place.ws, overrides=overrides, environ=environ), cwd=place.ws, approver=person
    ) as agent:
        yield agent, place, person


def wrong(spot: Spot, name: str, output: Any, *, asked: bool) -> str:
    """Say what is wrong with how a call ended, "" where nothing is."""
    if SECRET in output.text:
        return "the secret was read"
    if spot.kind == "refused" and not output.is_error and name != "list":
        return f"was not refused: {output.text[:120]}"
    if spot.kind == "protected" and name in {"write", "move"} and not (asked or output.is_error):
        return "was changed unasked"
    if spot.kind == "inside" and output.is_error:
        return f"was refused: {output.text[:200]}"
    return ""


async def test_no_path_of_the_corpus_leads_out(agent: tuple[Orchestrator, Place, Denier]) -> None:
    orchestrator, place, person = agent
    faults: list[str] = []
    runs = 0
    for number, spot in enumerate(CORPUS):
        path = place.prepare(spot)
        before = place.state()
        made = calls(path, spot.kind)
        if not LONG and spot.kind != "inside":  # a read, a write, and the others in turn
            made = [made[0], made[3], [*made[1:3], *made[4:]][number % 6]]
        for name, arguments in made:
            asked = person.asked
            output = await orchestrator.execute_tool(name, **arguments)
            runs += 1
            if fault := wrong(spot, name, output, asked=person.asked > asked):
                faults.append(f"{spot.name}: {name}: {fault}")
        if (after := place.state()) != before:
            changed = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
            faults.append(f"{spot.name}: changed {sorted(changed)}")
    print(f"{len(CORPUS)} of {len(CORPUS)} paths, {runs} calls: {dict(Counter(spot.kind for spot in CORPUS))}")
    assert faults == []


def test_the_corpus_is_as_large_as_is_said() -> None:
    names = [spot.name for spot in CORPUS]
    assert len(set(names)) == len(names) >= LEAST
    assert len({(spot.path, *spot.links.items(), spot.special) for spot in CORPUS}) == len(names)


@pytest.mark.parametrize("tool", ["write", "edit", "read", "delete", "move"])
async def test_a_folder_that_turns_into_a_link_leads_nowhere(
    agent: tuple[Orchestrator, Place, Denier], tool: str
) -> None:
    orchestrator, place, _ = agent
    place.prepare(CORPUS[0])
    (place.ws / "door").mkdir()
    (place.ws / "door" / "secret.txt").write_text("in\nline\n")
    before, stop = place.state(), threading.Event()

    def flip() -> None:
        link = place.ws / "link"
        link.symlink_to(place.outside)
        while not stop.is_set():
            for old, new in (("door", "room"), ("link", "door"), ("door", "link"), ("room", "door")):
                with suppress(OSError):  # a tool that makes the folder anew in between
                    (place.ws / old).rename(place.ws / new)

    flipper = threading.Thread(target=flip)
    flipper.start()
    try:
        for number in range(25):
            arguments = (
                dict(calls("door/secret.txt", "out"))[tool]
                if tool != "move"
                else {"path": "door/secret.txt", "new_path": f"t{number}"}
            )
            output = await orchestrator.execute_tool(tool, **arguments)
            assert SECRET not in output.text
            assert place.state() == before
    finally:
        stop.set()
        flipper.join()
