"""How each test runner is asked which lines the tests reach, and how its answer is read.

All of them answer on their output, so that nothing is written into the workspace.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from attache.schema.errors import ToolError
from attache.tools.refactor.semantics.script import LANGUAGES
from attache.tools.testing.testing import python, runners, selected
from attache.tools.wording import lines_of
from attache.workspace.files import read_bytes
from attache.workspace.paths import Root

MARK = "attache-coverage:"


class Reached(NamedTuple):
    """How much of a file the tests reach."""

    total: int
    missed: int
    missing: tuple[int, ...] = ()
    """The lines they do not reach, where they are told."""
    unit: str = "line"
    trouble: str = ""


class Project(NamedTuple):
    """Where tests are run, and the file that is asked about, from there."""

    root: Root
    folder: Path
    file: str

    def text(self, name: str) -> str:
        """Return what a file in the folder says; nothing where it cannot be read."""
        try:
            inside = (self.folder / name).relative_to(self.root.path).as_posix()
            return read_bytes(self.root, inside).decode("utf-8", "replace")
        except (ToolError, ValueError):
            return ""


Report = Mapping[str, Reached]
"""By paths from the project's folder."""


@dataclass(frozen=True, slots=True)
class Meter:
    """How one runner is recognised, called and read."""

    name: str
    languages: tuple[str, ...]
    manifest: str
    """The file that a project's folder has; empty where tests run from the top."""
    fits: Callable[[Project], bool]
    argv: Callable[[Project, Sequence[str]], tuple[str, ...]]
    read: Callable[[str, Project], Report]
    missing: tuple[tuple[str, str, str], ...] = ()
    """(regex of its output, what is missing, how to get it)."""


# ---------------------------------------------------------------- Python

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


def _coverage_py(project: Project, selection: Sequence[str]) -> tuple[str, ...]:
    used = [each.name for each in runners(project.root, project.folder)]
    module = "unittest" if used and used[0] == "unittest" else "pytest"
    options = ["discover"] if module == "unittest" and not selection else []
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider"] if module == "pytest" else options
    return (python(project.folder), "-c", _SCRIPT, project.file, module, *quiet, *selection)


def _from_script(output: str, project: Project) -> Report:
    _, mark, said = output.rpartition(MARK)
    try:
        found: dict[str, Any] = json.loads(said.splitlines()[0]) if mark else {}
    except ValueError:
        found = {}
    report = {name: Reached(total, missed) for name, (total, missed) in found.get("files", {}).items()}
    if detail := found.get("detail"):
        lines = tuple(sorted(detail.get("missing", ())))
        report[project.file] = Reached(detail.get("lines", 0), len(lines), lines, trouble=detail.get("trouble", ""))
    return report


# ---------------------------------------------------------------- JavaScript, TypeScript


def _program(project: Project, script: str) -> Path | None:
    """Return a program of the project's packages, which may stand further up."""
    places = (folder / "node_modules" / script for folder in (project.folder, *project.folder.parents))
    return next((place for place in places if place.is_file()), None)


def _uses(name: str) -> Callable[[Project], bool]:
    """Return whether a project's package.json or a file of settings names a runner."""

    def fits(project: Project) -> bool:
        named = re.search(rf'"{name}"\s*:|"test[\w:-]*"\s*:\s*"[^"]*\b{name}\b', project.text("package.json"))
        return bool(named) or any(project.folder.glob(f"{name}.config.*"))

    return fits


def _with_node(name: str, script: str, *options: str) -> Callable[[Project, Sequence[str]], tuple[str, ...]]:
    def argv(project: Project, selection: Sequence[str]) -> tuple[str, ...]:
        program = _program(project, script)
        if program is None:
            raise ToolError(f"{name} is not installed in {project.folder.name}", hint="npm install, by shell")
        node = shutil.which("node") or "node"
        return (node, str(program), *options, *selected(name, selection))

    return argv


_NOWHERE = f"{tempfile.gettempdir()}/attache-coverage"
"""Where vitest may keep what it gathers; it is empty again, and gone, when the report is printed."""


def _node_test(_project: Project, selection: Sequence[str]) -> tuple[str, ...]:
    options = ("--test", "--experimental-test-coverage", "--test-reporter=lcov")
    return (shutil.which("node") or "node", *options, *selected("node", selection))


def _lcov(output: str, project: Project) -> Report:
    """Read records of `SF:file`, `DA:line,hits` and `end_of_record`; what tests print between them is passed over."""
    hits: dict[str, dict[int, int]] = {}
    for block in output.split("end_of_record"):
        *_, (_, name) = re.findall(r"^(SF):(.+)$", block, re.MULTILINE) or [("", "")]
        if not name:
            continue
        lines = hits.setdefault(_inside(name.strip(), project), {})
        for line, count in re.findall(r"^DA:(\d+),(\d+)", block[block.rindex(name) :], re.MULTILINE):
            lines[int(line)] = max(lines.get(int(line), 0), int(count))
    return {name: _of_lines(lines) for name, lines in hits.items()}


def _of_lines(hits: Mapping[int, int]) -> Reached:
    missing = tuple(sorted(line for line, count in hits.items() if not count))
    return Reached(len(hits), len(missing), missing)


def _inside(name: str, project: Project) -> str:
    """Return a path of a report as one from the project's folder."""
    path = Path(name.replace("\\", "/").removeprefix("file://"))
    if not path.is_absolute():
        return path.as_posix()
    for folder in (project.folder, project.folder.resolve()):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()


# ---------------------------------------------------------------- Go

_BLOCK = re.compile(r"^(?P<file>\S.*\.go):(\d+)\.(\d+),(\d+)\.(\d+) (\d+) (\d+)$", re.MULTILINE)
_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)


def _go(_project: Project, selection: Sequence[str]) -> tuple[str, ...]:
    return ("go", "test", "-coverprofile=/dev/stdout", *(selected("go", selection) or ["./..."]))


def _coverprofile(output: str, project: Project) -> Report:
    """Read blocks of statements, `import/path/file.go:line.column,line.column statements count`, as go test tells them.

    A file's share is that of its statements, as `go tool cover` counts; a line is missed where no block reaches it.
    """
    module = _MODULE.search(project.text("go.mod"))
    blocks: dict[str, dict[tuple[int, int, int, int, int], int]] = {}
    for match in _BLOCK.finditer(output):
        file = match["file"].removeprefix(f"{module[1]}/" if module else "")
        *place, count = (int(number) for number in match.groups()[1:])
        known = blocks.setdefault(_inside(file, project), {})
        where = (place[0], place[1], place[2], place[3], place[4])
        known[where] = max(known.get(where, 0), count)
    return {file: _of_blocks(known, lines_of(project.text(file))) for file, known in blocks.items()}


def _of_blocks(blocks: Mapping[tuple[int, int, int, int, int], int], text: Sequence[str]) -> Reached:
    reached: set[int] = set()
    missed: set[int] = set()
    for (line, column, end_line, end_column, _), count in blocks.items():
        (reached if count else missed).update(_said(text, (line, column), (end_line, end_column)))
    total = sum(statements for *_, statements in blocks)
    not_run = sum(statements for (*_, statements), count in blocks.items() if not count)
    return Reached(total, not_run, tuple(sorted(missed - reached)), unit="statement")


def _said(text: Sequence[str], begin: tuple[int, int], end: tuple[int, int]) -> list[int]:
    """Return the lines of a block that say something in it, which a brace alone or a comment does not."""
    found: list[int] = []
    for number in range(begin[0], end[0] + 1):
        if number > len(text):  # the file cannot be read: nothing speaks against the line
            found.append(number)
            continue
        inside = text[number - 1].encode()[
            begin[1] - 1 if number == begin[0] else 0 : end[1] - 1 if number == end[0] else None
        ]
        said = inside.decode("utf-8", "replace").strip(" \t\r{}();")
        if said and not said.startswith("//"):
            found.append(number)
    return found


# ---------------------------------------------------------------- Rust

_SHARE = re.compile(r"^\|\| (?P<file>\S.*?): (\d+)/(\d+)\b", re.MULTILINE)
_UNCOVERED = re.compile(r"^\|\| (?P<file>\S.*?): (\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*)\s*$", re.MULTILINE)


def _llvm_cov(_project: Project, selection: Sequence[str]) -> tuple[str, ...]:
    return ("cargo", "llvm-cov", "--lcov", "--no-fail-fast", *(["--", *selection] if selection else []))


def _tarpaulin(_project: Project, selection: Sequence[str]) -> tuple[str, ...]:
    return ("cargo", "tarpaulin", "--no-fail-fast", *(["--", *selection] if selection else []))


def _tarpaulin_table(output: str, _project: Project) -> Report:
    """Read what tarpaulin prints: `|| Uncovered Lines:` with ranges by file, `|| Tested/Total Lines:` with shares."""
    head, _, shares = output.rpartition("|| Tested/Total Lines:")
    told = {match["file"]: match[2] for match in _UNCOVERED.finditer(head.rpartition("|| Uncovered Lines:")[2])}
    report: dict[str, Reached] = {}
    for match in _SHARE.finditer(shares):
        total = int(match[3])
        report[match["file"]] = Reached(total, total - int(match[2]), _ranges(told.get(match["file"], "")))
    return report


def _ranges(told: str) -> tuple[int, ...]:
    """Return the lines of `3, 7-9`."""
    pairs = [each.partition("-") for each in told.split(", ") if each]
    return tuple(line for first, _, last in pairs for line in range(int(first), int(last or first) + 1))


# ---------------------------------------------------------------- the table


def _always(_project: Project) -> bool:
    return True


def _installed(program: str) -> Callable[[Project], bool]:
    return lambda _project: shutil.which(program) is not None


_SCRIPTS = tuple(LANGUAGES)
METERS = (
    Meter(
        "coverage.py", ("python",), "", _always, _coverage_py, _from_script,
        ((r"attache: coverage is not installed", "coverage is not installed for {0}", "{0} -m pip install coverage"),),
    ),
    Meter(
        "vitest", _SCRIPTS, "package.json", _uses("vitest"),
        _with_node(
            "vitest", "vitest/vitest.mjs", "run", "--coverage.enabled", "--coverage.reportOnFailure",
            "--coverage.reporter=text-lcov", f"--coverage.reportsDirectory={_NOWHERE}",
        ),
        _lcov,
        (
            (
                r"MISSING DEPENDENCY .*coverage-|[Cc]annot find (?:dependency|package) '@vitest/coverage-",
                "vitest's measure of coverage is not installed", "npm install -D @vitest/coverage-v8",
            ),
        ),
    ),
    Meter(
        "jest", _SCRIPTS, "package.json", _uses("jest"),
        _with_node("jest", "jest/bin/jest.js", "--coverage", "--coverageReporters=text-lcov"), _lcov,
    ),
    Meter("node --test", _SCRIPTS, "package.json", _always, _node_test, _lcov),
    Meter(
        "go test", ("go",), "go.mod", _always, _go, _coverprofile,
        ((r"go: command not found|No such file or directory: 'go'", "go is not installed", "see go.dev/doc/install"),),
    ),
    Meter("cargo llvm-cov", ("rust",), "Cargo.toml", _installed("cargo-llvm-cov"), _llvm_cov, _lcov),
    Meter("cargo tarpaulin", ("rust",), "Cargo.toml", _installed("cargo-tarpaulin"), _tarpaulin, _tarpaulin_table),
)  # fmt: skip
"""The first of a file's language that fits its project is taken."""


def meter_of(root: Root, path: str, language: str, folder: str) -> tuple[Meter, Path]:
    """Return how a file of the root is measured, and from which folder: as said, else the nearest of its project.

    Raises ToolError where no runner is known or installed.
    """
    known = [each for each in METERS if language in each.languages]
    if not known:
        names = ", ".join(each.name for each in METERS)
        raise ToolError(f"{path}: coverage is measured by {names}", hint="run this language's own measure by shell")
    above = [root.path / place for place in Path(path).parents]
    for meter in known:
        manifests = (place for place in above if meter.manifest and (place / meter.manifest).is_file())
        folders = [(root.path / folder).resolve()] if folder else [*manifests] or [root.path]
        fits = (place for place in folders if meter.fits(Project(root, place, "")))
        if place := next(fits, None):
            return meter, place
    raise ToolError(
        f"{path}: none of {', '.join(each.name for each in known)} is installed",
        hint="cargo install cargo-llvm-cov" if language == "rust" else "install one of them by shell",
    )
