"""Shapes that real traffic has and few recordings hold, as short written streams, through the whole way of a call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attache.schema import errors
from attache.schema.models import Answer
from providers.understood import PROVIDERS, catalog, request
from wire.amazon import stream
from wire.replay import Recording, Replay, at_random

CHAT_USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
CALLED = [("f", {"x": 1})]


def chat(delta: object = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "object": "chat.completion.chunk",
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def piece(**call: Any) -> dict[str, Any]:
    return chat({"tool_calls": [call]})


def args(text: object = None, name: str | None = None) -> dict[str, Any]:
    return {"name": name, "arguments": text}


STOP = [chat({}, "stop"), {"choices": [], "usage": CHAT_USAGE}, b"[DONE]"]
HI = chat({"content": "hi"})


def claude(*events: Any, stop: str = "end_turn") -> list[Any]:
    start = {"type": "message_start", "message": {"content": [], "model": "m", "usage": {"input_tokens": 5}}}
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 3}}
    return [start, *events, end, {"type": "message_stop"}]


def block(index: int, opened: object, *deltas: object) -> list[dict[str, Any]]:
    begun = {"type": "content_block_start", "index": index, "content_block": opened}
    told = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [begun, *told, {"type": "content_block_stop", "index": index}]


def words(index: int = 0) -> list[dict[str, Any]]:
    return block(index, {"type": "text", "text": "", "citations": None}, {"type": "text_delta", "text": "hi"})


def response(status: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 5, "input_tokens_details": None, "output_tokens": 3, "output_tokens_details": None}
    return {"object": "response", "status": status, "model": "m", "output": [], "usage": usage, "error": None, **more}


COMPLETED = {"type": "response.completed", "response": response()}
FUNCTION = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": ""}


def added(item: object, index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def gemini(*parts: object, finish: str | None = "STOP", **more: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 3}
    return {
        "candidates": [{"content": {"parts": parts}, "finishReason": finish}],
        "usageMetadata": usage,
        "modelVersion": "m",
        **more,
    }


COHERE_END = {
    "type": "message-end",
    "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 5, "output_tokens": 3}}},
}
COHERE_HI = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "hi"}}}}


def ollama(**said: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", **said}, "done": False}


OLLAMA_END = {
    "model": "m",
    "message": {"content": ""},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 5,
    "eval_count": 3,
}
BEDROCK_END = [
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 3}}},
]
BEDROCK_HI = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hi"}}}

TEXT: dict[str, tuple[str, Any]] = {
    "null in the place of choices": ("openai_chat", [{"choices": None}, HI, *STOP]),
    "null among the choices": ("openai_chat", [{"choices": [None]}, HI, *STOP]),
    "a choice without a delta": ("openai_chat", [{"choices": [{"index": 0}]}, chat(None), HI, *STOP]),
    "events of other kinds": ("openai_chat", [b"null", b"0", b'"ping"', {}, {"type": "ping"}, HI, *STOP]),
    "an error that is none": ("openai_chat", [chat({"content": "hi"}, error=None), chat({}, error={}), *STOP]),
    "fields of other kinds": ("openai_chat", [chat({"content": 5, "reasoning": {"a": 1}, "tool_calls": "no"}), HI, *STOP]),
    "null in every field": (
        "openai_chat",
        [chat({"role": "assistant", "content": None, "refusal": None, "tool_calls": None, "function_call": None}, usage=None), HI, *STOP],
    ),
    "log probabilities": ("openai_chat", [{"choices": [{"index": 0, "delta": {"content": "hi"}, "logprobs": {"content": [{"token": "hi"}]}}]}, *STOP]),
    "a second choice": ("openai_chat", [{"choices": [{"index": 0, "delta": {"content": "hi"}}, {"index": 1, "delta": {"content": "no"}}]}, *STOP]),
    "details of usage that are null": (
        "openai_chat",
        [HI, chat({}, "stop"), {"choices": [], "usage": {**CHAT_USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}}, b"[DONE]"],
    ),
    "usage under other names": ("openai_chat", [HI, chat({}, "stop"), {"choices": [], "usage": {"input_tokens": 5, "output_tokens": 3}}, b"[DONE]"]),
    "no end but a reason to stop": ("openai_chat", [HI, chat({}, "stop", usage=CHAT_USAGE)]),
    "citations": ("openai_chat", [chat({"content": "hi", "annotations": [{"type": "url_citation"}]}, citations=["u"]), *STOP]),
    "a BOM, CRLF, comments, no space": (
        "openai_chat",
        b"\xef\xbb\xbf: hello\r\n\r\nevent: x\r\nid: 1\r\ndata:" + json.dumps(HI).encode() + b"\r\n\r\n: keep-alive\r\n\r\n"
        + b"data:" + json.dumps(chat({}, "stop", usage=CHAT_USAGE)).encode() + b"\r\n\r\ndata:[DONE]\r\n\r\n",
    ),
    "no blank line between events": (
        "openai_chat",
        b"data: " + json.dumps(HI).encode() + b"\ndata: " + json.dumps(chat({}, "stop", usage=CHAT_USAGE)).encode() + b"\ndata: [DONE]\n",
    ),
    "one event in two data lines": ("openai_chat", b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}\n\n'),
    "an event of a later version": ("anthropic_messages", claude({"type": "later", "delta": "x", "content": "y", "content_block": 5}, *words())),
    "a delta of a later version": ("anthropic_messages", claude(*block(0, {"type": "text", "text": ""}, {"type": "later_delta"}, ["x"], None, {"type": "text_delta", "text": "hi"}))),
    "citations of Claude": (
        "anthropic_messages",
        claude(*block(0, {"type": "text", "text": "", "citations": []}, {"type": "citations_delta", "citation": {"cited_text": "no"}}, {"type": "text_delta", "text": "hi"})),
    ),
    "tools of the server": (
        "anthropic_messages",
        claude(
            *block(0, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, {"type": "input_json_delta", "partial_json": "{"}),
            *block(1, {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]}), *words(2),
        ),
    ),
    "a summary of what was": ("anthropic_messages", claude(*block(0, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "no"}), *words(1))),
    "null for the first usage": ("anthropic_messages", [{"type": "message_start", "message": {"content": "", "usage": {"input_tokens": 5}}}, *claude(*words())[1:]]),
    "pings and an end of another API": ("anthropic_messages", [b"null", {"type": "ping"}, *claude(*words())[:-1], b"[DONE]", {"type": "message_stop"}]),
    "text told only at its end": ("openai_responses", [added({"type": "message"}), {"type": "response.output_text.done", "output_index": 0, "text": "hi"}, COMPLETED]),
    "text told twice": (
        "openai_responses",
        [{"type": "response.output_text.delta", "output_index": 0, "delta": "hi"}, {"type": "response.output_text.done", "output_index": 0, "text": "hi"}, COMPLETED],
    ),
    "searches and keep-alives": (
        "openai_responses",
        [
            {"type": "keepalive"}, {"type": "response.queued", "response": response("queued", usage=None)}, b"null",
            added({"type": "web_search_call", "action": {"query": "no"}}), {"type": "response.web_search_call.searching", "output_index": 0},
            {"type": "response.output_text.delta", "output_index": 1, "delta": "hi", "logprobs": []},
            {"type": "response.output_text.annotation.added", "output_index": 1, "annotation": {}}, COMPLETED,
        ],
    ),
    "null for an item": ("openai_responses", [added(None), {"type": "response.output_text.delta", "output_index": 0, "delta": "hi"}, COMPLETED]),
    "null in Gemini's every field": ("gemini", [{"candidates": None}, {"candidates": [None]}, {"candidates": [{"content": None}]}, {"candidates": [{"content": {"parts": None}}]}, gemini({"text": "hi"})]),
    "code that ran, and a picture": ("gemini", [gemini({"executableCode": {"code": "no"}}, {"codeExecutionResult": {"output": "no"}}, {"inlineData": {"data": "no"}}, {"text": "hi"})]),
    "a call that is none": ("gemini", [gemini({"functionCall": None}, {"functionCall": "no", "text": "hi"})]),
    "an end that Gemini does not have": ("gemini", [gemini({"text": "hi"}, modelVersion=None), b"[DONE]"]),
    "a second candidate": ("gemini", [{**gemini(), "candidates": [*gemini({"text": "hi"})["candidates"], {"index": 1, "content": {"parts": [{"text": "no"}]}}]}]),
    "citations and pads of Bedrock": (
        "bedrock_converse",
        [{"messageStart": {"role": "assistant", "p": "abc"}}, {"later": {"a": 1}}, BEDROCK_HI, {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"citation": {}}}}, *BEDROCK_END],
    ),
    "citations of Cohere": ("cohere_v2", [{"type": "debug", "prompt": "no"}, b"null", COHERE_HI, {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"text": "no"}}}}, COHERE_END]),
    "null in Ollama's every field": ("ollama_chat", [None, {"message": None}, ollama(content=None, tool_calls=[None]), {**ollama(content="hi"), "logprobs": [{}]}, OLLAMA_END]),
}  # fmt: skip
CALLS: dict[str, tuple[str, Any]] = {
    "an object for a list": ("openai_chat", [chat({"tool_calls": {"index": 0, "id": "a", "function": args('{"x":1}', "f")}}), *STOP]),
    "an index that leaves some out": ("openai_chat", [piece(index=3, id="a", function=args('{"x":', "f")), piece(index=3, function=args("1}")), *STOP]),
    "a name that comes later": ("openai_chat", [piece(index=0, id="a"), piece(index=0, function=None), piece(index=0, function=args("", "f")), piece(index=0, function=args('{"x":1}')), *STOP]),
    "a name with every piece": ("openai_chat", [piece(index=0, id="a", function=args('{"x":', "f")), piece(index=0, function=args("1}", "f")), *STOP]),
    "another id with every piece": ("openai_chat", [piece(index=0, id="a", function=args('{"x":', "f")), piece(index=0, id="b", function=args("1}")), *STOP]),
    "arguments as an object": ("openai_chat", [piece(index=0, id="a", function=args({"x": 1}, "f")), *STOP]),
    "the old form": ("openai_chat", [chat({"function_call": args('{"x":1}', "f")}), chat({}, "function_call", usage=CHAT_USAGE), b"[DONE]"]),
    "arguments told only at their end": ("openai_responses", [added(FUNCTION), {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"x":1}'}, COMPLETED]),
    "a call told only at its end": ("openai_responses", [{"type": "response.output_item.done", "output_index": 0, "item": {**FUNCTION, "arguments": '{"x":1}'}}, COMPLETED]),
    "input that is whole at once": ("anthropic_messages", claude(*block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}), stop="tool_use")),
    "empty pieces": ("anthropic_messages", claude(*block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"type": "input_json_delta", "partial_json": ""}, {"type": "input_json_delta", "partial_json": '{"x":1}'}), stop="tool_use")),
    "Cohere's arguments as an object": ("cohere_v2", [{"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "a", "function": args({"x": 1}, "f")}}}}, COHERE_END]),
    "Ollama's arguments as a text": ("ollama_chat", [ollama(content="", tool_calls=[{"function": args('{"x":1}', "f")}]), OLLAMA_END]),
}  # fmt: skip
BROKEN = {
    "an error in mid-stream": ("openai_chat", [HI, {"error": {"message": "boom", "code": 500}}]),
    "an error in words": ("openai_chat", [HI, {"error": "boom"}]),
    "an error in a list": ("openai_chat", [HI, [{"error": {"message": "boom", "code": 500}}]]),
    "an error for a reason": ("openai_chat", [HI, chat({}, "error")]),
    "no reason and no end": ("openai_chat", [HI, {"choices": [], "usage": CHAT_USAGE}]),
    "half an event before the end": ("openai_chat", [HI, b'{"choices":[{"index":0,\ndata: oops', *STOP]),
    "an overload in mid-stream": ("anthropic_messages", [*claude(*words())[:-2], {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]),
    "a response that failed": ("openai_responses", [{"type": "response.failed", "response": response("failed", error={"code": "server_error", "message": "boom"})}]),
    "a flat error": ("openai_responses", [{"type": "error", "code": "server_error", "message": "boom", "param": None}]),
    "an error of Gemini": ("gemini", [gemini({"text": "hi"}, finish=None), {"error": {"code": 503, "message": "boom", "status": "UNAVAILABLE"}}]),
    "an error of Ollama": ("ollama_chat", [ollama(content="hi"), {"error": "boom"}]),
}  # fmt: skip


def recording(wire: str, told: Any) -> Recording:
    if isinstance(told, bytes):
        body = told
    elif wire == "bedrock_converse":
        body = stream("\n".join(map(json.dumps, told)))
    else:
        data = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in told]
        body = b"".join(each + b"\n" if wire == "ollama_chat" else b"data: " + each + b"\n\n" for each in data)
    return Recording("written", wire, body, {})


async def answer(wire: str, told: Any, tmp_path, cut: int) -> tuple[Answer, str]:
    deltas: list[Any] = []
    async with Replay(recording(wire, told), cut=at_random(cut)) as server:
        found = catalog(wire, server.url, tmp_path)
        try:
            said = await found.open(f"{PROVIDERS[wire]}/m").answer(request(), deltas.append)
        finally:
            await found.close()
    return said, "".join(delta.text for delta in deltas if delta.type == "text")


@pytest.mark.parametrize("shape", TEXT)
async def test_words_come_through(shape, tmp_path):
    said, shown = await answer(*TEXT[shape], tmp_path, 3)
    assert said.message.text == shown == "hi"
    assert said.message.tool_calls == ()
    assert said.stop_reason == "end_turn"
    assert (said.usage.input_tokens, said.usage.output_tokens) == (5, 3)


@pytest.mark.parametrize("shape", CALLS)
async def test_calls_come_through_whole(shape, tmp_path):
    said, _ = await answer(*CALLS[shape], tmp_path, 4)
    assert [(call.name, call.arguments) for call in said.message.tool_calls] == CALLED
    assert said.stop_reason == "tool_use"
    assert (said.usage.input_tokens, said.usage.output_tokens) == (5, 3)


@pytest.mark.parametrize("shape", BROKEN)
async def test_what_breaks_is_never_an_answer(shape, tmp_path):
    with pytest.raises(errors.ProviderError):
        await answer(*BROKEN[shape], tmp_path, 5)


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses", "anthropic_messages"])
async def test_what_machine_this_is_concerns_no_provider(wire, tmp_path):
    told = {"openai_chat": [HI, *STOP], "openai_responses": [COMPLETED], "anthropic_messages": claude(*words())}[wire]
    async with Replay(recording(wire, told)) as server:
        found = catalog(wire, server.url, tmp_path)
        await found.open(f"{PROVIDERS[wire]}/m").answer(request(), lambda _: None)
        await found.close()
    (headers,) = [each["headers"] for each in server.requests]
    assert {name for name in headers if name.startswith("x-stainless")} <= {"x-stainless-retry-count"}
    assert headers["content-type"] == "application/json"
