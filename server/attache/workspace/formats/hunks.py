"""Hunks: lines that go, lines that come, and lines around them that stay, whatever format a model wrote them in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Literal

from attache.workspace.documents import split_lines
from attache.workspace.lines import changed

BOM = "\ufeff"
BLANKS = " \t"
Mark = Literal[" ", "-", "+"]


@dataclass(frozen=True, slots=True)
class Line:
    r"""One line of a hunk.

    The mark says whether it stays, goes or comes. The text has no line end; `end` is \n, \r\n or \r, and empty where
    the instruction says that the file ends there without one.
    """

    mark: Mark
    text: str
    end: str
    bare: bool = False
    """Whether it has no mark where it should have one."""

    @property
    def told(self) -> bool:
        """Whether there is more than blanks in it."""
        return bool(self.text.strip(BLANKS))


@dataclass(frozen=True, slots=True)
class Hunk:
    """What changes at one place of a file, and what is said about where that is."""

    lines: tuple[Line, ...]
    number: int = 0
    """Line of the instruction on which it begins, from 1; 0 where that says nothing."""
    start: int | None = None
    """Line of the file, from 0, on which it stands by its own account."""
    anchors: tuple[str, ...] = ()
    """Lines that stand somewhere above it, the outermost first."""
    bound: bool = False
    """Whether it must stand below its anchors; else they only help to choose."""
    at_end: bool = False
    """Whether it is said to stand at the end of the file."""
    ended: bool = False
    """Whether its format ends every line, the last of the file too."""
    whole: bool = True
    """Whether it is not merely a part of one, which nobody puts blank lines around."""
    marked: bool = False
    """Whether its format puts a mark before every line, which a line that stays may lack."""

    @property
    def old(self) -> tuple[Line, ...]:
        """The lines that stand in the file before."""
        return tuple(line for line in self.lines if line.mark != "+")

    @property
    def new(self) -> tuple[Line, ...]:
        """The lines that stand there afterwards."""
        return tuple(line for line in self.lines if line.mark != "-")

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return any(line.mark != " " for line in self.lines)

    @property
    def joints(self) -> tuple[tuple[int, int], ...]:
        """Where lines come and none that says anything goes: how many old lines stand before, and up to its end."""
        joints: list[tuple[int, int]] = []
        old = 0
        for stays, run in groupby(self.lines, lambda line: line.mark == " "):
            gone = [line for line in run if line.mark != "+"]
            if not stays and not any(line.told for line in gone):
                joints.append((old, old + len(gone)))
            old += len(gone)
        return tuple(joints)

    def without_mark(self) -> Hunk:
        """Return the hunk without byte-order marks."""
        return replace(self, lines=tuple(replace(line, text=line.text.removeprefix(BOM)) for line in self.lines))

    def unmarked(self) -> Hunk | None:
        """Return the hunk as it is if the blank before its lines that stay is theirs; None where that is nonsense."""
        stays = [line for line in self.lines if line.mark == " " and line.told and not line.bare]
        if not self.marked or not stays:
            return None
        lines = (replace(line, text=f" {line.text}") if line in stays else line for line in self.lines)
        return replace(self, lines=tuple(lines), marked=False)

    def parts(self) -> tuple[tuple[int, Hunk], ...]:
        """Return a hunk for each run of changes, with all the lines that stay between it and the next run.

        Each comes with the number of old lines in front of it.
        """
        runs = [match.span() for match in re.finditer("[-+]+", "".join(line.mark for line in self.lines))]
        firsts = (0, *(end for _, end in runs[:-1]))
        lasts = (*(start for start, _ in runs[1:]), len(self.lines))
        return tuple(
            (
                sum(line.mark != "+" for line in self.lines[:first]),
                replace(
                    self,
                    lines=self.lines[first:last],
                    start=None,
                    at_end=self.at_end and last == len(self.lines),
                    whole=False,
                ),
            )
            for first, last in zip(firsts, lasts, strict=True)
        )


def marked(mark: Mark, raw: str, *, bare: bool = False) -> Iterator[Line]:
    """Yield a line of an instruction as the lines that it is in a file: a lone CR in it ends one too."""
    for piece in split_lines(raw):
        if piece:
            text = piece.rstrip("\r\n")
            yield Line(mark, text, piece[len(text) :], bare)


def between(search: Sequence[str], put: Sequence[str], number: int = 0) -> Hunk:
    """Return the hunk that makes the second lines of the first; lines carry their ends."""
    lines: list[Line] = []
    reached = 0
    for change in changed(search, put):
        lines += _all(" ", search[reached : change.start])
        lines += _all("-", search[change.start : change.end])
        lines += _all("+", put[change.new_start : change.new_end])
        reached = change.end
    return Hunk((*lines, *_all(" ", search[reached:])), number)


def _all(mark: Mark, lines: Sequence[str]) -> Iterator[Line]:
    for line in lines:
        yield from marked(mark, line)


def depth(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip())


def steps_in(lines: Iterable[str]) -> Counter[int]:
    """Return by how much lines are indented deeper than the ones before them, and how often; blank lines aside."""
    depths = [depth(line) for line in lines if line.strip()]
    return Counter(deeper - before for before, deeper in pairwise(depths) if deeper > before)


def told_lines(instruction: str) -> list[str]:
    """Return the lines of an instruction without the ends that it got on its way here.

    Where every line ends with CRLF, that is how it travelled, and says nothing about the file.
    """
    text = instruction.removeprefix(BOM)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    elif text.count("\n") == text.count("\r\n"):
        text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
