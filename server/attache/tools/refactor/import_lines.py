"""Import statements of Python files as text: added, dropped, and spelled as a file has to spell them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from attache.schema.documents import Diagnostic, Place
from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.tools.fixes.fixing import edits_of
from attache.tools.fixes.imports import Import, add
from attache.tools.refactor.semantics.modules import Modules
from attache.tools.refactor.semantics.names import Names, Origin
from attache.tools.refactor.semantics.python import names_of
from attache.tools.refactor.semantics.source import Source, field
from attache.tools.refactor.semantics.targets import Variable
from attache.tools.refactor.semantics.types import Program
from attache.workspace.documents import split_lines
from attache.workspace.edits import apply, line_starts

if TYPE_CHECKING:
    from tree_sitter import Node


def imported_names(program: Program, names: Names, target: Variable) -> Iterator[tuple[Node, str]]:
    """Yield the `from … import` statements that bring a definition into a file from its own module, with the alias."""
    own = target.names.source.path
    for binding in {id(each.binding): each.binding for each in names.all if each.binding}.values():
        for origin in binding.origins:
            if origin.kind != "import" or origin.imported != target.name:
                continue
            module = program.modules.find(origin.module, names.source.path)
            if module is not None and module.path == own:
                if binding.scope is not names.top and not for_types_alone(names, origin.node):
                    raise EditRefused(
                        f"{names.source.where(origin.node.start_byte)}: it is imported inside a function",
                        hint="move that import to the top first",
                    )
                yield origin.node, "" if binding.name == target.name else binding.name


def for_types_alone(names: Names, node: Node) -> bool:
    """Whether a statement stands where only a type checker reads it."""
    above = node.parent
    while above is not None and above.type != "if_statement":
        above = above.parent
    return above is not None and "TYPE_CHECKING" in names.source.say(field(above, "condition") or above)


def dropped(source: Source, statement: Node, name: str) -> TextEdit:
    """Return the edit that takes one name out of an import, or the whole line where it is the only one."""
    listed = statement.children_by_field_name("name")
    keep = [each for each in listed if source.say(field(each, "name") or each) != name]
    if not keep:
        start = source.start_of_line(source.line(statement.start_byte))
        end = source.start_of_line(source.line(statement.end_byte - 1) + 1)
        if source.between(start, statement.start_byte).strip():
            raise EditRefused(f"{source.where(start)}: something else stands on the line of the import")
        if _only_child(statement):
            indent = source.between(start, statement.start_byte)
            return TextEdit(start=source.offset(start), end=source.offset(end), text=f"{indent}pass\n")
        row = source.line(end)
        alone = source.line(start) == 1 or not source.line_text(source.line(start) - 1)
        if alone and end < len(source.data) and not source.line_text(row):
            end = source.start_of_line(row + 1)  # the blank line behind it goes too
        return TextEdit(start=source.offset(start), end=source.offset(end), text="")
    first, last = listed[0], listed[-1]
    said = source.between(first.start_byte, last.end_byte)
    gap = ",\n" + " " * first.start_point.column if "\n" in said else ", "
    text = gap.join(source.say(each) for each in keep)
    return TextEdit(start=source.offset(first.start_byte), end=source.offset(last.end_byte), text=text)


def _only_child(statement: Node) -> bool:
    block = statement.parent
    return block is not None and block.type == "block" and len(block.named_children) == 1


def with_import(text: str, path: str, origins: Origins, module_path: str, name: str, alias: str) -> str:
    """Return a text that imports a name from a module of the workspace."""
    return put(text, path, Import(module=origins.spelled(path, module_path), name=name), alias)


def put(text: str, path: str, wanted: Import, alias: str) -> str:
    """Return a text with an import added where imports stand; unchanged where it is there already."""
    patch = add(text, wanted, path)
    if patch is None:
        return text
    if alias:
        said = patch.text.replace(f"import {wanted.name}", f"import {wanted.name} as {alias}")
        said = said.replace(f", {wanted.name}", f", {wanted.name} as {alias}")
        patch = patch.model_copy(update={"text": said})
    found = Diagnostic(place=Place(path=path, line=1), message="", fix=(patch,))
    return apply(text, edits_of(found, line_starts(split_lines(text)), len(text)), path)


class Origins:
    """How files of a program spell the modules that they import from."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def spelled(self, importer: str, module_path: str) -> str:
        """Return the absolute name of a module, or a relative one where only that leads to it."""
        dotted = self._modules.dotted(module_path)
        near = PurePosixPath(module_path)
        if near.parent == PurePosixPath(importer).parent and f"{near.parent}/__init__.py" not in self._modules.paths:
            return near.stem  # scripts side by side
        found = self._modules.find(dotted, importer) if dotted else None
        if found is not None and found.path == module_path:
            return dotted
        here, there = PurePosixPath(importer).parent, PurePosixPath(module_path)
        stem = there.parent if there.stem == "__init__" else there.with_suffix("")
        if stem.is_relative_to(here):
            return "." + ".".join(stem.relative_to(here).parts)
        if dotted:
            return dotted
        raise EditRefused(f"how {importer} would import {module_path} cannot be told", hint="import it by edit")

    def repeated_for_types(self, text: str, path: str, from_path: str, origin: Origin, name: str) -> str:
        """Return a text with an import that another file has for type checkers alone, in a block for them."""
        plain = self.repeated("", path, from_path, origin, name).strip()
        source = names_of(Source(path, text)).source
        lines = text.splitlines()
        if f"    {plain}" in lines:
            return text
        for node in source.root.named_children:
            if node.type == "if_statement" and "TYPE_CHECKING" in source.say(field(node, "condition") or node):
                at = source.offset(source.start_of_line(source.line(node.start_byte) + 1))
                return f"{text[:at]}    {plain}\n{text[at:]}"
        text = put(text, path, Import(module="typing", name="TYPE_CHECKING"), "")
        source = names_of(Source(path, text)).source
        behind = [
            node for node in source.root.named_children if node.type in {"import_statement", "import_from_statement"}
        ][-1]
        at = source.offset(source.start_of_line(source.line(behind.end_byte - 1) + 1))
        return f"{text[:at]}\nif TYPE_CHECKING:\n    {plain}\n{text[at:]}"

    def repeated(self, text: str, path: str, from_path: str, origin: Origin, name: str) -> str:
        """Return a text with an import that another file has."""
        if origin.imported in {"", "*"}:
            if origin.imported == "*" and name != origin.module:
                line = f"import {origin.module} as {name}\n"
                return below_docstring(text, line, path)
            return put(text, path, Import(module=origin.module), "")
        module = origin.module
        if module.startswith("."):
            found = self._modules.find(module, from_path)
            if found is None or not found.path:
                raise EditRefused(f"{from_path}: what `{module}` is cannot be told", hint="move it by edit")
            module = self.spelled(path, found.path)
        return put(text, path, Import(module=module, name=origin.imported), "" if origin.imported == name else name)

    def without_unused(self, text: str, before: Source, names: Names, start: int, end: int) -> str:
        """Return a text without the imports that only the part that left used."""
        gone = {each.text for each in names.all if start <= each.start < end and each.binding is not None}
        after = names_of(Source(before.path, text))
        offered = {word for word, *_ in after.exports}
        for name in sorted(gone):
            binding, old = after.top.bindings.get(name), names.top.bindings.get(name)
            if binding is None or old is None or len(binding.places) != 1 or name in offered:
                continue
            origin = next((each for each in binding.origins if each.kind == "import"), None)
            if origin is None or before.path.endswith("__init__.py"):
                continue
            edit = _without(after.source, origin)
            text = apply(text, (edit,), before.path)
            after = names_of(Source(before.path, text))
        return text


def _without(source: Source, origin: Origin) -> TextEdit:
    if origin.imported and origin.imported != "*":
        return dropped(source, origin.node, origin.imported)
    listed = origin.node.children_by_field_name("name")
    spelled = next((each for each in listed if source.say(field(each, "name") or each) == origin.module), listed[0])
    return dropped(source, origin.node, source.say(field(spelled, "name") or spelled))


def below_docstring(text: str, line: str, path: str) -> str:
    """Return a text with a line put behind its docstring and what has to stand first."""
    names = names_of(Source(path, text))
    at = 0
    for node in names.source.root.named_children:
        first = node.named_children[0].type if node.named_children else ""
        if node.type in {"future_import_statement", "comment"} or (
            node.type == "expression_statement" and first == "string"
        ):
            at = names.source.start_of_line(names.source.line(node.end_byte - 1) + 1)
        else:
            break
    place = names.source.offset(at)
    return text[:place] + line + text[place:]
