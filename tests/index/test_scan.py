from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from attache.index.reader import Reader
from attache.index.scan import Scan
from attache.index.search import search
from attache.index.store import DEAD_LEAST, Store
from attache.index.symbols import outline, symbols
from attache.workspace.paths import Root

LONG_AGO = 1_600_000_000


class Folder:
    """A folder and its index, refreshed by hand."""

    def __init__(self, path: Path, place: Path) -> None:
        self.path = path
        self.place = place
        self.root = Root(path)
        self.store = Store(place / "index.db")
        self.scan = Scan(self.root, self.store, max_file_bytes=100_000, current=place / "current")
        self.reader = Reader(self.root, place / "index.db", max_file_bytes=100_000)

    def write(self, name: str, text: str | bytes, *, age: int = 0) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        os.utime(file, (LONG_AGO + age, LONG_AGO + age))
        return file

    def refresh(self, *paths: str) -> int:
        """Return how many files were looked at."""
        count = sum(1 for _ in self.scan.refresh(paths or None))
        self.store.commit()
        return count

    def ids(self) -> dict[str, int]:
        return {path: known.id for path, known in self.store.known().items()}

    def names(self) -> list[str]:
        return [one.name for one in symbols(self.reader, "", "", 1_000)]

    def troubles(self) -> dict[str, str]:
        return dict(self.store.connection.execute("SELECT path, trouble FROM files WHERE trouble != ''"))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "code").mkdir()
    made = Folder(tmp_path / "code", tmp_path)
    yield made
    made.reader.close()
    made.scan.close()
    made.store.close()
    made.root.close()


def test_only_what_changed_is_read_again(folder: Folder) -> None:
    for name in ("a", "b", "c", "d"):
        folder.write(f"{name}.py", f"def {name}(): pass\n")
    folder.refresh()
    before = folder.ids()
    folder.write("b.py", "def b2(): pass\n", age=1)
    folder.write("c.py", "def c(): pass\n", age=1)  # written again, the same
    (folder.path / "d.py").unlink()
    folder.refresh()
    after = folder.ids()
    assert after["a.py"] == before["a.py"]
    assert after["b.py"] != before["b.py"]
    assert after["c.py"] == before["c.py"]
    assert folder.store.known()["c.py"].mtime_ns == (LONG_AGO + 1) * 10**9
    assert folder.names() == ["a", "b2", "c"]


def test_a_file_that_just_changed_is_compared_by_its_text(folder: Folder) -> None:
    file = folder.write("a.py", "def a(): pass\n")
    os.utime(file)
    folder.refresh()
    assert folder.store.known()["a.py"].mtime_ns == -1
    times = file.stat()
    file.write_text("def b(): pass\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as if within one tick of a coarse clock
    folder.refresh()
    assert folder.names() == ["b"]


def test_a_path_that_is_not_on_record_is_looked_for_among_all(folder: Folder) -> None:
    folder.write("a.py", "def a(): pass\n")
    folder.write(".gitignore", "made/\n")
    folder.refresh()
    folder.write("a.py", "def a2(): pass\n", age=1)
    assert folder.refresh("a.py") == 1
    folder.write("b.py", "def b(): pass\n")
    folder.write("made/c.py", "def c(): pass\n")
    folder.refresh("b.py", "made/c.py")
    assert folder.names() == ["a2", "b"]


def test_what_is_left_out_is_said(folder: Folder) -> None:
    folder.write("large.py", "x = 1\n" * 20_000)
    folder.write("binary.txt", b"\0\1\2" * 100)
    folder.write("app.min.js", "function f(){return 1};" * 3_000)
    folder.write("fine.py", "def fine(): pass\n")
    folder.refresh()
    assert folder.troubles() == {
        "large.py": "is too large: 0.1 MB, the limit being 0.1 MB",
        "binary.txt": "is not text: it holds NUL",
        "app.min.js": "is minified: 69,000 bytes in 1 lines",
    }
    assert folder.names() == ["fine"]


def test_two_hundred_megabytes_are_not_read(folder: Folder) -> None:
    with (folder.path / "huge.log").open("wb") as file:
        file.truncate(200_000_000)
    folder.refresh()
    assert folder.troubles() == {"huge.log": "is too large: 200.0 MB, the limit being 0.1 MB"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_said(folder: Folder) -> None:
    folder.write("secret.py", "def a(): pass\n").chmod(0)
    folder.refresh()
    assert "cannot be read" in folder.troubles()["secret.py"]


def test_a_folder_instead_of_a_file_is_said(folder: Folder) -> None:
    folder.write("a.py", "def a(): pass\n")
    folder.refresh()
    (folder.path / "a.py").unlink()
    (folder.path / "a.py").mkdir()
    folder.refresh("a.py")
    assert "a.py" in folder.troubles()
    folder.refresh()
    assert not folder.ids()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own on Windows")
def test_a_loop_of_links_ends(folder: Folder) -> None:
    folder.write("a/b/c.py", "def c(): pass\n")
    (folder.path / "a" / "b" / "up").symlink_to(folder.path / "a")
    (folder.path / "self").symlink_to(folder.path / "self")
    folder.refresh()
    assert list(folder.ids()) == ["a/b/c.py"]


@pytest.mark.parametrize("name", ["with space.py", "a#b.py", "100%25.py", "größe/日本.py", "it's.py"])
def test_any_name_works(folder: Folder, name: str) -> None:
    folder.write(name, "def odd(): pass\n")
    folder.refresh()
    assert [(one.path, one.name) for one in outline(folder.reader, name)] == [(name, "odd")]
    assert [hit.path for hit in search(folder.reader, "odd", 5, "hybrid")] == [name]


def test_other_encodings_are_read(folder: Folder) -> None:
    folder.write("latin.py", "def straße(): pass\n".encode("latin-1"))
    folder.write("wide.py", "def weit(): pass\n".encode("utf-16"))
    folder.write("marked.py", b"\xef\xbb\xbfdef marked(): pass\n")
    folder.refresh()
    assert sorted(folder.names()) == ["marked", "straße", "weit"]
    assert [one.column for one in outline(folder.reader, "marked.py")] == [5]


def test_pictures_and_locks_are_passed_over_in_silence(folder: Folder) -> None:
    folder.write("logo.png", b"\x89PNG\0")
    folder.write("package-lock.json", "{}")
    folder.refresh()
    assert not folder.ids()


def test_what_is_dead_goes_when_it_is_half(folder: Folder) -> None:
    text = "".join(f"def f{n}():\n    pass\n\n\n" for n in range(500))
    folder.write("a.py", text)
    folder.refresh()
    age = 0
    while not folder.store.mostly_dead:
        age += 1
        folder.write("a.py", f"{text}\n# {age}\n", age=age)
        folder.refresh()
    assert age == DEAD_LEAST // 500 + 1
    words = "SELECT count(*) FROM words_docsize"
    assert folder.store.connection.execute(words).fetchone()[0] > DEAD_LEAST
    for _ in folder.scan.rebuild():
        assert len(folder.names()) == 500  # readers keep what they have
    folder.store.commit()
    assert folder.store.connection.execute(words).fetchone()[0] == 501
    assert folder.store.connection.execute(
        "SELECT count(*) FROM uses WHERE file NOT IN (SELECT id FROM files)"
    ).fetchone() == (0,)
    assert len(folder.names()) == 500
    assert search(folder.reader, "f7", 1, "hybrid")[0].symbol == "f7"


def test_a_word_in_a_hurry_is_read_first(folder: Folder) -> None:
    for number in range(50):
        folder.write(f"m{number:02}.py", f"def f{number}(): pass\n")
    steps = folder.scan.refresh()
    next(steps)
    assert folder.names() == []
    folder.scan.hurry("f40")
    folder.store.commit()
    assert folder.names() == ["f0", "f40"]
    for _ in steps:
        pass
    folder.store.commit()
    assert len(folder.names()) == 50


def test_a_file_on_which_the_process_died_twice_is_left_out(folder: Folder) -> None:
    folder.write("a.py", "def a(): pass\n")
    folder.write("bad.py", "def bad(): pass\n")
    current, database = folder.place / "doing", folder.place / "other.db"
    seen: list[tuple[str, ...]] = []
    for _ in range(3):
        current.write_bytes(b"bad.py\n")  # as a process leaves it that dies while it reads
        with closing(Store(database)) as store, closing(Scan(folder.root, store, max_file_bytes=99, current=current)):
            seen.append(tuple(store.known()))
    assert seen == [(), ("bad.py",), ("bad.py",)]
    with closing(Store(database)) as store:
        with closing(Scan(folder.root, store, max_file_bytes=99, current=current)) as scan:
            for _ in scan.refresh():
                pass
        status = store.census("ready", pending=0, skipped=())
    assert status.skipped == (("bad.py", "the parser broke down on it"),)
    assert status.files == 1


def test_one_death_is_forgiven(folder: Folder) -> None:
    folder.write("a.py", "def a(): pass\n")
    current = folder.place / "doing"
    for _ in range(2):
        current.write_bytes(b"a.py\n")
        with closing(Scan(folder.root, folder.store, max_file_bytes=99, current=current)) as scan:
            for _ in scan.refresh():
                pass
        folder.store.commit()
    assert folder.names() == ["a"]
    assert folder.troubles() == {}


def test_readers_see_what_is_committed_and_nothing_else(folder: Folder) -> None:
    folder.write("a.py", "def a(): pass\n")
    for _ in folder.scan.refresh():
        pass
    assert folder.names() == []
    folder.store.commit()
    assert folder.names() == ["a"]


def test_a_reader_cannot_write(folder: Folder) -> None:
    folder.refresh()
    folder.write("a.py", "def a(): pass\n")
    folder.refresh()
    assert folder.reader.rows("DELETE FROM files") == []
    assert folder.names() == ["a"]
