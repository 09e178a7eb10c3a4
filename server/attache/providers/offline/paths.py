"""Trace a way of calls from one symbol to another, by the callers that the index knows, step by step backwards."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from attache.providers.offline.callers import references
from attache.providers.offline.evidence import Passage
from attache.providers.offline.plans import Asked, Done, Step

DEPTH = 5
"""Calls between the two at most."""
WIDTH = 12
"""Callers that are followed in one step."""
OWN = frozenset({"self", "cls", "this", "super()", ")"})
"""What a call of one's own stands behind."""
_END = r"`?([A-Za-z_][\w.]*?)(?:\(\))?`?"
_WAY = re.compile(
    rf"(?:trace|from|between) {_END} (?:to|and) {_END}[\s.?!]*$"
    rf"|how (?:does|do) {_END} (?:reach|get to|call) {_END}[\s.?!]*$",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"\bfrom\s+['\"]?([\w./@-]+)|\b(?:import|use|require)\b\W*([\w./:]+)\W")
FEW = 3
"""Definitions of one name, up to which `x.name()` is taken for a call of them."""


def trace(asked: Asked) -> Step:
    """Find the shortest way of calls from the first name to the second."""
    ends = _ends(asked)
    if len(ends) < 2:  # noqa: PLR2004 - a way has two ends
        return Done("From where to where? Name both: `trace from main to fetch_all`")
    start, goal = ends
    for only_sure in (True, False):
        step = _follow(asked, start, goal, only_sure=only_sure)
        if step:
            return step
    return Done(
        f"No way of calls from `{start}` to `{goal}` of up to {DEPTH} steps is known here. Calls through variables, "
        "callbacks or inheritance leave no trace by name."
    )


def _ends(asked: Asked) -> tuple[str, ...]:
    """Return the two ends of the way: what stands between the words for them, else the first two names."""
    match = _WAY.search(asked.intent.question)
    ends = [end for end in match.groups() if end] if match else asked.intent.names[:2]
    return tuple(name.rpartition(".")[2] for name in ends)


def _follow(asked: Asked, start: str, goal: str, *, only_sure: bool) -> Step | None:
    """Return the next question or the way; None where there is none. The sure calls alone, or also those by name."""
    known = {call.arguments["name"]: asked.passages_of(result) for call, result in asked.results("references")}
    came_from: dict[str, tuple[str, Passage]] = {}
    wave = [goal]
    for _ in range(DEPTH):
        unknown = [name for name in wave if name not in known]
        if unknown:
            return [references(name) for name in unknown]
        wave = _callers(wave, known, came_from, goal, only_sure=only_sure)
        if start in came_from:
            return Done(_told(start, goal, came_from, is_sure=only_sure))
        wave = wave[:WIDTH]
    return None


def _callers(
    wave: list[str],
    known: dict[str, list[Passage]],
    came_from: dict[str, tuple[str, Passage]],
    goal: str,
    *,
    only_sure: bool,
) -> list[str]:
    """Note what calls the names of a wave, each by the first call found; return what was new."""
    fresh: list[str] = []
    for name in wave:
        places = known[name]
        homes = {came_from[name][1].path} if name in came_from else _files(places, "definition")
        for use in places:
            caller = use.caller.rpartition(".")[2]
            means_it = _is_sure(name, use, places, homes) if only_sure else _means_it(name, use, places)
            if caller and caller != goal and caller not in came_from and means_it:
                came_from[caller] = (name, use)
                fresh.append(caller)
    return fresh


def _files(places: list[Passage], role: str) -> set[str]:
    return {place.path for place in places if place.role == role}


def _is_sure(name: str, use: Passage, places: list[Passage], homes: set[str]) -> bool:
    """Whether a use calls what is defined in `homes`: it stands there itself, or its file imports the name from there.

    A call through an object says nothing of what the object is.
    """
    if use.role != "call":
        return False
    owner = _owner(name, use)
    modules = {part for home in homes for part in PurePosixPath(home).with_suffix("").parts}
    if owner is not None and owner not in OWN:
        return owner in {_module(home) for home in homes}
    if use.path in homes:
        return True
    if owner is not None or use.path in _files(places, "definition"):
        return False
    imports = [place for place in places if place.role == "import" and place.path == use.path]
    return any(_comes_from(place, modules) for place in imports)


def _module(path: str) -> str:
    file = PurePosixPath(path)
    return file.parent.name if file.stem in {"__init__", "index"} else file.stem


def _comes_from(place: Passage, modules: set[str]) -> bool:
    """Whether an import names one of these modules; one line of several says nothing of that and is believed."""
    text = place.label.partition(" · ")[2]
    source = _SOURCE.search(text)
    words = set(re.findall(r"\w+", source[1] or source[2])) if source else set[str]()
    return not words or bool(words & modules)


def _owner(name: str, use: Passage) -> str | None:
    """Return what stands before the dot of a call, None where there is no dot."""
    before = re.search(rf"([\w)\]]*)\.{re.escape(name)}\(", use.label.partition(" · ")[2])
    return before[1] if before else None


def _means_it(name: str, use: Passage, places: list[Passage]) -> bool:
    """Whether a use is likely of the name that is followed: a call of its own, or of a name that few things bear."""
    if use.role != "call":
        return False
    owner = _owner(name, use)
    return owner is None or owner in OWN or sum(place.role == "definition" for place in places) <= FEW


def _told(start: str, goal: str, came_from: dict[str, tuple[str, Passage]], *, is_sure: bool) -> str:
    rows: list[str] = []
    name = start
    while name != goal:
        called, use = came_from[name]
        rows.append(f"- {use.path}:{use.line} — {use.label}")
        name = called
    steps = len(rows)
    calls = f"{steps} call{'s' * (steps > 1)}"
    head = (
        f"`{start}` reaches `{goal}` in {calls}"
        if is_sure
        else f"`{start}` may reach `{goal}` in {calls} (by name only)"
    )
    note = (
        ""
        if is_sure
        else "\n\nAt least one of these files neither defines nor imports what it calls: look at each step."
    )
    return f"{head}:\n\n" + "\n".join(rows) + note
