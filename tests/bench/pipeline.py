"""What the pipeline adds to a tool call: policy, budget, cache, log and redaction, beside the bare function."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure import REPOSITORY, Options, Row, scratch

CALLS = 200
LINES = 120


def rows(options: Options) -> Iterator[Row]:
    found: dict[str, list[float]] = {}
    for turn in range(options.rounds + 1):
        with scratch() as place:
            command = [sys.executable, str(Path(__file__)), str(place)]
            said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
        if turn:
            for name, figure in json.loads(said).items():
                found.setdefault(name, []).append(figure)
    mine = {name: median(figures) for name, figures in found.items()}
    added = mine["pipeline"] - mine["direct"]
    yield Row(
        "a tool call through the pipeline, CPU", "ms", mine["pipeline"], mine["direct"], note="peer: called directly"
    )
    yield Row("   of it the pipeline's own", "ms", added, bar=1.0, of="figure")


# ---------------------------------------------------------------- in a process of its own


async def main(place: Path) -> None:
    """Print the CPU that one call takes in milliseconds, directly and through the pipeline."""
    sys.path.insert(0, str(REPOSITORY / "server"))
    from attache.agent.orchestrator import Orchestrator
    from attache.foundation.settings import load

    work = place / "work"
    work.mkdir()
    names = [f"f{number}.py" for number in range(CALLS)]
    for name in names:
        (work / name).write_text("".join(f"value_{line} = {line}\n" for line in range(LINES)))
    turns = [
        {"when": "warm", "tool_calls": [{"name": "read", "arguments": {"path": names[0]}}]},
        {"text": "warmed"},
        {"when": "nothing", "text": "done"},
        {"when": "all", "tool_calls": [{"name": "read", "arguments": {"path": name}} for name in names]},
        {"text": "done"},
    ]
    script = place / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    settings = load(
        work,
        overrides={"model": f"scripted/{script}"},
        environ={"ATTACHE_HOME": str(place / "home"), "HOME": str(place)},
    )
    async with Orchestrator(settings, cwd=work) as agent:
        await agent.resources.index.ready(60)
        await agent.chat("warm up")
        nothing = await _cpu(agent.chat("nothing"))
        everything = await _cpu(agent.chat("read them all"))
        tool = agent.resources.tools.find("read")
        context = _context(agent)

        async def directly() -> None:
            for name in names:
                await tool.call(context, tool.validate({"path": name}))

        direct = await _cpu(directly())
    print(json.dumps({"pipeline": (everything - nothing) / CALLS, "direct": direct / CALLS}))


def _context(agent: object) -> object:
    from attache.tools.tool import Context

    resources = agent.resources

    async def land(_title: str, _files: object) -> None:
        raise AssertionError

    return Context(workspace=resources.workspace, settings=resources.settings, land=land)


async def _cpu(work: object) -> float:
    before = time.process_time()
    await work
    return (time.process_time() - before) * 1e3


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
