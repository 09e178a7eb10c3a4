"""Ghost text: the continuation at the cursor, after a pause, never inside a word, gone at the next key.

A model that fills in the middle is asked by itself; one that only talks, which costs more and knows less, where the
user says so. Without a model it is the rest of a line that stands in the open buffers already, or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.code.ghosts import BEFORE, Around
from attache.faces.lsp.features import feature
from attache.faces.lsp.models import OFFLINE
from attache.faces.lsp.outline import position
from attache.faces.lsp.sync import code_points
from attache.faces.lsp.wire.shapes import CompletionParams, Range
from attache.foundation.redact import marked, redact
from attache.schema.data import Uri
from attache.schema.errors import AttacheError
from attache.schema.models import Request, Usage

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.providers.fill import Filler
    from attache.workspace.documents import BufferChange, Document

PAUSE_SECONDS: Final = 0.2
ANSWER_SECONDS: Final = 10.0
_BEHIND: Final = 2_000
"""Code points behind the cursor that a model sees."""
_TOKENS: Final = 160
_LEAST_TYPED: Final = 4
"""Characters of a line that must stand before the rest of it is guessed from other lines."""
_BY_HAND: Final = 1
_FENCE: Final = "```"
_BILLED_AS: Final = "ghost text"
"""What stands in the place of a session."""
_SYSTEM: Final = (
    "You complete code at the mark <CURSOR/>. Answer with the text that goes there and nothing else: no explanation, "
    "no fence, nothing that stands already before or behind the mark. Answer with nothing where nothing is missing."
)


@feature("textDocument/inlineCompletion", CompletionParams)
async def inline(server: Server, params: CompletionParams) -> dict[str, Any] | None:
    """Complete at the cursor once the typing pauses."""
    document = server.buffers.get(Uri(params.text_document.uri))
    if document is None:
        return None
    line, column = code_points(document, params.position, server.client.encoding)
    version = document.version
    if params.context.trigger_kind != _BY_HAND:
        await asyncio.sleep(PAUSE_SECONDS)
    if document.version != version:
        return None  # the editor asks again
    text = await continued(server, document, line, column)
    if not text or document.version != version:
        return None
    at = position(document, line, column, server.client.encoding)
    return {"items": [{"insertText": text, "range": Range(at, at)}]}


async def continued(server: Server, document: Document, line: int, column: int) -> str:
    """Return what goes at a place of a document; empty where nothing does, or where nobody may say."""
    row = document.line(line)
    if server.settings.inline_completion == "off" or is_chat(document.uri) or _inside_a_word(row, column):
        return ""
    around = _around(document, line, column)
    known = server.ghosts.recall(document.uri, around)
    if known is not None:
        return known
    text = await _until_typed(server, document, _asked(server, document, around))
    if text is None:
        return ""
    text = text or _rest_of_line(server, document, line, column)
    if document.line(line)[column:].strip():
        text = text.partition("\n")[0]
    server.ghosts.keep(document.uri, around, text)
    return text


def _inside_a_word(row: str, column: int) -> bool:
    return column < len(row) and (row[column].isalnum() or row[column] == "_")


def _around(document: Document, line: int, column: int) -> Around:
    at, text = document.offset(line, column), document.text
    return Around(text[max(at - BEFORE, 0) : at], text[at : at + _BEHIND])


async def _until_typed(server: Server, document: Document, asking: Any) -> str | None:
    """Return what is answered; None where the user typed on meanwhile, which ends the asking."""
    typed = asyncio.Event()

    def heard(change: BufferChange) -> None:
        if change.uri == document.uri and change.kind in {"change", "close"}:
            typed.set()

    stop = server.buffers.subscribe(heard)
    answer, key = asyncio.ensure_future(asking), asyncio.ensure_future(typed.wait())
    try:
        await asyncio.wait({answer, key}, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() and not typed.is_set() else None
    finally:
        stop()
        for task in (answer, key):
            task.cancel()
        await asyncio.gather(answer, key, return_exceptions=True)


# ---------------------------------------------------------------- by a model


async def _asked(server: Server, document: Document, around: Around) -> str:
    """Return the model's completion; empty where there is no model for it, or it fails: nobody asked aloud."""
    await server.models.look()
    ref = server.settings.completion_model or server.models.chosen
    if not ref or ref == OFFLINE:
        return ""
    seen = _seen(server, around)
    try:
        await server.models.weigh()
        if server.models.spent:
            return ""
        found = await _filler(server, ref)
        if found is not None and found.able:
            text, usage = await found.fill(*seen, max_tokens=_TOKENS)
        elif server.settings.inline_completion == "on" or server.settings.completion_model:
            text, usage = await _talked(server, document, ref, seen)
        else:
            return ""
    except AttacheError:
        return ""
    server.background(_billed(server, ref, usage), "the bill of a completion")
    text = server.ghosts.veil.restore(text)
    return "" if marked(text) else _trimmed(text, around.behind)


def _seen(server: Server, around: Around) -> Around:
    """Return what a model sees: no secret, and no personal data where the user wants that; nobody is asked here."""
    seen = Around(redact(around.before), redact(around.behind))
    return seen if server.settings.personal_data == "off" else Around(*map(server.ghosts.veil.hide_text, seen))


async def _filler(server: Server, ref: str) -> Filler | None:
    ghosts = server.ghosts
    if ref not in ghosts.fillers:
        from attache.providers.fill import filler

        catalog = (await server.app()).resources.catalog
        provider, _, name = catalog.open(ref).info.ref.partition("/")
        ghosts.fillers[ref] = filler(catalog.row(provider), name, server.settings)
    return ghosts.fillers[ref]


async def _talked(server: Server, document: Document, ref: str, around: Around) -> tuple[str, Usage]:
    """Ask a model that only talks."""
    from attache.schema.messages import user

    model = (await server.app()).resources.catalog.open(ref)
    words = f"{server.shown(document.uri)} ({document.language})\n\n{around.before}<CURSOR/>{around.behind}"
    request = Request(model=model.info.name, system=_SYSTEM, messages=(user(words),), max_output_tokens=_TOKENS)
    answer = await model.answer(request, lambda _: None)
    text = answer.message.text
    if text.strip().startswith(_FENCE):
        text = text.strip().partition("\n")[2].removesuffix(_FENCE).rstrip("\n")
    return text, answer.usage


async def _billed(server: Server, ref: str, usage: Usage) -> None:
    """Enter what a completion took; it belongs to no session."""
    resources = (await server.app()).resources
    info = resources.catalog.open(ref).info
    cost = await asyncio.to_thread(resources.catalog.price, info, usage)
    await resources.ledger.enter(_BILLED_AS, str(server.folder), info.ref, usage, cost or 0.0)


def _trimmed(text: str, behind: str) -> str:
    """Return a completion without blank lines at its end, and without what stands behind the cursor already."""
    text = text.rstrip()
    rest = behind.partition("\n")[0].strip()
    return text.removesuffix(rest) if rest else text


# ---------------------------------------------------------------- without one


def _rest_of_line(server: Server, document: Document, line: int, column: int) -> str:
    """Return how lines that begin as this one does go on, where all of them do so alike; empty otherwise."""
    row = document.line(line)
    typed = row[:column].lstrip()
    if row[column:].strip() or len(typed.strip()) < _LEAST_TYPED:
        return ""
    ways = {
        bare[len(typed) :].rstrip()
        for other in server.buffers
        if other.language == document.language
        for number, bare in _lines(other)
        if bare.startswith(typed) and (other is not document or number != line)
    }
    return ways.pop() if len(ways) == 1 else ""


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    for number in range(document.line_count):
        yield number, document.line(number).lstrip()
