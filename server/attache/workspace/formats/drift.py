"""Hunks in a text that has drifted: lines around a change became others, came or went since the hunk was written.

All lines that go must stand there, and most of those around them; where lines only come, those beside them too. Nothing
else in the text may be nearly as much like the hunk.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile

from attache.workspace.formats.hunks import BLANKS, Hunk, Line
from attache.workspace.formats.text import Place, Text
from attache.workspace.locate import SIMILAR_PERCENT

LEAST_TOLD = 2  # lines that say something, of which a place has to be found
MOST_MOVED = 3  # lines by which one that stays may have moved away from its hunk
NO_ACCIDENT = 5  # lines that say something, and stand where they should


def drifted(text: Text, hunk: Hunk) -> list[Place]:
    """Return where a hunk stands; several places where it may be one or another of them."""
    places = alike(text, hunk)
    if len(places) <= 1:
        return [place for place in places if held(text, hunk, place)]
    told = sum(line.told for line in hunk.old)
    near = [place for place in places if sum(_moved(text, hunk, place)) > told - max(LEAST_TOLD, told // 3)]
    if len(near) == 1 and held(text, hunk, near[0]) and all(_similar(text, hunk, near[0])):
        return near
    return places


def alike(text: Text, hunk: Hunk) -> list[Place]:
    """Return where all lines that go stand, and of those that say something half, or too many for an accident."""
    old = hunk.old
    told = [number for number, line in enumerate(old) if line.told]
    gone = [number for number, line in enumerate(old) if line.mark == "-"]
    votes = Counter(there - number for number in told for there in text.places.get(old[number].text.rstrip(BLANKS), ()))
    starts = sorted(
        start
        for start, count in votes.items()
        if count >= LEAST_TOLD
        and (2 * count >= len(told) or count >= NO_ACCIDENT)
        and all(text.says(start + at, old[at].text) for at in gone)
    )
    return [_inside(text, start, len(old)) for start in starts]


def _inside(text: Text, start: int, length: int) -> Place:
    """Return the place that begins on a line, without what would lie outside of the text."""
    head, tail = max(-start, 0), max(start + length - len(text), 0)
    return Place(start + head, head, length - head - tail)


def held(text: Text, hunk: Hunk, place: Place) -> bool:
    """Return whether a hunk holds at a place: most of it stands there or near by, and where lines come is clear."""
    similar, moved = _similar(text, hunk, place), _moved(text, hunk, place)
    told = sum(line.told for line in hunk.old)
    if similar.count(False) > max(1, told // 3) and told - sum(moved) > 1:
        return False
    same = [text.says(at, line.text) for at, line in enumerate(hunk.old, place.start)]
    changed = [like and not stays for like, stays in zip(similar, moved, strict=True)]
    return all(_clear(hunk, before, behind, same, changed) for before, behind in hunk.joints)


def _clear(hunk: Hunk, before: int, behind: int, same: list[bool], changed: list[bool]) -> bool:
    """Return whether lines that come between two others of a hunk have a clear place.

    That is where the next line that says something stands just there, on either side. On one of two sides it may be
    another: if it is gone, and what stands there is like it or the next but one stands where it should.
    """
    sides = range(before - 1, -1, -1), range(behind, len(hunk.old))
    blank = [at for side in sides for at in takewhile(lambda at: not hunk.old[at].told, side)]
    told = [[at for at in side if hunk.old[at].told] for side in sides]
    other = [side for side in told if side and not same[side[0]]]
    if not all(same[at] for at in blank) or (other and (len(other) > 1 or not all(told))):
        return False
    return all(same[side[1]] if side[1:] else changed[side[0]] for side in other)


def _similar(text: Text, hunk: Hunk, place: Place) -> list[bool]:
    """Return for each old line whether it stands there, or one that is like it, or there is nothing to tell."""
    from rapidfuzz import fuzz

    def stands(at: int, line: Line) -> bool:
        there = text.stripped[at].strip() if 0 <= at < len(text) else ""
        return not line.told or fuzz.ratio(there, line.text.strip()) >= SIMILAR_PERCENT

    return [stands(at, line) for at, line in enumerate(hunk.old, place.start)]


def _moved(text: Text, hunk: Hunk, place: Place) -> list[bool]:
    """Return for each old line whether it says something, and stands near where it should."""
    return [
        line.told and line.text.rstrip(BLANKS) in text.stripped[max(at - MOST_MOVED, 0) : max(at + MOST_MOVED + 1, 0)]
        for at, line in enumerate(hunk.old, place.start)
    ]
