"""A simulated editor at the other end of the protocol: what passes is coded by the server's own code, and by ours here.

This side counts units by really encoding the text, so that an error of the server's in counting cannot hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from attache.faces.lsp import sync
from attache.faces.lsp.capabilities import read_client
from attache.faces.lsp.editor import workspace_edit
from attache.faces.lsp.wire.shapes import DidChange, encode, read_as
from attache.foundation.jsonrpc import decode
from attache.foundation.positions import Encoding
from attache.schema.data import Uri
from attache.schema.edits import TextEdit
from attache.workspace.documents import END, BufferEdit, Buffers, Document
from workspace.clients import Editor, Habits

CODECS: dict[Encoding, tuple[str, int]] = {
    "utf-8": ("utf-8", 1),
    "utf-16": ("utf-16-le", 2),
    "utf-32": ("utf-32-le", 4),
}
Json = dict[str, Any]


class WireEditor(Editor):
    """An editor that sends and receives JSON in the encoding agreed upon."""

    def __init__(self, buffers: Buffers, habits: Habits, seed: int, encoding: Encoding) -> None:
        super().__init__(buffers, habits, seed)
        edits = {"documentChanges": habits.checks != "never"}
        self.client = read_client(
            {"capabilities": {"general": {"positionEncodings": [encoding]}, "workspace": {"workspaceEdit": edits}}}
        )
        self._server = SimpleNamespace(buffers=buffers, client=self.client)
        self._codec, self._width = CODECS[encoding]
        self._told: dict[Uri, Document] = {}
        """Each document as our reports so far leave it."""

    def open(self, path: Any, text: str | None = None) -> Uri:
        uri = super().open(path, text)
        self._told[uri] = Document(uri, self.screens[uri].text)
        return uri

    def reload(self, uri: Uri, text: str) -> None:
        """Take what the disk holds now for the text, as an editor does with a file that it has not changed."""
        self._change(uri, [BufferEdit((0, 0), END, text)])
        self._soon(uri)

    async def apply(self, uri: Uri, version: int, edits: Sequence[TextEdit], base: str, label: str) -> bool:
        """Read the server's edit as it comes over the wire."""
        document = Document(uri, base, version=version)
        sent: Json = decode(encode(workspace_edit(self.client, [(document, edits)])))
        if self.client.versioned_edits:
            (change,) = sent["documentChanges"]
            assert change["textDocument"] == {"uri": uri, "version": version}
            received = change["edits"]
        else:
            ((_, received),) = sent["changes"].items()
        read = tuple(
            TextEdit(
                start=document.offset(*self._place(document, each["range"]["start"])),
                end=document.offset(*self._place(document, each["range"]["end"])),
                text=each["newText"],
            )
            for each in received
        )
        return await super().apply(uri, version, read, base, label)

    def flush(self, uri: Uri) -> None:
        """Report what is not reported yet, over the wire."""
        notes = self._unsent.get(uri, [])
        self._unsent[uri] = []
        if not notes:
            return
        if self.habits.sync == "full":
            self._report(uri, notes[-1][0], [{"text": self.screens[uri].text}])
            self._told[uri] = Document(uri, self.screens[uri].text)
            return
        groups = [(notes[-1][0], [edit for _, edits in notes for edit in edits])] if self.habits.gathers else notes
        for version, edits in groups:
            self._report(uri, version, [self._coded(self._told[uri], edit) for edit in edits])

    def _report(self, uri: Uri, version: int, changes: list[Json]) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        sync.changed(self._server, read_as(DidChange, decode(encode(params))))  # type: ignore[arg-type]

    def _coded(self, told: Document, edit: BufferEdit) -> Json:
        """Return an edit as it is sent, and make it in what was told so far: the next one counts in that."""
        start, end = told.clamp(edit.start), told.clamp(edit.end)
        span = {"start": self._position(told, start), "end": self._position(told, end)}
        told.replace(*edit)
        return {"range": span, "text": edit.text}

    def _position(self, document: Document, place: tuple[int, int]) -> Json:
        line, column = place
        return {"line": line, "character": len(document.line(line)[:column].encode(self._codec)) // self._width}

    def _place(self, document: Document, position: Json) -> tuple[int, int]:
        units = document.line(position["line"]).encode(self._codec)[: position["character"] * self._width]
        return position["line"], len(units.decode(self._codec))  # raises where a character is cut in two
