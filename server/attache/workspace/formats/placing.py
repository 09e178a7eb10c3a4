"""Where hunks stand in a text: word for word, with the slips that models make, or nowhere.

The ways of standing somewhere are tried one after the other, the strictest first: every byte; all but the line ends;
all but trailing blanks; without blank lines put before or behind; indented otherwise, all lines alike; at last with
lines around the change that have drifted. The first way that leads anywhere decides, and it must lead to one place:
what was said of line numbers, of lines above and of the order may choose between several, nothing else does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import product, takewhile
from typing import NamedTuple

from attache.workspace.documents import split_lines
from attache.workspace.formats.hunks import BLANKS, Hunk, Line, depth
from attache.workspace.locate import SIMILAR_PERCENT, Block, same, shifted

MOST_BLANK_LINES = 3  # that a model puts before or behind what it quotes
MOST_SLID = 10  # lines that came or went between two changes of one hunk, since it was written
LEAST_TOLD = 2  # lines that are more than blank, of which a place has to be found
MOST_MOVED = 3  # lines by which one that stays may have moved away from its hunk
NO_ACCIDENT = 5  # such lines that stand where they should
LOOSE = 4  # from this way of standing on it is no longer the same text
DRIFT = 5  # the way of standing in which lines have drifted; numbers cannot decide then, they have drifted too
NEAR = 10  # lines from where a hunk says it is: nothing else may be like it there


class Text:
    """A text by its lines."""

    def __init__(self, text: str) -> None:
        """Take the text without a byte-order mark."""
        lines = split_lines(text)
        self.lines = lines if lines[-1] else lines[:-1]
        """With their ends."""
        self.bare = [line.rstrip("\r\n") for line in self.lines]
        self.stripped = [line.rstrip(BLANKS) for line in self.bare]

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.lines)

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
    dedent: str = ""
    exact: bool = False
    """Whether every byte is the same."""

    @property
    def last(self) -> int:
        """The line behind it."""
        return self.first + self.length


class Standing(NamedTuple):
    """The places of a hunk in the strictest way in which it stands anywhere; none where it stands nowhere."""

    hunk: Hunk
    places: tuple[Place, ...]
    way: int = 0


def standing(text: Text, hunk: Hunk) -> Standing:
    """Look for a hunk in a text: below the lines that are said to stand above it, else anywhere behind them.

    What is like it where it is said to be, speaks against a place further off.
    """
    scopes = _scopes(text, hunk.anchors)
    strict = LOOSE if hunk.anchors and hunk.bound else None
    inside = _first(text, hunk, {line for scope in scopes for line in scope}) if scopes else Standing(hunk, ())
    beyond = _first(text, hunk, range(scopes[0].start if scopes and hunk.bound else 0, len(text) + 1), strict)
    found = inside if inside.places else beyond
    if inside.places and beyond.places and beyond.way < inside.way:
        known = set(map(_start, beyond.places))
        found = beyond._replace(places=(*beyond.places, *(each for each in inside.places if _start(each) not in known)))
    if hunk.start is not None and not hunk.bound:
        found = _weighed(text, hunk, found, beyond)
    return _at_end(text, found) if hunk.at_end else found


def _weighed(text: Text, hunk: Hunk, found: Standing, anywhere: Standing) -> Standing:
    """Return where a hunk stands, given the number that it names."""
    if any(_start(place) == hunk.start for place in anywhere.places):
        return anywhere
    if len(found.places) != 1 or abs(_start(found.places[0]) - (hunk.start or 0)) <= NEAR:
        return found
    alike = (first for first in _alike(text, hunk) if abs(first - (hunk.start or 0)) <= NEAR)
    near = [_like(text, hunk, first) for first in alike if _held(text, hunk, first)]
    return found._replace(way=DRIFT if near else found.way, places=(*found.places, *near))


def chosen(standings: Sequence[Standing], *, ordered: bool) -> list[Place] | None:
    """Return the one place of each hunk, None where there is doubt; `ordered` hunks follow one another in the text."""
    choices = [_numbered(standings, standing) for standing in standings]
    if all(len(places) == 1 for places in choices):
        return [places[0] for places in choices]
    if not ordered or any(len(one.places) > 1 and one.way >= DRIFT for one in standings):
        return None
    earliest = _in_turn(choices)
    latest = _in_turn([[_mirrored(place) for place in reversed(places)] for places in reversed(choices)])
    if earliest is None or latest is None or earliest != [_mirrored(place) for place in reversed(latest)]:
        return None
    return earliest


# ---------------------------------------------------------------- choosing


def _numbered(standings: Iterable[Standing], one: Standing) -> Sequence[Place]:
    """Return the place on the line that the hunk names, unless the numbers of the instruction prove wrong elsewhere."""
    there = [place for place in one.places if _start(place) == one.hunk.start and one.way < DRIFT]
    wrong = any(
        len(other.places) == 1 and other.hunk.start is not None and _start(other.places[0]) != other.hunk.start
        for other in standings
    )
    return there if there and not wrong else one.places


def _start(place: Place) -> int:
    return place.first - place.head


def _in_turn(choices: Iterable[Sequence[Place]]) -> list[Place] | None:
    """Return the first place of each hunk behind that of the one before it."""
    taken: list[Place] = []
    reached: int | None = None
    for places in choices:
        place = next((place for place in places if reached is None or place.first >= reached), None)
        if place is None:
            return None
        taken.append(place)
        reached = place.last
    return taken


def _mirrored(place: Place) -> Place:
    """Return the place as it stands in the text read backwards."""
    return place._replace(first=-place.last)


def _at_end(text: Text, found: Standing) -> Standing:
    behind = len(text)
    while behind and not text.stripped[behind - 1]:
        behind -= 1
    last = tuple(place for place in found.places if place.last >= behind)
    return found._replace(places=last or found.places)


# ---------------------------------------------------------------- finding


def _first(text: Text, hunk: Hunk, within: Iterable[int], ways: int | None = None) -> Standing:
    """Return where a hunk stands in the strictest of the ways, its first line being one of `within`."""
    allowed = frozenset(within)
    for way, places in enumerate(_ways(text, hunk)):
        if ways is not None and way >= ways:
            break
        slid = MOST_SLID if way >= DRIFT else 0
        if inside := tuple(
            place for place in places if not allowed.isdisjoint(range(place.first - slid, place.first + slid + 1))
        ):
            return Standing(hunk, inside, way)
    return Standing(hunk, ())


def _ways(text: Text, hunk: Hunk) -> Iterator[list[Place]]:
    """Yield where a hunk stands, forgiving more each time."""
    old = hunk.old
    if not old:  # it can only be what the file is to hold, or what it is to end with
        yield [Place(len(text), 0, 0)] if hunk.at_end or not text.lines else []
        return
    found = [Place(match.first, 0, len(old)) for match in same(text.stripped, _block(old))]
    exact = [place._replace(exact=True) for place in found if _all_bytes(text, old, place)]
    worded = [place for place in found if text.bare[place.first : place.last] == [line.text for line in old]]
    named = [place for place in found if _start(place) == hunk.start]
    yield exact and [*exact, *(place for place in named if place._replace(exact=True) not in exact)]
    yield worded and [*worded, *(place for place in named if place not in worded)]
    yield found
    if any(line.told for line in old):
        yield _cut(text, hunk, shift=False)
        yield _cut(text, hunk, shift=True)
        yield [] if _half_blank(hunk.lines) or _half_blank(hunk.lines[::-1]) else _drifted(text, hunk)


def _block(lines: Sequence[Line]) -> Block:
    return Block(tuple(line.text for line in lines), whole=True)


def _all_bytes(text: Text, old: Sequence[Line], place: Place) -> bool:
    there = text.lines[place.first : place.last]
    return all(have == line.text + line.end for have, line in zip(there, old, strict=True))


def _cut(text: Text, hunk: Hunk, *, shift: bool) -> list[Place]:
    """Return where the lines stand without some of the blank ones at either end, as few as can be."""
    old = hunk.old
    sides = hunk.lines, hunk.lines[::-1]
    heads, tails = (range(1 if _half_blank(side) else 1 + min(len(_blank(side)), MOST_BLANK_LINES)) for side in sides)
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
        inside = [line for scope in scopes for line in scope]
        lines = [number for number in inside if text.stripped[number].strip() == wanted]
        lines = lines or [number for number in inside if text.stripped[number].strip().startswith(wanted)]
        scopes = [range(number, _scope_end(text, number) + 1) for number in dict.fromkeys(lines)]
    return scopes


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


# ---------------------------------------------------------------- drift


def _alike(text: Text, hunk: Hunk) -> list[int]:
    """Return where all lines that go stand, and half of those around them, or so many that it is no accident."""
    old = hunk.old
    wanted = [line.text.rstrip(BLANKS) for line in old]
    told = [number for number, line in enumerate(old) if line.told]
    gone = [number for number, line in enumerate(old) if line.mark == "-"]
    votes = Counter(there - number for number in told for there in text.places.get(wanted[number], ()))
    return sorted(
        first
        for first, count in votes.items()
        if count >= LEAST_TOLD
        and (2 * count >= len(told) or count >= NO_ACCIDENT)
        and all(0 <= first + at < len(text) and text.stripped[first + at] == wanted[at] for at in gone)
    )


def _drifted(text: Text, hunk: Hunk) -> list[Place]:
    """Return where a hunk stands with lines around its changes that have drifted, if nothing else is like it."""
    alike = _alike(text, hunk)
    far = sum(line.told for line in hunk.old)
    far -= max(LEAST_TOLD, far // 3)
    near = [first for first in alike if sum(_moved(text, hunk, first)) > far] if len(alike) > 1 else alike
    if len(near) != 1:
        return [_like(text, hunk, first) for first in alike]
    (best,) = near
    if not _held(text, hunk, best) or (len(alike) > 1 and not all(_similar(text, hunk, best))):
        return [_like(text, hunk, first) for first in alike] if len(alike) > 1 else []
    return [_like(text, hunk, best)]


def _like(text: Text, hunk: Hunk, first: int) -> Place:
    """Return the place of a hunk without the lines that would stand outside of the text."""
    length = len(hunk.old)
    head, tail = max(-first, 0), max(first + length - len(text), 0)
    return Place(first + head, head, length - head - tail)


def _similar(text: Text, hunk: Hunk, first: int) -> list[bool]:
    """Return for each old line whether it stands there, or one that is like it, or there is nothing to tell."""
    from rapidfuzz import fuzz

    def stands(at: int, line: Line) -> bool:
        if not line.told or not 0 <= at < len(text):
            return not line.told
        return fuzz.ratio(text.stripped[at].strip(), line.text.strip()) >= SIMILAR_PERCENT

    return [stands(at, line) for at, line in enumerate(hunk.old, first)]


def _moved(text: Text, hunk: Hunk, first: int) -> list[bool]:
    """Return for each old line whether there is something to tell, and it stands near where it should."""
    return [
        line.told and line.text.rstrip(BLANKS) in text.stripped[max(at - MOST_MOVED, 0) : max(at + MOST_MOVED + 1, 0)]
        for at, line in enumerate(hunk.old, first)
    ]


def _held(text: Text, hunk: Hunk, first: int) -> bool:
    """Return whether a hunk holds at a place: most of its lines stand there or near by, and where lines come is clear.

    That is where the first line that says something stands just there, on either side. On one of two sides it may be
    another, if that is like it or the next one that says something stands there.
    """
    similar, moved = _similar(text, hunk, first), _moved(text, hunk, first)
    count = sum(line.told for line in hunk.old)
    if similar.count(False) > max(1, count // 3) and count - sum(moved) > 1:
        return False
    same = [
        0 <= at < len(text) and text.stripped[at] == line.text.rstrip(BLANKS) for at, line in enumerate(hunk.old, first)
    ]
    for before, behind in hunk.joints:
        sides = [_beside(hunk, range(before - 1, -1, -1)), _beside(hunk, range(behind, len(hunk.old)))]
        if not all(same[at] for side in sides for at in side if not hunk.old[at].told):
            return False
        told = [[at for at in side if hunk.old[at].told] for side in sides]
        other = [side for side in told if side and not same[side[0]]]
        if other and (len(other) > 1 or not all(told)):
            return False
        if not all(same[side[1]] if side[1:] else similar[side[0]] for side in other):
            return False
    return True


def _beside(hunk: Hunk, outward: range) -> list[int]:
    """Return the old lines to one side of a place: the blank ones beside it, and the next two that say something."""
    told = [at for at in outward if hunk.old[at].told][:2]
    blank = takewhile(lambda at: not hunk.old[at].told, outward)
    return [*blank, *told]
