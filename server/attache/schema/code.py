"""What the index knows of code: symbols, references to them, and pieces found by a search."""

from __future__ import annotations

from typing import Literal

from attache.schema.data import Record

SearchKind = Literal["hybrid", "text", "symbol", "vector", "exact"]
SymbolKind = Literal[
    "module", "class", "interface", "enum", "struct", "trait", "type", "function", "method", "property",
    "constant", "variable", "field", "macro", "section", "key", "rule", "other",
]  # fmt: skip


class Symbol(Record):
    """A definition. Lines and columns count from 1; `line` is where the name stands."""

    name: str
    kind: SymbolKind
    path: str
    line: int
    column: int = 1
    start_line: int
    end_line: int
    container: str = ""
    """Dotted names of what it stands in, outermost first; empty at top level."""
    signature: str = ""
    """The definition's first line or lines, without its body."""
    doc: str = ""

    @property
    def qualified(self) -> str:
        """Return the name with its containers, dotted."""
        return f"{self.container}.{self.name}" if self.container else self.name


class Reference(Record):
    """A use of a name. `caller` is the qualified name of the definition it stands in, empty at top level."""

    name: str
    path: str
    line: int
    column: int
    role: Literal["definition", "call", "import", "type", "use"] = "use"
    caller: str = ""
    text: str = ""


class Hit(Record):
    """A piece of a file that answers a query; `score` falls from best to worst and means nothing across queries."""

    path: str
    start_line: int
    end_line: int
    score: float
    symbol: str = ""
    text: str = ""


class IndexStatus(Record):
    """How far the index is, so that a face can say which answers may still be missing."""

    state: Literal["off", "starting", "building", "ready", "failed"]
    files: int = 0
    symbols: int = 0
    chunks: int = 0
    pending: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    """(path, reason) of the files that were left out for a reason other than .gitignore; at most 50."""
    languages: tuple[tuple[str, int], ...] = ()
    """(language, files), most files first."""
    retrievers: tuple[str, ...] = ()
    error: str = ""
