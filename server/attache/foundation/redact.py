"""Keep secrets out of everything that is logged, shown, sent to a model or raised.

A secret is known by its shape, or because it was remembered when it came into use. What is cut out leaves a mark that
names it, so that nobody takes the gap for the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from attache.foundation.secret_shapes import BY_ANCHOR, KEY_ANCHORS, NAMED, SHORTEST_KEY, Shape, pattern

_MARK = "[redacted {}]"
_MARKED = re.compile(r"\[redacted [\w .-]{2,60}\]")
_SHORTEST = 8
_SURE = 16
"""From this length on a remembered value need not mix letters and digits."""
_SHORT = 64

_remembered: dict[str, str] = {}
"""Every spelling of a remembered value, with its name."""


def redact(text: str) -> str:
    """Return `text` with a mark in place of each secret."""
    if len(text) < _SHORTEST:
        return text
    return _redact_again(text) if len(text) <= _SHORT else _redact(text)


def _redact(text: str) -> str:
    spans = sorted(_spans(text))
    if not spans:
        return text
    pieces: list[str] = []
    done = 0
    for start, end, name in spans:
        if start >= done:
            pieces += text[done:start], _MARK.format(name)
        done = max(done, end)
    return "".join([*pieces, text[done:]])


_redact_again = lru_cache(maxsize=4096)(_redact)
"""Names, ids and labels come again and again."""


def secrets(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, name) of each secret in a text, in its order, none inside another."""
    kept: list[tuple[int, int, str]] = []
    for start, end, name in sorted(_spans(text)):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, name))
    return kept


def redact_data(value: Any) -> Any:
    """Return JSON-like data with its texts redacted, keys too; a key's name also judges the value under it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {redact_data(key): _redact_named(key, item) for key, item in items}
    if isinstance(value, list | tuple):
        return [redact_data(item) for item in cast("list[Any]", value)]
    return value


def marked(text: str) -> bool:
    """Say whether a mark stands in `text`: written to a file, it would overwrite the secret that stands there."""
    return _MARKED.search(text) is not None


def secret_name(name: str) -> bool:
    """Say whether a variable, header or key with this name holds a secret by all that is usual."""
    return NAMED.search(name) is not None


def remember_secret(value: str, name: str = "secret") -> None:
    """Cut out `value` from now on, also in hexadecimal, base64, URL and JSON spelling.

    Values that are too short or too plain to be told from ordinary words, such as the `ollama` that local servers take
    for a key, are left alone.
    """
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    if len(value) >= (_SHORTEST if mixed else _SURE):
        _remembered.update(dict.fromkeys(_spellings(value), name))
        _redact_again.cache_clear()


def remember_environment(environment: Mapping[str, str]) -> None:
    """Remember the value of every variable whose name says that it is secret."""
    for name, value in environment.items():
        if secret_name(name):
            remember_secret(value, "secret")


def _redact_named(key: Any, value: Any) -> Any:
    if not (isinstance(value, str) and len(value) >= _SHORTEST and isinstance(key, str) and secret_name(key)):
        return redact_data(value)
    head = f'{key}="'
    return redact(f'{head}{value}"').removeprefix(head).removesuffix('"')


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, name) of each secret, in no order."""
    for value, name in tuple(_remembered.items()):
        start = text.find(value)
        while start >= 0:
            yield start, start + len(value), name
            start = text.find(value, start + len(value))
    words = set(text.split())  # code repeats itself: a third of it is left to search for names, a fifth for keys
    every, keys = "\n".join(words), "\n".join(word for word in words if len(word) >= SHORTEST_KEY)
    for anchor, shapes in BY_ANCHOR.items():
        if anchor in (keys if anchor in KEY_ANCHORS else every):
            yield from _matches(text, anchor, shapes)


def _matches(text: str, anchor: str, shapes: tuple[Shape, ...]) -> Iterator[tuple[int, int, str]]:
    start = text.find(anchor)
    while start >= 0:
        for shape in shapes:
            match = pattern(shape).match(text, start)
            if match and (shape.check is None or shape.check(match)):
                yield *match.span(match.lastindex or 0), shape.name
        start = text.find(anchor, start + 1)


def _spellings(value: str) -> Iterator[str]:
    import base64
    from urllib.parse import quote

    data = value.encode()
    yield value
    yield data.hex()
    yield data.hex().upper()
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    for shift in range(3):
        # The characters that also depend on what stands before and after the value are left off.
        coded = base64.b64encode(bytes(shift) + data).rstrip(b"=").decode()
        inner = coded[(shift * 8 + 5) // 6 : len(coded) - (1 if (shift + len(data)) % 3 else 0)]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))
