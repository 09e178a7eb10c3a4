"""What reading one file gives: plain tuples, since a repository has hundreds of thousands of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from attache.schema.code import Symbol, SymbolKind

Role = Literal["definition", "call", "import", "type", "use"]
ROLE_NAMES: tuple[Role, ...] = ("call", "import", "type", "use")
ROLES = {name: number for number, name in enumerate(ROLE_NAMES)}

Uses = dict[str, list[int]]
"""Name -> role, line, column and caller of each place it is used at, one after the other in one flat list.

A role is its number in `ROLE_NAMES`; a caller is the place among the definitions of the one it stands in, or -1.
"""


class Definition(NamedTuple):
    """A symbol without its path; fields as in `schema.code.Symbol`."""

    name: str
    kind: SymbolKind
    line: int
    column: int
    start_line: int
    end_line: int
    container: str
    signature: str
    doc: str

    @property
    def qualified(self) -> str:
        """Return the name with its containers, dotted."""
        return f"{self.container}.{self.name}" if self.container else self.name

    def symbol(self, path: str) -> Symbol:
        """Return the symbol that this is in the file at `path`."""
        return Symbol(path=path, **self._asdict())


class Found(NamedTuple):
    """One place of a name that was looked for. `caller` is the qualified name of what it stands in."""

    role: Role
    line: int
    column: int
    caller: str


class Import(NamedTuple):
    """One import statement: where from, and what; no names where the module itself is brought in."""

    module: str
    names: tuple[str, ...]
    line: int


class Piece(NamedTuple):
    """Lines that are found together. `owner` is the definition they belong to, -1 where there is none."""

    start_line: int
    end_line: int
    owner: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """One file, read. Definitions stand in the order of the text, outer ones before what they hold."""

    language: str
    definitions: tuple[Definition, ...]
    uses: Uses
    imports: tuple[Import, ...]
    pieces: tuple[Piece, ...]
    trouble: str = ""
    """Why it was read as plain text, empty where its grammar read it."""

    def places(self, name: str) -> Iterator[Found]:
        """Yield the definitions of a name, then its uses."""
        for one in self.definitions:
            if one.name == name:
                yield Found("definition", one.line, one.column, one.container)
        yield from unpacked(self.uses.get(name, ()), {n: one.qualified for n, one in enumerate(self.definitions)})


def unpacked(places: Sequence[int], callers: Mapping[int, str]) -> Iterator[Found]:
    """Yield the uses that stand in one flat list of `Uses`, given the qualified names of the definitions."""
    for role, line, column, caller in zip(*(places[at::4] for at in range(4)), strict=True):
        yield Found(ROLE_NAMES[role], line, column, callers.get(caller, ""))
