"""Carry messages between a client and one event loop, so that neither side can block the other.

Standard library only: it runs before anything else is imported. One thread reads whole frames, another writes; both
queues are bounded, so a client that floods us waits, and one that stops reading is given up.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from attache.foundation.frames import Frames, frame

MOST_MESSAGES_WAITING: Final = 4096
CROWDED_BYTES: Final = 4 * 1024 * 1024
"""With so much output unread, what only paints is left out."""
STUCK_BYTES: Final = 128 * 1024 * 1024
"""With so much output unread, the client is taken for dead."""
_PIECE_BYTES: Final = 65536


class Closed(NamedTuple):
    """Nothing more will come."""

    reason: str


def to_json(message: Any) -> bytes:
    """Return `message` as JSON in ASCII, so that even lone surrogates pass."""
    return json.dumps(message, separators=(",", ":")).encode("ascii")


class Transport:
    """A connection: `receive` while there is no event loop, `attach` and `take` from then on; `send` from anywhere."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
        """Stand on a `read` that blocks (empty at the end) and a `write` that blocks until all is written."""
        self.frames = Frames()
        self.encode: Callable[[Any], bytes] = to_json
        self._read = read
        self._write = write
        self._inbox: deque[Any] = deque()
        self._inbox_changed = threading.Condition()
        self._wake: Callable[[], object] | None = None
        self._outbox: deque[bytes] = deque()
        self._outbox_changed = threading.Condition()
        self._unread_bytes = 0
        self._ended = False

    def start(self) -> None:
        """Begin to read and write."""
        threading.Thread(target=self._read_all, name="attache reader", daemon=True).start()
        threading.Thread(target=self._write_all, name="attache writer", daemon=True).start()

    # ------------------------------------------------------------ in

    def receive(self) -> Any:
        """Wait for the next JSON value, Malformed or Closed."""
        with self._inbox_changed:
            self._inbox_changed.wait_for(lambda: self._inbox)
        return self.take(1)[0]

    def attach(self, wake: Callable[[], object]) -> None:
        """Call `wake`, from another thread, whenever something is there to `take`; once now for what waits already."""
        with self._inbox_changed:
            self._wake = wake
        wake()

    def take(self, most: int) -> list[Any]:
        """Return at most `most` of what waits. Who got as many must come again unasked."""
        with self._inbox_changed:
            taken = [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]
            self._inbox_changed.notify_all()
        return taken

    def hang_up(self, reason: str) -> None:
        """Let the other end count as gone."""
        self._deliver(Closed(reason), within_limit=False)

    def _read_all(self) -> None:
        try:
            while data := self._read():
                for message in self.frames.feed(data):
                    self._deliver(message)
        except OSError as error:
            self.hang_up(f"reading failed: {error}")
        else:
            self.hang_up("the client closed its end")

    def _deliver(self, message: Any, *, within_limit: bool = True) -> None:
        with self._inbox_changed:
            if within_limit:
                self._inbox_changed.wait_for(lambda: len(self._inbox) < MOST_MESSAGES_WAITING)
            self._inbox.append(message)
            self._inbox_changed.notify_all()
            wake = self._wake if len(self._inbox) == 1 else None
        if wake is not None:
            wake()

    # ------------------------------------------------------------ out

    def send(self, message: Any, *, paint: bool = False) -> None:
        """Queue `message` and return at once. One that only paints is dropped while the client is far behind."""
        data = frame(self.encode(message))
        with self._outbox_changed:
            if self._ended or (paint and self._unread_bytes > CROWDED_BYTES):
                return
            self._outbox.append(data)
            self._unread_bytes += len(data)
            self._ended = self._unread_bytes > STUCK_BYTES
            self._outbox_changed.notify_all()
        if self._ended:
            self.hang_up(f"the client left {STUCK_BYTES} bytes unread")

    def finish(self, timeout_seconds: float) -> None:
        """Take nothing more, and wait at most so long until what was queued is written."""
        with self._outbox_changed:
            self._ended = True
            self._outbox_changed.notify_all()
            self._outbox_changed.wait_for(lambda: self._unread_bytes == 0, timeout_seconds)

    def _write_all(self) -> None:
        while data := self._next_output():
            try:
                self._write(data)
            except OSError as error:
                self.hang_up(f"writing failed: {error}")
                return
            with self._outbox_changed:
                self._unread_bytes -= len(data)
                self._outbox_changed.notify_all()

    def _next_output(self) -> bytes:
        with self._outbox_changed:
            self._outbox_changed.wait_for(lambda: self._outbox or self._ended)
            data = b"".join(self._outbox)
            self._outbox.clear()
        return data


Pipes = tuple[Callable[[], bytes], Callable[[bytes], None]]
"""A `read` that blocks, empty at the end, and a `write` that blocks until all is written."""


def over_stdio() -> Pipes:
    """Take stdin and stdout for the protocol alone: what libraries print goes to stderr, and children get neither."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for descriptor in (incoming, outgoing):
        _make_plain(descriptor)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(outgoing, rest[:_PIECE_BYTES]) :]

    return (lambda: os.read(incoming, _PIECE_BYTES)), write


def _make_plain(descriptor: int) -> None:
    """Undo what a parent may have set on its pipes: non-blocking mode, and Windows' translation of line ends."""
    if os.name == "posix":
        os.set_blocking(descriptor, True)
    else:
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)
