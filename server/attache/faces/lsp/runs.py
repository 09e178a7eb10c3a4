"""Runs begun from the editor: shown as progress while they go on, told as Markdown when they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attache.faces.lsp.progress import Work
from attache.schema.errors import Interrupted, ProviderError
from attache.schema.events import Entry, MessageAdded, RunFinished, ToolFinished, ToolStarted
from attache.schema.messages import Part
from attache.schema.models import Usage
from attache.security.approvals import visible

if TYPE_CHECKING:
    from attache.agent.approvals import Approver
    from attache.agent.session import Session
    from attache.workspace.workspace import Workspace

THOUSAND: Final = 1000


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
    story = Story(work)
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
            return story.told(finished)


class Story:
    """One run, as a chat document tells it and as progress sums it up."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lines: list[str] = []
        self._answer = ""
        self._usage = Usage()
        self._cost = 0.0

    def follow(self, entry: Entry) -> None:
        """Take in an event."""
        match entry.event:
            case ToolStarted() as event:
                self._work.say(self._sum(visible(f"{event.name} {event.title}".strip())))
            case ToolFinished() as event:
                mark = "✗" if event.is_error else "✎" if event.change_set else "✓"
                spent = f" · {event.seconds:.1f} s"
                what = visible(event.title or _first_line(event.text))
                self._lines.append(f"- {mark} **{visible(event.name)}** {what}{spent}")
            case MessageAdded(message=message, usage=usage, cost_usd=cost) if message.role == "assistant":
                self._usage += usage or Usage()
                self._cost += cost
                self._answer = message.text or self._answer
                self._work.say(self._sum("thinking"))
            case _:
                pass

    def told(self, finished: RunFinished) -> str:
        """Return the whole as Markdown."""
        usage = finished.usage
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        turns = f"{finished.turns} turn{'s' * (finished.turns != 1)}"
        cost = f" · ${finished.cost_usd:.3f}" if finished.cost_usd else ""
        foot = f"<sub>{turns} · {usage.input_tokens:,} tokens in{cached} · {usage.output_tokens:,} out{cost}</sub>"
        return "\n\n".join(part for part in ("\n".join(self._lines), self._answer.strip(), foot) if part)

    def _sum(self, doing: str) -> str:
        tokens = self._usage.input_tokens + self._usage.output_tokens
        spent = f" · {tokens / THOUSAND:.1f}k tokens" if tokens else ""
        return f"{doing}{spent}" + (f" · ${self._cost:.2f}" if self._cost else "")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:80]
