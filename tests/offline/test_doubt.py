"""Where the index does not know everything, an answer says so, and words are looked for by the letter."""

from __future__ import annotations

from attache.providers.offline.model import Offline
from attache.schema.data import CallId
from attache.schema.messages import Message, Text, ToolCall, ToolResult
from attache.schema.models import Request

FAILED = "nothing found for `x`\n[the index cannot be kept up, this may be old: it ended; it starts again in 30 s]"
FOUND = "1 hit in 1 file\nclient.py:2-2\n2:    # failed requests are retried"


async def said(question: str, *results: tuple[str, dict[str, object], str]) -> Message:
    """Return what follows on a question and the results of the tools that were called."""
    calls = [
        ToolCall(id=CallId(f"t_{number}"), name=name, arguments=arguments)
        for number, (name, arguments, _) in enumerate(results)
    ]
    answers = [
        ToolResult(call_id=call.id, name=call.name, text=text)
        for call, (_, _, text) in zip(calls, results, strict=True)
    ]
    messages = [Message(role="user", parts=(Text(text=question),))]
    for call, answer in zip(calls, answers, strict=True):
        messages += [Message(role="assistant", parts=(call,)), Message(role="user", parts=(answer,))]
    answer = await Offline().answer(Request(model="offline", messages=tuple(messages)), lambda _delta: None)
    return answer.message


async def test_words_are_looked_for_by_the_letter() -> None:
    question, search = "where do we retry failed requests?", ("search", {"query": "x"}, FAILED)
    (call,) = (await said(question, search)).tool_calls
    assert call.name == "grep"
    assert call.arguments == {"pattern": "retr|fail|request", "ignore_case": True}
    text = (await said(question, search, ("grep", call.arguments, FOUND))).text
    assert "client.py:2 — `# failed requests are retried`" in text
    assert "This may be incomplete: the index cannot be kept up" in text


async def test_a_no_is_never_said_without_its_doubt() -> None:
    text = (await said("who calls `load`?", ("references", {"name": "load"}, FAILED))).text
    assert "This may be incomplete: the index cannot be kept up" in text
    sure = (await said("who calls `load`?", ("references", {"name": "load"}, "nothing refers to `load`"))).text
    assert "There is no `load` in this workspace." in sure
    assert "incomplete" not in sure
