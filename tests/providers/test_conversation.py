"""Every call has its one result, right behind it, whatever happened to the run."""

from __future__ import annotations

from attache.providers.conversation import output, paired
from attache.schema.data import CallId
from attache.schema.messages import Image, Message, Text, ToolCall, ToolResult, assistant, user


def call(name: str) -> ToolCall:
    return ToolCall(id=CallId(name), name="read", arguments={})


def result(name: str, text: str = "ok") -> ToolResult:
    return ToolResult(call_id=CallId(name), name="read", text=text)


def asks(*names: str) -> Message:
    return Message(role="assistant", parts=tuple(call(name) for name in names))


def tells(*parts) -> Message:
    return Message(role="user", parts=parts)


def test_a_sound_conversation_stays_as_it_is():
    sound = (user("a"), asks("1", "2"), tells(result("1"), result("2")), assistant("b"), user("c"))
    assert paired(sound) == sound


def test_results_stand_in_the_order_asked_and_before_other_words():
    _, last = paired((asks("1", "2"), tells(Text(text="hurry"), result("2"), result("1"))))
    assert last.parts == (result("1"), result("2"), Text(text="hurry"))


def test_results_that_came_apart_come_together():
    _, last = paired((asks("1", "2"), tells(result("1")), tells(result("2")), user("go on")))
    assert last.parts == (result("1"), result("2"), Text(text="go on"))


def test_a_call_that_was_stopped_gets_a_result_that_says_so():
    for after in ((), (user("what now?"),), (assistant("never mind"),)):
        _, answered, *_ = paired((asks("1", "2"), *after))
        assert [part.call_id for part in answered.parts[:2]] == ["1", "2"]
        assert all(part.is_error and "stopped" in part.text for part in answered.parts[:2])


def test_a_result_that_nobody_asked_for_becomes_words():
    picture = Image(media_type="image/png", data="")
    stray = ToolResult(call_id=CallId("9"), name="read", text="old", images=(picture,))
    (only,) = paired((tells(stray, Text(text="a")),))
    assert only.parts == (Text(text="read: old"), picture, Text(text="a"))
    _, answered = paired((asks("1"), tells(result("1", "first"), result("1", "again"))))
    assert answered.parts == (result("1", "first"), Text(text="read: again"))


def test_what_says_nothing_is_left_out():
    assert paired((user("a"), assistant("  \n"), user(""), user("b"))) == (tells(Text(text="a"), Text(text="b")),)


def test_an_empty_output_is_said_to_be_empty():
    assert [output(result("1", text)) for text in ("", " \n", "x")] == ["(no output)", "(no output)", "x"]
