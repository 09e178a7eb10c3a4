"""Run tests and tell which lines of a file they never reach."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from attache.index.languages import languages
from attache.schema.errors import PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.commands.shell import limited, passed_on, run
from attache.tools.files.files import FilePath
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.testing.testing import python, runners
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, cut, lines_of, middle_out
from attache.workspace.shell import Command

MARK = "attache-coverage:"
RUNS_SHOWN = 40
FILES_SHOWN = 30
TAIL_CHARS = 3_000
_SCRIPT = r"""
import json, os, runpy, sys
wanted, module, *rest = sys.argv[1:]
sys.path.insert(0, os.getcwd())
try:
    import coverage
except ImportError:
    sys.exit("attache: coverage is not installed for " + sys.executable)
cov = coverage.Coverage(data_file=None, source=[os.getcwd()], omit=["*/.venv/*", "*/venv/*", "*/site-packages/*"])
sys.argv = [module, *rest]
code = 0
cov.start()
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except SystemExit as stop:
    code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
finally:
    cov.stop()
found = {}
detail = None
for path in cov.get_data().measured_files():
    shown = os.path.relpath(path, os.getcwd()).replace(os.sep, "/")
    try:
        _, lines, _, missing, _ = cov.analysis2(path)
    except coverage.CoverageException:
        continue
    found[shown] = [len(lines), len(missing)]
    if shown == wanted:
        detail = {"lines": len(lines), "missing": missing}
if detail is None and os.path.exists(wanted):
    try:
        _, lines, _, missing, _ = cov.analysis2(os.path.abspath(wanted))
        detail = {"lines": len(lines), "missing": missing}
    except coverage.CoverageException as error:
        detail = {"trouble": str(error)}
print("\n" + "attache-coverage:" + json.dumps({"detail": detail, "files": found, "code": code}))
sys.exit(code)
"""

Selection = Annotated[tuple[str, ...], Field(description="Tests to run; all by default.")]


def command_of(
    ctx: Context, path: str, selection: Sequence[str] = (), folder: str = "", timeout_seconds: float | None = None
) -> Command:
    """Return the command that a call of `coverage` runs, as the user is asked to allow it."""
    root = ctx.workspace.roots[0]
    where = (root.path / folder).resolve()
    if not where.is_relative_to(root.path):
        raise PathRefused(f"{folder} lies outside the workspace", hint="name a folder inside it")
    language = languages().of(path)
    name = language.name if language else ""
    if name == "python":
        inside = _inside(ctx, path, where)
        used = [each.name for each in runners(root, where)]
        module = "unittest" if used and used[0] == "unittest" else "pytest"
        options = ["discover"] if module == "unittest" and not selection else []
        quiet = ["-q", "--no-header", "-p", "no:cacheprovider"] if module == "pytest" else options
        argv = (python(where), "-c", _SCRIPT, inside, module, *quiet, *selection)
    elif name in LANGUAGES:
        node = shutil.which("node") or "node"
        argv = (node, "--test", "--experimental-test-coverage", "--test-reporter=lcov", *selection)
    else:
        raise ToolError(
            f"{path}: coverage is run for Python (pytest, unittest) and Node (node --test)",
            hint="for Go: go test -cover ./... by shell; for Rust: cargo llvm-cov",
        )
    return Command(
        argv=argv, cwd=where.relative_to(root.path), env=passed_on(ctx),
        timeout_seconds=limited(ctx, timeout_seconds), view=ctx.settings.view,
    )  # fmt: skip


def _inside(ctx: Context, path: str, folder: Path) -> str:
    """Return a file's path from the folder that the tests are run in."""
    place = ctx.workspace.place(ctx.workspace.uri(path))
    full = place.root.path / place.path
    if not full.is_relative_to(folder):
        raise PathRefused(f"{path} does not lie in {folder.name}", hint="name the folder of its project")
    return full.relative_to(folder).as_posix()


@tool(category="testing", effect="outside", cost="MEDIUM", aliases=("test_coverage",), command=command_of)
async def coverage(
    ctx: Context,
    path: FilePath,
    selection: Selection = (),
    folder: Annotated[str, Field(description="Project folder to run in.")] = "",
    timeout_seconds: Annotated[float | None, Field(gt=0, description="Time limit.")] = None,
) -> ToolOutput:
    """Run tests and get the lines of one file that they never reach, with those lines; nothing is written."""
    snapshot = await ctx.workspace.read(path)
    command = command_of(ctx, snapshot.path, selection, folder, timeout_seconds)
    ran = await run(ctx, command)
    root = ctx.workspace.roots[0].path
    inside = _inside(ctx, snapshot.path, (root / command.cwd).resolve())
    found = _python(ran.done.output) if command.argv[1] == "-c" else _lcov(ran.done.output, inside)
    if found is None or found.get("detail") is None or "trouble" in found["detail"]:
        _explain(ran.done.output, command, ran.done.timed_out, found)
    detail: dict[str, Any] = found["detail"] if found else {}
    missing: list[int] = sorted(detail["missing"])
    total: int = detail["lines"]
    rows = lines_of(snapshot.text)
    runs = _runs(missing)
    reached = 100 * (total - len(missing)) / total if total else 100.0
    head = f"{snapshot.path}: {reached:.0f} % of {counted(total, 'line')} reached, {len(missing)} not"
    if ran.done.exit_code:
        head += f"; tests failed (exit {ran.done.exit_code}): see test"
    shown = [
        f"{first if first == last else f'{first}-{last}'}\t{cut(rows[first - 1].strip(), 100)}"
        for first, last in runs
        if first <= len(rows)
    ]
    more = f"\n[… {counted(len(runs) - RUNS_SHOWN, 'run')} more]" if len(runs) > RUNS_SHOWN else ""
    others = _others(found or {}, inside)
    return ToolOutput(
        text="\n".join(part for part in (head, "\n".join(shown[:RUNS_SHOWN]) + more, others, ran.note) if part),
        title=f"{snapshot.path} · {reached:.0f} % reached",
        places=tuple(cited(snapshot.path, first, last) for first, last in runs[:RUNS_SHOWN]),
        change_set=ran.change_set,
        data={
            "path": snapshot.path, "percent": round(reached, 1), "lines": total, "missing": missing,
            "exit_code": ran.done.exit_code, "files": (found or {}).get("files", {}),
        },
    )  # fmt: skip


def _explain(output: str, command: Command, timed_out: bool, found: dict[str, Any] | None) -> None:
    """Raise ToolError that says why nothing was measured."""
    if "coverage is not installed" in output:
        raise ToolError(
            f"coverage is not installed for {command.argv[0]}", hint=f"{command.argv[0]} -m pip install coverage"
        )
    if timed_out:
        raise ToolError("the tests did not end in time", hint="select fewer, or give more timeout_seconds")
    detail: dict[str, Any] = (found or {}).get("detail") or {}
    trouble: str = detail.get("trouble", "")
    why = trouble or middle_out(output.strip(), TAIL_CHARS) or "the tests printed nothing"
    raise ToolError(f"nothing was measured: {why}", hint="run test first, and see that it passes")


def _python(output: str) -> dict[str, Any] | None:
    _, mark, said = output.rpartition(MARK)
    if not mark:
        return None
    try:
        return json.loads(said.splitlines()[0])
    except ValueError:
        return None


def _lcov(output: str, wanted: str) -> dict[str, Any] | None:
    """Read the lcov that node prints."""
    files: dict[str, list[int]] = {}
    detail: dict[str, Any] | None = None
    for block in output.split("end_of_record"):
        named = re.search(r"^SF:(.+)$", block, re.MULTILINE)
        if named is None:
            continue
        name = named[1].replace("\\", "/").removeprefix("./")
        hits = [(int(line), int(count)) for line, count in re.findall(r"^DA:(\d+),(\d+)", block, re.MULTILINE)]
        missing = [line for line, count in hits if not count]
        files[name] = [len(hits), len(missing)]
        if name == wanted or name.endswith(f"/{wanted}"):
            detail = {"lines": len(hits), "missing": missing}
    return {"detail": detail, "files": files} if files else None


def _runs(lines: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], line
        else:
            runs.append((line, line))
    return runs


def _others(found: dict[str, Any], path: str) -> str:
    files: dict[str, list[int]] = found.get("files", {})
    least = sorted(
        (each for each in files.items() if each[0] != path and each[1][0] and each[1][1]),
        key=lambda each: -each[1][1],
    )
    rows = [f"{name} {100 * (total - missing) / total:.0f} %" for name, (total, missing) in least[:FILES_SHOWN]]
    return f"other files: {', '.join(rows)}" if rows else ""
