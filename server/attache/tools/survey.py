"""Many files at once, as the user sees them: read within limits, and what was left out is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from attache.index.languages import languages
from attache.index.parse import outline
from attache.schema.code import Symbol
from attache.schema.errors import FileSkipped, ToolError
from attache.tools.files.files import is_folder
from attache.tools.tool import Context
from attache.tools.wording import counted

FILES_READ = 4_000
CHARACTERS_READ = 40_000_000
FILE_CHARACTERS = 1_000_000

WORDS = frozenset({"json", "toml", "yaml", "markdown", "css", "html"})
"""Languages that hold settings, pages and prose, not programs."""

_T = TypeVar("_T")


class Survey(NamedTuple):
    """Files with their texts."""

    texts: dict[str, str]
    note: str
    """What was left out, empty where all was read."""


async def survey(ctx: Context, path: str = "") -> Survey:
    """Read the programs at or below a path, in languages that a grammar reads."""
    if not path or await is_folder(ctx, path):
        paths = await ctx.workspace.files(path)
    else:
        paths = ((await ctx.workspace.read(path)).path,)
    known = [each for each in paths if _is_program(each)]
    texts: dict[str, str] = {}
    room, skipped = CHARACTERS_READ, 0
    for each in known[:FILES_READ]:
        try:
            text = (await ctx.workspace.read(each)).text
        except FileSkipped:
            skipped += 1
            continue
        if len(text) > FILE_CHARACTERS or len(text) > room:
            skipped += 1
            continue
        texts[each] = text
        room -= len(text)
    left = len(known) - len(known[:FILES_READ]) + skipped
    note = f"[{counted(left, 'file')} not read: too many, too large or no text; name a folder]" if left else ""
    if path and not known:
        raise ToolError(f"{path}: no grammar here reads what is there", hint="name a source file or a folder of them")
    return Survey(texts, note)


def _is_program(path: str) -> bool:
    language = languages().of(path)
    return language is not None and language.name not in WORDS


def symbols_in(path: str, text: str) -> tuple[Symbol, ...]:
    """Return the definitions of one text in its order."""
    language = languages().of(path)
    return outline(language.name, text, path) if language else ()


async def apart(work: Callable[[], _T]) -> _T:
    """Compute beside the event loop."""
    return await asyncio.to_thread(work)
