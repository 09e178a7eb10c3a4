"""The main job in a real Helix, which has no lenses and stands still during resolve: by code actions alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.conftest import Project
from e2e.helix import Helix, Server

pytestmark = pytest.mark.e2e

FIX = 'Attaché: fix "`os` imported but unused" (rule)'
SAVED = "def total(prices):\n    return sum(prices)\n"
DOCUMENTED = 'def total(prices):\n    """Add up."""\n    return sum(prices)\n'
TYPED = "shown = 1\n"

Open = Callable[[dict[str, str], str], Helix]


@pytest.fixture
def start(helix_program: Path, home: Path, project: Project, server: list[str], request: pytest.FixtureRequest) -> Open:
    """Open a file in Helix with two servers on one buffer: a linter, and ours."""

    def opened(environment: dict[str, str], text: str) -> Helix:
        ruff = Server("ruff", [str(Path(sys.executable).with_name("ruff")), "server"])
        servers = [ruff, Server("attache", server, environment)]
        helix = Helix(helix_program, home, project.write("shop.py", text), servers, project.folder)
        request.addfinalizer(helix.close)
        return helix

    return opened


@pytest.fixture
def documented(start: Open, project: Project, scripted: dict[str, str]) -> Helix:
    """An editor in which a step of the agent has just changed an unsaved buffer and a closed file."""
    closed = project.write("tax.py", SAVED)
    helix = start(scripted, SAVED)
    helix.type("ggO" + TYPED.rstrip() + "<Esc>ge")
    helix.pick("Attaché: document")
    helix.see("Both are documented.")
    helix.until(lambda: closed.read_text() == DOCUMENTED)
    helix.command("open shop.py")
    helix.see("Add up.")
    return helix


def test_a_quick_fix_is_computed_on_the_unsaved_text_and_undone_in_one_step(
    start: Open, project: Project, environment: dict[str, str]
):
    saved = "import json\n" + SAVED
    helix = start(environment, saved)
    helix.see("`json` imported but unused")  # Helix asks the linter for nothing that was typed while it started
    helix.type("ggOimport os<Enter>shown = 1<Esc>gg")
    helix.see("`os` imported but unused")

    helix.pick(FIX)
    helix.until(lambda: "import os" not in helix.screen.splitlines()[0])
    assert helix.take_text() == TYPED + saved
    helix.type("u")

    assert helix.take_text() == "import os\n" + TYPED + saved
    assert project.untouched


def test_a_step_changes_the_unsaved_buffer_in_the_editor_and_the_closed_file_on_disk(
    documented: Helix, project: Project
):
    assert documented.take_text() == TYPED + DOCUMENTED
    assert (project.folder / "shop.py").read_text() == SAVED


def test_a_hunk_is_a_diagnostic_and_can_be_rejected(documented: Helix):
    documented.type("gg]d")
    documented.see("Accept or reject by code action")

    documented.pick("Attaché: reject this change")
    documented.until(lambda: "Add up." not in documented.screen)

    assert documented.take_text() == TYPED + SAVED
