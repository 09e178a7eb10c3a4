"""Which files a developer means last, by their names: tests, and what others or a program wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ASIDE = re.compile(
    r"(?:^|/)(?:_?vendor(?:ed)?|third[-_]?party|3rd[-_]?party|node_modules|bower_components|site-packages)/"
    r"|(?:^|/)[A-Za-z][\w.]*(?:-[A-Za-z][\w.]*)*-\d+\.\d+[\w.+-]*/"
    r"|\.min\.(?:js|css)$|_pb2(?:_grpc)?\.pyi?$|\.pb\.go$"
)
_COMPILED = re.compile(r"(?P<stem>.+?)(?:\.[cm]?js|\.jsx|\.d\.[cm]?ts)")
_TYPED = (".ts", ".tsx")
_OUTPUT = frozenset({"dist", "lib", "build", "out", "cjs", "esm", "es", "umd"})
"""Folders that compilers write to."""
_TEST = re.compile(r"(?:^|/)(?:tests?|specs?|testing)/|(?:^|/)test_|[._](?:test|spec)\.")


def is_test(path: str) -> bool:
    """Return whether a file is a test by its name."""
    return _TEST.search(path) is not None


def is_aside(path: str) -> bool:
    """Return whether a file was written elsewhere or by a program, by its name."""
    return _ASIDE.search(path) is not None


def sources(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield from which TypeScript files scripts and declarations may have been made: the source, and the product."""
    for path in paths:
        if match := _COMPILED.fullmatch(path):
            yield from ((f"{stem}{suffix}", path) for stem in _stems(match["stem"]) for suffix in _TYPED)


def _stems(stem: str) -> set[str]:
    """Return where the source of a product may stand: beside it, or below `src`, in place of an output folder."""
    parts = stem.split("/")
    found = {stem, *("/".join((*parts[:at], "src", *parts[at:])) for at in range(len(parts)))}
    for at, part in enumerate(parts[:-1]):
        if part in _OUTPUT:
            found |= {"/".join((*parts[:at], *middle, *parts[at + 1 :])) for middle in ((), ("src",))}
    return found
