"""Add, remove or reorder a parameter of a Python function, and change every call with it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused, InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.refactor.programs import changes, check_parses, edited, landed, reading
from attache.tools.refactor.semantics.source import Source, field, walk
from attache.tools.refactor.semantics.targets import Member, Target, Variable, target_at
from attache.tools.refactor.semantics.types import Program
from attache.tools.refactor.semantics.uses import classes_in, uses_of
from attache.tools.refactor.signatures import Called, Definition, aliases, calls, definitions
from attache.tools.tool import Context, tool
from attache.tools.wording import counted

if TYPE_CHECKING:
    from tree_sitter import Node

SHOWN = 8
Action = Literal["add", "remove", "reorder"]


class Asked(NamedTuple):
    """What is to be changed."""

    action: Action
    parameter: str
    value: str
    order: tuple[str, ...]


@tool(category="refactor", effect="workspace", aliases=("add_parameter", "remove_parameter"))
async def change_signature(
    ctx: Context,
    path: FilePath,
    line: Annotated[int, Field(ge=1, description="Line of the definition.")],
    action: Annotated[Action, Field(description="What to do.")],
    parameter: Annotated[str, Field(description="To add: `name: type = default`. To remove: its name.")] = "",
    value: Annotated[str, Field(description="To add: what calls give; left out, they rely on the default.")] = "",
    order: Annotated[tuple[str, ...], Field(description="To reorder: all positional names, without self.")] = (),
    name: Annotated[str, Field(description="Which function of that line.")] = "",
) -> ToolOutput:
    """Change a Python function's or method's parameters with every call, and with the methods that override it.

    A call of which it cannot be told what it calls, or that unfolds `*x`, is refused with its place.
    """
    asked = Asked(action, parameter.strip(), value.strip(), order)
    _check(asked)
    read = await reading(ctx)
    path = (await ctx.workspace.read(path)).path
    if not path.endswith(".py"):
        raise EditRefused(f"{path}: only Python signatures can be changed", hint="use edit")
    await read.load([path])
    target = await read.ask(lambda program: target_at(program, path, line, name))
    words = [target.name] if not isinstance(target, Member) else [target.name, target.owner.name]
    paths = tuple(dict.fromkeys((path, *await read.saying(words))))
    for _ in range(SHOWN):  # classes derived from it are made by their own names
        heirs = await read.ask(partial(_heirs, target=target, paths=paths))
        more = tuple(dict.fromkeys((*paths, *(await read.saying(heirs) if heirs else ()))))
        if more == paths:
            break
        paths = more
    target = await read.ask(lambda program: target_at(program, path, line, name))
    found = await read.ask(lambda program: definitions(program, target, paths))
    called = await read.ask(lambda program: list(calls(program, target, found, paths)))
    handed = await read.ask(lambda program: _handed_on(program, target, paths))
    _refuse_unsure(asked, called, handed)
    edits: dict[str, list[TextEdit]] = {}
    for definition in found:
        edits.setdefault(definition.names.source.path, []).extend(_of_definition(definition, asked))
    removed = _spans(found[0], called, asked)
    for call in called:
        at = call.names.source.path
        inside = any(at == where and start <= call.node.start_byte < end for where, start, end in removed)
        if not inside:
            edits.setdefault(at, []).extend(_of_call(found[0], call, asked))
    edits = {at: each for at, each in edits.items() if each}
    for at, each in edits.items():
        check_parses(at, read.texts[at], edited(read, at, each))
    what = {"add": f"added `{asked.parameter}` to", "remove": f"removed `{asked.parameter}` from"}.get(
        action, f"reordered to ({', '.join(order)})"
    )
    others = f" in {counted(len(found), 'definition')}" if len(found) > 1 else ""
    head = f"{what} `{target.name}`{others}; {counted(len(called), 'call')} seen in {counted(len(edits), 'file')}"
    notes = [f"handed on, not called, at {', '.join(handed[:SHOWN])}" if handed else ""]
    return await landed(ctx, f"{action} a parameter of {target.name}", head, changes(read, edits), notes)


def _check(asked: Asked) -> None:
    if asked.action in {"add", "remove"} and not asked.parameter:
        raise InvalidArguments(
            f"change_signature.parameter: say which to {asked.action}", hint='such as "timeout: float = 3.0"'
        )
    if asked.action == "reorder" and len(asked.order) < 2:  # noqa: PLR2004 - one has no order
        raise InvalidArguments("change_signature.order: name all positional parameters", hint='such as ["b", "a"]')
    if asked.action == "add":
        try:
            parsed = ast.parse(f"def _({asked.parameter}): pass").body[0]
            ast.parse(asked.value or "0", mode="eval")
        except SyntaxError:
            raise InvalidArguments(
                f"change_signature.parameter: `{asked.parameter}` = `{asked.value}` does not parse",
                hint='such as "timeout: float = 3.0"',
            ) from None
        spec = parsed.args if isinstance(parsed, ast.FunctionDef) else None
        if spec is None or len(spec.args) != 1 or spec.vararg or spec.kwarg or spec.kwonlyargs:
            raise InvalidArguments("change_signature.parameter: one named one", hint='such as "timeout: float = 3.0"')


def _added(asked: Asked) -> tuple[str, str]:
    """Return the name and the default of what is added."""
    parsed = ast.parse(f"def _({asked.parameter}): pass").body[0]
    if not isinstance(parsed, ast.FunctionDef):
        return "", ""
    spec = parsed.args
    return spec.args[0].arg, ast.unparse(spec.defaults[0]) if spec.defaults else ""


def _heirs(program: Program, target: Target, paths: Sequence[str]) -> list[str]:
    """Return the names of the classes that are made by the constructor in question."""
    if not isinstance(target, Member) or target.name not in {"__init__", "__new__"}:
        return []
    found = [target.owner.name]
    for path in paths:
        names = program.names(path)
        for each, _ in classes_in(program, names) if names else ():
            if target.owner in program.line_of(each):
                found.append(each.name)
    return list(dict.fromkeys(found))


def _handed_on(program: Program, target: Target, paths: Sequence[str]) -> list[str]:
    """Return where the function is named without being called."""
    found: list[str] = []
    places = [(names, use.name) for use in uses_of(program, target, paths) if (names := program.names(use.path))]
    for path in paths:
        names = program.names(path)
        for binding in aliases(names, [target.name]) if names else ():
            there = program.followed(names, binding) if names else None
            own = isinstance(target, Variable) and isinstance(there, tuple) and there[1] is target.binding
            if names and own:
                places += [(names, place) for place in binding.places]
    for names, name in places:
        if name is None or name.role not in {"use", "attribute"}:
            continue
        whole = name.node.parent if name.role == "attribute" else name.node
        above = whole.parent if whole is not None else None
        called = field(above, "function") if above is not None and above.type == "call" else None
        if called != whole and (above is None or not above.type.startswith("import")):
            found.append(names.source.where(name.start))
    return found


def _refuse_unsure(asked: Asked, called: Sequence[Called], handed: Sequence[str]) -> None:
    unsure = [each.where for each in called if not each.sure]
    needed = asked.action != "add" or bool(asked.value)
    unfolding = [each.where for each in called if each.unfolds] if needed else []
    if unsure and needed:
        raise EditRefused(f"what is called at {', '.join(unsure[:SHOWN])} cannot be told; nothing was changed")
    if unfolding:
        raise EditRefused(f"`*` unfolds the arguments at {', '.join(unfolding[:SHOWN])}", hint="write them out first")
    if handed and needed:
        raise EditRefused(
            f"it is handed on at {', '.join(handed[:SHOWN])}, and called from where cannot be seen", hint="use edit"
        )
    if asked.action == "add" and not asked.value and not _added(asked)[1] and called:
        raise EditRefused(
            f"{counted(len(called), 'call')} would not give `{asked.parameter}`",
            hint="add a default (`x: int = 0`), or say `value`, what calls give",
        )


# ---------------------------------------------------------------- definitions


def _of_definition(definition: Definition, asked: Asked) -> list[TextEdit]:
    match asked.action:
        case "add":
            return [_insertion(definition, asked)]
        case "remove":
            return [_removal(definition, asked.parameter)]
        case _:
            return _reordered(definition, asked.order)


def _place(definition: Definition, asked: Asked) -> int:
    """Return before which positional parameter a new one goes."""
    plain = definition.positional()
    if _added(asked)[1]:
        return len(plain)
    return next((n for n, each in enumerate(plain) if each.default), len(plain))


def _insertion(definition: Definition, asked: Asked) -> TextEdit:
    source = definition.names.source
    name = _added(asked)[0]
    if definition.find(name) is not None:
        raise EditRefused(f"{definition.where}: it takes a `{name}` already", hint="choose another name")
    start, end = definition.node.start_byte, definition.node.end_byte
    if any(start <= each.start < end and each.role in {"bind", "use"} for each in definition.names.of(name)):
        raise EditRefused(f"{definition.where}: it says `{name}` already", hint="choose another name")
    plain, at = definition.positional(), _place(definition, asked)
    listed = field(definition.node, "parameters")
    if at < len(plain):
        start = source.offset(plain[at].node.start_byte)
        return TextEdit(start=start, end=start, text=f"{asked.parameter}, ")
    behind = [each for each in definition.parameters if each.kind in {"star", "bare", "stars"}]
    if behind:
        start = source.offset(behind[0].node.start_byte)
        return TextEdit(start=start, end=start, text=f"{asked.parameter}, ")
    children = listed.named_children if listed is not None else []
    if not children:
        start = source.offset(listed.start_byte + 1) if listed is not None else 0
        return TextEdit(start=start, end=start, text=asked.parameter)
    last = children[-1]
    lead = ", "
    if "\n" in source.between(last.end_byte, listed.end_byte if listed is not None else last.end_byte):
        lead = ",\n" + " " * last.start_point.column
    start = source.offset(last.end_byte)
    return TextEdit(start=start, end=start, text=f"{lead}{asked.parameter}")


def _removal(definition: Definition, name: str) -> TextEdit:
    found = definition.find(name)
    if found is None or found.kind != "plain":
        known = ", ".join(each.name for each in definition.parameters if each.kind == "plain")
        raise EditRefused(f"{definition.where}: it takes no `{name}`", hint=f"it takes {known or 'nothing'}")
    names = definition.names
    body = field(definition.node, "body")
    used = [
        names.source.where(each.start)
        for each in names.of(name)
        if body is not None and body.start_byte <= each.start < body.end_byte and each.role in {"use", "bind"}
    ]
    if used:
        raise EditRefused(f"`{name}` is used at {', '.join(used[:SHOWN])}", hint="take its uses away first")
    index = definition.parameters.index(found)
    alone = index and definition.parameters[index - 1].kind == "bare"
    last = index == len(definition.parameters) - 1 or definition.parameters[index + 1].kind == "stars"
    if alone and last:
        raise EditRefused(f"{definition.where}: the `*` before it would stand alone", hint="use edit")
    return _without(names.source, found.node)


def _without(source: Source, node: Node) -> TextEdit:
    """Return the edit that takes an entry out of a list, with the comma and blanks that go with it."""
    following, before = node.next_named_sibling, node.prev_named_sibling
    if following is not None:
        return TextEdit(start=source.offset(node.start_byte), end=source.offset(following.start_byte), text="")
    if before is not None:
        return TextEdit(start=source.offset(before.end_byte), end=source.offset(node.end_byte), text="")
    start, end = node.start_byte, node.end_byte
    if source.between(end, end + 1) == ",":
        end += 1
    return TextEdit(start=source.offset(start), end=source.offset(end), text="")


def _reordered(definition: Definition, order: Sequence[str]) -> list[TextEdit]:
    plain = definition.positional()
    if sorted(order) != sorted(each.name for each in plain):
        have = ", ".join(each.name for each in plain)
        raise EditRefused(f"{definition.where} takes ({have}), not ({', '.join(order)})", hint="name each once")
    if any(each.kind == "slash" for each in definition.parameters):
        raise EditRefused(f"{definition.where}: `/` fixes the places of its parameters", hint="use edit")
    source = definition.names.source
    by_name = {each.name: each for each in plain}
    wanted = [by_name[name] for name in order]
    if any(one.default and not other.default for one, other in pairwise(wanted)):
        raise EditRefused(f"{definition.where}: what has no default cannot stand behind what has one")
    return [
        TextEdit(
            start=source.offset(old.node.start_byte), end=source.offset(old.node.end_byte), text=source.say(new.node)
        )
        for old, new in zip(plain, wanted, strict=True)
        if old is not new
    ]


# ---------------------------------------------------------------- calls


def _spans(definition: Definition, called: Sequence[Called], asked: Asked) -> list[tuple[str, int, int]]:
    """Return the arguments that go, in which nothing else needs a change."""
    if asked.action != "remove":
        return []
    found: list[tuple[str, int, int]] = []
    for call in called:
        node = _given(definition, call, asked.parameter)
        if node is not None:
            found.append((call.names.source.path, node.start_byte, node.end_byte))
    return found


def _given(definition: Definition, call: Called, name: str) -> Node | None:
    """Return the argument that a call gives for a parameter."""
    if (by_name := call.by_name(name)) is not None:
        return by_name
    places = [each.name for each in definition.positional()]
    given = call.by_place()
    at = places.index(name) if name in places else len(given)
    return given[at] if at < len(given) else None


def _of_call(definition: Definition, call: Called, asked: Asked) -> list[TextEdit]:
    source = call.names.source
    if asked.action == "remove":
        node = _given(definition, call, asked.parameter)
        return [_without(source, node)] if node is not None else []
    if asked.action == "add":
        return _with_argument(definition, call, asked)
    return _with_order(definition, call, asked.order)


def _with_argument(definition: Definition, call: Called, asked: Asked) -> list[TextEdit]:
    source = call.names.source
    name, default = _added(asked)
    at, given = _place(definition, asked), call.by_place()
    value = asked.value or (default if at < len(given) else "")
    if not value:
        return []
    if at < len(given):
        start = source.offset(given[at].start_byte)
        return [TextEdit(start=start, end=start, text=f"{value}, ")]
    listed = field(call.node, "arguments")
    if listed is None:
        return []
    if not call.arguments:
        start = source.offset(listed.start_byte + 1)
        return [TextEdit(start=start, end=start, text=f"{name}={value}")]
    last = call.arguments[-1]
    lead = ", "
    if "\n" in source.between(last.end_byte, listed.end_byte):
        lead = ",\n" + " " * last.start_point.column
    start = source.offset(last.end_byte)
    return [TextEdit(start=start, end=start, text=f"{lead}{name}={value}")]


def _with_order(definition: Definition, call: Called, order: Sequence[str]) -> list[TextEdit]:
    source = call.names.source
    places = [each.name for each in definition.positional()]
    given = call.by_place()
    if len(given) < 2 and (not given or order[0] == places[0]):  # noqa: PLR2004 - nothing changes places
        return []
    by_name = {places[n]: node for n, node in enumerate(given[: len(places)])}
    moved = [name for n, name in enumerate(places[: len(given)]) if n >= len(order) or order[n] != name]
    if not moved:
        return []
    runs = sum(any(each.type in {"call", "await"} for each in walk(node)) for node in given)
    together = set(order[: len(by_name)]) == set(by_name) and runs < 2  # noqa: PLR2004 - two calls have an order
    edits: list[TextEdit] = []
    first = min(places.index(name) for name in moved)
    for n, node in enumerate(given[: len(places)]):
        text = source.say(by_name[order[n]]) if together else f"{places[n]}={source.say(node)}"
        if n >= first and text != source.say(node):
            edits.append(TextEdit(start=source.offset(node.start_byte), end=source.offset(node.end_byte), text=text))
    return edits
