"""The text of a chat document: pure functions from one Markdown text to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from attache.schema.errors import UserError

YOU: Final = "You"
AGENT: Final = "Attaché"
_TURN: Final = re.compile(rf"## ({YOU}|{AGENT})[ \t\r]*")
_FENCE: Final = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_FIELD: Final = re.compile(r"([a-z]+):[ \t]*(.*?)[ \t\r]*")


class Turn(NamedTuple):
    """What one side said: lines [first, end) of the document, the heading at `first`."""

    who: str
    first: int
    end: int


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


def _quoted(said: str) -> str:
    """Return what was said such that it stays one turn: no line of it is a heading of ours, no fence stays open.

    Headings in fences are escaped too: which fences are open depends on what else stands in the document.
    """
    lines = re.sub(r"\r\n?", "\n", said).strip().split("\n")
    return "\n".join(f"\\{line}" if _TURN.fullmatch(line) else line for line in lines) + _end_of_fence(lines)


def _closed(text: str) -> str:
    """Return the text without blanks at its end, and with the fence closed that its last turn leaves open."""
    last = list(turns(text))[-1:]
    text = text.rstrip()
    return text + _end_of_fence(text.split("\n")[last[0].first if last else 0 :])


def question(text: str) -> str:
    """Return what the user wrote last. Raises UserError where nothing stands there."""
    last = list(turns(text))[-1:]
    lines = text.split("\n")
    asked = "\n".join(lines[last[0].first + 1 : last[0].end]).strip() if last and last[0].who == YOU else ""
    if not asked:
        raise UserError("nothing to send", hint=f"write below the last `## {YOU}` of the document, then send it")
    return asked


def answered(text: str, answer: str) -> str:
    """Return the text with the answer to what was asked last, and room for the next question."""
    return f"{_closed(text)}\n\n## {AGENT}\n{_quoted(answer)}\n\n## {YOU}\n\n"


def exchanged(text: str, asked: str, answer: str) -> str:
    """Return the text with a question and its answer put before what the user is writing."""
    said = f"## {YOU}\n{_quoted(asked)}\n\n## {AGENT}\n{_quoted(answer)}\n\n"
    last = list(turns(text))[-1:]
    if not last or last[0].who != YOU:
        return f"{_closed(text)}\n\n{said}## {YOU}\n\n"
    lines = text.split("\n")
    return "\n".join(lines[: last[0].first]) + "\n" * bool(last[0].first) + said + "\n".join(lines[last[0].first :])
