"""The broker: a small process with one thread that starts confined commands, so that the server never has to fork.

It reads from a socket at its standard input: one byte a command, with three open
files: the command's own socket, its input and its output. The process forked for it, its warden, reads the plan there,
obeys `t` (ask it to end) and `k` (end it), ends it when the socket is closed, and tells last how it ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from attache.workspace.view import inside, kernel, seccomp
from attache.workspace.view.plan import Plan, load

FILES = 3
WAIT_SECONDS = 0.05


def main() -> None:
    """Start what is asked for until nobody can ask any more."""
    door = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the wardens are nobody's zombies
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        data, files, _, _ = socket.recv_fds(door, 1, FILES)
        if not data:
            return
        for fd in files:
            os.set_inheritable(fd, False)
        if os.fork() == 0:
            door.close()
            _serve(*files)
        for fd in files:
            os.close(fd)


def _serve(job: int, stdin: int, output: int) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        with socket.socket(fileno=job) as door:
            for fd, place in ((stdin, 0), (output, 1), (output, 2)):
                os.dup2(fd, place)
            os.close(stdin)
            answer = _warded(load(_read_plan(door)), door, output)
            os.close(output)
            with suppress(OSError):
                door.sendall(json.dumps(answer).encode())
    finally:
        os._exit(0)


def _read_plan(door: socket.socket) -> bytes:
    (length,) = struct.unpack("=Q", _read(door, 8))
    return _read(door, length)


def _read(door: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = door.recv(length - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _warded(plan: Plan, door: socket.socket, output: int) -> dict[str, Any]:
    """Start the command, watch over it, and return how it ended, when nothing of it is left."""
    filter_ = seccomp.program(plan.families) if plan.level != "none" else b""
    reading, report = os.pipe()
    try:
        if plan.level == "namespaces":
            child = _start_in_namespaces(plan, filter_, report, output, door)
        else:
            child = _start_beside(plan, filter_, report, output)
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error}", "step": "start", "errno": error.errno or 0}
    os.close(report)
    for fd in (0, 1, 2):  # the command alone holds them open now
        os.dup2(_nowhere(), fd)
    killed = _watch(plan, child, door)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if plan.level != "namespaces":
        _end_strays()
    told = _told(reading)
    if "error" in told or "status" in told:
        return told
    return {"status": -signal.SIGKILL if killed or plan.level == "namespaces" else status}


def _nowhere() -> int:
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def _start_in_namespaces(plan: Plan, filter_: bytes, report: int, output: int, door: socket.socket) -> int:
    """Fork process 1 of fresh namespaces; it waits until it is known there as who it is here."""
    waiting, ready = os.pipe()
    every = kernel.NEWUSER | kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS
    child = kernel.fork_into(every)
    if child == 0:
        os.close(ready)
        if os.read(waiting, 1) == b"y":
            inside.first_process(plan, filter_, report, output, door)
        os._exit(1)
    os.close(waiting)
    try:
        _map_ids(child)
        os.write(ready, b"y")
    finally:
        os.close(ready)
    return child


def _map_ids(child: int) -> None:
    """Let the namespace know the user: root, where it may, all users, since it works with the files of others."""
    user, group = os.geteuid(), os.getegid()
    place = Path(f"/proc/{child}")
    if user == 0:
        try:
            for name in ("uid_map", "gid_map"):
                known = (line.split() for line in (Path("/proc/self") / name).read_text().splitlines())
                (place / name).write_text("".join(f"{first} {first} {count}\n" for first, _, count in known))
        except OSError:
            pass
        else:
            return
    (place / "setgroups").write_text("deny")
    (place / "uid_map").write_text(f"{user} {user} 1")
    (place / "gid_map").write_text(f"{group} {group} 1")


def _start_beside(plan: Plan, filter_: bytes, report: int, output: int) -> int:
    """Fork the command without namespaces, or who holds its terminal; what it leaves behind comes to this process."""
    kernel.prctl(kernel.SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        if plan.terminal:
            inside.at_terminal(plan, filter_, report, output)
        inside.become(plan, filter_, report)
    return child


def _watch(plan: Plan, child: int, door: socket.socket) -> bool:
    """Wait for the command's end, and do as is told meanwhile; return whether it was killed."""
    handle = os.pidfd_open(child)
    killed = False
    watched = [handle, door.fileno()]
    try:
        while handle not in select.select(watched, [], [])[0]:
            word = _heard(door)
            if word == b"t":
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM) if plan.level == "namespaces" else os.killpg(child, signal.SIGTERM)
                continue
            killed = True
            watched = [handle]
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    finally:
        os.close(handle)
    return killed


def _heard(door: socket.socket) -> bytes:
    try:
        return door.recv(1)
    except OSError:
        return b""


def _end_strays() -> None:
    """Kill what the command left running: its children became ours, and theirs will."""
    while children := Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        for pid in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in map(int, children):
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _told(reading: int) -> dict[str, Any]:
    """Return what the inside reported, the first error before all else."""
    os.set_blocking(reading, False)
    data = b""
    with suppress(BlockingIOError):
        while piece := os.read(reading, inside.CHUNK):
            data += piece
    lines: list[dict[str, Any]] = [json.loads(line) for line in data.splitlines()]
    return next((line for line in lines if "error" in line), lines[0] if lines else dict[str, Any]())


def trial() -> None:
    """Run the plans that stand at the standard input, a line each, and print how each of them ended."""
    plans = [load(line) for line in sys.stdin.buffer]
    told = os.dup(1)
    for plan in plans:
        pid = os.fork()
        if pid == 0:
            ours, theirs = socket.socketpair()  # held open: nobody ends the command
            for fd in (0, 1, 2):
                os.dup2(_nowhere(), fd)
            answer = _warded(plan, ours, _nowhere())
            theirs.close()
            os.write(told, json.dumps(answer).encode() + b"\n")
            os._exit(0)
        os.waitpid(pid, 0)
