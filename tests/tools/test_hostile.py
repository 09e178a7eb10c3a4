"""What a hostile or confused model may hand to a tool: each of them answers, or refuses in words; none of them breaks.

`ATTACHE_LONG=1` makes every call; by default each argument of each tool is checked, and a seeded share is carried out.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.errors import InvalidArguments
from attache.tools.tool import Tool, Tools
from tools.repositories import git, repository
from tools.test_catalogue import PLAN, SAMPLES
from tools.test_from_command_line import CASES, CODE

LONG = os.environ.get("ATTACHE_LONG") == "1"
SEED = int(os.environ.get("ATTACHE_SEED", "3"))
SHARE = 90
SECONDS_MOST = 90.0
"""Within which a call has to come back, however busy the machine is; a regex that explodes is stopped after 20."""
LONGEST = 2_000
"""Characters of a refusal."""
LONGEST = 2_000
"""Characters of a refusal."""
SLOW = {"test", "coverage", "bisect_failure", "delegate", "investigate", "message"}
"""Tools that start programs or agents: only with ATTACHE_LONG=1."""
ONLINE = {"add_dependency", "audit", "outdated"}
"""Tools that ask a package registry: that is slow, and what it has is not ours to say."""
TOOLS = {each.spec.name: each for each in Tools.discover()}
BUG = "this is a fault of the tool"
WORDS = (
    "", " ", "\n", "\0", "a\0b.py", "../outside/secret.txt", "..", "OUTSIDE", "OUTSIDE/secret.txt", "link.txt", "links",
    "links/secret.txt", "sub", "sub/", "a.py/x", "a.py", "x" * 300, "y/" * 3000, "é\udcff", "(a+)+$", "[", "*" * 60,
    "{" * 40, "-rf", "--help", "~", "C:\\x", "file:///nowhere", "%00", "\u202e", "a" * 100_000,
)  # fmt: skip
NUMBERS = (0, -1, 1, 7, 10**6, 10**12, 10**30, -(10**30))
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (1, True, [], {}, 1.5),
    "integer": ("x", [], {}, 1.5, float("nan"), "1" * 5000),
    "number": ("x", [], {}),
    "boolean": ("perhaps", [], {}, 7),
    "array": (1, {}, [[[]]], [{}], [1.5]),
    "object": (1, [], "x"),
}
"""What no argument of a type is."""


def sample_of(name: str) -> dict[str, Any]:
    """Return arguments that work for a tool."""
    if name in SAMPLES:
        return dict(SAMPLES[name].arguments)
    pairs = (word.split("=", 1) for word in CASES[name][0])
    return {key: _value(TOOLS[name], key, value) for key, value in pairs}


def _value(tool: Tool, key: str, text: str) -> Any:
    kind = tool.spec.parameters["properties"][key].get("type")
    return text if kind == "string" else [text] if kind == "array" and not text.startswith("[") else json.loads(text)


def wrong_calls(tool: Tool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield for each argument calls in which it is of another type, with its name."""
    for key, schema in tool.spec.parameters.get("properties", {}).items():
        for value in WRONG.get(schema.get("type", ""), ()):
            yield key, {**sample_of(tool.spec.name), key: value}
        if "enum" in schema:
            yield key, {**sample_of(tool.spec.name), key: "none of them"}


def odd_calls(tool: Tool) -> Iterator[dict[str, Any]]:
    """Yield calls of the right types with values that nobody expects."""
    for key, schema in tool.spec.parameters.get("properties", {}).items():
        for value in _odd(schema):
            yield {**sample_of(tool.spec.name), key: value}
    yield {}
    yield dict.fromkeys(tool.spec.parameters.get("properties", {}), None)


def _odd(schema: dict[str, Any]) -> Iterator[Any]:
    match schema:
        case {"enum": choices}:
            yield from choices
        case {"anyOf": several}:
            for each in several:
                yield from _odd(each)
        case {"type": "string"}:
            yield from WORDS
        case {"type": "integer" | "number"}:
            yield from NUMBERS
        case {"type": "array", "items": items}:
            yield []
            for value in _odd(items):
                yield [value]
            yield [*_odd(items)][:1] * 1000
        case {"type": "object", "properties": inside}:
            yield {}
            for key in inside:
                for value in _odd(inside[key]):
                    yield {**dict.fromkeys(inside, "a.py"), key: value}
        case _:
            yield True


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    texts = {
        "a.py": CODE, "b.py": "def f():\n    x = 1\n    return x\n", "c.py": "c = 1\n", "gone.py": "g = 1\n",
        "test_a.py": "from b import f\n\n\ndef test_one():\n    assert f() == 1\n", "notes.txt": "old\n",
        "t.csv": "day,cups\nmon,1\n", "plan.json": json.dumps(PLAN), "sub/k8s.yaml": "kind: Service\n",
        "n.ipynb": '{"cells": [], "nbformat": 4, "nbformat_minor": 4, "metadata": {}}', "Dockerfile": "FROM python\n",
        "web/package.json": '{"name": "web", "private": true}', "empty": "", "odd.py": "def (\n\0\n",
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "binary.bin").write_bytes(bytes(range(256)) * 40)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("stays outside\n")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "links").symlink_to(outside)
    repository(folder)
    git(folder, "commit", "-qm", "second", "--allow-empty")
    return folder


def refusal(tool: Tool, arguments: dict[str, Any]) -> InvalidArguments | None:
    try:
        tool.validate(arguments)
    except InvalidArguments as refused:
        return refused
    return None  # pydantic takes `"7"` for 7


@pytest.mark.parametrize("name", TOOLS)
def test_what_is_of_another_type_is_refused_with_its_place_in_the_schema_and_an_example(name: str) -> None:
    tool = TOOLS[name]
    for key, arguments in wrong_calls(tool):
        if refused := refusal(tool, arguments):
            assert f"{name}.{key}" in refused.message, arguments
            assert refused.hint.startswith("for example {"), arguments
            assert len(refused.message) < LONGEST, arguments
    assert refusal(tool, {"no such argument": 1})


def chosen() -> list[tuple[str, dict[str, Any]]]:
    left = ONLINE if LONG else ONLINE | SLOW
    calls = [(name, call) for name, tool in TOOLS.items() if name not in left for call in odd_calls(tool)]
    return calls if LONG else random.Random(SEED).sample(calls, SHARE)


def restore(base: Path, work: Path) -> None:
    for name in ("link.txt", "links"):
        (work / name).unlink(missing_ok=True)
    shutil.copytree(base, work, symlinks=True, dirs_exist_ok=True)


async def test_no_argument_breaks_a_tool_or_leads_outside(tmp_path: Path, work: Path) -> None:
    environ = {"ATTACHE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "VIRTUAL_ENV": sys.prefix}
    settings = load(work, overrides={"approve": "all", "model": "offline/offline"}, environ={**os.environ, **environ})
    outside = tmp_path / "outside"
    base = tmp_path / "base"
    shutil.copytree(work, base, symlinks=True)
    broken: list[str] = []
    async with Orchestrator(settings, cwd=work) as agent:
        await agent.resources.index.ready(60)
        for name, call in chosen():
            arguments = json.loads(json.dumps(call).replace("OUTSIDE", outside.as_posix()))
            began = time.monotonic()
            output = await agent.execute_tool(name, **arguments)
            shown = f"{name} {json.dumps(arguments)[:200]}: {output.text[:300]!r}"
            if BUG in output.text or "Traceback (most" in output.text or time.monotonic() - began > SECONDS_MOST:
                broken.append(shown)
            if "stays outside" in output.text:
                broken.append(f"outside is read: {shown}")
            if TOOLS[name].spec.effect != "none":
                restore(base, work)
            if [each.name for each in outside.iterdir()] != ["secret.txt"]:
                broken.append(f"outside is changed: {shown}")
                break
    assert (outside / "secret.txt").read_text() == "stays outside\n"
    assert broken == []


@pytest.mark.parametrize(
    ("name", "arguments", "where"),
    [
        ("read", {"path": "a\0.py"}, "read.path: holds a NUL"),
        (
            "multi_edit",
            {"edits": [{"path": "a.py", "search": "x", "replace": "\0"}]},
            "multi_edit.edits.0.replace: holds",
        ),
        ("write", {"path": "a", "content": "é\udcff"}, "write.content: holds half of a surrogate pair"),
        ("delete", {"paths": ["a", "\0"]}, "delete.paths.1: holds a NUL"),
    ],
)
def test_what_is_no_text_is_refused_where_it_stands(name: str, arguments: dict[str, Any], where: str) -> None:
    refused = refusal(TOOLS[name], arguments)
    assert refused
    assert where in refused.message
    assert refused.hint.startswith("for example {")
