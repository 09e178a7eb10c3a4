"""A chat document that a folder carries is text, not settings: what it may decide, where chats lie, what they hold open."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from attache.faces.lsp.chat import chat_text
from attache.security.trust import trust
from lsp.client import Client
from lsp.conftest import Attach, call

WRITES = (call("write", path="new.py", content="x = 1\n"), {"text": "Scripted."})


async def asked(client: Client, front: str, path: str = "notes.chat.md") -> str:
    """Send a document that begins with `front`; return what became of it."""
    (client.folder / path).parent.mkdir(exist_ok=True)
    (client.folder / path).write_text(f"---\n{front}---\n## You\nBegin.\n")
    await client.open(path, language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri(path)})
    await client.until(lambda: client.text(path).endswith("## You\n\n"))
    return client.text(path)


async def test_a_document_chooses_no_model_where_the_folder_is_not_trusted(attach: Attach, script):
    client = await attach(**script({"text": "Scripted."}))
    assert "Scripted." in await asked(client, "model: offline/offline\n")


async def test_a_document_chooses_no_mode_where_the_folder_is_not_trusted(attach: Attach, script):
    client = await attach(**script(*WRITES), ATTACHE_MODE="plan")
    assert "Scripted." in await asked(client, "mode: build\n")
    assert not (client.folder / "new.py").exists()


async def test_a_name_that_only_begins_like_our_own_folder_is_not_ours(attach: Attach, script, home: Path):
    client = await attach(**script({"text": "Scripted."}))
    (home / "chats").mkdir()
    text = "---\nmodel: offline/offline\n---\n## You\nBegin.\n"
    (client.folder / "notes.chat.md").write_text(text)
    uri = f"file://{home}/chats/../../{Path(client.uri('')).name}/notes.chat.md"
    await client.open_uri(uri, text)
    await client.run("attache.sendChat", {"uri": uri})
    await client.until(lambda: "Scripted." in client.files[uri].document.text)


async def test_a_document_goes_on_with_no_session_of_another_folder(attach: Attach, script, home: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = Client(tmp_path / "other")
    await other.start(home, **script({"text": "Scripted."}))
    await other.hello()
    answer = await other.request("attache/session/new", {"cwd": str(other.folder), "mcpServers": []})
    await other.stop()
    client = await attach(**script({"text": "Scripted."}))
    said = chat_text.fields(await asked(client, f"attache: {answer['sessionId']}\n"))
    assert said["attache"].startswith("s_")
    assert said["attache"] != answer["sessionId"]
    said = chat_text.fields(await asked(client, "attache: s_unknown\n", "more.chat.md"))
    assert said["attache"] != "s_unknown"


async def test_a_document_chooses_where_the_folder_is_trusted(attach: Attach, script, home: Path, folder: Path):
    trust(home, folder)
    client = await attach(**script(*WRITES), ATTACHE_MODE="plan")
    await asked(client, "mode: build\n")
    assert (folder / "new.py").read_text() == "x = 1\n"
    assert "Scripted." not in await asked(client, "model: offline/offline\n", "more.chat.md")


async def test_a_document_never_chooses_the_scripted_provider(attach: Attach, script, home: Path, folder: Path):
    trust(home, folder)
    client = await attach(**(script({"text": "Scripted."}) | {"ATTACHE_MODEL": "offline/offline"}))
    assert "Scripted." not in await asked(client, "model: scripted/test\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
async def test_chats_in_the_state_folder_are_for_the_user_alone(attach: Attach, home: Path):
    client = await attach()
    await client.run("attache.openChat")
    await client.until(lambda: client.shown)
    (chat,) = (home / "chats").glob("*/*.chat.md")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (chat, chat.parent, chat.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists what a process holds open")
async def test_a_document_outside_our_folder_holds_no_more_open_with_every_message(attach: Attach, script):
    client = await attach(**script(*({"text": f"Answer {number}."} for number in range(4))))

    def held() -> int:
        return sum(1 for _ in Path(f"/proc/{client.process.pid}/fd").iterdir())

    await asked(client, "")
    before = held()
    for number in range(3):
        lines = client.files[client.uri("notes.chat.md")].document.line_count
        await client.type("notes.chat.md", (lines - 1, 0), (lines - 1, 0), "On.\n")
        await client.run("attache.sendChat", {"uri": client.uri("notes.chat.md")})
        answer = f"Answer {number + 1}."
        await client.until(lambda: answer in client.text("notes.chat.md"))  # noqa: B023 - it is awaited here
        await client.until(lambda: client.text("notes.chat.md").endswith("## You\n\n"))
    assert held() <= before + 1
