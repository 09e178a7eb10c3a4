"""Find definitions by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from attache.index.asides import is_aside, is_test
from attache.index.reader import UNDER, Reader, under
from attache.index.words import parts
from attache.schema.code import Symbol

FETCHED_LEAST = 500
"""Of so many the best are shown, where not all can be."""

_FIELDS = ("name", "kind", "path", "line", "column", "start_line", "end_line", "container", "signature", "doc")
_STORED = f"""
SELECT s.name, s.kind, f.path, s.line, s.column, s.start_line, s.end_line, s.container, s.signature, s.doc
FROM symbols s JOIN files f ON f.id = s.file WHERE {UNDER} AND
"""  # noqa: S608 - put together from our own words
_SAME = "s.name = :name COLLATE NOCASE"


def outline(reader: Reader, path: str) -> list[Symbol]:
    """Return the definitions of one file in the order of its text."""
    if path in reader.covers:
        return list(_covering(reader, path))
    return _stored(reader, "f.path = :path ORDER BY s.ordinal", path)


def symbols(reader: Reader, name: str, path: str, k: int) -> list[Symbol]:
    """Return definitions: those of that name, then those whose name begins so, then those that hold its parts.

    `Client.fetch` asks for the container too. No name asks for all, in the order of the files.
    """
    if not name:
        found = [*_stored(reader, "1 ORDER BY f.path, s.ordinal LIMIT :k", path, k=k), *_covering(reader, path)]
        return sorted(found, key=_place)[:k]
    found = _named(reader, name, path, k)
    container, dot, last = name.rpartition(".")
    if dot and not any(symbol.name == name for symbol in found):
        found = [symbol for symbol in _named(reader, last, path, k) if _stands_in(symbol, container)]
    return found[:k]


def same(reader: Reader, name: str) -> list[Symbol]:
    """Return the definitions of that very name, dotted or not, capitals aside; those of the same capitals first."""
    container, _, last = name.rpartition(".")
    found = [one for one in _exactly(reader, last) if _stands_in(one, container)] or _exactly(reader, name)
    return sorted(found, key=lambda one: (one.name != last, is_test(one.path), *_place(one)))


def closeness(name: str, wanted: str) -> int | None:
    """Return how near a name is to the one that is wanted, 0 being the same; None where it is another."""
    small, asked = name.lower(), wanted.lower()
    if small == asked:
        return 0 if name == wanted else 1
    if small.startswith(asked):
        return 2
    pieces = parts(wanted)
    return 3 if pieces and all(piece in small for piece in pieces) else None


def _named(reader: Reader, name: str, path: str, k: int) -> list[Symbol]:
    pieces = parts(name)
    tiers = [
        _SAME,
        "s.name >= :name COLLATE NOCASE AND s.name < :name || char(1114111) COLLATE NOCASE LIMIT :k",
    ]
    if pieces:
        tiers.append(" AND ".join(f"instr(lower(s.name), :part{n})" for n in range(len(pieces))) + " LIMIT :k")
    values = {"name": name, "k": max(k, FETCHED_LEAST), **{f"part{n}": piece for n, piece in enumerate(pieces)}}
    found = {_place(symbol): symbol for symbol in _covering(reader, path) if closeness(symbol.name, name) is not None}
    for tier in tiers:
        if len(found) < k:
            found.update((_place(symbol), symbol) for symbol in _stored(reader, tier, path, **values))
    popular = _popularity(reader, {symbol.name for symbol in found.values()})

    def rank(symbol: Symbol) -> tuple[Any, ...]:
        near = closeness(symbol.name, name)
        return near, is_aside(symbol.path), is_test(symbol.path), -popular.get(symbol.name, 0), *_place(symbol)

    return sorted(found.values(), key=rank)


def _exactly(reader: Reader, name: str) -> list[Symbol]:
    covering = [symbol for symbol in _covering(reader, "") if symbol.name.lower() == name.lower()]
    return [*_stored(reader, _SAME, "", name=name), *covering]


def _stands_in(symbol: Symbol, container: str) -> bool:
    return f".{symbol.container}".lower().endswith(f".{container}".lower()) if container else True


def _place(symbol: Symbol) -> tuple[str, int, int, str]:
    return symbol.path, symbol.line, symbol.column, symbol.name


def _stored(reader: Reader, condition: str, path: str, **values: Any) -> list[Symbol]:
    rows = reader.rows(_STORED + condition, {"path": path, **values})
    return [Symbol(**dict(zip(_FIELDS, row, strict=True))) for row in rows if row[2] not in reader.covers]


def _covering(reader: Reader, path: str) -> Iterator[Symbol]:
    for covered, cover in reader.covers.items():
        if under(covered, path):
            for definition in cover.content.parsed.definitions:
                yield definition.symbol(covered)


def _popularity(reader: Reader, names: Collection[str]) -> dict[str, int]:
    """Return in how many files each name is used."""
    marks = ", ".join("?" * len(names))
    return dict(reader.rows(f"SELECT name, count(*) FROM uses WHERE name IN ({marks}) GROUP BY name", tuple(names)))  # noqa: S608 - only marks
