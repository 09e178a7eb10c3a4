"""Parameters and arguments of Python functions: which is which, and where each call gives what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.idioms import decorators
from attache.tools.refactor.semantics.names import Binding, Names
from attache.tools.refactor.semantics.program import Class, Foreign, Function
from attache.tools.refactor.semantics.source import field, walk
from attache.tools.refactor.semantics.targets import Member, Target, Variable, constructor
from attache.tools.refactor.semantics.types import Program
from attache.tools.refactor.semantics.uses import family_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from attache.tools.refactor.semantics.names import Scope

Kind = Literal["plain", "star", "stars", "slash", "bare"]
"""plain: named. star: `*args`. stars: `**kwargs`. slash and bare: `/` and `*` alone."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One entry of a parameter list."""

    name: str
    node: Node
    kind: Kind
    default: str
    by_keyword_only: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or method, with its parameters; `self` and `cls` are not among them."""

    names: Names
    node: Node
    parameters: tuple[Parameter, ...]
    bound: bool
    """Whether a call gives its first parameter by itself."""

    @property
    def where(self) -> str:
        """Return `path:line`."""
        return self.names.source.where(self.node.start_byte)

    def positional(self) -> list[Parameter]:
        """Return what may be given by its place."""
        return [each for each in self.parameters if each.kind == "plain" and not each.by_keyword_only]

    def find(self, name: str) -> Parameter | None:
        """Return a parameter by its name."""
        return next((each for each in self.parameters if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a definition; `skipped` leading arguments are given to `self`."""

    names: Names
    node: Node
    arguments: tuple[Node, ...]
    skipped: int
    sure: bool

    @property
    def where(self) -> str:
        """Return `path:line`."""
        return self.names.source.where(self.node.start_byte)

    def by_place(self) -> list[Node]:
        """Return the arguments that are given by their place."""
        plain = [each for each in self.arguments if each.type not in {"keyword_argument", "dictionary_splat"}]
        return plain[self.skipped :]

    def by_name(self, name: str) -> Node | None:
        """Return the argument that is given by a name."""
        for each in self.arguments:
            key = field(each, "name") if each.type == "keyword_argument" else None
            if key is not None and self.names.source.say(key) == name:
                return each
        return None

    @property
    def unfolds(self) -> bool:
        """Whether `*x` or `**x` stands among its arguments."""
        return any(each.type in {"list_splat", "dictionary_splat", "generator_expression"} for each in self.arguments)


def definitions(program: Program, target: Target, paths: Iterable[str]) -> list[Definition]:
    """Return the functions that take the same calls: one, or a method with those of its family."""
    if isinstance(target, Variable):
        found = [_definition(target.names, each.node) for each in target.binding.origins if each.kind == "function"]
        if len(found) != 1 or len(target.binding.origins) != 1:
            raise EditRefused(f"`{target.name}` is not one function", hint="name the line of a function's definition")
        return found
    files = [names for path in paths if (names := program.names(path)) is not None]
    family = [target.owner] if _is_made(target) else family_of(program, target, files)
    methods: list[Definition] = []
    for each in family:
        names = program.names(each.path)
        scope = program.scope(names, each.node) if names else None
        binding = scope.bindings.get(target.name) if scope else None
        for origin in binding.origins if names and binding else ():
            if origin.kind != "function" or names is None:
                raise EditRefused(f"{each.path}: `{each.name}.{target.name}` is not only a method", hint="use edit")
            methods.append(_definition(names, origin.node))
    if not methods:
        raise EditRefused(f"`{target.name}` is no method", hint="name the line of a method's definition")
    return methods


def _is_made(target: Member) -> bool:
    return target.name in {"__init__", "__new__"}


def _definition(names: Names, node: Node) -> Definition:
    listed = field(node, "parameters")
    marks = decorators(names, node)
    above = node.parent
    if above is not None and above.type == "decorated_definition":
        above = above.parent
    in_class = above is not None and above.parent is not None and above.parent.type == "class_definition"
    bound = in_class and "staticmethod" not in marks
    if marks & {"overload", "fixture"} or (marks & {"setter", "deleter", "property", "cached_property"}):
        raise EditRefused(f"{names.source.where(node.start_byte)}: its decorator fixes its parameters", hint="use edit")
    if listed is None or any(each.type == "comment" for each in listed.named_children):
        raise EditRefused(
            f"{names.source.where(node.start_byte)}: comments stand among its parameters", hint="use edit"
        )
    entries = list(_parameters(names, listed))
    return Definition(names, node, tuple(entries[1:] if bound else entries), bound)


def _parameters(names: Names, listed: Node) -> Iterator[Parameter]:
    say = names.source.say
    keyword_only = False
    for each in listed.named_children:
        inner = each.named_children[0] if each.type == "typed_parameter" else each
        match inner.type:
            case "positional_separator":
                yield Parameter("/", each, "slash", "", by_keyword_only=False)
            case "keyword_separator":
                keyword_only = True
                yield Parameter("*", each, "bare", "", by_keyword_only=False)
            case "list_splat_pattern":
                keyword_only = True
                yield Parameter(say(inner).lstrip("* "), each, "star", "", by_keyword_only=False)
            case "dictionary_splat_pattern":
                yield Parameter(say(inner).lstrip("* "), each, "stars", "", by_keyword_only=False)
            case _:
                named, value = field(each, "name") or inner, field(each, "value")
                default = say(value) if value is not None else ""
                yield Parameter(say(named), each, "plain", default, keyword_only)


def calls(program: Program, target: Target, found: list[Definition], paths: Iterable[str]) -> Iterator[Called]:
    """Yield the calls of the definitions, and those of which it cannot be told."""
    own = {(each.names.source.path, each.node.start_byte) for each in found}
    bound = any(each.bound for each in found)
    made = isinstance(target, Member) and _is_made(target)
    words = {target.name, target.owner.name if isinstance(target, Member) and made else target.name}
    for path in paths:
        names = program.names(path)
        if names is None:
            continue
        scopes = _scopes(names)
        own_words = words | {each.name for each in aliases(names, words)}
        for node in walk(names.source.root):
            function = field(node, "function") if node.type == "call" else None
            if function is None:
                continue
            said = names.source.say(function).rpartition(".")[2]
            if said not in own_words and not made:
                continue
            value = program.value(names, function, _scope_at(names, scopes, node))
            called = constructor(program, value) if isinstance(value, Class) else value
            arguments = _arguments(node)
            if isinstance(called, Function):
                if (called.path, called.start) in own:
                    yield Called(names, node, arguments, _skipped(program, names, function, scopes, bound), sure=True)
            elif value is None and said in words and not _is_other(program, names, function, scopes):
                yield Called(names, node, arguments, 0, sure=False)


def aliases(names: Names, words: Iterable[str]) -> list[Binding]:
    """Return what a file calls by other names: `from m import f as g`."""
    wanted = frozenset(words)
    return [each.partner for each in names.all if each.role == "imported" and each.partner and each.text in wanted]


def _is_other(program: Program, names: Names, function: Node, scopes: list[Scope]) -> bool:
    """Return whether what is called is certainly something else: a local name, or another's attribute."""
    if function.type == "identifier":
        return True
    holder = field(function, "object")
    value = program.value(names, holder, _scope_at(names, scopes, function)) if holder is not None else None
    return isinstance(value, Foreign)


def _skipped(program: Program, names: Names, function: Node, scopes: list[Scope], bound: bool) -> int:
    """Return 1 for `Class.method(self, …)`."""
    holder = field(function, "object")
    if not bound or holder is None:
        return 0
    value = program.value(names, holder, _scope_at(names, scopes, function))
    called = program.value(names, function, _scope_at(names, scopes, function))
    there = program.names(called.path) if isinstance(called, Function) else None
    by_class = there is not None and isinstance(called, Function) and "classmethod" in decorators(there, called.node)
    return int(isinstance(value, Class) and not by_class)


def _arguments(call: Node) -> tuple[Node, ...]:
    listed = field(call, "arguments")
    if listed is None:
        return ()
    if listed.type == "generator_expression":
        return (listed,)
    return tuple(each for each in listed.named_children if each.type != "comment")


def _scopes(names: Names) -> list[Scope]:
    found: dict[int, Scope] = {}
    for name in names.all:
        for scope in name.scope.chain():
            if id(scope) in found:
                break
            found[id(scope)] = scope
    return sorted(found.values(), key=lambda each: each.node.end_byte - each.node.start_byte)


def _scope_at(names: Names, scopes: list[Scope], node: Node) -> Scope:
    """Return the innermost scope that a node is read in."""
    first = next((each for each in names.all if node.start_byte <= each.start < node.end_byte), None)
    if first is not None:
        return first.scope
    inside = (each for each in scopes if each.node.start_byte <= node.start_byte < each.node.end_byte)
    return next(inside, names.top)
