"""Connections to SQLite: how they are made, begun and brought to the newest schema, and what their errors mean.

SQLAlchemy is imported here and in `queries`, which are both imported late: it costs more than the rest of the start.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from attache.foundation.files import private_dir
from attache.schema.errors import StorageError

HEAD: Final = "0003"
"""The newest revision; a test holds it against the migrations."""
BUSY_SECONDS = 30.0
"""How long another process may hold the database before a write fails."""

_HINTS = {
    "not a database": "move the file away; a new one is made at the next start",
    "malformed": "move the file away; what it still holds can be read by `sqlite3 FILE .recover`",
    "locked": f"another process has held it for {BUSY_SECONDS:g} s; end that process",
    "full": "free some space on the disk",
    "readonly": "make the file and its folder writable, or set ATTACHE_HOME to another folder",
    "unable to open": "make the folder writable, or set ATTACHE_HOME to another folder",
}


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of one process to one database whose schema is at HEAD."""

    engine: Engine
    writer: Engine
    """The same, for transactions that write."""
    name: str

    @property
    def single(self) -> bool:
        """Whether there is only one connection, since the database lives in it."""
        return isinstance(self.engine.pool, StaticPool)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Begin a transaction that only reads. Raises StorageError."""
        with _told_plainly(self.name), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Begin a transaction that is committed at the end, and holds the write lock from its start.

        One that takes it only when it first writes fails, without waiting, where another process was faster. Raises
        StorageError.
        """
        with _told_plainly(self.name), self.writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all of them."""
        self.engine.dispose()


def connect(path: Path | None) -> Connections:
    """Open the database at `path`, migrating it where it is older. None: in memory.

    Raises:
        StorageError: the file is no database, is damaged, comes from a newer version, or cannot be opened.
    """
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        _create_private(path)
        engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    writer = engine.execution_options(attache_begin="BEGIN IMMEDIATE")
    connections = Connections(engine, writer, str(path or "the database in memory"))
    try:
        _bring_to_head(connections)
    except BaseException:
        connections.close()
        raise
    return connections


@contextmanager
def _told_plainly(name: str) -> Generator[None]:
    """Turn the driver's errors into StorageError, with what can be done about each."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig)
        hint = next((hint for sign, hint in _HINTS.items() if sign in reason), "see that the file can be written")
        raise StorageError(f"{name}: {reason}", hint=hint) from error


def _create_private(path: Path) -> None:
    """Make the file for the user's eyes only; SQLite gives the files beside it the same rights."""
    try:
        private_dir(path.parent)
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
    except (FileExistsError, NotADirectoryError) as error:
        place = next((each for each in path.parents if each.is_file()), path.parent)
        message = f"{path}: {place} is a file, and a folder is needed there"
        raise StorageError(message, hint="move it away, or set ATTACHE_HOME to another folder") from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint=_HINTS["unable to open"]) from error


def _prepare(connection: Any, _record: object) -> None:
    """Sync every commit of the write-ahead log: what is acknowledged survives a kill and a power cut."""
    connection.isolation_level = None  # transactions are begun by us: the driver would begin them too late
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("attache_begin", "BEGIN"))


def _bring_to_head(connections: Connections) -> None:
    """Migrate the schema where it is older; Alembic is imported only then."""
    with connections.reading() as connection:
        if _revision(connection, connections.name) == HEAD:
            return
    with connections.writing() as connection:
        if _revision(connection, connections.name) == HEAD:
            return  # another process was faster
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "attache.storage:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection, name: str) -> str:
    """Return the schema's revision, empty for a new file. Raises StorageError where it is newer than ours."""
    found = ""
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
    if found > HEAD:
        raise StorageError(
            f"{name}: written by a newer version of Attaché (its revision is {found}, ours {HEAD})",
            hint="upgrade: pip install --upgrade attache-ls",
        )
    return found
