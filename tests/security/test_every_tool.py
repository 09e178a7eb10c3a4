"""Whatever tool there is, and whichever of its arguments a path is put into: nothing outside is read or changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.session import Approval, ApprovalAnswer
from attache.tools.tool import Tool, Tools

if sys.platform == "win32":
    pytest.skip("links as POSIX has them", allow_module_level=True)

SECRET = "CANARY-77ab01"
TEXT = f"{SECRET}\nname,value\n{SECRET},1\ndef secret(a, b):\n    return '{SECRET}'\n"
ENDINGS = ("txt", "py", "ipynb", "csv", "png", "pdf", "db", "json", "yml", "md", "tf")
WORDS = {
    "pattern": "CANARY",
    "query": "CANARY",
    "name": "secret",
    "new_name": "other",
    "content": "x",
    "command": "cat {}",
    "take": "ours",
}
"""What stands in arguments that are no paths, where something must."""
APART = frozenset(
    {"ask_user", "delegate", "investigate", "message", "fetch", "web_search", "http_request", "plan", "todo", "note"}
)
"""Tools that name no file; the network has cases of its own."""
LONG = os.environ.get("ATTACHE_LONG") == "1"


class Denier:
    """Says no."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        return ApprovalAnswer(approval_id=approval.id, digest=approval.digest, choice="deny")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Orchestrator, Path, Path]]:
    ws, outside = tmp_path / "ws", tmp_path / "outside"
    for folder in (ws / "src", ws / "links", outside):
        folder.mkdir(parents=True)
    for ending in ENDINGS:
        (outside / f"secret.{ending}").write_text(TEXT)
        (ws / "links" / f"secret.{ending}").symlink_to(outside / f"secret.{ending}")
    (ws / "way").symlink_to(outside)
    (ws / "src" / "app.py").write_text("def add(a, b):\n    return a + b\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q", "--template=", "."], ["add", "src"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=ws, check=True, capture_output=True)
    environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path / "state"), "PATH": os.environ["PATH"]}
    overrides = {"model": "offline", "approve": "edits", "language_servers": "off", "tool_timeout_seconds": 20}
    async with Orchestrator(load(ws, overrides=overrides, environ=environ), cwd=ws, approver=Denier()) as agent:
        yield agent, ws, outside


def values(schema: dict[str, Any], name: str, path: str) -> Any:
    """Return a value for an argument: the path wherever a text of no known meaning is wanted."""
    kinds = [schema, *schema.get("anyOf", [])]
    kind = next((each["type"] for each in kinds if each.get("type", "null") != "null"), "string")
    if "enum" in schema:
        return schema["enum"][0]
    match kind:
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "array":
            return [path]
        case "object":
            return {}
        case _:
            return WORDS.get(name, "{}").replace("{}", path)


def ways(tool: Tool, path: str) -> Iterator[dict[str, Any]]:
    """Yield arguments: the path in each that takes a text or several, what else is needed filled in."""
    given: dict[str, Any] = tool.spec.parameters.get("properties", {})
    needed = {name: values(given[name], name, path) for name in tool.spec.parameters.get("required", ())}
    if tool.spec.name in {"multi_edit", "edit"}:
        edits = [{"path": path, "search": SECRET, "replace": "x"}]
        yield (
            {"edits": edits}
            if tool.spec.name == "multi_edit"
            else {"path": path, "edits": [{"search": SECRET, "replace": "x"}]}
        )
        return
    if tool.spec.name == "apply_patch":
        yield {"patch": f"*** Begin Patch\n*** Update File: {path}\n@@\n-{SECRET}\n+x\n*** End Patch\n"}
        return
    for name, schema in given.items():
        value = values(schema, name, path)
        if path in str(value):
            yield {**needed, name: value}


def state(outside: Path) -> dict[str, str]:
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in outside.iterdir() if each.is_file()}


def test_every_tool_is_tried() -> None:
    tried = [tool for tool in Tools.discover() if any(ways(tool, "x"))]
    assert len(tried) > 50


async def test_no_tool_reads_or_changes_what_lies_outside(place: tuple[Orchestrator, Path, Path]) -> None:
    agent, _, outside = place
    before = state(outside)
    faults: list[str] = []
    runs = 0
    for number, tool in enumerate(each for each in agent.resources.tools if each.spec.name not in APART):
        paths = [
            path
            for ending in ENDINGS
            for path in (
                f"../outside/secret.{ending}",
                f"{outside}/secret.{ending}",
                f"links/secret.{ending}",
                f"way/secret.{ending}",
            )
        ] + ["way", "links", "..", str(outside), f"file://{outside}"]
        for path in paths if LONG else paths[number % 10 :: 10]:
            for arguments in ways(tool, path):
                output = await agent.execute_tool(tool.spec.name, **arguments)
                runs += 1
                told = f"{output.text} {output.title} {output.data}"
                if SECRET in told.replace(str(arguments), ""):
                    faults.append(f"{tool.spec.name} {arguments}: {told[max(told.find(SECRET) - 100, 0) :][:300]}")
        if state(outside) != before:
            faults.append(f"{tool.spec.name} changed {state(outside).items() ^ before.items()}")
            before = state(outside)
    print(f"{runs} calls")
    assert faults == []


class Swapper:
    """Allows what is asked, and swaps a folder for a link while the question stands."""

    def __init__(self, ws: Path, target: str) -> None:
        self.ws, self.target = ws, target

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        (self.ws / "notes").rename(self.ws / "old")
        (self.ws / "notes").symlink_to(self.target)
        return ApprovalAnswer(approval_id=approval.id, digest=approval.digest, choice="allow_once")


@pytest.mark.parametrize("name", ["config", "fresh"])
@pytest.mark.parametrize("target", [".git", "../outside", "src"])
async def test_a_link_that_is_swapped_in_while_the_question_stands_leads_nowhere(
    place: tuple[Orchestrator, Path, Path], target: str, name: str
) -> None:
    agent, ws, outside = place
    (ws / "notes").mkdir()
    (ws / "notes" / "config").write_text("x\n")
    before = [state(outside), state(ws / ".git"), state(ws / "src")]
    settings = agent.resources.settings.model_copy(update={"approve": "ask"})
    async with Orchestrator(settings, cwd=ws, approver=Swapper(ws, target)) as other:
        output = await other.execute_tool("write", path=f"notes/{name}", content="mine\n")
    assert output.is_error
    assert [state(outside), state(ws / ".git"), state(ws / "src")] == before
