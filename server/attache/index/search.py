"""Find the pieces of code that answer a question: words weighed by where they stand, and names that it spells out."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from attache.index.asides import is_aside, is_test, sources
from attache.index.reader import Reader
from attache.index.store import PieceWords
from attache.index.symbols import outline, same
from attache.index.words import asked, indexed
from attache.schema.code import Hit, SearchKind, Symbol


class Weights(NamedTuple):
    """What a word counts by where it stands."""

    path: float = 0.0
    scope: float = 0.0
    name: float = 0.0
    doc: float = 0.0
    body: float = 0.0


WEIGHTS = Weights(path=1, scope=3, name=8, doc=1, body=1)
"""These and the factors below were measured: tests/bench/retrieval.py."""
NAMES_ONLY = Weights(scope=3, name=8)
NAME_SHARE = 0.3
"""Gain of a piece whose name says nothing but what was asked."""
OTHER_THAN_CALLABLE = 0.7
TEST = 0.85
ASIDE = 0.6
"""What others or a program wrote."""
SPELLED_ALONE = 1.5
"""What a symbol is worth, beside the best piece, where its name is all that was asked."""
SPELLED_AMONG = 0.6
"""The same where its name stands among other words: it may be what is asked about, or only be mentioned."""
CANDIDATES = 100
SPELLED_MOST = 20
SPELLED_FEW = 5
LONGEST_HIT = 80

_K1, _B = 1.2, 0.75  # as FTS5 has them
_USUAL_TERMS = 45  # of a piece; near enough to rank the few pieces of open buffers among the stored ones
_NAME = re.compile(r"`([\w.]+)`|([A-Za-z_][\w.]*\w)(?=\(\))|([A-Za-z_]\w*(?:[._]\w+)+|[A-Za-z]+[a-z\d][A-Z]\w*)")
"""What looks like code in a question: in backticks, before brackets, with a dot, an underscore or a capital inside."""
_ALONE = re.compile(r"[\w.]+")
_START = attrgetter("start_line")
_STORED = """
SELECT f.path, p.start_line, p.end_line, coalesce(s.name, ''), coalesce(s.container, ''), coalesce(s.kind, ''), score
FROM (SELECT rowid AS id, -bm25(words, ?, ?, ?, ?, ?) AS score FROM words WHERE words MATCH ?
      ORDER BY score DESC LIMIT ?) best
JOIN pieces p ON p.id = best.id JOIN files f ON f.id = p.file
LEFT JOIN symbols s ON s.file = p.file AND s.ordinal = p.owner
"""


_PIECES = """
SELECT f.path, p.start_line, p.end_line, coalesce(s.name, ''), coalesce(s.container, ''), coalesce(s.kind, ''), 0.0
FROM pieces p JOIN files f ON f.id = p.file LEFT JOIN symbols s ON s.file = p.file AND s.ordinal = p.owner
ORDER BY f.path, p.start_line LIMIT ?
"""


class Candidate(NamedTuple):
    """A piece, and how well it answers."""

    path: str
    start_line: int
    end_line: int
    name: str
    container: str
    kind: str
    score: float

    @property
    def qualified(self) -> str:
        """Return the name with its containers, dotted."""
        return f"{self.container}.{self.name}" if self.container else self.name


def search(reader: Reader, query: str, k: int, kind: SearchKind) -> list[Hit]:
    """Return the pieces that answer best, best first; `vector` is answered as `hybrid`, since no vectors are kept."""
    if kind == "exact":
        return _exact(reader, query, k)
    terms, limit = asked(query), CANDIDATES + k
    if kind == "text":
        found = _matching(reader, terms, limit)
    elif kind == "symbol":
        found = _with_spelled(reader, query, _weighed(reader, _matching(reader, terms, limit, NAMES_ONLY), terms))
    else:
        found = _with_spelled(reader, query, _weighed(reader, _matching(reader, terms, limit), terms))
    best = sorted(found, key=lambda candidate: (-candidate.score, candidate.path, candidate.start_line))[:k]
    return [_hit(reader, candidate) for candidate in best]


def pieces(reader: Reader, most: int) -> list[Hit]:
    """Return pieces of code with their text, as they stand: all of them, where there are no more than `most`."""
    found = [Candidate(*row) for row in reader.rows(_PIECES, (most,)) if row[0] not in reader.covers]
    for path, cover in reader.covers.items():
        parsed = cover.content.parsed
        for piece in parsed.pieces:
            owner = parsed.definitions[piece.owner] if piece.owner >= 0 else None
            named = (owner.name, owner.container, owner.kind) if owner else ("", "", "")
            found.append(Candidate(path, piece.start_line, piece.end_line, *named, 0.0))
    return [_hit(reader, each) for each in found[:most]]


def _matching(reader: Reader, terms: Sequence[str], limit: int, weights: Weights = WEIGHTS) -> list[Candidate]:
    """Return the pieces that hold any of the terms where it counts, weighed by BM25."""
    if not terms:
        return []
    columns = " ".join(name for name, weight in weights._asdict().items() if weight)
    any_term = " OR ".join(f'"{term}"' for term in terms)
    match = f"{{{columns}}} : ({any_term})"
    rows = reader.rows(_STORED, (*weights, match, limit))
    return [*(Candidate(*row) for row in rows if row[0] not in reader.covers), *_covering(reader, terms, weights)]


def _covering(reader: Reader, terms: Sequence[str], weights: Weights) -> Iterator[Candidate]:
    """Yield the pieces of covers, by the same formula and the frequencies of the stored ones."""
    if not reader.covers:
        return
    total = reader.rows("SELECT coalesce(max(id), 0) FROM words_docsize")
    count = total[0][0] if total else 0
    marks = ", ".join("?" * len(terms))
    known = dict(reader.rows(f"SELECT term, doc FROM frequencies WHERE term IN ({marks})", terms))  # noqa: S608 - only marks
    rarity = {
        term: math.log(max(1.01, (count - known.get(term, 0) + 0.5) / (known.get(term, 0) + 0.5))) for term in terms
    }
    for path, cover in reader.covers.items():
        parsed, words = cover.content
        for piece, fields in zip(parsed.pieces, words, strict=True):
            score = _bm25(fields, weights, rarity)
            if score > 0:
                owner = parsed.definitions[piece.owner] if piece.owner >= 0 else None
                named = (owner.name, owner.container, owner.kind) if owner else ("", "", "")
                yield Candidate(path, piece.start_line, piece.end_line, *named, score)


def _bm25(fields: PieceWords, weights: Weights, rarity: Mapping[str, float]) -> float:
    counts: dict[str, float] = defaultdict(float)
    length = 0
    for text, weight in zip(fields, weights, strict=True):
        terms = text.split()
        length += len(terms)
        for term in terms:
            if term in rarity:
                counts[term] += weight
    worn = _K1 * (1 - _B + _B * length / _USUAL_TERMS)
    return sum(rarity[term] * count * (_K1 + 1) / (count + worn) for term, count in counts.items())


def _weighed(reader: Reader, found: Sequence[Candidate], terms: Collection[str]) -> list[Candidate]:
    """Return the candidates, each with what its name, its kind and its place make of its score."""
    wanted = set(terms)
    made = _made(reader, {candidate.path for candidate in found})
    weighed: list[Candidate] = []
    for candidate in found:
        name = set(indexed(candidate.name.encode()).split())
        factor = 1 + NAME_SHARE * len(name & wanted) / max(1, len(name))
        if candidate.kind not in {"function", "method"}:
            factor *= OTHER_THAN_CALLABLE
        if "test" not in wanted and is_test(candidate.path):
            factor *= TEST
        if candidate.path in made or is_aside(candidate.path):
            factor *= ASIDE
        weighed.append(candidate._replace(score=candidate.score * factor))
    return weighed


def _made(reader: Reader, paths: Collection[str]) -> frozenset[str]:
    """Return those scripts and declarations that were made from a file which stands here too."""
    pairs = [(source, product) for source, product in sources(paths) if source != product]
    named = {source for source, _ in pairs}
    marks = ", ".join("?" * len(named))
    rows = reader.rows(f"SELECT path FROM files WHERE path IN ({marks})", tuple(named)) if named else []  # noqa: S608 - only marks
    there = {row[0] for row in rows}
    return frozenset(product for source, product in pairs if source in there)


def _with_spelled(reader: Reader, query: str, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates and the symbols that the question spells: before all if it says nothing else."""
    alone = _ALONE.fullmatch(query.strip()) is not None
    names = [query.strip()] if alone else [match[match.lastindex or 0] for match in _NAME.finditer(query)]
    best = max((candidate.score for candidate in found), default=1.0) * (SPELLED_ALONE if alone else SPELLED_AMONG)
    spelled: dict[tuple[str, str], Candidate] = {}
    for name in names:
        for rank, symbol in enumerate(same(reader, name)[: SPELLED_MOST if alone else SPELLED_FEW]):
            spelled.setdefault((symbol.path, symbol.qualified), _whole(symbol, best * (1 - rank / 1000)))
    others: list[Candidate] = []
    for candidate in found:
        at = candidate.path, candidate.qualified
        if at in spelled:
            spelled[at] = spelled[at]._replace(score=max(candidate.score, spelled[at].score))
        elif candidate.name or not any(_inside(one, candidate) for one in spelled.values()):
            others.append(candidate)
    return [*spelled.values(), *others]


def _inside(one: Candidate, other: Candidate) -> bool:
    return one.path == other.path and other.start_line <= one.start_line and one.end_line <= other.end_line


def _whole(symbol: Symbol, score: float) -> Candidate:
    end = min(symbol.end_line, symbol.start_line + LONGEST_HIT - 1)
    return Candidate(symbol.path, symbol.start_line, end, symbol.name, symbol.container, symbol.kind, score)


def _hit(reader: Reader, found: Candidate) -> Hit:
    lines = reader.lines(found.path)[found.start_line - 1 : found.end_line]
    return Hit(
        path=found.path,
        start_line=found.start_line,
        end_line=found.end_line,
        score=round(found.score, 4),
        symbol=found.qualified,
        text="\n".join(line.decode("utf-8", "replace") for line in lines),
    )


def _exact(reader: Reader, query: str, k: int) -> list[Hit]:
    """Return the lines that hold a text to the letter, in the order of the files."""
    wanted = query.encode("utf-8", "replace")
    stored = {row[0] for row in reader.rows("SELECT path FROM files")}
    hits: list[Hit] = []
    for path in sorted(stored | reader.covers.keys()) if wanted else ():
        text = b"\n".join(reader.lines(path))
        for start, end in _found(text, wanted):
            if len(hits) == k:
                return hits
            owner = max(
                (one for one in outline(reader, path) if one.start_line <= start <= one.end_line),
                key=_START,
                default=None,
            )
            candidate = Candidate(
                path, start, end, owner.name if owner else "", owner.container if owner else "", "", 1.0
            )
            hits.append(_hit(reader, candidate))
    return hits


def _found(text: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of each place of a text in another, one place for each first line."""
    at, line = text.find(wanted), 1
    counted = 0
    while at >= 0:
        line += text.count(b"\n", counted, at)
        counted = at
        yield line, line + wanted.rstrip(b"\n").count(b"\n")
        next_line = text.find(b"\n", at)
        at = text.find(wanted, next_line + 1) if next_line >= 0 else -1
