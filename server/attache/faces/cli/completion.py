"""What can be typed next, commands after `/`, files and symbols after `@`; and what was typed before."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory

from attache.agent.resources import Resources
from attache.foundation.files import private_dir
from attache.foundation.redact import redact

MENTION = re.compile(r"(?:^|(?<=\s))@([\w./\\-]*)$")
COMMAND = re.compile(r"^/(\w*)$")
ARGUMENT = re.compile(r"^/(\w+)\s+(\S*)$")
FILES_FRESH_SECONDS = 5.0
INDEX_SECONDS = 20.0
"""How long symbols wait for an index that is just beginning; the next key ends the wait."""
SHOWN = 12


class Typed(FileHistory):
    """What was typed, kept for its user alone and without secrets. Where no file can be, this session remembers."""

    def __init__(self, home: Path) -> None:
        """Keep it in `home`."""
        path = home / "chat_history"
        with suppress(OSError):
            private_dir(home)
            path.touch(mode=0o600)
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        """Return what was typed before, the newest first."""
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        """Write one entry, its secrets cut out."""
        with suppress(OSError):
            super().store_string(redact(string))


class Completions(Completer):
    """Completes from the workspace and its index; says nothing in ordinary words."""

    def __init__(self, resources: Resources, commands: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        """Complete `commands`, given as name -> (what it does, what may follow it)."""
        self._resources = resources
        self._commands = commands
        self._files: tuple[str, ...] = ()
        self._listed_at = -FILES_FRESH_SECONDS

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return none: they come from the index, which answers later."""
        del document, complete_event
        return ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """Yield what fits the text before the cursor, the nearest first."""
        del complete_event
        before = document.text_before_cursor
        for completion in self._of_commands(before):
            yield completion
        if mention := MENTION.search(before):
            wanted = mention[1]
            for path in nearest(wanted, await self._paths())[:SHOWN]:
                yield Completion(f"@{path} ", -len(wanted) - 1, display=path)
            if wanted and "/" not in wanted:
                await self._resources.index.ready(INDEX_SECONDS)
                for symbol in await self._resources.index.symbols(wanted, k=SHOWN):
                    place = f"{symbol.path}:{symbol.line}"
                    yield Completion(
                        f"`{symbol.qualified}` @{place} ", -len(wanted) - 1, display=symbol.qualified,
                        display_meta=f"{symbol.kind} {place}",
                    )  # fmt: skip

    def _of_commands(self, before: str) -> Iterator[Completion]:
        if command := COMMAND.match(before):
            for name, (what, _) in self._commands.items():
                if name.startswith(command[1]):
                    yield Completion(f"/{name} ", -len(before), display=f"/{name}", display_meta=what)
        elif (argument := ARGUMENT.match(before)) and argument[1] in self._commands:
            for choice in self._commands[argument[1]][1]:
                if choice.startswith(argument[2]):
                    yield Completion(choice, -len(argument[2]))

    async def _paths(self) -> tuple[str, ...]:
        if time.monotonic() - self._listed_at > FILES_FRESH_SECONDS:
            self._files = await self._resources.workspace.files()
            self._listed_at = time.monotonic()
        return self._files


def nearest(wanted: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that hold `wanted`: those whose name begins so first, then the shortest."""
    small = wanted.lower()
    ranked = [(_rank(small, path.lower()), len(path), path) for path in paths]
    return [path for rank, _, path in sorted(ranked) if rank < float("inf")]


def _rank(wanted: str, path: str) -> float:
    name = path.rpartition("/")[2]
    if name.startswith(wanted) or path.startswith(wanted):
        return 0
    return 1 if wanted in name else 2 if wanted in path else float("inf")
