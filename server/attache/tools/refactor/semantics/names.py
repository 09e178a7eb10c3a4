"""Names, and what each is bound to: one model of scopes for the languages whose rules are written down here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from attache.tools.refactor.semantics.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

ScopeKind = Literal["module", "class", "function", "comprehension", "block"]
Role = Literal["bind", "use", "attribute", "keyword", "imported", "key"]
"""bind and use: of a variable. attribute: behind a dot. keyword: of an argument or a pattern. imported: in an import,
the name that the other module has. key: of an object in JavaScript."""


@dataclass(slots=True, eq=False)
class Origin:
    """Where a binding comes from."""

    kind: Literal["function", "class", "parameter", "import", "variable", "type"]
    node: Node
    """The definition, the parameter, the import statement, or the statement that binds."""
    value: Node | None = None
    """What is assigned, where it is one expression."""
    annotation: Node | None = None
    module: str = ""
    """Of an import: the module as it is spelled, dots in front included."""
    imported: str = ""
    """Of an import: the name there; empty where the module itself is bound, `*` for the whole as a namespace."""


@dataclass(slots=True, eq=False)
class Scope:
    """A part of the text in which names are bound."""

    kind: ScopeKind
    node: Node
    parent: Scope | None
    bindings: dict[str, Binding] = field(default_factory=dict["str", "Binding"])
    redirects: dict[str, str] = field(default_factory=dict[str, str])
    """Names that are declared `global` or `nonlocal`."""

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it."""
        scope: Scope | None = self
        while scope:
            yield scope
            scope = scope.parent

    def around(self, *kinds: ScopeKind) -> Scope | None:
        """Return the innermost scope of such a kind, this one included."""
        return next((each for each in self.chain() if each.kind in kinds), None)


@dataclass(slots=True, eq=False)
class Binding:
    """A variable, function, class or import: what a name means in a scope."""

    name: str
    scope: Scope
    places: list[Name] = field(default_factory=list["Name"])
    origins: list[Origin] = field(default_factory=list[Origin])


@dataclass(slots=True, eq=False)
class Name:
    """One place where a name stands, in bytes."""

    text: str
    start: int
    end: int
    role: Role
    scope: Scope
    node: Node
    binding: Binding | None = None
    partner: Binding | None = None
    """Of an imported name with an alias: what the alias is bound to."""


@dataclass(slots=True, eq=False)
class Names:
    """All names of one file."""

    source: Source
    top: Scope
    all: list[Name]
    """In the order of the text."""
    stars: list[str] = field(default_factory=list[str])
    """Modules of which everything is imported."""
    offers: dict[str, Binding] = field(default_factory=dict[str, "Binding"])
    """What a JavaScript module exports of its own, by the name it has outside."""
    passes: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """What it exports of others: name outside to (module, name there)."""
    exports: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """Strings that name what a module or a class offers (`__all__`, `__slots__`): text, start, end."""

    @property
    def meaningful(self) -> list[Name]:
        """Return the places without keys of objects."""
        return [name for name in self.all if name.role != "key"]

    def of(self, text: str) -> Iterator[Name]:
        """Yield the places of a name."""
        return (name for name in self.all if name.text == text)

    def partition(self) -> list[tuple[int, str]]:
        """Return for each place which place its binding stands first at, and its role; -1 where nothing binds it.

        Keys of objects are left out: `{x}` is `{x: y}` once its variable is called y.
        """
        first: dict[int, int] = {}
        rows: list[tuple[int, str]] = []
        for number, name in enumerate(self.meaningful):
            at = -1 if name.binding is None else first.setdefault(id(name.binding), number)
            rows.append((at, name.role))
        return rows


def looked_up(scope: Scope, text: str, *, past_classes: bool) -> Binding | None:
    """Return what a name means in a scope; where `past_classes`, inner functions do not see a class's names."""
    for number, each in enumerate(scope.chain()):
        if past_classes and number and each.kind == "class":
            continue
        if found := each.bindings.get(text):
            return found
    return None
