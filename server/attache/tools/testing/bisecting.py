"""Find the commit that made a test fail, in a working tree of its own that goes away again."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from attache.schema.errors import FileSkipped, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.testing.testing import command_of as test_command
from attache.tools.testing.testing import project_folder
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, middle_out
from attache.workspace.git import git, git_text
from attache.workspace.shell import Command, run

RUNS = 40
LOOKED_BACK = 1_024
"""Commits that are looked back for a good one."""
TOTAL_SECONDS = 1_800.0
RUN_SECONDS = 300.0
OUTPUT_CHARS = 2_000

Verdict = Literal["good", "bad", "untold"]


def command_of(
    ctx: Context,
    selection: Sequence[str],
    good: str = "",
    bad: str = "HEAD",
    folder: str = "",
    command: Sequence[str] | None = None,
    timeout_seconds: float | None = None,
) -> Command:
    """Return the command that is run for each commit that is tried, as the user is asked to allow it."""
    del good, bad
    if command:
        root = ctx.workspace.roots[0]
        cwd = project_folder(root, folder).relative_to(root.path)
        return Command(argv=tuple(command), cwd=cwd, timeout_seconds=timeout_seconds or RUN_SECONDS)
    planned = test_command(ctx, tuple(selection), folder)
    return planned.model_copy(update={"timeout_seconds": timeout_seconds or RUN_SECONDS})


@dataclass(slots=True)
class _Trial:
    """A working tree in which commits are tried one by one."""

    tree: Path
    command: Command
    root: Path
    overlay: dict[str, str]
    """Texts of the tests as they stand now, put over every commit."""
    failing_exit: int | None = None
    tried: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    last_output: str = ""

    async def run(self, commit: str) -> Verdict:
        """Check a commit out and run the test."""
        if commit in self.tried:
            return self.tried[commit]
        if len(self.tried) >= RUNS:
            raise ToolError(f"stopped after {RUNS} runs", hint="name a later good commit")
        await git_text(self.tree, "checkout", "--quiet", "--force", "--detach", commit)
        await git_text(self.tree, "clean", "-qfdx", "-e", "node_modules")
        for path, text in self.overlay.items():
            place = self.tree / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="")
        cwd = self.tree / self.command.cwd
        if not cwd.is_dir():
            self.tried[commit] = "untold"
            return "untold"
        before = os.pathsep.join((str(cwd), str(cwd / "src")))
        env = {**self.command.env, "PYTHONPATH": before, "PYTHONDONTWRITEBYTECODE": "1"}
        done = await run(
            self.command.argv or self.command.text, cwd=cwd, env=env, timeout_seconds=self.command.timeout_seconds
        )
        self.last_output = done.output
        verdict: Verdict = "good" if done.exit_code == 0 else "bad"
        if done.timed_out or (self.failing_exit is not None and done.exit_code not in {0, self.failing_exit}):
            verdict = "untold"
        elif done.exit_code and self.failing_exit is None:
            self.failing_exit = done.exit_code
        self.tried[commit] = verdict
        return verdict


@tool(
    category="testing", effect="outside", cost="HIGH", aliases=("git_bisect",), command=command_of,
    timeout_seconds=TOTAL_SECONDS,
)  # fmt: skip
async def bisect_failure(
    ctx: Context,
    selection: Annotated[tuple[str, ...], Field(description="The failing tests, as for `test`.")],
    good: Annotated[str, Field(description="A commit where they passed; looked for where left out.")] = "",
    bad: Annotated[str, Field(description="A commit where they fail.")] = "HEAD",
    folder: Annotated[str, Field(description="Project folder.")] = "",
    command: Annotated[list[str] | None, Field(description="Argv to run instead; 0 is good.")] = None,
    timeout_seconds: Annotated[float | None, Field(gt=0, description="Time limit of one run.")] = None,
) -> ToolOutput:
    """Find the commit since which tests fail, by trying commits in a temporary worktree. Your files are not touched.

    The test files named are used as they stand now. Merges count as one commit.
    """
    if not selection and not command:
        raise InvalidArguments("bisect_failure.selection: say which tests", hint='such as ["tests/test_a.py::test_b"]')
    root = ctx.workspace.roots[0].path
    inside = Path((await git_text(root, "rev-parse", "--show-prefix")).strip())
    for each in (good, bad):
        if each.startswith("-"):
            raise InvalidArguments(f"bisect_failure: `{each}` is no commit", hint="such as HEAD~10 or a hash")
    newest = (await git_text(root, "rev-parse", "--verify", "--quiet", f"{bad}^{{commit}}")).strip()
    history = (await git_text(root, "rev-list", "--first-parent", f"--max-count={LOOKED_BACK}", newest)).split()
    planned = command_of(ctx, selection, good, bad, folder, command, timeout_seconds)
    scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="attache-bisect-"))
    tree = scratch / "tree"
    try:
        await git_text(root, "worktree", "add", "--quiet", "--detach", str(tree), newest)
        planned = planned.model_copy(update={"cwd": inside / planned.cwd})
        overlay = await _overlay(ctx, selection, planned.cwd, inside)
        trial = _Trial(tree, planned, root, overlay)
        _lend(root, tree / inside)
        return await _searched(ctx, trial, history, good)
    finally:
        with suppress(ToolError):
            await git(root, "worktree", "remove", "--force", str(tree))
            await git(root, "worktree", "prune")
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def _overlay(ctx: Context, selection: Sequence[str], cwd: Path, inside: Path) -> dict[str, str]:
    """Return the selected test files as the user sees them now, by their path from the repository's top."""
    found: dict[str, str] = {}
    below = cwd.relative_to(inside) if cwd != inside else Path()
    for each in selection:
        name = (below / each.partition("::")[0]).as_posix()
        with suppress(FileSkipped, ToolError):
            found[(inside / name).as_posix()] = (await ctx.workspace.read(name)).text
    return found


def _lend(root: Path, tree: Path) -> None:
    """Let the tree use the packages that are installed for the project."""
    packages = root / "node_modules"
    if packages.is_dir() and not (tree / "node_modules").exists() and tree.is_dir():
        (tree / "node_modules").symlink_to(packages, target_is_directory=True)


async def _searched(ctx: Context, trial: _Trial, history: list[str], good: str) -> ToolOutput:
    newest = history[0]
    if await trial.run(newest) != "bad":
        raise ToolError(
            f"at {newest[:10]} the tests do not fail:\n{middle_out(trial.last_output.strip(), OUTPUT_CHARS)}",
            hint="what is not committed may be why they fail here: see git_diff; or name another `bad`",
        )
    failing = middle_out(trial.last_output.strip(), OUTPUT_CHARS)
    low = await _good(trial, history, good)
    high = 0  # history[high] fails, history[low] passes
    while low - high > 1:
        middle = await _told(trial, history, high, low)
        if middle is None:
            break
        ctx.emit(f"{history[middle][:10]} {trial.tried[history[middle]]}, {counted(low - high, 'commit')} left\n")
        if trial.tried[history[middle]] == "good":
            low = middle
        else:
            high = middle
    culprits = history[high:low]
    shown = await git_text(
        trial.root, "show", "--stat", "--format=%h %an %as %s%n%n%b", "--first-parent", history[high]
    )
    runs = counted(len(trial.tried), "run")
    if len(culprits) == 1:
        head = f"first bad commit, found in {runs}: {history[high][:10]}"
    else:
        head = f"one of {counted(len(culprits), 'commit')} (the others cannot be tried), {runs}: " + ", ".join(
            each[:10] for each in culprits[:10]
        )
    return ToolOutput(
        text=f"{head}\n{shown.strip()}\n\nhow it fails at {newest[:10]}:\n{failing}",
        title=f"since {history[high][:10]}" if len(culprits) == 1 else f"one of {len(culprits)} commits",
        data={"commit": history[high], "candidates": culprits, "tried": trial.tried},
    )


async def _good(trial: _Trial, history: list[str], good: str) -> int:
    """Return the place of a commit where the tests pass: the named one, else one looked for ever further back."""
    if good:
        named = (await git_text(trial.root, "rev-parse", "--verify", "--quiet", f"{good}^{{commit}}")).strip()
        if named not in history:
            raise ToolError(f"{good} is not in the first-parent history of what fails", hint="name one of git_log")
        if await trial.run(named) != "good":
            raise ToolError(f"at {good} the tests do not pass either", hint="name an earlier one, or leave it out")
        return history.index(named)
    step = 1
    while True:
        at = min(step, len(history) - 1)
        if at and await trial.run(history[at]) == "good":
            return at
        if at >= len(history) - 1:
            tried = counted(len(trial.tried), "commit")
            raise ToolError(f"the tests pass at none of the {tried} tried, back to {history[at][:10]}")
        step *= 2


async def _told(trial: _Trial, history: list[str], high: int, low: int) -> int | None:
    """Return a place between two, the nearest to the middle whose commit can be tried; None where none can."""
    middle = (high + low) // 2
    order = sorted(range(high + 1, low), key=lambda at: (abs(at - middle), at))
    for at in order:
        if await trial.run(history[at]) != "untold":
            return at
    return None
