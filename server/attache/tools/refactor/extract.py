"""Take lines out into a function of their own, or an expression into a variable."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from attache.index.languages import languages
from attache.schema.errors import EditRefused, InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.files.files import FilePath
from attache.tools.refactor.extract_python import python_function
from attache.tools.refactor.extract_scripts import script_function
from attache.tools.refactor.extract_variable import variable
from attache.tools.refactor.programs import changes, check_parses, edited, landed, reading
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.tool import Context, tool


@tool(category="refactor", effect="workspace", aliases=("extract_function", "extract_variable", "extract_method"))
async def extract(
    ctx: Context,
    path: FilePath,
    start_line: Annotated[int, Field(ge=1, description="First line.")],
    end_line: Annotated[int, Field(ge=1, description="Last line, included.")],
    name: Annotated[str, Field(min_length=1, description="Name of what is new.")],
    kind: Annotated[Literal["function", "variable"], Field(description="What to make.")] = "function",
    expression: Annotated[str, Field(description="For a variable: the expression as it stands.")] = "",
) -> ToolOutput:
    """Make a function of whole statements, or a variable of an expression (Python, JavaScript, TypeScript).

    Parameters and returned values come from what the lines read and what is needed after them.
    """
    read = await reading(ctx)
    snapshot = await ctx.workspace.read(path)
    path = snapshot.path
    await read.load([path])
    language = languages().of(path)
    if language is None or language.name not in {"python", *LANGUAGES}:
        raise EditRefused(f"{path}: only Python, JavaScript and TypeScript can be taken apart", hint="use edit")
    if end_line < start_line:
        raise InvalidArguments(f"extract.end_line: {end_line} comes before start_line {start_line}")
    names = read.program.names(path) if language.name == "python" else read.scripts.names(path)
    if names is None or names.source.faults:
        raise EditRefused(f"{path} does not parse as it stands", hint="mend it first: see diagnostics")
    if kind == "variable":
        made = variable(names, start_line, end_line, name, expression)
    elif language.name == "python":
        made = python_function(names, start_line, end_line, name)
    else:
        made = script_function(names, start_line, end_line, name)
    edits = {path: made.edits}
    after = edited(read, path, made.edits)
    check_parses(path, snapshot.text, after)
    made.check(after)
    return await landed(ctx, f"extract {name}", made.head, changes(read, edits), made.notes)
