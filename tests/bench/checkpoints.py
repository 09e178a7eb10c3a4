"""What keeping a step costs, so that one can go back to it: ten files changed in a tree of 100,000."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.measure import Options, Row, scratch

from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId
from attache.schema.edits import ChangeSet, EditFile
from attache.storage.checkpoints import Checkpoints
from attache.workspace.edits import diff
from attache.workspace.workspace import Workspace

FILES, CHANGED = 100_000, 10
IN_A_FOLDER = 100
BAR_MS, BAR_STORE = 50, 2


class Cost(NamedTuple):
    """Milliseconds that keeping a step takes, by the clock and of the processor, and bytes kept for a byte changed."""

    clock_ms: float
    cpu_ms: float
    store: float


def rows(options: Options) -> Iterator[Row]:
    with scratch() as folder:
        cost = asyncio.run(measured(Path(folder), FILES, options.rounds))
    note = f"{cost.cpu_ms:.1f} ms of CPU"
    yield Row(f"a checkpoint, {CHANGED} of {FILES:,} files", "ms", cost.clock_ms, None, BAR_MS, "figure", note)
    yield Row("bytes kept for a byte of changed files", "", cost.store, None, BAR_STORE, "figure")


async def measured(folder: Path, files: int, rounds: int) -> Cost:
    """Change ten files a round, each time as one step that lands, and keep it."""
    names = _fill(folder / "tree", files)
    workspace = Workspace([folder / "tree"], home=folder / "home")
    checkpoints = Checkpoints(folder / "home")
    clock: list[float] = []
    cpu: list[float] = []
    changed = 0
    try:
        for turn in range(rounds):
            edits: list[EditFile] = []
            for name in names[turn :: len(names) // CHANGED][:CHANGED]:
                before = await workspace.read(name)
                after = before.text.replace("x3 = ", f"y{turn} = ")
                changed += len(before.text.encode())
                edits.append(EditFile(uri=before.uri, base_hash=before.hash, edits=diff(before.text, after)))
            assert len(edits) == CHANGED
            step = ChangeSet(id=ChangeSetId(new_id("c")), title="ten files", files=tuple(edits))
            landed = await workspace.land(step)
            began, spent = time.perf_counter(), time.process_time()
            checkpoints.keep(landed)
            clock.append(1000 * (time.perf_counter() - began))
            cpu.append(1000 * (time.process_time() - spent))
            assert checkpoints.recall(step.id) is not None
    finally:
        workspace.close()
    kept = sum(path.stat().st_size for path in (folder / "home" / "checkpoints").rglob("*") if path.is_file())
    return Cost(median(clock), median(cpu), kept / changed)


def _fill(top: Path, files: int) -> list[str]:
    for number in range(files):
        if number % IN_A_FOLDER == 0:
            (top / f"p{number // IN_A_FOLDER}").mkdir(parents=True)
        text = "".join(f"x{line} = {number * line * 7919 % 10007}\n" for line in range(60))
        (top / f"p{number // IN_A_FOLDER}" / f"m{number}.py").write_text(text)
    return [f"p{number // IN_A_FOLDER}/m{number}.py" for number in range(files)]
