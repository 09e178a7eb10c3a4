"""What the index knows, in one SQLite file that one process writes and any number read.

A file that changed is stored anew under another number. What the old number leaves behind in `uses` and `words` is
dead: found by nobody, and gone when half of the index is.
"""

from __future__ import annotations

import hashlib
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from attache.index.parsed import Parsed
from attache.index.words import indexed
from attache.schema.code import IndexStatus

VERSION = 1
"""Part of the file's name: another form, or other words, start another file."""
BUSY_SECONDS = 10.0
SKIPPED_SHOWN = 50
RETRIEVERS = ("text", "symbol", "exact")
DEAD_LEAST = 5_000
"""So many dead pieces are kept in any case."""

_SCHEMA = """
BEGIN;
CREATE TABLE files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  language TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,   -- -1: changed so lately that its time may not tell the next change
  hash BLOB NOT NULL,
  trouble TEXT NOT NULL        -- why it was left out, or read as plain text; mostly empty
);
CREATE TABLE symbols (         -- ordinal: its place among the definitions of the file
  file INTEGER, ordinal INTEGER, name TEXT, kind TEXT, line INTEGER, column INTEGER, start_line INTEGER,
  end_line INTEGER, container TEXT, signature TEXT, doc TEXT,
  PRIMARY KEY (file, ordinal)
) WITHOUT ROWID;
CREATE INDEX symbols_by_name ON symbols (name COLLATE NOCASE);
CREATE TABLE uses (            -- places: role, line, column and ordinal of the caller, over and over, 4 bytes each
  name TEXT, file INTEGER, places BLOB,
  PRIMARY KEY (name, file)
) WITHOUT ROWID;
CREATE TABLE pieces (          -- owner: ordinal of the symbol it belongs to, -1 where there is none
  id INTEGER PRIMARY KEY, file INTEGER, start_line INTEGER, end_line INTEGER, owner INTEGER
);
CREATE INDEX pieces_by_file ON pieces (file);
CREATE VIRTUAL TABLE words USING fts5 (path, scope, name, doc, body, content='', tokenize='ascii');
CREATE VIRTUAL TABLE frequencies USING fts5vocab (words, row);
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);
COMMIT;
"""


class Known(NamedTuple):
    """What is on record of a file."""

    id: int
    size: int
    mtime_ns: int
    hash: bytes


class PieceWords(NamedTuple):
    """The terms of one piece, field by field as in `words`."""

    path: str
    scope: str
    name: str
    doc: str
    body: str


class Content(NamedTuple):
    """A file as it is stored, and as it travels from one process to another."""

    parsed: Parsed
    words: Sequence[PieceWords]


def folder_of(root: Path, home: Path) -> Path:
    """Return where the index of a folder is kept."""
    name = hashlib.blake2b(str(root).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return home / "index" / name


def database_of(root: Path, home: Path) -> Path:
    """Return the file that holds the index of a folder."""
    return folder_of(root, home) / f"index-{VERSION}.db"


def fingerprint(data: bytes) -> bytes:
    """Return what tells one text from another."""
    return hashlib.blake2b(data, digest_size=16).digest()


def piece_words(path: str, parsed: Parsed, lines: Sequence[bytes]) -> list[PieceWords]:
    """Return the terms of each piece of a file."""
    of_path = indexed(path.rpartition(".")[0].encode() or path.encode())
    rows: list[PieceWords] = []
    scopes = {"": ""}
    documented = -1
    for start_line, end_line, owner in parsed.pieces:
        scope = name = doc = ""
        if owner >= 0:
            definition = parsed.definitions[owner]
            if (container := definition.container) not in scopes:
                scopes[container] = indexed(container.encode())
            scope, name = scopes[container], indexed(definition.name.encode())
            if definition.doc and owner != documented:  # in several pieces, the first carries the documentation
                doc = indexed(definition.doc.encode())
            documented = owner
        rows.append(PieceWords(of_path, scope, name, doc, indexed(b"\n".join(lines[start_line - 1 : end_line]))))
    return rows


def connect(file: Path) -> sqlite3.Connection:
    """Open a database that is there, for reading; what is committed meanwhile shows at the next statement."""
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = 1")
    return connection


class Store:
    """The writing side. What is put is seen by readers after `commit`."""

    def __init__(self, file: Path | None) -> None:
        """Open the database, or make it; None keeps it in memory."""
        self.connection = sqlite3.connect(file or ":memory:", timeout=BUSY_SECONDS, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute("PRAGMA cache_size = -32000")
        self.connection.execute("PRAGMA wal_autocheckpoint = 4000")
        if not self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchone():
            self.connection.executescript(_SCHEMA)
        self._last_piece = self._one("SELECT coalesce(max(id), 0) FROM words_docsize")

    def known(self, paths: Iterable[str] | None = None) -> dict[str, Known]:
        """Return those of the files that are on record, or all that are, by path."""
        query = "SELECT path, id, size, mtime_ns, hash FROM files"
        if paths is None:
            rows = self.connection.execute(query).fetchall()
        else:
            rows = [row for path in paths for row in self.connection.execute(f"{query} WHERE path = ?", (path,))]
        return {row[0]: Known(*row[1:]) for row in rows}

    def put(self, path: str, size: int, mtime_ns: int, hash_: bytes, content: Content) -> None:
        """Store a file in place of what was on record of it."""
        self.drop(path)
        parsed, words = content
        run = self.connection.execute
        many = self.connection.executemany
        number = run(
            "INSERT INTO files (path, language, size, mtime_ns, hash, trouble) VALUES (?, ?, ?, ?, ?, ?)",
            (path, parsed.language, size, mtime_ns, hash_, parsed.trouble),
        ).lastrowid
        many(
            "INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, ordinal, *definition) for ordinal, definition in enumerate(parsed.definitions)],
        )
        many(
            "INSERT INTO uses VALUES (?, ?, ?)",
            [(name, number, array("i", places).tobytes()) for name, places in parsed.uses.items()],
        )
        first = self._last_piece + 1
        self._last_piece += len(parsed.pieces)
        many(
            "INSERT INTO pieces VALUES (?, ?, ?, ?, ?)", [(first + n, number, *p) for n, p in enumerate(parsed.pieces)]
        )
        many(
            "INSERT INTO words (rowid, path, scope, name, doc, body) VALUES (?, ?, ?, ?, ?, ?)",
            [(first + n, *row) for n, row in enumerate(words)],
        )

    def touch(self, path: str, size: int, mtime_ns: int) -> None:
        """Note that a file was written again with the same text."""
        self._begin()
        self.connection.execute("UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", (size, mtime_ns, path))

    def drop(self, path: str) -> None:
        """Forget a file."""
        self._begin()
        number = self.connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if number:
            for table, column in (("files", "id"), ("symbols", "file"), ("pieces", "file")):
                self.connection.execute(f"DELETE FROM {table} WHERE {column} = ?", number)  # noqa: S608 - our own names

    def clear(self) -> None:
        """Forget all files, the dead ones too."""
        self._begin()
        for table in ("files", "symbols", "uses", "pieces"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        self.connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
        self._last_piece = 0

    @property
    def mostly_dead(self) -> bool:
        """Whether more is dead than alive."""
        alive = self._one("SELECT count(*) FROM pieces")
        return self._last_piece - alive > max(alive, DEAD_LEAST)

    def census(
        self, state: Literal["building", "ready"], *, pending: int, skipped: Iterable[tuple[str, str]]
    ) -> IndexStatus:
        """Return what there is, and what is not."""
        rows = self.connection.execute
        troubled = rows("SELECT path, trouble FROM files WHERE trouble != '' LIMIT ?", (SKIPPED_SHOWN,)).fetchall()
        spoken = rows("SELECT language, count(*) FROM files WHERE language != '' GROUP BY 1 ORDER BY 2 DESC, 1")
        return IndexStatus(
            state=state,
            files=self._one("SELECT count(*) FROM files WHERE trouble = ''"),
            symbols=self._one("SELECT count(*) FROM symbols"),
            chunks=self._one("SELECT count(*) FROM pieces"),
            pending=pending,
            skipped=(*skipped, *troubled)[:SKIPPED_SHOWN],
            languages=tuple(spoken),
            retrievers=RETRIEVERS,
        )

    def load(self, key: str) -> str:
        """Return what was saved, empty where nothing was."""
        row = self.connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def save(self, key: str, value: str) -> None:
        """Write a word for the other processes to read."""
        self._begin()
        self.connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    def commit(self) -> None:
        """Let readers see what was put."""
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the database; what was not committed is lost."""
        self.connection.close()

    def _begin(self) -> None:
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")

    def _one(self, query: str) -> int:
        return self.connection.execute(query).fetchone()[0]
