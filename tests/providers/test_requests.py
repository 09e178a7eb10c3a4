"""Bodies of both wires: valid by the vendors' own types, and nothing lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from hypothesis import given, settings
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

from attache.providers import anthropic_request, openai_request
from attache.providers.row import PLAIN, built_in
from attache.schema.messages import Image, Text, Thinking, user
from attache.schema.models import Request
from providers.conversations import MESSAGES, PICTURE, READ, TALK, THOUGHT, call, result, said, told, valid

ANTHROPIC = TypeAdapter(MessageCreateParamsStreaming)
OPENAI = TypeAdapter(CompletionCreateParamsStreaming)
ROWS = {row.name: row for row in built_in()}


def anthropic(**fields: Any) -> dict[str, Any]:
    asked = Request(
        **({"model": "claude-sonnet-5-5", "messages": TALK, "tools": (READ,), "system": "be brief"} | fields)
    )
    return valid(anthropic_request.body(asked, ROWS["anthropic"].quirks), ANTHROPIC)


def openai(provider: str = "together", **fields: Any) -> dict[str, Any]:
    asked = Request(**({"model": "m", "messages": TALK, "tools": (READ,), "system": "be brief"} | fields))
    return openai_request.body(asked, ROWS[provider].quirks)


def test_anthropic_gets_everything_in_its_own_form():
    body = anthropic()
    assert body["max_tokens"] == 8192
    assert body["system"] == [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
    assert body["tools"] == [
        {
            "name": "read", "description": "Read a file.", "cache_control": {"type": "ephemeral"},
            "input_schema": {"type": "object"} | READ.parameters,
        }
    ]  # fmt: skip
    first, second, third = body["messages"]
    assert first["content"][1] == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
        "cache_control": {"type": "ephemeral"},  # the point of the call before
    }
    assert second["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
        {"type": "tool_use", "id": "toolu_2", "name": "read", "input": {"path": "b"}},
    ]
    assert [block["type"] for block in third["content"]] == ["tool_result", "tool_result", "text"]
    assert third["content"][1]["is_error"] is True
    assert [block["type"] for block in third["content"][1]["content"]] == ["text", "image"]
    assert third["content"][2] == {"type": "text", "text": "and be quick", "cache_control": {"type": "ephemeral"}}
    assert str(body).count("cache_control") == 4


def test_anthropic_takes_no_thought_of_another_wire():
    body = anthropic(
        messages=(user("a"), said(Thinking(text="other"), Thinking(redacted='{"x": 1}'), Text(text="b")), user("c"))
    )
    assert body["messages"][1]["content"] == [{"type": "text", "text": "b"}]


def test_anthropic_takes_ids_of_other_wires_in_its_own_letters():
    body = anthropic(messages=(user("a"), said(call("functions.read:0")), told(result("functions.read:0"))))
    assert (
        body["messages"][1]["content"][0]["id"]
        == body["messages"][2]["content"][0]["tool_use_id"]
        == "functions_read_0"
    )


@pytest.mark.parametrize(
    ("model", "budget", "thinking"),
    [
        ("claude-sonnet-5-5", None, None),
        ("claude-sonnet-5-5", 4000, {"type": "adaptive", "display": "summarized"}),
        ("claude-opus-4-7", 4000, {"type": "adaptive", "display": "summarized"}),
        ("claude-sonnet-4-6", 4000, {"type": "adaptive", "display": "summarized"}),
        ("claude-sonnet-4-5", 4000, {"type": "enabled", "budget_tokens": 4000}),
        ("claude-haiku-4-5-20251001", 4000, {"type": "enabled", "budget_tokens": 4000}),
        ("claude-sonnet-4-20250514", 4000, {"type": "enabled", "budget_tokens": 4000}),
        ("claude-3-7-sonnet-latest", 10, {"type": "enabled", "budget_tokens": 1024}),
        ("claude-opus-5-5", 0, {"type": "disabled"}),
    ],
)
def test_anthropic_thinks_as_the_model_can(model, budget, thinking):
    body = anthropic(model=model, thinking_tokens=budget, max_output_tokens=500)
    assert body.get("thinking") == thinking
    assert body["max_tokens"] > (thinking or {}).get("budget_tokens", 0)


@pytest.mark.parametrize(
    ("choice", "sent"), [("auto", None), ("none", {"type": "none"}), ("required", {"type": "any"})]
)
def test_anthropic_is_told_whether_to_use_tools(choice, sent):
    assert anthropic(tool_choice=choice).get("tool_choice") == sent
    assert "tool_choice" not in anthropic(tool_choice=choice, tools=())


def test_a_picture_that_cannot_be_seen_is_named():
    body = anthropic(messages=(told(Image(media_type="image/svg+xml", data="PHN2Zz4=")),))
    assert "image/svg+xml" in body["messages"][0]["content"][0]["text"]


def test_openai_gets_everything_in_its_own_form():
    body = valid(openai(), OPENAI)
    system, first, second, one, two, rest = body["messages"]
    assert system == {"role": "system", "content": "be brief"}
    assert first["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    assert second == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a"}'}},
            {"id": "toolu_2", "type": "function", "function": {"name": "read", "arguments": '{"path":"b"}'}},
        ],
    }
    assert one == {"role": "tool", "tool_call_id": "toolu_1", "content": "text"}
    assert two == {"role": "tool", "tool_call_id": "toolu_2", "content": "(no output)"}
    assert [part["type"] for part in rest["content"]] == ["text", "image_url", "text"]
    assert body["max_tokens"] == 8192
    assert body["stream_options"] == {"include_usage": True}
    assert body["tools"][0]["function"]["parameters"]["type"] == "object"


def test_plain_words_are_sent_as_plain_words():
    assert openai(messages=(user("a"), user("b")), tools=())["messages"][1:] == [{"role": "user", "content": "a\n\nb"}]
    assert "tools" not in openai(messages=(user("a"),), tools=())


def test_a_model_that_cannot_see_gets_pictures_described():
    (last,) = openai("deepseek", messages=(told(PICTURE, Text(text="what is it?")),))["messages"][1:]
    assert last["content"] == "[a picture, image/png, 6 bytes, which this model cannot see]\n\nwhat is it?"


def test_reasoning_goes_back_only_where_it_is_wanted():
    own = Thinking(text="own", redacted='{"reasoning_details": [{"type": "reasoning.text", "text": "own"}]}')
    talk = (user("a"), said(THOUGHT, own, Text(text="b")), user("c"), said(Text(text="d")), user("e"))
    told_back = {
        name: openai(name, messages=talk)["messages"] for name in ("together", "deepseek", "openrouter", "mistral")
    }
    assert [message.get("reasoning_content") for message in told_back["deepseek"]] == [
        None,
        None,
        "own",
        None,
        "",
        None,
    ]
    assert told_back["openrouter"][2]["reasoning_details"] == [{"type": "reasoning.text", "text": "own"}]
    assert "reasoning" not in str(told_back["together"]) + str(told_back["mistral"])


def test_gemini_gets_the_signature_of_its_call_back():
    kept = Thinking(redacted='{"extra_content": {"google": {"thought_signature": "AB=="}}}')
    talk = (user("a"), said(kept, call("x", path="a"), call("y", path="b")), told(result("x"), result("y")))
    first, second = openai("gemini-compatible", messages=talk)["messages"][2]["tool_calls"]
    assert first["extra_content"] == {"google": {"thought_signature": "AB=="}}
    assert "extra_content" not in second
    assert "extra_content" not in str(openai("together", messages=talk))


def test_mistral_gets_ids_of_nine_characters_and_nothing_it_does_not_know():
    body = openai("mistral", tool_choice="required")
    ids = [tool["id"] for tool in body["messages"][2]["tool_calls"]]
    assert [message["tool_call_id"] for message in body["messages"][3:5]] == ids
    assert all(len(call_id) == 9 and call_id.isalnum() for call_id in ids)
    assert len(set(ids)) == 2
    assert body["tool_choice"] == "any"
    assert "stream_options" not in body
    kept = openai("mistral", messages=(user("a"), said(call("61rC3QJac")), told(result("61rC3QJac"))))
    assert kept["messages"][2]["tool_calls"][0]["id"] == "61rC3QJac"


def test_long_ids_are_shortened_alike_for_call_and_result():
    long = "call_" + "x" * 60
    messages = openai(messages=(user("a"), said(call(long)), told(result(long))))["messages"]
    assert messages[2]["tool_calls"][0]["id"] == messages[3]["tool_call_id"]
    assert len(messages[3]["tool_call_id"]) == 40


@pytest.mark.parametrize(
    ("provider", "fields", "sent"),
    [
        ("openai", {"model": "gpt-5.6-sol"}, {"reasoning_effort": "none"}),  # tools and effort exclude each other there
        ("openai", {"model": "gpt-5.6-sol", "thinking_tokens": 9000}, {"reasoning_effort": "none"}),
        ("openai", {"model": "gpt-5.6-sol", "tools": (), "thinking_tokens": 9000}, {"reasoning_effort": "high"}),
        ("openai", {"model": "gpt-5", "thinking_tokens": 1000}, {"reasoning_effort": "low"}),
        ("openai", {"model": "gpt-4.1"}, {}),
        ("openrouter", {"thinking_tokens": 1000}, {"reasoning": {"max_tokens": 1000}}),
        ("together", {"thinking_tokens": 1000}, {}),
    ],
)
def test_openais_form_asks_for_reasoning_as_the_provider_takes_it(provider, fields, sent):
    body = valid(openai(provider, **fields), OPENAI, beyond=frozenset({"reasoning"}))
    assert {key: value for key, value in body.items() if key.startswith("reasoning")} == sent


@pytest.mark.parametrize("provider", [name for name, row in ROWS.items() if row.wire == "openai_chat"])
def test_every_row_builds_a_body_that_the_sdk_takes(provider):
    body = openai(provider, tool_choice="required", temperature=0.5)
    for message in body["messages"]:
        message.pop("reasoning_content", None)
    assert body.pop("tool_choice", "") == ROWS[provider].quirks.required_tool_choice  # Mistral's word is its own
    valid(body, OPENAI)
    assert body[ROWS[provider].quirks.max_tokens_field] == 8192
    assert body["temperature"] == 0.5


@settings(max_examples=150, deadline=None)
@given(messages=MESSAGES)
def test_whatever_was_said_a_valid_body_comes_of_it(messages):
    asked = Request(model="m", messages=tuple(messages), tools=(READ,))
    valid(anthropic_request.body(asked, PLAIN), ANTHROPIC)
    body = valid(openai_request.body(asked, PLAIN), OPENAI)
    waiting: list[str] = []
    for message in body["messages"]:  # each call is followed by its one result, before anything else
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
            continue
        assert waiting == []
        waiting = [tool["id"] for tool in message.get("tool_calls", [])]
    assert waiting == []
