"""Skeletons of tests for real functions collect, and fail only with what a person has to fill in."""

from __future__ import annotations

import ast
import importlib.util
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from attache.providers.offline.skeleton import Subject, parsed, skeleton
from offline.conftest import Ask

PACKAGES = ("click", "packaging", "pluggy")
COUNT = 50


def copied(folder: Path) -> None:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec
        assert spec.origin
        shutil.copytree(Path(spec.origin).parent, folder / package, ignore=shutil.ignore_patterns("__pycache__"))


def names(folder: Path) -> Iterator[str]:
    """Yield the functions, methods and classes whose names stand for one thing."""
    seen: dict[str, int] = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                seen[node.name] = seen.get(node.name, 0) + 1
            if isinstance(node, ast.ClassDef):
                methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                for name in methods:
                    seen[f"{node.name}.{name}"] = seen.get(f"{node.name}.{name}", 0) + 1
    yield from sorted(name for name, count in seen.items() if count == 1 and "__" not in name)


async def test_fifty_real_functions(folder: Path, ask: Ask) -> None:
    copied(folder)
    chosen = random.Random(50).sample(list(names(folder)), COUNT)
    replies = await ask(*(f"write tests for `{name}`" for name in chosen))
    made = sorted((folder / "tests").glob("test_*.py"))
    refused = [reply.content for reply in replies if "now has a skeleton" not in reply.content]
    assert len(made) == COUNT, refused
    report = folder / "report.xml"
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "tests"]
    run = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 1, run.stdout
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
    assert len(cases) >= COUNT
    for case in cases:
        assert case.find("error") is None, ET.tostring(case)
        failure = case.find("failure")
        assert failure is None or failure.attrib["message"].startswith("AssertionError: fill in"), failure.attrib


@pytest.mark.parametrize(
    ("source", "owner", "call"),
    [
        ("def f(a: int, b: str = 'x', *, c: bool): ...", "", "f(a=1, c=True)"),
        ("def f(a, /, b: list[int] | None): ...", "", "f(..., b=[])"),
        ("def f(path: Path, db): ...", "", "f(path=tmp_path, db=db)"),
        ("def f(kind: Literal['a', 'b'], n: 'Optional[int]'): ...", "", "f(kind='a', n=1)"),
        ("async def f(a: float): ...", "", "asyncio.run(f(a=1.0))"),
        ("@classmethod\ndef f(cls, a: bytes): ...", "C", 'C.f(a=b"bytes")'),
        ("@staticmethod\ndef f(a: dict[str, int]): ...", "C", "C.f(a={})"),
        ("def f(self, a: int): ...", "C", "subject.f(a=1)"),
        ("@property\ndef f(self) -> int: ...", "C", "subject.f"),
    ],
)
def test_calls_have_what_must_be_given(source: str, owner: str, call: str) -> None:
    lines = source.split("\n")
    node = parsed(["x = 1", *lines], len(lines) + 1)
    assert node is not None
    text = skeleton(Subject("shop.cart", "f", node, owner), {"db"})
    compile(text, "test_f.py", "exec")
    assert f"assert {call} == expected" in text
    assert f"from shop.cart import {owner or 'f'}\n" in text
    assert ("tmp_path, db" in text.partition("(")[2]) == ("Path" in source)
