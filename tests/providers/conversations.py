"""Conversations with everything in them, and holding a request's body against a vendor's own types."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from attache.schema.data import CallId
from attache.schema.messages import Image, Message, Text, Thinking, ToolCall, ToolResult
from attache.schema.tools import ToolSpec

READ = ToolSpec(
    name="read", category="files", description="Read a file.",
    parameters={"properties": {"path": {"type": "string"}}, "required": ["path"], "additionalProperties": False},
)  # fmt: skip
PICTURE = Image(media_type="image/png", data="aGVsbG8=")
THOUGHT = Thinking(text="hm", signature="c2ln")


def call(call_id: str, **arguments: Any) -> ToolCall:
    return ToolCall(id=CallId(call_id), name="read", arguments=arguments)


def result(call_id: str, text: str = "text", **fields: Any) -> ToolResult:
    return ToolResult(call_id=CallId(call_id), name="read", text=text, **fields)


def said(*parts) -> Message:
    return Message(role="assistant", parts=parts)


def told(*parts) -> Message:
    return Message(role="user", parts=parts)


TALK = (
    told(Text(text="what is in the two files?"), PICTURE),
    said(
        THOUGHT,
        Thinking(redacted="b3BhcXVl"),
        Text(text="I look."),
        call("toolu_1", path="a"),
        call("toolu_2", path="b"),
    ),
    told(result("toolu_1"), result("toolu_2", "", images=(PICTURE,), is_error=True), Text(text="and be quick")),
)


def exhausted(value: Any) -> Any:
    """Return validated data as plain data; pydantic validates iterables as they are read."""
    if isinstance(value, dict):
        return {key: exhausted(item) for key, item in value.items()}
    if isinstance(value, str | bytes | int | float | bool) or value is None:
        return value
    return [exhausted(item) for item in value]


def valid(body: dict[str, Any], form: TypeAdapter, *, beyond: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Assert that the SDK's type takes the body and leaves nothing out; `beyond` is what a provider adds to the form."""
    plain = {key: value for key, value in body.items() if key not in beyond}
    assert exhausted(form.validate_python(plain)) == plain
    return body


TEXTS = st.text(alphabet="aé😀 \n", max_size=6)
IDS = st.sampled_from(["a", "b", "call 1", "x" * 50])
PARTS = st.one_of(
    st.builds(Text, text=TEXTS),
    st.just(PICTURE),
    st.builds(
        Thinking,
        text=TEXTS,
        signature=st.sampled_from(["", "s"]),
        redacted=st.sampled_from(["", "e", '{"reasoning_details": []}', "{"]),
    ),
    st.builds(
        ToolCall,
        id=IDS.map(CallId),
        name=st.just("read"),
        arguments=st.dictionaries(st.sampled_from("pq"), st.integers()),
    ),
    st.builds(
        ToolResult, call_id=IDS.map(CallId), name=st.just("read"), text=TEXTS, images=st.sampled_from([(), (PICTURE,)])
    ),
)
MESSAGES = st.lists(
    st.builds(Message, role=st.sampled_from(["user", "assistant"]), parts=st.lists(PARTS, max_size=4).map(tuple)),
    max_size=6,
)
