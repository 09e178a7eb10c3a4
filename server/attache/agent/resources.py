"""What the sessions of one process share: the workspace, its index, the models, the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from attache.agent.likeness import Likeness
from attache.agent.run import Middleware
from attache.foundation.settings import Settings
from attache.index.folders import Indexes
from attache.providers.catalog import Catalog
from attache.schema.documents import Diagnostic
from attache.storage.checkpoints import Checkpoints
from attache.storage.ledger import Ledger
from attache.storage.log import SessionLog
from attache.storage.memories import Memories
from attache.tools.tool import Tools
from attache.workspace.jobs import Jobs
from attache.workspace.review import Review
from attache.workspace.servers.servers import Servers
from attache.workspace.workspace import Workspace

Findings = Callable[[str], Awaitable[tuple[Diagnostic, ...]]]
"""From a path to what the editor's language servers say about it."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Built once by `open_resources`, handed to every session."""

    settings: Settings
    catalog: Catalog
    log: SessionLog
    ledger: Ledger
    checkpoints: Checkpoints
    workspace: Workspace
    review: Review
    index: Indexes
    tools: Tools
    findings: Findings
    servers: Servers
    memories: Memories
    jobs: Jobs
    likeness: Likeness
    middleware: tuple[Middleware, ...] = ()

    def with_middleware(self, *steps: Middleware) -> Resources:
        """Return the same with these steps around every tool call, inside of those there are."""
        return replace(self, middleware=(*self.middleware, *steps))
