"""The languages that are read by a grammar: the rows of the manifest, and each one's grammar with our queries."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from attache.schema.code import SymbolKind
from attache.schema.errors import SettingsError

if TYPE_CHECKING:
    import tree_sitter

QUERIES = ("imports", "tags", "calls", "chunks")
"""In the order in which they claim a name."""

Sort = Literal["definition", "reference", "scope", "import", "chunk", "doc"]
_MARK = re.compile(r"@(definition|reference)\.(\w+)|@(scope|import|chunk|doc)\b")
_CONDITION = re.compile(r'\(#(says|fits)\?\s+@([\w.]+)((?:\s+"[^"]*")+)\s*\)')
_STRING = re.compile(r'"([^"]*)"')
_COMMENT = re.compile(r"^[ \t]*;.*$", re.MULTILINE)


class Condition(NamedTuple):
    """What the text of a capture must say, to the letter or by a regular expression.

    We keep conditions to ourselves: tree-sitter 0.26.1 crashes on its own ones, the way that we let it read a text.
    """

    capture: str
    says: tuple[str, ...]
    fits: re.Pattern[str] | None


class Pattern(NamedTuple):
    """What a match of one pattern of a query means."""

    sort: Sort
    detail: str
    """The kind of a definition, the role of a reference."""
    whole: str
    """The capture that holds all of it."""
    conditions: tuple[Condition, ...]


class Query(NamedTuple):
    """A query of ours, with what each of its patterns means, by its number."""

    query: tree_sitter.Query
    patterns: tuple[Pattern, ...]


class Grammar(NamedTuple):
    """What a wheel carries."""

    language: tree_sitter.Language
    body_field: int | None
    """The number of the field `body`, where the grammar has one."""


@dataclass(frozen=True)
class Language:
    """One row of the manifest."""

    name: str
    folder: Path
    wheel: str
    factory: str
    suffixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    """The folders that hold its queries; its own where none are named."""

    @cached_property
    def grammar(self) -> Grammar:
        """Return the grammar, loaded once; raises ImportError where its wheel is not installed."""
        import tree_sitter

        pointer: object = getattr(importlib.import_module(self.wheel), self.factory)()
        language = tree_sitter.Language(pointer)
        return Grammar(language, language.field_id_for_name("body"))

    @cached_property
    def all_names(self) -> Query:
        """Return the query for everything; raises SettingsError where it does not fit the grammar."""
        return self._query(*QUERIES)

    @cached_property
    def definitions(self) -> Query:
        """Return the query for definitions alone; raises SettingsError where it does not fit the grammar."""
        return self._query("tags")

    @cached_property
    def marks(self) -> tuple[tuple[bytes, ...], bytes, bytes]:
        """Return what opens a comment to the end of the line, and the two ends of one over several lines."""
        opener, closer = self.block or ("", "")
        return tuple(mark.encode() for mark in self.comments), opener.encode(), closer.encode()

    def _query(self, *parts: str) -> Query:
        import tree_sitter

        folders = [self.folder / name for name in self.queries or (self.name,)]
        files = [folder / f"{part}.scm" for part in parts for folder in folders]
        source = "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())
        try:
            blanked = _CONDITION.sub(lambda condition: " " * len(condition[0].encode()), source)
            query = tree_sitter.Query(self.grammar.language, blanked)
        except tree_sitter.QueryError as error:
            raise SettingsError(
                f"a query of {self.name} does not fit its grammar: {error}", hint=f"look into {self.folder}"
            ) from error
        spans = [(query.start_byte_for_pattern(n), query.end_byte_for_pattern(n)) for n in range(query.pattern_count)]
        encoded = source.encode()
        return Query(query, tuple(self._pattern(encoded[start:end].decode()) for start, end in spans))

    def _pattern(self, text: str) -> Pattern:
        mark = _MARK.search(_COMMENT.sub("", text))
        if mark is None:
            raise SettingsError(
                f"a query of {self.name} captures nothing: {text.strip()}", hint="see grammars/README.md"
            )
        if mark[1] == "definition" and mark[2] not in get_args(SymbolKind):
            raise SettingsError(f"a query of {self.name} defines an unknown kind: {mark[2]}", hint="see schema/code.py")
        if unknown := re.search(r"\(#\S+", _CONDITION.sub("", text)):
            raise SettingsError(
                f"a query of {self.name} has an unknown condition: {unknown[0]}", hint="see grammars/README.md"
            )
        sort = cast("Sort", mark[1] or mark[3])
        return Pattern(sort, mark[2] or "", f"{sort}.{mark[2]}" if mark[2] else sort, _conditions(text))


def _conditions(text: str) -> tuple[Condition, ...]:
    found: list[Condition] = []
    for sort, capture, strings in _CONDITION.findall(text):
        said = tuple(_STRING.findall(strings))
        fits = sort == "fits"
        found.append(Condition(capture, () if fits else said, re.compile(said[0]) if fits else None))
    return tuple(found)


class Languages:
    """The rows of one manifest, found by a file's name."""

    def __init__(self, folder: Path) -> None:
        manifest = cast(
            "Mapping[str, Mapping[str, Any]]", tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
        )
        self._rows = {
            name: Language(name=name, folder=folder, **{key: _frozen(value) for key, value in row.items()})
            for name, row in manifest.items()
        }
        self._by_name = {name: row for row in self._rows.values() for name in row.names}
        self._by_suffix = {suffix: row for row in self._rows.values() for suffix in row.suffixes}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the languages in the order of the manifest."""
        return tuple(self._rows)

    def get(self, name: str) -> Language | None:
        """Return a language by its name."""
        return self._rows.get(name)

    def of(self, path: str) -> Language | None:
        """Return the language of a file, None where no row knows it."""
        name = path.rpartition("/")[2]
        return self._by_name.get(name) or self._by_suffix.get(suffix(name))


def suffix(name: str) -> str:
    """Return the last suffix of a file's name in small letters, with its dot; empty where it has none."""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def _frozen(value: Any) -> Any:
    return tuple(cast("list[str]", value)) if isinstance(value, list) else value


def grammars_folder() -> Path:
    """Return the folder of the manifest: inside the installed package, else beside the sources."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "grammars"
    return inside if inside.is_dir() else package.parents[1] / "grammars"


@cache
def languages() -> Languages:
    """Return the languages that are shipped."""
    return Languages(grammars_folder())
