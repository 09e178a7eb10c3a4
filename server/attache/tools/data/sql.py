"""SQL on the user's databases: reading by default, held to that by the engine itself; writing only by their leave."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field

from attache.foundation.redact import remember_secret
from attache.schema.errors import FileMissing, InvalidArguments, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.data import querying
from attache.tools.data.tables import table
from attache.tools.testing.testing import python
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, first_line
from attache.workspace.paths import to_path
from attache.workspace.shell import run

SECONDS = 20.0
OUTPUT_BYTES = 8_000_000
ROWS_MOST = 500
_SQLITE_HEAD = b"SQLite format 3\0"
_DUCKDB_MARK = slice(8, 12)
_SQLITE_TABLES = (
    "SELECT m.type, m.name AS \"table\", group_concat(c.name || ' ' || c.type, ', ') AS columns FROM sqlite_master m "
    "JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view') GROUP BY m.name ORDER BY m.name"
)
_OTHER_TABLES = (
    "SELECT table_schema, table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) "
    "AS columns FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
    "GROUP BY 1, 2 ORDER BY 1, 2"
)
_OPTIONS = {"sslmode": "PGSSLMODE", "host": "PGHOST", "port": "PGPORT", "connect_timeout": "PGCONNECT_TIMEOUT"}

Database = Annotated[
    str, Field(min_length=1, description="SQLite or DuckDB file, postgresql:// URL, or $NAME of a variable with one.")
]


@tool(category="data", cost="LOW", aliases=("query", "sql_query"))
async def sql(
    ctx: Context,
    database: Database,
    query: Annotated[str, Field(description="One statement that reads; none lists tables and columns.")] = "",
    limit: Annotated[int, Field(ge=1, le=ROWS_MOST, description="Rows at most.")] = 50,
) -> ToolOutput:
    """Query a database read-only: the engine refuses whatever would change it."""
    if url := _url(ctx, database):
        await ctx.reach.permit(
            f"query {_shown(url)}",
            (("statement", query or "list tables"),),
            f"sql {_shown(url)}",
            urlsplit(url).hostname or "",
        )
        answer = await _postgres(ctx, url, query or _OTHER_TABLES, limit)
    else:
        path = _file(ctx, database)
        engine = _engine(path)
        asked = query or (_SQLITE_TABLES if engine == "sqlite" else _OTHER_TABLES)
        answer = await ask(ctx, engine, path, query=asked, limit=limit, writes=False)
    return _told(database, query, answer)


@tool(category="data", cost="LOW", effect="outside", once=True)
async def sql_execute(
    ctx: Context, database: Database, statement: Annotated[str, Field(min_length=1, description="One statement.")]
) -> ToolOutput:
    """Change a SQLite or PostgreSQL database by one statement. To query one: sql."""
    if url := _url(ctx, database):
        if statement.lstrip().startswith("\\"):  # psql's own commands read and write files, and run programs
            raise InvalidArguments("sql_execute.statement: this is no SQL", hint="one statement, without a backslash")
        done = await _psql(ctx, url, statement)
        return ToolOutput(text=done or "done", title=f"{_shown(url)} · {first_line(statement)}")
    path = _file(ctx, database)
    engine = _engine(path)
    if engine != "sqlite":
        raise ToolError(f"{database}: only SQLite and PostgreSQL are written to", hint="use the shell")
    answer = await ask(ctx, engine, path, query=statement, limit=ROWS_MOST, writes=True)
    output = _told(database, statement, answer)
    changed = counted(answer["changed"], "row")
    return output.model_copy(update={"text": f"{changed} changed" + (f"\n{output.text}" if answer["rows"] else "")})


def _told(database: str, query: str, answer: dict[str, Any]) -> ToolOutput:
    columns, rows = cast("list[str]", answer["columns"]), cast("list[list[Any]]", answer["rows"])
    more = f"\n[… more rows: add LIMIT and OFFSET, or raise limit, at most {ROWS_MOST}]" if answer["more"] else ""
    count = f"{counted(len(rows), 'row')}{' and more' if answer['more'] else ''}"
    return ToolOutput(
        text=("\n".join(table(columns, rows)) if rows else f"no rows ({', '.join(columns)})") + more,
        title=f"{first_line(query or 'tables', 60)} · {count}",
        data={"database": database if "://" not in database else "", "columns": columns, "rows": rows},
    )


# ---------------------------------------------------------------- files


def _file(ctx: Context, path: str) -> Path:
    """Return a database file that lies in the workspace, links followed. Raises PathRefused, FileMissing."""
    uri = ctx.workspace.uri(path)
    root, inside = ctx.workspace.place(uri)
    if not ctx.workspace.leads_to(uri):
        raise PathRefused(f"{path} leads outside the workspace", hint="name a file inside it")
    if not to_path(uri).is_file():
        raise FileMissing(f"{path}: no such file in {root.path}", hint="find it: find(name='*.db')")
    return root.path / inside


def _engine(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(len(_SQLITE_HEAD))
    if head == _SQLITE_HEAD or not head:
        return "sqlite"
    if head[_DUCKDB_MARK] == b"DUCK":
        return "duckdb"
    raise ToolError(f"{path.name} is neither a SQLite nor a DuckDB file", hint="for CSV and Parquet: peek_table")


def interpreter(ctx: Context, module: str) -> str:
    """Return a Python that has a module: ours, or the project's where its folder is trusted. Raises ToolError."""
    if find_spec(module):
        return sys.executable
    folder = ctx.workspace.roots[0].path
    mine = python(folder)
    library = Path(mine).parent.parent / "lib"
    if ctx.settings.trusted and any(library.glob(f"python*/site-packages/{module}")):
        return mine
    where = "" if ctx.settings.trusted else "; the project's own environment is used once you trust the folder"
    raise ToolError(f"{module} is not installed{where}", hint=f"have it installed: pip install {module}")


async def ask(ctx: Context, engine: str, path: Path, **job: Any) -> dict[str, Any]:
    """Put a question to a file, and return the answer. Raises ToolError with the engine's own words."""
    module = {"duckdb": "duckdb", "parquet": "pyarrow"}.get(engine)
    program = interpreter(ctx, module) if module else sys.executable
    asked = json.dumps({"engine": engine, "path": str(path), **job})
    argv = (program, "-I" if program != sys.executable else "-B", querying.__file__)
    done = await run(
        argv, cwd=path.parent, stdin=asked, timeout_seconds=SECONDS, output_limit_bytes=OUTPUT_BYTES
    )  # fmt: skip
    if done.timed_out:
        raise ToolError(f"the query took longer than {SECONDS:g} s and was ended", hint="narrow it, or add a LIMIT")
    try:
        answer = cast("dict[str, Any]", json.loads(done.output))
    except ValueError:
        raise ToolError(f"{engine} failed: {done.output.strip()[-500:]}", hint="ask for less") from None
    if error := answer.get("error"):
        hint = "it may only read; sql_execute changes a database" if "not authorized" in error else ""
        raise ToolError(f"{path.name}: {error}", hint=hint)
    return answer


# ---------------------------------------------------------------- PostgreSQL


def _url(ctx: Context, database: str) -> str:
    """Return the URL that is meant, "" for a file. Raises InvalidArguments for a variable without one."""
    if database.startswith("$"):
        url = ctx.settings.env(database[1:])
        if not url.startswith(("postgres://", "postgresql://")):
            raise InvalidArguments(f"database: {database} holds no postgresql:// URL", hint="name a file, or set it")
        return url
    if "://" in database and not database.startswith(("postgres://", "postgresql://")):
        raise InvalidArguments(
            "database: only files and postgresql:// are reached", hint="for others use their own client in the shell"
        )
    return database if "://" in database else ""


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'local'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _environment(url: str) -> dict[str, str]:
    """Return what libpq reads: a password never stands in an argv, where others could see it."""
    parts = urlsplit(url)
    if parts.password:
        remember_secret(unquote(parts.password), "database password")
    named = {
        "PGHOST": parts.hostname or "", "PGPORT": str(parts.port or ""), "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""), "PGDATABASE": unquote(parts.path.lstrip("/")),
        **{_OPTIONS[name]: values[-1] for name, values in parse_qs(parts.query).items() if name in _OPTIONS},
    }  # fmt: skip
    return {"PGCONNECT_TIMEOUT": "5", **{name: value for name, value in named.items() if value}}


async def _postgres(ctx: Context, url: str, query: str, limit: int) -> dict[str, Any]:
    """Query in a read-only transaction, through a cursor that takes one statement and hands out so many rows."""
    mark, inner, outer = (secrets.token_hex(12) for _ in range(3))  # nothing that a query says can end its quotes
    body = (
        f"DECLARE r record; n int := 0; BEGIN FOR r IN EXECUTE $q{inner}$ {query.rstrip().rstrip(';')} $q{inner}$ LOOP "
        f"RAISE NOTICE '{mark}%', row_to_json(r)::text; n := n + 1; EXIT WHEN n > {limit}; END LOOP; END"
    )
    told = await _psql(
        ctx, url, "BEGIN TRANSACTION READ ONLY; SET LOCAL client_min_messages = notice; "
        f"SET LOCAL statement_timeout = '{SECONDS:.0f}s'; DO $d{outer}$ {body} $d{outer}$; ROLLBACK",
    )  # fmt: skip
    found = [json.loads(line.partition(mark)[2]) for line in told.splitlines() if mark in line]
    rows = [[querying.plain(value) for value in row.values()] for row in found]
    return {"columns": list(found[0]) if found else [], "rows": rows[:limit], "more": len(rows) > limit}


async def _psql(ctx: Context, url: str, command: str) -> str:
    """Return what psql says. Raises ToolError with its words where it fails."""
    if not shutil.which("psql"):
        raise ToolError("psql is not installed", hint="have PostgreSQL's client installed: postgresql-client, libpq")
    argv = ("psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--csv", "--command", command)
    done = await run(
        argv, cwd=ctx.workspace.roots[0].path, env={**_environment(url), "PSQL_PAGER": "", "PGOPTIONS": ""},
        timeout_seconds=SECONDS + 5, output_limit_bytes=OUTPUT_BYTES,
    )  # fmt: skip
    if done.exit_code or done.timed_out:
        lines = [line for line in done.output.splitlines() if "CONTEXT:" not in line and "NOTICE:" not in line]
        raise ToolError(f"{_shown(url)}: {' '.join(lines)[:600] or 'psql failed'}", hint="one statement that reads")
    return done.output.replace(os.linesep, "\n")
