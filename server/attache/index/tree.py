"""Syntax trees: made within a time limit, and made again from the one that stood before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from attache.index.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Tree

_READ_BYTES = 16 * 1024
_INSIDE = range(0x80, 0xC0)
"""Bytes that do not begin a character."""


class Slow(Exception):
    """The grammar took longer than it may."""


class Grown(NamedTuple):
    """A text and its tree."""

    data: bytes
    tree: Tree


def grow(language: Language, data: bytes, limit_seconds: float, before: Grown | None = None) -> Grown:
    """Return the tree of a text in UTF-8; only what differs from the one `before`, which is used up, is read again.

    Raises:
        Slow: it took longer than it may.
        ImportError: the grammar is not installed.
    """
    from tree_sitter import Parser

    parser = Parser(language.grammar.language)
    deadline = time.monotonic() + limit_seconds

    def late(_at: int, _broken: object) -> bool:
        return time.monotonic() > deadline

    try:
        if before:
            return Grown(data, parser.parse(_windows(data), _edited(before, data), progress_callback=late))
        return Grown(data, parser.parse(_windows(data), progress_callback=late))
    except ValueError as error:
        raise Slow from error


class _Window(threading.local):
    """What the parser of one thread is shown a text through, part by part.

    tree-sitter 0.26.1 never lets go of what it is given to read. So it is given the same few objects ever again.
    """

    def __init__(self) -> None:
        self.buffer = bytearray(_READ_BYTES)
        self.parts: dict[int, memoryview] = {}
        """The first bytes of the buffer, by how many they are."""


_window = _Window()


def _windows(data: bytes) -> Callable[[int, object], memoryview]:
    def read(at: int, _point: object) -> memoryview:
        part = data[at : at + _READ_BYTES]
        size = len(part)
        _window.buffer[:size] = part
        if size not in _window.parts:
            _window.parts[size] = memoryview(_window.buffer)[:size]
        return _window.parts[size]

    return read


def _edited(before: Grown, data: bytes) -> Tree:
    """Return the tree that stood before, told which part of its text is another now."""
    old, tree = before
    start = _alike(len(old), len(data), lambda n: old[:n] == data[:n])
    while start and start < len(data) and data[start] in _INSIDE:
        start -= 1
    tail = _alike(len(old) - start, len(data) - start, lambda n: old[len(old) - n :] == data[len(data) - n :])
    while tail and data[-tail] in _INSIDE:
        tail -= 1
    ends = len(old) - tail, len(data) - tail
    tree.edit(start, *ends, _point(old, start), _point(old, ends[0]), _point(data, ends[1]))
    return tree


def _alike(one: int, other: int, same: Callable[[int], bool]) -> int:
    """Return the most bytes that are the `same`, where fewer always are."""
    least, most = 0, min(one, other)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if same(middle) else (least, middle - 1)
    return least


def _point(data: bytes, at: int) -> tuple[int, int]:
    return data.count(b"\n", 0, at), at - data.rfind(b"\n", 0, at) - 1
