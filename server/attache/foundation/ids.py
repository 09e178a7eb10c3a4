"""Ids that sort by the time they were made and never clash."""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a digit."""


def new_id(prefix: str) -> str:
    """Return `<prefix>_` and 20 characters: 10 for the millisecond, 10 (50 bits) by chance."""
    number = (time.time_ns() // 1_000_000 << 50) | secrets.randbits(50)
    return f"{prefix}_" + "".join(ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))
