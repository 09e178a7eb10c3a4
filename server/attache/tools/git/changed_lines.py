"""What git says was changed: the lines of each file that are new, and the text that stood there before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from attache.schema.errors import ToolError, UserError
from attache.workspace.git import NOTHING, PLAIN_DIFF, git

DIFF = ("diff", "--unified=0", *PLAIN_DIFF, "--relative", "--diff-filter=d", "-M")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_QUOTED = re.compile(r"\\([0-7]{3}|.)")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class Changes:
    """The changes below one folder since one commit, what is not saved in git included."""

    def __init__(self, folder: Path, base: str) -> None:
        """Compare with the commit, or tree, `base`."""
        self._folder = folder
        self._base = base

    @classmethod
    async def since(cls, folder: Path, branch: str = "") -> Changes:
        """Return the changes since HEAD, or since the work left `branch`. Raises UserError."""
        if branch:
            found = await _git(folder, "merge-base", "--end-of-options", branch, "HEAD")
            if found is None:
                raise UserError(f"no common past with {branch!r} here", hint="name a branch: git branch --all")
            return cls(folder, found.strip())
        if await _git(folder, "rev-parse", "--git-dir") is None:
            raise UserError(f"{folder} is not in a git repository", hint="name what to review: attache review FILE")
        head = await _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
        return cls(folder, head.strip() if head else NOTHING)

    async def lines(self, paths: Sequence[str] = ()) -> dict[str, frozenset[int]]:
        """Return the numbers of the new lines, file by file; all of those of a file that git does not know yet."""
        shown = await _git(self._folder, *DIFF, self._base, "--", *paths) or ""
        changed = new_lines(shown)
        listed = await _git(self._folder, "ls-files", "--others", "--exclude-standard", "-z", "--", *paths) or ""
        for path in filter(None, listed.split("\0")):
            changed[path] = frozenset(range(1, _line_count(self._folder / path) + 1))
        return changed

    async def before(self, path: str) -> str:
        """Return the text that a file had; empty where it was not there, under this name."""
        return await _git(self._folder, "show", f"{self._base}:./{path}") or ""


def new_lines(diff: str) -> dict[str, frozenset[int]]:
    """Read a unified diff without context: the numbers of the lines it adds, by path; none where it only removes."""
    found: dict[str, set[int]] = {}
    path, left = "", 0
    for line in diff.split("\n"):
        if left and line.startswith(("+", "-", "\\")):
            left -= line.startswith("+")
            continue
        if line.startswith("+++ "):
            path = _path(line[4:])
        elif hunk := _HUNK.match(line):
            start, count = int(hunk[1]), int(hunk[2] or 1)
            found.setdefault(path, set()).update(range(start, start + count))
            left = count
    return {path: frozenset(lines) for path, lines in found.items()}


def _path(shown: str) -> str:
    """Read a path as git writes it: behind `b/`, quoted where it holds odd characters."""
    shown = shown.rstrip("\t\r")
    if shown.startswith('"'):
        shown = _QUOTED.sub(lambda each: _unquoted(each[1]), shown[1:-1])
    return shown.removeprefix("b/")


def _unquoted(escape: str) -> str:
    return chr(int(escape, 8)) if len(escape) > 1 else _ESCAPES.get(escape, escape)


def _line_count(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n") + 1
    except OSError:
        return 0


async def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it fails. Raises UserError."""
    try:
        answer = await git(folder, *arguments)
    except ToolError as error:
        raise UserError(error.message, hint=f"{error.hint}, or name what to review: attache review FILE") from error
    return None if answer.exit_code else answer.text
