"""Keep secrets out of everything that is logged, shown, sent to a model or raised.

A secret is known by its shape, or because it was remembered when it came into use. What is cut out leaves a mark that
names it, so that nobody takes the gap for the text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import accumulate
from typing import Any, cast

from attache.foundation.secret_shapes import BY_ANCHOR, KEY_ANCHORS, NAMED, SHORTEST_KEY, Shape, drawn, pattern

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


def redact_data(value: Any, pieces: Collection[str] = ()) -> Any:
    """Return JSON-like data with its texts redacted, keys too; a key's name also judges the value under it.

    `pieces` goes out besides: of a secret that the data holds line by line.
    """
    if isinstance(value, str):
        return _without(redact(value), pieces)
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {redact_data(key, pieces): _redact_named(key, item, pieces) for key, item in items}
    if isinstance(value, list | tuple):
        return [redact_data(item, pieces) for item in cast("list[Any]", value)]
    return value


def pieces_of(text: str) -> frozenset[str]:
    """Return the words of a text's secrets that lie on several lines: each by itself has no shape to be known by."""
    found = (text[start:end] for start, end, _ in secrets(text))
    return frozenset(word for each in found if "\n" in each for word in _PIECE.findall(each))


def _without(text: str, pieces: Collection[str]) -> str:
    for piece in pieces:
        if piece in text:
            text = text.replace(piece, _MARK.format("secret"))
    return text


_PIECE = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


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


def _redact_named(key: Any, value: Any, pieces: Collection[str]) -> Any:
    if not (isinstance(value, str) and len(value) >= _SHORTEST and isinstance(key, str) and secret_name(key)):
        return redact_data(value, pieces)
    head = f'{key}="'
    return redact(f'{head}{value}"').removeprefix(head).removesuffix('"')


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, name) of each secret, in no order."""
    words = set(text.split())  # code repeats itself: a third of it is left to search for names, a fifth for keys
    yield from _plain(text, words)
    yield from _encoded(text, words)
    if "\n" in text:
        begun = tuple(_begun(words))
        if begun or _remembered:
            yield from _split(text, begun)


def _plain(text: str, words: set[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the secrets that stand there as they are, in one piece."""
    for value, name in tuple(_remembered.items()):
        for start in _all(text, value):
            yield start, start + len(value), name
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


# ---------------------------------------------------------------- encoded


def _encoded(text: str, words: set[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the runs of base64 and hexadecimal, also over several lines, that say a secret."""
    for code in set(_CODE.findall("\n".join(word for word in words if len(word) >= _SHORTEST_CODE))):
        if not (_MIXED if len(code) < _SHORT else _HAS_DIGIT).search(code):
            continue
        for start in _all(text, code):
            whole = _WRAPPED.match(text, start)
            if whole and (name := _hidden("".join(whole[0].split()))):
                yield *whole.span(), name


def _hidden(code: str) -> str:
    """Return the name of the secret that a run of hexadecimal or base64 says, "" for none."""
    for data in _decoded(code):
        with suppress(UnicodeDecodeError):
            said = data.decode()
            for _, _, name in _plain(said, set(said.split())):
                return name
    return ""


def _decoded(code: str) -> Iterator[bytes]:
    from base64 import urlsafe_b64decode

    if _HEX.fullmatch(code):
        yield bytes.fromhex(code[: len(code) // 2 * 2])
        return
    plain = code.rstrip("=").translate(_URL_SAFE)
    for skip in range(4):  # what stands before it may run into it
        part = plain[skip:]
        if len(part) % 4 == 1:
            part = part[:-1]
        yield urlsafe_b64decode(part + "=" * (-len(part) % 4))


_SHORTEST_CODE = 24
_CODE = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}")
_WRAPPED = re.compile(r"[A-Za-z0-9+/_-]{20,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,}(?=={0,2}\s*(?:\n|$)))*={0,2}")
_HAS_DIGIT = re.compile(r"[0-9]")
_MIXED = re.compile(r"(?=.*[0-9])(?:(?=.*[A-Z])(?=.*[a-z])|[0-9a-fA-F]+$)")
_HEX = re.compile(r"[0-9a-fA-F]+")
_URL_SAFE = str.maketrans("+/", "-_")


# ---------------------------------------------------------------- split over lines


def _begun(words: set[str]) -> Iterator[str]:
    """Yield the beginnings of keys that stand in a word which might go on in the next line."""
    kept = (word for word in words if len(word) >= _SHORTEST_BEGUN and word[-1] in _MAY_GO_ON and "(" not in word)
    every = "\n".join(kept)
    for anchor in KEY_ANCHORS:
        if len(anchor) < _SHORTEST_ANCHOR:
            continue
        starts = (start for start in _all(every, anchor) if not every[start - 1 : start].isalnum())
        if any(_BEGUN.match(every, start + len(anchor)) for start in starts):
            yield anchor


def _split(text: str, begun: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Yield the secrets that a line end parts: in wrapped output, or as strings that are put together."""
    pieces, places, ends = _pieces(text)
    joined = "".join(pieces)
    found = [
        (start, start + len(value), name) for value, name in tuple(_remembered.items()) for start in _all(joined, value)
    ]
    for anchor in begun:
        found += _split_keys(joined, anchor, ends)
    for start, end, name in found:
        first, last = bisect_right(ends, start), bisect_left(ends, end)
        if first != last:
            offset = places[last] + end - (ends[last] - len(pieces[last]))
            yield places[first] + start - (ends[first] - len(pieces[first])), offset, name


def _split_keys(joined: str, anchor: str, ends: list[int]) -> Iterator[tuple[int, int, str]]:
    for start in _all(joined, anchor):
        line = bisect_right(ends, start)
        begin = ends[line - 1] if line else 0
        for shape in BY_ANCHOR[anchor]:
            match = pattern(shape).match(joined[begin : start + _LONGEST], start - begin)
            if match is None or begin + match.end() <= ends[line] or not drawn(match[0]):
                continue
            alone = pattern(shape).match(joined[begin : ends[line]], start - begin) is not None
            end = begin + match.end()
            for at in range(bisect_left(ends, end) - 1, line - 1, -1):  # a word of the next line is no part of it
                rest, shorter = joined[ends[at] : end], pattern(shape).match(joined[begin : ends[at]], start - begin)
                if shorter and (not _CONTINUED.search(rest) or (alone and len(rest) < _SHORTEST)):
                    end = ends[at]
            if end > ends[line]:
                yield start, end, shape.name


def _pieces(text: str) -> tuple[list[str], list[int], list[int]]:
    """Return the lines without what parts them, where each begins in the text, and where it ends once joined."""
    pieces: list[str] = []
    places: list[int] = []
    position, closed = 0, False
    for line in text.split("\n"):
        bare = line.lstrip(_GLUE)
        if piece := bare.rstrip(_GLUE):
            start = position + len(line) - len(bare)
            opened, closed_before = _quoted(line[: len(line) - len(bare)]), closed
            closed = _quoted(bare[len(piece) :])
            apart = opened != closed_before  # a string ends there, or begins
            pieces.append(f"\n{piece}" if apart else piece)
            places.append(start - apart)
        position += len(line) + 1
    return pieces, places, list(accumulate(map(len, pieces)))


def _quoted(glue: str) -> bool:
    return '"' in glue or "'" in glue


def _all(text: str, value: str) -> Iterator[int]:
    start = text.find(value)
    while start >= 0:
        yield start
        start = text.find(value, start + len(value))


_GLUE = " \t\r\"'+\\()"
_LONGEST = 400
_SHORTEST_BEGUN, _SHORTEST_ANCHOR = 6, 3
_MAY_GO_ON = frozenset("\"'+\\-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_BEGUN = re.compile(r"[A-Za-z0-9_.=-]*[\"'+\\]*$", re.MULTILINE)
_CONTINUED = re.compile(r"[0-9]|[a-z][A-Z]|[A-Z]{2}[a-z]")


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
