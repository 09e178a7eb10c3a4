"""Look into data files: what columns there are, what they hold, some rows; and draw them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import Field

from attache.schema.edits import CreateFile
from attache.schema.errors import FileMissing, FileSkipped, InvalidArguments, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.data.charts import Series, svg
from attache.tools.data.sql import ask
from attache.tools.data.tables import table
from attache.tools.files.files import rewrite
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, cut

ROWS_MOST = 200
COLUMNS_SHOWN = 60
SAMPLE_CHARS = 16_000
POINTS_MOST = 2_000
COMMON = 3
FEW = 12
"""A text column with no more different values than this has them counted."""

Rows = list[dict[str, Any]]


class Table(NamedTuple):
    """A data file as a table: the names of its columns, and its rows by name."""

    columns: list[str]
    rows: Rows
    note: str = ""


@tool(aliases=("csv_peek", "parquet_peek", "read_csv"))
async def peek_table(
    ctx: Context,
    path: Annotated[str, Field(description="CSV, TSV, JSON lines, JSON array or Parquet file.")],
    rows: Annotated[int, Field(ge=0, le=ROWS_MOST, description="Rows to show.")] = 10,
    offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
) -> ToolOutput:
    """Tell of a data file its columns with type, gaps, range and commonest values, how many rows it has, and some."""
    if PurePosixPath(path).suffix.lower() in {".parquet", ".pq"}:
        return await _parquet(ctx, path, rows, offset)
    snapshot = await ctx.workspace.read(path)
    found = await asyncio.to_thread(read_table, snapshot.path, snapshot.text)
    about = await asyncio.to_thread(lambda: [_column(name, found.rows) for name in found.columns[:COLUMNS_SHOWN]])
    page = [[row.get(name) for name in found.columns] for row in found.rows[offset : offset + rows]]
    lines = [f"{snapshot.path}: {counted(len(found.rows), 'row')}, {counted(len(found.columns), 'column')}{found.note}"]
    lines += table(("column", "type", "empty", "values"), about)
    if more := len(found.columns) - COLUMNS_SHOWN:
        lines += [f"[… {counted(more, 'column')} more]"] if more > 0 else []
    if page:
        lines += ["", f"rows {offset + 1} to {offset + len(page)}", *table(found.columns[:COLUMNS_SHOWN], _cut(page))]
    return ToolOutput(
        text="\n".join(lines),
        title=f"{snapshot.path} · {counted(len(found.rows), 'row')}",
        data={"columns": found.columns, "rows": len(found.rows), "shown": page},
    )


def _cut(page: list[list[Any]]) -> list[list[Any]]:
    return [row[:COLUMNS_SHOWN] for row in page]


async def _parquet(ctx: Context, path: str, rows: int, offset: int) -> ToolOutput:
    uri = ctx.workspace.uri(path)
    root, inside = ctx.workspace.place(uri)
    if not (root.path / inside).is_file():
        raise FileMissing(f"{path}: no such file", hint="find it: find(name='*.parquet')")
    if not ctx.workspace.leads_to(uri):
        raise PathRefused(f"{path} leads outside the workspace", hint="name a file inside it")
    answer = await ask(ctx, "parquet", root.path / inside, limit=rows, offset=offset)
    names, types = cast("list[str]", answer["columns"]), cast("list[str]", answer["types"])
    head = f"{path}: {counted(answer['total'], 'row')}, {counted(len(names), 'column')}"
    lines = [head, *table(("column", "type"), list(zip(names, types, strict=True)))]
    lines += ["", f"rows from {offset + 1}", *table(names, answer["rows"])] if answer["rows"] else []
    return ToolOutput(
        text="\n".join(lines),
        title=head,
        data={"columns": names, "types": types, "rows": answer["total"], "shown": answer["rows"]},
    )


# ---------------------------------------------------------------- reading


def read_table(path: str, text: str) -> Table:
    """Read a table's text by what it looks like. Raises FileSkipped where it is none."""
    start = text.lstrip()[:1]
    if path.lower().endswith((".jsonl", ".ndjson")) or (start == "{" and path.lower().endswith(".log")):
        return _of_objects(path, _json_lines(path, text))
    if path.lower().endswith(".json"):
        return _of_objects(path, _json_array(path, text))
    return _csv(path, text)


def _csv(path: str, text: str) -> Table:
    delimiter = _delimiter(text)
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise FileSkipped(f"{path} is no CSV: {error}", hint="read it as text") from None
    if not lines:
        return Table([], [], ", empty")
    named = not any(_number(cell) is not None for cell in lines[0])
    columns = lines[0] if named else [f"column {number}" for number in range(1, len(lines[0]) + 1)]
    columns = [f"{name} ({number})" if columns.count(name) > 1 else name for number, name in enumerate(columns, 1)]
    body = lines[named:]
    odd = sum(len(row) != len(columns) for row in body)
    note = f", {counted(odd, 'row')} of another length" if odd else ""
    return Table(columns, [dict(zip(columns, row, strict=False)) for row in body], note)


def _delimiter(text: str) -> str:
    """Return what parts the cells: the sign that cuts the first lines into most columns, and all into as many."""
    sample = text[:SAMPLE_CHARS].rpartition("\n")[0] or text[:SAMPLE_CHARS]

    def fits(delimiter: str) -> tuple[bool, int]:
        try:
            lengths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
        except csv.Error:
            return False, 0
        return len(set(lengths)) == 1 and lengths[0] > 1, max(lengths, default=0)

    return max(",;\t|", key=fits)


def _json_lines(path: str, text: str) -> list[Any]:
    found: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise FileSkipped(f"{path}:{number} is no JSON: {error}", hint="read it as text") from None
    return found


def _json_array(path: str, text: str) -> list[Any]:
    try:
        held: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileSkipped(f"{path} is no JSON: {error}", hint="read it as text") from None
    if isinstance(held, dict):  # the one list of objects in it, if there is one
        lists: list[Any] = [each for each in cast("dict[str, Any]", held).values() if isinstance(each, list)]
        held = lists[0] if len(lists) == 1 else [held]
    return cast("list[Any]", held) if isinstance(held, list) else [held]


def _of_objects(path: str, held: list[Any]) -> Table:
    if not all(isinstance(each, dict) for each in held):
        raise FileSkipped(f"{path} holds no objects, so there are no columns", hint="read it as text")
    rows = cast("Rows", held)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    flat = [{name: _flat(value) for name, value in row.items()} for row in rows]
    return Table(columns, flat)


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


# ---------------------------------------------------------------- columns


def _column(name: str, rows: Rows) -> tuple[str, str, int, str]:
    """Return what a column is: its name, type, gaps, and its range or its commonest values."""
    values = [value for row in rows if (value := row.get(name)) not in {None, ""}]
    numbers = [number for value in values if (number := _number(value)) is not None]
    gaps = len(rows) - len(values)
    if not values:
        return name, "empty", gaps, ""
    if len(numbers) == len(values):
        kind = "integer" if all(number == int(number) for number in numbers) else "number"
        mean = sum(numbers) / len(numbers)
        return name, kind, gaps, f"{min(numbers):g} to {max(numbers):g}, mean {mean:g}"
    counts = Counter(map(str, values))
    common = ", ".join(f"{cut(value, 30)} ×{count}" for value, count in counts.most_common(COMMON))
    return name, "text", gaps, common if len(counts) <= FEW else f"{len(counts):,} different, {common}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


# ---------------------------------------------------------------- charts


@tool(effect="workspace", aliases=("plot",))
async def chart(
    ctx: Context,
    data: Annotated[str, Field(description="CSV, TSV or JSON file, or CSV text of several lines.")],
    x: Annotated[str, Field(description="Column along the bottom.")],
    y: Annotated[list[str], Field(min_length=1, max_length=8, description="Columns of numbers.")],
    path: Annotated[str, Field(description="File to draw into, ending in .svg.")],
    kind: Annotated[Literal["line", "bar", "scatter"], Field(description="How to draw it.")] = "line",
    title: Annotated[str, Field(description="Written over it.")] = "",
) -> ToolOutput:
    """Draw columns of a table as an SVG picture, which every browser and editor shows."""
    if not path.lower().endswith(".svg"):
        raise InvalidArguments("chart.path: only SVG is drawn here", hint="name a file that ends in .svg")
    found = read_table("data.csv", data) if "\n" in data.strip() else await _table(ctx, data)
    for name in (x, *y):
        if name not in found.columns:
            raise InvalidArguments(f"chart: there is no column {name!r}", hint=f"there are: {', '.join(found.columns)}")
    drawn = svg(list(_series(found.rows, x, y)), kind=kind, title=title, x_name=x)
    try:
        before = await ctx.workspace.read(path)
    except FileMissing:
        change = CreateFile(uri=ctx.workspace.uri(path), text=drawn)
        output = await told(ctx, await ctx.land(f"draw {path}", (change,)))
    else:
        output = await rewrite(ctx, before, drawn, f"draw {path}")
    words = f"{path}: {kind} of {', '.join(y)} by {x}, {counted(len(found.rows), 'row')}"
    return output.model_copy(update={"text": words, "title": words})


async def _table(ctx: Context, path: str) -> Table:
    snapshot = await ctx.workspace.read(path)
    return read_table(snapshot.path, snapshot.text)


def _series(rows: Rows, x: str, names: Sequence[str]) -> Iterator[Series]:
    if len(rows) > POINTS_MOST:
        raise ToolError(f"{counted(len(rows), 'row')} are too many to draw", hint=f"{POINTS_MOST:,} at most: aggregate")
    for name in names:
        points = [(str(row.get(x, "")), number) for row in rows if (number := _number(row.get(name))) is not None]
        if not points:
            raise InvalidArguments(f"chart.y: {name!r} holds no numbers", hint="peek_table tells what it holds")
        yield Series(name, tuple(points))
