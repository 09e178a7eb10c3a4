"""Move a top-level Python definition to another module, with the imports of everyone who uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from attache.schema.edits import CreateFile, EditFile, FileChange, TextEdit
from attache.schema.errors import EditRefused, FileMissing
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.refactor.import_lines import (
    Origins,
    below_docstring,
    dropped,
    for_types_alone,
    imported_names,
    with_import,
)
from attache.tools.refactor.programs import Reading, check_parses, landed, reading
from attache.tools.refactor.semantics.flow import is_written
from attache.tools.refactor.semantics.modules import Module
from attache.tools.refactor.semantics.names import Name, Names
from attache.tools.refactor.semantics.python import names_of
from attache.tools.refactor.semantics.source import Source
from attache.tools.refactor.semantics.targets import Variable, target_at
from attache.tools.refactor.semantics.types import Program
from attache.tools.refactor.semantics.uses import Use, uses_of
from attache.tools.tool import Context, tool
from attache.tools.wording import counted
from attache.workspace.edits import apply, diff

if TYPE_CHECKING:
    from tree_sitter import Node


class Moved(NamedTuple):
    """A definition on its way."""

    target: Variable
    statement: Node
    start: int
    end: int
    to_path: str


@tool(category="refactor", effect="workspace", aliases=("move_function", "move_class"))
async def move_symbol(
    ctx: Context,
    path: FilePath,
    line: Annotated[int, Field(ge=1, description="Line of its definition.")],
    to_path: Annotated[str, Field(min_length=1, description="Python file it goes to; made where it is not there.")],
    name: Annotated[str, Field(description="Which name of that line.")] = "",
) -> ToolOutput:
    """Move a top-level function, class or variable to another Python module, updating the imports at every use."""
    read = await reading(ctx)
    path = (await ctx.workspace.read(path)).path
    to_path = ctx.workspace.shown(ctx.workspace.uri(to_path))
    if not path.endswith(".py") or not to_path.endswith(".py") or path == to_path:
        raise EditRefused(f"from {path} to {to_path}: name two Python files", hint='such as to_path="pkg/other.py"')
    await read.load([path])
    target = await read.ask(lambda program: target_at(program, path, line, name))
    if not isinstance(target, Variable) or not target.exported or target.names.source.path != path:
        raise EditRefused(f"{path}:{line}: only what a module defines at its top can be moved", hint="see outline")
    created = await _destination(read, to_path)
    candidates = await read.saying((target.name,))
    target = await read.ask(lambda program: target_at(program, path, line, name))
    if not isinstance(target, Variable):
        raise EditRefused(f"{path}:{line} changed meanwhile", hint="try again")
    paths = tuple(dict.fromkeys((path, *candidates)))
    uses = await read.ask(lambda program: uses_of(program, target, paths))
    moved = _cut(target, to_path)
    program = read.program
    texts = dict(_users(program, moved, uses))
    before = _refused_circle(program, moved, texts)
    texts[to_path] = _arrived(program, moved, read.texts.get(to_path, ""))
    texts[path] = _left(program, moved, uses, texts.get(path, before))
    for at, text in texts.items():
        check_parses(at, read.texts.get(at, ""), text)
        _refuse_lost(program.names(at) if at in read.texts else None, names_of(Source(at, text)), target.name)
    files = _changes(ctx, read, texts, to_path if created else "")
    others = counted(len([each for each in texts if each not in {path, to_path}]), "other file")
    head = f"moved `{target.name}` from {path} to {to_path}; imports changed in {others}"
    return await landed(ctx, f"move {target.name} to {to_path}", head, files, ())


async def _destination(read: Reading, to_path: str) -> bool:
    """Read the file it goes to; return whether it has to be made."""
    try:
        await read.ctx.workspace.read(to_path)
    except FileMissing:
        read.texts[to_path] = ""
        read.paths = (*read.paths, to_path)
        read.join(to_path)
        return True
    await read.load([to_path])
    return False


def _cut(target: Variable, to_path: str) -> Moved:
    """Return the statement that defines it, with its decorators and the comment above it."""
    source = target.names.source
    origins = target.binding.origins
    if len(origins) != 1 or sum(is_written(each) for each in target.binding.places) != 1:
        raise EditRefused(f"{source.path}: `{target.name}` is defined more than once", hint="make it one definition")
    node = origins[0].node
    while node.parent is not None and node.parent.type != "module":
        node = node.parent
    held = node if node.type != "decorated_definition" else node.named_children[-1]
    if held.type not in {"function_definition", "class_definition", "expression_statement", "type_alias_statement"}:
        raise EditRefused(f"{source.where(node.start_byte)}: it is defined under a condition", hint="use edit")
    first = source.line(node.start_byte)
    while first > 1 and source.line_text(first - 1).startswith("#"):
        first -= 1
    start, end = source.start_of_line(first), source.start_of_line(source.line(node.end_byte - 1) + 1)
    return Moved(target, node, start, end, to_path)


def _users(program: Program, moved: Moved, uses: Iterable[Use]) -> Iterable[tuple[str, str]]:
    """Yield the other files with their imports changed."""
    by_path: dict[str, list[Use]] = {}
    for use in uses:
        by_path.setdefault(use.path, []).append(use)
    own = moved.target.names.source.path
    for path, each in by_path.items():
        names = program.names(path)
        if names is None or path == own:
            continue
        yield path, _reimported(program, moved, names, each)


def _reimported(program: Program, moved: Moved, names: Names, uses: Sequence[Use]) -> str:
    """Return a user's text with the name imported from its new home."""
    source, name = names.source, moved.target.name
    edits: list[TextEdit] = []
    text = source.text
    wanted: list[tuple[str, str]] = []
    for statement, alias in imported_names(program, names, moved.target):
        edits.append(dropped(source, statement, name))
        wanted.append((name, alias))
    own = moved.target.names.source.path
    behind_dot = [use for use in uses if use.name is not None and _is_direct(program, names, use.name, own)]
    for use in behind_dot:
        whole = use.name.node.parent if use.name is not None else None
        if whole is None:
            continue
        if any(each.role in {"bind", "use"} for each in names.of(name)) and not wanted:
            raise EditRefused(
                f"{source.where(use.start)}: `{name}` is a name in this file already", hint="rename that one first"
            )
        said = next((alias or name for _, alias in wanted), name)
        edits.append(TextEdit(start=source.offset(whole.start_byte), end=source.offset(whole.end_byte), text=said))
    stars = [program.modules.find(star, source.path) for star in names.stars]
    unbound = any(use.name is not None and use.name.role == "use" and use.name.binding is None for use in uses)
    starred = unbound and any(star is not None and star.path == own for star in stars)
    if (behind_dot and not wanted) or (starred and not any(not alias for _, alias in wanted)):
        wanted.append((name, ""))
    text = apply(text, sorted(edits, key=lambda edit: edit.start), source.path)
    if source.path == moved.to_path:
        return text
    for _, alias in dict.fromkeys(wanted):
        text = with_import(text, source.path, Origins(program.modules), moved.to_path, name, alias)
    return text


def _is_direct(program: Program, names: Names, name: Name, own: str) -> bool:
    """Return whether a name stands behind its own module, not behind a package that offers it again."""
    base = program.holder(names, name) if name.role == "attribute" else None
    return isinstance(base, Module) and base.path == own


def _refused_circle(program: Program, moved: Moved, texts: dict[str, str]) -> str:
    """Refuse where the two modules would import each other as they start; return the old text."""
    names = moved.target.names
    inside = [each for each in names.all if moved.start <= each.start < moved.end and each.role == "use"]
    own = [
        each.text
        for each in inside
        if each.binding is not None
        and each.binding.scope is names.top
        and each.binding is not moved.target.binding
        and not any(origin.kind == "import" for origin in each.binding.origins)
    ]
    stays = any(not moved.start <= place.start < moved.end for place in moved.target.binding.places) or any(
        text == moved.target.name for text, *_ in names.exports
    )
    if own and stays:
        raise EditRefused(
            f"{names.source.path} uses `{moved.target.name}`, which uses its {', '.join(dict.fromkeys(own))}: the two "
            "modules would import each other",
            hint="move those first, or all together",
        )
    there = program.names(moved.to_path)
    if there is not None and moved.target.name in there.top.bindings:
        binding = there.top.bindings[moved.target.name]
        found = program.followed(there, binding)
        if not isinstance(found, tuple) or found[1] is not moved.target.binding:
            raise EditRefused(f"{moved.to_path} has a `{moved.target.name}` already", hint="rename one of them first")
    del texts
    return names.source.text


def _arrived(program: Program, moved: Moved, text: str) -> str:
    """Return the destination with the definition at its end and what it needs imported."""
    names, source = moved.target.names, moved.target.names.source
    there = program.names(moved.to_path)
    if there is not None and text:
        for statement, alias in imported_names(program, there, moved.target):
            if alias:
                raise EditRefused(f"{moved.to_path} imports `{moved.target.name}` as `{alias}`", hint="undo that first")
            edit = dropped(there.source, statement, moved.target.name)
            text = apply(text, (edit,), moved.to_path)
    newline = "\r\n" if "\r\n" in (text or source.text) else "\n"
    piece = source.between(moved.start, moved.end).replace("\r\n", "\n").rstrip("\n").replace("\n", newline) + newline
    text = f"{text.rstrip()}{newline * 3}{piece}" if text.strip() else piece
    if _is_future(names) and "from __future__ import annotations" not in text:
        text = below_docstring(text, f"from __future__ import annotations{newline}", moved.to_path)
    needed: dict[str, None] = {}
    for each in names.all:
        binding = each.binding if moved.start <= each.start < moved.end and each.role == "use" else None
        if binding is not None and binding.scope is names.top and binding is not moved.target.binding:
            needed[each.text] = None
    origins = Origins(program.modules)
    for name in needed:
        binding = names.top.bindings[name]
        origin = next((one for one in binding.origins if one.kind == "import"), None)
        here = there.top.bindings.get(name) if there is not None else None
        if here is not None and any(one.kind != "import" for one in here.origins) and origin is not None:
            raise EditRefused(f"{moved.to_path} has another `{name}`, which it needs", hint="rename that one first")
        unread = [one.kind == "import" and for_types_alone(names, one.node) for one in binding.origins]
        if origin is None or (any(unread) and not all(unread)):  # defined in several ways: its own module knows which
            text = with_import(text, moved.to_path, origins, source.path, name, "")
        elif all(unread) and here is None:
            text = origins.repeated_for_types(text, moved.to_path, source.path, origin, name)
        elif here is None:
            text = origins.repeated(text, moved.to_path, source.path, origin, name)
    return text


def _is_future(names: Names) -> bool:
    return any(node.type == "future_import_statement" for node in names.source.root.named_children)


def _left(program: Program, moved: Moved, uses: Iterable[Use], text: str) -> str:
    """Return what stays, importing the name where it is still said."""
    source = moved.target.names.source
    end = moved.end
    while end < len(source.data) and source.data[end : end + 1] in {b"\n", b"\r"}:
        end += 1
    start = moved.start
    rest = apply(text, (TextEdit(start=source.offset(start), end=source.offset(end), text=""),), source.path)
    said = [use for use in uses if use.path == source.path and not moved.start <= use.start < moved.end]
    if said:
        rest = with_import(rest, source.path, Origins(program.modules), moved.to_path, moved.target.name, "")
    return Origins(program.modules).without_unused(rest, source, moved.target.names, moved.start, moved.end)


def _refuse_lost(before: Names | None, after: Names, name: str) -> None:
    """Raise EditRefused where a text would say a name that nothing defines any more."""
    known = (
        {each.text for each in before.all if each.binding is None and each.role == "use"}
        if before is not None
        else set[str]()
    )
    import builtins

    for each in after.all:
        if each.role != "use" or each.binding is not None or each.text in known or hasattr(builtins, each.text):
            continue
        if after.stars and each.text != name:
            continue
        raise EditRefused(
            f"{after.source.path}: `{each.text}` would be defined nowhere; nothing was changed", hint="import it first"
        )


def _changes(ctx: Context, read: Reading, texts: dict[str, str], created: str) -> list[FileChange]:
    files: list[FileChange] = []
    for path, text in sorted(texts.items()):
        if path == created:
            files.append(CreateFile(uri=ctx.workspace.uri(path), text=text))
        elif text != read.texts[path]:
            snapshot = read.snapshots[path]
            files.append(
                EditFile(
                    uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version,
                    edits=diff(snapshot.text, text),
                )
            )  # fmt: skip
    if created and str(PurePosixPath(created).parent) != ".":
        folder = PurePosixPath(created).parent
        siblings = any(path.startswith(f"{folder}/") for path in read.paths if path != created)
        parent = f"{folder.parent}/__init__.py".removeprefix("./")
        if not siblings and parent in read.paths:
            files.append(CreateFile(uri=ctx.workspace.uri(f"{folder}/__init__.py"), text=""))
    return files
