"""Every tool of the catalogue does something real by itself: through the whole pipeline, and from the command line."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.errors import InvalidArguments
from attache.tools.tool import Tools
from tools.repositories import git, repository

LONG = os.environ.get("ATTACHE_LONG") == "1"
SEED = int(os.environ.get("ATTACHE_SEED", "7"))
SHARE = 2
"""Tools that are started from the command line by default; all are with ATTACHE_LONG=1."""
CATEGORIES = {
    "files", "git", "shell", "web", "docs", "dependencies", "data", "devops", "security", "planning", "memory", "agents",
}  # fmt: skip
ROOT = Path(__file__).parents[2]
PLAN = {"format_version": "1.2", "resource_changes": [{"address": "a.b", "change": {"actions": ["create"]}}]}
BOOK = {
    "cells": [{"cell_type": "code", "source": ["x = 1"], "metadata": {}, "outputs": []}],
    "nbformat": 4,
    "nbformat_minor": 4,
    "metadata": {},
}


class Sample(NamedTuple):
    """A call that works, and words of its answer."""

    arguments: Mapping[str, Any]
    said: str
    fails: bool = False
    """Whether the answer says plainly why it cannot be done here: nobody there, nothing set, a private address."""
    program: str = ""
    """What must be installed."""


SAMPLES = {
    # files
    "read": Sample({"path": "a.py"}, "1\tx = 1"),
    "write": Sample({"path": "w.py", "content": "w = 1\n"}, "w.py"),
    "edit": Sample({"path": "a.py", "edits": [{"search": "x = 1", "replace": "x = 2"}]}, "x = 2"),
    "multi_edit": Sample({"edits": [{"path": "a.py", "search": "y = 2", "replace": "y = 3"}]}, "y = 3"),
    "apply_patch": Sample({"patch": "*** Begin Patch\n*** Add File: p.py\n+p = 1\n*** End Patch\n"}, "p.py"),
    "list": Sample({"depth": 1}, "a.py"),
    "find": Sample({"name": "*.csv"}, "t.csv"),
    "move": Sample({"path": "c.py", "new_path": "sub/d.py"}, "sub/d.py"),
    "delete": Sample({"paths": ["gone.py"]}, "gone.py is gone"),
    "edit_cell": Sample({"path": "n.ipynb", "cell": 1, "content": "x = 2"}, "n.ipynb"),
    # git
    "git_status": Sample({}, "branch main"),
    "git_diff": Sample({"rev": "HEAD~1"}, "+new"),
    "git_log": Sample({"limit": 1}, "second"),
    "git_show": Sample({"rev": "HEAD"}, "+new"),
    "git_blame": Sample({"path": "a.py", "line": 1}, "Ada"),
    "git_branches": Sample({}, "main"),
    "git_conflicts": Sample({"path": "conflict.txt"}, "conflict 1"),
    "resolve_conflict": Sample({"path": "conflict.txt", "take": "ours"}, "conflict.txt"),
    "git_commit": Sample({"message": "note", "paths": ["notes.txt"]}, "note"),
    "git_branch": Sample({"name": "work"}, "work"),
    "git_stash": Sample({"action": "save", "message": "later"}, "later"),
    "git_worktree": Sample({"path": "../tree"}, "tree"),
    "pr_text": Sample({"base": "HEAD~1"}, "title: second"),
    # shell
    "shell": Sample({"command": ["echo", "hello"], "view": "direct"}, "hello"),
    "run_readonly": Sample({"command": "wc -l a.py"}, "2 a.py", program="wc"),
    "list_jobs": Sample({}, "no job was begun"),
    "start_job": Sample({"command": "echo begun"}, "begun"),
    "job_output": Sample({"job": "j9"}, "no job j9", fails=True),
    "kill_job": Sample({"job": "j9"}, "no job j9", fails=True),
    # web
    "fetch": Sample({"url": "http://localhost:9/"}, "not of the internet", fails=True),
    "web_search": Sample({"query": "tea"}, "no search engine is set", fails=True),
    "http_request": Sample({"url": "http://localhost:9/"}, "cannot be reached", fails=True),
    # docs
    "doc_coverage": Sample({"path": "a.py"}, "documented"),
    "lookup": Sample({"name": "pydantic.BaseModel"}, "class BaseModel"),
    "changelog": Sample({"since": "HEAD~1"}, "Second"),
    # dependencies
    "list_dependencies": Sample({}, "1 dependency"),
    "outdated": Sample({"path": "web"}, "everything is up to date", program="npm"),
    "audit": Sample({"path": "rust"}, "cargo", fails=True),
    "add_dependency": Sample({"packages": ["./lib"], "path": "web"}, "added by npm install", program="npm"),
    # data
    "sql": Sample({"database": "d.db", "query": "SELECT 41 + 1 AS answer"}, "42"),
    "sql_execute": Sample({"database": "d.db", "statement": "INSERT INTO t VALUES (2)"}, "1 row changed"),
    "peek_table": Sample({"path": "t.csv"}, "2 rows"),
    "chart": Sample({"data": "t.csv", "x": "day", "y": ["cups"], "path": "t.svg"}, "t.svg"),
    # devops
    "check_dockerfile": Sample({}, "python is another image tomorrow"),
    "check_compose": Sample({}, "nginx is another image tomorrow"),
    "check_ci": Sample({}, "someone/thing@main"),
    "check_kubernetes": Sample({}, "metadata.name is missing"),
    "terraform_plan": Sample({"path": "plan.json"}, "1 to add"),
    # security
    "secret_scan": Sample({}, "1 secret"),
    "risky_calls": Sample({}, "S102"),
    # planning
    "plan": Sample({"steps": [{"text": "Look", "state": "in_progress"}]}, "1. [>] Look"),
    "todo": Sample({"add": "Tell"}, "Tell"),
    "ask_user": Sample({"question": "Which?"}, "no person", fails=True),
    "note": Sample({"text": "the port is 80"}, "the port is 80"),
    "find_tool": Sample({"query": "commit"}, "git_commit"),
    "read_output": Sample({"output": "0" * 16}, "no output is kept", fails=True),
    # memory
    "list_memories": Sample({}, "nothing is remembered"),
    "remember": Sample({"text": "tests need a database"}, "remembered as"),
    "recall": Sample({"query": "database"}, "database"),
    "forget": Sample({"memory": "m_none"}, "nothing is remembered", fails=True),
    # agents
    "investigate": Sample({"task": "what is in a.py?", "turns": 3}, "s_"),
    "delegate": Sample({"task": "what is in a.py?", "turns": 3}, "s_"),
    "message": Sample({"agent": "s_none", "text": "hello"}, "sent out no agent", fails=True),
}  # fmt: skip
TOOLS = {each.spec.name: each for each in Tools.discover()}


def ready(name: str) -> Sample:
    sample = SAMPLES[name]
    if sample.program and not shutil.which(sample.program):
        pytest.skip(f"{sample.program} is not installed")
    return sample


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    texts = {
        "a.py": "x = 1\ny = 2\n", "c.py": "c = 1\n", "gone.py": "g = 1\n", "risk.py": "exec(input())\n", "notes.txt": "old\n",
        "t.csv": "day,cups\nmon,1\ntue,2\n", "n.ipynb": json.dumps(BOOK, indent=1), "plan.json": json.dumps(PLAN),
        "conflict.txt": "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n", "Dockerfile": "FROM python\nUSER a\n",
        "compose.yaml": "services: {web: {image: nginx}}\n", ".env.local": "KEY=sk-ant-api03-" + "Ab1" * 30 + "\n",
        ".github/workflows/ci.yml": "on: push\npermissions: {}\njobs: {a: {runs-on: x, steps: [{uses: someone/thing@main}]}}\n",
        "k8s.yaml": "apiVersion: v1\nkind: Service\nspec: {}\n", "web/package.json": '{"name": "web", "private": true}',
        "web/lib/package.json": '{"name": "mylib", "version": "1.0.0"}', "rust/Cargo.lock": "version = 3\n",
        "rust/Cargo.toml": '[dependencies]\nserde = "1"\n',
    }  # fmt: skip
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with sqlite3.connect(folder / "d.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    repository(folder)
    (folder / "notes.txt").write_text("new\n")
    git(folder, "commit", "-qam", "second")
    (folder / "notes.txt").write_text("newer\n")
    return folder


def settings_of(tmp_path: Path, project: Path):
    environ = {"ATTACHE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    return load(project, overrides={"approve": "all", "model": "offline/offline"}, environ=environ)


def test_each_of_our_tools_has_a_sample() -> None:
    ours = {name for name, tool in TOOLS.items() if tool.spec.category in CATEGORIES}
    assert ours == SAMPLES.keys() & TOOLS.keys()
    assert SAMPLES.keys() <= TOOLS.keys()


@pytest.mark.parametrize("name", TOOLS)
def test_bad_input_gets_the_path_in_the_schema_and_an_example(name: str) -> None:
    with pytest.raises(InvalidArguments) as wrong:
        TOOLS[name].validate({"no_such_argument": 1})
    assert f"{name}.no_such_argument: no such argument" in wrong.value.message
    assert wrong.value.hint.startswith("for example {")


async def test_every_tool_runs_through_the_pipeline(tmp_path: Path, project: Path) -> None:
    failed: list[str] = []
    base = tmp_path / "base"
    shutil.copytree(project, base, symlinks=True)
    async with Orchestrator(settings_of(tmp_path, project), cwd=project) as agent:
        await agent.resources.index.ready()
        for name, sample in SAMPLES.items():
            if sample.program and not shutil.which(sample.program):
                continue
            output = await agent.execute_tool(name, **sample.arguments)
            if output.is_error != sample.fails or sample.said not in output.text:
                failed.append(f"{name}: {output.text[:300]}")
            if TOOLS[name].spec.effect != "none":
                git(project, "checkout", "-qf", "main", check=False)
                git(project, "reset", "-q", "--hard")
                shutil.copytree(base, project, symlinks=True, dirs_exist_ok=True)
    assert failed == []


def from_the_command_line() -> list[str]:
    runnable = sorted(name for name, sample in SAMPLES.items() if name != "recall" and not sample.program)
    return runnable if LONG else random.Random(SEED).sample(runnable, SHARE)


@pytest.mark.parametrize("name", from_the_command_line())
def test_a_tool_runs_from_the_command_line(tmp_path: Path, project: Path, name: str) -> None:
    sample = ready(name)
    words = [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in sample.arguments.items()
    ]
    known = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_BASE_URL"))}
    env = {**known, "ATTACHE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT / "server"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "attache", "tool", "run", name, *words, "--approve", "all"]
    run = subprocess.run(
        command,
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert sample.said in run.stdout + run.stderr
    assert (run.returncode != 0) == sample.fails, run.stderr
