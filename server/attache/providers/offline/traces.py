"""Explain an error message or a stack trace: its frames in this workspace, and where its words come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attache.providers.offline.evidence import Quote, code
from attache.providers.offline.meanings import meaning
from attache.providers.offline.plans import Asked, Call, Done, Step

FRAMES_READ = 4
AROUND = 4
RAISES_SHOWN = 5
_FRAMES = (
    re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)'),
    re.compile(r"^\s*at .*?\(?(?P<path>[^\s()]+\.[cm]?[jt]sx?):(?P<line>\d+):\d+\)?", re.MULTILINE),
    re.compile(r"^\s+(?P<path>\S+\.go):(?P<line>\d+)", re.MULTILINE),
    re.compile(r"(?:panicked at |^\s*at |--> )(?P<path>\S+\.rs):(?P<line>\d+)", re.MULTILINE),
)
"""Frames as Python, JavaScript, Go and Rust print them."""
_ERROR = re.compile(
    r"^\s*(?:\w+\.)*(?P<kind>[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt))\b:? ?(?P<message>.*)$", re.MULTILINE
)
_QUOTED_ERROR = re.compile(r"(?P<kind>\b[A-Z]\w*(?:Error|Exception))\b: (?P<message>[^`\n]+)")


def is_trace(text: str) -> bool:
    """Whether a text holds a stack trace or an error message."""
    return any(frame.search(text) for frame in _FRAMES) or bool(_ERROR.search(text) or _QUOTED_ERROR.search(text))


def error(asked: Asked) -> Step:
    """Read the frames that lie in this workspace and find where the error's words stand."""
    frames = list(_frames(asked.text))
    if not asked.done:
        words = _longest_words(asked.text)
        calls = [_read(*frame) for frame in frames]
        return calls + ([Call("grep", {"pattern": words, "literal": True})] if words else []) or [_named(asked.text)]
    parts = [_headline(asked.text), *_innermost(asked), *_origins(asked)]
    means = meaning(asked.text)
    if means:
        parts.insert(1, means)
    if len(parts) == 1 + bool(means):
        parts.append("None of its frames lies in this workspace, and its words stand nowhere in it.")
    return Done("\n\n".join(part for part in parts if part))


def _frames(text: str) -> Iterator[tuple[str, int]]:
    """Yield the last frames, where it was raised first."""
    found = [(match["path"], int(match["line"])) for frame in _FRAMES for match in frame.finditer(text)]
    python = 'File "' in text  # prints the innermost frame last; the others first
    yield from list(dict.fromkeys(reversed(found) if python else found))[:FRAMES_READ]


def _read(path: str, line: int) -> Call:
    return Call("read", {"path": path, "start_line": max(1, line - AROUND), "end_line": line + AROUND})


def _named(text: str) -> Call:
    match = _matched(text)
    return Call("symbols", {"name": match["kind"] if match else "Error"})


def _matched(text: str) -> re.Match[str] | None:
    found = [*_ERROR.finditer(text)] or [*_QUOTED_ERROR.finditer(text)]
    return found[-1] if found else None


def _longest_words(text: str) -> str:
    """Return the longest run of the message that is not data: between quotes and numbers, as the source spells it."""
    match = _matched(text)
    runs = re.split(r"'[^']*'|\"[^\"]*\"|\b\d[\w.]*\b|[<{\[(].*?[>}\])]", match["message"]) if match else []
    longest = max((run.strip(" :.,`") for run in runs), key=len, default="")
    return longest if len(longest.split()) > 1 else ""


def _headline(text: str) -> str:
    match = _matched(text)
    if not match:
        return "The trace, from where it was raised outwards:"
    return f"`{match['kind']}`" + (f" says: {match['message'].strip()}" if match["message"].strip() else "") + "."


def _innermost(asked: Asked) -> Iterator[str]:
    for call, result in asked.results("read"):
        if result.is_error:
            continue
        line = call.arguments["end_line"] - AROUND
        quotes = asked.quotes_of(result, call.arguments["path"])
        said = next((each for each in quotes if each.line == line), None)
        if said:
            yield f"It passed {said}\n\n{code(quotes, len(quotes))}"


def _origins(asked: Asked) -> Iterator[str]:
    quotes: list[Quote] = [each for passage in asked.passages("grep") for each in passage.quotes]
    if quotes:
        yield "Its words stand at:\n\n" + "\n".join(f"- {quote}" for quote in quotes[:RAISES_SHOWN])
    kinds = [each for each in asked.passages("symbols") if each.label]
    if kinds:
        yield f"It is defined at {kinds[0].path}:{kinds[0].line}."
