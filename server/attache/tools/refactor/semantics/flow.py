"""What flows into and out of a run of statements: the values it needs, and those that are needed after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.names import Binding, Name, Names, Scope
from attache.tools.refactor.semantics.source import Source, field, walk

if TYPE_CHECKING:
    from tree_sitter import Node

BLOCKS = frozenset({"module", "block", "program", "statement_block", "class_body"})
FUNCTIONS = frozenset(
    {
        "function_definition", "lambda", "function_declaration", "function_expression", "arrow_function",
        "method_definition", "generator_function", "generator_function_declaration",
    }
)  # fmt: skip
LOOPS = frozenset({"for_statement", "while_statement", "for_in_statement", "do_statement"})
_ENDS = frozenset({"return_statement", "raise_statement", "throw_statement"})
_REST = frozenset({"comment", "empty_statement"})


@dataclass(frozen=True, slots=True)
class Region:
    """Statements that stand one behind the other in one block."""

    statements: tuple[Node, ...]
    block: Node

    @property
    def start(self) -> int:
        """Return the first byte."""
        return self.statements[0].start_byte

    @property
    def end(self) -> int:
        """Return the byte behind the last."""
        return self.statements[-1].end_byte

    def has(self, at: int) -> bool:
        """Whether a byte lies inside."""
        return self.start <= at < self.end

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes inside."""
        for each in self.statements:
            yield from walk(each)


@dataclass(frozen=True, slots=True)
class Flow:
    """The variables that a region is given and gives back, in the order they appear."""

    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    writes: tuple[Binding, ...]


def region_of(source: Source, start_line: int, end_line: int) -> Region:
    """Return the statements that lines hold whole. Raises EditRefused with the nearest lines that do."""
    found = _deepest(source, start_line, end_line)
    if found is None:
        raise EditRefused(f"{source.path}:{start_line}-{end_line} holds no statement", hint="name lines of code")
    first, last = source.line(found.start), source.line(found.end - 1)
    before = source.between(source.start_of_line(first), found.start)
    behind = source.between(found.end, source.start_of_line(last + 1)).strip().lstrip(";")
    whole = first >= start_line and last <= end_line
    clauses = any(each.type.endswith("_clause") for each in found.statements)
    if not whole or clauses or before.strip() or (behind and not behind.lstrip().startswith(("#", "//"))):
        raise EditRefused(
            f"{source.path}:{start_line}-{end_line} cuts through a statement",
            hint=f"whole statements are at {first}-{last}",
        )
    return found


def _deepest(source: Source, start_line: int, end_line: int) -> Region | None:
    """Return the innermost run of statements that touches the lines, where all of it lies within one block."""
    block = source.root
    while True:
        touched = [
            each
            for each in block.named_children
            if each.type not in _REST
            and source.line(each.start_byte) <= end_line
            and source.line(max(each.end_byte - 1, each.start_byte)) >= start_line
        ]
        if not touched:
            return None
        inner = _block_around(source, touched[0], start_line, end_line) if len(touched) == 1 else None
        if inner is None:
            return Region(tuple(touched), block)
        block = inner


def _block_around(source: Source, node: Node, start_line: int, end_line: int) -> Node | None:
    """Return a block inside of a statement that holds all the lines' statements, when the statement itself is cut."""
    if source.line(node.start_byte) >= start_line and source.line(node.end_byte - 1) <= end_line:
        return None
    for each in walk(node):
        inside = [one for one in each.named_children if one.type not in _REST]
        if each is node or each.type not in BLOCKS or not inside:
            continue
        first, last = source.line(inside[0].start_byte), source.line(inside[-1].end_byte - 1)
        if first <= start_line and last >= end_line:
            return each
    return None


def flow_of(names: Names, region: Region, home: Scope) -> Flow:
    """Return what flows into and out of a region of the scope `home`, the function's or the module's."""
    inside = [name for name in names.all if region.has(name.start) and name.binding and name.role in {"use", "bind"}]
    looped = _in_loop(region, home)
    inputs: dict[int, Binding] = {}
    outputs: dict[int, Binding] = {}
    writes: dict[int, Binding] = {}
    for name in inside:
        binding = name.binding
        if binding is None or region.has(binding.scope.node.start_byte) or id(binding) in writes:
            continue
        own = [each for each in inside if each.binding is binding]
        written = [each for each in own if is_written(each)]
        if written and _is_local(binding, home):
            writes[id(binding)] = binding
    for name in inside:
        binding = name.binding
        if binding is None or region.has(binding.scope.node.start_byte):
            continue
        if _needs_value(names, region, home, binding, looped=looped):
            inputs[id(binding)] = binding
        if id(binding) in writes and (
            _is_needed_after(region, binding, looped=looped)
            or (home.kind == "module" and surely_sets(names.source, region.statements, binding.name))
        ):
            outputs[id(binding)] = binding
    for each in outputs.values():
        if not surely_sets(names.source, region.statements, each.name):
            if not _set_before(region, each, looped=looped):
                where = names.source.where(region.start)
                raise EditRefused(f"{where}: `{each.name}` is set on some ways through these lines only")
            inputs[id(each)] = each
    return Flow(tuple(inputs.values()), tuple(outputs.values()), tuple(writes.values()))


def is_written(name: Name) -> bool:
    """Return whether a place sets its variable."""
    if name.role == "bind":
        return True
    node, above = name.node, name.node.parent
    while above is not None and above.type in {
        "object_pattern", "array_pattern", "pair_pattern", "rest_pattern", "assignment_pattern",
    }:  # fmt: skip
        node, above = above, above.parent
    if above is None:
        return False
    left = field(above, "left")
    if above.type in {"assignment_expression", "augmented_assignment_expression", "for_in_statement"}:
        return left is not None and left.start_byte == node.start_byte and left.end_byte == node.end_byte
    return above.type in {"update_expression", "delete_statement"}


def is_read(name: Name) -> bool:
    """Return whether a place reads its variable."""
    above = name.node.parent
    if above is not None and above.type in {"augmented_assignment", "augmented_assignment_expression"}:
        return True
    if above is not None and above.type in {"update_expression", "delete_statement"}:
        return True
    return name.role == "use" and not is_written(name)


def _is_local(binding: Binding, home: Scope) -> bool:
    scope: Scope | None = binding.scope
    while scope is not None and scope is not home:
        if scope.kind not in {"block", "comprehension"}:
            return False
        scope = scope.parent
    return scope is home


def _needs_value(names: Names, region: Region, home: Scope, binding: Binding, *, looped: bool) -> bool:
    """Return whether the region reads a value that a variable has before it, and that it cannot see from outside."""
    inside = [each for each in binding.places if region.has(each.start)]
    reads = [each for each in inside if is_read(each) or each.scope.around("function") is not home.around("function")]
    if not reads:
        return False
    outer = binding.scope.kind == "module" and home.kind == "module"
    if binding.scope.kind == "module" and (home.kind != "module" or not any(map(is_written, inside))):
        return False
    if binding.scope.kind == "class":
        return False
    if outer and not _set_before(region, binding, looped=looped):
        return False
    if not _set_before(region, binding, looped=looped):
        return False
    first = min(inside, key=lambda each: each.start)
    statement = next(each for each in region.statements if each.start_byte <= first.start < each.end_byte)
    settled = surely_sets(names.source, (statement,), binding.name)
    own_reads = [each for each in reads if statement.start_byte <= each.start < statement.end_byte]
    simple = statement.type in {"expression_statement", "import_statement", "import_from_statement"}
    return not (settled and simple and not own_reads and is_written(first))


def _set_before(region: Region, binding: Binding, *, looped: bool) -> bool:
    places = [each for each in binding.places if is_written(each) and not region.has(each.start)]
    parameter = any(origin.kind == "parameter" for origin in binding.origins)
    return parameter or any(each.start < region.start or looped for each in places)


def _is_needed_after(region: Region, binding: Binding, *, looped: bool) -> bool:
    for each in binding.places:
        if region.has(each.start) or not is_read(each):
            continue
        elsewhere = each.scope.around("function", "module") is not binding.scope.around("function", "module")
        if each.start >= region.end or looped or elsewhere:
            return True
    return False


def _in_loop(region: Region, home: Scope) -> bool:
    node: Node | None = region.block
    while node is not None and node != home.node:
        if node.type in LOOPS:
            return True
        node = node.parent
    return False


# ---------------------------------------------------------------- ways through


def surely_sets(source: Source, statements: Sequence[Node], name: str) -> bool:
    """Return whether every way through the statements sets a variable, or leaves the function."""
    return any(_sets(source, each, name) or ends(source, each) for each in statements if each.type not in _REST)


def _sets(source: Source, node: Node, name: str) -> bool:
    match node.type:
        case "expression_statement":
            return any(_sets(source, each, name) for each in node.named_children)
        case "assignment" | "assignment_expression" | "variable_declarator":
            target = field(node, "left") or field(node, "name")
            value = field(node, "right") or field(node, "value")
            named = target is not None and any(source.say(each) == name for each in _targets(target))
            nested = value is not None and value.type == node.type and _sets(source, value, name)
            return (named and (value is not None or node.type == "variable_declarator")) or nested
        case "augmented_assignment" | "augmented_assignment_expression":
            left = field(node, "left")
            return left is not None and source.say(left) == name
        case "lexical_declaration" | "variable_declaration":
            return any(_sets(source, each, name) for each in node.named_children)
        case "function_definition" | "class_definition" | "function_declaration" | "class_declaration":
            named = field(node, "name")
            return named is not None and source.say(named) == name
        case "decorated_definition":
            return any(_sets(source, each, name) for each in node.named_children)
        case "import_statement" | "import_from_statement":
            return any(source.say(each).partition(".")[0] == name for each in walk(node) if each.type == "identifier")
        case "with_statement" | "block" | "statement_block":
            items = any(
                source.say(each) == name
                for child in node.named_children
                if child.type == "with_clause"
                for each in walk(child)
                if each.type == "identifier" and _is_alias(each)
            )
            body = field(node, "body") if node.type == "with_statement" else node
            if node.type == "with_statement" and _swallows(source, node):
                return items
            return items or (body is not None and surely_sets(source, body.named_children, name))
        case "if_statement":
            branches = _branches(node)
            return branches is not None and all(surely_sets(source, each.named_children, name) for each in branches)
        case "try_statement":
            parts = [each for each in node.named_children if each.type not in _REST]
            if any(each.type == "finally_clause" and _clause_sets(source, each, name) for each in parts):
                return True
            return all(
                _clause_sets(source, each, name) for each in parts if each.type not in {"finally_clause", "else_clause"}
            )
        case _:
            return False


def _clause_sets(source: Source, node: Node, name: str) -> bool:
    if node.type in {"block", "statement_block"}:
        return surely_sets(source, node.named_children, name)
    inner = [each for each in node.named_children if each.type in {"block", "statement_block"}]
    return bool(inner) and surely_sets(source, inner[-1].named_children, name)


def _is_alias(node: Node) -> bool:
    above = node.parent
    while above is not None and above.type not in {"as_pattern_target", "with_item"}:
        above = above.parent
    return above is not None and above.type == "as_pattern_target"


def _targets(node: Node) -> Iterator[Node]:
    for each in walk(node):
        if each.type in {"identifier", "shorthand_property_identifier_pattern"}:
            above = each.parent
            if above is None or above.type not in {"attribute", "subscript", "member_expression"}:
                yield each


def _branches(node: Node) -> list[Node] | None:
    """Return the bodies of an `if` that has an `else`; None where a way leads past them all."""
    found: list[Node] = []
    whole = False
    first = field(node, "consequence")
    if first is None:
        return None
    found.append(first)
    for each in node.children_by_field_name("alternative"):
        if each.type == "elif_clause":
            body = field(each, "consequence")
        elif each.named_children and each.named_children[-1].type == "if_statement":
            nested = _branches(each.named_children[-1])
            if nested is None:
                return None
            return [*found, *nested]
        else:
            body, whole = field(each, "body") or each.named_children[-1], True
        if body is None:
            return None
        found.append(body)
    return found if whole else None


def ends(source: Source, node: Node) -> bool:
    """Return whether no way through a statement goes on behind it."""
    if node.type in _ENDS:
        return True
    if node.type == "if_statement":
        branches = _branches(node)
        return branches is not None and all(_any_ends(source, each) for each in branches)
    if node.type == "with_statement" and not _swallows(source, node):
        body = field(node, "body")
        return body is not None and _any_ends(source, body)
    return node.type in {"block", "statement_block"} and _any_ends(source, node)


def _any_ends(source: Source, node: Node) -> bool:
    return any(ends(source, each) for each in node.named_children)


def _swallows(source: Source, node: Node) -> bool:
    """Return whether a `with` is of a kind that lets the code behind it go on after an error in it."""
    said = [source.say(each) for each in node.named_children if each.type == "with_clause"]
    return any(word in each for each in said for word in ("suppress", "raises", "Raises"))


def leaps(region: Region) -> list[Node]:
    """Return the nodes that leave the region for a loop outside of it."""
    return [
        each
        for each in region.nodes()
        if each.type in {"break_statement", "continue_statement"} and not _has_loop(each, region)
    ]


def _has_loop(node: Node, region: Region) -> bool:
    above = node.parent
    while above is not None and region.has(above.start_byte) and above != region.block:
        if above.type in LOOPS or (above.type == "switch_statement" and node.type == "break_statement"):
            return True
        if above.type in FUNCTIONS:
            return True
        above = above.parent
    return False


def own_nodes(region: Region, kinds: frozenset[str]) -> list[Node]:
    """Return the nodes of these types that are the region's own, not those of functions inside of it."""
    found: list[Node] = []
    waiting = list(region.statements)
    while waiting:
        one = waiting.pop()
        if one.type in kinds:
            found.append(one)
        if one.type not in FUNCTIONS and one.type not in {"class_definition", "class_declaration"}:
            waiting.extend(one.named_children)
    return found
