"""Promise 5 under each profile: listed at once, computed on unsaved text, undone in one step, the disk untouched."""

from __future__ import annotations

import asyncio

import pytest

from lsp.client import Client
from lsp.conftest import Attach

PROFILES = ("vscode", "neovim", "helix", "emacs", "zed")
SAVED = "x = 1\n"
TYPED = "import os\nimport sys\n\nprint(sys.path, '漢😀')\n"
FIXED = "import sys\n\nprint(sys.path, '漢😀')\n"
RULE = 'Attaché: fix "`os` imported but unused" (rule)'


async def typed(attach: Attach, profile: str) -> Client:
    """A file with text that was typed and not saved."""
    client = await attach(profile)
    (client.folder / "a b.py").write_text(SAVED)
    await client.open("a b.py")
    await client.type("a b.py", (0, 0), (1, 0), TYPED)
    return client


def titles(actions: list[dict]) -> list[str]:
    return [each["title"] for each in actions]


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_rule_fixes_unsaved_text_and_undo_takes_it_back(attach: Attach, profile: str):
    client = await typed(attach, profile)
    actions = await client.actions("a b.py", 0)
    action = next(each for each in actions if each["title"] == RULE)
    assert action["isPreferred"]
    assert action["kind"] == "quickfix"
    await client.pick(action)
    await client.until(lambda: client.text("a b.py") == FIXED)
    await client.undo("a b.py")
    assert client.text("a b.py") == TYPED
    assert (client.folder / "a b.py").read_text() == SAVED


async def test_a_finding_of_another_server_gets_both_fixes(attach: Attach):
    client = await typed(attach, "vscode")
    finding = {
        "range": {"start": {"line": 0, "character": 7}, "end": {"line": 0, "character": 9}},
        "message": '"os" is not accessed',
        "source": "Pyright",
        "code": "F401",
        "data": {"kept": True},
    }
    actions = await client.actions("a b.py", 0, [finding])
    both = [each for each in actions if each.get("diagnostics")]
    assert titles(both) == [RULE, 'Attaché: fix ""os" is not accessed"']
    assert both[0]["diagnostics"] == [finding]


async def test_where_nothing_is_wrong_nothing_is_fixed(attach: Attach):
    client = await typed(attach, "vscode")
    assert not [title for title in titles(await client.actions("a b.py", 3)) if "fix" in title]
    assert not [title for title in titles(await client.actions("a b.py", 1)) if "os" in title]


async def test_only_what_is_asked_for_is_listed(attach: Attach):
    client = await typed(attach, "vscode")
    assert {each["kind"] for each in await client.actions("a b.py", 0, only=["quickfix"])} == {"quickfix"}
    assert {each["kind"] for each in await client.actions("a b.py", 0, only=["refactor"])} == {
        "refactor.rewrite.attache"
    }
    assert await client.actions("a b.py", 0, only=["source.organizeImports"]) == []


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_no_model_can_do_says_why(attach: Attach, profile: str):
    client = await typed(attach, profile)
    finding = {
        "range": {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 5}},
        "message": "no overload matches",
        "source": "Pyright",
    }

    async def offered() -> dict:
        listed = await client.actions("a b.py", 3, [finding])
        return next(each for each in listed if "no overload" in each["title"])

    reason = "no model configured: attache doctor tells how"
    action = await offered()
    async with asyncio.timeout(10):  # whether there is a model is found out in the background
        while reason not in str(action):
            await asyncio.sleep(0.1)
            action = await offered()
    if profile in {"vscode", "neovim"}:
        assert action["disabled"]["reason"] == reason
    else:
        assert "disabled" not in action
        assert action["title"].endswith(f"({reason})")


async def test_a_client_that_knows_no_actions_gets_commands(attach: Attach):
    client = await attach("vscode", capabilities={"textDocument": {"codeAction": {}}})
    await client.open("a.py", TYPED)
    actions = await client.actions("a.py", 0)
    assert all(isinstance(each["command"], str) for each in actions)


async def test_an_action_that_is_a_command_resolves_to_itself(attach: Attach):
    client = await typed(attach, "vscode")
    action = next(each for each in await client.actions("a b.py", 0) if "command" in each and "data" not in each)
    assert await client.request("codeAction/resolve", action) == action


async def test_the_edit_carries_the_version_it_was_made_for(attach: Attach):
    client = await typed(attach, "neovim")
    action = next(each for each in await client.actions("a b.py", 0) if each["title"] == RULE)
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": client.uri("a b.py"), "version": 2}


async def test_a_missing_import_is_found_by_rule(attach: Attach):
    client = await attach("helix")
    await client.open("a.py", "print(json.dumps(1))\n")
    actions = await client.actions("a.py", 0)
    await client.pick(next(each for each in actions if each["title"] == 'Attaché: fix "Undefined name `json`" (rule)'))
    await client.until(lambda: client.text("a.py").startswith("import json\n"))
