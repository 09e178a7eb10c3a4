"""Rename by a language server of the user's, where one knows more than scopes and single definitions tell."""

from __future__ import annotations

import re

from attache.schema.edits import EditFile
from attache.schema.errors import EditRefused
from attache.schema.tools import ToolOutput
from attache.tools.refactor.programs import landed
from attache.tools.refactor.renaming import Asked
from attache.tools.refactor.semantics.source import Source
from attache.tools.tool import Context
from attache.tools.wording import counted, lines_of
from attache.workspace.edits import apply


async def rename_by_server(ctx: Context, asked: Asked, word: str) -> ToolOutput | None:
    """Rename what a language server says is meant; None where none runs for such a file, or it does not know.

    Raises ToolError where it refuses, EditRefused where it would change more than the name.
    """
    if ctx.servers is None or not word:
        return None
    text = (await ctx.workspace.read(asked.path)).text
    rows = lines_of(text)
    row = rows[asked.line - 1] if asked.line <= len(rows) else ""
    match = re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", row)
    if match is None:
        return None
    edits = await ctx.servers.rename(asked.path, asked.line, match.start() + 1, asked.new_name)
    if not edits:
        return None
    for each in edits:
        await _check(ctx, each, word, asked.new_name)
    places = sum(len(each.edits) for each in edits)
    head = f"renamed `{word}` to `{asked.new_name}`: {counted(places, 'place')} in {counted(len(edits), 'file')}"
    note = "by the language server, which knows the project's types"
    return await landed(ctx, f"rename {word} to {asked.new_name}", head, edits, (note,))


async def _check(ctx: Context, change: EditFile, word: str, new: str) -> None:
    snapshot = await ctx.workspace.read(change.uri)
    for each in change.edits:
        old = snapshot.text[each.start : each.end]
        if word not in old and new not in each.text:
            raise EditRefused(
                f"the language server would also change `{old[:40]}` in {snapshot.path}", hint="rename it by edit"
            )
    after = apply(snapshot.text, change.edits, snapshot.path)
    if Source(snapshot.path, after).faults > Source(snapshot.path, snapshot.text).faults:
        raise EditRefused(f"{snapshot.path} would not parse any more; nothing was changed", hint="choose another name")
