"""`attache edit`: make the edits that an instruction asks for, in a folder or on texts that are handed in."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from attache.faces.cli.main import app, fail
from attache.faces.cli.options import Root, folder, settings_for
from attache.faces.cli.render import visible
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId
from attache.schema.edits import ChangeSet, FileOutcome, Landed
from attache.schema.errors import EditRefused, ToolError, UserError
from attache.workspace.documents import split_lines
from attache.workspace.files import decode
from attache.workspace.formats.in_memory import InMemory
from attache.workspace.formats.table import Format, changes
from attache.workspace.lines import changed
from attache.workspace.workspace import Workspace

edit = typer.Typer(help="Make edits written in one of the formats that models use.", no_args_is_help=True)
app.add_typer(edit, name="edit")


@edit.callback()
def group() -> None:
    """Make edits written in one of the formats that models use."""  # keeps `apply` a word of its own


@edit.command()
def apply(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File that holds the instruction; standard input by default.")
    ] = None,
    *,
    format_: Annotated[Format | None, typer.Option("--format", help="How the instruction is written.")] = None,
    root: Root = Path(),
    batch: Annotated[
        bool, typer.Option("--batch", help='Read {"id","format","files","instruction"} lines, answer each with a line.')
    ] = False,
) -> int:
    """Make the edits of an instruction: in all of its files, or in none where one of them is refused."""
    if batch and file is not None:
        raise UserError("--batch reads its lines from standard input", hint="attache edit apply --batch < the.lines")
    if batch:
        asyncio.run(_answer_lines())
        return 0
    if format_ is None:
        raise UserError("the format is not said", hint="such as: attache edit apply --format unified_diff the.diff")
    here = folder(root, hint="give the folder to edit in with --root")
    instruction = decode(_told_by(file), "the instruction").text
    try:
        landed = asyncio.run(_land(here, format_, instruction))
    except ToolError as error:
        return fail(visible(error.message), hint=visible(error.hint), code=EditRefused.exit_code)
    for outcome in landed.files:
        print(visible(_told(outcome)))
    if not landed.files:
        print("nothing to change: the files say so already")
    return 0


def _told_by(file: Path | None) -> bytes:
    if file is None or str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}", hint="name a file that holds the edit") from None


async def _land(root: Path, format_: Format, instruction: str) -> Landed:
    workspace = Workspace((root,), home=settings_for(root).home)
    try:
        await workspace.recover()
        files = await changes(format_, instruction, workspace)
        change_set = ChangeSet(id=ChangeSetId(new_id("c")), title=f"attache edit apply --format {format_}", files=files)
        return await workspace.land(change_set)
    finally:
        workspace.close()


def _told(outcome: FileOutcome) -> str:
    """Return what became of a file, in a line."""
    before, after = split_lines(outcome.before or ""), split_lines(outcome.after or "")
    lines = changed(before, after)
    removed, added = sum(each.end - each.start for each in lines), sum(each.new_end - each.new_start for each in lines)
    what = "created" if outcome.before is None else "deleted" if outcome.after is None else "changed"
    if outcome.renamed_from:
        what = "moved here"
    return f"{what} {outcome.path} −{removed} +{added}"


# ---------------------------------------------------------------- many at once


class Asked(BaseModel):
    """A line of a batch."""

    id: Any = None
    format: Format
    files: dict[str, str]
    instruction: str


async def _answer_lines() -> None:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        if line.strip():
            print(json.dumps(await _answer(line)), flush=True)


async def _answer(line: bytes) -> dict[str, Any]:
    """Return the files as they are after the edit, or why it is refused."""
    try:
        asked = Asked.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        return {"id": _id(line), "refused": f"{where}: {first['msg']}"}
    files = InMemory(asked.files)
    try:
        return {"id": asked.id, "files": files.after(await changes(asked.format, asked.instruction, files))}
    except ToolError as error:
        return {"id": asked.id, "refused": "\n".join(filter(None, (error.message, error.hint)))}


def _id(line: bytes) -> Any:
    """Return the id of a line that is wrong otherwise, as far as it has one."""
    with suppress(ValueError, TypeError, KeyError):
        return json.loads(line)["id"]
    return None
