"""Run tests and tell which lines of a file they never reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from attache.index.languages import languages
from attache.schema.errors import PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.commands.shell import limited, passed_on, run
from attache.tools.files.files import FilePath
from attache.tools.paging import Offset, paged
from attache.tools.testing.measuring import Meter, Project, Reached, Report, meter_of
from attache.tools.testing.testing import project_folder
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, cut, lines_of, middle_out
from attache.workspace.shell import Command, Completed

PLACES_CITED = 40
TAIL_CHARS = 3_000

Selection = Annotated[tuple[str, ...], Field(description="Tests to run; all by default.")]


def command_of(
    ctx: Context,
    path: str,
    selection: Sequence[str] = (),
    folder: str = "",
    timeout_seconds: float | None = None,
    offset: int = 0,
) -> Command:
    """Return the command that a call of `coverage` runs, as the user is asked to allow it."""
    del offset
    return _planned(ctx, path, selection, folder, timeout_seconds)[2]


def _planned(
    ctx: Context, path: str, selection: Sequence[str], folder: str, timeout_seconds: float | None
) -> tuple[Meter, Project, Command]:
    place = ctx.workspace.place(ctx.workspace.uri(path))
    root = place.root
    project_folder(root, folder)
    language = languages().of(path)
    meter, where = meter_of(root, place.path, language.name if language else "", folder)
    full = root.path / place.path
    if not full.is_relative_to(where):
        raise PathRefused(f"{path} does not lie in {where.name}", hint="name the folder of its project")
    project = Project(root, where, full.relative_to(where).as_posix())
    chosen = [_from(project, each) for each in selection]
    command = Command(
        argv=meter.argv(project, chosen), cwd=_cwd(ctx, where), env=passed_on(ctx),
        timeout_seconds=limited(ctx, timeout_seconds), view=ctx.settings.view,
    )  # fmt: skip
    return meter, project, command


def _from(project: Project, test: str) -> str:
    """Return a test as it is named from the project's folder, where it was named from the top."""
    above = project.folder.relative_to(project.root.path).as_posix()
    start = "./" if test.startswith("./") else ""
    bare = test.removeprefix("./")
    if above == "." or not bare.startswith((f"{above}/", f"{above} ")) or (project.folder / above).exists():
        return test
    return start + bare.removeprefix(above).lstrip("/")


def _cwd(ctx: Context, folder: Path) -> Path:
    first = ctx.workspace.roots[0].path
    return folder.relative_to(first) if folder.is_relative_to(first) else folder


@tool(category="testing", effect="outside", cost="MEDIUM", aliases=("test_coverage",), command=command_of)
async def coverage(
    ctx: Context,
    path: FilePath,
    selection: Selection = (),
    folder: Annotated[str, Field(description="Project folder to run in; the file's own.")] = "",
    timeout_seconds: Annotated[float | None, Field(gt=0, description="Time limit.")] = None,
    offset: Offset = 0,
) -> ToolOutput:
    """Run tests and get the lines of one file that they never reach, and the share of the others; nothing is written.

    By coverage.py, vitest, jest, node --test, go test, cargo llvm-cov or cargo tarpaulin.
    """
    snapshot = await ctx.workspace.read(path)
    meter, project, command = _planned(ctx, snapshot.path, selection, folder, timeout_seconds)
    ran = await run(ctx, command)
    report = meter.read(ran.done.output, project)
    found = report.get(project.file, Reached(0, 0))
    if not report or found.trouble or (ran.done.truncated and project.file not in report):
        _explain(meter, command, ran.done, found.trouble)
    rows = lines_of(snapshot.text)
    runs = [(first, min(last, len(rows))) for first, last in _runs(found.missing) if first <= len(rows)]
    lines = [_row(rows, first, last) for first, last in runs]
    others = _others(report, project.file)
    body = paged(lines + (["other files:", *others] if others else []), offset)
    notes = _notes(meter, ran.done)
    return ToolOutput(
        text="\n".join(part for part in (_head(snapshot.path, report, project), *notes, body, ran.note) if part),
        title=f"{snapshot.path} · {_percent(found):.0f} % reached",
        places=tuple(cited(snapshot.path, first, last) for first, last in runs[:PLACES_CITED]),
        change_set=ran.change_set,
        data={
            "path": snapshot.path, "meter": meter.name, "percent": round(_percent(found), 1), "unit": found.unit,
            "total": found.total, "missing": list(found.missing), "exit_code": ran.done.exit_code,
            "files": {
                name: {"percent": round(_percent(each), 1), "total": each.total} for name, each in report.items()
            },
        },
    )  # fmt: skip


def _percent(reached: Reached) -> float:
    if not reached.total:
        return 0.0
    return 100 * (reached.total - reached.missed) / reached.total


def _head(path: str, report: Report, project: Project) -> str:
    found = report.get(project.file)
    if found is None:
        return f"{path}: no test loads it"
    if not found.total:
        return f"{path}: there is no {found.unit} in it to be reached"
    what = counted(found.total, found.unit)
    return f"{path}: {_percent(found):.0f} % of {what} reached, {found.missed} not"


def _notes(meter: Meter, done: Completed) -> list[str]:
    notes = [f"tests failed (exit {done.exit_code}): see test"] if done.exit_code else []
    if done.truncated:
        notes.append(f"{meter.name} said more than is kept: the share of some files is not told")
    return notes


def _row(rows: Sequence[str], first: int, last: int) -> str:
    return f"{first if first == last else f'{first}-{last}'}\t{cut(rows[first - 1].strip(), 100)}"


def _explain(meter: Meter, command: Command, done: Completed, trouble: str) -> None:
    """Raise ToolError that says why nothing was measured."""
    for pattern, what, how in meter.missing:
        if re.search(pattern, done.output):
            raise ToolError(what.format(command.argv[0]), hint=how.format(command.argv[0]))
    if done.timed_out:
        raise ToolError("the tests did not end in time", hint="select fewer, or give more timeout_seconds")
    if done.truncated:
        raise ToolError(f"{meter.name} said more than is kept, and not of this file", hint="select its tests alone")
    why = trouble or middle_out(done.output.strip(), TAIL_CHARS) or "the tests printed nothing"
    raise ToolError(f"nothing was measured: {why}", hint="run test first, and see that it passes")


def _runs(lines: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], line
        else:
            runs.append((line, line))
    return runs


def _others(report: Report, path: str) -> list[str]:
    """Return the other files, those of which most is missed first."""
    others = sorted(((name, each) for name, each in report.items() if name != path), key=lambda each: -each[1].missed)
    return [f"{name} {_percent(each):.0f} % of {counted(each.total, each.unit)}" for name, each in others if each.total]
