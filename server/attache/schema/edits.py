"""Changes to files: what a step wants changed, the hunks people review, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from attache.schema.data import ChangeSetId, HunkId, Record, Uri

Resolution = Literal["pending", "accepted", "rejected"]


class TextEdit(Record):
    """Replace the code points [start, end) of the base text. Edits of one file are sorted and never overlap."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str


class EditFile(Record):
    """Change a file that is there. `base_hash` says which text the edits were made against."""

    kind: Literal["edit"] = "edit"
    uri: Uri
    base_hash: str
    base_version: int | None = None
    edits: tuple[TextEdit, ...]


class CreateFile(Record):
    """Write a file; one that is there already is replaced only where `overwrite` says so.

    A file that is replaced keeps its own encoding and permissions; what stands here is for a new one.
    """

    kind: Literal["create"] = "create"
    uri: Uri
    text: str
    overwrite: bool = False
    executable: bool = False
    encoding: str = "utf-8"
    bom: bool = False
    mode: int | None = None
    """Permission bits; None leaves them to the user's umask."""


class DeleteFile(Record):
    """Delete a file whose text is still the one that was read."""

    kind: Literal["delete"] = "delete"
    uri: Uri
    base_hash: str


class RenameFile(Record):
    """Move a file, its text kept."""

    kind: Literal["rename"] = "rename"
    uri: Uri
    new_uri: Uri
    base_hash: str
    overwrite: bool = False


class FileState(Record):
    """What stands under a name, by reference: the bytes of a file lie in the store under their hash."""

    hash: str = ""
    """SHA-256 of a file's bytes; empty for a link."""
    size: int = 0
    mode: int = 0o644
    """Permission bits of a file; links have none."""
    target: str = ""
    """Where a link leads, as it is written; empty for a file."""


class ReplaceFile(Record):
    """Put one thing in the place of another, whatever they are: binary and large files, links. None: nothing."""

    kind: Literal["replace"] = "replace"
    uri: Uri
    before: FileState | None
    after: FileState | None


class SetMode(Record):
    """Change the permission bits of a file."""

    kind: Literal["mode"] = "mode"
    uri: Uri
    before: int
    mode: int


class SetFolder(Record):
    """Make an empty folder, or remove one once it is empty."""

    kind: Literal["folder"] = "folder"
    uri: Uri
    there: bool


FileChange = Annotated[
    EditFile | CreateFile | DeleteFile | RenameFile | ReplaceFile | SetMode | SetFolder, Field(discriminator="kind")
]


class ChangeSet(Record):
    """All that one step wants changed: it lands whole or not at all."""

    id: ChangeSetId
    title: str
    files: tuple[FileChange, ...]
    run_id: str = ""
    step: int = 0
    """Number of the step in its session, from 1."""


class FileOutcome(Record):
    """What a landed change set made of one file. None as text means the file is not there."""

    uri: Uri
    path: str
    before: str | None
    after: str | None
    version: int | None = None
    """The editor's version after the edit, None where the file was changed on disk."""
    renamed_from: str = ""
    """URI that the file had before; empty where it was not moved."""
    encoding: str = "utf-8"
    bom: bool = False
    mode: int | None = None
    """Permission bits that a deleted file had, so that undo gives them back."""
    other: ReplaceFile | SetMode | SetFolder | None = None
    """What was done where it was no change of text; `before` and `after` then are what they are without it."""


class Landed(Record):
    """A change set that stands in all its files."""

    change_set: ChangeSet
    files: tuple[FileOutcome, ...]
    folders: tuple[Uri, ...] = ()
    """Folders that had to be made for its files; undo removes those that are empty then."""


class Hunk(Record):
    """A run of changed lines in one file, small enough to accept or reject.

    `start_line` counts from 1 in the text as it stands now; `after` are the lines that stand there now, `before` those
    that stood there; lines carry their own line ends. A hunk that only deletes has an empty `after` and stands before
    `start_line`.
    """

    id: HunkId
    change_set: ChangeSetId
    title: str
    step: int
    uri: Uri
    path: str
    start_line: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    resolution: Resolution = "pending"
