"""Killed at any moment of a run: no acknowledged event is lost, no change set is half applied."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load

from .running import FILES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "kills",
    [
        8,
        pytest.param(
            200,
            marks=[
                pytest.mark.long,
                pytest.mark.skipif(
                    not os.environ.get("ATTACHE_LONG"), reason="the full count runs with ATTACHE_LONG=1 (make long)"
                ),
            ],
        ),
    ],
)
async def test_kill_dash_nine(tmp_path: Path, kills: int) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    folder, home, script = tmp_path / "work", tmp_path / "home", tmp_path / "script.json"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"f{number}.txt").write_text("0\n" + "x" * 2000 + "\n")
    call = {"tool_calls": [{"name": "stamp", "arguments": {}}], "repeat": True}
    look = {"tool_calls": [{"name": "list", "arguments": {}}], "repeat": True, "when": "stamp"}
    script.write_text(json.dumps({"turns": [look, call]}))
    landed = 0
    for _ in range(kills):
        told = await _run_and_kill(folder, home, script, chance)
        texts = [(folder / f"f{number}.txt").read_text() for number in range(FILES)]
        environ = {"ATTACHE_HOME": str(home), "HOME": str(home)}
        settings = load(folder, overrides={"model": "offline/offline"}, environ=environ)
        async with Orchestrator(settings, cwd=folder) as agent:  # opening recovers
            texts = [(folder / f"f{number}.txt").read_text() for number in range(FILES)]
            assert len(set(texts)) == 1, f"half applied: {[text.split()[0] for text in texts]}"
            for session_id, events in told.items():
                logged = {entry.seq: entry.event.type for entry in await agent.resources.log.read(session_id)}
                assert sorted(logged) == list(range(1, len(logged) + 1))
                for seq, kind in events:
                    assert logged.get(seq) == kind, f"acknowledged and lost: {seq} {kind}"
                again = await agent.load_session(session_id)
                assert again.state.run_id is None
        assert not [path for path in folder.iterdir() if not path.name.startswith("f")]
        landed = int(texts[0].split()[0])
    assert landed > 0


async def _run_and_kill(
    folder: Path, home: Path, script: Path, chance: random.Random
) -> dict[str, list[tuple[int, str]]]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    command = [sys.executable, str(Path(__file__).with_name("running.py")), str(folder), str(home), str(script)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told: dict[str, list[tuple[int, str]]] = {}
    deadline: float | None = None
    for line in process.stdout:
        if not line.endswith("\n"):
            break  # cut by the kill: not acknowledged
        session_id, seq, kind = line.split()
        told.setdefault(session_id, []).append((int(seq), kind))
        if deadline is None and kind == "change.landed":
            deadline = time.monotonic() + chance.random() * 0.5
        if deadline is not None and time.monotonic() >= deadline and process.poll() is None:
            process.kill()
    process.stdout.close()
    process.wait()
    return told
