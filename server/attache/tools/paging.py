"""Long answers in pages: what fits, how much is left, and the argument that brings it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from attache.tools.wording import counted, cut

PAGE_LINES = 400
PAGE_CHARS = 20_000

Offset = Annotated[int, Field(ge=0, description="Lines to skip, to read on.")]


def paged(
    lines: Sequence[str], offset: int = 0, *, limit: int = PAGE_LINES, chars: int = PAGE_CHARS, narrower: str = ""
) -> str:
    """Return the lines from an offset on that fit one answer, and how to get the rest."""
    if offset >= len(lines) and offset:
        return f"[there are {counted(len(lines), 'line')}, and none from {offset} on]"
    room, shown = chars, list[str]()
    for line in lines[offset : offset + limit]:
        short = cut(line)
        room -= len(short) + 1
        if room < 0 and shown:
            break
        shown.append(short)
    left = len(lines) - offset - len(shown)
    if left > 0:
        or_else = f", or {narrower}" if narrower else ""
        shown.append(f"[… {counted(left, 'line')} more: read on with offset={offset + len(shown)}{or_else}]")
    return "\n".join(shown)
