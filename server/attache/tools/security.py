"""Look for what endangers: secrets in files and in the past, and calls that attackers look for."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.foundation.redact import secrets
from attache.schema.errors import FileSkipped, PathRefused
from attache.schema.tools import ToolOutput
from attache.tools.files.files import is_folder
from attache.tools.git.git import Path_, repository
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted
from attache.workspace.git import PLAIN_DIFF, git, git_text

FILES_MOST = 20_000
CHARS_MOST = 100_000_000
COMMITS_MOST = 5_000
ALLOWED = re.compile(r"pragma: allowlist secret|gitleaks:allow|nosec|noqa: S10[5-7]", re.IGNORECASE)
"""Words by which a line says that what looks like a secret is none, as other scanners have them."""
_COMMIT = re.compile(r"^commit ([0-9a-f]{40,64}) (\S+) (.*)$")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)")


class Secret(NamedTuple):
    """A place where a secret stands. The secret itself is told nowhere."""

    path: str
    line: int
    name: str
    mark: str
    """The beginning of its hash: the same secret at several places has the same one."""
    length: int
    commit: str = ""
    told: str = ""
    """Who brought it in and when."""

    def __str__(self) -> str:
        """Return it as a line."""
        where = f"{self.commit[:10]} {self.told} · " if self.commit else ""
        return f"{where}{self.path}:{self.line} {self.name} ({counted(self.length, 'character')}, #{self.mark})"


@tool(cost="LOW", aliases=("detect_secrets",))
async def secret_scan(
    ctx: Context,
    path: Path_ = "",
    history: Annotated[bool, Field(description="Look at every line ever added in git instead.")] = False,
    commits: Annotated[int, Field(ge=1, le=COMMITS_MOST, description="Commits of the past to look at.")] = 500,
    offset: Offset = 0,
) -> ToolOutput:
    """Find keys, tokens, passwords and private keys, unsaved text included; they are named and placed, never shown."""
    if history:
        return await _past(ctx, path, commits, offset)
    found, looked, notes = await _present(ctx, path)
    lines = [*map(str, found), *notes]
    head = f"{counted(len(found), 'secret')} in {counted(looked, 'file')}"
    advice = "revoke what is real, then take it out; git keeps it: history=true tells since when" if found else ""
    return ToolOutput(
        text="\n".join(filter(None, (head, paged(lines, offset, narrower="name a folder") if lines else "", advice))),
        title=head,
        places=tuple(cited(each.path, each.line) for each in found[:100]),
        data={"secrets": [each._asdict() for each in found], "files": looked},
    )


async def _present(ctx: Context, path: str) -> tuple[list[Secret], int, list[str]]:
    """Return the secrets below a path, how many files were looked at, and what was left out."""
    files = await ctx.workspace.files(path) if not path or await is_folder(ctx, path) else (path,)
    found: list[Secret] = []
    looked, room = 0, CHARS_MOST
    for file in files[:FILES_MOST]:
        try:
            text = (await ctx.workspace.read(file)).text
        except (FileSkipped, PathRefused):
            continue  # it is no text, or gone since
        looked += 1
        room -= len(text)
        if room < 0:
            break
        found += await asyncio.to_thread(in_text, file, text)
    left = len(files) - looked
    notes = [f"[{counted(left, 'file')} not looked at: no text, too large, or beyond the limit]"] if left else []
    return found, looked, notes


def in_text(path: str, text: str) -> list[Secret]:
    """Return the secrets of a text; a line that says that it holds none is believed."""
    found: list[Secret] = []
    for start, end, name in secrets(text):
        begin, stop = text.rfind("\n", 0, start) + 1, text.find("\n", start)
        if not ALLOWED.search(text[begin : stop if stop >= 0 else None]):
            value = text[start:end]
            mark = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:8]
            found.append(Secret(path, text.count("\n", 0, start) + 1, name, mark, len(value)))
    return found


async def _past(ctx: Context, path: str, commits: int, offset: int) -> ToolOutput:
    where = repository(ctx, path)
    arguments = ("log", "--all", f"--max-count={commits + 1}", "--format=commit %H %as %an", "--patch", "--unified=0")
    told = await git_text(
        where.folder, *arguments, *PLAIN_DIFF, "--relative", "--diff-filter=AM", "-M", "--", where.spec
    )
    found = await asyncio.to_thread(lambda: list(in_patches(told)))
    count = await git(where.folder, "rev-list", "--all", "--count", "--", where.spec)
    total = int(count.text) if count.exit_code == 0 and count.text.strip().isdigit() else 0
    now, _, _ = await _present(ctx, path)
    still = {each.mark for each in now}
    first = {each.mark: each for each in found}  # the oldest comes last, and says who brought it in
    states = {True: "still there", False: "gone from the files, not from git"}
    lines = [f"{each} · {states[mark in still]}" for mark, each in first.items()]
    head = f"{counted(len(first), 'secret')} in {counted(min(total, commits) or commits, 'commit')}"
    rest = [f"[… {total - commits} older commits were not looked at: commits={total}]"] if total > commits else []
    advice = ["revoke them first; then git filter-repo takes them out of the past"] if first else []
    return ToolOutput(
        text="\n".join([head, *([paged(lines, offset)] if lines else []), *rest, *advice]),
        title=head,
        data={"secrets": [each._asdict() for each in first.values()], "still": sorted(still & first.keys())},
    )


def in_patches(told: str) -> Iterator[Secret]:
    """Yield the secrets in the lines that each commit added, the newest commit first."""
    commit, who, path = "", "", ""
    added: list[str] = []
    start = 0

    def flush() -> Iterator[Secret]:
        for each in in_text(path, "\n".join(added)):
            yield each._replace(line=start + each.line - 1, commit=commit, told=who)
        added.clear()

    header = False
    for line in told.split("\n"):
        if line.startswith("+") and not header:
            added.append(line[1:])
            continue
        yield from flush()
        if line.startswith("diff --git"):
            header = True
        elif match := _HUNK.match(line):
            start, header = int(match[1]), False
        elif header and line.startswith("+++ "):
            path = line[4:].rstrip("\t").strip('"').removeprefix("b/")
        elif match := _COMMIT.match(line):
            commit, who = match[1], f"{match[2]} {match[3]}"
    yield from flush()
