"""Who calls a function, who calls those, and so on: by what names mean in Python, by the index elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.schema.code import Symbol
from attache.schema.errors import EditRefused, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.refactor.programs import Reading, reading
from attache.tools.refactor.semantics.flow import FUNCTIONS
from attache.tools.refactor.semantics.names import Names
from attache.tools.refactor.semantics.source import field
from attache.tools.refactor.semantics.targets import Target, Variable, target_at
from attache.tools.refactor.semantics.types import Program
from attache.tools.refactor.semantics.uses import uses_of
from attache.tools.search import READY_SECONDS
from attache.tools.survey import symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted

MOST = 300
"""Callers after which the search is called off."""
SHOWN = 8


class Call(NamedTuple):
    """A place where something is used, and the function that it stands in."""

    path: str
    line: int
    text: str
    inside: str
    """Qualified name of the function, empty at top level."""
    inside_line: int
    sure: bool
    called: bool


@tool(category="analysis", cost="LOW", aliases=("call_hierarchy", "find_callers", "who_calls"))
async def callers(
    ctx: Context,
    name: Annotated[str, Field(min_length=1, description="A function, method or class.")],
    path: Annotated[str, Field(description="File that defines it, where several do.")] = "",
    line: Annotated[int | None, Field(ge=1, description="Line of its definition.")] = None,
    depth: Annotated[int, Field(ge=1, le=8, description="Callers of callers to follow.")] = 1,
    offset: Offset = 0,
) -> ToolOutput:
    """List who calls a function, and with depth who calls those. `?` marks calls of which it cannot be told."""
    if line is not None and not path:
        raise InvalidArguments("callers.line needs a path", hint='for example {"name": "f", "path": "a.py", "line": 3}')
    read = await reading(ctx)
    place = await _defined(ctx, read, name, path, line)
    if place is None:
        return await _by_index(ctx, name, path, depth, offset)
    at, row, word = place
    trail = _Trail(read)
    await trail.follow(at, row, word, depth)
    rows, calls = trail.rows, trail.calls
    files = len({each.path for each in calls})
    head = f"{at}:{row} {name}: {counted(len(calls), 'caller')} in {counted(files, 'file')}"
    more = f"[stopped after {MOST} callers]" if len(calls) >= MOST else ""
    return ToolOutput(
        text="\n".join(part for part in (head, paged(rows, offset) if rows else "nothing here calls it", more) if part),
        title=f"`{name}` · {counted(len(calls), 'caller')}",
        places=tuple(cited(each.path, each.line) for each in calls[:100]),
        data={"callers": [each._asdict() for each in calls], "semantic": True},
    )


async def _defined(ctx: Context, read: Reading, name: str, path: str, line: int | None) -> tuple[str, int, str] | None:
    """Return where a Python definition stands; None where the name is not Python's. Raises ToolError for several."""
    word = name.rpartition(".")[2]
    if path:
        path = (await ctx.workspace.read(path)).path
        language = languages().of(path)
        if language is None or language.name != "python":
            return None
        await read.load([path])
        if line is not None:
            return path, line, word
    else:
        await read.saying((word,))
    found = [
        each
        for at, text in read.texts.items()
        if not path or at == path
        for each in symbols_in(at, text)
        if each.name == word and f".{each.qualified}".endswith(f".{name}") and each.kind != "variable"
    ]
    if len(found) > 1:
        where = ", ".join(f"{each.path}:{each.line} {each.qualified}" for each in found[:SHOWN])
        raise ToolError(f"`{name}` is defined {len(found)} times: {where}", hint="give the path and line of one")
    return (found[0].path, found[0].line, word) if found else None


class _Trail:
    """What was found on the way."""

    def __init__(self, read: Reading) -> None:
        self.read = read
        self.rows: list[str] = []
        self.calls: list[Call] = []
        self.seen: set[tuple[str, int]] = set()

    async def follow(self, path: str, line: int, word: str, depth: int, level: int = 0) -> None:
        """Take in the callers of what stands at a place, and theirs."""
        if depth == 0 or (path, line) in self.seen or len(self.calls) >= MOST:
            return
        self.seen.add((path, line))
        paths = tuple(dict.fromkeys((path, *await self.read.saying((word,)))))
        try:
            target = await self.read.ask(lambda program: target_at(program, path, line, word))
        except EditRefused:
            return
        for each in await self.read.ask(lambda program: list(_calls(program, target, paths))):
            mark = "" if each.sure else "? "
            how = "" if each.called else " (not called: handed on)"
            inside = f" in {each.inside}" if each.inside else ""
            self.rows.append(f"{'  ' * level}{mark}{each.path}:{each.line}{inside}{how} · {each.text}")
            self.calls.append(each)
            if each.inside_line:
                last = each.inside.rpartition(".")[2]
                await self.follow(each.path, each.inside_line, last, depth - 1, level + 1)


def _calls(program: Program, target: Target, paths: Sequence[str]) -> Iterator[Call]:
    for use in uses_of(program, target, paths):
        names = program.names(use.path)
        name = use.name
        if names is None or name is None or name.role in {"bind", "imported", "keyword"}:
            continue
        if isinstance(target, Variable) and name.node.parent and name.node.parent.type.startswith("import"):
            continue
        whole = name.node.parent if name.role == "attribute" else name.node
        call = whole.parent if whole is not None else None
        function = field(call, "function") if call is not None and call.type == "call" else None
        called = function is not None and whole is not None and function.start_byte == whole.start_byte
        inside, row = _inside(names, use.start)
        line = names.source.line(use.start)
        yield Call(use.path, line, names.source.line_text(line).strip(), inside, row, use.sure, called)


def _inside(names: Names, at: int) -> tuple[str, int]:
    """Return the qualified name and the line of the function that a byte stands in."""
    node = names.source.root.descendant_for_byte_range(at, at)
    parts: list[str] = []
    line = 0
    while node is not None:
        named = field(node, "name") if node.type in {*FUNCTIONS, "class_definition"} else None
        body = field(node, "body")
        if named is not None and body is not None and body.start_byte <= at:
            parts.insert(0, names.source.say(named))
            line = line or (names.source.line(named.start_byte) if node.type != "class_definition" else 0)
        node = node.parent
    return (".".join(parts), line) if line else ("", 0)


async def _by_index(ctx: Context, name: str, path: str, depth: int, offset: int) -> ToolOutput:
    """Follow calls by name alone, as the index stores them."""
    index = ctx.index
    if index is None:
        raise ToolError(f"no Python definition of `{name}` is here, and there is no index", hint="use grep")
    await index.ready(READY_SECONDS)
    rows: list[str] = []
    calls: list[Call] = []
    seen: set[str] = set()

    async def follow(word: str, left: int, level: int) -> None:
        if left == 0 or word in seen or len(calls) >= MOST:
            return
        seen.add(word)
        for each in await index.references(word):
            if each.role == "call":
                inside = f" in {each.caller}" if each.caller else ""
                rows.append(f"{'  ' * level}{each.path}:{each.line}{inside} · {each.text.strip()}")
                calls.append(Call(each.path, each.line, each.text.strip(), each.caller, 0, sure=False, called=True))
                if each.caller:
                    await follow(each.caller.rpartition(".")[2], left - 1, level + 1)

    await follow(name.rpartition(".")[2], depth, 0)
    defined = [each for each in await index.symbols(name, k=SHOWN) if _is_meant(each, name, path)]
    if not calls and not defined:
        raise ToolError(f"nothing is called `{name}` here", hint="see symbols")
    places = _places(defined)
    head = f"{places or name}: {counted(len(calls), 'caller')}, by the name alone"
    return ToolOutput(
        text=f"{head}\n{paged(rows, offset)}" if rows else f"{head}\nnothing here calls it",
        title=f"`{name}` · {counted(len(calls), 'caller')}",
        places=tuple(cited(each.path, each.line) for each in calls[:100]),
        data={"callers": [each._asdict() for each in calls], "semantic": False},
    )


def _is_meant(symbol: Symbol, name: str, path: str) -> bool:
    return symbol.name == name.rpartition(".")[2] and (not path or symbol.path == path)


def _places(found: Iterable[Symbol]) -> str:
    return ", ".join(f"{each.path}:{each.line} {each.qualified}" for each in found)
