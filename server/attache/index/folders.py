"""The indexes of all folders of a workspace, asked as one; each folder has one of its own, which it shares with others.

A file is named as the workspace names it: from its folder, or in full where an earlier folder has a file of that name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from attache.index.client import Index
from attache.index.symbols import closeness
from attache.schema.code import Hit, IndexStatus, Reference, SearchKind, Symbol

_OTHER: Final = 9
"""Farther than any name that is near to the one asked for."""
_STATES: Final = ("building", "starting", "ready", "failed", "off")
"""Of several indexes the first of these that one is in is the state of all."""
_Placed = TypeVar("_Placed", Hit, Symbol, Reference)


class Indexes:
    """Symbols, references and search over the folders of a workspace and the buffers open on them."""

    def __init__(self, folders: Iterable[Path], *, home: Path, max_file_bytes: int = 1_000_000) -> None:
        """Be ready for `folders`, the first of which is the one that names are read from where several would do."""
        self._home = home
        self._max_file_bytes = max_file_bytes
        self._begun = False
        self._by_folder: dict[Path, Index] = {}
        self._open: dict[Path, str] = {}
        for folder in dict.fromkeys(each.resolve() for each in folders):
            self._by_folder[folder] = self._made(folder)

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Start the processes that keep the indexes, without waiting for them; what hinders them stands in `status`."""
        self._begun = True
        await asyncio.gather(*(index.start() for index in self._all))

    async def use_folders(self, folders: Iterable[Path]) -> None:
        """Take these folders from now on; what is stored of one that is left stays, for when it comes back."""
        wanted = list(dict.fromkeys(folder.resolve() for folder in folders))
        before = self._by_folder
        self._by_folder = {folder: before.get(folder) or self._made(folder) for folder in wanted}
        for file, text in self._open.items():
            self._cover(file, text)
        if self._begun:
            await asyncio.gather(*(index.start() for folder, index in self._by_folder.items() if folder not in before))
        await asyncio.gather(*(index.close() for folder, index in before.items() if folder not in self._by_folder))

    async def close(self) -> None:
        """End the processes; what they have stored stays."""
        await asyncio.gather(*(index.close() for index in self._all))

    def status(self) -> IndexStatus:
        """Return how far the indexes are, taken together."""
        each = [index.status() for index in self._all]
        if len(each) == 1:
            return each[0]
        languages: dict[str, int] = {}
        for name, files in (pair for status in each for pair in status.languages):
            languages[name] = languages.get(name, 0) + files
        return IndexStatus(
            state=min(each, key=lambda status: _STATES.index(status.state)).state,
            files=sum(status.files for status in each),
            symbols=sum(status.symbols for status in each),
            chunks=sum(status.chunks for status in each),
            pending=sum(status.pending for status in each),
            skipped=tuple(pair for status in each for pair in status.skipped)[:50],
            languages=tuple(sorted(languages.items(), key=lambda pair: -pair[1])),
            retrievers=tuple(dict.fromkeys(name for status in each for name in status.retrievers)),
            error="; ".join(status.error for status in each if status.error),
        )

    async def ready(self, timeout_seconds: float | None = None) -> bool:
        """Wait until all files have been looked at; return whether they have."""
        return all(await asyncio.gather(*(index.ready(timeout_seconds) for index in self._all)))

    # ------------------------------------------------------------ changes

    def update(self, file: Path, text: str | None) -> None:
        """Take a buffer's text for the file's, from the next question on; None goes back to the disk."""
        if text is None:
            self._open.pop(file, None)
        else:
            self._open[file] = text
        self._cover(file, text)

    async def refresh(self, paths: Collection[str] | None = None) -> None:
        """Look at files again that changed on disk, or at all, and return when the indexes know them."""
        if paths is None:
            await asyncio.gather(*(index.refresh() for index in self._all))
            return
        inside: dict[Path, list[str]] = {}
        for path in paths:
            folder, name = self._placed(path)
            inside.setdefault(folder, []).append(name)
        await asyncio.gather(*(self._by_folder[folder].refresh(names) for folder, names in inside.items()))

    def look_at(self, files: Iterable[Path]) -> None:
        """Look again at files, named in full, that changed on disk; returns at once. Others than ours are left out."""
        files = tuple(files)
        for index in self._all:
            index.look_at(files)

    # ------------------------------------------------------------ questions

    async def search(self, query: str, *, k: int = 10, kind: SearchKind = "hybrid") -> tuple[Hit, ...]:
        """Return the places that answer a question, the best first."""
        found = await self._everywhere(lambda index: index.search(query, k=k, kind=kind))
        if len(self._by_folder) > 1 and kind != "exact":
            found.sort(key=lambda hit: -hit.score)
        return tuple(found[:k])

    async def pieces(self, most: int) -> tuple[Hit, ...]:
        """Return pieces of code with their text, for who compares them itself: at most so many."""
        return tuple(await self._everywhere(lambda index: index.pieces(most)))[:most]

    async def symbols(self, name: str = "", *, path: str = "", k: int = 50) -> tuple[Symbol, ...]:
        """Return definitions: of that name, then beginning so, then holding its parts; without one, all of `path`."""
        if path:
            return await self._in_one(path, lambda index, inside: index.symbols(name, path=inside, k=k))
        found = await self._everywhere(lambda index: index.symbols(name, k=k))
        if len(self._by_folder) > 1 and name:
            last = name.rpartition(".")[2]
            found.sort(key=lambda one: _OTHER if (near := closeness(one.name, last)) is None else near)
        return tuple(found[:k])

    async def outline(self, path: str) -> tuple[Symbol, ...]:
        """Return the definitions of one file in the order of its text."""
        return await self._in_one(path, lambda index, inside: index.outline(inside))

    async def references(self, name: str, *, path: str = "") -> tuple[Reference, ...]:
        """Return where a name is defined and used, below `path` if it is given, definitions first."""
        if path:
            return await self._in_one(path, lambda index, inside: index.references(name, path=inside))
        found = await self._everywhere(lambda index: index.references(name))
        return tuple(sorted(found, key=lambda one: one.role != "definition") if len(self._by_folder) > 1 else found)

    async def references_at(self, path: str, line: int, column: int) -> tuple[Reference, ...]:
        """Return where the name at a place is defined and used; lines and columns (of code points) count from 1."""
        folder, inside = self._placed(path)
        name = await self._by_folder[folder].name_at(inside, line, column)
        return await self.references(name) if name else ()

    # ------------------------------------------------------------ inside

    @property
    def _all(self) -> tuple[Index, ...]:
        return tuple(self._by_folder.values())

    def _made(self, folder: Path) -> Index:
        return Index(folder, home=self._home, max_file_bytes=self._max_file_bytes)

    def _cover(self, file: Path, text: str | None) -> None:
        if home := self._home_of(file):
            folder, name = home
            self._by_folder[folder].update(name, text)

    def _home_of(self, file: Path) -> tuple[Path, str] | None:
        """Return the innermost folder that a file lies in, and its name there; None outside of all."""
        for place in (file, file.resolve()):
            inside = [folder for folder in self._by_folder if place.is_relative_to(folder)]
            if inside:
                folder = max(inside, key=lambda each: len(each.parts))
                return folder, place.relative_to(folder).as_posix()
        return None

    def _placed(self, path: str) -> tuple[Path, str]:
        """Return the folder that a path means, and the path in it: the first that has it, else the first one."""
        if Path(path).is_absolute():
            return self._home_of(Path(path)) or (next(iter(self._by_folder)), path)
        candidates = (folder for folder in self._by_folder if self._stands(folder / path))
        return next(candidates, next(iter(self._by_folder))), path

    def _stands(self, file: Path) -> bool:
        return file.exists() or file in self._open

    def _named(self, folder: Path, path: str) -> str:
        earlier = self._earlier(folder)
        return (folder / path).as_posix() if any(self._stands(each / path) for each in earlier) else path

    def _earlier(self, folder: Path) -> Iterator[Path]:
        for each in self._by_folder:
            if each == folder:
                return
            yield each

    def _told(self, folder: Path, found: Sequence[_Placed]) -> Iterator[_Placed]:
        """Yield what one index found, with its files named for all; what lies in a folder within it is that one's."""
        inner = [each for each in self._by_folder if each != folder and each.is_relative_to(folder)]
        for one in found:
            if not any((folder / one.path).is_relative_to(each) for each in inner):
                name = self._named(folder, one.path)
                yield one if name == one.path else one.model_copy(update={"path": name})

    async def _everywhere(self, ask: Callable[[Index], Awaitable[Sequence[_Placed]]]) -> list[_Placed]:
        """Ask all of them; what each answers stands together, in the order of the folders."""
        folders = tuple(self._by_folder)
        answers = await asyncio.gather(*(ask(self._by_folder[folder]) for folder in folders))
        return [one for folder, found in zip(folders, answers, strict=True) for one in self._told(folder, found)]

    async def _in_one(
        self, path: str, ask: Callable[[Index, str], Awaitable[Sequence[_Placed]]]
    ) -> tuple[_Placed, ...]:
        folder, inside = self._placed(path)
        return tuple(self._told(folder, await ask(self._by_folder[folder], inside)))
