"""Who uses a name: its references, grouped by what they are, tests apart."""

from __future__ import annotations

from collections.abc import Sequence

from attache.providers.offline.evidence import Passage
from attache.providers.offline.places import TEST, aside
from attache.providers.offline.plans import Asked, Call, Done, Step
from attache.providers.offline.where import tests_about, where

SHOWN = 15
LIMIT = 500
DEFINED_SHOWN = 3
ORDER = ("call", "use", "type", "import")
"""Kinds of use, the most telling first."""


def callers(asked: Asked) -> Step:
    """List the uses of a name: calls first."""
    if not asked.intent.names and len(asked.intent.words) > 1:
        return where(asked)
    name = asked.name
    if not name:
        return Done("Uses of what? Name it: `who calls fetch_all?`")
    if not asked.results("references"):
        return [references(name)]
    uses = used(asked)
    if not uses:
        return Done(unused(asked, name))
    if asked.intent.places:
        path = asked.intent.places[0].path.rstrip("/")
        near = [use for use in uses if use.path == path or use.path.startswith(f"{path}/")]
        if not near:
            return Done(f"Nothing in {path} uses `{name}`; {_times(len(uses), 'place')} elsewhere do.")
        uses = near
    files = len({use.path for use in uses})
    head = f"`{name}` is used in {_times(len(uses), 'place')} in {_times(files, 'file')}"
    owners = "" if "." not in name else f" (by the name `{name.rpartition('.')[2]}`, whoever owns it)"
    return Done(f"{head}{owners}:\n\n{rows(uses, SHOWN)}")


def tests_of(asked: Asked) -> Step:
    """List the tests that use a name."""
    name = asked.name
    if not name:
        return Done("What tests what? Name it: `what tests fetch_all?`")
    if not asked.intent.names and len(asked.intent.words) > 1:
        return tests_about(asked)
    if not asked.results("references"):
        return [references(name)]
    uses = [use for use in used(asked) if TEST.search(use.path) and use.role != "import"]
    if uses:
        inside = len({(use.path, use.caller) for use in uses})
        return Done(f"`{name}` stands in {_times(inside, 'test')} by that name:\n\n{rows(uses, SHOWN)}")
    if not used(asked):
        is_word = not asked.intent.names and all(each.role != "definition" for each in asked.passages("references"))
        return tests_about(asked) if is_word else Done(unused(asked, name))
    return Done(
        f"No test here uses `{name}` by that name. It may be tested through what uses it: `who calls {name}?`; "
        f"or begin one: `write tests for {name}`."
    )


def references(name: str) -> Call:
    """Return the call that finds the uses of a name."""
    return Call("references", {"name": name.rpartition(".")[2], "limit": LIMIT})


def used(asked: Asked) -> list[Passage]:
    """Return the uses that were found, calls first, definitions left out."""
    found = [use for use in asked.passages("references") if use.role in ORDER]
    once: dict[tuple[str, int, str], Passage] = {}
    for use in found:
        once.setdefault((use.path, use.line, use.role), use)
    return sorted(once.values(), key=lambda use: (ORDER.index(use.role), aside(use.path)))


def cut_short(asked: Asked) -> bool:
    """Whether there are more references than were shown."""
    return any("\n[… " in result.text for _, result in asked.results("references"))


def unused(asked: Asked, name: str) -> str:
    """Say that nothing uses a name, or that it is not there at all."""
    bare = name.rpartition(".")[2]
    if cut_short(asked):
        return f"`{bare}` is so common a name that its uses are not among the {LIMIT} places looked at."
    defined = [each for each in asked.passages("references") if each.role == "definition"]
    if defined:
        at = ", ".join(dict.fromkeys(f"{each.path}:{each.line}" for each in defined[:DEFINED_SHOWN]))
        return f"`{name}` is defined at {at}, and nothing in this workspace uses it by that name."
    return f"There is no `{name}` in this workspace."


def rows(uses: Sequence[Passage], shown: int) -> str:
    """Return uses as a list, with how many there are more."""
    lines = [f"- {use.path}:{use.line}" + (f" — {use.label}" if use.label else "") for use in uses[:shown]]
    return "\n".join([*lines, *([f"- … and {len(uses) - shown} more"] if len(uses) > shown else [])])


def _times(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
