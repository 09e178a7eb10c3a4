"""The house keeps its shape: sizes, names, lightness. Growth past a bound here is a decision, taken in an ADR."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "server" / "attache"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = [module for module in MODULES if "/sample/" not in module.as_posix()]
MODULE_LINES, MODULE_LINES_MEDIAN, FUNCTION_LINES, MODULE_COUNT = 500, 130, 70, 500
BANNED = re.compile(r"(Manager|Coordinator|Handler|Helper|Util|Utils|Base|Impl|Service|Factory)$")
HEAVY = ("anthropic", "openai", "lancedb", "pyarrow", "sqlalchemy", "alembic", "mcp", "langgraph", "genai_prices")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", CODE, ids=_name)
def test_a_module_is_small_and_says_what_it_is_for(module: Path) -> None:
    text = module.read_text("utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= MODULE_LINES, f"{_name(module)} wants splitting by noun"
    assert ast.get_docstring(tree), f"{_name(module)} has no sentence on what it is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES, f"{_name(module)}:{node.lineno}: {node.name} has {lines} lines"
        if isinstance(node, ast.ClassDef):
            assert not BANNED.search(node.name), (
                f"{_name(module)}:{node.lineno}: {node.name} says what it is, not what it does"
            )


def test_the_package_is_small() -> None:
    sizes = [module.read_text("utf-8").count("\n") for module in CODE]
    assert len(CODE) <= MODULE_COUNT
    assert statistics.median(sizes) <= MODULE_LINES_MEDIAN


def test_imports_for_types_alone_point_down_too() -> None:
    layers = ["__main__", "faces", "app", "agent", "tools", "providers index security prompts", "storage workspace"]
    height = {name: -level for level, names in enumerate([*layers, "foundation", "schema"]) for name in names.split()}
    wrong: list[str] = []
    for module in CODE:
        own = module.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for block in ast.walk(ast.parse(module.read_text("utf-8"))):
            if not (isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"):
                continue
            for node in block.body:
                target = (getattr(node, "module", "") or "").split(".")
                if own in height and target[0] == "attache" and len(target) > 1 and target[1] != own:
                    wrong += [f"{_name(module)}: {target}"] * (height[target[1]] >= height[own])
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    left = [
        f"{_name(module)}:{number}"
        for module in CODE
        for number, line in enumerate(module.read_text("utf-8").splitlines(), 1)
        if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line)
    ]
    assert left == []


@pytest.mark.parametrize(
    "module", ["attache", "attache.__main__", "attache.faces.lsp.start", "attache.agent.orchestrator"]
)
def test_importing_stays_light(module: str) -> None:
    script = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(run.stdout)}
    assert loaded.isdisjoint(HEAVY), f"{module} imports {sorted(loaded & set(HEAVY))}"


def test_the_version_costs_nothing() -> None:
    script = "import json, sys; sys.argv = ['attache', '--version']; from attache.__main__ import main; main(); print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    said, modules = run.stdout.splitlines()
    assert re.fullmatch(r"attache \d+\.\d+\.\d+\S*", said)
    assert {"pydantic", "asyncio", "typer"}.isdisjoint(json.loads(modules))


def test_the_repository_speaks_of_the_product_alone() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    banned = re.compile(
        rb"/(?:root|home/[a-z]+|opt)/(?!\.)|/work/(?:main|shared)|files\.pythonhosted|registry\.npmjs|--index-url",
        re.IGNORECASE,
    )
    found: list[str] = []
    for name in tracked.stdout.splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        found += [f"{name}: {match.group().decode()}" for match in banned.finditer(path.read_bytes())]
    assert found == []
