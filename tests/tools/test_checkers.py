"""What real checkers say of faulty code is understood by the rules, and is gone after their cures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attache.schema.documents import Diagnostic, Place
from tools.conftest import Desk

TYPESCRIPT = {
    "unused_import.ts": 'import { join, resolve } from "./paths";\nexport const x = join("a");\n',
    "unused_whole.ts": 'import { join } from "./paths";\nexport const x = 1;\n',
    "all_unused.ts": 'import { join, resolve } from "./paths";\nexport const x = 1;\n',
    "unused_local.ts": "export function f() {\n  const n = 1;\n  return 2;\n}\n",
    "unused_parameter.ts": "export function f(event: string, n: number) {\n  return n;\n}\n",
    "constant.ts": "const n = 0;\nexport function f() {\n  n = 1;\n  return n;\n}\n",
    "misspelt.ts": "const count = 1;\nexport const x = conut;\n",
    "misspelt_property.ts": 'export const n = "a".lenght;\n',
    "misspelt_export.ts": 'import { joinn } from "./paths";\nexport const x = joinn("a");\n',
    "misspelt_key.ts": "interface Style { color: string }\nexport const s: Style = { colour: 'red' };\n",
    "misspelt_value.ts": 'type Colour = "red" | "green";\nexport const c: Colour = "gren";\n',
    "member.ts": "export class A {\n  size = 1;\n  f() {\n    return size;\n  }\n}\n",
    "uninitialised.ts": "const x: number;\nexport const y = 1;\n",
    "override.ts": "class A {\n  f() {}\n}\nexport class B extends A {\n  f() {}\n}\n",
    "expected_error.ts": "// @ts-expect-error\nexport const x = 1;\n",
}
RUST = {
    "unused_import": "use std::fs;\npub fn f() {}\n",
    "unused_one": "use std::collections::{HashMap, HashSet};\npub fn f() -> HashMap<u8, u8> { HashMap::new() }\n",
    "unused_variable": "pub fn f() {\n    let x = 1;\n}\n",
    "unused_mut": "pub fn f() -> u8 {\n    let mut x = 1;\n    x\n}\n",
    "not_mutable": "pub fn f() {\n    let v: Vec<u8> = Vec::new();\n    v.push(1);\n}\n",
    "assigned_twice": "pub fn f() -> u8 {\n    let n = 1;\n    g(n);\n    n = 2;\n    n\n}\nfn g(_: u8) {}\n",
    "undeclared_type": "pub fn f() -> HashMap<u8, u8> {\n    todo!()\n}\n",
    "undeclared_use": "pub fn f() {\n    let _ = Duration::from_secs(1);\n}\n",
    "brackets": "pub fn f(a: bool) -> u8 {\n    if (a) { 1 } else { 2 }\n}\n",
    "semicolon": "pub fn f() -> u8 {\n    let x = 1\n    x\n}\n",
    "deprecated": "pub fn f(s: &str) -> &str {\n    s.trim_left()\n}\n",
    "misspelt": "pub fn f(count: u8) -> u8 {\n    conut\n}\n",
    "misspelt_method": "pub fn f(v: &mut Vec<u8>) {\n    v.pus(1);\n}\n",
}
PYTHON = {
    "coroutine.py": "class C:\n    async def close(self) -> None: ...\n\n\nasync def f(c: C) -> None:\n    c.close()\n",
    "none_default.py": "from __future__ import annotations\n\n\ndef f(name: str = None) -> str:\n    return name or ''\n",
    "ignored.py": "x = 1  # type: ignore\n",
    "no_self.py": "class A:\n    def f():\n        return 1\n",
    "cast.py": "from typing import cast\n\n\ndef f(n: int) -> int:\n    return cast(int, n)\n",
    "undefined.py": "def f() -> str:\n    return json.dumps(1)\n",
}


def _answers(program: str) -> bool:
    """Whether a program is there and runs: rustup leaves names without a toolchain behind them."""
    found = shutil.which(program)
    return bool(found) and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0


def tsc(folder: Path) -> list[Diagnostic]:
    options = ("--noEmit", "--pretty", "false", "--noUnusedLocals", "--noUnusedParameters", "--noImplicitOverride")
    argv = [shutil.which("tsc") or "tsc", *options, "--strict", "--target", "es2022", "--module", "esnext"]
    argv += ["--moduleResolution", "bundler", *sorted(path.name for path in folder.glob("*.ts"))]
    output = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout
    found = re.findall(r"^(\S+)\((\d+),(\d+)\): error TS\d+: (.+)$", output, re.MULTILINE)
    return [
        Diagnostic(place=Place(path=path, line=int(line), column=int(column)), message=message, severity="error")
        for path, line, column, message in found
    ]


def rustc(folder: Path) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for path in sorted(folder.glob("*.rs")):
        argv = ["rustc", "--edition=2021", "--crate-type=lib", "--emit=metadata", "--error-format=json", path.name]
        output = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stderr
        for row in map(json.loads, output.splitlines()):
            for span in (each for each in row.get("spans", ()) if each["is_primary"]):
                place = Place(path=path.name, line=span["line_start"], column=span["column_start"])
                helps = [
                    f"help: {child['message']}: `{child['spans'][0]['suggested_replacement']}`"
                    if child["spans"] and child["spans"][0].get("suggested_replacement")
                    else f"help: {child['message']}"
                    for child in row["children"]
                ]
                found.append(Diagnostic(place=place, message="\n".join([row["message"], *helps])))
    return found


def pyright(folder: Path) -> list[Diagnostic]:
    argv = [sys.executable, "-m", "basedpyright", "--outputjson", "--level", "warning", str(folder)]
    output = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout
    return [
        Diagnostic(
            place=Place(
                path=Path(each["file"]).name,
                line=each["range"]["start"]["line"] + 1,
                column=each["range"]["start"]["character"] + 1,
            ),
            message=each["message"],
        )
        for each in json.loads(output)["generalDiagnostics"]
        if each.get("rule") != "reportMissingParameterType"
    ]


async def fixed(desk: Desk, checker: Callable[[Path], list[Diagnostic]], names: list[str]) -> None:
    """Cure every file by what the checker says, and compare by file what it says then."""
    before = checker(desk.folder)

    async def says(path: str) -> tuple[Diagnostic, ...]:
        return tuple(each for each in before if each.place.path == path)

    desk.ctx = replace(desk.ctx, findings=says)
    for name in names:
        await desk.call("fix", path=name)
    after = checker(desk.folder)
    counts = {
        name: (sum(each.place.path == name for each in before), sum(each.place.path == name for each in after))
        for name in names
    }
    worse = {name: (was, now) for name, (was, now) in counts.items() if now > was}
    cured = [name for name, (was, now) in counts.items() if now < was]
    left = [f"{each.place}: {each.message}" for each in after]
    print(f"\n{checker.__name__}: {len(before)} findings before, {len(after)} after; left: {left}")
    assert worse == {}
    assert all(was for was, _ in counts.values()), counts
    assert len(cured) >= len(names) * 0.9, left


@pytest.mark.skipif(not shutil.which("tsc"), reason="tsc is not installed")
async def test_tsc(desk: Desk) -> None:
    (desk.folder / "tsconfig.json").unlink(missing_ok=True)
    desk.write("paths.ts", "export const join = (a: string) => a;\nexport const resolve = join;\n")
    for name, text in TYPESCRIPT.items():
        desk.write(name, text)
    await fixed(desk, tsc, list(TYPESCRIPT))


@pytest.mark.skipif(not _answers("rustc"), reason="rustc is not installed, or has no toolchain")
async def test_rustc(desk: Desk) -> None:
    for name, text in RUST.items():
        desk.write(f"{name}.rs", text)
    await fixed(desk, rustc, [f"{name}.rs" for name in RUST])


async def test_pyright(desk: Desk) -> None:
    desk.write(
        "pyrightconfig.json",
        json.dumps(
            {
                "typeCheckingMode": "standard",
                "reportUnnecessaryCast": "warning",
                "reportUnnecessaryTypeIgnoreComment": "warning",
            }
        ),
    )
    for name, text in PYTHON.items():
        desk.write(name, text)
    await fixed(desk, pyright, list(PYTHON))
