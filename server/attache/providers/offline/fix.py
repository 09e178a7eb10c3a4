"""Fix what rules can: the cures that the linters and our own table know, through the `fix` tool."""

from __future__ import annotations

from attache.providers.offline.plans import Asked, Call, Done, Step


def fix(asked: Asked) -> Step:
    """Apply the known cures to the place that was named, and say what was done and what is left."""
    if "fix" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    if not asked.intent.places:
        return Done("Fix what? Name a file, and a line if it is about one: `fix src/app.py`, `fix src/app.py:12`.")
    if not asked.results("fix"):
        return [_call(asked, number) for number in range(len(asked.intent.places))]
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
