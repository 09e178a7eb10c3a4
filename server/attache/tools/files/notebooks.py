"""Change a notebook cell by cell, its JSON kept as it is written."""

from __future__ import annotations

import json
import re
import secrets
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from attache.schema.errors import InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath, Title, rewrite
from attache.tools.files.rendered import notebook
from attache.tools.tool import Context, tool
from attache.tools.wording import counted

IDS_SINCE = 5
"""The minor version of format 4 from which on cells have ids."""
_INDENT = re.compile(r"\{\n( +|\t+)")


@tool(category="files", effect="workspace", aliases=("notebook_edit",))
async def edit_cell(
    ctx: Context,
    path: FilePath,
    cell: Annotated[int, Field(ge=1, description="Its number, from 1, as read shows it.")],
    content: Annotated[str, Field(description="The cell's new text.")] = "",
    action: Annotated[
        Literal["replace", "insert", "delete"], Field(description="insert: a new cell that gets this number.")
    ] = "replace",
    kind: Annotated[Literal["code", "markdown"], Field(description="Of a new cell.")] = "code",
    title: Title = "",
) -> ToolOutput:
    """Replace, insert or delete a cell of a Jupyter notebook. Outputs of a cell that is replaced are cleared."""
    before = await ctx.workspace.read(path)
    book = notebook(before.text, before.path)
    cells = cast("list[dict[str, Any]]", book["cells"])
    last = len(cells) + (action == "insert")
    if cell > last:
        raise InvalidArguments(
            f"edit_cell.cell: {before.path} has {counted(len(cells), 'cell')}", hint=f"1 to {last} can be named"
        )
    lines = content.splitlines(keepends=True)
    if action == "delete":
        del cells[cell - 1]
    elif action == "insert":
        cells.insert(cell - 1, _new(book, kind, lines))
    else:
        changed = cells[cell - 1]
        changed["source"] = lines
        if changed.get("cell_type") == "code":
            changed |= {"outputs": [], "execution_count": None}
    return await rewrite(ctx, before, _written(before.text, book), title or f"{action} cell {cell}")


def _new(book: dict[str, Any], kind: str, lines: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": lines}
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    if book.get("nbformat_minor", 0) >= IDS_SINCE:
        made["id"] = secrets.token_hex(4)
    return dict(sorted(made.items()))


def _written(before: str, book: dict[str, Any]) -> str:
    """Return the JSON in the way in which the notebook was written before: indentation, escapes, last line end."""
    indent = _INDENT.search(before)
    plain = before.isascii() and "\\u" in before
    text = json.dumps(book, indent=indent[1] if indent else None, ensure_ascii=plain)
    return text + "\n" if before.endswith("\n") else text
