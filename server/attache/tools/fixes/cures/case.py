"""What a rule is given and what it makes: a finding in its text, and patches of that text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from attache.schema.code import Symbol
from attache.schema.documents import Diagnostic, Patch
from attache.workspace.documents import split_lines

Patches = tuple[Patch, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One finding, whose message a rule matched, and the text it is in."""

    text: str
    finding: Diagnostic
    match: re.Match[str]
    symbols: Sequence[Symbol] = ()
    """The workspace's answer, for rules that ask."""
    lines: list[str] = field(init=False)
    """With their line ends."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", split_lines(self.text))

    @property
    def name(self) -> str:
        """Return the first name that the message names."""
        return next((group for group in self.match.groups() if group), "")

    @property
    def number(self) -> int:
        """Return the line of the finding, from 1."""
        return self.finding.place.line

    @property
    def line(self) -> str:
        """Return the line of the finding without its end."""
        return self.at(self.number)

    @property
    def newline(self) -> str:
        """Return the line end that the text has."""
        return "\r\n" if self.lines and self.lines[0].endswith("\r\n") else "\n"

    def at(self, number: int) -> str:
        """Return a line without its end, empty where there is none."""
        return self.lines[number - 1].rstrip("\r\n") if 1 <= number <= len(self.lines) else ""

    def replace(self, number: int, start: int, end: int, text: str) -> Patches:
        """Return the patch that puts text in place of a part of a line (offsets from 0, the end left out)."""
        path = self.finding.place.path
        return (Patch(path=path, line=number, column=start + 1, end_line=number, end_column=end + 1, text=text),)

    def drop(self, number: int) -> Patches:
        """Return the patch that takes a whole line away."""
        path = self.finding.place.path
        return (Patch(path=path, line=number, column=1, end_line=number + 1, end_column=1, text=""),)

    def insert(self, number: int, line: str) -> Patches:
        """Return the patch that puts a new line before a line."""
        return self.replace(number, 0, 0, line + self.newline)

    def found(self, pattern: str, *, nearest: bool = False) -> re.Match[str] | None:
        """Return where a pattern stands in the line: around the finding's column, else where it stands only once.

        `nearest` takes the first one behind the column where there are several.
        """
        column = self.finding.place.column - 1
        matches = list(re.finditer(pattern, self.line))
        around = [match for match in matches if match.start() <= column < max(match.end(), match.start() + 1)]
        if around:
            return around[0]
        if len(matches) == 1:
            return matches[0]
        return next((match for match in matches if match.start() >= column), None) if nearest else None

    def before(self, pattern: str) -> tuple[int, re.Match[str]] | None:
        """Return the nearest line at or above the finding on which a pattern stands, and where."""
        for number in range(min(self.number, len(self.lines)), 0, -1):
            if match := re.search(pattern, self.at(number)):
                return number, match
        return None


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule wants to know of the workspace: the definitions of a name, or of what some files define."""

    name: str = ""
    paths: tuple[str, ...] = ()
    """The first that the workspace has is meant."""
    members: bool = False
    """Whether what stands in a class of that name is wanted, too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A cure, and the findings it is for."""

    suffixes: tuple[str, ...]
    message: re.Pattern[str]
    title: str
    """What it does, `{}` standing for the first name in the message."""
    cure: Callable[[Case], Patches]
    """Return the patches; none where it is unsure."""
    sure: bool = True
    """Whether it may be made without a person who picked this finding."""
    asks: Callable[[Case], Ask] | None = None
    """What it wants to know of the workspace."""


def definitions(case: Case) -> Ask:
    """Ask for the definitions of the name that the message names."""
    return Ask(case.name)


def rule(
    suffixes: tuple[str, ...], message: str, *, sure: bool = True, asks: Callable[[Case], Ask] | None = None
) -> Callable[[Callable[[Case], Patches]], Rule]:
    """Make a rule of a function; its docstring is the title."""

    def declare(cure: Callable[[Case], Patches]) -> Rule:
        title = (cure.__doc__ or "").partition(".")[0]
        return Rule(suffixes, re.compile(message, re.MULTILINE), title, cure, sure, asks)

    return declare


def swap(suffixes: tuple[str, ...], message: str, title: str, old: str, new: str, *, sure: bool = True) -> Rule:
    """Make a rule that replaces, on the finding's line, what a pattern finds.

    `<1>` in `old` and `new` is the message's first group; `new` may name groups of `old` as `re` does.
    """

    def cure(case: Case) -> Patches:
        found = case.found(_filled(old, case.match, re.escape))
        if found is None:
            return ()
        text = found.expand(_filled(new, case.match, lambda words: words.replace("\\", r"\\")))
        return case.replace(case.number, found.start(), found.end(), text)

    return Rule(suffixes, re.compile(message, re.MULTILINE), title, cure, sure)


def drop(suffixes: tuple[str, ...], message: str, title: str, line: str, *, sure: bool = True) -> Rule:
    """Make a rule that takes the finding's line away, where all of it is what a pattern says."""

    def cure(case: Case) -> Patches:
        whole = re.fullmatch(rf"\s*{_filled(line, case.match, re.escape)}\s*", case.line)
        return case.drop(case.number) if whole else ()

    return Rule(suffixes, re.compile(message, re.MULTILINE), title, cure, sure)


def _filled(pattern: str, match: re.Match[str], escape: Callable[[str], str]) -> str:
    return re.sub(r"(?<!\\g)(?<!\?P)<(\d)>", lambda number: escape(match[int(number[1])] or ""), pattern)


def applied(case: Case, patches: Patches) -> str:
    """Return the text with patches that do not touch one another."""
    starts = [0]
    for line in case.lines:
        starts.append(starts[-1] + len(line))
    last = len(starts) - 1

    def offset(line: int, column: int) -> int:
        return min(starts[min(line - 1, last)] + column - 1, len(case.text))

    text = case.text
    for each in sorted(patches, key=lambda patch: (patch.line, patch.column), reverse=True):
        text = text[: offset(each.line, each.column)] + each.text + text[offset(each.end_line, each.end_column) :]
    return text


def parses_no_worse(case: Case, patches: Patches) -> bool:
    """Whether the text with the patches has no more faults of syntax than it had."""
    path = case.finding.place.path
    return _faults(path, applied(case, patches)) <= _faults(path, case.text)


def parses_better(case: Case, patches: Patches) -> bool:
    """Whether the text with the patches has fewer faults of syntax than it had."""
    path = case.finding.place.path
    return _faults(path, applied(case, patches)) < _faults(path, case.text)


def _faults(path: str, text: str) -> int:
    if not path.endswith((".py", ".pyi")):
        from attache.tools.diagnostics import syntax

        return len(syntax(path, text))
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return 1
    return 0
