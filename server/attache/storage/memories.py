"""What the agent remembers of a project from one session to the next, free of secrets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attache.foundation.ids import new_id
from attache.foundation.redact import redact
from attache.schema.data import Record
from attache.schema.errors import ToolError
from attache.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEPT = 1_000
"""Memories of one project; then one has to be forgotten for each that is new."""


class Memory(Record):
    """One thing worth knowing the next time."""

    id: str
    text: str
    tags: tuple[str, ...] = ()
    at: float
    """Seconds since the epoch."""


class Memories:
    """The memories of one project."""

    def __init__(self, database: Database, project: str) -> None:
        """Stand on an open database; a project goes by its folder."""
        self._database = database
        self._project = project.encode("utf-8", "replace").decode()

    async def remember(self, text: str, tags: Sequence[str] = ()) -> Memory:
        """Keep a text, once. Raises ToolError where too many are kept, StorageError."""
        from attache.storage.tables import memories

        known = await self.all()
        clean = redact(text.strip().encode("utf-8", "replace").decode())
        if same := next((each for each in known if each.text == clean), None):
            return same
        if len(known) >= KEPT:
            raise ToolError(f"{KEPT:,} things are remembered of this project already", hint="forget some first")
        new = Memory(id=new_id("m"), text=clean, tags=tuple(dict.fromkeys(tags)), at=time.time())
        row = {**new.model_dump(), "tags": " ".join(new.tags), "project": self._project}
        await self._database.write(lambda connection: connection.execute(memories.insert(), row).rowcount)
        return new

    async def all(self) -> tuple[Memory, ...]:
        """Return everything that is remembered, the newest first. Raises StorageError."""
        from attache.storage.tables import memories

        def work(connection: Connection) -> tuple[Memory, ...]:
            wanted = memories.select().where(memories.c.project == self._project)
            rows = connection.execute(wanted.order_by(memories.c.at.desc(), memories.c.id.desc())).mappings()
            return tuple(
                Memory(id=row["id"], text=row["text"], tags=tuple(row["tags"].split()), at=row["at"]) for row in rows
            )

        return await self._database.read(work)

    async def forget(self, memory_id: str) -> bool:
        """Forget one thing; return whether it was there. Raises StorageError."""
        from attache.storage.tables import memories

        gone = memories.delete().where(memories.c.project == self._project, memories.c.id == memory_id)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount) > 0
