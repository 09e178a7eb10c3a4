"""What a hover tells: what a mention of a chat document stands for, and who wrote a line that the agent changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attache.faces.lsp.chat import mentions
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.plan_text import is_plan
from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import position
from attache.faces.lsp.sync import code_points
from attache.faces.lsp.wire.shapes import Markup, PositionParams, Range, Shape
from attache.schema.data import Uri

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_CHARACTERS = 1_500


class Hover(Shape):
    """What to show, and the range it is about."""

    contents: Markup
    range: Range | None = None


@feature("textDocument/hover", PositionParams)
async def hover(server: Server, params: PositionParams) -> Hover | None:
    """Say what stands at a place."""
    document = server.buffers.get(Uri(params.text_document.uri))
    if document is None:
        return None
    line, column = code_points(document, params.position, server.client.encoding)
    if not (is_chat(document.uri) or is_plan(document.uri)):
        told = await server.authors.told(document, line)
        return Hover(Markup("markdown", told)) if told else None
    for each in mentions.mentions(document.line(line)):
        if each.start <= column <= each.end:
            if "://" in each.what:
                told = "A page: the agent asks before it fetches it."
            else:
                told = await mentions.resolved(server, each.what, limit=_CHARACTERS)
            encoding = server.client.encoding
            ends = (position(document, line, at, encoding) for at in (each.start, each.end))
            return Hover(Markup("markdown", told or f"`@{each.what}`: there is no such file or symbol"), Range(*ends))
    return None
