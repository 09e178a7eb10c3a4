"""What the wire costs: round trips at rest and beside a busy agent, and edits of large files."""

from __future__ import annotations

import importlib.util
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.measure import Client, Options, Row, attache, cpu_ms, environment, python_file, scratch

HERE = Path(__file__).parent
OURS = attache("lsp")
PEER = [sys.executable, str(HERE / "pygls_server.py")]
BUSY = [sys.executable, str(HERE / "busy.py")]
NAME, TINY = "shop.py", "tiny.py"
REQUESTS, BUSY_REQUESTS = 400, 40
LEAST = "lenses of one line"
MOST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Trips:
    """Round trips of one server: CPU each, and the middle one on the wall."""

    cpu_us: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the servers are measured, and how often."""

    root: Path
    rounds: int

    def take(self, measure: Callable[[Client], Trips], *servers: tuple[Sequence[str], str]) -> list[Trips]:
        """The median of each server with a text open and time to come to rest; they take turns."""
        settings = environment(self.root / "state")
        trips: list[list[Trips]] = [[] for _ in servers]
        for _ in range(max(1, self.rounds // 2)):
            for (command, text), found in zip(servers, trips, strict=True):
                with Client(command, self.root, settings) as client:
                    client.initialize()
                    client.initialized()
                    client.open(TINY, "x = 1\n")
                    client.open(NAME, text)
                    client.ask("textDocument/codeLens", NAME)
                    time.sleep(1.0)
                    found.append(measure(client))
        return [Trips(median(one.cpu_us for one in found), median(one.wall_ms for one in found)) for found in trips]


def rows(options: Options) -> Iterator[Row]:
    with scratch() as folder:
        ground = Ground(Path(folder), options.rounds)
        text = python_file(100)
        mine, peer = ground.take(_round_trips, (OURS, text), (PEER, text))
        yield Row("round trip at rest, CPU", "µs", mine.cpu_us, peer.cpu_us, 0.6, note=f"{LEAST}; peer: minimal pygls")
        yield Row("round trip at rest, p50 wall", "ms", mine.wall_ms, peer.wall_ms)
        mine, peer = ground.take(_busy_trips, ([*BUSY, *OURS[2:]], text), ([*BUSY, *PEER[1:]], text))
        yield Row("round trip beside 5 ms slices, p50 wall", "ms", mine.wall_ms, peer.wall_ms, 0.2)
        text = python_file(10_000)
        mine, peer = ground.take(_edits, (OURS, text), (PEER, text))
        yield Row("didChange, 10,000 lines, CPU", "µs", mine.cpu_us, peer.cpu_us, 0.1)
        small, large = ground.take(_many_edits, (OURS, python_file(1_000)), (OURS, python_file(50_000)))
        yield Row("didChange, 50,000 lines, CPU", "µs", large.cpu_us, small.cpu_us, 1.5, note="peer: ours, 1,000 lines")
        text = _real_file(5_000)
        mine, peer = ground.take(_lenses, (OURS, text), (PEER, text))
        yield Row("lens after an edit, 5,000 lines, p50 wall", "ms", mine.wall_ms, peer.wall_ms, 15, of="figure")
    yield from _beside_indexing(options)


def _beside_indexing(options: Options) -> Iterator[Row]:
    """Round trips while the index reads a copy of the standard library, and once it has read it."""
    busy: list[float] = []
    rest: list[float] = []
    with scratch() as folder:
        root = Path(folder) / "project"
        library = Path(random.__file__).parent
        shutil.copytree(library, root, ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__", "*.so"))
        for number in range(max(1, options.rounds // 2)):
            with Client(OURS, root, environment(Path(folder) / f"state-{number}")) as client:
                client.initialize()
                client.initialized()
                client.open(TINY, "x = 1\n")
                _until(client, "starting", "building")
                busy.append(_round_trips(client).wall_ms)
                still = client.request("attache/index/status", {})["state"]
                if still not in {"starting", "building"}:
                    raise RuntimeError("the index was done before it was measured")
                _until(client, "ready")
                rest.append(_round_trips(client).wall_ms)
    note = "peer: ours at rest"
    yield Row("round trip while indexing, p50 wall", "ms", median(busy), median(rest), 2.0, note=note)


def _until(client: Client, *states: str) -> None:
    ends = time.monotonic() + 120
    while (state := client.request("attache/index/status", {})["state"]) not in states:
        if state == "failed" or time.monotonic() > ends:
            raise RuntimeError(f"the index is {state}, not {' or '.join(states)}")
        time.sleep(0.05)


def _real_file(lines: int) -> str:
    """The start of a long module of the standard library."""
    spec = importlib.util.find_spec("_pydecimal")
    assert spec
    assert spec.origin
    return "".join(Path(spec.origin).read_text("utf-8").splitlines(keepends=True)[:lines])


def _timed(client: Client, count: int, step: Callable[[int], object]) -> Trips:
    used, walls, ends = cpu_ms(client.process.pid), list[float](), time.monotonic() + MOST_SECONDS
    for number in range(count):
        if time.monotonic() > ends:  # a server that is starved answers once in many seconds
            break
        began = time.perf_counter()
        step(number)
        walls.append(1000 * (time.perf_counter() - began))
    return Trips(1000 * (cpu_ms(client.process.pid) - used) / len(walls), median(walls))


def _ping(client: Client) -> object:
    """The least request that both servers answer."""
    return client.ask("textDocument/codeLens", TINY)


def _round_trips(client: Client) -> Trips:
    for _ in range(REQUESTS // 4):
        _ping(client)
    return _timed(client, REQUESTS, lambda _: _ping(client))


def _busy_trips(client: Client) -> Trips:
    _ping(client)
    client.process.send_signal(signal.SIGUSR1)
    time.sleep(0.2)
    return _timed(client, BUSY_REQUESTS, lambda _: _ping(client))


def _edits(client: Client, count: int = 300) -> Trips:
    """Edits sent one after the other, a request at the end to know that all have arrived."""
    chance = random.Random(1)
    _ping(client)
    used, began = cpu_ms(client.process.pid), time.perf_counter()
    for number in range(count):
        client.change(NAME, number + 2, chance.randrange(900), "# x\n" if number % 10 == 0 else "#")
    _ping(client)
    cpu, wall = cpu_ms(client.process.pid) - used, time.perf_counter() - began
    return Trips(1000 * cpu / count, 1000 * wall / count)


def _many_edits(client: Client) -> Trips:
    return _edits(client, 5_000)


def _lenses(client: Client) -> Trips:
    chance = random.Random(2)

    def step(number: int) -> None:
        client.change(NAME, number + 2, chance.randrange(4, 4_900), "# x\n")
        client.ask("textDocument/codeLens", NAME)

    return _timed(client, 30, step)
