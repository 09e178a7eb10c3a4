"""Which files import which: one module's neighbours, and circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.index.parse import parse
from attache.schema.tools import ToolOutput
from attache.tools.files.files import is_folder
from attache.tools.paging import Offset, paged
from attache.tools.refactor.semantics.modules import Modules
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.refactor.semantics.script_uses import Scripts
from attache.tools.survey import apart, survey
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted

SHOWN = 40
CIRCLES_SHOWN = 15
_TYPE_CHECKING = re.compile(r"\s*if (?:typing\.)?TYPE_CHECKING\s*:")
_IMPORTED = re.compile(r"^[\w.@/~#$-]+")


class Graph(NamedTuple):
    """Imports among files, and of what lies outside."""

    inside: dict[str, set[str]]
    outside: dict[str, set[str]]

    def importers(self, path: str) -> list[str]:
        """Return the files that import a file."""
        return sorted(each for each, all_ in self.inside.items() if path in all_)


@tool(category="analysis", aliases=("module_dependencies",), pure=True)
async def import_graph(
    ctx: Context,
    path: Annotated[str, Field(description="File or folder; the workspace by default.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """Show what a file imports, who imports it, and its circles; for a folder: its circles and most imported files.

    Imports for type checkers alone (TYPE_CHECKING) are left out.
    """
    surveyed = await survey(ctx)
    folder = not path or await is_folder(ctx, path)
    shown = ctx.workspace.shown(ctx.workspace.uri(path)).removeprefix(".") if path else ""
    graph = await apart(lambda: graph_of(surveyed.texts))
    circles = [each for each in circles_in(graph.inside) if not shown or any(_below(one, shown) for one in each)]
    if folder:
        text = _of_folder(graph, circles, shown, offset)
        title = f"{shown or 'workspace'} · {counted(len(circles), 'circle')}"
    else:
        text = _of_file(graph, circles, shown, offset)
        title = f"{shown} · imports {len(graph.inside.get(shown, ()))}, imported by {len(graph.importers(shown))}"
    return ToolOutput(
        text="\n".join(part for part in (text, surveyed.note) if part),
        title=title,
        places=(cited(shown, 1),) if not folder else (),
        data={
            "imports": sorted(graph.inside.get(shown, ())), "outside": sorted(graph.outside.get(shown, ())),
            "imported_by": graph.importers(shown) if not folder else [], "circles": circles[:CIRCLES_SHOWN],
        },
    )  # fmt: skip


def _below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _of_file(graph: Graph, circles: list[list[str]], path: str, offset: int) -> str:
    inside, outside = sorted(graph.inside.get(path, ())), sorted(graph.outside.get(path, ()))
    importers = graph.importers(path)
    rows = [
        f"{path} imports {counted(len(inside), 'file')} of the workspace",
        *(f"  {each}" for each in inside),
        f"and from outside: {', '.join(outside) or 'nothing'}",
        f"imported by {counted(len(importers), 'file')}",
        *(f"  {each}" for each in importers),
        *_circle_rows(circles),
    ]
    return paged(rows, offset)


def _of_folder(graph: Graph, circles: list[list[str]], folder: str, offset: int) -> str:
    own = [path for path in graph.inside if _below(path, folder)]
    edges = sum(len(graph.inside[path]) for path in own)
    fan_in = Counter(target for all_ in graph.inside.values() for target in all_ if _below(target, folder))
    outside = Counter(name for path in own for name in graph.outside[path])
    rows = [
        f"{folder or 'workspace'}: {counted(len(own), 'file')}, {counted(edges, 'import')} among them and others",
        *_circle_rows(circles),
        "most imported:",
        *(f"  {path} ← {number}" for path, number in fan_in.most_common(SHOWN)),
        f"from outside: {', '.join(f'{name} {number}' for name, number in outside.most_common(SHOWN)) or 'nothing'}",
    ]
    return paged(rows, offset)


def _circle_rows(circles: list[list[str]]) -> list[str]:
    if not circles:
        return ["no circles"]
    rows = [f"{counted(len(circles), 'circle')}:"]
    rows += [f"  {' → '.join([*each, each[0]])}" for each in circles[:CIRCLES_SHOWN]]
    return rows + ([f"  [… {len(circles) - CIRCLES_SHOWN} more]"] if len(circles) > CIRCLES_SHOWN else [])


def graph_of(texts: Mapping[str, str]) -> Graph:
    """Return which files import which, for Python, JavaScript, TypeScript, Go, Rust, Java and others by their names."""
    modules, scripts = Modules(texts), Scripts(texts, texts)
    inside: dict[str, set[str]] = {path: set() for path in texts}
    outside: dict[str, set[str]] = {path: set() for path in texts}
    by_tail = _tails(texts)
    for path, text in texts.items():
        language = languages().of(path)
        if language is None:
            continue
        for module, names in _imports(path, text):
            if language.name == "python":
                found = set(_python(modules, path, module, names))
            elif language.name in LANGUAGES:
                found = {scripts.find(module, path)} - {""}
            else:
                found = _by_tail(by_tail, path, module)
            if found - {path}:
                inside[path] |= found - {path}
            elif not found and (head := _head(language.name, module)):
                outside[path].add(head)
    return Graph(inside, outside)


def _imports(path: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    language = languages().of(path)
    typed = _for_types(text) if path.endswith(".py") else frozenset[int]()
    for each in parse(language, text.encode("utf-8", "replace")).imports:
        if each.line in typed:
            continue
        module = each.module.strip("\"'`<>; ")
        if module or each.names:
            yield module or each.names[0].strip("\"'`<>; "), each.names if each.module else ()


def _for_types(text: str) -> frozenset[int]:
    """Return the lines that only type checkers run."""
    found: set[int] = set()
    inside = -1
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if inside >= 0 and line.strip() and indent <= inside:
            inside = -1
        if inside >= 0:
            found.add(number)
        elif _TYPE_CHECKING.match(line):
            inside = indent
    return frozenset(found)


def _python(modules: Modules, path: str, module: str, names: tuple[str, ...]) -> Iterator[str]:
    found = modules.find(module.replace(" ", ""), path)
    if found is None:
        return
    below = [modules.below(found, name) for name in names]
    submodules = [each.path for each in below if each and each.path]
    yield from submodules
    if found.path and (not names or len(submodules) < len(names)):
        yield found.path


def _head(language: str, module: str) -> str:
    said = _IMPORTED.match(module)
    if said is None or module.startswith("."):
        return ""
    if language in LANGUAGES:
        parts = said[0].split("/")
        return "/".join(parts[: 2 if said[0].startswith("@") else 1])
    return said[0] if language == "go" else said[0].partition(".")[0].partition("/")[0] or said[0]


def _tails(texts: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in texts:
        pure = PurePosixPath(path)
        found.setdefault(pure.stem, []).append(path)
        found.setdefault(pure.name, []).append(path)
        if pure.parent.name:
            found.setdefault(f"{pure.parent.name}/", []).append(path)
    return found


def _by_tail(tails: Mapping[str, list[str]], path: str, module: str) -> set[str]:
    """Return the files whose path ends like an import: `crate::net::client`, `com.x.Client`, `x/net`, `util.h`."""
    parts = [each for each in re.split(r"::|[./\\]", module) if each not in {"crate", "super", "self", ""}]
    if module.endswith((".h", ".hpp", ".rb", ".php", ".sh")):
        name = PurePosixPath(module).name
        return {each for each in tails.get(name, ()) if each != path}
    own = PurePosixPath(path).suffix
    while parts:
        tail = "/".join(parts[-2:])
        files = [each for each in tails.get(parts[-1], ()) if each.endswith(own)]
        fitting = {each for each in files if f"/{each}".rpartition(".")[0].endswith(f"/{tail}")}
        if not fitting and own == ".go":
            folder = [each for each in tails.get(f"{parts[-1]}/", ()) if each.endswith(own)]
            fitting = {each for each in folder if not each.endswith("_test.go")}
        if fitting or own != ".rs":
            return fitting
        parts.pop()
    return set()


def circles_in(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return one circle through each knot of files that all lead to one another, the shortest first."""
    knots = [knot for knot in _knots(graph) if len(knot) > 1]
    return sorted((_around(graph, knot) for knot in knots), key=lambda each: (len(each), each))


def _around(graph: Mapping[str, set[str]], knot: set[str]) -> list[str]:
    start = min(knot)
    waiting, came = [start], {start: ""}
    while waiting:
        one = waiting.pop(0)
        for other in sorted(graph.get(one, set()) & knot):
            if other == start:
                way = [one]
                while came[way[-1]]:
                    way.append(came[way[-1]])
                return way[::-1]
            if other not in came:
                came[other] = one
                waiting.append(other)
    return sorted(knot)


def _knots(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected parts (Tarjan), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[set[str]] = []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            one, others = work[-1]
            step = next((each for each in others if each in graph and (each not in index or each in on_stack)), None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[one])
                if low[one] == index[one]:
                    knot: set[str] = set()
                    while one not in knot:
                        knot.add(stack.pop())
                    on_stack -= knot
                    found.append(knot)
            elif step in index:
                low[one] = min(low[one], index[step])
            else:
                index[step] = low[step] = len(index)
                stack.append(step)
                on_stack.add(step)
                work.append((step, iter(sorted(graph[step]))))
    return found
