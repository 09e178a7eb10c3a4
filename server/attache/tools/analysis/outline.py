"""The structure of one file: what it defines, nested as it stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from attache.schema.code import Symbol
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.paging import Offset, paged
from attache.tools.survey import apart, symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, cut, first_line, lines_of

_INNER = frozenset({"variable", "constant", "field", "property", "key"})
SIGNATURE_CHARS = 120


@tool(category="analysis", aliases=("file_outline", "get_outline"), pure=True)
async def outline(
    ctx: Context,
    path: FilePath,
    depth: Annotated[int, Field(ge=1, le=20, description="Levels to show.")] = 3,
    offset: Offset = 0,
) -> ToolOutput:
    """Get what a file defines, nested, with lines, signatures and the first line of each doc. Cheaper than reading it.

    Local variables are left out.
    """
    snapshot = await ctx.workspace.read(path)
    found = await apart(lambda: symbols_in(snapshot.path, snapshot.text))
    lines = len(lines_of(snapshot.text))
    if not found and not _is_known(snapshot.path):
        raise ToolError(f"{snapshot.path}: no grammar here reads such files", hint="read it")
    callables = {each.qualified for each in found if each.kind in {"function", "method"}}
    shown = [each for each in found if not (each.kind in _INNER and each.container in callables)]
    rows = [_row(each) for each in shown if _level(each) < depth]
    head = f"{snapshot.path} · {counted(lines, 'line')} · {counted(len(shown), 'definition')}"
    return ToolOutput(
        text=f"{head}\n{paged(rows, offset)}" if rows else f"{head}\nnothing is defined in it",
        title=f"{snapshot.path} · {counted(len(shown), 'definition')}",
        places=(cited(snapshot.path, 1, lines),),
        data={"path": snapshot.path, "lines": lines, "symbols": [each.model_dump() for each in shown]},
    )


def _is_known(path: str) -> bool:
    from attache.index.languages import languages

    return languages().of(path) is not None


def _level(symbol: Symbol) -> int:
    return symbol.container.count(".") + 1 if symbol.container else 0


def _row(symbol: Symbol) -> str:
    doc = f" — {first_line(symbol.doc, SIGNATURE_CHARS)}" if symbol.doc else ""
    what = symbol.signature or f"{symbol.kind} {symbol.name}"
    return f"{'  ' * _level(symbol)}{symbol.line}-{symbol.end_line} {cut(what, SIGNATURE_CHARS)}{doc}"
