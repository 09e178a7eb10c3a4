"""Where commands run: a view is the workspace as a command finds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from attache.schema.errors import FileMissing, FileSkipped, PathRefused
from attache.workspace.documents import Buffers, Document
from attache.workspace.files import read_disk
from attache.workspace.paths import Root, folder_in, home_of, to_path
from attache.workspace.shell import Command, Completed, OnOutput, run

if TYPE_CHECKING:
    from attache.workspace.view.cow import CowView

NAMED = 10  # unsaved files that a note names; more are counted


class Confinement(NamedTuple):
    """What keeps a command from the machine."""

    words: str
    """As the user is told; empty where nothing does."""
    whole: bool
    """Whether it can change nothing that is not accepted, and reach nobody."""


UNCONFINED = Confinement("", whole=False)


class View(Protocol):
    """The workspace as a command finds it."""

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Completed:
        """Run a command; `note` says where it did not find what the user sees."""
        ...

    async def forget(self) -> None:
        """Forget what the last command left: it was not accepted, so no later one may take it for fresh."""
        ...


class Views:
    """Where commands of one workspace run: each says itself in which of the two views."""

    def __init__(self, cow: CowView, direct: DirectView, roots: Sequence[Root]) -> None:
        self._cow, self._direct, self._roots = cow, direct, tuple(roots)

    async def run(self, command: Command, *, on_output: OnOutput | None = None) -> Completed:
        """Run a command in the command view, or on the disk where it says so."""
        if command.view == "direct":
            return await self._direct.run(command, on_output=on_output)
        return await self._cow.run(self._roots, command, on_output)

    async def forget(self) -> None:
        """Forget what commands left in the command view: it was not accepted."""
        await self._cow.forget()


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

    async def forget(self) -> None:
        """Do nothing: what a command did here is done."""

    def unsaved(self) -> tuple[str, ...]:
        """Return the paths of open files whose text is not what stands on disk."""
        return tuple(path for document in self._buffers if (path := self._unsaved(document)))

    def _folder(self, cwd: Path) -> Path:
        return folder_in(self._roots, cwd)

    def _unsaved(self, document: Document) -> str:
        try:
            root, path = home_of(self._roots, str(to_path(document.uri)))
        except PathRefused:
            return ""
        try:
            return "" if read_disk(root, path).text == document.text else path
        except FileMissing:
            return path
        except FileSkipped:
            return ""


def _note(unseen: tuple[str, ...]) -> str:
    if not unseen:
        return ""
    more = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
    return f"ran on the files on disk, without what is typed but not saved in {', '.join(unseen[:NAMED])}{more}"
