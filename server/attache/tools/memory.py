"""What the agent remembers of a project beyond the session: kept on the user's machine, without secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, cut, first_line

if TYPE_CHECKING:
    from attache.storage.memories import Memories, Memory

TEXT_CHARS = 2_000
SHOWN = 50
_WORD = re.compile(r"\w{2,}")
_PREFIX = 4
"""Letters that two words must share from their beginning to count as one, endings aside."""


def _memories(ctx: Context) -> Memories:
    if ctx.memories is None:
        raise ToolError("nothing can be remembered here", hint="run it in a session")
    return ctx.memories


@tool(effect="outside", aliases=("save_memory",))
async def remember(
    ctx: Context,
    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS, description="One fact, with why it matters.")],
    tags: Annotated[list[str] | None, Field(description="Words to find it by.")] = None,
) -> ToolOutput:
    """Remember a fact of this project for later sessions: a decision, a habit of the user, a trap."""
    kept = await _memories(ctx).remember(text, [each.strip().replace(" ", "-") for each in tags or () if each.strip()])
    return ToolOutput(text=f"remembered as {kept.id}: {kept.text}", title=first_line(kept.text), data={"id": kept.id})


@tool(aliases=("search_memory",))
async def recall(
    ctx: Context,
    query: Annotated[str, Field(min_length=1, description="A few words.")],
    limit: Annotated[int, Field(ge=1, le=50, description="Memories at most.")] = 5,
) -> ToolOutput:
    """Recall what is remembered of this project about something, the nearest first."""
    known = await _memories(ctx).all()
    wanted = _stems(query)
    scored = [(len(wanted & _stems(f"{each.text} {' '.join(each.tags)}")), each) for each in known]
    found = [each for score, each in sorted(scored, key=lambda pair: (-pair[0], -pair[1].at)) if score][:limit]
    nothing = f"nothing about {query!r} is remembered, of {counted(len(known), 'memory')}"
    return _told(found, nothing)


def _stems(text: str) -> set[str]:
    return {word[: max(_PREFIX, len(word) - 2)] for word in _WORD.findall(text.casefold())}


@tool
async def list_memories(
    ctx: Context, offset: Annotated[int, Field(ge=0, description="Memories to skip.")] = 0
) -> ToolOutput:
    """List what is remembered of this project, the newest first."""
    known = await _memories(ctx).all()
    page = known[offset : offset + SHOWN]
    output = _told(page, "nothing is remembered of this project")
    left = len(known) - offset - len(page)
    more = f"\n[… {left} more: offset={offset + len(page)}]" if left > 0 else ""
    return output.model_copy(update={"text": output.text + more})


@tool(effect="outside")
async def forget(
    ctx: Context, memory: Annotated[str, Field(min_length=1, description="Its id, as recall names it.")]
) -> ToolOutput:
    """Forget one thing that is remembered of this project."""
    if not await _memories(ctx).forget(memory):
        raise ToolError(f"nothing is remembered as {memory}", hint="list_memories names what is")
    return ToolOutput(text=f"{memory} is forgotten", title=memory)


def _told(memories: Sequence[Memory], nothing: str) -> ToolOutput:
    lines = [
        f"{each.id} · {datetime.fromtimestamp(each.at, UTC).date().isoformat()}"
        f"{' · ' + ' '.join(each.tags) if each.tags else ''}\n  {cut(each.text, TEXT_CHARS)}"
        for each in memories
    ]
    return ToolOutput(
        text="\n".join(lines) or nothing,
        title=counted(len(memories), "memory"),
        data={"memories": [each.model_dump() for each in memories]},
    )
