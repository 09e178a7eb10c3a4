"""Lines that match a regex, in closed files and in buffers, within a time limit whatever the regex."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import warnings
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from attache.schema.errors import InvalidArguments
from attache.tools import scan
from attache.tools.files.files import is_folder
from attache.tools.listing import glob as compiled
from attache.tools.tool import Context
from attache.tools.wording import not_named
from attache.workspace.paths import to_path, to_uri
from attache.workspace.shell import Completed, run

SECONDS = 20.0
OUTPUT_BYTES = 16_000_000
RIPGREP_FROM_FILES = 500
"""With fewer files it is quicker to look at them at once."""
RIPGREP_FLAGS = (
    "--no-config", "--files-with-matches", "--null", "--hidden", "--no-messages", "--no-require-git", "--crlf",
    "--no-ignore-dot", "--no-ignore-global", "--no-ignore-parent", "--color=never",
)  # fmt: skip
FINISHED = frozenset({0, 1})
"""Exit codes of ripgrep that say it did its work: something found, nothing found."""
NOTES_SHOWN = 10
OTHER_MEANING = re.compile(r"&&|--|~~|\[\[|\\[<>]")
"""What ripgrep's regexes understand otherwise than Python's."""


@dataclass(frozen=True, slots=True)
class FileLines:
    """The matching lines of one file: how many, and those to show with the lines around them."""

    path: str
    count: int
    lines: tuple[scan.Line, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a regex found, and what could not be searched."""

    files: tuple[FileLines, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Return the number of matching lines."""
        return sum(each.count for each in self.files)


@dataclass(frozen=True, slots=True)
class Query:
    """A regex (or a plain text, where `literal`), and how to show what it finds."""

    pattern: str
    literal: bool = False
    ignore_case: bool = False
    context: int = 0
    limit: int = 100


async def lines_matching(ctx: Context, query: Query, path: str = "", glob: str = "") -> Found:
    """Search the files below a path as the user sees them. Raises InvalidArguments for what is no regex."""
    _check(query)
    if not path or await is_folder(ctx, path):
        paths = await ctx.workspace.files(path)
    else:
        paths = ((await ctx.workspace.read(path)).path,)
    if glob:
        wanted = compiled(glob)
        paths = tuple(each for each in paths if wanted.fullmatch(each))
    files = _on_disk(ctx, paths)
    texts = await _open_texts(ctx, files)
    likely = await _narrowed(ctx, query, path, len(files))
    if likely is not None:
        files = {
            each: place
            for each, place in files.items()
            if os.path.join(*place) in likely or each in texts  # noqa: PTH118
        }
    job = json.dumps({**asdict(query), "files": files, "texts": texts})
    argv = (sys.executable, "-I", "-S", "-W", "ignore", scan.__file__)
    folder = ctx.workspace.roots[0].path
    cut, unnamed = ctx.workspace.unlisted, not_named(ctx.workspace.unnamed)
    found = _read(await run(argv, cwd=folder, stdin=job, timeout_seconds=SECONDS, output_limit_bytes=OUTPUT_BYTES))
    more = tuple(note for note in (cut and f"[{cut}: name a folder]", unnamed) if note)
    return replace(found, notes=(*found.notes, *more))


def _on_disk(ctx: Context, paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return for each path the root it lies in and the path from there, in which no name is a link."""
    workspace = ctx.workspace
    first, *others = workspace.roots
    if len(paths) == 1:  # it may have been named, by a link; in a folder links are left out
        real = os.path.realpath(to_path(workspace.uri(paths[0])))
        place = workspace.place(to_uri(real))
        return {paths[0]: (str(place.root.path), place.path)}
    if others:
        places = ((path, workspace.place(workspace.uri(path))) for path in paths)
        return {path: (str(place.root.path), place.path) for path, place in places}
    root = str(first.path)
    return {path: (root, path) for path in paths}  # there may be 100,000


def _check(query: Query) -> None:
    if query.literal:
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(query.pattern)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"grep.pattern is not a regex: {error}"
        raise InvalidArguments(message, hint="escape what is meant as it stands, or set literal") from None


async def _open_texts(ctx: Context, paths: Collection[str]) -> dict[str, str]:
    """Return the texts of those files that an editor holds."""
    held = [path for document in ctx.workspace.buffers if (path := ctx.workspace.shown(document.uri)) in paths]
    return {path: (await ctx.workspace.read(path)).text for path in held}


async def _narrowed(ctx: Context, query: Query, path: str, files: int) -> frozenset[str] | None:
    """Return the files on disk in which ripgrep finds a match; None where it cannot tell, or is not there."""
    ripgrep = shutil.which("rg")
    if not ripgrep or files < RIPGREP_FROM_FILES or not query.pattern.isascii():
        return None
    if OTHER_MEANING.search(query.pattern) and not query.literal:
        return None
    flags = (*(("-F",) if query.literal else ()), *(("-i",) if query.ignore_case else ()))
    folders = [to_path(ctx.workspace.uri(path))] if path else [root.path for root in ctx.workspace.roots]
    argv = (ripgrep, *RIPGREP_FLAGS, *flags, "-e", query.pattern, "--", *map(str, folders))
    done = await run(argv, cwd=folders[0], timeout_seconds=SECONDS, output_limit_bytes=OUTPUT_BYTES)
    if done.exit_code not in FINISHED or done.truncated or done.timed_out:
        return None
    return frozenset(done.output.split("\0"))


def _read(done: Completed) -> Found:
    """Read what the scan told, all of it or what it knew when it was stopped."""
    files: list[FileLines] = []
    notes: list[str] = []
    finished = False
    for line in done.output.splitlines():
        match json.loads(line) if line.startswith("{") and line.endswith("}") else None:
            case {"path": path, "count": count, "lines": lines}:
                shown = tuple((number, text, matches) for number, text, matches in lines)
                files.append(FileLines(path, count, shown))
            case {"path": path, "unsearched": why}:
                notes.append(f"[{path} was not searched: {why}]")
            case {"done": _}:
                finished = True
            case _:
                pass
    if not finished:
        notes.append(f"[stopped after {done.seconds:.0f} s, not all was searched: narrow the path, glob or regex]")
    if len(notes) > NOTES_SHOWN:
        notes[NOTES_SHOWN:-1] = [f"[… {len(notes) - NOTES_SHOWN - 1} more were not searched]"]
    return Found(tuple(files), tuple(notes))
