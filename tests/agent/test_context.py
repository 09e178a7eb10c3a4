"""The conversation stays inside the window, and stays one that every wire takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.agent.context import Gauge, compact, estimate_tokens, fit, messages_tokens
from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.data import CallId
from attache.schema.messages import Message, ToolCall, ToolResult, assistant, user
from wire.replay import Recording, Replay


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
    total = messages_tokens(messages)
    assert fit(messages, 100_000, 1_000, 1.0, total) == messages
    assert fit(messages, None, 1_000, 1.0, total) == messages


def test_old_output_goes_before_anything_else() -> None:
    messages = conversation([40_000, 40_000, 200, 200])
    fitted = fit(messages, 8_000, 500, 1.0, messages_tokens(messages))
    assert messages_tokens(fitted) <= 6_400
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
    gauge.set(1_000, 700)
    assert gauge.ratio == 0.7
    gauge.set(1_000, 0)
    assert gauge.ratio == 0.7


@pytest.mark.parametrize(
    ("counted", "cut"), [(1_234, False), (15_000, True), (None, True)], ids=["less", "more", "not counted"]
)
async def test_near_the_limit_the_providers_own_count_decides_what_is_cut(counted, cut, tmp_path) -> None:
    """The server counts and answers in one body, and says with the answer what it had counted."""
    words = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "yes"}]}
    usage = {"input_tokens": 9_000, "output_tokens": 1}
    body = json.dumps({**words, "stop_reason": "end_turn", "usage": usage, "input_tokens": counted}).encode()
    environ = {
        "ATTACHE_HOME": str(tmp_path), "HOME": str(tmp_path), "ANTHROPIC_API_KEY": "canary-key-0123456789",
    }  # fmt: skip
    said = [chr(97 + number) * 20_000 for number in range(3)]
    async with Replay(Recording("both", "anthropic_messages", body, {}, content_type="application/json")) as server:
        environ["ANTHROPIC_BASE_URL"] = server.url
        traits = {"anthropic/m": {"context_tokens": 16_000}}
        settings = load(tmp_path, overrides={"model": "anthropic/m", "capabilities": traits}, environ=environ)
        async with Orchestrator(settings, cwd=tmp_path) as agent:
            for text in said:
                await agent.chat(text)
    calls = [each["body"] for each in server.requests if each["path"] == "/v1/messages"]
    counts = [each["body"] for each in server.requests if each["path"] == "/v1/messages/count_tokens"]
    assert len(calls) == 3
    assert 1 <= len(counts) <= 2  # the first request is far from the limit
    assert all("max_tokens" not in count for count in counts)
    assert (said[0] in json.dumps(calls[-1])) is not cut
