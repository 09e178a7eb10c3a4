"""Which places a developer means first: the code itself, then its tests, its documents, and what others wrote."""

from __future__ import annotations

import re

TEST = re.compile(r"(?:^|/)(?:tests?|specs?|testing|__tests__)/|(?:^|/)(?:test_|conftest\.)|[._-](?:test|spec)\.")
_DOCUMENT = re.compile(r"(?:^|/)(?:docs?|examples?)/|\.(?:md|rst|txt|html|adoc)$")
_OTHERS = re.compile(
    r"(?:^|/)(?:_?vendor(?:ed)?|third[-_]?party|3rd[-_]?party|node_modules|bower_components|site-packages)/"
    r"|(?:^|/)[A-Za-z][\w.]*(?:-[A-Za-z][\w.]*)*-\d+\.\d+[\w.+-]*/"
    r"|\.min\.(?:js|css)$|_pb2(?:_grpc)?\.pyi?$|\.pb\.go$|\.d\.[cm]?ts$"
)
"""Vendored trees, folders of one release of something, and what programs wrote."""


OTHERS = 3
"""How far aside what others wrote stands."""


def aside(path: str) -> int:
    """Return how far a file stands from the code itself: 0 code, 1 tests, 2 documents, 3 what others wrote."""
    return OTHERS if _OTHERS.search(path) else 1 if TEST.search(path) else 2 if _DOCUMENT.search(path) else 0
