"""What the units of columns are, as agreed with the client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attache.foundation.positions import Encoding, to_column, to_units

__all__ = ["Encoding", "negotiate", "to_column", "to_units"]

_KNOWN: Final[dict[str, Encoding]] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}


def negotiate(offered: Sequence[str]) -> Encoding:
    """Return the encoding that the client likes best; one that says nothing speaks UTF-16."""
    for name in offered:
        if name in _KNOWN:
            return _KNOWN[name]
    return "utf-16"
