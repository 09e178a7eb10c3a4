"""A session's events on their way to the client: text gathered to one message a frame, whatever the token rate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from attache.agent import acp
from attache.agent.context import shares
from attache.schema.errors import AttacheError
from attache.schema.events import (
    ChangeLanded,
    Entry,
    Event,
    MessageAdded,
    RunFinished,
    RunStarted,
    SessionConfigured,
    TextStreamed,
    ThinkingStreamed,
    ToolStreamed,
)

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

FRAME_SECONDS: Final = 1 / 60


class Feed:
    """What one client hears of one session."""

    def __init__(self, server: Server, session: Session) -> None:
        self.tell = False
        """Whether the client wants `attache/session/update`."""
        self.session = session
        self._server = server
        self._gathered: Entry | None = None
        self._text: list[str] = []
        self._used = 0
        self._shares: dict[str, int] = {}
        session.subscribe(self._take)

    def _take(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, ChangeLanded) and event.landed is not None:
            self._server.steps.add(event.landed, self.session)
        if self.tell and isinstance(event, TextStreamed | ThinkingStreamed | ToolStreamed):
            self._gather(entry, event)
            return
        self._flush()
        update = acp.update(entry) if self.tell else None
        if update is not None:
            self._server.peer.notify("attache/session/update", update)
        if isinstance(event, MessageAdded) and event.usage is not None:
            self._used = event.usage.input_tokens + event.usage.output_tokens
            self._shares = shares(self.session.state.messages, self._used)
        if isinstance(event, RunStarted | MessageAdded | RunFinished | SessionConfigured):
            self._server.peer.notify("attache/status", self._status(), paint=True)

    def _gather(self, entry: Entry, event: TextStreamed | ThinkingStreamed | ToolStreamed) -> None:
        if self._gathered is not None and not _goes_on(self._gathered.event, event):
            self._flush()
        if self._gathered is None:
            self._gathered = entry
            asyncio.get_running_loop().call_later(FRAME_SECONDS, self._flush)
        self._text.append(event.text)

    def _flush(self) -> None:
        if self._gathered is None:
            return
        event = self._gathered.event.model_copy(update={"text": "".join(self._text)})
        update = acp.update(self._gathered.model_copy(update={"event": event}))
        self._gathered = None
        self._text.clear()
        self._server.peer.notify("attache/session/update", update, paint=True)

    def _status(self) -> dict[str, object]:
        state = self.session.state
        return {
            "sessionId": state.id,
            "model": state.model,
            "mode": state.mode,
            "running": state.run_id is not None,
            "inputTokens": state.usage.input_tokens,
            "outputTokens": state.usage.output_tokens,
            "costUsd": state.cost_usd,
            "contextTokens": self._used,
            "contextShares": self._shares,
            "contextSize": self._window(),
        }

    def _window(self) -> int | None:
        """Return how many tokens the model holds; None until it has answered, and where nobody knows."""
        if not self._used:
            return None
        try:
            return self.session.resources.catalog.open(self.session.state.model).info.context_tokens
        except AttacheError:
            return None


def _goes_on(before: Event, event: TextStreamed | ThinkingStreamed | ToolStreamed) -> bool:
    """Whether a piece belongs to what was gathered before it."""
    if isinstance(before, ToolStreamed) and isinstance(event, ToolStreamed):
        return before.call_id == event.call_id
    return type(before) is type(event)
