"""The command line beside aider's: `--version`, the least that a command can do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import PEERS, Options, Row, attache, environment, in_turn, run, scratch

AIDER = "aider-chat==0.86.2"
PYTHONS = ("python3.12", "python3.11", "python3.10")


def rows(options: Options) -> Iterator[Row]:
    aider = _aider(options)
    with scratch() as folder:
        settings = environment(Path(folder))
        version, empty = attache("--version"), [sys.executable, "-c", "pass"]
        measures = [lambda: run(version, settings), lambda: run(empty)]
        if aider:
            measures.append(lambda: run([str(aider), "--version"]))
        mine, nothing, *peer = in_turn(options.rounds, *measures)
    if peer:
        yield Row("attache --version, CPU", "ms", mine.cpu, peer[0].cpu, 0.15, note=f"peer: {AIDER}")
        yield Row("attache --version, wall", "ms", mine.wall, peer[0].wall)
    else:
        yield Row("attache --version, CPU", "ms", mine.cpu, note="aider: not installed (make bench PEERS=1)")
    yield Row("attache --version beside an empty Python, CPU", "ms", mine.cpu, nothing.cpu)


def _aider(options: Options) -> Path | None:
    """Where aider is: in an environment of its own, made when peers may be installed."""
    home = PEERS / "aider"
    program = home / ("Scripts/aider.exe" if sys.platform == "win32" else "bin/aider")
    if program.exists() or not options.peers:
        return program if program.exists() else None
    python = next(filter(None, map(shutil.which, PYTHONS)), None)
    if sys.version_info[:2] in {(3, 10), (3, 11), (3, 12)}:
        python = sys.executable
    if not python:
        print(f"{AIDER} needs one of {', '.join(PYTHONS)}; none is here", file=sys.stderr)
        return None
    print(f"installing {AIDER} into {home} …", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([python, "-m", "venv", home], check=True)
    pip = [str(program.with_name("python" + program.suffix)), "-m", "pip", "install", "-qq"]
    subprocess.run([*pip, "--disable-pip-version-check", AIDER], check=True)
    return program
