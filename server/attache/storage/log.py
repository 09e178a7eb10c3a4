"""The session log: events appended before anything acts on them, and read back in order."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from attache.foundation.redact import redact_data
from attache.schema.data import SessionId
from attache.schema.errors import StorageError
from attache.schema.events import Entry, Event, MessageAdded, RunStarted, SessionConfigured, SessionCreated
from attache.schema.messages import Message, Text
from attache.schema.models import Usage
from attache.schema.session import Said, SessionInfo
from attache.storage.database import Database
from attache.storage.ledger import person, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

EXCERPT = 120
"""Characters that an excerpt shows from the word on; a third as many before it."""
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class SessionLog:
    """All sessions of one database."""

    def __init__(self, database: Database) -> None:
        """Stand on a database that is open."""
        from attache.storage import queries  # SQLAlchemy is there since the database was opened

        self._database = database
        self._queries = queries

    async def append(self, session_id: SessionId, happened: Sequence[Event]) -> tuple[Entry, ...]:
        """Append the durable ones of `happened`; return them numbered and free of secrets once they cannot be lost.

        The first event of a session is `session.created`.

        Raises:
            StorageError: there is no such session, or the database cannot be written.
        """
        at = time.time()
        clean = [_clean(event) for event in happened if event.durable]
        if not clean:
            return ()
        kept = [event for event, _ in clean]
        rows = [{"type": event.type, "body": body} for event, body in clean]
        bills = [_bill(event, at) for event in kept if isinstance(event, MessageAdded) and event.bill]

        def work(connection: Connection) -> int:
            if isinstance(kept[0], SessionCreated):
                self._queries.begin(connection, session_id, at, _named(kept[0]))
            last = self._queries.append(connection, session_id, at, rows, _change(kept))
            for bill in bills:
                self._queries.pay(connection, session_id, bill)
            if last is None:
                raise StorageError(
                    f"there is no session {session_id}", hint="it may have been deleted; begin a new one"
                )
            return last

        first = await self._database.write(work) - len(kept) + 1
        return tuple(
            Entry.model_construct(session_id=session_id, seq=seq, at=at, event=event)
            for seq, event in enumerate(kept, first)
        )

    async def read(self, session_id: SessionId, after: int = 0) -> tuple[Entry, ...]:
        """Return the events with a number above `after`, in order; none where there is no such session.

        Raises:
            StorageError: the database cannot be read, or an event is none that this version knows.
        """
        rows = await self._database.read(lambda connection: self._queries.read(connection, session_id, after))
        return tuple(_entry(row) for row in rows)

    async def sessions(self, cwd: str | None = None) -> tuple[SessionInfo, ...]:
        """Return the sessions of a folder, or all, the one that was used last first. Raises StorageError."""
        where = {} if cwd is None else {"cwd": storable(cwd)}
        rows = await self._database.read(lambda connection: self._queries.listed(connection, **where))
        return tuple(_info(row) for row in rows)

    async def search(self, text: str, cwd: str | None = None, limit: int = 50) -> tuple[Said, ...]:
        """Return where all words of `text` were said, the first place of each session, those used last first.

        Words are found in any case, also inside of others. Raises StorageError.
        """
        words = text.casefold().split()
        if not words:
            return ()
        where = {} if cwd is None else {"cwd": storable(cwd)}
        plain = [word for word in words if word.isascii() and word.isprintable() and not {'"', "\\"} & set(word)]

        def work(connection: Connection) -> list[Said]:
            found: dict[str, tuple[Entry, str]] = {}
            for row in self._queries.spoken(connection, plain, **where):
                if row["session_id"] in found:
                    continue
                entry = _entry(row)
                said = _spoken(entry)
                if said and all(word in said.casefold() for word in words):
                    found[entry.session_id] = entry, said
                if len(found) == limit:
                    break
            infos = {row["id"]: _info(row) for row in self._queries.listed(connection)}
            return [_said(infos[name], entry, said, words[0]) for name, (entry, said) in found.items()]

        return tuple(await self._database.read(work))

    async def info(self, session_id: SessionId) -> SessionInfo | None:
        """Return one row of the list. Raises StorageError."""
        rows = await self._database.read(lambda connection: self._queries.listed(connection, id=session_id))
        return _info(rows[0]) if rows else None

    async def last(self, session_id: SessionId) -> int:
        """Return the number of a session's last event, 0 where there is no such session. Raises StorageError."""
        rows = await self._database.read(lambda connection: self._queries.listed(connection, id=session_id))
        return int(rows[0]["seq"]) if rows else 0

    async def delete(self, session_id: SessionId) -> None:
        """Delete a session with all its events; one that is not there is no error. Raises StorageError."""
        await self._database.write(lambda connection: self._queries.delete(connection, session_id))


def _spoken(entry: Entry) -> str:
    """Return what a person or a model said in an event, without what tools answered."""
    match entry.event:
        case RunStarted(parts=parts):
            return " ".join(part.text for part in parts if isinstance(part, Text))
        case MessageAdded(message=message) if message.role == "assistant":
            return message.text
        case _:
            return ""


def _said(info: SessionInfo, entry: Entry, said: str, word: str) -> Said:
    at = max(said.casefold().find(word), 0)
    begin, end = max(at - EXCERPT // 3, 0), at + EXCERPT
    excerpt = " ".join(said[begin:end].split())
    role = "user" if isinstance(entry.event, RunStarted) else "assistant"
    return Said(
        session=info, seq=entry.seq, role=role,
        excerpt=f"{'…' * (begin > 0)}{excerpt}{'…' * (end < len(said))}",
    )  # fmt: skip


def _clean(event: Event) -> tuple[Event, str]:
    """Return an event without secrets, and as it is stored."""
    dumped = event.model_dump(mode="json")
    clean = redact_data(dumped)
    # Escapes throughout: half a surrogate pair, which a tool may well have read somewhere, has no other spelling.
    return event if clean == dumped else _EVENT.validate_python(clean), json.dumps(clean)


def _named(event: SessionCreated) -> dict[str, Any]:
    return {"cwd": storable(event.cwd), "model": event.model, "mode": event.mode, "parent": event.parent}


def _change(happened: Sequence[Event]) -> dict[str, Any]:
    """Fold events into what they change in the session's row of the list."""
    usage, cost, runs = Usage(), 0.0, 0
    model = mode = title = None
    first_title = ""
    for event in happened:
        match event:
            case SessionConfigured():
                model, mode, title = event.model or model, event.mode or mode, event.title or title
            case RunStarted():
                runs += 1
                first_title = first_title or event.title or Message(role="user", parts=event.parts).title
            case MessageAdded():
                usage, cost = usage + (event.usage or Usage()), cost + event.cost_usd
            case _:
                pass
    named = {"new_model": model, "new_mode": mode, "new_title": title and storable(title)}
    sums = {f"more_{name}": count for name, count in usage.model_dump().items()}
    return {**named, "first_title": storable(first_title), **sums, "more_runs": runs, "more_cost_usd": cost}


def _bill(event: MessageAdded, at: float) -> dict[str, Any]:
    usage = event.usage or Usage()
    named = {"id": event.bill, "at": at, "model": storable(event.message.model), "person": person()}
    return {**named, **usage.model_dump(), "cost_usd": event.cost_usd}


def _entry(row: RowMapping) -> Entry:
    try:
        event = _EVENT.validate_python(json.loads(row["body"]))
    except ValueError as error:
        raise StorageError(
            f"event {row['seq']} ({row['type']}) of session {row['session_id']} cannot be read",
            hint="a newer version of Attaché may have written it, or the file is damaged",
        ) from error
    return Entry.model_construct(session_id=row["session_id"], seq=row["seq"], at=row["at"], event=event)


def _info(row: RowMapping) -> SessionInfo:
    plain = {name: row[name] for name in SessionInfo.model_fields if name in row}
    usage = {name: row[name] for name in Usage.model_fields}
    return SessionInfo.model_validate({**plain, "usage": usage})
