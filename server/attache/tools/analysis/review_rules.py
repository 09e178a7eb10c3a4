"""What a review looks for without a model: one function a rule, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from attache.foundation.redact import redact
from attache.index.languages import languages
from attache.index.parse import outline
from attache.schema.code import Symbol
from attache.schema.data import Record
from attache.schema.documents import Diagnostic, Place, Severity
from attache.tools.wording import lines_of

LONG_LINES = 70
COMPLEX_BRANCHES = 15
WHOLE_LINES = 40
"""A file needs a test once it has this many lines."""
_LATER = "TODO|FIXME|XXX|HACK"
_LEFT = re.compile(rf"(?:#|//|/\*|<!--|--|;|\*)\s*.*?\b({_LATER})\b")
_MARK = re.compile(r"\[redacted ([\w .-]{2,60})\]")
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_BRANCH = re.compile(r"\b(?:if|elif|for|while|case|catch|except|and|or|when|match|guard)\b|&&|\|\||(?<=\s)\?(?=\s)")
_WORDS = re.compile(
    r'"""[\s\S]*?"""|'
    r"'''[\s\S]*?'''|/\*[\s\S]*?\*/|"
    r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?:#|//).*"
)
"""Comments and strings: what is said in them is no branch."""
_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|testing|__tests__)/|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)\.|Tests?\."
)
_TESTED = frozenset({"python", "typescript", "tsx", "javascript", "go", "rust", "java", "ruby", "c_sharp", "php"})
_BODIES = frozenset({"function", "method"})
_DEFINES = frozenset({"function", "method", "class"})


class Finding(Record):
    """One thing to look at: what, and why it matters, a sentence each."""

    path: str
    line: int
    end_line: int
    column: int = 1
    end_column: int | None = None
    severity: Severity
    code: str
    what: str
    why: str


class Reviewed(NamedTuple):
    """One file under review."""

    path: str
    text: str
    new: Collection[int] | None
    """The numbers of the lines that are under review; None: all."""
    paths: Collection[str]
    """Every file of the workspace."""

    def has(self, line: int, end_line: int | None = None) -> bool:
        """Whether any line from `line` on is under review."""
        return self.new is None or any(line <= each <= (end_line or line) for each in self.new)


class Rule(NamedTuple):
    """One row: what it finds as (first line, last line, sentence), how grave it is and why."""

    find: Callable[[Reviewed], Iterator[tuple[int, int, str]]]
    code: str
    severity: Severity
    why: str


RULES: list[Rule] = []


def rule(code: str, severity: Severity, *, why: str) -> Callable[[Find], Find]:
    """Put a function into the table."""

    def put(find: Find) -> Find:
        RULES.append(Rule(find, code, severity, why))
        return find

    return put


Find = Callable[[Reviewed], Iterator[tuple[int, int, str]]]


def found(file: Reviewed) -> list[Finding]:
    """Return what the rules find in a file, in the order of its text."""
    findings = [
        Finding(path=file.path, line=line, end_line=end, severity=row.severity, code=row.code, what=what, why=row.why)
        for row in RULES
        for line, end, what in row.find(file)
    ]
    return sorted(findings, key=lambda each: (each.line, each.code))


@rule(
    "secret",
    "error",
    why="Whoever can read the repository, or its past, can use it: revoke it, and read it from the environment.",
)
def secrets(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find keys, tokens and passwords; they are named, never shown."""
    for number, line in enumerate(lines_of(file.text), 1):
        if not file.has(number):
            continue
        if _KEY_BLOCK.search(line):
            yield number, number, "A private key stands here."
        elif names := set(_MARK.findall(redact(line))) - set(_MARK.findall(line)):
            yield number, number, f"A secret stands here ({', '.join(sorted(names))})."


@rule("todo", "information", why="What is left for later in a comment is seen by nobody who plans; an issue is.")
def left_for_later(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find the marks by which people put work off."""
    for number, line in enumerate(lines_of(file.text), 1):
        if file.has(number) and (mark := _LEFT.search(line)):
            yield number, number, f"{mark[1]} is added here."


@rule(
    "long-function",
    "warning",
    why="What does not fit on a screen is read in parts, and changed without the rest in view.",
)
def long_functions(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find functions that a reader cannot take in at once."""
    for each in _functions(file):
        lines = each.end_line - each.start_line + 1
        if lines > LONG_LINES:
            yield each.line, each.line, f"`{each.qualified}` has {lines} lines, more than {LONG_LINES}."


@rule(
    "complex-function",
    "warning",
    why="Each branch doubles the ways through it; beyond a dozen, tests no longer cover them.",
)
def complex_functions(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find functions with many branches."""
    lines = lines_of(file.text)
    for each in _functions(file):
        body = "\n".join(lines[each.start_line - 1 : each.end_line])
        branches = len(_BRANCH.findall(_WORDS.sub("", body)))
        if branches > COMPLEX_BRANCHES:
            yield (
                each.line,
                each.line,
                f"`{each.qualified}` has about {branches} branches, more than {COMPLEX_BRANCHES}.",
            )


SAME_LINES = 8
"""Lines of code that stand twice, from which on it is worth saying."""


@rule("duplicate", "information", why="What is mended in one place stays broken in the other.")
def duplicates(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find runs of lines of code that stand in a file twice."""
    language = languages().of(file.path)
    if language is None or language.name not in _TESTED:
        return
    lines = [(number, line.strip()) for number, line in enumerate(lines_of(file.text), 1) if len(line.strip()) > 2]  # noqa: PLR2004 - brackets alone say nothing
    seen: dict[tuple[str, ...], int] = {}
    until = 0
    for at in range(len(lines) - SAME_LINES + 1):
        number = lines[at][0]
        run = tuple(line for _, line in lines[at : at + SAME_LINES])
        first = seen.setdefault(run, number)
        if number - first < SAME_LINES or number <= until or len(set(run)) < SAME_LINES // 2:
            continue
        until = lines[at + SAME_LINES - 1][0]
        if file.has(number, until):
            yield number, until, f"These lines stand at line {first} already."


@rule("missing-test", "information", why="A change to it can break what it did, and nothing would say so.")
def missing_tests(file: Reviewed) -> Iterator[tuple[int, int, str]]:
    """Find modules of a tested project that no test is named for."""
    language = languages().of(file.path)
    if language is None or language.name not in _TESTED or is_test(file.path):
        return
    stem = PurePosixPath(file.path).stem.lower().strip("_")
    tests = [path for path in file.paths if is_test(path)]
    named = re.compile(rf"(?:^|[^a-z0-9]){re.escape(stem)}(?:$|[^a-z0-9])|^{re.escape(stem)}tests?$")
    if not tests or any(named.search(PurePosixPath(path).stem.lower()) for path in tests):
        return
    if len(lines_of(file.text)) < WHOLE_LINES or not any(each.kind in _DEFINES for each in _symbols(file)):
        return
    yield 1, 1, f"No test is named for `{PurePosixPath(file.path).name}`."


def is_test(path: str) -> bool:
    """Return whether a file is a test by its name."""
    return _TEST.search(path) is not None


# ---------------------------------------------------------------- what linters say

_WHY = (
    (("invalid-syntax", "syntax", "E9"), "Nothing in this file runs as it stands."),
    (("F82", "F63", "F70"), "It fails as soon as this line is reached."),
    (("F401", "F811", "F841"), "What is not used misleads who reads it, and costs time at every start."),
    (("S",), "It is a known way into a program."),
    (("B", "PLE", "RUF"), "It is known to surprise: the code may not do what it seems to."),
)
_ANY = "The project's linter asks for it, so it stands between this change and a green run."


def of(diagnostic: Diagnostic) -> Finding:
    """Return a linter's diagnostic as a finding."""
    place: Place = diagnostic.place
    why = next((why for codes, why in _WHY if diagnostic.code.startswith(codes)), _ANY)
    message = redact(diagnostic.message.rstrip("."))
    return Finding(
        path=place.path, line=place.line, end_line=place.end_line or place.line, column=place.column,
        end_column=place.end_column, severity=diagnostic.severity, code=diagnostic.code or diagnostic.source,
        what=f"{message[:1].upper()}{message[1:]}.", why=why,
    )  # fmt: skip


def _symbols(file: Reviewed) -> tuple[Symbol, ...]:
    language = languages().of(file.path)
    return outline(language.name, file.text, file.path) if language else ()


def _functions(file: Reviewed) -> Iterator[Symbol]:
    """Yield the functions that the review is about: those with a line of theirs under review."""
    for each in _symbols(file):
        if each.kind in _BODIES and file.has(each.start_line, each.end_line):
            yield each
