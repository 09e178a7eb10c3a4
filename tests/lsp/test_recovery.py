"""A crash in mid-step is mended in the documents that are open, whoever finds its traces first."""

from __future__ import annotations

from pathlib import Path

from attache.workspace.journal import OpenChange
from attache.workspace.paths import to_uri
from attache.workspace.workspace import Workspace
from lsp.conftest import Attach

BEFORE, AFTER = "one = 1\n", "one = 2\n"


async def test_a_torn_step_is_mended_though_an_early_request_opened_the_agent(attach: Attach, home: Path, folder: Path):
    names = ("a.py", "b.py", "c.py")
    for name in names:
        (folder / name).write_text(BEFORE)
    workspace = Workspace([folder], home=home)
    opened = [OpenChange(uri=to_uri(folder / name), before=BEFORE, after=AFTER) for name in names]
    workspace._journal.prepare("c", "torn", (), opened)
    workspace.close()

    client = await attach()
    await client.open("a.py", AFTER)
    await client.request("attache/session/new", {"cwd": str(folder), "mcpServers": []})
    await client.open("b.py", AFTER)
    await client.until(lambda: client.text("a.py") == client.text("b.py") == BEFORE)
    await client.open("c.py", AFTER)
    await client.until(lambda: client.text("c.py") == BEFORE)
