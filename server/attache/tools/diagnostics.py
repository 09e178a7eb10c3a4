"""What is wrong with a file: what ruff or the grammar finds in its text, and what the editor's servers say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from attache.schema.documents import Diagnostic, Patch, Place
from attache.schema.errors import PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, finding, lines_of, listed
from attache.workspace.servers.servers import Checked
from attache.workspace.shell import run

if TYPE_CHECKING:
    from tree_sitter import Node

RUFF_SECONDS = 20.0
RUFF_BYTES = 8_000_000
FINISHED = frozenset({0, 1})
"""Exit codes of ruff that say it did its work: nothing found, something found."""
GRAMMAR_SECONDS = 1.0
SHOWN = 60
SYNTAX_SHOWN = 10
READ_BYTES = 16 * 1024
STRICT_GRAMMARS = frozenset({"javascript", "typescript", "tsx", "go", "rust", "java", "css", "json", "yaml", "toml"})
"""Languages whose grammar takes all that is right; others stumble over macros, templates or dialects."""
ALIKE = {
    "reportUndefinedVariable": "F821", "reportUnusedImport": "F401", "reportUnusedVariable": "F841",
    "reportRedeclaration": "F811", "reportUnusedExpression": "B018",
}  # fmt: skip
"""Codes of pyright for what ruff finds too."""
WITHOUT_SETTINGS = ("--isolated", "--select=E4,E7,E9,F", "--target-version=py314")
"""For a folder that is not trusted: its settings stay inert, and what is certainly wrong is found all the same."""


@tool(aliases=("get_diagnostics", "problems", "lint"))
async def diagnostics(
    ctx: Context, paths: Annotated[list[str], Field(min_length=1, description="Files.")]
) -> ToolOutput:
    """Get errors and warnings of files as they stand, unsaved changes included, with the fixes that are known."""
    snapshots = [await ctx.workspace.read(path) for path in paths]
    checked = await asyncio.gather(*(check(ctx, each.path, each.text) for each in snapshots))
    told = await asyncio.gather(*(ctx.findings(each.path) for each in snapshots))
    served = await ctx.servers.check({each.path: each.text for each in snapshots}) if ctx.servers else Checked()
    found = merged(*checked, *told, *served.found.values())
    lines = [finding(each) for each in found]
    what = snapshots[0].path if len(snapshots) == 1 else counted(len(snapshots), "file")
    count = counted(len(found), "finding")
    shown = listed(lines, SHOWN, "ask for fewer files") if found else f"{what}: nothing found"
    return ToolOutput(
        text="\n".join((shown, *(f"(not asked: {why})" for why in served.trouble))),
        title=f"{what} · {count}",
        places=tuple(each.place for each in found[:SHOWN]),
        data={"diagnostics": [each.model_dump() for each in found]},
    )


async def check(ctx: Context, path: str, text: str) -> tuple[Diagnostic, ...]:
    """Return what a text is found to be wrong with, as the file it would be; empty where nothing can judge it."""
    if path.endswith((".py", ".pyi")):
        return await ruff(path, text, cwd=_root(ctx, path), trusted=ctx.settings.trusted)
    return await asyncio.to_thread(syntax, path, text)


def _root(ctx: Context, path: str) -> Path:
    """Return the folder whose settings hold for a file; one that lies in none, but is open, goes by the first's."""
    try:
        return ctx.workspace.place(ctx.workspace.uri(path)).root.path
    except PathRefused:
        return ctx.workspace.roots[0].path


def merged(*groups: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return all findings in the order of the text, each once: the editor may run the same linter."""
    found: dict[tuple[str, int, str], Diagnostic] = {}
    for each in (diagnostic for group in groups for diagnostic in group):
        name = (each.place.path, each.place.line, sort(each))
        known = found.setdefault(name, each)
        if each.fix and not known.fix:
            found[name] = each
    return tuple(sorted(found.values(), key=lambda each: (each.place.path, each.place.line, each.place.column)))


def sort(diagnostic: Diagnostic) -> str:
    """Return what is equal for findings of one kind, whoever makes them: a code, or the words where there is none."""
    return ALIKE.get(diagnostic.code, diagnostic.code) or diagnostic.message


# ---------------------------------------------------------------- Python, by ruff


async def ruff(path: str, text: str, *, cwd: Path, trusted: bool) -> tuple[Diagnostic, ...]:
    """Return what ruff finds in a Python text, each with ruff's own cure.

    The settings that the folder carries hold only where it is `trusted`. Raises ToolError where ruff fails.
    """
    return await ruff_found(path, text, cwd=cwd, options=() if trusted else WITHOUT_SETTINGS)


async def ruff_found(path: str, text: str, *, cwd: Path, options: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Return what ruff finds in a Python text under these options. Raises ToolError where ruff fails."""
    from ruff import find_ruff_bin

    shape = ("--output-format=json-lines", "--no-cache", "--quiet", f"--stdin-filename={path}")
    argv = (find_ruff_bin(), "check", *shape, *options, "-")
    done = await run(argv, cwd=cwd, stdin=text, timeout_seconds=RUFF_SECONDS, output_limit_bytes=RUFF_BYTES)
    if done.exit_code not in FINISHED:
        raise ToolError(
            f"ruff failed on {path}: {done.output.strip()[:500]}", hint="look at the folder's ruff settings"
        )
    lines = done.output.splitlines()  # what is no JSON is a warning about the settings
    return tuple(_finding(path, json.loads(line)) for line in lines if line.startswith("{"))


def _finding(path: str, found: dict[str, Any]) -> Diagnostic:
    code = found["code"] or "invalid-syntax"
    fix: dict[str, Any] = found["fix"] or {"message": "", "edits": (), "applicability": ""}
    return Diagnostic(
        place=Place(path=path, **_span(found)),
        message=found["message"],
        severity="error" if code == "invalid-syntax" or code.startswith(("E9", "F82")) else "warning",
        source="ruff",
        code=code,
        fix_title=fix["message"] or "",
        fix=tuple(Patch(path=path, text=each["content"], **_span(each)) for each in fix["edits"]),
        safe=fix["applicability"] == "safe",
    )


def _span(found: dict[str, Any]) -> dict[str, int]:
    start, end = found["location"], found["end_location"]
    return {"line": start["row"], "column": start["column"], "end_line": end["row"], "end_column": end["column"]}


# ---------------------------------------------------------------- other languages, by their grammars


def syntax(path: str, text: str) -> tuple[Diagnostic, ...]:
    """Return where a text breaks its language's grammar; empty where no grammar is strict enough to say."""
    from attache.index.languages import languages

    language = languages().of(path)
    if language is None or language.name not in STRICT_GRAMMARS:
        return ()
    from tree_sitter import Parser

    data = "\n".join((*lines_of(text), "")).encode("utf-8", "replace")
    deadline = time.monotonic() + GRAMMAR_SECONDS
    parser = Parser(language.grammar.language)
    try:
        tree = parser.parse(
            lambda at, _: data[at : at + READ_BYTES], progress_callback=lambda _at, _bad: time.monotonic() > deadline
        )
    except ValueError:
        return ()  # it takes too long to say
    lines = data.split(b"\n")
    return tuple(_fault(path, language.name, node, lines) for node in islice(_broken(tree.root_node), SYNTAX_SHOWN))


def _broken(node: Node) -> Iterator[Node]:
    """Yield the outermost places that do not parse, in the order of the text."""
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _broken(child)


def _fault(path: str, language: str, node: Node, lines: Sequence[bytes]) -> Diagnostic:
    (row, start), (last, end) = node.start_point, node.end_point
    place = Place(
        path=path,
        line=row + 1,
        column=_column(lines[row], start),
        end_line=last + 1,
        end_column=_column(lines[last], end),
    )
    what = f"`{node.type}` is missing" if node.is_missing else "this cannot be parsed"
    return Diagnostic(place=place, message=f"{what} as {language}", severity="error", source="attache", code="syntax")


def _column(line: bytes, offset: int) -> int:
    """Return a column in code points from 1; the grammar counts bytes."""
    return len(line[:offset].decode("utf-8", "replace")) + 1
