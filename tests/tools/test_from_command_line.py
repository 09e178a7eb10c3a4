"""Each tool for reading code, refactoring, analysis and tests does its work alone, from a command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attache.tools.tool import Tools
from tools.repositories import git, repository
from tools.test_catalogue import SAMPLES

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("ATTACHE_LONG"))
CODE = '''"""Code."""

import sys
import os


class Base:
    def area(self, w, h, unused=1):
        both = w * h
        print(both)
        return both


class Box(Base):
    pass


def never():
    return os.sep


print(Box().area(2, 3))
'''
CASES = {
    "rename": (["path=a.py", "line=8", "new_name=surface"], "renamed `Base.area` to `surface`"),
    "extract": (["path=a.py", "start_line=9", "end_line=10", "name=show"], "made function `show`"),
    "inline": (["path=b.py", "line=2"], "inlined `x` in 1 place"),
    "move_symbol": (["path=a.py", "line=18", "to_path=c.py"], "moved `never` from a.py to c.py"),
    "organize_imports": (["path=a.py"], "a.py now says"),
    "change_signature": (["path=a.py", "line=8", "action=remove", "parameter=unused"], "removed `unused` from `area`"),
    "definition": (["path=a.py", "line=22", "name=Box"], "a.py:14"),
    "hover": (["path=a.py", "line=22", "name=Box"], "class Box(Base)"),
    "references": (["name=area"], "a.py:8:9 definition in Base"),
    "symbols": (["name=Box"], "a.py:14-15 class Box"),
    "search": (["query=width times height area"], "Base.area"),
    "grep": ([r"pattern=class \w+"], "2 hits in 1 file"),
    "diagnostics": (['paths=["a.py"]'], "a.py:3:8 warning F401 `sys` imported but unused"),
    "fix": (["path=a.py", "line=3"], "Remove unused import: `sys`"),
    "review": (['paths=["test_a.py"]'], "nothing found in 1 file"),
    "test": (['selection=["test_a.py"]'], "pytest: 1 passed"),
    "outline": (["path=a.py"], "class Box(Base)"),
    "overview": ([], "3 files, 30 lines"),
    "metrics": (["path=a.py"], "Base.area · complexity 1"),
    "import_graph": (["path=b.py"], "b.py imports"),
    "dead_code": (["path=a.py"], "function never"),
    "hierarchy": (["name=Base"], "▾ a.py:14 Box(Base)"),
    "callers": (["name=area", "depth=2"], "1 caller"),
    "similar": (["least=0.5"], "at least 50% alike"),
    "discover_tests": ([], "test_a.py::test_one"),
    "coverage": (["path=b.py", "selection=test_a.py"], "b.py: "),
    "generate_tests": (["path=b.py", "name=f", "to_path=test_f.py"], "to fill in, for `f`"),
    "bisect_failure": (["selection=test_a.py", 'command=["false"]', "good=HEAD~1"], "do not pass either"),
}
"""Tool: its arguments, and what it says."""


def test_each_tool_is_called_from_a_command_line_by_one_of_the_two_tables() -> None:
    assert {tool.spec.name for tool in Tools.discover()} == CASES.keys() | SAMPLES.keys()


@pytest.mark.parametrize("name", CASES if LONG else list(CASES)[::9])
def test_a_tool_runs_alone(tmp_path: Path, name: str) -> None:
    work = tmp_path / "wörk #1"
    work.mkdir()
    (work / "a.py").write_text(CODE)
    (work / "b.py").write_text("def f():\n    x = 1\n    return x\n")
    (work / "test_a.py").write_text("from b import f\n\n\ndef test_one():\n    assert f() == 1\n")
    if name == "bisect_failure":
        repository(work)
        git(work, "commit", "-qm", "second", "--allow-empty")
    given, said = CASES[name]
    command = [sys.executable, "-m", "attache", "tool", "run", name, *given, "--approve", "all"]
    env = {
        **os.environ, "ATTACHE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT / "server"), "NO_COLOR": "1",
        "VIRTUAL_ENV": sys.prefix,
    }  # fmt: skip
    run = subprocess.run(
        command, cwd=work, env=env, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
    )
    assert said in run.stdout + run.stderr, run.stdout + run.stderr
    assert run.returncode == (1 if name == "bisect_failure" else 0), run.stderr
