"""A code action, a command and a lens-like answer are one decorated function each; one that fails costs only itself."""

from __future__ import annotations

import sys
from pathlib import Path

from lsp.client import Client

OWN = """
import sys
from attache.faces.lsp.code import actions
from attache.faces.lsp.code.actions import Offer, code_action
from attache.faces.lsp.features import command, feature
from attache.faces.lsp.wire.shapes import DocumentParams
from attache.faces.lsp.start import main
from attache.faces.lsp.targets import About


@code_action("refactor.rewrite.attache")
async def shout(server, asked):
    yield Offer("Shout it", "refactor.rewrite.attache", "own.shout", {"uri": asked.document.uri})


@code_action("quickfix")
async def broken(server, asked):
    raise ZeroDivisionError
    yield


@command("own.shout", About)
async def shouted(server, about):
    server.tell(server.buffers.get(about.uri).text.upper())


@feature("own/length", DocumentParams)
def length(server, params):
    return len(server.buffers.get(params.text_document.uri).text)


sys.exit(main())
"""


async def test_one_function_is_enough(folder: Path, home: Path):
    script = home / "own.py"
    script.write_text(OWN)
    client = Client(folder, "helix")
    await client.start(home, sys.executable, str(script))
    await client.hello()
    await client.open("a.py", "words = 1\n")
    assert await client.request("own/length", {"textDocument": {"uri": client.uri("a.py")}}) == 10
    actions = await client.actions("a.py", 0)
    assert "Attaché: ask about this…" in [each["title"] for each in actions]
    await client.pick(next(each for each in actions if each["title"] == "Shout it"))
    await client.until(lambda: client.said("window/showMessage"))
    assert client.said("window/showMessage")[0]["message"] == "Attaché: WORDS = 1\n"
    assert "broken: ZeroDivisionError" in (home / "stderr.txt").read_text()
    assert await client.stop() == 0
