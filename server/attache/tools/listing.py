"""Lists of paths: as a tree, by a glob, and by a name that is half remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from attache.tools.wording import counted

ALIKE_PERCENT = 75
GUESSES = 20
CHOICES_MOST = 256
"""Of the patterns that braces stand for, so many are looked at."""

Tree = dict[str, "Tree"]
"""Names in a folder; a file holds nothing."""


# ---------------------------------------------------------------- trees


def tree(paths: Iterable[str], depth: int) -> list[str]:
    """Return the lines of a tree, folders first; one that lies deeper than `depth` levels says how much is in it."""
    top: Tree = {}
    for path in paths:
        place = top
        for name in path.split("/"):
            place = place.setdefault(name, {})
    return list(_lines(top, depth, "  "))


def _lines(folder: Tree, depth: int, indent: str) -> Iterator[str]:
    for name, inside in sorted(folder.items(), key=lambda item: (not item[1], item[0])):
        if not inside:
            yield indent + name
        elif depth > 1:
            yield f"{indent}{name}/"
            yield from _lines(inside, depth - 1, indent + "  ")
        else:
            yield f"{indent}{name}/ ({counted(_files(inside), 'file')})"


def _files(folder: Tree) -> int:
    return sum(_files(inside) if inside else 1 for inside in folder.values())


# ---------------------------------------------------------------- names


def matching(name: str, paths: Sequence[str]) -> list[str]:
    """Return the paths that a glob matches, or that a name most likely means, the likeliest first."""
    if any(sign in name for sign in "*?[{"):
        wanted = glob(name)
        return [path for path in paths if wanted.fullmatch(path)]
    folded = name.casefold().strip("/")
    ranked = sorted((rank, len(path), path) for path in paths if (rank := _rank(folded, path.casefold())) is not None)
    return [path for _, _, path in ranked] or alike(folded, paths)


def _rank(name: str, path: str) -> int | None:
    """Return how well a name fits a path, 0 being best; None where it is no part of it."""
    last = path.rpartition("/")[2]
    fits = (name in {path, last}, path.endswith(f"/{name}"), last.startswith(name), name in last, name in path)
    return fits.index(True) if any(fits) else None


def alike(name: str, paths: Sequence[str]) -> list[str]:
    """Return the paths whose last part is spelled much like the name's, the likeliest first."""
    from rapidfuzz import fuzz, process

    last = [path.casefold().rpartition("/")[2] for path in paths]
    wanted = name.casefold().rpartition("/")[2]
    found = process.extract(wanted, last, scorer=fuzz.ratio, limit=GUESSES, score_cutoff=ALIKE_PERCENT)
    return [paths[at] for _, _, at in found]


def glob(pattern: str) -> re.Pattern[str]:
    """Return the regex of a glob over whole paths: `*`, `?`, `[ab]`, `{a,b}`, `**/`; without `/` it fits any folder."""
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    choices = islice(_braces(pattern.removeprefix("./")), CHOICES_MOST)
    return re.compile("|".join(map(_translated, choices)), re.DOTALL)


_PARTS = re.compile(r"\*+|\?|\[[!^]?[^\]]+\]|.", re.DOTALL)
_GLUED = re.compile(r"(^|/)\*\*+(?=[^/*])")
"""`**.py`, by which `**/*.py` is meant."""


def _translated(pattern: str) -> str:
    """Return the regex of a glob; what is matched once is never matched anew, so that none takes long."""
    runs: list[list[str]] = [[]]
    for name in _GLUED.sub(r"\1**/*", pattern).split("/"):
        if name != "**":
            runs[-1].append(_name(name))
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    first, *others = ("/".join(run) for run in runs)
    if not others:
        return first
    between = "".join(f"(?>(?:[^/]*/)*?{run}/)" for run in others[:-1])
    last = f"(?:.*/)?{others[-1]}" if others[-1] else ".*"
    return f"{first}/{between}{last}" if runs[0] else between + last


def _name(pattern: str) -> str:
    """Return the regex of what stands between two slashes of a glob."""
    pieces = [""]
    for part in _PARTS.findall(pattern):
        if part.startswith("*"):
            pieces.append("")
        elif part.startswith("[") and len(part) > 1:
            members = part[1:-1].lstrip("!^").replace("\\", r"\\")
            pieces[-1] += f"[^/{members}]" if part[1] in "!^" else f"[{members}]"
        else:
            pieces[-1] += "[^/]" if part == "?" else re.escape(part)
    first, *others = pieces
    if not others:
        return first
    return first + "".join(f"(?>[^/]*?{piece})" for piece in others[:-1]) + "[^/]*" + others[-1]


def _braces(pattern: str) -> Iterator[str]:
    """Yield the pattern once for each choice in its braces."""
    found = re.search(r"\{([^{}]*)\}", pattern)
    if not found:
        yield pattern
        return
    for choice in found[1].split(","):
        yield from _braces(pattern[: found.start()] + choice + pattern[found.end() :])
