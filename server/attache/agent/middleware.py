"""Steps of others around every tool call: an async function that gets the call and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import entry_points

from attache.agent.run import Middleware, Next, Run
from attache.schema.messages import ToolCall
from attache.schema.tools import ToolOutput

GROUP = "attache.middleware"
"""The entry-point group of installed packages; each entry names a `Middleware`."""


def installed() -> tuple[Middleware, ...]:
    """Return the steps that installed packages bring, in the order of their names. Raises what importing does."""
    return tuple(entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name))


async def through(steps: Sequence[Middleware], run: Run, call: ToolCall, last: Next) -> ToolOutput:
    """Run `last` inside the steps, the first outermost."""
    proceed = last
    for step in reversed(steps):
        proceed = partial(step, run, call, proceed)
    return await proceed()
