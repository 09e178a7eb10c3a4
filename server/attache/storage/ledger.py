"""What models have cost: by model, session, day, project and person, and what is spent of a budget."""

from __future__ import annotations

import getpass
import time
from functools import cache
from typing import Literal

from attache.foundation.ids import new_id
from attache.schema.data import Record
from attache.schema.models import Usage
from attache.storage.database import Database

By = Literal["model", "session", "day", "project", "user"]
_COLUMNS: dict[By, str] = {
    "model": "model", "session": "session_id", "day": "day", "project": "cwd", "user": "person",
}  # fmt: skip


class Spending(Record):
    """One line of an account."""

    name: str
    """Of the model, the session, the day (YYYY-MM-DD), the folder or the person."""
    calls: int
    usage: Usage
    cost_usd: float


class Ledger:
    """The bills of one database; they are written by the session log, with the events they belong to."""

    def __init__(self, database: Database) -> None:
        """Stand on a database that is open."""
        from attache.storage import queries  # SQLAlchemy is there since the database was opened

        self._database = database
        self._queries = queries

    async def spent(self, since: float = 0.0, *, session: str = "", project: str = "", user: str = "") -> float:
        """Return what was spent since a moment (seconds since the epoch) in US dollars, by whom and where named.

        Raises StorageError.
        """
        named = {"session_id": session, "cwd": project, "person": user}
        where = {name: value for name, value in named.items() if value}
        return await self._database.read(lambda connection: self._queries.spent(connection, since, **where))

    async def enter(self, what: str, project: str, model: str, usage: Usage, cost_usd: float) -> None:
        """Enter the bill of a call that belongs to no session; `what` it was for stands in its place.

        Raises StorageError.
        """
        bill = {
            "id": new_id("b"),
            "at": time.time(),
            "session_id": what,
            "cwd": storable(project),
            "model": storable(model),
            "person": person(),
            "cost_usd": cost_usd,
            **usage.model_dump(),
        }
        await self._database.write(lambda connection: self._queries.enter(connection, bill))

    async def account(self, by: By, since: float = 0.0) -> tuple[Spending, ...]:
        """Return a line for each model, session, day, project or user, the dearest first. Raises StorageError."""
        column = _COLUMNS[by]
        rows = await self._database.read(lambda connection: self._queries.billed(connection, column, since))
        return tuple(
            Spending(
                name=row["name"],
                calls=row["calls"],
                usage=Usage(**{name: row[name] for name in Usage.model_fields}),
                cost_usd=row["cost_usd"],
            )
            for row in rows
        )


def storable(text: str) -> str:
    """Return `text` as UTF-8 can hold it: the name of a folder may be other bytes."""
    return text.encode("utf-8", "replace").decode()


@cache
def person() -> str:
    """Return who is logged in on this machine, empty where it does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
