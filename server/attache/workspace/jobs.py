"""Commands in the background: begun, read while they run, ended on request or with the process at the latest."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attache.schema.errors import ToolError
from attache.workspace import tether
from attache.workspace.environment import command_environment
from attache.workspace.shell import MARK, WINDOWS, kill_marked, not_started, shell_argv

JOBS_MOST = 16
"""Jobs that may run at once."""
KEPT = 50
"""Jobs remembered; of those that ended, the oldest are forgotten first."""
OUTPUT_BYTES = 512_000
"""Of a longer output the end is kept."""
GRACE_SECONDS = tether.GRACE_SECONDS + 1.0
"""A command that is asked to end has its tether's grace; then both are killed."""


class Job:
    """One command in the background, and what it has written."""

    def __init__(self, id_: str, words: str, process: asyncio.subprocess.Process, mark: str, leash: int | None) -> None:
        self.id = id_
        self.words = words
        self.started = time.time()
        self.ended: float | None = None
        self.read_to = 0
        """Bytes of the output that were handed out already."""
        self._kept = bytearray()
        self._left_out = 0
        self._process = process
        self._mark = mark
        self._leash = leash
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"output of {id_}")

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether the command runs still."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """Return how the command ended: negative is a signal; None while it runs."""
        return self._process.returncode

    @property
    def written(self) -> int:
        """Return how many bytes the command has written."""
        return self._left_out + len(self._kept)

    def output(self, since: int = 0) -> str:
        """Return what was written from a byte on, as far as it is kept."""
        gone = max(self._left_out - since, 0)
        text = self._kept[max(since - self._left_out, 0) :].decode("utf-8", "replace")
        return f"[… {gone:,} bytes are not kept any more …]\n{text}" if gone else text

    async def news(self, timeout_seconds: float, until: str = "") -> None:
        """Wait until there is output that was not handed out yet, or holds `until`, or the job has ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while self.running:
            fresh = self.output(self.read_to)
            if (until and until in fresh) or (fresh and not until):
                return
            self._news.clear()
            try:
                async with asyncio.timeout(max(deadline - loop.time(), 0)):
                    await self._news.wait()
            except TimeoutError:
                return
        await asyncio.wait({self._reading}, timeout=1.0)

    async def end(self) -> None:
        """End the command with all that it started: asked first, killed a little later."""
        if self.running:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await self._process.wait()
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        kill_marked(self._mark)
        await self._process.wait()
        await asyncio.wait({self._reading}, timeout=1.0)
        self._reading.cancel()
        self._loose()

    def _signal(self, number: int) -> None:
        if WINDOWS:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(self.pid)], capture_output=True, check=False)
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None and (data := await stream.read(65_536)):
            self._kept += data
            if (surplus := len(self._kept) - OUTPUT_BYTES) > 0:
                del self._kept[:surplus]
                self._left_out += surplus
            self._news.set()
        await self._process.wait()
        self.ended = time.time()
        self._news.set()
        self._loose()

    def _loose(self) -> None:
        leash, self._leash = self._leash, None
        if leash is not None:
            os.close(leash)


class Jobs:
    """The background commands of one process. None outlives it: each hangs on a pipe that only the process holds."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Job]:
        """Iterate over the jobs, the oldest first."""
        return iter(tuple(self._jobs.values()))

    async def start(self, command: Sequence[str] | str, *, cwd: Path, env: dict[str, str] | None = None) -> Job:
        """Begin a command. Raises ToolError where too many run, or the system does not start it."""
        if sum(job.running for job in self._jobs.values()) >= JOBS_MOST:
            raise ToolError(f"{JOBS_MOST} jobs run already", hint="end one: kill_job")
        argv = shell_argv(command) if isinstance(command, str) else tuple(command)
        mark = os.urandom(16).hex()
        environment = {**command_environment(env), MARK: mark}
        leash, held = (None, None) if WINDOWS else os.pipe()[::-1]
        more: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if held is not None:
            argv = (sys.executable, "-I", "-S", tether.__file__, str(held), *argv)
            more = {"start_new_session": True, "pass_fds": (held,)}
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, **more,
            )  # fmt: skip
        except OSError as error:
            if leash is not None:
                os.close(leash)
            raise not_started(argv, cwd, error) from error
        finally:
            if held is not None:
                os.close(held)
        self._count += 1
        job = Job(f"j{self._count}", command if isinstance(command, str) else " ".join(command), process, mark, leash)
        self._jobs[job.id] = job
        self._forget()
        return job

    def find(self, job_id: str) -> Job:
        """Return a job. Raises ToolError that names those there are."""
        if job_id not in self._jobs:
            raise ToolError(f"no job {job_id}", hint=f"there are: {', '.join(self._jobs) or 'none'}")
        return self._jobs[job_id]

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(job.end() for job in self._jobs.values()))
        self._jobs.clear()

    def _forget(self) -> None:
        over = [job.id for job in self._jobs.values() if not job.running][: max(len(self._jobs) - KEPT, 0)]
        for job_id in over:
            del self._jobs[job_id]
