"""Patterns that are small and would take for ever: each ends at once, and ordinary ones mean what they did."""

from __future__ import annotations

import time

import pytest

from attache.tools.listing import glob, matching

PATHS = ("a" * 200, "d/" * 60 + "a", ("a" * 200 + "/") * 20 + "c")


@pytest.mark.parametrize(
    "pattern",
    [
        "a*" * 30 + "b",
        "**/" * 12 + "x*y*z*",
        "**/d" * 12 + "/x",
        "{a,b}" * 30,
        "**" * 20 + "b",
        "*" * 50 + "b",
        "**/*a*a*a*a/**/*a*a*a*a/**/b",
    ],
)
def test_a_pattern_ends_at_once(pattern: str) -> None:
    began = time.monotonic()
    matching(pattern, PATHS)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.py", "a/b/c.py", True), ("*.py", "a.pyi", False), ("src/*.py", "src/a/b.py", False), ("src/**/*.py", "src/b.py", True),
        ("src/**/*.py", "src/a/b/c.py", True), ("src/**", "src/a/b", True), ("src/**", "lib/a", False), ("**.py", "a/b.py", True),
        ("**/test_*_a*.py", "x/y/test_b_a_a.py", True), ("a/**/b/**/c", "a/b/x/b/y/c", True), ("a/**/b/**/c", "a/x/c", False),
        ("*.{ts,tsx}", "a/b.tsx", True), ("[ab]?.c", "x/bz.c", True), ("[!ab]*.c", "x/az.c", False), ("*a*b*", "x/1a2b3", True),
        ("./src/a.py", "src/a.py", True), ("**/**/a", "b/c/a", True), ("*.*.py", "a.b.c.py", True),
    ],
)  # fmt: skip
def test_ordinary_patterns_mean_what_they_say(pattern: str, path: str, fits: bool) -> None:
    assert bool(glob(pattern).fullmatch(path)) is fits
