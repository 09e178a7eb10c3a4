"""Ask a SQLite, DuckDB or Parquet file, as a process of its own that can be ended at any time.

Run by path, so that it starts in milliseconds and in any interpreter: it may import nothing of ours. The job comes as
JSON on stdin, the answer goes out as JSON. A job that may only read is held to that by the engine, not by its words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

VALUE_CHARS = 300
BYTES_SHOWN = 20
_NO_FUNCTIONS = frozenset({"load_extension", "writefile", "readfile", "edit", "fts3_tokenizer", "fsdir"})
_PRAGMAS = frozenset({
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "database_list", "collation_list", "function_list", "encoding", "user_version", "page_count", "page_size",
    "freelist_count", "schema_version", "compile_options", "journal_mode",
})  # fmt: skip
_WITHOUT_ARGUMENT = frozenset({"journal_mode", "user_version", "schema_version", "encoding", "page_size"})


def sqlite(job: dict[str, Any]) -> dict[str, Any]:
    """Answer a job on SQLite: opened read-only, with every action but reading denied, unless it may write."""
    import sqlite3

    writes = bool(job["writes"])
    uri = f"{Path(job['path']).as_uri()}?mode={'rw' if writes else 'ro'}"
    connection = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)

    def may(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_DENY if (second or "").lower() in _NO_FUNCTIONS else sqlite3.SQLITE_OK
        if writes:
            outside = action in {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
            return sqlite3.SQLITE_DENY if outside else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA:
            name = (first or "").lower()
            allowed = name in _PRAGMAS and not (second and name in _WITHOUT_ARGUMENT)
            return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            return sqlite3.SQLITE_OK  # so the engine declares pragma_table_info() to itself; a real one it refuses
        reading = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
        return sqlite3.SQLITE_OK if action in reading else sqlite3.SQLITE_DENY

    connection.text_factory = _text
    connection.set_authorizer(may)
    cursor = connection.execute(job["query"])
    answer = _answer(cursor, job["limit"])
    answer["changed"] = max(cursor.rowcount, 0) if writes else 0
    return answer


def duckdb(job: dict[str, Any]) -> dict[str, Any]:
    """Answer a job on DuckDB: the file read-only, no other file in reach, the settings locked. It may not write."""
    engine: Any = import_module("duckdb")  # the user's own, where there is one
    connection = engine.connect(job["path"], read_only=True)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    statements = engine.extract_statements(job["query"])
    if len(statements) != 1:
        raise ValueError("one statement at a time")
    return _answer(connection.execute(statements[0]), job["limit"])


def parquet(job: dict[str, Any]) -> dict[str, Any]:
    """Tell the columns of a Parquet file, how many rows it has, and some of them from an offset on."""
    reader: Any = import_module("pyarrow.parquet")
    file = reader.ParquetFile(job["path"])
    schema = file.schema_arrow
    rows: list[list[Any]] = []
    skip = job["offset"]
    for batch in file.iter_batches(batch_size=1_000):
        taken = batch.slice(skip, job["limit"] - len(rows)) if skip < batch.num_rows else batch.slice(0, 0)
        skip = max(skip - batch.num_rows, 0)
        rows += [[plain(row[name]) for name in schema.names] for row in taken.to_pylist()]
        if len(rows) >= job["limit"]:
            break
    types = [str(field.type) for field in schema]
    return {"columns": list(schema.names), "types": types, "rows": rows, "total": file.metadata.num_rows}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _answer(cursor: Any, limit: int) -> dict[str, Any]:
    columns = [str(each[0]) for each in cursor.description or ()]
    rows: list[Any] = cursor.fetchmany(limit + 1) if columns else []
    shown = [[plain(value) for value in row] for row in cast("Sequence[Sequence[Any]]", rows[:limit])]
    return {"columns": columns, "rows": shown, "more": len(rows) > limit}


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: long text and bytes cut, other kinds as text."""
    if isinstance(value, bytes):
        return f"x'{value[:BYTES_SHOWN].hex()}{'…' if len(value) > BYTES_SHOWN else ''}' ({len(value)} bytes)"
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= VALUE_CHARS else f"{text[:VALUE_CHARS]}… (+{len(text) - VALUE_CHARS})"


def main() -> None:
    """Answer the job on stdin."""
    job = json.load(sys.stdin)
    try:
        answer = {"sqlite": sqlite, "duckdb": duckdb, "parquet": parquet}[job["engine"]](job)
    except Exception as error:  # noqa: BLE001 - the edge of the process: the engine's own words are the answer
        answer = {"error": f"{error}"}
    sys.stdout.write(json.dumps(answer, default=str))


if __name__ == "__main__":
    main()
