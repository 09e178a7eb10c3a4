"""What a panel asks beyond ACP: the past in one answer, from its end; a word in mid-run; what is asked in the code."""

from __future__ import annotations

import asyncio

import pytest

from lsp.client import Client, Refused
from lsp.conftest import Attach, edit

PANEL = {"attache": {"session": {"update": True, "requestPermission": True, "ask": True}}}


async def begun(client: Client) -> str:
    return (await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []}))["sessionId"]


async def prompt(client: Client, session: str, text: str) -> dict:
    params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
    return await client.request("attache/session/prompt", params, seconds=30)


async def history(client: Client, session: str, **which: int) -> dict:
    return await client.request("attache/session/history", {"sessionId": session, **which})


def kinds(answer: dict) -> list[str]:
    return [update["sessionUpdate"] for update in answer["updates"]]


def said(answer: dict, kind: str = "user_message_chunk") -> list[str]:
    return [update["content"]["text"] for update in answer["updates"] if update["sessionUpdate"] == kind]


async def test_the_past_is_told_with_its_tools_and_the_numbers_to_fork_and_rewind_at(attach: Attach, script):
    read = {"tool_calls": [{"name": "read", "arguments": {"path": "a.py"}}], "thinking": "Hm."}
    client = await attach(**script(read, {"text": "It is one."}))
    (client.folder / "a.py").write_text("x = 1\n")
    session = await begun(client)
    await prompt(client, session, "What is x?")
    started = next(
        update["_meta"]["attache"]["seq"]
        for update in (params["update"] for params in client.said("attache/session/update"))
        if update.get("_meta", {}).get("attache", {}).get("event") == "run.started"
    )
    told = await history(client, session)
    assert told["since"] == 0
    order = ["user_message_chunk", "agent_thought_chunk", "tool_call", "tool_call_update", "agent_message_chunk"]
    assert [kind for kind in kinds(told) if kind in order] == order
    assert told["updates"][0]["_meta"]["attache"]["seq"] == started
    assert said(told, "agent_message_chunk") == ["It is one."]


async def test_a_long_past_is_told_from_its_end_then_what_came_before(attach: Attach, script):
    client = await attach(**script(*({"text": f"Answer {at}."} for at in range(4))))
    session = await begun(client)
    for at in range(4):
        await prompt(client, session, f"Question {at}")
    whole = await history(client, session)
    end = await history(client, session, last=5)
    before = await history(client, session, until=end["since"])
    assert end["since"] > 0
    assert before["updates"] + end["updates"] == whole["updates"]
    assert said(whole) == [f"Question {at}" for at in range(4)]


async def test_what_was_rewound_is_told_no_more(attach: Attach, script):
    client = await attach(**script({"text": "One."}, {"text": "Two."}))
    session = await begun(client)
    await prompt(client, session, "First")
    await prompt(client, session, "Second")
    told = await history(client, session)
    second = [each for each in told["updates"] if each["sessionUpdate"] == "user_message_chunk"][1]
    seq = second["_meta"]["attache"]["seq"] - 1
    await client.request("attache/checkpoint/restore", {"sessionId": session, "seq": seq})
    assert said(await history(client, session)) == ["First"]
    checkpoints = await client.request("attache/checkpoint/list", {"sessionId": session})
    assert [each["title"] for each in checkpoints["checkpoints"]] == ["First"]


async def test_open_files_go_back_in_the_editor_and_what_was_said_stays(attach: Attach, script):
    client = await attach("vscode", **script({**edit("a.py", "x = 1", "x = 2"), "when": "Two"}, {"text": "Done."}))
    await client.open("a.py", "x = 1\n")
    session = await begun(client)
    await prompt(client, session, "Two")
    assert client.text("a.py") == "x = 2\n"
    (begin,) = (await client.request("attache/checkpoint/list", {"sessionId": session}))["checkpoints"][:1]
    params = {"sessionId": session, "seq": begin["seq"], "conversation": False, "files": True}
    assert (await client.request("attache/checkpoint/restore", params))["files"] == ["a.py"]
    await client.until(lambda: client.text("a.py") == "x = 1\n")
    assert said(await history(client, session)) == ["Two"]


async def test_a_word_in_mid_run_is_heard(attach: Attach, script):
    read = {"tool_calls": [{"name": "read", "arguments": {"path": "a.py"}}], "delay_seconds": 1}
    client = await attach(**script(read, {"when": "and be quick", "text": "Quick."}))
    (client.folder / "a.py").write_text("x = 1\n")
    session = await begun(client)
    with pytest.raises(Refused, match="no run is under way"):
        await client.request("attache/session/steer", {"sessionId": session, "text": "too early"})
    params = {"sessionId": session, "prompt": [{"type": "text", "text": "Go"}]}
    _, answer = await client.begin("attache/session/prompt", params)
    await asyncio.sleep(0.3)
    await client.request("attache/session/steer", {"sessionId": session, "text": "and be quick"})
    assert (await answer)["stopReason"] == "end_turn"
    assert said(await history(client, session)) == ["Go", "and be quick"]


async def test_the_status_says_how_full_the_model_is(attach: Attach, script):
    client = await attach(**script({"text": "One."}))
    await prompt(client, await begun(client), "Hello")
    status = client.said("attache/status")[-1]
    assert status["contextTokens"] > 0
    assert status.get("contextSize") is None, "nobody knows the window of a script"


async def test_what_is_asked_in_the_code_comes_to_a_panel(attach: Attach, script):
    client = await attach(capabilities={"experimental": PANEL}, **script({"text": "One."}))
    await client.open("a.py", "def total(prices):\n    return sum(prices)\n")
    place = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 9}}
    await client.run("attache.ask", {"uri": client.uri("a.py"), "range": place})
    await client.run("attache.explain", {"uri": client.uri("a.py"), "range": place})
    asked = await client.until(lambda: (found := client.said("attache/session/ask")) and len(found) == 2 and found)
    by_send = {each["send"]: each["text"] for each in asked}
    assert "@a.py:1" in by_send[False]
    assert "`total`" in by_send[True]
    assert not list(client.folder.rglob("*.chat.md"))


async def test_sessions_are_found_by_what_was_said_and_the_status_says_what_fills_the_context(attach: Attach, script):
    client = await attach(**script({"text": "The Quokka lives in zoo.py."}))
    session = await begun(client)
    await prompt(client, session, "Where does the marsupial live?")
    ask = {"query": "quokka", "cwd": str(client.folder)}
    (found,) = (await client.request("attache/session/search", ask))["sessions"]
    assert (found["sessionId"], found["role"]) == (session, "assistant")
    assert "Quokka lives" in found["excerpt"]
    assert (await client.request("attache/session/search", {"query": "wombat"}))["sessions"] == []
    status = [each for each in client.said("attache/status") if each["contextTokens"]][-1]
    assert sum(status["contextShares"].values()) == status["contextTokens"]
    assert set(status["contextShares"]) == {"instructions", "said", "answers", "results"}
