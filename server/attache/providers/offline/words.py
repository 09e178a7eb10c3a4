"""What words of a question weigh: what it is about tells more than what is done to it, and most where it is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attache.providers.offline.evidence import stem, stems

_VERBS = (
    "add append apply ask assert become begin bind build calculate choose clear close collect combine compare compile "
    "compute configure construct convert create decide declare decode define delete describe detect determine disable "
    "drop emit enable encode ensure escape evaluate execute expand export extract fetch fill find finish fix follow "
    "generate get give guess happen hold import infer insert inspect install invoke iterate join keep leave let load "
    "look make merge move need normalize notify obtain open paint parse perform pick prepare prevent print produce "
    "provide pull push put raise reach read receive refresh register reject release remove render replace reset "
    "resolve restore retrieve return rewrite run save scan search select send serialize show skip sort specify split "
    "start stop store strip submit support take tell throw transform translate traverse try turn update upload "
    "validate verify visit wait walk want warn wrap write yield"
)
"""Words that say what is done, and seldom what it is done to."""
VERBS = frozenset(stem(verb) for verb in _VERBS.split())

VERB, NOUN, MISSING = 0.5, 1.0, 2.0
"""What a word of a question weighs; one that stands nowhere in the workspace says that it is about something else."""
ENOUGH = 0.5
"""Share of the weight that a place must account for to be an answer; it must be more."""


class Wanted:
    """The stems that a question looks for, with their weights."""

    def __init__(self, words: Iterable[str], missing: Collection[str] = ()) -> None:
        """Weigh the words; `missing` are those of them that stand nowhere."""
        self.stems = stems(" ".join(words))
        nowhere = stems(" ".join(missing))
        self._weights = {each: MISSING if each in nowhere else VERB if each in VERBS else NOUN for each in self.stems}
        self._whole = sum(self._weights.values())

    def share(self, found: Collection[str]) -> float:
        """Return how much of the question some stems account for, 0 to 1."""
        return sum(self._weights[each] for each in self.stems if each in found) / self._whole if self._whole else 0.0


def beginning(word: str) -> str:
    """Return the part of a word that its forms share, to look for it by the letter."""
    return stem(word).removesuffix("y")
