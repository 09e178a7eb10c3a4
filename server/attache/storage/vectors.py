"""Vectors on disk, found by the model that made them and by a digest of the text: no text is read by it twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from attache.foundation.files import private_dir

MOST = 20_000
"""Vectors that are kept; those made longest ago go first."""
_BUSY_SECONDS = 5.0
_AT_ONCE = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
  id INTEGER PRIMARY KEY, model TEXT, digest BLOB, vector BLOB,  -- four bytes a number, as this machine has them
  UNIQUE (model, digest)
)
"""


def digest(text: str) -> bytes:
    """Return what stands for a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


class Vectors:
    """The vectors of one home. Everything here blocks; a disk that fails keeps nothing, and says nothing."""

    def __init__(self, home: Path) -> None:
        self._path = home / "vectors.sqlite"

    def find(self, model: str, texts: Sequence[str]) -> dict[str, array[float]]:
        """Return the vectors that are kept for any of the texts."""
        by_digest = {digest(text): text for text in texts}
        found: dict[str, array[float]] = {}
        if not self._path.exists():
            return found
        wanted = list(by_digest)
        with suppress(OSError, sqlite3.Error), closing(self._connect()) as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                query = f"SELECT digest, vector FROM vectors WHERE model = ? AND digest IN ({marks})"  # noqa: S608 - only marks
                for key, blob in connection.execute(query, (model, *some)):
                    found[by_digest[key]] = array("f", blob)
        return found

    def keep(self, model: str, vectors: Mapping[str, array[float]]) -> None:
        """Keep the vectors of texts."""
        rows = [(model, digest(text), vector.tobytes()) for text, vector in vectors.items()]
        with suppress(OSError, sqlite3.Error):
            private_dir(self._path.parent)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            with closing(self._connect()) as connection, connection:
                connection.execute(_SCHEMA)
                connection.executemany("REPLACE INTO vectors (model, digest, vector) VALUES (?, ?, ?)", rows)
                connection.execute("DELETE FROM vectors WHERE id <= (SELECT max(id) FROM vectors) - ?", (MOST,))

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
