"""A workspace in a real folder with a real editor's habits, and the tools to work on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from attache.foundation.ids import new_id
from attache.foundation.settings import Settings
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, FileChange, Landed
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, Tools
from attache.workspace.documents import Buffers
from attache.workspace.workspace import Workspace
from workspace.clients import Editor


@dataclass(slots=True)
class Desk:
    """A folder, the editor that has some of it open, and the tools."""

    folder: Path
    editor: Editor
    ctx: Context
    tools: Tools

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def text(self, path: str) -> str:
        return (self.folder / path).read_bytes().decode()

    def open(self, path: str, text: str | None = None) -> Uri:
        return self.editor.open(self.folder / path, text)

    def shown(self, uri: Uri) -> str:
        return self.editor.screens[uri].text

    def set(self, **changes: Any) -> None:
        self.ctx = replace(self.ctx, settings=self.ctx.settings.model_copy(update=changes))

    async def call(self, called: str, /, **arguments: Any) -> ToolOutput:
        tool = self.tools.find(called)
        return await tool.call(self.ctx, tool.validate(arguments))


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools.discover()


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path, tools: Tools) -> AsyncIterator[Desk]:
    folder = tmp_path / getattr(request, "param", "my work #1")
    folder.mkdir()
    buffers = Buffers()
    editor = Editor(buffers)
    workspace = Workspace((folder,), home=tmp_path / "home", buffers=buffers, editor=editor)

    async def land(title: str, files: Sequence[FileChange]) -> Landed:
        return await workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=tuple(files)))

    settings = Settings(home=tmp_path / "home")
    yield Desk(folder, editor, Context(workspace=workspace, settings=settings, land=land), tools)
    workspace.close()
