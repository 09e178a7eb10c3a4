"""A chat document in a real Helix, by code actions alone: sent, answered while one types, a command allowed on its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.conftest import Project
from e2e.helix import Helix, Server

pytestmark = pytest.mark.e2e

WORDS = " ".join(f"word{number}" for number in range(14))


def test_a_question_is_answered_and_a_command_is_allowed_where_they_stand(
    helix_program: Path,
    home: Path,
    project: Project,
    server: list[str],
    environment: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
):
    turns = [
        {"tool_calls": [{"name": "shell", "arguments": {"command": "echo done > made.txt"}}]},
        {"text": f"It is made.\n\n{WORDS}", "delay_seconds": 0.05},
    ]
    script = tmp_path / "talk.json"
    script.write_text(json.dumps({"turns": turns}))
    servers = [Server("attache", server, {**environment, "ATTACHE_MODEL": f"scripted/{script}"})]
    helix = Helix(helix_program, home, project.write("why.chat.md", "# Why\n\n## You\n\n"), servers, project.folder)
    request.addfinalizer(helix.close)

    helix.type("geoMake it.<Esc>")
    helix.pick("Attaché: send")
    helix.see("waiting for you")
    assert not (project.folder / "made.txt").exists()
    helix.pick("Attaché: allow once")
    helix.see("word2")
    helix.type("gg3joMine.<Esc>")
    helix.until(lambda: "▍" not in helix.screen)

    text = helix.take_text()
    assert (project.folder / "made.txt").read_text() == "done\n"
    assert "# Why\nMine.\n" in text
    assert "** `echo done > made.txt` · " in text
    assert f"It is made.\n\n{WORDS}\n" in text
    assert text.rstrip().endswith("## You")


def test_what_waits_is_denied_with_a_reason(
    helix_program: Path,
    home: Path,
    project: Project,
    server: list[str],
    environment: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
):
    turns = [
        {"tool_calls": [{"name": "shell", "arguments": {"command": "echo done > made.txt"}}]},
        {"when": "the user said no: not today", "text": "I heed that."},
    ]
    script = tmp_path / "talk.json"
    script.write_text(json.dumps({"turns": turns}))
    servers = [Server("attache", server, {**environment, "ATTACHE_MODEL": f"scripted/{script}"})]
    helix = Helix(helix_program, home, project.write("why.chat.md", "# Why\n\n## You\n\n"), servers, project.folder)
    request.addfinalizer(helix.close)

    helix.type("geoMake it.<Esc>")
    helix.pick("Attaché: send")
    helix.see("waiting for you")
    helix.pick("Attaché: deny and say why")
    helix.see("/deny")
    helix.type("Anot today<Esc>")
    helix.pick("Attaché: send")
    helix.see("I heed that.")
    helix.until(lambda: "▍" not in helix.screen)

    text = helix.take_text()
    assert "- ✗ **shell** the user said no: not today · " in text
    assert "/deny" not in text
    assert not (project.folder / "made.txt").exists()
