"""Run commands: in the workspace's view, by the user's leave, within limits."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.schema.data import ChangeSetId
from attache.schema.edits import FileOutcome, Landed, ReplaceFile, SetFolder, SetMode
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, first_line, middle_out
from attache.workspace.shell import Command, Completed, ViewKind

OUTPUT_CHARS = 20_000
CHANGES_NAMED = 30
SPARE_SECONDS = 3.0
"""What is left of a tool's time when its command is ended, so that its output is still told."""


def command_of(
    ctx: Context,
    command: list[str] | str,
    cwd: str = "",
    timeout_seconds: float | None = None,
    view: ViewKind | None = None,
    terminal: bool = False,
) -> Command:
    """Return the command that a call of `shell` runs, as the user is asked to allow it."""
    return Command(
        argv=() if isinstance(command, str) else tuple(command),
        text=command if isinstance(command, str) else "",
        cwd=Path(cwd),
        env=passed_on(ctx),
        timeout_seconds=limited(ctx, timeout_seconds),
        view=view or ctx.settings.view,
        hosts=ctx.settings.network,
        terminal=terminal,
    )


def passed_on(ctx: Context) -> dict[str, str]:
    """Return the variables that the settings give to every command."""
    environment = ctx.settings.environment
    return {name: environment[name] for name in ctx.settings.command_environment if name in environment}


def limited(ctx: Context, wanted_seconds: float | None) -> float:
    """Return how long a command may take: as long as wanted, within what the settings give a tool."""
    most = max(ctx.settings.tool_timeout_seconds - SPARE_SECONDS, 1.0)
    return min(wanted_seconds or most, most)


class Ran(NamedTuple):
    """A command that ran, and what became of what it changed."""

    done: Completed
    note: str = ""
    landed: Landed | None = None

    @property
    def change_set(self) -> ChangeSetId | None:
        """Return the change set that landed."""
        return self.landed.change_set.id if self.landed else None

    @property
    def files(self) -> list[dict[str, str]]:
        """Return the files that changed, and how."""
        return [{"path": each.path, "how": _how(each)} for each in self.landed.files] if self.landed else []


async def run(ctx: Context, command: Command) -> Ran:
    """Run a command in its view, its output shown as it comes, and let land what it changed where that is accepted."""
    view = ctx.workspace.view()
    done = await view.run(command, on_output=ctx.emit)
    if not done.changes:
        return Ran(done, done.note)
    try:
        landed = await ctx.land(f"run {first_line(shlex.join(command.argv) or command.text)}", done.changes)
    except ToolError as error:
        await view.forget()
        refused = f"nothing of what it changed was taken: {error.message}" + (f" ({error.hint})" if error.hint else "")
        return Ran(done, "; ".join(part for part in (refused, done.note) if part))
    except BaseException:
        await view.forget()
        raise
    files = [each for each in landed.files if each.other is None or each.other.kind != "folder"] or landed.files
    named = ", ".join(f"{_how(each)} {each.path}" for each in files[:CHANGES_NAMED])
    more = f" and {counted(len(files) - CHANGES_NAMED, 'other')}" if len(files) > CHANGES_NAMED else ""
    return Ran(done, "; ".join(part for part in (f"it changed: {named}{more}", done.note) if part), landed)


def _how(outcome: FileOutcome) -> str:
    match outcome.other:
        case None if outcome.renamed_from:
            return "moved to"
        case None:
            return "created" if outcome.before is None else "deleted" if outcome.after is None else "edited"
        case SetMode() as other:
            return f"mode {other.mode:o} of"
        case SetFolder() as other:
            return "made folder" if other.there else "removed folder"
        case ReplaceFile() as other:
            return "created" if other.before is None else "deleted" if other.after is None else "replaced"


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
    view: Annotated[
        ViewKind | None,
        Field(description="cow: sees unsaved text, changes wait, no network. direct: for installs, commits, servers."),
    ] = None,
    terminal: Annotated[bool, Field(description="Give it a terminal.")] = False,
) -> ToolOutput:
    """Run a command to its end; the user may have to allow it. To read, search or edit files use the other tools."""
    ran = await run(ctx, command_of(ctx, command, cwd, timeout_seconds, view, terminal))
    done = ran.done
    words = command if isinstance(command, str) else shlex.join(command)
    output = middle_out(done.output.rstrip(), OUTPUT_CHARS)
    note = f"note: {ran.note}" if ran.note else ""
    return ToolOutput(
        text="\n".join(part for part in (f"{ended(done)} · {done.seconds:.1f} s", note, output) if part),
        title=f"`{first_line(words)}` · {ended(done)}",
        change_set=ran.change_set,
        data={
            "exit_code": done.exit_code, "timed_out": done.timed_out, "truncated": done.truncated, "note": ran.note,
            "files": ran.files,
        },
        is_error=done.exit_code != 0 or done.timed_out,
    )  # fmt: skip
