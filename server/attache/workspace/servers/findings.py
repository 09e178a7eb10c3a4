"""What one language server says about the documents that it holds, pushed or asked for, by their version."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from attache.foundation.jsonrpc import Disconnected
from attache.schema.data import Uri
from attache.workspace.paths import key

QUIET_SECONDS: Final = 0.4
"""A server that names no version has said all when it has been silent for so long."""


class Findings:
    """Diagnostics as the server spells them, each set tied to the version that we sent."""

    def __init__(self) -> None:
        self.pulled = False
        """Whether the server wants to be asked."""
        self._awaited: dict[str, int] = {}
        self._known: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self._loose: set[str] = set()
        """Documents whose last set came without a version: more may follow."""
        self._news = asyncio.Event()

    def expect(self, uri: Uri, version: int) -> None:
        """Note that the document is at a version now: what was said of an earlier one is old."""
        self._awaited[key(uri)] = version

    def drop(self, uri: Uri) -> None:
        """Forget a document."""
        for kept in (self._awaited, self._known):
            kept.pop(key(uri), None)

    def forget(self) -> None:
        """Forget everything: the server has died."""
        self._awaited.clear()
        self._known.clear()
        self._loose.clear()
        self.pulled = False
        self._wake()

    def pull(self) -> None:
        """Note that the server wants to be asked from now on."""
        self.pulled = True
        self._wake()

    def published(self, uri: Uri, version: Any, items: Any) -> None:
        """Take what the server pushed; without a version it is about the newest that we sent."""
        name = key(uri)
        awaited = self._awaited.get(name)
        if awaited is None or (isinstance(version, int) and version != awaited):
            return
        (self._loose.discard if isinstance(version, int) else self._loose.add)(name)
        self._known[name] = awaited, _objects(items)
        self._wake()

    def note(self, uri: Uri, items: Any) -> None:
        """Take what the server answered."""
        name = key(uri)
        self._loose.discard(name)
        self._known[name] = self._awaited.get(name, 0), _objects(items)

    async def to_pull(self, uri: Uri) -> bool:
        """Wait until the server has pushed what it finds, or wants to be asked; return whether it does.

        Raises Disconnected where it dies meanwhile.
        """
        name = key(uri)
        while not self.pulled:
            if name not in self._awaited:
                raise Disconnected("the server is gone")
            known = self._known.get(name)
            self._news.clear()
            if known is None or known[0] != self._awaited.get(name):
                await self._news.wait()
            elif name not in self._loose:
                return False
            else:
                try:
                    await asyncio.wait_for(self._news.wait(), QUIET_SECONDS)
                except TimeoutError:
                    self._loose.discard(name)
        return True

    def of(self, uri: Uri) -> list[dict[str, Any]]:
        """Return what is known about a document."""
        return self._known.get(key(uri), (0, []))[1]

    def _wake(self) -> None:
        self._news.set()


def _objects(items: Any) -> list[dict[str, Any]]:
    given = cast("list[Any]", items) if isinstance(items, list) else []
    return [cast("dict[str, Any]", each) for each in given if isinstance(each, dict)]
