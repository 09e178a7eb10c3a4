"""End with the process that started us, however it ended."""

from __future__ import annotations

import os
import sys
import threading
import time

PAUSE_SECONDS = 1.0


def die_with(parent: int) -> None:
    """Watch the process `parent` in a thread and leave at once when it is gone."""
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="parent").start()


if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE = 0x0010_0000
    _FOREVER = 0xFFFF_FFFF

    def _watch(parent: int) -> None:
        kernel = ctypes.windll.kernel32
        if handle := kernel.OpenProcess(_SYNCHRONIZE, False, parent):
            kernel.WaitForSingleObject(handle, _FOREVER)
        os._exit(0)

else:

    def _watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(PAUSE_SECONDS)
        os._exit(0)
