"""The text of a chat document: pure functions from one Markdown text to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from attache.schema.errors import UserError

SUFFIX: Final = ".chat.md"
YOU: Final = "You"
AGENT: Final = "Attaché"
WORKING: Final = "▍ working"
_LEFT: Final = re.compile(rf"^{WORKING} · .*$", re.MULTILINE)
_TURN: Final = re.compile(rf"## ({YOU}|{AGENT})[ \t\r]*")
_FENCE: Final = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_FIELD: Final = re.compile(r"([a-z]+):[ \t]*(.*?)[ \t\r]*")


class Turn(NamedTuple):
    """What one side said: lines [first, end) of the document, the heading at `first`."""

    who: str
    first: int
    end: int


def is_chat(uri: str) -> bool:
    """Whether a document is a chat."""
    return uri.endswith(SUFFIX)


def begun(title: str, fields: dict[str, str], draft: str) -> str:
    """Return a new document, `draft` standing under the user's first heading."""
    front = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    return f"---\n{front}---\n# {title}\n\n## {YOU}\n{draft}\n"


def fields(text: str) -> dict[str, str]:
    """Return the front matter."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    found: dict[str, str] = {}
    for line in lines[1:]:
        if line.strip() == "---":
            return found
        if match := _FIELD.fullmatch(line):
            found[match[1]] = match[2]
    return {}


def with_field(text: str, name: str, value: str) -> str:
    """Return the text with a field of the front matter set; a document without front matter gets one."""
    lines = text.split("\n")
    if not lines or lines[0].strip() != "---":
        return f"---\n{name}: {value}\n---\n{text}"
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            return "\n".join([lines[0], f"{name}: {value}", *lines[1:]])
        if line.startswith(f"{name}:"):
            return "\n".join([*lines[:number], f"{name}: {value}", *lines[number + 1 :]])
    return text


def turns(text: str) -> Iterator[Turn]:
    """Yield the turns; a heading inside a fenced block is none."""
    lines = text.split("\n")
    fenced = _fenced(lines)
    headings = ((number, _TURN.fullmatch(line)) for number, line in enumerate(lines) if number not in fenced)
    begins = [(heading[1], number) for number, heading in headings if heading]
    ends = [*(first for _, first in begins), len(lines)][1:]
    for (who, first), end in zip(begins, ends, strict=True):
        yield Turn(who, first, end)


def _fenced(lines: Sequence[str]) -> frozenset[int]:
    """Return the lines inside fenced blocks. A fence that nobody closed is none, or it would swallow all turns."""
    inside: set[int] = set()
    opened, fence = 0, ""
    number = 0
    while number < len(lines):
        mark = _FENCE.match(lines[number])
        if mark and not fence:
            opened, fence = number, mark[1]
        elif fence and _closes(lines[number], fence):
            inside.update(range(opened, number + 1))
            fence = ""
        number += 1
        if fence and number == len(lines):
            number, fence = opened + 1, ""
    return frozenset(inside)


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return bare.startswith(fence) and not bare.strip(fence[0])


def _end_of_fence(lines: Iterable[str]) -> str:
    """Return what closes the fence that the lines leave open, if they do, as a line of its own."""
    fence = ""
    for line in lines:
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif mark := _FENCE.match(line):
            fence = mark[1]
    return f"\n{fence}" if fence else ""


def quoted(said: str) -> str:
    """Return what was said such that it stays one turn: no line of it is a heading of ours, no fence stays open.

    Headings in fences are escaped too: which fences are open depends on what else stands in the document.
    """
    lines = re.sub(r"\r\n?", "\n", said).strip().split("\n")
    return "\n".join(f"\\{line}" if _TURN.fullmatch(line) else line for line in lines) + _end_of_fence(lines)


def closed(said: str) -> str:
    """Return what was said with the fence closed that it leaves open."""
    return said + _end_of_fence(said.split("\n"))


def question(text: str) -> str:
    """Return what the user wrote last. Raises UserError where nothing stands there."""
    asked = last_asked(text)
    if asked is None or not said(text, asked):
        raise UserError("nothing to send", hint=f"write below the last `## {YOU}` of the document, then send it")
    return said(text, asked)


def last_asked(text: str) -> Turn | None:
    """Return the user's turn at the end, or the last one before it where they left that empty."""
    last = list(turns(text))[-1:]
    return last[0] if last and last[0].who == YOU else None


def said(text: str, turn: Turn) -> str:
    """Return what stands below a turn's heading."""
    return "\n".join(text.split("\n")[turn.first + 1 : turn.end]).strip()


def answered(text: str) -> list[Turn]:
    """Return the turns of the user's that have an answer."""
    return [one for one, next_ in pairwise(turns(text)) if (one.who, next_.who) == (YOU, AGENT)]


def earlier(text: str, line: int | None) -> Turn | None:
    """Return the turn of the user's that a line is in, where it has an answer already."""
    found = [one for one in answered(text) if line is not None and one.first <= line < one.end]
    return found[0] if found and said(text, found[0]) else None


# ---------------------------------------------------------------- an answer on its way


class Draft(NamedTuple):
    """A document with room for an answer at `at`, counted in code points; what is put there stays one turn."""

    text: str
    at: int
    behind: str
    """What follows the answer once it is whole, where the user has not written it by then."""


def room_behind(text: str) -> Draft:
    """Return the text with a heading for the answer to what was asked last. Nothing that stands there is moved."""
    lines = text.split("\n")
    last = list(turns(text))[-1:]
    fence = _end_of_fence(lines[last[0].first if last else 0 :])
    if text and not text.endswith("\n"):
        fence += "\n"
    blank = "" if not text or f"{text}{fence}".endswith("\n\n") else "\n"
    text = f"{text}{fence}{blank}## {AGENT}\n"
    return Draft(text, len(text), f"\n\n## {YOU}\n\n")


def room_after(text: str, number: int) -> Draft:
    """Return the text up to the end of its turn `number`, with a heading for another answer to it."""
    turn = list(turns(text))[number]
    kept = "\n".join(text.split("\n")[: turn.end]).rstrip()
    return room_behind(f"{kept}\n")


def room_for_exchange(text: str, asked: str) -> Draft:
    """Return the text with a question, and a heading for its answer, put before what the user is writing."""
    last = last_asked(text)
    opening = f"## {YOU}\n{quoted(asked)}\n\n## {AGENT}\n"
    if last is None:
        blank = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        text = f"{text}{_end_of_fence(text.splitlines())}{blank}{opening}"
        return Draft(text, len(text), f"\n\n## {YOU}\n\n")
    lines = text.split("\n")
    before = "".join(f"{line}\n" for line in lines[: last.first])
    rest = "\n".join(lines[last.first :])
    return Draft(f"{before}{opening}\n\n{rest}", len(before) + len(opening), "")


def with_draft(text: str, draft: str) -> str:
    """Return the text with a turn of the user's at its end that begins with a draft."""
    blank = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{blank}## {YOU}\n{draft}\n"


def without_last(text: str) -> str:
    """Return the text without the user's turn at its end."""
    last = last_asked(text)
    return "\n".join(text.split("\n")[: last.first]).rstrip("\n") + "\n" if last else text


def working(doing: str) -> str:
    """Return the line that stands at the end of an answer while it is being written."""
    return f"{WORKING} · {doing} · stop by code action"


def settled(text: str) -> str:
    """Return the text with lines of ours that a crash left behind."""
    return _LEFT.sub("*stopped*", text)
