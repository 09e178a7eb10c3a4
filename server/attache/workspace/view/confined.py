"""Confined commands as the server sees them: started through the broker, read, asked to end, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from attache.schema.errors import ToolError
from attache.workspace.shell import FLOOD_PAUSE_SECONDS, GRACE_SECONDS, Output, not_started
from attache.workspace.view.gate import Gate
from attache.workspace.view.plan import Plan

CHUNK = 65_536
PACKAGES = str(Path(__file__).parents[3])
BROKER = (
    "-I",
    "-S",
    "-c",
    f"import sys; sys.path.append({PACKAGES!r}); from attache.workspace.view.broker import main; main()",
)


class Broker:
    """The way to the broker process, which is started with the first command and ends with us."""

    def __init__(self) -> None:
        self._door: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, plan: Plan, output: Output, stdin: str | None, gate: Gate | None = None) -> Job:
        """Start a command, with a gate to the network or without; raises ToolError where the broker cannot."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as given:
            inside_in, feed = _input(stdin)
            reading, inside_out = os.pipe()
            for fd in (inside_in, inside_out):
                given.callback(os.close, fd)
            try:
                socket.send_fds(self._opened(), [b"r"], [theirs.fileno(), inside_in, inside_out])
            except OSError as error:
                ours.close()
                for fd in (reading, feed):
                    if fd >= 0:
                        os.close(fd)
                self.close()
                raise ToolError(f"commands cannot be confined: {error}", hint="see `attache doctor`") from error
        return Job(plan, output, ours, reading, feed, stdin, gate)

    def close(self) -> None:
        """Let the broker go, and with it whatever still runs."""
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
            self._process = None

    def _opened(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._door is None:
            self._door, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    (sys.executable, *BROKER), stdin=theirs.fileno(), stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
                )  # fmt: skip
        return self._door


def _input(stdin: str | None) -> tuple[int, int]:
    """Return what the command reads from, and where to write what it is to read, -1 for nothing."""
    return (os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), -1) if stdin is None else os.pipe()


class Job:
    """A confined command under way."""

    def __init__(
        self, plan: Plan, output: Output, door: socket.socket, reading: int, feed: int, stdin: str | None,
        gate: Gate | None = None,
    ) -> None:  # fmt: skip
        self._gate = gate
        self._opening: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._silent: asyncio.Future[None] = self._loop.create_future()
        self._plan, self._output = plan, output
        self._door, self._reading, self._feed = door, reading, feed
        self._answer = bytearray()
        self._words = memoryview((stdin or "").encode("utf-8", "replace"))
        dumped = plan.dump()
        self._to_send = memoryview(struct.pack("=Q", len(dumped)) + dumped)
        for fd in (door.fileno(), reading, feed):
            if fd >= 0:
                os.set_blocking(fd, False)
        self._loop.add_reader(door.fileno(), self._heard)
        self._loop.add_writer(door.fileno(), self._send)
        self._loop.add_reader(reading, self._read)
        if feed >= 0:
            self._loop.add_writer(feed, self._write)

    async def end(self) -> None:
        """End what is still there: ask, wait, kill."""
        try:
            if not self.exited.done():
                self._tell(b"t")
            await self._over()
        finally:
            self._tell(b"k")
            await self._over()
            self._close()

    def kill(self) -> None:
        """End it at once."""
        self._tell(b"k")

    async def _over(self) -> None:
        await asyncio.wait({self.exited, self._silent}, timeout=GRACE_SECONDS)

    def _tell(self, word: bytes) -> None:
        with suppress(OSError):
            self._door.send(word)

    def _send(self) -> None:
        try:
            self._to_send = self._to_send[self._door.send(self._to_send) :]
        except BlockingIOError:
            return
        except OSError:
            self._to_send = memoryview(b"")
        if not self._to_send:
            self._loop.remove_writer(self._door.fileno())

    def _heard(self) -> None:
        files: list[int] = []
        try:
            piece, files, _, _ = socket.recv_fds(self._door, CHUNK, 1)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if files:
            piece = piece.removeprefix(b"L")
            listener = socket.socket(fileno=files[0])
            self._opening = self._loop.create_task(self._gate.open(listener)) if self._gate else listener.close()
            if not piece:
                return
        self._answer += piece
        if not piece:
            self._loop.remove_reader(self._door.fileno())
            self._ended(json.loads(self._answer or b'{"status": -9}'))

    def _ended(self, answer: dict[str, Any]) -> None:
        if self.exited.done():
            return
        if "error" not in answer:
            self.exited.set_result(answer["status"])
        elif answer.get("step") == "exec":
            error = OSError(answer["errno"], os.strerror(answer["errno"]))
            self.exited.set_exception(not_started(self._plan.argv, self._plan.cwd, error))
        else:
            hint = "`attache doctor` says what this machine can do; the direct view runs it on your files"
            self.exited.set_exception(ToolError(f"the command view failed: {answer['error']}", hint=hint))

    def _read(self) -> None:
        try:
            data = os.read(self._reading, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._reading)
            if not self._silent.done():
                self._silent.set_result(None)
            return
        self._output.add(data)
        if self._output.left_out:
            self._loop.remove_reader(self._reading)
            self._loop.call_later(FLOOD_PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._reading >= 0:
            self._loop.add_reader(self._reading, self._read)

    def _write(self) -> None:
        try:
            self._words = self._words[os.write(self._feed, self._words) :]
        except BlockingIOError:
            return
        except OSError:
            self._words = memoryview(b"")
        if not self._words:
            self._close_feed()

    def _close_feed(self) -> None:
        if self._feed >= 0:
            self._loop.remove_writer(self._feed)
            os.close(self._feed)
            self._feed = -1

    def _close(self) -> None:
        self._close_feed()
        if self._gate is not None:
            self._gate.close()
        self._loop.remove_reader(self._reading)
        os.close(self._reading)
        self._reading = -1
        self._loop.remove_reader(self._door.fileno())
        self._loop.remove_writer(self._door.fileno())
        self._door.close()
        if not self.exited.done():
            self.exited.cancel()
