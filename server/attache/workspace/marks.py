"""Marks: which lines of a text stand for others, and where they are after the text has changed again.

With every mark replaced by its `before`, the text is what it would be without what is marked. That stays true whatever
changes: a change outside of marks moves them and counts as made without them too, one that meets a mark becomes part of
it, and lines that are the same again on both sides are marked no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from attache.schema.data import HunkId
from attache.schema.edits import ChangeSet
from attache.workspace.documents import BufferEdit, split_lines
from attache.workspace.lines import changed

Lines = tuple[str, ...]
NewId = Callable[[ChangeSet], HunkId]


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines [start, end) of a text, which `change_set` has put in the place of `before`."""

    id: HunkId
    change_set: ChangeSet
    start: int
    end: int
    before: Lines


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with the marks in it, in order; they never overlap."""

    lines: Lines
    marks: tuple[Mark, ...] = ()

    @property
    def text(self) -> str:
        """Return the text as it is."""
        return "".join(self.lines)

    @property
    def base(self) -> str:
        """Return the text as it would be without what is marked."""
        return "".join(self.base_lines)

    @property
    def base_lines(self) -> Lines:
        """Return the lines as they would be without what is marked."""
        return tuple(unmarked(self.lines, self.marks))

    def turned_into(self, text: str, new_id: NewId, by: ChangeSet | None = None) -> Marked:
        """Return the text after it became another; what `by` changed is marked, what nobody is named for is not."""
        return self._with(0, len(self.lines), split_lines(text), new_id, by)

    def typed(self, edit: BufferEdit, new_id: NewId) -> Marked:
        """Return the text after an edit of the user's."""
        (first, column), (last, end_column) = edit.start, edit.end
        if column == end_column == 0 and (not edit.text or edit.text.endswith("\n")):
            return self._with(first, last, split_lines(edit.text)[:-1], new_id, None)  # lines, just there
        put = self.lines[first][:column] + edit.text + self.lines[last][end_column:]
        if first > 0 and put.startswith("\n") and self.lines[first - 1].endswith("\r"):
            first -= 1  # a \r and a \n that now meet are one line end
            put = self.lines[first] + put
        fresh = split_lines(put)
        if last + 1 < len(self.lines):
            fresh.pop()  # nothing: the last line's own end is in `put`
        return self._with(first, last + 1, fresh, new_id, None)

    def without(self, ids: Collection[HunkId]) -> Marked:
        """Return the same text with fewer marks: what they marked is now what it would be anyway."""
        return replace(self, marks=tuple(mark for mark in self.marks if mark.id not in ids))

    def restored(self, ids: Collection[HunkId]) -> Marked:
        """Return the text with these marks taken back."""
        now = self
        for mark in reversed([mark for mark in self.marks if mark.id in ids]):
            slide = len(mark.before) - (mark.end - mark.start)
            at = now.marks.index(mark)
            right = (replace(one, start=one.start + slide, end=one.end + slide) for one in now.marks[at + 1 :])
            lines = now.lines[: mark.start] + mark.before + now.lines[mark.end :]
            now = Marked(lines, (*now.marks[:at], *right))
        return now

    def _with(self, start: int, end: int, lines: Sequence[str], new_id: NewId, by: ChangeSet | None) -> Marked:
        now = self
        for change in reversed(changed(self.lines[start:end], lines)):
            new = tuple(lines[change.new_start : change.new_end])
            now = _changed(now, start + change.start, start + change.end, new, new_id, by)
        moved = len(now.lines) != len(self.lines)
        return Marked(now.lines) if moved and now.lines == now.base_lines else now


def unmarked(lines: Lines, marks: Sequence[Mark], first: int = 0) -> Iterator[str]:
    """Yield lines, the first of which is number `first`, with all marks in them replaced by what they stand for."""
    at = first
    for mark in marks:
        yield from lines[at - first : mark.start - first]
        yield from mark.before
        at = mark.end
    yield from lines[at - first :]


def _changed(marked: Marked, start: int, end: int, new: Lines, new_id: NewId, by: ChangeSet | None) -> Marked:
    """Replace lines [start, end), which differ from the new ones at both ends."""
    met = [mark for mark in marked.marks if _meets(mark, start, end, new)]
    left = [mark for mark in marked.marks if mark not in met and mark.end <= start]
    slide = len(new) - (end - start)
    right = [
        replace(mark, start=mark.start + slide, end=mark.end + slide)
        for mark in marked.marks
        if mark not in met and mark not in left
    ]
    lines = marked.lines[:start] + new + marked.lines[end:]
    if not met and by is None:
        return Marked(lines, (*left, *right))
    low, high = min(start, *(mark.start for mark in met), start), max(end, *(mark.end for mark in met), end)
    before = tuple(unmarked(marked.lines[low:high], met, low))
    after = lines[low : high + slide]
    free = {mark.id for mark in met}
    middle: list[Mark] = []
    for was, till, first, last in changed(before, after):
        known = _met_by(met, low, was, till)
        if by is not None and low + first <= start + len(new) and low + last >= start:
            owner, id_ = by, new_id(by)
        elif known is not None and known.id in free:
            owner, id_ = known.change_set, known.id
            free.remove(id_)
        else:
            owner = (known or met[-1]).change_set
            id_ = new_id(owner)
        middle.append(Mark(id_, owner, low + first, low + last, before[was:till]))
    return Marked(lines, (*left, *middle, *right))


def _meets(mark: Mark, start: int, end: int, new: Lines) -> bool:
    """Return whether a change of lines [start, end) meets a mark, rather than standing beside it.

    A mark without lines, which stands for what was removed, is met next to it by another removal, since nothing could
    tell afterwards which came first, and by lines that bring back what was removed and nothing else.
    """
    if mark.start < mark.end:
        return start < mark.end and mark.start < end
    if not start <= mark.start <= end:
        return False
    if start == end:
        return _in_order(new, mark.before)
    return start < mark.start < end or not new


def _in_order(some: Lines, lines: Lines) -> bool:
    rest = iter(lines)
    return all(line in rest for line in some)


def _met_by(met: Sequence[Mark], low: int, was: int, till: int) -> Mark | None:
    """Return the mark whose `before` has most of lines [was, till) of what stood from line `low` on; None for none."""
    best, shared = None, -1
    at, behind = low, 0
    for mark in met:
        first = behind + mark.start - at
        behind, at = first + len(mark.before), mark.end
        common = min(till, behind) - max(was, first)
        if common > shared:
            best, shared = mark, common
    return best
