"""Make a function or a method of Python statements."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, NamedTuple

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused, InvalidArguments
from attache.tools.refactor.extracting import (
    Made,
    function_around,
    indent_of,
    lines_of_region,
    moved,
    newline_of,
    refuse_taken,
    same_meaning,
    scope_of,
    unit_of,
)
from attache.tools.refactor.semantics.flow import Flow, Region, ends, flow_of, leaps, own_nodes, region_of
from attache.tools.refactor.semantics.idioms import decorators
from attache.tools.refactor.semantics.names import Binding, Names, Scope
from attache.tools.refactor.semantics.python import names_of
from attache.tools.refactor.semantics.source import Source, field

if TYPE_CHECKING:
    from tree_sitter import Node

_FRAME = frozenset({"locals", "vars", "eval", "exec", "dir"})
_MANGLED = re.compile(r"\.\s*__\w*[^_\W]_?\b(?!__)")


class Place(NamedTuple):
    """Where the new function goes, and how it is called."""

    at: int
    """The byte before which it is written."""
    indent: str
    head: str
    """`self.` or `cls.` before the call, or nothing."""
    first: str
    """The parameter that the call gives by itself: `self`, `cls` or nothing."""
    mark: str
    """A decorator line, or nothing."""
    behind: bool
    """Whether it stands behind what it comes from."""


def python_function(names: Names, start_line: int, end_line: int, name: str) -> Made:
    """Return the edits that make a function of these lines. Raises EditRefused with the reason where none can be."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidArguments(f"extract.name: `{name}` is no name in Python", hint="letters, digits and _")
    source = names.source
    region = region_of(source, start_line, end_line)
    if region.block.parent is not None and region.block.parent.type == "class_definition":
        raise EditRefused(f"{source.path}:{start_line} is the body of a class", hint="name lines inside a method")
    function = function_around(region.block)
    home = scope_of(names, function)
    _refuse_ways(names, region, function)
    flow = flow_of(names, region, home)
    place = _place(names, region, function, home, flow)
    refuse_taken(names, name)
    text, call = _written(names, region, function, flow, place, name)
    start, end = lines_of_region(source, region)
    edits = (
        TextEdit(start=source.offset(place.at), end=source.offset(place.at), text=text),
        TextEdit(start=source.offset(start), end=source.offset(end), text=call),
    )
    inside = [each for each in names.meaningful if region.has(each.start)]

    def check(after: str) -> None:
        new = names_of(Source(source.path, after))
        found = next(each for each in new.of(name) if each.role == "bind")
        body = field(found.node.parent, "body") if found.node.parent else None
        opened = found.node.parent.start_byte if found.node.parent else 0
        if body is not None:
            same_meaning(names, inside, new, body.start_byte, body.end_byte, opened)

    takes = ", ".join(each.name for each in flow.inputs if each.name != place.first) or "nothing"
    gives = ", ".join(each.name for each in flow.outputs) or "nothing"
    what = "method" if place.first else "function"
    head = f"made {what} `{name}` of {source.path}:{start_line}-{end_line}: takes {takes}, gives back {gives}"
    return Made(head, edits, check)


def _refuse_ways(names: Names, region: Region, function: Node | None) -> None:
    """Raise EditRefused where control leaves the lines in a way that a call cannot."""
    where = names.source.where
    if leap := leaps(region):
        raise EditRefused(
            f"{where(leap[0].start_byte)}: `{names.source.say(leap[0])}` leaves for a loop outside of these lines",
            hint="take the whole loop, or lines without it",
        )
    if found := own_nodes(region, frozenset({"yield"})):
        raise EditRefused(f"{where(found[0].start_byte)}: it yields; a function of its own would be a generator")
    returns = own_nodes(region, frozenset({"return_statement"}))
    if returns and not _returns_at_end(names.source, region, function):
        raise EditRefused(
            f"{where(returns[0].start_byte)}: it returns on some ways through these lines, and goes on on others",
            hint="take lines up to the end of the function, or without the return",
        )
    for each in names.all:
        if region.has(each.start) and each.role == "use" and each.binding is None and each.text in _FRAME:
            raise EditRefused(f"{where(each.start)}: `{each.text}` looks at the function it stands in")


def _returns_at_end(source: Source, region: Region, function: Node | None) -> bool:
    """Return whether nothing of the function is run once the region is through."""
    last = region.statements[-1]
    if any(ends(source, each) for each in region.statements):
        return True
    body = field(function, "body") if function is not None else None
    return body is not None and region.block == body and body.named_children[-1] == last


def _place(names: Names, region: Region, function: Node | None, home: Scope, flow: Flow) -> Place:
    source = names.source
    if function is None:
        start, _ = lines_of_region(source, region)
        top = region.statements[0]
        while top.parent is not None and top.parent.type != "module":
            top = top.parent
        return Place(min(start, source.start_of_line(source.line(top.start_byte))), "", "", "", "", behind=False)
    outer = home.parent
    if function.type == "lambda":
        raise EditRefused(f"{source.where(region.start)} stands in a lambda", hint="name whole statements")
    first = _first_parameter(names, function) if outer is not None and outer.kind == "class" else ""
    used = {each.text for each in names.all if region.has(each.start)}
    needs_class = "super" in used or "__class__" in used or _MANGLED.search(source.between(region.start, region.end))
    marks = decorators(names, function)
    if first and "staticmethod" not in marks and (first in used or needs_class):
        if first in {each.name for each in flow.writes}:
            raise EditRefused(f"{source.where(region.start)}: `{first}` is given another value in these lines")
        mark = "@classmethod" if "classmethod" in marks else ""
        at = _behind(source, function)
        return Place(at, indent_of(source, function.start_byte), f"{first}.", first, mark, behind=True)
    if needs_class:
        raise EditRefused(f"{source.where(region.start)}: `super()` or a private name ties these lines to their class")
    top = function
    while top.parent is not None and top.parent.type != "module":
        top = top.parent
    return Place(_behind(source, top), "", "", "", "", behind=True)


def _behind(source: Source, node: Node) -> int:
    return source.start_of_line(source.line(node.end_byte - 1) + 1)


def _first_parameter(names: Names, function: Node) -> str:
    parameters = field(function, "parameters")
    if parameters is None or not parameters.named_children:
        return ""
    first = parameters.named_children[0]
    return names.source.say(first) if first.type == "identifier" else ""


def _written(
    names: Names, region: Region, function: Node | None, flow: Flow, place: Place, name: str
) -> tuple[str, str]:
    """Return the new function, and the lines that call it."""
    source = names.source
    newline, unit = newline_of(source), unit_of(source)
    start, end = lines_of_region(source, region)
    old = indent_of(source, region.start)
    inner = place.indent + unit
    body = moved(source, start, end, old, inner)
    body = body if body.endswith(("\n", "\r")) else body + newline
    inputs = [each for each in flow.inputs if each.name != place.first]
    returns = bool(own_nodes(region, frozenset({"return_statement"})))
    if returns and flow.outputs:
        raise EditRefused(f"{source.where(region.start)}: these lines return, and set what is needed after them")
    given = ", ".join(each.name for each in flow.outputs)
    tail = f"{inner}return {given}{newline}" if given else ""
    parameters = ", ".join(([place.first] if place.first else []) + [_parameter(names, each) for each in inputs])
    waits = bool(own_nodes(region, frozenset({"await"}))) or _is_asynchronous(source, region)
    word = "async def" if waits else "def"
    declared = _globals(names, region, function)
    marks = f"{place.indent}{place.mark}{newline}" if place.mark else ""
    head = f"{marks}{place.indent}{word} {name}({parameters}):{newline}"
    head += f"{inner}global {', '.join(declared)}{newline}" if declared else ""
    gap = newline if place.indent else newline * 2
    whole = f"{head}{body}{tail}"
    text = f"{gap}{whole}" if place.behind else f"{whole}{gap}"
    if place.behind and not source.data[: place.at].endswith((b"\n", b"\r")):
        text = newline + text
    arguments = ", ".join(each.name for each in inputs)
    call = f"{'await ' if waits else ''}{place.head}{name}({arguments})"
    lead = "return " if returns else f"{given} = " if given else ""
    ending = newline if source.between(start, end).endswith(("\n", "\r")) else ""
    return text, f"{old}{lead}{call}{ending}"


def _parameter(names: Names, binding: Binding) -> str:
    """Return a parameter, with its annotation where the function it came from says one."""
    origins = [each for each in binding.origins if each.annotation is not None]
    if len(binding.origins) == 1 and origins and origins[0].annotation is not None:
        said = names.source.say(origins[0].annotation)
        if "\n" not in said and not origins[0].node.type.endswith("splat_pattern"):
            return f"{binding.name}: {said}" if not _is_splat(origins[0].node) else binding.name
    return binding.name


def _is_splat(node: Node) -> bool:
    return any(child.type.endswith("splat_pattern") for child in node.named_children)


def _is_asynchronous(source: Source, region: Region) -> bool:
    loops = own_nodes(region, frozenset({"for_statement", "with_statement", "for_in_clause"}))
    return any(source.say(each).startswith("async") for each in loops)


def _globals(names: Names, region: Region, function: Node | None) -> list[str]:
    """Return the names that the new function has to declare global; `nonlocal` cannot be taken along."""
    found: list[str] = []
    for each in names.all:
        word = each.scope.redirects.get(each.text)
        if not region.has(each.start) or each.role != "bind" or not word or function is None:
            continue
        if region.has(each.scope.node.start_byte):
            continue
        if word == "nonlocal":
            raise EditRefused(f"{names.source.where(each.start)}: `{each.text}` belongs to a function around it")
        if each.text not in found and each.node.parent and each.node.parent.type != "global_statement":
            found.append(each.text)
    return found
