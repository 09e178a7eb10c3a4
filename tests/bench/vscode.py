"""The VS Code extension in a real VS Code: activation beside an empty one's, updates while streaming, long sessions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("ATTACHE_VSCODE") or REPOSITORY / ".cache/vscode")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROUNDS = 3
MOST_UPDATES = 61
"""Sixty a second, and one that falls on the edge of the window."""


def main() -> int:
    node = HOME / "node/node_modules/node/bin/node"
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), "")
    built = sorted((REPOSITORY / "dist").glob("attache-*.vsix"))
    if not node.exists() or not browser or not built:
        print("vscode: not measured: needs `make vscode`, `python scripts/vscode.py host` and Chromium")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        launcher = Path(scratch) / "server"
        path = REPOSITORY / "server"
        launcher.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -m attache "$@"\n')
        launcher.chmod(0o755)
        environment = os.environ | {
            "ATTACHE_VSCODE": str(HOME),
            "ATTACHE_BROWSER": browser,
            "ATTACHE_PYTHON": sys.executable,
            "PYTHONPATH": str(path),
        }
        vsce = REPOSITORY / "client-vscode/node_modules/@vscode/vsce/vsce"
        script = REPOSITORY / "tests/e2e/vscode/bench.mjs"
        command = [node, script, built[-1], launcher, Path(scratch) / "run", vsce, str(ROUNDS)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        print(f"vscode: not measured: {done.stderr[-2000:]}")
        return 1
    return _shown(json.loads(done.stdout.splitlines()[-1]))


def _shown(found: dict[str, float]) -> int:
    rows = [
        ("activation", found["activation_ms"], found["empty_ms"], "ms", "an empty extension's", None),
        ("updates on the screen in the busiest second", found["updates_a_second"], None, "", "", MOST_UPDATES),
        ("messages to the panel a second, on average", found["messages_a_second"], None, "", "", MOST_UPDATES),
        ("5,000 messages open", found["large_ms"], found["small_ms"], "ms", "100 messages", 1000.0),
        (
            "5,000 messages, in the panel alone",
            found["large_panel_ms"],
            found["small_panel_ms"],
            "ms",
            "100 messages",
            None,
        ),
        ("5,000 messages, all of them there", found["large_whole_ms"], None, "ms", "", None),
        ("a frame while scrolling, median", found["scroll_median_ms"], None, "ms", "", None),
    ]
    failed = 0
    print(f"vscode: medians of {ROUNDS} rounds in a real one; {found['words']:,.0f} words in {found['stream_s']:.1f} s")
    for name, ours, peer, unit, what, bar in rows:
        beside = f"{peer:8.0f} {unit} {what}, ratio {ours / max(peer, 1):.2f}" if peer is not None else ""
        ok = "" if bar is None else f"  ≤ {bar:.0f} {'✓' if ours <= bar else '✗'}"
        failed |= bar is not None and ours > bar
        print(f"{name:46}{ours:8.0f} {unit:3}{ok}  {beside}".rstrip())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
