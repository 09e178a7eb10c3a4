"""One file as its grammar reads it, with places in code points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from attache.index.languages import Language, languages
from attache.index.tree import Slow, grow
from attache.schema.errors import ToolError

if TYPE_CHECKING:
    from tree_sitter import Node

LIMIT_SECONDS = 2.0


class Source:
    """A text and its tree. Spans are of bytes, as the grammar counts; `offset` leads to code points."""

    def __init__(self, path: str, text: str) -> None:
        """Read a text as the file it would be. Raises ToolError where no grammar can."""
        language = languages().of(path)
        if language is None:
            raise ToolError(f"{path}: no grammar here reads such files", hint="edit it by hand")
        self.path = path
        self.text = text
        self.language: Language = language
        self.data = text.encode("utf-8", "replace")
        try:
            self._tree = grow(language, self.data, LIMIT_SECONDS).tree
        except Slow:
            raise ToolError(f"{path}: reading it takes too long", hint="edit it by hand") from None
        except ImportError as error:
            raise ToolError(f"{path}: the grammar of {language.name} is not installed ({error.name})") from None

    @property
    def root(self) -> Node:
        """Return the tree's top."""
        return self._tree.root_node

    @cached_property
    def _rows(self) -> tuple[list[int], list[int]]:
        """Return where each line begins, in bytes and in code points."""
        in_bytes, in_characters = [0], [0]
        for line in self.data.split(b"\n")[:-1]:
            in_bytes.append(in_bytes[-1] + len(line) + 1)
            in_characters.append(in_characters[-1] + len(line.decode("utf-8", "replace")) + 1)
        return in_bytes, in_characters

    def offset(self, at: int) -> int:
        """Return how many code points stand before a byte."""
        in_bytes, in_characters = self._rows
        row = bisect_right(in_bytes, at) - 1
        return in_characters[row] + len(self.data[in_bytes[row] : at].decode("utf-8", "replace"))

    def line(self, at: int) -> int:
        """Return the line, from 1, that a byte stands in."""
        return bisect_right(self._rows[0], at)

    def column(self, at: int) -> int:
        """Return the column, from 1 and in code points, of a byte."""
        start = self._rows[0][self.line(at) - 1]
        return len(self.data[start:at].decode("utf-8", "replace")) + 1

    def start_of_line(self, line: int) -> int:
        """Return the byte at which a line, from 1, begins; the end of the text past the last."""
        rows = self._rows[0]
        return rows[line - 1] if line <= len(rows) else len(self.data)

    def line_text(self, line: int) -> str:
        """Return a line without its end."""
        return self.data[self.start_of_line(line) : self.start_of_line(line + 1)].decode("utf-8", "replace").rstrip()

    def where(self, at: int) -> str:
        """Return `path:line` of a byte."""
        return f"{self.path}:{self.line(at)}"

    def say(self, node: Node) -> str:
        """Return what a node says."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def between(self, start: int, end: int) -> str:
        """Return the text from byte to byte."""
        return self.data[start:end].decode("utf-8", "replace")

    @cached_property
    def faults(self) -> int:
        """Return how many places do not parse."""
        count, waiting = 0, [self.root]
        while waiting:
            one = waiting.pop()
            if one.is_error or one.is_missing:
                count += 1
            elif one.has_error:
                waiting.extend(one.children)
        return count


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(one.named_children))


def field(node: Node, name: str) -> Node | None:
    """Return a child by its field."""
    return node.child_by_field_name(name)
