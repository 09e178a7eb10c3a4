"""Rename what a name means, wherever it is meant, and nothing that is only spelled like it."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.schema.errors import EditRefused, InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.refactor.programs import changes, check_parses, edited, landed, reading
from attache.tools.refactor.rename_others import rename_by_name
from attache.tools.refactor.rename_scripts import rename_script
from attache.tools.refactor.rename_servers import rename_by_server
from attache.tools.refactor.renaming import (
    SHOWN,
    Asked,
    Unsure,
    broken,
    decided,
    edits_of,
    listed_places,
    refuse_other_meaning,
    said_elsewhere,
    still_said,
)
from attache.tools.refactor.semantics.idioms import decorators
from attache.tools.refactor.semantics.python import names_of
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.refactor.semantics.source import Source
from attache.tools.refactor.semantics.targets import Member, Target, Variable, target_at
from attache.tools.refactor.semantics.types import Program
from attache.tools.refactor.semantics.uses import COMMON, Use, family_of, others_with, uses_of
from attache.tools.tool import Context, tool
from attache.tools.wording import counted

_HARMLESS = frozenset({
    "", "object", "Protocol", "typing.Protocol", "abc.ABC", "Generic", "typing.Generic", "enum.Enum", "enum.StrEnum",
    "enum.IntEnum", "enum.Flag", "typing.NamedTuple", "Exception", "ValueError", "RuntimeError",
})  # fmt: skip


class Found(NamedTuple):
    """What is to be renamed, and what a person should know of it."""

    uses: tuple[Use, ...]
    notes: tuple[str, ...]


@tool(category="refactor", effect="workspace", aliases=("rename_symbol",))
async def rename(
    ctx: Context,
    path: FilePath,
    line: Annotated[int, Field(ge=1, description="A line on which it is defined or used.")],
    new_name: Annotated[str, Field(min_length=1, description="Its new name.")],
    name: Annotated[str, Field(description="Which name of that line; `self.x` for an attribute.")] = "",
    unsure: Annotated[Unsure, Field(description="What to do where it cannot be told who is meant.")] = "refuse",
) -> ToolOutput:
    """Rename a variable, function, parameter, class, method or attribute everywhere it is meant, in one step.

    Strings, comments and other things of the same name stay. What would change a meaning is refused with its place.
    """
    snapshot = await ctx.workspace.read(path)
    asked = Asked(snapshot.path, line, new_name, name, unsure)
    language = languages().of(snapshot.path)
    if language is None:
        raise EditRefused(f"{snapshot.path}: no grammar here reads such files", hint="use grep, then edit")
    if language.name == "python":
        return await _rename_python(ctx, asked)
    if language.name in LANGUAGES:
        return await rename_script(ctx, asked)
    return await rename_by_name(ctx, asked)


async def _rename_python(ctx: Context, asked: Asked) -> ToolOutput:
    path, line, new_name, name, unsure = asked
    if not new_name.isidentifier() or keyword.iskeyword(new_name):
        raise InvalidArguments(f"rename.new_name: `{new_name}` is no name in Python", hint="letters, digits and _")
    read = await reading(ctx)
    await read.load([path])
    target = await read.ask(lambda program: target_at(program, path, line, name))
    _refuse_special(target, new_name)
    candidates = await read.saying((target.name, new_name))
    target = await read.ask(lambda program: target_at(program, path, line, name))
    found = await read.ask(lambda program: _found(program, target, candidates, new_name))
    names = read.program.names
    lost = unsure == "refuse" and any(not use.sure for use in found.uses)
    if lost and (done := await rename_by_server(ctx, asked, target.name)) is not None:
        return done
    uses, doubt = decided(names, found.uses, unsure, _called(target))
    edits = edits_of(names, uses, lambda _: new_name)
    for at, each in edits.items():
        before = names(at)
        if before is not None:
            text = edited(read, at, each)
            check_parses(at, read.texts[at], text)
            refuse_other_meaning(before, names_of(Source(at, text)))
    files = counted(len(edits), "file")
    head = f"renamed {_called(target)} to `{new_name}`: {counted(len(uses), 'place')} in {files}"
    elsewhere = "" if _is_local(target) else await said_elsewhere(ctx, target.name, (".py", ".pyi"))
    notes = (*found.notes, doubt, still_said(names, candidates, target.name), elsewhere, broken(names, candidates))
    return await landed(ctx, f"rename {target.name} to {new_name}", head, changes(read, edits), notes)


def _is_local(target: Target) -> bool:
    return isinstance(target, Variable) and not target.exported


def _called(target: Target) -> str:
    return f"`{target.owner.name}.{target.name}`" if isinstance(target, Member) else f"`{target.name}`"


def _refuse_special(target: Target, new_name: str) -> None:
    name = target.name
    if name == new_name:
        raise EditRefused(f"it is called `{name}` already", hint="give another name")
    if name.startswith("__") and name.endswith("__"):
        raise EditRefused(f"`{name}` is a name that Python itself goes by", hint="leave it as it is")
    if not isinstance(target, Variable):
        return
    for origin in target.binding.origins:
        marks = decorators(target.names, origin.node) if origin.kind == "function" else set[str]()
        if "fixture" in marks:
            where = target.names.source.where(origin.node.start_byte)
            raise EditRefused(
                f"{where}: `{name}` is a fixture: tests ask for it by the names of their parameters",
                hint="rename it with its uses by edit, then run the tests",
            )
    scope = target.binding.scope.node
    marks = decorators(target.names, scope)
    said = target.names.source.say(scope).lstrip().removeprefix("async ")
    if target.is_parameter and ("fixture" in marks or "parametrize" in marks or said.startswith("def test_")):
        raise EditRefused(
            f"`{name}` is given by a test's runner, by its name", hint="rename the fixture and its uses by edit"
        )


def _found(program: Program, target: Target, candidates: Sequence[str], new_name: str) -> Found:
    own = target.owner.path if isinstance(target, Member) else target.names.source.path
    paths = tuple(dict.fromkeys((own, *candidates)))
    uses = tuple(uses_of(program, target, paths))
    if not isinstance(target, Member):
        return Found(uses, ())
    files = [names for path in paths if (names := program.names(path)) is not None]
    family = family_of(program, target, files)
    for each in family:
        if taken := program.owners(each, new_name):
            raise EditRefused(
                f"{each.name} ({each.path}) has a `{new_name}` already, in {taken[0].name}", hint="choose another name"
            )
    notes: list[str] = []
    strange = sorted({base for each in family for base in program.strange_bases(each)} - _HARMLESS)
    if any(base.endswith("TypedDict") for base in strange):
        raise EditRefused(f"`{target.name}` is a key of a TypedDict: strings name it", hint="change it by edit")
    if strange:
        notes.append(f"note: {', '.join(strange)}, from outside, may go by the name `{target.name}`")
    doubtful = [use for use in uses if not use.sure]
    if doubtful and target.name not in COMMON and not others_with(program, target, family, files):
        notes.append(
            f"{counted(len(doubtful), 'place')} whose object cannot be told taken along, since nothing else here "
            f"defines `{target.name}`: {listed_places(program.names, doubtful)}"
        )
        uses = tuple(Use(use.path, use.start, use.end, True, use.name) for use in uses)
    if len(family) > 1:
        notes.append(f"shared by {', '.join(f'{each.name} ({each.path})' for each in family[:SHOWN])}")
    return Found(uses, tuple(notes))
