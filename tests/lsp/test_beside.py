"""Two servers on one connection: capabilities and answers as of one, every id its own, and either may die alone."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from attache.faces.lsp.wire.merging import marked, merged_answer, merged_capabilities, provides, unmarked
from lsp.client import SERVER, Client, Refused
from lsp.test_fuzz import fuzz

REAL = Path(sys.executable).parent / "basedpyright-langserver"
TEXT = 'import os\n\n\ndef f(x: int) -> str:\n    return x\n\n\nnote = "ä😀"; print(f(note))\n'
Attach = Callable[..., Awaitable[Client]]

# A server that answers whatever it is asked with what it was asked, and does what commands tell it.
OTHER = r"""
import json, sys, time
def read():
    length = 0
    while (line := sys.stdin.buffer.readline().strip()):
        length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
    if not length: sys.exit(0)
    return json.loads(sys.stdin.buffer.read(length))
def say(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body); sys.stdout.buffer.flush()
CAPABILITIES = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {
    "positionEncoding": "utf-8", "textDocumentSync": 2, "hoverProvider": True, "definitionProvider": True,
    "codeActionProvider": {"resolveProvider": True}, "codeLensProvider": {}, "renameProvider": True,
    "executeCommandProvider": {"commands": ["other.do"]},
}
later, opened = [], {}
while True:
    message = read()
    method, params, number = message.get("method"), message.get("params"), message.get("id")
    if method is None:
        say(method="other/heard", params=message)
    elif method == "initialize":
        say(id=number, result={"capabilities": CAPABILITIES})
    elif method == "shutdown":
        say(id=number, result=None)
    elif method == "exit":
        sys.exit(0)
    elif method == "textDocument/didOpen":
        at = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
        found = [{"range": at, "message": "found by the other", "severity": 1, "source": "other"}]
        opened[params["textDocument"]["uri"]] = params["textDocument"]["text"], params["textDocument"]["version"]
        say(method="textDocument/publishDiagnostics", params={"uri": params["textDocument"]["uri"], "diagnostics": found})
    elif method == "workspace/didChangeConfiguration":
        say(method="other/settings", params=params)
    elif method == "other/opened":
        say(id=number, result={"opened": opened})
    elif method == "textDocument/codeAction":
        say(id=number, result=[{"title": "the other's", "data": [1, {"kept": 1}]}, {"title": "its plain one"}])
    elif method == "textDocument/codeLens" and "slow" in params["textDocument"]["uri"]:
        pass
    elif method == "textDocument/codeLens":
        say(id=number, error={"code": -32603, "message": "no lenses today"})
    elif method == "workspace/executeCommand":
        wish = params["arguments"][0] if params.get("arguments") else ""
        if wish == "die": sys.exit(7)
        if wish == "ask": say(id=0, method="workspace/applyEdit", params={"edit": {}}); say(id="attache-1", method="window/showMessageRequest", params={"type": 3, "message": "other asks"})
        if wish == "keep":
            kept = {"id": "w", "method": "workspace/didChangeWatchedFiles"}
            say(id="k", method="client/registerCapability", params={"registrations": [kept]})
            say(method="$/progress", params={"token": "t", "value": {"kind": "begin", "title": "x"}})
        if wish == "register":
            say(id="r", method="client/registerCapability", params={"registrations": []})
            say(id="m", method="window/showMessageRequest", params={"type": 3, "message": "other asks"})
        say(id=number, result=["the other did", params["command"], wish])
    elif method == "other/wait":
        later.append(number)
    elif method == "$/cancelRequest":
        say(method="other/cancelled", params=[params["id"], params["id"] in later])
    elif number is not None:
        say(id=number, result={"echo": method, "params": params, "id": number})
    else:
        say(method="other/told", params={"method": method, "params": params})
"""


PLACID = (
    OTHER.partition("later, opened")[0]
    + """
while True:
    message = read()
    if message.get("method") == "exit": sys.exit(0)
    result = {"capabilities": CAPABILITIES} if message.get("method") == "initialize" else None
    if message.get("id") is not None: say(id=message["id"], result=result)
"""
)
"""One that has nothing to say, and bears everything."""


@pytest.fixture
async def beside(folder: Path, home: Path) -> AsyncIterator[Attach]:
    clients: list[Client] = []

    async def beside(*command: str, profile: str = "emacs", **more: Any) -> Client:
        client = Client(folder, profile)
        clients.append(client)
        await client.start(home, *SERVER, "--with", shlex.join(command))
        client.greeting = await client.hello(**more)  # type: ignore[attr-defined]
        return client

    yield beside
    for client in clients:
        if client.process.returncode is None:
            assert await client.stop() == 0
        await client.ended()
        assert client.said("(an answer to nothing)") == []


@pytest.fixture
def other(home: Path) -> tuple[str, ...]:
    (home / "other.py").write_text(OTHER)
    return sys.executable, str(home / "other.py")


def at(client: Client, path: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": client.uri(path)}, "position": {"line": line, "character": character}}


# ---------------------------------------------------------------- a real one


@pytest.mark.skipif(not REAL.exists(), reason="basedpyright is not installed beside the tests' Python")
async def test_basedpyright_and_we_are_one_server(beside: Attach, home: Path):
    client = await beside(str(REAL), "--stdio")
    capabilities = client.greeting["capabilities"]  # type: ignore[attr-defined]
    assert capabilities["definitionProvider"]
    assert {"attache.ask", "basedpyright.createtypestub"} <= set(capabilities["executeCommandProvider"]["commands"])
    await client.open("a.py", TEXT)
    uri = client.uri("a.py")
    await client.until(lambda: len(client.diagnostics.get(uri, [])) >= 3)
    codes = {each["code"] for each in client.diagnostics[uri]}
    assert {"reportUnusedImport", "reportReturnType", "reportArgumentType"} <= codes

    hover = await client.request("textDocument/hover", at(client, "a.py", 7, 21))
    assert "def f(x: int) -> str" in str(hover)
    (place, *_) = await client.request("textDocument/definition", at(client, "a.py", 7, 21))
    assert place["range"]["start"] == {"line": 3, "character": 4}
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert {lens["command"]["title"] for lens in lenses} >= {"ask agent", "explain", "test"}

    # our own fix is computed on the text that both hold, and both follow it
    unused = next(each for each in client.diagnostics[uri] if each["code"] == "reportUnusedImport")
    await client.pick(next(each for each in await client.actions("a.py", 0, [unused]) if "(rule)" in each["title"]))
    await client.until(lambda: client.text("a.py").startswith("\n\ndef f") or client.text("a.py").startswith("def f"))
    await client.until(lambda: "reportUnusedImport" not in {each["code"] for each in client.diagnostics[uri]})

    # and what it finds is known to the agent
    said = (await client.request("attache/tool/run", {"name": "diagnostics", "arguments": {"paths": ["a.py"]}}))["text"]
    assert "reportReturnType" in said
    assert client.wrong == []
    assert await client.stop() == 0


# ---------------------------------------------------------------- who gets what


async def test_requests_reach_the_one_that_answers_them(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    assert client.encoding == "utf-8"  # ours counts as the other does
    await client.open("ä.py", TEXT)
    uri = client.uri("ä.py")
    await client.until(lambda: client.diagnostics.get(uri))
    assert [each["source"] for each in client.diagnostics[uri]] == ["other"]

    renamed = await client.request("textDocument/rename", {**at(client, "ä.py", 3, 4), "newName": "g"})
    assert renamed["echo"] == "textDocument/rename"
    assert (await client.request("other/special", {"x": 1}))["params"] == {"x": 1}
    assert await client.request("workspace/executeCommand", {"command": "other.do", "arguments": ["x"]}) == [
        "the other did", "other.do", "x",
    ]  # fmt: skip
    with pytest.raises(Refused, match="unknown command"):
        await client.request("workspace/executeCommand", {"command": "attache.exlpain"})
    # it is told what is typed, and of our chats nothing
    await client.type("ä.py", (7, 8), (7, 9), "😀")
    await client.until(lambda: "textDocument/didChange" in [each["method"] for each in client.said("other/told")])
    await client.open("talk.chat.md", "## You\n\nhello\n")
    await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("talk.chat.md")}})
    assert all("chat.md" not in json.dumps(each) for each in client.said("other/told"))
    assert client.uri("talk.chat.md") not in client.diagnostics


async def test_two_answers_are_one_and_each_item_is_resolved_where_it_came_from(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    await client.open("a.py", TEXT)
    actions = await client.actions("a.py", 0)
    titles = [each["title"] for each in actions]
    assert any(title.startswith("Attaché: ") for title in titles)
    assert titles[-2:] == ["the other's", "its plain one"]
    resolved = await client.request("codeAction/resolve", actions[-2])
    assert resolved["echo"] == "codeAction/resolve"
    assert resolved["params"] == {"title": "the other's", "data": [1, {"kept": 1}]}
    assert (await client.request("codeAction/resolve", actions[-1]))["params"] == {"title": "its plain one"}
    # one that fails does not take the other's answer along
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})) == 3


async def test_one_that_does_not_answer_is_not_waited_for(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    await client.open("slow.py", TEXT)
    began = time.monotonic()
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("slow.py")}})) == 3
    assert time.monotonic() - began < 8


async def test_ids_are_never_confused(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    asked = {"command": "other.do", "arguments": ["ask"]}
    client.choose = lambda _: {"title": "chosen"}
    await client.request("workspace/executeCommand", asked)
    heard = await client.until(
        lambda: [each for each in client.said("other/heard") if len(client.said("other/heard")) == 2]
    )
    answers = {each["id"]: each["result"] for each in heard}
    assert answers == {0: {"applied": True}, "attache-1": {"title": "chosen"}}
    # fifty at once of both kinds, answered each with its own number
    numbers = range(900, 950)
    waiting = [await client.begin("other/special" if n % 2 else "attache/review/list", {}, n) for n in numbers]
    for number, answer in waiting:
        result = await asyncio.wait_for(answer, 20)
        assert not number % 2 or result["id"] == number
    # one number in use is refused, by whichever server it waits for
    await client.begin("other/wait", {}, 77)
    _, second = await client.begin("other/wait", {}, 77)
    with pytest.raises(Refused, match="still being answered"):
        await asyncio.wait_for(second, 10)


async def test_what_only_fails_to_be_registered_is_no_failure_to_the_other(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    client.refuses = {"client/registerCapability", "window/showMessageRequest"}
    await client.request("workspace/executeCommand", {"command": "other.do", "arguments": ["register"]})
    heard = await client.until(lambda: len(client.said("other/heard")) == 2 and client.said("other/heard"))
    answers = {each["id"]: each.get("error", "none") for each in heard}
    assert answers["r"] == "none"
    assert answers["m"]["message"] == "not here"


async def test_a_cancellation_is_passed_on(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    number, _ = await client.begin("other/wait", {})
    await client.notify("$/cancelRequest", {"id": number})
    assert await client.until(lambda: client.said("other/cancelled")) == [[number, True]]


# ---------------------------------------------------------------- when one is bad


async def test_one_that_dies_is_started_again_with_what_is_open(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    await client.notify("workspace/didChangeConfiguration", {"settings": {"of": "the other's"}})
    await client.open("a.py", TEXT)
    await client.open("b.py", TEXT)
    await client.open("talk.chat.md", "## You\n\nhello\n")
    uri = client.uri("a.py")
    await client.until(lambda: client.diagnostics.get(uri))
    await client.type("a.py", (7, 8), (7, 9), "😀")
    await client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("b.py")}})
    _, waits = await client.begin("other/wait", {})
    dying = asyncio.ensure_future(
        client.request("workspace/executeCommand", {"command": "other.do", "arguments": ["die"]})
    )
    for left in (waits, dying):
        with pytest.raises(Refused, match="has ended"):
            await asyncio.wait_for(left, 10)
    await client.type("a.py", (0, 0), (0, 0), "# typed while it was away\n")
    with pytest.raises(Refused, match="is being started again"):  # nobody else could answer
        await client.request("textDocument/definition", at(client, "a.py", 4, 4))
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})) == 3
    await client.until(lambda: client.diagnostics[uri] and len(client.said("other/settings")) > 1)
    assert client.said("other/settings") == [{"settings": {"of": "the other's"}}] * 2
    opened = (await client.request("other/opened", {}))["opened"]
    assert opened == {uri: [client.text("a.py"), client.files[uri].document.version]}
    assert (await client.request("textDocument/definition", at(client, "a.py", 4, 4)))["echo"]
    (message,) = client.said("window/showMessage")
    assert "has ended (exit code 7) and is being started again" in message["message"]


async def test_what_the_client_keeps_for_one_that_died_is_taken_back(beside: Attach, other: tuple[str, ...]):
    client = await beside(*other)
    for wish in ("keep", "die"):
        with suppress(Refused):
            await client.request("workspace/executeCommand", {"command": "other.do", "arguments": [wish]})
    (taken,) = await client.until(lambda: client.said("client/unregisterCapability"))
    assert taken == {"unregisterations": [{"id": "w", "method": "workspace/didChangeWatchedFiles"}]}
    assert [each["value"]["kind"] for each in client.said("$/progress") if each["token"] == "t"] == ["begin", "end"]


async def test_one_that_comes_back_as_another_is_left_alone(beside: Attach, home: Path):
    (home / "other.py").write_text(OTHER)
    (home / "turning.py").write_text(
        "import pathlib, sys\nseen = pathlib.Path(sys.argv[0] + '.seen')\n"
        f"if seen.exists(): sys.argv[1:] = [{json.dumps({'positionEncoding': 'utf-32'})!r}]\nseen.touch()\n"
        f"exec(open({str(home / 'other.py')!r}).read())\n"
    )
    client = await beside(sys.executable, str(home / "turning.py"))
    await client.open("a.py", TEXT)
    with pytest.raises(Refused, match="has ended"):
        await client.request("workspace/executeCommand", {"command": "other.do", "arguments": ["die"]})
    said = await client.until(lambda: len(client.said("window/showMessage")) > 1 and client.said("window/showMessage"))
    assert "counts columns otherwise than before); restart the language server" in said[1]["message"]
    with pytest.raises(Refused, match="unknown method"):
        await client.request("other/special", {})
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})) == 3


@pytest.mark.parametrize("body", ["import sys; sys.exit(3)", "print('hello')"])
async def test_one_that_never_begins_leaves_us(beside: Attach, home: Path, body: str):
    (home / "bad.py").write_text(body)
    client = await beside(sys.executable, str(home / "bad.py"))
    assert client.greeting["serverInfo"]["name"] == "attache"  # type: ignore[attr-defined]
    await client.open("a.py", TEXT)
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})) == 3


async def test_one_that_is_not_there_is_wrong_use(folder: Path, home: Path):
    client = Client(folder)
    await client.start(home, *SERVER, "--with", "no-such-server --stdio")
    assert await client.ended() == 2
    assert "'no-such-server --stdio' cannot be started" in (home / "stderr.txt").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_the_other_never_outlives_us(beside: Attach, other: tuple[str, ...], number: int):
    client = await beside(*other)
    children = Path(f"/proc/{client.process.pid}/task/{client.process.pid}/children").read_text().split()
    assert children
    os.kill(client.process.pid, number)
    await client.ended()
    async with asyncio.timeout(10):
        while any(Path(f"/proc/{child}").exists() for child in children):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("lives", [True, False])
async def test_whatever_comes_each_request_is_answered_once(folder: Path, home: Path, *, lives: bool):
    (home / "other.py").write_text(PLACID if lives else OTHER)
    client = Client(folder, "vscode")
    await client.start(home, *SERVER, "--with", shlex.join([sys.executable, str(home / "other.py")]))
    await client.hello()
    await fuzz(client, 600)  # two answers to one request would end the client's reader
    assert bool([each for each in client.said("window/showMessage") if "has ended" in each["message"]]) is not lives
    assert await client.stop() == 0


# ---------------------------------------------------------------- the merging itself


def test_capabilities_are_those_of_both():
    ours = {"codeActionProvider": {"codeActionKinds": ["quickfix"], "resolveProvider": False}, "codeLensProvider": {}}
    ours["textDocumentSync"] = {"openClose": True, "change": 2, "save": {"includeText": False}}
    full = merged_capabilities(ours, {"textDocumentSync": 1, "codeActionProvider": True, "hoverProvider": True})
    assert full["textDocumentSync"]["change"] == 1
    assert "codeActionKinds" not in full["codeActionProvider"]
    assert full["hoverProvider"] is True
    its = {"codeActionProvider": {"codeActionKinds": ["quickfix", "source.fixAll"], "resolveProvider": True}}
    both = merged_capabilities(ours, {**its, "textDocumentSync": {"change": 0, "save": {"includeText": True}}})
    assert both["codeActionProvider"] == {"codeActionKinds": ["quickfix", "source.fixAll"], "resolveProvider": True}
    assert both["textDocumentSync"] == {"openClose": True, "change": 2, "save": {"includeText": True}}
    assert merged_capabilities(ours, {"codeLensProvider": False})["codeLensProvider"] == {}


def test_which_capability_a_method_rests_on():
    assert provides({"semanticTokensProvider": {}}, "textDocument/semanticTokens/full/delta")
    assert provides({"documentFormattingProvider": True}, "textDocument/formatting")
    assert not provides({"codeLensProvider": {}}, "codeLens/resolve")
    assert provides({"workspace": {"fileOperations": {"willRename": {}}}}, "workspace/willRenameFiles")
    assert not provides({}, "workspace/willRenameFiles")


def test_completions_keep_what_their_list_said_for_all():
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 2}}
    theirs = {
        "isIncomplete": True,
        "itemDefaults": {"editRange": span, "commitCharacters": ["."]},
        "items": [{"label": "ab"}],
    }
    merged = merged_answer("textDocument/completion", [{"label": "ours"}], theirs)
    assert merged["isIncomplete"]
    assert merged["items"][0] == {"label": "ours"}
    assert merged["items"][1] == {
        "label": "ab",
        "commitCharacters": ["."],
        "textEdit": {"newText": "ab", "range": span},
    }
    hovers = merged_answer("textDocument/hover", {"contents": "ours"}, {"contents": {"language": "py", "value": "x"}})
    assert hovers["contents"]["value"] == "```py\nx\n```\n\n---\n\nours"


def test_an_item_comes_back_as_it_was():
    for item in ({"title": "a"}, {"title": "a", "data": None}, {"title": "a", "data": {"x": [1]}}):
        (sent,) = marked([item])
        assert unmarked(sent) == {key: value for key, value in item.items() if value is not None}
    assert unmarked({"title": "ours", "data": {"hunk": "h"}}) is None
    assert unmarked({"title": "ours"}) is None
