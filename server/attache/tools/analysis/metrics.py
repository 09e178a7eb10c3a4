"""How large and how branched functions are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from attache.schema.code import Symbol
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.refactor.semantics.source import Source
from attache.tools.survey import apart, survey, symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, lines_of

if TYPE_CHECKING:
    from tree_sitter import Node

BRANCHES = frozenset({
    "if_statement", "elif_clause", "if_expression", "if_let_expression", "conditional_expression",
    "ternary_expression", "for_statement", "for_in_statement", "for_expression", "for_in_clause", "if_clause",
    "enhanced_for_statement", "foreach_statement", "for_range_loop", "while_statement", "while_expression",
    "do_statement", "loop_expression", "except_clause", "catch_clause", "rescue", "case_clause", "match_arm",
    "switch_case", "expression_case", "type_case", "communication_case", "switch_label", "when", "if", "elsif",
    "unless", "while", "until", "conditional", "case_statement", "boolean_operator", "guard_clause", "assert_statement",
})  # fmt: skip
_LOGICAL = frozenset({"&&", "||", "and", "or", "??"})
_NESTS = frozenset({
    "if_statement", "if_expression", "for_statement", "for_in_statement", "for_expression", "while_statement",
    "while_expression", "try_statement", "with_statement", "match_statement", "switch_statement", "match_expression",
    "loop_expression", "do_statement", "enhanced_for_statement", "foreach_statement",
})  # fmt: skip
_FUNCTIONS = frozenset({"function", "method"})

Sort = Literal["complexity", "lines", "nesting", "parameters"]


class Measured(NamedTuple):
    """One function: its ways through, its lines, how deep its blocks lie, how much it is given."""

    symbol: Symbol
    complexity: int
    lines: int
    nesting: int
    parameters: int


@tool(category="analysis", aliases=("complexity", "code_metrics"), pure=True)
async def metrics(
    ctx: Context,
    path: Annotated[str, Field(description="File or folder; the workspace by default.")] = "",
    sort: Annotated[Sort, Field(description="What comes first.")] = "complexity",
    offset: Offset = 0,
) -> ToolOutput:
    """Measure functions: cyclomatic complexity, lines, depth of nesting, parameters; the worst first."""
    surveyed = await survey(ctx, path)

    def work() -> list[Measured]:
        return [each for at, text in surveyed.texts.items() for each in measured(at, text)]

    found = sorted(await apart(work), key=lambda each: (-getattr(each, sort), each.symbol.path, each.symbol.line))
    lines = sum(len(lines_of(text)) for text in surveyed.texts.values())
    what = path or "workspace"
    if not found:
        return ToolOutput(
            text=f"{what}: no function in {counted(len(surveyed.texts), 'file')}", title=f"{what} · no function"
        )
    mean = sum(each.complexity for each in found) / len(found)
    head = (
        f"{what}: {counted(len(surveyed.texts), 'file')}, {counted(lines, 'line')}, "
        f"{counted(len(found), 'function')}, mean complexity {mean:.1f}, highest {max(e.complexity for e in found)}"
    )
    rows = [_row(each) for each in found]
    return ToolOutput(
        text="\n".join(part for part in (head, paged(rows, offset, limit=60), surveyed.note) if part),
        title=f"{what} · {counted(len(found), 'function')} · mean complexity {mean:.1f}",
        places=tuple(cited(each.symbol.path, each.symbol.line, each.symbol.end_line) for each in found[:20]),
        data={
            "files": len(surveyed.texts), "lines": lines, "functions": len(found), "mean_complexity": round(mean, 2),
            "worst": [{**each._asdict(), "symbol": each.symbol.qualified, "path": each.symbol.path,
                       "line": each.symbol.line} for each in found[offset : offset + 60]],
        },
    )  # fmt: skip


def _row(each: Measured) -> str:
    symbol = each.symbol
    return (
        f"{symbol.path}:{symbol.line} {symbol.qualified} · complexity {each.complexity}, {each.lines} lines, "
        f"nesting {each.nesting}, {counted(each.parameters, 'parameter')}"
    )


def measured(path: str, text: str) -> Iterator[Measured]:
    """Measure the functions of one text; one that takes too long to read has none."""
    functions = [each for each in symbols_in(path, text) if each.kind in _FUNCTIONS]
    if not functions:
        return
    try:
        source = Source(path, text)
    except ToolError:
        return
    inner = {(each.start_line, each.end_line) for each in functions}
    for each in functions:
        node = _node(source, each)
        if node is not None:
            yield Measured(
                each,
                1 + sum(1 for _ in _branches(source, node, inner - {(each.start_line, each.end_line)})),
                each.end_line - each.start_line + 1,
                _depth(node),
                _parameters(node),
            )


def _node(source: Source, symbol: Symbol) -> Node | None:
    """Return the smallest node that holds all of a definition."""
    start = source.start_of_line(symbol.line) + max(symbol.column - 1, 0)
    end = max(source.start_of_line(symbol.end_line + 1) - 1, start)
    node = source.root.descendant_for_byte_range(start, start)
    while node is not None and (node.end_byte < end - 2 and node.parent is not None and node.parent.parent is not None):
        if node.child_by_field_name("body") is not None and node.start_byte <= start:
            break
        node = node.parent
    while node is not None and node.child_by_field_name("body") is None and node.parent is not None:
        node = node.parent
        if source.line(node.start_byte) < symbol.start_line:
            return None
    return node


def _branches(source: Source, node: Node, inner: Iterable[tuple[int, int]]) -> Iterator[Node]:
    """Yield what adds a way through a function, those of functions that it defines left out."""
    own = frozenset(inner)
    waiting = list(node.children)
    while waiting:
        one = waiting.pop()
        if (one.start_point.row + 1, one.end_point.row + 1) in own and one.child_by_field_name("body") is not None:
            continue
        if (one.is_named and one.type in BRANCHES) or (not one.is_named and _is_logical(source, one)):
            yield one
        waiting.extend(one.children)


def _is_logical(source: Source, node: Node) -> bool:
    above = node.parent
    return node.type in _LOGICAL and above is not None and above.type != "boolean_operator" and bool(source.path)


def _depth(node: Node) -> int:
    deepest = 0
    waiting = [(child, 0) for child in node.named_children]
    while waiting:
        one, depth = waiting.pop()
        depth += one.type in _NESTS and not (one.parent is not None and one.parent.type == "else_clause")
        deepest = max(deepest, depth)
        waiting.extend((child, depth) for child in one.named_children)
    return deepest


def _parameters(node: Node) -> int:
    listed = node.child_by_field_name("parameters")
    if listed is None and (declarator := node.child_by_field_name("declarator")) is not None:
        listed = declarator.child_by_field_name("parameters")
    if listed is None:
        return 1 if node.child_by_field_name("parameter") is not None else 0
    return sum(1 for each in listed.named_children if "comment" not in each.type and "separator" not in each.type)
