"""The program that a refactoring reads: the files that say a name, and those they import, as the user sees them."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from attache.schema.documents import Snapshot
from attache.schema.edits import EditFile, FileChange, TextEdit
from attache.schema.errors import EditRefused, FileSkipped, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.lines import Query, lines_matching
from attache.tools.refactor.semantics.modules import Modules
from attache.tools.refactor.semantics.names import Names
from attache.tools.refactor.semantics.script_uses import Scripts
from attache.tools.refactor.semantics.types import Program
from attache.tools.tool import Context
from attache.tools.wording import cited, counted
from attache.workspace.edits import apply

ROUNDS = 40
"""How many imports of imports are followed."""
FILES_READ = 4_000
FILES_TOLD = 6
"""Changed files that are shown line by line; of more, the places alone are named."""
PYTHON = "**/*.{py,pyi}"
SCRIPTS = "**/*.{js,jsx,mjs,cjs,ts,tsx,mts,cts}"

_T = TypeVar("_T")


@dataclass(slots=True)
class Reading:
    """Files as they were read, and the Python program that they are."""

    ctx: Context
    paths: tuple[str, ...]
    snapshots: dict[str, Snapshot] = field(default_factory=dict[str, Snapshot])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    program: Program = field(init=False)
    scripts: Scripts = field(init=False)

    def __post_init__(self) -> None:
        """Make programs of nothing yet."""
        self.program = Program(Modules(self.paths), self.texts)
        self.scripts = Scripts(self.paths, self.texts)

    def join(self, path: str) -> None:
        """Count a file that is about to be made among those of the program."""
        self.program = Program(Modules(self.paths), self.texts)
        self.program.names(path)

    async def load(self, paths: Iterable[str]) -> None:
        """Read files that are not known yet; one that is no text counts as empty."""
        for path in sorted(set(paths) - self.texts.keys()):
            if len(self.texts) >= FILES_READ:
                raise ToolError(f"this would read more than {FILES_READ:,} files", hint="work in a smaller folder")
            try:
                snapshot = await self.ctx.workspace.read(path)
            except FileSkipped:
                self.texts[path] = ""
                continue
            self.snapshots[path], self.texts[path] = snapshot, snapshot.text

    async def ask(self, question: Callable[[Program], _T]) -> _T:
        """Answer a question about the Python program, reading what it turns out to need."""
        return await self._ask(self.program.wanted, lambda: question(self.program))

    async def ask_scripts(self, question: Callable[[Scripts], _T]) -> _T:
        """Answer a question about the JavaScript and TypeScript program, reading what it turns out to need."""
        return await self._ask(self.scripts.wanted, lambda: question(self.scripts))

    async def _ask(self, wanted: set[str], question: Callable[[], _T]) -> _T:
        for _ in range(ROUNDS):
            wanted.clear()
            try:
                answer = await asyncio.to_thread(question)
            except EditRefused:
                if not wanted:
                    raise
            else:
                if not wanted:
                    return answer
            await self.load(wanted)
        raise ToolError("the imports of this program lead too deep", hint="work in a smaller folder")

    async def saying(self, words: Iterable[str], glob: str = PYTHON) -> tuple[str, ...]:
        """Return the files that say any of these words, or import all of a module; they are read."""
        pattern = "|".join(rf"\b{re.escape(word.lstrip('#$'))}\b" for word in dict.fromkeys(words))
        stars = r"|import\s*\*" if glob == PYTHON else r"|export\s*\*"
        query = Query(pattern + stars, limit=1)
        found = await lines_matching(self.ctx, query, "", glob)
        if found.notes:
            raise EditRefused(f"not every file could be searched: {found.notes[0]}", hint="leave such files out")
        paths = tuple(each.path for each in found.files)
        await self.load(paths)
        return paths


async def reading(ctx: Context) -> Reading:
    """Begin to read the workspace's program."""
    return Reading(ctx, await ctx.workspace.files())


# ---------------------------------------------------------------- edits

Edits = Mapping[str, Sequence[TextEdit]]


def changes(read: Reading, edits: Edits) -> tuple[FileChange, ...]:
    """Return the edits of each file as one change set's changes."""
    found: list[FileChange] = []
    for path, each in sorted(edits.items()):
        snapshot = read.snapshots[path]
        ordered = tuple(sorted(each, key=lambda edit: (edit.start, edit.end)))
        found.append(EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=ordered))
    return tuple(found)


def edited(read: Reading, path: str, edits: Sequence[TextEdit]) -> str:
    """Return what a file would say."""
    return apply(read.texts[path], sorted(edits, key=lambda edit: (edit.start, edit.end)), path)


def check_parses(path: str, before: str, after: str) -> None:
    """Raise EditRefused where a Python text that was sound would not be so any more."""
    if not path.endswith((".py", ".pyi")):
        return
    with suppress(SyntaxError, ValueError):
        ast.parse(before)
        try:
            ast.parse(after)
        except SyntaxError as error:
            raise EditRefused(
                f"{path}:{error.lineno or 1} would not parse any more: {error.msg}; nothing was changed",
                hint="make the change by edit",
            ) from None


def mentions(names: Names, word: str) -> list[int]:
    """Return the lines on which a word stands in a string or a comment."""
    taken = {name.start for name in names.of(word)} | {start for text, start, _ in names.exports if text == word}
    matches = re.finditer(rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)", names.source.data)
    return sorted({names.source.line(match.start()) for match in matches if match.start() not in taken})


async def landed(ctx: Context, title: str, head: str, files: Sequence[FileChange], notes: Iterable[str]) -> ToolOutput:
    """Land changes as one step; tell what was done, the lines of a few files, and what to look at."""
    step = await ctx.land(title, files)
    told_notes = "".join(f"\n{note}" for note in notes if note)
    if len(step.files) <= FILES_TOLD:
        output = await told(ctx, step)
        text = f"{head}{told_notes}\n\n{output.text}"
        return output.model_copy(update={"text": text, "data": {**output.data, "done": head}})
    rows = [
        f"{each.path}: {counted(len(change.edits), 'place')}"
        for each, change in zip(step.files, files, strict=False)
        if isinstance(change, EditFile)
    ]
    return ToolOutput(
        text=f"{head}{told_notes}\n\n" + "\n".join(rows) + "\n[the lines are not shown: read a file, or run the tests]",
        title=f"{title} · {counted(len(step.files), 'file')}",
        places=tuple(cited(each.path, 1) for each in step.files),
        change_set=step.change_set.id,
        data={"change_set": step.change_set.id, "files": [{"path": each.path} for each in step.files], "done": head},
    )
