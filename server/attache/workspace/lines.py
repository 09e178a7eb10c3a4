"""Which lines differ between two texts: few, and where a person would see the change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_PAIRS = 40_000  # lines times lines that are compared pair by pair; beyond it a stretch counts as changed whole

Anchor = tuple[int, int]
"""A line of the old text and the line of the new one that it became."""


class LineChange(NamedTuple):
    """Old lines [start, end) became new lines [new_start, new_end); either may be none."""

    start: int
    end: int
    new_start: int
    new_end: int


def changed(old: Sequence[str], new: Sequence[str]) -> list[LineChange]:
    """Return the changes that make `new` of `old`, in order, with at least one kept line between any two.

    Lines that are there once in both texts hold the rest in place (patience diff), so that a function put between two
    others shows as one piece, and the cost stays near that of reading the texts.
    """
    found: list[LineChange] = []
    todo = [LineChange(0, len(old), 0, len(new))]
    while todo:
        piece = _trimmed(old, new, todo.pop())
        if piece.start == piece.end or piece.new_start == piece.new_end:
            found.append(piece)
        elif anchors := _anchors(old, new, piece):
            todo.extend(reversed(list(_between(piece, anchors))))
        else:
            found.extend(_compared(old, new, piece))
    return _joined(found)


def _trimmed(old: Sequence[str], new: Sequence[str], piece: LineChange) -> LineChange:
    """Return the piece without the lines that its two sides begin and end with."""
    start, end, new_start, new_end = piece
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return LineChange(start, end, new_start, new_end)


def _anchors(old: Sequence[str], new: Sequence[str], piece: LineChange) -> list[Anchor]:
    """Return lines that stand once on either side of the piece, as many as keep their order."""
    there = _once(new, piece.new_start, piece.new_end)
    pairs = [(at, there[line]) for line, at in _once(old, piece.start, piece.end).items() if line in there]
    return _ascending(sorted(pairs))


def _once(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    seen: dict[str, int] = {}
    for at in range(start, end):
        seen[lines[at]] = -1 if lines[at] in seen else at
    return {line: at for line, at in seen.items() if at >= 0}


def _ascending(pairs: Sequence[Anchor]) -> list[Anchor]:
    """Return a longest run of pairs, sorted by the first number, whose second numbers rise too."""
    tops: list[int] = []  # the lowest second number that a run of each length can end with
    ends: list[int] = []  # the pair that it ends with
    before: list[int] = []  # the pair that stands before each pair in its run
    for number, (_, at) in enumerate(pairs):
        length = bisect_left(tops, at)
        before.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [at]
        ends[length : length + 1] = [number]
    run: list[Anchor] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _between(piece: LineChange, anchors: Sequence[Anchor]) -> Iterator[LineChange]:
    start, new_start = piece.start, piece.new_start
    for at, new_at in anchors:
        yield LineChange(start, at, new_start, new_at)
        start, new_start = at + 1, new_at + 1
    yield LineChange(start, piece.end, new_start, piece.new_end)


def _compared(old: Sequence[str], new: Sequence[str], piece: LineChange) -> Iterator[LineChange]:
    """Compare a piece without anchors line by line, where it is small enough for that."""
    if (piece.end - piece.start) * (piece.new_end - piece.new_start) > MAX_PAIRS:
        yield piece
        return
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(
        None, old[piece.start : piece.end], new[piece.new_start : piece.new_end], autojunk=False
    )  # fmt: skip
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield LineChange(
                piece.start + start, piece.start + end, piece.new_start + new_start, piece.new_start + new_end
            )  # fmt: skip


def _joined(changes: Sequence[LineChange]) -> list[LineChange]:
    """Return the changes without empty ones, those that touch made one."""
    whole: list[LineChange] = []
    for change in changes:
        if whole and (whole[-1].end, whole[-1].new_end) == (change.start, change.new_start):
            whole[-1] = LineChange(whole[-1].start, change.end, whole[-1].new_start, change.new_end)
        else:
            whole.append(change)
    return [change for change in whole if change.start != change.end or change.new_start != change.new_end]
