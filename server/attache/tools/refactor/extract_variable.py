"""Give an expression a name: a variable set right before the statement that uses it."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused, InvalidArguments
from attache.tools.refactor.extracting import Made, indent_of, newline_of, refuse_taken
from attache.tools.refactor.semantics.flow import BLOCKS
from attache.tools.refactor.semantics.names import Names
from attache.tools.refactor.semantics.python import names_of as python_names
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.refactor.semantics.script import names_of as script_names
from attache.tools.refactor.semantics.source import Source, field, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_RUNS = frozenset({"call", "call_expression", "await", "await_expression", "new_expression", "yield"})
_LATER = frozenset(
    {
        "lambda", "arrow_function", "function_expression", "list_comprehension", "set_comprehension",
        "dictionary_comprehension", "generator_expression",
    }
)  # fmt: skip
_MAYBE = frozenset({"boolean_operator", "conditional_expression", "ternary_expression", "assert_statement"})
_AGAIN = frozenset({"while_statement", "do_statement", "for_statement", "elif_clause", "else_clause", "case_clause"})
_SHOWN = 8


def variable(names: Names, start_line: int, end_line: int, name: str, expression: str) -> Made:
    """Return the edits that give an expression a name. Raises EditRefused where it would run otherwise than now."""
    source = names.source
    script = source.language.name in LANGUAGES
    if not re.fullmatch(r"[^\W\d][\w$]*" if script else r"[^\W\d]\w*", name) or (
        not script and keyword.iskeyword(name)
    ):
        raise InvalidArguments(f"extract.name: `{name}` is no name there", hint="letters, digits and _")
    wanted = expression.strip().rstrip(";")
    if not wanted:
        raise InvalidArguments("extract.expression: say which expression, as it stands", hint='such as "a + b"')
    found = _found(source, start_line, end_line, wanted)
    first = found[0]
    statement = _statement(first)
    if statement is None:
        raise EditRefused(f"{source.where(first.start_byte)}: no statement can stand before it", hint="use edit")
    found = [each for each in found if _statement(each) == statement]
    _refuse_order(names, statement, found)
    refuse_taken(names, name)
    newline = newline_of(source)
    at = source.start_of_line(source.line(statement.start_byte))
    if source.between(at, statement.start_byte).strip():
        raise EditRefused(f"{source.where(at)}: another statement stands on the same line", hint="use edit")
    ending = ";" if script and ";" in source.text else ""
    lead = "const " if script else ""
    line = f"{indent_of(source, statement.start_byte)}{lead}{name} = {source.say(first)}{ending}{newline}"
    start = source.offset(at)
    edits = [TextEdit(start=start, end=start, text=line)]
    for each in found:
        begin, end = source.offset(each.start_byte), source.offset(each.end_byte)
        edits.append(TextEdit(start=begin, end=end, text=name))

    def check(after: str) -> None:
        new = (script_names if script else python_names)(Source(source.path, after))
        if new.source.faults:
            raise EditRefused(f"{source.path} would not parse any more; nothing was changed")

    head = f"made `{name}` of `{source.say(first)[:60]}` before {source.where(statement.start_byte)}"
    return Made(head, tuple(edits), check)


def _found(source: Source, start_line: int, end_line: int, wanted: str) -> list[Node]:
    """Return the expressions on the lines that say what is wanted, the outermost where several begin there."""
    found: dict[int, Node] = {}
    for node in walk(source.root):
        if not start_line <= source.line(node.start_byte) <= end_line or source.say(node) != wanted:
            continue
        if node.type.endswith(("statement", "declaration", "block", "clause")) or node.type in BLOCKS:
            continue
        if _is_expression(node):
            found.setdefault(node.start_byte, node)
    if not found:
        near = [
            str(source.line(match.start()))
            for match in re.finditer(re.escape(wanted.encode()), source.data)
        ]  # fmt: skip
        hint = f"it stands on line {', '.join(near[:_SHOWN])}" if near else "give it as it stands in the file"
        raise EditRefused(f"{source.path}:{start_line}-{end_line} has no expression `{wanted[:60]}`", hint=hint)
    return list(found.values())


def _is_expression(node: Node) -> bool:
    above = node.parent
    if above is None or node.type in {"property_identifier", "type_identifier", "keyword_argument", "argument_list"}:
        return False
    if node.type in {"type", "arguments", "formal_parameters", "parameters", "dotted_name", "pair"}:
        return False
    stored = field(above, "left") or (field(above, "name") if above.type == "variable_declarator" else None)
    is_target = stored is not None and stored == node and "operator" not in above.type and "binary" not in above.type
    return not is_target and above.type not in {"type", "type_annotation", "parameters", "formal_parameters"}


def _statement(node: Node) -> Node | None:
    above = node
    while above.parent is not None and above.parent.type not in BLOCKS:
        above = above.parent
    return above if above.parent is not None else None


def _refuse_order(names: Names, statement: Node, found: list[Node]) -> None:
    """Raise EditRefused where the expression would run at another time, more or less often, or not see its names."""
    source, first = names.source, found[0]
    where = source.where(first.start_byte)
    runs = any(each.type in _RUNS for each in walk(first))
    if runs and len(found) > 1:
        places = ", ".join(source.where(each.start_byte) for each in found[:_SHOWN])
        raise EditRefused(f"it is run {len(found)} times here ({places}), and may do something each time")
    node, above = first, first.parent
    while above is not None and node != statement:
        if above.type in _LATER:
            raise EditRefused(f"{where}: it is run later or again, inside a {above.type.replace('_', ' ')}")
        if above.type in _AGAIN and node != field(above, "body") and node != field(above, "right"):
            raise EditRefused(f"{where}: it is run again each time, or only on one way")
        if above.type in _MAYBE and above.named_children[0] != node and _can_fail(first):
            raise EditRefused(f"{where}: it is run on one way only")
        logical = above.type == "binary_expression" and field(above, "right") == node
        if logical and any(child.type in {"&&", "||", "??"} for child in above.children) and _can_fail(first):
            raise EditRefused(f"{where}: it is run on one way only")
        node, above = above, above.parent
    if runs:
        earlier = [
            each
            for each in walk(statement)
            if each.type in _RUNS and each.end_byte <= first.start_byte
        ]  # fmt: skip
        if earlier:
            raise EditRefused(f"{where}: `{source.say(earlier[0])[:40]}` runs before it now, and would run after it")
    for each in names.all:
        scope = each.binding.scope if each.binding else None
        if first.start_byte <= each.start < first.end_byte and scope is not None:
            inner = statement.start_byte < scope.node.start_byte and scope.node.end_byte <= statement.end_byte
            own = scope.node.start_byte >= first.start_byte
            if inner and not own:
                raise EditRefused(f"{where}: `{each.text}` is not there yet before the statement")


def _can_fail(node: Node) -> bool:
    return any(
        each.type in {*_RUNS, "subscript", "attribute", "member_expression", "subscript_expression"}
        for each in walk(node)
    )
