"""Our text equals the editor's, whatever is typed and however it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.faces.lsp.server import Server
from attache.faces.lsp.sync import changed, opened
from attache.faces.lsp.wire.positions import Encoding
from attache.faces.lsp.wire.shapes import DidChange, DidOpen, read_as
from attache.faces.lsp.wire.transport import Transport
from attache.schema.data import Uri
from attache.workspace.documents import Document
from lsp.client import Client, units
from lsp.conftest import Attach

URI = "file:///a.py"
TEXTS = st.text(st.sampled_from("ab \n\r\té漢😀\u0301\u2028\x0c"), max_size=12)


def server_for(encoding: Encoding) -> Server:
    params = {"capabilities": {"general": {"positionEncodings": [encoding]}}}
    return Server(Transport(lambda: b"", lambda _: None), params)


def open_there(server: Server, text: str) -> None:
    item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    opened(server, read_as(DidOpen, {"textDocument": item}))


def change_there(server: Server, version: int | None, changes: list[dict]) -> None:
    params = {"textDocument": {"uri": URI, "version": version}, "contentChanges": changes}
    changed(server, read_as(DidChange, params))


@given(st.data(), TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32"]))
async def test_edits_in_one_notification_follow_one_another(data: st.DataObject, text: str, encoding: Encoding):
    server = server_for(encoding)
    open_there(server, text)
    mine = Document(Uri(URI), text)
    changes: list[dict] = []
    for _ in range(data.draw(st.integers(1, 4))):
        one, other = sorted(data.draw(st.integers(0, len(mine.text))) for _ in range(2))
        start, end, new = mine.position(one), mine.position(other), data.draw(TEXTS)
        span = {
            name: {"line": line, "character": units(mine.line(line)[:column], encoding)}
            for name, (line, column) in (("start", start), ("end", end))
        }
        mine.replace(start, end, new)
        changes.append({"range": span, "text": new})
    change_there(server, 2, changes)
    there = server.buffers.get(Uri(URI))
    assert there
    assert there.text == mine.text
    assert there.version == 2


async def test_a_whole_text_replaces_everything():
    server = server_for("utf-16")
    open_there(server, "a\nb\n")
    change_there(server, 2, [{"text": "c\r\nd"}])
    assert [document.text for document in server.buffers] == ["c\r\nd"]


async def test_places_that_are_not_there_are_taken_as_near_as_can_be():
    server = server_for("utf-16")
    open_there(server, "ab\ncd\n")
    far = {"start": {"line": 1, "character": 99}, "end": {"line": 99_999_999, "character": 3}}
    change_there(server, None, [{"range": far, "text": "!"}])
    (document,) = server.buffers
    assert document.text == "ab\ncd!"
    assert document.version == 2


async def test_half_a_character_does_not_cost_the_document(attach: Attach):
    client: Client = await attach()
    await client.open("a.py", "def f():\n    return 1\n")
    await client.change(client.uri("a.py"), [{"range": span(1, 4), "newText": "# \ud83d\n    "}])
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})
    assert len(lenses) == 3


async def test_a_closed_document_is_gone(attach: Attach):
    client = await attach()
    await client.open("a.py", "def f(): ...\n")
    await client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("a.py")}})
    assert await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}}) == []


async def test_saving_what_was_never_opened_is_nothing_to_complain_of(attach: Attach, home: Path):
    client = await attach()
    await client.notify("textDocument/didSave", {"textDocument": {"uri": "vscode-userdata:/settings.json"}})
    await client.notify("textDocument/didSave", {"textDocument": {"uri": client.uri("never.py")}})
    await client.open("a.py", "def f(): ...\n")
    assert await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})
    assert "didSave" not in (home / "stderr.txt").read_text()
    assert "is not open" not in (home / "stderr.txt").read_text()


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "git:/a.py?x", "vscode-notebook-cell:/a.ipynb#1"])
async def test_documents_without_a_file_are_followed_too(attach: Attach, uri: str):
    client = await attach()
    await client.open_uri(uri, "def f(): ...\n", "python")
    assert len(await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})) == 3
    at = span(0, 0)
    context = {"textDocument": {"uri": uri}, "range": at, "context": {"diagnostics": []}}
    assert await client.request("textDocument/codeAction", context)


def span(line: int, character: int) -> dict:
    return {name: {"line": line, "character": character} for name in ("start", "end")}
