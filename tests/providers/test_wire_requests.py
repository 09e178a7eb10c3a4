"""Bodies of the wires beside Anthropic's and OpenAI's Chat: valid by the vendors' own types, and nothing lost on the way."""

from __future__ import annotations

import base64
import copy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter

from attache.providers import (
    bedrock_converse_request,
    cohere_v2_request,
    gemini_request,
    ollama_request,
    openai_responses_request,
)
from attache.schema.messages import Text, Thinking, user
from attache.schema.models import Request
from providers.conversations import MESSAGES, PICTURE, READ, TALK, THOUGHT, call, result, said, told, valid
from providers.understood import ROWS

RESPONSES = TypeAdapter(ResponseCreateParamsStreaming)
SEALED = Thinking(
    text="hm",
    redacted='{"reasoning": {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"}}',
)
SIGNED = Thinking(redacted='{"thoughtSignature": "AB=="}')


def asked(**fields: Any) -> Request:
    return Request(**({"model": "m", "messages": TALK, "tools": (READ,), "system": "be brief"} | fields))


def responses(**fields: Any) -> dict[str, Any]:
    return valid(openai_responses_request.body(asked(**fields), ROWS["openai-responses"].quirks), RESPONSES)


def gemini(**fields: Any) -> dict[str, Any]:
    return gemini_request.body(asked(**fields), ROWS["gemini"].quirks)


def bedrock(**fields: Any) -> dict[str, Any]:
    return bedrock_converse_request.body(asked(**fields), ROWS["bedrock"].quirks)


def cohere(**fields: Any) -> dict[str, Any]:
    return cohere_v2_request.body(asked(**fields))


def ollama(**fields: Any) -> dict[str, Any]:
    return ollama_request.body(asked(**fields))


# ---- OpenAI Responses


def test_responses_get_everything_in_their_own_form():
    body = responses(thinking_tokens=4000)
    assert (body["instructions"], body["store"], body["stream"]) == ("be brief", False, True)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert body["max_output_tokens"] == 8192 + 4000
    first, text, one, two, answered, empty, rest = body["input"]
    assert first["content"][1] == {
        "type": "input_image",
        "detail": "auto",
        "image_url": "data:image/png;base64,aGVsbG8=",
    }
    assert text == {"role": "assistant", "content": "I look."}
    assert one == {"type": "function_call", "call_id": "toolu_1", "name": "read", "arguments": '{"path": "a"}'}
    assert two["call_id"] == "toolu_2"
    assert answered == {"type": "function_call_output", "call_id": "toolu_1", "output": "text"}
    assert [part["type"] for part in empty["output"]] == ["input_text", "input_image"]
    assert rest == {"role": "user", "content": "and be quick"}
    assert body["tools"][0]["name"] == "read"


def test_responses_get_their_reasoning_back_before_what_it_led_to():
    talk = (user("a"), said(SEALED, call("x", path="a")), told(result("x")), said(Text(text="b"), SEALED), user("c"))
    items = responses(messages=talk)["input"]
    assert [item.get("type", item.get("role")) for item in items] == [
        "user", "reasoning", "function_call", "function_call_output", "assistant", "user",
    ]  # fmt: skip
    assert items[1]["encrypted_content"] == "gAAA"


def test_responses_get_the_phase_of_their_words_back():
    words = (Thinking(redacted='{"phase": "commentary"}'), Text(text="I look."), Text(text="Done."))
    first, *rest = responses(messages=(user("a"), said(*words), user("b")))["input"][1:]
    assert first == {"role": "assistant", "content": "I look.", "phase": "commentary"}
    assert "phase" not in str(rest)


def test_models_that_cannot_reason_are_not_asked_to():
    body = responses(model="gpt-4.1", thinking_tokens=4000)
    assert "include" not in body
    assert "reasoning" not in body


@pytest.mark.parametrize(("choice", "sent"), [("auto", None), ("none", "none"), ("required", "required")])
def test_responses_are_told_whether_to_use_tools(choice, sent):
    assert responses(tool_choice=choice).get("tool_choice") == sent
    assert "tool_choice" not in responses(tool_choice=choice, tools=())


# ---- Gemini


def test_gemini_gets_everything_in_its_own_form():
    body = gemini(temperature=0.5)
    assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert body["generationConfig"] == {"maxOutputTokens": 8192, "temperature": 0.5}
    (declared,) = body["tools"][0]["functionDeclarations"]
    assert declared["parametersJsonSchema"] == {"type": "object"} | READ.parameters
    first, second, third = body["contents"]
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
    assert first["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}}
    assert second["parts"][0] == {"text": "I look."}
    assert second["parts"][1]["functionCall"] == {"id": "toolu_1", "name": "read", "args": {"path": "a"}}
    assert third["parts"][0] == {"functionResponse": {"id": "toolu_1", "name": "read", "response": {"output": "text"}}}
    assert third["parts"][1]["functionResponse"]["response"] == {"error": "(no output)"}
    assert [next(iter(part)) for part in third["parts"][2:]] == ["text", "inlineData", "text"]


def test_gemini_gets_signatures_back_where_they_stood():
    talk = (
        user("a"),
        said(THOUGHT, SIGNED, call("x", path="a"), call("y", path="b")),
        told(result("x"), result("y")),
        said(SIGNED, Text(text="")),
    )
    _, calls, _, words = gemini(messages=talk)["contents"]
    assert [part.get("thoughtSignature") for part in calls["parts"]] == ["AB==", None]
    assert words["parts"] == [{"text": "", "thoughtSignature": "AB=="}]


def test_calls_of_another_model_are_let_pass_by_newer_geminis():
    talk = (user("a"), said(call("x"), call("y")), told(result("x"), result("y")))
    newer, older = (
        gemini(model=name, messages=talk)["contents"][1]["parts"] for name in ("gemini-3.8-flash", "gemini-2.5-pro")
    )
    assert [part.get("thoughtSignature") for part in newer] == ["skip_thought_signature_validator", None]
    assert "thoughtSignature" not in str(older)


@pytest.mark.parametrize(
    ("model", "budget", "sent"),
    [
        ("gemini-2.5-pro", None, None), ("gemini-3.8-flash", 0, None),
        ("gemini-2.5-flash", 0, {"thinkingBudget": 0, "includeThoughts": False}),
        ("gemini-2.5-pro", 4000, {"thinkingBudget": 4000, "includeThoughts": True}),
        ("gemini-3.8-flash", 4000, {"thinkingLevel": "medium", "includeThoughts": True}),
    ],
)  # fmt: skip
def test_gemini_thinks_as_the_model_can(model, budget, sent):
    assert gemini(model=model, thinking_tokens=budget)["generationConfig"].get("thinkingConfig") == sent


@pytest.mark.parametrize(("choice", "mode"), [("required", "ANY"), ("none", "NONE")])
def test_gemini_is_told_whether_to_use_tools(choice, mode):
    assert gemini(tool_choice=choice)["toolConfig"] == {"functionCallingConfig": {"mode": mode}}
    assert "toolConfig" not in gemini() | gemini(tool_choice=choice, tools=())


# ---- Bedrock Converse

CLAUDE = "global.anthropic.claude-sonnet-5-5"
CACHED = {"cachePoint": {"type": "default"}}


def test_bedrock_gets_everything_in_its_own_form():
    body = bedrock(model=CLAUDE)
    assert body["system"] == [{"text": "be brief"}, CACHED]
    tool, mark = body["toolConfig"]["tools"]
    assert tool["toolSpec"]["inputSchema"] == {"json": {"type": "object"} | READ.parameters}
    assert mark == CACHED
    first, second, third = body["messages"]
    assert first["content"][1] == {"image": {"format": "png", "source": {"bytes": "aGVsbG8="}}}
    assert second["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "b3BhcXVl"}},
        {"text": "I look."},
        {"toolUse": {"toolUseId": "toolu_1", "name": "read", "input": {"path": "a"}}},
        {"toolUse": {"toolUseId": "toolu_2", "name": "read", "input": {"path": "b"}}},
    ]
    assert third["content"][1]["toolResult"]["status"] == "error"
    assert third["content"][-1] == CACHED


def test_only_claude_is_asked_to_cache_and_to_think():
    nova = bedrock(model="us.amazon.nova-pro-v1:0", thinking_tokens=2000, temperature=0.5)
    assert "cachePoint" not in str(nova)
    assert "additionalModelRequestFields" not in nova
    assert nova["inferenceConfig"] == {"maxTokens": 8192, "temperature": 0.5}
    claude = bedrock(model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", thinking_tokens=2000, temperature=0.5)
    assert claude["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    assert claude["inferenceConfig"] == {"maxTokens": 10192}


@pytest.mark.parametrize("fields", [{"tools": ()}, {"tool_choice": "none"}])
def test_without_tools_bedrock_is_told_of_calls_in_words(fields):
    body = bedrock(**fields)
    assert "toolConfig" not in body
    assert "toolUse" not in str(body["messages"])
    assert '[called read with {"path": "a"}]' in str(body["messages"])
    assert "[read answered: text]" in str(body["messages"])


def test_bedrock_takes_ids_of_other_wires_and_neighbours_of_one_role():
    talk = (user("a"), said(call("functions.read:" + "x" * 60)), told(result("functions.read:" + "x" * 60)))
    _, made, answered = bedrock(messages=talk)["messages"]
    call_id = made["content"][0]["toolUse"]["toolUseId"]
    assert call_id == answered["content"][0]["toolResult"]["toolUseId"]
    assert len(call_id) <= 64
    assert "." not in call_id
    joined = bedrock(messages=(user("a"), said(Text(text="b")), said(Text(text="c"))))["messages"]
    assert [message["role"] for message in joined] == ["user", "assistant"]
    assert bedrock(tool_choice="required")["toolConfig"]["toolChoice"] == {"any": {}}


# ---- Cohere


def test_cohere_gets_everything_in_its_own_form():
    body = cohere(thinking_tokens=500, tool_choice="required")
    system, first, second, one, two, rest = body["messages"]
    assert system == {"role": "system", "content": "be brief"}
    assert first["content"][1]["type"] == "image_url"
    assert second["content"] == [{"type": "text", "text": "I look."}]
    assert [item["id"] for item in second["tool_calls"]] == ["toolu_1", "toolu_2"]
    assert (one["role"], one["content"], two["content"]) == ("tool", "text", "(no output)")
    assert [part["type"] for part in rest["content"]] == ["text", "image_url", "text"]
    assert body["tool_choice"] == "REQUIRED"
    assert body["thinking"] == {"type": "enabled", "token_budget": 500}
    assert cohere(thinking_tokens=0)["thinking"] == {"type": "disabled"}


def test_cohere_gets_its_plan_and_its_reasoning_back():
    own = (
        Thinking(text="plan", redacted='{"cohere": "tool_plan"}'),
        Thinking(text="hm", redacted='{"cohere": "thinking"}'),
    )
    talk = (user("a"), said(THOUGHT, SEALED, *own, call("x")), told(result("x")))
    made = cohere(messages=talk)["messages"][2]
    assert made["tool_plan"] == "plan"
    assert made["content"] == [{"type": "thinking", "thinking": "hm"}]


# ---- Ollama


def test_ollama_gets_everything_in_its_own_form():
    body = ollama(temperature=0.5, thinking_tokens=100)
    system, first, second, one, two, rest = body["messages"]
    assert system["role"] == "system"
    assert first == {"role": "user", "content": "what is in the two files?", "images": ["aGVsbG8="]}
    assert second["tool_calls"][0]["function"] == {"index": 0, "name": "read", "arguments": {"path": "a"}}
    assert (one["role"], one["tool_name"], one["content"]) == ("tool", "read", "text")
    assert two["images"] == ["aGVsbG8="]
    assert rest == {"role": "user", "content": "and be quick"}
    assert body["think"] is True
    assert body["truncate"] is False
    assert body["options"] == {"num_predict": 8292, "temperature": 0.5, "num_ctx": 16384}


def test_ollama_gets_a_window_that_holds_the_conversation():
    windows = [
        ollama(messages=(user("word " * count),))["options"]["num_ctx"] for count in (10, 20_000, 60_000, 900_000)
    ]
    assert windows == [16_384, 65_536, 131_072, 262_144]
    picture = PICTURE.model_copy(update={"data": base64.b64encode(b"x" * 300_000).decode()})
    assert ollama(messages=(told(picture, Text(text="what is it?")),))["options"]["num_ctx"] == 16_384


def test_ollama_without_tools_or_with_its_own_thoughts():
    assert "tools" not in ollama(tool_choice="none")
    own = Thinking(text="hm", redacted='{"ollama": "thinking"}')
    assert (
        ollama(messages=(user("a"), said(own, THOUGHT, Text(text="b")), user("c")))["messages"][2]["thinking"] == "hm"
    )
    assert "thinking" not in str(ollama(messages=(user("a"), said(THOUGHT, Text(text="b")), user("c")))["messages"])


def test_the_same_for_generate():
    one = ollama_request.as_prompt(ollama(messages=(user("tell me a joke"),)))
    assert (one["prompt"], one["system"]) == ("tell me a joke", "be brief")
    assert not {"messages", "tools"} & set(one)
    many = ollama_request.as_prompt(ollama())
    assert many["prompt"].startswith("user: what is in the two files?\n\nassistant: I look.\n\ntool: text")
    assert many["prompt"].endswith("and be quick\n\nassistant:")
    assert many["images"] == ["aGVsbG8=", "aGVsbG8="]


# ---- all of them, whatever was said


@settings(max_examples=100, deadline=None)
@given(messages=MESSAGES)
def test_whatever_was_said_each_call_has_its_one_result(messages):
    fields = {"messages": tuple(messages)}
    items = responses(**fields)["input"]
    assert [item["call_id"] for item in items if item.get("type") == "function_call"] == [
        item["call_id"] for item in items if item.get("type") == "function_call_output"
    ]
    parts = [part for content in gemini(**fields)["contents"] for part in content["parts"]]
    assert [part["functionCall"]["id"] for part in parts if "functionCall" in part] == [
        part["functionResponse"]["id"] for part in parts if "functionResponse" in part
    ]
    body = bedrock(**fields)
    roles = [message["role"] for message in body["messages"]]
    assert all(one != other for one, other in pairwise(roles))
    blocks = [block for message in body["messages"] for block in message["content"]]
    assert [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block] == [
        block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block
    ]
    for body in (cohere(**fields), ollama(**fields)):
        made = sum(len(message.get("tool_calls", [])) for message in body["messages"])
        assert made == sum(message["role"] == "tool" for message in body["messages"])


@settings(max_examples=100, deadline=None)
@given(messages=MESSAGES)
def test_bodies_are_valid_by_the_vendors_own_libraries(messages):
    """Needs the libraries of the vendors, which the product does without."""
    pytest.importorskip("botocore", reason="botocore is not installed")
    pytest.importorskip("google.genai", reason="google-genai is not installed")
    pytest.importorskip("cohere", reason="cohere is not installed")
    pytest.importorskip("ollama", reason="ollama is not installed")
    by_the_vendors(tuple(messages))


def by_the_vendors(messages) -> None:
    import botocore.session
    from botocore.validate import ParamValidator
    from cohere.types.chat_message_v2 import ChatMessageV2
    from google.genai import types
    from ollama._types import ChatRequest

    fields = {"messages": messages, "tool_choice": "required", "thinking_tokens": 2000}
    body = copy.deepcopy(bedrock(model=CLAUDE, **fields))
    for message in body["messages"]:
        for block in message["content"]:
            unpacked(block)
            for inner in block.get("toolResult", {}).get("content", []):
                unpacked(inner)
    body["modelId"] = body.pop("model")
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    report = ParamValidator().validate(body, service.operation_model("ConverseStream").input_shape)
    assert not report.has_errors(), report.generate_report()
    body = gemini(**fields)
    for content in body["contents"]:
        types.Content.model_validate(content)
    types.GenerationConfig.model_validate(body["generationConfig"])
    types.Tool.model_validate(body["tools"][0])
    types.ToolConfig.model_validate(body["toolConfig"])
    messages_of_cohere = TypeAdapter(list[ChatMessageV2])
    messages_of_cohere.validate_python(cohere(**fields)["messages"])
    ChatRequest.model_validate(ollama(**fields))


def unpacked(block: dict[str, Any]) -> None:
    """Put bytes where the library wants bytes; what is sent is base64."""
    if "image" in block:
        block["image"]["source"]["bytes"] = base64.b64decode(block["image"]["source"]["bytes"])
    if "redactedContent" in (held := block.get("reasoningContent", {})):
        held["redactedContent"] = held["redactedContent"].encode()
