"""The loop: ask the model, do what it asks, tell it what came of it, until it stops."""

from __future__ import annotations

from attache.agent.pipeline import execute_all
from attache.agent.run import Run
from attache.agent.turn import ask, tell
from attache.schema.errors import EmptyAnswer, MalformedToolCall
from attache.schema.events import MessageAdded, TurnStarted
from attache.schema.messages import Message, Part, Text
from attache.schema.session import RunStop


async def drive(run: Run) -> RunStop:
    """Carry one user request to its end and return why it ended.

    Raises what ends a run without an answer: ProviderError, BudgetReached, ApprovalNeeded, CancelledError.
    """
    while run.turns < run.settings.max_tool_iterations:
        await run.budget.check(run.cost_usd)
        run.turns += 1
        await run.record(TurnStarted(run_id=run.id, turn=run.turns, model=run.model.info.ref))
        try:
            answer = await ask(run)
        except (MalformedToolCall, EmptyAnswer) as error:  # never run, never guessed at: the model hears what was wrong
            await tell(run, error)
            continue
        results = await execute_all(run, answer.message.tool_calls)
        said = run.heard()
        if not results and not said:
            return _why(answer.stop_reason)
        parts: tuple[Part, ...] = (*results, *(Text(text=words) for words in said))
        run.note(MessageAdded(run_id=run.id, message=Message(role="user", parts=parts)))
    return "max_turns"


def _why(stop_reason: str) -> RunStop:
    match stop_reason:
        case "max_tokens":
            return "max_tokens"
        case "refusal" | "content_filter":
            return "refusal"
        case _:
            return "end_turn"
