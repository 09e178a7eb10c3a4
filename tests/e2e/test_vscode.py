"""The main jobs in a real VS Code, one after another in one window: `tests/e2e/vscode/scenario.mjs` drives it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("ATTACHE_VSCODE") or REPOSITORY / ".cache/vscode")
SHOTS = Path(os.environ.get("ATTACHE_SHOTS") or REPOSITORY / ".cache/shots/vscode")
FETCH = "python scripts/vscode.py host fetches it where npm is"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STEPS = (
    "first start",
    "ask",
    "approval",
    "plan and questions",
    "lens",
    "completion",
    "code of an answer is inserted and applied",
    "findings of other extensions",
    "commit message",
    "quick fix on unsaved text",
    "hunks accepted and rejected by keys",
    "undo in all files",
    "rewind of files",
    "ghost text",
    "rewind and fork",
    "sessions found by what was said",
    "queue, stop, edit, picture",
    "server killed and recovered",
    "chat participant",
    "no default key is taken",
    "twenty hostile answers",
    "five thousand messages",
    "terminal selection",
    "page errors",
)


@cache
def _pieces() -> tuple[Path, Path, str]:
    """Return Node, the extension and the browser; the test is skipped where one is not here."""
    node = HOME / "node/node_modules/node/bin/node"
    entries = (node, HOME / "host/node_modules/code-server/out/node/entry.js", HOME / "browser/node_modules")
    if missing := next((entry for entry in entries if not entry.exists()), None):
        pytest.skip(f"a VS Code for a browser is not here ({missing}): {FETCH}")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), "")
    if not browser:
        pytest.skip("Chromium is not here: apt-get install chromium")
    built = sorted((REPOSITORY / "dist").glob("attache-*.vsix"))
    if not built:
        pytest.skip("the extension is not built: make vscode")
    return node, built[-1], browser


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Drive the whole scenario once; return what came of each step, by its name."""
    node, extension, browser = _pieces()
    scratch = tmp_path_factory.mktemp("vscode")
    launcher = scratch / "server"
    path = REPOSITORY / "server"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -m attache "$@"\n')
    launcher.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment |= {
        "ATTACHE_VSCODE": str(HOME),
        "ATTACHE_BROWSER": browser,
        "ATTACHE_PYTHON": sys.executable,
        "PYTHONPATH": str(path),
    }
    command = [node, REPOSITORY / "tests/e2e/vscode/scenario.mjs", extension, launcher, scratch / "run", SHOTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows:
        pytest.fail(f"nothing was driven: {done.stderr[-3000:]}")
    return {row["name"]: row for row in rows}


@pytest.mark.parametrize("step", STEPS)
def test_in_vscode(driven: dict[str, dict[str, Any]], step: str) -> None:
    row = driven.get(step)
    assert row, f"the scenario ended before it: {list(driven)}"
    print(json.dumps(row))
    assert row["ok"], f"{row.get('error')} (pictures: {SHOTS})"
