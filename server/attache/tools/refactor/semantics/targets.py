"""What a name at a place of a Python program means: the thing that a refactoring is about."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.modules import Module
from attache.tools.refactor.semantics.names import Binding, Name, Names, looked_up
from attache.tools.refactor.semantics.program import Class, Foreign, Function, Instance
from attache.tools.refactor.semantics.source import field as part
from attache.tools.refactor.semantics.types import Program

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, function, class or parameter: what scopes alone find in its own file."""

    names: Names
    binding: Binding

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.binding.name

    @property
    def exported(self) -> bool:
        """Whether other files can import it."""
        return self.binding.scope.kind == "module"

    @property
    def is_parameter(self) -> bool:
        """Whether callers may give it by its name."""
        return any(origin.kind == "parameter" for origin in self.binding.origins)


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute or method of a class and of those that share it."""

    owner: Class
    name: str


Target = Variable | Member


def target_at(program: Program, path: str, line: int, name: str = "") -> Target:
    """Return what stands at a line of a file; `self.x` and `Class.x` mean the attribute.

    Raises EditRefused where no name stands there, or several that mean different things.
    """
    names = program.names(path)
    if names is None:
        raise EditRefused(f"{path} is not there", hint="list the folder to see what is there")
    word = name.rpartition(".")[2]
    here = [each for each in names.all if names.source.line(each.start) == line and each.role != "key"]
    found = [each for each in here if each.text == word] if word else _defined(here)
    if not found:
        raise _nothing(names, line, word, here)
    if "." in name:
        found = [each for each in found if each.role == "attribute" or each.scope.kind == "class"] or found
    targets = {target: None for each in found if (target := _meant(program, names, each)) is not None}
    if len(targets) > 1 and (bound := [each for each in found if each.role == "bind"]):
        targets = {target: None for each in bound if (target := _meant(program, names, each)) is not None}
    if len(targets) != 1:
        what = f"`{word}`" if word else "the line"
        seen = ", ".join(dict.fromkeys(f"{each.text} ({each.role})" for each in found))
        raise EditRefused(
            f"{path}:{line}: {what} means {len(targets) or 'no'} different things there: {seen}",
            hint="name the line of the definition, or say `self.x` for an attribute",
        )
    return next(iter(targets))


def _defined(here: Sequence[Name]) -> list[Name]:
    """Return the names that a line defines: of a function or class alone where it begins one."""
    bound = [each for each in here if each.role == "bind"]
    headed = [each for each in bound if each.node.parent and each.node.parent.type.endswith("_definition")]
    return headed or bound


def _nothing(names: Names, line: int, word: str, here: Iterable[Name]) -> EditRefused:
    path = names.source.path
    if not word:
        offered = ", ".join(dict.fromkeys(each.text for each in here))
        hint = f"say which name: {offered}" if offered else "name the line of a definition"
        return EditRefused(f"{path}:{line} defines no name", hint=hint)
    lines = list(dict.fromkeys(names.source.line(each.start) for each in names.of(word)))
    near = ", ".join(f"{path}:{each}" for each in sorted(lines, key=lambda each: abs(each - line))[:SHOWN])
    return EditRefused(f"{path}:{line} has no name `{word}`", hint=f"it stands at {near}" if near else "see symbols")


def _meant(program: Program, names: Names, name: Name) -> Target | None:
    where = names.source.where(name.start)
    match name.role:
        case "bind" | "use":
            if name.binding is None:
                return _free(program, names, name, where)
            return bound_target(program, names, name.binding, where)
        case "imported":
            return bound_target(program, names, name.partner, where) if name.partner else None
        case "attribute":
            return _attribute(program, names, name, where)
        case "keyword":
            return _keyword(program, names, name, where)
        case _:
            return None


def _free(program: Program, names: Names, name: Name, where: str) -> Target:
    for star in names.stars:
        module = program.modules.find(star, names.source.path)
        found = program.member(module, name.text) if module else None
        if isinstance(found, tuple):
            return bound_target(program, *found, where)
    what = "is Python's own" if hasattr(builtins, name.text) else "is defined nowhere that can be seen"
    raise EditRefused(f"{where}: `{name.text}` {what}", hint="name something that the workspace defines")


def bound_target(program: Program, names: Names, binding: Binding, where: str) -> Target:
    """Return what a binding stands for. Raises EditRefused for what the workspace does not define."""
    found = program.followed(names, binding)
    if found is None and program.wanted:
        raise EditRefused(f"{where}: what `{binding.name}` is imported from could not be read")
    if not isinstance(found, tuple):
        what = "is a module: move the file instead" if isinstance(found, Module) else "comes from outside"
        known = f" ({found.name})" if isinstance(found, Foreign) else ""
        raise EditRefused(f"{where}: `{binding.name}` {what}{known}", hint="name something the workspace defines")
    names, binding = found
    if binding.scope.kind == "class":
        return Member(program.class_at(names, binding.scope), binding.name)
    return Variable(names, binding)


def _attribute(program: Program, names: Names, name: Name, where: str) -> Target:
    holder = part(name.node.parent, "object") if name.node.parent else None
    base = program.holder(names, name)
    match base:
        case Module():
            found = program.member(base, name.text)
            if isinstance(found, tuple):
                return bound_target(program, *found, where)
        case Class() | Instance():
            owners = program.owners(base.of if isinstance(base, Instance) else base, name.text)
            if owners:
                return Member(owners[0], name.text)
        case _:
            pass
    said = names.source.say(holder) if holder is not None else "it"
    raise EditRefused(
        f"{where}: whose `{name.text}` this is cannot be told from `{said}`", hint="name the line that defines it"
    )


def _keyword(program: Program, names: Names, name: Name, where: str) -> Target:
    called = called_with(program, names, name)
    if isinstance(called, Class) and program.owners(called, name.text):
        return Member(program.owners(called, name.text)[0], name.text)
    function = constructor(program, called) if isinstance(called, Class) else called
    there = program.names(function.path) if isinstance(function, Function) else None
    inner = program.scope(there, function.node) if there and isinstance(function, Function) else None
    if there and inner and (binding := looked_up(inner, name.text, past_classes=True)) and binding.scope is inner:
        return Variable(there, binding)
    raise EditRefused(f"{where}: what takes `{name.text}=` cannot be told", hint="name the line that defines it")


def called_with(program: Program, names: Names, name: Name) -> object:
    """Return what a keyword's call calls; None where that cannot be told."""
    argument = name.node.parent
    listed = argument.parent if argument is not None else None
    call = listed.parent if listed is not None else None
    function = part(call, "function") if call is not None else None
    return program.value(names, function, name.scope) if function is not None else None


def constructor(program: Program, called: Class) -> Function | None:
    """Return the `__init__` that making an instance runs, where the workspace defines it."""
    for names, binding in program.found_in(called, "__init__"):
        value = program.of_binding(names, binding)
        return value if isinstance(value, Function) else None
    return None
