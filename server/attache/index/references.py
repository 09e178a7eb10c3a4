"""Find where a name is defined and used."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping

from attache.index.parsed import Found, unpacked
from attache.index.reader import UNDER, Reader, under
from attache.index.words import asked
from attache.schema.code import Reference

_DEFINED = f"""
SELECT f.path, line, column, container FROM symbols s JOIN files f ON f.id = s.file WHERE name = :name AND {UNDER}
"""  # noqa: S608 - put together from our own words
_USED = f"""
SELECT f.id, f.path, places FROM uses u JOIN files f ON f.id = u.file WHERE name = :name AND {UNDER}
"""  # noqa: S608 - put together from our own words
_CALLERS = "SELECT ordinal, ltrim(container || '.' || name, '.') FROM symbols WHERE file = ?"
_CANDIDATES = f"""
SELECT f.path FROM uses u JOIN files f ON f.id = u.file WHERE u.name = :name AND {UNDER}
UNION SELECT f.path FROM symbols s JOIN files f ON f.id = s.file WHERE s.name = :name AND {UNDER}
UNION SELECT f.path FROM words JOIN pieces p ON p.id = words.rowid JOIN files f ON f.id = p.file
WHERE words MATCH :term AND {UNDER}
"""  # noqa: S608 - put together from our own words
_WORD = re.compile(r"\w+")


def name_at(reader: Reader, path: str, line: int, column: int) -> str:
    """Return the name that stands at a place (both from 1, the column in code points), empty where none does."""
    lines = reader.lines(path)
    text = lines[line - 1].decode("utf-8", "replace") if 0 < line <= len(lines) else ""
    return next((word[0] for word in _WORD.finditer(text) if word.start() < column <= word.end() + 1), "")


def candidates(reader: Reader, name: str, path: str) -> list[str]:
    """Return the files in which a name may stand."""
    terms = asked(name)
    rows = reader.rows(_CANDIDATES, {"name": name, "path": path, "term": f'"{terms[-1] if terms else ""}"'})
    spoken = name.encode("utf-8", "replace")
    covering = {
        p for p, cover in reader.covers.items() if under(p, path) and any(spoken in line for line in cover.lines)
    }
    return sorted(({row[0] for row in rows} - reader.covers.keys()) | covering)


def stored(reader: Reader, name: str, path: str) -> dict[str, list[Found]]:
    """Return the definitions, and the uses that the queries capture, by file."""
    found = {at: list(cover.content.parsed.places(name)) for at, cover in reader.covers.items() if under(at, path)}
    values = {"name": name, "path": path}
    for at, *place in reader.rows(_DEFINED, values):
        if at not in reader.covers:
            found.setdefault(at, []).append(Found("definition", *place))
    for file, at, places in reader.rows(_USED, values):
        if at not in reader.covers:
            callers = dict(reader.rows(_CALLERS, (file,)))
            found.setdefault(at, []).extend(unpacked(array("i", places), callers))
    return found


def told(reader: Reader, name: str, found: Mapping[str, Iterable[Found]]) -> list[Reference]:
    """Return references with the lines they stand on, definitions first."""
    references: list[Reference] = []
    for path, places in found.items():
        lines = reader.lines(path)
        for role, line, column, caller in places:
            text = lines[line - 1].decode("utf-8", "replace") if line <= len(lines) else ""
            references.append(
                Reference(name=name, path=path, line=line, column=column, role=role, caller=caller, text=text)
            )
    return sorted(references, key=lambda one: (one.role != "definition", one.path, one.line, one.column))
