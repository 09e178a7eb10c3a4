"""What the session log asks of the database. Statements are built once, so that SQLAlchemy finds them compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Text, bindparam, case, func, select
from sqlalchemy.dialects.sqlite import insert

from attache.schema.data import SessionId
from attache.schema.models import Usage
from attache.storage.tables import bills, events, sessions

TOKENS = tuple(Usage.model_fields)

_ADD = events.insert()
_BEGIN = sessions.insert()
_ADVANCE = (
    sessions.update()
    .where(sessions.c.id == bindparam("session_id"))
    .values(
        seq=sessions.c.seq + bindparam("count"),
        updated_at=bindparam("at"),
        model=func.coalesce(bindparam("new_model", type_=Text()), sessions.c.model),
        mode=func.coalesce(bindparam("new_mode", type_=Text()), sessions.c.mode),
        title=func.coalesce(
            bindparam("new_title", type_=Text()),
            case((sessions.c.title == "", bindparam("first_title", type_=Text())), else_=sessions.c.title),
        ),
        runs=sessions.c.runs + bindparam("more_runs"),
        cost_usd=sessions.c.cost_usd + bindparam("more_cost_usd"),
        **{name: sessions.c[name] + bindparam(f"more_{name}") for name in TOKENS},
    )
    .returning(sessions.c.seq)
)
_PAY = (
    insert(bills)
    .values(
        session_id=bindparam("of_session"),
        cwd=select(sessions.c.cwd).where(sessions.c.id == bindparam("of_session")).scalar_subquery(),
    )
    .on_conflict_do_nothing()
)
_ENTER = bills.insert()
_READ = (
    select(events)
    .where(events.c.session_id == bindparam("session_id"), events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
)
_SPOKEN = (
    select(events)
    .join(sessions, sessions.c.id == events.c.session_id)
    .where(events.c.type.in_(("run.started", "message.added")))
    .order_by(sessions.c.updated_at.desc(), sessions.c.id, events.c.seq)
)
_LIST = select(sessions).order_by(sessions.c.updated_at.desc(), sessions.c.id.desc())


def begin(connection: Connection, session_id: SessionId, at: float, named: dict[str, Any]) -> None:
    """Add a session without events to the list; `named` are its cwd, model, mode and parent."""
    zeros = dict.fromkeys(("seq", "runs", "cost_usd", *TOKENS), 0)
    born = {"id": session_id, "title": "", "created_at": at, "updated_at": at}
    connection.execute(_BEGIN, {**born, **named, **zeros})


def append(
    connection: Connection, session_id: SessionId, at: float, rows: Sequence[dict[str, Any]], change: dict[str, Any]
) -> int | None:
    """Add rows of (type, body), change the list, and return the last number; None where there is no such session.

    Two statements, however many events there are.
    """
    advanced = {"session_id": session_id, "at": at, "count": len(rows), **change}
    last = connection.execute(_ADVANCE, advanced).scalar()
    if last is not None:
        numbered = enumerate(rows, last - len(rows) + 1)
        connection.execute(_ADD, [{"session_id": session_id, "seq": seq, "at": at, **row} for seq, row in numbered])
    return last


def pay(connection: Connection, session_id: SessionId, bill: dict[str, Any]) -> None:
    """Enter a bill with its session's folder; one that is there already is left as it is."""
    connection.execute(_PAY, {"of_session": session_id, **bill})


def enter(connection: Connection, bill: dict[str, Any]) -> None:
    """Enter a bill that belongs to no session."""
    connection.execute(_ENTER, bill)


def spent(connection: Connection, since: float, **where: str) -> float:
    """Return what the bills since a moment come to in US dollars, of those in which each named column is as given."""
    wanted = select(func.coalesce(func.sum(bills.c.cost_usd), 0.0)).where(bills.c.at >= since)
    for name, value in where.items():
        wanted = wanted.where(bills.c[name] == value)
    return float(connection.execute(wanted).scalar() or 0.0)


def billed(connection: Connection, by: str, since: float) -> Sequence[RowMapping]:
    """Return the sums of all bills since a moment for each value of a column, or each day; the largest cost first."""
    key = func.date(bills.c.at, "unixepoch", "localtime") if by == "day" else bills.c[by]
    sums = [func.sum(bills.c[name]).label(name) for name in (*TOKENS, "cost_usd")]
    wanted = select(key.label("name"), func.count().label("calls"), *sums).where(bills.c.at >= since)
    order = key.desc() if by == "day" else func.sum(bills.c.cost_usd).desc()
    return connection.execute(wanted.group_by(key).order_by(order, key)).mappings().all()


def read(connection: Connection, session_id: SessionId, after: int) -> Sequence[RowMapping]:
    """Return the rows of a session's events with a number above `after`, in order."""
    return connection.execute(_READ, {"session_id": session_id, "after": after}).mappings().all()


def spoken(connection: Connection, words: Sequence[str], **where: str) -> Iterator[RowMapping]:
    """Yield the rows of what people and models said whose body holds every word, as it is stored, in any case."""
    wanted = _SPOKEN
    for word in words:
        wanted = wanted.where(events.c.body.icontains(word, autoescape=True))
    for name, value in where.items():
        wanted = wanted.where(sessions.c[name] == value)
    with connection.execution_options(yield_per=50).execute(wanted) as found:
        yield from found.mappings()


def listed(connection: Connection, **where: str) -> Sequence[RowMapping]:
    """Return the rows of the list in which each named column is as given, the one that was used last first."""
    wanted = _LIST
    for name, value in where.items():
        wanted = wanted.where(sessions.c[name] == value)
    return connection.execute(wanted).mappings().all()


def delete(connection: Connection, session_id: SessionId) -> None:
    """Delete a session; its events go with it."""
    connection.execute(sessions.delete().where(sessions.c.id == session_id))
