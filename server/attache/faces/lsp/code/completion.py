"""What can be typed next in a chat document: mentions after `@`, commands after `/`, and what its front matter takes.

In code it is asked for by hand, only where the editor shows no ghost text: then the model's continuation is offered.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, get_args

from attache.faces.lsp.chat import chat_text
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.plan_text import is_plan
from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import position
from attache.faces.lsp.sync import code_points
from attache.faces.lsp.wire.shapes import CompletionParams, Range, TextEdit
from attache.schema.data import Uri
from attache.schema.session import Mode

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.workspace.documents import Document

_MENTION: Final = re.compile(r"(?:^|(?<=[\s(]))@([\w./:\\-]*)$")
_COMMAND: Final = re.compile(r"^/([a-z]*)$")
_ARGUMENT: Final = re.compile(r"^/(mode|model)[ \t]+(\S*)$")
_FIELD: Final = re.compile(r"^(mode|model):[ \t]*(\S*)$")
_FILE, _REFERENCE, _KEYWORD, _VALUE, _FUNCTION, _SNIPPET = 17, 18, 14, 12, 3, 15
_MOST: Final = 60
_FILES_FRESH_SECONDS: Final = 5.0
_INDEX_SECONDS: Final = 1.0
_BY_HAND: Final = 1

Item = dict[str, Any]


@feature("textDocument/completion", CompletionParams)
async def complete(server: Server, params: CompletionParams) -> dict[str, Any] | None:
    """List what fits the text before the cursor."""
    document = server.buffers.get(Uri(params.text_document.uri))
    if document is None:
        return None
    line, column = code_points(document, params.position, server.client.encoding)
    before = document.line(line)[:column]
    if is_chat(document.uri) or is_plan(document.uri):
        found = [item async for item in _in_words(server, document, line, before)]
    elif params.context.trigger_kind == _BY_HAND and not server.client.completes_inline:
        found = [item async for item in _in_code(server, document, line, column)]
    else:
        return None
    return {"isIncomplete": True, "items": found} if found else None


async def _in_words(server: Server, document: Document, line: int, before: str) -> AsyncIterator[Item]:
    if field := _FIELD.match(before):
        if line < _end_of_front(document):
            for item in await _choices(server, document, line, field, len(before)):
                yield item
        return
    if is_chat(document.uri):
        for item in _commands(server, document, line, before):
            yield item
        if argument := _ARGUMENT.match(before):
            for item in await _choices(server, document, line, argument, len(before)):
                yield item
    if mention := _MENTION.search(before):
        for item in await _mentions(server, document, line, mention):
            yield item


def _end_of_front(document: Document) -> int:
    """Return the line that ends the front matter; 0 where there is none."""
    if document.line(0).strip() != "---":
        return 0
    return next((n for n in range(1, min(document.line_count, 40)) if document.line(n).strip() == "---"), 0)


def _item(
    server: Server, document: Document, line: int, columns: tuple[int, int], text: str, kind: int, **more: Any
) -> Item:
    start, end = (position(document, line, column, server.client.encoding) for column in columns)
    return {
        "label": more.pop("label", text),
        "kind": kind,
        "filterText": text,
        "textEdit": TextEdit(Range(start, end), more.pop("insert", text)),
        **more,
    }


# ---------------------------------------------------------------- commands and front matter


def _commands(server: Server, document: Document, line: int, before: str) -> Iterator[Item]:
    from attache.faces.lsp.chat import slash

    if not (command := _COMMAND.match(before)) or not _begins_turn(document, line):
        return
    rows = [(name, what) for name, (_, what) in slash.PROMPTS.items()]
    rows += [(name, act.what) for name, act in slash.ACTS.items()]
    for name, what in rows:
        if name.startswith(command[1]):
            yield _item(
                server, document, line, (0, len(before)), f"/{name}", _KEYWORD, detail=what, insert=f"/{name} "
            )  # fmt: skip


def _begins_turn(document: Document, line: int) -> bool:
    """Whether nothing but blank lines stands between a line and the user's heading above it."""
    above = next((text for n in range(line - 1, -1, -1) if (text := document.line(n).strip())), "")
    return above == f"## {chat_text.YOU}"


async def _choices(server: Server, document: Document, line: int, match: re.Match[str], end: int) -> list[Item]:
    wanted = match[2]
    choices: Iterable[str] = get_args(Mode)
    if match[1] == "model":
        from attache.faces.lsp.panel.sessions import models

        choices = [*await models(server), "offline/offline"]
    return [
        _item(server, document, line, (end - len(wanted), end), choice, _VALUE)
        for choice in dict.fromkeys(choices)
        if wanted in choice
    ]


# ---------------------------------------------------------------- mentions

_ALWAYS: Final = (
    ("diagnostics", "What is known to be wrong in the open files"),
    ("diff", "What differs from the last commit"),
    ("https://", "A page: the agent asks before it fetches it"),
)


async def _mentions(server: Server, document: Document, line: int, mention: re.Match[str]) -> list[Item]:
    wanted, columns = mention[1], (mention.start(), mention.end())
    found = [
        _item(server, document, line, columns, f"@{name}", _REFERENCE, detail=what, sortText="0", insert=_ended(name))
        for name, what in _ALWAYS
        if name.startswith(wanted)
    ]
    for rank, path in enumerate(nearest(wanted, await _paths(server))[:_MOST]):
        found.append(
            _item(
                server,
                document,
                line,
                columns,
                f"@{path}",
                _FILE,
                insert=f"@{path} ",
                sortText=f"1{rank:03}",
                label=path,
            )
        )
    if wanted and "/" not in wanted:
        found += await _symbols(server, document, line, mention)
    return found


def _ended(name: str) -> str:
    return f"@{name}" if name.endswith("/") else f"@{name} "


async def _symbols(server: Server, document: Document, line: int, mention: re.Match[str]) -> list[Item]:
    index = (await server.app()).resources.index
    await index.ready(_INDEX_SECONDS)
    found = await index.symbols(mention[1].rpartition(".")[2], k=_MOST)
    columns = mention.start(), mention.end()
    return [
        _item(
            server, document, line, columns, f"@{symbol.qualified}", _FUNCTION, label=symbol.qualified,
            detail=f"{symbol.kind} {symbol.path}:{symbol.line}", sortText=f"2{rank:03}",
            insert=f"`{symbol.qualified}` @{symbol.path}:{symbol.line} ",
        )
        for rank, symbol in enumerate(found)
    ]  # fmt: skip


async def _paths(server: Server) -> tuple[str, ...]:
    """Return the files of the workspace, listed at most every few seconds."""
    listed_at, task = server.listed
    if task is None or time.monotonic() - listed_at > _FILES_FRESH_SECONDS:
        task = asyncio.ensure_future(server.workspace.files())
        server.listed = time.monotonic(), task
    return await asyncio.shield(task)


def nearest(wanted: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that hold `wanted`: those whose name begins so first, then the shortest."""
    small = wanted.lower()
    ranked = sorted((rank, len(path), path) for path in paths if (rank := _rank(small, path.lower())) is not None)
    return [path for _, _, path in ranked]


def _rank(wanted: str, path: str) -> int | None:
    name = path.rpartition("/")[2]
    if name.startswith(wanted) or path.startswith(wanted):
        return 0
    return 1 if wanted in name else 2 if wanted in path else None


# ---------------------------------------------------------------- code


async def _in_code(server: Server, document: Document, line: int, column: int) -> AsyncIterator[Item]:
    from attache.faces.lsp.code.ghost import PAUSE_SECONDS, continued

    version = document.version
    await asyncio.sleep(PAUSE_SECONDS)  # some editors ask with every key, and say that it is by hand
    text = await continued(server, document, line, column) if document.version == version else ""
    if text and document.version == version:
        first = text.partition("\n")[0].strip() or "…"
        columns = column, column
        yield _item(
            server, document, line, columns, text, _SNIPPET, label=first, detail="Attaché", filterText="", sortText="~",
            documentation=text,
        )  # fmt: skip
