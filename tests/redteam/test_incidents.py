"""Every class of incident that is known of coding agents has a case or a test here that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="the incidents are YAML")

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
INCIDENTS = yaml.safe_load((FOLDER / "incidents.yaml").read_text("utf-8"))
CLASSES = 27


def test_every_class_is_there_once() -> None:
    assert len({incident["id"] for incident in INCIDENTS}) == len(INCIDENTS) == CLASSES


@pytest.mark.parametrize("incident", [pytest.param(each, id=each["id"]) for each in INCIDENTS])
def test_an_incident_has_tests_that_exist(incident: dict[str, list[str]]) -> None:
    assert incident["seen"]
    assert incident["tests"]
    known = {
        case["id"] for path in (FOLDER / "cases").glob("*.yaml") for case in yaml.safe_load(path.read_text("utf-8"))
    }
    assert set(incident["cases"]) <= known
    for test in incident["tests"]:
        path, _, name = test.partition("::")
        tree = ast.parse((REPOSITORY / path).read_text("utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, f"{path} has no {name}"


def test_no_value_is_handed_to_a_shell() -> None:
    """No call in the package says `shell=True`, or goes by `os.system` and its like."""
    for path in (REPOSITORY / "server" / "attache").rglob("*.py"):
        text = path.read_text("utf-8")
        if not re.search(r"shell\s*=|os\.system|os\.popen|create_subprocess_shell|getoutput", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"os.system", "os.popen", "subprocess.getoutput"}, f"{path}:{node.lineno}"
                assert not called.endswith("create_subprocess_shell"), f"{path}:{node.lineno}"
                shells = [word for word in node.keywords if word.arg == "shell" and called.startswith("subprocess")]
                assert not shells, f"{path}:{node.lineno}"


def test_no_agent_runs_where_a_release_is_made() -> None:
    """What runs on somebody's push or issue names no agent and holds no token of a model or a registry."""
    places = [REPOSITORY / ".ci", REPOSITORY / ".github"]
    files = [path for place in places if place.is_dir() for path in place.rglob("*") if path.is_file()]
    assert files, "nothing to look at"
    for path in files:
        text = path.read_text("utf-8", "replace")
        assert not re.search(r"(?i)attache (?:run|chat|ask|exec)\b|_API_KEY|_TOKEN|secrets\.", text), path


async def test_rules_are_read_without_the_characters_that_nobody_sees(tmp_path: Path) -> None:
    from attache.agent.prompt import Scene, rules
    from attache.foundation.settings import load
    from attache.workspace.workspace import Workspace

    (tmp_path / "AGENTS.md").write_text("Be\u200b kind\u202e\u2066.\U000e0041\U000e007f\n", "utf-8")
    workspace = Workspace([tmp_path], home=tmp_path / "home")
    settings = load(tmp_path, environ={"ATTACHE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}, trusted=True)
    try:
        assert (await rules(Scene(workspace, settings, "build"))).endswith(":\nBe kind.\n")
    finally:
        workspace.close()
