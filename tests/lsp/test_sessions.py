"""The Agent Client Protocol's methods on the language server's connection."""

from __future__ import annotations

import asyncio

import pytest

from attache.agent import acp
from attache.schema.acp import PermissionRequest, PromptFinished, SessionUpdate
from lsp.client import Client, Refused
from lsp.conftest import Attach, call

PANEL = {"attache": {"session": {"requestPermission": True}}}


async def begun(client: Client) -> str:
    answer = await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []})
    assert answer["modes"]["currentModeId"] == "build"
    assert [option["id"] for option in answer["configOptions"]] == ["mode", "model"]
    return answer["sessionId"]


async def prompt(client: Client, session: str, text: str, seconds: float = 30) -> dict:
    params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
    return await client.request("attache/session/prompt", params, seconds=seconds)


def updates(client: Client, kind: str = "") -> list[dict]:
    told = [params["update"] for params in client.said("attache/session/update")]
    return [update for update in told if kind in {"", update["sessionUpdate"]}]


def text(client: Client, kind: str = "agent_message_chunk") -> str:
    return "".join(update["content"]["text"] for update in updates(client, kind))


async def test_a_prompt_is_answered_in_updates(attach: Attach, script):
    client = await attach(**script({**call("read", path="a.py"), "thinking": "Hm."}, {"text": "It is one. " * 40}))
    (client.folder / "a.py").write_text("x = 1\n")
    session = await begun(client)
    finished = await prompt(client, session, "What is x?")
    assert finished["stopReason"] == "end_turn"
    assert finished["_meta"]["attache"]["turns"] == 2
    assert PromptFinished.model_validate(finished).usage
    assert text(client) == "It is one. " * 40
    assert text(client, "agent_thought_chunk") == "Hm."
    (begin,), (end,) = updates(client, "tool_call"), updates(client, "tool_call_update")
    assert begin["toolCallId"] == end["toolCallId"]
    assert begin["kind"] == "read"
    assert begin["rawInput"] == {"path": "a.py"}
    assert end["status"] == "completed"
    assert "x = 1" in end["content"][0]["content"]["text"]
    for params in client.said("attache/session/update"):
        assert SessionUpdate.model_validate(params).session_id == session
    status = client.said("attache/status")[-1]
    assert status["sessionId"] == session
    assert status["running"] is False


async def test_many_tokens_come_in_few_messages(attach: Attach, script):
    client = await attach(**script({"text": "word " * 3000}))
    await prompt(client, await begun(client), "Speak")
    assert text(client) == "word " * 3000
    assert len(updates(client, "agent_message_chunk")) < 300


async def test_a_session_is_listed_loaded_forked_closed_and_deleted(attach: Attach, script):
    client = await attach(**script({"text": "One."}))
    session = await begun(client)
    await prompt(client, session, "Begin the work")
    rows = (await client.request("attache/session/list", {}))["sessions"]
    assert [(row["sessionId"], row["title"], row["cwd"]) for row in rows] == [
        (session, "Begin the work", str(client.folder))
    ]
    fork = await client.request("attache/session/fork", {"sessionId": session, "cwd": str(client.folder)})
    assert fork["sessionId"] != session
    await client.request("attache/session/close", {"sessionId": session})
    client.heard.clear()
    loaded = await client.request("attache/session/load", {"sessionId": session, "cwd": "", "mcpServers": []})
    assert "sessionId" not in loaded
    assert text(client, "user_message_chunk") == "Begin the work"
    assert text(client) == "One."
    client.heard.clear()
    await client.request("attache/session/resume", {"sessionId": session, "cwd": ""})
    assert updates(client) == []
    await client.request("attache/session/delete", {"sessionId": session})
    rows = (await client.request("attache/session/list", {}))["sessions"]
    assert [row["sessionId"] for row in rows] == [fork["sessionId"]]


async def test_mode_and_model_can_be_set(attach: Attach, script):
    client = await attach(**script({"text": "One."}))
    session = await begun(client)
    assert await client.request("attache/session/set_mode", {"sessionId": session, "modeId": "plan"}) == {}
    assert updates(client, "current_mode_update")[0]["currentModeId"] == "plan"
    option = {"sessionId": session, "configId": "model", "value": "offline/offline"}
    answer = await client.request("attache/session/set_config_option", option)
    assert {each["id"]: each["currentValue"] for each in answer["configOptions"]} == {
        "mode": "plan",
        "model": "offline/offline",
    }
    for wrong in ({"configId": "model", "value": "no/such"}, {"configId": "colour", "value": "red"}):
        with pytest.raises(Refused):
            await client.request("attache/session/set_config_option", {"sessionId": session, **wrong})
    with pytest.raises(Refused, match="build, plan, explore"):
        await client.request("attache/session/set_mode", {"sessionId": session, "modeId": "chaos"})


@pytest.mark.parametrize("how", ["cancel", "request"])
async def test_a_prompt_can_be_cancelled(attach: Attach, script, how: str):
    client = await attach(**script({"text": "slow", "delay_seconds": 30}))
    session = await begun(client)
    params = {"sessionId": session, "prompt": [{"type": "text", "text": "Go"}]}
    number, answer = await client.begin("attache/session/prompt", params)
    if how == "cancel":
        await client.request("attache/session/list", {})
        await client.notify("attache/session/cancel", {"sessionId": session})
        assert (await answer)["stopReason"] == "cancelled"
    else:
        await client.notify("$/cancelRequest", {"id": number})
        with pytest.raises(Refused, match="-32800"):
            await answer
    assert (await client.request("attache/session/list", {}))["sessions"]


async def test_bad_prompts(attach: Attach):
    client = await attach()
    session = await begun(client)
    with pytest.raises(Refused, match="no session") as refused:
        await prompt(client, "s_none", "Hello")
    assert refused.value.code == -32803
    sound = {"sessionId": session, "prompt": [{"type": "audio", "data": "", "mimeType": "audio/wav"}]}
    with pytest.raises(Refused, match="sound") as refused:
        await client.request("attache/session/prompt", sound)
    assert refused.value.code == -32602


@pytest.mark.parametrize("meta", [3, [], "seq", {"seq": "x"}, {"seq": True}])
async def test_a_fork_from_no_event_is_refused_as_wrong_parameters(attach: Attach, meta: object):
    client = await attach()
    session = await begun(client)
    with pytest.raises(Refused) as refused:
        await client.request("attache/session/fork", {"sessionId": session, "_meta": {"attache": meta}})
    assert refused.value.code == -32602


async def test_a_provider_that_refuses_leaves_the_session_usable(attach: Attach, script):
    client = await attach(**script({"error": "quota", "text": ""}, {"text": "Better.", "when": "again"}))
    session = await begun(client)
    finished = await prompt(client, session, "Hello")
    assert finished["_meta"]["attache"]["stopReason"] == "error"
    assert finished["_meta"]["attache"]["error"]
    await client.request("attache/session/set_config_option", {
        "sessionId": session, "configId": "model", "value": "offline/offline",
    })  # fmt: skip
    assert (await prompt(client, session, "hello"))["stopReason"] == "end_turn"


# ---------------------------------------------------------------- permission


@pytest.mark.parametrize(("chosen", "ran"), [("allow_once", True), ("allow_session", True), ("deny", False)])
async def test_a_panel_is_asked_and_obeyed(attach: Attach, script, chosen: str, *, ran: bool):
    client = await attach(
        capabilities={"experimental": PANEL}, **script(call("shell", command="echo hi > out.txt"), {"text": "Ok."})
    )
    asked: list[dict] = []
    client.permit = lambda request: asked.append(request) or chosen  # type: ignore[func-returns-value]
    session = await begun(client)
    await prompt(client, session, "Run it")
    (request,) = asked
    assert PermissionRequest.model_validate(request).session_id == session
    assert "echo hi > out.txt" in request["toolCall"]["title"]
    assert [option["kind"] for option in request["options"]] == ["allow_once", "allow_always", "reject_once"]
    assert request["_meta"]["attache"]["digest"]
    assert (client.folder / "out.txt").exists() == ran


async def test_buttons_where_there_is_no_panel(attach: Attach, script):
    client = await attach("helix", **script(call("shell", command="echo hi > out.txt"), {"text": "Ok."}))
    client.choose = lambda request: next(each for each in request["actions"] if each["title"] == "Allow once")
    await client.open("q.chat.md", "## You\nRun it\n", language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    (question,) = await client.until(lambda: client.said("window/showMessageRequest"))
    assert "echo hi > out.txt" in question["message"]
    assert [each["title"] for each in question["actions"]] == [
        "Allow once", "Allow for this session", "Deny", "Deny and say why",
    ]  # fmt: skip
    await client.until(lambda: "Ok." in client.text("q.chat.md"))
    assert (client.folder / "out.txt").exists()


@pytest.mark.parametrize(("title", "ran"), [("allow once", True), ("deny", False)])
@pytest.mark.parametrize("profile", ["emacs", "zed", "helix"])
async def test_a_diagnostic_where_there_are_no_buttons_or_they_were_waved_away(
    attach: Attach, script, profile: str, title: str, *, ran: bool
):
    client = await attach(profile, **script(call("shell", command="echo hi > out.txt"), {"text": "Ok."}))
    await client.open("q.chat.md", "## You\nRun it\n", language="markdown")
    await client.actions("q.chat.md", 1)
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: client.diagnostics.get(client.uri("q.chat.md")))
    (waiting,) = client.diagnostics[client.uri("q.chat.md")]
    assert waiting["code"] == "approval"
    assert "wants to run: " in waiting["message"]
    assert "echo hi > out.txt" in waiting["message"]
    assert not (client.folder / "out.txt").exists()
    actions = await client.actions("q.chat.md", 0)
    await client.pick(next(each for each in actions if each["title"].startswith(f"Attaché: {title}")))
    await client.until(lambda: "Ok." in client.text("q.chat.md"))
    assert (client.folder / "out.txt").exists() == ran
    assert client.diagnostics[client.uri("q.chat.md")] == []


async def test_an_answer_to_what_was_not_shown_does_not_count(attach: Attach, script):
    client = await attach("zed", **script(call("shell", command="echo hi > out.txt"), {"text": "Ok."}))
    await client.open("q.chat.md", "## You\nRun it\n", language="markdown")
    await client.actions("q.chat.md", 1)
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: client.diagnostics.get(client.uri("q.chat.md")))
    await client.run("attache.approve", {"digest": "0" * 64})
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "another question" in message["message"]
    assert not (client.folder / "out.txt").exists()


# ---------------------------------------------------------------- beside sessions


async def found(client: Client, query: str) -> dict:
    """The best hit, once the index has come so far."""
    async with asyncio.timeout(30):
        while not (hits := (await client.request("attache/index/search", {"query": query}))["hits"]):
            await asyncio.sleep(0.1)
    return hits[0]


async def test_tools_models_index_and_checkpoints(attach: Attach, script):
    client = await attach(**script({"text": "One."}))
    (client.folder / "a.py").write_text("def somewhere():\n    pass\n")
    names = {tool["name"] for tool in (await client.request("attache/tool/list", {}))["tools"]}
    assert {"read", "edit", "grep", "shell"} <= names
    output = await client.request("attache/tool/run", {"name": "read", "arguments": {"path": "a.py"}})
    assert "def somewhere()" in output["text"]
    models = await client.request("attache/model/list", {})
    assert {"name": "offline", "label": models["providers"][-1]["label"]}.keys() <= models["providers"][0].keys()
    assert (await client.request("attache/index/status", {}))["state"] in {"starting", "building", "ready"}
    assert (await found(client, "somewhere"))["path"] == "a.py"
    session = await begun(client)
    await prompt(client, session, "Hello there")
    (checkpoint,) = (await client.request("attache/checkpoint/list", {"sessionId": session}))["checkpoints"]
    assert checkpoint["title"] == "Hello there"
    restored = {"sessionId": session, "seq": checkpoint["seq"]}
    assert await client.request("attache/checkpoint/restore", restored) == {"seq": checkpoint["seq"], "files": []}


async def test_unsaved_text_is_searched(attach: Attach):
    client = await attach()
    await client.open("a.py", "def never_saved_anywhere():\n    pass\n")
    assert (await found(client, "never_saved_anywhere"))["path"] == "a.py"


def test_every_permission_option_is_understood():
    for option in ("allow_once", "allow_session", "deny"):
        assert acp.permission_choice({"outcome": {"outcome": "selected", "optionId": option}}) == option
    assert acp.permission_choice({"outcome": {"outcome": "cancelled"}}) is None
    with pytest.raises(ValueError, match="maybe"):
        acp.permission_choice({"outcome": {"outcome": "selected", "optionId": "maybe"}})
