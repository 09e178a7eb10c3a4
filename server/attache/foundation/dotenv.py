"""Read `.env` files as other programs write them."""

from __future__ import annotations

import re

_ASSIGNMENT = re.compile(
    r"""
    ^[ \t]* (?:export[ \t]+)? (?P<name>[A-Za-z_][A-Za-z0-9_]*) [ \t]*=[ \t]*
    (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>[^']*)' | (?P<bare>[^\n]*?) )
    (?:[ \t]+\#[^\n]*)? [ \t\r]*$
    """,
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Return the variables of a `.env` file; a line that assigns nothing is left out, and `$NAME` is not expanded."""
    return {match["name"]: _value(match) for match in _ASSIGNMENT.finditer(text)}


def line_of(text: str, name: str) -> int:
    """Return the line, from 1, on which `name` gets the value that counts: its last one."""
    starts = [match.start("name") for match in _ASSIGNMENT.finditer(text) if match["name"] == name]
    return text.count("\n", 0, starts[-1]) + 1 if starts else 1


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] if match["single"] is not None else match["bare"]
