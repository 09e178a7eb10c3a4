"""Put the one expression that a Python function returns in place of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.names import Binding, Name, Names, looked_up
from attache.tools.refactor.semantics.source import Source, field, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_ATOMS = frozenset({"identifier", "integer", "float", "true", "false", "none", "string"})
_LOOSE = frozenset({
    "binary_operator", "boolean_operator", "comparison_operator", "not_operator", "unary_operator",
    "conditional_expression", "lambda", "await", "named_expression", "tuple", "expression_list", "generator_expression",
})  # fmt: skip
_INNER = frozenset({
    "lambda", "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression",
    "named_expression", "yield",
})  # fmt: skip


def inlined_function(names: Names, binding: Binding) -> tuple[list[TextEdit], int]:
    """Return the edits that replace the calls of a function by its result, and how many there were.

    Raises EditRefused where it is not one expression, or a call could not be replaced without changing what is done.
    """
    source = names.source
    origin = binding.origins[0]
    where = source.where(origin.node.start_byte)
    if len(binding.origins) != 1 or source.language.name != "python" or binding.scope.kind == "class":
        raise EditRefused(f"{where}: only a Python function that is defined once can be inlined", hint="use edit")
    function = origin.node
    result = _result(source, function)
    parameters = _parameters(names, function)
    calls: list[tuple[Name, Node]] = []
    for each in binding.places:
        if each.role == "bind":
            continue
        call = each.node.parent
        callee = field(call, "function") if call is not None and call.type == "call" else None
        if call is None or callee != each.node:
            raise EditRefused(f"{source.where(each.start)}: `{binding.name}` is not called there, but handed on")
        if function.start_byte <= each.start < function.end_byte:
            raise EditRefused(f"{where}: `{binding.name}` calls itself")
        calls.append((each, call))
    if not calls:
        raise EditRefused(f"{where}: nothing calls `{binding.name}`", hint="delete it")
    free = [
        each
        for each in names.all
        if result.start_byte <= each.start < result.end_byte and each.role == "use" and each.text not in parameters
    ]
    edits = [_removed(source, function)]
    for use, call in calls:
        if any(other is not call and other.start_byte < call.start_byte < other.end_byte for _, other in calls):
            raise EditRefused(
                f"{source.where(use.start)}: one call stands inside another", hint="take them apart first"
            )
        for each in free:
            if looked_up(use.scope, each.text, past_classes=True) is not each.binding:
                raise EditRefused(f"{source.where(use.start)}: `{each.text}` means something else there")
        said = _with_arguments(names, result, parameters, call)
        loose = result.type in _LOOSE and (call.parent is None or call.parent.type != "expression_statement")
        put = f"({said})" if loose else said
        start, end = source.offset(call.start_byte), source.offset(call.end_byte)
        edits.append(TextEdit(start=start, end=end, text=put))
    return edits, len(calls)


def _result(source: Source, function: Node) -> Node:
    where = source.where(function.start_byte)
    body = field(function, "body")
    statements = [each for each in body.named_children if each.type != "comment"] if body is not None else []
    if statements and statements[0].type == "expression_statement" and statements[0].named_children[0].type == "string":
        statements = statements[1:]
    decorated = function.parent is not None and function.parent.type == "decorated_definition"
    if decorated or source.say(function).startswith("async"):
        raise EditRefused(
            f"{where}: it is decorated or asynchronous: a call does more than its result", hint="use edit"
        )
    only = statements[0] if len(statements) == 1 else None
    if only is None or only.type != "return_statement" or not only.named_children:
        raise EditRefused(f"{where}: it is more than one `return` of an expression", hint="use edit")
    result = only.named_children[0]
    if any(each.type in _INNER for each in walk(result)):
        raise EditRefused(f"{where}: it binds names of its own", hint="use edit")
    return result


def _parameters(names: Names, function: Node) -> dict[str, str]:
    """Return the parameters with their default values, empty where there is none."""
    listed = field(function, "parameters")
    found: dict[str, str] = {}
    for each in listed.named_children if listed is not None else ():
        if (
            "splat" in each.type
            or "separator" in each.type
            or any("splat" in child.type for child in each.named_children)
        ):
            raise EditRefused(f"{names.source.where(each.start_byte)}: `*` in its parameters", hint="use edit")
        if each.type == "comment":
            continue
        named = field(each, "name") or (each if each.type == "identifier" else each.named_children[0])
        value = field(each, "value")
        found[names.source.say(named)] = names.source.say(value) if value is not None else ""
    return found


def _with_arguments(names: Names, result: Node, parameters: dict[str, str], call: Node) -> str:
    """Return the result with a call's arguments in place of the parameters."""
    source = names.source
    where = source.where(call.start_byte)
    given = dict.fromkeys(parameters, "")
    order = list(parameters)
    nodes: dict[str, Node] = {}
    listed = field(call, "arguments")
    for number, each in enumerate(listed.named_children if listed is not None else ()):
        name, value = field(each, "name"), field(each, "value")
        if "splat" in each.type or each.type in {"comment", "generator_expression"}:
            raise EditRefused(f"{where}: its arguments cannot be told apart", hint="write them out first")
        if each.type == "keyword_argument" and name is not None and value is not None:
            key, node = source.say(name), value
        elif number < len(order):
            key, node = order[number], each
        else:
            raise EditRefused(f"{where}: it is given more than it takes")
        if key not in given:
            raise EditRefused(f"{where}: it takes no `{key}`")
        given[key], nodes[key] = source.say(node), node
    for name, default in parameters.items():
        if not given[name]:
            given[name] = default
        if not given[name]:
            raise EditRefused(f"{where}: it is not given `{name}`")
    uses = [
        each
        for each in names.all
        if result.start_byte <= each.start < result.end_byte and each.role == "use" and each.text in parameters
    ]
    for name, node in nodes.items():
        count = sum(each.text == name for each in uses)
        if node.type not in _ATOMS and (
            count != 1 or len([one for one in nodes.values() if one.type not in _ATOMS]) > 1
        ):
            raise EditRefused(f"{where}: `{given[name]}` would be computed {count} times, or in another order")
    text = source.say(result)
    for each in sorted(uses, key=lambda one: -one.start):
        argument = given[each.text]
        node = nodes.get(each.text)
        put = f"({argument})" if node is not None and node.type in _LOOSE else argument
        start = len(source.between(result.start_byte, each.start))
        text = text[:start] + put + text[start + len(each.text) :]
    return text


def _removed(source: Source, function: Node) -> TextEdit:
    first, last = source.line(function.start_byte), source.line(function.end_byte - 1)
    end = last + 1
    while source.start_of_line(end) < len(source.data) and not source.line_text(end):
        end += 1
    start = source.start_of_line(first)
    return TextEdit(start=source.offset(start), end=source.offset(source.start_of_line(end)), text="")
