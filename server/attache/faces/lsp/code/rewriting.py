"""Refactorings that a rule makes: a tool of ours, run on the files in thought, so that only its changes remain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.targets import About, target
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId
from attache.schema.edits import ChangeSet, FileChange, Landed
from attache.schema.errors import EditRefused, UserError

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.faces.lsp.targets import Target

EXTRACTED: Final = (".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx")
"""Files in which a rule extracts functions."""
ORGANISED: Final = (*EXTRACTED, ".pyi", ".go", ".rs")
"""Files whose imports a rule puts in order."""
_NAME: Final = "extracted"


async def by_rule(server: Server, about: About) -> ChangeSet:
    """Return the changes that a rule makes, touching nothing. Raises AttacheError."""
    place = target(server, about)
    if about.rule == "extract":
        title = f"Extract lines {place.line}-{place.end_line} of {place.path}"
        arguments = {
            "path": place.path, "start_line": place.line, "end_line": _last(about, place), "name": _free(place),
        }  # fmt: skip
        return await _changes(server, "extract", title, arguments)
    if about.rule == "organize":
        return await _changes(server, "organize_imports", f"Organise the imports of {place.path}", {"path": place.path})
    raise UserError(f"no rule is called {about.rule!r}", hint="there are: extract, organize")


def _last(about: About, place: Target) -> int:
    """Return the last selected line: a selection that ends before the first character of a line leaves it out."""
    ends_before = about.range is not None and about.range.end.character == 0 and place.end_line > place.line
    return place.end_line - 1 if ends_before else place.end_line


def _free(place: Target) -> str:
    """Return a name that the document does not have."""
    text = place.document.text
    return next(name for n in range(1, 1000) if (name := _NAME if n == 1 else f"{_NAME}_{n}") not in text)


async def _changes(server: Server, name: str, title: str, arguments: dict[str, Any]) -> ChangeSet:
    from attache.tools.tool import Context

    app = await server.app()
    staged = app.resources.workspace.staged()

    async def land(what: str, files: Sequence[FileChange]) -> Landed:
        return await staged.land(ChangeSet(id=ChangeSetId(new_id("c")), title=what, files=tuple(files)))

    tool = app.resources.tools.find(name)
    context = Context(workspace=staged, settings=server.settings, land=land, index=app.resources.index)
    output = await tool.call(context, tool.validate(arguments))
    changes = staged.collected(title)
    if not changes.files:
        raise EditRefused(f"{title}: {output.text}", hint="ask for it in a chat")
    return changes
