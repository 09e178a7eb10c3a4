"""Columns: an editor and a language server count UTF-8, UTF-16 or UTF-32 units of a line, we count code points."""

from __future__ import annotations

from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]


def to_column(line: str, units: int, encoding: Encoding) -> int:
    """Return how many code points of `line` end within its first `units`."""
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    width = _utf8_width if encoding == "utf-8" else _utf16_width
    for column, character in enumerate(line):
        units -= width(character)
        if units < 0:
            return column
    return len(line)


def to_units(line: str, column: int, encoding: Encoding) -> int:
    """Return how many units the first `column` code points of `line` take."""
    before = line[:column]
    if encoding == "utf-32" or before.isascii():
        return len(before)
    return sum(map(_utf8_width if encoding == "utf-8" else _utf16_width, before))


def _utf16_width(character: str) -> int:
    return 2 if character > "\uffff" else 1


def _utf8_width(character: str) -> int:
    return 1 if character < "\x80" else 2 if character < "\u0800" else 3 if character < "\U00010000" else 4
