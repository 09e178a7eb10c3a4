"""Words of Python and its library that tell what an expression is, and small readings of its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attache.tools.refactor.semantics.names import Names
from attache.tools.refactor.semantics.source import field as part

if TYPE_CHECKING:
    from tree_sitter import Node

LITERALS = frozenset({
    "comparison_operator", "concatenated_string", "dictionary", "dictionary_comprehension", "ellipsis", "false",
    "float", "generator_expression", "integer", "lambda", "list", "list_comprehension", "not_operator", "set",
    "set_comprehension", "string", "true", "tuple",
})  # fmt: skip
"""Nodes whose value is an instance of a builtin."""
WRAPPERS = frozenset({
    "Annotated", "ClassVar", "Final", "NotRequired", "Optional", "ReadOnly", "Required",
})  # fmt: skip
"""Annotations that say more of the type within."""
PASSING = frozenset({
    "asyncio", "collections", "concurrent", "contextlib", "copy", "dataclasses", "functools", "heapq", "importlib",
    "inspect", "itertools", "operator", "pickle", "queue", "random", "types", "typing", "unittest", "weakref",
})  # fmt: skip
"""Modules of the standard library whose functions give back what they are given."""
PLAIN = frozenset({
    "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "chr", "complex", "dict", "divmod",
    "enumerate", "filter", "float", "format", "frozenset", "hash", "hex", "id", "input", "int", "isinstance", "len",
    "list", "map", "oct", "open", "ord", "print", "range", "repr", "round", "set", "sorted", "str", "tuple", "zip",
})  # fmt: skip
"""Builtins that never give back an instance of a class of ours."""
ANYTHING = frozenset({
    "Any", "T", "TypeVar", "object",
})  # fmt: skip
"""Annotations that say nothing."""


def decorators(names: Names, node: Node) -> set[str]:
    """Return the last words of a definition's decorators."""
    parent = node.parent
    if parent is None or parent.type != "decorated_definition":
        return set()
    marks = (names.source.say(each).lstrip("@ ") for each in parent.named_children if each.type == "decorator")
    return {mark.partition("(")[0].strip().rpartition(".")[2] for mark in marks}


def is_stored(node: Node) -> bool:
    """Return whether the attribute that ends in this name is assigned to."""
    whole = node.parent
    above = whole.parent if whole is not None else None
    while whole is not None and above is not None and above.type in {"pattern_list", "tuple_pattern", "list_pattern"}:
        whole, above = above, above.parent
    if whole is None or above is None or above.type not in {"assignment", "for_statement", "as_pattern_target"}:
        return False
    left = part(above, "left")
    return above.type == "as_pattern_target" or (left is not None and left.start_byte == whole.start_byte)
