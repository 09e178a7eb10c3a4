"""Run the tests, and explain what failed: what was expected, where it was raised, and what that means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attache.providers.offline.evidence import Quote, blocked, code
from attache.providers.offline.meanings import meaning
from attache.providers.offline.plans import Asked, Call, Done, Step

EXPLAINED = 4
AROUND = 3
_FAILED = re.compile(r"^(?P<name>\S.*?) at (?P<path>[^\s:][^:\n]*):(?P<line>\d+)(?:: (?P<message>.*))?$", re.MULTILINE)


def check(asked: Asked) -> Step:
    """Run the tests that were named, or all."""
    if "test" not in asked.tools:
        return Done("Running tests is not allowed in this mode; switch to build.")
    if not asked.results("test"):
        chosen = [place.path for place in asked.intent.places]
        if not chosen and asked.intent.names:
            if not asked.results("references"):
                return [Call("references", {"name": asked.intent.names[0].rpartition(".")[2]})]
            chosen = _tests_of(asked)
        return [Call("test", {"selection": chosen} if chosen else {})]
    _, result = asked.results("test")[-1]
    failures = list(_FAILED.finditer(result.text))[:EXPLAINED] if result.is_error else []
    if not failures:
        return Done(blocked(result.text))
    if not asked.results("read"):
        return [_read(each["path"], int(each["line"])) for each in failures]
    head = result.text.partition("\n")[0]
    blocks = [_block(asked, each) for each in failures]
    every = len(_FAILED.findall(result.text))
    more = f"\n\n… and {every - len(failures)} more, in the run above." if every > len(failures) else ""
    return Done("\n\n".join((head, *blocks)) + more)


def _tests_of(asked: Asked) -> list[str]:
    found = [
        use.path for use in asked.passages("references") if re.search(r"(?:^|/)test_|_test\.|[.]test[.]", use.path)
    ]
    return list(dict.fromkeys(found))[:EXPLAINED]


def _read(path: str, line: int) -> Call:
    return Call("read", {"path": path, "start_line": max(1, line - AROUND), "end_line": line + AROUND})


def _block(asked: Asked, failure: re.Match[str]) -> str:
    path, line, message = failure["path"], int(failure["line"]), failure["message"] or ""
    quotes = list(_around(asked, path, line))
    said = next((each for each in quotes if each.line == line), None)
    means = meaning(message)
    parts = [
        f"**{failure['name']}**" + (f": {message}" if message else ""),
        f"It was raised at {said}" if said else f"It was raised at {path}:{line}.",
        code(quotes, len(quotes)),
        means,
    ]
    return "\n\n".join(part for part in parts if part)


def _around(asked: Asked, path: str, line: int) -> Iterator[Quote]:
    wanted: dict[str, Any] = _read(path, line).arguments
    for call, result in asked.results("read"):
        if call.arguments == wanted:
            yield from asked.quotes_of(result, path)
            return
