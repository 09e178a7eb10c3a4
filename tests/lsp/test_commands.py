from __future__ import annotations

import time

import pytest

from attache.faces.lsp.capabilities import COMMANDS
from lsp.client import Refused
from lsp.conftest import Attach


async def test_an_unknown_command_names_near_ones(attach: Attach):
    client = await attach()
    with pytest.raises(Refused, match=r"attache.acceptHunk") as refused:
        await client.run("attache.acceptHunks")
    assert refused.value.code == -32602


@pytest.mark.parametrize("arguments", [(), (None,), ({},), ("words",), ({"unknown": 1},)], ids=str)
async def test_every_command_takes_as_little_as_it_is_given(attach: Attach, arguments: tuple[object, ...]):
    client = await attach()
    for command in COMMANDS:
        if arguments == ("words",) and command == "attache.approve":
            continue
        began = time.monotonic()
        await client.run(command, *arguments)
        assert time.monotonic() - began < 5
    assert await client.request("textDocument/codeLens", {"textDocument": {"uri": "file:///a"}}) == []


@pytest.mark.parametrize("argument", [5, [], {"uri": 5}, {"range": "here"}], ids=str)
async def test_an_argument_of_the_wrong_kind_is_refused(attach: Attach, argument: object):
    client = await attach()
    with pytest.raises(Refused) as refused:
        await client.run("attache.explain", argument)
    assert refused.value.code == -32602


async def test_a_command_that_needs_to_know_where_says_so(attach: Attach):
    client = await attach()
    await client.run("attache.explain")
    (message,) = await client.until(lambda: client.said("window/showMessage"))
    assert "no file is known to be in front of you" in message["message"]
    assert "put the cursor" in message["message"]


async def test_the_place_last_seen_stands_for_what_is_left_out(attach: Attach, script):
    client = await attach(**script({"text": "It adds.", "when": "`add` in `a.py:1`"}))
    await client.open("a.py", "def add(a, b):\n    return a + b\n")
    await client.actions("a.py", 1)
    await client.run("attache.explain")
    await client.until(lambda: client.shown)
    uri = client.shown[0]["uri"]
    await client.until(lambda: uri in client.files)
    await client.until(lambda: "It adds." in client.files[uri].document.text)
