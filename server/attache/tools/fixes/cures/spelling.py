"""Cures for slips of the pen in Python: a name that is nowhere, and the one name near it that is."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from attache.tools.fixes.cures.case import Ask, Case, Patches, rule
from attache.tools.fixes.cures.letters import slip

PY = (".py", ".pyi")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BUILTINS = {name for name in vars(builtins) if not name.startswith("_")} - {"None", "True", "False"}
_UNSEEN = frozenset({"this", "antigravity", "turtle", "idlelib", "tkinter", "turtledemo", "__main__"})
"""Modules of the standard library that do something when they are imported."""
_UNDEFINED = r"[Uu]ndefined name ['\"`](\w+)['\"`](?! in)|[\"'`](\w+)[\"'`] is not defined"
_PARAMETER = re.compile(r"[(,]\s*\*{0,2}(\w+)")


def _tree(case: Case) -> ast.Module:
    try:
        return ast.parse(case.text)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement or argument binds by itself."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((each.asname or each.name).partition(".")[0] for each in node.names)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name


def _around(tree: ast.Module, line: int) -> list[ast.AST]:
    """Return the functions around a line, outermost first."""
    return [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS) and _holds(node, line)]


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _at_module(tree: ast.Module) -> Iterator[str]:
    inner = [node for node in ast.walk(tree) if isinstance(node, (*_FUNCTIONS, ast.ClassDef))]
    inside = {id(each) for node in inner for each in ast.walk(node) if each is not node}
    yield from (name for node in ast.walk(tree) if id(node) not in inside for name in _bound(node))


def in_scope(tree: ast.Module, line: int) -> set[str]:
    """Return the names that a line can use."""
    local = {name for function in _around(tree, line) for node in ast.walk(function) for name in _bound(node)}
    return local | set(_at_module(tree)) | _BUILTINS


@rule(PY, _UNDEFINED)
def spell_binding(case: Case) -> Patches:
    """Spell `{}` as it is used."""
    functions = _around(tree := _tree(case), case.number)
    scope = functions[-1] if functions else tree
    nodes = list(ast.walk(scope))
    names = {name for node in nodes for name in _bound(node) if isinstance(node, ast.Name)}
    bound = slip(case.name, names)
    places = [node for node in nodes if isinstance(node, ast.Name) and node.id == bound]
    if not bound or any(not isinstance(node.ctx, ast.Store) for node in places):
        return ()
    return tuple(
        patch
        for node in places
        for patch in case.replace(node.lineno, *_columns(case, node.lineno, node.col_offset, bound), case.name)
    )


def _columns(case: Case, line: int, offset: int, name: str) -> tuple[int, int]:
    start = len(case.at(line).encode()[:offset].decode("utf-8", "replace"))
    return start, start + len(name)


@rule(PY, _UNDEFINED)
def spell_name(case: Case) -> Patches:
    """Use the name that is there in place of `{}`."""
    return _respelt(case, rf"(?<![\w.]){case.name}\b", slip(case.name, in_scope(_tree(case), case.number)))


def _respelt(case: Case, pattern: str, name: str) -> Patches:
    found = case.found(pattern) if name else None
    return case.replace(case.number, found.end() - len(case.name), found.end(), name) if found else ()


# ---------------------------------------------------------------- attributes


def _class_asked(case: Case) -> Ask:
    return Ask(case.match[2], members=True)


@rule(PY, r"Cannot access attribute \"(\w+)\" for class \"(?:type\[)?(\w+)", asks=_class_asked)
def spell_attribute(case: Case) -> Patches:
    """Use the attribute that is there in place of `{}`."""
    owner, tree = case.match[2], _tree(case)
    known = {*_members(tree, owner), *dir(getattr(builtins, owner, None))}
    known |= {each.name for each in case.symbols if each.container.rpartition(".")[2] == owner}
    right = slip(case.name, known) or slip(case.name, _attributes(tree, case.name))
    return _respelt(case, rf"(?<=\.){case.name}\b", right)


def _members(tree: ast.Module, name: str) -> set[str]:
    """Return what a class of this file has, by its body, its methods' `self` and its bases in the file."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            found |= {bound for each in node.body for part in _shallow(each) for bound in _bound(part)}
            found |= {
                each.attr
                for each in ast.walk(node)
                if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
            }
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id != name:
                    found |= _members(tree, base.id)
    return found


def _shallow(node: ast.stmt) -> Iterator[ast.AST]:
    yield from (node,) if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else ast.walk(node)


def _attributes(tree: ast.Module, wrong: str) -> set[str]:
    """Return the attributes that the file uses elsewhere."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr != wrong}


@rule(PY, r"Cannot access attribute \"(\w+)\" for class \"(?:MethodType|FunctionType)\"", sure=False)
def call_first(case: Case) -> Patches:
    """Call it before `{}` is taken."""
    found = case.found(rf"(?<=\w)(?=\.{case.name}\b)", nearest=True)
    return case.replace(case.number, found.start(), found.start(), "()") if found else ()


@rule(PY, r"\"(\w+)\" is not a known attribute of module \"([\w.]+)\"")
def spell_of_module(case: Case) -> Patches:
    """Use the name that the module has in place of `{}`."""
    module = case.match[2]
    root = module.partition(".")[0]
    if root not in sys.stdlib_module_names or root in _UNSEEN:
        return ()
    try:
        known = dir(importlib.import_module(module))
    except ImportError:
        return ()
    return _respelt(case, rf"(?<=\.){case.name}\b", slip(case.name, known))


# ---------------------------------------------------------------- what is given and taken


def _call(case: Case) -> ast.Call | None:
    """Return the call that gives the argument that the message names."""
    calls = (node for node in ast.walk(_tree(case)) if isinstance(node, ast.Call))
    return next(
        (node for node in calls if any(each.arg == case.name and each.lineno == case.number for each in node.keywords)),
        None,
    )


def _callee(case: Case) -> str:
    call = _call(case)
    return getattr(call.func, "attr", getattr(call.func, "id", "")) if call else ""


@rule(PY, r"^No parameter named \"(\w+)\"", asks=lambda case: Ask(_callee(case), members=True))
def spell_parameter(case: Case) -> Patches:
    """Name the parameter that is there in place of `{}`."""
    callee = _callee(case)
    known = set(_parameters(_tree(case), callee))
    for each in case.symbols:
        if each.name == callee or (each.container.rpartition(".")[2] == callee and each.name == "__init__"):
            known |= set(_PARAMETER.findall(each.signature))
        elif each.container.rpartition(".")[2] == callee and each.kind in {"field", "variable", "property"}:
            known.add(each.name)
    call = _call(case)
    given = {each.arg for each in call.keywords} if call else set[str | None]()
    return _respelt(case, rf"(?<![\w.]){case.name}(?=\s*=)", slip(case.name, known - given))


def _parameters(tree: ast.Module, name: str) -> Iterator[str]:
    """Yield the parameters of a function of this file, or those by which a class of it is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield from filter(None, map(_field, node.body))
            yield from _parameters(ast.Module(node.body, []), "__init__")
        elif isinstance(node, _FUNCTIONS) and node.name == name:
            yield from (each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))


def _field(node: ast.stmt) -> str:
    return node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""


_FROM = re.compile(r"\s*from\s+(\.*)([\w.]*)\s+import\b")


def _module_asked(case: Case) -> Ask:
    """Return the files that an import may mean."""
    found = case.before(_FROM.pattern)
    if found is None:
        return Ask()
    dots, name = found[1][1], found[1][2].replace(".", "/")
    folder = PurePosixPath(case.finding.place.path).parent
    for _ in dots[1:]:
        folder = folder.parent
    homes = [folder] if dots else [PurePosixPath(), PurePosixPath("src"), PurePosixPath("lib")]
    return Ask(paths=tuple(f"{home / name}{end}" for home in homes for end in (".py", "/__init__.py")))


@rule(PY, r"\"(\w+)\" is unknown import symbol", asks=_module_asked)
def spell_import(case: Case) -> Patches:
    """Import the name that is there in place of `{}`."""
    right = slip(case.name, {each.name for each in case.symbols if not each.container})
    if not right:
        return ()
    return tuple(
        patch
        for number in range(1, len(case.lines) + 1)
        for found in re.finditer(rf"(?<![\w.'\"]){case.name}(?![\w'\"])", case.at(number))
        for patch in case.replace(number, found.start(), found.end(), right)
    )


BEFORE = (spell_binding,)
"""Tried before a name is imported: it is bound here, only misspelt."""
RULES = (
    spell_name, spell_attribute, call_first, spell_of_module, spell_parameter, spell_import,
)  # fmt: skip
