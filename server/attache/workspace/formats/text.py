"""A text by its lines, and where in it the lines of a hunk stand."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from attache.workspace.documents import split_lines
from attache.workspace.formats.hunks import BLANKS


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

    @property
    def start(self) -> int:
        """The line on which the hunk begins."""
        return self.first - self.head

    @property
    def last(self) -> int:
        """The line behind it."""
        return self.first + self.length
