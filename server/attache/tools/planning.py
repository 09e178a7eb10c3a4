"""Plan in sight of the user, ask them, and write down what must not be forgotten."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from attache.schema.errors import InvalidArguments
from attache.schema.session import PlanStep
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, first_line

STEPS_MOST = 50
NOTE_CHARS = 2_000

State = Literal["pending", "in_progress", "completed"]
SIGNS: dict[State, str] = {"pending": "[ ]", "in_progress": "[>]", "completed": "[x]"}


class Step(BaseModel):
    """One step."""

    text: Annotated[str, Field(min_length=1, description="What will be done, in a few words.")]
    state: State = "pending"


@tool(aliases=("update_plan", "todo_write", "TodoWrite"))
async def plan(
    ctx: Context,
    steps: Annotated[list[Step], Field(max_length=STEPS_MOST, description="All steps, in order; none shows it.")],
) -> ToolOutput:
    """Set the plan that the user sees, whole. Use it for work of several steps; move single steps by todo."""
    if steps:
        await ctx.reach.set_plan(tuple(PlanStep(text=each.text, state=each.state) for each in steps))
    return _told(tuple(PlanStep(text=each.text, state=each.state) for each in steps) or ctx.reach.plan())


@tool(aliases=("update_todo",))
async def todo(
    ctx: Context,
    step: Annotated[int | None, Field(ge=1, description="Number of a step that moves.")] = None,
    state: Annotated[State, Field(description="Where it is now.")] = "completed",
    add: Annotated[str, Field(description="A step to add at the end.")] = "",
) -> ToolOutput:
    """Move one step of the plan, or add one. Mark a step in_progress when you begin it, completed when it holds."""
    steps = list(ctx.reach.plan())
    if step is not None:
        if step > len(steps):
            raise InvalidArguments(f"todo.step: the plan has {counted(len(steps), 'step')}", hint="plan sets one")
        steps[step - 1] = steps[step - 1].model_copy(update={"state": state})
    if add.strip():
        steps.append(PlanStep(text=add.strip()))
    if step is not None or add.strip():
        await ctx.reach.set_plan(tuple(steps[:STEPS_MOST]))
    return _told(tuple(steps))


def _told(steps: tuple[PlanStep, ...]) -> ToolOutput:
    lines = [f"{number}. {SIGNS[each.state]} {each.text}" for number, each in enumerate(steps, 1)]
    done = sum(each.state == "completed" for each in steps)
    return ToolOutput(
        text="\n".join(lines) or "there is no plan yet",
        title=f"{done} of {counted(len(steps), 'step')} done",
        data={"steps": [each.model_dump() for each in steps]},
    )


@tool(aliases=("ask", "ask_question", "AskUserQuestion"), timeout_seconds=math.inf)
async def ask_user(
    ctx: Context,
    question: Annotated[str, Field(min_length=1, description="One question, with what the answer depends on.")],
    choices: Annotated[list[str] | None, Field(max_length=9, description="Likely answers, the best first.")] = None,
) -> ToolOutput:
    """Ask the user what only they can know or decide, and wait. What the code can tell, look up instead."""
    offered = list(dict.fromkeys(each.strip() for each in choices or () if each.strip()))
    answer = (await ctx.reach.ask(question.strip(), offered)).strip()
    return ToolOutput(text=f"the user answers: {answer}", title=first_line(answer), data={"answer": answer})


@tool(aliases=("scratchpad",))
async def note(
    ctx: Context, text: Annotated[str, Field(max_length=NOTE_CHARS, description="What to keep; none shows all.")] = ""
) -> ToolOutput:
    """Write down what you found out, for this session: notes outlive messages that are cut to save room."""
    if text.strip():
        await ctx.reach.note(text.strip())
    notes = ctx.reach.notes()
    return ToolOutput(
        text="\n".join(f"{number}. {each}" for number, each in enumerate(notes, 1)) or "there are no notes yet",
        title=counted(len(notes), "note"),
        data={"notes": list(notes)},
    )
