"""Where hunks stand in a text: word for word, with the slips that models make, or nowhere.

The strictest way of standing somewhere that leads anywhere decides, and it must lead to one place: what was said of
line numbers, of lines above and of the order may choose between several, nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, auto
from itertools import product, takewhile
from typing import NamedTuple

from attache.workspace.formats.drift import alike, drifted, held
from attache.workspace.formats.hunks import Hunk, Line, depth
from attache.workspace.formats.recast import in_other_steps, otherwise_typed
from attache.workspace.formats.text import Place, Text
from attache.workspace.locate import Block, same, shifted

MOST_BLANK_LINES = 3  # that a model puts before or behind what it quotes
MOST_SLID = 10  # lines by which what was near by may be further off, since the hunk was written


class Way(IntEnum):
    """How a hunk may stand somewhere, the strictest way first."""

    EXACT = auto()
    """With every byte."""
    WORDED = auto()
    """But for line ends."""
    STRIPPED = auto()
    """But for trailing blanks."""
    CUT = auto()
    """Without blank lines that were put before or behind it."""
    RETYPED = auto()
    """But for quotes, dashes and blanks of other kinds."""
    SHIFTED = auto()
    """With another indentation, the same in all of its lines."""
    RECAST = auto()
    """With tabs for blanks, or blanks for tabs, or in other steps."""
    DRIFTED = auto()
    """With other lines around its changes. Numbers, order and lines above cannot choose: they have drifted too."""


class Standing(NamedTuple):
    """The places of a hunk in the strictest way in which it stands anywhere; none where it stands nowhere."""

    hunk: Hunk
    places: tuple[Place, ...]
    way: Way = Way.DRIFTED


def standing(text: Text, hunk: Hunk) -> Standing:
    """Look for a hunk in a text: below the lines that are said to stand above it, else anywhere behind them."""
    scopes = _scopes(text, hunk.anchors)
    begin = scopes[0].start if scopes and hunk.bound else 0
    inside = _first(text, hunk, scopes, Way.DRIFTED)
    beyond = _first(text, hunk, [range(begin, len(text) + 1)], Way.CUT if hunk.anchors and hunk.bound else Way.DRIFTED)
    found = inside if inside.places else beyond
    if inside.places and beyond.places and beyond.way < inside.way:
        found = _with(beyond, inside.places)  # that it stands there better speaks against the place that is said
    if hunk.start is not None and not hunk.bound:
        found = _weighed(text, found, beyond, hunk.start)
    return _at_end(text, found) if hunk.at_end else found


def chosen(standings: Sequence[Standing], *, ordered: bool) -> list[Place] | None:
    """Return the one place of each hunk, None where there is doubt; `ordered` hunks follow one another in the text."""
    choices = [_numbered(standings, standing) for standing in standings]
    if all(len(places) == 1 for places in choices):
        return [places[0] for places in choices]
    if not ordered or any(len(one.places) > 1 and one.way == Way.DRIFTED for one in standings):
        return None
    earliest = _in_turn(choices)
    latest = _in_turn([[_mirrored(place) for place in reversed(places)] for places in reversed(choices)])
    if earliest is None or latest is None or earliest != [_mirrored(place) for place in reversed(latest)]:
        return None
    return earliest


# ---------------------------------------------------------------- choosing


def _with(standing: Standing, places: Iterable[Place]) -> Standing:
    known = {place.start for place in standing.places}
    return standing._replace(places=(*standing.places, *(place for place in places if place.start not in known)))


def _weighed(text: Text, found: Standing, anywhere: Standing, start: int) -> Standing:
    """Return where a hunk stands that names its line: what is like it there, speaks against a place further off."""
    if any(place.start == start for place in anywhere.places):
        return anywhere
    if len(found.places) != 1 or abs(found.places[0].start - start) <= MOST_SLID:
        return found
    near = [place for place in alike(text, found.hunk) if abs(place.start - start) <= MOST_SLID]
    near = [place for place in near if held(text, found.hunk, place)]
    return _with(found, near)._replace(way=Way.DRIFTED if near else found.way)


def _at_end(text: Text, found: Standing) -> Standing:
    behind = len(text)
    while behind and not text.stripped[behind - 1]:
        behind -= 1
    last = tuple(place for place in found.places if place.last >= behind)
    return found._replace(places=last or found.places)


def _numbered(standings: Iterable[Standing], one: Standing) -> Sequence[Place]:
    """Return the place on the line that the hunk names, unless the numbers of the instruction prove wrong elsewhere."""
    there = [place for place in one.places if place.start == one.hunk.start and one.way < Way.DRIFTED]
    wrong = any(len(other.places) == 1 and other.hunk.start not in {None, other.places[0].start} for other in standings)
    return there if there and not wrong else one.places


def _in_turn(choices: Iterable[Sequence[Place]]) -> list[Place] | None:
    """Return the first place of each hunk behind that of the one before it."""
    taken: list[Place] = []
    for places in choices:
        place = next((place for place in places if not taken or place.first >= taken[-1].last), None)
        if place is None:
            return None
        taken.append(place)
    return taken


def _mirrored(place: Place) -> Place:
    """Return the place as it stands in the text read backwards."""
    return place._replace(first=-place.last)


# ---------------------------------------------------------------- finding


def _first(text: Text, hunk: Hunk, within: Sequence[range], loosest: Way) -> Standing:
    """Return where a hunk stands in the strictest way, beginning inside of one of the stretches."""
    for way, places in zip(Way, _ways(text, hunk) if within else (), strict=False):
        slid = MOST_SLID if way == Way.DRIFTED else 0
        inside = [place for place in places if any(r.start - slid <= place.first < r.stop + slid for r in within)]
        if inside and way <= loosest:
            return Standing(hunk, tuple(inside), way)
    return Standing(hunk, ())


def _ways(text: Text, hunk: Hunk) -> Iterator[list[Place]]:
    """Yield where a hunk stands, one way after the other."""
    old = hunk.old
    if not old:  # it can only be what the file is to hold, or what it is to end with
        yield [Place(len(text), 0, 0)] if hunk.at_end or not text.lines else []
        return
    found = [Place(match.first, 0, len(old)) for match in same(text.stripped, _block(old))]
    named = [place for place in found if place.start == hunk.start]
    exact = [place._replace(exact=True) for place in found if _all_bytes(text, old, place)]
    worded = [place for place in found if text.bare[place.first : place.last] == [line.text for line in old]]
    for strictly in (exact, worded):
        known = {place.start for place in strictly}
        yield strictly and [*strictly, *(place for place in named if place.start not in known)]
    yield found
    if any(line.told for line in old):
        yield _cut(text, hunk, shift=False)
        yield [Place(first, 0, len(old), retyped=True) for first in otherwise_typed(text, hunk)]
        yield _cut(text, hunk, shift=True)
        yield in_other_steps(text, hunk)
        yield [] if _half_blank(hunk.lines) or _half_blank(hunk.lines[::-1]) else drifted(text, hunk)


def _block(lines: Sequence[Line]) -> Block:
    return Block(tuple(line.text for line in lines), whole=True)


def _all_bytes(text: Text, old: Sequence[Line], place: Place) -> bool:
    there = text.lines[place.first : place.last]
    return all(have == line.text + line.end for have, line in zip(there, old, strict=True))


def _cut(text: Text, hunk: Hunk, *, shift: bool) -> list[Place]:
    """Return where the lines stand without some of the blank ones at either end, as few as can be."""
    old = hunk.old
    sides = hunk.lines, hunk.lines[::-1]
    most = MOST_BLANK_LINES if hunk.whole else 0
    heads, tails = (range(1 if _half_blank(side) else 1 + min(len(_blank(side)), most)) for side in sides)
    for head, tail in sorted(product(heads, tails), key=sum):
        kept = old[head : len(old) - tail]
        matches = (shifted if shift else same)(text.stripped, _block(kept))
        if places := [Place(match.first, head, len(kept), match.indent, match.dedent) for match in matches]:
            return [place._replace(exact=not shift and _all_bytes(text, kept, place)) for place in places]
    return []


def _blank(lines: Iterable[Line]) -> list[Line]:
    """Return the blank old lines in front."""
    return list(takewhile(lambda line: line.mark != "+" and not line.told, lines))


def _half_blank(lines: Sequence[Line]) -> bool:
    """Return whether of the blank lines in front some stay or come and some go: which are too many, nobody can say."""
    marks = {line.mark for line in _blank(lines)}
    first = next((line for line in lines if line.mark != "-"), None)
    return len(marks) > 1 or (marks == {"-"} and first is not None and not first.told)


# ---------------------------------------------------------------- lines above


def _scopes(text: Text, anchors: Sequence[str]) -> list[range]:
    """Return the stretches that begin with the anchors, each inside one of the anchor before it."""
    scopes = [range(len(text))] if anchors else []
    for anchor in anchors:
        wanted = anchor.strip()
        inside = [(line, text.stripped[line].strip()) for scope in scopes for line in scope]
        lines = [line for line, said in inside if said == wanted]
        lines = lines or [line for line, said in inside if said.startswith(wanted)]
        scopes = list(_apart(range(line, min(_scope_end(text, line) + 1, len(text))) for line in lines))
    return scopes


def _apart(scopes: Iterable[range]) -> Iterator[range]:
    """Yield the stretches that do not begin inside of another; the line behind one may begin the next."""
    reached = 0
    for scope in scopes:
        if scope.start >= reached:
            yield scope
            reached = scope.stop - 1


def _scope_end(text: Text, first: int) -> int:
    """Return the line behind what belongs to a line: the next one that begins a word and is indented no more.

    To a line that nothing below it is indented under, all that follows may belong.
    """
    level = depth(text.stripped[first])
    below = next((line for line in text.stripped[first + 1 :] if line.strip("{ \t")), "")
    if depth(below) <= level:
        return len(text)
    behind = (
        number
        for number in range(first + 1, len(text))
        if depth(text.stripped[number]) <= level and text.stripped[number].lstrip()[:1].isidentifier()
    )
    return next(behind, len(text))
