"""One piece of text replaced by another: to the letter where it stands so, else as whole lines with the usual slack."""

from __future__ import annotations

import re

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.workspace.documents import split_lines
from attache.workspace.formats.hunks import between
from attache.workspace.formats.rewriting import rewritten
from attache.workspace.locate import locate, main_newline, with_newline

_ENDS = ("\n", "\r")


def replaced(text: str, search: str, put: str, path: str) -> str:
    """Return the text with `put` where `search` stands.

    Raises EditRefused where that is nowhere or at several places, and where the replacement may be meant in two ways.
    """
    if search.strip() and search not in text and with_newline(search, main_newline(text)) not in text:
        return _by_lines(text, search, put, path)
    edit = locate(text, search, put, path)
    if search.startswith(_ENDS) and put and not put.startswith(_ENDS) and not _at_line_start(text, edit.start):
        return _by_lines(text, search, put, path)  # else a line would run together with the one before it
    _refuse_doubtful(text, edit, search, put, path)
    after = text[edit.end :]
    return text[: edit.start] + edit.text + (main_newline(text) if _joins(text, edit, search, put) else "") + after


def _by_lines(text: str, search: str, put: str, path: str) -> str:
    if put.endswith(_ENDS) and not search.endswith(_ENDS):
        raise _refused(path, "the replacement ends its last line, the text to replace does not")
    hunk = between(_lines(search), _lines(put, open_ended=not search.endswith(_ENDS)))
    after = rewritten(text, [hunk], path)
    if after == text and search != put:
        raise _refused(path, "the replacement changes nothing but blank lines that are not there")
    return after


def _lines(text: str, *, open_ended: bool = False) -> list[str]:
    """Return the lines, all ended; what follows the last line end is one only in an open-ended text."""
    lines = split_lines(text)
    kept = lines if lines[-1] or open_ended else lines[:-1]
    return [line if line.endswith(_ENDS) else f"{line}\n" for line in kept]


def _at_line_start(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in "\r\n"


def _joins(text: str, edit: TextEdit, search: str, put: str) -> bool:
    """Return whether a line would run together with the one behind it, for want of a line end that was forgotten."""
    forgotten = search.endswith(_ENDS) and put[-1:].strip() != ""
    return forgotten and _at_line_start(text, edit.start) and edit.end < len(text)


def _refuse_doubtful(text: str, edit: TextEdit, search: str, put: str, path: str) -> None:
    ended = put.endswith(_ENDS) and not search.endswith(_ENDS) and put.rstrip("\r\n") != search
    if ended and _at_line_start(text, edit.start) and text[edit.end : edit.end + 1] in {"\r", "\n"}:
        raise _refused(path, "the replacement ends its last line, the text to replace does not")
    margin = re.search(r"(?:\A|[\r\n])([ \t]+)\Z", text[: edit.start])
    if margin and len(split_lines(search.strip())) == 1 and not _fits(put, margin[1]):
        raise _refused(path, "the text to replace lacks its indentation, and the lines of the replacement may too")


def _fits(put: str, margin: str) -> bool:
    """Return whether the lines of a replacement are indented as if the first one stood behind the margin."""
    first, *others = (line.rstrip() for line in split_lines(put) if line.strip())
    opens = first.endswith((":", "{", "(", "["))
    deeper = not others or len(others[0]) - len(others[0].lstrip()) > len(margin)
    return all(line.startswith(margin) for line in others) and (deeper or not opens)


def _refused(path: str, what: str) -> EditRefused:
    return EditRefused(f"{path}: {what}", hint="quote whole lines, with their indentation and both ended alike")
