"""An answer is seen coming: in few edits, each awaited, around what the user types; stopped, failed and sent again."""

from __future__ import annotations

import time

import pytest

from attache.faces.lsp.chat import chat_text
from lsp.client import Client
from lsp.conftest import Attach, call

PROFILES = ("vscode", "neovim", "helix", "emacs", "zed")
TEXT = "def add(a, b):\n    return a + b\n"
BEGUN = "# Q\n\n## You\nBegin.\n"
WORDS = " ".join(f"word{number}" for number in range(24))


async def send(client: Client, name: str = "q.chat.md", **about: object) -> None:
    await client.run("attache.sendChat", {"uri": client.uri(name), **about})


def turns(text: str) -> list[str]:
    return [turn.who for turn in chat_text.turns(text)]


@pytest.mark.parametrize("profile", PROFILES)
async def test_an_answer_comes_in_few_edits_and_all_that_is_typed_meanwhile_stays(attach: Attach, script, profile: str):
    slow = {"text": f"It adds, see a.py:1.\n\n{WORDS}", "delay_seconds": 0.08}
    client = await attach(profile, **script({**call("read", path="a.py"), "text": "Let me look."}, slow))
    (client.folder / "a.py").write_text(TEXT)
    await client.open("q.chat.md", BEGUN, language="markdown")
    began = time.monotonic()
    await send(client)
    await client.until(lambda: "▍ working · " in client.text("q.chat.md"))
    await client.until(lambda: "word3" in client.text("q.chat.md"))
    await client.type("q.chat.md", (0, 0), (0, 0), "<!-- 漢😀 -->\n")
    text = client.text("q.chat.md")
    assert "word23" not in text
    asked = text.split("\n").index("Begin.")
    await client.type("q.chat.md", (asked, 6), (asked, 6), " And tell me why.")
    last = client.files[client.uri("q.chat.md")].document.line_count - 1
    end = len(client.files[client.uri("q.chat.md")].document.line(last))
    await client.type("q.chat.md", (last, end), (last, end), "\nmy next question")
    await client.until(lambda: "word23" in client.text("q.chat.md") and "working" not in client.text("q.chat.md"))
    seconds = time.monotonic() - began
    text = client.text("q.chat.md")
    assert turns(text) == ["You", "Attaché", "You"]
    assert chat_text.question(text) == "my next question"
    assert "<!-- 漢😀 -->\n" in text
    assert "Begin. And tell me why.\n" in text
    told = text.partition("## Attaché\n")[2].partition("\n\n<sub>")[0]
    assert told.startswith("Let me look.\n\n- ✓ **read** [a.py:1-2](a.py#L1-L2) · ")
    assert told.endswith(f" s\n\nIt adds, see [a.py:1](a.py#L1).\n\n{WORDS}")
    assert text.startswith("<!-- 漢😀 -->\n---\nattache: s_")
    assert len(client.said("workspace/applyEdit")) <= 8 * seconds + 2


async def test_what_is_typed_into_an_answer_stays_too(attach: Attach, script):
    client = await attach(**script({"text": f"First line.\n\n{WORDS}", "delay_seconds": 0.08}))
    await client.open("q.chat.md", BEGUN, language="markdown")
    await send(client)
    await client.until(lambda: "word2" in client.text("q.chat.md"))
    line = client.text("q.chat.md").split("\n").index("First line.")
    await client.type("q.chat.md", (line, 5), (line, 5), " NOTED")
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    assert f"First NOTED line.\n\n{WORDS}\n" in client.text("q.chat.md")


async def test_stopped_it_says_so_and_leaves_nothing_behind(attach: Attach, script):
    client = await attach("helix", **script({"text": WORDS, "delay_seconds": 0.1}, {"text": "Again.", "when": "more"}))
    await client.open("q.chat.md", BEGUN, language="markdown")
    await send(client)
    await client.until(lambda: "word1" in client.text("q.chat.md"))
    stop = next(each for each in await client.actions("q.chat.md", 0) if each["title"] == "Attaché: stop: Begin.")
    await client.pick(stop)
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    text = client.text("q.chat.md")
    assert "▍" not in text
    assert "word1" in text
    assert "\n\n*stopped*\n\n<sub>" in text


async def test_an_earlier_question_sent_again_forks_the_session(attach: Attach, script):
    said = (
        {"text": "One.", "when": "first"},
        {"text": "Two.", "when": "second"},
        {"text": "Other.", "when": "changed"},
    )
    client = await attach("neovim", **script(*said))
    await client.open("q.chat.md", "## You\nfirst\n", language="markdown")
    await send(client)
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    last = client.text("q.chat.md").count("\n") - 1
    await client.type("q.chat.md", (last, 0), (last, 0), "second\n")
    await send(client)
    await client.until(lambda: "Two." in client.text("q.chat.md") and client.text("q.chat.md").endswith("## You\n\n"))
    before = chat_text.fields(client.text("q.chat.md"))["attache"]
    line = client.text("q.chat.md").split("\n").index("second")
    await client.type("q.chat.md", (line, 0), (line, 6), "changed")
    (again,) = [each for each in await client.actions("q.chat.md", line) if "send again" in each["title"]]
    await client.pick(again)
    await client.until(lambda: "Other." in client.text("q.chat.md") and client.text("q.chat.md").endswith("## You\n\n"))
    text = client.text("q.chat.md")
    fields = chat_text.fields(text)
    assert "Two." not in text
    assert "One." in text
    assert turns(text) == ["You", "Attaché", "You", "Attaché", "You"]
    assert fields["parent"] == before != fields["attache"]
    listed = await client.request("attache/session/list", {})
    kept = {each["sessionId"]: each for each in listed["sessions"]}
    assert kept[fields["attache"]]["_meta"]["attache"]["parent"] == before
    assert kept[before]["_meta"]["attache"]["runs"] == 2


async def test_commands_behind_a_slash(attach: Attach, script):
    client = await attach(**script({"text": "It adds.", "when": "Explain `add`."}))
    await client.open("q.chat.md", "## You\n/explain `add`\n", language="markdown")
    await send(client)
    await client.until(lambda: "It adds." in client.text("q.chat.md") and client.text("q.chat.md").endswith("You\n\n"))
    for asked, answer in (("/mode plan", "mode: plan\n"), ("/cost", "1 run · "), ("/help", "- `/explain` ")):
        last = client.text("q.chat.md").count("\n") - 1
        await client.type("q.chat.md", (last, 0), (last, 0), f"{asked}\n")
        await send(client)
        await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
        assert f"{asked}\n\n## Attaché\n{answer}" in client.text("q.chat.md")
    assert chat_text.fields(client.text("q.chat.md"))["mode"] == "plan"
    last = client.text("q.chat.md").count("\n") - 1
    await client.type("q.chat.md", (last, 0), (last, 0), "/explian add\n")
    await send(client)
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "near: /explain" in message["message"]


async def test_an_approval_stands_on_its_line_and_is_given_there(attach: Attach, script):
    turns_ = (call("shell", command="echo done > made.txt"), {"text": "Made."})
    client = await attach("emacs", **script(*turns_))
    await client.open("q.chat.md", BEGUN, language="markdown")
    await send(client)
    uri = client.uri("q.chat.md")
    (found,) = await client.until(lambda: [d for d in client.diagnostics.get(uri, []) if d["code"] == "approval"])
    await client.until(lambda: "*waiting for you*" in client.text("q.chat.md"))
    (found,) = await client.until(
        lambda: [
            d
            for d in client.diagnostics[uri]
            if client.text("q.chat.md").split("\n")[d["range"]["start"]["line"]][:3] == "- ?"
        ]
    )
    line = found["range"]["start"]["line"]
    assert "`echo done > made.txt`" in client.text("q.chat.md").split("\n")[line]
    assert not (client.folder / "made.txt").exists()
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    titles = [each["command"]["title"] for each in lenses]
    assert titles == ["allow once", "allow for this session", "deny", "deny and say why…", "stop: Begin."]
    allow = next(
        a for a in await client.actions("q.chat.md", line, [found]) if a["title"].startswith("Attaché: allow once")
    )
    await client.pick(allow)
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    assert client.diagnostics[uri] == []
    assert "waiting for you" not in client.text("q.chat.md")
    assert "**shell** `echo done > made.txt` · " in client.text("q.chat.md")


async def test_a_document_keeps_its_line_ends(attach: Attach, script):
    client = await attach(**script({"text": "One.\n\nTwo.", "delay_seconds": 0.1}))
    await client.open("q.chat.md", BEGUN.replace("\n", "\r\n"), language="markdown")
    await send(client)
    await client.until(lambda: client.text("q.chat.md").endswith("## You\r\n\r\n"))
    assert "\r\nOne.\r\n\r\nTwo.\r\n" in client.text("q.chat.md")
    assert "\n" not in client.text("q.chat.md").replace("\r\n", "")


async def test_saving_sends_where_that_is_set_and_what_a_crash_left_behind_goes(attach: Attach, script):
    client = await attach("zed", ATTACHE_SEND_CHATS_ON_SAVE="true", **script({"text": "Now."}))
    text = "## You\nfirst\n\n## Attaché\nhalf\n\n▍ working · thinking · stop by code action\n\n## You\nagain\n"
    await client.open("q.chat.md", text, language="markdown")
    await client.notify("textDocument/didSave", {"textDocument": {"uri": client.uri("q.chat.md")}})
    await client.until(lambda: client.text("q.chat.md").endswith("## You\n\n"))
    assert "half\n\n*stopped*\n\n## You\nagain\n" in client.text("q.chat.md")
    assert "\nNow.\n" in client.text("q.chat.md")
