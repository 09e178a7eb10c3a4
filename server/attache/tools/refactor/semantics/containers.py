"""What the items of a container are, and what a value is inside the branch that asked for its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attache.tools.refactor.semantics.idioms import decorators
from attache.tools.refactor.semantics.names import Binding, Names, Origin, Scope, looked_up
from attache.tools.refactor.semantics.program import DEPTH, Class, Function, Instance, Value, same
from attache.tools.refactor.semantics.source import field as part
from attache.tools.refactor.semantics.source import walk

if TYPE_CHECKING:
    from tree_sitter import Node

    from attache.tools.refactor.semantics.types import Program

_MAPPINGS = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "WeakValueDictionary"}
)
_ITEMS = frozenset({
    "list", "List", "set", "Set", "frozenset", "FrozenSet", "Sequence", "MutableSequence", "Iterable", "Iterator",
    "Collection", "deque", "AsyncIterator", "AsyncIterable", "Generator", "AsyncGenerator", "KeysView", "ValuesView",
})  # fmt: skip
_SAME_ITEMS = frozenset({"sorted", "list", "tuple", "set", "frozenset", "reversed", "iter", "deque", "copy", "filter"})
_BY_KEY = frozenset({"sorted", "min", "max", "sort", "groupby", "nlargest", "nsmallest"})
_COMPREHENSIONS = frozenset({"list_comprehension", "set_comprehension", "generator_expression"})


class Declared(NamedTuple):
    """A type as it is written, and where."""

    names: Names
    node: Node
    scope: Scope


def declared(program: Program, names: Names, node: Node, scope: Scope, depth: int = 0) -> Declared | None:
    """Return the annotation that says what an expression is."""
    if depth > DEPTH:
        return None
    match node.type:
        case "parenthesized_expression" | "await":
            inner = node.named_children[-1] if node.named_children else None
            return declared(program, names, inner, scope, depth + 1) if inner is not None else None
        case "identifier":
            binding = looked_up(scope, names.source.say(node), past_classes=True)
            return _of_binding(program, names, binding, depth + 1) if binding else None
        case "attribute":
            return _of_member(program, names, node, scope, depth + 1)
        case "call":
            function = part(node, "function")
            called = program.value(names, function, scope, depth + 1) if function is not None else None
            return _returned(program, called)
        case _:
            return None


def _of_binding(program: Program, names: Names, binding: Binding, depth: int) -> Declared | None:
    found = program.followed(names, binding, depth)
    if not isinstance(found, tuple) or len(found[1].origins) != 1:
        return None
    names, binding = found
    origin = binding.origins[0]
    if origin.annotation is not None and not origin.node.type.endswith("splat_pattern"):
        return Declared(names, origin.annotation, binding.scope)
    left = part(origin.node, "left")
    if origin.value is not None and origin.kind == "variable" and left is not None and left.type == "identifier":
        return declared(program, names, origin.value, binding.scope, depth + 1)
    return None


def _of_member(program: Program, names: Names, node: Node, scope: Scope, depth: int) -> Declared | None:
    holder, name = part(node, "object"), part(node, "attribute")
    base = program.value(names, holder, scope, depth) if holder is not None else None
    if not isinstance(base, Class | Instance) or name is None:
        return None
    owner, said = base.of if isinstance(base, Instance) else base, names.source.say(name)
    for there, binding in program.found_in(owner, said):
        origin = binding.origins[0] if len(binding.origins) == 1 else None
        if origin and origin.annotation is not None:
            return Declared(there, origin.annotation, binding.scope)
        if origin and origin.kind == "function" and decorators(there, origin.node) & {"property", "cached_property"}:
            return _returned(program, program.of_binding(there, binding, depth))
        return None
    for each in program.line_of(owner):
        there = program.names(each.path)
        for place in program.stores(each, said) if there else ():
            statement = place.node.parent.parent if place.node.parent else None
            kind = part(statement, "type") if statement is not None and statement.type == "assignment" else None
            if there and kind is not None:
                return Declared(there, kind, place.scope)
            value = part(statement, "right") if statement is not None and statement.type == "assignment" else None
            if there and value is not None and value.type == "identifier":
                return declared(program, there, value, place.scope, depth + 1)
    return None


def _returned(program: Program, called: Value | None) -> Declared | None:
    if not isinstance(called, Function):
        return None
    names = program.names(called.path)
    kind, scope = part(called.node, "return_type"), program.scope(names, called.node) if names else None
    return Declared(names, kind, scope) if names and kind is not None and scope else None


def _arguments(found: Declared) -> tuple[str, list[Node]]:
    """Return the head and the arguments of `head[arguments]`, through `Optional` and `| None`."""
    say = found.names.source.say
    node = found.node
    while True:
        if node.type == "type" and node.named_children:
            node = node.named_children[0]
        elif node.type in {"binary_operator", "union_type"} and any(
            say(each) == "None" for each in node.named_children
        ):
            rest = [each for each in node.named_children if say(each) != "None"]
            if len(rest) != 1:
                return "", []
            node = rest[0]
        else:
            break
    if node.type not in {"generic_type", "subscript"}:
        return "", []
    head, *arguments = node.named_children
    if arguments and arguments[0].type == "type_parameter":
        arguments = arguments[0].named_children
    return say(head).rpartition(".")[2], arguments


def item(program: Program, names: Names, node: Node | None, scope: Scope, depth: int) -> Value | None:
    """Return what going through a container yields."""
    if node is None or depth > DEPTH:
        return None
    if node.type in {"list", "tuple", "set"} and node.named_children:
        return same(program.value(names, each, scope, depth + 1) for each in node.named_children)
    if node.type in _COMPREHENSIONS:
        body, inner = part(node, "body"), program.scope(names, node)
        return program.value(names, body, inner, depth + 1) if body is not None and inner else None
    if node.type == "subscript" and any(each.type == "slice" for each in node.named_children):
        return item(program, names, part(node, "value"), scope, depth + 1)
    if node.type == "call" and (through := _through(program, names, node, scope, depth)) is not None:
        return through
    found = declared(program, names, node, scope, depth + 1)
    if found is None:
        return _of_literal(program, names, node, scope, depth)
    kind = _item_type(found)
    return program.annotated(found.names, kind, found.scope, depth + 1) if kind is not None else None


def _item_type(found: Declared) -> Node | None:
    head, arguments = _arguments(found)
    say = found.names.source.say
    if head in _MAPPINGS or head in _ITEMS:
        return arguments[0] if arguments else None
    if head in {"tuple", "Tuple"} and len(arguments) in {1, 2} and say(arguments[-1]) in {"...", say(arguments[0])}:
        return arguments[0]
    return None


def _of_literal(program: Program, names: Names, node: Node, scope: Scope, depth: int) -> Value | None:
    """Follow a variable to the one display or comprehension that it is set to."""
    if node.type != "identifier":
        return None
    binding = looked_up(scope, names.source.say(node), past_classes=True)
    if binding is None or len(binding.origins) != 1:
        return None
    origin = binding.origins[0]
    left = part(origin.node, "left")
    if origin.value is None or left is None or left.type != "identifier":
        return None
    display = origin.value.type in {"list", "tuple", "set"}
    if display and any(_grows(each.node) for each in binding.places):
        return None
    return item(program, names, origin.value, binding.scope, depth + 1)


def _grows(node: Node) -> bool:
    """Whether more may be put into a variable here: `x.append(...)`, `x += ...`."""
    above = node.parent
    return above is not None and above.type in {"attribute", "augmented_assignment"}


def _through(program: Program, names: Names, node: Node, scope: Scope, depth: int) -> Value | None:
    """Return the items of `sorted(x)`, `x.values()` and others that hand on what is in `x`."""
    function, arguments = part(node, "function"), part(node, "arguments")
    if function is None or arguments is None:
        return None
    given = [each for each in arguments.named_children if each.type != "keyword_argument"]
    if function.type == "identifier" and names.source.say(function) in _SAME_ITEMS and given:
        which = given[1] if names.source.say(function) == "filter" and len(given) > 1 else given[0]
        return item(program, names, which, scope, depth + 1)
    holder, last = part(function, "object"), part(function, "attribute")
    if holder is None or last is None:
        return None
    if names.source.say(last) in {"values", "copy"}:
        found = declared(program, names, holder, scope, depth + 1)
        head, kinds = _arguments(found) if found else ("", [])
        if found and head in _MAPPINGS and kinds and names.source.say(last) == "values":
            return program.annotated(found.names, kinds[-1], found.scope, depth + 1)
    return None


def subscripted(program: Program, names: Names, node: Node | None, scope: Scope, depth: int) -> Value | None:
    """Return what `x[...]` is."""
    if node is None:
        return None
    found = declared(program, names, node, scope, depth + 1)
    head, kinds = _arguments(found) if found else ("", [])
    if found and head in _MAPPINGS and kinds:
        return program.annotated(found.names, kinds[-1], found.scope, depth + 1)
    return item(program, names, node, scope, depth + 1)


def unpacked(program: Program, names: Names, origin: Origin, name: str, scope: Scope, depth: int) -> Value | None:
    """Return what `a, b = x` and `for a, b in x` bind to a name."""
    left, right = part(origin.node, "left"), part(origin.node, "right")
    if left is None or right is None:
        return None
    at = next((n for n, each in enumerate(left.named_children) if names.source.say(each) == name), None)
    if at is None or any("splat" in each.type for each in left.named_children):
        return None
    looped = origin.node.type in {"for_statement", "for_in_clause"}
    if looped and right.type == "call":
        return _paired(program, names, right, scope, at, depth)
    found = declared(program, names, right, scope, depth + 1)
    if found and looped:
        kind = _item_type(found)
        found = Declared(found.names, kind, found.scope) if kind is not None else None
    head, kinds = _arguments(found) if found else ("", [])
    if found and head in {"tuple", "Tuple"} and at < len(kinds):
        return program.annotated(found.names, kinds[at], found.scope, depth + 1)
    values = right.named_children
    if not looped and right.type in {"expression_list", "tuple"} and len(values) == len(left.named_children):
        return program.value(names, values[at], scope, depth + 1)
    return None


def _paired(program: Program, names: Names, call: Node, scope: Scope, at: int, depth: int) -> Value | None:
    """Return what `enumerate(x)`, `zip(x, y)` and `x.items()` give at a place of each pair."""
    function, arguments = part(call, "function"), part(call, "arguments")
    given = [each for each in arguments.named_children if each.type != "keyword_argument"] if arguments else []
    said = names.source.say(function) if function is not None else ""
    if said == "enumerate" and at == 1 and given:
        return item(program, names, given[0], scope, depth + 1)
    if said == "zip" and at < len(given):
        return item(program, names, given[at], scope, depth + 1)
    holder, last = (part(function, "object"), part(function, "attribute")) if function is not None else (None, None)
    if holder is not None and last is not None and names.source.say(last) == "items":
        found = declared(program, names, holder, scope, depth + 1)
        head, kinds = _arguments(found) if found else ("", [])
        if found and head in _MAPPINGS and at < len(kinds):
            return program.annotated(found.names, kinds[at], found.scope, depth + 1)
    return None


def of_lambda(program: Program, names: Names, scope: Scope, depth: int) -> Value | None:
    """Return what the parameter of `sorted(x, key=lambda each: ...)` is."""
    above = scope.node.parent
    call = above.parent.parent if above is not None and above.type == "keyword_argument" and above.parent else None
    function, arguments = (part(call, "function"), part(call, "arguments")) if call is not None else (None, None)
    outer = scope.parent
    if function is None or arguments is None or outer is None:
        return None
    said = names.source.say(function).rpartition(".")[2]
    if said not in _BY_KEY:
        return None
    container = part(function, "object") if said == "sort" else next(iter(arguments.named_children), None)
    return item(program, names, container, outer, depth + 1)


def narrowed(program: Program, names: Names, node: Node, scope: Scope, depth: int) -> Value | None:
    """Return what a name is inside of `if isinstance(name, X)`."""
    said = names.source.say(node)
    inner, above = node, node.parent
    while above is not None and above.type not in {"function_definition", "module", "lambda"}:
        if above.type in {"if_statement", "elif_clause", "conditional_expression", "if_clause", "boolean_operator"}:
            condition = part(above, "condition") or part(above, "left")
            if condition is not None and condition != inner and inner != part(above, "alternative"):
                for call in walk(condition):
                    if (found := _asked(program, names, call, said, scope, depth)) is not None:
                        return found
        inner, above = above, above.parent
    return None


def _asked(program: Program, names: Names, call: Node, said: str, scope: Scope, depth: int) -> Value | None:
    if call.type != "call" or names.source.say(part(call, "function") or call) != "isinstance":
        return None
    above = call.parent
    while above is not None and above.type in {"boolean_operator", "parenthesized_expression", "not_operator"}:
        if above.type == "not_operator" or any(child.type == "or" for child in above.children):
            return None
        above = above.parent
    arguments = part(call, "arguments")
    given = arguments.named_children if arguments is not None else []
    if len(given) != 2 or names.source.say(given[0]) != said:  # noqa: PLR2004 - isinstance takes two
        return None
    found = program.value(names, given[1], scope, depth + 1)
    return Instance(found) if isinstance(found, Class) else None
