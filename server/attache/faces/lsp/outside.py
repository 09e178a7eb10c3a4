"""What happens beyond our documents: files that change on disk, folders that come and go, findings of other servers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.rpc import Refused
from attache.faces.lsp.wire.shapes import Diagnostic, Shape
from attache.schema.data import Uri
from attache.schema.errors import AttacheError, ToolError
from attache.workspace.paths import to_path

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

Kind = Literal["created", "changed", "deleted"]
_KINDS: Final[dict[int, Kind]] = {1: "created", 2: "changed", 3: "deleted"}
_REGISTER_SECONDS: Final = 30.0


class WatchedFile(Shape):
    """A file, and what happened to it: 1 created, 2 changed, 3 deleted."""

    uri: str
    type: int


class WatchedFiles(Shape):
    """Parameters of workspace/didChangeWatchedFiles."""

    changes: list[WatchedFile]


class NamedFile(Shape):
    """A file or folder that the user created or deleted in the editor."""

    uri: str


class NamedFiles(Shape):
    """Parameters of workspace/didCreateFiles and didDeleteFiles."""

    files: list[NamedFile]


class RenamedFile(Shape):
    """A file or folder that the user renamed in the editor."""

    old_uri: str
    new_uri: str


class RenamedFiles(Shape):
    """Parameters of workspace/willRenameFiles and didRenameFiles."""

    files: list[RenamedFile]


class Folder(Shape):
    """A folder of the workspace."""

    uri: str
    name: str = ""


class FoldersEvent(Shape):
    """Folders that came and folders that went."""

    added: list[Folder]
    removed: list[Folder]


class ChangedFolders(Shape):
    """Parameters of workspace/didChangeWorkspaceFolders."""

    event: FoldersEvent


class Pushed(Shape):
    """Parameters of attache/diagnostics: all that other servers find in a document, as of a version."""

    uri: str
    diagnostics: list[Diagnostic]
    version: int | None = None


@feature("attache/diagnostics", Pushed)
def told(server: Server, params: Pushed) -> None:
    """Take what a client passes on of its other servers' findings; it takes the place of what was passed on before."""
    server.heard.told(Uri(params.uri), params.version, params.diagnostics)


@feature("workspace/didChangeWatchedFiles", WatchedFiles)
def changed(server: Server, params: WatchedFiles) -> None:
    """Look again at what others changed on disk."""
    _look(server, [(each.uri, _KINDS.get(each.type, "changed")) for each in params.changes])


@feature("workspace/didCreateFiles", NamedFiles)
def created(server: Server, params: NamedFiles) -> None:
    """Look at what the user created."""
    _look(server, [(each.uri, "created") for each in params.files])


@feature("workspace/didDeleteFiles", NamedFiles)
def deleted(server: Server, params: NamedFiles) -> None:
    """Forget what the user deleted."""
    _look(server, [(each.uri, "deleted") for each in params.files])


@feature("workspace/willRenameFiles", RenamedFiles)
def renaming(server: Server, params: RenamedFiles) -> None:
    """Let the user rename without edits of ours: those are the language's own server's to make."""
    del server, params


@feature("workspace/didRenameFiles", RenamedFiles)
def renamed(server: Server, params: RenamedFiles) -> None:
    """Look where files were, and where they are."""
    _look(server, [(each.old_uri, "deleted") for each in params.files])
    _look(server, [(each.new_uri, "created") for each in params.files])


@feature("workspace/didChangeWorkspaceFolders", ChangedFolders)
def folders_changed(server: Server, params: ChangedFolders) -> None:
    """Follow the user into other folders, and out of those that are closed."""
    server.background(
        server.change_folders([each.uri for each in params.event.added], [each.uri for each in params.event.removed]),
        "folders",
    )


def _look(server: Server, changes: Iterable[tuple[str, Kind]]) -> None:
    if server.app_now is None:
        return  # nobody has looked yet
    paths: list[Path] = []
    for uri, kind in changes:
        try:
            paths.append(to_path(Uri(uri)))
        except ToolError:
            continue
        server.app_now.resources.servers.changed_on_disk(Uri(uri), kind)
    server.app_now.resources.index.look_at(paths)


async def watch(server: Server) -> None:
    """Ask the client to tell of files that change on disk, where it can and that costs it little."""
    if not server.client.watches_files:
        return
    options: dict[str, Any] = {"watchers": [{"globPattern": "**/*"}]}
    registration = {"id": "attache-files", "method": "workspace/didChangeWatchedFiles", "registerOptions": options}
    try:
        await server.peer.ask(
            "client/registerCapability", {"registrations": [registration]}, timeout_seconds=_REGISTER_SECONDS
        )
    except (Refused, TimeoutError, AttacheError):
        return  # what is stale is found out when it is asked about
