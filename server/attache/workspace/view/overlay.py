"""What a command left in an overlay: read from its upper layer, which is then emptied of all but ignored files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from attache.workspace.paths import Root
from attache.workspace.view.changes import Entry, Found
from attache.workspace.view.ignoring import Ignoring

OPAQUE = "user.overlay.opaque"
REMOVED_LIMIT = 5_000
"""Files of a removed folder, ignored ones included, that are removed with it; of more, the ignored ones stay."""
NEVER_KEPT = frozenset({"__pycache__"})
"""Compiled text is told from newer text by whole seconds and its length, which is too little between two runs."""


class Upper:
    """The upper layer over one root, and the layer of unsaved texts between them."""

    def __init__(self, root: Root, folder: Path, buffers: Path) -> None:
        self._root = root
        self._folder = folder
        self._buffers = buffers
        self._ignoring = Ignoring(root, folder)

    def found(self) -> Found:
        """Return what is there now."""
        found = Found()
        self._look("", found)
        return found

    def _look(self, base: str, found: Found) -> None:
        with os.scandir(self._folder / base) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            path = base + entry.name
            known = entry.stat(follow_symlinks=False)
            whiteout = stat.S_ISCHR(known.st_mode) and known.st_rdev == 0
            is_folder = stat.S_ISDIR(known.st_mode)
            lower = self._lower(path)
            lower_folder = lower is not None and lower.is_dir() and not lower.is_symlink()
            if self._ignoring(path, folder=is_folder or (whiteout and lower_folder)):
                found.kept.append(path)
            elif path.encode("utf-8", "replace").decode() != path:
                found.strange.append(f"{path.encode('utf-8', 'replace').decode()} (its name is not UTF-8)")
            elif whiteout:
                self._gone(path, lower, found, folder=lower_folder)
            elif is_folder:
                self._in_folder(path, lower, found, there=lower_folder)
            elif lower_folder:
                found.strange.append(f"{path} (a folder became a file)")
            else:
                found.entries.append(Entry(self._at(path), lower, self._folder / path))

    def _in_folder(self, path: str, lower: Path | None, found: Found, *, there: bool) -> None:
        if lower is not None and not there:
            found.strange.append(f"{path} (a file became a folder)")
            return
        if there and _opaque(self._folder / path):
            for name in sorted(place.name for place in (self._root.path / path).iterdir()):
                if not os.path.lexists(self._folder / path / name):
                    self._gone_below(f"{path}/{name}", found)
        if not there:
            found.made.append(self._at(path))
        self._look(f"{path}/", found)

    def _gone_below(self, path: str, found: Found) -> None:
        lower = self._lower(path)
        self._gone(path, lower, found, folder=lower is not None and lower.is_dir() and not lower.is_symlink())

    def _gone(self, path: str, lower: Path | None, found: Found, *, folder: bool) -> None:
        if lower is None:
            return
        if not folder:
            found.entries.append(Entry(self._at(path), lower, None))
            return
        files = list(_below(self._root.path / path))
        everything = len(files) <= REMOVED_LIMIT
        for name in files:
            inside = f"{path}/{name}"
            place = self._root.path / inside
            if place.is_dir() and not place.is_symlink():
                if everything or not self._ignoring(inside, folder=True):
                    found.removed.append(self._at(inside))
            elif everything or not self._ignoring(inside, folder=False):
                found.entries.append(Entry(self._at(inside), self._lower(inside), None))
        found.removed.append(self._at(path))

    def _lower(self, path: str) -> Path | None:
        """Return where the command found what lies below the upper layer."""
        unsaved = self._buffers / path
        if os.path.lexists(unsaved) and not unsaved.is_dir():
            return unsaved
        disk = self._root.path / path
        return disk if os.path.lexists(disk) else None

    def _at(self, path: str) -> Path:
        return self._root.path / path

    # ------------------------------------------------------------ clearing

    def clear(self, *, keep: bool) -> None:
        """Empty the layer: of all, or of all but what is ignored."""
        self._clear("", keep=keep)

    def _clear(self, base: str, *, keep: bool) -> None:
        with os.scandir(self._folder / base) as entries:
            listed = list(entries)
        for entry in listed:
            path = base + entry.name
            place = self._folder / path
            is_folder = entry.is_dir(follow_symlinks=False)
            if keep and entry.name not in NEVER_KEPT and self._ignoring(path, folder=is_folder):
                continue
            if not is_folder:
                place.unlink()
            elif not keep or entry.name in NEVER_KEPT:
                remove(place)
            else:
                with suppress(OSError):
                    os.removexattr(place, OPAQUE)
                self._clear(f"{path}/", keep=True)
                with suppress(OSError):
                    place.rmdir()


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, also what a command made unwritable."""
    if not folder.exists():
        return
    with suppress(OSError):
        shutil.rmtree(folder)
        return
    for path, folders, _ in os.walk(folder):
        for name in folders:  # before they are entered: the overlay's own work folder is closed to its owner
            if not (place := Path(path) / name).is_symlink():
                place.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _below(folder: Path) -> Iterator[str]:
    """Yield what lies in a folder, the innermost first, by the path from there."""
    for path, folders, files in os.walk(folder, topdown=False):
        inside = Path(path).relative_to(folder)
        for name in (*files, *folders):
            yield (inside / name).as_posix()


def _opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
