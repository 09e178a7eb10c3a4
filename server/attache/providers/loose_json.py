"""JSON as small models write it: other quotes, no quotes, comments, commas too many or too few, brackets left open.

A text that ends inside a string is never completed: what is missing there nobody knows.
"""

from __future__ import annotations

import re
from typing import Any

from attache.providers.foreign import load, mended

_BLANK = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s,}\]]|$)")
_BARE = re.compile(r"[^\s,:{}\[\]\"']+")
_BARE_VALUE = re.compile(r"[^,{}\[\]\"'\n]+")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_AFTER = re.compile(r"\s*(?:[,}\]:]|$)")
_NEXT_LINE = re.compile(r"[ \t]*\n\s*[\"']")
_DEEPEST = 100


class Unreadable(ValueError):
    """The text is no JSON, even with patience."""


def read(text: str) -> Any:
    """Return the value in `text`, repaired where it is not quite JSON.

    Raises:
        Unreadable: it is none, or it ends inside a string.
    """
    value = load(text)
    if value is not None or text.strip() == "null":
        return value
    value, end = read_at(text, 0)
    if text[end:].strip().strip("`;"):
        raise Unreadable(f"more than one value: {text[end : end + 40]}")
    return value


def read_at(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins at `start`, and where it ends. Raises Unreadable."""
    value, end = _Reader(text).value(start, 0)
    return mended(value), end


class _Reader:
    """A reader that takes what can only have been meant."""

    def __init__(self, text: str) -> None:
        self._text = text

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        at = self._skip(at)
        first = self._text[at : at + 1]
        if depth > _DEEPEST or not first:
            raise Unreadable("it ends where a value is due")
        if first == "{":
            return self._object(at + 1, depth)
        if first == "[":
            return self._list(at + 1, depth)
        if first in _QUOTES:
            return self._string(at)
        if number := _NUMBER.match(self._text, at):
            return load(number[0]), number.end()
        bare = _BARE_VALUE.match(self._text, at)
        if bare is None:
            raise Unreadable(f"no value: {self._text[at : at + 40]}")
        word = bare[0].strip()
        return _WORDS.get(word, word), bare.end()

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while True:
            at = self._skip_commas(at)
            if at >= len(self._text):
                return found, at  # only brackets are missing
            if self._text[at] == "}":
                return found, at + 1
            key, at = self._key(at)
            at = self._skip(at)
            if self._text[at : at + 1] not in {":", "="}:
                raise Unreadable(f"no value for {key}")
            found[key], at = self.value(at + 1, depth + 1)

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            at = self._skip_commas(at)
            if at >= len(self._text):
                return found, at
            if self._text[at] == "]":
                return found, at + 1
            value, at = self.value(at, depth + 1)
            found.append(value)

    def _key(self, at: int) -> tuple[str, int]:
        if self._text[at] in _QUOTES:
            return self._string(at)
        bare = _BARE.match(self._text, at)
        if bare is None:
            raise Unreadable(f"no key: {self._text[at : at + 40]}")
        return bare[0], bare.end()

    def _string(self, at: int) -> tuple[str, int]:
        text, close = self._text, _QUOTES[self._text[at]]
        pieces: list[str] = []
        at += 1
        while at < len(text):
            letter = text[at]
            if letter == "\\":
                piece, at = self._escape(at + 1)
                pieces.append(piece)
                continue
            # A quote that nothing fit for its end follows is one of the text's own, left unescaped.
            if letter == close and (_AFTER.match(text, at + 1) or _NEXT_LINE.match(text, at + 1)):
                return "".join(pieces), at + 1
            pieces.append(letter)
            at += 1
        raise Unreadable("it ends inside a string")

    def _escape(self, at: int) -> tuple[str, int]:
        letter = self._text[at : at + 1]
        if letter == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", digits := self._text[at + 1 : at + 5]):
            return chr(int(digits, 16)), at + 5
        if letter in _ESCAPES:
            return _ESCAPES[letter], at + 1
        # An escape that JSON does not know, as of a regular expression, stands for both its characters.
        return (letter if letter in "\"'\\/`" else f"\\{letter}"), at + 1

    def _skip(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at

    def _skip_commas(self, at: int) -> int:
        at = self._skip(at)
        while self._text[at : at + 1] == ",":
            at = self._skip(at + 1)
        return at
