"""Make a function or a method of JavaScript or TypeScript statements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
from attache.tools.refactor.semantics.flow import Flow, Region, ends, flow_of, is_written, leaps, own_nodes, region_of
from attache.tools.refactor.semantics.names import Binding, Names
from attache.tools.refactor.semantics.script import names_of
from attache.tools.refactor.semantics.source import Source, field, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_THIS = frozenset(
    {"function_declaration", "function_expression", "method_definition", "generator_function_declaration"}
)
_LITERALS = {
    "number": "number", "string": "string", "template_string": "string", "true": "boolean", "false": "boolean",
}  # fmt: skip


def script_function(names: Names, start_line: int, end_line: int, name: str) -> Made:
    """Return the edits that make a function of these lines. Raises EditRefused with the reason where none can be."""
    if not re.fullmatch(r"[^\W\d][\w$]*", name):
        raise InvalidArguments(f"extract.name: `{name}` is no name there", hint="letters, digits, _ and $")
    source = names.source
    region = region_of(source, start_line, end_line)
    if region.block.type == "class_body":
        raise EditRefused(f"{source.path}:{start_line} is the body of a class", hint="name lines inside a method")
    function = function_around(region.block)
    home = scope_of(names, function)
    _refuse_ways(names, region, function)
    flow = flow_of(names, region, home)
    refuse_taken(names, name)
    method = _method(names, region, function)
    text, at = _function(names, region, flow, method, function, name)
    start, end = lines_of_region(source, region)
    call = _call(names, region, flow, name, is_method=method is not None)
    edits = (
        TextEdit(start=source.offset(at), end=source.offset(at), text=text),
        TextEdit(start=source.offset(start), end=source.offset(end), text=call),
    )
    inside = [each for each in names.meaningful if region.has(each.start)]

    def check(after: str) -> None:
        new = names_of(Source(source.path, after))
        if new.source.faults:
            raise EditRefused(f"{source.path} would not parse any more; nothing was changed")
        made = (one.node.parent for one in new.of(name) if one.node.parent and field(one.node.parent, "body"))
        whole = next(made, None)
        body = field(whole, "body") if whole is not None else None
        if whole is not None and body is not None:
            same_meaning(names, inside, new, body.start_byte, body.end_byte, whole.start_byte)

    untyped = [each.name for each in flow.inputs if source.language.name != "javascript" and not _type(names, each)]
    notes = (f"the types of {', '.join(untyped)} could not be told and are `any`",) if untyped else ()
    takes = ", ".join(each.name for each in flow.inputs) or "nothing"
    gives = ", ".join(each.name for each in flow.outputs) or "nothing"
    what = "method" if method is not None else "function"
    head = f"made {what} `{name}` of {source.path}:{start_line}-{end_line}: takes {takes}, gives back {gives}"
    return Made(head, edits, check, notes)


def _refuse_ways(names: Names, region: Region, function: Node | None) -> None:
    where, say = names.source.where, names.source.say
    if leap := leaps(region):
        raise EditRefused(
            f"{where(leap[0].start_byte)}: `{say(leap[0])}` leaves for a loop outside of these lines",
            hint="take the whole loop, or lines without it",
        )
    if found := own_nodes(region, frozenset({"yield_expression", "super", "labeled_statement"})):
        raise EditRefused(f"{where(found[0].start_byte)}: `{say(found[0])[:40]}` cannot move to another function")
    if any(each.text == "arguments" and region.has(each.start) for each in names.all):
        raise EditRefused(f"{where(region.start)}: `arguments` looks at the function it stands in")
    if found := own_nodes(region, frozenset({"import_statement", "export_statement"})):
        raise EditRefused(f"{where(found[0].start_byte)}: imports and exports stand at the top", hint="leave them out")
    returns = own_nodes(region, frozenset({"return_statement"}))
    body = field(function, "body") if function is not None else None
    last = body is not None and region.block == body and body.named_children[-1] == region.statements[-1]
    if returns and not last and not any(ends(names.source, each) for each in region.statements):
        raise EditRefused(
            f"{where(returns[0].start_byte)}: it returns on some ways through these lines, and goes on on others",
            hint="take lines up to the end of the function, or without the return",
        )


def _method(names: Names, region: Region, function: Node | None) -> Node | None:
    """Return the method that the lines need to belong with, since they say `this`."""
    if not _says_this(region):
        return None
    above = function
    while above is not None and above.type == "arrow_function":
        above = function_around(above.parent) if above.parent is not None else None
    if above is None or above.type != "method_definition":
        raise EditRefused(f"{names.source.where(region.start)}: whose `this` it is cannot be told here")
    if function != above:
        raise EditRefused(f"{names.source.where(region.start)}: `this` is said in a function inside a method")
    return above


def _says_this(region: Region) -> bool:
    """Whether the region's own `this` is said; arrow functions inside share it."""
    waiting = list(region.statements)
    while waiting:
        one = waiting.pop()
        if one.type in {"this", "private_property_identifier"}:
            return True
        if one.type not in _THIS:
            waiting.extend(one.children)
    return False


def _function(
    names: Names, region: Region, flow: Flow, method: Node | None, function: Node | None, name: str
) -> tuple[str, int]:
    """Return the new function and where it goes."""
    source = names.source
    newline, unit = newline_of(source), unit_of(source)
    start, end = lines_of_region(source, region)
    top = method if method is not None else function if function is not None else region.statements[0]
    while method is None and top.parent is not None and top.parent.type != "program":
        top = top.parent
    indent = indent_of(source, top.start_byte)
    body = moved(source, start, end, indent_of(source, region.start), indent + unit)
    body = body if body.endswith(("\n", "\r")) else body + newline
    returns = bool(own_nodes(region, frozenset({"return_statement"})))
    if returns and flow.outputs:
        raise EditRefused(f"{source.where(region.start)}: these lines return, and set what is needed after them")
    given = ", ".join(each.name for each in flow.outputs)
    ending = ";" if ";" in source.text else ""
    if given:
        body += f"{indent}{unit}return {given if len(flow.outputs) == 1 else f'{{ {given} }}'}{ending}{newline}"
    waits = "async " if _waits(source, region) else ""
    typed = source.language.name != "javascript"
    parameters = ", ".join(
        f"{each.name}: {_type(names, each) or 'any'}" if typed else each.name for each in flow.inputs
    )
    static = method is not None and any(child.type == "static" for child in method.children)
    word = ("static " if static else "") + waits if method is not None else f"{waits}function "
    whole = f"{indent}{word}{name}({parameters}) {{{newline}{body}{indent}}}{newline}"
    if function is None:
        return whole + newline, source.start_of_line(source.line(top.start_byte))
    at = source.start_of_line(source.line(top.end_byte - 1) + 1)
    lead = "" if source.data[:at].endswith((b"\n", b"\r")) else newline
    return f"{lead}{newline}{whole}", at


def _waits(source: Source, region: Region) -> bool:
    if own_nodes(region, frozenset({"await_expression"})):
        return True
    return any(source.say(each).startswith("for await") for each in own_nodes(region, frozenset({"for_in_statement"})))


def _call(names: Names, region: Region, flow: Flow, name: str, *, is_method: bool) -> str:
    source = names.source
    newline = newline_of(source)
    start, end = lines_of_region(source, region)
    ending = ";" if ";" in source.text else ""
    waits = "await " if _waits(source, region) else ""
    arguments = ", ".join(each.name for each in flow.inputs)
    call = f"{waits}{'this.' if is_method else ''}{name}({arguments})"
    indent = indent_of(source, region.start)
    tail = newline if source.between(start, end).endswith(("\n", "\r")) else ""
    if own_nodes(region, frozenset({"return_statement"})):
        return f"{indent}return {call}{ending}{tail}"
    if not flow.outputs:
        return f"{indent}{call}{ending}{tail}"
    fresh = [each for each in flow.outputs if _declared_in(region, each)]
    given = ", ".join(each.name for each in flow.outputs)
    shape = given if len(flow.outputs) == 1 else f"{{ {given} }}"
    if len(fresh) == len(flow.outputs):
        again = any(is_written(place) and not region.has(place.start) for each in fresh for place in each.places)
        return f"{indent}{'let' if again else 'const'} {shape} = {call}{ending}{tail}"
    declared = f"{indent}let {', '.join(each.name for each in fresh)}{ending}{newline}" if fresh else ""
    assigned = f"{shape} = {call}" if len(flow.outputs) == 1 else f"({shape} = {call})"
    if not ending and len(flow.outputs) > 1:
        assigned = f";{assigned}"  # without semicolons a line that begins with a bracket goes on with the one before
    return f"{declared}{indent}{assigned}{ending}{tail}"


def _declared_in(region: Region, binding: Binding) -> bool:
    return any(region.has(origin.node.start_byte) for origin in binding.origins)


def _type(names: Names, binding: Binding) -> str:
    """Return the type that a variable's declaration says or shows."""
    for origin in binding.origins:
        if origin.annotation is not None:
            if origin.node.type in {"required_parameter", "optional_parameter"}:
                pattern = field(origin.node, "pattern")
                if pattern is None or pattern.type != "identifier":
                    return ""
                said = names.source.say(origin.annotation).lstrip(": ")
                return f"{said} | undefined" if origin.node.type == "optional_parameter" else said
            name = field(origin.node, "name")
            if name is not None and name.type == "identifier":
                return names.source.say(origin.annotation).lstrip(": ")
        value = origin.value
        if value is not None and field(origin.node, "name") is not None:
            name = field(origin.node, "name")
            if name is None or name.type != "identifier":
                return ""
            if value.type in _LITERALS:
                return _LITERALS[value.type]
            made = field(value, "constructor") if value.type == "new_expression" else None
            if made is not None and not any(each.type == "type_arguments" for each in walk(value)):
                return names.source.say(made) if made.type == "identifier" and _is_class(names, made) else ""
    return ""


def _is_class(names: Names, node: Node) -> bool:
    """Whether an identifier names a class of the file or an import, so that it is a type too."""
    binding = names.top.bindings.get(names.source.say(node))
    return binding is not None and any(origin.kind == "class" for origin in binding.origins)
