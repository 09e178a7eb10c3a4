"""What every bench shares: rows with their bars, CPU time by the kernel's books, and a bare LSP client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = REPOSITORY / ".cache/peers"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `bar` limits the ratio to the peer, or our own figure where `of` says so."""

    measure: str
    unit: Literal["ms", "µs", "MB", ""]
    ours: float | None
    peer: float | None = None
    bar: float | None = None
    of: Literal["ratio", "figure"] = "ratio"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.ours is not None and self.peer else None

    @property
    def ok(self) -> bool | None:
        figure = self.ratio if self.of == "ratio" else self.ours
        return None if figure is None or self.bar is None else figure <= self.bar


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for."""

    rounds: int = 5
    peers: bool = False
    """Whether peers that are not here may be installed, into private environments."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of a process in user and kernel, and the time on the wall, in milliseconds."""

    cpu: float
    wall: float


def in_turn(rounds: int, *measures: Callable[[], Cost]) -> list[Cost]:
    """The median cost of each measure; they take turns, after one round that counts for nothing."""
    costs: list[list[Cost]] = [[] for _ in measures]
    for turn in range(rounds + 1):
        for measure, found in zip(measures, costs, strict=True):
            cost = measure()
            if turn:
                found.append(cost)
    return [Cost(median(cost.cpu for cost in found), median(cost.wall for cost in found)) for found in costs]


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Run a program to its end, its children counted with it."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(1000 * (used.ru_utime + used.ru_stime), 1000 * (time.perf_counter() - began))


def family(pid: int) -> list[int]:
    """A process and all that descend from it, by /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def cpu_ms(pid: int) -> float:
    """CPU time that a process has used till now, all its threads that live, without its children."""
    used = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        used += int(thread.read_text().split()[0])
    return used / 1e6


def resident_mb(pid: int) -> float:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no resident memory: it has ended")


def attache(*arguments: str) -> list[str]:
    """The command under test."""
    return [sys.executable, "-m", "attache", *arguments]


def environment(home: Path) -> dict[str, str]:
    """What our server is started with: no key, no settings of the user's, its own state."""
    home.mkdir(exist_ok=True)
    settings = home / "settings.toml"
    settings.touch()
    keys = {name: "" for name in os.environ if name.endswith("_API_KEY")}
    return {
        **keys,
        "PYTHONPATH": str(REPOSITORY / "server"),
        "ATTACHE_HOME": str(home),
        "ATTACHE_CONFIG": str(settings),
        "ATTACHE_MODEL": "offline/offline",
    }


@dataclass(slots=True)
class Client:
    """A bare LSP client that adds next to nothing to what it measures."""

    command: Sequence[str]
    root: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    process: subprocess.Popen[bytes] = field(init=False)
    _number: int = 0

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            cwd=self.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for pid in reversed(family(self.process.pid)) if Path("/proc").exists() else [self.process.pid]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def initialize(self) -> Any:
        """Introduce ourselves as a plain editor; the server's capabilities."""
        params: dict[str, Any] = {
            "processId": os.getpid(),
            "rootUri": self.root.as_uri(),
            "workspaceFolders": [{"uri": self.root.as_uri(), "name": self.root.name}],
            "capabilities": {"workspace": {"applyEdit": True}, "textDocument": {"codeLens": {}, "hover": {}}},
        }
        return self.request("initialize", params)

    def initialized(self) -> None:
        self.notify("initialized", {})

    def open(self, name: str, text: str) -> None:
        document = {"uri": self.uri(name), "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, name: str, version: int, line: int, text: str) -> None:
        """Put text at the start of a line."""
        place = {"line": line, "character": 0}
        changes = [{"range": {"start": place, "end": place}, "text": text}]
        document = {"uri": self.uri(name), "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ask(self, method: str, name: str, **more: Any) -> Any:
        """A request about a document."""
        return self.request(method, {"textDocument": {"uri": self.uri(name)}, **more})

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        """Send a request and wait for its result; what the server asks meanwhile is answered with nothing."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        for message in self._messages():
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(f"{method} was refused: {message['error']}")
                return message["result"]
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": None})
        raise RuntimeError(f"the server ended before it answered {method}")

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _messages(self) -> Iterator[dict[str, Any]]:
        stream = self.process.stdout
        assert stream
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            yield json.loads(stream.read(length))


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for one bench; what a killed server still writes into it is no error."""
    return tempfile.TemporaryDirectory(prefix="attache-bench-", ignore_cleanup_errors=True)


def python_file(lines: int) -> str:
    """Python source of about so many lines: functions of ten lines each, some imports unused."""
    head = ["import json", "import os", "", ""]
    body = [
        line
        for number in range(max(1, lines // 10))
        for line in (
            f"def step_{number}(order, rate):",
            f'    """Work out step {number}."""',
            "    total = 0",
            "    for item in order:",
            f"        if item.price > {number}:",
            "            total += item.price * rate",
            "    if total < 0:",
            "        raise ValueError(total)",
            "    return total",
            "",
        )
    ]
    return "\n".join((head + body)[:lines]) + "\n"
