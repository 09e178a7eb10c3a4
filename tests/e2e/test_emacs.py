"""The main job in a real Emacs, whose eglot knows one server a buffer, takes versions strictly and has no lenses."""

from __future__ import annotations

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
