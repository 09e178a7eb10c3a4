"""A conversation with one session after the other: what is typed goes in, what happens is painted."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from rich.console import RenderableType
from rich.text import Text

from attache.agent.approvals import Approver
from attache.agent.orchestrator import Orchestrator
from attache.agent.session import Session
from attache.faces.cli.live import Piece, Stream
from attache.faces.cli.render import answer, diff, took, tool_line, visible
from attache.foundation.redact import redact
from attache.schema import events
from attache.schema.data import CallId
from attache.schema.edits import Landed
from attache.schema.errors import AttacheError, UserError
from attache.schema.events import Entry
from attache.schema.messages import Message
from attache.schema.messages import Text as Words
from attache.schema.session import Mode
from attache.tools.wording import counted

RECALLED_CHARS = 4_000
"""Of the last answer, when a session is continued."""
STOPS = {
    "interrupted": "stopped; what landed stays, /undo takes it back",
    "max_turns": "stopped at the limit of turns: say `go on`, or raise max_tool_iterations",
    "max_tokens": "cut at the model's limit of output: say `go on`",
    "refusal": "the model refused",
}


Doing = Awaitable[None]


class Paper(Protocol):
    """Where a conversation is written down."""

    def show(self, *shown: RenderableType, tail: str | None = None) -> None:
        """Print for good; `tail` is what may still change."""
        ...

    def leave(self) -> None:
        """End the conversation."""
        ...


class Chat:
    """The sessions of one conversation, the one it is in, and what it changed."""

    def __init__(
        self, agent: Orchestrator, paper: Paper, listener: Callable[[Entry], None], obey: Callable[[Chat, str], Doing]
    ) -> None:
        """Hand what happens to `listener`, whichever session it happens in, and lines after a `/` to `obey`."""
        self.agent = agent
        self.paper = paper
        self.approver: Approver | None = None
        self.landed: list[Landed] = []
        """What this conversation changed and was not undone, the last one last."""
        self.failed = False
        """Whether what was typed last came to nothing."""
        self._listener = listener
        self._do = obey
        self._running: asyncio.Task[None] | None = None
        self._waiting: deque[str] = deque()
        self._steered: list[str] = []
        self._stopped = False
        self._session: Session | None = None
        self._unsubscribe: list[Callable[[], None]] = []

    @property
    def session(self) -> Session:
        """Return the session that is talked in."""
        if self._session is None:
            raise UserError("no session is open yet", hint="begin one: /new")
        return self._session

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._running is not None

    # ------------------------------------------------------------ sessions

    async def begin(self, *, model: str = "", mode: Mode | None = None) -> None:
        """Begin a new session, with the last one's model and mode where none is named."""
        last = self._session.state if self._session else None
        model, mode = model or (last.model if last else ""), mode or (last.mode if last else None)
        self._enter(await self.agent.new_session(model=model, mode=mode, approver=self.approver))

    async def go_on_with(self, session_id: str) -> None:
        """Go on with a session, and show where it stood. Raises UserError."""
        self._enter(await self.agent.load_session(session_id, approver=self.approver))
        state = self.session.state
        self.say(f"  continuing {session_id} · {counted(state.runs, 'run')} · {visible(state.title)}", style="dim")
        prompts = [index for index, message in enumerate(state.messages) if _typed(message)]
        if not prompts:
            return
        last = state.messages[prompts[-1] :]
        self.show(said(last[0].text))
        answers = [message.text for message in last if message.role == "assistant" and message.text.strip()]
        if answers:
            shown = answers[-1][:RECALLED_CHARS] + ("\n\n…" if len(answers[-1]) > RECALLED_CHARS else "")
            self.show(Text(), answer(redact(shown)))
        else:
            self.say("  it has no answer: the run was cut short", style="dim")

    def _enter(self, session: Session) -> None:
        for stop in self._unsubscribe:
            stop()
        self._session = session
        self._unsubscribe = [session.subscribe(self._note), session.subscribe(self._listener)]

    def _note(self, entry: Entry) -> None:
        match entry.event:
            case events.ChangeLanded(landed=landed) if landed is not None:
                self.landed.append(landed)
            case events.MessageAdded(message=message) if message.role == "user":
                heard = {part.text for part in message.parts if isinstance(part, Words)}
                self._steered = [text for text in self._steered if text not in heard]
            case _:
                pass

    # ------------------------------------------------------------ talking

    def take(self, line: str) -> None:
        """Take what was typed: a command, a prompt, or a word to the run under way. Returns at once."""
        if line.startswith("/"):
            self.show(said(line))
            asyncio.ensure_future(self._obey(line)).add_done_callback(_surface)
            return
        if self._running is None:
            self.show(said(line))
            self._running = asyncio.ensure_future(self._run(line))
            self._running.add_done_callback(self._over)
            return
        try:
            self.session.steer(line)
        except UserError:  # it is just beginning, or just ending
            self._waiting.append(line)
            self.show(said(line), Text("  waits for the end of the run", style="dim"))
        else:
            self._steered.append(line)
            self.show(said(line), Text("  the run hears it before its next turn", style="dim"))

    async def answer(self, line: str) -> None:
        """Take what was typed and return when all that it began is over."""
        self.failed = False
        if line.startswith("/"):
            await self._obey(line)
        else:
            await self._run(line)

    async def _obey(self, line: str) -> None:
        try:
            await self._do(self, line)
        except AttacheError as error:
            self.fail(error)

    async def _run(self, line: str) -> None:
        try:
            finished = await self.session.run((Words(text=line),))
        except AttacheError as error:
            self.fail(error)
            return
        if finished.error and finished.stop_reason != "interrupted":
            self.fail(AttacheError(finished.error, hint=finished.hint))

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running = None
        _surface(task)
        self._waiting.extendleft(reversed(self._steered))  # what the run ended without hearing
        self._steered.clear()
        if self._stopped:
            for line in self._waiting:
                self.say(f"  not sent: {visible(redact(line))}", style="dim")
            self._waiting.clear()
        self._stopped = False
        if self._waiting:
            self.take(self._waiting.popleft())

    def interrupt(self) -> bool:
        """Stop the run under way and say whether there was one; a second time changes nothing."""
        if self._running is None:
            return False
        if not self._stopped:
            self._stopped = True
            if self.session.running:
                asyncio.ensure_future(self.session.interrupt()).add_done_callback(_surface)
            else:
                self._running.cancel()
        return True

    def leave(self) -> None:
        """End the conversation."""
        self.paper.leave()

    async def close(self) -> None:
        """Stop what is under way."""
        self._waiting.clear()
        if self.interrupt() and self._running:
            await asyncio.wait({self._running})

    # ------------------------------------------------------------ saying

    def show(self, *shown: RenderableType) -> None:
        """Print for good."""
        self.paper.show(*shown)

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.paper.show(Text(text, style=style))

    def fail(self, error: AttacheError) -> None:
        """Print what went wrong, and what to do."""
        self.failed = True
        self.paper.show(Text(f"! {visible(error.message)}", style="red"))
        for line in error.hint.splitlines():
            self.paper.show(Text(f"  {visible(line)}", style="dim"))


class Painter:
    """Paints a session's events as they come."""

    def __init__(self, paper: Paper) -> None:
        """Paint on `paper`."""
        self._paper = paper
        self._stream = Stream()
        self._landed: list[Landed] = []
        self._shown: set[CallId] = set()
        self._doing = ""
        self._began = 0.0
        self._after_tool = False
        self.model: Callable[[], str] = lambda: ""

    def busy(self) -> str:
        """Return what is being done and for how long; empty where nothing is."""
        if not self._began:
            return ""
        return f"working · {self._doing} · {time.monotonic() - self._began:.0f} s · Ctrl-C stops"

    def __call__(self, entry: Entry) -> None:
        """Paint one event."""
        match entry.event:
            case events.RunStarted():
                self._began, self._doing, self._after_tool = time.monotonic(), "starting", False
                self._paper.show(tail="")
            case events.TurnStarted():
                self._doing = "asking the model"
            case events.ThinkingStreamed():
                self._doing = "thinking"
            case events.TextStreamed(text=text):
                self._doing = "answering"
                self._give(self._stream.feed(text))
            case events.StreamRestarted(reason=reason):
                self._stream.restart()
                self._doing = reason
                self._give(Piece(""))
            case events.MessageAdded(message=message) if message.role == "assistant":
                self._give(self._stream.finish(redact(message.text)))
            case events.ToolStarted(name=name, title=title):
                self._doing = f"{name} {visible(title)}".replace("`", "")
            case events.ToolStreamed(text=text) if text.strip():
                self._doing = visible(text.strip().splitlines()[-1])
            case events.ChangeLanded(landed=landed) if landed is not None:
                self._landed.append(landed)
            case events.ApprovalAsked(approval=approval) if any(label == "diff" for label, _ in approval.detail):
                self._shown.add(approval.call_id)
            case events.ToolFinished() as done:
                self._tool(done)
            case events.ErrorRaised() as error:
                self._paper.show(Text(f"! {error.where}: {error.message}", style="yellow"))
            case events.RunFinished() as finished:
                self._finish(finished)
            case _:
                pass

    def _give(self, piece: Piece) -> None:
        shown: list[RenderableType] = []
        if piece.again:
            shown += [Text(), Text("… the answer begins again: its connection was lost", style="dim")]
        if piece.text.strip():
            shown += [Text(), answer(redact(piece.text.strip("\n")))]
            self._after_tool = False
        self._paper.show(*shown, tail=self._stream.tail)

    def _tool(self, done: events.ToolFinished) -> None:
        blank = [] if self._after_tool else [Text()]
        self._after_tool = True
        known = done.call_id in self._shown  # the question showed the same diff
        self._paper.show(*blank, tool_line(done), *(() if known else map(diff, self._landed)))
        self._landed.clear()

    def _finish(self, finished: events.RunFinished) -> None:
        self._give(self._stream.finish())  # what a stopped run had said so far stays
        self._began = 0.0
        if words := STOPS.get(finished.stop_reason):
            self._paper.show(Text(f"■ {words}", style="yellow"))
        self._paper.show(Text(), Text(took(finished, self.model()), style="dim"), tail="")


def said(text: str) -> Text:
    """Return what the user said, as it stands above the answer."""
    shown = Text("\n")
    shown.append("› ", style="bold cyan")
    shown.append(visible(redact(text)).replace("\n", "\n  "), style="bold")
    return shown


def _typed(message: Message) -> bool:
    return message.role == "user" and all(isinstance(part, Words) for part in message.parts)


def _surface(task: asyncio.Future[None]) -> None:
    """Let a fault of ours be seen by whoever watches the loop, not vanish with its task."""
    if not task.cancelled() and (error := task.exception()):
        asyncio.get_running_loop().call_exception_handler({"message": str(error), "exception": error})
