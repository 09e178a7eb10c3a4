"""Put what a name stands for in the places that say it, and take the name away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from attache.index.languages import languages
from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.refactor.inline_function import inlined_function
from attache.tools.refactor.programs import changes, check_parses, edited, landed, reading
from attache.tools.refactor.semantics.flow import BLOCKS, is_written
from attache.tools.refactor.semantics.names import Binding, Name, Names, looked_up
from attache.tools.refactor.semantics.python import names_of as python_names
from attache.tools.refactor.semantics.script import LANGUAGES, SHORTHANDS
from attache.tools.refactor.semantics.script import names_of as script_names
from attache.tools.refactor.semantics.script_uses import ScriptVariable
from attache.tools.refactor.semantics.script_uses import target_at as script_target_at
from attache.tools.refactor.semantics.script_uses import uses_of as script_uses_of
from attache.tools.refactor.semantics.source import Source, field, walk
from attache.tools.refactor.semantics.targets import Variable, target_at
from attache.tools.refactor.semantics.uses import uses_of
from attache.tools.tool import Context, tool
from attache.tools.wording import counted

if TYPE_CHECKING:
    from tree_sitter import Node

_RUNS = frozenset(
    {"call", "call_expression", "await", "await_expression", "new_expression", "yield", "named_expression"}
)
_LOOKS = frozenset({"attribute", "subscript", "member_expression", "subscript_expression"})
_MADE = frozenset({"list", "dictionary", "set", "object", "array", "lambda", "arrow_function", "list_comprehension"})
_LATER = frozenset({
    "lambda", "arrow_function", "function_expression", "function_definition", "function_declaration",
    "method_definition", "list_comprehension", "set_comprehension", "dictionary_comprehension",
    "generator_expression", "while_statement", "for_statement", "for_in_statement", "do_statement",
})  # fmt: skip
_BINDS = ("binary", "boolean", "comparison", "unary", "not_operator", "conditional", "ternary", "lambda", "arrow",
          "await", "assignment", "named_expression", "expression_list", "yield", "as_expression")  # fmt: skip


@tool(category="refactor", effect="workspace", aliases=("inline_variable", "inline_function"))
async def inline(
    ctx: Context,
    path: FilePath,
    line: Annotated[int, Field(ge=1, description="Line of its definition.")],
    name: Annotated[str, Field(description="Which name of that line.")] = "",
) -> ToolOutput:
    """Put a variable's value, or a one-expression Python function's result, in place of its uses, and drop it.

    Refused where the value would be computed at another time, more often, or mean something else.
    """
    read = await reading(ctx)
    path = (await ctx.workspace.read(path)).path
    await read.load([path])
    language = languages().of(path)
    if language is None or language.name not in {"python", *LANGUAGES}:
        raise EditRefused(f"{path}: only Python, JavaScript and TypeScript can be inlined", hint="use edit")
    script = language.name in LANGUAGES
    if script:
        found = await read.ask_scripts(lambda program: script_target_at(program, path, line, name))
        if not isinstance(found, ScriptVariable):
            raise EditRefused(f"{path}:{line}: a member cannot be inlined", hint="name a variable")
        names, binding = found.names, found.binding
        paths = await read.saying((found.name,), "**/*.{js,jsx,mjs,cjs,ts,tsx,mts,cts}")
        uses = await read.ask_scripts(lambda program: script_uses_of(program, found, paths))
    else:
        target = await read.ask(lambda program: target_at(program, path, line, name))
        if not isinstance(target, Variable):
            raise EditRefused(f"{path}:{line}: an attribute cannot be inlined", hint="name a variable or a function")
        names, binding = target.names, target.binding
        paths = await read.saying((target.name,))
        uses = await read.ask(lambda program: uses_of(program, target, paths))
    at = names.source.path
    if others := [use for use in uses if use.path != at]:
        raise EditRefused(f"`{binding.name}` is used in {others[0].path} too", hint="only what one file uses goes")
    if any(origin.kind == "function" for origin in binding.origins):
        edits, count = inlined_function(names, binding)
    else:
        edits, count = _inlined(names, binding, script=script)
    after = edited(read, at, edits)
    check_parses(at, read.texts[at], after)
    if (script_names if script else python_names)(Source(at, after)).source.faults > names.source.faults:
        raise EditRefused(f"{at} would not parse any more; nothing was changed")
    head = f"inlined `{binding.name}` in {counted(count, 'place')} of {at}"
    return await landed(ctx, f"inline {binding.name}", head, changes(read, {at: edits}), ())


def _inlined(names: Names, binding: Binding, *, script: bool) -> tuple[list[TextEdit], int]:
    source = names.source
    statement, value = _definition(names, binding)
    where = source.where(statement.start_byte)
    uses = [each for each in binding.places if not is_written(each)]
    if not uses:
        raise EditRefused(f"{where}: nothing uses `{binding.name}`", hint="delete the line")
    _refuse_other_time(names, statement, value, uses)
    said = source.say(value)
    if "\n" in said and not said.startswith(("(", "[", "{", '"""', "'''")):
        said = f"({said})"
    edits = [_removed(source, statement)]
    for each in uses:
        if any(line in each.node.type for line in ("string_content",)):
            raise EditRefused(f"{source.where(each.start)}: a string names it", hint="change that first")
        if _in_string(each.node) and any(mark in said for mark in "\"'`"):
            raise EditRefused(f"{source.where(each.start)}: its quotes would end the string that uses it")
        wrapped = f"({said})" if _needs_brackets(value, each.node) else said
        put = f"{each.text}: {wrapped}" if script and each.node.type in SHORTHANDS else wrapped
        edits.append(TextEdit(start=source.offset(each.start), end=source.offset(each.end), text=put))
    return edits, len(uses)


def _definition(names: Names, binding: Binding) -> tuple[Node, Node]:
    """Return the one statement that sets a variable, and its value."""
    source = names.source
    where = source.where(binding.places[0].start)
    writes = [each for each in binding.places if is_written(each)]
    origin = binding.origins[0] if len(binding.origins) == 1 else None
    if origin is None or len(writes) != 1 or origin.value is None or origin.kind != "variable":
        raise EditRefused(f"{where}: `{binding.name}` is not set once and for all, by one assignment")
    statement = origin.node
    target = field(statement, "left") or field(statement, "name")
    if target is None or target.type != "identifier" or statement.type not in {"assignment", "variable_declarator"}:
        raise EditRefused(f"{where}: `{binding.name}` is set together with others", hint="take them apart first")
    while statement.parent is not None and statement.parent.type not in BLOCKS:
        statement = statement.parent
    if statement.type == "export_statement" or len(statement.named_children) != 1:
        raise EditRefused(f"{where}: `{binding.name}` is exported, or declared with others", hint="take it apart first")
    return statement, origin.value


def _refuse_other_time(names: Names, statement: Node, value: Node, uses: list[Name]) -> None:
    """Raise EditRefused where the value at a use could be another than at its definition."""
    source = names.source
    parts = {each.type for each in walk(value)}
    runs, looks, made = parts & _RUNS, parts & _LOOKS, parts & _MADE
    first = uses[0]
    if (runs or looks or made) and len(uses) > 1:
        raise EditRefused(
            f"{source.where(statement.start_byte)}: its value is computed, and used {len(uses)} times",
            hint="only a value that stays the same can be put in several places",
        )
    for each in uses:
        later = _between(each.node, statement)
        if each.start < statement.end_byte:
            raise EditRefused(f"{source.where(each.start)}: it is used before it is set")
        if (runs or looks or made) and (later or not _is_next(statement, each.node)):
            raise EditRefused(f"{source.where(first.start)}: its value may be another by then", hint="use edit")
    for each in names.all:
        if not value.start_byte <= each.start < value.end_byte or each.role != "use":
            continue
        if each.binding is not None and any(
            is_written(place) and place.start > statement.start_byte for place in each.binding.places
        ):
            raise EditRefused(f"{source.where(statement.start_byte)}: `{each.text}` is set again after it")
        for use in uses:
            if looked_up(use.scope, each.text, past_classes=source.language.name == "python") is not each.binding:
                raise EditRefused(f"{source.where(use.start)}: `{each.text}` means something else there")


def _between(node: Node, statement: Node) -> bool:
    """Return whether a use is run later than the statements around it, or again."""
    above = node.parent
    while above is not None and above != statement.parent:
        if above.type in _LATER:
            return True
        above = above.parent
    return above is None


def _is_next(statement: Node, node: Node) -> bool:
    follower = statement.next_named_sibling
    while follower is not None and follower.type == "comment":
        follower = follower.next_named_sibling
    return (
        follower is not None
        and follower.start_byte <= node.start_byte < follower.end_byte
        and not any(each.type in _RUNS and each.end_byte <= node.start_byte for each in walk(follower))
    )


def _in_string(node: Node) -> bool:
    above = node.parent
    while above is not None and above.type not in BLOCKS:
        if above.type in {"interpolation", "template_substitution"}:
            return True
        above = above.parent
    return False


def _needs_brackets(value: Node, use: Node) -> bool:
    loose = any(value.type.startswith(each) for each in _BINDS) or value.type in {"tuple", "lambda"}
    above = use.parent
    if not loose or above is None:
        return False
    alone = {"argument_list", "arguments", "parenthesized_expression", "return_statement", "expression_statement"}
    if above.type in alone:
        return value.type == "expression_list"
    right = field(above, "right") or field(above, "value")
    return not (above.type in {"assignment", "variable_declarator"} and right == use)


def _removed(source: Source, statement: Node) -> TextEdit:
    """Return the edit that takes a statement's lines away."""
    first, last = source.line(statement.start_byte), source.line(statement.end_byte - 1)
    start, end = source.start_of_line(first), source.start_of_line(last + 1)
    around = source.between(start, statement.start_byte) + source.between(statement.end_byte, end)
    if around.strip(" \t\r\n;"):
        raise EditRefused(f"{source.path}:{first}: something else stands on the same line", hint="take it apart first")
    return TextEdit(start=source.offset(start), end=source.offset(end), text="")
