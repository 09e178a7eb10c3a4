"""Slips of the pen: which of some names a misspelt one is."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA

SHORTEST = 4
"""Letters of a name, below which others are near it by chance."""


def slip(wrong: str, names: Iterable[str]) -> str:
    """Return the one name that is a letter more, less, other or swapped away; empty where there is none or several."""
    near = {
        name
        for name in names
        if name != wrong and max(len(name), len(wrong)) >= SHORTEST and OSA.distance(wrong, name, score_cutoff=1) <= 1
    }
    return near.pop() if len(near) == 1 else ""
