"""What small models on one's own machine do to agents, played by servers that speak as Ollama and LM Studio do.

The eight scenarios are the public bugs gathered in "Local model support is broken enough to make InfoWorld"; the others
are what text in the place of tool calls, prompts cut short and servers without tools come to besides.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.providers.catalog import Catalog
from attache.providers.textual import NO_TOOLS
from attache.schema.events import MessageAdded, StreamRestarted, TextStreamed, ThinkingStreamed, ToolFinished
from attache.schema.messages import Text
from wire.faults.grid import ground
from wire.faults.server import Server
from wire.faults.speech import Called, Line, Said, events, frame
from wire.faults.table import refusal, stream

WIRES = {"ollama": "ollama_chat", "lmstudio": "openai_chat"}
Answer = Said | Line
BOTH = pytest.mark.parametrize("provider", WIRES)


def answers(provider: str, *said: Answer) -> Callable[[bytes], Line]:
    """Answer with each in turn, the last again and again."""
    left = list(said)

    def answer(_body: bytes) -> Line:
        one = left.pop(0) if len(left) > 1 else left[0]
        return one if isinstance(one, Line) else stream(WIRES[provider], events(WIRES[provider], one))

    return answer


def words(text: str, **fields: Any) -> Said:
    """Return an answer of words that come in small pieces, as tokens do."""
    texts = tuple(text[place : place + 5] for place in range(0, len(text), 5))
    return Said(texts=texts, **{"usage": (5000, 20), **fields})


def tagged(name: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


@asynccontextmanager
async def small(provider: str, folder: Path, *said: Answer, **overrides: Any):
    """Yield a way to ask the small model, which answers with the run's end, its events, and what the server heard."""
    async with ground(folder) as shared, Server(answers(provider, *said)) as server:
        base = f"{server.url}/v1" if provider == "lmstudio" else server.url
        environ = {"HOME": str(folder), f"ATTACHE_{provider.upper()}_BASE_URL": base, "NO_PROXY": "*"}
        overrides = {"model": f"{provider}/m", "approve": "all", "model_wait_seconds": 0.01, **overrides}
        settings = load(folder, environ=environ, overrides=overrides)
        catalog = Catalog(settings)
        resources = replace(shared, settings=settings, catalog=catalog)

        async def ask(text: str):
            session, heard = await agent.session(), []
            stop = session.subscribe(lambda entry: heard.append(entry.event))
            finished = await session.run((Text(text=text),))
            stop()
            return finished, heard, server

        async with Orchestrator(resources=resources, cwd=folder) as agent:
            yield ask
        await catalog.close()


def painted(heard: list) -> str:
    text = ""
    for event in heard:
        match event:
            case TextStreamed():
                text += event.text
            case StreamRestarted():
                text = ""
            case MessageAdded(message=message) if message.role == "assistant":
                text = ""
            case _:
                pass
    return text


def told(heard: list) -> list[str]:
    added = (event.message for event in heard if isinstance(event, MessageAdded))
    return [message.text for message in added if message.role == "assistant" and message.text]


def tools(heard: list) -> list[tuple[str, bool]]:
    return [(event.name, event.is_error) for event in heard if isinstance(event, ToolFinished)]


def body(server: Server, number: int) -> dict[str, Any]:
    return json.loads(server.bodies[number])


# ---- the eight


@BOTH
async def test_an_edit_that_a_small_model_gets_wrong_harms_nothing_and_is_told(provider, tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    wrong = {"path": "a.py", "edits": [{"search": "def f(:\n  return 7", "replace": "def f():\n  return 2"}]}
    right = {"path": "a.py", "edits": [{"search": "    return 1", "replace": "    return 2"}]}
    said = (words(tagged("edit", **wrong)), words(tagged("edit", **right)), words("Done."))
    async with small(provider, tmp_path, *said) as ask:
        finished, heard, _ = await ask("return 2 there")
    assert finished.stop_reason == "end_turn"
    assert tools(heard) == [("edit", True), ("edit", False)]
    assert (tmp_path / "a.py").read_text() == "def f():\n    return 2\n"


@BOTH
async def test_reasoning_reaches_no_file(provider, tmp_path):
    content = "<think>\nThe user wants x. I write it.\n</think>\nx = 1\n"
    call = Called("c1", "write", json.dumps({"path": "x.py", "content": content}))
    said = (Said(calls=(call,)), words(f"<think>again</think>{tagged('write', path='y.py', content=content)}"))
    async with small(provider, tmp_path, *said, words("Done.")) as ask:
        _, heard, _ = await ask("write x")
    assert tools(heard) == [("write", False)] * 2
    assert [(tmp_path / name).read_text() for name in ("x.py", "y.py")] == ["x = 1\n", "x = 1\n"]


@BOTH
async def test_reasoning_apart_stays_apart(provider, tmp_path):
    wire = WIRES[provider]
    if provider == "ollama":
        thought = frame(wire, {"model": "m", "message": {"role": "assistant", "content": "", "thinking": "hm, well"}})
    else:
        thought = frame(wire, {"choices": [{"index": 0, "delta": {"reasoning_content": "hm, well"}}]})
    line = Line(pieces=(thought, *(data for _, data in events(wire, words("Hello.")))))
    async with small(provider, tmp_path, line) as ask:
        _, heard, _ = await ask("hello")
    assert told(heard) == ["Hello."]
    assert "".join(event.text for event in heard if isinstance(event, ThinkingStreamed)) == "hm, well"


@BOTH
async def test_the_system_prompt_is_sent_and_so_are_the_tools_on_every_turn(provider, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    call = Said(calls=(Called("c1", "read", '{"path": "a.py"}'),))
    async with small(provider, tmp_path, call, words("It sets x.")) as ask:
        _, _, server = await ask("what does it do?")
    for number in (0, 1):
        sent = body(server, number)
        assert sent["messages"][0]["role"] == "system"
        assert "Attaché" in sent["messages"][0]["content"]
        assert "read" in {tool["function"]["name"] for tool in sent["tools"]}


@BOTH
async def test_a_call_need_not_be_the_last_word(provider, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    said = words(f"I look. {tagged('read', path='a.py')}\nThen I shall tell you.")
    async with small(provider, tmp_path, said, words("It sets x.")) as ask:
        _, heard, _ = await ask("what does it do?")
    assert tools(heard) == [("read", False)]
    assert told(heard) == ["I look. \nThen I shall tell you.", "It sets x."]


QUOTED = [
    f"To read, I would write `{tagged('read', path='a.py').replace(chr(10), '')}`, for example.",
    f"An example:\n```xml\n{tagged('read', path='a.py')}\n```\nThat is all there is to it.",
    'In JSON:\n```json\n{"name": "read", "arguments": {"path": "a.py"}}\n```\nThe path is relative.',
    "The tag is called \"<tool_call>\" and holds {'name': 'read'}.",
]


@BOTH
async def test_what_is_quoted_is_not_done(provider, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    async with small(provider, tmp_path, *map(words, QUOTED)) as ask:
        for quoted in QUOTED:
            finished, heard, _ = await ask("how does one call a tool?")
            assert (finished.stop_reason, tools(heard), told(heard)) == ("end_turn", [], [quoted])
            assert painted(heard) == ""


async def test_the_prompt_teaches_no_name_that_is_none(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    refused = refusal(400, "registry.ollama.ai/library/m does not support tools")
    said = (refused, words(tagged("TOOL_NAME", path="a.py")), words(tagged("read", path="a.py")), words("Done."))
    async with small("ollama", tmp_path, *said) as ask:
        finished, heard, server = await ask("read it")
    assert finished.stop_reason == "end_turn"
    assert tools(heard) == [("TOOL_NAME", True), ("read", False)]
    system = body(server, 1)["messages"][0]["content"]
    example = json.loads(system.partition("<tool_call>")[2].partition("</tool_call>")[0])
    assert f'"name": "{example["name"]}", "description"' in system
    assert "tools" not in body(server, 1)


@BOTH
async def test_reasoning_reaches_no_shell(provider, tmp_path):
    call = tagged("shell", command="<think>list it</think>\necho it-ran", view="direct")
    async with small(provider, tmp_path, words(call), words("Done.")) as ask:
        _, heard, _ = await ask("list it")
    (done,) = [event for event in heard if isinstance(event, ToolFinished)]
    assert "it-ran" in done.text
    assert "think" not in done.text + done.title


# ---- and besides


IN_WORDS = [
    "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>",
    '[TOOL_CALLS][{"name": "read", "arguments": {"path": "a.py"}}]',
    'Sure!\n```json\n{"name": "read", "parameters": {"path": "a.py"}}\n```',
    "{'name': 'read', 'arguments': {'path': 'a.py',}}",
    "hm, I should read it</think>\n" + tagged("read", path="a.py"),
]


async def test_calls_in_words_are_made(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    said = [one for text in IN_WORDS for one in (words(text), words("It sets x."))]
    async with small("ollama", tmp_path, *said) as ask:
        for text in IN_WORDS:
            finished, heard, server = await ask("what does it do?")
            assert (finished.stop_reason, tools(heard)) == ("end_turn", [("read", False)]), text
            assert told(heard)[-1] == "It sets x."
            assert "x = 1" in str(body(server, -1)["messages"][-1])


async def test_half_a_call_is_never_made_and_the_model_is_told(tmp_path):
    halves = ("<tool_call>{'name': 'write', 'arguments': {'path': 'a.py', 'content': 'x =", "<tool_call>")
    said = [one for half in halves for one in (words(half), words("I give up."))]
    async with small("ollama", tmp_path, *said) as ask:
        for _ in halves:
            finished, heard, server = await ask("write it")
            assert (finished.stop_reason, tools(heard)) == ("end_turn", [])
            assert "cannot be read" in str(body(server, -1)["messages"][-1])
            assert finished.usage.input_tokens == 10_000
    assert not (tmp_path / "a.py").exists()


async def test_a_prompt_that_was_cut_is_noticed_and_sent_again_smaller(tmp_path):
    said = (
        words("one", usage=(6000, 5)),
        words("two", usage=(9000, 5)),
        words("I do not know.", usage=(4096, 5)),
        words("Fine.", usage=(3500, 5)),
    )
    async with small("ollama", tmp_path, *said) as ask:
        await ask("a long story " * 1500)
        await ask("another " * 1500)
        finished, heard, server = await ask("and now?")
    assert (finished.error, told(heard)) == ("", ["Fine."])
    assert len(server.bodies[3]) < len(server.bodies[2]) * 0.7


async def test_a_prompt_that_cannot_be_smaller_says_what_to_do(tmp_path):
    async with small("ollama", tmp_path, words("What?", usage=(2048, 5))) as ask:
        finished, heard, _ = await ask("a long story " * 2000)
    assert "read 2,048 tokens" in finished.error
    assert "OLLAMA_CONTEXT_LENGTH" in finished.hint
    assert told(heard) == []


@pytest.mark.parametrize(
    "refused",
    [
        "registry.ollama.ai/library/gemma3:4b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
        "Function calling is not supported for this model",
    ],
)
def test_a_server_that_takes_no_tools_says_so_in_many_words(refused):
    assert NO_TOOLS.search(refused)


async def test_a_server_without_tools_is_asked_in_words(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    said = (refusal(400, "tools param requires --jinja flag"), words(tagged("read", path="a.py")), words("It sets x."))
    async with small("lmstudio", tmp_path, *said) as ask:
        finished, heard, server = await ask("what does it do?")
    assert (finished.stop_reason, tools(heard)) == ("end_turn", [("read", False)])
    last = body(server, 2)["messages"]
    assert "<tool_response>\nread: " in last[-1]["content"]
    assert "<tool_call>" in last[-2]["content"]
    assert "tools" not in body(server, 2)
