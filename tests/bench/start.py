"""From nothing to the first answers: spawn to `initialize`, to the first lens and code action, and memory at rest."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import (
    Client,
    Cost,
    Options,
    Row,
    attache,
    cpu_ms,
    environment,
    family,
    in_turn,
    python_file,
    resident_mb,
    scratch,
)

PEER = [sys.executable, str(Path(__file__).with_name("pygls_server.py"))]
NAME = "shop.py"
TEXT = python_file(300)
REST_SECONDS = 2.0
PLACE = {"line": 1, "character": 8}
ACTION: dict[str, Any] = {"range": {"start": PLACE, "end": PLACE}, "context": {"diagnostics": []}}


def rows(options: Options) -> Iterator[Row]:
    with scratch() as folder:
        root = Path(folder)
        (root / NAME).write_text(TEXT)
        ours, settings = attache("lsp"), environment(root / "state")

        def until(command: Sequence[str], *answers: Callable[[Client], object]) -> Callable[[], Cost]:
            return lambda: _until(command, root, settings, answers)

        def opened(client: Client) -> None:
            client.initialized()
            client.open(NAME, TEXT)

        mine, peer, lens, action, hover = in_turn(
            options.rounds,
            until(ours, Client.initialize),
            until(PEER, Client.initialize),
            until(ours, Client.initialize, opened, lambda client: client.ask("textDocument/codeLens", NAME)),
            until(
                ours, Client.initialize, opened, lambda client: client.ask("textDocument/codeAction", NAME, **ACTION)
            ),
            until(
                PEER, Client.initialize, opened, lambda client: client.ask("textDocument/hover", NAME, position=PLACE)
            ),
        )
        yield Row("spawn to initialize, CPU", "ms", mine.cpu, peer.cpu, 0.25, note="peer: minimal pygls")
        yield Row("spawn to initialize, wall", "ms", mine.wall, peer.wall)
        yield Row("spawn to first code lens, CPU", "ms", lens.cpu, hover.cpu, 1.0, note="peer: its first hover")
        yield Row("spawn to first code lens, wall", "ms", lens.wall, hover.wall)
        yield Row("spawn to first code action, CPU", "ms", action.cpu, hover.cpu, 1.0, note="peer: its first hover")
        yield Row("spawn to first code action, wall", "ms", action.wall, hover.wall)
        yield from _at_rest(options, root, ours, settings)


def _until(
    command: Sequence[str], root: Path, settings: dict[str, str], answers: Sequence[Callable[[Client], object]]
) -> Cost:
    began = time.perf_counter()
    with Client(command, root, settings) as client:
        for answer in answers:
            answer(client)
        wall = time.perf_counter() - began
        return Cost(cpu_ms(client.process.pid), 1000 * wall)


def _at_rest(options: Options, root: Path, ours: Sequence[str], settings: dict[str, str]) -> Iterator[Row]:
    found: dict[str, list[float]] = {"ours": [], "peer": [], "ours with children": []}
    for _ in range(max(1, options.rounds // 2)):
        for name, command in (("ours", ours), ("peer", PEER)):
            with Client(command, root, settings) as client:
                client.initialize()
                client.initialized()
                client.open(NAME, TEXT)
                time.sleep(REST_SECONDS)
                found[name].append(resident_mb(client.process.pid))
                if name == "ours":
                    found["ours with children"].append(sum(map(resident_mb, family(client.process.pid))))
    peer = median(found["peer"])
    yield Row("memory at rest, the server", "MB", median(found["ours"]), peer, 1.5, note="a file open, no run yet")
    yield Row(
        "memory at rest, children too", "MB", median(found["ours with children"]), peer, note="shared pages twice"
    )
