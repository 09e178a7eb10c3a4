"""Run a language server beside an agent that is at work: a coroutine that takes the loop for 5 ms again and again.

`python busy.py MODULE [ARGUMENTS]` runs a module as `-m` does (or a file); SIGUSR1 puts the agent to work.
"""

from __future__ import annotations

import asyncio
import runpy
import signal
import sys
import time
from typing import Any

SLICE_SECONDS = 0.005


async def work() -> None:
    while True:
        ends = time.perf_counter() + SLICE_SECONDS
        while time.perf_counter() < ends:
            pass
        await asyncio.sleep(0)


def main() -> None:
    started: list[asyncio.Task[None]] = []
    run_forever = asyncio.SelectorEventLoop.run_forever

    def armed(loop: asyncio.SelectorEventLoop) -> None:
        loop.add_signal_handler(signal.SIGUSR1, lambda: started.append(loop.create_task(work())))
        run_forever(loop)

    loops: Any = asyncio.SelectorEventLoop
    loops.run_forever = armed
    target, sys.argv = sys.argv[1], sys.argv[1:]
    if target.endswith(".py"):
        runpy.run_path(target, run_name="__main__")
    else:
        runpy.run_module(target, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
