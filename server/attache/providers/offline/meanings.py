"""What common error messages mean in plain words: the rows of `meanings.toml`, over what is printed where."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Meaning(NamedTuple):
    """One row: how a message looks, and what it says, `{0}` standing for its first group."""

    message: re.Pattern[str]
    says: str


@cache
def meanings() -> tuple[Meaning, ...]:
    """Return the rows; the first that fits a message counts."""
    text = files("attache.providers.offline").joinpath("meanings.toml").read_text("utf-8")
    return tuple(Meaning(re.compile(row["message"]), row["says"]) for row in tomllib.loads(text)["meaning"])


def meaning(text: str) -> str:
    """Return what an error message means, empty where no row knows it."""
    for row in meanings():
        if found := row.message.search(text):
            return row.says.format(*((group or "that").strip() for group in found.groups()))
    return ""
