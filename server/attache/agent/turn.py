"""One turn of the model: build the request, stream the answer, survive what providers do."""

from __future__ import annotations

from attache.agent.context import Gauge, compact, estimate_tokens, fit, messages_tokens
from attache.agent.discretion import discreet
from attache.agent.run import Run
from attache.agent.streaming import stream
from attache.foundation.ids import new_id
from attache.providers.conversation import translated
from attache.providers.model import counted
from attache.schema.data import CallId
from attache.schema.errors import (
    AuthenticationFailed,
    ContextOverflow,
    EmptyAnswer,
    MalformedToolCall,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
)
from attache.schema.events import ErrorRaised, MessageAdded
from attache.schema.messages import Message, Text, ToolCall
from attache.schema.models import Answer, Request, Usage

UNUSABLE = 3
"""Answers that cannot be used after which a run gives up."""
_PASSED_ON = (ProviderUnavailable, RateLimited, QuotaExceeded, AuthenticationFailed, ContextOverflow)
"""Failures that another model may not have."""
_SILENT = frozenset({"end_turn", "tool_use", "stop_sequence"})
"""Reasons to stop that promise an answer."""


async def ask(run: Run) -> Answer:
    """Return the model's next answer, recorded with its usage and cost.

    Where the model cannot answer, the next of the fallback chain does, and goes on doing so. Raises ProviderError.
    """
    while True:
        try:
            return await _asked(run)
        except _PASSED_ON as error:
            if not run.fallbacks:
                raise
            failed, run.model = run.model, run.fallbacks.pop(0)
            run.gauge = Gauge()
            words = f"{error.message}; {run.model.info.ref} answers instead of {failed.info.ref}"
            await run.record(ErrorRaised(run_id=run.id, where="model", message=words, hint=error.hint))


async def tell(run: Run, error: MalformedToolCall | EmptyAnswer) -> None:
    """Tell the model why its answer was of no use. Raises the error again when it keeps giving such answers."""
    if error.usage is not None:
        _paid(run, Message(role="assistant", parts=()), error.usage)
    run.malformed += 1
    if run.malformed >= UNUSABLE:
        raise error
    if isinstance(error, MalformedToolCall):
        words = f"Your call of `{error.tool}` was not run: {error.message}. Call it again with valid JSON arguments."
    else:
        words = "Your last answer was empty. Go on with the task, or say in words how it stands."
    message = Message(role="user", parts=(Text(text=words),))
    await run.record(MessageAdded(run_id=run.id, message=message))


async def _asked(run: Run) -> Answer:
    """Return the answer of the model at hand; a request that overflows its window is compacted and sent once more."""
    info = run.model.info
    messages = translated(run.state().messages, info)
    fixed = _fixed_tokens(run)
    said = messages_tokens(messages)
    await _weigh(run, messages, fixed + said)
    kept = fit(messages, info.context_tokens, fixed, run.gauge.ratio, said)
    said = said if kept is messages else messages_tokens(kept)
    request = _request(run, kept)
    try:
        answer = await stream(run, request)
    except ContextOverflow as error:
        if error.usage is not None:
            _paid(run, Message(role="assistant", parts=()), error.usage)
            await run.settled()
        seen = fit(request.messages, run.model.info.context_tokens, fixed, run.gauge.ratio, said)
        smaller = compact(seen, min(said // 2, messages_tokens(seen)))
        if smaller == request.messages:
            raise
        said = messages_tokens(smaller)
        request = _request(run, smaller)
        answer = await stream(run, request)
    answer = answer.model_copy(update={"message": _with_own_ids(answer.message, run.state().messages)})
    run.gauge.learn(fixed + said, answer.usage.input_tokens)
    if _empty(answer):
        error = EmptyAnswer(f"{info.ref} answered with nothing", hint="ask in other words, or take another model")
        error.usage = answer.usage
        raise error
    _paid(run, answer.message, answer.usage)
    return answer


async def _weigh(run: Run, messages: tuple[Message, ...], estimated: int) -> None:
    """Have the provider count where the estimate stands near the limit: nothing is cut without need, or too late."""
    if run.gauge.near(estimated, run.model.info.context_tokens):
        run.gauge.set(estimated, await counted(run.model, await discreet(run, _request(run, messages))) or 0)


def _paid(run: Run, message: Message, usage: Usage) -> None:
    """Note what the model said, with what it used up and cost: once for each call."""
    info = run.model.info
    known = run.price(info, usage)
    cost = known or 0.0
    if known is None and run.budget.any and not run.unpriced:
        run.unpriced = True
        words = f"the price of {info.ref} is unknown, so no budget can hold it"
        run.note(ErrorRaised(run_id=run.id, where="budget", message=words, hint="take a model with a known price"))
    run.usage += usage
    run.cost_usd += cost
    said = message.model_copy(update={"model": info.ref})
    run.note(MessageAdded(run_id=run.id, message=said, usage=usage, cost_usd=cost, bill=new_id("b")))


def _with_own_ids(message: Message, before: tuple[Message, ...]) -> Message:
    """Return the message with new ids for calls whose id an earlier one has: some servers count anew in each answer."""
    taken = {call.id for said in before for call in said.tool_calls}
    if taken.isdisjoint(call.id for call in message.tool_calls):
        return message
    parts = tuple(
        part.model_copy(update={"id": CallId(new_id("call"))})
        if isinstance(part, ToolCall) and part.id in taken
        else part
        for part in message.parts
    )
    return message.model_copy(update={"parts": parts})


def _empty(answer: Answer) -> bool:
    """Say whether the model ended its turn without a word to the person and without a call."""
    return answer.stop_reason in _SILENT and not answer.message.tool_calls and not answer.message.text.strip()


def _request(run: Run, messages: tuple[Message, ...]) -> Request:
    return Request(
        model=run.model.info.name,
        system=run.system,
        messages=messages,
        tools=run.offered.specs() if run.model.info.tools else (),
        max_output_tokens=run.settings.max_output_tokens,
        thinking_tokens=run.settings.thinking_tokens,
        output_schema=run.output_schema,
    )


def _fixed_tokens(run: Run) -> int:
    return estimate_tokens(run.system) + run.offered.tokens()
