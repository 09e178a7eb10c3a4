"""YAML with the line of everything in it, so that what is wrong can be pointed at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from attache.schema.documents import Diagnostic, Place, Severity
from attache.schema.errors import MissingExtra

DEPTH_MOST = 100
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
NODES_MOST = 200_000
"""Aliases can make a small text hold billions of nodes; a document that comes to more is not looked at."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the line it begins on. A scalar is kept as it is written, whatever YAML would make of it."""

    line: int
    value: Mapping[str, Node] | Sequence[Node] | str | None

    @property
    def mapping(self) -> Mapping[str, Node]:
        """Return the keys and values; none where it is no mapping."""
        return cast("Mapping[str, Node]", self.value) if isinstance(self.value, dict) else {}

    @property
    def items(self) -> Sequence[Node]:
        """Return the elements; none where it is no sequence."""
        return cast("Sequence[Node]", self.value) if isinstance(self.value, list) else ()

    @property
    def text(self) -> str:
        """Return the scalar; "" where it is none."""
        return self.value if isinstance(self.value, str) else ""

    def get(self, *path: str) -> Node:
        """Return what stands under keys one inside the other; an empty node on this line where there is nothing."""
        node = self
        for key in path:
            node = node.mapping.get(key, Node(node.line, None))
        return node

    @property
    def there(self) -> bool:
        """Return whether anything stands here, an empty value excepted."""
        return self.value is not None

    def texts(self) -> list[Node]:
        """Return the scalars: of a sequence each, of a scalar itself."""
        return [each for each in (self.items or (self,)) if isinstance(each.value, str)]


class Broken(Exception):
    """The text is no YAML."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def documents(text: str) -> tuple[list[Node], list[tuple[int, str]]]:
    """Return the documents of a text, and (line, message) of keys that stand twice. Raises Broken, MissingExtra."""
    try:
        import yaml
    except ImportError as error:
        raise MissingExtra("reading YAML needs PyYAML", hint="pip install pyyaml") from error
    library: Any = yaml
    loader = getattr(library, "CSafeLoader", library.SafeLoader)
    builder = _Builder()
    try:
        for event in cast("Iterator[Any]", library.parse(text, Loader=loader)):
            builder.take(event)
    except library.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        said = str(getattr(error, "problem", "") or error).partition("\n")[0]
        raise Broken(mark.line + 1 if mark else 1, said) from error
    except RecursionError as error:  # of the parser that is not in C
        raise Broken(1, "nested too deep") from error
    return builder.documents, builder.twice


@dataclass(slots=True)
class _Open:
    """A mapping or a sequence whose end has not come yet."""

    line: int
    anchor: str | None
    mapping: bool
    nodes: list[tuple[Node, int]]
    """What came so far, each with the number of nodes that it stands for."""


class _Builder:
    """Builds documents from the parser's events, level by level: composing them by recursion can end the process."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.twice: list[tuple[int, str]] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}

    def take(self, event: Any) -> None:
        """Take the next event. Raises Broken where it is too deep, or stands for too much."""
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            if len(self._open) >= DEPTH_MOST:
                raise Broken(line, f"nested deeper than {DEPTH_MOST} levels")
            self._open.append(_Open(line, event.anchor, kind.startswith("Mapping"), []))
        elif kind == "ScalarEvent":
            empty = event.implicit[0] and event.value in _NULLS
            self._put(Node(line, None if empty else event.value), 1, event.anchor)
        elif kind == "AliasEvent":
            node, size = self._anchors.get(event.anchor, (Node(line, None), 1))  # one that holds itself ends here
            self._put(node, size, None)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            ended = self._open.pop()
            nodes = [node for node, _ in ended.nodes]
            size = 1 + sum(size for _, size in ended.nodes)
            if size > NODES_MOST:
                raise Broken(ended.line, "too large to be looked at")
            self._put(Node(ended.line, self._mapping(nodes) if ended.mapping else nodes), size, ended.anchor)

    def _put(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1].nodes.append((node, size))
        else:
            self.documents.append(node)
            self._anchors.clear()

    def _mapping(self, nodes: Sequence[Node]) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            name = key.text or ("" if key.value is None else "?")
            if name == "<<":
                for each in value.items or (value,):
                    merged |= each.mapping
                continue
            if name in own:
                self.twice.append((key.line, name))
            own[name] = value if value.mapping or value.items else Node(key.line, value.value)
        return {**merged, **own}


# ---------------------------------------------------------------- findings


@dataclass(frozen=True, slots=True)
class Findings:
    """What is found in one file."""

    path: str
    found: list[Diagnostic]

    def add(self, line: int, severity: Severity, code: str, message: str) -> None:
        """Take in a finding."""
        place = Place(path=self.path, line=max(line, 1))
        self.found.append(Diagnostic(place=place, message=message, severity=severity, source="attache", code=code))

    def read(self, text: str) -> list[Node]:
        """Return the documents of a YAML text; what is wrong with it as YAML is a finding."""
        try:
            found, twice = documents(text)
        except Broken as error:
            self.add(error.line, "error", "yaml", f"this is no YAML: {error.message}")
            return []
        for line, name in twice:
            self.add(line, "error", "twice", f"`{name}` stands twice: the first one counts for nothing")
        return found
