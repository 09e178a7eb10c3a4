"""Whole files: the name of each on a line of its own, and its text in a code block below."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attache.schema.errors import EditRefused
from attache.workspace.formats.hunks import told_lines
from attache.workspace.formats.names import Fence, doubtful, fence, named, named_behind
from attache.workspace.formats.steps import Step, Write

_WITH_FENCES = (".md", ".mdx", ".markdown", ".rst", ".txt", ".adoc", ".qmd")
"""Files that may well hold code blocks themselves."""


_ELIDED = re.compile(r"\W*(?:\.\.\.|…) *(?:the )?(?:rest|existing|remaining|unchanged)\b", re.IGNORECASE)
"""What stands for lines that a model did not care to repeat."""


def steps(instruction: str) -> tuple[Step, ...]:
    """Read the files of an instruction."""
    files: dict[str, Write] = {}
    last = ""
    for block in _blocks(told_lines(instruction)):
        if not block.path:
            if last and not block.info:
                raise _unclear(last, block.number)  # it may as well be the rest of the file before
            continue
        if cut := next((line for line in block.lines if _ELIDED.match(line)), None):
            raise EditRefused(f"{block.path} is not whole: {cut.strip()!r}", hint="give all of its lines")
        if block.path in files:
            raise EditRefused(f"line {block.number} of the instruction gives {block.path} again", hint=_FORM)
        if block.glued and not block.info and last.endswith(_WITH_FENCES):
            raise _unclear(last, block.number)
        files[block.path] = Write(block.path, "".join(f"{line}\n" for line in block.lines), doubtful=block.doubtful)
        last = block.path
    if not files:
        raise EditRefused("the instruction names no file above a code block", hint=_FORM)
    return tuple(files.values())


class _Block(NamedTuple):
    """A code block, and the file that is named above it or behind its fence; empty where none is."""

    path: str
    info: str
    number: int
    lines: Sequence[str]
    glued: bool
    """Whether its name follows the block before without a blank line."""
    doubtful: bool = False
    """Whether its name may be prose."""


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    at = reached = 0
    while at < len(lines):
        opened = fence(lines[at])
        if opened is None:
            at += 1
            continue
        above = next((n for n in range(at - 1, reached - 1, -1) if lines[n].strip()), None)
        path = (above is not None and named(lines[above])) or named_behind(opened.info)
        end = _closed(lines, at, opened, path)
        prose = above is not None and doubtful(path, lines[above])
        glued = reached > 0 and above == reached
        yield _Block(path, opened.info, at + 1, lines[at + 1 : end], glued=glued, doubtful=prose)
        at = reached = end + 1


def _closed(lines: Sequence[str], at: int, opened: Fence, path: str) -> int:
    """Return the line that closes a code block; blocks inside it, whose language is told, are passed over."""
    inside = 0
    for number in range(at + 1, len(lines)):
        found = fence(lines[number])
        if found is None or not found.marks.startswith(opened.marks):
            continue
        inside += 1 if found.info else -1
        if inside < 0:
            return number
    raise EditRefused(
        f"the code block {f'of {path} ' * bool(path)}on line {at + 1} of the instruction is not closed", hint=_FORM
    )


def _unclear(path: str, number: int) -> EditRefused:
    return EditRefused(
        f"where does {path} end? the code block on line {number} of the instruction may be part of it",
        hint="put a file that holds code blocks between longer fences, such as four backticks",
    )


_FORM = "a file is: its path on a line of its own, and below it the whole text between two fences of backticks"
