"""What classes are derived from, and what is derived from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from attache.foundation.registry import near
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.refactor.semantics.source import Source, field
from attache.tools.survey import apart, survey
from attache.tools.tool import Context, tool
from attache.tools.wording import cited

if TYPE_CHECKING:
    from tree_sitter import Language as GrammarLanguage
    from tree_sitter import Node, Query

_CLASSES = re.compile(
    r"^(?:abstract_)?(?:class|interface|enum|struct|record|trait|object|impl|annotation_type)"
    r"(?:_declaration|_definition|_specifier|_item)?$"
)
_HERITAGE = re.compile(
    r"superclass|class_heritage|extends|implements|super_interfaces|base_list|base_class_clause|base_clause|trait_bounds"
    r"|class_interface_clause|extends_type_clause|extends_interfaces"
)
_NAMES = frozenset({"identifier", "type_identifier", "constant", "name", "namespace_identifier", "property_identifier"})
_DOTTED = frozenset({
    "attribute", "member_expression", "scoped_type_identifier", "nested_type_identifier", "qualified_name",
    "scope_resolution", "qualified_identifier", "scoped_identifier",
})  # fmt: skip
DEPTH = 12


class Kind(NamedTuple):
    """A class or interface as it is written."""

    name: str
    path: str
    line: int
    end_line: int
    bases: tuple[str, ...]


@tool(category="analysis", aliases=("class_hierarchy", "type_hierarchy"), pure=True)
async def hierarchy(
    ctx: Context,
    name: Annotated[str, Field(min_length=1, description="A class, interface, struct or trait.")],
    path: Annotated[str, Field(description="File that defines it, where several do.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """Show what a class is derived from, up to what the workspace does not define, and all that derives from it."""
    surveyed = await survey(ctx)

    def work() -> list[Kind]:
        return [each for at, text in surveyed.texts.items() for each in kinds_in(at, text)]

    kinds = await apart(work)
    by_name: dict[str, list[Kind]] = {}
    for each in kinds:
        by_name.setdefault(each.name, []).append(each)
    wanted = name.rpartition(".")[2]
    shown = ctx.workspace.shown(ctx.workspace.uri(path)) if path else ""
    found = [each for each in by_name.get(wanted, []) if not path or each.path == shown]
    outside = Kind(wanted, "", 0, 0, ())
    heirs = [] if found or path else list(_down(outside, kinds, 1, (wanted,)))
    if not found and not heirs:
        where = f" in {path}" if path else ""
        hint = f"near: {', '.join(near(wanted, by_name))}" if near(wanted, by_name) else "see symbols"
        raise ToolError(f"no class is called `{wanted}`{where}", hint=hint)
    rows = [f"{wanted} (not defined here)", *heirs] if heirs else []
    for each in found:
        rows += [_said(each), *_up(each, by_name, 1, (each.name,)), *_down(each, kinds, 1, (each.name,))]
    many = [other for other, all_ in by_name.items() if len(all_) > 1 and any(other in row for row in rows)]
    notes = [surveyed.note, f"[by name: {', '.join(many[:5])} is defined more than once]" if many else ""]
    below = sum(row.lstrip().startswith("▾") for row in rows)
    return ToolOutput(
        text="\n".join(part for part in (paged(rows, offset), *notes) if part),
        title=f"`{wanted}` · {below} subclass{'es' * (below != 1)}",
        places=tuple(cited(each.path, each.line, each.end_line) for each in found),
        data={"found": [each._asdict() for each in found], "subclasses": below, "rows": rows},
    )


def _said(kind: Kind) -> str:
    return f"{kind.path}:{kind.line} {kind.name}" + (f"({', '.join(kind.bases)})" if kind.bases else "")


def _up(kind: Kind, by_name: Mapping[str, Sequence[Kind]], depth: int, seen: tuple[str, ...]) -> Iterator[str]:
    for base in kind.bases:
        known = by_name.get(base, ())
        if not known:
            yield f"{'  ' * depth}▴ {base} (not defined here)"
        for each in known:
            yield f"{'  ' * depth}▴ {_said(each)}"
            if base not in seen and depth < DEPTH:
                yield from _up(each, by_name, depth + 1, (*seen, base))


def _down(kind: Kind, kinds: Sequence[Kind], depth: int, seen: tuple[str, ...]) -> Iterator[str]:
    for each in kinds:
        if kind.name in each.bases:
            yield f"{'  ' * depth}▾ {_said(each)}"
            if each.name not in seen and depth < DEPTH:
                yield from _down(each, kinds, depth + 1, (*seen, each.name))


def kinds_in(path: str, text: str) -> Iterator[Kind]:
    """Yield the classes of one text with the names they are derived from; Rust's `impl T for X` counts for X."""
    if not re.search(r"\b(?:class|interface|struct|trait|record|impl|enum|object)\b", text):
        return
    try:
        source = Source(path, text)
    except ToolError:
        return
    for node in _classes(source):
        named = field(node, "name") or field(node, "type")
        if named is None:
            continue
        bases = list(dict.fromkeys(_bases(source, node)))
        if node.type == "impl_item":
            trait = field(node, "trait")
            bases = [source.say(trait).partition("<")[0].rpartition("::")[2]] if trait is not None else []
            if not bases:
                continue
        name = source.say(named).partition("<")[0].rpartition("::")[2]
        first, last = source.line(node.start_byte), source.line(max(node.end_byte - 1, node.start_byte))
        yield Kind(name, path, first, last, tuple(base for base in bases if base != name))


def _classes(source: Source) -> list[Node]:
    """Return the nodes that are classes, in the order of the text."""
    from tree_sitter import QueryCursor

    found = QueryCursor(_query(source.language.grammar.language)).captures(source.root).get("class", [])
    return sorted(found, key=lambda node: node.start_byte)


@cache
def _query(language: GrammarLanguage) -> Query:
    """Return what finds the classes of a grammar, whatever it calls them."""
    from tree_sitter import Query

    kinds = {language.node_kind_for_id(number) for number in range(language.node_kind_count)}
    wanted = sorted(kind for kind in kinds if kind and _CLASSES.match(kind))
    named = [kind for kind in wanted if language.id_for_node_kind(kind, True)]
    return Query(language, f"[{' '.join(f'({kind})' for kind in named) or '(ERROR)'}] @class")


def _bases(source: Source, node: Node) -> Iterator[str]:
    fields = [field(node, each) for each in ("superclasses", "superclass", "interfaces", "bounds")]
    listed = [each for each in fields if each is not None]
    listed += [each for each in node.named_children if _HERITAGE.search(each.type) and each not in listed]
    for each in listed:
        for part in _heads(each):
            yield source.say(part).partition("<")[0].partition("[")[0].replace("::", ".").rpartition(".")[2]


def _heads(node: Node) -> Iterator[Node]:
    """Yield what each base is called, without its type arguments and keyword arguments."""
    if node.type in _NAMES:
        yield node
        return
    for child in node.named_children:
        if child.type in {"keyword_argument", "type_arguments", "type_argument_list", "argument_list"}:
            if child.type == "argument_list" and node.type == "class_definition":
                yield from _heads(child)
            continue
        if child.type in _DOTTED:
            yield child
        elif child.type in {"subscript", "generic_type", "template_type", "generic_name", "call"}:
            yield from _heads_first(child)
        else:
            yield from _heads(child)


def _heads_first(node: Node) -> Iterator[Node]:
    first = node.named_children[0] if node.named_children else None
    if first is not None:
        yield first
