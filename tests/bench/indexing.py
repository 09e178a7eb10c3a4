"""The index beside the least that it could do: parsing alone, hashing alone. The code is that of installed packages."""

from __future__ import annotations

import hashlib
import importlib.util
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure import REPOSITORY, Options, Row, scratch

PACKAGES = ("sqlalchemy", "hypothesis", "anthropic", "openai", "pip", "pygments")
QUESTION = "where are failed requests retried"
ASKED = 15
LIMIT_BYTES = 1_000_000
FILES_A_COMMIT = 400


def rows(options: Options) -> Iterator[Row]:
    with scratch() as place:
        code = Path(place, "code")
        count = sum(_copied(package, code) for package in PACKAGES)
        found: dict[str, list[float]] = {}
        for turn in range(options.rounds + 1):
            for part in ("parse", "read", "hash", "build", "again"):
                said = _run(part, code, Path(place))
                if turn:
                    for name, figure in said.items():
                        found.setdefault(name, []).append(figure)
    mine = {name: median(figures) for name, figures in found.items()}
    yield Row(
        f"index of {count:,} files, stored, CPU", "ms", mine["build"], mine["parse"], 1.8, note="peer: parsing only"
    )
    yield Row("   read, not stored", "ms", mine["read"], mine["parse"])
    yield Row("nothing changed, CPU", "ms", mine["again"], mine["hash"], 2.0, note="peer: hashing all files")
    yield Row("memory to build it", "MB", mine["memory"])
    yield Row(f"a question to {mine['pieces']:,.0f} pieces, CPU", "ms", mine["question"])


def _copied(package: str, code: Path) -> int:
    """Copy a package's own sources; return how many files."""
    specification = importlib.util.find_spec(package)
    if specification is None or not specification.submodule_search_locations:
        return 0
    source = Path(next(iter(specification.submodule_search_locations)))
    files = [file for file in source.rglob("*.py") if file.stat().st_size <= LIMIT_BYTES]
    for file in files:
        target = code / package / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    return len(files)


def _run(part: str, code: Path, place: Path) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__)), part, str(code), str(place)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    return {name: float(figure) for name, figure in (line.split() for line in said.splitlines())}


# ---------------------------------------------------------------- in a process of its own


def main(part: str, code: Path, place: Path) -> None:
    """Do one part of the work and print what it took, a name and a figure a line."""
    sys.path.insert(0, str(REPOSITORY / "server"))
    {"parse": _parse, "read": _read, "hash": _hash, "build": _build, "again": _again}[part](code, place)


def _parse(code: Path, _: Path) -> None:
    from tree_sitter import Parser

    from attache.index.languages import languages

    language = languages().get("python")
    if language is None:
        raise RuntimeError("Python is not among the languages")
    parser = Parser(language.grammar.language)
    began = time.process_time()
    for file in code.rglob("*.py"):
        parser.parse(file.read_bytes())
    print("parse", 1000 * (time.process_time() - began))


def _read(code: Path, _: Path) -> None:
    from attache.index.languages import languages
    from attache.index.parse import parse

    language = languages().get("python")
    began = time.process_time()
    for file in code.rglob("*.py"):
        parse(language, file.read_bytes())
    print("read", 1000 * (time.process_time() - began))


def _hash(code: Path, _: Path) -> None:
    began = time.process_time()
    for file in code.rglob("*.py"):
        hashlib.blake2b(file.read_bytes(), digest_size=16).digest()
    print("hash", 1000 * (time.process_time() - began))


def _build(code: Path, place: Path) -> None:
    shutil.rmtree(place / "index", ignore_errors=True)
    (place / "index").mkdir()
    began = time.process_time()
    _refresh(code, place)
    print("build", 1000 * (time.process_time() - began))
    print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _again(code: Path, place: Path) -> None:
    from attache.index.reader import Reader
    from attache.index.search import search
    from attache.workspace.paths import Root

    began = time.process_time()
    _refresh(code, place)
    print("again", 1000 * (time.process_time() - began))
    with Root(code) as root:
        reader = Reader(root, place / "index/index.db", max_file_bytes=LIMIT_BYTES)
        print("pieces", reader.rows("SELECT count(*) FROM pieces")[0][0])
        taken: list[float] = []
        for _ in range(ASKED):
            began = time.process_time()
            search(reader, QUESTION, 10, "hybrid")
            taken.append(1000 * (time.process_time() - began))
        print("question", median(taken))
        reader.close()


def _refresh(code: Path, place: Path) -> None:
    from contextlib import closing

    from attache.index.scan import Scan
    from attache.index.store import Store
    from attache.workspace.paths import Root

    folder = place / "index"
    with (
        Root(code) as root,
        closing(Store(folder / "index.db")) as store,
        closing(Scan(root, store, max_file_bytes=LIMIT_BYTES, current=folder / "current")) as scan,
    ):
        for number, _ in enumerate(scan.refresh()):
            if number % FILES_A_COMMIT == 0:
                store.commit()
        store.commit()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
