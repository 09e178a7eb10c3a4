"""Change a repository: commit, branch, stash, worktree. Each runs as the user's own git, after they allowed it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from attache.schema.errors import InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.commands.shell import ended, limited
from attache.tools.git.git import repository, revision, unsaved
from attache.tools.tool import Context, tool
from attache.tools.wording import first_line, middle_out
from attache.workspace.git import git, git_acting
from attache.workspace.shell import Command

OUTPUT_CHARS = 6_000

Paths = Annotated[list[str], Field(min_length=1, description="Files or folders.")]


async def _act(ctx: Context, command: Command, title: str) -> ToolOutput:
    """Run what was allowed, and tell how it ended."""
    done = await git_acting(command.cwd, *command.argv[1:], timeout_seconds=limited(ctx, None))
    output = middle_out(done.output.strip(), OUTPUT_CHARS)
    failed = done.exit_code != 0 or done.timed_out
    return ToolOutput(
        text=f"{ended(done)}\n{output}".strip() if failed else output or title,
        title=f"{title} · {ended(done)}" if failed else title,
        data={"exit_code": done.exit_code, "timed_out": done.timed_out},
        is_error=failed,
    )


def _git(folder: Path, *arguments: str) -> Command:
    return Command(argv=("git", *arguments), cwd=folder, view="direct")


# ---------------------------------------------------------------- commit


def commit_command(ctx: Context, message: str, paths: Sequence[str]) -> Command:
    """Return the commit as the user is asked to allow it. Raises InvalidArguments, PathRefused."""
    if not message.strip():
        raise InvalidArguments("git_commit.message: it is empty", hint="say what the change is for")
    places = [repository(ctx, path) for path in paths]
    if len({place.folder for place in places}) > 1:
        raise InvalidArguments("git_commit.paths: they lie in several folders", hint="commit each folder by itself")
    specs = (place.spec for place in places)
    return _git(places[0].folder, "commit", "--only", f"--message={message}", "--", *specs)


@tool(category="git", effect="outside", cost="LOW", once=True, command=commit_command)
async def git_commit(
    ctx: Context, message: Annotated[str, Field(description="Subject, blank line, why.")], paths: Paths
) -> ToolOutput:
    """Commit the named files as they stand on disk, new and deleted ones too, with the user's identity and hooks."""
    command = commit_command(ctx, message, paths)
    typed = [each for path in paths for each in unsaved(ctx, repository(ctx, path))]
    if typed:
        raise ToolError(
            f"not saved yet: {', '.join(typed)}; a commit takes what is on disk", hint="have the user save them first"
        )
    specs = command.argv[command.argv.index("--") + 1 :]
    listed = await git(command.cwd, "ls-files", "--others", "--exclude-standard", "-z", "--", *specs)
    new = [f":(literal){path}" for path in listed.text.split("\0") if path] if listed.exit_code == 0 else []
    if new:
        added = await git_acting(command.cwd, "add", "--intent-to-add", "--", *new)
        if added.exit_code:
            raise ToolError(f"git add: {added.output.strip()[:600]}")
    output = await _act(ctx, command, first_line(message))
    if output.is_error and new:
        await git_acting(command.cwd, "reset", "--quiet", "--", *new)  # they were unknown before, and are so again
    return output


# ---------------------------------------------------------------- branches

BranchAct = Literal["create", "switch", "rename", "delete"]


def branch_command(ctx: Context, name: str, action: BranchAct = "create", start: str = "") -> Command:
    """Return the git command of a call of `git_branch`. Raises InvalidArguments."""
    revision("git_branch.name", name)
    begin = [revision("git_branch.start", start)] if start else []
    folder = repository(ctx).folder
    match action:
        case "create":
            return _git(folder, "switch", "--create", name, *begin)
        case "switch":
            return _git(folder, "switch", name)
        case "rename":
            return _git(folder, "branch", "--move", name)
        case "delete":
            return _git(folder, "branch", "--delete", name)


@tool(category="git", effect="outside", cost="LOW", once=True, command=branch_command)
async def git_branch(
    ctx: Context,
    name: Annotated[str, Field(min_length=1, description="Branch.")],
    action: Annotated[
        BranchAct, Field(description="create: and switch to it. rename: the current one. delete: only if merged.")
    ] = "create",
    start: Annotated[str, Field(description="Where a new one begins.")] = "",
) -> ToolOutput:
    """Create, switch to, rename or delete a branch. To list them: git_branches."""
    return await _act(ctx, branch_command(ctx, name, action, start), f"{action} {name}")


# ---------------------------------------------------------------- stash

StashAct = Literal["save", "apply", "pop", "drop"]


def stash_command(ctx: Context, action: StashAct = "save", message: str = "", stash: int = 0) -> Command:
    """Return the git command of a call of `git_stash`."""
    folder = repository(ctx).folder
    if action == "save":
        told = [f"--message={message}"] if message else []
        return _git(folder, "stash", "push", "--include-untracked", *told)
    return _git(folder, "stash", action, f"stash@{{{stash}}}")


@tool(category="git", effect="outside", cost="LOW", once=True, command=stash_command)
async def git_stash(
    ctx: Context,
    action: Annotated[StashAct, Field(description="save: put changes away. pop: apply, then drop.")] = "save",
    message: Annotated[str, Field(description="What is put away.")] = "",
    stash: Annotated[int, Field(ge=0, description="Number, 0 being the last.")] = 0,
) -> ToolOutput:
    """Put changes on disk away, or bring them back. git_status lists stashes; git_show shows `stash@{0}`."""
    typed = unsaved(ctx, repository(ctx)) if action == "save" else []
    output = await _act(ctx, stash_command(ctx, action, message, stash), f"stash {action}")
    if not typed:
        return output
    note = f"note: not saved, so not put away: {', '.join(typed)}"
    return output.model_copy(update={"text": f"{output.text}\n{note}"})


# ---------------------------------------------------------------- worktrees

WorktreeAct = Literal["add", "remove"]


def worktree_command(ctx: Context, path: str, action: WorktreeAct = "add", branch: str = "") -> Command:
    """Return the git command of a call of `git_worktree`. Raises InvalidArguments."""
    folder = repository(ctx).folder
    revision("git_worktree.path", path)
    if action == "remove":
        return _git(folder, "worktree", "remove", "--", path)
    if not branch:
        return _git(folder, "worktree", "add", "--", path)
    return _git(folder, "worktree", "add", "-B", revision("git_worktree.branch", branch), "--", path)


@tool(category="git", effect="outside", cost="LOW", once=True, command=worktree_command)
async def git_worktree(
    ctx: Context,
    path: Annotated[str, Field(min_length=1, description="Folder, from the workspace, such as `../fix`.")],
    action: Annotated[WorktreeAct, Field(description="remove: refused where it holds changes.")] = "add",
    branch: Annotated[str, Field(description="Branch for a new one; made where it is not there.")] = "",
) -> ToolOutput:
    """Add a second working tree of the repository in a folder of its own, or remove one. To list: git_branches."""
    return await _act(ctx, worktree_command(ctx, path, action, branch), f"worktree {action} {path}")
