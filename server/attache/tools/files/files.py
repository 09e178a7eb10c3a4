"""Read, write, edit, list and find files, as the user sees them: unsaved text included."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from attache.schema.documents import Snapshot
from attache.schema.edits import CreateFile, EditFile
from attache.schema.errors import EditRefused, FileMissing, FileSkipped, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.files.rendered import kind, notebook_lines, pdf_lines, picture
from attache.tools.listing import alike, matching, tree
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, lines_of, listed, not_named, numbered
from attache.workspace.edits import diff
from attache.workspace.formats.replacing import replaced
from attache.workspace.locate import with_newline
from attache.workspace.paths import to_path

LINES_READ = 600
CHARACTERS_READ = 24_000
ENTRIES_LISTED = 200
FILES_FOUND = 50

FilePath = Annotated[str, Field(description="File, relative to the workspace.")]
Title = Annotated[str, Field(description="The purpose in a few words, for the reviewer.")]


@tool(aliases=("read_file", "view", "cat", "open_file"), pure=True)
async def read(
    ctx: Context,
    path: FilePath,
    start_line: Annotated[int, Field(ge=1, description="First line, from 1.")] = 1,
    end_line: Annotated[int | None, Field(ge=1, description="Last line, included.")] = None,
    raw: Annotated[bool, Field(description="A notebook's JSON instead of its cells.")] = False,
) -> ToolOutput:
    """Read a file with its line numbers, as the user sees it now, unsaved changes included.

    Each line is `number<TAB>text`. A long file comes in pages. Notebooks, pictures and PDF are read too.
    """
    form = kind(path)
    if form == "picture":
        return await picture(ctx, path)
    if form == "pdf":
        shown = ctx.workspace.shown(ctx.workspace.uri(path))
        return _lines_read(shown, await pdf_lines(ctx, path), "its text", start_line, end_line, {})
    snapshot = await _read(ctx, path)
    if ctx.servers:
        ctx.servers.wake(snapshot.path)  # who reads a file will soon edit it, or ask about it
    source = f"editor buffer, version {snapshot.version}" if snapshot.open else "disk"
    source = f"{source}, hash {snapshot.hash[:12]}"
    lines = lines_of(snapshot.text)
    if form == "notebook" and not raw:
        lines = notebook_lines(snapshot.text, snapshot.path)
        source = f"{source}; its cells: change one by edit_cell"
    data = {"uri": snapshot.uri, "version": snapshot.version, "hash": snapshot.hash}
    return _lines_read(snapshot.path, lines, source, start_line, end_line, data)


def _lines_read(
    path: str, lines: Sequence[str], source: str, start: int, end: int | None, data: Mapping[str, Any]
) -> ToolOutput:
    """Return a page of lines under a line that says what they are of."""
    _refuse_odd_range(path, len(lines), start, end)
    first = start if lines else 1
    page = _page(lines[first - 1 : end])
    last = first + len(page) - 1
    head = f"{path}:{first}-{last} of {counted(len(lines), 'line')} ({source})"
    if not lines:
        head = f"{path} is empty ({source})"
    left = min(end or len(lines), len(lines)) - last
    more = f"\n[… {counted(left, 'line')} more: read on with start_line={last + 1}]" if left > 0 else ""
    return ToolOutput(
        text=f"{head}\n{numbered(page, first)}{more}",
        title=f"{path}:{first}-{last}" if page else path,
        places=(cited(path, first, last),),
        data={"path": path, **data, "start_line": first, "end_line": last, "lines": len(lines)},
    )


def _refuse_odd_range(path: str, lines: int, start: int, end: int | None) -> None:
    """Raise InvalidArguments for lines that no file has, or not this one; an empty one is shown as such."""
    if end is not None and end < start:
        raise InvalidArguments(
            f"read.end_line: {end} comes before start_line {start}", hint="end_line is included; leave it out for all"
        )
    if lines and start > lines:
        raise InvalidArguments(
            f"read.start_line: {path} has {counted(lines, 'line')}, and none at {start}", hint=f"1 to {lines} are there"
        )


def _page(lines: Sequence[str]) -> Sequence[str]:
    """Return as many of the lines as one answer may hold, at least one."""
    room = CHARACTERS_READ
    for count, line in enumerate(lines[:LINES_READ]):
        room -= len(line) + 1
        if room < 0 and count:
            return lines[:count]
    return lines[:LINES_READ]


async def _read(ctx: Context, path: str) -> Snapshot:
    try:
        return await ctx.workspace.read(path)
    except FileMissing as error:
        files = await ctx.workspace.files()
        folders = dict.fromkeys(file.rpartition("/")[0] for file in files if "/" in file)
        near = alike(path.rstrip("/"), (*files, *folders))[:3]
        raise FileMissing(error.message, hint=f"near: {', '.join(near)}" if near else error.hint) from error


async def is_folder(ctx: Context, path: str) -> bool:
    """Return whether a path leads to a folder, not to a file.

    Raises FileMissing with near names where it leads nowhere, FileSkipped where that cannot be found out.
    """
    try:
        await _read(ctx, path)
    except FileMissing:
        raise
    except FileSkipped:
        root, inside = ctx.workspace.place(ctx.workspace.uri(path))
        with suppress(OSError), root.spot(inside) as (folder, name):
            status = folder.stat(name)
            return status is not None and stat.S_ISDIR(status.st_mode)
        raise
    return False


class Replacement(BaseModel):
    """One place to change."""

    search: Annotated[str, Field(description="Text that stands there exactly once.")]
    replace: str


def _several(given: Any) -> Any:
    return [given] if isinstance(given, Mapping) else given


@tool(effect="workspace", aliases=("edit_file", "str_replace", "search_replace"))
async def edit(
    ctx: Context,
    path: FilePath,
    edits: Annotated[
        list[Replacement], BeforeValidator(_several), Field(min_length=1, description="Made one after the other.")
    ],
    title: Title = "",
) -> ToolOutput:
    """Replace text in a file: all edits, or none where one is refused.

    Quote whole lines as they stand, with enough around them to be unique. The answer shows the lines as they are now
    and the diagnostics that are new.
    """
    before = await _read(ctx, path)
    text = before.text
    for number, each in enumerate(edits, 1):
        try:
            text = replaced(text, each.search, each.replace, before.path)
        except EditRefused as error:
            which = f"edit {number} of {len(edits)}: " if len(edits) > 1 else ""
            raise EditRefused(f"{which}{error.message}; nothing was changed", hint=error.hint) from error
    return await rewrite(ctx, before, text, title)


@tool(effect="workspace", aliases=("write_file", "create_file", "create"))
async def write(
    ctx: Context,
    path: FilePath,
    content: Annotated[str, Field(description="The whole file.")],
    title: Title = "",
) -> ToolOutput:
    """Create a file, or replace all of its text. To change parts of one, use edit."""
    try:
        before = await ctx.workspace.read(path)
    except FileMissing:
        change = CreateFile(uri=ctx.workspace.uri(path), text=content)
        return await told(ctx, await ctx.land(title or f"create {path}", (change,)))
    # What a model writes ends its lines with \n; the file keeps its own.
    return await rewrite(ctx, before, content if "\r" in content else with_newline(content, before.newline), title)


async def rewrite(ctx: Context, before: Snapshot, text: str, title: str) -> ToolOutput:
    """Give a file a new text, and tell what that changed. Raises EditRefused."""
    if text == before.text:
        return ToolOutput(text=f"{before.path} says exactly that already", title=f"{before.path} · no change")
    change = EditFile(
        uri=before.uri, base_hash=before.hash, base_version=before.version, edits=diff(before.text, text)
    )  # fmt: skip
    return await told(ctx, await ctx.land(title or f"edit {before.path}", (change,)))


@tool(name="list", aliases=("ls", "list_files", "list_directory", "tree"))
async def list_folder(
    ctx: Context,
    path: Annotated[str, Field(description="Folder; the whole workspace by default.")] = "",
    depth: Annotated[int, Field(ge=1, description="Levels to show.")] = 2,
) -> ToolOutput:
    """List a folder as a tree. What .gitignore leaves out is left out."""
    files = await _below(ctx, path)
    shown = path.strip("/") or "."
    entries = tree([_inside(file, shown) for file in files], depth)
    return ToolOutput(
        text="\n".join(
            part
            for part in (
                listed([f"{shown}/", *entries], ENTRIES_LISTED, "list a folder in it"),
                not_named(ctx.workspace.unnamed),
            )
            if part
        ),
        title=f"{shown} · {counted(len(files), 'file')}",
        data={"path": shown, "files": len(files), "entries": entries},
    )


async def _below(ctx: Context, path: str) -> tuple[str, ...]:
    """Return the files below a folder. Raises ToolError that says why where there is none that can be listed."""
    files: tuple[str, ...] = ()
    with suppress(OSError):  # of a folder on the way; what is wrong with it is told below
        files = await ctx.workspace.files(path)
    uri = ctx.workspace.uri(path)
    shown = ctx.workspace.shown(uri)
    if not path or (files and shown not in files):
        return files
    if not await is_folder(ctx, path):
        raise ToolError(f"{shown} is a file, not a folder", hint="read it, or name the folder it is in")
    if not os.access(to_path(uri), os.R_OK | os.X_OK):
        raise FileSkipped(f"{shown} cannot be read: permission denied", hint="name a folder you may read")
    return files


def _inside(file: str, folder: str) -> str:
    return file.removeprefix(f"{folder}/") if folder != "." else file


@tool(aliases=("glob", "find_files", "file_search"))
async def find(
    ctx: Context,
    name: Annotated[
        str,
        Field(
            description="Glob (`**/*.py`), or a part of the path, also misspelt.",
            validation_alias=AliasChoices("name", "pattern", "query"),
        ),
    ],
    path: Annotated[str, Field(description="Folder to look in.")] = "",
) -> ToolOutput:
    """Find files by name, the likeliest first."""
    found = matching(name, await _below(ctx, path))
    text = listed(found, FILES_FOUND, "give a longer name or a folder") if found else f"no file is called like `{name}`"
    text = "\n".join(part for part in (text, not_named(ctx.workspace.unnamed)) if part)
    return ToolOutput(
        text=text,
        title=f"`{name}` · {counted(len(found), 'file')}",
        data={"files": found[:FILES_FOUND], "total": len(found)},
    )
