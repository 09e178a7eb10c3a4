"""Which variable each name in a JavaScript or TypeScript text is, by the rules of the languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from attache.schema.errors import ToolError
from attache.tools.refactor.semantics.names import Binding, Name, Names, Origin, Role, Scope, looked_up
from attache.tools.refactor.semantics.source import Source, field

if TYPE_CHECKING:
    from tree_sitter import Node

Kind = Literal["function", "class", "parameter", "import", "variable", "type"]
LANGUAGES = frozenset({"javascript", "typescript", "tsx"})
SHORTHANDS = frozenset({"shorthand_property_identifier", "shorthand_property_identifier_pattern"})
_USED = frozenset({"identifier", "type_identifier", "shorthand_property_identifier"})
_FUNCTIONS = frozenset(
    {
        "function_declaration", "function_expression", "arrow_function", "method_definition", "function_type",
        "generator_function", "generator_function_declaration", "function_signature", "method_signature",
        "abstract_method_signature", "constructor_type", "construct_signature", "call_signature",
    }
)  # fmt: skip
_BLOCKS = frozenset({"statement_block", "for_statement", "for_in_statement", "switch_body", "catch_clause"})
_TYPES = {
    "interface_declaration": "type",
    "type_alias_declaration": "type",
    "enum_declaration": "class",
    "internal_module": "variable",
    "module": "variable",
}
_NAMED = {
    "function_declaration": "function", "generator_function_declaration": "function",
    "function_signature": "function",
}  # fmt: skip


def names_of(source: Source) -> Names:
    """Return all names of a JavaScript or TypeScript file. Raises ToolError where it is nested too deep."""
    reading = _Reading(source)
    try:
        for child in source.root.named_children:
            reading.visit(child, reading.top)
    except RecursionError:
        raise ToolError(f"{source.path} is nested too deep to be read", hint="edit it by hand") from None
    return reading.bound()


class _Reading:
    """One pass over the tree that collects names and what binds them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.top = Scope("module", source.root, None)
        self.found: list[Name] = []
        self.aliases: dict[int, Name] = {}
        self.stars: list[str] = []
        self.offered: list[tuple[str, Name]] = []
        self.passes: dict[str, tuple[str, str]] = {}

    def name(self, node: Node, role: Role, scope: Scope) -> Name:
        one = Name(self.source.say(node), node.start_byte, node.end_byte, role, scope, node)
        self.found.append(one)
        return one

    def bind(self, node: Node, scope: Scope, kind: Kind, at: Node, **more: Any) -> Name:
        one = self.name(node, "bind", scope)
        one.binding = scope.bindings.setdefault(one.text, Binding(one.text, scope))
        one.binding.origins.append(Origin(kind, at, **more))
        return one

    def visit_children(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            self.visit(child, scope)

    def visit(self, node: Node, scope: Scope) -> None:
        kind = node.type
        if kind in _USED:
            self.name(node, "use", scope)
        elif kind in {"property_identifier", "private_property_identifier"}:
            above = node.parent.type if node.parent else ""
            self.name(node, "key" if above in {"pair", "pair_pattern", "jsx_attribute"} else "attribute", scope)
        elif kind in _FUNCTIONS:
            self.function(node, scope)
        elif rule := _RULES.get(kind):
            rule(self, node, scope)
        elif kind in _BLOCKS:
            self.visit_children(node, Scope("block", node, scope))
        else:
            self.visit_children(node, scope)

    def maybe(self, node: Node | None, scope: Scope) -> None:
        if node is not None:
            self.visit(node, scope)

    def pattern(self, node: Node, scope: Scope, kind: Kind, at: Node, outer: Scope, **more: Any) -> None:
        """Go through what a declaration binds; default values and computed keys are read in `outer`."""
        match node.type:
            case "identifier" | "shorthand_property_identifier_pattern" | "type_identifier":
                self.bind(node, scope, kind, at, **more)
            case "object_assignment_pattern" | "assignment_pattern":
                if left := field(node, "left"):
                    self.pattern(left, scope, kind, at, outer)
                self.maybe(field(node, "right"), outer)
            case "pair_pattern":
                self.maybe(field(node, "key"), outer)
                if value := field(node, "value"):
                    self.pattern(value, scope, kind, at, outer)
            case "object_pattern" | "array_pattern" | "rest_pattern":
                for child in node.named_children:
                    self.pattern(child, scope, kind, at, outer)
            case _:
                self.visit(node, outer)

    # ------------------------------------------------------------ declarations

    def declarator(self, node: Node, scope: Scope) -> None:
        above = node.parent
        hoisted = above is not None and above.type == "variable_declaration"
        home = (scope.around("function", "module") or scope) if hoisted else scope
        value = field(node, "value")
        if name := field(node, "name"):
            self.pattern(name, home, "variable", node, scope, value=value, annotation=field(node, "type"))
        self.maybe(field(node, "type"), scope)
        self.maybe(value, scope)

    def function(self, node: Node, scope: Scope) -> None:
        name = field(node, "name")
        inner = Scope("function", node, scope)
        if name is not None:
            if node.type in _NAMED:
                self.bind(name, scope, "function", node)
            elif name.type == "identifier" and node.type in {"function_expression", "generator_function"}:
                self.bind(name, inner, "function", node)
            else:
                self.visit(name, scope)
        self.maybe(field(node, "type_parameters"), inner)
        if only := field(node, "parameter"):
            self.bind(only, inner, "parameter", only)
        if parameters := field(node, "parameters"):
            for each in parameters.named_children:
                self.parameter(each, inner)
        self.maybe(field(node, "return_type"), inner)
        body = field(node, "body")
        if body is not None and body.type == "statement_block":
            self.visit_children(body, inner)
        else:
            self.maybe(body, inner)

    def parameter(self, node: Node, inner: Scope) -> None:
        pattern = field(node, "pattern")
        kind = field(node, "type")
        if pattern is not None and pattern.type != "this":
            self.pattern(pattern, inner, "parameter", node, inner, annotation=kind)
        elif node.type not in {"required_parameter", "optional_parameter"}:
            self.pattern(node, inner, "parameter", node, inner)
        self.maybe(kind, inner)
        self.maybe(field(node, "value"), inner)

    def class_(self, node: Node, scope: Scope) -> None:
        declared = node.type != "class"
        inner = Scope("class", node, scope)
        if name := field(node, "name"):
            self.bind(name, scope if declared else inner, "class", node)
        for child in node.named_children:
            if child != field(node, "name"):
                self.visit(child, inner)

    def type_(self, node: Node, scope: Scope) -> None:
        kind = _TYPES[node.type]
        name = field(node, "name")
        if name is not None and name.type in {"identifier", "type_identifier"}:
            self.bind(name, scope, "class" if kind == "class" else "type" if kind == "type" else "variable", node)
        inner = Scope("block", node, scope)
        for child in node.named_children:
            if child != name:
                self.visit(child, inner)

    def type_parameter(self, node: Node, scope: Scope) -> None:
        first, *rest = node.named_children
        self.bind(first, scope, "type", node)
        for each in rest:
            self.visit(each, scope)

    def loop(self, node: Node, scope: Scope) -> None:
        inner = Scope("block", node, scope)
        left, kind = field(node, "left"), field(node, "kind")
        if left is not None and kind is not None:
            hoisted = self.source.say(kind) == "var"
            home = (scope.around("function", "module") or scope) if hoisted else inner
            self.pattern(left, home, "variable", node, inner)
        else:
            self.maybe(left, scope)
        self.maybe(field(node, "right"), scope)
        self.maybe(field(node, "body"), inner)

    def caught(self, node: Node, scope: Scope) -> None:
        inner = Scope("block", node, scope)
        if parameter := field(node, "parameter"):
            self.pattern(parameter, inner, "variable", node, inner)
        self.maybe(field(node, "body"), inner)

    # ------------------------------------------------------------ modules

    def import_(self, node: Node, scope: Scope) -> None:
        module = self.module(node)
        for clause in node.named_children:
            if clause.type != "import_clause":
                continue
            for each in clause.named_children:
                if each.type == "identifier":
                    self.bind(each, scope, "import", node, module=module, imported="default")
                elif each.type == "namespace_import":
                    self.bind(each.named_children[-1], scope, "import", node, module=module, imported="*")
                else:
                    for one in each.named_children:
                        self.specifier(one, scope, node, module)

    def specifier(self, node: Node, scope: Scope, at: Node, module: str) -> None:
        name, alias = field(node, "name"), field(node, "alias")
        if name is None:
            return
        said = self.source.say(name)
        here = None
        if alias is not None:
            there = self.name(name, "imported", scope)
            here = self.bind(alias, scope, "import", at, module=module, imported=said)
            self.aliases[id(there)] = here
        else:
            self.bind(name, scope, "import", at, module=module, imported=said)

    def module(self, node: Node) -> str:
        source = field(node, "source")
        return self.source.say(source).strip("\"'`") if source is not None else ""

    def export(self, node: Node, scope: Scope) -> None:
        module = self.module(node)
        clause = next((each for each in node.named_children if each.type == "export_clause"), None)
        if module and clause is None:
            self.stars.append(module)
            return
        for each in clause.named_children if clause is not None else ():
            name, alias = field(each, "name"), field(each, "alias")
            if name is None:
                continue
            outside = self.source.say(alias or name)
            if module:
                self.passes[outside] = (module, self.source.say(name))
                self.name(name, "imported", scope)
            else:
                self.offered.append((outside, self.name(name, "use", scope)))
            if alias is not None:
                self.name(alias, "key", scope)
        declared = field(node, "declaration")
        before = len(self.found)
        for child in node.named_children:
            if child != clause:
                self.visit(child, scope)
        if declared is not None and scope is self.top and not any(child.type == "default" for child in node.children):
            self.offered += [
                (one.text, one) for one in self.found[before:] if one.role == "bind" and one.scope is scope
            ]

    # ------------------------------------------------------------ expressions

    def element(self, node: Node, scope: Scope) -> None:
        name = field(node, "name")
        if name is not None and name.type == "identifier" and self.source.say(name)[:1].islower():
            self.name(name, "key", scope)
        else:
            self.maybe(name, scope)
        for child in node.named_children:
            if child != name:
                self.visit(child, scope)

    def nested_type(self, node: Node, scope: Scope) -> None:
        self.maybe(field(node, "module"), scope)
        if name := field(node, "name"):
            self.name(name, "attribute", scope)

    def index_signature(self, node: Node, scope: Scope) -> None:
        inner = Scope("block", node, scope)
        name = field(node, "name")
        if name is not None:
            self.bind(name, inner, "variable", node)
        for child in node.named_children:
            if child != name:
                self.visit(child, inner)

    def mapped(self, node: Node, scope: Scope) -> None:
        if name := field(node, "name"):
            self.bind(name, scope, "type", node)
        self.maybe(field(node, "type"), scope)

    def inferred(self, node: Node, scope: Scope) -> None:
        self.bind(node.named_children[0], scope, "type", node)

    def scoped_type(self, node: Node, scope: Scope) -> None:
        self.visit_children(node, Scope("block", node, scope))

    # ------------------------------------------------------------ binding

    def bound(self) -> Names:
        """Bind every name that was found."""
        self.found.sort(key=lambda each: each.start)
        for name in self.found:
            if name.role == "use":
                name.binding = looked_up(name.scope, name.text, past_classes=False)
            if name.binding is not None:
                name.binding.places.append(name)
            if alias := self.aliases.get(id(name)):
                name.partner = alias.binding
        offers = {outside: name.binding for outside, name in self.offered if name.binding}
        return Names(self.source, self.top, self.found, self.stars, offers=offers, passes=self.passes)


_RULES: dict[str, Callable[[_Reading, Node, Scope], None]] = {
    "variable_declarator": _Reading.declarator,
    "class_declaration": _Reading.class_,
    "abstract_class_declaration": _Reading.class_,
    "class": _Reading.class_,
    **dict.fromkeys(_TYPES, _Reading.type_),
    "type_parameter": _Reading.type_parameter,
    "for_in_statement": _Reading.loop,
    "catch_clause": _Reading.caught,
    "import_statement": _Reading.import_,
    "export_statement": _Reading.export,
    "jsx_opening_element": _Reading.element,
    "jsx_self_closing_element": _Reading.element,
    "jsx_closing_element": _Reading.element,
    "nested_type_identifier": _Reading.nested_type,
    "index_signature": _Reading.index_signature,
    "mapped_type_clause": _Reading.mapped,
    "infer_type": _Reading.inferred,
    "conditional_type": _Reading.scoped_type,
    "object_type": _Reading.scoped_type,
}
