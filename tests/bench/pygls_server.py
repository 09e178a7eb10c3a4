"""The peer of the LSP benches: the least server that pygls makes, with a hover, code lenses and a code action."""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("minimal", "1")
FUNCTION = re.compile(r"\s*(async )?def |class ")


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover:
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, f"line {params.position.line}"))


@server.feature(types.TEXT_DOCUMENT_CODE_LENS)
def code_lens(params: types.CodeLensParams) -> list[types.CodeLens]:
    document = server.workspace.get_text_document(params.text_document.uri)
    return [
        types.CodeLens(
            types.Range(types.Position(number, 0), types.Position(number, len(line))),
            types.Command("ask agent", "minimal.ask", arguments=[number]),
        )
        for number, line in enumerate(document.lines)
        if FUNCTION.match(line)
    ]


@server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
    return [types.CodeAction("explain", types.CodeActionKind.QuickFix, params.context.diagnostics)]


if __name__ == "__main__":
    server.start_io()
