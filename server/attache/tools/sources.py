"""Where tools come from: our own modules, installed packages, and `.attache/tools/*.py` of folders the user trusts."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import attache.tools
from attache.schema.documents import Diagnostic, Place

GROUP = "attache.tools"
"""The entry-point group of installed packages; each entry names a module whose tools are offered."""
FOLDER = ".attache/tools"

Report = Callable[[Diagnostic], None]
Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of change in nanoseconds and size of each file."""


def modules(trusted: Iterable[Path], report: Report) -> Iterator[ModuleType]:
    """Yield every module that may hold tools; one that cannot be run is reported and breaks no other."""
    for ours in walk_packages(attache.tools.__path__, f"{attache.tools.__name__}."):
        yield import_module(ours.name)
    for entry in entry_points(group=GROUP):
        yield from _foreign(entry.value, report)
    for folder in trusted:
        for path in _carried(folder):
            yield from _foreign(path, report)


def stamp(trusted: Iterable[Path]) -> Stamp:
    """Return what changes when the tools that the folders carry do."""
    found: list[tuple[str, int, int]] = []
    for path in (path for folder in trusted for path in _carried(folder)):
        with suppress(OSError):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def _carried(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("[!_]*.py"))


def problem(path: str, line: int, message: str) -> Diagnostic:
    """Say what is wrong with a tool, where its author can see it."""
    place = Place(path=path, line=max(line, 1))
    return Diagnostic(place=place, message=message, severity="error", source="attache", code="tool")


def _foreign(source: Path | str, report: Report) -> Iterator[ModuleType]:
    try:
        module = _run(source) if isinstance(source, Path) else import_module(source)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module must not take the others down
        report(problem(str(source), _line(error, str(source)), f"{type(error).__name__}: {error}".rstrip(": ")))
    else:
        yield module


def _run(path: Path) -> ModuleType:
    # Not by the import system: that writes __pycache__ beside the user's files and misses an edit within a second.
    module = ModuleType(f"{FOLDER}/{path.stem} in {path.parents[2]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where pydantic looks names up
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 - the user trusts the folder
    return module


def _line(error: BaseException, path: str) -> int:
    """Return the line of `path` at which it went wrong, 1 where none is known."""
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno or 1
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == path), 1)
