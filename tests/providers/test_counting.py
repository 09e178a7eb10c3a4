"""Tokens by the provider's own count: each endpoint over HTTP, and every way in which it may not answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attache.providers import counting, remote
from attache.providers.model import counted
from attache.providers.row import built_in
from attache.schema.data import CallId
from attache.schema.messages import File, Message, Text, ToolCall, ToolResult, user
from attache.schema.models import Request
from attache.schema.tools import ToolSpec
from providers.understood import ROWS, places, request
from wire.replay import Recording, Replay

SAID = {
    "anthropic": b'{"input_tokens":1234,"context_management":{"original_input_tokens":9}}',
    "anthropic_vertex": b'{"input_tokens":1234}',
    "responses": b'{"object":"response.input_tokens","input_tokens":1234}',
    "gemini": b'{"totalTokens":1234,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1234}]}',
    "vertex": b'{"totalTokens":1234,"totalBillableCharacters":5000}',
    "bedrock": b'{"inputTokens":1234}',
    "vllm": b'{"count":1234,"max_model_len":8192,"tokens":[1,2,3]}',
    "llamacpp": json.dumps({"prompt": "<|im_start|>hello", "tokens": list(range(1234))}).encode(),
}
PATHS = {
    "anthropic": "/v1/messages/count_tokens",
    "anthropic_vertex": "/models/count-tokens:rawPredict",
    "responses": "/responses/input_tokens",
    "gemini": "/models/m:countTokens",
    "vertex": "/models/m:countTokens",
    "bedrock": "/model/m/count-tokens",
    "vllm": "/tokenize",
    "llamacpp": "/apply-template",
}
COUNTING = [row.name for row in built_in() if row.counts]
TOOL = ToolSpec(name="read", description="Read.", parameters={"properties": {}}, category="files")
CALL = ToolCall(id=CallId("call_1"), name="read", arguments={})
RESULT = ToolResult(call_id=CALL.id, name="read", text="done")
TALK = (user("hello"), Message(role="assistant", parts=(CALL,)), Message(role="user", parts=(RESULT,)))


def answering(body: bytes, status: int = 200) -> Recording:
    return Recording("count", "count", body, {}, status=status, content_type="application/json")


async def ask(name: str, server: Replay, tmp_path, asked: Request | None = None, times: int = 1) -> list[int | None]:
    found = places(name, server.url, tmp_path)
    try:
        model = found.open(f"{name}/m")
        asked = asked or request(messages=TALK, system="Be brief.", tools=(TOOL,))
        return [await counted(model, asked) for _ in range(times)]
    finally:
        await found.close()


def test_every_row_that_counts_says_a_way_that_exists():
    assert {row.counts for row in built_in()} - {""} == set(counting.WAYS)


@pytest.mark.parametrize("name", COUNTING)
async def test_the_provider_counts_what_would_be_sent(name, tmp_path):
    async with Replay(answering(SAID[ROWS[name].counts])) as server:
        assert await ask(name, server, tmp_path) == [1234]
    path, body = server.requests[0]["path"], server.requests[0]["body"]
    assert path == PATHS[ROWS[name].counts]
    told = json.dumps(body)
    assert "hello" in told
    assert "Be brief." in told
    assert '"read"' in told
    assert "stream" not in body
    assert not {"max_tokens", "max_output_tokens", "store", "include", "inferenceConfig"} & set(body)
    assert "canary-key" not in told
    assert any("canary-key" in value for value in server.requests[0]["headers"].values())


async def test_the_bodies_are_what_the_official_types_know(tmp_path):
    from anthropic.types import MessageCountTokensParams
    from openai.types.responses.input_token_count_params import InputTokenCountParams

    for name, known in (("anthropic", MessageCountTokensParams), ("openai-responses", InputTokenCountParams)):
        async with Replay(answering(SAID[ROWS[name].counts])) as server:
            await ask(name, server, tmp_path)
        assert set(server.requests[0]["body"]) <= set(known.__annotations__)


async def test_gemini_names_the_model_inside_too_and_vertex_does_not(tmp_path):
    bodies: dict[str, dict[str, Any]] = {}
    for name in ("gemini", "vertex"):
        async with Replay(answering(b'{"totalTokens":1}')) as server:
            await ask(name, server, tmp_path)
        bodies[name] = server.requests[0]["body"]
    assert bodies["gemini"]["generateContentRequest"]["model"] == "models/m"
    assert set(bodies["vertex"]) == {"contents", "systemInstruction", "tools"}


async def test_llamacpp_counts_its_own_template(tmp_path):
    async with Replay(answering(SAID["llamacpp"])) as server:
        assert await ask("llamacpp", server, tmp_path) == [1234]
    assert [each["path"] for each in server.requests] == ["/apply-template", "/tokenize"]
    assert server.requests[1]["body"]["content"] == "<|im_start|>hello"


@pytest.mark.parametrize("name", ["vllm", "llamacpp"])
async def test_a_count_of_words_alone_is_none_where_there_are_pictures(name, tmp_path):
    shown = Message(
        role="user", parts=(Text(text="see"), File(name="a.pdf", media_type="application/pdf", data="QQ=="))
    )
    async with Replay(answering(SAID[name])) as server:
        assert await ask(name, server, tmp_path, request(messages=(shown,))) == [None]
    assert server.requests == []


@pytest.mark.parametrize("name", ["anthropic", "openai-responses", "gemini", "llamacpp"])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"<html>", b'{"input_tokens":null}', b'{"input_tokens":-5}']
)
async def test_an_answer_without_a_number_is_no_count(name, body, tmp_path):
    async with Replay(answering(body)) as server:
        assert await ask(name, server, tmp_path) == [None]


@pytest.mark.parametrize("name", ["anthropic", "openai-responses", "gemini", "bedrock", "vllm"])
@pytest.mark.parametrize("status", [400, 403, 404, 405, 501, 503, 429])
async def test_who_does_not_count_is_not_asked_with_every_turn(name, status, tmp_path):
    async with Replay(answering(b'{"error":{"message":"not here"}}', status)) as server:
        assert await ask(name, server, tmp_path, times=3) == [None, None, None]
    assert len(server.requests) == 1


async def test_too_much_even_to_count_is_left_to_the_call_itself(tmp_path):
    body = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}'
    async with Replay(answering(body, 400)) as server:
        assert await ask("anthropic", server, tmp_path, times=2) == [None, None]
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
async def test_a_count_that_takes_too_long_is_not_waited_for(name, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "_COUNT_SECONDS", 0.1)
    async with Replay(answering(b"{}"), silent=True) as server:
        assert await ask(name, server, tmp_path, times=2) == [None, None]
        assert server.connections == 1


async def test_nobody_counts_for_a_provider_without_an_endpoint(tmp_path):
    async with Replay(answering(b'{"count":5}')) as server:
        assert await ask("openai", server, tmp_path) == [None]
        assert await ask("mistral", server, tmp_path) == [None]
    assert server.requests == []
