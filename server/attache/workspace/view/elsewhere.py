"""Confined commands on macOS and Windows. Written after the systems' documentation, and not tested.

macOS: sandbox-exec with a profile made for the command. Windows: a job object, which ends all that the command started
when it is closed and limits its memory; it keeps the command from nothing else.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from pathlib import Path
from typing import Any

from attache.workspace.shell import Output, Process
from attache.workspace.shell import start as started
from attache.workspace.view.plan import Plan

KILL_ON_CLOSE, ACTIVE_PROCESSES, PROCESS_MEMORY = 0x2000, 0x8, 0x100
EXTENDED_LIMITS = 9
SET_QUOTA_AND_TERMINATE = 0x0101
DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/ptmx", "/dev/dtracehelper")


async def start(plan: Plan, output: Output, stdin: str | None) -> Process | InJob:
    """Start a command under what this system has. Raises ToolError."""
    argv = plan.argv
    if plan.level == "seatbelt":
        argv = ("sandbox-exec", "-p", profile(plan), *argv)
    process = await started(argv, Path(plan.cwd), plan.env, stdin, output)
    if plan.level == "job":
        return InJob(process, plan)
    return process


# ---------------------------------------------------------------- macOS


def profile(plan: Plan) -> str:
    """Return the sandbox profile of a command: all is allowed but writing elsewhere, the network, and credentials."""
    temporary = ("/private/var/folders", "/private/tmp")
    writable = [f'(subpath "{_quoted(path)}")' for path in plan.writable]
    devices = [f'(literal "{path}")' for path in DEVICES] + ['(regex #"^/dev/ttys[0-9]+$")', '(subpath "/dev/fd")']
    barred = [f'(subpath "{_quoted(path)}")' for path in (*plan.hidden, *temporary)]
    return "\n".join((
        "(version 1)",
        "(allow default)",
        "(deny network*)",
        "(deny file-write*)",
        f"(deny file-read* {' '.join(barred)})",
        f"(allow file-read* {' '.join(writable)})",
        f"(allow file-write* {' '.join((*writable, *devices))})",
        "(deny signal)",
        "(allow signal (target same-sandbox))",
        "(deny process-info*)",
        "(allow process-info* (target same-sandbox))",
        '(deny mach-lookup (global-name "com.apple.SecurityServer") (global-name "com.apple.securityd"))',
    ))  # fmt: skip


def _quoted(path: str) -> str:
    real = str(Path(path).resolve())  # the kernel compares real paths: /tmp is /private/tmp
    return real.replace("\\", "\\\\").replace('"', '\\"')


# ---------------------------------------------------------------- Windows


class InJob:
    """A process in a job object, which ends with everything in it when we let go."""

    def __init__(self, process: Process, plan: Plan) -> None:
        self._process = process
        self.exited: asyncio.Future[int] = process.exited
        self._job = _job(process.pid, plan) if sys.platform == "win32" else None

    async def end(self) -> None:
        """End what is still there of it."""
        try:
            await self._process.end()
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, with all that it started."""
        if self._job is not None:
            _kernel32().CloseHandle(ctypes.c_void_p(self._job))
            self._job = None


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64), ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32), ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t), ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t), ("PriorityClass", ctypes.c_uint32), ("SchedulingClass", ctypes.c_uint32),
    )  # fmt: skip


class _Limits(ctypes.Structure):
    _fields_ = (
        ("Basic", _BasicLimits), ("IoInfo", ctypes.c_uint64 * 6), ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t), ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )  # fmt: skip


def _kernel32() -> Any:
    return getattr(ctypes, "windll").kernel32  # noqa: B009 - elsewhere the attribute is not known


def _job(pid: int, plan: Plan) -> int | None:
    """Return a job object with the process in it, None where the system refuses: then taskkill alone ends it."""
    kernel32 = _kernel32()
    kernel32.CreateJobObjectW.restype = kernel32.OpenProcess.restype = ctypes.c_void_p
    job = kernel32.CreateJobObjectW(None, None)
    limits = _Limits()
    limits.Basic.LimitFlags = KILL_ON_CLOSE | ACTIVE_PROCESSES
    limits.Basic.ActiveProcessLimit = plan.limits.processes
    if plan.limits.memory_bytes:
        limits.Basic.LimitFlags |= PROCESS_MEMORY
        limits.ProcessMemoryLimit = plan.limits.memory_bytes
    size = ctypes.sizeof(limits)
    process = ctypes.c_void_p(kernel32.OpenProcess(SET_QUOTA_AND_TERMINATE, False, pid))
    held = ctypes.c_void_p(job)
    known = kernel32.SetInformationJobObject(held, EXTENDED_LIMITS, ctypes.byref(limits), size)
    taken = known and kernel32.AssignProcessToJobObject(held, process)
    kernel32.CloseHandle(process)
    if not taken:
        kernel32.CloseHandle(held)
        return None
    return job
