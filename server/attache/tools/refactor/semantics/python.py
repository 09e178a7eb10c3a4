"""Which variable each name in a Python text is, by the rules of the language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from attache.schema.errors import ToolError
from attache.tools.refactor.semantics.names import Binding, Name, Names, Origin, Role, Scope, looked_up
from attache.tools.refactor.semantics.source import Source, field

if TYPE_CHECKING:
    from tree_sitter import Node

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_TYPES_ONLY = re.compile(r"[\w\s.,|\[\]]+")
_COMPREHENSIONS = frozenset(
    {"list_comprehension", "dictionary_comprehension", "set_comprehension", "generator_expression"}
)
_NAMED_BY_ITSELF = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "namedtuple", "NamedTuple"})
_TYPED = frozenset({"type", "generic_type", "type_parameter", "list", "subscript", "binary_operator", "union_type"})
_GENERICS = frozenset({
    "Callable", "Union", "Optional", "List", "Dict", "Type", "Tuple", "Set", "FrozenSet", "Iterable", "Iterator",
    "Sequence", "Mapping", "MutableMapping", "Collection", "Awaitable", "Coroutine", "AsyncIterator", "Generator",
    "Generic", "Protocol", "ClassVar", "Final", "list", "dict", "tuple", "set", "frozenset", "type", "deque",
})  # fmt: skip
_OFFERS = frozenset({"__all__", "__slots__", "__match_args__"})

Kind = Literal["function", "class", "parameter", "import", "variable", "type"]


def names_of(source: Source) -> Names:
    """Return all names of a Python file, each with its binding. Raises ToolError where it is nested too deep."""
    reading = _Reading(source)
    try:
        reading.visit_children(source.root, reading.top)
    except RecursionError:
        raise ToolError(f"{source.path} is nested too deep to be read", hint="edit it by hand") from None
    return reading.bound()


class _Reading:
    """One pass over the tree that collects names and what binds them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.top = Scope("module", source.root, None)
        self.found: list[Name] = []
        self.origins: list[tuple[Name, Origin]] = []
        self.stars: list[str] = []
        self.exports: list[tuple[str, int, int]] = []
        self.aliases: dict[int, Name] = {}
        """What an imported name is called here, by the id of the name."""

    # ------------------------------------------------------------ collecting

    def name(self, node: Node, role: Role, scope: Scope) -> Name:
        one = Name(self.source.say(node), node.start_byte, node.end_byte, role, scope, node)
        self.found.append(one)
        return one

    def bind(self, node: Node, scope: Scope, kind: Kind, at: Node, **more: Any) -> Name:
        one = self.name(node, "bind", scope)
        self.origins.append((one, Origin(kind, at, **more)))
        return one

    def visit_children(self, node: Node, scope: Scope) -> None:
        for child in node.named_children:
            self.visit(child, scope)

    def visit(self, node: Node, scope: Scope) -> None:
        """Go through a node that stands where values are read."""
        kind = node.type
        if kind == "identifier":
            self.name(node, "use", scope)
        elif kind in _COMPREHENSIONS:
            self._comprehension(node, scope)
        elif rule := _RULES.get(kind):
            rule(self, node, scope)
        else:
            self.visit_children(node, scope)

    def maybe(self, node: Node | None, scope: Scope) -> None:
        if node is not None:
            self.visit(node, scope)

    # ------------------------------------------------------------ targets

    def target(self, node: Node, scope: Scope, at: Node, **more: Any) -> None:
        """Go through what is assigned to."""
        match node.type:
            case "identifier":
                self.bind(node, scope, "variable", at, **more)
            case "attribute" | "subscript":
                self.visit(node, scope)
            case _:
                for child in node.named_children:
                    self.target(child, scope, at)

    def assignment(self, node: Node, scope: Scope) -> None:
        left, right, kind = field(node, "left"), field(node, "right"), field(node, "type")
        if left is not None:
            self.target(left, scope, node, value=right, annotation=kind)
            if left.type == "identifier" and self.source.say(left) in _OFFERS and right is not None:
                self._offers(right)
            if right is not None and right.type == "call" and left.type == "identifier":
                self._named_by_itself(self.source.say(left), right)
        if kind is not None:
            self.annotation(kind, scope)
        self.maybe(right, scope)

    def _named_by_itself(self, name: str, call: Node) -> None:
        """`T = TypeVar("T")`: the string is the name."""
        function, arguments = field(call, "function"), field(call, "arguments")
        first = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        said = self.source.say(function).rpartition(".")[2] if function is not None else ""
        if said in _NAMED_BY_ITSELF and first is not None and self.source.say(first).strip("\"'") == name:
            self._offers(first)

    def _offers(self, node: Node) -> None:
        for each in [node] if node.type == "string" else node.named_children:
            if each.type == "string" and len(each.named_children) == 3:  # noqa: PLR2004 - start, content, end
                content = each.named_children[1]
                self.exports.append((self.source.say(content), content.start_byte, content.end_byte))

    def walrus(self, node: Node, scope: Scope) -> None:
        outer = scope.around("module", "class", "function") or scope
        name = field(node, "name")
        if name is not None:
            self.bind(name, outer, "variable", node, value=field(node, "value"))
        self.maybe(field(node, "value"), scope)

    def loop(self, node: Node, scope: Scope) -> None:
        if left := field(node, "left"):
            self.target(left, scope, node)
        for name in ("right", "body", "alternative"):
            self.maybe(field(node, name), scope)

    def alias(self, node: Node, scope: Scope) -> None:
        """`with a as b`, `except A as b`, and in patterns `case A as b`."""
        first, last = node.named_children[0], node.named_children[-1]
        if first.type == "case_pattern":
            self.pattern(first, scope)
            self.bind(last, scope, "variable", node)
            return
        self.visit(first, scope)
        if last is not first:
            self.target(last, scope, node)

    def pattern(self, node: Node, scope: Scope) -> None:
        """Go through a pattern of `match`: a bare name is bound, a dotted one is read."""
        match node.type:
            case "dotted_name" if len(node.named_children) == 1:
                only = node.named_children[0]
                if self.source.say(only) != "_":
                    self.bind(only, scope, "variable", node)
            case "dotted_name":
                self._dotted(node, scope)
            case "class_pattern":
                self._dotted(node.named_children[0], scope)
                for child in node.named_children[1:]:
                    self.pattern(child, scope)
            case "keyword_pattern":
                self.name(node.named_children[0], "keyword", scope)
                for child in node.named_children[1:]:
                    self.pattern(child, scope)
            case "splat_pattern":
                for child in node.named_children:
                    if child.type == "identifier" and self.source.say(child) != "_":
                        self.bind(child, scope, "variable", node)
            case "as_pattern":
                self.alias(node, scope)
            case "string" | "concatenated_string":
                self.visit(node, scope)
            case _:
                for child in node.named_children:
                    self.pattern(child, scope)

    def _dotted(self, node: Node, scope: Scope) -> None:
        first, *rest = node.named_children or [node]
        self.name(first, "use", scope)
        for each in rest:
            self.name(each, "attribute", scope)

    # ------------------------------------------------------------ definitions

    def function(self, node: Node, scope: Scope) -> None:
        inner = Scope("function", node, scope)
        if name := field(node, "name"):
            self.bind(name, scope, "function", node)
        self.type_parameters(node, inner)
        if parameters := field(node, "parameters"):
            for each in parameters.named_children:
                self.parameter(each, inner, scope)
        if returned := field(node, "return_type"):
            self.annotation(returned, scope)
        self.maybe(field(node, "body"), inner)

    def type_parameters(self, node: Node, inner: Scope) -> None:
        parameters = field(node, "type_parameters")
        for each in parameters.named_children if parameters is not None else ():
            first = each
            while first.type != "identifier" and first.named_children:
                first = first.named_children[0]
            self.bind(first, inner, "type", each)
            for bound in each.named_children[1:]:
                self.annotation(bound, inner)

    def parameter(self, node: Node, inner: Scope, outer: Scope) -> None:
        kind, value = field(node, "type"), field(node, "value")
        name = field(node, "name") or (node if node.type == "identifier" else None)
        if name is None and node.type in {"typed_parameter", "list_splat_pattern", "dictionary_splat_pattern"}:
            name = node.named_children[0] if node.named_children else None
            while name is not None and name.type.endswith("splat_pattern"):
                name = name.named_children[0] if name.named_children else None
        if name is not None:
            self.bind(name, inner, "parameter", node, value=value, annotation=kind)
        if kind is not None:
            self.annotation(kind, outer)
        self.maybe(value, outer)

    def lambda_(self, node: Node, scope: Scope) -> None:
        inner = Scope("function", node, scope)
        if parameters := field(node, "parameters"):
            for each in parameters.named_children:
                self.parameter(each, inner, scope)
        self.maybe(field(node, "body"), inner)

    def class_(self, node: Node, scope: Scope) -> None:
        if name := field(node, "name"):
            self.bind(name, scope, "class", node)
        if field(node, "type_parameters"):
            scope = Scope("block", node, scope)
            self.type_parameters(node, scope)
        inner = Scope("class", node, scope)
        self.maybe(field(node, "superclasses"), scope)
        self.maybe(field(node, "body"), inner)

    def _comprehension(self, node: Node, scope: Scope) -> None:
        inner = Scope("comprehension", node, scope)
        first = True
        for each in node.named_children:
            if each.type == "for_in_clause":
                if left := field(each, "left"):
                    self.target(left, inner, each)
                self.maybe(field(each, "right"), scope if first else inner)
                first = False
            else:
                self.visit(each, inner)

    # ------------------------------------------------------------ modules brought in

    def import_(self, node: Node, scope: Scope) -> None:
        for each in node.children_by_field_name("name"):
            if each.type == "aliased_import":
                path, name = field(each, "name"), field(each, "alias")
                if path is not None and name is not None:
                    self.bind(name, scope, "import", node, module=self.source.say(path), imported="*")
            else:
                first, *rest = each.named_children
                self.bind(first, scope, "import", node, module=self.source.say(each))
                for part in rest:
                    self.name(part, "key", scope)

    def from_import(self, node: Node, scope: Scope) -> None:
        path = field(node, "module_name")
        module = self.source.say(path).replace(" ", "") if path is not None else "__future__"
        for each in node.children_by_field_name("name"):
            name, alias = field(each, "name"), field(each, "alias")
            if each.type == "aliased_import" and name is not None and alias is not None:
                said = self.source.say(name)
                there = self.name(name, "imported", scope)
                here = self.bind(alias, scope, "import", node, module=module, imported=said)
                self.aliases[id(there)] = here
            else:
                said = self.source.say(each)
                self.bind(each, scope, "import", node, module=module, imported=said)
        if any(child.type == "wildcard_import" for child in node.children):
            self.stars.append(module)

    def declared(self, node: Node, scope: Scope) -> None:
        word = node.type.partition("_")[0]
        for each in node.named_children:
            scope.redirects[self.source.say(each)] = word
            self.name(each, "bind", scope)

    # ------------------------------------------------------------ expressions

    def attribute(self, node: Node, scope: Scope) -> None:
        self.maybe(field(node, "object"), scope)
        if name := field(node, "attribute"):
            self.name(name, "attribute", scope)

    def keyword(self, node: Node, scope: Scope) -> None:
        if name := field(node, "name"):
            self.name(name, "keyword", scope)
        self.maybe(field(node, "value"), scope)

    def call(self, node: Node, scope: Scope) -> None:
        function, arguments = field(node, "function"), field(node, "arguments")
        self.maybe(function, scope)
        said = self.source.say(function).rpartition(".")[2] if function is not None else ""
        if said == "cast" and arguments is not None and arguments.named_children:
            self.annotation(arguments.named_children[0], scope)
            for each in arguments.named_children[1:]:
                self.visit(each, scope)
        else:
            self.maybe(arguments, scope)

    def subscript(self, node: Node, scope: Scope) -> None:
        """`Callable[["X"], int]` as a value is a type as well."""
        head = field(node, "value")
        said = self.source.say(head).rpartition(".")[2] if head is not None else ""
        for each in node.named_children:
            if said in _GENERICS and each != head:
                self.annotation(each, scope)
            else:
                self.visit(each, scope)

    def annotation(self, node: Node, scope: Scope) -> None:
        """Go through a type, in which a string is code too."""
        if node.type == "string":
            for content in node.named_children:
                if content.type == "string_content" and _TYPES_ONLY.fullmatch(self.source.say(content)):
                    self._forward(content, scope)
        elif node.type in {
            "type",
            "generic_type",
            "type_parameter",
            "list",
            "subscript",
            "binary_operator",
            "union_type",
        }:
            literal = node.named_children and self.source.say(node.named_children[0]).rpartition(".")[2] == "Literal"
            for each in node.named_children:
                if literal:
                    self.visit(each, scope)
                else:
                    self.annotation(each, scope)
        else:
            self.visit(node, scope)

    def _forward(self, content: Node, scope: Scope) -> None:
        said = self.source.say(content)
        for match in _WORD.finditer(said):
            start = content.start_byte + len(said[: match.start()].encode())
            end = start + len(match[0].encode())
            self.found.append(Name(match[0], start, end, "use", scope, content))

    # ------------------------------------------------------------ binding

    def bound(self) -> Names:
        """Bind every name that was found."""
        self.found.sort(key=lambda each: each.start)
        origins = {id(name): origin for name, origin in self.origins}
        for name in sorted(self.found, key=lambda each: each.text in each.scope.redirects):
            if name.role == "bind":
                scope = self._home(name.scope, name.text)
                binding = scope.bindings.setdefault(name.text, Binding(name.text, scope))
                name.binding = binding
                if origin := origins.get(id(name)):
                    binding.origins.append(origin)
        for name in self.found:
            if name.role == "use":
                start = name.scope
                if start.redirects.get(name.text):
                    start = self._home(start, name.text)
                name.binding = looked_up(start, name.text, past_classes=True)
            if name.binding is not None:
                name.binding.places.append(name)
            if alias := self.aliases.get(id(name)):
                name.partner = alias.binding
        return Names(self.source, self.top, self.found, self.stars, exports=self.exports)

    def _home(self, scope: Scope, text: str) -> Scope:
        word = scope.redirects.get(text)
        if word == "global":
            return self.top
        if word == "nonlocal":
            outer = scope.parent
            while outer and not (outer.kind == "function" and text in outer.bindings):
                outer = outer.parent
            return outer or scope
        return scope


_Rule = Callable[[_Reading, "Node", Scope], None]


def _type_alias(reading: _Reading, node: Node, scope: Scope) -> None:
    left = field(node, "left")
    first = left
    while first is not None and first.type != "identifier":
        first = first.named_children[0] if first.named_children else None
    if first is not None:
        reading.bind(first, scope, "type", node)
    reading.maybe(field(node, "right"), scope)


_RULES: dict[str, _Rule] = {
    "assignment": _Reading.assignment,
    "augmented_assignment": _Reading.assignment,
    "named_expression": _Reading.walrus,
    "for_statement": _Reading.loop,
    "as_pattern": _Reading.alias,
    "case_pattern": _Reading.pattern,
    "function_definition": _Reading.function,
    "class_definition": _Reading.class_,
    "lambda": _Reading.lambda_,
    "import_statement": _Reading.import_,
    "import_from_statement": _Reading.from_import,
    "global_statement": _Reading.declared,
    "nonlocal_statement": _Reading.declared,
    "future_import_statement": lambda _reading, _node, _scope: None,
    "attribute": _Reading.attribute,
    "keyword_argument": _Reading.keyword,
    "call": _Reading.call,
    "subscript": _Reading.subscript,
    "type_alias_statement": _type_alias,
}
