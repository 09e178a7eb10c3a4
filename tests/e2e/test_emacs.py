"""The main job in a real Emacs, whose eglot knows one server a buffer, takes versions strictly and has no lenses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from e2e.conftest import Project
from e2e.emacs import Emacs

pytestmark = pytest.mark.e2e

FIX = 'Attaché: fix "`os` imported but unused" (rule)'
SAVED = "def total(prices):\n    return sum(prices)\n"
UNSAVED = "import os\nshown = 1\n" + SAVED
FIXED = "shown = 1\n" + SAVED


def test_a_quick_fix_is_computed_on_the_unsaved_text_and_undone(
    emacs: Emacs, project: Project, server: list[str], environment: dict[str, str]
):
    settings = [f"{name}={value}" for name, value in environment.items()]
    emacs.open(project.write("shop.py", SAVED))
    emacs.attach(["env", *settings, *server])
    emacs.type("import os\nshown = 1\n")
    emacs.eval("(goto-char (point-min))")

    emacs.pick(FIX)
    emacs.answer()
    emacs.until(lambda: emacs.text == FIXED)
    emacs.undo()

    assert emacs.text == UNSAVED
    assert project.untouched


def test_eglot_has_two_servers_on_one_buffer(
    emacs: Emacs, tmp_path: Path, server: list[str], environment: dict[str, str]
):
    pyright = Path(sys.executable).parent / "basedpyright-langserver"
    if not pyright.exists():
        pytest.skip("basedpyright is not installed beside the tests' Python")
    # Without a locale Emacs finds no buffer whose path a server spells with é, so this path has none.
    project = Project(tmp_path / "a shop #1 5%")
    project.folder.mkdir()
    (project.folder / ".git").mkdir()  # where git fails, eglot cannot watch files as pyright wants it to
    settings = [f"{name}={value}" for name, value in environment.items()]
    emacs.open(project.write("shop.py", SAVED))
    emacs.attach(["env", *settings, *server, "--with", f"{pyright} --stdio"])
    emacs.eval("(progn (flymake-mode 1) t)")
    emacs.type("import os\n\n\nnote: int = 'ä😀'; total([1])\n")

    def found() -> list[str]:
        return emacs.eval("(vconcat (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))")

    emacs.until(lambda: any("not assignable" in each for each in found()))
    emacs.eval("(goto-char (point-min))")
    emacs.pick(FIX)  # ours, on the line where the other one found something too
    emacs.answer()
    emacs.until(lambda: "import os" not in emacs.text)

    emacs.eval('(progn (goto-char (point-min)) (search-forward "def total") (backward-char 3) t)')
    emacs.eval('(progn (eglot-rename "sum_of") t)')  # the other's, on the text that our fix left
    emacs.until(lambda: "def sum_of(prices):" in emacs.text)
    assert "'ä😀'" in emacs.text
    assert project.untouched
