"""Completions that were made lately, found again while the user types along them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.foundation.ids import new_id
from attache.security.veil import Veil

if TYPE_CHECKING:
    from attache.providers.fill import Filler
    from attache.schema.data import Uri

BEFORE: Final = 6_000
"""Code points before the cursor that are looked at."""
_MOST_KEPT: Final = 200


class Around(NamedTuple):
    """The text on both sides of the cursor."""

    before: str
    behind: str


@dataclass(slots=True)
class Ghosts:
    """What was completed lately, and who fills in."""

    kept: OrderedDict[tuple[Uri, Around], str] = field(default_factory=OrderedDict[tuple["Uri", Around], str])
    veil: Veil = field(default_factory=lambda: Veil(new_id("g")))
    fillers: dict[str, Filler | None] = field(default_factory=dict[str, "Filler | None"])

    def recall(self, uri: Uri, around: Around) -> str | None:
        """Return what is known for a place: what was completed right here, or where the user typed on along it."""
        if (known := self.kept.get((uri, around))) is not None:
            return known
        for (other, earlier), text in reversed(self.kept.items()):
            if other == uri and earlier.behind == around.behind:
                for typed in range(1, len(text)):
                    if around.before.endswith(text[:typed]) and _is_before(around.before[:-typed], earlier.before):
                        return text[typed:]
        return None

    def keep(self, uri: Uri, around: Around, text: str) -> None:
        """Remember a completion."""
        self.kept[uri, around] = text
        while len(self.kept) > _MOST_KEPT:
            self.kept.popitem(last=False)


def _is_before(text: str, earlier: str) -> bool:
    """Whether a text is the one that stood before the cursor earlier; the window may have lost its beginning."""
    return text == earlier or (len(earlier) == BEFORE and earlier.endswith(text))
