"""Run a workspace's tests with the runner it uses, and say which failed, where and why."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from attache.schema.errors import PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.commands.shell import ended, limited, passed_on, run
from attache.tools.testing.failures import Failure, by_pattern, counts, of_pytest
from attache.tools.tool import Context, tool
from attache.tools.wording import first_line, listed, middle_out
from attache.workspace.files import read_bytes
from attache.workspace.paths import Root
from attache.workspace.shell import Command, Completed

Name = Literal["auto", "pytest", "unittest", "npm", "go", "cargo"]
OUTPUT_CHARS = 8_000
FAILURES_SHOWN = 30
LOOKED_AT = 50
"""Test files that are read to see whose form of tests they hold."""
NO_TESTS_EXIT = 5
"""How pytest, and unittest from Python 3.12 on, say that they found no test."""


@dataclass(frozen=True, slots=True)
class Runner:
    """How one test runner is recognised, called and read."""

    name: str
    marks: tuple[tuple[str, str], ...]
    """(glob, regex): a file that matches and holds the like says that a folder uses it."""
    suffixes: tuple[str, ...]
    """Of the files it tests, to choose by a selection."""
    argv: Callable[[Path, Sequence[str]], list[str]]
    """From the folder and the selection to the command."""
    totals: re.Pattern[str]
    """Lines that carry the counts."""
    ran: re.Pattern[str]
    """Lines that say that tests ran where there are no counts."""
    failures: Callable[[str], tuple[Failure, ...]]


def _pytest(folder: Path, selection: Sequence[str]) -> list[str]:
    options = ("--verbosity=-1", "-rfE", "--tb=short", "--color=no")
    return [python(folder), "-m", "pytest", *options, *selection]


def _unittest(folder: Path, selection: Sequence[str]) -> list[str]:
    return [python(folder), "-m", "unittest", *(map(_dotted, selection) if selection else ["discover"])]


def _dotted(node: str) -> str:
    """Return `tests.test_a.Case.test_b` for `tests/test_a.py::Case::test_b`."""
    file, *inside = node.split("::")
    return ".".join((file.removesuffix(".py").replace("/", "."), *inside))


def _npm(folder: Path, selection: Sequence[str]) -> list[str]:
    try:
        said = (folder / "package.json").read_text("utf-8", "replace")
    except OSError:
        said = ""
    behind = next((name for name in ("vitest", "jest") if name in said), "node")
    chosen = selected(behind, selection)
    return [shutil.which("npm") or "npm", "test", "--silent", *(["--", *chosen] if chosen else [])]


def _go(_folder: Path, selection: Sequence[str]) -> list[str]:
    return ["go", "test", *(selected("go", selection) or ["./..."])]


_NAMED = {"vitest": "-t", "jest": "-t", "node": "--test-name-pattern"}
"""The option by which a runner is given the name of a test, as a regex; of several, any."""


def selected(runner: str, selection: Sequence[str]) -> list[str]:
    """Return a selection as the runner takes it: an id that `discover_tests` tells is a file or package and a name."""
    if runner == "go":
        split = [each.partition(" -run ") for each in selection]
        packages = list(dict.fromkeys(package for package, _, _ in split))
        names = [name.strip("^$") for _, _, name in split if name]
        return [*packages, *(["-run", f"^({'|'.join(names)})$"] if names else [])]
    inside = [each.split(" > ") for each in selection]
    files = list(dict.fromkeys(file for file, *_ in inside))
    names = [re.escape(named[-1] if runner == "node" else " ".join(named)) for _, *named in inside if named]
    option = [_NAMED[runner], "|".join(names)] if names and runner in _NAMED else []
    return [*option, *files]


def _cargo(_folder: Path, selection: Sequence[str]) -> list[str]:
    return ["cargo", "test", "--no-fail-fast", "--color=never", *selection]


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


NOWHERE = _lines(r"(?!)")
ANYWHERE = _lines("")
PYTEST_FORM = r"\bpytest\b|^(?:async )?def test|^class Test\w*(?:\(\))?:"
"""Functions and plain classes are tests to pytest alone."""
UNITTEST_FORM = r"\bunittest\b|\bTestCase\b|^def load_tests\b"


RUNNERS = (
    Runner(
        name="pytest",
        marks=(
            ("pytest.ini", ""),
            ("conftest.py", ""),
            ("tests/conftest.py", ""),
            ("pyproject.toml", r"^\[tool\.pytest"),
            ("setup.cfg", r"^\[tool:pytest\]"),
            ("tox.ini", r"^\[pytest\]"),
            ("test_*.py", PYTEST_FORM),
            ("*_test.py", PYTEST_FORM),
            ("tests/**/test_*.py", PYTEST_FORM),
            ("test/**/test_*.py", PYTEST_FORM),
        ),
        suffixes=(".py",),
        argv=_pytest,
        totals=_lines(r"^=*\s*(\d+ (?:passed|failed|skipped|x\w+|deselected|errors?|warnings?)\b.*) in [\d.]+s"),
        ran=NOWHERE,
        failures=of_pytest,
    ),
    Runner(
        name="unittest",
        marks=(
            ("test*.py", UNITTEST_FORM),
            ("tests/**/test*.py", UNITTEST_FORM),
            ("test/**/test*.py", UNITTEST_FORM),
        ),
        suffixes=(".py",),
        argv=_unittest,
        totals=_lines(r"^(?:Ran \d+|(?:FAILED|OK) \(.*\))"),
        ran=NOWHERE,
        failures=partial(
            by_pattern,
            failed=_lines(r"^(?:FAIL|ERROR): (?P<name>.+)$"),
            place=_lines(r'^  File "(?P<path>[^"]+)", line (?P<line>\d+).*\n(?:    .*\n|  \[.*\n)*(?P<message>\w.*)?'),
        ),
    ),
    Runner(
        name="npm",
        marks=(("package.json", '"test"'),),
        suffixes=(".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx"),
        argv=_npm,
        totals=_lines(r"^(?:# (?:pass|fail|skipped) \d+|\s*Tests:? .*|\s*\d+ (?:passing|failing|pending)\b.*)"),
        ran=ANYWHERE,  # behind `npm test` may be anything
        failures=partial(
            by_pattern,
            failed=_lines(r"^\s*(?:not ok \d+ - |● |FAIL  ?|✗ |× )(?P<name>.+)$"),
            place=_lines(r"(?:location: '|\(|❯ |at )(?P<path>[^\s()'][^()'\n]*?\.[cm]?[jt]sx?):(?P<line>\d+)"),
        ),
    ),
    Runner(
        name="go",
        marks=(("go.mod", ""),),
        suffixes=(".go",),
        argv=_go,
        totals=NOWHERE,
        ran=_lines(r"^ok\s(?!.*\[no tests to run\])"),
        failures=partial(
            by_pattern,
            failed=_lines(r"^\s*--- FAIL: (?P<name>\S+)"),
            place=_lines(r"^\s+(?P<path>\S+\.go):(?P<line>\d+): ?(?P<message>.*)$"),
        ),
    ),
    Runner(
        name="cargo",
        marks=(("Cargo.toml", ""),),
        suffixes=(".rs",),
        argv=_cargo,
        totals=_lines(r"^test result: .*"),
        ran=NOWHERE,
        failures=partial(
            by_pattern,
            failed=_lines(r"^---- (?P<name>.+) stdout ----$"),
            place=_lines(r"panicked at (?P<path>[^\n:]+):(?P<line>\d+):\d+:\n(?P<message>.*)"),
        ),
    ),
)  # fmt: skip


def python(folder: Path) -> str:
    """Return the interpreter of a folder: its own environment's, the active one's, the one on PATH, at last ours."""
    environments = [folder / ".venv", folder / "venv"]
    if active := os.environ.get("VIRTUAL_ENV"):
        environments.append(Path(active))
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    for environment in environments:
        if (environment / inside).is_file():
            return str(environment / inside)
    return shutil.which("python3") or shutil.which("python") or sys.executable


def project_folder(root: Root, folder: str) -> Path:
    """Return a folder of the root. Raises PathRefused where it lies outside, ToolError where there is none."""
    where = (root.path / folder).resolve()
    if not where.is_relative_to(root.path):
        raise PathRefused(f"{folder} lies outside the workspace", hint="name a folder inside it")
    if not where.is_dir():
        raise ToolError(f"{folder} is no folder", hint="name the folder of the project")
    return where


def runners(root: Root, folder: Path) -> tuple[Runner, ...]:
    """Return the runners that a folder in the root uses, the likeliest first."""
    return tuple(runner for runner in RUNNERS if any(_marked(root, folder, *mark) for mark in runner.marks))


def _marked(root: Root, folder: Path, glob: str, form: str) -> bool:
    found = islice(folder.glob(glob), LOOKED_AT)
    return any(not form or re.search(form, _text(root, path), re.MULTILINE) for path in found)


def _text(root: Root, path: Path) -> str:
    """Return what a file in the root says, nothing where it cannot be read or a link leads it outside."""
    try:
        return read_bytes(root, path.relative_to(root.path).as_posix()).decode("utf-8", "replace")
    except ToolError:
        return ""


def command_of(
    ctx: Context,
    selection: Sequence[str] = (),
    folder: str = "",
    runner: str = "auto",
    timeout_seconds: float | None = None,
) -> Command:
    """Return the command that a call of `test` runs, as the user is asked to allow it. Nothing is run to find out."""
    return _planned(ctx, selection, folder, runner, timeout_seconds)[1]


def _planned(
    ctx: Context, selection: Sequence[str], folder: str, runner: str, timeout_seconds: float | None
) -> tuple[Runner, Command]:
    root = ctx.workspace.roots[0]
    where = project_folder(root, folder)
    chosen = _chosen(root, where, selection, runner)
    argv = tuple(chosen.argv(where, selection))
    return chosen, Command(
        argv=argv,
        cwd=where.relative_to(root.path),
        env=passed_on(ctx),
        timeout_seconds=limited(ctx, timeout_seconds),
        view=ctx.settings.view,
        hosts=ctx.settings.network,
    )


def _chosen(root: Root, folder: Path, selection: Sequence[str], name: str) -> Runner:
    """Return the runner of this name; for `auto`, the likeliest one that fits what is selected."""
    if name != "auto":
        return next(runner for runner in RUNNERS if runner.name == name)
    found = runners(root, folder)
    if not found:
        known = ", ".join(runner.name for runner in RUNNERS)
        raise ToolError(f"no tests found here for {known}", hint="name the folder they are in, or run them by shell")
    files = tuple(each.partition("::")[0] for each in selection)
    return next((runner for runner in found if files and files[0].endswith(runner.suffixes)), found[0])


@tool(name="test", effect="outside", cost="LOW", aliases=("run_tests", "pytest"), command=command_of)
async def run_tests(
    ctx: Context,
    selection: Annotated[tuple[str, ...], Field(description="Files, node ids or names; all by default.")] = (),
    folder: Annotated[str, Field(description="Project folder.")] = "",
    runner: Annotated[Name, Field(description="Test runner.")] = "auto",
    timeout_seconds: Annotated[float | None, Field(gt=0, description="Time limit.")] = None,
) -> ToolOutput:
    """Run tests and get what failed, where and why; the user may have to allow it."""
    chosen, command = _planned(ctx, selection, folder, runner, timeout_seconds)
    ran = await run(ctx, command)
    done = ran.done
    root = ctx.workspace.roots[0].path
    failures = [_located(each, root / command.cwd, root) for each in chosen.failures(done.output)]
    totals = counts(done.output, chosen.totals)
    trouble = _trouble(chosen, command, done, ran=bool(failures) or any(totals.values()))
    outcome = trouble.partition(":")[0] or _outcome(done, totals, failures)
    passed = done.exit_code == 0 and not done.timed_out and not trouble
    lines = [_line(each) for each in failures]
    output = "" if passed else middle_out(done.output.strip(), OUTPUT_CHARS)
    parts = (
        f"{chosen.name}: {outcome} · {done.seconds:.1f} s",
        trouble,
        f"note: {ran.note}" if ran.note else "",
        listed(lines, FAILURES_SHOWN, "select some of them"),
        output,
    )
    return ToolOutput(
        text="\n".join(part for part in parts if part),
        title=f"`{first_line(' '.join(selection) or chosen.name)}` · {outcome}",
        places=tuple(each.place for each in failures if each.place),
        change_set=ran.change_set,
        data={
            "runner": chosen.name, "argv": command.argv, "exit_code": done.exit_code, "timed_out": done.timed_out,
            **totals, "note": ran.note, "files": ran.files,
            "failures": [
                {"name": each.name, "message": each.message, "place": each.place.model_dump() if each.place else None}
                for each in failures
            ],
        },
        is_error=not passed,
    )  # fmt: skip


def _trouble(runner: Runner, command: Command, done: Completed, *, ran: bool) -> str:
    """Return why no test was executed, and what to do; nothing where some were, or something else failed."""
    if "No module named pytest" in done.output and runner.name == "pytest" and not ran:
        return f"pytest is not installed: add it to the environment of {command.argv[0]}"
    if done.timed_out or ran or done.exit_code not in {0, NO_TESTS_EXIT} or runner.ran.search(done.output):
        return ""
    return f"no tests ran: {runner.name} found none; name the folder they are in, other tests, or another runner"


def _outcome(done: Completed, totals: Mapping[str, int], failures: Sequence[Failure]) -> str:
    """Return the counts, failures first; how it ended where the runner tells none."""
    told = {"failed": len(failures), **totals}
    counted_ = [f"{told[word]} {word}" for word in ("failed", "errors", "passed", "skipped") if told.get(word)]
    if done.timed_out or done.exit_code < 0 or not counted_:
        counted_.append("passed" if done.exit_code == 0 else ended(done))
    return ", ".join(counted_)


def _line(failure: Failure) -> str:
    where = f" at {failure.place}" if failure.place else ""
    return f"{failure.name}{where}: {failure.message}".rstrip(": ")


def _located(failure: Failure, folder: Path, root: Path) -> Failure:
    """Return a failure with its place as the workspace names it, without one where no such file is there."""
    if failure.place is None:
        return failure
    path = folder / failure.place.path
    if not path.is_file():  # Go names files from their package
        path = next(folder.glob(f"**/{Path(failure.place.path).name}"), path)
    if not path.is_file() or not path.resolve().is_relative_to(root):
        return replace(failure, place=None)
    shown = path.resolve().relative_to(root).as_posix()
    return replace(failure, place=failure.place.model_copy(update={"path": shown}))
