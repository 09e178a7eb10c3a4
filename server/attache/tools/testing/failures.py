"""What a test runner's output says: how many passed, and which failed, where and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from attache.schema.documents import Place

_COUNT = re.compile(r"(\d+) ([a-z]+)|([A-Za-z]+)[ =](\d+)")
_WORDS = {
    "passed": "passed", "pass": "passed", "passing": "passed",
    "failed": "failed", "fail": "failed", "failing": "failed", "failures": "failed",
    "error": "errors", "errors": "errors",
    "skipped": "skipped", "skip": "skipped", "ignored": "skipped", "pending": "skipped", "todo": "skipped",
    "ran": "ran",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not pass."""

    name: str
    message: str = ""
    place: Place | None = None


def counts(output: str, totals: re.Pattern[str]) -> dict[str, int]:
    """Add up the numbers in the lines that `totals` finds, under one word for each outcome."""
    found: dict[str, int] = {}
    for line in totals.findall(output):
        for number, word, word_before, number_after in _COUNT.findall(line):
            outcome = _WORDS.get((word or word_before).lower())
            if outcome:
                found[outcome] = found.get(outcome, 0) + int(number or number_after)
    if ran := found.pop("ran", 0):
        found["passed"] = ran - sum(found.values())
    return found


def by_pattern(output: str, failed: re.Pattern[str], place: re.Pattern[str]) -> tuple[Failure, ...]:
    """Find failures by the line that names each; its place and message stand between it and the next one.

    Groups of `failed`: name. Groups of `place`: path, line and maybe message; the last match counts, which is where
    it was raised.
    """
    failures = [
        _failure(match["name"].strip(), list(place.finditer(output, match.end(), end)))
        for match, end in _headed(output, failed)
    ]
    return tuple({failure.name: failure for failure in reversed(failures)}.values())[::-1]


def _headed(text: str, head: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
    """Yield each head with the offset at which the next one begins, or the text ends."""
    found = list(head.finditer(text))
    bounds = [*(match.start() for match in found), len(text)]
    return zip(found, bounds[1:], strict=True)


def _failure(name: str, places: list[re.Match[str]]) -> Failure:
    if not places:
        return Failure(name)
    last = places[-1].groupdict()
    return Failure(name, (last.get("message") or "").strip(), Place(path=last["path"], line=int(last["line"])))


# ---------------------------------------------------------------- pytest

_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (?P<id>[^\[\n]+?(?:\[.*?\])?)(?: - (?P<message>.*))?$", re.MULTILINE)
_SECTION = re.compile(r"^_{3,} (?P<title>.+?) _{3,}$", re.MULTILINE)
_AT = re.compile(r"^(?P<path>[^\s:][^\n:]*|[A-Za-z]:[^\n:]+):(?P<line>\d+): ", re.MULTILINE)
_REASON = re.compile(r"^E +(.+)$", re.MULTILINE)


def of_pytest(output: str) -> tuple[Failure, ...]:
    """Read pytest's short summary, and the places from the tracebacks above it (`-rfE --tb=short`)."""
    body, found, summary = output.rpartition(" short test summary info ")
    if not found:
        return ()
    sections: dict[str, list[str]] = {}
    for title, text in _sections(body):
        sections.setdefault(title, []).append(text)
    failures: list[Failure] = []
    for match in _SUMMARY.finditer(summary):
        texts = sections.get(_title(match["id"]))
        text = texts.pop(0) if texts else ""
        reason = _REASON.search(text)
        message = match["message"] or (reason[1] if reason else "")
        failures.append(Failure(match["id"], message, _raised_at(text)))
    return tuple(failures)


def _sections(body: str) -> Iterator[tuple[str, str]]:
    for match, end in _headed(body, _SECTION):
        title = re.sub(r"^ERROR (?:collecting|at (?:setup|teardown) of) ", "", match["title"])
        yield title, body[match.end() : end]


def _title(node: str) -> str:
    """Return how pytest heads the section of a node: without its file, unless it is one."""
    path, _, inside = node.partition("::")
    return inside.replace("::", ".") if inside else path


def _raised_at(text: str) -> Place | None:
    inside = [match for match in _AT.finditer(text) if not re.match(r"/|[A-Za-z]:|\.\.", match["path"])]
    return Place(path=inside[-1]["path"].replace("\\", "/"), line=int(inside[-1]["line"])) if inside else None
