"""Commands in the background: servers, watchers, long builds. None outlives the process that began it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.schema.errors import PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, first_line, middle_out
from attache.workspace.jobs import Job, Jobs
from attache.workspace.shell import Command

OUTPUT_CHARS = 16_000
WAIT_MOST = 60.0
START_SECONDS = 0.7
"""How long a start waits for first words, and whether the command ends at once."""
NEVER = "\0"
"""Text that no output is waited for with."""

Id = Annotated[str, Field(min_length=1, description="Job, as start_job named it.")]


def _jobs(ctx: Context) -> Jobs:
    if ctx.jobs is None:
        raise ToolError("no job can run here", hint="run it in a session")
    return ctx.jobs


def job_command(ctx: Context, command: list[str] | str, cwd: str = "") -> Command:
    """Return the command of a call of `start_job`, as the user is asked to allow it."""
    del ctx
    return Command(
        argv=() if isinstance(command, str) else tuple(command),
        text=command if isinstance(command, str) else "", cwd=Path(cwd), view="direct",
    )  # fmt: skip


@tool(category="shell", effect="outside", cost="LOW", once=True, aliases=("run_background",), command=job_command)
async def start_job(
    ctx: Context,
    command: Annotated[list[str] | str, Field(min_length=1, description="Argv, or text for the shell.")],
    cwd: Annotated[str, Field(description="Folder to run in.")] = "",
) -> ToolOutput:
    """Begin a command that goes on in the background, such as a server. It sees the files on disk."""
    asked = job_command(ctx, command, cwd)
    job = await _jobs(ctx).start(asked.argv or asked.text, cwd=_folder(ctx, cwd))
    await job.news(START_SECONDS, NEVER)
    return _told(job)


def _folder(ctx: Context, cwd: str) -> Path:
    """Return a folder of the workspace, links followed. Raises PathRefused, ToolError."""
    first = ctx.workspace.roots[0].path
    folder = (first / cwd).resolve()
    if not any(folder.is_relative_to(root.path.resolve()) for root in ctx.workspace.roots):
        raise PathRefused(f"{cwd} lies outside the workspace", hint="name a folder inside it")
    if not folder.is_dir():
        raise ToolError(f"{cwd} is no folder", hint="name a folder that is there")
    return folder


@tool(category="shell", aliases=("read_job",))
async def job_output(
    ctx: Context,
    job: Id,
    wait_seconds: Annotated[float, Field(ge=0, le=WAIT_MOST, description="Wait for news so long.")] = 0,
    until: Annotated[str, Field(description="Text to wait for.")] = "",
    whole: Annotated[bool, Field(description="All that is kept, not only what is new.")] = False,
) -> ToolOutput:
    """Read what a background job has written since it was read last, and whether it still runs."""
    found = _jobs(ctx).find(job)
    await found.news(wait_seconds, until)
    if whole:
        found.read_to = 0
    return _told(found)


@tool(category="shell")
async def list_jobs(ctx: Context) -> ToolOutput:
    """List the background jobs."""
    lines = [f"{each.id} · {_state(each)} · {first_line(each.words)}" for each in _jobs(ctx)]
    return ToolOutput(
        text="\n".join(lines) or "no job was begun",
        title=counted(len(lines), "job"),
        data={"jobs": [{"id": each.id, "running": each.running, "exit_code": each.exit_code} for each in _jobs(ctx)]},
    )


@tool(category="shell", effect="outside", once=True, aliases=("stop_job", "kill_shell"))
async def kill_job(ctx: Context, job: Id) -> ToolOutput:
    """End a background job with all that it started."""
    found = _jobs(ctx).find(job)
    await found.end()
    return _told(found)


def _state(job: Job) -> str:
    seconds = (job.ended or time.time()) - job.started
    code = job.exit_code
    if code is None:
        return f"running for {seconds:.0f} s, pid {job.pid}"
    return f"{f'exit {code}' if code >= 0 else f'ended by signal {-code}'} after {seconds:.1f} s"


def _told(job: Job) -> ToolOutput:
    fresh = job.output(job.read_to)
    job.read_to = job.written
    text = middle_out(fresh.rstrip("\n"), OUTPUT_CHARS) or "[nothing new]"
    return ToolOutput(
        text=f"{job.id} · {_state(job)}\n{text}",
        title=f"{job.id} `{first_line(job.words, 40)}` · {_state(job)}",
        data={"job": job.id, "running": job.running, "exit_code": job.exit_code, "pid": job.pid},
        is_error=bool(job.exit_code and job.exit_code > 0),
    )
