"""Cures for a bracket, comma or quote that was forgotten or mistaken: only where the whole text then parses better."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from attache.tools.fixes.cures.case import Case, Patches, parses_better, rule

PY = (".py", ".pyi")
TS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
SEPARATORS = frozenset(",;:")
_CODE_END = r"\s*(?:#.*)?$"


def _behind_last(case: Case) -> tuple[int, int]:
    """Return where the token before the finding ends: line, and offset in it."""
    number, end = case.number, case.finding.place.column - 1
    while number > 1 and not case.at(number)[:end].strip():
        number -= 1
        end = len(case.at(number))
    bare = re.sub(r"\s*//.*$", "", case.at(number)[:end]) if number < case.number else case.at(number)[:end]
    return number, len(bare.rstrip())


def _first_better(case: Case, *ways: Patches) -> Patches:
    return next((way for way in ways if way and parses_better(case, way)), ())


@rule(TS, r"^'([,;:)\]}])' expected\.?$")
def put_expected(case: Case) -> Patches:
    """Put the `{}` that is expected."""
    mark = case.name
    start = case.finding.place.column - 1
    there = case.line[start : start + 1]
    number, end = _behind_last(case)
    instead = case.replace(case.number, start, start + 1, mark) if mark in SEPARATORS and there in SEPARATORS else ()
    before = case.at(number)[end - 1 : end]
    in_place = case.replace(number, end - 1, end, mark) if mark in SEPARATORS and before in SEPARATORS else ()
    return _first_better(case, instead, in_place, case.replace(number, end, end, mark))


_UNCLOSED = re.compile(r"'([(\[{])' was never closed")


@rule(PY, r"^Expected |^[Uu]nexpected EOF|was never closed|^Positional argument cannot follow")
def close_bracket(case: Case) -> Patches:
    """Close the bracket."""
    try:
        ast.parse(case.text)
    except SyntaxError as error:
        unclosed, number = _UNCLOSED.match(error.msg or ""), error.lineno or 1
    except ValueError:
        return ()
    else:
        return ()
    if unclosed is None:
        return ()
    mark = {"(": ")", "[": "]", "{": "}"}[unclosed[1]]
    indent = len(case.at(number)) - len(case.at(number).lstrip())
    last = number
    while last < len(case.lines) and len(case.at(last + 1)) - len(case.at(last + 1).lstrip()) > indent:
        last += 1
    return _first_better(case, *(way for each in dict.fromkeys((number, last)) for way in _closed(case, each, mark)))


def _closed(case: Case, number: int, mark: str) -> Iterator[Patches]:
    """Yield the ways to close a bracket at the end of a line: behind all, or before the colon."""
    code = re.sub(_CODE_END, "", case.at(number))
    yield case.replace(number, len(code), len(code), mark)
    if code.endswith(":"):
        yield case.replace(number, len(code) - 1, len(code) - 1, mark)


@rule(PY, r"missing closing quote in string literal|unterminated string literal")
def close_quote(case: Case) -> Patches:
    """Close the text."""
    quote = next((char for char in case.line[case.finding.place.column - 1 :] if char in "\"'"), "")
    code = case.line.rstrip()
    tail = re.search(r"[)\]},:]*$", code)
    if not quote or tail is None:
        return ()
    ways = [case.replace(case.number, at, at, quote) for at in range(tail.start(), len(code) + 1)]
    right = [way for way in ways if parses_better(case, way)]
    return right[0] if len(right) == 1 else ()


RULES = (put_expected, close_bracket, close_quote)
