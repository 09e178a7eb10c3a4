"""A chat document in a real Neovim: written, sent, answered before one's eyes, while one goes on typing; and review by hunk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.conftest import Project
from e2e.neovim import Neovim

pytestmark = pytest.mark.e2e

SAVED = "def total(prices):\n    return sum(prices)\n"
WORDS = " ".join(f"word{number}" for number in range(16))


@pytest.fixture
def talking(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment whose model reads a file, takes its time to answer, asks to run a command, and says what for."""
    turns = [
        {"tool_calls": [{"name": "read", "arguments": {"path": "shop.py"}}]},
        {"text": f"It adds, see shop.py:2.\n\n{WORDS}", "delay_seconds": 0.05},
    ]
    script = tmp_path / "talk.json"
    script.write_text(json.dumps({"turns": turns}))
    return {**environment, "ATTACHE_MODEL": f"scripted/{script}"}


def test_a_question_is_answered_where_it_stands_and_the_cursor_stays_with_its_user(
    neovim: Neovim, project: Project, server: list[str], talking: dict[str, str]
):
    project.write("shop.py", SAVED)
    neovim.open(project.write("why.chat.md", "# Why\n\n## You\n\n"))
    neovim.attach("attache", server, project.folder, talking)
    neovim.type("GiWhat does @sho")
    neovim.type("<C-x><C-o>")
    neovim.until(lambda: neovim.rpc.funcs.pumvisible() or "@shop.py" in neovim.text)
    neovim.type("<C-y>")
    neovim.until(lambda: "What does @shop.py" in neovim.text)
    neovim.type("do?<Esc>")
    asked = neovim.rpc.current.window.cursor

    neovim.pick("Attaché: send")
    neovim.until(lambda: "▍ working · " in neovim.text)
    neovim.until(lambda: "word3" in neovim.text)
    assert neovim.rpc.current.line == "What does @shop.py do?"
    neovim.type("/# Why<CR>A is it so<Esc>")
    neovim.until(lambda: neovim.text.endswith("## You\n\n"))

    text = neovim.text
    assert text.startswith("---\nattache: s_")
    assert "\n# Why is it so\n" in text
    assert "- ✓ **read** [shop.py:1-2](shop.py#L1-L2) · " in text
    assert f"It adds, see [shop.py:2](shop.py#L2).\n\n{WORDS}\n" in text
    assert "▍" not in text
    assert asked[1] > 0

    neovim.lua("vim.wo.foldmethod = 'expr'; vim.wo.foldexpr = 'v:lua.vim.lsp.foldexpr()'")
    neovim.until(lambda: neovim.lua("return vim.fn.foldlevel(vim.fn.search('It adds', 'n'))") > 0)
    symbols = neovim.lua(
        "return vim.lsp.buf_request_sync(0, 'textDocument/documentSymbol', "
        "{ textDocument = vim.lsp.util.make_text_document_params() }, 5000)"
    )
    assert "Attaché" in json.dumps(symbols, ensure_ascii=False)


def test_what_waits_is_denied_with_a_reason_that_is_typed_in_the_chat(
    neovim: Neovim, project: Project, server: list[str], tmp_path: Path, environment: dict[str, str]
):
    turns = [
        {"tool_calls": [{"name": "shell", "arguments": {"command": "make deploy"}}]},
        {"when": "the user said no: use the staging host", "text": "I heed that."},
    ]
    script = tmp_path / "deny.json"
    script.write_text(json.dumps({"turns": turns}))
    neovim.open(project.write("why.chat.md", "# Deploy\n\n## You\nDeploy it.\n"))
    neovim.attach("attache", server, project.folder, {**environment, "ATTACHE_MODEL": f"scripted/{script}"})
    neovim.pick("Attaché: send")
    neovim.wait_diagnostic("wants to run: ")  # the buttons were waved away
    neovim.type("gg")
    neovim.pick("Attaché: deny and say why…")
    neovim.until(lambda: neovim.rpc.current.line == "/deny ")
    neovim.type("Ause the staging host<Esc>")
    assert neovim.rpc.current.line == "/deny use the staging host"
    neovim.pick("Attaché: send")
    neovim.until(lambda: neovim.text.endswith("## You\n\n"))
    assert "- ✗ **shell** the user said no: use the staging host" in neovim.text
    assert "\nI heed that.\n" in neovim.text
    assert "/deny" not in neovim.text
    neovim.until(lambda: neovim.diagnostics() == [])
