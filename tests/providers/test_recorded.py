"""Recorded traffic of real providers, where it lies beside the repository or where ATTACHE_WIRE says: every call, in every cutting."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from attache.foundation.retry import retry
from attache.schema.data import CallId
from attache.schema.errors import AttacheError, ProviderError, StreamCut
from attache.schema.messages import Message, Text, ToolCall, ToolResult, user
from attache.schema.models import Request
from attache.schema.tools import ToolSpec
from providers.heard import FORMS, heard
from providers.understood import PROVIDERS, catalog
from wire.replay import Recording, Replay, at_random, each_byte, events, whole

FOLDER = Path(os.environ.get("ATTACHE_WIRE") or Path(__file__).parents[3] / "shared" / "wire") / "calls"
WIRES = {
    "anthropic.messages": "anthropic_messages",
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "gemini": "gemini",
    "bedrock.converse": "bedrock_converse",
    "cohere.v2": "cohere_v2",
    "ollama.chat": "ollama_chat",
    "ollama.generate": "ollama_chat",
}
OWN_PATH = re.compile(
    r"(/v1/messages|/chat/completions|/responses|/v2/chat|/api/chat|/api/generate|/models?/[^/]+(:\w+|/converse(-stream)?))$"
)
"""What a wire puts behind the base URL."""
CUTS = {"rnd": at_random(11), "b1": each_byte, "event": events, "whole": whole}


def calls() -> list[dict]:
    loaded = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    assert {call["format"] for call in loaded} <= set(WIRES)
    return loaded


CALLS = calls()
each_call = pytest.mark.parametrize(
    "recorded", CALLS, ids=lambda call: f"{call['format']}-{call['provider']}-{call['id']}"
)
pytestmark = pytest.mark.skipif(not CALLS, reason=f"no recorded traffic in {FOLDER}")


def recording(call: dict) -> Recording:
    body = call["response"]["body"]
    data = body["text"].encode() if "text" in body else base64.b64decode(body["base64"])
    kind = call["response"]["headers"].get("content-type", "application/json")
    return Recording(call["id"], WIRES[call["format"]], data, call["expected"], call["response"]["status"], kind)


def request(call: dict) -> Request:
    neutral = call["neutral"]
    messages, system, asked = [], "", {}
    for said in neutral["messages"]:
        match said["role"]:
            case "system":
                system += said["content"]
            case "user":
                messages.append(user(said["content"] or ""))
            case "assistant":
                wanted = [
                    ToolCall(id=CallId(tool["id"] or f"call_{number}"), name=tool["name"], arguments=tool["arguments"])
                    for number, tool in enumerate(said.get("tool_calls", []))
                ]
                asked |= {tool.id: tool.name for tool in wanted}
                messages.append(Message(role="assistant", parts=(Text(text=said["content"] or ""), *wanted)))
            case _:
                answered = said.get("tool_call_id") or next(iter(asked))
                result = ToolResult(call_id=answered, name=asked[answered], text=said["content"])
                messages.append(Message(role="user", parts=(result,)))
    tools = [ToolSpec(category="recorded", **tool) for tool in neutral["tools"]]
    return Request(
        model=call["model"], system=system, messages=tuple(messages), tools=tuple(tools),
        max_output_tokens=neutral["max_tokens"] or 1024, temperature=neutral["temperature"],
    )  # fmt: skip


async def ask(call: dict, server: Replay, tmp_path: Path):
    wire = server.recording.wire
    path = call["request"]["path"]
    prefix = OWN_PATH.sub("", path)
    assert prefix != path
    server.path = path
    found = catalog(wire, server.url + prefix, tmp_path)
    deltas = []

    async def answer():
        return await found.open(f"{PROVIDERS[wire]}/{call['model']}").answer(request(call), deltas.append)

    try:
        answered = await retry(answer, first_wait_seconds=0.01)
    finally:
        await found.close()
    assert unquote(server.requests[-1]["path"]).partition("?")[0] == unquote(path)
    return answered, deltas


def held(answer, deltas, expected) -> None:
    wanted = [{"name": tool.name, "arguments": tool.arguments} for tool in answer.message.tool_calls]
    figures, usage = expected["usage"], answer.usage
    assert answer.message.text == expected["text"]
    assert "".join(delta.text for delta in deltas if delta.type == "text") == expected["text"]
    assert wanted == expected["tool_calls"]
    # Where a provider counts what is cached apart, the recording leaves it out.
    assert figures["input"] in {
        None,
        usage.input_tokens,
        usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
    }
    assert figures["output"] in {None, usage.output_tokens}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@each_call
async def test_a_recorded_call_is_understood(recorded, cut, tmp_path):
    expected = recorded["expected"]
    async with Replay(recording(recorded), cut=cut) as server:
        if "error_status" in expected or "stream_error" in expected:
            with pytest.raises(AttacheError) as raised:
                await ask(recorded, server, tmp_path)
            error = raised.value.__cause__ if not isinstance(raised.value, ProviderError) else raised.value
            assert expected.get("error_status") in {None, error.status}
        else:
            held(*await ask(recorded, server, tmp_path), expected)


@each_call
async def test_a_recorded_call_succeeds_after_a_rate_limit(recorded, tmp_path):
    if "usage" not in recorded["expected"]:
        return
    async with Replay(recording(recorded), cut=at_random(5), first=[(429, {"retry-after": "0"})]) as server:
        held(*await ask(recorded, server, tmp_path), recorded["expected"])
        assert len(server.requests) == 2


@each_call
async def test_half_of_a_recorded_call_is_an_error(recorded, tmp_path):
    async with Replay(recording(recorded), share=0.5) as server:
        with pytest.raises(AttacheError) as raised:
            await ask(recorded, server, tmp_path)
    if recorded["response"]["status"] == 200:
        assert isinstance(raised.value, StreamCut)


@pytest.mark.parametrize(
    "recorded",
    [call for call in CALLS if call["format"] in FORMS and not call["neutral"]["lossy"]],
    ids=lambda call: f"{call['format']}-{call['id']}",
)
async def test_what_is_sent_says_what_was_recorded(recorded, tmp_path):
    async with Replay(recording(recorded)) as server:
        try:
            await ask(recorded, server, tmp_path)
        except AttacheError:
            assert "usage" not in recorded["expected"]
    form, sent = recorded["format"], server.requests[-1]["body"]
    words, tools = heard(form, sent)
    wanted = recorded["request"]["body"]
    assert words == heard(form, wanted)[0]
    if "systemTool" not in str(wanted):  # a tool of the provider's own, in the neutral form one of ours
        none = str(wanted.get("tool_choice")).lower() == "none"
        assert tools == ([] if none and form == "ollama.chat" else heard(form, wanted)[1])
