"""The words in comments: those that stand right above a definition, without their marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attache.index.languages import Language

DOC_LIMIT = 2_000
"""Characters of documentation that are kept of one definition."""
_ATTRIBUTE = b"#["  # of Rust: it stands between a comment and the name that both belong to
_MARKS = re.compile(
    r"^[ \t]*(?:///?!?|//!|/\*\*?!?|\*(?!/)|#+!?|<!--|--)[ \t]?|[ \t]*(?:\*+/|-->)[ \t]*$", re.MULTILINE
)
_TAG = re.compile(r"</?\w+[^<>]*>")


def comment_above(lines: Sequence[bytes], row: int, language: Language) -> tuple[int, str]:
    """Return the first row of the comment (and of attributes) right above `row`, and its words."""
    marks, opener, closer = language.marks
    top = row
    found: list[bytes] = []
    while top > 0:
        line = lines[top - 1].strip()
        if line.startswith(_ATTRIBUTE):
            top -= 1
            continue
        if marks and line.startswith(marks):
            first = top - 1
        elif closer and line.endswith(closer):
            first = _opening(lines, top - 1, opener)
        else:
            break
        if first < 0:
            break
        found[:0] = lines[first:top]
        top = first
    return top, plain(b"\n".join(found).decode("utf-8", "replace")) if found else ""


def _opening(lines: Sequence[bytes], row: int, opener: bytes) -> int:
    """Return the row that opens the comment which ends on `row`; -1 where code stands before it."""
    while row > 0 and opener not in lines[row]:
        row -= 1
    return row if lines[row].lstrip().startswith(opener) else -1


def plain(comment: str) -> str:
    """Return the words of a comment: its marks, the tags of XML documentation and the indentation taken off."""
    text = _MARKS.sub("", comment[: 2 * DOC_LIMIT])
    return flush(_TAG.sub("", text) if "</" in text else text)


def flush(text: str) -> str:
    """Return a text without the indentation of its lines."""
    return "\n".join(map(str.strip, text[: 2 * DOC_LIMIT].strip().split("\n")))[:DOC_LIMIT].rstrip()
