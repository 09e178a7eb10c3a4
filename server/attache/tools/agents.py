"""Other agents: sent on an errand with a narrower set of tools, and asked again where they stopped."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from attache.schema.tools import ToolOutput
from attache.tools.reach import Errand
from attache.tools.tool import Context, tool

Task = Annotated[str, Field(min_length=1, description="All it has to know: it sees nothing of this conversation.")]
Names = Annotated[list[str] | None, Field(description="Tools it may use; by default all that you may.")]
Turns = Annotated[int, Field(ge=1, le=100, description="Turns at most.")]


@tool(cost="HIGH", aliases=("explore",), timeout_seconds=math.inf)
async def investigate(ctx: Context, task: Task, tools: Names = None, turns: Turns = 20) -> ToolOutput:
    """Send another agent to find something out, with tools that only read, and get its answer.

    For a wide search whose details would fill your own context. Several may be out at the same time.
    """
    return await ctx.reach.delegate(Errand(task=task, tools=tuple(tools or ()), mode="explore", turns=turns))


@tool(cost="HIGH", effect="workspace", aliases=("task", "subagent", "spawn_agent"), timeout_seconds=math.inf)
async def delegate(ctx: Context, task: Task, tools: Names = None, turns: Turns = 20) -> ToolOutput:
    """Send another agent to do a piece of work that stands by itself, edits included, and get its answer.

    It has no more rights than you, asks the user where you would have to, and keeps a log of its own.
    """
    return await ctx.reach.delegate(Errand(task=task, tools=tuple(tools or ()), mode="build", turns=turns))


@tool(cost="HIGH", effect="workspace", aliases=("send_message",), timeout_seconds=math.inf)
async def message(
    ctx: Context,
    agent: Annotated[str, Field(min_length=1, description="Its name, as it was answered.")],
    text: Annotated[str, Field(min_length=1, description="What to say to it.")],
    tools: Names = None,
    turns: Turns = 20,
) -> ToolOutput:
    """Say something to an agent that was sent out before: it knows what it did, goes on, and answers."""
    errand = Errand(task=text, tools=tuple(tools or ()), mode="build", turns=turns, agent=agent)
    return await ctx.reach.delegate(errand)
