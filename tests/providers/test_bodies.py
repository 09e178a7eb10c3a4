"""Whatever is asked, every row's request is one that its API takes: by the vendors' own types, or by their documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types import message_create_params
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from attache.providers import (
    anthropic_request,
    bedrock_converse_request,
    cohere_v2_request,
    gemini_request,
    ollama_request,
    openai_request,
    openai_responses_request,
)
from attache.providers.row import ProviderRow, built_in
from attache.providers.text_form import in_words
from attache.schema.data import CallId
from attache.schema.messages import File, Image, Message, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import Request
from attache.schema.tools import ToolSpec
from providers.conversations import valid
from providers.forms import Cohere, Converse, Gemini, Ollama

ROWS = [row for row in built_in() if row.wire not in {"offline", "scripted"}]
ANTHROPIC = TypeAdapter(message_create_params.MessageCreateParamsStreaming)
CHAT = TypeAdapter(completion_create_params.CompletionCreateParamsStreaming)
RESPONSES = TypeAdapter(response_create_params.ResponseCreateParamsStreaming)
BEYOND_OPENAI = {"reasoning"}
"""Fields that OpenRouter adds to OpenAI's form."""
ECHOED = {"reasoning_content", "reasoning_details"}
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}

WORDS = st.text(alphabet='aé😀 \n{}<"', max_size=8)
IDS = st.sampled_from(["a", "b", "call 1", "tooluse_ü", "x" * 80]).map(CallId)
NAMES = st.sampled_from(["read", "run_test"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("pqr"), inner, max_size=2),
    max_leaves=4,
)
IMAGES = st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/webp", "image/tiff"]), data=st.just("aGVsbG8=")
)
FILES = st.builds(
    File,
    media_type=st.sampled_from(["application/pdf", "text/plain", "application/json", "application/zip"]),
    name=st.sampled_from(["a.pdf", "Über uns.pdf", "x", ".pdf", "a_b  c.txt"]),
    data=st.sampled_from(["aGVsbG8=", "/w=="]),
)
THOUGHTS = st.builds(
    Thinking,
    text=WORDS,
    signature=st.sampled_from(["", "c2ln"]),
    redacted=st.sampled_from(
        [
            "",
            "b3BhcXVl",
            '{"reasoning_details": [{"type": "x"}]}',
            '{"thoughtSignature": "s"}',
            '{"cohere": "tool_plan"}',
            "{",
        ]
    ),
)
CALLS = st.builds(
    ToolCall, id=IDS, name=NAMES, arguments=st.dictionaries(st.sampled_from(["path", "limit"]), VALUES, max_size=2)
)
RESULTS = st.builds(
    ToolResult,
    call_id=IDS,
    name=NAMES,
    text=WORDS,
    images=st.lists(IMAGES, max_size=1).map(tuple),
    is_error=st.booleans(),
)
TEXTS = st.builds(Text, text=WORDS)
MESSAGES = st.lists(
    st.one_of(
        st.builds(
            Message,
            role=st.just("user"),
            parts=st.lists(st.one_of(TEXTS, IMAGES, FILES, RESULTS), max_size=4).map(tuple),
        ),
        st.builds(
            Message, role=st.just("assistant"), parts=st.lists(st.one_of(THOUGHTS, TEXTS, CALLS), max_size=5).map(tuple)
        ),
    ),
    max_size=6,
)
TOOLS = st.lists(
    st.builds(
        ToolSpec,
        name=NAMES,
        category=st.just("files"),
        description=st.sampled_from(["", "Read a file."]),
        parameters=st.sampled_from([{}, {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}]),
    ),
    max_size=2,
    unique_by=lambda tool: tool.name,
)  # fmt: skip


@st.composite
def requests(draw: Any) -> Request:
    tools = tuple(draw(TOOLS))
    return Request(
        model=draw(
            st.sampled_from(
                ["m", "anthropic.claude-sonnet-4-5-v1:0", "gemini-2.5-pro", "gpt-5.6-sol", "claude-sonnet-4-5"]
            )
        ),
        system=draw(WORDS),
        messages=(*draw(MESSAGES), Message(role="user", parts=(Text(text="go on"),))),
        tools=tools,
        tool_choice=draw(st.sampled_from(["auto", "none", "required"])) if tools else "auto",
        max_output_tokens=draw(st.sampled_from([1, 8192])),
        temperature=draw(st.sampled_from([None, 0.0, 0.7])),
        thinking_tokens=draw(st.sampled_from([None, 0, 500, 9000])),
        output_schema=draw(st.sampled_from([None, SCHEMA])),
    )


def _anthropic(asked: Request, row: ProviderRow) -> None:
    body = valid(anthropic_request.body(asked, row.quirks), ANTHROPIC)
    points = str(body).count("'cache_control'")
    assert points <= 4
    thinking = body.get("thinking", {})
    assert thinking.get("budget_tokens", 0) < body["max_tokens"]
    assert body["messages"][0]["role"] == "user" or body["messages"][0]["role"] == "assistant"


def _chat(asked: Request, row: ProviderRow) -> None:
    body = openai_request.body(asked, row.quirks)
    for message in body["messages"]:
        assert ECHOED.isdisjoint(message) or row.quirks.echo
        for key in ECHOED:
            message.pop(key, None)
        for call in message.get("tool_calls", []):
            call.pop("extra_content", None)
            length = row.quirks.call_id_length
            assert length is None or (len(call["id"]) == length and call["id"].isalnum())
    if body.get("tool_choice") == "any":
        body["tool_choice"] = "required"  # Mistral's word
    valid(body, CHAT, beyond=frozenset(BEYOND_OPENAI))


def _responses(asked: Request, row: ProviderRow) -> None:
    body = valid(openai_responses_request.body(asked, row.quirks), RESPONSES)
    made = [item["call_id"] for item in body["input"] if item.get("type") == "function_call"]
    assert made == [item["call_id"] for item in body["input"] if item.get("type") == "function_call_output"]


def _without_model(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "model"}


def _gemini(asked: Request, row: ProviderRow) -> None:
    Gemini.model_validate(_without_model(gemini_request.body(asked, row.quirks)))


def _converse(asked: Request, row: ProviderRow) -> None:
    body = bedrock_converse_request.body(asked, row.quirks)
    form = Converse.model_validate(_without_model(body))
    points = sum("cachePoint" in str(part) for part in str(body).split("cachePoint")[1:])
    assert points <= 4
    assert all(one.role != other.role for one, other in zip(form.messages, form.messages[1:], strict=False))


def _cohere(asked: Request, _row: ProviderRow) -> None:
    Cohere.model_validate(cohere_v2_request.body(asked))


def _ollama(asked: Request, _row: ProviderRow) -> None:
    Ollama.model_validate(ollama_request.body(asked))


CHECKS: dict[str, Callable[[Request, ProviderRow], None]] = {
    "anthropic_messages": _anthropic, "anthropic_cloud": _anthropic, "openai_chat": _chat, "openai_responses": _responses,
    "gemini": _gemini, "bedrock_converse": _converse, "cohere_v2": _cohere, "ollama_chat": _ollama,
}  # fmt: skip
FIRST = {row.wire: row for row in reversed(ROWS)}


@pytest.mark.parametrize("wire", CHECKS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=requests())
def test_a_wires_body_is_valid_whatever_is_asked(wire, asked):
    CHECKS[wire](asked, FIRST[wire])


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=requests())
def test_every_rows_body_is_valid_in_words_too(asked):
    for row in ROWS:
        CHECKS[row.wire](asked, row)
        CHECKS[row.wire](in_words(asked), row)
