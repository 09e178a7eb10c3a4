"""Fix what rules can: the cures that the linters and our own table know, through the `fix` tool."""

from __future__ import annotations

import re

from attache.providers.offline.evidence import blocked
from attache.providers.offline.plans import Asked, Call, Done, Step
from attache.providers.offline.traces import error, is_trace

CODE = "**/*.{py,pyi,ts,tsx,js,jsx,go,rs}"
FILES = 12
"""Files that are cured in one answer."""
_ALL = re.compile(
    r"\b(?:everything|all|every|whole|entire|project|repo(?:sitory)?|code ?base|workspace|imports|lint)\b"
)
_FIXABLE = re.compile(r"^(?P<path>\S[^:\n]*):\d+:\d+ .*\[fix: [^\n]*(?<!unsafe)\]$", re.MULTILINE)


def fix(asked: Asked) -> Step:
    """Apply the known cures to the place that was named, and say what was done and what is left."""
    if "fix" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    if not asked.intent.places and is_trace(asked.text):
        return error(asked)
    if not asked.intent.places and _ALL.search(asked.intent.question.lower()):
        return _everywhere(asked)
    if not asked.intent.places:
        return Done("Fix what? Name a file, and a line if it is about one: `fix src/app.py`, `fix src/app.py:12`.")
    if not asked.results("fix"):
        return [_call(asked, number) for number in range(len(asked.intent.places))]
    return _told(asked)


def _everywhere(asked: Asked) -> Step:
    """Find what is wrong in all files that can be judged, and cure those that have a known cure."""
    if not asked.results("find"):
        return [Call("find", {"name": CODE})]
    if not asked.results("diagnostics"):
        rows = [row for _, result in asked.results("find") for row in result.text.splitlines()]
        files = [row for row in rows if not row.startswith(("[", "no file"))]
        return [Call("diagnostics", {"paths": files})] if files else Done("There is no file here that I can judge.")
    if asked.results("fix"):
        return _told(asked)
    found = asked.results("diagnostics")[-1][1]
    files = list(dict.fromkeys(match["path"] for match in _FIXABLE.finditer(found.text)))[:FILES]
    if not files and "nothing found" in found.text[:80]:
        return Done(f"{found.text.partition(chr(10))[0]}.")
    if not files:
        return Done("No rule has a cure that is sure for what is found here: " + blocked(found.text))
    return [Call("fix", {"path": path}) for path in files]


def _told(asked: Asked) -> Done:
    # The tool's first paragraph says what was done; the lines as they stand now follow it, for models.
    return Done("\n\n".join(result.text.partition("\n\n")[0] for _, result in asked.results("fix")))


def _call(asked: Asked, number: int) -> Call:
    place = asked.intent.places[number]
    arguments: dict[str, object] = {"path": place.path}
    if place.line is not None:
        arguments["line"] = place.line
    if asked.intent.codes and place.line is not None:
        arguments["codes"] = list(asked.intent.codes)
    return Call("fix", arguments)
