"""Lines that were typed otherwise than they stand in the file: with tabs for blanks or other steps, with plain quotes.

They count as the file's only where all of a hunk's lines are the same but for that. What comes new is typed as the file
is where the quoted lines tell how, and refused where they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import pairwise

from attache.workspace.formats.hunks import BLANKS, Hunk
from attache.workspace.formats.text import Place, Text, folded

_WIDTHS = (2, 4, 8)  # blanks that a tab may stand for
_LEAST_BESIDE = 2  # letters on one side of one, that are kept with it
_LEAST_SAID = 3  # letters and digits, without which lines are brackets that stand anywhere
_LEAST_PAIRS = 2  # of indentations, that tell a rule


def in_other_steps(text: Text, hunk: Hunk) -> list[Place]:
    """Return where a hunk stands with other indentations, each of its own always become the same one."""
    old = hunk.old
    wanted = [line.text.strip(BLANKS) for line in old]
    probe = next((number for number, line in enumerate(wanted) if line), None)
    if probe is None or sum(char.isalnum() for line in wanted for char in line) < _LEAST_SAID:
        return []
    found: list[Place] = []
    for at in text.cores.get(wanted[probe], ()):
        first = at - probe
        there = text.stripped[max(first, 0) : first + len(old)]
        if first < 0 or [line.strip(BLANKS) for line in there] != wanted:
            continue
        pairs = {(_margin(line.text), _margin(have)) for line, have in zip(old, there, strict=True) if line.told}
        if _one_to_one(pairs):
            found.append(Place(first, 0, len(old), indents=tuple(sorted(pairs))))
    return found


def _one_to_one(pairs: Iterable[tuple[str, str]]) -> bool:
    ranked = sorted(pairs, key=lambda pair: (len(pair[0]), len(pair[1])))
    return all(len(one[0]) < len(other[0]) and len(one[1]) < len(other[1]) for one, other in pairwise(ranked))


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(BLANKS))]


def reindented(line: str, indents: Sequence[tuple[str, str]]) -> str | None:
    """Return a new line with the indentation that the file would give it; None where the quoted lines do not tell."""
    margin = _margin(line)
    known = dict(indents)
    if margin in known:
        return known[margin] + line.removeprefix(margin)
    kinds = tuple({char for pair in indents for char in pair[side]} for side in (0, 1))
    if any(len(kind) != 1 for kind in kinds) or not set(margin) <= kinds[0]:
        return None
    pairs = sorted((len(quoted), len(there)) for quoted, there in indents)
    if (0, 0) not in pairs and kinds[0] != kinds[1] and _is_width(*pairs[0]):
        pairs.insert(0, (0, 0))
    if len(pairs) < _LEAST_PAIRS:
        return None
    rules = {Fraction(other[1] - one[1], other[0] - one[0]) for one, other in pairwise(pairs)}
    step = min(other[0] - one[0] for one, other in pairwise(pairs))
    depth = pairs[0][1] + (len(margin) - pairs[0][0]) * next(iter(rules))
    if len(rules) != 1 or (len(margin) - pairs[0][0]) % step or depth < 0 or depth.denominator != 1:
        return None
    return next(iter(kinds[1])) * int(depth) + line.removeprefix(margin)


def _is_width(quoted: int, there: int) -> bool:
    return any(quoted == there * width or there == quoted * width for width in _WIDTHS)


# ---------------------------------------------------------------- letters


def otherwise_typed(text: Text, hunk: Hunk) -> list[int]:
    """Return the lines of the text on which a hunk stands but for quotes, dashes and blanks of other kinds."""
    wanted = [folded(line.text.rstrip(BLANKS)) for line in hunk.old]
    if not wanted or not (text.typeset or any(not line.text.isascii() for line in hunk.old)):
        return []
    lines = text.folded
    return [
        at
        for at in range(len(lines) - len(wanted) + 1)
        if lines[at] == wanted[0] and lines[at : at + len(wanted)] == wanted
    ]


def slipped(quoted: Iterable[str], there: Iterable[str]) -> frozenset[str]:
    """Return the letters that were typed for others that stand in the file; blanks aside, which every line has."""
    pairs = (
        (mine, its) for one, other in zip(quoted, there, strict=True) for mine, its in zip(one, other, strict=False)
    )
    return frozenset(mine for mine, its in pairs if mine not in {its, " "})


def retyped(line: str, gone: Mapping[str, str], wrong: frozenset[str]) -> str | None:
    """Return a new line with the letters of the line it replaces, `gone` by how it is quoted, where they were kept.

    None where it has other ones that were typed `wrong` before: nobody can say whether they are meant.
    """
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(line)

    def alike(quoted: str) -> float:
        matcher.set_seq1(quoted)
        return matcher.ratio()

    nearest = max(gone, key=alike, default="")
    matcher.set_seq1(nearest)
    typed, fresh = list(line), set(range(len(line)))
    for mine, new, size in matcher.get_matching_blocks():
        there = gone.get(nearest, "")
        for at in range(size):
            beside = max(at, size - 1 - at)  # a letter that is kept alone was not kept, but came up again
            if beside >= _LEAST_BESIDE or mine + at in {0, len(nearest) - 1} or nearest[mine + at] == there[mine + at]:
                typed[new + at] = there[mine + at]
                fresh.discard(new + at)
    return None if any(line[at] in wrong for at in fresh) else "".join(typed)


def quoted_and_there(text: Text, hunk: Hunk, place: Place) -> Iterator[tuple[str, str]]:
    """Yield the old lines of a hunk as they are quoted, and as they stand."""
    old = hunk.old[place.head : place.head + place.length]
    for line, there in zip(old, text.bare[place.first : place.last], strict=True):
        yield line.text, there
