"""Look at a repository as it stands: its state and its changes, unsaved text included."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.schema.errors import InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, listed
from attache.workspace.edits import with_lf
from attache.workspace.files import decode
from attache.workspace.git import PLAIN_DIFF, git, git_text
from attache.workspace.views import DirectView

FILES_SHOWN = 100
SHOWN_LINES = 600
STASHES_SHOWN = 5
_PARENT = re.compile(r"(.+?)(?:~1?|\^1?)")
_STATES = {
    "M": "modified", "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "T": "type changed", "U": "conflict",
}  # fmt: skip
_UNDER_WAY = {
    "MERGE_HEAD": "a merge", "rebase-merge": "a rebase", "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert", "BISECT_LOG": "a bisection",
}  # fmt: skip

Path_ = Annotated[str, Field(description="File or folder; all by default.")]
Revision = Annotated[str, Field(description="Commit, branch or tag.")]


class Repository(NamedTuple):
    """Where git is asked, and about what."""

    folder: Path
    path: str
    """From the folder; empty for all of it."""

    @property
    def spec(self) -> str:
        """Return the path as git takes it, without wildcards."""
        return f":(literal){self.path}" if self.path else "."


def repository(ctx: Context, path: str = "") -> Repository:
    """Return the workspace folder that a path lies in, and the path from there. Raises PathRefused."""
    if not path or path == ".":
        return Repository(ctx.workspace.roots[0].path, "")
    root, inside = ctx.workspace.place(ctx.workspace.uri(path))
    return Repository(root.path, inside.rstrip("/"))


def revision(argument: str, rev: str) -> str:
    """Return a revision that git cannot take for an option. Raises InvalidArguments."""
    if rev.startswith("-") or any(char in rev for char in "\0\n"):
        raise InvalidArguments(f"{argument}: {rev!r} is no revision", hint="such as HEAD~2, main, or main...HEAD")
    return rev


async def before_first(folder: Path, rev: str) -> bool:
    """Say whether a revision is the parent of a commit that has none: what was there before the first one."""
    child = _PARENT.fullmatch(rev)
    if child is None or (await git(folder, "rev-parse", "--quiet", "--verify", f"{rev}^{{commit}}")).exit_code == 0:
        return False
    return (await git(folder, "rev-parse", "--quiet", "--verify", f"{child[1]}^{{commit}}")).exit_code == 0


def unsaved(ctx: Context, where: Repository) -> list[str]:
    """Return the open files below a path, from its folder, whose text is not what stands on disk."""
    found: list[str] = []
    for shown in DirectView(ctx.workspace.roots, ctx.workspace.buffers).unsaved():
        root, inside = ctx.workspace.place(ctx.workspace.uri(shown))
        if root.path == where.folder and (not where.path or f"{inside}/".startswith(f"{where.path}/")):
            found.append(inside)
    return found


# ---------------------------------------------------------------- status


@tool
async def git_status(ctx: Context, path: Path_ = "") -> ToolOutput:
    """Show the branch, what is staged, changed, untracked or in conflict, and which files are not saved."""
    where = repository(ctx, path)
    told = await git_text(
        where.folder, "status", "--porcelain=v2", "-z", "--branch", "--ignore-submodules=all",
        "--untracked-files=all", "--", where.spec,
    )  # fmt: skip
    prefix = (await git_text(where.folder, "rev-parse", "--show-prefix")).strip()
    heads, groups = _status(told, prefix)
    if open_ := unsaved(ctx, where):
        groups["not saved in the editor"] = open_
    lines = [_branch(heads), *await _under_way(where.folder)]
    for name, paths in groups.items():
        lines += [f"{name} ({len(paths)}):", listed([f"  {each}" for each in paths], FILES_SHOWN, "name a folder")]
    stashes = (await git_text(where.folder, "stash", "list", "--format=%gd %s")).splitlines()
    lines += [f"stash: {each}" for each in stashes[:STASHES_SHOWN]]
    if (more := len(stashes) - STASHES_SHOWN) > 0:
        lines.append(f"[… {counted(more, 'stash')} more]")
    if not groups:
        lines.append("nothing changed")
    count = sum(map(len, groups.values()))
    return ToolOutput(
        text="\n".join(lines),
        title=f"{heads.get('branch.head', '')} · {counted(count, 'change')}",
        data={"branch": heads.get("branch.head", ""), "groups": groups, "stashes": stashes},
    )


def _status(told: str, prefix: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read `git status --porcelain=v2 -z`: the facts of the branch, and the paths by what they are."""
    heads: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    parts = iter(told.split("\0"))
    for part in parts:
        kind, _, rest = part.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            heads[name] = value
        elif kind == "?":
            groups.setdefault("untracked", []).append(rest.removeprefix(prefix))
        elif kind == "u":
            groups.setdefault("in conflict", []).append(rest.split(" ", 9)[9].removeprefix(prefix))
        elif kind in {"1", "2"}:
            fields = rest.split(" ", 8 if kind == "2" else 7)
            name = fields[-1].removeprefix(prefix)
            if kind == "2":
                name = f"{next(parts).removeprefix(prefix)} → {name}"
            for state, group in zip(fields[0], ("staged", "changed"), strict=True):
                if state != ".":
                    groups.setdefault(group, []).append(f"{name} ({_STATES.get(state, state)})")
    return heads, groups


def _branch(heads: dict[str, str]) -> str:
    line = f"branch {heads.get('branch.head', '?')}"
    if heads.get("branch.oid") == "(initial)":
        return f"{line}, no commit yet"
    line += f" at {heads.get('branch.oid', '')[:10]}"
    if upstream := heads.get("branch.upstream"):
        line += f", tracks {upstream} ({heads.get('branch.ab', 'gone')})"
    return line


async def _under_way(folder: Path) -> list[str]:
    where = Path((await git_text(folder, "rev-parse", "--absolute-git-dir")).strip())
    found = dict.fromkeys(what for name, what in _UNDER_WAY.items() if (where / name).exists())
    return [f"{what} is under way" for what in found]


# ---------------------------------------------------------------- diff


@tool
async def git_diff(
    ctx: Context,
    path: Path_ = "",
    staged: Annotated[bool, Field(description="What the next commit takes.")] = False,
    rev: Annotated[str, Field(description="Compare with this commit, or two: `main...HEAD`.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """Show changes as a unified diff: not staged by default, unsaved text included."""
    where = repository(ctx, path)
    base = revision("git_diff.rev", rev)
    if await before_first(where.folder, base):
        base = await _empty_tree(where.folder)
    chosen = [base] if base else []
    live = not staged and ".." not in rev
    typed = unsaved(ctx, where) if live else []
    out = [f":(exclude,literal){each}" for each in typed]
    cached = ("--cached",) if staged else ()
    told = await git_text(
        where.folder, "diff", *PLAIN_DIFF, "--relative", "-M", *cached, *chosen, "--", where.spec, *out
    )
    blocks, unknown = [told] if told else [], list[str]()
    for each in typed:
        block = await _diff_of_buffer(ctx, where.folder, each, base)
        blocks += [block] if block else []
        unknown += [each] if block is None else []
    lines = [line for block in blocks for line in block.rstrip("\n").split("\n")]
    notes = [f"not saved yet, shown as typed: {', '.join(typed)}"] if typed else []
    notes += [f"git does not know yet, so not shown: {', '.join(unknown)}"] if unknown else []
    files, size = _sizes(lines)
    head = [f"{counted(files, 'file')} {size}" if lines else _no_difference(staged=staged, rev=rev), *notes]
    body = paged(lines, offset, limit=SHOWN_LINES, narrower="name a path") if lines else ""
    return ToolOutput(
        text="\n".join([*head, body]).rstrip(),
        title=f"{path or rev or 'diff'} {size}".strip(),
        data={"files": files, "unsaved": typed, "lines": len(lines)},
    )


async def _empty_tree(folder: Path) -> str:
    """Return the name of the tree without files, under whichever hash the repository uses."""
    return (await git(folder, "hash-object", "-t", "tree", "--stdin", stdin=b"")).text.strip()


def _sizes(lines: Iterable[str]) -> tuple[int, str]:
    """Return how many files a diff names, and how many lines it takes away and adds."""
    files = removed = added = 0
    header = False
    for line in lines:
        if line.startswith("diff --git"):
            files, header = files + 1, True
        elif line.startswith("@@"):
            header = False
        elif not header:
            removed += line.startswith("-")
            added += line.startswith("+")
    return files, f"−{removed} +{added}" if files else ""


def _no_difference(*, staged: bool, rev: str) -> str:
    if rev:
        return f"no difference to {rev}"
    return "nothing is staged" if staged else "nothing changed that is not staged; see what is: staged=true"


async def _diff_of_buffer(ctx: Context, folder: Path, path: str, rev: str) -> str | None:
    """Return the diff from git's text of a file to the one in the editor; None where git has none, "" without one."""
    known = await git(folder, "show", "--no-textconv", f"{rev}:./{path}")
    if known.exit_code:
        return None
    snapshot = await ctx.workspace.read(str(folder / path))
    before, after = decode(known.output, path).text, snapshot.text
    if "\r" not in before:
        after = with_lf(after)  # git keeps one kind of line end and writes the other
    name = path if '"' not in path and "\n" not in path else repr(path)
    lines = list(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
    )
    if not lines:
        return ""
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return f"diff --git a/{name} b/{name}\n{''.join(ended)}"
