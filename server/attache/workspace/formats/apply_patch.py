"""The apply_patch envelope: files to add, delete, change and move between `*** Begin Patch` and `*** End Patch`.

    *** Begin Patch
    *** Update File: src/greeting.py
    @@ def greet():
    -    print("hello")
    +    print("hello, world")
    *** End Patch

Every line of a hunk begins with its mark; `@@` names a line above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from attache.schema.errors import EditRefused
from attache.workspace.formats.hunks import Hunk, Line, Mark, marked, told_lines
from attache.workspace.formats.names import clean
from attache.workspace.formats.steps import Delete, Step, Update, Write

_BEGIN, _END, _END_OF_FILE = "*** Begin Patch", "*** End Patch", "*** End of File"
_HEADER = re.compile(r"\s*\*\*\* (Add|Delete|Update) File:\s*(.*?)\s*\Z")
_MOVE = re.compile(r"\s*\*\*\* Move to:\s*(.*?)\s*\Z")
_RANGES = re.compile(r"-\d+(,\d+)? \+\d+(,\d+)?( @@|\Z)")  # of a unified diff, put in by mistake; they say nothing here
_MARKS: dict[str, Mark] = {" ": " ", "-": "-", "+": "+"}


@dataclass(frozen=True, slots=True)
class _Told:
    """A line of the instruction with its number, from 1."""

    number: int
    text: str


def steps(instruction: str) -> tuple[Step, ...]:
    """Read the envelopes of an instruction."""
    lines = [_Told(number, text) for number, text in enumerate(told_lines(instruction), 1)]
    read = tuple(step for envelope in _envelopes(lines) for step in _sections(envelope))
    if not read:
        raise EditRefused("the patch is empty", hint=_FORM)
    return read


def _envelopes(lines: Sequence[_Told]) -> Iterator[Sequence[_Told]]:
    at = 0
    begins = [n for n, line in enumerate(lines) if line.text.strip() == _BEGIN]
    if not begins:
        raise EditRefused(f"there is no line `{_BEGIN}` in the instruction", hint=_FORM)
    for begin in begins:
        if begin < at:
            continue  # a line of the file
        end = _end(lines, begin)
        if end is None:
            raise EditRefused(
                f"the patch on line {begin + 1} has no line `{_END}`", hint="it may be cut off: send it whole"
            )
        yield lines[begin + 1 : end]
        at = end + 1


def _end(lines: Sequence[_Told], begin: int) -> int | None:
    """Return the line that ends an envelope: one with blanks around it only where no other does."""
    ends = [n for n in range(begin + 1, len(lines)) if lines[n].text.strip() == _END]
    return next((n for n in ends if lines[n].text.rstrip() == _END), ends[-1] if ends else None)


def _sections(lines: Sequence[_Told]) -> Iterator[Step]:
    at = 0
    while at < len(lines):
        line = lines[at]
        header = _HEADER.match(line.text)
        if not line.text.strip():
            at += 1
            continue
        if header is None or not header[2]:
            raise EditRefused(
                f"line {line.number} of the instruction is no file header: {line.text.strip()!r}", hint=_FORM
            )
        end = next((n for n in range(at + 1, len(lines)) if _is_header(lines[n].text)), len(lines))
        yield _section(header[1], clean(header[2]), lines[at], lines[at + 1 : end])
        at = end


def _is_header(text: str) -> bool:
    """Return whether a line begins the next file; one with a blank before it is a line of this file."""
    return text.startswith("*** ") and not text.startswith((_END_OF_FILE, "*** Move to:"))


def _section(kind: str, path: str, header: _Told, body: Sequence[_Told]) -> Step:
    if kind == "Add":
        return Write(path, _added(body), ended=True)
    if kind == "Delete":
        if wrong := next((line for line in body if line.text.strip()), None):
            raise EditRefused(f"line {wrong.number} of the instruction follows a deletion: {wrong.text!r}", hint=_FORM)
        return Delete(path)
    move = _MOVE.match(body[0].text) if body else None
    hunks = tuple(_hunks(body[1:] if move else body))
    if not hunks and not move:
        raise EditRefused(f"{path}: line {header.number} of the instruction updates nothing", hint=_FORM)
    return Update(path, hunks, new_path=clean(move[1]) if move else "", overwrite=True)


def _added(body: Sequence[_Told]) -> str:
    told = [number for number, line in enumerate(body) if line.text.strip()]
    lines = body[: told[-1] + 1] if told else ()
    if wrong := next((line for line in lines if line.text.strip() and not line.text.startswith("+")), None):
        raise EditRefused(f"line {wrong.number} of the instruction adds a line without `+`: {wrong.text!r}", hint=_FORM)
    return "".join(f"{line.text[1:]}\n" for line in lines)


def _hunks(body: Sequence[_Told]) -> Iterator[Hunk]:
    """Yield the hunks of a file: `@@` lines, each naming a line above, and then the lines themselves."""
    named = [line.text.startswith("@@") for line in body]
    begins = [n for n in range(len(body)) if n == 0 or (named[n] and not named[n - 1])]
    for begin, end in pairwise((*begins, len(body))):
        head = next((n for n in range(begin, end) if not named[n]), end)
        lines = tuple(line for told in body[head:end] if not _ends_file(told) for line in _lines(told.text))
        if any(line.told or line.mark != " " for line in lines):
            anchors = tuple(anchor for told in body[begin:head] if (anchor := _anchor(told.text)))
            only_new = end == len(body) and not anchors and all(line.mark == "+" for line in lines)
            at_end = only_new or any(map(_ends_file, body[head:end]))
            yield Hunk(lines, body[begin].number, anchors=anchors, bound=True, at_end=at_end, ended=True, marked=True)
        elif head > begin:
            raise EditRefused(f"line {body[begin].number} of the instruction begins a hunk without lines", hint=_FORM)


def _ends_file(told: _Told) -> bool:
    return told.text.strip() == _END_OF_FILE


def _anchor(text: str) -> str:
    named = text.removeprefix("@@").strip()
    return _RANGES.sub("", named).removesuffix("@@").strip()


def _lines(text: str) -> Iterator[Line]:
    """Yield a line as it stands in a hunk; one that lacks its mark is one that stays, which the file confirms."""
    mark = _MARKS.get(text[:1])
    yield from marked(mark or " ", (text[1:] if mark else text) + "\n", bare=not mark)


_FORM = (
    f"a patch is: {_BEGIN}, then a file each `*** Add File: path`, `*** Delete File: path` or `*** Update File: path` "
    f"with hunks of lines marked ` `, `-` and `+`, then {_END}"
)
