"""Run commands: in the workspace's view, by the user's leave, within limits."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import first_line, middle_out
from attache.workspace.shell import Command, Completed

OUTPUT_CHARS = 20_000
SPARE_SECONDS = 3.0
"""What is left of a tool's time when its command is ended, so that its output is still told."""


def command_of(ctx: Context, command: list[str] | str, cwd: str = "", timeout_seconds: float | None = None) -> Command:
    """Return the command that a call of `shell` runs, as the user is asked to allow it."""
    return Command(
        argv=() if isinstance(command, str) else tuple(command),
        text=command if isinstance(command, str) else "",
        cwd=Path(cwd),
        timeout_seconds=limited(ctx, timeout_seconds),
    )


def limited(ctx: Context, wanted_seconds: float | None) -> float:
    """Return how long a command may take: as long as wanted, within what the settings give a tool."""
    most = max(ctx.settings.tool_timeout_seconds - SPARE_SECONDS, 1.0)
    return min(wanted_seconds or most, most)


async def run(ctx: Context, command: Command) -> Completed:
    """Run a command in the workspace's view, its output shown as it comes."""
    return await ctx.workspace.view().run(command, on_output=ctx.emit)


def ended(done: Completed) -> str:
    """Return how a command ended, in a few words."""
    if done.timed_out:
        return f"ended after {done.seconds:.0f} s, its time limit"
    return f"exit {done.exit_code}" if done.exit_code >= 0 else f"killed by signal {-done.exit_code}"


@tool(
    effect="outside", cost="LOW", once=True, aliases=("bash", "run_command", "execute", "terminal"), command=command_of
)  # fmt: skip
async def shell(
    ctx: Context,
    command: Annotated[list[str] | str, Field(min_length=1, description="Argv, or text for the shell.")],
    cwd: Annotated[str, Field(description="Folder to run in.")] = "",
    timeout_seconds: Annotated[float | None, Field(gt=0, description="Time limit.")] = None,
) -> ToolOutput:
    """Run a command to its end; the user may have to allow it. To read, search or edit files use the other tools."""
    done = await run(ctx, command_of(ctx, command, cwd, timeout_seconds))
    words = command if isinstance(command, str) else shlex.join(command)
    output = middle_out(done.output.rstrip(), OUTPUT_CHARS)
    note = f"note: {done.note}" if done.note else ""
    return ToolOutput(
        text="\n".join(part for part in (f"{ended(done)} · {done.seconds:.1f} s", note, output) if part),
        title=f"`{first_line(words)}` · {ended(done)}",
        data={"exit_code": done.exit_code, "timed_out": done.timed_out, "truncated": done.truncated, "note": done.note},
        is_error=done.exit_code != 0 or done.timed_out,
    )
