"""Search the workspace: lines by regex, and by the index places for a question, names and their uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from attache.index.languages import languages
from attache.schema.code import Hit, Reference, Symbol
from attache.schema.errors import InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.files.files import is_folder
from attache.tools.lines import FileLines, Found, Query, lines_matching
from attache.tools.meaning import sorted_by_meaning
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, cut, first_line, lines_of, listed, numbered
from attache.workspace.walk import NO_TEXT

if TYPE_CHECKING:
    from attache.index.client import Index
    from attache.index.folders import Indexes

LINES_SHOWN = 100
"""Matching lines of one grep."""
FILES_TALLIED = 12
SIGNATURE_CHARS = 200
LEFT_OUT_SHOWN = 3
HIT_LINES = 12
"""Lines of one hit; the whole is a read away."""
READY_SECONDS = 20.0
NAMED_SECONDS = 2.0
"""A name is looked up first of all while the index is built, so that it is worth less waiting for."""
"""How long a question waits for an index that is still being built."""

Folder = Annotated[str, Field(description="File or folder.")]
Limit = Annotated[int, Field(ge=1, le=500, description="Results at most.")]


@tool(aliases=("grep_search", "search_text", "ripgrep"))
async def grep(
    ctx: Context,
    pattern: Annotated[str, Field(min_length=1, description="Python regex, matched within a line.")],
    path: Folder = "",
    glob: Annotated[str, Field(description="Only files like `*.py`.")] = "",
    literal: Annotated[bool, Field(description="Take the pattern as it stands.")] = False,
    ignore_case: Annotated[bool, Field(description="a matches A.")] = False,
    context: Annotated[int, Field(ge=0, le=20, description="Lines around each hit.")] = 0,
) -> ToolOutput:
    """Find the lines that match, unsaved text included."""
    query = Query(pattern, literal=literal, ignore_case=ignore_case, context=context, limit=LINES_SHOWN)
    found = await lines_matching(ctx, query, path, glob)
    shown = [(each.path, number, text) for each in found.files for number, text, matches in each.lines if matches]
    more = found.count - len(shown)
    hits = f"{counted(found.count, 'hit')} in {counted(len(found.files), 'file')}"
    rest = [f"[… {counted(more, 'hit')} more: narrow the path, glob or regex. {_tally(found)}]"] if more else []
    return ToolOutput(
        text="\n".join((hits, *(_block(each) for each in found.files if each.lines), *rest, *found.notes)),
        title=f"`{first_line(pattern)}` · {hits}",
        places=tuple(cited(path, number) for path, number, _ in shown),
        data={
            "hits": found.count,
            "files": {each.path: each.count for each in found.files},
            "lines": [{"path": path, "line": number, "text": text} for path, number, text in shown],
        },
    )


def _block(found: FileLines) -> str:
    """Return a file's lines under its name: `12:` matches, `13-` stands near."""
    rows = (f"{number}{':' if matches else '-'}{text}" for number, text, matches in found.lines)
    return "\n".join((f"{found.path}:{found.lines[0][0]}-{found.lines[-1][0]}", *rows))


def _tally(found: Found) -> str:
    most = [f"{each.path} {each.count}" for each in sorted(found.files, key=lambda each: -each.count)]
    return f"By file: {', '.join(most[:FILES_TALLIED])}" + (" …" if len(most) > FILES_TALLIED else "")


@tool(cost="LOW", aliases=("codebase_search", "semantic_search", "code_search"))
async def search(
    ctx: Context,
    query: Annotated[str, Field(min_length=1, description="Words, names or a question.")],
    limit: Limit = 8,
) -> ToolOutput:
    """Find the code that a question is about, the likeliest first. For exact text use grep."""
    index, note = await _ready(ctx)
    hits = await index.search(query, k=limit)
    note = "\n".join(part for part in (note, _left_out(index, every=not hits)) if part)
    return ToolOutput(
        text=_told([_hit(each) for each in hits], f"nothing found for `{query}`", note),
        title=f"`{first_line(query)}` · {_count('hit', hits)}",
        places=tuple(cited(each.path, each.start_line, each.end_line) for each in hits),
        data={"hits": [each.model_dump(exclude={"text"}) for each in hits]},
    )


def _hit(hit: Hit) -> str:
    shown = lines_of(hit.text)
    head = f"{hit.path}:{hit.start_line}-{hit.end_line} {hit.symbol}".rstrip()
    more = [f"[… {counted(len(shown) - HIT_LINES, 'line')} more]"] if len(shown) > HIT_LINES else []
    return "\n".join((head, numbered(shown[:HIT_LINES], hit.start_line), *more))


@tool(aliases=("find_symbol",))
async def symbols(
    ctx: Context,
    name: Annotated[str, Field(description="A name or its beginning.")] = "",
    path: Folder = "",
    limit: Limit = 50,
) -> ToolOutput:
    """Find definitions by name, or list those of a file: place, kind, signature."""
    if not name and not path:
        raise InvalidArguments("symbols needs a name or a path", hint='for example {"path": "src/app.py"}')
    # A name is looked for at once, before the index is whole; what a file defines is known once it has been read.
    index, note = await _ready(ctx, wait_seconds=NAMED_SECONDS if name else READY_SECONDS)
    found = await index.symbols(name, path=_below(ctx, path), k=limit)
    if path and not found and not await is_folder(ctx, path):
        await ctx.workspace.read(path)  # says why nothing is known of a file that is no text
    note = "\n".join(part for part in (note, _left_out(index, every=not found)) if part)
    about = f"`{name}`" if name else path
    return ToolOutput(
        text=_told([_symbol(each) for each in found], f"no symbol found for {about}", note),
        title=f"{about} · {counted(len(found), 'symbol')}",
        places=tuple(cited(each.path, each.line, each.end_line) for each in found),
        data={"symbols": [each.model_dump() for each in found]},
    )


def _symbol(symbol: Symbol) -> str:
    signature = f" · {cut(symbol.signature, SIGNATURE_CHARS)}" if symbol.signature else ""
    return f"{symbol.path}:{symbol.line}-{symbol.end_line} {symbol.kind} {symbol.qualified}{signature}"


@tool(aliases=("find_references", "usages"))
async def references(
    ctx: Context,
    name: Annotated[str, Field(min_length=1, description="A name, without its containers.")],
    path: Folder = "",
    limit: Limit = 100,
) -> ToolOutput:
    """Find where a name is defined, called, imported and used, each with its line and what that stands in."""
    index, note = await _ready(ctx)
    found = await index.references(name, path=_below(ctx, path))
    sure, others = (found, ()) if path else await sorted_by_meaning(ctx, name, found)
    found = (*sure, *others)
    if others:
        count = counted(len(others), "place")
        note = (
            f"[the last {count}: the same name, which the language server does not count as this one]\n{note}".strip()
        )
    if path and not found:
        await is_folder(ctx, path)  # refuses what is not there
    note = "\n".join(part for part in (note, _left_out(index)) if part)
    rows = listed([_reference(each) for each in found], limit, "name a path")
    return ToolOutput(
        text=_told([rows] if found else [], f"nothing refers to `{name}`", note),
        title=f"`{name}` · {_count('reference', found)}",
        places=tuple(cited(each.path, each.line) for each in found[:limit]),
        data={"references": [each.model_dump() for each in found[:limit]], "total": len(found)},
    )


def _reference(reference: Reference) -> str:
    caller = f" in {reference.caller}" if reference.caller else ""
    line = f" · {cut(reference.text.strip(), SIGNATURE_CHARS)}" if reference.text else ""
    return f"{reference.path}:{reference.line}:{reference.column} {reference.role}{caller}{line}"


def _told(rows: Sequence[str], nothing: str, note: str) -> str:
    return "\n".join(part for part in (*(rows or [nothing]), note) if part)


def _count(noun: str, found: Sequence[Hit] | Sequence[Reference]) -> str:
    files = counted(len({each.path for each in found}), "file")
    return f"{counted(len(found), noun)} in {files}" if found else "nothing"


def _missed(path: str, why: str) -> bool:
    """Whether somebody misses what could not be taken in: a program, or what no tool can name."""
    return ("minified" not in why and languages().of(path) is not None) or why == NO_TEXT


def _left_out(index: Index | Indexes, *, every: bool = False) -> str:
    """Return a note of what the index could not take in, and is missed; of `every` file where nothing was found."""
    left = [(path, why) for path, why in index.status().skipped if every or _missed(path, why)]
    if not left:
        return ""
    told = "; ".join(f"{path}: {why.removeprefix('is ')}" for path, why in left[:LEFT_OUT_SHOWN])
    more = f"; and {counted(len(left) - LEFT_OUT_SHOWN, 'other')}" if len(left) > LEFT_OUT_SHOWN else ""
    verb = "is" if len(left) == 1 else "are"
    return f"[{counted(len(left), 'file')} {verb} not in the index: {told}{more}]"


def _below(ctx: Context, path: str) -> str:
    """Return a path as the index names it."""
    return ctx.workspace.shown(ctx.workspace.uri(path)).removeprefix(".") if path else ""


async def _ready(ctx: Context, wait_seconds: float = READY_SECONDS) -> tuple[Index | Indexes, str]:
    """Return the index, once it is whole or the wait is over, and a note where it does not know everything yet."""
    index = ctx.index
    if index is None:
        raise ToolError("there is no index here", hint="use grep and find")
    await index.ready(wait_seconds)
    status = index.status()
    if status.state == "failed":
        return index, f"[the index cannot be kept up, this may be old: {status.error}]"
    if status.state == "ready" and not status.pending:
        return index, ""
    left = f", {counted(status.pending, 'file')} to go" if status.pending else ""
    return index, f"[the index is still being built{left}: there may be more]"
