"""The journal of changes on disk: a change set's files are changed all or none, whatever moment a crash may choose.

Every file that is to change gets a spare name beside it, which takes its new bytes first. To commit is to let each name
and its spare change places: what stood there is then set aside, and is looked at before it is let go. So a file that
somebody else wrote in the last instant is noticed and put back, and until the very end all can change places again.

An entry is a file of the journal whose suffix is its phase, each step being one rename:

- `prepared`: spares are being written; a crash here leaves every file as it was, and `recover` removes the spares;
- `committed`: names and spares change places; `recover` goes on, or goes back where it finds what we did not write;
- `done`: only the spares are left to remove.

Links are followed while they stay inside the root, so a link stays one and the file it leads to changes. A file with
several hard links gets its new bytes under the one name only: the others, which may lie anywhere, keep the old ones.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from attache.foundation.files import private_dir, sync_dir, write_atomic
from attache.schema.data import ChangeSetId, Record, Uri
from attache.schema.errors import EditRefused, PathRefused
from attache.workspace import swap
from attache.workspace.lock import locked
from attache.workspace.paths import Folder, Root
from attache.workspace.spares import DiskChange, Disturbed, bytes_hash, missing_folders, proof, stage, state_proof

Phase = Literal["prepared", "committed", "done"]
PHASES: tuple[Phase, ...] = ("prepared", "committed", "done")
LOCK_SECONDS = 30


class OpenChange(Record):
    """What a document that an editor holds open becomes in the same change set; a crash may leave it either way."""

    uri: Uri
    before: str
    after: str


class Swap(Record):
    """A name and its spare, with the hashes of what the name holds before and after; None where it is free."""

    root: str
    path: str
    spare: str
    before: str | None
    after: str | None
    raw: bool = False
    """Whether the hashes stand for whole states, modes and links included."""


class Entry(Record):
    """One change set on its way to disk."""

    token: str
    id: ChangeSetId
    title: str
    swaps: tuple[Swap, ...]
    folders: tuple[tuple[str, str], ...] = ()
    """(root, path) of folders that have to be made, the innermost first."""
    open: tuple[OpenChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of an entry that a crash had left."""

    entry: Entry
    landed: bool
    """Whether the files hold the change set now; where not, they hold what they held before it."""


class Journal:
    """The journal of one workspace, in a private folder of ours. Its methods block; hold `turn` around them."""

    def __init__(self, home: Path, roots: Sequence[Root]) -> None:
        """Keep the journal below `home`, under the name of the first root."""
        self._roots = {str(root.path): root for root in roots}
        self._folders = tuple(home / "journal" / bytes_hash(os.fsencode(path))[:16] for path in self._roots)

    @property
    def folder(self) -> Path:
        """Return where the entries lie."""
        return self._folders[0]

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Wait until no other process changes files of these roots, and keep others out."""
        async with AsyncExitStack() as held:
            try:
                for folder in sorted(self._folders):
                    await held.enter_async_context(locked(private_dir(folder) / "lock", LOCK_SECONDS))
            except TimeoutError as error:
                raise EditRefused(
                    "another Attaché has been changing files of this workspace for a long time",
                    hint=f"let it finish, or stop it; it holds {self.folder / 'lock'}",
                ) from error
            except OSError as error:
                raise EditRefused(
                    f"the journal cannot be kept: {error}", hint="see whether ATTACHE_HOME may be written"
                ) from error
            yield

    # ------------------------------------------------------------ one change set

    def prepare(
        self, id_: ChangeSetId, title: str, changes: Sequence[DiskChange], open_changes: Iterable[OpenChange] = ()
    ) -> Entry:
        """Write every file's new bytes beside it, where no crash can leave them for good."""
        token = secrets.token_hex(8)
        swaps = tuple(_swap(change, f".attache-{token}-{number}") for number, change in enumerate(changes))
        folders = tuple(missing_folders(changes))
        entry = Entry(token=token, id=id_, title=title, swaps=swaps, folders=folders, open=tuple(open_changes))
        private_dir(self.folder)
        write_atomic(self._file(entry, "prepared"), entry.model_dump_json().encode())
        try:
            for change, one in zip(changes, swaps, strict=True):
                self._stage(change, one)
            self._sync(entry)
        except BaseException:
            self.abandon(entry)
            raise
        return entry

    def commit(self, entry: Entry) -> None:
        """Put the new files in place; raises Disturbed, all being as before, where one is not what it was."""
        self._file(entry, "prepared").rename(self._file(entry, "committed"))
        sync_dir(self.folder)
        try:
            self._go_forward(entry)
        except BaseException:
            self._go_back(entry)
            raise

    def abandon(self, entry: Entry) -> None:
        """Remove the spares, and the folders that were made for them, and forget the entry."""
        self._remove_spares(entry)
        for root, path in entry.folders:
            with suppress(OSError, PathRefused), self._root(root).spot(path) as (folder, name):
                os.rmdir(folder.at(name), dir_fd=folder.fd)
        self._forget(entry)

    # ------------------------------------------------------------ after a crash

    def recover(self) -> tuple[Recovery, ...]:
        """End what a crash has left half done; once it has, there is nothing left to do."""
        private_dir(self.folder)
        for stray in self.folder.glob(".*.tmp"):
            stray.unlink(missing_ok=True)
        return tuple(self._ended(entry, phase) for entry, phase in tuple(self._entries()))

    def _entries(self) -> Iterator[tuple[Entry, Phase]]:
        for phase in PHASES:
            for file in sorted(self.folder.glob(f"*.{phase}")):
                with suppress(ValidationError):  # another version of ours wrote it, which will know what to do
                    yield Entry.model_validate_json(file.read_bytes()), phase

    def _ended(self, entry: Entry, phase: Phase) -> Recovery:
        if phase == "prepared":
            self.abandon(entry)
            return Recovery(entry, landed=False)
        try:
            if phase == "committed":
                self._go_forward(entry)
            else:
                self._remove_spares(entry)
                self._forget(entry)
        except (Disturbed, OSError, PathRefused):
            self._go_back(entry)
            return Recovery(entry, landed=False)
        return Recovery(entry, landed=True)

    # ------------------------------------------------------------ names and spares

    def _stage(self, change: DiskChange, one: Swap) -> None:
        try:
            with self._spot(one, create=change.after is not None) as (folder, name):
                stage(change, folder, name, one.spare)
        except OSError as error:
            raise OSError(error.errno, error.strerror, one.path) from error  # by the name that the user knows

    def _go_forward(self, entry: Entry) -> None:
        """Let all names and spares change places that have not done so yet, and look at what was set aside."""
        for one in entry.swaps:
            with self._spot(one) as (folder, name):
                if not _has_happened(one, folder, name):
                    _change_places(one, folder, name)
        for one in entry.swaps:
            with self._spot(one) as (folder, _):
                if proof(folder, one.spare, raw=one.raw) != one.before:
                    raise Disturbed(one.path)
        self._sync(entry)
        self._file(entry, "committed").rename(self._file(entry, "done"))
        self._remove_spares(entry)
        self._forget(entry)

    def _go_back(self, entry: Entry) -> None:
        """Give every name back what was set aside, which may be what somebody else wrote; leave what is not ours.

        Where the system refuses, the entry stays, and its spares with it, for the next recovery.
        """
        for one in reversed(entry.swaps):
            with suppress(FileNotFoundError, FileExistsError, PathRefused), self._spot(one) as (folder, name):
                _take_back(one, folder, name)
        self._sync(entry)
        self.abandon(entry)

    def _remove_spares(self, entry: Entry) -> None:
        for one in entry.swaps:
            with suppress(OSError, PathRefused), self._spot(one) as (folder, _):
                folder.unlink(one.spare)

    def _sync(self, entry: Entry) -> None:
        synced: set[tuple[str, str]] = set()
        for one in entry.swaps:
            with suppress(FileNotFoundError), self._spot(one) as (folder, _):
                if (one.root, folder.path) not in synced:
                    folder.sync()
                    synced.add((one.root, folder.path))
        for root, path in entry.folders:
            with suppress(FileNotFoundError), self._root(root).spot(path) as (folder, _):
                folder.sync()

    def _forget(self, entry: Entry) -> None:
        for phase in PHASES:
            self._file(entry, phase).unlink(missing_ok=True)

    def _file(self, entry: Entry, phase: Phase) -> Path:
        return self.folder / f"{entry.token}.{phase}"

    def _root(self, path: str) -> Root:
        return self._roots.get(path) or Root(Path(path))

    @contextmanager
    def _spot(self, one: Swap, *, create: bool = False) -> Generator[tuple[Folder, str]]:
        with self._root(one.root).spot(one.path, create=create, follow=not one.raw) as spot:
            yield spot


def _swap(change: DiskChange, spare: str) -> Swap:
    before, after = (
        bytes_hash(data) if isinstance(data, bytes) else state_proof(data) for data in (change.before, change.after)
    )  # fmt: skip
    place = change.place
    return Swap(root=str(place.root.path), path=place.path, spare=spare, before=before, after=after, raw=change.raw)


def _has_happened(one: Swap, folder: Folder, name: str) -> bool:
    """Return whether a name and its spare have changed places; raises Disturbed where either holds what is not ours."""
    swap.settle(folder, name, one.spare)
    match proof(folder, name, raw=one.raw), proof(folder, one.spare, raw=one.raw):
        case (one.after, one.before):
            return True
        case (one.before, one.after):
            return False
        case _:
            raise Disturbed(one.path)


def _change_places(one: Swap, folder: Folder, name: str) -> None:
    try:
        if one.before is None:
            swap.move(folder, one.spare, name)
        elif one.after is None:
            swap.move(folder, name, one.spare)
        else:
            swap.exchange(folder, name, one.spare)
    except (FileExistsError, FileNotFoundError) as error:
        raise Disturbed(one.path) from error


def _take_back(one: Swap, folder: Folder, name: str) -> None:
    """Give a name back what was set aside, be it somebody else's, but only while the name holds what we wrote."""
    swap.settle(folder, name, one.spare)
    here, aside = proof(folder, name, raw=one.raw), proof(folder, one.spare, raw=one.raw)
    if here != one.after or aside == one.after:
        return
    if here is None:
        swap.move(folder, one.spare, name)
    elif aside is not None:
        swap.exchange(folder, name, one.spare)
        if proof(folder, one.spare, raw=one.raw) != one.after:  # written in this very moment: that is to stay
            swap.exchange(folder, name, one.spare)
    elif one.before is None:
        swap.move(folder, name, one.spare)
        if proof(folder, one.spare, raw=one.raw) != one.after:
            swap.move(folder, one.spare, name)
