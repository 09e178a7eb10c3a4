"""What happens beyond the documents: folders come and go, files change behind us, other servers' findings are passed on."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from attache.workspace.paths import to_uri
from lsp.client import Client
from lsp.conftest import Attach

SCRIPTS = Path(sys.executable).parent
BAD = {"range": {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}, "message": "no `漢` here"}


async def run(client: Client, tool: str, **arguments: object) -> str:
    return (await client.request("attache/tool/run", {"name": tool, "arguments": arguments}))["text"]


async def changed(client: Client, added: list[Path], removed: list[Path]) -> None:
    folders = [[{"uri": to_uri(each), "name": each.name} for each in some] for some in (added, removed)]
    event = {"added": folders[0], "removed": folders[1]}
    await client.notify("workspace/didChangeWorkspaceFolders", {"event": event})


@pytest.mark.parametrize("early", [True, False])
async def test_folders_that_come_and_go_are_followed(attach: Attach, tmp_path: Path, *, early: bool):
    client = await attach("vscode")
    other = tmp_path / "other #2"
    other.mkdir()
    (client.folder / "a.py").write_text("here = 1\n")
    (other / "b.py").write_text("there = 2\n")
    if not early:
        assert "there" not in await run(client, "grep", pattern="there")
        assert "lies outside" in await run(client, "read", path=str(other / "b.py"))
    await changed(client, [other], [])
    assert "b.py:1" in await run(client, "grep", pattern="there")
    await client.open_uri(to_uri(other / "b.py"), language="python")
    assert "no new diagnostics" in await run(
        client, "edit", path=str(other / "b.py"), edits=[{"search": "2", "replace": "3"}]
    )
    async with asyncio.timeout(10):  # the index has the other folder too, as its buffers stand
        while "b.py:1" not in await run(client, "symbols", name="there"):
            await asyncio.sleep(0.1)
    span = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}
    await client.change(to_uri(other / "b.py"), [{"range": span, "newText": "typed"}])
    async with asyncio.timeout(10):
        while "b.py:1" not in await run(client, "symbols", name="typed"):
            await asyncio.sleep(0.1)
    await changed(client, [], [client.folder])
    assert "lies outside" in await run(client, "read", path=str(client.folder / "a.py"))
    assert "b.py:1" in await run(client, "symbols", name="typed")


async def test_files_that_others_make_or_rename_are_found(attach: Attach):
    client = await attach("vscode")
    registered = await client.until(lambda: client.said("client/registerCapability"))
    assert registered[0]["registrations"][0]["method"] == "workspace/didChangeWatchedFiles"
    assert "no symbol" in await run(client, "symbols", name="appeared_late")
    (client.folder / "new.py").write_text("def appeared_late(): ...\n")
    await client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": client.uri("new.py"), "type": 1}]})
    async with asyncio.timeout(10):
        while "new.py:1" not in await run(client, "symbols", name="appeared_late"):
            await asyncio.sleep(0.1)
    (client.folder / "new.py").rename(client.folder / "moved.py")
    files = [{"oldUri": client.uri("new.py"), "newUri": client.uri("moved.py")}]
    assert await client.request("workspace/willRenameFiles", {"files": files}) is None
    await client.notify("workspace/didRenameFiles", {"files": files})
    async with asyncio.timeout(10):
        while "moved.py:1" not in (said := await run(client, "symbols", name="appeared_late")):
            await asyncio.sleep(0.1)
    assert "new.py" not in said


async def test_a_file_that_the_agent_makes_is_in_the_index(attach: Attach):
    client = await attach("vscode")
    assert "no symbol" in await run(client, "symbols", name="made_by_agent")
    await run(client, "write", path="made.py", content="def made_by_agent(): ...\n")
    async with asyncio.timeout(10):
        while "made.py:1" not in await run(client, "symbols", name="made_by_agent"):
            await asyncio.sleep(0.1)


async def test_only_editors_for_which_watching_is_cheap_are_asked_to(attach: Attach):
    client = await attach("emacs")
    await run(client, "list")
    assert client.said("client/registerCapability") == []


async def test_what_a_client_passes_on_is_known_for_its_text_alone(attach: Attach):
    client = await attach("vscode")
    await client.open("a.py", "漢 = 漢😀\n", language="plaintext")
    uri = client.uri("a.py")
    ours = {**BAD, "source": "attache", "message": "our own"}
    await client.notify("attache/diagnostics", {"uri": uri, "version": 1, "diagnostics": [BAD, ours]})
    said = await run(client, "diagnostics", paths=["a.py"])
    assert "a.py:1:5 warning no `漢` here" in said
    assert "our own" not in said
    await client.type("a.py", (0, 0), (0, 0), "# ")

    later = asyncio.create_task(run(client, "diagnostics", paths=["a.py"]))
    await asyncio.sleep(0.3)  # it waits a moment for what is found in the new text
    await client.notify("attache/diagnostics", {"uri": uri, "version": 2, "diagnostics": [{**BAD, "message": "new"}]})
    said = await later
    assert "warning new" in said
    assert "漢` here" not in said


@pytest.mark.skipif(not (SCRIPTS / "basedpyright-langserver").exists(), reason="basedpyright is not installed")
async def test_the_agent_hears_what_its_edit_broke_and_mends_it(attach: Attach, script, home: Path):
    def edit(old: str, new: str) -> dict[str, object]:
        call = {"name": "edit", "arguments": {"path": "a.py", "edits": [{"search": old, "replace": new}]}}
        return {"tool_calls": [call]}

    turns = (edit("return 1", "return 'one'"), edit("return 'one'", "return 2"), {"text": "Done."})
    path = f"{SCRIPTS}{os.pathsep}/usr/bin{os.pathsep}/bin"
    client = await attach("vscode", PATH=path, ATTACHE_LANGUAGE_SERVERS="auto", **script(*turns))
    await client.open("a.py", "def one() -> int:\n    return 1\n")
    session = (await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []}))["sessionId"]
    prompt = [{"type": "text", "text": "go"}]
    await client.request("attache/session/prompt", {"sessionId": session, "prompt": prompt}, seconds=60)
    told = [json.dumps(each, ensure_ascii=False) for each in client.said("attache/session/update")]
    assert any("1 new diagnostic" in each and "reportReturnType" in each for each in told)
    assert any("no new diagnostics, 1 gone" in each for each in told)
    assert client.text("a.py") == "def one() -> int:\n    return 2\n"
    assert not (client.folder / "a.py").exists()


@pytest.mark.skipif(not (SCRIPTS / "basedpyright-langserver").exists(), reason="basedpyright is not installed")
async def test_what_is_mentioned_as_diagnostics_holds_what_our_own_servers_find(attach: Attach, script):
    path = f"{SCRIPTS}{os.pathsep}/usr/bin{os.pathsep}/bin"
    turns = script({"when": "reportReturnType", "text": "I see it."})
    client = await attach("helix", PATH=path, ATTACHE_LANGUAGE_SERVERS="auto", **turns)
    await client.open("a.py", "def one() -> int:\n    return 'one'\n")
    await client.open("q.chat.md", "## You\nWhat is wrong? @diagnostics\n", language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri("q.chat.md")})
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"), 40)
    assert "I see it." in client.text("q.chat.md")
