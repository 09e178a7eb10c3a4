"""The text of a plan, a Markdown file whose steps are items of a task list: pure functions on texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

SUFFIX: Final = ".plan.md"
RUNNING: Final = "▍ working"
_STEP: Final = re.compile(
    r"(?P<before>[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[)(?P<mark>[ xX~-])(?P<after>\][ \t]+)(?P<title>.*\S)[ \t\r]*"
)
_NUMBERED: Final = re.compile(r"^\d+[.)][ \t]+(?=\S)")
_DONE: Final = "xX"
_SKIPPED: Final = "~-"


class Step(NamedTuple):
    """One item, with what is indented below it: lines [line, end) of the document."""

    number: int
    """From 1, in the order of the document."""
    line: int
    end: int
    title: str
    mark: str
    detail: str

    @property
    def done(self) -> bool:
        """Whether it needs no run any more: done, or skipped."""
        return self.mark in _DONE + _SKIPPED

    @property
    def name(self) -> str:
        """Return the title without a number of its author's: steps are counted anyway."""
        return _NUMBERED.sub("", self.title)

    @property
    def asked(self) -> str:
        """Return what is to be done: the item, and what its author wrote below it."""
        return f"{self.title}\n{self.detail}".strip()


def is_plan(uri: str) -> bool:
    """Whether a document is a plan."""
    return uri.endswith(SUFFIX)


def steps(text: str) -> Iterator[Step]:
    """Yield the steps, in their order; what follows an item indented, or quoted under it, belongs to it."""
    lines = text.split("\n")
    number = 0
    for at, line in enumerate(lines):
        found = _STEP.fullmatch(line)
        if found is None:
            continue
        number += 1
        indent = len(found["before"]) - len(found["before"].lstrip())
        end = at + 1
        while end < len(lines) and _belongs(lines[end], indent):
            end += 1
        below = [each.strip() for each in lines[at + 1 : end]]
        detail = "\n".join(each for each in below if each and not each.startswith(">"))
        yield Step(number, at, end, found["title"], found["mark"], detail)


def _belongs(line: str, indent: int) -> bool:
    bare = line.lstrip()
    return bool(bare) and len(line) - len(bare) > indent and not _STEP.fullmatch(line)


def marked(text: str, step: Step, mark: str, note: str = "") -> str:
    """Return the text with a step's mark set, and with `note` as the quote below it instead of the one there was."""
    lines = text.split("\n")
    found = _STEP.fullmatch(lines[step.line])
    if found is None:
        return text
    head = f"{found['before']}{mark}{found['after']}{found['title']}"
    indent = " " * (len(found["before"]) - len(found["before"].lstrip()) + 2)
    below = [line for line in lines[step.line + 1 : step.end] if not line.lstrip().startswith(">")]
    quote = [f"{indent}> {line}".rstrip() for line in note.strip().splitlines()]
    return "\n".join([*lines[: step.line], head, *below, *quote, *lines[step.end :]])


def same(text: str, step: Step) -> Step | None:
    """Return the step as it stands in a text that changed since: the one with its title, nearest to where it was."""
    alike = [each for each in steps(text) if each.title == step.title]
    return min(alike, key=lambda each: abs(each.line - step.line), default=None)
