"""Merge conflicts: where they are, what each side wants, and taking one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from attache.schema.errors import FileMissing, FileSkipped, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.files.files import rewrite
from attache.tools.git.git import Path_, repository
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, numbered
from attache.workspace.documents import split_lines
from attache.workspace.git import git

Side = Literal["ours", "theirs", "both", "base"]
_MARK = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: (.*?))?[\r\n]*\Z")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One region that two sides changed; lines count from 1 and carry their line ends."""

    start: int
    end: int
    """The last line, which holds the closing marker."""
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    base: tuple[str, ...] | None
    """What both began with, where git was asked to say so (merge.conflictStyle)."""
    names: tuple[str, str]

    def taken(self, side: Side) -> tuple[str, ...]:
        """Return the lines of a side. Raises ToolError where the base is wanted and not there."""
        if side == "base" and self.base is None:
            raise ToolError("the markers do not show the base", hint="git checkout --conflict=diff3 FILE shows it")
        sides = {"ours": self.ours, "theirs": self.theirs, "both": self.ours + self.theirs, "base": self.base or ()}
        return sides[side]


def conflicts(text: str) -> Iterator[Conflict]:
    """Yield the conflicts that markers in a text enclose; markers out of order are no conflict."""
    parts: dict[str, list[str]] = {}
    start, now, names = 0, "", ["", ""]
    for number, line in enumerate(split_lines(text), 1):
        mark = _MARK.match(line)
        kind = mark[1][0] if mark else ""
        if kind == "<":
            start, now, names = number, "ours", [mark[2] or "" if mark else "", ""]
            parts = {"ours": list[str](), "theirs": list[str]()}
        elif kind == "|" and now == "ours":
            now = "base"
            parts["base"] = []
        elif kind == "=" and now in {"ours", "base"}:
            now = "theirs"
        elif kind == ">" and now == "theirs":
            names[1] = mark[2] or "" if mark else ""
            base = tuple(parts["base"]) if "base" in parts else None
            yield Conflict(start, number, tuple(parts["ours"]), tuple(parts["theirs"]), base, (names[0], names[1]))
            now = ""
        elif now:
            parts[now].append(line)


@tool(category="git")
async def git_conflicts(ctx: Context, path: Path_ = "", offset: Offset = 0) -> ToolOutput:
    """Show each merge conflict with both sides, as the files stand now, unsaved text included."""
    where = repository(ctx, path)
    answer = await git(where.folder, "ls-files", "--unmerged", "-z", "--", where.spec)
    unmerged = list(dict.fromkeys(row.partition("\t")[2] for row in answer.text.split("\0") if row))
    if answer.exit_code:
        unmerged = []
    files = unmerged or ([where.path] if where.path else [])
    lines, found = list[str](), dict[str, int]()
    for file in files:
        try:
            text = (await ctx.workspace.read(str(where.folder / file))).text
        except (FileMissing, FileSkipped) as error:
            lines.append(f"{file}: {error.message}; one side deleted it, or it is no text: keep it or delete it")
            found[file] = 0
            continue
        each = list(conflicts(text))
        found[file] = len(each)
        lines += [line for number, one in enumerate(each, 1) for line in _told(file, number, one)]
        if not each and file in unmerged:
            lines.append(f"{file}: no marker is left; git still has it as in conflict until it is committed or added")
    count = sum(found.values())
    return ToolOutput(
        text=paged(lines, offset, narrower="name a file") if lines else "no conflict",
        title=f"{counted(count, 'conflict')} in {counted(len(found), 'file')}" if found else "no conflict",
        places=tuple(cited(file, 1) for file in found),
        data={"files": found, "unmerged": unmerged},
    )


def _told(file: str, number: int, conflict: Conflict) -> Sequence[str]:
    rows = [f"{file}:{conflict.start}-{conflict.end} conflict {number}"]
    at = conflict.start + 1
    for name, lines in (("ours", conflict.ours), ("base", conflict.base), ("theirs", conflict.theirs)):
        if lines is None:
            continue
        label = conflict.names[name == "theirs"] if name != "base" else ""
        rows.append(f"  {name}{f' ({label})' if label else ''}:" + ("" if lines else " nothing"))
        rows += numbered((line.rstrip("\r\n") for line in lines), at).split("\n") if lines else []
        at += len(lines) + 1
    return rows


@tool(category="git", effect="workspace")
async def resolve_conflict(
    ctx: Context,
    path: Annotated[str, Field(description="File.")],
    take: Annotated[Side, Field(description="both: ours, then theirs.")],
    number: Annotated[int | None, Field(ge=1, description="Which conflict of the file; all by default.")] = None,
) -> ToolOutput:
    """Resolve conflicts of a file by taking a side. What needs both woven together: edit the file."""
    before = await ctx.workspace.read(path)
    found = list(conflicts(before.text))
    if not found:
        raise ToolError(f"{before.path} has no conflict markers", hint="git_conflicts lists the files that have")
    if number is not None and number > len(found):
        raise InvalidArguments(
            f"resolve_conflict.number: {before.path} has {counted(len(found), 'conflict')}", hint="git_conflicts"
        )
    lines = split_lines(before.text)
    for at, conflict in reversed(list(enumerate(found, 1))):
        if number in {None, at}:
            lines[conflict.start - 1 : conflict.end] = conflict.taken(take)
    return await rewrite(ctx, before, "".join(lines), f"resolve: take {take} in {before.path}")
