"""What stands under a name of the workspace now: the editor's text where it is open, else the file on disk."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from dataclasses import dataclass

from attache.schema.data import Uri
from attache.schema.edits import TextEdit
from attache.schema.errors import FileMissing
from attache.workspace.blobs import Blobs
from attache.workspace.documents import Buffers
from attache.workspace.files import decode, read_bytes
from attache.workspace.paths import to_uri
from attache.workspace.spares import Place


@dataclass(frozen=True, slots=True)
class Stored:
    """A file on disk."""

    place: Place
    data: bytes
    text: str
    encoding: str
    bom: bool
    mode: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a name holds: a text, in a buffer of the editor or on disk."""

    text: str
    stored: Stored | None = None
    """The file on disk that it continues; None for a new one, and for an open one as long as nobody asked."""
    version: int | None = None
    """The editor's, where the file is open there."""
    edits: tuple[TextEdit, ...] = ()
    """Those that made the text of the one it was first, where one change did it all."""
    encoding: str = "utf-8"
    bom: bool = False
    mode: int | None = None

    @property
    def open(self) -> bool:
        """Whether an editor holds it."""
        return self.version is not None


@dataclass(frozen=True, slots=True)
class OpenEdit:
    """What has to be changed in a document that an editor holds."""

    uri: Uri
    path: str
    base: str
    edits: tuple[TextEdit, ...]
    after: str


class Files:
    """The files of a workspace as a sketch needs them: what stands under a name now, and where it lies on disk."""

    def __init__(
        self, place: Callable[[Uri], Place], buffers: Buffers, shown: Callable[[Uri], str], blobs: Blobs
    ) -> None:
        self.place = place
        self.buffers = buffers
        self.shown = shown
        self.blobs = blobs

    async def held(self, uri: Uri) -> Held | None:
        """Return what stands under a name: the editor's text where it is open, else the disk's; None for nothing."""
        if document := self.buffers.get(uri):
            if not uri.startswith("untitled:"):
                self.place(
                    uri
                )  # outside the roots nothing is edited, open or not; nor what is no file, such as settings
            return Held(document.text, version=document.version)
        stored = await self.stored(uri)
        return stored and Held(
            stored.text, stored, encoding=stored.encoding, bom=stored.bom, mode=stored.mode
        )  # fmt: skip

    async def stored(self, uri: Uri) -> Stored | None:
        """Return the file on disk, None where there is none."""
        return await asyncio.to_thread(self._stored, self.place(uri))

    def spelled(self, uri: Uri) -> Uri:
        """Return the URI as the editor spells it where the file is open, else as we do."""
        if document := self.buffers.get(uri):
            return document.uri
        root, path = self.place(uri)
        return to_uri(root.path / path)

    def _stored(self, place: Place) -> Stored | None:
        try:
            data = read_bytes(*place)
        except FileMissing:
            return None
        with place.root.spot(place.path) as (folder, name):
            known = folder.stat(name)
        if known is None:
            return None
        decoded = decode(data, place.path)
        return Stored(place, data, decoded.text, decoded.encoding, decoded.bom, stat.S_IMODE(known.st_mode))
