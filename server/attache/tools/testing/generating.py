"""Begin tests: a file that collects, imports what is tested, and fails where a person has to say what is expected."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from attache.schema.edits import CreateFile
from attache.schema.errors import EditRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.files.files import FilePath
from attache.tools.lines import Query, lines_matching
from attache.tools.testing.discovering import module_of
from attache.tools.tool import Context, tool
from attache.tools.wording import listed

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FIXTURE = re.compile(r"def (\w+)\(")


@tool(category="testing", effect="workspace", aliases=("write_tests",))
async def generate_tests(
    ctx: Context,
    path: FilePath,
    name: Annotated[str, Field(min_length=1, description="Function, class, or `Class.method`.")],
    to_path: Annotated[str, Field(description="Test file to make; by the project's habit.")] = "",
) -> ToolOutput:
    """Make a pytest file with a test for a Python function, or for each public method of a class.

    Each test collects and fails until what is expected is filled in; nothing is called before that.
    """
    from attache.providers.offline.skeleton import Subject, skeleton

    snapshot = await ctx.workspace.read(path)
    if not snapshot.path.endswith(".py"):
        raise EditRefused(f"{snapshot.path}: tests are begun for Python", hint="write them with write")
    try:
        tree = ast.parse(snapshot.text)
    except SyntaxError as error:
        raise EditRefused(f"{snapshot.path}:{error.lineno} does not parse", hint="mend it: see diagnostics") from None
    owner, _, bare = name.rpartition(".")
    node = _found(tree, owner, bare)
    if node is None:
        known = [each.name for each in tree.body if isinstance(each, _Function | ast.ClassDef)]
        raise ToolError(f"{snapshot.path} defines no `{name}` at its top", hint=f"it defines: {listed(known, 10, '')}")
    files = await ctx.workspace.files()
    module = module_of(files, snapshot.path)
    if not all(part.isidentifier() for part in module.split(".")):
        raise EditRefused(f"{snapshot.path} cannot be imported by a name", hint="write the tests with write")
    target = to_path or _target(files, snapshot.path, name)
    if target in files:
        raise EditRefused(f"{target} is there already", hint="give another to_path, or edit it")
    query = Query(r"@pytest\.fixture|@fixture", context=2, limit=200)
    fixtures = await lines_matching(ctx, query, "", "conftest.py")
    shown = {found for each in fixtures.files for _, line, _ in each.lines for found in _FIXTURE.findall(line)}
    text = skeleton(Subject(module, bare, node, owner), shown)
    ast.parse(text)
    tests = text.count("\ndef test_")
    change = CreateFile(uri=ctx.workspace.uri(target), text=text)
    output = await told(ctx, await ctx.land(f"begin tests of {name}", (change,)))
    head = f"{target}: {tests} to fill in, for `{name}` ({snapshot.path}); run them: test {target}"
    return output.model_copy(
        update={"text": f"{head}\n\n{output.text}", "data": {**output.data, "path": target, "tests": tests}}
    )


def _found(tree: ast.Module, owner: str, bare: str) -> _Function | ast.ClassDef | None:
    body = tree.body
    if owner:
        holder = next((each for each in body if isinstance(each, ast.ClassDef) and each.name == owner), None)
        body = holder.body if holder else []
    for each in body:
        if isinstance(each, _Function | ast.ClassDef) and each.name == bare:
            return each
    return None


def _target(files: tuple[str, ...], path: str, name: str) -> str:
    """Return where the project keeps such tests."""
    tests = [each for each in files if PurePosixPath(each).name.startswith("test_") and each.endswith(".py")]
    folder = next(
        (part for test in tests for part in PurePosixPath(test).parts[:1] if part in {"tests", "test"}), "tests"
    )
    parts = (PurePosixPath(path).stem, *name.split("."))
    return f"{folder}/test_{'_'.join(part.strip('_').lower() for part in parts if part.strip('_'))}.py"
