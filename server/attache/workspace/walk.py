"""The files below a folder, without what git ignores and what nobody wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from attache.schema.errors import PathRefused, ToolError
from attache.workspace.files import read_bytes
from attache.workspace.ignore import IgnoreFile, ignored
from attache.workspace.paths import Root

MAX_FILES = 1_000_000
"""More files are not listed."""
CUT = "only the first"
NO_TEXT = "its name is not UTF-8"
"""How the reason begins where a listing was cut."""
SKIPPED_FOLDERS = frozenset({
    ".git", ".hg", ".svn", ".jj", ".sl", "CVS",  # version control
    "node_modules", "bower_components", ".yarn", ".pnpm-store", "jspm_packages",  # what others wrote
    ".venv", ".tox", ".nox", ".direnv", "__pypackages__", ".eggs", ".bundle", ".cargo", ".gradle", ".m2",
    "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache", ".parcel-cache",  # made
    ".next", ".nuxt", ".svelte-kit", ".turbo", ".terraform", ".ipynb_checkpoints", "DerivedData",
})  # fmt: skip
"""Folders that hold nothing the user wrote, whether or not a .gitignore says so."""
SKIPPING_MARKS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
"""Files that say of the folder they lie in that it is a virtual environment, or a cache."""


class _Level(NamedTuple):
    """A folder on the way down: its path with a slash at the end, what of it is still to come, the rules in force."""

    base: str
    entries: Iterator[tuple[str, bool]]
    rules: tuple[IgnoreFile, ...]


class walk:  # noqa: N801 - used as a verb, like enumerate: `for path in walk(root)`
    """The files below a folder of a root, by path from the root, each folder in the order of its names.

    Left out are what .gitignore files say (those of the folders above too, up to the repository's, and its
    .git/info/exclude), SKIPPED_FOLDERS, and links: what they lead to inside is met at its own place. Once walked,
    `skipped` names what else was left out as (path, reason).
    """

    def __init__(self, root: Root, under: str = "", *, limit: int = MAX_FILES) -> None:
        self.skipped: list[tuple[str, str]] = []
        self._root = root
        self._under = under
        self._limit = limit

    def __iter__(self) -> Iterator[str]:
        with self._root.spot(self._under) as (folder, name):
            start = folder.path if name == "." else folder.child(name)
        way = [self._enter(f"{start}/" if start else "", rules_above(self._root, start))]
        count = 0
        while way:
            base, entries, rules = way[-1]
            for name, is_folder in entries:
                path = base + name
                if ignored(rules, path, name, folder=is_folder) or not self._speakable(path):
                    continue
                if is_folder:
                    way.append(self._enter(f"{path}/", rules))
                    break
                if count == self._limit:
                    self.skipped.append((path, f"{CUT} {count:,} files are listed"))
                    return
                count += 1
                yield path
            else:
                way.pop()

    def _enter(self, base: str, rules: tuple[IgnoreFile, ...]) -> _Level:
        try:
            entries = _entries(self._root, base)
        except (OSError, PathRefused) as error:
            self.skipped.append((base, getattr(error, "strerror", None) or str(error)))
            return _Level(base, iter(()), rules)
        names = {name for name, _ in entries}
        if base and not SKIPPING_MARKS.isdisjoint(names):
            return _Level(base, iter(()), rules)
        if ".gitignore" in names:
            rules = (*rules, IgnoreFile(_text(self._root, f"{base}.gitignore"), base))
        return _Level(base, iter(entries), rules)

    def _speakable(self, path: str) -> bool:
        """Return whether the path is text; a name of other bytes could neither be shown nor logged."""
        if path.isascii() or (shown := path.encode("utf-8", "replace").decode()) == path:
            return True
        self.skipped.append((shown, NO_TEXT))
        return False


def _entries(root: Root, base: str) -> list[tuple[str, bool]]:
    """Return (name, whether it is a folder) of the files and folders in a folder, links and special files left out."""
    place = root.path / base if root.guard == "check" else root.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(place) as found:
            return sorted(
                (entry.name, is_folder)
                for entry in found
                if entry.name not in SKIPPED_FOLDERS
                and ((is_folder := entry.is_dir(follow_symlinks=False)) or entry.is_file(follow_symlinks=False))
            )
    finally:
        if isinstance(place, int):
            os.close(place)


def rules_above(root: Root, start: str) -> tuple[IgnoreFile, ...]:
    """Return the rules that what lies outside `start` has for what lies in it, the outermost first."""
    folders = (root.path, *root.path.parents)
    top = next((folder for folder in folders if _exists(folder / ".git")), root.path)
    above = [folder for folder in folders[1:] if folder.is_relative_to(top)]
    rules: list[IgnoreFile] = []
    for folder, file in ((top, ".git/info/exclude"), *((folder, ".gitignore") for folder in reversed(above))):
        way = root.path.relative_to(folder).parts
        text = _outside_text(folder, file)
        if not _hides(IgnoreFile(text), way):
            rules.append(IgnoreFile(text, prefix="".join(f"{name}/" for name in way)))
    parts = start.split("/") if start else []
    bases = ["".join(f"{name}/" for name in parts[:depth]) for depth in range(len(parts))]
    return (*rules, *(IgnoreFile(_text(root, f"{base}.gitignore"), base) for base in bases))


def _hides(file: IgnoreFile, way: tuple[str, ...]) -> bool:
    """Return whether the rules ignore the way to the root itself: then one who opened it does not mean them."""
    return any(file.verdict("/".join(way[: depth + 1]), name, folder=True) for depth, name in enumerate(way))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # above us may be what we may not look at
        return False


def _outside_text(folder: Path, file: str) -> str:
    try:
        with Root(folder) as root:
            return _text(root, file)
    except OSError:
        return ""


def _text(root: Root, path: str) -> str:
    """Return the text of a file of rules, nothing where it cannot be read."""
    try:
        return read_bytes(root, path, limit_bytes=1_000_000).decode("utf-8", "replace")
    except ToolError:
        return ""
