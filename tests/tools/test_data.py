"""Databases are read and held to that; tables are told in short; charts are pictures."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from attache.schema.errors import ApprovalNeeded, FileMissing, FileSkipped, InvalidArguments, PathRefused, ToolError
from attache.tools.reach import Reach


def shop(folder: Path) -> Path:
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, picture BLOB);"
            "INSERT INTO items (name, price, picture) VALUES ('tea', 2.5, x'00ff'), ('coffee' || char(10) || 'beans', NULL, NULL);"
            "CREATE VIEW cheap AS SELECT * FROM items WHERE price < 3;"
        )
    connection.close()
    return path


# ---------------------------------------------------------------- SQLite


async def test_a_database_is_queried(desk) -> None:
    shop(desk.folder)
    output = await desk.call("sql", database="shop.db", query="SELECT name, price, picture FROM items ORDER BY id")
    assert output.data["rows"] == [["tea", 2.5, "x'00ff' (2 bytes)"], ["coffee\nbeans", None, None]]
    assert "coffee⏎beans │ ∅" in output.text
    tables = await desk.call("sql", database="shop.db")
    assert ["table", "items", "id INTEGER, name TEXT, price REAL, picture BLOB"] in tables.data["rows"]
    one = await desk.call("sql", database="shop.db", query="SELECT * FROM items", limit=1)
    assert "more rows" in one.text
    assert len(one.data["rows"]) == 1
    pragma = await desk.call("sql", database="shop.db", query="PRAGMA table_info(items)")
    assert len(pragma.data["rows"]) == 4


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM items",
        "INSERT INTO items (name) VALUES ('x')",
        "UPDATE items SET price = 0",
        "DROP TABLE items",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = ON",
        "SELECT load_extension('x')",
        "SELECT 1; DELETE FROM items",
        "WITH x AS (SELECT 1) DELETE FROM items",
        "UPDATE sqlite_master SET sql = ''",
        "BEGIN IMMEDIATE",
    ],
)
async def test_nothing_that_is_asked_read_only_changes_a_database(desk, query: str) -> None:
    path = shop(desk.folder)
    before = path.read_bytes()
    with pytest.raises(ToolError):
        await desk.call("sql", database="shop.db", query=query)
    assert path.read_bytes() == before
    assert sorted(each.name for each in desk.folder.iterdir()) == ["shop.db"]


async def test_a_query_without_end_is_ended(desk, monkeypatch) -> None:
    shop(desk.folder)
    monkeypatch.setattr("attache.tools.data.sql.SECONDS", 0.5)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(ToolError, match="took longer than"):
        await desk.call("sql", database="shop.db", query=endless)


async def test_a_statement_changes_a_database_by_leave(desk) -> None:
    shop(desk.folder)
    assert desk.tools.find("sql_execute").spec.effect == "outside"
    output = await desk.call("sql_execute", database="shop.db", statement="UPDATE items SET price = 1")
    assert output.text == "2 rows changed"
    again = await desk.call("sql", database="shop.db", query="SELECT sum(price) FROM items")
    assert again.data["rows"] == [[2.0]]
    with pytest.raises(ToolError):
        await desk.call("sql_execute", database="shop.db", statement="ATTACH '../outside.db' AS o")


async def test_what_is_no_database_is_said(desk, tmp_path: Path) -> None:
    desk.write("words.db", "these are words, not tables")
    shop(tmp_path)
    (desk.folder / "link.db").symlink_to(tmp_path / "shop.db")
    with pytest.raises(ToolError, match="neither a SQLite nor a DuckDB file"):
        await desk.call("sql", database="words.db")
    with pytest.raises(FileMissing):
        await desk.call("sql", database="nowhere.db")
    with pytest.raises(PathRefused):
        await desk.call("sql", database="link.db")
    with pytest.raises(PathRefused):
        await desk.call("sql", database="../shop.db")
    with pytest.raises(InvalidArguments, match="only files and postgresql"):
        await desk.call("sql", database="mysql://localhost/x")
    with pytest.raises(InvalidArguments, match="holds no postgresql"):
        await desk.call("sql", database="$NOT_SET")


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server of its own on a socket, as an ordinary user."""
    if not (shutil.which("initdb") and shutil.which("pg_ctl") and shutil.which("psql")):
        pytest.skip("PostgreSQL's server and client are not installed")
    by = ["runuser", "-u", "nobody", "--"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    if by and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    folder = Path(tempfile.mkdtemp(prefix="attache-pg-"))  # pytest's own folders are closed to other users
    if by:
        folder.chmod(0o755)
        shutil.chown(folder, "nobody")
    data = folder / "data"
    made = subprocess.run(
        [*by, "initdb", "-D", data, "-U", "ada", "-A", "trust", "--no-sync"], capture_output=True, text=True, check=False, cwd=folder
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"initdb does not work here: {made.stderr[-200:]}")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    log = folder / "log"
    subprocess.run(
        [*by, "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start"],
        capture_output=True,
        check=True,
        cwd=folder,
    )
    try:
        yield f"postgresql://ada@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*by, "pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True, check=True, cwd=folder
        )
        shutil.rmtree(folder, ignore_errors=True)


async def test_postgres_is_read_in_a_transaction_that_cannot_write(desk, postgres: str) -> None:
    asked = []

    async def permit(title, rows, pattern, _host) -> None:
        asked.append((title, pattern))

    with pytest.raises(ApprovalNeeded):
        await desk.call("sql", database=postgres)
    desk.ctx = replace(desk.ctx, reach=Reach(permit=permit))
    await desk.call("sql_execute", database=postgres, statement="CREATE TABLE t (a int, b text, c numeric)")
    await desk.call(
        "sql_execute", database=postgres, statement="INSERT INTO t VALUES (1, 'it''s; $q$ \\', 1.5), (2, NULL, 2)"
    )
    output = await desk.call("sql", database=postgres, query="SELECT * FROM t ORDER BY a; -- all")
    assert output.data["rows"] == [[1, "it's; $q$ \\", 1.5], [2, None, 2]]
    assert asked[0][1] == "sql local/postgres"
    assert (await desk.call("sql", database=postgres)).data["rows"] == [["public", "t", "a integer, b text, c numeric"]]
    assert "more rows" in (await desk.call("sql", database=postgres, query="SELECT generate_series(1, 1000)")).text
    for query in (
        "DELETE FROM t", "DELETE FROM t RETURNING a", "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", "DROP TABLE t",
        "SELECT 1; DROP TABLE t", "COMMIT; DROP TABLE t", "SET transaction_read_only = off",
        "COPY t TO PROGRAM 'touch /tmp/attache-canary'", "SELECT set_config('transaction_read_only', 'off', false), nextval('x')",
        "SELECT 1 $q$ LOOP END LOOP; DROP TABLE t; $q$", "SELECT * FROM nowhere",
    ):  # fmt: skip
        with pytest.raises(ToolError):
            await desk.call("sql", database=postgres, query=query)
    assert len((await desk.call("sql", database=postgres, query="TABLE t")).data["rows"]) == 2


# ---------------------------------------------------------------- DuckDB, Parquet


@pytest.mark.skipif(not find_spec("duckdb"), reason="duckdb is not installed")
async def test_duckdb_is_read(desk) -> None:
    make = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('CREATE TABLE t AS SELECT 1 AS a'); c.close()"
    )
    subprocess.run([sys.executable, "-c", make, desk.folder / "d.duckdb"], check=True)
    desk.write("words.csv", "a\n1\n")
    assert (await desk.call("sql", database="d.duckdb", query="FROM t")).data["rows"] == [[1]]
    assert (await desk.call("sql", database="d.duckdb")).data["rows"] == [["main", "t", "a INTEGER"]]
    for query in (
        "DELETE FROM t", "SELECT * FROM read_csv('words.csv')", "COPY t TO 'x.csv'", "SELECT 1; SELECT 2",
        "SET enable_external_access = true", "ATTACH 'x.db'", "INSTALL httpfs",
    ):  # fmt: skip
        with pytest.raises(ToolError):
            await desk.call("sql", database="d.duckdb", query=query)


@pytest.mark.skipif(bool(find_spec("duckdb")), reason="duckdb is installed")
async def test_where_duckdb_is_missing_it_is_said_how_to_get_it(desk) -> None:
    desk.write("d.duckdb", b"\0" * 8 + b"DUCK" + b"\0" * 100)
    with pytest.raises(ToolError, match="duckdb is not installed") as refused:
        await desk.call("sql", database="d.duckdb")
    assert "pip install duckdb" in refused.value.hint


@pytest.mark.skipif(not find_spec("pyarrow"), reason="pyarrow is not installed")
async def test_parquet_is_peeked_into(desk) -> None:
    make = "import pyarrow as a, pyarrow.parquet as p, sys; p.write_table(a.table({'n': range(3000), 's': ['x'] * 3000}), sys.argv[1])"
    subprocess.run([sys.executable, "-c", make, desk.folder / "p.parquet"], check=True)
    output = await desk.call("peek_table", path="p.parquet", rows=2, offset=1500)
    assert output.data == {
        "columns": ["n", "s"], "types": ["int64", "string"], "rows": 3000, "shown": [[1500, "x"], [1501, "x"]],
    }  # fmt: skip


# ---------------------------------------------------------------- tables and charts

CSV = 'day;cups;"note, long"\n2026-01-01;3;good\n2026-01-02;;bad\n2026-01-03;5.5;good\n'


async def test_a_table_is_told_in_short_as_it_stands_in_the_editor(desk) -> None:
    desk.write("cups.csv", "old\n")
    desk.open("cups.csv", CSV)
    output = await desk.call("peek_table", path="cups.csv", rows=1, offset=2)
    assert output.data == {
        "columns": ["day", "cups", "note, long"], "rows": 3, "shown": [["2026-01-03", "5.5", "good"]],
    }  # fmt: skip
    rows = [[cell.strip() for cell in line.split("│")] for line in output.text.splitlines()]
    assert ["cups", "number", "1", "3 to 5.5, mean 4.25"] in rows
    assert ["note, long", "text", "0", "good ×2, bad ×1"] in rows


async def test_json_is_a_table_too(desk) -> None:
    desk.write("a.jsonl", '{"a": 1, "b": {"c": 2}}\n\n{"a": 2}\n')
    desk.write("b.json", '{"items": [{"a": 1}], "next": null}')
    lines = await desk.call("peek_table", path="a.jsonl")
    assert lines.data["shown"] == [[1, '{"c": 2}'], [2, None]]
    assert (await desk.call("peek_table", path="b.json")).data["columns"] == ["a"]
    desk.write("bad.jsonl", '{"a": 1}\n{"a"\n')
    with pytest.raises(FileSkipped, match=r"bad\.jsonl:2 is no JSON"):
        await desk.call("peek_table", path="bad.jsonl")
    desk.write("list.json", "[1, 2]")
    with pytest.raises(FileSkipped, match="holds no objects"):
        await desk.call("peek_table", path="list.json")
    desk.write("empty.csv", "")
    assert "0 rows" in (await desk.call("peek_table", path="empty.csv")).text


@pytest.mark.parametrize("kind", ["line", "bar", "scatter"])
async def test_a_chart_is_drawn(desk, kind: str) -> None:
    desk.write("cups.csv", CSV)
    output = await desk.call(
        "chart", data="cups.csv", x="day", y=["cups"], path="cups.svg", kind=kind, title="Cups & more"
    )
    root = ET.fromstring(desk.text("cups.svg"))  # noqa: S314 - we have just written it
    space = "{http://www.w3.org/2000/svg}"
    words = [each.text for each in root.iter(f"{space}text")]
    assert "Cups & more" in words
    assert "2026-01-01" in words
    marks = {"line": "polyline", "bar": "rect", "scatter": "circle"}
    group = root.find(f"{space}g")
    assert group is not None
    assert len(list(group)) == (1 if kind == "line" else 2)
    assert group[0].tag == space + marks[kind]
    assert output.change_set
    again = await desk.call("chart", data="x,y\n1,2\n2,4\n", x="x", y=["y"], path="cups.svg")
    assert again.change_set
    with pytest.raises(InvalidArguments, match="no column 'z'"):
        await desk.call("chart", data="cups.csv", x="day", y=["z"], path="cups.svg")
    with pytest.raises(InvalidArguments, match="only SVG"):
        await desk.call("chart", data="cups.csv", x="day", y=["cups"], path="cups.png")
    with pytest.raises(InvalidArguments, match="no numbers"):
        await desk.call("chart", data="cups.csv", x="day", y=["note, long"], path="cups.svg")
