"""Rename in languages whose scopes are not written down here: only where the name by itself tells what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from attache.index.languages import languages
from attache.index.parse import outline
from attache.schema.code import Symbol
from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused, InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.refactor.programs import Reading, changes, edited, landed, reading
from attache.tools.refactor.rename_servers import rename_by_server
from attache.tools.refactor.renaming import SHOWN, Asked
from attache.tools.refactor.semantics.source import Source, walk
from attache.tools.tool import Context
from attache.tools.wording import counted

if TYPE_CHECKING:
    from tree_sitter import Node

READABLE = frozenset({"go", "rust", "java", "c_sharp", "c", "cpp", "php", "ruby", "bash"})
_FUNCTION = re.compile(r"function|method|constructor|closure|lambda|func_literal")
_MEMBER = re.compile(r"selector|field_expression|field_access|member|attribute|scoped|qualified|method_invocation")
_DECLARES = re.compile(
    r"declar|definition|parameter|_item|_spec|let_|short_var|range_clause|for_expression|catch|enhanced_for|pattern"
)
_KEYED = re.compile(r"keyed_element|field_initializer|shorthand|named_argument|attribute_item|initializer_pair")
_PROSE = re.compile(r"comment|string|text|content|fragment")


class Spot(NamedTuple):
    """A place of the name."""

    source: Source
    node: Node

    @property
    def where(self) -> str:
        """Return `path:line`."""
        return self.source.where(self.node.start_byte)

    @property
    def above(self) -> str:
        """Return the type of what it stands in."""
        return self.node.parent.type if self.node.parent else ""

    @property
    def is_member(self) -> bool:
        """Whether it stands behind a dot or two colons, or in front of what is called on an object."""
        parent = self.node.parent
        if parent is None or not _MEMBER.search(parent.type):
            return False
        holder = parent.child_by_field_name("object") or parent.named_children[0]
        return holder.start_byte != self.node.start_byte

    @property
    def declares(self) -> bool:
        """Whether a declaration names it here."""
        node, parent = self.node, self.node.parent
        while parent is not None and parent.type in {"expression_list", "pointer_declarator", "array_declarator"}:
            node, parent = parent, parent.parent
        if parent is None or not _DECLARES.search(parent.type) or self.is_member:
            return False
        fields = ("name", "left", "pattern", "declarator")
        named = [child for each in fields for child in parent.children_by_field_name(each)]
        return any(child.start_byte == node.start_byte for child in named) or parent.type.endswith("_pattern")


async def rename_by_name(ctx: Context, asked: Asked) -> ToolOutput:
    """Rename by a language server; without one, a local name inside its function, or one that is defined once."""
    path, line, new, _, unsure = asked
    language = languages().of(path)
    if language is None or language.name not in READABLE:
        raise EditRefused(f"{path}: names are not renamed in such files", hint="use grep, then edit")
    if not re.fullmatch(r"[^\W\d]\w*", new):
        raise InvalidArguments(f"rename.new_name: `{new}` is no name", hint="letters, digits and _")
    read = await reading(ctx)
    await read.load([path])
    source = Source(path, read.texts[path])
    word = asked.name.rpartition(".")[2] or _defined_on(source, line)
    here = [spot for spot in _spots(source, word) if source.line(spot.node.start_byte) == line]
    if not here:
        lines = list(dict.fromkeys(source.line(spot.node.start_byte) for spot in _spots(source, word)))
        near = ", ".join(f"{path}:{each}" for each in sorted(lines, key=lambda each: abs(each - line))[:SHOWN])
        raise EditRefused(f"{path}:{line} has no name `{word}`", hint=f"it stands at {near}" if near else "see symbols")
    _refuse_case(language.name, word, new)
    if (done := await rename_by_server(ctx, asked, word)) is not None:
        return done
    glob = "**/*{" + ",".join(language.suffixes) + "}"
    paths = tuple(dict.fromkeys((path, *await read.saying((word, new), glob))))
    sources = {at: Source(at, read.texts[at]) for at in paths if read.texts[at]}
    function = _local_home(source, here[0].node, word)
    spots = _local(source, function, word, new) if function is not None else _global(sources.values(), word, new)
    doubtful = [spot for spot in spots if function is None and spot.is_member]
    if doubtful and unsure == "refuse":
        where = ", ".join(spot.where for spot in doubtful[:SHOWN])
        raise EditRefused(
            f"whose `{word}` stands behind a dot cannot be told at {where}; nothing was changed",
            hint='look at them, then say unsure="rename" (one definition has this name) or unsure="leave"',
        )
    if unsure == "leave":
        spots = [spot for spot in spots if spot not in doubtful]
    edits = _edits(spots, new)
    _check(read, sources, edits)
    head = f"renamed `{word}` to `{new}`: {counted(len(spots), 'place')} in {counted(len(edits), 'file')}"
    notes = [f"{unsure}: {', '.join(spot.where for spot in doubtful[:SHOWN])}" if doubtful else ""]
    return await landed(ctx, f"rename {word} to {new}", head, changes(read, edits), notes)


def _refuse_case(language: str, word: str, new: str) -> None:
    if language == "go" and word[:1].isupper() != new[:1].isupper():
        raise EditRefused(f"`{new}` would be visible elsewhere than `{word}`: Go goes by the first letter's case")


def _symbols(source: Source) -> tuple[Symbol, ...]:
    return outline(source.language.name, source.text, source.path)


def _defined_on(source: Source, line: int) -> str:
    found = [each.name for each in _symbols(source) if each.line == line]
    if len(found) != 1:
        raise EditRefused(f"{source.path}:{line} defines no name, or several", hint="say which by `name`")
    return found[0]


def _spots(source: Source, word: str) -> Iterator[Spot]:
    """Yield the places of a name that are code."""
    for match in re.finditer(rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)", source.data):
        node = source.root.descendant_for_byte_range(match.start(), match.end())
        if node and (node.start_byte, node.end_byte) == match.span() and not _PROSE.search(node.type):
            yield Spot(source, node)


def _local_home(source: Source, node: Node, word: str) -> Node | None:
    """Return the outermost function around a place that declares the name inside; None where none does."""
    home: Node | None = None
    above = node.parent
    while above is not None:
        if _FUNCTION.search(above.type) and above.child_by_field_name("body") is not None:
            own = above.child_by_field_name("name")
            inside = [spot for spot in _inside(source, above, word) if own is None or spot.node != own]
            if any(spot.declares for spot in inside):
                home = above
        above = above.parent
    named = home.child_by_field_name("name") if home is not None else None
    return None if named is not None and named == node else home


def _inside(source: Source, function: Node, word: str) -> Iterator[Spot]:
    for spot in _spots(source, word):
        if function.start_byte <= spot.node.start_byte < function.end_byte:
            yield spot


def _local(source: Source, function: Node, word: str, new: str) -> list[Spot]:
    spots = [spot for spot in _inside(source, function, word) if not spot.is_member]
    declared = [spot for spot in spots if spot.declares]
    keyed = [spot for spot in spots if _KEYED.search(spot.above) or _KEYED.search(_second(spot.node))]
    if len(declared) != 1 or keyed:
        where = ", ".join(spot.where for spot in (keyed or declared)[:SHOWN])
        why = "may be a field's name" if keyed else f"is declared {len(declared)} times in this function"
        raise EditRefused(f"`{word}` {why}: {where}; nothing was changed", hint="rename it by edit")
    if taken := next(_inside(source, function, new), None):
        raise EditRefused(f"{taken.where}: `{new}` is a name in this function already", hint="choose another")
    for node in walk(function):
        if "string" in node.type and re.search(rf"[{{$]{re.escape(word)}\b", source.say(node)):
            where = source.where(node.start_byte)
            raise EditRefused(f"{where}: a string may name `{word}`; nothing was changed", hint="rename it by edit")
    return spots


def _second(node: Node) -> str:
    above = node.parent.parent if node.parent else None
    return above.type if above else ""


def _global(sources: Iterable[Source], word: str, new: str) -> list[Spot]:
    sources = tuple(sources)
    defined = [each for source in sources for each in _symbols(source) if each.name == word]
    if len(defined) != 1:
        where = ", ".join(f"{each.path}:{each.line}" for each in defined[:SHOWN])
        raise EditRefused(
            f"`{word}` is defined {len(defined)} times ({where or 'nowhere'}): who is meant cannot be told by its name",
            hint="rename it by edit, checking each place",
        )
    only = defined[0]
    spots = [spot for source in sources for spot in _spots(source, word)]
    others = [
        spot
        for spot in spots
        if (spot.declares and (spot.source.path, spot.source.line(spot.node.start_byte)) != (only.path, only.line))
        or _KEYED.search(spot.above)
    ]
    taken = [spot for source in sources for spot in _spots(source, new)]
    if others or taken:
        what = f"`{word}` is declared at {others[0].where} too" if others else f"`{new}` stands at {taken[0].where}"
        raise EditRefused(f"{what}; nothing was changed", hint="choose another name, or rename it by edit")
    return spots


def _edits(spots: Iterable[Spot], new: str) -> dict[str, list[TextEdit]]:
    edits: dict[str, list[TextEdit]] = {}
    for source, node in spots:
        start, end = source.offset(node.start_byte), source.offset(node.end_byte)
        edits.setdefault(source.path, []).append(TextEdit(start=start, end=end, text=new))
    return edits


def _check(read: Reading, sources: dict[str, Source], edits: dict[str, list[TextEdit]]) -> None:
    for path, each in edits.items():
        if Source(path, edited(read, path, each)).faults > sources[path].faults:
            raise EditRefused(f"{path} would not parse any more; nothing was changed", hint="choose another name")
