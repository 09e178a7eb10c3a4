"""What plans are made of: the question, what the tools have answered, and the next step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from attache.providers.offline.evidence import Passage, Quote, passages
from attache.providers.offline.intent import Intent
from attache.schema.messages import ToolCall, ToolResult


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call to make next."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Done:
    """The conclusion."""

    text: str
    sure: bool = False
    """Whether it tells a deed, which stands whatever the index does not know yet."""


Step = list[Call] | Done
IN_TEXTS = frozenset({"heading", "section", "key", "other"})
"""Kinds of symbols that texts have; one that code defines may still come."""
BUILDING = "[the index is still being built"
"""How tools say that there may be more."""
_NOTE = re.compile(
    r"^\[?(the index (?:is still|cannot|is failed|is off)[^\n]*?|there is no index here"
    r"|\d+ files? (?:is|are) not in the index[^\n]*?)\]?$",
    re.MULTILINE,
)

_NONE = re.compile(r"nothing found for|no symbol found for")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what the tools have answered to it."""

    text: str
    intent: Intent
    tools: frozenset[str]
    done: tuple[tuple[ToolCall, ToolResult], ...] = ()

    def results(self, name: str) -> tuple[tuple[ToolCall, ToolResult], ...]:
        """Return the calls of one tool so far, with their results."""
        return tuple(pair for pair in self.done if pair[0].name == name)

    def passages(self, name: str) -> list[Passage]:
        """Return the places that one tool named so far."""
        return [passage for _, result in self.results(name) for passage in self.passages_of(result)]

    def passages_of(self, result: ToolResult) -> list[Passage]:
        """Return the places that one result names; a failure names none."""
        return [] if result.is_error else list(passages(result.text))

    def lines(self, name: str, path: str) -> list[Quote]:
        """Return the lines that one tool showed of a file."""
        found = (self.quotes_of(result, path) for call, result in self.results(name) if call.arguments["path"] == path)
        return [quote for quotes in found for quote in quotes]

    def quotes_of(self, result: ToolResult, path: str) -> list[Quote]:
        """Return the lines that one result shows; those under no heading are of `path`."""
        return [] if result.is_error else [each for found in passages(result.text, path) for each in found.quotes]

    @property
    def doubt(self) -> str:
        """Return what a tool said of an index that does not know everything, empty where it does.

        Files that it could not take in matter where nothing was found, and where all that is there was asked for.
        """
        notes = (
            note[1]
            for call, result in self.done
            if (note := _NOTE.search(result.text))
            and (" not in the index" not in note[1] or call.name == "references" or _NONE.match(result.text))
        )
        return next(notes, "")

    @property
    def subject(self) -> tuple[str, ...]:
        """Return the words and names of the question, each once."""
        places = [place.path for place in self.intent.places if self.intent.kind in {"explain", "where", "tests_of"}]
        return tuple(dict.fromkeys((*self.intent.words, *self.intent.names, *places)))

    @property
    def name(self) -> str:
        """Return the name that was asked about: what looks like one, else the last word."""
        return next(iter(self.intent.names), "") or next(reversed(self.intent.words), "")


def symbols_first(asked: Asked, about: str, arguments: dict[str, Any]) -> Step | None:
    """Return the call that asks for symbols, None where they are known.

    `symbols` answers before the index is whole; where it found nothing so, it is asked again behind a search, which
    waits.
    """
    done = asked.results("symbols")
    if not done:
        return [Call("symbols", arguments)]
    sure = any(each.label and each.role not in IN_TEXTS for each in asked.passages("symbols"))
    if BUILDING not in done[-1][1].text or len(done) > 1 or sure:
        return None
    return [Call("symbols", arguments)] if asked.results("search") else [Call("search", {"query": about, "limit": 12})]


Plan = Callable[[Asked], Step]
"""What is done about one kind of question: from what is known so far to the next step."""
