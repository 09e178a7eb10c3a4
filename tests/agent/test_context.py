"""The conversation stays inside the window, and stays one that every wire takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attache.agent.context import Gauge, compact, estimate_tokens, fit, message_tokens
from attache.schema.data import CallId
from attache.schema.messages import Message, ToolCall, ToolResult, assistant, user


def exchange(number: int, size: int) -> list[Message]:
    call = ToolCall(id=CallId(f"c_{number}"), name="read", arguments={"path": f"{number}.py"})
    result = ToolResult(call_id=call.id, name="read", text="x" * size)
    return [
        user(f"question {number}"),
        Message(role="assistant", parts=(call,)),
        Message(role="user", parts=(result,)),
        assistant(f"answer {number}"),
    ]


def conversation(sizes: list[int]) -> tuple[Message, ...]:
    return tuple(message for number, size in enumerate(sizes) for message in exchange(number, size))


def test_what_fits_is_left_alone() -> None:
    messages = conversation([100, 200])
    assert fit(messages, 100_000, 1_000, 1.0) == messages
    assert fit(messages, None, 1_000, 1.0) == messages


def test_old_output_goes_before_anything_else() -> None:
    messages = conversation([40_000, 40_000, 200, 200])
    fitted = fit(messages, 8_000, 500, 1.0)
    assert sum(map(message_tokens, fitted)) <= 6_400
    assert [m.text for m in fitted if m.role == "user" and m.text] == [f"question {n}" for n in range(4)]
    assert "cut to save room" in fitted[2].parts[0].text


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=12), st.integers(200, 20_000))
def test_every_call_keeps_its_result(sizes: list[int], room: int) -> None:
    kept = compact(conversation(sizes), room)
    assert kept[-1].text == f"answer {len(sizes) - 1}"
    assert kept[0].role == "user"
    calls = [call.id for message in kept for call in message.tool_calls]
    results = [part.call_id for message in kept for part in message.parts if isinstance(part, ToolResult)]
    assert calls == results


def test_the_gauge_learns_from_what_the_provider_counts() -> None:
    gauge = Gauge()
    for _ in range(12):
        gauge.learn(1_000, 1_500)
    assert 1.45 < gauge.ratio < 1.55
    gauge.learn(0, 10)
    assert gauge.ratio < 1.55
    assert estimate_tokens("x" * 360) == 100
