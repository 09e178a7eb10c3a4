"""A message that was quoted: where its words stand in the code, and what they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attache.providers.offline.evidence import Passage, Quote, code
from attache.providers.offline.meanings import meaning
from attache.providers.offline.places import aside
from attache.providers.offline.plans import Asked, Call, Done, Step

SHOWN = 5
AROUND = 6
TELLING = 3
"""Words of a run that seldom stand together by chance."""
LONG = 6
"""Words of a run that a source may have broken in two lines."""
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|(?<!\w)\'([^\'\n]+)\'(?!\w)|`([^`\n]+)`')
_DATA = re.compile(
    r"%\([^)]*\)[#0-9.]*[a-z]|%[-+#0-9.]*[sdrifgxv]|\$?\{[^}]*\}|<[^<>]*>|'[^']*'|\"[^\"]*\"|\b\d[\w.]*\b|(?:/[\w.-]+){2,}"
)
"""What a message holds in place of data, or data in place of it."""
_SAYS = re.compile(
    r"\b(?:raise|throw|panic!?|fail|abort|bail!?|assert\w*|warn\w*|log\w*|error|fatal|critical|exception|print\w*|echo|"
    r"reject|new \w*Error|Err)\b",
    re.IGNORECASE,
)


def message(asked: Asked) -> str:
    """Return the first text of several words that a question quotes, empty where it quotes none."""
    for match in _QUOTED.finditer(asked.intent.question):
        text = next(group for group in match.groups() if group).strip()
        if len(re.findall(r"[^\W\d_]{2,}", _DATA.sub(" ", text))) > 1 and " " in text:
            return text
    return ""


def said(asked: Asked, text: str) -> Step | None:
    """Find where the words of a message stand, and show it; None where they stand nowhere."""
    if not asked.results("grep"):
        return [Call("grep", {"pattern": pattern, "ignore_case": True}) for pattern in patterns(text)]
    found = _found(asked, patterns(text))
    if not found:
        return None
    first = found[0]
    if not asked.results("read"):
        reading = {"path": first.path, "start_line": max(1, first.line - AROUND), "end_line": first.line + AROUND}
        return [Call("read", reading), Call("symbols", {"path": first.path, "limit": 500})]
    rows = "\n".join(f"- {quote}" for quote in found[:SHOWN])
    more = f"\n- … and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    lines = asked.lines("read", first.path)
    inside = _inside(asked.passages("symbols"), first)
    around = f"Around the first{inside}:\n\n{code(lines, len(lines))}" if lines else ""
    lead = "These words stand at" if _is_whole(asked, patterns(text)) else "A part of these words stands at"
    parts = (meaning(text), f"{lead}:\n\n{rows}{more}", around)
    return Done("\n\n".join(part for part in parts if part))


def patterns(text: str) -> tuple[str, ...]:
    """Return what to look for: the whole with any data between its runs, then its longest run, then halves of that."""
    return tuple(dict.fromkeys(_patterns(text))) if text else ()


def _patterns(text: str) -> Iterator[str]:
    runs = [run.strip(" \t.,:;!?()[]") for run in _DATA.split(text)]
    runs = [run for run in runs if re.search(r"[^\W\d_]{2,}", run)]
    yield ".{0,80}".join(map(_spelt, runs))
    longest = max(runs, key=lambda run: len(run.split()))
    words = longest.split()
    if len(words) > 1:
        yield _spelt(longest)
    yield from (_spelt(run) for run in runs if len(run.split()) >= TELLING)
    if len(words) >= LONG:
        yield _spelt(" ".join(words[: len(words) // 2]))
        yield _spelt(" ".join(words[len(words) // 2 :]))


def _spelt(run: str) -> str:
    return r"(?<!\w)" * run[:1].isalnum() + r"\s+".join(re.escape(word) for word in run.split())


def _found(asked: Asked, wanted: tuple[str, ...]) -> list[Quote]:
    """Return the lines of the first pattern that is found: code before tests, what raises or logs before the rest."""
    for pattern in wanted:
        quotes = [
            quote
            for call, result in asked.results("grep")
            if call.arguments["pattern"] == pattern
            for passage in asked.passages_of(result)
            for quote in passage.quotes
        ]
        if quotes:
            return sorted(quotes, key=lambda quote: (aside(quote.path), not _SAYS.search(quote.text)))
    return []


def _is_whole(asked: Asked, wanted: tuple[str, ...]) -> bool:
    """Whether the message was found with all of its runs."""
    return any(
        call.arguments["pattern"] == wanted[0] and asked.passages_of(result) for call, result in asked.results("grep")
    )


def _inside(symbols: list[Passage], place: Quote) -> str:
    around = [each for each in symbols if each.label and each.line <= place.line <= (each.end_line or each.line)]
    return f", in `{around[-1].name}`" if around else ""
