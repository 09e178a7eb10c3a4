"""The tables as queries see them; the migrations make them, and a test holds one against the other."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("cwd", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("parent", String(40)),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Index("sessions_by_folder", "cwd", "updated_at"),
)
"""What the session list shows: a projection of the events, kept in the transaction that appends them.

`seq` is the number of the session's last event.
"""

events = Table(
    "events",
    metadata,
    Column("session_id", String(40), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("type", String(40), nullable=False),
    Column("body", Text, nullable=False),
)
"""The truth: one row an event, numbered from 1 in each session."""

memories = Table(
    "memories",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("project", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Index("memories_by_project", "project", "at"),
)
"""What the agent was told to remember of a project, beyond any session; the tags have blanks between."""

bills = Table(
    "bills",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("session_id", String(40), nullable=False),
    Column("cwd", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Index("bills_by_time", "at"),
    Index("bills_by_session", "session_id"),
)
"""What each call of a model used and cost: written with its event, once whoever tells it again, and kept when the
session is deleted.
"""
