"""What a model's answer costs on our side: a streamed word beside OpenAI's SDK, a turn with a tool beside other agents."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measure import PEERS, REPOSITORY, Options, Row

HERE = Path(__file__).parent
WORDS, TURNS = 4_000, 40
AGENTS = {
    "pydantic_ai": "pydantic-ai-slim[openai]==2.68.0",
    "langgraph": "langgraph langgraph-prebuilt langchain-openai",
}
BARS = {"pydantic_ai": None, "langgraph": 0.25}


def rows(options: Options) -> Iterator[Row]:
    with _server() as url:
        mine, sdk = (_least(options, sys.executable, name, url, WORDS) for name in ("ours_words", "openai_words"))
        note = f"{WORDS:,} words, each a piece; peer: openai SDK"
        yield Row("streamed word, CPU", "µs", 1000 * mine, 1000 * sdk, 0.25, note=note)
        mine = _least(options, sys.executable, "ours_turns", url, TURNS)
        yield Row(
            "turn with a tool, CPU", "ms", mine, bar=5, of="figure", note="log, review, index and all; one process"
        )
        for name in AGENTS:
            python = _environment(name, options)
            if python is None:
                yield Row(f"turn with a tool, beside {name}", "ms", mine, note="not installed (make bench PEERS=1)")
                continue
            peer = _least(options, str(python), f"{name}_turns", url, TURNS)
            yield Row(f"turn with a tool, beside {name}", "ms", mine, peer, BARS[name], note="the peer keeps no log")


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, str(HERE / "wire_server.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


def _least(options: Options, python: str, name: str, url: str, count: int) -> float:
    """The least cost of a few processes, each of which measures several answers: what else runs here only adds to it."""
    command = [python, str(HERE / "wire_client.py"), name, url, str(count)]
    environment = {"PYTHONPATH": str(REPOSITORY / "server"), "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}
    costs: list[float] = []
    for _ in range(options.rounds):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}")
        costs.append(float(done.stdout.split()[-1]))
    return min(costs)


def _environment(name: str, options: Options) -> Path | None:
    """The Python of a peer: in an environment of its own, made when peers may be installed."""
    home = PEERS / name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    marker = home / ".complete"
    if marker.exists() or not options.peers:
        return python if marker.exists() else None
    print(f"installing {AGENTS[name]} into {home} …", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, *AGENTS[name].split()], check=True)
    marker.touch()
    return python
