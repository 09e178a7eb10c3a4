"""The model that follows a file: the same conversation gives the same answer, in this process or the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attache.foundation.settings import load
from attache.providers.catalog import Catalog
from attache.schema.data import CallId
from attache.schema.errors import (
    AuthenticationFailed,
    RateLimited,
    RequestRefused,
    SettingsError,
    StreamCut,
)
from attache.schema.messages import Message, Text, Thinking, ToolResult, user
from providers.understood import request

SCRIPT = """
[[turns]]
text = "I look into the file.\\n"
thinking = "It says so."
tool_calls = [{ name = "read", arguments = { path = "a.py" } }]

[[turns]]
text = "It says hello."

[[turns]]
when = "thanks"
text = "You are welcome."
repeat = true
"""


def model(path: Path, text: str | None = SCRIPT, **environ: str):
    if text is not None:
        path.write_text(text, "utf-8")
    settings = load(path.parent, environ={"HOME": str(path.parent), "ATTACHE_HOME": str(path.parent), **environ})
    return Catalog(settings).open(f"scripted/{path}")


async def test_turns_come_in_order_and_stream_in_pieces(tmp_path):
    deltas = []
    first = await model(tmp_path / "s.toml").answer(request(), deltas.append)
    assert [type(part) for part in first.message.parts[:2]] == [Thinking, Text]
    assert first.stop_reason == "tool_use"
    assert "".join(delta.text for delta in deltas if delta.type == "text") == "I look into the file.\n"
    assert sum(delta.type == "text" for delta in deltas) == 5
    (call,) = first.message.tool_calls
    assert json.loads(deltas[-1].arguments) == call.arguments == {"path": "a.py"}
    assert first.usage.input_tokens > 0

    talk = (
        user("hello"),
        first.message,
        Message(role="user", parts=(ToolResult(call_id=call.id, name="read", text="x"),)),
    )
    second = await model(tmp_path / "s.toml", None).answer(request(messages=talk), deltas.append)  # as after a restart
    assert (second.message.text, second.stop_reason) == ("It says hello.", "end_turn")


async def test_a_turn_may_wait_for_words_and_serve_again(tmp_path):
    asked = model(tmp_path / "s.toml", SCRIPT.replace("[[turns]]\ntext", '[[turns]]\nwhen = "look"\ntext', 1))
    assert (
        await asked.answer(request(messages=(user("many thanks"),)), lambda _: None)
    ).message.text == "It says hello."
    one = await asked.answer(request(messages=(user("look"),)), lambda _: None)
    assert one.message.text == "I look into the file.\n"
    talk = [user("look"), one.message]
    for _ in range(3):
        talk.append(user("thanks"))
        talk.append((await asked.answer(request(messages=tuple(talk)), lambda _: None)).message)
    assert [message.text for message in talk[3::2]] == ["It says hello.", "You are welcome.", "You are welcome."]


async def test_a_result_of_a_tool_holds_words_too(tmp_path):
    script = '[[turns]]\nwhen = "3 failed"\ntext = "I mend them."\n'
    message = Message(role="user", parts=(ToolResult(call_id=CallId("1"), name="test", text="3 failed, 4 passed"),))
    answer = await model(tmp_path / "s.toml", script).answer(request(messages=(message,)), lambda _: None)
    assert answer.message.text == "I mend them."
    with pytest.raises(RequestRefused, match="no answer to: hello"):
        await model(tmp_path / "s.toml", script).answer(request(), lambda _: None)


@pytest.mark.parametrize(
    ("name", "kind"), [("authentication", AuthenticationFailed), ("rate_limited", RateLimited), ("cut", StreamCut)]
)
async def test_failures_come_as_often_as_told_and_then_the_answer(name, kind, tmp_path):
    failing = model(tmp_path / "s.toml", f'[[turns]]\nerror = "{name}"\ntimes = 2\ntext = "at last"\n')
    deltas = []
    for _ in range(2):
        with pytest.raises(kind):
            await failing.answer(request(), deltas.append)
    assert deltas == []
    assert (await failing.answer(request(), deltas.append)).message.text == "at last"


async def test_a_stream_may_be_cut_half_way(tmp_path):
    deltas = []
    with pytest.raises(StreamCut):
        await model(tmp_path / "s.toml", '[[turns]]\nerror = "cut_half_way"\ntext = "one two three four"\n').answer(
            request(), deltas.append
        )
    assert "".join(delta.text for delta in deltas) == "one two "


@pytest.mark.parametrize("suffix", [".toml", ".json", ".yaml"])
async def test_a_script_is_toml_json_or_yaml(suffix, tmp_path):
    texts = {
        ".toml": '[[turns]]\ntext = "hi"\n',
        ".json": '{"turns": [{"text": "hi"}]}',
        ".yaml": "turns:\n- text: hi\n",
    }
    assert (await model(tmp_path / f"s{suffix}", texts[suffix]).answer(request(), lambda _: None)).message.text == "hi"


async def test_the_variable_names_the_script(tmp_path):
    (tmp_path / "s.toml").write_text('[[turns]]\ntext = "hi"\n', "utf-8")
    settings = load(tmp_path, environ={"HOME": str(tmp_path), "ATTACHE_SCRIPT": str(tmp_path / "s.toml")})
    assert (await Catalog(settings).open("scripted/any").answer(request(), lambda _: None)).message.text == "hi"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.toml", None, "No such file"), ("s.toml", "turns = 3", "turns"), ("s.toml", "x = ", "s.toml"), ("s.json", "{", "s.json"),
        ("s.yaml", "a: [", "s.yaml"), ("s.toml", '[[turns]]\ntxet = "x"', "turns.0.txet"), ("s.toml", '[[turns]]\nerror = "x"', "turns.0.error"),
    ],
)  # fmt: skip
def test_a_script_that_is_wrong_names_file_and_place(name, text, words, tmp_path):
    with pytest.raises(SettingsError) as raised:
        model(tmp_path / name, text)
    assert str(tmp_path / name) in raised.value.message
    assert words in raised.value.message
