"""Which file an import of a Python program means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Module:
    """A module or package of the workspace; a package without `__init__.py` has no file."""

    path: str
    folder: str
    """Where its submodules lie; empty for a plain module."""


class Modules:
    """The Python files of a workspace, found by the names under which they are imported."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(path for path in paths if path.endswith((".py", ".pyi")))
        self._folders = {str(parent) for path in self.paths for parent in PurePosixPath(path).parents} - {"."}
        self._named: dict[str, list[str]] = {}
        for path in (*self.paths, *(f"{folder}/" for folder in self._folders)):
            self._named.setdefault(PurePosixPath(path).name.partition(".")[0], []).append(path)

    def find(self, spelled: str, importer: str) -> Module | None:
        """Return what `import spelled` means in a file; None where it is nothing of the workspace's."""
        name = spelled.lstrip(".")
        level = len(spelled) - len(name)
        if level:
            folder = PurePosixPath(importer).parent
            for _ in range(level - 1):
                folder = folder.parent
            base = "" if str(folder) == "." else str(folder)
            return self._at(_joined(base, *name.split(".")) if name else base)
        parts = name.split(".")
        tail = "/".join(parts)
        roots = {
            stem.removesuffix(tail).rstrip("/")
            for path in self._named.get(parts[-1], ())
            if (stem := _stem(path)) == tail or stem.endswith(f"/{tail}")
        }
        own = str(PurePosixPath(importer).parent)
        ordered = sorted(roots, key=lambda root: (-_shared(root, importer), len(root), root))
        for root in ordered:
            if f"{root}/__init__.py" in self.paths and root != own:
                continue  # inside of a package: it would be imported by a longer name
            if found := self._at(_joined(root, *parts)):
                return found
        return None

    def below(self, module: Module, name: str) -> Module | None:
        """Return a submodule of a package."""
        return self._at(_joined(module.folder, name)) if module.folder else None

    def of(self, path: str) -> Module:
        """Return the module that a file is."""
        file = PurePosixPath(path)
        return Module(path, str(file.parent) if file.stem == "__init__" else "")

    def dotted(self, path: str) -> str:
        """Return the name under which a file is imported: from its outermost package on, else from the root on."""
        file = PurePosixPath(path)
        packages = [each for each in file.parents if f"{each}/__init__.py" in self.paths]
        base = packages[-1].parent if packages else PurePosixPath()
        if not packages and file.parts[0] in {"src", "lib"}:
            base = PurePosixPath(file.parts[0])
        parts = file.relative_to(base).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _at(self, stem: str) -> Module | None:
        for path in (f"{stem}/__init__.py", f"{stem}/__init__.pyi") if stem else ("__init__.py",):
            if path in self.paths:
                return Module(path, stem)
        for path in (f"{stem}.py", f"{stem}.pyi"):
            if path in self.paths:
                return Module(path, "")
        return Module("", stem) if stem in self._folders else None


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _stem(path: str) -> str:
    return path.rstrip("/") if path.endswith("/") else path.rpartition(".")[0]


def _shared(root: str, importer: str) -> int:
    """Return how many folders a root has in common with a file."""
    pairs = zip(PurePosixPath(root).parts, PurePosixPath(importer).parts, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), len(PurePosixPath(root).parts))
