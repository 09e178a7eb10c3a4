"""Installed packages as files: found and read, never imported, so that nothing of theirs is run."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, NamedTuple, cast

from attache.schema.errors import ToolError

README_CHARS = 200_000
SOURCE_BYTES = 5_000_000
MEMBERS_SHOWN = 60
REEXPORTS = 5
"""How many modules a name is followed through."""


class Page(NamedTuple):
    """What is known of a package, or of a name in it."""

    title: str
    text: str


# ---------------------------------------------------------------- Python


def site_packages(folder: Path) -> list[str]:
    """Return where the packages of a project's own environment lie, and after them ours."""
    found: list[str] = []
    for name in (".venv", "venv", "env"):
        found += [str(each) for each in sorted((folder / name).glob("lib/python*/site-packages"))]
        found += [str(each) for each in (folder / name / "Lib" / "site-packages",) if each.is_dir()]
    return [*found, *(path for path in sys.path if path.endswith("site-packages"))]


def python_page(name: str, paths: Sequence[str]) -> Page | None:
    """Return what an installed Python package says of itself or of a dotted name in it; None where none is there."""
    top = name.partition(".")[0]
    known = _distribution(top, paths)
    module = _module(name, paths)
    if module is not None:
        path, rest = module
        return Page(name, "\n".join(_described(path, rest, paths)))
    if known is None:
        return None
    if "." in name:
        raise ToolError(f"{name}: no such module in {known.metadata['Name']}", hint=f"look up {top} for its modules")
    told: Any = known.metadata  # a message: headers, and the README as its body
    version = f"{told['Name']} {known.version}"
    readme = str(told.get_payload() or told.get("Description") or "")
    head: list[str] = [version, told.get("Summary") or "", *(told.get_all("Project-URL") or [])]
    modules = sorted({str(file).split("/")[0].removesuffix(".py") for file in known.files or () if _public(str(file))})
    return Page(version, "\n".join([*filter(None, head), f"modules: {', '.join(modules)}", "", readme[:README_CHARS]]))


def _public(file: str) -> bool:
    return file.endswith(".py") and not file.startswith(("_", "..", "bin/")) and file.count("/") <= 1


def _distribution(name: str, paths: Sequence[str]) -> Distribution | None:
    wanted = re.sub(r"[-_.]+", "-", name).lower()
    for each in distributions(path=list(paths)):
        if re.sub(r"[-_.]+", "-", each.metadata["Name"] or "").lower() == wanted:
            return each
    return None


def _module(name: str, paths: Sequence[str]) -> tuple[Path, list[str]] | None:
    """Return the file of the longest beginning of a dotted name that is a module, and what of the name is left."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        inside = Path(*parts[:count])
        for path in paths:
            place = Path(path) / inside
            found = (place / "__init__.py", place.with_suffix(".py"), place / "__init__.pyi", place.with_suffix(".pyi"))
            for file in found:  # source before stubs: it has the docstrings
                if file.is_file():
                    return file, parts[count:]
    return None


def _described(path: Path, rest: Sequence[str], paths: Sequence[str], depth: int = 0) -> Iterator[str]:
    tree = _parsed(path)
    if not rest:
        yield from _members(path, tree, ast.get_docstring(tree) or "")
        return
    scope: ast.AST = tree
    for part in rest:
        found = _defined(scope, part)
        if found is None:
            source = _imported(tree, path, part, paths) if depth < REEXPORTS else None
            if source is None:
                raise ToolError(f"{path.name} defines no {part}", hint=f"it has {', '.join(_names(scope))[:400]}")
            yield from _described(source[0], [*source[1], *rest[rest.index(part) + 1 :]], paths, depth + 1)
            return
        scope = found
    line = cast("Any", scope).lineno
    yield f"{path.name}:{line}"
    if isinstance(scope, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield _signature(scope)
        yield ast.get_docstring(scope) or "(no docstring)"
        if isinstance(scope, ast.ClassDef):
            yield from _listed(scope)
    else:
        yield ast.unparse(scope)


def _parsed(path: Path) -> ast.Module:
    if path.stat().st_size > SOURCE_BYTES:
        raise ToolError(f"{path.name} is too large to read", hint="look at a part of it by the shell")
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"{path.name} cannot be read: {error}") from None


def _members(path: Path, tree: ast.Module, doc: str) -> Iterator[str]:
    yield doc or f"{path.name} has no docstring"
    yield from _listed(tree)
    if path.stem == "__init__":
        inner = sorted(
            {each.stem for each in path.parent.iterdir() if each.suffix == ".py" or (each / "__init__.py").is_file()}
        )
        yield f"modules: {', '.join(name for name in inner if not name.startswith('_'))}"


def _listed(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    shown = [node for node in scope.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
    public = [node for node in shown if not node.name.startswith("_") or node.name == "__init__"]
    for node in public[:MEMBERS_SHOWN]:
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        yield f"  {_signature(node)}{f'  — {first}' if first else ''}"
    if len(public) > MEMBERS_SHOWN:
        yield f"  [… {len(public) - MEMBERS_SHOWN} more: look up one of them by its name]"


def _signature(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if isinstance(node, ast.ClassDef):
        inherited = ", ".join(map(ast.unparse, node.bases))
        return f"class {node.name}({inherited})" if inherited else f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{start} {node.name}({ast.unparse(node.args)}){returns}"


def _defined(scope: ast.AST, name: str) -> ast.AST | None:
    for node in cast("list[ast.stmt]", getattr(scope, "body", [])):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                return node
            case ast.Assign() if any(isinstance(each, ast.Name) and each.id == name for each in node.targets):
                return node
            case ast.AnnAssign(target=ast.Name(id=found)) if found == name:
                return node
            case ast.If() | ast.Try():
                if inner := _defined(node, name):
                    return inner
            case _:
                pass
    return None


def _imported(tree: ast.Module, path: Path, name: str, paths: Sequence[str]) -> tuple[Path, list[str]] | None:
    """Return where a name that a module only hands on is defined: the file, and its name there."""
    package = list(_package(path, paths))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in sorted(imports, key=lambda each: each.names[0].name == "*"):  # what is named goes before what may be
        above = package[: len(package) - node.level + 1] if node.level else []
        whole = ".".join([*above, *filter(None, (node.module or "").split("."))])
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                return _module(f"{whole}.{alias.name}", paths)
            if alias.name == "*" and (found := _module(whole, paths)) and not found[1]:
                inner = _parsed(found[0])
                if _defined(inner, name) is not None:
                    return found[0], [name]
    return None


def _package(path: Path, paths: Sequence[str]) -> Sequence[str]:
    home = next((each for each in paths if path.is_relative_to(each)), None)
    return path.parent.relative_to(home).parts if home else ()


def _names(scope: ast.AST) -> list[str]:
    body = cast("list[ast.stmt]", getattr(scope, "body", []))
    return [node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]


# ---------------------------------------------------------------- Node


def node_page(name: str, folder: Path) -> Page | None:
    """Return what a package in node_modules says of itself, with the names that its types declare."""
    place = folder / "node_modules" / name
    manifest = place / "package.json"
    if not re.fullmatch(r"(?:@[\w.-]+/)?[\w.-]+", name) or not manifest.is_file():
        return None
    if not manifest.resolve().is_relative_to(folder.resolve()):
        raise ToolError(f"{name} lies outside of {folder.name}, by a link", hint="open its folder, too")
    try:
        held = cast("dict[str, Any]", json.loads(manifest.read_text("utf-8")))
    except ValueError as error:
        raise ToolError(f"{manifest.name} of {name} cannot be read: {error}") from None
    head = [f"{name} {held.get('version', '')}", str(held.get("description", "")), f"main: {held.get('main', '')}"]
    types = held.get("types") or held.get("typings") or "index.d.ts"
    declared = place / str(types)
    names = _declared(declared) if declared.resolve().is_relative_to(place.resolve()) and declared.is_file() else []
    readmes = sorted(
        each
        for each in place.iterdir()
        if each.name.lower().startswith("readme") and each.resolve().is_relative_to(place.resolve())
    )
    readme = readmes[0].read_text("utf-8", "replace")[:README_CHARS] if readmes else "(no README)"
    exported = [f"types declare: {', '.join(names)}"] if names else []
    return Page(head[0], "\n".join([*head, *exported, "", readme]))


def _declared(path: Path) -> list[str]:
    form = (
        r"^export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:function|class|interface|type|const|enum)\s+(\w+)"
    )
    return list(dict.fromkeys(re.findall(form, path.read_text("utf-8", "replace")[:README_CHARS], re.MULTILINE)))
