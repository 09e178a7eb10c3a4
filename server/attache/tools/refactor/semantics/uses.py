"""Every place of a Python program that means one thing, and those of which that cannot be told."""

from __future__ import annotations

import functools
import io
import logging
import pathlib
import re
import threading
import types
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from attache.schema.errors import EditRefused
from attache.tools.refactor.semantics.modules import Module
from attache.tools.refactor.semantics.names import Name, Names, Scope
from attache.tools.refactor.semantics.program import Class, Foreign, Function, Instance
from attache.tools.refactor.semantics.source import field as part
from attache.tools.refactor.semantics.targets import Member, Target, Variable, called_with, constructor
from attache.tools.refactor.semantics.types import Program

_COMMON = (
    str, bytes, list, dict, set, tuple, int, float, type, BaseException, types.FunctionType, types.ModuleType,
    types.GeneratorType, types.CoroutineType, io.TextIOWrapper, io.BytesIO, pathlib.Path, re.Pattern, re.Match,
    threading.Thread, logging.Logger, deque, functools.partial,
)  # fmt: skip
COMMON = frozenset(name for each in _COMMON for name in dir(each))
"""Attributes that things of the language and its library have too."""
_CHANGED = frozenset({"replace", "evolve", "_replace", "__replace__"})
"""Functions that take an instance's fields as keywords."""
_WRAPS = frozenset({"partial", "partialmethod", "submit", "to_thread", "run_in_executor", "call_soon", "Thread"})
"""Functions that take a function and hand keywords on to it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A place, in bytes."""

    path: str
    start: int
    end: int
    sure: bool = True
    """Whether it certainly means the thing."""
    name: Name | None = None
    """None for a word in a string that names what a module offers."""


def uses_of(program: Program, target: Target, paths: Iterable[str]) -> list[Use]:
    """Return the places in these files that mean it, and those of which that cannot be told."""
    paths = tuple(paths)
    files = [names for path in paths if (names := program.names(path)) is not None]
    if isinstance(target, Member):
        family = family_of(program, target, files)
        found = [use for names in files for use in _member_uses(program, target, family, names)]
        return _once(found)
    own = [_use(target.names, name) for name in target.binding.places]
    if target.exported:
        own += _exports(target.names, target.name)
        for names in files:
            if names is not target.names:
                own += _elsewhere(program, target, names)
    if target.is_parameter:
        for each in _overriding(program, target, files):
            own += [_use(each.names, name) for name in each.binding.places]
            own += [use for names in files for use in _keywords(program, each, names)]
    return _once(own)


def _overriding(program: Program, target: Variable, files: Iterable[Names]) -> Iterator[Variable]:
    """Yield a parameter and its equals in the methods that take the same call: those of the family."""
    yield target
    scope = target.binding.scope
    said = part(scope.node, "name")
    method = target.names.source.say(said) if said is not None else ""
    if scope.parent is None or scope.parent.kind != "class" or method in {"", "__init__", "__new__"}:
        return
    owner = program.class_at(target.names, scope.parent)
    for each in family_of(program, Member(owner, method), files):
        names = program.names(each.path)
        holder = program.scope(names, each.node) if names else None
        binding = holder.bindings.get(method) if holder else None
        for origin in binding.origins if binding and each != owner else ():
            inner = program.scope(names, origin.node) if names else None
            if names and inner and (found := inner.bindings.get(target.name)):
                other = Variable(names, found)
                if other.is_parameter:
                    yield other


def _once(uses: Iterable[Use]) -> list[Use]:
    found = {(use.path, use.start): use for use in uses}
    return sorted(found.values(), key=lambda use: (use.path, use.start))


def _use(names: Names, name: Name, *, sure: bool = True) -> Use:
    return Use(names.source.path, name.start, name.end, sure, name)


def _exports(names: Names, text: str) -> Iterator[Use]:
    for word, start, end in names.exports:
        if word == text:
            yield Use(names.source.path, start, end)


# ---------------------------------------------------------------- what modules offer


def _elsewhere(program: Program, target: Variable, names: Names) -> Iterator[Use]:
    """Yield the uses, in another file, of what a module defines."""
    bindings = {id(name.binding): name.binding for name in names.all if name.binding and name.role == "bind"}
    for binding in bindings.values():
        imports = [origin for origin in binding.origins if origin.kind == "import" and origin.imported]
        meant = [_is_it(program.imported(names, binding, origin), target) for origin in imports]
        if not any(meant):
            continue
        if not all(meant):
            raise EditRefused(
                f"{names.source.where(binding.places[0].start)}: `{binding.name}` is imported from several modules, "
                f"of which this is one; nothing was changed",
                hint=f"rename it there first, or import it as {binding.name}",
            )
        there = next(origin.imported for origin in binding.origins if origin.imported)
        aliased = [name for name in names.all if name.role == "imported" and name.partner is binding]
        if aliased:
            yield from (_use(names, name) for name in aliased if name.text == target.name)
        elif there == target.name:
            yield from (_use(names, name) for name in binding.places)
            if binding.scope is names.top:
                yield from _exports(names, target.name)
    for name in names.of(target.name):
        if (name.role == "attribute" and _is_member_of_module(program, target, names, name)) or (
            name.role == "use" and name.binding is None and _is_starred(program, target, names)
        ):
            yield _use(names, name)


def _is_it(found: object, target: Variable) -> bool:
    return isinstance(found, tuple) and found[1] is target.binding


def _is_member_of_module(program: Program, target: Variable, names: Names, name: Name) -> bool:
    base = program.holder(names, name)
    found = program.member(base, name.text) if isinstance(base, Module) else None
    return isinstance(found, tuple) and found[1] is target.binding


def _is_starred(program: Program, target: Variable, names: Names) -> bool:
    for star in names.stars:
        module = program.modules.find(star, names.source.path)
        found = program.member(module, target.name) if module else None
        if isinstance(found, tuple):
            return found[1] is target.binding
    return False


# ---------------------------------------------------------------- keywords


def _keywords(program: Program, target: Variable, names: Names) -> Iterator[Use]:
    """Yield the places that give a parameter by its name."""
    function = target.binding.scope.node
    said = part(function, "name")
    called_as = target.names.source.say(said) if said is not None else ""
    scope = target.binding.scope.parent
    makes = scope is not None and scope.kind == "class" and called_as in {"__init__", "__new__"}
    spellings = {called_as, program.class_at(target.names, scope).name if scope and makes else called_as}
    for name in names.of(target.name):
        if name.role != "keyword" or name.node.parent is None or name.node.parent.type != "keyword_argument":
            continue
        called = called_with(program, names, name)
        if isinstance(called, Class):
            called = constructor(program, called) or called
        if isinstance(called, Function):
            if (called.path, called.start) == (target.names.source.path, function.start_byte):
                yield _use(names, name)
            continue
        spelled = _callee(names, name)
        if spelled in _WRAPS and _hands_on(program, names, name, target):
            yield _use(names, name)
        elif called is None and spelled and spelled in spellings:
            yield _use(names, name, sure=False)


def _callee(names: Names, name: Name) -> str:
    """Return the last word of what a keyword's call calls."""
    argument = name.node.parent
    call = argument.parent.parent if argument is not None and argument.parent is not None else None
    function = part(call, "function") if call is not None else None
    return names.source.say(function).rpartition(".")[2] if function is not None else ""


def _hands_on(program: Program, names: Names, name: Name, target: Variable) -> bool:
    argument = name.node.parent
    listed = argument.parent if argument is not None else None
    for each in listed.named_children if listed is not None else ():
        value = program.value(names, part(each, "value") or each, name.scope)
        if isinstance(value, Class):
            value = constructor(program, value)
        if isinstance(value, Function) and value.path == target.names.source.path:
            return value.start == target.binding.scope.node.start_byte
    return False


# ---------------------------------------------------------------- members


def classes_in(program: Program, names: Names) -> Iterator[tuple[Class, Scope]]:
    """Yield the classes of a file with their scopes."""
    seen: set[int] = set()
    for name in names.all:
        for scope in name.scope.chain():
            if id(scope) in seen:
                break
            seen.add(id(scope))
            if scope.kind == "class":
                yield program.class_at(names, scope), scope


def family_of(program: Program, target: Member, files: Iterable[Names]) -> list[Class]:
    """Return the classes that define the member, each related to the target's by inheritance."""
    groups: list[set[Class]] = [set(program.owners(target.owner, target.name)) | {target.owner}]
    for names in files:
        for each, _ in classes_in(program, names):
            owners = set(program.owners(each, target.name))
            if owners:
                joined = [group for group in groups if group & owners]
                groups = [group for group in groups if not group & owners]
                groups.append(owners.union(*joined))
    family = next(group for group in groups if target.owner in group)
    return sorted(family, key=lambda each: (each.path, each.start))


def others_with(program: Program, target: Member, family: Iterable[Class], files: Iterable[Names]) -> list[Class]:
    """Return the classes of other families that define a member of the same name."""
    family = set(family)
    return [
        each
        for names in files
        for each, _ in classes_in(program, names)
        if each not in family and each in program.owners(each, target.name)
    ]


def _member_uses(program: Program, target: Member, family: list[Class], names: Names) -> Iterator[Use]:
    shared = set(family)
    for each, scope in classes_in(program, names):
        if each in shared:
            binding = scope.bindings.get(target.name)
            yield from (_use(names, name) for name in binding.places) if binding else ()
            start, end = scope.node.start_byte, scope.node.end_byte
            yield from (use for use in _exports(names, target.name) if start < use.start < end)
    for name in names.of(target.name):
        if name.role == "attribute":
            sure = _is_theirs(program, family, names, name)
        elif name.role == "keyword":
            sure = _is_field(program, family, names, name)
        else:
            continue
        if sure is not False:
            yield _use(names, name, sure=bool(sure))


def _is_theirs(program: Program, family: list[Class], names: Names, name: Name) -> bool | None:
    """Return whether `x.name` is a member of the family; None where that cannot be told."""
    base = program.holder(names, name)
    match base:
        case Class() | Instance():
            return shares(program, family, base.of if isinstance(base, Instance) else base, name.text)
        case None:
            return None
        case _:
            return False


def shares(program: Program, family: Iterable[Class], owner: Class, name: str) -> bool:
    """Return whether a class has the member from the family, or gives it to one that does."""
    family = tuple(family)
    owners = program.owners(owner, name)
    if owners:
        return bool(set(owners) & set(family))
    return any(owner in program.line_of(each) for each in family)


def _is_field(program: Program, family: list[Class], names: Names, name: Name) -> bool | None:
    """Return whether `C(name=...)`, `replace(c, name=...)` or `case C(name=...)` names a field of the family."""
    above = name.node.parent
    if above is not None and above.type == "keyword_pattern":
        while above is not None and above.type != "class_pattern":
            above = above.parent
        head = above.named_children[0] if above is not None else None
        last = head.named_children[-1] if head is not None and head.named_children else head
        found = next((each for each in names.all if last is not None and each.start == last.start_byte), None)
        value = program.of_binding(names, found.binding) if found and found.binding else None
        if found and found.role == "attribute" and (base := program.holder(names, found)) is not None:
            value = program.attribute(base, found.text)
        return shares(program, family, value, name.text) if isinstance(value, Class) else None
    called = called_with(program, names, name)
    if isinstance(called, Class):
        own = constructor(program, called)
        return own is None and shares(program, family, called, name.text)
    if isinstance(called, Function):
        return False
    if _callee(names, name) not in _CHANGED:
        return False
    listed = above.parent if above is not None else None
    call = listed.parent if listed is not None else None
    function = part(call, "function") if call is not None else None
    first = listed.named_children[0] if listed is not None else None
    if function is not None and function.type == "attribute" and _callee(names, name) == "_replace":
        first = part(function, "object")
    value = program.value(names, first, name.scope) if first is not None else None
    if isinstance(value, Instance):
        return shares(program, family, value.of, name.text)
    return False if isinstance(value, Foreign) else None
