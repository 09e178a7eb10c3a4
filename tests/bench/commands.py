"""What the command view and the sandbox add to a command, on a small repository and on one of 20,000 files."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median

from tests.bench.measure import Options, Row, scratch

from attache.workspace.documents import BufferEdit
from attache.workspace.paths import to_uri
from attache.workspace.shell import Command, run
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

FOLDERS, FILES = 200, 100
BAR_MS = 40
TIMES = 8
"""How often a command runs in each round."""


def rows(options: Options) -> Iterator[Row]:
    with scratch() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        _fill(small, 2, 20)
        _fill(large, FOLDERS, FILES)
        for form in ("", "copy"):
            os.environ["ATTACHE_SANDBOX"] = form
            try:
                for top, what in ((small, "small"), (large, "20,000 files")):
                    yield asyncio.run(_row(options, top, Path(folder) / f"home{form}", what, form))
            finally:
                del os.environ["ATTACHE_SANDBOX"]


async def _row(options: Options, top: Path, home: Path, what: str, form: str) -> Row:
    workspace = Workspace([top], home=home)
    uri = to_uri(top / "p0" / "m0.py")
    workspace.buffers.open(uri, (top / "p0" / "m0.py").read_text(), 1)
    workspace.buffers.change(uri, 2, [BufferEdit((0, 0), (0, 1), "y")])
    try:
        in_view = Command(argv=("true",), view="cow")
        direct, view = await _in_turn(
            options.rounds,
            lambda: run(("true",), cwd=top),
            lambda: workspace.view().run(in_view),
        )
        standing = level(home)
    finally:
        workspace.close()
    name = "copy" if form else "overlay" if standing.overlay else "copy, no overlay here"
    note = f"{standing.level}; direct {direct:.1f} ms"
    bar = None if form else BAR_MS
    return Row(f"a command in the view, added ({what}, {name})", "ms", view - direct, None, bar, "figure", note)


async def _in_turn(rounds: int, *measures: Callable[[], Awaitable[object]]) -> list[float]:
    found: list[list[float]] = [[] for _ in measures]
    for turn in range(rounds * TIMES + 1):
        for measure, times in zip(measures, found, strict=True):
            began = time.perf_counter()
            await measure()
            if turn:
                times.append(1000 * (time.perf_counter() - began))
    return [median(times) for times in found]


def _fill(top: Path, folders: int, files: int) -> None:
    for number in range(folders):
        folder = top / f"p{number}"
        folder.mkdir(parents=True)
        for each in range(files):
            (folder / f"m{each}.py").write_text(f"x = {number * each}\n" * 40)
