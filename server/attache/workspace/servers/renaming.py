"""Turn a language server's WorkspaceEdit into changes of ours, or refuse what cannot be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attache.foundation.positions import Encoding, to_column
from attache.schema.data import Uri
from attache.schema.edits import EditFile, TextEdit
from attache.schema.errors import EditRefused
from attache.workspace.documents import split_lines
from attache.workspace.edits import line_starts
from attache.workspace.workspace import Workspace

Rename = tuple[EditFile, ...]
"""One change a file, against its text as it was read."""


async def read_rename(workspace: Workspace, answer: Any, encoding: Encoding) -> Rename:
    """Return the edits of a WorkspaceEdit. Raises EditRefused where it also moves files, or changes ones outside."""
    given = cast("Mapping[str, Any]", answer)
    edits: dict[Uri, list[Mapping[str, Any]]] = {}
    for uri, own in cast("Mapping[str, Any]", given.get("changes") or {}).items():
        edits.setdefault(Uri(uri), []).extend(own)
    for change in cast("list[Mapping[str, Any]]", given.get("documentChanges") or []):
        if "kind" in change:
            raise EditRefused("the language server wants to move files with it", hint="move the file first")
        edits.setdefault(Uri(change["textDocument"]["uri"]), []).extend(change["edits"])
    changes: list[EditFile] = []
    for uri, own in edits.items():
        workspace.place(uri)
        snapshot = await workspace.read(uri)
        made = _edits(snapshot.text, own, encoding)
        changes.append(EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=made))
    return tuple(changes)


def _edits(text: str, given: list[Mapping[str, Any]], encoding: Encoding) -> tuple[TextEdit, ...]:
    lines = split_lines(text)
    starts = line_starts(lines)

    def offset(at: Mapping[str, Any]) -> int:
        line = min(int(at["line"]), len(lines) - 1)
        return starts[line] + to_column(lines[line].rstrip("\r\n"), int(at["character"]), encoding)

    made = [
        TextEdit(start=offset(each["range"]["start"]), end=offset(each["range"]["end"]), text=str(each["newText"]))
        for each in given
    ]
    return tuple(sorted(set(made), key=lambda edit: (edit.start, edit.end)))
