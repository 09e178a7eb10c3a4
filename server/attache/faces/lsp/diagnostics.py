"""What we publish about documents: hunks to review, findings of a review, approvals that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from attache.faces.lsp.outline import position
from attache.faces.lsp.wire.shapes import Diagnostic, Location, Position, Range, RelatedInformation
from attache.schema.data import Uri
from attache.schema.edits import Hunk

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

Topic = Literal["hunk", "review", "approval", "plan-step", "tool"]
SOURCE: Final = "attache"
ERROR: Final = 1
WARNING: Final = 2
INFORMATION: Final = 3
HINT: Final = 4


class Board:
    """Our diagnostics, by document and topic; a document is published anew when what stands on it changes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pinned: dict[Uri, dict[Topic, tuple[Diagnostic, ...]]] = {}

    def pin(self, uri: Uri, topic: Topic, diagnostics: Sequence[Diagnostic]) -> None:
        """Let exactly these diagnostics of one topic stand on a document."""
        topics = self._pinned.setdefault(uri, {})
        if topics.get(topic, ()) == tuple(diagnostics):
            return
        topics[topic] = tuple(diagnostics)
        self._publish(uri)

    def about(self, uri: Uri, topic: Topic) -> tuple[Diagnostic, ...]:
        """Return what stands on a document."""
        return self._pinned.get(uri, {}).get(topic, ())

    def documents(self, topic: Topic) -> list[Uri]:
        """Return the documents on which something of a topic stands."""
        return [uri for uri, topics in self._pinned.items() if topics.get(topic)]

    def _publish(self, uri: Uri) -> None:
        document = self._server.buffers.get(uri)
        everything = [each for pinned in self._pinned[uri].values() for each in pinned]
        params: dict[str, Any] = {"uri": document.uri if document else uri, "diagnostics": everything}
        if document is not None:
            params["version"] = document.version
        self._server.peer.notify("textDocument/publishDiagnostics", params)


def show_hunks(server: Server, uris: Sequence[Uri]) -> None:
    """Publish the hunks that wait for review in these documents, and bring their lenses up to date."""
    for uri in uris:
        server.board.pin(uri, "hunk", [_hunk(server, hunk) for hunk in server.pending(uri)])
    server.refresh_lenses()


def hunk_range(server: Server, hunk: Hunk) -> Range:
    """Return the lines where a hunk stands, up to the end of the last one."""
    first = hunk.start_line - 1
    last = first + max(len(hunk.after) - 1, 0)
    document = server.buffers.get(hunk.uri)
    if document is None:
        return Range(Position(first, 0), Position(last, 0))
    last = min(last, document.line_count - 1)
    end = position(document, last, len(document.line(last)), server.client.encoding)
    return Range(Position(min(first, last), 0), end)


def _hunk(server: Server, hunk: Hunk) -> Diagnostic:
    removed, added = len(hunk.before), len(hunk.after)
    lines = max(removed, added)
    others = [other for other in server.pending(None) if other.change_set == hunk.change_set and other.id != hunk.id]
    return Diagnostic(
        range=hunk_range(server, hunk),
        message=f'step {hunk.step} "{hunk.title}": {lines} line{"s" * (lines != 1)} changed here '
        f"(−{removed} +{added}). Accept or reject by code action.",
        severity=HINT if server.client.decorates_hunks else INFORMATION,
        code="hunk",
        source=SOURCE,
        related_information=[
            RelatedInformation(Location(other.uri, hunk_range(server, other)), f"step {other.step}, in {other.path}")
            for other in others
        ]
        or None,
        data={"hunk": hunk.id},
    )
