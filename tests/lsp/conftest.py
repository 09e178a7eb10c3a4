"""Running servers for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lsp.client import Client

Attach = Callable[..., Awaitable[Client]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my project #1 ü%20"
    folder.mkdir()
    return folder


@pytest.fixture
async def attach(folder: Path, home: Path) -> AsyncIterator[Attach]:
    """Start a server and say hello as the profile named does."""
    clients: list[Client] = []

    async def attach(
        profile: str = "vscode", *, greet: bool = True, capabilities: object = None, **more: str
    ) -> Client:
        client = Client(folder, profile)
        await client.start(home, **more)
        clients.append(client)
        if greet:
            await client.hello(**({} if capabilities is None else {"capabilities": capabilities}))
        return client

    yield attach
    for client in clients:
        if client.process.returncode is None:
            client.process.kill()
        await client.ended()
        assert client.wrong == []


@pytest.fixture
def script(home: Path) -> Callable[..., dict[str, str]]:
    """Write what the model will say; give the environment that makes it the model."""

    def script(*turns: dict[str, object]) -> dict[str, str]:
        path = home / "script.json"
        path.write_text(json.dumps({"turns": turns}))
        return {"ATTACHE_MODEL": "scripted/test", "ATTACHE_SCRIPT": str(path)}

    return script


def call(name: str, **arguments: object) -> dict[str, object]:
    """A turn that calls one tool."""
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def edit(path: str, search: str, replace: str) -> dict[str, object]:
    """A turn that edits a file."""
    return call("edit", path=path, edits=[{"search": search, "replace": replace}])
