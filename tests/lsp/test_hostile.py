"""What a careless client sends: each request is answered once, by the protocol's own codes, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from attache.faces.lsp import features
from attache.faces.lsp.capabilities import COMMANDS
from lsp.client import Client, Refused
from lsp.conftest import Attach, call, edit

TEXT = "import os\n\nclass A:\n    def größe(self): return '😀'\n"
CODES = {-32600, -32601, -32602, -32803}
NEVER = {"line": 2**40, "character": -1}
ZERO = {"line": 0, "character": 0}
ODD = (
    "untitled:Untitled-1", "file:///outside/x.py", "file:///c%3A/x/y.py", "vscode-notebook-cell:/a/b.ipynb#X1",
    "git:/a/b.py?%7B%22ref%22%3A%22HEAD%22%7D", "jdt://contents/java.base/java.lang/String.class?=x",
    "file://host/share/x.py", "file:///%FF%FE.py", "file:", "", "x", "file:///a/%00b.py", "http://[::1", "\ud83d",
    f"file:///{'a' * 5_000}.py", "attache://x/y", "untitled:q.chat.md", "file:///outside/q.chat.md",
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, 5, [], {}, "x", {"textDocument": None}, {"textDocument": {"uri": 5}}, {"settings": 5}, {"changes": "x"},
    {"changes": [{"uri": None, "type": "y"}]}, {"event": {"added": [{"uri": "x", "name": 5}], "removed": [{"uri": "no:"}]}},
    {"event": {"added": [{"uri": "file:///nonexistent", "name": "x"}], "removed": []}}, {"files": [{"uri": "x:"}]},
    {"files": [{"oldUri": "a", "newUri": "b"}]}, {"id": [1]}, {"id": 99_999}, {"token": {}}, {"sessionId": None},
    {"title": "x", "data": {"uri": "untitled:1", "rule": "nope"}}, {"title": 5, "data": []}, {"command": None},
    {"name": "nope", "arguments": {}}, {"name": "list", "arguments": 5},
)  # fmt: skip
NOTIFICATIONS = (
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose",
    "workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles", "workspace/didChangeWorkspaceFolders",
    "workspace/didCreateFiles", "workspace/didRenameFiles", "workspace/didDeleteFiles", "$/cancelRequest",
    "window/workDoneProgress/cancel", "$/setTrace", "initialized", "attache/diagnostics", "attache/session/cancel",
    "notebookDocument/didOpen",
)  # fmt: skip
SAID_OR_DONE = {"attache.openChat", "attache.ask", "attache.denyWhy"}
"""Commands that write a document whatever they are given."""


def methods() -> list[str]:
    for modules in features.LATE.values():
        for module in modules:
            import_module(f"attache.faces.lsp.{module}")
    import_module("attache.faces.lsp.process")
    silent = ("textDocument/did", "workspace/did", "$/", "initialized", "window/", "attache/diagnostics")
    return [method for method in features.FEATURES if not method.startswith(silent)]


def requests(uri: str) -> list[tuple[str, Any]]:
    whole = {"context": {"diagnostics": [], "triggerKind": 1}, "query": "x", "name": "list", "arguments": {},
             "sessionId": "s_x", "cwd": "/", "mcpServers": [], "prompt": [], "command": "attache.stop"}  # fmt: skip
    found: list[tuple[str, Any]] = []
    for method in [*methods(), "no/such"]:
        for odd in (uri, *ODD):
            place = {"position": NEVER, "range": {"start": NEVER, "end": ZERO}}
            found.append((method, {"textDocument": {"uri": odd}, "uri": odd, **place, **whole}))
        for at in (None, {"line": "1", "character": 0}, {"line": 1.5, "character": 0}, NEVER):
            spot = {"position": at, "range": {"start": at, "end": ZERO}}
            found.append((method, {"textDocument": {"uri": uri}, **spot, "context": {"diagnostics": [spot]}}))
        found += [(method, junk) for junk in JUNK]
    for command in sorted({*COMMANDS} - SAID_OR_DONE):
        about = {"range": {"start": NEVER, "end": ZERO}, "what": "diff", "hunk": "zz", "mode": "no", "model": "a/b"}
        found += [
            ("workspace/executeCommand", {"command": command, "arguments": [{"uri": odd, **about}]}) for odd in ODD[:6]
        ]
    return found


@pytest.mark.parametrize("profile", ["helix"])
async def test_every_method_with_what_it_does_not_expect(attach: Attach, script, home: Path, profile: str):
    client = await attach(profile, **script({"text": "Done.", "repeat": True}))
    await client.open("a.py", TEXT)
    for odd in ODD:
        item = {"uri": odd, "languageId": "python", "version": 1, "text": TEXT}
        await client.notify("textDocument/didOpen", {"textDocument": item})
    for method in NOTIFICATIONS:
        for junk in JUNK:
            await client.notify(method, junk)
    asked = [
        (method, params, (await client.begin(method, params))[1]) for method, params in requests(client.uri("a.py"))
    ]
    _, left = await asyncio.wait([answer for *_, answer in asked], timeout=60)
    assert not left
    failures = [(method, params, answer.exception()) for method, params, answer in asked]
    wrong = [each for each in failures if each[2] and not (isinstance(each[2], Refused) and each[2].code in CODES)]
    assert wrong == []
    assert "Traceback" not in (home / "stderr.txt").read_text()
    assert len(await client.actions("a.py", 3)) > 3
    assert await client.stop() == 0


# ---------------------------------------------------------------- documents


async def shown(client: Client, path: str) -> str:
    """What the server takes for the text of a document."""
    return (await client.request("attache/tool/run", {"name": "read", "arguments": {"path": path}}))["text"]


async def test_ranges_that_are_turned_round_or_lie_behind_the_end_are_taken_as_near_as_can_be(attach: Attach):
    client = await attach("vscode")
    await client.open("a.py", "one\r\ntwo\rthree\n😀")
    identity = {"uri": client.uri("a.py"), "version": 0}  # older than the one that is open
    turned = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 0}}
    far = {"start": {"line": 3, "character": 2}, "end": {"line": 2**40, "character": 2**60}}
    changes = [{"range": turned, "text": "ONE"}, {"range": far, "text": "!"}]
    await client.notify("textDocument/didChange", {"textDocument": identity, "contentChanges": changes})
    text = await shown(client, "a.py")
    for piece in ("ONE", "two", "three", "😀!"):
        assert piece in text
    assert "one" not in text


async def test_what_is_opened_twice_has_the_later_text_and_what_is_closed_twice_is_closed(attach: Attach):
    client = await attach("vscode")
    (client.folder / "a.py").write_text("on_disk = 1\n")
    await client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("a.py")}})
    await client.open("a.py", "first = 1\n")
    await client.open("a.py", "second = 2\n", version=7)
    assert "second" in await shown(client, "a.py")
    for _ in range(2):
        await client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("a.py")}})
        assert "on_disk" in await shown(client, "a.py")


@pytest.mark.parametrize(
    "odd",
    [
        {"capabilities": []},
        {
            "capabilities": {
                "textDocument": 5,
                "workspace": {"workspaceEdit": "yes"},
                "general": {"positionEncodings": 8},
            }
        },
        {"processId": "me", "rootUri": 5, "rootPath": {}, "workspaceFolders": [{"uri": None}, 7]},
        {"workspaceFolders": [{"uri": "untitled:x", "name": "x"}, {"uri": "file:///nonexistent", "name": "y"}]},
        {"initializationOptions": {"model": 5, "mode": ["x"], "approve": "all"}, "clientInfo": "me", "trace": 9},
    ],
    ids=["no object", "parts", "roots", "folders", "options"],
)
async def test_a_client_that_introduces_itself_oddly_is_served(attach: Attach, odd: dict[str, Any]):
    client = await attach("emacs", greet=False)
    await client.hello(**odd)
    await client.open("a.py", TEXT)
    assert len(await client.actions("a.py", 3)) > 3
    with pytest.raises(Refused) as refused:
        await client.request("initialize", client.params())
    assert refused.value.code == -32600


# ---------------------------------------------------------------- clients that do not answer


async def test_a_client_that_answers_nothing_keeps_nobody_else_waiting(attach: Attach, script):
    turns = (call("shell", command="echo hi > out.txt"), {"text": "Ok.", "repeat": True})
    client = await attach("neovim", **script(*turns))
    await client.open("a.py", TEXT)
    put_off: list[dict[str, Any]] = []

    async def never(message: dict[str, Any]) -> None:
        put_off.append(message)

    client._serve = never  # type: ignore[method-assign]
    session = (await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []}))["sessionId"]
    words = [{"type": "text", "text": "Go"}]
    _, answer = await client.begin("attache/session/prompt", {"sessionId": session, "prompt": words})
    await client.until(lambda: any(each["method"] == "window/showMessageRequest" for each in put_off))
    assert len(await client.actions("a.py", 3)) > 3
    await client.run("attache.show", {"what": "log", "uri": client.uri("a.py")})
    assert not answer.done()
    assert not (client.folder / "out.txt").exists()
    await client.notify("attache/session/cancel", {"sessionId": session})
    assert (await asyncio.wait_for(answer, 10))["stopReason"] == "cancelled"


async def test_shutting_down_in_the_middle_of_a_run_loses_nothing_that_was_typed(attach: Attach, script):
    turns = (edit("a.py", "import os", "import sys"), {"text": "slow", "delay_seconds": 30})
    client = await attach("vscode", **script(*turns))
    (client.folder / "a.py").write_text(TEXT)
    await client.open("a.py")
    await client.open("q.chat.md", "## You\nGo\n", language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: "import sys" in client.text("a.py"))
    assert await asyncio.wait_for(client.stop(), 20) == 0
    assert client.text("q.chat.md").count("## You\nGo\n") == 1
    assert (client.folder / "a.py").read_text() == TEXT
    assert json.dumps(client.said("window/showMessage")) == "[]"
