"""Who denies can say why in any editor, by a button, an action or words in the chat; the agent gets the reason."""

from __future__ import annotations

import pytest

from attache.faces.lsp.chat import chat_text
from attache.workspace.paths import to_path
from lsp.client import Client
from lsp.conftest import Attach, call

RUN = call("shell", command="echo hi > out.txt")
HEEDED = {"when": "use the spool folder", "text": "I heed that."}
REASON = "use the spool folder"


async def asked(client: Client) -> str:
    """Begin a run that asks for permission; return the chat's URI once it does."""
    uri = client.uri("q.chat.md")
    await client.open("q.chat.md", "## You\nRun it\n", language="markdown")
    await client.run("attache.sendChat", {"uri": uri})
    await client.until(lambda: "*waiting for you*" in client.text("q.chat.md"))
    return uri


async def reason_typed(client: Client, uri: str) -> None:
    """Type a reason where the cursor is: it was put behind the last `/deny`, and follows what is written above."""
    document = client.files[uri].document
    at = document.line_count - 2, len("/deny ")
    assert document.text[: document.offset(*at)].endswith("## You\n/deny ")
    assert client.shown[-1]["selection"]["start"]["character"] == at[1]  # its line moves with what is written above
    span = dict.fromkeys(("start", "end"), client.position(uri, at))
    await client.change(uri, [{"range": span, "newText": REASON}])
    await client.run("attache.sendChat", {"uri": uri})


async def heeded(client: Client, name: str = "q.chat.md") -> None:
    await client.until(lambda: "I heed that." in client.text(name) and client.text(name).endswith("## You\n\n"))
    assert not (client.folder / "out.txt").exists()


@pytest.mark.parametrize("profile", ["neovim", "helix", "emacs"])
async def test_an_action_opens_the_chat_where_the_reason_is_typed(attach: Attach, script, profile: str):
    client = await attach(profile, **script(RUN, HEEDED))
    uri = await asked(client)
    actions = await client.actions("q.chat.md", 0)
    await client.pick(next(each for each in actions if each["title"].startswith("Attaché: deny and say why…")))
    await client.until(lambda: client.shown)
    await reason_typed(client, uri)
    await heeded(client)
    text = client.text("q.chat.md")
    assert "/deny" not in text
    assert f"the user said no: {REASON}" in text
    assert [turn.who for turn in chat_text.turns(text)] == ["You", "Attaché", "You"]


async def test_a_button_leads_there_too(attach: Attach, script):
    client = await attach("neovim", **script(RUN, HEEDED))
    client.choose = lambda request: request["actions"][-1]
    uri = await asked(client)
    await client.until(lambda: client.shown)
    assert client.said("window/showMessageRequest")[0]["actions"][-1] == {"title": "Deny and say why"}
    await reason_typed(client, uri)
    await heeded(client)


async def test_words_in_the_chat_do_it_by_hand_and_by_saving(attach: Attach, script):
    client = await attach("zed", ATTACHE_SEND_CHATS_ON_SAVE="true", **script(RUN, HEEDED))
    uri = await asked(client)
    last = client.files[uri].document.line_count - 1
    await client.type("q.chat.md", (last, 0), (last, 0), f"\n## You\n/deny {REASON}\n")
    await client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    await heeded(client)


@pytest.mark.parametrize(("command", "argument"), [("attache.deny", {"reason": REASON}), ("attache.denyWhy", REASON)])
async def test_a_command_takes_the_reason(attach: Attach, script, command: str, argument: object):
    client = await attach("emacs", **script(RUN, HEEDED))
    await asked(client)
    await client.run(command, argument)
    await heeded(client)


async def test_a_draft_of_the_users_below_the_answer_stays(attach: Attach, script):
    client = await attach("helix", **script(RUN, HEEDED))
    uri = await asked(client)
    last = client.files[uri].document.line_count - 1
    await client.type("q.chat.md", (last, 0), (last, 0), "\n## You\nwhat I ask next\n")
    await client.run("attache.denyWhy")
    await client.until(lambda: client.shown)
    await reason_typed(client, uri)
    await client.until(lambda: "I heed that." in client.text("q.chat.md"))
    await client.until(lambda: "working" not in client.text("q.chat.md"))
    assert client.text("q.chat.md").endswith("## You\nwhat I ask next\n")


async def test_where_no_chat_tells_of_the_question_one_is_begun_for_the_reason(attach: Attach, script):
    """A session of a script in the editor, which answers no permission requests."""
    client = await attach("neovim", **script(RUN, HEEDED))
    session = await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []})
    words = [{"type": "text", "text": "Run it"}]
    _, done = await client.begin("attache/session/prompt", {"sessionId": session["sessionId"], "prompt": words})
    await client.until(lambda: client.said("window/showMessageRequest"))
    await client.run("attache.denyWhy")
    await client.until(lambda: client.shown)
    uri = client.shown[-1]["uri"]
    await client.until(lambda: uri in client.files)
    assert "# Deny: " in client.files[uri].document.text
    await reason_typed(client, uri)
    await done
    await client.until(lambda: client.files[uri].document.text.endswith("## You\n\n"))
    assert "## Attaché\ndenied: " in client.files[uri].document.text
    assert not (client.folder / "out.txt").exists()


async def test_what_waits_no_more_is_not_denied(attach: Attach, script):
    client = await attach("emacs", **script(RUN, {"text": "Done."}))
    uri = await asked(client)
    await client.run("attache.denyWhy")
    await client.until(lambda: client.shown)
    await client.run("attache.approve")
    await client.until(lambda: "Done." in client.text("q.chat.md"))
    await client.run("attache.sendChat", {"uri": uri})
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "no questions wait" in message["message"]
    assert "/deny" in client.text("q.chat.md")


async def test_where_the_document_is_not_shown_to_us_picking_it_again_takes_what_was_saved(attach: Attach, script):
    client = await attach("neovim", **script(RUN, HEEDED))
    client.opens = False
    session = await client.request("attache/session/new", {"cwd": str(client.folder), "mcpServers": []})
    words = [{"type": "text", "text": "Run it"}]
    _, done = await client.begin("attache/session/prompt", {"sessionId": session["sessionId"], "prompt": words})
    await client.until(lambda: client.said("window/showMessageRequest"))
    await client.run("attache.denyWhy")
    await client.until(lambda: client.shown)
    await client.run("attache.denyWhy")  # nothing is typed yet: it is shown again
    await client.until(lambda: len(client.shown) > 1)
    assert client.shown[0]["uri"] == client.shown[1]["uri"]
    path = to_path(client.shown[0]["uri"])
    path.write_text(path.read_text().replace("/deny ", f"/deny {REASON}"))
    await client.run("attache.denyWhy")
    assert (await done)["stopReason"] == "end_turn"
    assert not (client.folder / "out.txt").exists()
