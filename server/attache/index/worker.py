"""The index process as the server sees it: started, spoken to, and started again when it dies."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from attache.foundation.jsonrpc import Connection, Disconnected, RpcError
from attache.foundation.tasks import Tasks

PAUSES_SECONDS = (0.5, 2.0, 8.0, 30.0, 60.0)
"""How long to wait before each new start; the last one for all that follow."""
HEALTHY_SECONDS = 60.0
"""A process that lived so long starts the pauses anew."""
SAID_BYTES = 4_096
CLOSE_SECONDS = 2.0

_QUIET: int = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)


class Worker:
    """One process at a time, for as long as the server lives."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        cwd: Path,
        *,
        hear: Callable[[str, Any], None],
        ended: Callable[[str, int], None],
    ) -> None:
        """Run with `arguments` in the folder `cwd`.

        `hear` gets notifications; `ended` gets why a process ended, and how many have in a row.
        """
        self._arguments = arguments
        self._cwd = cwd
        self._hear = hear
        self._ended = ended
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._tasks = Tasks(self._failed)
        self.process: asyncio.subprocess.Process | None = None

    def start(self) -> None:
        """Start the first process, without waiting for it."""
        self._tasks.spawn(self._keep(), "index process")

    async def request(self, method: str, params: dict[str, Any], timeout_seconds: float | None) -> Any:
        """Ask the process. Raises Disconnected where there is none now, TimeoutError, or RpcError."""
        if self._connection is None:
            raise Disconnected("the index process is not running")
        return await self._connection.request(method, params, timeout_seconds)

    def send(self, method: str, params: dict[str, Any]) -> None:
        """Ask the process for something without waiting for an answer, or for there to be one."""
        self._tasks.spawn(self._sent(method, params), method)

    async def _sent(self, method: str, params: dict[str, Any]) -> None:
        with suppress(Disconnected, RpcError):
            await self.request(method, params, None)

    async def connected(self, timeout_seconds: float) -> bool:
        """Wait until a process can be asked; return whether one can."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._connected.wait(), timeout_seconds)
        return self._connected.is_set()

    async def close(self) -> None:
        """End the process."""
        await self._tasks.close()

    async def _keep(self) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            reason = await self._live()
            failures = 1 if time.monotonic() - started > HEALTHY_SECONDS else failures + 1
            pause = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1]
            self._ended(f"the index process ended: {reason}; it starts again in {pause:g} s", failures)
            await asyncio.sleep(pause)

    async def _live(self) -> str:
        """Run one process to its end and return why it ended."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "attache.index", *self._arguments, str(os.getpid()),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                cwd=self._cwd, env=_environment(), creationflags=_QUIET,
            )  # fmt: skip
        except OSError as error:
            return str(error)
        self.process = process
        said: list[bytes] = []
        listening = asyncio.create_task(_listen(process.stderr, said))
        try:
            await self._converse(process)
        finally:
            if not await _ends(process):  # it has lost its pipe, and knows
                said.append(b"it closed its pipe and went on")
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            await listening
        last = b"".join(said).decode("utf-8", "replace").strip().rpartition("\n")[2]
        return last or f"exit code {process.returncode}"

    async def _converse(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("pipes were asked for")
        self._connection = Connection(process.stdout, process.stdin, on_error=self._failed, on_notification=self._hear)
        self._connected.set()
        try:
            await self._connection.run()
        finally:
            self._connected.clear()
            connection, self._connection = self._connection, None
            await connection.close()

    def _failed(self, what: str, error: BaseException) -> None:
        self._ended(f"{what}: {error}", 0)


async def _ends(process: asyncio.subprocess.Process) -> bool:
    """Return whether the process ends by itself, in a while."""
    try:
        await asyncio.wait_for(process.wait(), CLOSE_SECONDS)
    except TimeoutError:
        return False
    return True


async def _listen(stream: asyncio.StreamReader | None, said: list[bytes]) -> None:
    """Keep the last of what the process says on standard error."""
    while stream and (data := await stream.read(SAID_BYTES)):
        said[:] = [b"".join(said)[-SAID_BYTES:], data]


def _environment() -> dict[str, str]:
    """Return ours, so that the process finds the same package, and nothing in the folder it looks at."""
    package = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))}
