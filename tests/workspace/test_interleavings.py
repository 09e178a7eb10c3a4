"""A user typing, an agent changing several files at once, and others writing to disk, all at the same time.

Every character that anybody writes is one that stands nowhere else, so that nothing can be lost, doubled or left behind
unseen. At the end, over all files (the editor's text where one is open, else the disk's):

- each character of the user's, of the others', and of the files as they were is there once, unless somebody meant to
  remove it: the user by typing, or the agent by a change set that landed;
- of each change set every character is there, or none; none, where it was refused.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from attache.foundation.ids import new_id
from attache.schema.data import Uri
from attache.schema.documents import Snapshot
from attache.schema.edits import ChangeSet, CreateFile, DeleteFile, EditFile, FileChange, RenameFile, TextEdit
from attache.schema.errors import ToolError
from attache.workspace.documents import Buffers, split_lines
from attache.workspace.edits import line_starts
from attache.workspace.paths import to_path
from attache.workspace.workspace import Workspace
from workspace.clients import ALL_HABITS, Editor, Habits, fast_run

FILES, LINES, WIDTH = 6, 12, 4
SECONDS = 12.0
CLUMSY = 0.3  # how likely a hand goes where another one has just been


@dataclass
class Account:
    """Who wrote what, and what was removed on purpose."""

    code: int = 0xF0000
    there: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    moved_while_open: bool = False
    landed: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    replaced: list[tuple[set[str], set[str]]] = field(default_factory=list)
    """(what a refused change would have taken, what it put there for a moment)"""

    def fresh(self, count: int) -> str:
        text = "".join(map(chr, range(self.code, self.code + count)))
        self.code += count
        return text


def written(text: str) -> set[str]:
    return {character for character in text if character >= "\U000f0000"}


class Scene:
    def __init__(self, seed: int, habits: Habits, folder: Path) -> None:
        self.random = random.Random(seed)
        self.account = Account()
        self.root = folder / "ws"
        self.root.mkdir()
        self.spot = (0, 0)
        for number in range(FILES):
            text = "".join(self.account.fresh(WIDTH) + "\n" for _ in range(LINES))
            self.account.there |= written(text)
            (self.root / f"f{number}.txt").write_bytes(text.encode())
        buffers = Buffers()
        self.editor = Editor(buffers, habits, seed)
        self.editor.typist = self.type
        self.workspace = Workspace([self.root], home=folder / "home", buffers=buffers, editor=self.editor)
        self.over = False

    # ------------------------------------------------------------ the hands

    def type(self, uri: Uri) -> None:
        """Let the user put in, remove or replace a few characters somewhere."""
        screen = self.editor.screens[uri]
        line = self.spot[0] if self.random.random() < CLUMSY else self.random.randrange(screen.line_count)
        self.spot = (line, 0)
        start = screen.clamp((line, self.random.randrange(WIDTH * 2)))
        end = start
        if self.random.random() < 0.3:
            end = screen.clamp((start[0] + (self.random.random() < 0.2), start[1] + self.random.randrange(1, 4)))
        low, high = (screen.offset(*place) for place in (start, end))
        if low > high:
            return
        text = self.account.fresh(self.random.randrange(1, 4)) if self.random.random() < 0.8 else ""
        text += "\n" * (self.random.random() < 0.15)
        self.account.removed |= written(screen.text[low:high])
        self.account.there |= written(text)
        self.editor.type(uri, start, end, text)

    async def user(self) -> None:
        while not self.over:
            await asyncio.sleep(self.random.uniform(0, 0.6))
            opened = list(self.editor.screens)
            act = self.random.random()
            if act < 0.12 and len(opened) < FILES - 1:
                closed = [path for path in sorted(self.root.iterdir()) if path.suffix == ".txt"]
                closed = [path for path in closed if all(to_path(uri) != path for uri in opened)]
                if closed:
                    self.editor.open(self.random.choice(closed))
            elif act < 0.16 and opened:
                uri = self.random.choice(opened)
                self.editor.save(uri)
                if self.random.random() < 0.7:
                    self.editor.close(uri)
            elif opened:
                for _ in range(self.random.randrange(1, 4)):
                    self.type(self.random.choice(opened))

    async def others(self) -> None:
        """Write to files that are closed, as a formatter or a git command does: what is there and something more."""
        while not self.over:
            await asyncio.sleep(self.random.uniform(0, 1.0))
            path = self.root / f"f{self.random.randrange(FILES)}.txt"
            if not path.exists() or any(to_path(uri) == path for uri in self.editor.screens):
                continue
            lines = path.read_bytes().decode().split("\n")
            token = self.account.fresh(2)
            at = self.random.randrange(len(lines))
            lines[at] = lines[at] + token if self.random.random() < 0.5 else lines[at] + "\n" + token
            self.account.there |= written(token)
            data = "\n".join(lines).encode()
            if self.random.random() < 0.5:
                path.write_bytes(data)
            else:
                other = self.root / "other.tmp"
                other.write_bytes(data)
                other.replace(path)

    async def agent(self) -> None:
        while not self.over:
            names = await self.workspace.files()
            chosen = self.random.sample(names, min(self.random.randrange(1, 5), len(names)))
            seen = [await self.workspace.read(name) for name in chosen]
            await asyncio.sleep(self.random.uniform(0, 0.8))  # the model thinks
            puts: set[str] = set()
            takes: set[str] = set()
            replaced: list[tuple[set[str], set[str]]] = []
            files = tuple(self._change(snapshot, puts, takes, replaced) for snapshot in seen)
            opened = {to_path(uri) for uri in self.editor.screens}
            change_set = ChangeSet(id=new_id("c"), title="step", files=files)
            try:
                landed = await self.workspace.land(change_set)
            except ToolError as error:
                self.account.absent |= puts
                self.account.replaced += replaced
                reason = error.message.split(": ")[-1][:40]
                self.account.refused[reason] = self.account.refused.get(reason, 0) + 1
                continue
            self.account.landed += 1
            self.account.there |= puts
            self.account.removed |= takes
            moved = {to_path(Uri(outcome.renamed_from)) for outcome in landed.files if outcome.renamed_from}
            opened |= {to_path(uri) for uri in self.editor.screens}
            self.account.moved_while_open |= bool(moved & opened)

    def _change(self, snapshot: Snapshot, puts: set[str], takes: set[str], replaced: list[Any]) -> FileChange:
        act = self.random.random()
        if act < 0.04 and not snapshot.open:
            takes |= written(snapshot.text)
            return DeleteFile(uri=snapshot.uri, base_hash=snapshot.hash)
        if act < 0.08 and not snapshot.open:
            new = Uri(f"{snapshot.uri[:-4]}r.txt")
            return RenameFile(uri=snapshot.uri, new_uri=new, base_hash=snapshot.hash)
        if act < 0.12:
            text = self.account.fresh(3) + "\n"
            puts |= written(text)
            return CreateFile(uri=Uri(f"{snapshot.uri.rpartition('/')[0]}/n{self.account.code}.txt"), text=text)
        lines = split_lines(snapshot.text)
        starts = line_starts(lines)
        edits = []
        chosen = self.random.sample(range(len(lines)), min(len(lines), self.random.randrange(1, 4)))
        if self.random.random() < CLUMSY:
            chosen[0] = min(self.spot[0], len(lines) - 1)
        for line in sorted(set(chosen)):
            if edits and edits[-1].end > starts[line]:
                continue
            token = self.account.fresh(3)
            puts |= written(token)
            if self.random.random() < 0.5:  # a line more
                edits.append(TextEdit(start=starts[line], end=starts[line], text=token + "\n"))
            else:  # a line replaced
                old = lines[line].rstrip("\n")
                kept = old[self.random.randrange(len(old) + 1) :]
                takes |= written(old) - written(kept)
                replaced.append((written(old) - written(kept), written(token)))
                edits.append(TextEdit(start=starts[line], end=starts[line] + len(old), text=token + kept))
        return EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=tuple(edits))

    # ------------------------------------------------------------ the verdict

    async def play(self) -> list[str]:
        for number in range(FILES // 2):
            self.editor.open(self.root / f"f{number}.txt")
        async with asyncio.TaskGroup() as tasks:
            for hand in (self.user, self.others, self.agent):
                tasks.create_task(hand())
            await asyncio.sleep(SECONDS)
            self.over = True
        await asyncio.sleep(5)
        self.workspace.close()
        return list(self.verdict())

    def verdict(self):
        account = self.account
        texts = {path: path.read_bytes().decode() for path in self.root.iterdir() if path.suffix == ".txt"}
        for uri, screen in self.editor.screens.items():
            texts[to_path(uri)] = screen.text
            document = self.workspace.buffers.get(uri)
            assert document
            if document.text != screen.text:
                yield f"{uri}: the buffer is not what the user sees"
        for taken, put in account.replaced:
            if put <= account.removed:  # the user removed what stood there for them
                account.removed |= taken
        everything = "".join(texts.values())
        found = written(everything)
        if lost := account.there - account.removed - found:
            yield f"lost: {shown(lost)}"
        if left := account.absent & found:
            yield f"left of refused change sets: {shown(left)}"
        if not account.moved_while_open and len(everything.replace("\n", "")) != len(found):
            yield "doubled: " + shown({character for character in found if everything.count(character) > 1})
        if strays := [path.name for path in self.root.iterdir() if path.suffix != ".txt"]:
            yield f"stray files: {strays}"
        if entries := [path.name for path in self.workspace._journal.folder.iterdir() if path.name != "lock"]:
            yield f"journal entries: {entries}"


def shown(characters: set[str]) -> str:
    return " ".join(f"{ord(character) - 0xF0000}" for character in sorted(characters)[:20])


def play(seed: int) -> tuple[list[str], Scene]:
    with tempfile.TemporaryDirectory() as folder:
        habits = ALL_HABITS[seed % len(ALL_HABITS)]
        scenes: list[Scene] = []

        async def main() -> list[str]:
            scenes.append(Scene(seed, habits, Path(folder)))
            return await scenes[0].play()

        return [f"seed {seed} ({habits.name}): {fault}" for fault in fast_run(seed, main)], scenes[0]


def run(seeds: range) -> None:
    faults: list[str] = []
    landed = refused = 0
    for seed in seeds:
        found, scene = play(seed)
        faults += found
        landed += scene.account.landed
        refused += sum(scene.account.refused.values())
    print(f"{len(seeds)} interleavings: {landed} change sets landed, {refused} refused")
    assert not faults, "\n".join(faults)
    assert landed > len(seeds)
    assert refused > len(seeds)


def test_nothing_is_lost_and_every_change_set_is_whole_or_absent():
    run(range(100))


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="ATTACHE_LONG=1 plays 1,000 interleavings")
def test_nothing_is_lost_in_a_thousand_interleavings():
    run(range(100, 1100))
