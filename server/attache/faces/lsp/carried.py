"""Tools that the folder carries, as their author edits them: what is wrong with one stands in its file."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from attache.faces.lsp.diagnostics import ERROR, SOURCE
from attache.faces.lsp.wire.shapes import Diagnostic, Position, Range
from attache.schema.data import Uri
from attache.workspace.paths import to_uri

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

FOLDER = "/.attache/tools/"


def show_tool_problems(server: Server) -> None:
    """Publish what hinders the folder's own tools, found anew where their files have changed."""
    if server.app_now is None:
        return
    found: defaultdict[Uri, list[Diagnostic]] = defaultdict(list)
    for problem in server.app_now.resources.tools.current().problems:
        line = problem.place.line - 1
        place = Range(Position(line, 0), Position(line + 1, 0))
        uri = to_uri(problem.place.path)
        found[uri].append(Diagnostic(place, problem.message, severity=ERROR, code="tool", source=SOURCE))
    for uri in {*found, *server.board.documents("tool")}:
        server.board.pin(uri, "tool", found[uri])
