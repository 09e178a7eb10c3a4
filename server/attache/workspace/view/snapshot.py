"""The view where no overlay can be had: a copy of a root, brought up to date before each command, compared after it.

Folders that others wrote (dependencies) are not copied; ignored folders begin empty and keep what commands leave there.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from attache.schema.errors import PathRefused
from attache.workspace.paths import Root
from attache.workspace.view.changes import Entry, Found
from attache.workspace.view.ignoring import Ignoring
from attache.workspace.view.overlay import NEVER_KEPT, remove
from attache.workspace.walk import SKIPPED_FOLDERS

FICLONE = 0x40049409
CHUNK = 1 << 20
GIT_COPIED = ("HEAD", "config", "index", "packed-refs", "refs", "info", "modules")


class Mark(NamedTuple):
    """What tells whether a file was touched."""

    inode: int
    size: int
    mode: int
    mtime_ns: int
    ctime_ns: int


class Copy:
    """The copy of one root. With `linked`, dependencies and git's folder are links and copies, else mounted there."""

    def __init__(self, root: Root, folder: Path, buffers: Path, *, linked: bool) -> None:
        self._root = root
        self._folder = folder
        self._buffers = buffers
        self._linked = linked
        self._mounted: Mapping[str, object] = {}
        self._theirs: dict[str, Mark] = {}  # of the files on disk, as they were when they were copied
        self._ours: dict[str, Mark] = {}  # of the copies, as they were before the command
        self._folders: set[str] = set()
        self._left: tuple[dict[str, Mark], set[str]] = {}, set()  # of the copies and folders, as the command left them

    def renew(self, mounted: Mapping[str, object]) -> None:
        """Make the copy what stands on disk now; what is mounted over it is left alone."""
        ignoring = Ignoring(self._root)
        theirs, folders = self._scan(self._root.path, ignoring, mounted)
        ours, our_folders = self._left
        for path in ours.keys() - theirs.keys():
            if not ignoring(path, folder=False):
                (self._folder / path).unlink(missing_ok=True)
                del ours[path]
        for path in sorted(our_folders - folders, reverse=True):
            with suppress(OSError):
                (self._folder / path).rmdir()
                our_folders.discard(path)
        for path in sorted(folders - our_folders):
            self._make_folder(path)
        for path, mark in theirs.items():
            if self._theirs.get(path) != mark or path not in ours or ours[path] != self._ours.get(path):
                with suppress(FileNotFoundError, PermissionError, PathRefused):
                    self._copy(path)
                    ours[path] = _mark((self._folder / path).lstat())
        self._theirs, self._ours, self._folders = theirs, ours, our_folders | folders
        self._mounted = mounted
        if self._linked:
            self._link(mounted)

    def _make_folder(self, path: str) -> None:
        place = self._folder / path
        if os.path.lexists(place) and not place.is_dir():
            place.unlink()
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(stat.S_IMODE((self._root.path / path).stat().st_mode) | 0o700)

    def lay(self, path: str) -> None:
        """Put an unsaved text, which lies in the layer of buffers, into the copy."""
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        self._folders |= {parent.as_posix() for parent in Path(path).parents[:-1]}
        place.unlink(missing_ok=True)
        shutil.copy2(self._buffers / path, place)
        self._theirs.pop(path, None)
        self._ours[path] = _mark(place.lstat())

    def found(self) -> Found:
        """Return what a command left in the copy."""
        ignoring = Ignoring(self._root, self._folder)
        found = Found()
        now, folders = self._scan(self._folder, ignoring, self._mounted)
        self._left = dict(now), set(folders)
        for path in sorted(now.keys() | self._ours.keys()):
            if now.get(path) == self._ours.get(path):
                continue
            if ignoring(path, folder=False):
                found.kept.append(path)
            elif path in now and path not in self._ours and path in self._folders:
                found.strange.append(f"{path} (a folder became a file)")
            elif path in self._ours and path in folders:
                found.strange.append(f"{path} (a file became a folder)")
            else:
                after = self._folder / path if path in now else None
                found.entries.append(Entry(self._root.path / path, self._base(path), after))
        found.made = [self._root.path / path for path in sorted(folders - self._folders)]
        found.removed = [self._root.path / path for path in sorted(self._folders - folders)]
        return found

    def clear(self, *, keep: bool) -> None:
        """Forget what commands left; ignored files stay where `keep` says so."""
        if not keep:
            remove(self._folder)
            self._folder.mkdir()
            self._theirs, self._ours, self._folders, self._left = {}, {}, set(), ({}, set())
            return
        for path, folders, _ in os.walk(self._folder):
            for name in NEVER_KEPT.intersection(folders):
                remove(Path(path) / name)

    # ------------------------------------------------------------ inside

    def _base(self, path: str) -> Path | None:
        for place in (self._buffers / path, self._root.path / path):
            if os.path.lexists(place) and path in self._ours:
                return place
        return None

    def _scan(self, top: Path, ignoring: Ignoring, mounted: Mapping[str, object]) -> tuple[dict[str, Mark], set[str]]:
        """Return the marks of all files and links, and the folders; ignored folders are not entered."""
        marks: dict[str, Mark] = {}
        found: set[str] = set()
        way = [""]
        while way:
            base = way.pop()
            for entry in _entries(top / base):
                path = base + entry.name
                known = entry.stat(follow_symlinks=False)
                if path in mounted or entry.name in SKIPPED_FOLDERS:
                    continue
                if stat.S_ISDIR(known.st_mode):
                    if not ignoring(path, folder=True):
                        found.add(path)
                        way.append(f"{path}/")
                elif stat.S_ISREG(known.st_mode) or stat.S_ISLNK(known.st_mode):
                    marks[path] = _mark(known)
        return marks, found

    def _copy(self, path: str) -> None:
        place = self._folder / path
        with suppress(FileNotFoundError):
            place.unlink()
        with self._root.spot(path, follow=False) as (folder, name):
            known = folder.stat(name)
            if known is None:
                return
            if stat.S_ISLNK(known.st_mode):
                place.symlink_to(os.readlink(folder.at(name), dir_fd=folder.fd))
                return
            source = folder.open(name, os.O_RDONLY)
        try:
            target = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _clone(source, target)
            finally:
                os.close(target)
            place.chmod(stat.S_IMODE(known.st_mode))
            os.utime(place, ns=(known.st_atime_ns, known.st_mtime_ns))
        finally:
            os.close(source)

    def _link(self, mounted: Mapping[str, object]) -> None:
        for path in mounted:
            place, disk = self._folder / path, self._root.path / path
            if path == ".git" and disk.is_dir():
                _copy_git(disk, place)
            elif not os.path.lexists(place):
                place.symlink_to(disk)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _mark(known: os.stat_result) -> Mark:
    return Mark(known.st_ino, known.st_size, known.st_mode, known.st_mtime_ns, known.st_ctime_ns)


def _clone(source: int, target: int) -> None:
    """Copy bytes, without copying them where the file system can share them."""
    if sys.platform == "linux" and os.fstat(source).st_size > CHUNK:
        import fcntl

        with suppress(OSError):
            fcntl.ioctl(target, FICLONE, source)
            return
    while data := os.read(source, CHUNK):
        while data:
            data = data[os.write(target, data) :]


def _copy_git(disk: Path, place: Path) -> None:
    """Make a repository of its own that reads the objects of the real one, which no command changes through it."""
    index = disk / "index"
    if place.is_dir() and (not index.exists() or (place / "index").exists()):
        known = (place / "HEAD").read_bytes() if (place / "HEAD").exists() else b""
        if known == (disk / "HEAD").read_bytes() and (place / "stamp").exists():
            stamp = (place / "stamp").read_text()
            if stamp == _stamp(disk):
                return
    remove(place)
    (place / "objects" / "info").mkdir(parents=True)
    (place / "objects" / "info" / "alternates").write_text(f"{disk / 'objects'}\n")
    for name in GIT_COPIED:
        with suppress(FileNotFoundError):
            if (disk / name).is_dir():
                shutil.copytree(disk / name, place / name, symlinks=True)
            else:
                shutil.copy2(disk / name, place / name)
    (place / "stamp").write_text(_stamp(disk))


def _stamp(disk: Path) -> str:
    """Return what changes whenever the branch, the index or the commit does."""
    known: list[str] = []
    for name in ("HEAD", "index", "packed-refs", "logs/HEAD"):
        with suppress(OSError):
            known.append(f"{name} {(disk / name).stat().st_mtime_ns}")
    return "\n".join(known)
