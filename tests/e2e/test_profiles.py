"""The client profiles of the protocol tests are what the editors really send; ATTACHE_RECORD=1 writes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from e2e.emacs import Emacs
from e2e.helix import Helix, Server
from e2e.neovim import Neovim
from e2e.stand_in import StandIn

pytestmark = pytest.mark.e2e

PROFILES = Path(__file__).resolve().parents[1] / "lsp/profiles"
TEXT = "import os\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "a.py").write_text(TEXT)
    return folder / "a.py"


def check(name: str, server: StandIn, folder: Path) -> None:
    """What an editor said at `initialize` is what its profile says, but for where and in which process it ran."""
    params = server.wait("initialize").params
    words = json.dumps(params, ensure_ascii=False)
    words = words.replace(folder.as_uri(), "{root_uri}").replace(str(folder), "{root}")
    said: dict[str, Any] = json.loads(words) | {"processId": None}
    file = PROFILES / f"{name}.json"
    if os.environ.get("ATTACHE_RECORD"):
        file.write_text(json.dumps(said, indent=2, sort_keys=True) + "\n", "utf-8")
    profile = json.loads(file.read_text("utf-8"))
    if said["clientInfo"] != profile["clientInfo"]:
        pytest.skip(f"the profile is of {profile['clientInfo']}, the editor here is {said['clientInfo']}")
    assert said == profile


def test_neovim(neovim: Neovim, stand_in: StandIn, file: Path):
    neovim.open(file)
    neovim.attach("stand-in", stand_in.command, file.parent)

    check("neovim", stand_in, file.parent)


def test_helix(helix_program: Path, home: Path, stand_in: StandIn, file: Path):
    with Helix(helix_program, home, file, [Server("stand-in", stand_in.command)], file.parent):
        check("helix", stand_in, file.parent)


def test_emacs(emacs: Emacs, stand_in: StandIn, file: Path):
    emacs.open(file)
    emacs.attach(stand_in.command)

    check("emacs", stand_in, file.parent)
