"""What real checkers say about a folder of real code: ruff, pyright, tsc and cargo, each where it is found."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attache.schema.documents import Diagnostic, Place
from attache.tools.diagnostics import WITHOUT_SETTINGS
from evals.faults import CARGO, PYRIGHT, RUFF, TSC, Plant

REPOSITORY = Path(__file__).parents[2]
NODE_PACKAGES = ("typescript@5.9.3", "zod@4", "rxjs@7", "immer@11")
CRATES = ("semver", "itoa", "heck", "strsim", "either", "unicode-width", "smallvec", "fnv")
FILE_BYTES = 60_000
CHECK_SECONDS = 1800
Found = list[Diagnostic]


@dataclass(frozen=True, slots=True)
class Checker:
    """A program that judges code, and the code it is tried on."""

    name: str
    plants: dict[str, Plant]
    suffix: str
    copy: Callable[[Path], None]
    """Put the code into a folder. Raises LookupError that says what is missing."""
    check: Callable[[Path], Found]
    at_once: int = 200
    """Faults that may stand in one folder: a compiler that stops at the first takes one."""


def _run(argv: Sequence[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, check=False, timeout=CHECK_SECONDS,
        env={**os.environ, **more},
    )  # fmt: skip


# ---------------------------------------------------------------- Python


def _packages(*names: str) -> Callable[[Path], None]:
    def copy(folder: Path) -> None:
        for name in names:
            spec = importlib.util.find_spec(name)
            if spec is None or not spec.submodule_search_locations:
                raise LookupError(f"{name} is not installed")
            source = Path(spec.submodule_search_locations[0])
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "_vendor"))

    return copy


def ruff(folder: Path) -> Found:
    """Return what ruff finds by the rules that hold in any folder."""
    argv = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json-lines", *WITHOUT_SETTINGS, "."]
    rows = map(json.loads, _run(argv, folder).stdout.splitlines())
    return [
        _finding(
            folder, row["filename"], row["location"]["row"], row["location"]["column"], row["code"], row["message"]
        )
        for row in rows
    ]


def pyright(folder: Path) -> Found:
    """Return what basedpyright finds in its standard mode, needless ignores included."""
    settings = {"typeCheckingMode": "standard", "reportUnnecessaryTypeIgnoreComment": "warning"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    argv = [sys.executable, "-m", "basedpyright", "--outputjson", "--level", "warning", "--pythonpath", sys.executable]
    rows = json.loads(_run(argv, folder).stdout)["generalDiagnostics"]
    (folder / "pyrightconfig.json").unlink()
    found: Found = []
    for row in rows:
        start = row["range"]["start"]
        code, message = row.get("rule", ""), row["message"]
        found.append(_finding(folder, row["file"], start["line"] + 1, start["character"] + 1, code, message))
    return found


def _finding(folder: Path, file: str, line: int, column: int, code: str | None, message: str) -> Diagnostic:
    path = Path(file)
    shown = path.relative_to(folder).as_posix() if path.is_absolute() else path.as_posix()
    place = Place(path=shown, line=line, column=column, end_line=line, end_column=column)
    return Diagnostic(place=place, message=message, code=code or "syntax", severity="error")


# ---------------------------------------------------------------- TypeScript


def node() -> Path:
    """Return the folder with TypeScript and the packages it is tried on. Raises LookupError."""
    folder = Path(os.environ.get("ATTACHE_NODE_PACKAGES") or REPOSITORY / ".cache/node")
    if not (folder / "node_modules/zod/src").is_dir() or not (folder / "node_modules/typescript").is_dir():
        npm = shutil.which("npm")
        if npm is None:
            raise LookupError("TypeScript is not there, and there is no npm to fetch it")
        folder.mkdir(parents=True, exist_ok=True)
        fetched = _run([npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *NODE_PACKAGES], folder)
        if fetched.returncode:
            raise LookupError(f"npm could not fetch {' '.join(NODE_PACKAGES)}")
    return folder


def _typescript(folder: Path) -> None:
    modules = node() / "node_modules"
    ignored = shutil.ignore_patterns("tests", "*.test.ts", "benchmarks", "tsconfig*", "*.js")
    for name in ("zod", "rxjs", "immer"):
        shutil.copytree(modules / name / "src", folder / name, ignore=ignored)


def tsc(folder: Path) -> Found:
    """Return what TypeScript finds file by file, as editors ask it: tsc itself stops at the first fault of syntax."""
    program = shutil.which("node") or "node"
    done = _run([program, "-e", _ASK_TYPESCRIPT, str(node() / "node_modules/typescript"), str(folder)], folder)
    rows = json.loads(done.stdout)
    return [_finding(folder, each["path"], each["line"], each["column"], each["code"], each["text"]) for each in rows]


_ASK_TYPESCRIPT = """
const [, home, folder] = process.argv, ts = require(home);
const options = {
  noEmit: true, strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, skipLibCheck: true,
  moduleResolution: ts.ModuleResolutionKind.Bundler, types: [], noUnusedLocals: true, noUnusedParameters: true,
  allowImportingTsExtensions: true, lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
};
const names = ts.sys.readDirectory(folder, [".ts"]), program = ts.createProgram(names, options), found = [];
for (const name of names) {
  const source = program.getSourceFile(name);
  for (const each of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
    const { line, character } = source.getLineAndCharacterOfPosition(each.start ?? 0);
    const text = ts.flattenDiagnosticMessageText(each.messageText, "\\n");
    found.push({ path: name, line: line + 1, column: character + 1, code: String(each.code), text });
  }
}
console.log(JSON.stringify(found));
"""


# ---------------------------------------------------------------- Rust


def _crates(folder: Path) -> None:
    cargo = shutil.which("cargo")
    if cargo is None or _run([cargo, "--version"], folder).returncode:
        raise LookupError("cargo is not installed, or has no toolchain")
    project = folder / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/lib.rs").write_text("", "utf-8")
    needs = "\n".join(f'{name} = "*"' for name in CRATES)
    (project / "Cargo.toml").write_text(
        f'[package]\nname = "p"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n{needs}\n', "utf-8"
    )
    if _run([cargo, "vendor", "--quiet", "vendor"], project).returncode:
        raise LookupError("cargo could not fetch the crates to try it on")
    for name in CRATES:
        shutil.copytree(
            project / "vendor" / name, folder / name, ignore=shutil.ignore_patterns("tests", "benches", ".*")
        )
    shutil.rmtree(project)


def cargo(folder: Path) -> Found:
    """Return what cargo check finds in the crates, one after the other."""
    found: Found = []
    for crate in CRATES:
        if not (folder / crate / "Cargo.toml").is_file():
            continue
        argv = ["cargo", "check", "--quiet", "--offline", "--message-format=json", "--lib"]
        target = {"CARGO_TARGET_DIR": str(folder.parent / "target")}
        for row in map(json.loads, _run(argv, folder / crate, **target).stdout.splitlines()):
            found += _of_rust(folder, crate, row["message"]) if row.get("reason") == "compiler-message" else []
    return found


def _of_rust(folder: Path, crate: str, message: dict[str, Any]) -> Found:
    """Read one message of rustc as rust-analyzer tells it: what could help stands behind it, line by line."""
    spans = [span for span in message["spans"] if span["is_primary"] and span["file_name"].endswith(".rs")]
    helps = [
        f"help: {child['message']}: `{child['spans'][0]['suggested_replacement']}`"
        if child["spans"] and child["spans"][0].get("suggested_replacement")
        else f"help: {child['message']}"
        for child in message["children"]
    ]
    code = (message["code"] or {}).get("code", "")
    text = "\n".join([message["message"], *helps])
    return [
        _finding(folder, f"{crate}/{span['file_name']}", span["line_start"], span["column_start"], code, text)
        for span in spans
        if not Path(span["file_name"]).is_absolute()
    ]


CHECKERS = (
    Checker("ruff", RUFF, ".py", _packages("click", "rich", "packaging", "_pytest", "pluggy"), ruff),
    Checker("pyright", PYRIGHT, ".py", _packages("anyio", "rich", "click", "_pytest", "pygls"), pyright),
    Checker("tsc", TSC, ".ts", _typescript, tsc),
    Checker("cargo check", CARGO, ".rs", _crates, cargo, at_once=1),
)
