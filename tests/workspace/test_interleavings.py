"""A user typing, an agent changing several files at once, and a shell writing to disk, all at the same time.

The editor has the habits of a real one, and what passes between it and us goes through the protocol's own coding, in
UTF-8, UTF-16 or UTF-32. The texts hold astral characters and combining marks, end their lines in one of two ways, and
some lack the last line end.

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
from attache.foundation.positions import Encoding
from attache.schema.data import Uri
from attache.schema.documents import Snapshot
from attache.schema.edits import ChangeSet, CreateFile, DeleteFile, EditFile, FileChange, RenameFile, TextEdit
from attache.schema.errors import ToolError
from attache.workspace.documents import Buffers, split_lines
from attache.workspace.edits import line_starts
from attache.workspace.paths import to_path
from attache.workspace.workspace import Workspace
from workspace.clients import ALL_HABITS, CARELESS, Habits, fast_run
from workspace.wire import WireEditor

PLAYED = (*ALL_HABITS, CARELESS)
"""The last is of an editor that takes no versions at all: `changes` in place of `documentChanges`."""
FILES, LINES, WIDTH = 6, 12, 4
SECONDS = 12.0
SHORT_SECONDS = 6.0
"""For the share that runs by default."""
ENCODINGS: tuple[Encoding, ...] = ("utf-16", "utf-8", "utf-32")
PLAIN, MARKED, DOS, BARE, MIXED = "plain", "with marks", "\r\n", "no last line end", "mixed"
TEXTS = (PLAIN, MARKED, DOS, BARE, MIXED)
DECORATIONS = ("e\u0301", "漢", "ß", "\u200d", "\U0001f468\u200d\U0001f4bb", "\u0628\u0650")
"""Stand between the characters that are counted: marks, wide ones, a joined pair, right to left."""
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
        self.texts = TEXTS[seed // len(PLAYED) % len(TEXTS)]
        self.encoding = ENCODINGS[seed // (len(PLAYED) * len(TEXTS)) % len(ENCODINGS)]
        self.random = random.Random(seed)
        self.account = Account()
        self.root = folder / "ws"
        self.root.mkdir()
        self.spot = (0, 0)
        for number in range(FILES):
            end = self.line_end(number)
            text = "".join(self.fresh(WIDTH) + end for _ in range(LINES))
            if self.texts == BARE or (self.texts == MIXED and number % 2):
                text = text.removesuffix(end)
            self.account.there |= written(text)
            (self.root / f"f{number}.txt").write_bytes(text.encode())
        buffers = Buffers()
        self.editor = WireEditor(buffers, habits, seed, self.encoding)
        self.editor.typist = self.type
        self.workspace = Workspace([self.root], home=folder / "home", buffers=buffers, editor=self.editor)
        self.over = False

    def line_end(self, number: int) -> str:
        return "\r\n" if self.texts == DOS or (self.texts == MIXED and number % 3 == 0) else "\n"

    def end_of(self, text: str) -> str:
        return "\r\n" if "\r\n" in text else "\n"

    def fresh(self, count: int) -> str:
        """Return characters that stand nowhere else, others between them."""
        text = self.account.fresh(count)
        if self.texts not in {MARKED, MIXED}:
            return text
        return "".join(each + self.random.choice(("", "", *DECORATIONS)) for each in text)

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
        text = self.fresh(self.random.randrange(1, 4)) if self.random.random() < 0.8 else ""
        text += self.end_of(screen.text) * (self.random.random() < 0.15)
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
                shown = self.editor.screens[uri].text
                if to_path(uri).exists():  # what a shell wrote meanwhile is overwritten, as the user says
                    self.account.removed |= written(to_path(uri).read_bytes().decode()) - written(shown)
                self.editor.save(uri)
                if self.random.random() < 0.7:
                    self.editor.close(uri)
            elif opened:
                for _ in range(self.random.randrange(1, 4)):
                    self.type(self.random.choice(opened))

    async def shell(self) -> None:
        """Write to several files at once, as a formatter or a git command does: what is there and something more.

        An open file that is not modified is read again by its editor; one that is keeps its text, until it is saved.
        """
        while not self.over:
            await asyncio.sleep(self.random.uniform(0, 1.0))
            for number in self.random.sample(range(FILES), self.random.randrange(1, 4)):
                path = self.root / f"f{number}.txt"
                if path.exists():
                    self.write(path)

    def write(self, path: Path) -> None:
        uri = next((uri for uri in self.editor.screens if to_path(uri) == path), None)
        old = path.read_bytes().decode()
        modified = uri is not None and self.editor.screens[uri].text != old
        end = self.end_of(old)
        lines = old.split(end)
        token = self.fresh(2)
        at = self.random.randrange(len(lines))
        lines[at] = lines[at] + token if self.random.random() < 0.5 else lines[at] + end + token
        data = end.join(lines).encode()
        self.account.there |= written(token)
        if self.random.random() < 0.5:
            path.write_bytes(data)
        else:
            other = self.root / "other.tmp"
            other.write_bytes(data)
            other.replace(path)
        if uri is not None and not modified:
            self.editor.reload(uri, data.decode())

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
            text = self.fresh(3) + "\n"
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
            token = self.fresh(3)
            puts |= written(token)
            if self.random.random() < 0.5:  # a line more
                edits.append(TextEdit(start=starts[line], end=starts[line], text=token + self.end_of(snapshot.text)))
            else:  # a line replaced
                old = lines[line].rstrip("\r\n")
                kept = old[self.random.randrange(len(old) + 1) :]
                takes |= written(old) - written(kept)
                replaced.append((written(old) - written(kept), written(token)))
                edits.append(TextEdit(start=starts[line], end=starts[line] + len(old), text=token + kept))
        return EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=tuple(edits))

    # ------------------------------------------------------------ the verdict

    async def play(self, seconds: float) -> list[str]:
        for number in range(FILES // 2):
            self.editor.open(self.root / f"f{number}.txt")
        async with asyncio.TaskGroup() as tasks:
            for hand in (self.user, self.shell, self.agent):
                tasks.create_task(hand())
            await asyncio.sleep(seconds)
            self.over = True
        await asyncio.sleep(5)
        self.workspace.close()
        return list(self.verdict())

    def verdict(self):
        account = self.account
        texts = {path: path.read_bytes().decode() for path in self.root.iterdir() if path.suffix == ".txt"}
        on_disk = written("".join(texts.values()))  # what a shell wrote to a file with unsaved text waits there
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
        if lost := account.there - account.removed - found - on_disk:
            yield f"lost: {shown(lost)}"
        if left := account.absent & found:
            yield f"left of refused change sets: {shown(left)}"
        if not account.moved_while_open and sum(map(everything.count, found)) != len(found):
            yield "doubled: " + shown({character for character in found if everything.count(character) > 1})
        if strays := [path.name for path in self.root.iterdir() if path.suffix != ".txt"]:
            yield f"stray files: {strays}"
        if entries := [path.name for path in self.workspace._journal.folder.iterdir() if path.name != "lock"]:
            yield f"journal entries: {entries}"


def shown(characters: set[str]) -> str:
    return " ".join(f"{ord(character) - 0xF0000}" for character in sorted(characters)[:20])


def play(seed: int, seconds: float, habits: Habits | None = None) -> tuple[list[str], Scene]:
    with tempfile.TemporaryDirectory() as folder:
        habits = habits or PLAYED[seed % len(PLAYED)]
        scenes: list[Scene] = []

        async def main() -> list[str]:
            scenes.append(Scene(seed, habits, Path(folder)))
            return await scenes[0].play(seconds)

        faults = fast_run(seed, main)
        how = f"{habits.name}, {scenes[0].texts!r}, {scenes[0].encoding}"
        return [f"seed {seed} ({how}): {fault}" for fault in faults], scenes[0]


def run(seeds: range, seconds: float = SECONDS, habits: Habits | None = None) -> None:
    faults: list[str] = []
    landed = refused = 0
    for seed in seeds:
        found, scene = play(seed, seconds, habits)
        faults += found
        landed += scene.account.landed
        refused += sum(scene.account.refused.values())
    print(f"{len(seeds)} interleavings from seed {seeds[0]}: {landed} change sets landed, {refused} refused")
    assert not faults, "\n".join(faults)
    assert landed > len(seeds)
    assert refused > len(seeds) // 2


@pytest.mark.parametrize("first", range(0, 500, 100))
def test_nothing_is_lost_and_every_change_set_is_whole_or_absent(first: int):
    run(range(first, first + 100), SHORT_SECONDS)


@pytest.mark.parametrize("seed", [2827, 4661])
def test_an_edit_of_ours_that_removes_another_of_ours_is_taken_back_to_what_the_user_typed(seed: int):
    """Lines had become shorter before the edits came: the second then covers what the first has put in."""
    assert play(seed, SECONDS)[0] == []


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="ATTACHE_LONG=1 plays 10,000 interleavings")
@pytest.mark.parametrize("first", range(0, 10_000, 500))
def test_nothing_is_lost_in_ten_thousand_interleavings(first: int):
    run(range(first, first + 500))
