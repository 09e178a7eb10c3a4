"""Lists that one tool makes: what a file defines, what a project depends on, what nothing uses, what is complex."""

from __future__ import annotations

import re

from attache.providers.offline.evidence import blocked
from attache.providers.offline.plans import Asked, Call, Done, Plan, Step, symbols_first
from attache.providers.offline.where import where

SHOWN = 60
_SORTS = (
    ("function", ("function", "method")), ("method", ("method",)), ("class", ("class",)), ("struct", ("struct",)),
    ("interface", ("interface",)), ("type", ("type", "interface", "class", "struct", "enum")),
    ("constant", ("constant", "variable")),
)  # fmt: skip


def by_tool(name: str) -> Plan:
    """Return the plan that asks one tool, below the path that was named, and shows what it says."""

    def plan(asked: Asked) -> Step:
        if name not in asked.tools:
            return Done(f"The tool `{name}` is not offered here.")
        if not asked.results(name):
            path = asked.intent.places[0].path if asked.intent.places else ""
            return [Call(name, {"path": path} if path else {})]
        _, result = asked.results(name)[-1]
        return Done(result.text if result.is_error else blocked(result.text))

    return plan


def outline(asked: Asked) -> Step:
    """List, and count, what a file or folder defines, of the sort that was asked for."""
    if not asked.intent.places:
        return where(asked)
    path = asked.intent.places[0].path
    if step := symbols_first(asked, path, {"path": path, "limit": 500}):
        return step
    _, result = asked.results("symbols")[-1]
    if result.is_error:
        return Done(result.text)
    question = asked.intent.question.lower()
    kinds = next((kinds for word, kinds in _SORTS if re.search(rf"\b{word}(?:e?s)?\b", question)), ())
    found = [each for each in asked.passages("symbols") if each.label and (not kinds or each.role in kinds)]
    what = f"{' or '.join(kinds) or 'definition'}"
    if not found:
        return Done(f"{path} defines no {what} that the index knows.")
    rows = [f"- {each.path}:{each.line} — {each.label}" for each in found[:SHOWN]]
    more = [f"- … and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    head = f"{path} defines {len(found)} of the sort {what}:" if kinds else f"{path} defines {len(found)} names:"
    return Done("\n".join((head, "", *rows, *more)))


def undo(_asked: Asked) -> Step:
    """Say who takes changes back: no tool of a model may."""
    return Done(
        "Taking back is yours: `/undo` in `attache chat`, your editor's own undo, or reject the change where it waits "
        "for review."
    )
