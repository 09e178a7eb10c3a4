"""Promise 3: hunks are diagnostics with actions in every editor, lenses where there are any."""

from __future__ import annotations

import pytest

from lsp.client import Client
from lsp.conftest import Attach, edit

PROFILES = ("vscode", "neovim", "helix", "emacs", "zed")
TEXT = "".join(f"line {number}  # é😀\n" for number in range(12))
CHANGED = TEXT.replace("line 2 ", "LINE 2 ").replace("line 9 ", "LINE 9 ")
EDIT = {
    "tool_calls": [
        {
            "name": "edit",
            "arguments": {
                "path": "a.py",
                "title": "Shout",
                "edits": [{"search": "line 2 ", "replace": "LINE 2 "}, {"search": "line 9 ", "replace": "LINE 9 "}],
            },
        }
    ]
}


async def changed(attach: Attach, script, profile: str, *more: dict) -> Client:
    """A file in which the agent has changed two places."""
    client = await attach(profile, **script(EDIT, *more, {"text": "Done."}))
    (client.folder / "b.py").write_text("x = 1\n")
    await client.open("a.py", TEXT)
    await client.run("attache.ask", {"uri": client.uri("a.py"), "question": "Shout"})
    await client.until(lambda: len(hunks(client)) == 2)
    assert client.text("a.py") == CHANGED
    return client


def hunks(client: Client, path: str = "a.py") -> list[dict]:
    return [each for each in client.diagnostics.get(client.uri(path), []) if each["code"] == "hunk"]


async def pick(client: Client, line: int, title: str) -> None:
    actions = await client.actions("a.py", line, hunks(client))
    await client.pick(next(each for each in actions if each["title"].startswith(f"Attaché: {title}")))


@pytest.mark.parametrize("profile", PROFILES)
async def test_each_hunk_is_accepted_or_rejected_by_itself(attach: Attach, script, profile: str):
    client = await changed(attach, script, profile)
    first, second = hunks(client)
    assert (first["range"]["start"]["line"], second["range"]["start"]["line"]) == (2, 9)
    assert first["source"] == "attache"
    assert first["severity"] == 3
    assert first["message"] == 'step 1 "Shout": 1 line changed here (−1 +1). Accept or reject by code action.'
    assert [place["location"]["range"]["start"]["line"] for place in first["relatedInformation"]] == [9]
    await pick(client, 2, "reject this change")
    await client.until(lambda: len(hunks(client)) == 1)
    assert client.text("a.py") == CHANGED.replace("LINE 2", "line 2")
    await pick(client, 9, "accept this change")
    await client.until(lambda: not hunks(client))
    assert client.text("a.py") == CHANGED.replace("LINE 2", "line 2")


async def test_hunks_follow_the_typing(attach: Attach, script):
    client = await changed(attach, script, "helix")
    await client.type("a.py", (0, 0), (0, 0), "one\ntwo\n")
    await client.until(lambda: [each["range"]["start"]["line"] for each in hunks(client)] == [4, 11])
    await pick(client, 11, "reject this change")
    await client.until(lambda: client.text("a.py") == "one\ntwo\n" + CHANGED.replace("LINE 9", "line 9"))


async def test_a_whole_step_at_once(attach: Attach, script):
    client = await changed(attach, script, "helix")
    await pick(client, 2, 'reject step 1: "Shout"')
    await client.until(lambda: client.text("a.py") == TEXT)
    await client.until(lambda: not hunks(client))


async def test_lenses_stand_on_hunks(attach: Attach, script):
    client = await changed(attach, script, "vscode")
    await client.until(lambda: client.said("workspace/codeLens/refresh"))
    lenses = await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})
    on_hunks = [each for each in lenses if "hunk" in each["command"]["arguments"][0]]
    assert [each["command"]["title"] for each in on_hunks] == ["accept", "reject", "ask", "next"] * 2
    assert {each["range"]["start"]["line"] for each in on_hunks} == {2, 9}
    following = on_hunks[3]["command"]
    await client.run(following["command"], *following["arguments"])
    await client.until(lambda: [s for s in client.shown if s["uri"] == client.uri("a.py")])
    assert client.shown[-1]["selection"]["start"]["line"] == 9


async def test_panels_list_and_decide_too(attach: Attach, script):
    client = await changed(attach, script, "vscode")
    listed = (await client.request("attache/review/list", {}))["hunks"]
    assert [hunk["before"] for hunk in listed] == [["line 2  # é😀\n"], ["line 9  # é😀\n"]]
    answer = await client.request(
        "attache/review/resolve", {"hunks": [listed[0]["id"], "h_none"], "decision": "rejected"}
    )
    assert answer == {"resolved": [listed[0]["id"]], "unknown": ["h_none"]}
    await client.until(lambda: client.text("a.py") == CHANGED.replace("LINE 2", "line 2"))


async def test_closed_files_are_changed_on_disk_reviewed_and_undone(attach: Attach, script):
    client = await changed(attach, script, "neovim", edit("b.py", "x = 1", "x = 2"))
    await client.until(lambda: hunks(client, "b.py"))
    assert (client.folder / "b.py").read_text() == "x = 2\n"
    await client.run("attache.undoStep")
    await client.until(lambda: (client.folder / "b.py").read_text() == "x = 1\n")
    await client.until(lambda: not hunks(client, "b.py"))
    await client.run("attache.undoStep")
    await client.until(lambda: client.text("a.py") == TEXT)


async def test_what_is_decided_already_is_told(attach: Attach, script):
    client = await changed(attach, script, "helix")
    about = {"hunk": hunks(client)[0]["data"]["hunk"]}
    await client.run("attache.acceptHunk", about)
    await client.until(lambda: len(hunks(client)) == 1)
    await client.run("attache.acceptHunk", about)
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "no such change waits" in message["message"]


async def test_a_client_that_decorates_hunks_gets_hints(attach: Attach, script):
    client = await attach(greet=False, **script(EDIT, {"text": "Done."}))
    params = client.params()
    params["capabilities"]["experimental"] = {"attache": {"decoratesHunks": True}}
    await client.hello(**params)
    await client.open("a.py", TEXT)
    await client.run("attache.ask", {"uri": client.uri("a.py"), "question": "Shout"})
    await client.until(lambda: len(hunks(client)) == 2)
    assert hunks(client)[0]["severity"] == 4


BOTH = {"tool_calls": [*EDIT["tool_calls"], *edit("b.py", "x = 1", "x = 2")["tool_calls"]]}


async def decided(client: Client, path: str, line: int) -> None:
    """Reject what waits in a line."""
    waiting = len(hunks(client, path))
    found = next(each for each in hunks(client, path) if each["range"]["start"]["line"] == line)
    await client.run("attache.rejectHunk", {"hunk": found["data"]["hunk"]})
    await client.until(lambda: len(hunks(client, path)) == waiting - 1)


@pytest.mark.parametrize("opened", [True, False])
async def test_a_step_is_undone_in_what_was_not_rejected(attach: Attach, script, *, opened: bool):
    client = await attach("vscode", **script(BOTH, {"text": "Done."}))
    (client.folder / "b.py").write_text("x = 1\n")
    await client.open("a.py", TEXT)
    if opened:
        await client.open("b.py", "x = 1\n")
    await client.run("attache.ask", {"uri": client.uri("a.py"), "question": "Shout"})
    await client.until(lambda: hunks(client) and hunks(client, "b.py"))
    await decided(client, "b.py", 0)
    await decided(client, "a.py", 9)
    await client.run("attache.undoStep")
    await client.until(lambda: client.text("a.py") == TEXT)
    await client.until(lambda: not hunks(client))
    assert (client.text("b.py") if opened else (client.folder / "b.py").read_text()) == "x = 1\n"
    await client.run("attache.redoStep")
    await client.until(lambda: client.text("a.py") == CHANGED.replace("LINE 9", "line 9"))
    assert not client.said("window/showMessage")


async def test_a_step_that_was_rejected_whole_is_told_as_such(attach: Attach, script):
    client = await changed(attach, script, "vscode")
    await pick(client, 2, 'reject step 1: "Shout"')
    await client.until(lambda: client.text("a.py") == TEXT)
    await client.run("attache.undoStep")
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert 'nothing of "Shout" is left to undo' in message["message"]
    await client.run("attache.undoStep")
    await client.until(lambda: len(client.said("window/showMessage")) == 2)
    assert "there is no step to undo" in client.said("window/showMessage")[1]["message"]


async def test_a_step_that_was_typed_over_is_refused_aloud(attach: Attach, script):
    client = await changed(attach, script, "vscode")
    await client.type("a.py", (2, 0), (2, 4), "Mine")
    typed = client.text("a.py")
    await client.run("attache.undoStep")
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "a.py:3 changed since it was read" in message["message"]
    assert client.text("a.py") == typed


async def test_a_new_file_that_was_rejected_does_not_hinder_undo(attach: Attach, script):
    made = {"name": "write", "arguments": {"path": "new.py", "content": "y = 1\n"}}
    client = await attach("vscode", **script({"tool_calls": [*EDIT["tool_calls"], made]}, {"text": "Done."}))
    await client.open("a.py", TEXT)
    await client.run("attache.ask", {"uri": client.uri("a.py"), "question": "Shout"})
    await client.until(lambda: hunks(client) and hunks(client, "new.py"))
    await decided(client, "new.py", 0)
    await client.until(lambda: not (client.folder / "new.py").exists())
    await client.run("attache.undoStep")
    await client.until(lambda: client.text("a.py") == TEXT)
    assert not client.said("window/showMessage")


# ---------------------------------------------------------------- reviews by rule


async def test_a_review_needs_no_model_and_stays_true(attach: Attach):
    client = await attach("helix")
    await client.open("a.py", 'import os\nprint(größe, "😀", x)\n')
    await client.actions("a.py", 0)
    review = next(each for each in await client.actions("a.py", 0) if each["title"] == "Attaché: review this file")
    await client.pick(review)
    found = await client.until(lambda: client.diagnostics.get(client.uri("a.py")))
    assert {(each["code"], each["source"]) for each in found} == {("review", "attache")}
    assert [each["message"] for each in found] == [
        "`os` imported but unused (ruff F401)",
        "Undefined name `größe` (ruff F821)",
        "Undefined name `x` (ruff F821)",
    ]
    last = found[-1]["range"]
    assert client.place(client.uri("a.py"), last["start"]) == (1, 18)
    assert client.place(client.uri("a.py"), last["end"]) == (1, 19)
    await client.type("a.py", (0, 0), (1, 0), "")
    await client.until(lambda: len(client.diagnostics[client.uri("a.py")]) == 2)
    await client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("a.py")}})
    await client.until(lambda: client.diagnostics[client.uri("a.py")] == [])


async def test_a_review_that_finds_nothing_says_so(attach: Attach):
    client = await attach("helix")
    await client.open("a.py", "x = 1\n")
    await client.run("attache.review", {"uri": client.uri("a.py")})
    await client.until(
        lambda: [m for m in client.said("window/showMessage") if "no rule finds" in m["message"]] or client.shown
    )
