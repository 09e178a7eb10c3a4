"""What a Python expression can be, and the files and modules of the program that it stands in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attache.tools.refactor.semantics.modules import Module, Modules
from attache.tools.refactor.semantics.names import Binding, Names, Origin, Scope
from attache.tools.refactor.semantics.python import names_of
from attache.tools.refactor.semantics.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

Key = tuple[int, int, str]
DEPTH = 24
"""Steps after which a chain of imports or assignments is given up."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the workspace."""

    path: str
    start: int
    name: str = field(compare=False)
    node: Node = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Instance:
    """Some instance of a class."""

    of: Class


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method of the workspace."""

    path: str
    start: int
    name: str = field(compare=False)
    node: Node = field(compare=False, repr=False)
    bound: bool = field(default=False, compare=False)
    """Whether its first argument is given by what it is called on."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something that no code of the workspace defines; the dotted name it has, where one is known."""

    name: str = field(default="", compare=False)
    sort: str = field(default="value", compare=False)
    """module, thing (a class or function) or value."""


Value = Module | Class | Instance | Function | Foreign


NOTHING = Foreign("None", "nothing")
"""What `None` is: it is left out where several values are compared."""


def same(values: Iterable[Value | None]) -> Value | None:
    """Return the one thing that all are, `None` left out; None where they differ or one cannot be told."""
    known: Value | None = None
    for value in values:
        if value is None:
            return None
        if value is NOTHING:
            continue
        if known is not None and value != known:
            return None
        known = value
    return known


class Files:
    """The files of a Python program, as they are asked for."""

    def __init__(self, modules: Modules, texts: Mapping[str, str]) -> None:
        """Take the files there are, and the texts known so far; `wanted` collects those that are missing."""
        self.modules = modules
        self.texts = texts
        self.wanted: set[str] = set()
        self._names: dict[str, Names] = {}
        self._scopes: dict[str, dict[Key, Scope]] = {}

    # ------------------------------------------------------------ files

    def names(self, path: str) -> Names | None:
        """Return the names of a file; None, and the file is wanted, where its text is not known yet."""
        if path not in self._names:
            if path not in self.texts:
                if path:
                    self.wanted.add(path)
                return None
            self._names[path] = names_of(Source(path, self.texts[path]))
        return self._names[path]

    def scope(self, names: Names, node: Node) -> Scope | None:
        """Return the scope that a function or a class opens."""
        path = names.source.path
        if path not in self._scopes:
            found: dict[Key, Scope] = {}
            for name in names.all:
                for scope in name.scope.chain():
                    if found.setdefault(_key(scope), scope) is not scope:
                        break
            self._scopes[path] = found
        return self._scopes[path].get((node.start_byte, node.end_byte, node.type))

    # ------------------------------------------------------------ modules

    def member(self, module: Module, name: str, depth: int = 0) -> tuple[Names, Binding] | Module | Foreign | None:
        """Return what a module calls by a name, followed to where it is defined."""
        names = self.names(module.path)
        if names is not None and (binding := names.top.bindings.get(name)) and binding.origins:
            return self.followed(names, binding, depth + 1)
        if found := self.modules.below(module, name):
            return found
        if names is not None and depth < DEPTH:
            for star in names.stars:
                source = self.modules.find(star, names.source.path)
                if source and (found := self.member(source, name, depth + 1)) and not isinstance(found, Foreign):
                    return found
        return None

    def followed(
        self, names: Names, binding: Binding, depth: int = 0
    ) -> tuple[Names, Binding] | Module | Foreign | None:
        """Return the definition that a binding stands for, through any chain of imports."""
        imports = [origin for origin in binding.origins if origin.kind == "import"]
        if not imports or depth > DEPTH:
            return names, binding
        return self.imported(names, binding, imports[0], depth)

    def imported(
        self, names: Names, binding: Binding, origin: Origin, depth: int = 0
    ) -> tuple[Names, Binding] | Module | Foreign | None:
        """Return what one import of a binding means; `try: from a import x; except: from b import x` has two."""
        path = names.source.path
        if not origin.imported:
            first = origin.module.partition(".")[0]
            return self.modules.find(first, path) or Foreign(first, "module")
        module = self.modules.find(origin.module, path)
        if module is None:
            foreign = origin.module if origin.imported == "*" else f"{origin.module}.{origin.imported}"
            return Foreign(foreign, "module" if origin.imported == "*" else "thing")
        if origin.imported == "*":
            return module
        if module.path == path:
            return self.modules.below(module, origin.imported) or (names, binding)
        return self.member(module, origin.imported, depth + 1)


def _key(scope: Scope) -> Key:
    return scope.node.start_byte, scope.node.end_byte, scope.node.type
