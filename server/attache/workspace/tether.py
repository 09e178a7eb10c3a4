"""Run a command that ends when the process that asked for it does, however that ended.

Run by path: `tether.py PIPE ARGV…`, where PIPE is the number of a descriptor whose other end the asking process holds
and nobody else. When that end closes, by an orderly end or by a kill, the command and all it started is ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 1.0
MARK = "ATTACHE_COMMAND"
"""The variable that `shell.MARK` names; nothing of ours can be imported here."""


def main(pipe: int, argv: list[str]) -> int:
    """Run the command and return its exit code, negative for a signal; what it leaves behind is ended with it."""
    os.set_inheritable(pipe, False)
    try:
        command = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{argv[0]} cannot be run: {error.strerror}\n")
        return 127
    signal.signal(signal.SIGTERM, lambda _number, _frame: _signal(command.pid, signal.SIGTERM))
    threading.Thread(target=_watch, args=(pipe, command.pid), daemon=True).start()
    code = command.wait()
    _signal(command.pid, signal.SIGKILL)
    _kill_marked()
    return code


def _watch(pipe: int, group: int) -> None:
    """Wait until nobody holds the other end, then end the command, which ends all else."""
    while os.read(pipe, 4096):
        pass
    _signal(group, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_marked() -> None:
    """Kill, on Linux, what the command started and what has left the process group since, by the mark it carries."""
    mark = f"{MARK}={os.environ.get(MARK, '-')}".encode()
    for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*")):
        if pid != os.getpid():
            with suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    if code < 0:  # die of the same signal, so that who waits is told the truth
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
