"""How near texts are in meaning to what the user asks, by the embedding model; nobody waits for it for long."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence

from attache.foundation.redact import redact
from attache.providers.catalog import Catalog
from attache.providers.embedding import Embedder, likeness
from attache.schema.errors import AttacheError
from attache.schema.models import Usage
from attache.storage.ledger import Ledger
from attache.storage.vectors import Vectors

REST_SECONDS = 60.0
_AT_ONCE = 128
"""Texts that are lost at most where reading them is stopped."""
BILLED_AS = "embeddings"


class Likeness:
    """The embedding model of one process, and the vectors that it made before."""

    def __init__(self, catalog: Catalog, vectors: Vectors, ledger: Ledger, cwd: str) -> None:
        self.wait_seconds = 2.0
        """How long a run waits before its first turn."""
        self._catalog = catalog
        self._vectors = vectors
        self._ledger = ledger
        self._cwd = cwd
        self._known: dict[str, array[float]] = {}
        self._learning: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._trouble = ""

    @property
    def able(self) -> bool:
        """Whether the user has set an embedding model."""
        return self._catalog.embeds

    def trouble(self) -> str:
        """Return what went wrong since the last time, so that it is said once."""
        trouble, self._trouble = self._trouble, ""
        return trouble

    async def scores(self, asked: str, texts: Sequence[str]) -> list[float] | None:
        """Return for each text how near it is to what is asked; None where no model says so in time.

        Texts that are new are read while the run goes on, where that takes longer.
        """
        if not self.able or not asked.strip() or time.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self.wait_seconds):
                embedder = self._catalog.embedder()
                await asyncio.shield(self._learnt(embedder, texts))
                if any(text not in self._known for text in texts):
                    return None
                (wanted,), usage = await embedder.embed([redact(asked)], query=True)
            await self._billed(embedder, usage)
            return [likeness(wanted, self._known[text]) for text in texts]
        except TimeoutError:
            if self._learning is None or self._learning.done():  # else it is no failure: there is much to read at first
                self._rest(f"{self._catalog.embedder().ref} took longer than {self.wait_seconds:g} s")
        except AttacheError as error:
            self._rest(error.message)
        return None

    async def nearness(self, asked: str, texts: Sequence[str]) -> list[float]:
        """Return for each text how near it is to what is asked, however long that takes.

        Raises ProviderError and UserError.
        """
        embedder = self._catalog.embedder()
        known = await self._made(embedder, texts)
        (wanted,), usage = await embedder.embed([redact(asked)], query=True)
        await self._billed(embedder, usage)
        return await asyncio.to_thread(lambda: [likeness(wanted, known[text]) for text in texts])

    async def close(self) -> None:
        """Stop reading."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)

    def _rest(self, why: str) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        self._trouble = why

    def _learnt(self, embedder: Embedder, texts: Sequence[str]) -> asyncio.Task[None]:
        """Return the task that reads the texts: the one under way, or a new one."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._learn(embedder, tuple(texts)), name="vectors of tools")
            self._learning.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._learning

    async def _learn(self, embedder: Embedder, texts: Sequence[str]) -> None:
        if new := [text for text in texts if text not in self._known]:
            self._known |= await self._made(embedder, new)

    async def _made(self, embedder: Embedder, texts: Sequence[str]) -> dict[str, array[float]]:
        """Return the vectors of texts: the kept ones, and those of the others, kept and paid for as they come."""
        every = tuple(dict.fromkeys(texts))
        found = await asyncio.to_thread(self._vectors.find, embedder.ref, every)
        new = [text for text in every if text not in found]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            vectors, usage = await embedder.embed(list(map(redact, some)))
            made = dict(zip(some, vectors, strict=True))
            found |= made
            await asyncio.to_thread(self._vectors.keep, embedder.ref, made)
            await self._billed(embedder, usage)
        return found

    async def _billed(self, embedder: Embedder, usage: Usage) -> None:
        cost = await asyncio.to_thread(self._catalog.cost, embedder.row.name, embedder.model, usage)
        await self._ledger.enter(BILLED_AS, self._cwd, embedder.ref, usage, cost or 0.0)
