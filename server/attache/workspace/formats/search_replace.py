"""Search/replace blocks: a file's name, the lines that stand there, and the lines that shall.

    src/greeting.py
    <<<<<<< SEARCH
    print("hello")
    =======
    print("hello, world")
    >>>>>>> REPLACE

A block without a name belongs to the file of the one before it. An empty first half makes a new file; a file of which
nothing is left is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from attache.schema.errors import EditRefused
from attache.workspace.formats.hunks import between, told_lines
from attache.workspace.formats.names import doubtful, fence, named, named_behind
from attache.workspace.formats.steps import Step, Update, Write

_OPEN = re.compile(r"<{5,9} ?SEARCH>?\s*\Z")
_DIVIDER = re.compile(r"={5,9}\s*\Z")
_CLOSE = re.compile(r">{5,9} ?REPLACE\s*\Z")
_LINES_ABOVE = 3  # that are looked at for a name


@dataclass(frozen=True, slots=True)
class _Block:
    path: str
    number: int
    search: Sequence[str]
    replace: Sequence[str]

    @property
    def edits(self) -> bool:
        """Whether it changes a file that is there."""
        return any(line.strip() for line in self.search)


def steps(instruction: str) -> tuple[Step, ...]:
    """Read the blocks of an instruction."""
    blocks = tuple(_blocks(told_lines(instruction)))
    if not blocks:
        raise EditRefused("there is no search/replace block in the instruction", hint=_FORM)
    by_file: dict[tuple[str, bool], list[_Block]] = {}
    for block in blocks:
        by_file.setdefault((block.path, block.edits), []).append(block)
    return tuple(
        step for (path, edits), several in by_file.items() for step in _steps(path, several, instruction, edits=edits)
    )


def _steps(path: str, blocks: Sequence[_Block], instruction: str, *, edits: bool) -> Iterator[Step]:
    if edits:
        hunks = tuple(between(_ended(block.search), _ended(block.replace), block.number) for block in blocks)
        yield Update(path, hunks, ordered=False, vanishes=True)
        return
    for block in blocks:
        yield Write(path, "".join(_ended(block.replace)), over="empty", doubtful=doubtful(path, instruction))


def _ended(lines: Iterable[str]) -> list[str]:
    return [f"{line}\n" for line in lines]


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    at, floor, path = 0, 0, ""
    while at < len(lines):
        if _CLOSE.match(lines[at]):
            raise EditRefused(
                f"line {at + 1} of the instruction ends a block, and none is open there",
                hint=f"where the file itself has such lines, use another format. {_FORM}",
            )
        if not _OPEN.match(lines[at]):
            at += 1
            continue
        path = _name_above(lines, floor, at) or path
        if not path:
            raise EditRefused(f"the block on line {at + 1} of the instruction names no file", hint=_FORM)
        divider, end = _ends(lines, at)
        yield _Block(path, at + 1, lines[at + 1 : divider], lines[divider + 1 : end])
        at = floor = end + 1


def _ends(lines: Sequence[str], at: int) -> tuple[int, int]:
    """Return the lines of the divider and of the end of the block that begins at a line."""
    end = next((n for n in range(at + 1, len(lines)) if _CLOSE.match(lines[n])), None)
    nested = next((n for n in range(at + 1, end or len(lines)) if _OPEN.match(lines[n])), None)
    where = f"the block on line {at + 1} of the instruction"
    if end is None or nested is not None:
        begun = f" before another begins on line {nested + 1}" if nested is not None else ""
        raise EditRefused(f"{where} is not closed{begun}", hint=_FORM)
    dividers = [n for n in range(at + 1, end) if _DIVIDER.match(lines[n])]
    if len(dividers) > 1:
        width = len(lines[at]) - len(lines[at].lstrip("<"))
        dividers = [n for n in dividers if len(lines[n].rstrip()) == width] or dividers
    if len(dividers) != 1:
        found = f"{len(dividers)} lines that may be its divider" if dividers else "no divider"
        raise EditRefused(f"{where} has {found}", hint=f"markers of another length (5 to 9) tell them apart. {_FORM}")
    return dividers[0], end


def _name_above(lines: Sequence[str], floor: int, at: int) -> str:
    """Return the file named on the lines above a block, or behind the fence that opens it."""
    seen = 0
    for line in reversed(lines[floor:at]):
        opened = fence(line)
        if path := named_behind(opened.info) if opened else named(line):
            return path
        seen += bool(line.strip()) and opened is None
        if seen == _LINES_ABOVE:
            break
    return ""


_FORM = "a block is: path, <<<<<<< SEARCH, the lines that stand there, =======, the new ones, >>>>>>> REPLACE"
