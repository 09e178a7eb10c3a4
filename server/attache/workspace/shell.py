"""Commands: run to their end, or ended with all that they started."""

from __future__ import annotations

import asyncio
import codecs
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal, Protocol, Self, cast

from pydantic import Field, model_validator

from attache.schema.data import Record
from attache.schema.edits import FileChange
from attache.schema.errors import InvalidArguments, ToolError
from attache.workspace.environment import command_environment

WINDOWS = sys.platform == "win32"
TIMEOUT_SECONDS = 120.0
OUTPUT_LIMIT_BYTES = 256_000
"""Of longer output the first and the last half of this are kept."""

GRACE_SECONDS = 1.0  # between asking a command to end and ending it, and for output after the end
FLOOD_PAUSE_SECONDS = 0.001  # between reads once the limit is passed: a flood must not drown the server
MARK = "ATTACHE_COMMAND"
"""Variable in a command's environment that tells, on Linux, what it started, wherever that has gone."""

OnOutput = Callable[[str], None]
ViewKind = Literal["cow", "direct"]


class Command(Record):
    """A command to be run: either a program with its arguments, or text for the shell."""

    argv: tuple[str, ...] = ()
    text: str = ""
    cwd: Path = Path()
    """From the workspace's first root, or absolute inside any."""
    env: dict[str, str] = Field(default_factory=dict[str, str])
    """Variables added to the environment."""
    stdin: str | None = None
    """None: nothing can be read."""
    timeout_seconds: float = Field(default=TIMEOUT_SECONDS, gt=0)
    view: ViewKind = "direct"
    """Where it runs: in the command view, or on the files themselves with all that the user may do."""
    hosts: tuple[str, ...] = ()
    """What a confined command may reach over HTTP and HTTPS: names, `*.example.org` for all below one."""
    terminal: bool = False
    """Whether it gets a terminal of its own, which some programs insist on."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.argv) == bool(self.text):
            raise ValueError("a command is either argv or text")
        return self

    @property
    def program(self) -> tuple[str, ...]:
        """Return the argv as it will be run, the shell's own included."""
        return self.argv or shell_argv(self.text)


class Completed(Record):
    """What came of a command."""

    exit_code: int
    """Negative: the number of the signal that ended it."""
    output: str
    """Standard output and error as they came; where a part is left out, it says so in its place."""
    seconds: float
    truncated: bool = False
    timed_out: bool = False
    note: str = ""
    """What the user or the model should know of how it was run."""
    changes: tuple[FileChange, ...] = ()
    """What it changed in the command view: nothing of it has landed yet."""


async def run(
    command: Sequence[str] | str, *, cwd: Path, env: Mapping[str, str] | None = None, stdin: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS, output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    on_output: OnOutput | None = None,
) -> Completed:  # fmt: skip
    """Run a program, or a shell's text, in its own session and return what came of it.

    At the time limit, when cancelled, and when it has ended, what is left of its process group is ended: first asked
    (SIGTERM), a second later killed. On Linux a time-out or a cancellation also finds what left the group (setsid) by
    a mark in its environment; on macOS that survives. `on_output` gets the output as it comes, up to the limit.
    Raises ToolError when it cannot be started.
    """
    argv = shell_argv(command) if isinstance(command, str) else tuple(command)
    output = Output(output_limit_bytes, on_output)
    process = await start(argv, cwd, command_environment(env), stdin, output)
    return await finished(process, output, timeout_seconds)


class Running(Protocol):
    """A command under way."""

    exited: asyncio.Future[int]

    async def end(self) -> None:
        """End what is still there of it."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


async def finished(process: Running, output: Output, timeout_seconds: float) -> Completed:
    """Wait for a command's end, or end it at its time limit, and return what came of it."""
    started = time.perf_counter()
    try:
        done, _ = await asyncio.wait({process.exited}, timeout=timeout_seconds)
    finally:
        await process.end()
    return Completed(
        exit_code=process.exited.result() if process.exited.done() else -_KILL,
        output=output.text(),
        seconds=time.perf_counter() - started,
        truncated=output.left_out > 0,
        timed_out=not done,
    )


def shell_argv(text: str) -> tuple[str, ...]:
    """Return the argv that runs a text in the shell: bash where there is one, else sh; cmd on Windows."""
    if WINDOWS:
        return "cmd", "/d", "/s", "/c", text
    return shutil.which("bash") or "/bin/sh", "-c", text


class Output:
    """What a command wrote: its beginning and its end, within a limit."""

    def __init__(self, limit_bytes: int, on_output: OnOutput | None = None) -> None:
        self.left_out = 0
        """Bytes between the beginning and the end."""
        self._last = limit_bytes // 2
        self._first = limit_bytes - self._last
        self._head = bytearray()
        self._tail = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._on_output = on_output

    @property
    def full(self) -> bool:
        """Return whether what comes now pushes something out."""
        return len(self._head) + len(self._tail) >= self._first + self._last

    def add(self, data: bytes) -> None:
        """Take what was just written."""
        if self._on_output and not self.full:
            self._on_output(self._decoder.decode(data))
        room = self._first - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        surplus = len(self._tail) - self._last
        if surplus > 0:
            del self._tail[:surplus]
            if self._on_output and not self.left_out:
                self._on_output("\n[… it goes on; the end is shown when it is over …]\n")
            self.left_out += surplus

    def text(self) -> str:
        """Return it as text, with a line that says how much was left out where."""
        if not self.left_out:
            return (self._head + self._tail).decode("utf-8", "replace")
        head, tail = self._head.decode("utf-8", "ignore"), self._tail.decode("utf-8", "ignore")
        return f"{head}\n[… {self.left_out:,} bytes left out …]\n{tail}"


class Process(asyncio.SubprocessProtocol):
    """A running command, with all that it started."""

    def __init__(self, output: Output, mark: str) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        self._silent: asyncio.Future[None] = loop.create_future()  # nobody holds its output open
        self._output = output
        self._mark = mark
        self._transport: asyncio.SubprocessTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take output; past the limit, a little at a time."""
        self._output.add(data)
        if self._output.left_out:
            pipe = cast("asyncio.ReadTransport", self._transport.get_pipe_transport(fd))
            pipe.pause_reading()
            asyncio.get_running_loop().call_later(FLOOD_PAUSE_SECONDS, pipe.resume_reading)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note the end of the output."""
        del exc
        if fd == 1:
            self._silent.set_result(None)

    def process_exited(self) -> None:
        """Note the end of the command itself; what it started may live on."""
        self.exited.set_result(self._transport.get_returncode() or 0)

    def feed(self, stdin: str | None) -> None:
        """Give the command its input and close it."""
        if pipe := cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0)):
            pipe.write((stdin or "").encode("utf-8", "replace"))
            pipe.close()

    async def end(self) -> None:
        """End what is still there: ask, wait, kill."""
        asked = not self.exited.done()
        with closing(self._transport):
            try:
                if asked:
                    self._signal_group(signal.SIGTERM)
                await self._over()
            finally:
                self._signal_group(_KILL)
                if asked:
                    kill_marked(self._mark)
                await self._over()  # what was killed ends at once, unless it hangs in a driver: longer would not help

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._transport.get_pid()

    def kill(self) -> None:
        """End it at once."""
        self._signal_group(_KILL)

    async def _over(self) -> None:
        await asyncio.wait({self.exited, self._silent}, timeout=GRACE_SECONDS)

    def _signal_group(self, number: int) -> None:
        """Send a signal to all that is left of the process group.

        On Windows, untested: there is no group to signal, so taskkill ends the process and its descendants at once.
        """
        pid = self._transport.get_pid()
        if WINDOWS:
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
            return
        with suppress(ProcessLookupError, PermissionError):  # nobody left; or, on macOS, only the dead
            os.killpg(pid, number)


_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)


async def start(argv: tuple[str, ...], cwd: Path, env: dict[str, str], stdin: str | None, output: Output) -> Process:
    """Start a program with exactly these variables, in a session of its own. Raises ToolError."""
    mark = os.urandom(16).hex()
    group: dict[str, Any] = {"start_new_session": True}
    if WINDOWS:
        group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    try:
        _, process = await asyncio.get_running_loop().subprocess_exec(
            lambda: Process(output, mark), *argv, cwd=cwd, env={**env, MARK: mark},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **group,
        )  # fmt: skip
    except ValueError as error:
        raise InvalidArguments(f"{argv[0]!r} cannot be run: {error}", hint="leave NUL out of the command") from error
    except OSError as error:
        raise not_started(argv, cwd, error) from error
    except asyncio.CancelledError:
        kill_marked(mark)
        raise
    process.feed(stdin)
    return process


def not_started(argv: tuple[str, ...], cwd: Path | str, error: OSError) -> ToolError:
    """Return the error for a command that the system does not start."""
    if not Path(cwd).is_dir():
        return ToolError(f"{cwd} is no folder to run {argv[0]} in", hint="name a folder that is there")
    return ToolError(f"{argv[0]} cannot be run: {error.strerror}", hint="is it installed and on PATH?")


def kill_marked(mark: str) -> None:
    """Kill, on Linux, every process whose environment carries the mark of a command, until none is left."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(20):  # one that forks while we look is found the next time
        if not [pid for pid in _processes() if _kill_if(wanted, pid)]:
            return


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names are all we want
    except OSError:
        return []


def _kill_if(wanted: bytes, pid: int) -> bool:
    """Kill a process if its environment holds what is wanted; the handle makes sure that it is still that process."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if wanted not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
