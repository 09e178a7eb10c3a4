"""Hunks made in a text: what they do not change keeps its bytes, and new lines end as those around them do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from attache.schema.errors import EditRefused
from attache.workspace.formats.hunks import BOM, Hunk, Line, between, depth, steps_in
from attache.workspace.formats.placing import MOST_SLID, Standing, Way, chosen, standing
from attache.workspace.formats.recast import quoted_and_there, reindented, retyped, slipped
from attache.workspace.formats.text import Place, Text
from attache.workspace.locate import ambiguous, main_newline, missing


def rewritten(text: str, hunks: Sequence[Hunk], path: str, *, ordered: bool = True) -> str:
    """Return the text with all hunks made in it.

    They were written against the text as it is, or each against what the ones before it leave. `ordered` hunks come as
    they follow one another in the text. Raises EditRefused where one stands nowhere, or may stand at several places.
    """
    marked = text.startswith(BOM)
    body, plain = text.removeprefix(BOM), [hunk.without_mark() for hunk in hunks if hunk.changes]
    if hunks and not plain:
        raise EditRefused(f"{path}: the hunks change nothing", hint="mark the lines that go and those that come")
    try:
        body = _at_once(body, plain, path, ordered=ordered)
    except _Refusal as refusal:
        if len(plain) == 1 or (ordered and refusal.several):
            raise refusal.error from None
        try:
            body = _one_by_one(body, plain, path)
        except _Refusal:
            raise refusal.error from None
    return (BOM if _still_marked(marked, hunks) else "") + body


def by_numbers(text: str, hunks: Sequence[Hunk], path: str) -> str | None:
    """Return the text with each hunk made on the line that it names; None where it does not stand there to the byte.

    Only what comes out can tell whether the numbers were right.
    """
    body = Text(text)
    placed: list[tuple[Hunk, Place]] = []
    for hunk in hunks:
        old = hunk.old
        if hunk.start is None:
            return None
        place = Place(hunk.start, 0, len(old), exact=True)
        if body.lines[place.first : place.last] != [line.text + line.end for line in old]:
            return None
        placed.append((hunk, place))
    try:
        return _put(body, placed, path)
    except _Refusal:
        return None


def overwritten(text: str, whole: str, *, ended: bool = False) -> str:
    """Return another text for a whole file: lines that stay keep their ends, and so does the file, unless `ended`."""
    marked = text.startswith(BOM) or whole.startswith(BOM)
    old, new = Text(text.removeprefix(BOM)), whole.removeprefix(BOM)
    if old.lines and "\r" not in new:
        hunk = between([f"{line}\n" for line in old.bare], Text(new).lines)
        new = _put(old, [(hunk, Place(0, 0, len(old)))], "")
        new += main_newline(new) if ended and new and not new.endswith(("\n", "\r")) else ""
    return (BOM if marked else "") + new


class _Refusal(Exception):
    """Why hunks cannot be made in one way; there may be another."""

    def __init__(self, error: EditRefused, *, several: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.several = several


def _still_marked(marked: bool, hunks: Sequence[Hunk]) -> bool:
    """Return whether the text begins with a byte-order mark afterwards: as before, unless a hunk puts or takes it."""
    for hunk in hunks:
        was, becomes = (any(line.text.startswith(BOM) for line in side) for side in (hunk.old, hunk.new))
        if was != becomes:
            return becomes
    return marked


def _one_by_one(body: str, hunks: Sequence[Hunk], path: str) -> str:
    for hunk in hunks:
        body = _at_once(body, [replace(hunk, start=None)], path, ordered=True)
    return body


def _at_once(body: str, hunks: Sequence[Hunk], path: str, *, ordered: bool) -> str:
    text = Text(body)
    standings: list[Standing] = []
    numbers: list[int] = []
    for number, hunk in enumerate(hunks, 1):
        found = _found(text, hunk, hunks)
        if not found:
            raise _Refusal(_numbered(_nowhere(text, hunk, path), hunk, number, len(hunks)))
        standings += found
        numbers += [number] * len(found)
    places = chosen(standings, ordered=ordered)
    if places is None:
        one, number = next(pair for pair in zip(standings, numbers, strict=True) if len(pair[0].places) > 1)
        raise _Refusal(_numbered(_doubtful(text, one, path), one.hunk, number, len(hunks)), several=True)
    return _put(text, [(one.hunk, place) for one, place in zip(standings, places, strict=True)], path)


def _found(text: Text, hunk: Hunk, hunks: Sequence[Hunk]) -> list[Standing]:
    """Return where one of the hunks stands, or else where its parts do: lines may have come or gone between them."""
    whole = standing(text, hunk)
    if whole.way > Way.RETYPED and (other := hunk.unmarked()):
        better = standing(text, other)
        if better.places and better.way < Way.RETYPED:
            _refuse_doubtful_marks(text, whole, better, hunks)
            return [better]
    if whole.places:
        return [whole]
    parts = hunk.parts()
    found = [standing(text, part) for _, part in parts]
    if len(parts) < 2 or any(len(one.places) != 1 for one in found):  # noqa: PLR2004 (one part is the whole)
        return []
    begins = [one.places[0].start - before for one, (before, _) in zip(found, parts, strict=True)]
    in_turn = all(one.places[0].first <= other.places[0].first for one, other in pairwise(found))
    return found if in_turn and all(abs(one - other) <= MOST_SLID for one, other in pairwise(begins)) else []


def _refuse_doubtful_marks(text: Text, marked: Standing, unmarked: Standing, hunks: Sequence[Hunk]) -> None:
    """Refuse a hunk whose lines that stay may have no mark, or be off by a blank, as the new ones then are too."""
    off_by_one = marked.way == Way.SHIFTED and any(place.indent == " " for place in marked.places)
    if off_by_one and not any(_lacks_marks(text, hunk) for hunk in hunks):
        where = unmarked.places[0].first + 1
        raise _Refusal(
            EditRefused(
                f"line {where} and those below it stand there with one blank more: do lines that stay lack their mark?",
                hint="put one blank before each line that stays, besides its indentation",
            )
        )


def _lacks_marks(text: Text, hunk: Hunk) -> bool:
    """Whether a hunk shows that its lines that stay have no mark: by one that begins a line, or by lines that go."""
    if any(line.bare and line.told for line in hunk.lines):
        return True
    other = hunk.unmarked() if any(line.mark == "-" and line.told for line in hunk.lines) else None
    return other is not None and bool((found := standing(text, other)).places) and found.way < Way.RETYPED


# ---------------------------------------------------------------- putting in


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines [start, end) of the text become others, as a hunk wants it that stands at a place."""

    start: int
    end: int
    new: tuple[Line, ...]
    hunk: Hunk
    place: Place


def _put(text: Text, placed: Iterable[tuple[Hunk, Place]], path: str) -> str:
    newline = main_newline("".join(text.lines))
    changes = sorted(
        (change for hunk, place in placed for change in _changes(hunk, place)),
        key=lambda change: (change.start, change.end),
    )
    lines: list[str] = []
    reached = 0
    for change in changes:
        if change.start < reached:
            raise _Refusal(
                EditRefused(f"{path}:{change.start + 1}: two hunks change this line", hint="make one of the two")
            )
        _refuse_doubtful_blanks(text, change, path)
        _refuse_doubtful_depth(text, change, path)
        lines += text.lines[reached : change.start]
        lines += _fitted(text, change, newline, path)
        reached = change.end
    if lines and changes and reached == len(text):
        lines[-1] = _ended(text, changes[-1], lines[-1], newline)
    lines += text.lines[reached:]
    return "".join([line if line.endswith(("\n", "\r")) else line + newline for line in lines[:-1]] + lines[-1:])


def _changes(hunk: Hunk, place: Place) -> Iterator[_Change]:
    """Yield what a hunk changes at its place, a run of changed lines each."""
    start = at = place.first
    new: list[Line] = []
    old = 0
    for line in hunk.lines:
        if line.mark == "+":
            new.append(line)
            continue
        there = place.head <= old < place.head + place.length
        old += 1
        if there and line.mark == " ":
            if new or at > start:
                yield _Change(start, at, tuple(new), hunk, place)
            start, new = at + 1, []
        at += there
    if new or at > start:
        yield _Change(start, at, tuple(new), hunk, place)


def _fitted(text: Text, change: _Change, newline: str, path: str) -> Iterator[str]:
    """Yield the new lines indented as the found ones are, and ended as most of these are."""
    place = change.place
    around = "".join(text.lines[place.first : place.last])
    end = main_newline(around) if around.endswith(("\n", "\r")) else newline
    moved = _moved(text, change)
    for line in change.new:
        if place.exact:
            yield line.text + line.end
        elif place.retyped:
            yield moved.get(line.text) or _retyped(text, change, line, path) + end
        else:
            yield moved.get(line.text) or _indented(line, place, path) + end


def _retyped(text: Text, change: _Change, line: Line, path: str) -> str:
    pairs = dict(quoted_and_there(text, change.hunk, change.place))
    gone = {old.text: pairs[old.text] for old in change.hunk.old if old.mark == "-" and old.text in pairs}
    typed = retyped(line.text, gone, slipped(pairs, pairs.values()))
    if typed is None:
        raise _Refusal(
            EditRefused(
                f"{path}:{change.start + 1}: quotes or dashes of another kind stand there than are quoted, and a new "
                "line has those too: are they meant?",
                hint="copy the lines as they stand in the file",
            )
        )
    return typed


def _moved(text: Text, change: _Change) -> dict[str, str]:
    """Return the lines that the hunk takes away as they are, by how it quotes them: put elsewhere they stay so."""
    place = change.place
    quoted = change.hunk.old[place.head : place.head + place.length]
    there = zip(quoted, text.lines[place.first : place.last], strict=True)
    return {line.text: have for line, have in there if line.mark == "-" and line.told and have.endswith(("\n", "\r"))}


def _ended(text: Text, change: _Change, line: str, newline: str) -> str:
    """Return the last line of a file, ended or not: as the hunk says where it says anything, else as it was before."""
    if change.place.exact:
        return line
    bare = line.rstrip("\r\n")
    was, becomes = (bool(side[-1].end) if side else True for side in (change.hunk.old, change.hunk.new))
    before = not text.lines or text.lines[-1] != text.bare[-1]
    if change.hunk.ended or (becomes if was != becomes else before):
        return line if line != bare else bare + newline
    return bare


def _indented(line: Line, place: Place, path: str) -> str:
    if not line.told:
        return line.text
    if place.indents:
        if (moved := reindented(line.text, place.indents)) is None:
            raise _Refusal(
                EditRefused(
                    f"{path}:{place.first + 1}: the lines stand there with tabs or steps of another kind, and how deep "
                    "a new one belongs is not told",
                    hint="quote the lines with the indentation they have in the file",
                )
            )
        return moved
    if not line.text.startswith(place.dedent):
        raise _Refusal(
            EditRefused(
                f"{path}:{place.first + 1}: the text stands there with less indentation, which a new line lacks",
                hint="quote the lines with the indentation they have in the file",
            )
        )
    return place.indent + line.text.removeprefix(place.dedent)


def _refuse_doubtful_blanks(text: Text, change: _Change, path: str) -> None:
    """Refuse new lines with trailing blanks where the quoted ones have some that the file does not have."""
    if not any(line.text.endswith((" ", "\t")) for line in change.new):
        return
    place = change.place
    quoted = change.hunk.old[place.head : place.head + place.length]
    for number, line in enumerate(quoted, place.first):
        if line.text.endswith((" ", "\t")) and text.bare[number] == text.stripped[number]:
            raise _Refusal(
                EditRefused(
                    f"{path}:{number + 1}: the quoted line has trailing blanks that the file does not have, and so has "
                    "a new one: are they meant?",
                    hint="quote the lines without them",
                )
            )


def _refuse_doubtful_depth(text: Text, change: _Change, path: str) -> None:
    """Refuse new lines that step deeper than those of the file do, where all that is quoted is on one other level.

    Then it may be moved as a whole, or be written with wider or narrower steps: the quoted lines do not tell.
    """
    if not (change.place.indent or change.place.dedent):
        return
    levels = {depth(line.text) for line in change.hunk.old if line.told}
    written = min(steps_in(line.text for line in change.hunk.new), default=0)
    usual = steps_in(text.stripped).most_common(1)[0][0] if written else 0
    if len(levels) == 1 and usual and written != usual and max(written, usual) % min(written, usual) == 0:
        raise _Refusal(
            EditRefused(
                f"{path}:{change.start + 1}: the lines stand there with another indentation, and the new ones are "
                "indented in steps that are not the file's",
                hint="quote the lines with the indentation they have in the file",
            )
        )


# ---------------------------------------------------------------- refusing


def _numbered(error: EditRefused, hunk: Hunk, number: int, count: int) -> EditRefused:
    where = f" (line {hunk.number} of the instruction)" if hunk.number else ""
    which = f"hunk {number} of {count}{where}: " if count > 1 else ""
    return EditRefused(which + error.message, hint=error.hint)


def _nowhere(text: Text, hunk: Hunk, path: str) -> EditRefused:
    if not hunk.old:
        return EditRefused(
            f"{path}: lines are to be added, but it is not said where", hint="quote some of the lines around them"
        )
    return missing(path, text.lines or [""], _joined(hunk.old), _joined(hunk.new))


def _doubtful(text: Text, one: Standing, path: str) -> EditRefused:
    return ambiguous(path, text.lines, [place.first for place in one.places], _joined(one.hunk.old))


def _joined(lines: Sequence[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)
