"""A fix that a model makes: nothing until it is picked, then resolved where the editor does not freeze, applied else."""

from __future__ import annotations

import asyncio
import time

import pytest

from lsp.client import Client, Habits, Refused
from lsp.conftest import Attach, edit

PROFILES = ("vscode", "neovim", "helix", "emacs", "zed")
SAVED = "def total():\n    return 0\n"
TYPED = "def total(cart):\n    retrun cart.sum  # 漢😀\n"
FIXED = TYPED.replace("retrun cart.sum ", "return cart.sum() ")
FINDING = {
    "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 10}},
    "message": "no overload matches",
    "severity": 1,
    "source": "Pyright",
}
TITLE = 'Attaché: fix "no overload matches"'
TURNS = (edit("shop/cart.py", "    retrun cart.sum ", "    return cart.sum() "), {"text": "Done."})


async def typed(attach: Attach, profile: str, **environment: str) -> Client:
    client = await attach(profile, **environment)
    (client.folder / "shop").mkdir()
    (client.folder / "shop/cart.py").write_text(SAVED)
    await client.open("shop/cart.py")
    await client.type("shop/cart.py", (0, 0), (2, 0), TYPED)
    return client


async def offered(client: Client) -> dict:
    return next(each for each in await client.actions("shop/cart.py", 1, [FINDING]) if each["title"] == TITLE)


@pytest.mark.parametrize("profile", PROFILES)
async def test_picked_it_fixes_unsaved_text_in_one_step(attach: Attach, script, profile: str):
    client = await typed(attach, profile, **script(*TURNS))
    action = await offered(client)
    assert "edit" not in action
    assert ("command" in action) == (profile not in {"vscode", "neovim"})
    await client.pick(action)
    await client.until(lambda: client.text("shop/cart.py") == FIXED)
    await client.undo("shop/cart.py")
    assert client.text("shop/cart.py") == TYPED
    assert (client.folder / "shop/cart.py").read_text() == SAVED
    assert client.said("workspace/applyEdit") == [] or profile not in {"vscode", "neovim"}


async def test_listing_asks_no_model(attach: Attach, script):
    client = await typed(attach, "vscode", **script({"error": "refused", "text": ""}))
    began = time.monotonic()
    for _ in range(5):
        await offered(client)
    assert time.monotonic() - began < 10
    assert client.said("window/showMessage") == []


@pytest.mark.parametrize("profile", ["vscode", "helix"])
async def test_a_model_that_fails_is_told_and_nothing_is_changed(attach: Attach, script, profile: str):
    client = await typed(attach, profile, **script({"error": "authentication", "text": ""}))
    action = await offered(client)
    if profile == "vscode":
        with pytest.raises(Exception, match="-32803"):
            await client.pick(action)
    else:
        await client.pick(action)
        await client.until(lambda: client.said("window/showMessage"))
    assert client.text("shop/cart.py") == TYPED


@pytest.mark.parametrize("data", [[], 3, "x", {"range": 1}, {"uri": []}])
async def test_what_carries_no_data_of_ours_is_refused_as_wrong_parameters(attach: Attach, data: object):
    client = await attach()
    with pytest.raises(Refused) as refused:
        await client.request("codeAction/resolve", {"title": TITLE, "data": data})
    assert refused.value.code == -32602


async def test_a_model_that_changes_nothing_says_so(attach: Attach, script):
    client = await typed(attach, "helix", **script({"text": "I would rather not."}))
    await client.pick(await offered(client))
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "I would rather not." in message["message"]


async def test_an_editor_that_freezes_in_resolve_is_never_asked_meanwhile(attach: Attach, script):
    """Should an editor freeze that we take for one that does not, it still gets its answer."""
    client = await typed(attach, "vscode", **script(*TURNS))
    client.habits = Habits("a frozen one", freezes=True)
    await asyncio.wait_for(client.pick(await offered(client)), 20)
    await client.until(lambda: client.text("shop/cart.py") == FIXED)


async def test_a_fix_of_closed_files_does_not_travel_in_the_action(attach: Attach, script):
    turns = (edit("shop/other.py", "x = 1", "x = 2"), TURNS[0], {"text": "Done."})
    client = await typed(attach, "neovim", **script(*turns))
    (client.folder / "shop/other.py").write_text("x = 1\n")
    await client.pick(await offered(client))
    await client.until(lambda: client.text("shop/cart.py") == FIXED)
    await client.until(lambda: (client.folder / "shop/other.py").read_text() == "x = 2\n")
    assert client.uri("shop/other.py") not in client.files


async def test_typing_while_it_is_computed_is_kept(attach: Attach, script):
    turns = ({**TURNS[0], "delay_seconds": 0.5}, TURNS[1])
    client = await typed(attach, "helix", **script(*turns))
    await client.pick(await offered(client))
    await client.type("shop/cart.py", (2, 0), (2, 0), "\n\nMORE = 1\n")
    await client.until(lambda: client.text("shop/cart.py") == FIXED + "\n\nMORE = 1\n")


async def test_it_can_be_cancelled_from_its_progress(attach: Attach, script):
    client = await typed(attach, "helix", **script({**TURNS[0], "delay_seconds": 30}))
    await client.pick(await offered(client))
    begun = await client.until(lambda: [p for p in client.said("$/progress") if p["value"]["kind"] == "begin"])
    assert begun[0]["value"]["title"] == 'Attaché: Fix "no overload matches"'
    assert begun[0]["value"]["cancellable"]
    await client.notify("window/workDoneProgress/cancel", {"token": begun[0]["token"]})
    await client.until(lambda: [p for p in client.said("$/progress") if p["value"]["kind"] == "end"])
    assert client.text("shop/cart.py") == TYPED


async def test_it_can_be_cancelled_while_it_is_resolved(attach: Attach, script):
    client = await typed(attach, "vscode", **script({**TURNS[0], "delay_seconds": 30}))
    number, answer = await client.begin("codeAction/resolve", await offered(client))
    await asyncio.sleep(1)
    await client.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Exception, match="-32800"):
        await asyncio.wait_for(answer, 5)


async def test_what_runs_can_be_stopped_by_an_action(attach: Attach, script):
    client = await typed(attach, "helix", **script({**TURNS[0], "delay_seconds": 30}))
    await client.pick(await offered(client))
    await client.until(lambda: client.said("window/workDoneProgress/create"))
    stop = next(each for each in await client.actions("shop/cart.py", 0) if each["title"].startswith("Attaché: stop"))
    await client.pick(stop)
    await client.until(lambda: [p for p in client.said("$/progress") if p["value"]["kind"] == "end"])


async def test_what_was_picked_can_be_undone_and_redone_by_us(attach: Attach, script):
    client = await typed(attach, "helix", **script(*TURNS))
    await client.pick(await offered(client))
    await client.until(lambda: client.text("shop/cart.py") == FIXED)
    async with asyncio.timeout(10):  # the text is there a moment before we know that it stays
        while not [a for a in await client.actions("shop/cart.py", 1) if a["title"].startswith("Attaché: undo")]:
            await asyncio.sleep(0.05)
    await client.run("attache.undoStep")
    await client.until(lambda: client.text("shop/cart.py") == TYPED)
    await client.run("attache.redoStep")
    await client.until(lambda: client.text("shop/cart.py") == FIXED)


async def test_an_editor_that_ends_every_last_line_itself_has_taken_the_fix_all_the_same(attach: Attach, script):
    client = await typed(
        attach, "helix", **script(edit("shop/cart.py", "retrun cart.sum  # 漢😀\n", "return 1"), TURNS[1])
    )
    client.habits = Habits("one like Neovim", ends_lines=True, tells_after=True)
    await client.pick(await offered(client))
    await client.until(lambda: client.text("shop/cart.py") == "def total(cart):\n    return 1\n")
    async with asyncio.timeout(10):
        while not [a for a in await client.actions("shop/cart.py", 1) if a["title"].startswith("Attaché: undo")]:
            await asyncio.sleep(0.05)
    assert client.said("window/showMessage") == []
    await client.run("attache.undoStep")
    await client.until(lambda: client.text("shop/cart.py") == TYPED)
