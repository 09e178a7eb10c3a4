"""Tests are run by the runner a folder uses, and what failed is told with its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from attache.schema.errors import PathRefused, ToolError
from attache.tools.testing import testing
from attache.tools.testing.failures import counts, of_pytest
from attache.tools.testing.testing import python, runners
from attache.workspace.shell import Command, Completed

PYTEST = """\
import pytest
from helper import boom

def test_ok(): pass

@pytest.mark.parametrize("x", ["a - b", "c"])
def test_bad(x):
    assert x == "c", "first line\\nsecond"

def test_deep(): boom()

class TestC:
    def test_m(self): assert [1] == [2]

@pytest.fixture
def fx(): raise RuntimeError("fixture")

def test_err(fx): pass

@pytest.mark.skip
def test_s(): pass
"""
UNITTEST = """\
import unittest

class U(unittest.TestCase):
    def test_f(self):
        self.assertEqual(1, 2)

    def test_e(self):
        raise KeyError("x")

    def test_k(self):
        pass
"""


@pytest.fixture
def project(desk, monkeypatch):
    """A folder whose own environment is the one that runs these tests."""
    inside = Path("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    desk.write(str(Path(".venv") / inside), "")
    (desk.folder / ".venv" / inside).unlink()
    (desk.folder / ".venv" / inside).symlink_to(sys.executable)
    environment = Path(sys.executable).parent.parent / "pyvenv.cfg"
    if environment.exists():
        shutil.copy(environment, desk.folder / ".venv" / "pyvenv.cfg")
        (desk.folder / ".venv" / "lib").symlink_to(environment.parent / "lib")
    return desk


# ---------------------------------------------------------------- pytest


async def test_failures_of_pytest_with_their_places(project) -> None:
    project.write("pytest.ini", "[pytest]\naddopts = -vv -p no:cacheprovider\n")
    project.write("test_a.py", PYTEST)
    project.write("helper.py", "def boom():\n    raise ValueError('deep')\n")
    project.write("test_broken.py", "import nowhere_to_be_found\n")
    output = await project.call("test", selection=["--continue-on-collection-errors"])
    told = [
        (each["name"], each["place"] and (each["place"]["path"], each["place"]["line"]))
        for each in output.data["failures"]
    ]
    assert told == [
        ("test_a.py::test_bad[a - b]", ("test_a.py", 8)),
        ("test_a.py::test_deep", ("helper.py", 2)),
        ("test_a.py::TestC::test_m", ("test_a.py", 13)),
        ("test_broken.py", ("test_broken.py", 1)),
        ("test_a.py::test_err", ("test_a.py", 16)),
    ]
    messages = [each["message"] for each in output.data["failures"]]
    assert messages[0].startswith("AssertionError: first line")
    assert messages[2] == "assert [1] == [2]"
    assert messages[3] == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"
    assert (output.data["failed"], output.data["errors"], output.data["passed"], output.data["skipped"]) == (3, 2, 2, 1)
    assert output.is_error
    assert output.title.endswith("· 3 failed, 2 errors, 2 passed, 1 skipped")
    assert "test_a.py::test_deep at helper.py:2: ValueError: deep" in output.text
    assert [str(place) for place in output.places][:2] == ["test_a.py:8", "helper.py:2"]


async def test_a_selection_that_passes_says_little(project) -> None:
    project.write("tests/conftest.py", "")
    project.write("tests/test_a.py", "def test_ok(): pass\ndef test_no(): assert 0\n")
    output = await project.call("test", selection=["tests/test_a.py::test_ok"])
    assert not output.is_error
    assert output.title == "`tests/test_a.py::test_ok` · 1 passed"
    assert output.text.startswith("pytest: 1 passed · ")
    assert output.text.count("\n") == 0
    assert output.data["failures"] == []


async def test_tests_in_a_folder_are_placed_from_the_workspace(project) -> None:
    shutil.copytree(project.folder / ".venv", project.folder / "sub" / ".venv", symlinks=True)
    project.write("sub/pytest.ini", "[pytest]\n")
    project.write("sub/test_a.py", "def test_no():\n    assert 0\n")
    output = await project.call("test", folder="sub")
    assert [str(place) for place in output.places] == ["sub/test_a.py:2"]


async def test_a_wrong_selection_shows_what_the_runner_said(project) -> None:
    project.write("pytest.ini", "[pytest]\n")
    output = await project.call("test", selection=["test_gone.py"])
    assert output.is_error
    assert output.title == "`test_gone.py` · exit 4"
    assert "file or directory not found: test_gone.py" in output.text


async def test_tests_that_do_not_end_are_ended(project) -> None:
    project.write("test_a.py", "import time, pytest\ndef test_long(): time.sleep(60)\n")
    output = await project.call("test", timeout_seconds=2)
    assert output.data["timed_out"]
    assert "its time limit" in output.title


def test_log_lines_are_not_taken_for_failures() -> None:
    assert of_pytest("ERROR root: it went wrong\nFAILED to connect\n1 passed in 0.1s\n") == ()


# ---------------------------------------------------------------- none

PLAIN = "def test_x(): assert False\n"


async def test_plain_functions_are_run_by_pytest(project) -> None:
    project.write("test_a.py", PLAIN)
    output = await project.call("test")
    assert output.is_error
    assert output.title == "`pytest` · 1 failed"
    assert [str(place) for place in output.places] == ["test_a.py:1"]


async def test_without_pytest_its_tests_are_not_said_to_pass(desk) -> None:
    venv.create(desk.folder / ".venv", with_pip=False)
    desk.write("test_a.py", PLAIN)
    output = await desk.call("test")
    assert output.is_error
    assert output.title == "`pytest` · pytest is not installed"
    assert f"add it to the environment of {python(desk.folder)}" in output.text


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ({"test_a.py": PLAIN}, {"runner": "unittest"}),
        ({"tests/test_u.py": UNITTEST}, {}),  # discovery enters no folder without __init__.py
        ({"pytest.ini": "", "a.py": ""}, {}),
        ({"test_a.py": PLAIN}, {"selection": ["test_a.py", "-k", "nowhere"]}),
    ],
)
async def test_a_run_that_executed_no_test_is_no_success(project, files: dict[str, str], arguments) -> None:
    for path, text in files.items():
        project.write(path, text)
    output = await project.call("test", **arguments)
    assert output.is_error
    assert output.title.endswith("· no tests ran")
    assert "name the folder they are in" in output.text
    assert "passed" not in output.text.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "output", "ran"),
    [
        ("go", "?   \texample.com/x\t[no test files]\n", False),
        ("go", "ok  \texample.com/x\t0.002s [no tests to run]\n", False),
        ("go", "ok  \texample.com/x\t0.002s\n?   \texample.com/y\t[no test files]\n", True),
        ("cargo", "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n", False),
        ("cargo", "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n", True),
        ("npm", "all is well\n", True),
        ("unittest", "Ran 1 test in 0.000s\n\nOK (skipped=1)\n", True),
    ],
)
def test_what_says_that_tests_ran(name: str, output: str, ran: bool) -> None:
    runner = next(each for each in testing.RUNNERS if each.name == name)
    told = any(counts(output, runner.totals).values())
    done = Completed(exit_code=0, output=output, seconds=0)
    assert (not testing._trouble(runner, Command(argv=(name,)), done, ran=told)) == ran


# ---------------------------------------------------------------- others


async def test_failures_of_unittest_with_their_places(project) -> None:
    project.write("test_u.py", UNITTEST)
    output = await project.call("test")
    assert output.data["runner"] == "unittest"
    assert (output.data["failed"], output.data["errors"], output.data["passed"]) == (1, 1, 1)
    told = [(each["name"].split()[0], each["message"], each["place"]["line"]) for each in output.data["failures"]]
    assert told == [("test_e", "KeyError: 'x'", 8), ("test_f", "AssertionError: 1 != 2", 5)]
    assert [str(place) for place in output.places] == ["test_u.py:8", "test_u.py:5"]


async def test_one_file_of_unittest(project) -> None:
    project.write("tests/__init__.py", "")
    project.write("tests/test_u.py", UNITTEST)
    output = await project.call("test", selection=["tests/test_u.py::U::test_k"])
    assert output.data["argv"][1:] == ("-m", "unittest", "tests.test_u.U.test_k")
    assert output.title.endswith("· 1 passed")


@pytest.mark.skipif(not shutil.which("npm") or not shutil.which("node"), reason="node and npm are not installed")
async def test_failures_of_npm_test(desk) -> None:
    desk.write("package.json", '{"name": "x", "scripts": {"test": "node --test"}}')
    desk.write(
        "a.test.js",
        "const test = require('node:test'); const assert = require('assert');\n"
        "test('adds', () => { assert.equal(1, 2); });\ntest('ok', () => {});\n",
    )
    output = await desk.call("test")
    assert output.data["runner"] == "npm"
    assert (output.data["failed"], output.data["passed"]) == (1, 1)
    assert "adds" in {each["name"] for each in output.data["failures"]}
    assert "a.test.js:2" in {str(place) for place in output.places}


@pytest.mark.skipif(
    not shutil.which("cargo")
    or subprocess.run(["cargo", "--version"], capture_output=True, check=False).returncode != 0,
    reason="cargo is not installed, or has no toolchain",
)
async def test_failures_of_cargo_test(desk) -> None:
    desk.write("Cargo.toml", '[package]\nname = "cg"\nversion = "0.1.0"\nedition = "2021"\n')
    desk.write(
        "src/lib.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(1 + 1, 3);\n    }\n"
        "    #[test]\n    fn ok() {}\n}\n",
    )
    output = await desk.call("test")
    assert (output.data["failed"], output.data["passed"]) == (1, 1)
    (failure,) = output.data["failures"]
    assert failure["name"] == "tests::adds"
    assert "left == right" in failure["message"]
    assert [str(place) for place in output.places] == ["src/lib.rs:5"]


GO = """\
--- FAIL: TestAdd (0.00s)
    add_test.go:6: got 1, want 2
    --- FAIL: TestAdd/sub (0.00s)
        add_test.go:9: sub
FAIL
FAIL\texample.com/x/calc\t0.002s
ok  \texample.com/x/other\t0.001s
FAIL
"""
JEST = """\
FAIL src/add.test.js
  ● adds › one

    expect(received).toBe(expected)

      at Object.<anonymous> (src/add.test.js:4:5)

Tests:       1 failed, 2 passed, 3 total
"""


@pytest.mark.parametrize(
    ("name", "output", "failed"),
    [
        ("go", GO, [("TestAdd", "calc/add_test.go:6", "got 1, want 2"), ("TestAdd/sub", "calc/add_test.go:9", "sub")]),
        ("npm", JEST, [("src/add.test.js", None, ""), ("adds › one", "src/add.test.js:4", "")]),
    ],
)
def test_output_of_runners_that_may_not_be_here(desk, name: str, output: str, failed) -> None:
    desk.write("calc/add_test.go", "")
    desk.write("src/add.test.js", "")
    runner = next(each for each in testing.RUNNERS if each.name == name)
    found = [testing._located(each, desk.folder, desk.folder) for each in runner.failures(output)]
    assert [(each.name, str(each.place) if each.place else None, each.message) for each in found] == failed


# ---------------------------------------------------------------- which runner, which interpreter


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"pytest.ini": ""}, ["pytest"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["pytest"]),
        ({"pyproject.toml": "[tool.ruff]\n"}, []),
        ({"setup.cfg": "[tool:pytest]\n"}, ["pytest"]),
        ({"tests/conftest.py": ""}, ["pytest"]),
        ({"tests/unit/test_a.py": "import pytest\n"}, ["pytest"]),
        ({"test_a.py": "def test_x(): assert False\n"}, ["pytest"]),
        ({"test_a.py": "class TestX:\n    def test_y(self): pass\n"}, ["pytest"]),
        ({"test_a.py": "from unittest import TestCase\n", "test_b.py": "def test_x(): pass\n"}, ["pytest", "unittest"]),
        ({"test_a.py": "x = 1\n"}, []),
        ({"test_a.py/readme": "unittest"}, []),
        ({"tests/test_a.py": "import unittest\n"}, ["unittest"]),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, ["npm"]),
        ({"package.json": '{"scripts": {"build": "x"}}'}, []),
        ({"go.mod": "", "Cargo.toml": ""}, ["go", "cargo"]),
        ({}, []),
    ],
)
def test_a_runner_is_recognised_by_its_marks(desk, files: dict[str, str], found: list[str]) -> None:
    for path, text in files.items():
        desk.write(path, text)
    assert [runner.name for runner in runners(desk.ctx.workspace.roots[0], desk.folder)] == found


async def test_a_selection_decides_between_runners(desk) -> None:
    desk.write("pytest.ini", "")
    desk.write("package.json", '{"scripts": {"test": "jest"}}')
    shown = desk.tools.find("test").shown
    assert "pytest" in shown(desk.ctx, {}).argv
    assert shown(desk.ctx, {"selection": ["src/a.test.ts"]}).argv[-2:] == ("--", "src/a.test.ts")
    assert "unittest" in shown(desk.ctx, {"runner": "unittest"}).argv


def test_no_test_is_looked_for_through_a_link_that_leads_outside(desk, tmp_path: Path) -> None:
    (tmp_path / "test_out.py").write_text("import pytest\n")
    (desk.folder / "test_in.py").symlink_to(tmp_path / "test_out.py")
    assert runners(desk.ctx.workspace.roots[0], desk.folder) == ()


async def test_no_tests_and_a_folder_outside(desk) -> None:
    with pytest.raises(ToolError, match="no tests found here for pytest, unittest, npm, go, cargo"):
        await desk.call("test")
    with pytest.raises(PathRefused):
        await desk.call("test", folder="../..")


def test_the_folders_own_interpreter_comes_first(desk, monkeypatch, tmp_path: Path) -> None:
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    active = tmp_path / "active"
    (active / inside).parent.mkdir(parents=True)
    (active / inside).touch()
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv(
        "PATH", str(Path(shutil.which("python3") or sys.executable).parent) + os.pathsep + os.environ["PATH"]
    )
    assert python(desk.folder) == (shutil.which("python3") or shutil.which("python"))
    monkeypatch.setenv("VIRTUAL_ENV", str(active))
    assert python(desk.folder) == str(active / inside)
    desk.write(f".venv/{inside}", "")
    assert python(desk.folder) == str(desk.folder / ".venv" / inside)
    monkeypatch.delenv("VIRTUAL_ENV")
    shutil.rmtree(desk.folder / ".venv")
    monkeypatch.setenv("PATH", "")
    assert python(desk.folder) == sys.executable
