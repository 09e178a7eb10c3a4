"""Sort a file's imports and drop those that nothing uses, by the language's own tool where there is one."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from attache.index.languages import languages
from attache.schema.edits import EditFile
from attache.schema.errors import EditRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.files.files import FilePath
from attache.tools.refactor.semantics.names import Binding, Names
from attache.tools.refactor.semantics.script import LANGUAGES, names_of
from attache.tools.refactor.semantics.source import Source, field
from attache.tools.tool import Context, tool
from attache.workspace.edits import diff
from attache.workspace.shell import run

if TYPE_CHECKING:
    from tree_sitter import Node

SECONDS = 20.0
OUTPUT_BYTES = 8_000_000
_NODE = re.compile(
    r"node:|(?:assert|buffer|child_process|crypto|events|fs|http|https|net|os|path|stream|url|util|zlib)$"
)
_KEPT = frozenset({"React", "h", "Fragment"})
"""What JSX uses without saying it."""


@tool(category="refactor", effect="workspace", aliases=("sort_imports",))
async def organize_imports(ctx: Context, path: FilePath) -> ToolOutput:
    """Sort a file's imports and drop unused ones, unsaved text included (Python, TypeScript, JavaScript, Go, Rust)."""
    snapshot = await ctx.workspace.read(path)
    language = languages().of(snapshot.path)
    name = language.name if language else ""
    if name == "python":
        after = await _python(ctx, snapshot.path, snapshot.text)
    elif name in LANGUAGES:
        after = _script(snapshot.path, snapshot.text)
    elif name in _PROGRAMS:
        after = await _by_program(ctx, name, snapshot.text)
    else:
        raise EditRefused(f"{snapshot.path}: there is no rule for the imports of such files", hint="use edit")
    if after == snapshot.text:
        return ToolOutput(
            text=f"{snapshot.path}: its imports are in order", title=f"{snapshot.path} · imports are in order"
        )
    change = EditFile(
        uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=diff(snapshot.text, after)
    )
    return await told(ctx, await ctx.land(f"organize imports of {snapshot.path}", (change,)))


async def _python(ctx: Context, path: str, text: str) -> str:
    """Let ruff sort, and drop what is not used; an `__init__.py` keeps what it offers again."""
    from ruff import find_ruff_bin

    if Source(path, text).faults:
        raise EditRefused(f"{path} does not parse as it stands", hint="mend it first: see diagnostics")
    rules = "I" if path.endswith("__init__.py") else "I,F401"
    settings = () if ctx.settings.trusted else ("--isolated", "--target-version=py314")
    argv = (
        find_ruff_bin(), "check", "--fix", "--quiet", "--no-cache", "--exit-zero", *settings, f"--select={rules}",
        "--fixable=I,F401", f"--stdin-filename={path}", "-",
    )  # fmt: skip
    return await _ran(argv, ctx, text, path)


async def _ran(argv: tuple[str, ...], ctx: Context, text: str, path: str) -> str:
    root = ctx.workspace.roots[0].path
    done = await run(argv, cwd=root, stdin=text, timeout_seconds=SECONDS, output_limit_bytes=OUTPUT_BYTES)
    if done.exit_code or done.truncated or (text.strip() and not done.output.strip()):
        said = done.output.strip().splitlines()
        raise ToolError(
            f"{argv[0]} failed on {path}: {said[0][:300] if said else done.exit_code}", hint="mend the file"
        )
    return done.output


_PROGRAMS = {
    "go": (("goimports",), "go install golang.org/x/tools/cmd/goimports@latest"),
    "rust": (("rustfmt", "--emit", "stdout", "--edition", "2021"), "rustup component add rustfmt"),
}


async def _by_program(ctx: Context, language: str, text: str) -> str:
    (program, *options), way = _PROGRAMS[language]
    found = shutil.which(program)
    if found is None:
        raise ToolError(f"{program} is not installed", hint=f"get it by: {way}")
    return await _ran((found, *options), ctx, text, f"the {language} text")


# ---------------------------------------------------------------- JavaScript and TypeScript


def _script(path: str, text: str) -> str:
    """Sort the first run of imports: what the platform has, packages, own files; names in each by the alphabet.

    An import for its effects stays where it is, and nothing crosses it.
    """
    names = names_of(Source(path, text))
    source = names.source
    if source.faults:
        raise EditRefused(f"{path} does not parse as it stands", hint="mend it first: see diagnostics")
    bindings = {id(each.binding): each.binding for each in names.all if each.binding and each.role == "bind"}
    runs: list[list[Node]] = [[]]
    for each in source.root.named_children:
        clause = any(child.type == "import_clause" for child in each.named_children)
        if each.type == "import_statement" and clause and _stands_alone(source, each):
            runs[-1].append(each)
        elif each.type != "import_statement" or not clause:
            runs.append([])
    pieces: list[tuple[int, int, str]] = []
    newline = "\r\n" if "\r\n" in text else "\n"
    for group in filter(None, runs):
        rows = [(_rank(source, each), said) for each in group if (said := _written(names, each, bindings))]
        rows.sort(key=lambda row: row[0])
        start = source.offset(group[0].start_byte)
        end = source.offset(group[-1].end_byte)
        if any(group[n].end_point.row + 1 != group[n + 1].start_point.row and _between(source, group[n], group[n + 1])
               for n in range(len(group) - 1)):  # fmt: skip
            continue  # a comment stands between them
        blocks: list[str] = []
        for number, (rank, said) in enumerate(rows):
            gap = newline if number and rank[0] != rows[number - 1][0][0] and _has_gaps(source, group) else ""
            blocks.append(f"{gap}{said}")
        said = newline.join(blocks)
        if not said:  # the line goes with it
            end += len(text[end:]) - len(text[end:].lstrip(" \t").removeprefix("\r\n").removeprefix("\n"))
        pieces.append((start, end, said))
    for start, end, said in reversed(pieces):
        text = text[:start] + said + text[end:]
    return text


def _stands_alone(source: Source, node: Node) -> bool:
    """Whether nothing else stands on an import's lines."""
    line = source.line_text(source.line(node.end_byte - 1)).rstrip()
    return line.endswith((source.say(node).splitlines()[-1].strip(), ";"))


def _between(source: Source, one: Node, other: Node) -> str:
    return source.between(one.end_byte, other.start_byte).strip(" \t\r\n;")


def _has_gaps(source: Source, group: list[Node]) -> bool:
    """Whether the groups of imports were kept apart by blank lines."""
    return any(
        source.between(group[n].end_byte, group[n + 1].start_byte).count("\n") > 1 for n in range(len(group) - 1)
    )


def _rank(source: Source, node: Node) -> tuple[int, int, str]:
    module = _module(source, node)
    sort = 0 if _NODE.match(module) else 2 if module.startswith((".", "/", "@/", "~/")) else 1
    return sort, -module.count("../"), module.lower()


def _module(source: Source, node: Node) -> str:
    found = field(node, "source")
    return source.say(found).strip("\"'`") if found is not None else ""


def _written(names: Names, node: Node, bindings: dict[int, Binding]) -> str:
    """Return an import without the names that nothing uses; empty where none is left."""
    source = names.source
    unused = {
        place.start
        for binding in bindings.values()
        if len(binding.places) == 1 and binding.name not in _KEPT
        for place in binding.places
        if node.start_byte <= place.start < node.end_byte
    }
    clause = next(child for child in node.named_children if child.type == "import_clause")
    heads: list[str] = []
    named: list[str] = []
    for each in clause.named_children:
        if each.type == "named_imports":
            for one in each.named_children:
                bound = field(one, "alias") or field(one, "name")
                if one.type == "import_specifier" and bound is not None and bound.start_byte not in unused:
                    named.append(source.say(one))
        elif (each.named_children[-1] if each.named_children else each).start_byte not in unused:
            heads.append(source.say(each))
    if not heads and not named:
        return ""
    whole = source.say(node)
    head = whole[: whole.index(source.say(clause))]
    tail = source.between(clause.end_byte, node.end_byte)
    long = "\n" in source.say(clause)
    named.sort(key=lambda said: said.removeprefix("type ").lower())
    if named and long:
        indent = re.search(r"\n([ \t]+)\S", source.say(clause))
        lead = indent[1] if indent else "  "
        heads.append("{\n" + "".join(f"{lead}{each},\n" for each in named) + "}")
    elif named:
        heads.append(f"{{ {', '.join(named)} }}")
    return f"{head}{', '.join(heads)}{tail}"
