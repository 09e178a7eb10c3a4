"""Go through the tree of one file: its definitions, the names it uses, its imports, and the spans it falls into."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, cast

from attache.index.comments import comment_above, flush
from attache.index.languages import Condition, Language, Pattern, Query
from attache.index.parsed import ROLES, Definition, Found, Import, Parsed, Uses
from attache.index.pieces import Span, cut
from attache.schema.code import SymbolKind

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

NAME_LIMIT = 200
SIGNATURE_LIMIT = 300

_CLASSES = frozenset({"class", "interface", "enum", "struct", "trait", "scope"})
_CALLABLES = frozenset({"function", "method"})
_HOLDERS = _CLASSES | _CALLABLES | {"module", "section", "key"}
_BODIED = _CLASSES | _CALLABLES | {"module"}
_ARGUMENTS = re.compile(r"<.*>(?=::|$)", re.DOTALL)

_PROSE = re.compile(r"comment|string|text|content|fragment")
"""Types of nodes that hold words, not names."""
_WORDS = re.compile(rb"[\w\s]+")
_PLACE = itemgetter(0, 1, 2)

Captured = dict[str, list["Node"]]


class _Open(NamedTuple):
    """A definition, or a scope, inside which the next one stands."""

    end: int
    qualified: str
    kind: str
    ordinal: int


class Reading:
    """One pass over one file: the patterns claim names, imports before definitions before uses."""

    def __init__(self, language: Language, lines: Sequence[bytes], tree: Tree, query: Query) -> None:
        self.language = language
        self.lines = lines
        self.tree = tree
        self.query = query
        self.data = b"\n".join(lines)
        self.text = self.data.decode() if self.data.isascii() else None
        """The text where a byte is a character, so that places need no counting."""
        self.imports: dict[int, Import] = {}
        self.imported: dict[int, Node] = {}
        self.defined: dict[int, tuple[int, Captured]] = {}
        self.used: dict[int, tuple[int, Node]] = {}
        self.docs: list[Node] = []
        self.spans: list[Span] = []
        self.definitions: list[Definition] = []
        self.turns: list[tuple[int, int]] = [(0, -1)]
        """From which byte on the text stands in which definition."""
        self._match()
        self._define()
        self._document()

    def parsed(self) -> Parsed:
        """Return what was read."""
        definitions, imports = tuple(self.definitions), tuple(self.imports.values())
        return Parsed(self.language.name, definitions, self._uses(), imports, cut(self.lines, self.spans))

    def found(self, name: str) -> Iterator[Found]:
        """Yield the places of a name: those that the queries know, and all others that are no words."""
        known: set[tuple[int, int]] = set()
        for found in self.parsed().places(name):
            known.add((found.line, found.column))
            yield found
        for match in re.finditer(rb"(?<!\w)%b(?!\w)" % re.escape(name.encode()), self.data):
            node = self.tree.root_node.descendant_for_byte_range(match.start(), match.end())
            if node and node.byte_range == match.span() and not _PROSE.search(node.type):
                place = self._place(node)
                if place not in known:
                    ordinal = self._standing_in(match.start())
                    yield Found("use", *place, self.definitions[ordinal].qualified if ordinal >= 0 else "")

    def _standing_in(self, at: int) -> int:
        return self.turns[bisect_right(self.turns, (at, math.inf)) - 1][1]

    def _match(self) -> None:
        """Give each name to the first pattern that captures it, and put aside what has no name.

        A query runs without a time limit: tree-sitter 0.26.1 crashes where a callback is given to it.
        """
        from tree_sitter import QueryCursor

        (query, patterns), defined, used = self.query, self.defined, self.used
        for number, captured in QueryCursor(query).matches(self.tree.root_node):
            pattern = patterns[number]
            if pattern.conditions and not all(self._holds(one, captured) for one in pattern.conditions):
                continue
            if pattern.sort == "reference":
                for name in captured[pattern.whole]:
                    start = name.start_byte
                    if start not in used or number < used[start][0]:
                        used[start] = number, name
            elif pattern.sort in {"definition", "scope"}:
                start = captured["name"][0].start_byte
                if start not in defined or number < defined[start][0]:
                    defined[start] = number, captured
            elif pattern.sort == "import":
                self._import(captured)
            elif pattern.sort == "doc":
                self.docs += captured["doc"]
            else:
                self.spans += [span for node in captured["chunk"] if (span := Span(*_rows(node), -1)).end > span.top]

    def _holds(self, condition: Condition, captured: Captured) -> bool:
        """Return whether what was captured says what it must."""
        said = [self._read(node) for node in captured[condition.capture]]
        if condition.fits:
            return all(condition.fits.search(text) for text in said)
        return all(text in condition.says for text in said)

    def _import(self, captured: Captured) -> None:
        modules, names = captured.get("module", []), captured.get("name", [])
        brought = tuple(map(self._read, names))
        for module in modules or names[:1]:
            known = self.imports.get(module.start_byte)
            self.imports[module.start_byte] = Import(
                self._read(module) if modules else "",
                known.names + brought if known else brought,
                captured["import"][0].start_point.row + 1,
            )
        self.imported.update((name.start_byte, name) for name in (*modules, *names))

    def _define(self) -> None:
        """Go through the definitions in the order of the text, knowing at each what it stands in."""
        patterns = self.query.patterns
        found: list[tuple[int, int, int, Pattern, Captured, Node]] = []
        for name_start, (number, captured) in self.defined.items():
            if name_start not in self.imported:
                pattern = patterns[number]
                whole = self._wrapped(captured[pattern.whole][0])
                found.append((whole.start_byte, -whole.end_byte, name_start, pattern, captured, whole))
        found.sort(key=_PLACE)
        stack: list[_Open] = []
        for start, end, _, pattern, captured, whole in found:
            while stack and stack[-1].end <= start:
                self._leave(stack)
            around = stack[-1] if stack else _Open(0, "", "", -1)
            names = [*captured.get("container", ()), captured["name"][0]]
            written = [part for node in names for part in _parts(self._read(node), pattern.detail)]
            qualified = ".".join([around.qualified, *written] if around.qualified else written)
            if pattern.sort == "scope":
                stack.append(_Open(-end, qualified, "scope", around.ordinal))
                continue
            kind = _kind(pattern.detail, written[-1], around.kind, contained=len(written) > 1)
            if kind in _HOLDERS:
                stack.append(_Open(-end, qualified, kind, len(self.definitions)))
                self.turns.append((start, len(self.definitions)))
            self._add(written[-1], kind, qualified, captured["name"][0], captured[pattern.whole][0], whole)
        while stack:
            self._leave(stack)

    def _leave(self, stack: list[_Open]) -> None:
        self.turns.append((stack.pop().end, stack[-1].ordinal if stack else -1))

    def _add(self, name: str, kind: SymbolKind, qualified: str, named: Node, node: Node, whole: Node) -> None:
        first, last = _rows(whole)
        while last > first and not self.lines[last].strip():
            last -= 1
        top, doc = comment_above(self.lines, first, self.language)
        line, column = self._place(named)
        container = qualified[: -len(name) - 1]
        if last - top + 1 >= _rows_of_a_piece(kind, at_top=not container):
            self.spans.append(Span(top, last, len(self.definitions), kind in _CALLABLES))
        signature = self._signature(node, kind)
        self.definitions.append(Definition(name, kind, line, column, first + 1, last + 1, container, signature, doc))

    def _document(self) -> None:
        """Give each text inside a definition to it, where no comment stands above it."""
        for doc in self.docs:
            ordinal = self._standing_in(doc.start_byte)
            if ordinal >= 0 and not self.definitions[ordinal].doc:
                self.definitions[ordinal] = self.definitions[ordinal]._replace(doc=flush(self._read(doc)))

    def _uses(self) -> Uses:
        """Return the names used, each with its places; those that are imported or defined there are no uses."""
        uses: Uses = {}
        for start, node in self.imported.items():
            place = (ROLES["import"], *self._place(node), self._standing_in(start))
            uses.setdefault(self._read(node), []).extend(place)
        roles = [ROLES.get(pattern.detail, -1) for pattern in self.query.patterns]
        text, turns, turn = self.text, self.turns, 0
        for start in sorted(self.used.keys() - self.imported.keys() - self.defined.keys()):
            while turn + 1 < len(turns) and turns[turn + 1][0] <= start:
                turn += 1
            number, node = self.used[start]
            if text is None:
                name, (line, column) = self._read(node), self._place(node)
            else:  # the same, without two calls: there are hundreds of thousands of them
                name, (row, byte) = text[start : node.end_byte], node.start_point
                line, column = row + 1, byte + 1
            places = uses.get(name)
            if places is None:
                places = uses[name] = []
            places += (roles[number], line, column, turns[turn][1])
        return uses

    def _wrapped(self, node: Node) -> Node:
        """Return the definition with what wraps it."""
        wrappers = self.language.wrappers
        while wrappers and (parent := node.parent) and parent.type in wrappers:
            node = parent
        return node

    def _signature(self, node: Node, kind: SymbolKind) -> str:
        """Return the definition up to its body, on one line; its first line where it has none."""
        field = self.language.grammar.body_field
        body = node.child_by_field_id(field) if field and kind in _BODIED else None
        start, end = node.start_byte, body.start_byte if body else node.end_byte
        row, column = node.start_point
        if _WORDS.fullmatch(before := self.lines[row][:column]):
            start -= len(before)  # `type`, `const`, `export default`: said once for several, or around it
        text = self.data[start : min(end, start + 2 * SIGNATURE_LIMIT)].decode("utf-8", "replace")
        head, *rest = text.strip().split("\n")
        if body:
            marks = self.language.comments
            head = " ".join([head, *takewhile(lambda line: not line.lstrip().startswith(marks), rest)])
        return " ".join(head.split()).rstrip(" {:=").strip()[:SIGNATURE_LIMIT]

    def _read(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _place(self, node: Node) -> tuple[int, int]:
        """Return line and column from 1; tree-sitter counts bytes, we count code points."""
        row, column = node.start_point
        if self.text is None:
            column = len(self.lines[row][:column].decode("utf-8", "replace"))
        return row + 1, column + 1


def _parts(name: str, kind: str) -> list[str]:
    """Return a name with its containers: `net::Client<int>::send` is three."""
    if name.isidentifier():
        return [name[:NAME_LIMIT]]
    if kind in _BODIED and "::" in name:
        return _ARGUMENTS.sub("", name).split("::")
    marks = "\"'`:" if kind == "property" else "\"'`"  # Ruby declares `attr_reader :name`
    return [" ".join(name.split()).strip(marks)[:NAME_LIMIT]]


def _rows(node: Node) -> tuple[int, int]:
    """Return the first and last row of a node; the line end that it may own adds none."""
    first, (last, column) = node.start_point.row, node.end_point
    return first, last if column or last == first else last - 1


def _rows_of_a_piece(kind: SymbolKind, *, at_top: bool) -> float:
    """Return from how many rows on, the comment above it counted, a definition is found by itself."""
    if kind in {"variable", "constant"}:
        return 3 if at_top else math.inf
    if kind in _CALLABLES:
        return 1 if at_top else 2
    return math.inf if kind == "field" else 2


def _kind(kind: str, name: str, around: str, *, contained: bool) -> SymbolKind:
    """Return the kind that a name has where it stands."""
    if kind == "function" and (contained or around in _CLASSES):
        return "method"
    if kind in {"variable", "field"} and len(name) > 1 and name.isupper():
        return "constant"
    return "field" if kind == "variable" and around in _CLASSES else cast("SymbolKind", kind)
