"""Rename in JavaScript and TypeScript: by scopes, imports and exports; members only where the name alone tells."""

from __future__ import annotations

import re

from attache.schema.errors import EditRefused, InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.refactor.programs import SCRIPTS, changes, edited, landed, reading
from attache.tools.refactor.rename_servers import rename_by_server
from attache.tools.refactor.renaming import Asked, broken, decided, edits_of, refuse_other_meaning, still_said
from attache.tools.refactor.semantics.script import SHORTHANDS, names_of
from attache.tools.refactor.semantics.script_uses import ScriptMember, refuse_shared, target_at, uses_of
from attache.tools.refactor.semantics.source import Source
from attache.tools.refactor.semantics.uses import Use
from attache.tools.tool import Context
from attache.tools.wording import counted

_NAME = re.compile(r"#?[^\W\d][\w$]*|#?\$[\w$]*")
_RESERVED = frozenset(
    {
        "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else",
        "enum", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import", "in",
        "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return",
        "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
    }
)  # fmt: skip


async def rename_script(ctx: Context, asked: Asked) -> ToolOutput:
    """Rename what a name means in a JavaScript or TypeScript program."""
    path, line, new, name, unsure = asked
    if not _NAME.fullmatch(new) or new in _RESERVED:
        raise InvalidArguments(f"rename.new_name: `{new}` is no name there", hint="letters, digits, _ and $")
    read = await reading(ctx)
    await read.load([path])
    target = await read.ask_scripts(lambda program: target_at(program, path, line, name))
    if target.name == new:
        raise EditRefused(f"it is called `{name}` already", hint="give another name")
    candidates = await read.saying((target.name, new), SCRIPTS)
    target = await read.ask_scripts(lambda program: target_at(program, path, line, name))
    paths = tuple(dict.fromkeys((path, *candidates)))
    if isinstance(target, ScriptMember):
        member = target
        if not member.name.startswith("#") and (done := await rename_by_server(ctx, asked, member.name)) is not None:
            return done
        await read.ask_scripts(lambda program: refuse_shared(program, member, paths))
    uses = await read.ask_scripts(lambda program: uses_of(program, target, paths))
    names = read.scripts.names
    notes: list[str] = []
    if isinstance(target, ScriptMember):
        for each in (place for at in paths if (file := names(at)) for place in file.of(new)):
            if each.role == "attribute":
                raise EditRefused(f"something has a member `{new}` already", hint="choose another name")
        doubtful = [use for use in uses if not use.sure]
        if doubtful:
            notes.append(f"{counted(len(doubtful), 'place')} by the name alone: nothing else here defines it")
        uses = [Use(use.path, use.start, use.end, True, use.name) for use in uses]
    uses, doubt = decided(names, uses, unsure, f"`{target.name}`")

    def put(use: Use) -> str:
        shorthand = use.name is not None and use.name.node.type in SHORTHANDS
        return f"{target.name}: {new}" if shorthand else new

    edits = edits_of(names, uses, put)
    for at, each in edits.items():
        before = names(at)
        if before is not None:
            refuse_other_meaning(before, names_of(Source(at, edited(read, at, each))))
    head = f"renamed `{target.name}` to `{new}`: {counted(len(uses), 'place')} in {counted(len(edits), 'file')}"
    notes += [doubt, still_said(names, paths, target.name), broken(names, paths)]
    return await landed(ctx, f"rename {target.name} to {new}", head, changes(read, edits), notes)
