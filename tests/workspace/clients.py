"""Simulated editors, as test equipment: one that does as real ones do, its habits given as data.

An `Editor` holds what the user sees (`screens`). The server's `Buffers` learn of it only through didChange, which comes
when the habits say. Time may be simulated too: `FastLoop` jumps over waiting and runs what threads would do in place, so
that one seed always gives one course of events.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from attache.schema.data import Uri
from attache.schema.edits import TextEdit
from attache.workspace.documents import END, BufferEdit, Buffers, Document, Position
from attache.workspace.paths import to_path, to_uri


@dataclass(frozen=True, slots=True)
class Habits:
    """What an editor does with an applyEdit, and how it reports changes."""

    name: str
    first_version: int = 1
    checks: Literal["always", "past_0", "never"] = "always"
    """past_0: a version of 0 counts as none, as in Neovim; a newer document is skipped."""
    truthful: bool = True
    """False: it answers that it applied what it skipped."""
    reports: Literal["before", "after", "either"] = "before"
    """Whether the didChange of an applied edit comes before the answer."""
    gathers: bool = False
    """Several changes travel in one didChange."""
    sync: Literal["incremental", "full"] = "incremental"
    versions: Literal["request", "edit"] = "request"
    """Whether an applied edit raises the version once, or once for each of its pieces."""
    types: float = 0.0
    """How likely the user types between a request and its application."""
    delay_seconds: float = 0.05
    """Messages take up to this long."""


STRICT = Habits("strict")
NEOVIM = Habits("neovim", first_version=0, checks="past_0", truthful=False, gathers=True, versions="edit")
LATE = Habits("late", reports="either", delay_seconds=0.4)
TYPIST = Habits("typist", types=0.7, reports="either")
NEOVIM_TYPIST = replace(NEOVIM, name="neovim, typing", types=0.7, reports="either")
FULL = Habits("full sync", sync="full", types=0.3)
ALL_HABITS = (STRICT, NEOVIM, LATE, TYPIST, NEOVIM_TYPIST, FULL)
CARELESS = Habits("careless", checks="never", types=0.5, reports="either")
"""As one that takes no versions at all. It is mended as the others are, but where the user makes by hand, in the very
moment, the edit that we have asked for, nothing tells the one from the other."""


class Editor:
    """An editor with its open documents. `typist(uri)` is called where the user may type; `deaf` ones take no edit."""

    def __init__(self, buffers: Buffers, habits: Habits = STRICT, seed: int = 0) -> None:
        self.buffers = buffers
        self.habits = habits
        self.screens: dict[Uri, Document] = {}
        self.requests: list[tuple[Uri, int, str]] = []
        self.typist: Callable[[Uri], None] | None = None
        self.deaf: set[Uri] = set()
        self._random = random.Random(seed)
        self._unsent: dict[Uri, list[tuple[int, list[BufferEdit]]]] = {}

    # ------------------------------------------------------------ the user

    def open(self, path: Path | Uri, text: str | None = None) -> Uri:
        uri = to_uri(path) if isinstance(path, Path) else path
        if text is None:
            text = to_path(uri).read_bytes().decode()
        self.screens[uri] = Document(uri, text, version=self.habits.first_version)
        self._unsent[uri] = []
        self.buffers.open(uri, text, self.habits.first_version)
        return uri

    def type(self, uri: Uri, start: Position, end: Position, text: str) -> None:
        """Let the user replace something; the server hears of it a little later."""
        self._change(uri, [BufferEdit(start, end, text)])
        self._soon(uri)

    def put(self, uri: Uri, old: str, new: str) -> None:
        """Let the user replace the one place where `old` stands, and the server know at once."""
        screen = self.screens[uri]
        assert screen.text.count(old) == 1, (old, screen.text)
        at = screen.text.index(old)
        self._change(uri, [BufferEdit(screen.position(at), screen.position(at + len(old)), new)])
        self.flush(uri)

    def save(self, uri: Uri) -> None:
        self.flush(uri)
        to_path(uri).write_bytes(self.screens[uri].text.encode())
        self.buffers.save(uri)

    def close(self, uri: Uri) -> None:
        self.flush(uri)
        del self.screens[uri], self._unsent[uri]
        self.buffers.close(uri)

    # ------------------------------------------------------------ the server's requests

    async def apply(self, uri: Uri, version: int, edits: Sequence[TextEdit], base: str, label: str) -> bool:
        told = Document(uri, base)
        placed = [BufferEdit(told.position(edit.start), told.position(edit.end), edit.text) for edit in edits]
        self.requests.append((uri, version, label))
        await self._travel()
        if self.typist and self._random.random() < self.habits.types:
            self.typist(uri)
        screen = self.screens.get(uri)
        if screen is None or uri in self.deaf or self._stale(screen.version, version):
            await self._travel()
            return not self.habits.truthful
        self._change(uri, placed[::-1])  # from the bottom up, so that the places hold
        if self.habits.reports == "before" or (self.habits.reports == "either" and self._random.random() < 0.5):
            self.flush(uri)
            await self._travel()
        else:
            self._soon(uri)
        return True

    def flush(self, uri: Uri) -> None:
        """Report what is not reported yet."""
        notes = self._unsent.get(uri, [])
        self._unsent[uri] = []
        if not notes:
            return
        if self.habits.sync == "full":
            self.buffers.change(uri, notes[-1][0], [BufferEdit((0, 0), END, self.screens[uri].text)])
        elif self.habits.gathers:
            self.buffers.change(uri, notes[-1][0], [edit for _, edits in notes for edit in edits])
        else:
            for version, edits in notes:
                self.buffers.change(uri, version, edits)

    def _stale(self, here: int, version: int) -> bool:
        match self.habits.checks:
            case "always":
                return here != version
            case "past_0":
                return 0 < version < here
            case "never":
                return False

    def _change(self, uri: Uri, edits: Sequence[BufferEdit]) -> None:
        screen = self.screens[uri]
        made = [screen.replace(*edit) for edit in edits]
        for group in [[edit] for edit in made] if self.habits.versions == "edit" else [made]:
            screen.version += 1
            self._unsent[uri].append((screen.version, group))

    def _soon(self, uri: Uri) -> None:
        delay = self._random.uniform(0, self.habits.delay_seconds)
        asyncio.get_running_loop().call_later(delay, lambda: uri in self.screens and self.flush(uri))

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.uniform(0, self.habits.delay_seconds))


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is simulated: it jumps to the next thing that is due."""

    def __init__(self, seed: int = 0, thread_seconds: float = 0.05) -> None:
        super().__init__(_Jumping(self))
        self.now = 0.0
        self._random = random.Random(seed)
        self._thread_seconds = thread_seconds

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Run what a thread would, in one go at some moment soon."""
        future = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)

        self.call_later(self._random.uniform(0, self._thread_seconds), work)
        return future


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: FastLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        events = super().select(0)
        if not events:
            self._loop.now += max(timeout, 0)
        return events


def fast_run(seed: int, main: Callable[[], Any]) -> Any:
    """Run a coroutine function in simulated time."""
    with asyncio.Runner(loop_factory=lambda: FastLoop(seed)) as runner:
        return runner.run(main())
