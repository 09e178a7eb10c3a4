"""Reach what is not in sight: tools that were not offered, and the rest of an output that was cut."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.foundation.files import private_dir
from attache.schema.data import CallId
from attache.schema.errors import InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.specs import example
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, numbered

FOLDER = "outputs"
KEPT_SECONDS = 7 * 86_400
KEPT_FILES = 200
LINES_SHOWN = 400
LINE_CHARS = 2_000
_NAME = re.compile("[0-9a-f]{16}")


@tool(category="planning", aliases=("tool_search",))
async def find_tool(
    ctx: Context,
    query: Annotated[str, Field(min_length=1, description="What it should do, in a few words.")],
    limit: Annotated[int, Field(ge=1, le=20, description="How many at most.")] = 5,
) -> ToolOutput:
    """Find tools that are not in your list, by what they do; those found can be called from now on."""
    found = await ctx.find_tools(query, limit)
    if not found:
        raise ToolError(f"no tool is about {query!r}", hint="try other words, or do it with the tools you have")
    lines = [f"{spec.name} ({spec.category}): {spec.description}\n  for example {example(spec)}" for spec in found]
    return ToolOutput(
        text="\n".join(lines),
        title=f"{query} · {counted(len(found), 'tool')}",
        data={"tools": [spec.model_dump(mode="json") for spec in found]},
    )


def keep(home: Path, call_id: CallId, text: str) -> str:
    """Keep an output that is too long for a model, and return the name by which `read_output` finds it."""
    folder = private_dir(home / FOLDER)
    name = hashlib.sha256(f"{call_id}\0{text}".encode("utf-8", "replace")).hexdigest()[:16]
    path = folder / name
    path.write_text(text, "utf-8", errors="replace", newline="")
    path.chmod(0o600)
    _prune(folder)
    return name


def _prune(folder: Path) -> None:
    kept = sorted(((path.stat().st_mtime, path) for path in folder.iterdir()), reverse=True)
    for number, (written, path) in enumerate(kept):
        if number >= KEPT_FILES or time.time() - written > KEPT_SECONDS:
            with suppress(OSError):
                path.unlink()


@tool(category="planning")
async def read_output(
    ctx: Context,
    output: Annotated[str, Field(description="Its name, from where it was cut.")],
    start_line: Annotated[int, Field(ge=1, description="First line, from 1.")] = 1,
    containing: Annotated[str, Field(description="Only lines that hold this text.")] = "",
) -> ToolOutput:
    """Read on in an earlier output that was cut, from a line on or by what its lines hold."""
    if not _NAME.fullmatch(output):
        raise InvalidArguments(f"read_output.output: {output!r} is no name", hint="take it from where it was cut")
    path = ctx.settings.home / FOLDER / output
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError:
        raise ToolError(f"no output is kept as {output}", hint="they go after a week: call the tool again") from None
    numbers = [
        number for number in range(start_line, len(lines) + 1) if not containing or containing in lines[number - 1]
    ]
    if not numbers:
        what = f" that holds {containing!r}" if containing else ""
        raise ToolError(f"{output} has {counted(len(lines), 'line')} and none from {start_line} on{what}")
    page = numbers[:LINES_SHOWN]
    text = "\n".join(numbered([lines[number - 1][:LINE_CHARS]], number) for number in page)
    left = len(numbers) - len(page)
    more = f"\n[… {counted(left, 'line')} more: read on with start_line={page[-1] + 1}]" if left else ""
    return ToolOutput(text=text + more, title=f"{output}:{page[0]}-{page[-1]} of {len(lines)}")
