"""Standard input and output as streams of an event loop, on every platform alike."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

_CHUNK_BYTES = 64 * 1024


def stdio() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return both; whatever else the process prints goes to standard error from now on."""
    loop = asyncio.get_running_loop()
    source, target = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    reader = asyncio.StreamReader()
    threading.Thread(target=_pump, args=(source, reader, loop), daemon=True, name="stdin").start()
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    transport = _Output(target)
    protocol.connection_made(transport)
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


def _pump(source: int, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    while data := os.read(source, _CHUNK_BYTES):
        loop.call_soon_threadsafe(reader.feed_data, data)
    loop.call_soon_threadsafe(reader.feed_eof)


class _Output(asyncio.WriteTransport):
    """A pipe written to at once; whoever started us reads it all the time."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(data)
        while rest and not self._closing:
            try:
                rest = rest[os.write(self._target, rest) :]
            except OSError:
                self._closing = True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
