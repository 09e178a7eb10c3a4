"""What every extraction shares: the edits and words that it comes to, and text moved to another depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.flow import FUNCTIONS, Region
from attache.tools.refactor.semantics.names import Name, Names, Scope
from attache.tools.refactor.semantics.source import Source, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_STRINGS = frozenset({"string", "template_string", "string_content", "template_literal"})


@dataclass(frozen=True, slots=True)
class Made:
    """An extraction, ready to land."""

    head: str
    edits: tuple[TextEdit, ...]
    check: Callable[[str], None]
    """Raises EditRefused where the text that comes of it means something else."""
    notes: tuple[str, ...] = ()


def refuse_taken(names: Names, name: str) -> None:
    """Raise EditRefused where a file says a name already, other than behind a dot."""
    for each in names.of(name):
        if each.role in {"bind", "use", "imported"}:
            raise EditRefused(
                f"{names.source.where(each.start)}: `{name}` is a name in this file already", hint="choose another"
            )


def lines_of_region(source: Source, region: Region) -> tuple[int, int]:
    """Return the bytes of a region's whole lines, its last line end included."""
    first, last = source.line(region.start), source.line(region.end - 1)
    return source.start_of_line(first), source.start_of_line(last + 1)


def indent_of(source: Source, at: int) -> str:
    """Return the blanks with which the line of a byte begins."""
    line = source.line_text(source.line(at))
    return line[: len(line) - len(line.lstrip())]


def moved(source: Source, start: int, end: int, old: str, new: str) -> str:
    """Return lines with another indentation; what lies inside of a string of several lines stays as it is."""
    inside = {
        row
        for node in walk(source.root)
        if node.type in _STRINGS and node.start_point.row < node.end_point.row
        for row in range(node.start_point.row + 1, node.end_point.row + 1)
        if start <= node.start_byte < end
    }
    first = source.line(start) - 1
    rows: list[str] = []
    for number, line in enumerate(source.between(start, end).splitlines(keepends=True), first):
        if number in inside or not line.strip():
            rows.append(line)
        else:
            rows.append(new + (line[len(old) :] if line.startswith(old) else line.lstrip(" \t")))
    return "".join(rows)


def function_around(node: Node) -> Node | None:
    """Return the innermost function that a node stands in."""
    above: Node | None = node
    while above is not None and above.type not in FUNCTIONS:
        above = above.parent
    return above


def scope_of(names: Names, function: Node | None) -> Scope:
    """Return the scope that a function opens; the module's where there is none."""
    if function is None:
        return names.top
    outer = names.top
    for each in names.all:
        for scope in each.scope.chain():
            if scope.node == function and scope.kind == "function":
                return scope
        if each.node.parent == function:
            outer = each.scope
    return Scope("function", function, outer)  # it says no name of its own


def newline_of(source: Source) -> str:
    """Return the line end of a file."""
    return "\r\n" if b"\r\n" in source.data else "\n"


def unit_of(source: Source) -> str:
    """Return what a file indents by."""
    found = re.search(r"^(\t| +)\S", source.text, re.MULTILINE)
    first = found[1] if found else ""
    if first.startswith("\t"):
        return "\t"
    widths = [len(match[1]) for match in re.finditer(r"^( +)\S", source.text, re.MULTILINE)]
    return " " * (min(widths) if widths and min(widths) in {2, 4, 8} else 4)


def same_meaning(before: Names, inside: list[Name], after: Names, start: int, end: int, opened: int) -> None:
    """Raise EditRefused where a name of the lines that moved is bound otherwise in its new place.

    What came from the module, or from nowhere, still does; what was local is the new function's own.
    """
    there = [name for name in after.meaningful if start <= name.start < end]
    for old, new in zip(inside, there, strict=False):
        if old.text != new.text or old.role not in {"use", "bind"}:
            continue
        was = old.binding.scope.kind if old.binding else "none"
        now = new.binding.scope.kind if new.binding else "none"
        local = new.binding is not None and new.binding.scope.node.start_byte >= opened
        if (was in {"module", "none"}) != (now in {"module", "none"}) and not local:
            where = before.source.where(old.start)
            raise EditRefused(f"{where}: `{old.text}` would mean something else; nothing was changed")
    if len(there) < len(inside):
        raise EditRefused(f"{before.source.path}: the lines would not read the same; nothing was changed")
