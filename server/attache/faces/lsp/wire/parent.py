"""Notice that the editor which started us has died, even where its pipe stays open."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Final

_LOOK_EVERY_SECONDS: Final = 1.0


def watch(pid: int, died: Callable[[], object]) -> None:
    """Call `died`, from a thread, when process `pid` ends.

    A process that cannot be seen from the start is not watched: an editor outside our container sends a number that
    means nothing here, and the end of its pipe tells enough.
    """
    if not alive(pid):
        return

    def wait() -> None:
        wait_for_end(pid)
        died()

    threading.Thread(target=wait, name="attache parent watch", daemon=True).start()


def wait_for_end(pid: int) -> None:
    """Return when the process has ended: told by the system on Linux and Windows, by looking every second elsewhere."""
    if os.name == "nt":
        _wait_on_windows(pid)
    elif hasattr(os, "pidfd_open"):
        _wait_on_linux(pid)
    else:
        _wait_by_looking(pid)


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    if os.name == "nt":
        return True  # os.kill(pid, 0) would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _wait_on_linux(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # an old kernel, a sandbox, or just gone
        _wait_by_looking(pid)
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)  # readable when it ends, also when nobody reaps it
    poll.poll()
    os.close(descriptor)


def _wait_by_looking(pid: int) -> None:
    parent = os.getppid()
    while alive(pid) and (pid != parent or os.getppid() == parent):
        time.sleep(_LOOK_EVERY_SECONDS)


def _wait_on_windows(pid: int) -> None:
    import ctypes

    synchronize, forever = 0x00100000, 0xFFFFFFFF
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        threading.Event().wait()  # not ours to watch: the pipe's end will have to tell
    kernel.WaitForSingleObject(handle, forever)
