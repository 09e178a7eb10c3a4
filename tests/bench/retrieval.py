"""How well a search finds the function that a sentence describes, beside plain BM25 over the same pieces.

    python tests/bench/retrieval.py [--queries 800] [--seed 7] [package or folder ...]

The sentences are the first ones of the functions' own docstrings; the sources are indexed without any docstring. A
sentence that stands over two functions is not asked. Plain BM25 is SQLite's, over the text of the pieces as it stands;
the second column is the same over the parts of the identifiers.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import random
import re
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "server"))

from attache.index.reader import Reader
from attache.index.scan import Scan
from attache.index.search import search
from attache.index.store import Store
from attache.index.words import parts
from attache.workspace.paths import Root

DEFAULT = ("sqlalchemy", "hypothesis", "anthropic", "pip", "pydantic", "_pytest")
FIRST_SENTENCE = re.compile(r"(?<=[.!?])\s|\n\s*\n|\n:")
LEAST_WORDS = 4
DEPTH = 10

Place = tuple[str, int]
Question = tuple[str, Place]
Search = Callable[[str], Sequence[tuple[str, int, int]]]


def stripped(text: str) -> tuple[str, dict[int, str]]:
    """Return a module without docstrings, its lines kept in place, and the docstring of each function by its line."""
    lines = text.split("\n")
    found: dict[int, str] = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            continue
        docstring = ast.get_docstring(node)
        if docstring is None:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.lineno] = docstring
        first = node.body[0]
        indent = lines[first.lineno - 1][: first.col_offset]
        if not indent.strip():
            lines[first.lineno - 1 : first.end_lineno] = [indent + "..."] + [""] * (first.end_lineno - first.lineno)
    return "\n".join(lines), found


def prepare(source: Path, target: Path) -> Iterator[tuple[str, Place]]:
    """Write the modules without docstrings, and yield the sentence over each function."""
    for file in sorted(source.rglob("*.py")):
        try:
            text, docstrings = stripped(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, RecursionError):
            continue
        relative = file.relative_to(source)
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        (target / relative).write_text(text, encoding="utf-8")
        for line, docstring in docstrings.items():
            sentence = " ".join(FIRST_SENTENCE.split(docstring.strip())[0].split())
            if len(re.findall(r"\w+", sentence)) >= LEAST_WORDS:
                yield sentence, (relative.as_posix(), line)


def bm25(rows: Sequence[tuple[str, int, int, str]], *, split: bool) -> Search:
    """Return SQLite's BM25 over the text of the pieces, or over the parts of what they hold."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE pieces USING fts5 (text, content='')")

    def spoken(text: str) -> str:
        return " ".join(part for word in re.findall(r"\w+", text) for part in parts(word)) if split else text

    database.executemany(
        "INSERT INTO pieces (rowid, text) VALUES (?, ?)", ((n, spoken(row[3])) for n, row in enumerate(rows))
    )

    def ask(query: str) -> Sequence[tuple[str, int, int]]:
        match = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", spoken(query)))
        found = database.execute("SELECT rowid FROM pieces WHERE pieces MATCH ? ORDER BY rank LIMIT ?", (match, DEPTH))
        return [rows[number][:3] for (number,) in found]

    return ask


def score(ask: Search, questions: Sequence[Question]) -> tuple[float, float, float]:
    """Return MRR at 10, the share found among 10, and milliseconds a question."""
    reciprocal = hits = 0.0
    started = time.perf_counter()
    for sentence, (path, line) in questions:
        for rank, (at, start, end) in enumerate(ask(sentence)[:DEPTH], 1):
            if at == path and start <= line <= end:
                reciprocal += 1 / rank
                hits += 1
                break
    took = time.perf_counter() - started
    return reciprocal / len(questions), hits / len(questions), 1000 * took / len(questions)


def measure(name: str, source: Path, wanted: int, seed: int) -> None:
    """Print the row of one body of code."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, database = Path(scratch, "code"), Path(scratch, "index.db")
        folder.mkdir()
        asked = list(prepare(source, folder))
        sentences = [sentence for sentence, _ in asked]
        questions = [(sentence, place) for sentence, place in asked if sentences.count(sentence) == 1]
        random.Random(seed).shuffle(questions)
        with Root(folder) as root:
            store = Store(database)
            for _ in Scan(root, store, max_file_bytes=1_000_000, current=Path(scratch, "current")).refresh():
                pass
            store.commit()
            reader = Reader(root, database, max_file_bytes=1_000_000)
            rows = [
                (path, start, end, b"\n".join(reader.lines(path)[start - 1 : end]).decode())
                for path, start, end in reader.rows(
                    "SELECT f.path, start_line, end_line FROM pieces p JOIN files f ON f.id = p.file"
                )
            ]
            questions = questions[:wanted]
            ways: dict[str, Search] = {
                "plain": bm25(rows, split=False),
                "parts": bm25(rows, split=True),
                "ours": lambda query: [
                    (hit.path, hit.start_line, hit.end_line) for hit in search(reader, query, DEPTH, "hybrid")
                ],
            }
            scores = {way: score(ask, questions) for way, ask in ways.items()}
            reader.close()
            store.close()
    cells = "".join(f"{mrr:9.3f}{found:7.2f}{took:8.1f}" for mrr, found, took in scores.values())
    print(f"{name:24}{len(rows):8,}{len(questions):7}{cells}{scores['ours'][0] / scores['plain'][0]:8.2f}")


def main() -> None:
    """Measure each package or folder named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=DEFAULT)
    parser.add_argument("--queries", type=int, default=800)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    print(
        f"{'':24}{'pieces':>8}{'asked':>7}"
        + "".join(f"{way:>9}{'@10':>7}{'ms':>8}" for way in ("plain", "parts", "ours"))
        + f"{'ratio':>8}"
    )
    for name in options.sources:
        specification = None if Path(name).is_dir() else importlib.util.find_spec(name)
        if not Path(name).is_dir() and (specification is None or not specification.submodule_search_locations):
            print(f"{name:24} is not installed here")
            continue
        source = Path(name) if specification is None else Path(next(iter(specification.submodule_search_locations)))
        measure(source.name, source, options.queries, options.seed)


if __name__ == "__main__":
    main()
