"""Edits as values: made from two texts, applied, taken back, and carried over what others changed meanwhile.

Nothing here touches a file. What cannot be done without guessing is refused, and the error says what stands there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import (
    ChangeSet,
    CreateFile,
    DeleteFile,
    EditFile,
    FileChange,
    FileOutcome,
    Landed,
    RenameFile,
    ReplaceFile,
    SetFolder,
    SetMode,
    TextEdit,
)
from attache.schema.errors import EditRefused
from attache.workspace.documents import split_lines, text_hash
from attache.workspace.lines import LineChange, changed

CONTEXT_LINES = 3  # on either side of an edit: what must still be found with it, as often as before
SHOWN_CHARACTERS = 60  # of a line that an error quotes


# ---------------------------------------------------------------- one text


def checked(text: str, edits: Iterable[TextEdit], path: str = "") -> tuple[TextEdit, ...]:
    """Return the edits without those that change nothing; refuse edits that overlap, are unsorted, or reach outside."""
    kept: list[TextEdit] = []
    reached = 0
    for edit in edits:
        if not reached <= edit.start <= edit.end <= len(text):
            what = "overlaps another or is out of order" if edit.start < reached else "reaches past the end of the text"
            raise EditRefused(f"{path or 'an edit'}: the edit at {edit.start}-{edit.end} {what}", hint=_READ_AGAIN)
        reached = edit.end
        if text[edit.start : edit.end] != edit.text:
            kept.append(edit)
    return tuple(kept)


def apply(text: str, edits: Iterable[TextEdit], path: str = "") -> str:
    """Return the text with the edits made."""
    parts: list[str] = []
    reached = 0
    for edit in checked(text, edits, path):
        parts += text[reached : edit.start], edit.text
        reached = edit.end
    return "".join((*parts, text[reached:]))


def diff(before: str, after: str) -> tuple[TextEdit, ...]:
    """Return the edits that make `after` of `before`, whole lines each, as few lines as can be."""
    if before == after:
        return ()
    old, new = split_lines(before), split_lines(after)
    starts = line_starts(old)
    return tuple(
        TextEdit(
            start=starts[change.start], end=starts[change.end], text="".join(new[change.new_start : change.new_end])
        )
        for change in changed(old, new)
    )


def trimmed(text: str, edits: Iterable[TextEdit]) -> tuple[TextEdit, ...]:
    """Return the edits without the characters that what is replaced and what is put in begin and end with."""
    return tuple(_trimmed(text[edit.start : edit.end], edit) for edit in edits)


def _trimmed(old: str, edit: TextEdit) -> TextEdit:
    new, shorter = edit.text, min(len(old), len(edit.text))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    return TextEdit(start=edit.start + head, end=edit.end - tail, text=new[head : len(new) - tail])


def invert(before: str, edits: Sequence[TextEdit]) -> tuple[TextEdit, ...]:
    """Return the edits that take the text back to `before` once `edits` were made in it."""
    inverse: list[TextEdit] = []
    shift = 0
    for edit in edits:
        start = edit.start + shift
        inverse.append(TextEdit(start=start, end=start + len(edit.text), text=before[edit.start : edit.end]))
        shift += len(edit.text) - (edit.end - edit.start)
    return tuple(inverse)


def same_but_newlines(one: str, other: str) -> bool:
    """Return whether two texts are equal, line ends aside: some editors give a buffer one kind of them."""
    if one == other:
        return True
    return ("\r" in one or "\r" in other) and with_lf(one) == with_lf(other)


def with_lf(text: str) -> str:
    """Return the text with the one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def line_starts(lines: Sequence[str]) -> list[int]:
    """Return the offset of each line, and last the length of the whole."""
    return [0, *accumulate(map(len, lines))]


# ---------------------------------------------------------------- two hands in one text


def rebase(base: str, current: str, edits: Sequence[TextEdit], path: str = "") -> tuple[TextEdit, ...]:
    """Return edits made against `base` as they have to be made in `current`.

    An edit moves along only where it still stands alone: its lines and the one on either side are unchanged, and these
    with their wider surroundings are found as often as before, so that no copy can be mistaken for them. Otherwise the
    whole is refused, naming what changed and where.
    """
    edits = checked(base, edits, path)
    if base == current:
        return edits
    old, new = split_lines(base), split_lines(current)
    starts, new_starts = line_starts(old), line_starts(new)
    theirs = changed(old, new)
    moved: list[TextEdit] = []
    for edit in edits:
        first = bisect_right(starts, edit.start, 0, len(old)) - 1
        last = max(first, bisect_left(starts, edit.end, 0, len(old)))  # the first line behind it
        before = [change for change in theirs if change.end < first]
        behind = [change for change in theirs if change.start > last]
        if touching := next((change for change in theirs if change.end >= first and change.start <= last), None):
            raise _changed_since(path, old, new, touching)
        low = max(before[-1].end if before else 0, first - CONTEXT_LINES, 0)
        high = min(behind[0].start if behind else len(old), last + CONTEXT_LINES)
        block = "".join(old[low:high])
        if base.count(block) != current.count(block):
            raise EditRefused(
                f"{path}:{first + 1}: the lines to change were copied or removed elsewhere since they were read",
                hint=_READ_AGAIN,
            )
        slide = new_starts[before[-1].new_end] - starts[before[-1].end] if before else 0
        moved.append(TextEdit(start=edit.start + slide, end=edit.end + slide, text=edit.text))
    return tuple(moved)


def carry(edits: Iterable[TextEdit], over: Iterable[TextEdit]) -> tuple[TextEdit, ...]:
    """Return edits as they have to be made once others were made first, one after the other.

    Unlike `rebase` it always finds a way, so that what we did can be taken back whatever the user types meanwhile:
    nothing that the others put in is removed, and every text is put in, where its place was removed at that place.
    """
    carried = tuple(edits)
    for other in over:
        carried = tuple(piece for edit in carried for piece in _around(edit, other))
    return carried


def _around(edit: TextEdit, other: TextEdit) -> Iterator[TextEdit]:
    slide = len(other.text) - (other.end - other.start)
    if edit.end <= other.start:
        yield edit
        return
    if edit.start >= other.end:
        yield TextEdit(start=edit.start + slide, end=edit.end + slide, text=edit.text)
        return
    start = min(edit.start, other.start)
    if start < other.start or edit.text:
        yield TextEdit(start=start, end=other.start, text=edit.text)
    if edit.end > other.end:
        yield TextEdit(start=other.end + slide, end=edit.end + slide, text="")


def _changed_since(path: str, old: Sequence[str], new: Sequence[str], change: LineChange) -> EditRefused:
    was, now = _quoted(old[change.start : change.end]), _quoted(new[change.new_start : change.new_end])
    if not was:
        told = f"{now} was put in"
    elif not now:
        told = f"{was} was removed"
    else:
        told = f"{was} is now {now}"
    return EditRefused(f"{path}:{change.new_start + 1} changed since it was read: {told}", hint=_READ_AGAIN)


def _quoted(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    first = lines[0].rstrip("\r\n")
    cut = first if len(first) <= SHOWN_CHARACTERS else first[: SHOWN_CHARACTERS - 1] + "…"
    return f"`{cut}`" + (f" and {len(lines) - 1} more lines" if len(lines) > 1 else "")


_READ_AGAIN = "read the file again and make the edit against what stands there now"


# ---------------------------------------------------------------- change sets


def undo_of(landed: Landed) -> ChangeSet:
    """Return the change set that gives every file back what it held before.

    It is made against what the landed one left, so it is checked like any other: what the user changed since stays, or
    the whole is refused.
    """
    taken = landed.change_set
    files: tuple[FileChange, ...] = tuple(
        change for outcome in reversed(landed.files) for change in _undone(outcome)
    )  # fmt: skip
    files += tuple(SetFolder(uri=uri, there=False) for uri in landed.folders)
    return ChangeSet(
        id=ChangeSetId(new_id("c")), title=f"Undo: {taken.title}", files=files, run_id=taken.run_id, step=taken.step
    )


def _undone(outcome: FileOutcome) -> Iterator[FileChange]:
    uri, before, after = outcome.uri, outcome.before, outcome.after
    if outcome.other is not None:
        yield other_way(outcome.other)
    elif after is None and before is not None:
        yield CreateFile(uri=uri, text=before, encoding=outcome.encoding, bom=outcome.bom, mode=outcome.mode)
    elif before is None and after is not None:
        yield DeleteFile(uri=uri, base_hash=text_hash(after))
    elif before is not None and after is not None:
        if before != after:
            yield EditFile(uri=uri, base_hash=text_hash(after), edits=diff(after, before))
        if outcome.renamed_from:
            yield RenameFile(uri=uri, new_uri=Uri(outcome.renamed_from), base_hash=text_hash(before))


def other_way(change: ReplaceFile | SetMode | SetFolder) -> ReplaceFile | SetMode | SetFolder:
    """Return the change that takes this one back."""
    match change:
        case ReplaceFile():
            return change.model_copy(update={"before": change.after, "after": change.before})
        case SetMode():
            return change.model_copy(update={"before": change.mode, "mode": change.before})
        case SetFolder():
            return change.model_copy(update={"there": not change.there})
