"""Tests are found by reading, lines they miss are told, skeletons collect, and the commit that broke one is found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from attache.schema.errors import EditRefused, FileMissing, InvalidArguments, ToolError
from tools.repositories import git, repository


@pytest.fixture(autouse=True)
def own_interpreter(monkeypatch) -> None:
    """Let projects without an environment be run by ours, which has what is needed."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)


async def test_tests_of_every_kind_are_found(desk) -> None:
    desk.write(
        "tests/test_a.py",
        "class TestA:\n    def test_one(self):\n        def test_inner(): pass\n\n    def helper(self): pass\n\n\nasync def test_two(): pass\n",
    )
    desk.write(
        "tests/test_b.py", "import unittest\n\n\nclass Case(unittest.TestCase):\n    def test_three(self): pass\n"
    )
    desk.write("src/app.py", "def test_nothing(): pass\n")
    desk.write(
        "web/a.test.ts",
        'import { it } from "vitest";\ndescribe("outer", () => {\n  it("works", () => {});\n  it.skip(`not yet`, () => {});\n});\ntest("top", () => {});\n',
    )
    desk.write("go/a_test.go", "package a\n\nfunc TestGo(t *testing.T) {}\nfunc helper() {}\n")
    desk.write("src/lib.rs", "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {}\n}\n")
    desk.write("ATest.java", "class ATest {\n  @Test\n  void sums() {}\n}\n")
    output = await desk.call("discover_tests")
    found = {each["node"]: (each["runner"], each["line"]) for each in output.data["tests"]}
    assert found == {
        "tests/test_a.py::TestA::test_one": ("pytest", 2),
        "tests/test_a.py::test_two": ("pytest", 8),
        "tests/test_b.py::Case::test_three": ("unittest", 5),
        "web/a.test.ts > outer > works": ("vitest", 3),
        "web/a.test.ts > outer > not yet": ("vitest", 4),
        "web/a.test.ts > top": ("vitest", 6),
        "./go -run ^TestGo$": ("go", 3),
        "adds": ("cargo", 4),
        "ATest#sums": ("junit", 3),
    }
    assert output.text.startswith("workspace: 9 tests in 6 files (3 vitest, 2 pytest")
    assert (await desk.call("discover_tests", path="tests", name="TWO")).data["total"] == 1
    desk.open("tests/test_a.py", "def test_fresh(): pass\n")
    assert "test_fresh" in (await desk.call("discover_tests", path="tests/test_a.py")).text
    with pytest.raises(FileMissing):
        await desk.call("discover_tests", path="gone")


CODE = "def sign(n):\n    if n < 0:\n        return -1\n    if n == 0:\n        return 0\n    return 1\n\n\ndef never():\n    a = 1\n    return a\n"


async def test_lines_that_no_test_reaches_unsaved_text_included(desk) -> None:
    desk.write("code.py", CODE)
    desk.write("test_code.py", "from code_ import sign\n\n\ndef test_sign():\n    assert sign(2) == 1\n")
    (desk.folder / "code.py").rename(desk.folder / "code_.py")
    output = await desk.call("coverage", path="code_.py")
    assert output.data["missing"] == [3, 5, 10, 11]
    assert "3\treturn -1" in output.text
    assert "10-11\ta = 1" in output.text
    assert output.text.startswith("code_.py: 56 % of 9 lines reached, 4 not")
    assert "test_code.py 100 % of 3 lines" in output.text
    assert "2 lines more" not in output.text
    rest = await desk.call("coverage", path="code_.py", offset=2)
    assert "3\treturn -1" not in rest.text
    assert "10-11\ta = 1" in rest.text
    some = await desk.call("coverage", path="code_.py", selection=["test_code.py::test_sign"])
    assert some.data["exit_code"] == 0
    shown = desk.tools.find("coverage").shown(desk.ctx, {"path": "code_.py"})
    assert shown.argv[1] == "-c"


async def test_begun_tests_collect_and_ask_to_be_filled_in(desk) -> None:
    desk.write("pkg/__init__.py", "")
    desk.write(
        "pkg/box.py",
        "class Box:\n    def grow(self, by: int): pass\n    def _own(self): pass\n\n\ndef area(w: int, h: int = 2): pass\n",
    )
    output = await desk.call("generate_tests", path="pkg/box.py", name="Box")
    assert output.data["path"] == "tests/test_box_box.py"
    await desk.call("generate_tests", path="pkg/box.py", name="area", to_path="tests/test_area.py")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=desk.folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "."},
        check=False,
    )
    assert "2 failed" in run.stdout, run.stdout
    assert "fill in" in run.stdout
    with pytest.raises(EditRefused, match="is there already"):
        await desk.call("generate_tests", path="pkg/box.py", name="Box")
    with pytest.raises(ToolError, match="defines no `Bax`"):
        await desk.call("generate_tests", path="pkg/box.py", name="Bax")
    desk.write("a.ts", "export const a = 1;\n")
    with pytest.raises(EditRefused, match="begun for Python"):
        await desk.call("generate_tests", path="a.ts", name="a")


async def test_the_commit_that_broke_a_test_is_found_and_nothing_of_the_users_is_touched(desk) -> None:
    desk.write("code_.py", "def f():\n    return 1\n")
    repository(desk.folder)
    for number in range(6):
        desk.write("other.txt", f"{number}\n")
        if number == 3:
            desk.write("code_.py", "def f():\n    return 2\n")
        git(desk.folder, "add", "-A")
        git(desk.folder, "commit", "-qm", f"step {number}")
    desk.write("test_code.py", "from code_ import f\n\n\ndef test_f():\n    assert f() == 1\n")
    desk.write("other.txt", "not committed\n")
    before = git(desk.folder, "status", "--porcelain=v2", "--branch") + git(desk.folder, "for-each-ref")
    output = await desk.call("bisect_failure", selection=["test_code.py::test_f"], good="HEAD~3")
    assert "step 3" in output.text.splitlines()[1]
    assert output.text.startswith("first bad commit, found in ")
    assert "assert 2 == 1" in output.text
    assert git(desk.folder, "status", "--porcelain=v2", "--branch") + git(desk.folder, "for-each-ref") == before
    assert git(desk.folder, "worktree", "list").count("\n") == 1
    check = [sys.executable, "-c", "import code_; assert code_.f() == 1"]
    for good, runs in (("HEAD~5", 4), ("", 5)):
        named = await desk.call("bisect_failure", selection=[], command=check, good=good)
        assert named.data["commit"] == output.data["commit"]
        assert len(named.data["tried"]) <= runs
    with pytest.raises(ToolError, match="do not fail"):
        await desk.call("bisect_failure", selection=[], command=check, bad="HEAD~4")
    with pytest.raises(ToolError, match="do not pass either"):
        await desk.call("bisect_failure", selection=[], command=check, good="HEAD~1")
    assert git(desk.folder, "worktree", "list").count("\n") == 1


async def test_bisecting_needs_tests_and_a_repository(desk) -> None:
    with pytest.raises(InvalidArguments, match="say which tests"):
        await desk.call("bisect_failure", selection=[])
    with pytest.raises(ToolError, match="not in a git repository"):
        await desk.call("bisect_failure", selection=["a.py"], command=["false"])


def test_the_offline_model_is_not_imported_to_find_the_tools() -> None:
    script = "import sys; from attache.tools.tool import Tools; Tools.discover(); print([*sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "attache.tools.testing.generating" in run.stdout
    assert "attache.providers.offline" not in run.stdout
