"""One root as commands find it: an overlay over it or a copy of it, with the unsaved texts laid over either."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from attache.schema.errors import EditRefused, ToolError
from attache.workspace.documents import text_hash
from attache.workspace.files import encode, read_disk
from attache.workspace.paths import Root
from attache.workspace.view.changes import Found
from attache.workspace.view.overlay import Upper
from attache.workspace.view.plan import Laid
from attache.workspace.view.snapshot import Copy
from attache.workspace.view.world import read_only

ONE_SECOND_NS = 1_000_000_000
LOOK_AGAIN_SECONDS = 20.0
Texts = Mapping[str, str]
"""Texts of open documents by their path from the root."""


class Layer(Protocol):
    """A root as commands find it."""

    laid: Laid
    root: Root
    read_only: Mapping[str, str]
    """What commands read in place: path from the root -> where it lies."""

    def renew(self, texts: Texts) -> None:
        """Show what stands on disk now, and these texts over it."""
        ...

    def found(self) -> Found:
        """Return what a command left."""
        ...

    def clear(self, *, keep: bool) -> None:
        """Forget what commands left; ignored files stay where `keep` says so."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that commands were shown in place of what is on disk."""

    hash: str
    mtime_ns: int


class Unsaved:
    """The layer of texts over one root that are not what stands on disk, each newer than whatever was made before it.

    A text that commands have seen stays newer than what they made of it, also when it is given up: then what stands on
    disk is shown with a fresh time, or a build would take what was made of the lost text for up to date.
    """

    def __init__(self, root: Root, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._shown: dict[str, Shown] = {}

    def renew(self, texts: Texts) -> tuple[str, ...]:
        """Lay these texts, and return the paths of all that is laid."""
        for path in texts:
            self._lay(path, texts[path])
        for path in [path for path in self._shown if path not in texts]:
            self._given_up(path)
        return tuple(self._shown)

    def clear(self) -> None:
        """Forget what was shown, with everything that was made of it."""
        for path in tuple(self._shown):
            self._drop(path)

    def _lay(self, path: str, text: str) -> None:
        try:
            known = read_disk(self._root, path)
            same, encoding, bom = known.text == text, known.encoding, known.bom
        except ToolError:
            same, encoding, bom = False, "utf-8", False
        if same and path not in self._shown:
            return
        if same:
            self._given_up(path)
            return
        try:
            data = encode(text, encoding, bom=bom)
        except EditRefused:
            data = text.encode("utf-8", "replace")
        self._write(path, data, text_hash(text))

    def _given_up(self, path: str) -> None:
        """Show what stands on disk again; with a fresh time where that is not what was shown."""
        try:
            known = read_disk(self._root, path)
            changed = (self._root.path / path).stat().st_mtime_ns
        except (ToolError, OSError):
            self._drop(path)
            return
        if changed > self._shown[path].mtime_ns or known.hash == self._shown[path].hash:
            self._drop(path)
        else:
            self._write(path, encode(known.text, known.encoding, bom=known.bom), known.hash)

    def _write(self, path: str, data: bytes, hash_: str) -> None:
        if (shown := self._shown.get(path)) and shown.hash == hash_:
            return
        place, disk = self._folder / path, self._root.path / path
        mode, was, mtime_ns = 0o644, 0, time.time_ns()
        with suppress(OSError):
            mode, was = disk.stat().st_mode & 0o7777, disk.stat().st_mtime_ns
        if was // ONE_SECOND_NS >= mtime_ns // ONE_SECOND_NS:
            # In whole seconds, too, it is newer: that is all that compiled Python looks at.
            mtime_ns = (was // ONE_SECOND_NS + 1) * ONE_SECOND_NS
        self._folders(path)
        place.unlink(missing_ok=True)
        place.write_bytes(data)
        place.chmod(mode)
        os.utime(place, ns=(mtime_ns, mtime_ns))
        self._shown[path] = Shown(hash_, mtime_ns)

    def _folders(self, path: str) -> None:
        """Make the folders of a path with the modes that they have on disk: the topmost layer decides what is shown."""
        for parent in reversed(Path(path).parents[:-1]):
            place = self._folder / parent
            if not place.is_dir():
                place.mkdir()
                with suppress(OSError):
                    known = (self._root.path / parent).stat()
                    place.chmod(known.st_mode & 0o7777)
                    os.utime(place, ns=(known.st_atime_ns, known.st_mtime_ns))

    def _drop(self, path: str) -> None:
        (self._folder / path).unlink(missing_ok=True)
        self._shown.pop(path, None)


class ReadInPlace:
    """The folders of a root that commands read in place; looked for again after a while, or when the root changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, str] = {}
        self._when = (0, -LOOK_AGAIN_SECONDS)

    def now(self) -> Mapping[str, str]:
        """Return them by their path from the root, with where they lie."""
        changed, looked = self._root.stat().st_mtime_ns, time.monotonic()
        if changed != self._when[0] or looked - self._when[1] > LOOK_AGAIN_SECONDS:
            self._known, self._when = read_only(self._root), (changed, looked)
        return self._known


class Overlaid:
    """A root under an overlay."""

    def __init__(self, root: Root, folder: Path) -> None:
        for name in ("buffers", "upper", "work"):
            (folder / name).mkdir()
        (folder / "upper").chmod(root.path.stat().st_mode & 0o7777 | 0o700)
        self.root = root
        self._folder = folder
        self._unsaved = Unsaved(root, folder / "buffers")
        self._seen = ReadInPlace(root.path)
        self.read_only: Mapping[str, str] = {}
        upper, work = str(folder / "upper"), str(folder / "work")
        lowers = (str(folder / "buffers"), str(root.path))
        self.laid = Laid(at=str(root.path), lowers=lowers, upper=upper, work=work)

    def renew(self, texts: Texts) -> None:
        """Show what stands on disk now, and these texts over it."""
        self.read_only = self._seen.now()
        (self._folder / "buffers").chmod(self.root.path.stat().st_mode & 0o7777 | 0o700)
        self._unsaved.renew(texts)

    def found(self) -> Found:
        """Return what a command left."""
        return self._upper().found()

    def clear(self, *, keep: bool) -> None:
        """Forget what commands left; ignored files stay where `keep` says so."""
        self._upper().clear(keep=keep)
        if not keep:
            self._unsaved.clear()

    def _upper(self) -> Upper:
        return Upper(self.root, self._folder / "upper", self._folder / "buffers")


class Copied:
    """A root as a copy of it. `mounted`: the copy stands under the root's own name, with what is read in place."""

    def __init__(self, root: Root, folder: Path, *, mounted: bool) -> None:
        for name in ("buffers", "copy"):
            (folder / name).mkdir()
        self.root = root
        self._seen = ReadInPlace(root.path)
        self.read_only: Mapping[str, str] = {}
        self._unsaved = Unsaved(root, folder / "buffers")
        self._copy = Copy(root, folder / "copy", folder / "buffers", linked=not mounted)
        self.laid = Laid(at=str(root.path), copy=str(folder / "copy"))

    def renew(self, texts: Texts) -> None:
        """Show what stands on disk now, and these texts over it."""
        self.read_only = self._seen.now()
        self._copy.renew(self.read_only)
        for path in self._unsaved.renew(texts):
            self._copy.lay(path)

    def found(self) -> Found:
        """Return what a command left."""
        return self._copy.found()

    def clear(self, *, keep: bool) -> None:
        """Forget what commands left; ignored files stay where `keep` says so."""
        self._copy.clear(keep=keep)
        if not keep:
            self._unsaved.clear()


def moved_since(found: Found, layer: Layer, started_ns: int) -> Iterator[str]:
    """Yield what stands on disk otherwise than the command saw it: changed since, by somebody else."""
    for entry in found.entries:
        if entry.before is not None and entry.before == entry.at:
            with suppress(FileNotFoundError):
                if entry.at.lstat().st_ctime_ns >= started_ns:
                    yield entry.at.relative_to(layer.root.path).as_posix()
