"""A real agent on a folder of its own: scripted model, real tools, real log, real index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.errors import ApprovalNeeded
from attache.schema.session import Approval, ApprovalAnswer, ApprovalChoice

Start = Callable[..., AbstractAsyncContextManager[Orchestrator]]


class Person:
    """An approver that answers as told and remembers what it was shown."""

    def __init__(self, *choices: ApprovalChoice) -> None:
        self.choices = list(choices)
        self.shown: list[Approval] = []

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        self.shown.append(approval)
        if not self.choices:
            raise ApprovalNeeded("nobody is there")
        return ApprovalAnswer(approval_id=approval.id, digest=approval.digest, choice=self.choices.pop(0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.fixture
def start(tmp_path: Path, folder: Path) -> Start:
    """From a script's turns to a running agent."""

    @asynccontextmanager
    async def begin(
        turns: list[dict[str, Any]],
        *,
        person: Person | None = None,
        script: str = "script.json",
        trusted: bool = False,
        **settings: Any,
    ) -> AsyncIterator[Orchestrator]:
        path = tmp_path / script
        path.write_text(json.dumps({"turns": turns}), "utf-8")
        environ = {"ATTACHE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
        overrides = {"model": f"scripted/{path}", "approve": "edits", **settings}
        loaded = load(folder, overrides=overrides, environ=environ, trusted=trusted)
        async with Orchestrator(loaded, cwd=folder, approver=person) as agent:
            yield agent

    return begin
