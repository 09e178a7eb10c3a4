"""Trace a way of calls from one symbol to another, by the callers that the index knows, step by step backwards."""

from __future__ import annotations

import re

from attache.providers.offline.callers import references
from attache.providers.offline.evidence import Passage
from attache.providers.offline.plans import Asked, Done, Step

DEPTH = 5
"""Calls between the two at most."""
WIDTH = 12
"""Callers that are followed in one step."""
FEW = 3
"""Definitions of one name, up to which `x.name()` is taken for a call of them."""


def trace(asked: Asked) -> Step:
    """Find the shortest way of calls from the first name to the second."""
    if len(asked.intent.names) < 2:  # noqa: PLR2004 - a way has two ends
        return Done("From where to where? Name both: ``trace from `main` to `fetch_all` ``")
    start, goal = (name.rpartition(".")[2] for name in asked.intent.names[:2])
    known = {call.arguments["name"]: asked.passages_of(result) for call, result in asked.results("references")}
    came_from: dict[str, tuple[str, Passage]] = {}
    wave = [goal]
    for _ in range(DEPTH):
        unknown = [name for name in wave if name not in known]
        if unknown:
            return [references(name) for name in unknown]
        wave = _callers(wave, known, came_from, goal)
        if start in came_from:
            return Done(_told(start, goal, came_from))
        wave = wave[:WIDTH]
    return Done(
        f"No way of calls from `{start}` to `{goal}` of up to {DEPTH} steps is known here. Calls through variables, "
        "callbacks or inheritance leave no trace by name."
    )


def _callers(
    wave: list[str], known: dict[str, list[Passage]], came_from: dict[str, tuple[str, Passage]], goal: str
) -> list[str]:
    """Note what calls the names of a wave, each by the first call found; return what was new."""
    fresh: list[str] = []
    for name in wave:
        for use in known[name]:
            caller = use.caller.rpartition(".")[2]
            if caller and caller != goal and caller not in came_from and _means_it(name, use, known[name]):
                came_from[caller] = (name, use)
                fresh.append(caller)
    return fresh


def _means_it(name: str, use: Passage, places: list[Passage]) -> bool:
    """Whether a use is likely of the name that is followed: a call of its own, or of a name that few things bear."""
    if use.role != "call":
        return False
    before = re.search(rf"([\w)\]]*)\.{re.escape(name)}\(", use.label.partition(" · ")[2])
    owned = before is not None and before[1] not in {"self", "cls", "this", "super()", ")"}
    return not owned or sum(place.role == "definition" for place in places) <= FEW


def _told(start: str, goal: str, came_from: dict[str, tuple[str, Passage]]) -> str:
    rows: list[str] = []
    name = start
    while name != goal:
        called, use = came_from[name]
        rows.append(f"- {use.path}:{use.line} — {use.label}")
        name = called
    steps = len(rows)
    note = "Followed by name alone: where several things bear one name, look at each step."
    return f"`{start}` reaches `{goal}` in {steps} call{'s' * (steps > 1)}:\n\n" + "\n".join(rows) + f"\n\n{note}"
