"""The agent as a library: sessions, chat and tools behind one object that every face uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from attache.agent.approvals import Approver, Nobody
from attache.agent.open import open_resources
from attache.agent.resources import Resources
from attache.agent.session import Session
from attache.agent.state import empty, replay
from attache.foundation.ids import new_id
from attache.foundation.settings import Settings
from attache.schema.data import CallId, Record, RunId, SessionId
from attache.schema.documents import Place
from attache.schema.errors import AttacheError, UserError
from attache.schema.events import (
    ApprovalAnswered,
    Entry,
    Event,
    RunFinished,
    SessionCreated,
    SessionRewound,
    ToolFinished,
)
from attache.schema.messages import Text, ToolCall
from attache.schema.models import Usage
from attache.schema.session import Mode, RunStop, Said, SessionInfo
from attache.schema.tools import ToolOutput


class Reply(Record):
    """What a chat came to."""

    content: str
    stop_reason: RunStop
    session_id: SessionId
    places: tuple[Place, ...] = ()
    """What the tools found and read, in order, each once."""
    usage: Usage = Usage()
    cost_usd: float = 0.0
    error: str = ""


class Orchestrator:
    """Sessions over one workspace.

    `async with Orchestrator(Settings.load(), cwd=".") as agent: reply = await agent.chat("…")`
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        cwd: str | Path = ".",
        approver: Approver | None = None,
        resources: Resources | None = None,
    ) -> None:
        """Prepare; nothing is opened before `async with`. `resources` stands in for what would be opened."""
        self._settings = settings
        self._cwd = Path(cwd).resolve()
        self._approver = approver or Nobody()
        self._given = resources
        self._stack = AsyncExitStack()
        self._sessions: dict[SessionId, Session] = {}
        self._default: Session | None = None

    async def __aenter__(self) -> Self:
        """Open what is needed, in order."""
        self.resources = self._given or await self._stack.enter_async_context(open_resources(self._settings, self._cwd))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every run, then close in reverse order."""
        for session in tuple(self._sessions.values()):
            await session.interrupt()
        await self._stack.aclose()

    # ------------------------------------------------------------ chat

    async def chat(self, text: str) -> Reply:
        """Ask, let the agent work, and return its answer. Calls share one session. Raises AttacheError."""
        session = await self.session()
        places: dict[str, Place] = {}

        def watch(entry: Entry) -> None:
            if isinstance(entry.event, ToolFinished):
                places.update({str(place): place for place in entry.event.places})

        stop = session.subscribe(watch)
        try:
            finished = await session.run((Text(text=text),))
        finally:
            stop()
        if finished.stop_reason in {"error", "approval_needed"}:
            raise AttacheError(finished.error, hint=finished.hint)
        answers = [message.text for message in session.state.messages if message.role == "assistant"]
        return Reply(
            content=answers[-1] if answers else "",
            stop_reason=finished.stop_reason,
            session_id=session.id,
            places=tuple(places.values()),
            usage=finished.usage,
            cost_usd=finished.cost_usd,
        )

    async def stream_chat(self, text: str) -> AsyncIterator[Entry]:
        """Ask, and yield every event as it happens, the last one `run.finished`. Leaving early stops the run."""
        session = await self.session()
        async for entry in _events_of(session, session.run((Text(text=text),))):
            yield entry

    async def execute_tool(self, name: str, /, **arguments: Any) -> ToolOutput:
        """Run one tool through the whole pipeline: policy, approval, redaction, record. A failure has `is_error`."""
        session = await self.session()
        return await session.run_tool(ToolCall(id=CallId(new_id("t")), name=name, arguments=arguments))

    # ------------------------------------------------------------ sessions

    async def session(self) -> Session:
        """Return the session that `chat` talks in, begun when first needed."""
        if self._default is None:
            self._default = await self.new_session()
        return self._default

    async def new_session(
        self, *, model: str = "", mode: Mode | None = None, approver: Approver | None = None
    ) -> Session:
        """Begin a session. Raises UnknownModel."""
        settings = self.resources.settings
        ref = model or settings.model or await self.resources.catalog.choose()
        self.resources.catalog.open(ref)
        session = Session(self.resources, empty(SessionId(new_id("s"))), approver or self._approver)
        await session.record(SessionCreated(cwd=str(self._cwd), model=ref, mode=mode or settings.mode))
        self._sessions[session.id] = session
        return session

    async def load_session(self, session_id: str, *, approver: Approver | None = None) -> Session:
        """Return a session as its log tells it, also one whose process was killed in mid-run. Raises UserError."""
        known = self._sessions.get(SessionId(session_id))
        if known is not None:
            return known
        entries = await self.resources.log.read(SessionId(session_id))
        if not entries:
            raise UserError(f"no session {session_id!r}", hint="list them: attache sessions list")
        session = Session(self.resources, replay(SessionId(session_id), entries), approver or self._approver)
        if session.state.run_id is not None:
            await session.record(_cut_short(session.state.run_id))
        self._sessions[session.id] = session
        return session

    async def fork_session(self, session_id: str, *, seq: int | None = None) -> Session:
        """Begin a session that shares another's past up to event `seq` (None: all of it)."""
        entries = [
            entry for entry in await self.resources.log.read(SessionId(session_id)) if seq is None or entry.seq <= seq
        ]
        if not entries:
            raise UserError(f"no session {session_id!r} up to event {seq}", hint="list them: attache sessions list")
        past = [_without_grant(entry.event) for entry in _without_rewound(entries)]
        state = replay(SessionId(session_id), entries)
        session = Session(self.resources, empty(SessionId(new_id("s"))), self._approver)
        await session.record(
            SessionCreated(
                cwd=state.cwd,
                model=state.model,
                mode=state.mode,
                parent=SessionId(session_id),
                parent_seq=entries[-1].seq,
            )
        )
        for event in past:
            if not isinstance(event, SessionCreated):
                await session.record(event)
        if session.state.run_id is not None:
            await session.record(_cut_short(session.state.run_id))
        self._sessions[session.id] = session
        return session

    async def list_sessions(self, *, everywhere: bool = False) -> tuple[SessionInfo, ...]:
        """Return the sessions of this workspace, or of all, the newest first."""
        return await self.resources.log.sessions(None if everywhere else str(self._cwd))

    async def search_sessions(self, text: str, *, everywhere: bool = False) -> tuple[Said, ...]:
        """Return where all words of `text` were said in this workspace's sessions, or in all; one place a session."""
        return await self.resources.log.search(text, None if everywhere else str(self._cwd))

    async def close_session(self, session_id: str) -> None:
        """Stop the session's run and let it go; its log stays."""
        session = self._sessions.pop(SessionId(session_id), None)
        if session is not None:
            await session.interrupt()
        if session is self._default:
            self._default = None

    async def delete_session(self, session_id: str) -> None:
        """Close the session and delete its log."""
        await self.close_session(session_id)
        await self.resources.log.delete(SessionId(session_id))


def _cut_short(run_id: RunId) -> RunFinished:
    return RunFinished(
        run_id=run_id, stop_reason="interrupted", usage=Usage(), cost_usd=0.0, error="the process ended during this run"
    )


def _without_grant(event: Event) -> Event:
    """Return the event as a fork takes it over: what was allowed for the session stays with that session."""
    if not isinstance(event, ApprovalAnswered) or event.answer.choice != "allow_session":
        return event
    return event.model_copy(update={"answer": event.answer.model_copy(update={"choice": "allow_once", "pattern": ""})})


def _without_rewound(entries: list[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    for entry in entries:
        if isinstance(entry.event, SessionRewound):
            to_seq = entry.event.to_seq
            kept = [known for known in kept if known.seq <= to_seq]
        else:
            kept.append(entry)
    return kept


async def _events_of(session: Session, running: Coroutine[Any, Any, RunFinished]) -> AsyncIterator[Entry]:
    queue: asyncio.Queue[Entry] = asyncio.Queue()
    stop: Callable[[], None] = session.subscribe(queue.put_nowait)
    task = asyncio.create_task(running)
    try:
        while True:
            getter = asyncio.create_task(queue.get())
            await asyncio.wait({getter, task}, return_when=asyncio.FIRST_COMPLETED)
            if not getter.done():
                getter.cancel()
                await task  # ended without its last event: let what went wrong be seen
                return
            entry = getter.result()
            yield entry
            if isinstance(entry.event, RunFinished):
                return
    finally:
        stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
