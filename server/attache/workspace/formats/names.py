"""Names of files as models write them above an edit: plain, or dressed up in Markdown."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^`]*?)\s*\Z")
_HEADING = re.compile(r"\A(?:#{1,6}\s+|[-*]\s+|\d+[.)]\s+)")
_LABEL = re.compile(r"\A\W*(?:file ?(?:name|path)?|path)\W*:\W*\s", re.IGNORECASE)
_QUOTED = re.compile(r"`([^`]+)`")
_EXTENSION = re.compile(r"\.[A-Za-z]\w{0,11}\Z")
_PLAIN = re.compile(r"[A-Z]+|[a-z]+|\w+file|[\w-]*[-_][\w-]*")  # names that have neither folder nor extension
_MOST_BLANKS = 3  # in a name that is not quoted


class Fence(NamedTuple):
    """A line that opens or closes a code block; one that closes has no `info`."""

    marks: str
    info: str


def fence(line: str) -> Fence | None:
    """Return the fence that a line is."""
    match = _FENCE.match(line)
    return Fence(match[1], match[2]) if match else None


def named(line: str) -> str:
    """Return the file that a line of prose or a heading names, and nothing else; empty where it names none."""
    text = line.strip()
    quoted = _QUOTED.findall(text)
    if len(quoted) == 1 and _like_path(quoted[0].strip()):
        return clean(quoted[0])
    text = _HEADING.sub("", text)
    text = _LABEL.sub("", text)
    bare = text.strip("*`\"' ")
    ends = bare.endswith(":")
    bare = bare.rstrip(":").strip("*`\"' ")
    if _like_path(bare) or (not ends and _PLAIN.fullmatch(bare)):
        return clean(bare)
    return ""


def doubtful(path: str, line: str) -> bool:
    """Return whether a name may be prose: blanks before the first folder, and no quotes that hold it together."""
    return " " in path.partition("/")[0] and f"`{path}`" not in line


def named_behind(info: str) -> str:
    """Return the file that is named behind the fence that opens a code block."""
    return next((path for word in re.split(r"[\s:=]+", info) if (path := named(word)) and _like_path(path)), "")


def clean(path: str) -> str:
    """Return a path without what names the same file."""
    path = path.strip()
    return posixpath.normpath(path) if path else ""


def _like_path(text: str) -> bool:
    if not text or "://" in text or text.endswith(("/", "\\")) or text.count(" ") > _MOST_BLANKS:
        return False
    return bool(_EXTENSION.search(text)) or ("/" in text and " " not in text) or text.startswith(".")
