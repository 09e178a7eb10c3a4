"""The editor as the workspace sees it: one `workspace/applyEdit` for one document, with the version it was made for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from attache.faces.lsp.capabilities import Client
from attache.faces.lsp.outline import position
from attache.faces.lsp.wire.rpc import Peer, Refused
from attache.faces.lsp.wire.shapes import Applied, DocumentEdit, Range, TextEdit, VersionedId, WorkspaceEdit, read_as
from attache.schema.data import Uri
from attache.schema.edits import TextEdit as Change
from attache.workspace.documents import Document

_APPLY_SECONDS: Final = 120.0
"""Emacs asks the user before it applies an edit."""


class LanguageClient:
    """An editor behind the protocol. What it says of an edit is passed on, for the workspace to believe or not."""

    def __init__(self, client: Client, peer: Peer) -> None:
        self._client = client
        self._peer = peer

    async def apply(self, uri: Uri, version: int, edits: Sequence[Change], base: str, label: str) -> bool:
        """Ask the editor to change `base` in its buffer `uri` by `edits`; return whether it says that it did."""
        document = Document(uri, base, version=version)
        edit = workspace_edit(self._client, [(document, edits)])
        try:
            answer = await self._peer.ask(
                "workspace/applyEdit", {"label": label, "edit": edit}, timeout_seconds=_APPLY_SECONDS
            )
            return read_as(Applied, answer).applied
        except (Refused, TimeoutError, ValueError):
            return False


def workspace_edit(client: Client, changes: Iterable[tuple[Document, Sequence[Change]]]) -> WorkspaceEdit:
    """Return edits as this client takes them: tied to the version they were made for, wherever it knows versions."""
    translated = [(document, _translated(client, document, made)) for document, made in changes]
    if not client.versioned_edits:
        return WorkspaceEdit(changes={document.uri: made for document, made in translated})
    return WorkspaceEdit(
        document_changes=tuple(
            DocumentEdit(VersionedId(document.uri, document.version), made) for document, made in translated
        )
    )


def _translated(client: Client, document: Document, made: Iterable[Change]) -> tuple[TextEdit, ...]:
    return tuple(
        TextEdit(
            Range(
                position(document, *document.position(edit.start), client.encoding),
                position(document, *document.position(edit.end), client.encoding),
            ),
            edit.text,
        )
        for edit in made
    )
