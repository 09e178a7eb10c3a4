"""Where the real editors are, and a small project for them to work on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from e2e.emacs import Emacs
from e2e.neovim import Neovim
from e2e.stand_in import StandIn

REPOSITORY = Path(__file__).resolve().parents[2]
EDITORS = Path(os.environ.get("ATTACHE_EDITORS") or REPOSITORY / ".cache/editors") / "bin"
WINDOWS = sys.platform == "win32"
FETCH = "python scripts/editors.py fetches it where apt-get is"


collect_ignore_glob = ["test_*.py"] if WINDOWS else []


def pytest_report_header() -> str | None:
    return "skipped: real editors are driven through Unix terminals and sockets" if WINDOWS else None


@cache
def editor(command: str, name: str, least: tuple[int, int]) -> Path:
    """The editor to test with: a fetched one, else the user's own; the test is skipped where there is none."""
    fetched = EDITORS / command
    found = str(fetched) if fetched.exists() else shutil.which(command)
    if not found:
        pytest.skip(f"{name} is not here: {FETCH} {'emacs' if command == 'emacs' else ''}".rstrip())
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"(\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < least:
        pytest.skip(
            f"{name} {'.'.join(map(str, least))} or newer is needed; {found} is {said.splitlines()[0]}: {FETCH}"
        )
    return Path(found)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of files, and what the disk held when it was made."""

    folder: Path
    stands: dict[Path, tuple[bytes, int]] = field(default_factory=dict[Path, tuple[bytes, int]])

    def write(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text, "utf-8")
        self.stands[file] = (file.read_bytes(), file.stat().st_mtime_ns)
        return file

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    @property
    def untouched(self) -> bool:
        """Whether each file still has its bytes and its time, and nothing was put beside them."""
        there = {file for file in self.folder.iterdir() if file.is_file()}
        now = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in there}
        return now == self.stands


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository whose path has all that paths may have."""
    folder = tmp_path / "a shop #1 é 5%"
    (folder / ".git").mkdir(parents=True)
    return Project(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A place for what an editor keeps."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    capabilities = {
        "codeActionProvider": {"resolveProvider": True},
        "codeLensProvider": {},
        "executeCommandProvider": {"commands": ["stand.in"]},
    }
    with StandIn(capabilities) as server:
        yield server


@pytest.fixture
def neovim(home: Path) -> Iterator[Neovim]:
    with Neovim(editor("nvim", "Neovim", (0, 12)), home) as running:
        yield running


@pytest.fixture
def helix_program() -> Path:
    return editor("hx", "Helix", (25, 7))


@pytest.fixture
def emacs(home: Path) -> Iterator[Emacs]:
    with Emacs(editor("emacs", "Emacs", (30, 1)), home) as running:
        yield running


@pytest.fixture
def server() -> list[str]:
    """The command that starts the language server under test; ATTACHE_COMMAND names another."""
    given = os.environ.get("ATTACHE_COMMAND")
    return given.split() if given else [sys.executable, "-m", "attache", "lsp"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of the server under test: no key, no settings of the user's, its own state."""
    keys = {name: "" for name in os.environ if name.endswith("_API_KEY")}
    settings = tmp_path / "settings.toml"
    settings.touch()
    return {
        **keys,
        "PYTHONPATH": str(REPOSITORY / "server"),
        "ATTACHE_HOME": str(tmp_path / "state"),
        "ATTACHE_CONFIG": str(settings),
        "ATTACHE_MODEL": "offline/offline",
    }


@pytest.fixture
def scripted(tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment whose model documents `total` in shop.py and in tax.py, in one answer, and says so."""
    edit = {"search": "    return sum(prices)\n", "replace": '    """Add up."""\n    return sum(prices)\n'}
    calls = [{"name": "edit", "arguments": {"path": path, "edits": [edit]}} for path in ("shop.py", "tax.py")]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": [{"tool_calls": calls}, {"text": "Both are documented."}]}))
    return {**environment, "ATTACHE_MODEL": f"scripted/{script}"}
