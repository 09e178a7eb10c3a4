"""The index as the server reads it: the database, and over it the files whose text is another now than the stored one.

Those are open buffers, and files that changed on disk a moment ago. They are known to this process alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attache.index.parse import split
from attache.index.scan import read_text
from attache.index.store import Content, connect, fingerprint
from attache.schema.errors import ToolError
from attache.workspace.paths import Root

UNDER = "(:path = '' OR f.path = :path OR substr(f.path, 1, length(:path) + 1) = :path || '/')"
"""SQL for: the file `f` is `path`, or lies below it."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands over the database for one file; empty where the file is gone."""

    lines: Sequence[bytes]
    hash: bytes
    content: Content
    buffer: bool
    """Whether an editor holds it; else it goes when the database has caught up."""


class Reader:
    """The reading side. It waits for the disk, so that one thread of its own runs all of it."""

    def __init__(self, root: Root, database: Path, *, max_file_bytes: int) -> None:
        self._root = root
        self._database = database
        self._max_file_bytes = max_file_bytes
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self.covers: dict[str, Cover] = {}

    def rows(self, query: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query; none while there is no database that can be read."""
        try:
            status = self._database.stat()
            if self._connection is None or self._identity != (status.st_dev, status.st_ino):
                self.close()  # the one that writes may have started another file
                self._connection = connect(self._database)
                self._identity = status.st_dev, status.st_ino
            return self._connection.execute(query, values).fetchall()
        except (OSError, sqlite3.DatabaseError):
            self.close()
            return []

    def close(self) -> None:
        """Let go of the database."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def read(self, path: str) -> bytes | None:
        """Return the text of a file on disk, None where there is none to be read."""
        try:
            return read_text(self._root, path, self._max_file_bytes)
        except ToolError:
            return None

    def lines(self, path: str) -> Sequence[bytes]:
        """Return the lines of a file as the user sees them now."""
        if cover := self.covers.get(path):
            return cover.lines
        return split(self.read(path) or b"")

    def hash(self, path: str) -> bytes | None:
        """Return what tells the stored text of a file from others, None where none is stored."""
        found = self.rows("SELECT hash FROM files WHERE path = ?", (path,))
        return found[0][0] if found else None

    def stale(self, paths: Collection[str]) -> list[str]:
        """Return those files that are not what was stored of them, nor what covers it."""
        found: list[str] = []
        for path in set(paths) - self.covers.keys():
            for size, mtime_ns, hash_ in self.rows("SELECT size, mtime_ns, hash FROM files WHERE path = ?", (path,)):
                try:
                    status = (self._root.path / path).lstat()
                except OSError:
                    found.append(path)
                    continue
                if (status.st_size, status.st_mtime_ns) != (size, mtime_ns) and fingerprint(
                    self.read(path) or b""
                ) != hash_:
                    found.append(path)
        return found

    def cover(self, path: str, cover: Cover) -> None:
        """Put a text over what is stored of a file."""
        self.covers[path] = cover

    def uncover(self, path: str) -> None:
        """Take the text off again."""
        self.covers.pop(path, None)

    def uncover_stored(self) -> None:
        """Take off what the database has caught up with; a buffer stays."""
        for path, cover in tuple(self.covers.items()):
            if not cover.buffer and (self.hash(path) or b"") == cover.hash:
                del self.covers[path]

    def covering_texts(self, paths: Collection[str]) -> dict[str, str | None]:
        """Return the texts that cover files, None for those that stand on disk as they are."""
        covers = self.covers
        return {at: b"\n".join(covers[at].lines).decode("utf-8", "replace") if at in covers else None for at in paths}


def under(path: str, folder: str) -> bool:
    """Return whether a file is `folder`, or lies below it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
