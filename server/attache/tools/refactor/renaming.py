"""What every renaming shares, whatever the language: the question, the proof that no name changed its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.tools.lines import Query, lines_matching
from attache.tools.refactor.programs import mentions
from attache.tools.refactor.semantics.names import Names
from attache.tools.refactor.semantics.uses import Use
from attache.tools.tool import Context

SHOWN = 8
Unsure = Literal["refuse", "leave", "rename"]
Read = Callable[[str], Names | None]


class Asked(NamedTuple):
    """What is to be renamed, and to what."""

    path: str
    line: int
    new_name: str
    name: str
    unsure: Unsure


def listed_places(read: Read, uses: Sequence[Use]) -> str:
    """Return `a.py:1, b.py:2 and 3 more`."""
    shown = [names.source.where(use.start) if (names := read(use.path)) else use.path for use in uses[:SHOWN]]
    return ", ".join(shown) + (f" and {len(uses) - SHOWN} more" if len(uses) > SHOWN else "")


def decided(read: Read, uses: Sequence[Use], unsure: Unsure, what: str) -> tuple[tuple[Use, ...], str]:
    """Return the places to change, and a note on those of which it cannot be told whether they are meant.

    Raises EditRefused with their places where the caller has not said what to do with them.
    """
    sure = tuple(use for use in uses if use.sure)
    doubtful = [use for use in uses if not use.sure]
    if not doubtful:
        return sure, ""
    where = listed_places(read, doubtful)
    if unsure == "refuse":
        raise EditRefused(
            f"whether {what} is meant cannot be told at {where}; nothing was changed",
            hint='look at them, then say unsure="leave" or unsure="rename"',
        )
    if unsure == "leave":
        return sure, f"left though it cannot be told who is meant: {where}"
    return tuple(uses), f"renamed though it cannot be told who is meant: {where}"


def still_said(read: Read, paths: Iterable[str], word: str) -> str:
    """Return where strings and comments say the old name, which stay."""
    rows = [f"{path}:{line}" for path in paths if (names := read(path)) is not None for line in mentions(names, word)]
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"strings and comments still say `{word}`: {', '.join(rows[:SHOWN])}{more}" if rows else ""


def broken(read: Read, paths: Iterable[str]) -> str:
    """Return which files do not parse, so that places in them may have been missed."""
    found = [path for path in paths if (names := read(path)) is not None and names.source.faults]
    return f"these do not parse, look at them: {', '.join(found[:SHOWN])}" if found else ""


async def said_elsewhere(ctx: Context, word: str, suffixes: tuple[str, ...]) -> str:
    """Return which files of other kinds say a name: settings with entry points, notebooks, templates, documents."""
    query = Query(rf"\b{re.escape(word.lstrip('#$'))}\b", limit=1)
    found = await lines_matching(ctx, query)
    others = [each.path for each in found.files if not each.path.endswith(suffixes)]
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f"other files say `{word}` too, as they did: {', '.join(others[:SHOWN])}{more}" if others else ""


def edits_of(read: Read, uses: Iterable[Use], put: Callable[[Use], str]) -> dict[str, list[TextEdit]]:
    """Return the edits that put something in each place."""
    edits: dict[str, list[TextEdit]] = {}
    for use in uses:
        names = read(use.path)
        if names is not None:
            start, end = names.source.offset(use.start), names.source.offset(use.end)
            edits.setdefault(use.path, []).append(TextEdit(start=start, end=end, text=put(use)))
    return edits


def refuse_other_meaning(before: Names, after: Names) -> None:
    """Raise EditRefused where a place of a text is bound otherwise than the same place before."""
    if after.source.faults > before.source.faults:
        raise EditRefused(f"{before.source.path} would not parse any more; nothing was changed", hint="another name")
    pairs = zip(before.meaningful, before.partition(), after.meaningful, after.partition(), strict=False)
    for old, meant, new, means in pairs:
        if meant != means:
            where = before.source.where(old.start)
            raise EditRefused(
                f"{where}: `{new.text}` would mean something else there; nothing was changed",
                hint="that name is taken: choose another",
            )
