"""Cut a file into the pieces that a search finds: definitions, and what stands between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attache.index.parsed import Piece

LONGEST = 80
"""Lines of a piece; what is longer is cut into equal parts."""
_CLOSING = 3
"""Characters of a last line that only closes what stands above."""


class Span(NamedTuple):
    """Rows, from 0 and both included, that belong together."""

    top: int
    end: int
    owner: int
    closed: bool = False
    """Whether nothing that stands inside is cut out of it."""


def cut(lines: Sequence[bytes], spans: Sequence[Span]) -> tuple[Piece, ...]:
    """Return the pieces of a file in the order of its lines; no line stands in two, and empty ones in none."""
    ordered = sorted(spans, key=lambda span: (span.top, -span.end))
    holder = [-1] * len(lines)  # which span each row belongs to
    closed = -1  # the last row of one that is closed
    for number, span in enumerate(ordered):
        if span.end > closed:
            holder[span.top : span.end + 1] = [number] * (span.end + 1 - span.top)
            closed = span.end if span.closed else closed
    return tuple(
        piece
        for top, end in _runs(holder)
        for piece in _parts(lines, top, end, ordered[holder[top]].owner if holder[top] >= 0 else -1)
    )


def _runs(holder: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each run of rows with one holder."""
    start = 0
    for row in range(1, len(holder)):
        if holder[row] != holder[start]:
            yield start, row - 1
            start = row
    yield start, len(holder) - 1


def _parts(lines: Sequence[bytes], top: int, end: int, owner: int) -> Iterator[Piece]:
    while top <= end and not lines[top].strip():
        top += 1
    while end >= top and not lines[end].strip():
        end -= 1
    if top == end and len(lines[top].strip()) <= _CLOSING:
        return
    rows = end - top + 1
    parts = -(-rows // LONGEST)
    for part in range(parts):
        yield Piece(top + rows * part // parts + 1, top + rows * (part + 1) // parts, owner)
