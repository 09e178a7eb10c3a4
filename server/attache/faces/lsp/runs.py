"""Runs begun for the sake of what they change: shown as progress, told as Markdown when they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attache.faces.lsp.chat.story import Story
from attache.schema.errors import Interrupted, ProviderError

if TYPE_CHECKING:
    from attache.agent.approvals import Approver
    from attache.agent.session import Session
    from attache.faces.lsp.progress import Work
    from attache.schema.messages import Part
    from attache.workspace.workspace import Workspace


async def run(
    session: Session,
    parts: Sequence[Part],
    *,
    title: str,
    work: Work,
    workspace: Workspace | None = None,
    approver: Approver | None = None,
) -> str:
    """Let the session answer, and return what it did and said. Raises AttacheError where it failed."""
    story = Story(work.say)
    stop = session.subscribe(story.follow)
    try:
        finished = await session.run(parts, title=title, workspace=workspace, approver=approver)
    finally:
        stop()
    match finished.stop_reason:
        case "error" | "approval_needed" | "budget" | "edit_refused":
            raise ProviderError(finished.error or f"it stopped: {finished.stop_reason}", hint=finished.hint)
        case "interrupted":
            raise Interrupted("stopped")
        case _:
            return story.markdown()
