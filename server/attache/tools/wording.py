"""How tools put what they found into words: short, located, and plain about what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attache.foundation.redact import redact
from attache.schema.documents import Diagnostic, Place
from attache.workspace.documents import split_lines

LINE_CHARS = 500


def counted(number: int, noun: str) -> str:
    """Return `1 hit`, `1,200 hits`."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        plural = noun[:-1] + "ies"
    else:
        plural = noun + ("es" if noun.endswith(("x", "ch", "sh")) else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def cut(line: str, chars: int = LINE_CHARS) -> str:
    """Return a line, its end left out and counted where it is long."""
    line = _whole(line, chars)
    return line if len(line) <= chars else f"{line[:chars]}… (+{len(line) - chars:,} characters)"


def first_line(text: str, chars: int = 80) -> str:
    """Return the beginning of a text for a title."""
    line, more, _ = text.partition("\n")
    line = _whole(line, chars)
    return line[:chars] + ("…" if more or len(line) > chars else "")


def _whole(text: str, chars: int) -> str:
    """Return a text that is about to be cut without its secrets: half a key has no shape to be known by."""
    return text if len(text) <= chars else redact(text)


def lines_of(text: str) -> list[str]:
    """Return the lines without their ends; what follows the last line end is none."""
    lines = [line.rstrip("\r\n") for line in split_lines(text)]
    return lines if lines[-1] else lines[:-1]


def numbered(lines: Iterable[str], start: int) -> str:
    """Return lines with their numbers, a tab between, as tools show text."""
    return "\n".join(f"{number}\t{cut(line)}" for number, line in enumerate(lines, start))


def middle_out(text: str, chars: int) -> str:
    """Return a text of about `chars` characters: its beginning and, since ends tell more, twice as much of its end."""
    text = _whole(text, chars)
    if len(text) <= chars:
        return text
    head, tail = text[: chars // 3], text[-(chars * 2 // 3) :]
    left_out = text[len(head) : len(text) - len(tail)]
    lines = counted(left_out.count("\n"), "line")
    return f"{head}\n[… {lines}, {counted(len(left_out), 'character')} left out …]\n{tail}"


def finding(diagnostic: Diagnostic) -> str:
    """Return a diagnostic as one line."""
    place = diagnostic.place
    code = f" {diagnostic.code}" if diagnostic.code else ""
    cure = "" if not diagnostic.fix else f" [fix: {diagnostic.fix_title}{'' if diagnostic.safe else ', unsafe'}]"
    return f"{place.path}:{place.line}:{place.column} {diagnostic.severity}{code} {diagnostic.message}{cure}"


def not_named(paths: Sequence[str], shown: int = 5) -> str:
    """Return a note of the files and folders whose names are no text, so that no tool can name them; empty for none."""
    if not paths:
        return ""
    more = f", and {counted(len(paths) - shown, 'other')}" if len(paths) > shown else ""
    return f"[left out, since their names are not UTF-8: {', '.join(paths[:shown])}{more}; rename them by shell]"


def listed(lines: Sequence[str], limit: int, more: str) -> str:
    """Return lines up to a limit, then how many there are more and how to get them."""
    shown = "\n".join(lines[:limit])
    return shown if len(lines) <= limit else f"{shown}\n[… {len(lines) - limit:,} more; {more}]"


def cited(path: str, line: int, end_line: int | None = None) -> Place:
    """Return the citation of some lines."""
    return Place(path=path, line=max(line, 1), end_line=end_line if end_line and end_line > line else None)
