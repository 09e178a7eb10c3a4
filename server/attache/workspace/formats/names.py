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
_SENTENCES = """
add added adding after all also an and apply as at be before below but by change changed changes code complete content
contents copy create created creates creating define delete do edit edited editing edits entire file files final finally
first fix fixed following for from full have here if implement in inside into is it its let like make making modified
modify move need new next now of on open or our place please put remove rename replace replaced revised rewrite
rewritten same save second see should so step store that the then there these this to under update updated updates
updating use using version want was we where which will with within write you your
"""
_WORDS = frozenset(_SENTENCES.split())
"""Words of sentences that end with the name of a file, such as `now change app.py`; few files are called so."""
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


def prose(path: str) -> bool:
    """Return whether what may be a name with blanks reads as a sentence that ends with one."""
    return any(word.casefold().strip(",;.") in _WORDS for word in path.split()[:-1])


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
