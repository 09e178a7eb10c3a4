"""Files as texts in memory, by their paths: for trying an instruction without a disk."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from attache.schema.data import Uri
from attache.schema.documents import Snapshot
from attache.schema.edits import CreateFile, DeleteFile, EditFile, FileChange, RenameFile
from attache.schema.errors import FileMissing, FileSkipped, PathRefused
from attache.workspace.documents import text_hash
from attache.workspace.edits import apply
from attache.workspace.formats.hunks import BOM


class InMemory:
    """Texts by path, to be read as if they were a workspace; a byte-order mark is part of a text."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Take the texts; their paths stay spelled as they are."""
        self._texts = texts
        self._spelled = {posixpath.normpath(path): path for path in texts}

    def uri(self, path: str) -> Uri:
        """Return a name for the file; raises PathRefused where it would lie outside."""
        inside = posixpath.normpath(path)
        if inside.startswith(("/", "../")) or inside in {".", ".."}:
            raise PathRefused(f"{path} lies outside the workspace", hint="name a path inside it")
        return Uri(self._spelled.get(inside, inside))

    async def read(self, path: str) -> Snapshot:
        """Return the text; raises FileMissing."""
        uri = self.uri(path)
        if uri not in self._texts:
            raise FileMissing(f"{path} is not there", hint="name a file that is")
        text = self._texts[uri]
        return Snapshot(uri=uri, path=uri, text=text, hash=text_hash(text))

    async def files(self) -> tuple[str, ...]:
        """Return the paths."""
        return tuple(self._texts)

    def after(self, changes: Iterable[FileChange]) -> dict[str, str]:
        """Return the texts with the changes made."""
        texts = dict(self._texts)
        for change in changes:
            match change:
                case CreateFile():
                    texts[change.uri] = BOM + change.text if change.bom else change.text
                case EditFile():
                    texts[change.uri] = apply(texts[change.uri], change.edits, change.uri)
                case DeleteFile():
                    del texts[change.uri]
                case RenameFile():
                    texts[change.new_uri] = texts.pop(change.uri)
                case _:  # no format makes changes of another kind
                    raise FileSkipped(f"{change.uri} is changed by other than its text", hint="use the files tools")
        return texts
