"""A folder, and the offline model on it through the real agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from attache.agent.orchestrator import Orchestrator, Reply
from attache.foundation.settings import load

Ask = Callable[..., Awaitable[list[Reply]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    return work


@pytest.fixture
def ask(tmp_path: Path, folder: Path) -> Ask:
    """Ask questions, each in a session of its own, and return the replies."""

    async def asking(*questions: str, mode: str = "build") -> list[Reply]:
        environ = {"ATTACHE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
        overrides = {"model": "offline/offline", "approve": "all", "mode": mode}
        replies: list[Reply] = []
        async with Orchestrator(load(folder, overrides=overrides, environ=environ), cwd=folder) as agent:
            for question in questions:
                session = await agent.session()
                replies.append(await agent.chat(question))
                await agent.close_session(session.id)
        return replies

    return asking
