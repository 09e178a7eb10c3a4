"""What .gitignore files leave out, entry by entry as git itself decides it.

Git never looks at what lies in a folder that it ignores. So one entry is asked about at a time, on the way down, and a
rule speaks only of the entry that it matches itself, never of what lies below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-\/:-@\[-`{-~", "space": r"\s", "upper": "A-Z",
    "xdigit": "a-fA-F0-9",
}  # fmt: skip
_WILD = re.compile(r"[*?\[\\]")


class Rule(NamedTuple):
    """One line of a .gitignore: what it matches, and what follows from that."""

    pattern: str
    """A regular expression for the whole name, or for the whole path where the line names folders."""
    literal: str
    """The name or path itself where the line has no wildcards, else empty."""
    on_path: bool
    folders_only: bool
    ignores: bool


class IgnoreFile:
    """The rules of one .gitignore, for the entries below the folder that it lies in."""

    __slots__ = ("_base", "_literals", "_names", "_paths", "_prefix", "_rules")

    def __init__(self, text: str, base: str = "", prefix: str = "") -> None:
        """Read the rules; paths lose `base`, the folder's own path, and get `prefix`, the way to where they start."""
        rules = [rule for line in text.removeprefix("\ufeff").split("\n") if (rule := parse_rule(line))]
        self._base = len(base)
        self._prefix = prefix
        self._rules = rules[::-1]  # the last that matches decides
        # Nearly every entry is touched by no rule: these three say so at once.
        self._literals = frozenset(rule.literal for rule in rules)
        self._names = _any_of(rule.pattern for rule in rules if not rule.literal and not rule.on_path)
        self._paths = _any_of(rule.pattern for rule in rules if not rule.literal and rule.on_path)

    def verdict(self, path: str, name: str, *, folder: bool) -> bool | None:
        """Return whether the entry is ignored, None where no rule speaks of it."""
        path = self._prefix + path[self._base :]
        if not (
            name in self._literals
            or path in self._literals
            or (self._names and self._names.match(name))
            or (self._paths and self._paths.match(path))
        ):
            return None
        for rule in self._rules:
            if (folder or not rule.folders_only) and re.fullmatch(rule.pattern, path if rule.on_path else name):
                return rule.ignores
        return None


def ignored(files: Sequence[IgnoreFile], path: str, name: str, *, folder: bool) -> bool:
    """Return what the nearest file that speaks of the entry says; `files` go from the outermost folder inwards."""
    for file in reversed(files):
        if (verdict := file.verdict(path, name, folder=folder)) is not None:
            return verdict
    return False


def parse_rule(line: str) -> Rule | None:
    """Return the rule that a line states, None for blanks, comments and what can match nothing."""
    line = line.removesuffix("\r")
    bare = line.rstrip(" ")
    if bare != line and (len(bare) - len(bare.rstrip("\\"))) % 2:
        bare += " "  # the first of the blanks is escaped, hence meant
    if not bare or bare.startswith("#"):
        return None
    ignores = not bare.startswith("!")
    body = bare.removeprefix("!")
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    on_path = "/" in body
    body = body.removeprefix("/")
    pattern = _translate(body, on_path=on_path)
    if not body or pattern is None:
        return None
    return Rule(pattern, "" if _WILD.search(body) else body, on_path, folders_only, ignores)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(patterns)
    return re.compile(rf"(?s:{joined})\Z") if joined else None


def _translate(body: str, *, on_path: bool) -> str | None:
    """Return a wildcard path as a regular expression, None where it can match nothing.

    Whatever stands between two stars is of fixed length, so its first place is as good as any later one: the groups are
    atomic, and no pattern, however hostile, makes matching slow.
    """
    groups: list[list[str]] = [[]]  # the segments between one `**` and the next
    for segment in body.split("/"):
        if on_path and len(segment) > 1 and not segment.strip("*"):
            groups.append([])
        elif (pattern := _segment(segment)) is not None:
            groups[-1].append(pattern)
        else:
            return None
    if len(groups) == 1:
        return "/".join(groups[0])
    first, *between, last = ["/".join(group) for group in groups]
    head = f"{first}/" if first else ""
    middle = "".join(rf"(?>(?:[^/]+/)*?{group}/)" for group in between if group)
    return head + middle + (rf"(?:[^/]+/)*{last}" if last else ".+")


def _segment(segment: str) -> str | None:
    """Return what stands between two slashes as a regular expression."""
    chunks = [""]  # what stands between one star and the next
    at = 0
    while at < len(segment):
        letter = segment[at]
        at += 1
        if letter == "*":
            chunks.append("")
        elif letter == "?":
            chunks[-1] += "[^/]"
        elif letter == "[":
            found = _character_class(segment, at)
            if found is None:
                return None
            chunks[-1] += found[0]
            at = found[1]
        elif letter == "\\":
            if at == len(segment):
                return None
            chunks[-1] += re.escape(segment[at])
            at += 1
        else:
            chunks[-1] += re.escape(letter)
    if len(chunks) == 1:
        return chunks[0]
    first, *between, last = chunks
    return first + "".join(f"(?>[^/]*?{chunk})" for chunk in between if chunk) + "[^/]*" + last


def _character_class(segment: str, at: int) -> tuple[str, int] | None:
    """Return the class whose bracket opened just before `at`, and where it ends; None where it never does."""
    negated = segment[at : at + 1] in {"!", "^"}
    at += negated
    start, items = at, ""
    while at < len(segment):
        letter = segment[at]
        if letter == "]" and at > start:
            # An empty class matches nothing: all its ranges ran backwards.
            return (f"[^/{items}]" if negated else f"(?!/)[{items}]" if items else r"(?!)"), at + 1
        if letter == "[" and segment[at + 1 : at + 2] == ":":
            name, closed, _ = segment[at + 2 :].partition(":]")
            if not closed or name not in _POSIX_CLASSES:
                return None
            items += _POSIX_CLASSES[name]
            at += len(name) + 4
            continue
        low, at = _class_letter(segment, at)
        high = low
        if segment[at : at + 1] == "-" and segment[at + 1 : at + 2] not in {"", "]"}:
            high, at = _class_letter(segment, at + 1)
        if low <= high:
            items += re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}"
    return None


def _class_letter(segment: str, at: int) -> tuple[str, int]:
    if segment[at] == "\\" and at + 1 < len(segment):
        at += 1
    return segment[at], at + 1
