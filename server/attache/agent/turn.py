"""One turn of the model: build the request, stream the answer, survive what providers do."""

from __future__ import annotations

from attache.agent.context import compact, estimate_tokens, fit, message_tokens
from attache.agent.frames import Frames
from attache.agent.run import Run
from attache.foundation.redact import redact
from attache.foundation.retry import retry
from attache.schema.errors import ContextOverflow, MalformedToolCall, ProviderError
from attache.schema.events import MessageAdded, StreamRestarted, TextStreamed, ThinkingStreamed
from attache.schema.messages import Message, Text
from attache.schema.models import Answer, Delta, Request, TextDelta, ThinkingDelta

ATTEMPTS = 4
MALFORMED = 3
"""Unreadable calls after which a run gives up."""


async def ask(run: Run) -> Answer:
    """Return the model's next answer, recorded with its usage and cost.

    A request that overflows the window is compacted and sent once more. Raises ProviderError.
    """
    messages = run.state().messages
    request = _request(run, fit(messages, run.model.info.context_tokens, _fixed_tokens(run), run.gauge.ratio))
    try:
        answer = await _stream(run, request)
    except ContextOverflow:
        half = sum(map(message_tokens, request.messages)) // 2
        smaller = compact(request.messages, half)
        if smaller == request.messages:
            raise
        request = _request(run, smaller)
        answer = await _stream(run, request)
    run.gauge.learn(_fixed_tokens(run) + sum(map(message_tokens, request.messages)), answer.usage.input_tokens)
    cost = run.price(answer.usage)
    run.usage += answer.usage
    run.cost_usd += cost
    await run.record(MessageAdded(run_id=run.id, message=answer.message, usage=answer.usage, cost_usd=cost))
    return answer


async def tell(run: Run, error: MalformedToolCall) -> None:
    """Tell the model that its call could not be read. Raises the error again when it keeps making such calls."""
    run.malformed += 1
    if run.malformed >= MALFORMED:
        raise error
    words = f"Your call of `{error.tool}` was not run: {error.message}. Call it again with valid JSON arguments."
    message = Message(role="user", parts=(Text(text=words),))
    await run.record(MessageAdded(run_id=run.id, message=message))


def _request(run: Run, messages: tuple[Message, ...]) -> Request:
    return Request(
        model=run.model.info.name,
        system=run.system,
        messages=messages,
        tools=run.tools.specs() if run.model.info.tools else (),
        max_output_tokens=run.settings.max_output_tokens,
        thinking_tokens=run.settings.thinking_tokens,
    )


def _fixed_tokens(run: Run) -> int:
    return estimate_tokens(run.system) + run.tools.tokens()


async def _stream(run: Run, request: Request) -> Answer:
    """Stream one answer; an attempt that is cut is asked for again, and what it showed is withdrawn."""
    shown = False

    def show(kind: str, text: str) -> None:
        nonlocal shown
        shown = True
        happening = TextStreamed if kind == "text" else ThinkingStreamed
        run.paint(happening(run_id=run.id, text=redact(text)))

    frames = Frames(show)

    def emit(delta: Delta) -> None:
        if isinstance(delta, TextDelta | ThinkingDelta):  # a call is shown once it is whole
            frames.add(delta.type, delta.text)

    def withdraw(reason: str) -> None:
        nonlocal shown
        frames.drop()
        if shown:
            run.paint(StreamRestarted(run_id=run.id, reason=reason))
            shown = False

    async def attempt() -> Answer:
        withdraw("the connection was lost; asking again")
        answer = await run.model.answer(request, emit)
        frames.flush()
        return answer

    try:
        return await retry(attempt, attempts=ATTEMPTS)
    except ProviderError:
        withdraw("the answer could not be completed")
        raise
