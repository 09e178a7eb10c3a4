"""The process as a whole: it builds everything once, closes it in reverse, and tells its health."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from attache.agent.approvals import Approver, Nobody
from attache.agent.open import open_resources
from attache.agent.orchestrator import Orchestrator
from attache.agent.resources import Findings, Resources
from attache.foundation.settings import Settings
from attache.schema.errors import UserError
from attache.workspace.workspace import Workspace

FACES = {"lsp": "attache.faces.lsp.start"}
"""Faces that the command line starts by name: each module has `main(arguments) -> exit code`."""


def start_face(name: str, arguments: list[str]) -> int:
    """Run the face `name` until it ends and return its exit code. Raises UserError where there is no such face."""
    if name not in FACES:
        raise UserError(f"no face is called {name!r}", hint="there are: " + ", ".join(FACES))
    return cast("int", import_module(FACES[name]).main(arguments))


@dataclass(frozen=True, slots=True)
class App:
    """What one process holds."""

    settings: Settings
    resources: Resources
    orchestrator: Orchestrator

    def health(self) -> dict[str, str]:
        """Return each part's state in a word or two."""
        index = self.resources.index.status()
        return {
            "index": f"{index.state}, {index.files} files" + (f" ({index.error})" if index.error else ""),
            "log": str(self.settings.home),
            "workspace": ", ".join(str(root.path) for root in self.resources.workspace.roots),
        }


@asynccontextmanager
async def open_app(
    settings: Settings,
    cwd: Path,
    *,
    approver: Approver | None = None,
    workspace: Workspace | None = None,
    findings: Findings | None = None,
) -> AsyncGenerator[App]:
    """Yield the app for one workspace; a face hands in what it brings: its workspace, its approver."""
    more = {} if findings is None else {"findings": findings}
    async with open_resources(settings, cwd, workspace=workspace, **more) as resources:
        orchestrator = Orchestrator(settings, cwd=cwd, approver=approver or Nobody(), resources=resources)
        async with orchestrator:
            yield App(settings=settings, resources=resources, orchestrator=orchestrator)
