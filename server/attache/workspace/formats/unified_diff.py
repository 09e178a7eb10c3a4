"""Unified diffs, as git writes them or plain, with line numbers right, wrong or missing: the content says where.

    --- a/src/greeting.py
    +++ b/src/greeting.py
    @@ -1,2 +1,2 @@
     def greet():
    -    print("hello")
    +    print("hello, world")

What git says besides of names and of a missing last line end counts; the mode of a file that is there does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from attache.schema.errors import EditRefused
from attache.workspace.formats.hunks import Hunk, Line, Mark, marked, told_lines
from attache.workspace.formats.names import clean, fence
from attache.workspace.formats.steps import Delete, Step, Update, Write

_NOWHERE = "/dev/null"
_RANGE = re.compile(r"@@\s*-(\d+)(?:,(\d+))?\s+\+(\d+)(?:,(\d+))?\s*@@\s?(.*)\Z")
_NO_RANGE = re.compile(r"@@(?:[\s.…\d,+-]*@@)?\s?(.*)\Z")
_EXTENDED = re.compile(
    r"(old mode|new mode|(?:deleted|new) file mode|(?:rename|copy) (?:from|to)|index|\w+ index) (.*)\Z"
)
_TIMESTAMP = re.compile(r"(?:\t.*|\s+\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*)\Z")
_TWO_NAMES = re.compile(r'("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)\Z')
_PREFIX = re.compile(r"[abciow]/")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_INDEX = re.compile(r"([0-9a-f]{7,40})\.\.([0-9a-f]{7,40})\b")
_NO_FILE = re.compile(r"(?:\A| )1[26]0000\Z")  # the modes of links and of submodules
_MARKS: dict[str, Mark] = {" ": " ", "-": "-", "+": "+"}
_BETWEEN = ("@@", "diff --git ", "Index: ", "Binary files ", "GIT binary patch", "Only in ")
_COPIES = (".orig", ".old", ".bak", "~")  # names that a file is kept under while it is changed


class _Header(NamedTuple):
    """What the header of a hunk says: where it stands, how long it is, and a line above it."""

    start: int | None
    counts: tuple[int, int] | None
    anchor: str


@dataclass(slots=True)
class _Section:
    """What a diff says of one file."""

    number: int
    old: str = ""
    new: str = ""
    git: tuple[str, str] = ("", "")
    """The names in git's own header."""
    named: bool = False
    """Whether it has `---` and `+++`."""
    said: dict[str, str] = field(default_factory=dict[str, str])
    """Git's extended headers."""
    hunks: list[Hunk] = field(default_factory=list[Hunk])


def steps(instruction: str) -> tuple[Step, ...]:
    """Read the diff of an instruction."""
    sections = _sections(told_lines(instruction))
    if not sections:
        raise EditRefused("there is no diff in the instruction", hint=_FORM)
    sections = [each for each in sections if not _mode_alone(each)] or sections
    plain = any(_both(section) and not _prefixed(section, plain=False) for section in sections)
    return tuple(_out_of_the_way([_step(section, prefixed=_prefixed(section, plain=plain)) for section in sections]))


def _mode_alone(section: _Section) -> bool:
    """Whether nothing but the mode of a file changes, which does not count."""
    return "new mode" in section.said and not section.hunks and not any("from" in key for key in section.said)


def _out_of_the_way(left: list[Step]) -> Iterator[Step]:
    """Yield the steps in their order, but a file that is moved away before the one that takes its name."""
    while left:
        moved = {step.path for step in left if isinstance(step, Update) and step.new_path}
        free = next((step for step in left if not isinstance(step, Update) or step.new_path not in moved), left[0])
        left.remove(free)
        yield free


# ---------------------------------------------------------------- lines


def _sections(lines: Sequence[str]) -> list[_Section]:
    sections: list[_Section] = []
    at = 0
    fenced = False
    while at < len(lines):
        line, last = lines[at], sections[-1] if sections else None
        if line.startswith("diff --git "):
            names = _git_names(line.removeprefix("diff --git "))
            sections.append(_Section(at + 1, *names, git=names))
            at = _extended(lines, at + 1, sections[-1].said)
        elif _names_file(lines, at):
            if last is None or last.named or last.hunks:
                last = _Section(at + 1)
                sections.append(last)
            last.old, last.new, last.named = _name(lines[at][4:]), _name(lines[at + 1][4:]), True
            at += 2
        elif line.startswith("@@") or (last and last.named and not last.hunks and line[:1] in _MARKS):
            if last is None:
                raise EditRefused(f"the hunk on line {at + 1} of the instruction belongs to no file", hint=_FORM)
            hunk, at = _hunk(lines, at, fenced=fenced)
            last.hunks.append(hunk)
        elif line.startswith(("Binary files ", "GIT binary patch")):
            raise EditRefused(f"line {at + 1} of the instruction: a diff of bytes, not of text", hint="write the file")
        else:
            fenced ^= fence(line) is not None
            at += 1
    return sections


def _names_file(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _extended(lines: Sequence[str], at: int, said: dict[str, str]) -> int:
    while at < len(lines) and (match := _EXTENDED.match(lines[at])):
        said[match[1]] = match[2]
        at += 1
    return at


def _hunk(lines: Sequence[str], at: int, *, fenced: bool) -> tuple[Hunk, int]:
    """Return the hunk that begins at a line, and the line behind it; `fenced` where a code block holds the diff."""
    header = _header(lines[at])
    first = at + lines[at].startswith("@@")
    end = _counted_end(lines, first, *header.counts) if header.counts else None
    if end is None:
        end = _end(lines, first, fenced=fenced)
    told: list[Line] = []
    for raw in lines[first:end]:
        if not raw.startswith("\\"):
            mark = _MARKS.get(raw[:1])
            told += marked(mark or " ", (raw[1:] if mark else raw) + "\n", bare=not mark)
        elif told:
            told[-1] = replace(told[-1], end="")
    anchors = (header.anchor,) if header.anchor else ()
    return Hunk(tuple(told), at + 1, header.start, anchors, marked=True), end


def _end(lines: Sequence[str], first: int, *, fenced: bool) -> int:
    """Return where a hunk ends that does not count right; a code block inside of it may be the file's own."""
    inside = 0
    for number in range(first, len(lines)):
        found = fence(lines[number])
        over = not any(line.strip() for line in lines[number + 1 :])
        if found is not None and not over and (found.info or inside or not fenced):
            inside += 1 if found.info else -(inside > 0)
        elif _ends_hunk(lines, number):
            return number
    return len(lines)


def _header(line: str) -> _Header:
    if match := _RANGE.match(line):
        old, new = int(match[2] or 1), int(match[4] or 1)
        return _Header(int(match[1]) - (old > 0), (old, new), match[5].strip())
    match = _NO_RANGE.match(line)
    return _Header(None, None, match[1].strip() if match else "")


def _counted_end(lines: Sequence[str], at: int, old: int, new: int) -> int | None:
    """Return where a hunk ends by its own count; None where that is wrong."""
    while at < len(lines) and (old > 0 or new > 0):
        mark = lines[at][:1]
        if mark not in {"", " ", "-", "+", "\\"} or _begins_file(lines, at):
            return None
        old -= mark in {"", " ", "-"}
        new -= mark in {"", " ", "+"}
        at += 1
    while at < len(lines) and lines[at].startswith("\\"):
        at += 1
    behind = next((n for n in range(at, len(lines)) if lines[n]), None)
    goes_on = behind is not None and lines[behind][:1] in _MARKS and not _ends_hunk(lines, behind)
    return at if old == new == 0 and not goes_on else None


def _begins_file(lines: Sequence[str], at: int) -> bool:
    return _names_file(lines, at) and at + 2 < len(lines) and lines[at + 2].startswith("@@")


def _ends_hunk(lines: Sequence[str], at: int) -> bool:
    signature = lines[at].rstrip() == "--" and not any(lines[at + 2 :])
    return lines[at].startswith(_BETWEEN) or fence(lines[at]) is not None or signature or _begins_file(lines, at)


# ---------------------------------------------------------------- files


def _name(told: str) -> str:
    told = told.rstrip() if told.startswith('"') else _TIMESTAMP.sub("", told).rstrip()
    return _unquoted(told)


def _unquoted(name: str) -> str:
    """Return a name that git may have quoted in the manner of C."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):  # noqa: PLR2004 (both quotes)
        return name
    raw = _ESCAPE.sub(lambda m: bytes([_ESCAPES.get(m[1]) or int(m[1], 8)]), name[1:-1].encode())
    return raw.decode("utf-8", "surrogateescape")


def _git_names(told: str) -> tuple[str, str]:
    """Return the two names behind `diff --git`, empty where they cannot be told apart: other lines say them then."""
    half = len(told) // 2
    if told[half : half + 1] == " " and told[:half].partition("/")[2] == told[half + 1 :].partition("/")[2]:
        return told[:half], told[half + 1 :]
    match = _TWO_NAMES.match(told)
    return (_unquoted(match[1]), _unquoted(match[2])) if match else ("", "")


def _both(section: _Section) -> bool:
    return all(name and name != _NOWHERE for name in (section.old, section.new))


def _prefixed(section: _Section, *, plain: bool) -> bool:
    """Return whether names stand behind `a/` and `b/`; `plain` is what a name alone is taken for."""
    names = [name for name in (section.old, section.new) if name and name != _NOWHERE]
    one, other = (name.partition("/") for name in section.git)
    if one[2] and one[2] == other[2] and one[0] != other[0] and not any("from" in key for key in section.said):
        return True  # git was told to put other words before the names
    return all(map(_PREFIX.match, names)) and (section.old[0] != section.new[0] if _both(section) else not plain)


def _step(section: _Section, *, prefixed: bool) -> Step:
    said, hunks = section.said, tuple(section.hunks)
    where = f"line {section.number} of the instruction"
    if any(_NO_FILE.search(value) for key, value in said.items() if "mode" in key or key == "index"):
        raise EditRefused(f"{where}: {section.new} is a link or a submodule, not a file", hint="make it with a command")
    old, new = (
        clean(name.partition("/")[2] if prefixed and name != _NOWHERE else name) for name in (section.old, section.new)
    )
    if "new file mode" in said or section.old == _NOWHERE:
        return Write(new, _created(section), over="none", executable=said.get("new file mode", "").endswith("755"))
    if "deleted file mode" in said or section.new == _NOWHERE:
        return Delete(old, hunks)
    for verb in ("rename", "copy"):
        if f"{verb} from" in said and f"{verb} to" in said:
            old, new = (clean(_unquoted(said[f"{verb} {end}"])) for end in ("from", "to"))
            return Update(old, hunks, new_path=new, copy=verb == "copy", blobs=_blobs(section))
    if not hunks:
        what = "changes nothing but the mode" if "new mode" in said else "has no hunks"
        raise EditRefused(f"{where}: the diff of {new or 'a file'} {what}", hint=_FORM)
    if old != new and old not in {new + ending for ending in _COPIES}:
        raise EditRefused(
            f"{where}: the diff names two files, {old} and {new}", hint="say `rename from` and `rename to` to move one"
        )
    return Update(new, hunks, blobs=_blobs(section))


def _blobs(section: _Section) -> tuple[str, str]:
    """Return how git's names of the file begin, before and afterwards."""
    match = _INDEX.match(section.said.get("index", ""))
    return (match[1], match[2]) if match else ("", "")


def _created(section: _Section) -> str:
    lines = [line for hunk in section.hunks for line in hunk.lines]
    if any(line.mark == "-" or (line.mark == " " and line.told) for line in lines):
        raise EditRefused(
            f"line {section.number} of the instruction: a new file has lines that stand there already",
            hint="mark all of its lines with `+`",
        )
    return "".join(line.text + line.end for line in lines if line.mark == "+")


_FORM = "a diff is: --- a/path, +++ b/path, then hunks that begin with @@ and quote the lines around each change"
