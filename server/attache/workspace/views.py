"""Where commands run: a view is the workspace as a command finds it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from attache.schema.errors import FileMissing, FileSkipped, PathRefused
from attache.workspace.documents import Buffers, Document
from attache.workspace.files import read_disk
from attache.workspace.paths import Root, to_path
from attache.workspace.shell import Command, Completed, OnOutput, run

NAMED = 10  # unsaved files that a note names; more are counted


class View(Protocol):
    """The workspace as a command finds it."""

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Completed:
        """Run a command; `note` says where it did not find what the user sees."""
        ...


class DirectView:
    """The files on disk: what is typed and not saved is not there, and the note of every command says so."""

    def __init__(self, roots: Sequence[Root], buffers: Buffers | None = None) -> None:
        self._roots = tuple(roots)
        self._buffers = Buffers() if buffers is None else buffers

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Completed:
        """Run a command in its folder, which must lie in a root."""
        cwd = self._folder(command.cwd)
        unseen = self.unsaved()
        completed = await run(
            command.argv or command.text,
            cwd=cwd,
            env=command.env,
            stdin=command.stdin,
            timeout_seconds=command.timeout_seconds,
            on_output=on_output,
        )
        return completed.model_copy(update={"note": _note(unseen)})

    def unsaved(self) -> tuple[str, ...]:
        """Return the paths of open files whose text is not what stands on disk."""
        return tuple(path for document in self._buffers if (path := self._unsaved(document)))

    def _folder(self, cwd: Path) -> Path:
        folder = os.path.realpath(self._roots[0].path / cwd)
        _home(self._roots, folder)
        return Path(folder)

    def _unsaved(self, document: Document) -> str:
        try:
            root, path = _home(self._roots, str(to_path(document.uri)))
        except PathRefused:
            return ""
        try:
            return "" if read_disk(root, path).text == document.text else path
        except FileMissing:
            return path
        except FileSkipped:
            return ""


def _home(roots: Sequence[Root], path: str) -> tuple[Root, str]:
    """Return the root that an absolute path lies in, and the path from there."""
    for root in roots:
        with suppress(PathRefused):
            return root, root.relative(path)
    raise PathRefused(f"{path} lies in no folder of the workspace", hint="name a folder inside it")


def _note(unseen: tuple[str, ...]) -> str:
    if not unseen:
        return ""
    more = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
    return f"ran on the files on disk, without what is typed but not saved in {', '.join(unseen[:NAMED])}{more}"
