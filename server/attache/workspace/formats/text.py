"""A text by its lines, and where in it the lines of a hunk stand."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from attache.workspace.documents import split_lines
from attache.workspace.formats.hunks import BLANKS

_KINDS = {"'": "‘’‚‛′ʼ", '"': "“”„‟″«»", "-": "‐‑‒–—−", " ": "\u00a0\u2002\u2003\u2007\u2009\u202f"}
_FOLDED = str.maketrans({kind: plain for plain, kinds in _KINDS.items() for kind in kinds})


def folded(line: str) -> str:
    """Return a line with the quotes, dashes and blanks that a keyboard has, each for one of another kind."""
    return line if line.isascii() else line.translate(_FOLDED)


class Text:
    """A text by its lines."""

    def __init__(self, text: str) -> None:
        """Take the text without a byte-order mark."""
        lines = split_lines(text)
        self.lines = lines if lines[-1] else lines[:-1]
        """With their ends."""
        self.bare = [line.rstrip("\r\n") for line in self.lines]
        self.stripped = [line.rstrip(BLANKS) for line in self.bare]
        """Without trailing blanks."""

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.lines)

    def says(self, number: int, line: str) -> bool:
        """Return whether there is such a line, and it is this one, trailing blanks aside."""
        return 0 <= number < len(self.lines) and self.stripped[number] == line.rstrip(BLANKS)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The numbers of the lines that say the same, trailing blanks aside."""
        places: dict[str, list[int]] = {}
        for number, line in enumerate(self.stripped):
            places.setdefault(line, []).append(number)
        return places

    @cached_property
    def cores(self) -> dict[str, list[int]]:
        """The numbers of the lines that say the same, blanks at either end aside."""
        cores: dict[str, list[int]] = {}
        for number, line in enumerate(self.stripped):
            cores.setdefault(line.lstrip(BLANKS), []).append(number)
        return cores

    @cached_property
    def folded(self) -> list[str]:
        """The lines without trailing blanks, quotes, dashes and blanks of all kinds as plain ones."""
        return [folded(line) for line in self.stripped]

    @cached_property
    def typeset(self) -> bool:
        """Whether there are other quotes, dashes and blanks in it than plain ones."""
        return self.folded != self.stripped


class Place(NamedTuple):
    """Where the old lines of a hunk stand: the ones from `head` on, `length` of them, are those from `first` on."""

    first: int
    head: int
    length: int
    indent: str = ""
    """What stands in front of them besides what is quoted."""
    dedent: str = ""
    """What is quoted in front of them and does not stand there."""
    exact: bool = False
    """Whether every byte is the same."""
    retyped: bool = False
    """Whether quotes, dashes or blanks of other kinds stand there."""
    indents: tuple[tuple[str, str], ...] = ()
    """Indentations as they are quoted, and as they stand there, where these are of another kind or in other steps."""

    @property
    def start(self) -> int:
        """The line on which the hunk begins."""
        return self.first - self.head

    @property
    def last(self) -> int:
        """The line behind it."""
        return self.first + self.length
