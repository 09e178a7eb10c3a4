"""Change several files in one step, all or none: replacements, patches, moves and deletions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BaseModel, Field

from attache.schema.edits import DeleteFile, FileChange, RenameFile
from attache.schema.errors import EditRefused, FileMissing, InvalidArguments, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.files.files import Title, is_folder
from attache.tools.tool import Context, tool
from attache.tools.wording import counted
from attache.workspace.formats.steps import Drafts, Replace
from attache.workspace.formats.table import Format, changes

_SEARCH = re.compile(r"<{5,9} ?SEARCH\b")
FILES_MOST = 500
"""Files that one call may move or delete."""


class FileReplacement(BaseModel):
    """One place to change, in one file."""

    path: Annotated[str, Field(description="File.")]
    search: Annotated[str, Field(description="Text that stands there exactly once; empty to create the file.")]
    replace: str


@tool(category="files", effect="workspace", aliases=("multiedit", "batch_edit"))
async def multi_edit(
    ctx: Context,
    edits: Annotated[list[FileReplacement], Field(min_length=1, description="Made one after the other.")],
    title: Title = "",
) -> ToolOutput:
    """Replace text in several files as one step: all edits, or none where one is refused.

    Quote whole lines as they stand, with enough around them to be unique. For one file, use edit.
    """
    drafts = Drafts(ctx.workspace)
    for number, each in enumerate(edits, 1):
        try:
            await drafts.add(Replace(each.path, each.search, each.replace))
        except EditRefused as error:
            where = f"edit {number} of {len(edits)}: {error.message}; nothing was changed"
            raise EditRefused(where, hint=error.hint) from error
    return await _landed(ctx, title or f"edit {counted(len({each.path for each in edits}), 'file')}", drafts.changes())


async def _landed(ctx: Context, title: str, files: tuple[FileChange, ...]) -> ToolOutput:
    if not files:
        return ToolOutput(text="the files say exactly that already", title="no change")
    return await told(ctx, await ctx.land(title, files))


@tool(category="files", effect="workspace", aliases=("patch", "apply_diff"))
async def apply_patch(
    ctx: Context,
    patch: Annotated[
        str,
        Field(min_length=1, description="`*** Begin Patch` envelope, unified diff, or SEARCH/REPLACE blocks."),
    ],
    title: Title = "",
) -> ToolOutput:
    """Apply a patch to any number of files, new, deleted and moved ones too: all of it, or nothing."""
    form = written(patch)
    files = await changes(form, patch, ctx.workspace)
    return await _landed(ctx, title or f"apply a patch to {counted(len(files), 'file')}", files)


def written(patch: str) -> Format:
    """Return the format that a patch is written in; what shows no sign of another is taken for a unified diff."""
    lines = [line.strip() for line in patch.splitlines()]
    if "*** Begin Patch" in lines:
        return "apply_patch"
    if any(_SEARCH.match(line) for line in lines):
        return "search_replace"
    return "unified_diff"


# ---------------------------------------------------------------- whole files


@tool(category="files", effect="workspace", aliases=("rename_file", "mv"))
async def move(
    ctx: Context,
    path: Annotated[str, Field(min_length=1, description="File or folder.")],
    new_path: Annotated[str, Field(min_length=1, description="Its new path from the top; a folder takes it in.")],
    overwrite: Annotated[bool, Field(description="Replace a file that is there.")] = False,
) -> ToolOutput:
    """Move or rename a file, or a folder with all that git does not ignore. What refers to it stays as it is."""
    wanted = ctx.workspace.shown(ctx.workspace.uri(new_path.rstrip("/") or new_path))
    source = ctx.workspace.shown(ctx.workspace.uri(path.rstrip("/") or path))
    if wanted != source and (new_path.endswith("/") or await _folder_there(ctx, new_path)):  # as mv does
        wanted = f"{wanted}/{PurePosixPath(source).name}".removeprefix("./")
    found: list[FileChange] = []
    for file, inside in await _files(ctx, path):
        snapshot = await ctx.workspace.read(file)
        target = ctx.workspace.uri(f"{wanted}/{inside}" if inside else wanted)
        if target == snapshot.uri:
            raise InvalidArguments("move.new_path: it is there already", hint="name another path")
        found.append(RenameFile(uri=snapshot.uri, new_uri=target, base_hash=snapshot.hash, overwrite=overwrite))
    output = await _landed(ctx, f"move {path} to {wanted}", tuple(found))
    if "/" in wanted or "/" not in source:
        return output
    beside = f"{PurePosixPath(source).parent}/{wanted}"
    note = f"note: {wanted} stands at the top of the workspace; beside the old one it would be {beside}"
    return output.model_copy(update={"text": f"{output.text}\n{note}"})


async def _folder_there(ctx: Context, path: str) -> bool:
    try:
        return await is_folder(ctx, path)
    except FileMissing:
        return False


@tool(category="files", effect="workspace", aliases=("delete_file", "remove", "rm"))
async def delete(
    ctx: Context,
    paths: Annotated[list[str], Field(min_length=1, description="Files, or folders with all that is in them.")],
) -> ToolOutput:
    """Delete files as one step that the user can undo. In a folder, what git ignores is left."""
    found: list[FileChange] = []
    for path in paths:
        for file, _ in await _files(ctx, path):
            snapshot = await ctx.workspace.read(file)
            found.append(DeleteFile(uri=snapshot.uri, base_hash=snapshot.hash))
    unique = tuple({each.uri: each for each in found}.values())
    return await _landed(ctx, f"delete {', '.join(paths)}", unique)


async def _files(ctx: Context, path: str) -> list[tuple[str, str]]:
    """Return the file that a path names, or those below the folder, each with its path from there.

    Raises FileMissing, FileSkipped, ToolError where there are none or too many.
    """
    if not await is_folder(ctx, path):
        return [(path, "")]
    folder = ctx.workspace.shown(ctx.workspace.uri(path.rstrip("/")))
    if folder in {"", "."}:
        raise InvalidArguments("this is the whole workspace", hint="name a folder in it")
    files = await ctx.workspace.files(path)
    if not files:
        raise FileMissing(f"{folder} holds no file that git would keep", hint="list it, or use the shell")
    if len(files) > FILES_MOST:
        held = f"{folder} holds {counted(len(files), 'file')}"
        raise ToolError(f"{held}; one step takes {FILES_MOST}", hint="use the shell")
    return [(file, file.removeprefix(f"{folder}/")) for file in files]
