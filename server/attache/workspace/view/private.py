"""What commands wrote outside of the workspace: it lies in private folders, which go with the session."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

LOOKED_AT = 2_000
"""Files and folders that are looked at after a command; what a program unpacks by the thousand is not read through."""
_PASSING = re.compile(
    r"~/(?:\.(?:cache|npm|node-gyp|yarn|pnpm-store|gradle|m2|ivy2|nuget|dotnet|cargo|rustup|bun|deno|gem|bundle|java)/"
    r"|\.local/(?:share|state)/|Library/Caches/|go/)"
    r"|(?:/tmp|\$TMPDIR)/(?:\.|tmp\w{6,}|pytest-of-|pytest-|pip-|npm-|yarn-|v8-compile-cache|node-compile-cache|hsperfdata|go-build"
    r"|rustc|cargo-|cc\w{6}\.|vite|jest_|tsx-|ruff|mypy|pyright)"
)
"""What programs keep for themselves and nobody looks for."""


def written(places: Mapping[str, Path], since_ns: int, told: Collection[str]) -> list[str]:
    """Return the files that were written in folders since a moment, by the names that the command has for the folders.

    `told` are left out.
    """
    left = LOOKED_AT
    found: list[str] = []
    for name, folder in places.items():
        for path, changed_ns in _files(folder, f"{name}/"):
            left -= 1
            if left < 0:
                return found
            if path and changed_ns >= since_ns and path not in told:
                found.append(path)
    return found


def _files(folder: Path, name: str) -> Iterator[tuple[str, int]]:
    """Yield what lies there, the nearest to the top first, with when it was changed; "" stands for a folder."""
    way = [(folder, name)]
    while way:
        place, base = way.pop(0)
        with suppress(OSError), os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = base + entry.name
                if _PASSING.match(f"{path}/") or entry.is_symlink():  # a link holds nothing that could be lost
                    continue
                if entry.is_dir(follow_symlinks=False):
                    way.append((Path(entry), f"{path}/"))
                    yield "", 0
                else:
                    yield path, entry.stat(follow_symlinks=False).st_ctime_ns
