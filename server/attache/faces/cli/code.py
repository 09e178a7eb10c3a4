"""`attache index`, `search`, `symbols`, `references`: what the index knows, for people and programs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from attache.agent.open import check_home
from attache.faces.cli.main import app, fail
from attache.faces.cli.options import Json, Root, SearchKinds, folder, print_json, settings_for
from attache.faces.cli.render import visible
from attache.faces.cli.waiting import Line, painted, progress
from attache.index.client import Index
from attache.schema.code import Hit
from attache.schema.errors import AttacheError, UserError

READY_SECONDS = 600.0
Find = Callable[[str, int], Awaitable[tuple[Hit, ...]]]
"""From a query and a number to so many places."""
LINE_CHARS = 120


@asynccontextmanager
async def _index(root: Path) -> AsyncGenerator[Index]:
    """Yield the index of a folder once it is up to date."""
    settings = settings_for(root)
    check_home(settings.home)
    index = Index(root, home=settings.home, max_file_bytes=settings.max_file_bytes)
    await index.start()
    try:
        async with painted(Line(), lambda: progress(index.status())):
            await index.ready(READY_SECONDS)
        if (status := index.status()).state == "failed":
            raise AttacheError(f"there is no index of {root}: {status.error}", hint="see: attache doctor")
        yield index
    finally:
        await index.close()


@asynccontextmanager
async def _finder(root: Path, kind: SearchKinds) -> AsyncGenerator[Find]:
    """Yield what answers a query; where vectors cannot, words do, which is said once."""
    if kind != "vector":
        async with _index(root) as index:
            yield lambda query, k: index.search(query, k=k, kind=kind)
        return
    from attache.agent import sense
    from attache.app import open_app

    told: set[str] = set()
    async with open_app(settings_for(root), root) as opened:
        await opened.resources.index.ready(READY_SECONDS)

        async def find(query: str, k: int) -> tuple[Hit, ...]:
            hits, why = await sense.search(opened.resources, query, k)
            if why and why not in told:
                told.add(why)
                sys.stderr.write(f"attache: found by words, not vectors: {why}\n")
            return hits

        yield find


@app.command("index")
def build(*, root: Root = Path(), json_lines: Json = False) -> None:
    """Bring the index of a folder up to date and say what is in it."""

    async def run() -> None:
        async with _index(folder(root)) as index:
            status = index.status()
        if json_lines:
            print_json(status.model_dump(mode="json"))
            return
        print(f"{status.files:,} files · {status.symbols:,} symbols · {status.chunks:,} chunks")
        print("languages: " + (", ".join(f"{name} {count:,}" for name, count in status.languages) or "none"))
        for path, reason in status.skipped:
            print(f"skipped {path}: {reason}")

    asyncio.run(run())


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for: words, a question, or a name.")] = "",
    *,
    root: Root = Path(),
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many results.")] = 10,
    kind: Annotated[SearchKinds, typer.Option("--kind", help="How to look.")] = "hybrid",
    json_lines: Json = False,
    stdin: Annotated[bool, typer.Option("--stdin", help='Read {"id","query"} lines, answer each with a line.')] = False,
) -> int:
    """Find the places in the code that answer a query, the best first."""
    if not stdin and not query.strip():
        raise UserError("nothing to look for", hint='such as: attache search "retry failed requests"')

    async def run() -> int:
        async with _finder(folder(root), kind) as find:
            if stdin:
                await _answer_lines(find, k)
                return 0
            hits = await find(query, k)
        for hit in hits:
            _print_hit(hit, json_lines=json_lines)
        if not hits:
            sys.stderr.write(f"attache: nothing found for {query!r}\n")
        return 0 if hits else 1

    return asyncio.run(run())


async def _answer_lines(find: Find, k: int) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        if not line.strip():
            continue
        try:
            asked = json.loads(line)
            hits = await find(str(asked["query"]), k)
        except (ValueError, KeyError, TypeError) as error:
            print_json({"error": f'each line is {{"id":…,"query":…}}: {error}'})
            continue
        print_json({"id": asked.get("id"), "results": [[hit.path, hit.start_line, hit.end_line] for hit in hits]})


def _print_hit(hit: Hit, *, json_lines: bool) -> None:
    if json_lines:
        print_json(hit.model_dump(include={"path", "start_line", "end_line", "score", "symbol"}))
    else:
        print(f"{hit.path}:{hit.start_line}-{hit.end_line}  {hit.symbol}")


@app.command()
def symbols(
    name: Annotated[str, typer.Argument(help="A name or its beginning; all when left out.")] = "",
    *,
    root: Root = Path(),
    k: Annotated[int, typer.Option("-k", min=1, help="How many at most.")] = 10_000,
    json_lines: Json = False,
) -> int:
    """List definitions."""

    async def run() -> int:
        async with _index(folder(root)) as index:
            found = await index.symbols(name, k=k)
        for symbol in found:
            row = symbol.model_dump(include={"name", "kind", "path", "line", "end_line"})
            if json_lines:
                print_json(row)
            else:
                print(f"{symbol.path}:{symbol.line}  {symbol.kind} {symbol.qualified}")
        if not found:
            what = f"no definition of {name!r}" if name else "no definitions"
            return fail(f"{what} in {folder(root)}", hint="look for words instead: attache search WORDS")
        return 0

    return asyncio.run(run())


@app.command()
def references(
    place: Annotated[str, typer.Argument(metavar="PATH:LINE:COL", help="Where a name stands; counted from 1.")],
    *,
    root: Root = Path(),
    json_lines: Json = False,
) -> int:
    """List the uses of the name at a place."""
    try:
        path, line, column = place.rsplit(":", 2)
        at = (path, int(line), int(column))
    except ValueError:
        raise UserError(f"{place!r} is no place", hint="give PATH:LINE:COL, such as src/app.py:12:5") from None

    async def run() -> int:
        async with _index(folder(root)) as index:
            found = await index.references_at(*at)
        for use in found:
            if json_lines:
                print_json(use.model_dump())
            else:
                print(f"{use.path}:{use.line}:{use.column}  {use.role}  {use.text.strip()}")
        return 0 if found else _nothing_at(folder(root), *at)

    return asyncio.run(run())


def _nothing_at(root: Path, path: str, line: int, column: int) -> int:
    """Say why there are no uses of what stands at a place: no such file, no such line, or no name there."""
    try:
        lines = (root / path).read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return fail(f"no file {path!r} in {root}", hint="give the path from that folder, or another one with --root")
    if not 1 <= line <= len(lines):
        return fail(f"{path} has no line {line}", hint=f"its lines are 1 to {len(lines)}")
    hint = f"columns are counted from 1; that line is: {visible(lines[line - 1].strip()[:LINE_CHARS])}"
    return fail(f"no name that the index knows stands at {path}:{line}:{column}", hint=hint)
