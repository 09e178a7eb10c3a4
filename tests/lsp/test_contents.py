"""What stands nowhere is shown, and who wrote a line is told, in each profile's own way."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from attache.workspace.paths import to_path
from lsp.client import Client, Refused
from lsp.conftest import Attach, edit

TEXT = "x = 1\ny = 1\nz = 1\n"


CHANGE = {**edit("a.py", "y = 1", "y = 2"), "text": "One was wrong.", "when": "Make y two"}


async def changed(client: Client):
    """Let a run change one line of an open file, asked for in a chat; needs a model that says CHANGE and DONE."""
    await client.open("a.py", TEXT)
    await client.open("y.chat.md", "## You\nMake y two\n", language="markdown")
    await client.run("attache.sendChat", {"uri": client.uri("y.chat.md")})
    await client.until(lambda: client.text("y.chat.md").endswith("## You\n\n"))
    assert client.text("a.py") == TEXT.replace("y = 1", "y = 2")
    assert "- ✎ **edit** [a.py](a.py) −1 +1 · pending review\n" in client.text("y.chat.md")


async def shown(client: Client) -> str:
    """The text of what was shown last, fetched or read as the profile does it."""
    if client.profile == "zed":  # shows no documents: it is told where they are
        message = await client.until(lambda: [m for m in client.said("window/showMessage") if "open " in m["message"]])
        client.heard.clear()
        return Path(message[-1]["message"].partition("open ")[2].rpartition(":")[0]).read_text()
    await client.until(lambda: client.shown)
    uri = client.shown.pop()["uri"]
    client.shown.clear()
    if uri.startswith("attache:"):
        assert client.profile == "vscode"
        answer = await client.request("workspace/textDocumentContent", {"uri": uri})
        return answer["text"]
    assert "shown" in unquote(uri)
    return to_path(uri).read_text()


async def what_was_changed_sent_and_done_is_shown(client: Client):
    if client.profile == "vscode":
        await client.until(lambda: "workspace/textDocumentContent" in str(client.said("client/registerCapability")))
    await client.run("attache.show", {"uri": client.uri("a.py"), "what": "diff"})
    assert "-y = 1\n+y = 2\n" in await shown(client)
    await client.run("attache.show", {"uri": client.uri("a.py"), "what": "before"})
    assert await shown(client) == TEXT
    titles = {each["title"]: each for each in await client.actions("y.chat.md", 0)}
    await client.pick(titles["Attaché: show the tool log"])
    assert "### edit" in await shown(client)
    await client.pick(titles["Attaché: show the prompt as sent"])
    text = await shown(client)
    assert "## System" in text
    assert "Make y two" in text


async def a_line_of_the_agents_says_how_it_came_about_wherever_it_moves(client: Client):

    async def told(line: int) -> str:
        at = {"line": line, "character": 0}
        answer = await client.request(
            "textDocument/hover", {"textDocument": {"uri": client.uri("a.py")}, "position": at}
        )
        return answer["contents"]["value"] if answer else ""

    assert await told(0) == ""
    words = await told(1)
    assert words.startswith('**Attaché** · step 1 "')
    assert " · turn 1" in words
    assert "asked: Make y two" in words
    assert "> One was wrong." in words
    await client.run("attache.acceptAll", {"uri": client.uri("a.py")})
    await client.type("a.py", (0, 0), (0, 0), "# mine\n")
    assert await told(1) == ""
    assert await told(2) == words
    await client.type("a.py", (2, 4), (2, 5), "1")
    assert await told(2) == ""


async def test_what_is_not_there_is_refused(attach: Attach):
    client = await attach()
    for uri in ("attache:///diff/c_1.diff", "attache:///nothing/x", "file:///etc/passwd", "x"):
        with pytest.raises(Refused):
            await client.request("workspace/textDocumentContent", {"uri": uri})
