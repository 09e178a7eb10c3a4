"""The main job in a real Neovim: type without saving, pick a quick fix, review it, undo it; the disk is not touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import Project
from e2e.neovim import Neovim

pytestmark = pytest.mark.e2e

SAVED = "def total(prices):\n    return sum(prices)\n"
DOCUMENTED = 'def total(prices):\n    """Add up."""\n    return sum(prices)\n'
TYPED = "from json import dumps\n\nshown = dumps([1])\n"
UNSAVED = "import os\n" + TYPED + SAVED
FIX = 'Attaché: fix "`os` imported but unused" (rule)'


@pytest.fixture
def attach(neovim: Neovim, project: Project, server: list[str]) -> Callable[[dict[str, str]], Neovim]:
    """Open a file in Neovim with two servers on one buffer: a linter, and ours."""

    def start(environment: dict[str, str]) -> Neovim:
        neovim.open(project.write("shop.py", SAVED))
        neovim.attach("ruff", [str(Path(sys.executable).with_name("ruff")), "server"], project.folder)
        neovim.attach("attache", server, project.folder, environment)
        return neovim

    return start


@pytest.fixture
def opened(attach: Callable[[dict[str, str]], Neovim], environment: dict[str, str]) -> Neovim:
    return attach(environment)


@pytest.fixture
def documented(attach: Callable[[dict[str, str]], Neovim], project: Project, scripted: dict[str, str]) -> Neovim:
    """An editor in which a step of the agent has just changed an unsaved buffer and a closed file."""
    closed = project.write("tax.py", SAVED)
    neovim = attach(scripted)
    neovim.type("ggO" + TYPED.replace("\n", "<CR>").removesuffix("<CR>") + "<Esc>G")
    neovim.pick("Attaché: document")
    neovim.until(lambda: closed.read_text() == DOCUMENTED)
    neovim.until(lambda: any("Both are documented." in text for text in neovim.texts()))
    neovim.open(project.folder / "shop.py")
    return neovim


def hunks(neovim: Neovim) -> list[dict[str, Any]]:
    return [found for found in neovim.diagnostics() if (found.get("source"), found.get("code")) == ("attache", "hunk")]


def test_a_quick_fix_is_computed_on_the_unsaved_text_and_undone_in_one_step(opened: Neovim, project: Project):
    opened.type("ggO" + ("import os\n" + TYPED).replace("\n", "<CR>").removesuffix("<CR>") + "<Esc>")
    assert opened.text == UNSAVED
    opened.wait_diagnostic("`os` imported but unused")

    opened.type("gg")
    opened.pick(FIX)
    opened.until(lambda: opened.text == TYPED + SAVED)
    assert opened.modified
    assert project.untouched
    opened.undo()

    assert opened.text == UNSAVED
    assert project.untouched


def test_columns_behind_wide_characters_are_right(opened: Neovim, project: Project):
    opened.type('ggOclef = "𝄞é"; import os<Esc>')
    opened.wait_diagnostic("`os` imported but unused")

    opened.pick(FIX)
    opened.until(lambda: "import os" not in opened.text)

    first, rest = opened.text.split("\n", 1)
    assert first.rstrip("; ") == 'clef = "𝄞é"'
    assert rest == SAVED
    assert project.untouched


def test_a_step_changes_the_unsaved_buffer_in_the_editor_and_the_closed_file_on_disk(
    documented: Neovim, project: Project
):
    assert documented.text == TYPED + DOCUMENTED
    assert documented.modified
    assert (project.folder / "shop.py").read_text() == SAVED
    assert not documented.lua("return vim.fn.bufloaded(...) == 1", str(project.folder / "tax.py"))


def test_a_hunk_is_a_diagnostic_and_can_be_rejected(documented: Neovim):
    hunk = documented.until(lambda: hunks(documented))[0]

    documented.type(f"{hunk['lnum'] + 1}G")
    documented.pick("Attaché: reject this change")
    documented.until(lambda: documented.text == TYPED + SAVED)

    documented.until(lambda: not hunks(documented))
    assert "Accept or reject by code action" in hunk["message"]
    assert hunk["lnum"] == (TYPED + DOCUMENTED).splitlines().index('    """Add up."""')


def test_a_hunk_can_be_accepted(documented: Neovim):
    hunk = documented.until(lambda: hunks(documented))[0]

    documented.type(f"{hunk['lnum'] + 1}G")
    documented.pick("Attaché: accept this change")
    documented.until(lambda: not hunks(documented))

    assert documented.text == TYPED + DOCUMENTED


def test_a_step_is_undone_in_all_its_files(documented: Neovim, project: Project):
    documented.pick("Attaché: undo")
    documented.until(lambda: documented.text == TYPED + SAVED)

    documented.until(lambda: (project.folder / "tax.py").read_text() == SAVED)
    assert documented.modified


def test_lenses_stand_above_functions(opened: Neovim):
    opened.lua("vim.lsp.codelens.enable(true)")

    shown = opened.until(lambda: opened.lua("return vim.lsp.codelens.get({ bufnr = 0 })"))

    assert {one["lens"]["command"]["title"] for one in shown} >= {"ask agent", "explain", "test"}
    assert {one["lens"]["range"]["start"]["line"] for one in shown} == {0}
