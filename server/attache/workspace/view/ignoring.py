"""Which paths of a root are nobody's work: ignored by git, caches, dependencies. Their changes stay in the view."""

from __future__ import annotations

from pathlib import Path

from attache.schema.errors import ToolError
from attache.workspace.files import read_bytes
from attache.workspace.ignore import IgnoreFile, ignored
from attache.workspace.paths import Root
from attache.workspace.walk import SKIPPED_FOLDERS, SKIPPING_MARKS, rules_above

RULES_BYTES = 1_000_000
Rules = tuple[IgnoreFile, ...]


class Ignoring:
    """The rules of one root, read as they are needed. `beside` is where a command's own files lie."""

    def __init__(self, root: Root, beside: Path | None = None) -> None:
        self._root = root
        self._beside = beside
        self._folders: dict[str, Rules | None] = {}  # None: all in it is ignored

    def __call__(self, path: str, *, folder: bool) -> bool:
        """Return whether a path from the root is ignored, by itself or by a folder that it lies in."""
        above, _, name = path.rpartition("/")
        rules = self._rules(above)
        if rules is None or ignored(rules, path, name, folder=folder):
            return True
        return folder and self._rules(path) is None

    def _rules(self, folder: str) -> Rules | None:
        if folder not in self._folders:
            self._folders[folder] = self._found(folder)
        return self._folders[folder]

    def _found(self, folder: str) -> Rules | None:
        if not folder:
            return (*rules_above(self._root, ""), *self._own(""))
        above, _, name = folder.rpartition("/")
        rules = self._rules(above)
        if rules is None or name in SKIPPED_FOLDERS or ignored(rules, folder, name, folder=True):
            return None
        places = [self._root.path / folder, *([self._beside / folder] if self._beside else [])]
        if any((place / mark).exists() for place in places for mark in SKIPPING_MARKS):
            return None
        return (*rules, *self._own(f"{folder}/"))

    def _own(self, base: str) -> Rules:
        try:
            data = read_bytes(self._root, f"{base}.gitignore", limit_bytes=RULES_BYTES)
        except (ToolError, OSError):
            return ()
        return (IgnoreFile(data.decode("utf-8", "replace"), base),)
