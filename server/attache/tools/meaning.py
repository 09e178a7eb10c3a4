"""What a name in the code means, as a language server knows it, else as the index does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field

from attache.schema.code import Reference, Symbol
from attache.schema.documents import Place
from attache.schema.errors import InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, cut, lines_of, listed

PLACES_SHOWN = 20
HOVER_CHARS = 4_000

Line = Annotated[int, Field(ge=1, description="Line where the name stands.")]
Name = Annotated[str, Field(min_length=1, description="The name, as it stands there.")]


@tool(category="search", aliases=("go_to_definition", "goto_definition"))
async def definition(ctx: Context, path: FilePath, line: Line, name: Name) -> ToolOutput:
    """Find where the name that stands at a line is defined, by what it means there, libraries included."""
    column = await _column(ctx, path, line, name)
    places = await ctx.servers.definition(path, line, column) if ctx.servers else None
    by = "" if places else " (by name, from the index: no language server could tell)"
    if not places:
        found = await _known(ctx, path, line, name)
        places = tuple(Place(path=each.path, line=each.line, column=each.column) for each in found)
    rows = [await _row(ctx, place) for place in places or ()]
    text = listed(rows, PLACES_SHOWN, "see symbols") if rows else f"no definition of `{name}` is known"
    return ToolOutput(
        text=text + (by if rows else ""),
        title=f"`{name}` · {counted(len(rows), 'definition')}",
        places=tuple(places or ())[:PLACES_SHOWN],
        data={"definitions": [each.model_dump() for each in places or ()], "semantic": not by},
    )


@tool(category="search", aliases=("type_of", "signature"))
async def hover(ctx: Context, path: FilePath, line: Line, name: Name) -> ToolOutput:
    """Tell what the name that stands at a line is: its type or signature, and its documentation."""
    column = await _column(ctx, path, line, name)
    said = await ctx.servers.hover(path, line, column) if ctx.servers else None
    if said is None:
        known = await _known(ctx, path, line, name)
        told = [f"{each.path}:{each.line} {each.kind} {each.signature}\n{each.doc}" for each in known]
        said = "\n".join(told).strip() or None
    if said is None:
        raise ToolError(f"nothing is known of `{name}` at {path}:{line}", hint="read the file, or search for the name")
    return ToolOutput(
        text=cut(said, HOVER_CHARS), title=f"`{name}`", places=(Place(path=path, line=line, column=column),)
    )


async def sorted_by_meaning(
    ctx: Context, name: str, found: Sequence[Reference]
) -> tuple[Sequence[Reference], Sequence[Reference]]:
    """Return the references that a language server sees too, with those that only it sees, and the others.

    It is asked where the name has one definition. What it does not see is kept: a server that has just been started
    knows few files yet, and of other languages none.
    """
    defined = [each for each in found if each.role == "definition"]
    if ctx.servers is None or len(defined) != 1:
        return found, ()
    at = defined[0]
    places = await ctx.servers.references(at.path, at.line, at.column)
    if not places or (at.path, at.line) not in {(each.path, each.line) for each in places}:
        return found, ()
    known = {(each.path, each.line, each.column): each for each in found}
    seen = {(each.path, each.line, each.column) for each in places}
    fresh = [each for each in places if (each.path, each.line, each.column) not in known]
    sure = [each for key, each in known.items() if key in seen]
    sure += [await _reference(ctx, name, place) for place in fresh]
    sure.sort(key=lambda each: (each.role != "definition", each.path, each.line, each.column))
    return sure, [each for key, each in known.items() if key not in seen]


async def _known(ctx: Context, path: str, line: int, name: str) -> Sequence[Symbol]:
    """Return the definitions of a name in the index: the one that stands at the place alone, where one does."""
    if ctx.index is None:
        return ()
    here = (await ctx.workspace.read(path)).path
    own = [each for each in await ctx.index.outline(here) if (each.name, each.line) == (name, line)]
    return own or [each for each in await ctx.index.symbols(name, k=PLACES_SHOWN) if each.name == name]


async def _reference(ctx: Context, name: str, place: Place) -> Reference:
    return Reference(name=name, path=place.path, line=place.line, column=place.column, text=await _text(ctx, place))


async def _column(ctx: Context, path: str, line: int, name: str) -> int:
    """Return where a name begins in a line. Raises InvalidArguments with what stands there where it does not."""
    lines = lines_of((await ctx.workspace.read(path)).text)
    text = lines[line - 1] if line <= len(lines) else ""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    if found is None:
        near = [number for number, each in enumerate(lines, 1) if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", each)]
        hint = f"it stands in line {_listed(near)}" if near else "it stands nowhere in this file"
        raise InvalidArguments(f"`{name}` does not stand in {path}:{line}: {cut(text.strip(), 200)!r}", hint=hint)
    return found.start() + 1


def _listed(numbers: Iterable[int]) -> str:
    first = list(numbers)[:8]
    return ", ".join(map(str, first))


async def _row(ctx: Context, place: Place) -> str:
    text = await _text(ctx, place)
    return f"{place.path}:{place.line}:{place.column}" + (f" · {cut(text.strip(), 200)}" if text else "")


async def _text(ctx: Context, place: Place) -> str:
    """Return the line at a place; empty where the file lies outside of the workspace."""
    try:
        lines = lines_of((await ctx.workspace.read(place.path)).text)
    except ToolError:
        return ""
    return lines[place.line - 1] if place.line <= len(lines) else ""
