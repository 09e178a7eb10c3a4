"""Which lines tests reach, by each runner: the real one where it is installed, what it prints by its documents else."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from attache.schema.errors import FileMissing, PathRefused, ToolError
from attache.tools.testing.measuring import METERS, Project, Reached
from attache.workspace.paths import Root

PACKAGES = Path(os.environ.get("ATTACHE_TEST_RUNNERS") or Path.home() / ".cache/attache-test-runners")
"""Where node_modules with vitest, @vitest/coverage-v8 and jest are (npm install --prefix)."""
NO_PACKAGES = f"no vitest or jest in {PACKAGES}: see ATTACHE_TEST_RUNNERS"
SOURCE = """export function f(n) {
  if (n) {
    return 1;
  }
  return 2;
}

export function never() {
  return 3;
}
"""
AS_MODULE = SOURCE.replace("export function f", "exports.f = function ").replace(
    "export function never", "exports.never = function "
)


@pytest.fixture(autouse=True)
def own_interpreter(monkeypatch) -> None:
    """Let projects without an environment be run by ours, which has what is needed."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)


def with_packages(folder: Path) -> None:
    def placed(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    shutil.copytree(PACKAGES / "node_modules", folder / "node_modules", symlinks=True, copy_function=placed)


@pytest.mark.skipif(not (PACKAGES / "node_modules/vitest").exists(), reason=NO_PACKAGES)
@pytest.mark.parametrize("desk", ["no sharp in it, as Vite has it"], indirect=True)
@pytest.mark.parametrize("nested", ["", "packages/web/"])
async def test_vitest(desk, nested: str) -> None:
    with_packages(desk.folder)
    desk.write(".gitignore", "node_modules\n")
    desk.write(f"{nested}package.json", '{"type": "module", "scripts": {"test": "vitest run"}}')
    desk.write(f"{nested}src/a.js", SOURCE)
    desk.write(f"{nested}src/b.js", "export const b = () => 1;\n")
    test = 'import { expect, test } from "vitest";\nimport { f } from "./a";\n'
    desk.write(
        f"{nested}src/a.test.js",
        test + 'test("zero", () => { expect(f(0)).toBe(2); });\ntest("one", () => { expect(f(1)).toBe(1); });\n',
    )
    desk.write(f"{nested}coverage/mine.txt", "mine")
    output = await desk.call("coverage", path=f"{nested}src/a.js")
    assert output.data["missing"] == [9, 10]
    assert output.data["meter"] == "vitest"
    assert output.change_set is None, output.text
    assert "9-10\treturn 3;" in output.text
    one = await desk.call("coverage", path=f"{nested}src/a.js", selection=[f"{nested}src/a.test.js > zero"])
    assert one.data["missing"] == [3, 4, 9, 10]
    assert (desk.folder / f"{nested}coverage/mine.txt").read_text() == "mine"
    desk.write(f"{nested}src/a.test.js", test + 'test("zero", () => { expect(f(0)).toBe(7); });\n')
    failed = await desk.call("coverage", path=f"{nested}src/a.js")
    assert "tests failed (exit 1)" in failed.text
    assert failed.data["missing"] == [3, 4, 9, 10]


@pytest.mark.skipif(not (PACKAGES / "node_modules/jest").exists(), reason=NO_PACKAGES)
async def test_jest(desk) -> None:
    with_packages(desk.folder)
    desk.write(".gitignore", "node_modules\n")
    desk.write("package.json", '{"scripts": {"test": "jest"}, "devDependencies": {"jest": "*"}}')
    desk.write("src/a.js", AS_MODULE)
    desk.write(
        "src/a.test.js",
        'const { f } = require("./a");\ntest("zero", () => { expect(f(0)).toBe(2); });\ntest("one", () => { f(1); });\n',
    )
    output = await desk.call("coverage", path="src/a.js")
    assert output.data["missing"] == [9]
    assert output.change_set is None, output.text
    one = await desk.call("coverage", path="src/a.js", selection=["src/a.test.js > zero"])
    assert one.data["missing"] == [3, 9]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
async def test_node(desk) -> None:
    desk.write("package.json", '{"scripts": {"test": "node --test"}}')
    desk.write("a.js", AS_MODULE)
    desk.write(
        "a.test.js",
        'const { test } = require("node:test");\nconst { f } = require("./a");\ntest("f", () => { f(0); });\n',
    )
    output = await desk.call("coverage", path="a.js")
    assert set(output.data["missing"]) >= {3, 9}
    assert 5 not in output.data["missing"]


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="ATTACHE_LONG=1 lets go compile its library")
@pytest.mark.skipif(not shutil.which("go"), reason="go is not installed")
async def test_go(desk) -> None:
    desk.write("svc/go.mod", "module example.com/demo\n\ngo 1.21\n")
    desk.write("svc/a.go", GO)
    desk.write("svc/sub/a.go", "package sub\n\nfunc Other() int { return 2 }\n")
    desk.write("svc/a_test.go", 'package demo\n\nimport "testing"\n\nfunc TestSign(t *testing.T) { Sign(2) }\n')
    output = await desk.call("coverage", path="svc/a.go")
    assert output.data["missing"] == [5, 9, 15, 17]
    assert output.text.startswith("svc/a.go: 43 % of 7 statements reached, 4 not")
    named = await desk.call("coverage", path="svc/a.go", selection=["./svc -run ^TestSign$"])
    assert named.data["missing"] == [5, 9, 15, 17]


GO = """package demo

func Sign(n int) int {
	if n < 0 {
		return -1
	}
	// a comment
	if n == 0 {
		return 0
	}
	return 1
}

func Never() int {
	a := 1

	return a
}
"""
PROFILE = """=== RUN   TestSign
mode: set
example.com/demo/a.go:4.2,4.11 1 1
example.com/demo/a.go:5.3,6.1 1 0
example.com/demo/a.go:8.2,8.12 1 1
example.com/demo/a.go:9.3,10.1 1 0
example.com/demo/a.go:11.2,11.10 1 1
example.com/demo/a.go:15.2,16.1 1 0
example.com/demo/a.go:17.2,18.1 1 0
ok  	example.com/demo	0.007s	coverage: 42.9% of statements
example.com/demo/sub/a.go:3.20,3.30 1 0
	example.com/demo/sub		coverage: 0.0% of statements
"""
"""What go 1.27 printed of the files above."""
TARPAULIN = """running 1 test
test tests::adds ... ok

|| Uncovered Lines:
|| src/lib.rs: 3, 7-9
|| src/ma in.rs: 1
|| Tested/Total Lines:
|| src/lib.rs: 4/8 +0.00%
|| src/ma in.rs: 0/1
|| src/whole.rs: 5/5
||
64.29% coverage, 9/14 lines covered, +0.00% change in coverage
"""
LLVM = """   Compiling demo v0.1.0
test result: ok. 1 passed; 0 failed
SF:{folder}/src/lib.rs
FN:1,_RNvCs_4demo3add
FNDA:1,_RNvCs_4demo3add
DA:1,1
DA:2,1
DA:3,0
DA:3,0
BRF:0
LF:3
LH:2
end_of_record
SF:{folder}/src/main.rs
DA:1,0
end_of_record
"""


def project_in(folder: Path, file: str) -> Project:
    return Project(Root(folder), folder, file)


def meter(name: str):
    return next(each for each in METERS if each.name == name)


def test_what_runners_print_is_read(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("// the module\nmodule example.com/demo // here\n")
    (tmp_path / "a.go").write_text(GO)
    report = meter("go test").read(PROFILE, project_in(tmp_path, "a.go"))
    assert report == {
        "a.go": Reached(7, 4, (5, 9, 15, 17), "statement"),
        "sub/a.go": Reached(1, 1, (3,), "statement"),
    }
    report = meter("cargo tarpaulin").read(TARPAULIN, project_in(tmp_path, "src/lib.rs"))
    assert report == {
        "src/lib.rs": Reached(8, 4, (3, 7, 8, 9)), "src/ma in.rs": Reached(1, 1, (1,)), "src/whole.rs": Reached(5, 0),
    }  # fmt: skip
    report = meter("cargo llvm-cov").read(LLVM.replace("{folder}", tmp_path.as_posix()), project_in(tmp_path, ""))
    assert report == {"src/lib.rs": Reached(3, 1, (3,)), "src/main.rs": Reached(1, 1, (1,))}
    for each in METERS:
        assert each.read("nothing of the kind\n", project_in(tmp_path, "a.go")) == {}


async def test_coverage_says_why_it_cannot_tell(desk, monkeypatch) -> None:
    desk.write("a.lua", "print(1)\n")
    with pytest.raises(ToolError, match=r"coverage is measured by coverage\.py, vitest, jest"):
        await desk.call("coverage", path="a.lua")
    desk.write("a.py", "x = 1\n")
    desk.write("test_a.py", "import a\nimport gone\n\n\ndef test(): pass\n")
    broken = await desk.call("coverage", path="a.py")
    assert "tests failed (exit 2)" in broken.text
    with pytest.raises(FileMissing):
        await desk.call("coverage", path="gone.py")
    desk.write("web/package.json", '{"scripts": {"test": "vitest run"}}')
    desk.write("web/a.ts", "export const a = 1;\n")
    with pytest.raises(ToolError, match="vitest is not installed in web"):
        await desk.call("coverage", path="web/a.ts")
    desk.write("src/lib.rs", "fn a() {}\n")
    monkeypatch.setenv("PATH", str(desk.folder))
    with pytest.raises(ToolError, match="none of cargo llvm-cov, cargo tarpaulin is installed"):
        await desk.call("coverage", path="src/lib.rs")
    with pytest.raises(PathRefused):
        await desk.call("coverage", path="a.py", folder="..")
    with pytest.raises(PathRefused, match="does not lie in web"):
        await desk.call("coverage", path="a.py", folder="web")
