"""Run the tests and say what came of it."""

from __future__ import annotations

from attache.providers.offline.plans import Asked, Call, Done, Step


def check(asked: Asked) -> Step:
    """Run the tests that were named, or all."""
    if "test" not in asked.tools:
        return Done("Running tests is not allowed in this mode; switch to build.")
    if not asked.results("test"):
        chosen = [place.path for place in asked.intent.places]
        return [Call("test", {"selection": chosen} if chosen else {})]
    _, result = asked.results("test")[-1]
    return Done(result.text)
