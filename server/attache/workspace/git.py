"""Git, run so that a look at a repository starts no program that the repository names.

Reads go by `git`, with filters, hooks, pagers, external diffs, signature checks and fetching turned off. What changes
something goes by `git_acting`: it is the user's own git, with their hooks and identity, and needs their leave before.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from attache.schema.errors import ToolError
from attache.workspace.environment import command_environment
from attache.workspace.shell import Completed, run

SETTINGS = (
    "core.quotepath=off", "diff.mnemonicPrefix=false", "diff.noprefix=false", "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}", "core.sshCommand=false", "diff.external=", "log.showSignature=false",
    "color.ui=false", "core.pager=cat", "diff.suppressBlankEmpty=false",
)  # fmt: skip
"""A folder may carry git settings that run programs; the ones that a read would run stay off."""
FILTER_SETTINGS = ("clean=", "smudge=", "process=", "required=false")
"""Filters are programs, too. They have any name, so each that is set is turned off by its name."""
OFFLINE = {
    "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}  # fmt: skip
"""A partial clone would fetch what it lacks, by a command that its settings name."""
PLAIN_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
"""For every command that shows a diff. A submodule has settings of its own, which ours do not reach."""
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's name for a tree without files: what a repository without a commit is compared with."""
GIT_SECONDS = 60.0
OUTPUT_BYTES = 40_000_000


class Answer(NamedTuple):
    """What git printed, and how it ended."""

    exit_code: int
    output: bytes
    """Standard output; where git failed, standard error."""

    @property
    def text(self) -> str:
        """Return the output as text; what is no UTF-8 is marked."""
        return self.output.decode("utf-8", "replace")


async def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> Answer:
    """Ask git something; nothing that the folder names is run, and nothing is fetched.

    Raises ToolError where there is no git, it takes too long, or a filter of the folder cannot be turned off.
    """
    asked = ("config", "-z", "--name-only", "--get-regexp", r"^(filter\.|core\.worktree$|blame\.ignorerevsfile$)")
    listed = await _run(folder, SETTINGS, asked, None)
    keys = listed.text.split("\0") if listed.exit_code == 0 else []
    if "core.worktree" in keys:
        await _stay(folder)
    if "blame.ignorerevsfile" in keys and arguments[:1] == ("blame",):
        await _pass_over(folder)
    names = {key.removeprefix("filter.").rpartition(".")[0] for key in keys if key.startswith("filter.")} - {""}
    if odd := sorted(name for name in names if "=" in name):  # `-c` cannot name it, so it would run
        raise ToolError(
            f"git's settings here have a filter {odd[0]!r}, which cannot be turned off",
            hint="filters run programs: rename it first",
        )
    filters = [f"filter.{name}.{setting}" for name in sorted(names) for setting in FILTER_SETTINGS]
    return await _run(folder, (*SETTINGS, *filters), arguments, stdin)


async def _stay(folder: Path) -> None:
    """Refuse a repository whose settings take other files for its own than those that lie beside its `.git`.

    A submodule's do not: its folder has a `.git`, and the folder that is asked about lies in it.
    """
    top = await _run(folder, SETTINGS, ("rev-parse", "--show-toplevel"), None)
    if top.exit_code or not await asyncio.to_thread(_holds, Path(top.text.rstrip("\n")), folder):
        raise ToolError(
            "git's settings here (core.worktree) say that the files of this repository lie elsewhere",
            hint="what lies outside is not looked at: use shell, which asks",
        )


async def _pass_over(folder: Path) -> None:
    """Refuse a list of commits to pass over that is no file of the repository: git would quote what stands in it."""
    top = await _run(folder, SETTINGS, ("rev-parse", "--show-toplevel"), None)
    named = await _run(folder, SETTINGS, ("config", "-z", "--type=path", "--get-all", "blame.ignoreRevsFile"), None)
    tree = Path(top.text.rstrip("\n"))
    for name in filter(None, named.text.split("\0")):
        if not await asyncio.to_thread(_within, tree / name, tree):
            raise ToolError(
                f"git's settings here (blame.ignoreRevsFile) name {name}, which lies outside",
                hint="what lies outside is not looked at: use shell, which asks",
            )


def _within(path: Path, tree: Path) -> bool:
    return path.resolve().is_relative_to(tree.resolve())


def _holds(tree: Path, folder: Path) -> bool:
    return (tree / ".git").exists() and folder.resolve().is_relative_to(tree.resolve())


async def git_text(folder: Path, *arguments: str) -> str:
    """Return what git prints. Raises ToolError with git's own words where it fails."""
    answer = await git(folder, *arguments)
    if answer.exit_code:
        raise failed(answer.text, arguments[0])
    return answer.text


async def git_acting(folder: Path, *arguments: str, timeout_seconds: float = GIT_SECONDS) -> Completed:
    """Run git as the user would, hooks and identity included, but without asking anything at a terminal."""
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_PAGER": "cat", "LC_ALL": "C"}
    return await run(("git", *arguments), cwd=folder, env=env, timeout_seconds=timeout_seconds)


def failed(words: str, command: str) -> ToolError:
    """Return the error for what git said when it failed."""
    said = words.strip().removeprefix("fatal: ").removeprefix("error: ").split("\nUse '--' to separate")[0]
    outside = "not a git repository" in said.lower() or (command == "diff" and "unknown option" in said)
    if outside:  # there, diff takes two paths alone
        return ToolError("this folder is not in a git repository", hint="begin one: git init")
    hint = "see what there is: git_log, git_branches" if "revision" in said or "bad object" in said else ""
    return ToolError(f"git {command}: {said[:600] or 'failed without a word'}", hint=hint)


async def _run(folder: Path, settings: Sequence[str], arguments: Sequence[str], stdin: bytes | None) -> Answer:
    argv = ("git", "--no-pager", *(part for setting in settings for part in ("-c", setting)), *arguments)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=folder, env=command_environment(OFFLINE), start_new_session=os.name == "posix",
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError:
        raise ToolError("git is not installed", hint="install it: https://git-scm.com/downloads") from None
    except NotADirectoryError:
        raise ToolError(f"{folder} is no folder", hint="name a folder that is there") from None
    except ValueError as error:
        raise ToolError(f"git cannot be asked that: {error}", hint="leave NUL out") from None
    try:
        async with asyncio.timeout(GIT_SECONDS):
            output, complaints = await process.communicate(stdin)
    except TimeoutError:
        raise ToolError(f"git did not answer in {GIT_SECONDS:g} s", hint="name a path, or ask for less") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if len(output) > OUTPUT_BYTES:
        raise ToolError(f"git printed {len(output):,} bytes, too many to show", hint="name a path, or ask for less")
    return Answer(process.returncode or 0, output if process.returncode == 0 else complaints or output)
