"""What the sessions of one process share: the workspace, its index, the models, the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attache.foundation.settings import Settings
from attache.index.client import Index
from attache.providers.catalog import Catalog
from attache.schema.documents import Diagnostic
from attache.storage.log import SessionLog
from attache.tools.tool import Tools
from attache.workspace.review import Review
from attache.workspace.workspace import Workspace

Findings = Callable[[str], Awaitable[tuple[Diagnostic, ...]]]
"""From a path to what the editor's language servers say about it."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Built once by `open_resources`, handed to every session."""

    settings: Settings
    catalog: Catalog
    log: SessionLog
    workspace: Workspace
    review: Review
    index: Index
    tools: Tools
    findings: Findings
