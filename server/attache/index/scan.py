"""Bring the store up to date with a folder: look at every file, read those that changed."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from attache.index.asides import is_aside
from attache.index.languages import languages, suffix
from attache.index.parse import parse, split
from attache.index.parsed import Parsed
from attache.index.store import Content, Known, Store, fingerprint, piece_words
from attache.schema.errors import FileMissing, FileSkipped, PathRefused
from attache.workspace.files import decode, read_bytes
from attache.workspace.paths import Root
from attache.workspace.walk import walk

CLOCK_NS = 2_000_000_000
"""A file younger than this may change again without its time saying so, on the coarsest of clocks."""
MINIFIED_BYTES = 50_000
MINIFIED_LINE = 1_000
"""Bytes a line, on average, from which a file of some size was written by a program for a program."""
HURRIED_FILES = 50
_SNIFFED = 8_192
_NAME_BYTES = 65_536

_MEDIA = frozenset({
    ".png", ".jpg", ".jpeg", ".gif", ".ico", ".icns", ".webp", ".bmp", ".tif", ".tiff", ".psd", ".pdf", ".ps", ".eps",
    ".mp3", ".mp4", ".m4a", ".wav", ".ogg", ".flac", ".avi", ".mov", ".webm", ".woff", ".woff2", ".ttf", ".otf", ".eot",
    ".zip", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz", ".jar", ".war", ".whl", ".egg",
    ".so", ".dylib", ".dll", ".exe", ".a", ".o", ".obj", ".lib", ".pyc", ".pyo", ".class", ".wasm", ".node", ".bin",
    ".dat", ".db", ".sqlite", ".sqlite3", ".npy", ".npz", ".pkl", ".parquet", ".onnx", ".pt", ".mo",
    ".map", ".lock", ".sum", ".svg", ".po", ".pot",
})  # fmt: skip
_MADE = frozenset({"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "bun.lockb"})
"""Files that nobody looks for words in; they are passed over without a reason being told."""

NOTHING = Content(Parsed("", (), {}, (), ()), ())
"""What is in a file that is not read."""


def read(path: str, data: bytes) -> Content:
    """Read one text, in UTF-8, as the file at `path`."""
    parsed = parse(languages().of(path), data)
    return Content(parsed, piece_words(path, parsed, split(data)))


def read_text(root: Root, path: str, limit_bytes: int) -> bytes:
    """Return a file's text in UTF-8; raises FileMissing, FileSkipped with the reason, or PathRefused."""
    data = read_bytes(root, path, limit_bytes=limit_bytes)
    if not data.isascii() or b"\0" in data[:_SNIFFED]:
        data = decode(data, path).text.encode("utf-8", "replace")
    lines = data.count(b"\n") + 1
    if len(data) > MINIFIED_BYTES and len(data) // lines > MINIFIED_LINE:
        raise FileSkipped(
            f"{path} is minified: {len(data):,} bytes in {lines:,} lines", hint="index what it is made of"
        )
    return data


class Scan:
    """One folder and the store that follows it. What takes long is a generator that yields after each file."""

    def __init__(self, root: Root, store: Store, *, max_file_bytes: int, current: Path) -> None:
        self._root = root
        self._store = store
        self._max_file_bytes = max_file_bytes
        self._current = _Current(current)
        self._pending: deque[str] = deque()
        self._known: dict[str, Known] = {}
        self.unlisted: tuple[tuple[str, str], ...] = ()
        """What could not even be listed, with the reason."""
        self._suspect()

    @property
    def pending(self) -> int:
        """Return how many files are still to be looked at."""
        return len(self._pending)

    def refresh(self, paths: Collection[str] | None = None) -> Iterator[None]:
        """Look at some files, or at all: those that are not on record may be new, or ignored, so that all are.

        What is on record of one that changed is replaced at once; the store is not committed.
        """
        self._known = self._store.known(paths)
        if paths is None or len(self._known) < len(set(paths)):
            self._known = self._store.known()
            paths = self._listed()
        self._pending = deque(paths)
        while self._pending:
            self._look(self._pending.popleft())
            yield
        self._current.note("")
        self._store.save("suspect", "")

    def rebuild(self) -> Iterator[None]:
        """Start over; readers keep what they have until the whole of it is committed."""
        self._store.clear()
        yield from self.refresh()

    def hurry(self, word: str) -> None:
        """Read the pending files that hold `word` before all others."""
        wanted = word.encode()
        found: list[str] = []
        for path in self._pending:
            if len(found) == HURRIED_FILES:
                break
            try:
                if wanted in read_bytes(self._root, path, limit_bytes=self._max_file_bytes):
                    found.append(path)
            except (FileMissing, FileSkipped, PathRefused):
                continue
        for path in found:
            self._pending.remove(path)
            self._look(path)

    def close(self) -> None:
        """Let go of the file that names what is being read."""
        self._current.note("")
        self._current.close()

    def _listed(self) -> list[str]:
        found = walk(self._root)
        paths = sorted((path for path in found if not _passed_over(path)), key=is_aside)  # our own code is known first
        self.unlisted = tuple(found.skipped)
        for gone in self._known.keys() - set(paths):
            self._store.drop(gone)
        return paths

    def _look(self, path: str) -> None:
        """Read a file again where it is not what it was."""
        known = self._known.get(path)
        status = _stat(self._root, path)
        if status is None:
            self._store.drop(path)
            return
        if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
        mtime_ns = status.st_mtime_ns if time.time_ns() - status.st_mtime_ns > CLOCK_NS else -1
        try:
            data = read_text(self._root, path, self._max_file_bytes)
        except FileMissing:
            self._store.drop(path)
        except (FileSkipped, PathRefused) as error:
            reason = error.message.removeprefix(path).lstrip(": ")
            self._store.put(path, status.st_size, mtime_ns, b"", _nothing(reason))
        else:
            hash_ = fingerprint(data)
            if known and known.hash == hash_:
                self._store.touch(path, status.st_size, mtime_ns)
                return
            self._current.note(path)
            self._store.put(path, status.st_size, mtime_ns, hash_, read(path, data))

    def _suspect(self) -> None:
        """Leave out the file on which the process died twice running; once may be anyone's doing."""
        path = self._current.last()
        if path and path == self._store.load("suspect") and (status := _stat(self._root, path)):
            self._store.put(path, status.st_size, status.st_mtime_ns, b"", _nothing("the parser broke down on it"))
        self._store.save("suspect", path)
        self._store.commit()
        self._current.note("")


class _Current:
    """A small file that names the file being read, so that the next process knows on which one this died."""

    def __init__(self, place: Path) -> None:
        place.touch()
        self._file = place.open("r+b", buffering=0)

    def last(self) -> str:
        self._file.seek(0)
        return self._file.read(_NAME_BYTES).partition(b"\n")[0].decode("utf-8", "replace")

    def note(self, path: str) -> None:
        self._file.seek(0)
        self._file.write(path.encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def _stat(root: Root, path: str) -> os.stat_result | None:
    try:
        return os.lstat(f"{root.path}/{path}")
    except OSError:
        return None


def _nothing(reason: str) -> Content:
    return NOTHING._replace(parsed=replace(NOTHING.parsed, trouble=reason))


def _passed_over(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in _MADE or suffix(name) in _MEDIA
