"""What is imported when: nothing heavy before the first answer, no agent before someone asks for one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from lsp.client import SERVER, Client

HEAVY = {
    "anthropic", "openai", "lancedb", "pyarrow", "sqlalchemy", "alembic", "mcp", "pygls", "lsprotocol", "typer", "rich",
    "tenacity", "genai_prices", "numpy",
}  # fmt: skip
TEXT = "import os\n\ndef f():\n    return 1\n"


MODULES_AT_EXIT = """
import atexit, pathlib, sys
import attache.__main__
file = pathlib.Path(sys.argv[1])
atexit.register(lambda: file.write_text("\\n".join(sys.modules)))
sys.argv = ["attache", "lsp"]
sys.exit(attache.__main__.main())
"""


async def imported_by(folder: Path, home: Path, *, used: bool) -> list[str]:
    """The modules of a server by the time it ended, in the order they were imported."""
    script, modules = home / "start.py", home / "modules.txt"
    script.write_text(MODULES_AT_EXIT)
    client = Client(folder, "neovim")
    await client.start(home, sys.executable, str(script), str(modules))
    if used:
        await client.hello()
        await client.open("a.py", TEXT)
        assert await client.request("textDocument/codeLens", {"textDocument": {"uri": client.uri("a.py")}})
        assert await client.actions("a.py", 0)
        await asyncio.sleep(2)  # whatever it does by itself once it is started
        assert await client.stop() == 0
    else:
        await client.notify("exit", None)
        assert await client.ended() == 1
    return modules.read_text().split()


async def test_before_the_first_message_only_the_standard_library_is_imported(folder: Path, home: Path):
    modules = await imported_by(folder, home, used=False)
    assert "attache.faces.lsp.wire.transport" in modules
    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"attache"}
    assert {name for name in foreign if not name.startswith(("_", "$", "sitecustomize", "distutils"))} <= {
        "coverage",
        "a1_coverage",
    }
    assert not {"asyncio", "pydantic", "msgspec"} & set(modules)


async def test_a_server_that_shows_lenses_and_actions_has_loaded_no_agent(folder: Path, home: Path):
    modules = await imported_by(folder, home, used=True)
    assert "attache.faces.lsp.code.lenses" in modules
    assert not HEAVY & {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("option", ["--stdio", "--clientProcessId=1"])
async def test_what_editors_add_by_themselves_is_accepted(folder: Path, home: Path, option: str):
    client = Client(folder)
    await client.start(home, *SERVER, option)
    await client.hello()
    assert await client.stop() == 0


async def test_an_option_that_it_does_not_know_is_wrong_use(folder: Path, home: Path):
    client = Client(folder)
    await client.start(home, *SERVER, "--nope")
    assert await client.ended() == 2
    assert "unknown option --nope" in (home / "stderr.txt").read_text()


async def test_without_a_root_the_folder_it_was_started_in_counts(folder: Path, home: Path):
    client = Client(folder, "helix")
    (folder / "here.py").write_text("x = 1\n")
    await client.start(home)
    await client.hello(rootUri=None, rootPath=None, workspaceFolders=None)
    output = await client.request("attache/tool/run", {"name": "list", "arguments": {}})
    assert "here.py" in output["text"]
    assert await client.stop() == 0
