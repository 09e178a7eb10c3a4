"""A session: the only door to the agent. Ops go in, events come out, and the log is the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attache.agent.answers import Answers
from attache.agent.approvals import Approver
from attache.agent.budget import Budget
from attache.agent.consent import consent_to_change
from attache.agent.context import Gauge
from attache.agent.journal import Journal
from attache.agent.loop import drive
from attache.agent.permission import rules_for
from attache.agent.pipeline import execute
from attache.agent.prompt import Scene, system_prompt
from attache.agent.reach import reach
from attache.agent.resources import Resources
from attache.agent.restore import change_back
from attache.agent.run import Run
from attache.agent.select import rank, select
from attache.agent.state import fold, replay
from attache.foundation.ids import new_id
from attache.foundation.redact import marked, redact
from attache.foundation.settings import Settings
from attache.providers.catalog import OFFLINE
from attache.providers.model import Model
from attache.schema import ops
from attache.schema.data import RunId, SessionId
from attache.schema.edits import FileChange, Landed
from attache.schema.errors import ApprovalNeeded, BudgetReached, EditRefused, Interrupted, UserError
from attache.schema.events import (
    ChangeLanded,
    ChangeRefused,
    Entry,
    ErrorRaised,
    Event,
    FileLanded,
    RunFinished,
    RunStarted,
    SessionConfigured,
    SessionRewound,
    ToolFinished,
    ToolStreamed,
)
from attache.schema.messages import Part, Text, ToolCall
from attache.schema.session import RunStop, SessionState
from attache.schema.tools import ToolOutput, ToolSpec
from attache.security.veil import Veil, holds_placeholder
from attache.tools.tool import Context, Tool, Tools
from attache.workspace.documents import text_hash
from attache.workspace.workspace import Staged, Workspace

Listener = Callable[[Entry], None]


class Session:
    """One conversation about one workspace. One run at a time; everything that happens is an event."""

    def __init__(self, resources: Resources, state: SessionState, approver: Approver) -> None:
        """Stand on `state`, the fold of the log so far."""
        self.resources = resources
        self.state = state
        self.approver = approver
        self._answers = Answers()
        self.veil = Veil(state.id)
        """What stands for personal data where this session leaves the machine."""
        self._gauges: dict[str, Gauge] = {}
        self._journal = Journal(self._append)
        self._listeners: list[Listener] = []
        self._driving: asyncio.Task[RunStop] | None = None
        self._run: Run | None = None

    @property
    def id(self) -> SessionId:
        """Return the session's id."""
        return self.state.id

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._driving is not None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every event to `listener` from now on, durable ones after they are safe; return how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def record(self, event: Event) -> None:
        """Append an event to the log, then let it count. Nothing acts on an event before this returns."""
        await self._journal.record(event)

    async def _append(self, happened: Sequence[Event]) -> None:
        for event in happened:
            if isinstance(event, ChangeLanded) and event.landed is not None:
                await self._keep(event.landed)
        broken: list[Exception] = []
        for entry, event in zip(await self.resources.log.append(self.id, happened), happened, strict=True):
            self.state = fold(self.state, entry)
            # The log holds no file's text; who listens in this process is handed the event as it was.
            told = entry.model_copy(update={"event": event}) if isinstance(event, ChangeLanded) else entry
            try:
                self._tell(told)
            except Exception as error:  # noqa: BLE001 - what is in the log must be in the state, whoever listens
                broken.append(error)
        if broken:
            raise broken[0]

    async def _keep(self, landed: Landed) -> None:
        """Keep what a step found and left, so that one can go back to it."""
        try:
            await asyncio.to_thread(self.resources.checkpoints.keep, landed)
        except OSError as error:
            words = f"step {landed.change_set.step} cannot be gone back to later: {error}"
            self.paint(ErrorRaised(where="checkpoint", message=words, hint="is the disk full?"))

    def paint(self, event: Event) -> None:
        """Show a transient event to whoever listens."""
        self._tell(Entry(session_id=self.id, seq=self.state.seq, at=time.time(), event=event))

    def _tell(self, entry: Entry) -> None:
        for listener in tuple(self._listeners):
            listener(entry)

    async def submit(self, op: ops.Op) -> None:
        """Do what a face asks. A prompt returns when its run is over.

        Raises UserError where the op does not fit the moment, and what `run` raises.
        """
        match op:
            case ops.Prompt():
                await self.run(op.parts, title=op.title)
            case ops.Steer():
                self.steer(op.text)
            case ops.Interrupt() | ops.Close():
                await self.interrupt()
            case ops.Answer():
                raise UserError("approvals are answered through the face that asked")
            case ops.Configure():
                await self.configure(model=op.model, mode=op.mode)
            case ops.Rewind():
                await self.rewind(op.seq)

    def steer(self, text: str) -> None:
        """Say something to the run under way; it hears it before its next turn."""
        if self._run is None:
            raise UserError("no run is under way", hint="send it as a prompt")
        self._run.inbox.put_nowait(text)

    async def interrupt(self) -> None:
        """Stop the run under way and wait until it has."""
        task = self._driving
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def configure(self, *, model: str | None = None, mode: str | None = None, title: str | None = None) -> None:
        """Change the model, the mode or the title, from the next run on. Raises UnknownModel."""
        if model is not None:
            self.resources.catalog.open(model)
        await self.record(SessionConfigured.model_validate({"model": model, "mode": mode, "title": title}))

    async def rewind(self, seq: int, *, conversation: bool = True, files: bool = False) -> Landed | None:
        """Go back to event `seq`: forget what was said after it, give the files back what they held then, or both.

        The log keeps it all, and the files' way back is a step that can be undone; it is returned where there is one.
        Raises UserError and EditRefused, and nothing has changed then.
        """
        if self.running:
            raise UserError("a run is under way", hint="stop it first")
        landed = await self._files_back(seq) if files else None
        if conversation:
            await self.record(SessionRewound(to_seq=seq))
            self.state = replay(self.id, await self.resources.log.read(self.id))
        return landed

    async def _files_back(self, seq: int) -> Landed | None:
        change_set = await change_back(self.resources, await self.resources.log.read(self.id), seq)
        if change_set is None:
            return None
        landed = await self.resources.workspace.land(change_set.model_copy(update={"step": self.state.steps + 1}))
        await self.record(_landed(RunId(""), landed))
        self.resources.review.saw(landed)
        return landed

    async def run(
        self,
        parts: Sequence[Part],
        *,
        title: str = "",
        workspace: Workspace | None = None,
        approver: Approver | None = None,
        settings: Settings | None = None,
        output_schema: dict[str, Any] | None = None,
    ) -> RunFinished:
        """Answer a prompt and return how it ended; what went wrong is in the result, not raised.

        `workspace` stands in for the session's own, such as a staged one whose edits are only collected.
        `output_schema` is a JSON Schema that the answer must fit. Raises UserError where a run is under way already or
        the model does not exist.
        """
        chosen = settings or self.resources.settings
        place = workspace or self.resources.workspace

        async def prepare() -> Run:
            said = " ".join(part.text for part in parts if isinstance(part, Text))
            model = await self._model(quick=workspace is not None)
            run = await self._new_run(model, place, approver or self.approver, chosen, title, said)
            run.output_schema = output_schema
            return run

        return await self._carry(prepare, drive, parts, title)

    async def run_tool(self, call: ToolCall, *, approver: Approver | None = None) -> ToolOutput:
        """Run one tool call as a run of its own, without a model, through the whole pipeline.

        Raises ApprovalNeeded where the policy asks and nobody is there, and Interrupted.
        """
        outputs: list[ToolFinished] = []
        raised: list[ApprovalNeeded] = []

        async def prepare() -> Run:
            place, settings = self.resources.workspace, self.resources.settings
            model = self.resources.catalog.open(OFFLINE)
            return await self._new_run(model, place, approver or self.approver, settings, call.name)

        async def alone(run: Run) -> RunStop:
            try:
                await execute(run, call)
            except ApprovalNeeded as error:
                raised.append(error)
                raise
            return "end_turn"

        def watch(entry: Entry) -> None:
            if isinstance(entry.event, ToolFinished):
                outputs.append(entry.event)

        stop = self.subscribe(watch)
        try:
            await self._carry(prepare, alone, (Text(text=f"/tool {call.name}"),), f"tool {call.name}")
        finally:
            stop()
        if raised:
            raise raised[0]
        if not outputs:
            raise Interrupted(f"{call.name} was stopped")
        last = outputs[-1]
        return ToolOutput(
            text=last.text, title=last.title, places=last.places, change_set=last.change_set, images=last.images,
            data=last.data, is_error=last.is_error,
        )  # fmt: skip

    async def _carry(
        self,
        prepare: Callable[[], Awaitable[Run]],
        work: Callable[[Run], Awaitable[RunStop]],
        parts: Sequence[Part],
        title: str,
    ) -> RunFinished:
        """Begin a run, carry it to its end, and record how it ended. One at a time, from the first moment on."""
        if self._driving is not None:
            raise UserError("a run is under way in this session", hint="wait for it, steer it, or stop it")

        async def whole() -> RunStop:
            run = self._run = await prepare()
            await self.record(RunStarted(run_id=run.id, parts=tuple(parts), title=title))
            return await work(run)

        self._driving = task = asyncio.create_task(whole(), name=f"run in {self.id}")
        finished: RunFinished | None = None
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            run, self._run = self._run, None
            if run is not None and self.state.run_id == run.id:
                finished = _outcome(run, task)
                await self.record(finished)
            self._driving = None
        if finished is None:
            if task.cancelled():
                raise Interrupted("stopped before it began")
            raise task.exception() or UserError("the run did not begin")
        return finished

    async def _model(self, *, quick: bool = False) -> Model:
        settings = self.resources.settings
        role = settings.plan_model if self.state.mode == "plan" else settings.quick_model if quick else ""
        ref = role or self.state.model or await self.resources.catalog.choose()
        return self.resources.catalog.open(ref)

    def _fallbacks(self, model: Model, settings: Settings) -> list[Model]:
        """Return the models that take over, without the one that answers anyway. Raises UnknownModel."""
        chain = [self.resources.catalog.open(ref) for ref in settings.fallback_models]
        return [other for other in chain if other.info.ref != model.info.ref]

    async def _new_run(
        self, model: Model, workspace: Workspace, approver: Approver, settings: Settings, title: str, request: str = ""
    ) -> Run:
        run_id = RunId(new_id("r"))
        mode = self.state.mode
        tools = self.resources.tools.current().allowed(mode)

        async def find_tools(query: str, limit: int) -> tuple[ToolSpec, ...]:
            found = [tool for tool in await self._ranked(tools, query) if tool.spec.effect in tools.effects][:limit]
            for tool in found:
                run.offered.add(tool)
            return tuple(tool.spec for tool in found)

        async def land(what: str, files: Sequence[FileChange]) -> Landed:
            return await self._land(run, workspace, what or title, files)

        context = Context(
            workspace=workspace,
            index=self.resources.index,
            settings=settings,
            findings=self.resources.findings,
            servers=self.resources.servers,
            land=land,
            find_tools=find_tools,
            reach=reach(self, lambda: run),
            memories=self.resources.memories,
            jobs=self.resources.jobs,
            emit=lambda text: self.paint(ToolStreamed(run_id=run_id, call_id=run.calling, text=redact(text))),
        )
        scene = Scene(workspace, settings, mode, self.state, self.resources.memories)
        run = Run(
            id=run_id,
            model=model,
            settings=settings,
            mode=mode,
            tools=tools,
            offered=await self._offered(tools, model, request),
            rules=rules_for(settings, self.resources.workspace),
            middleware=self.resources.middleware,
            answers=self._answers,
            context=context,
            approver=approver,
            system=await system_prompt(scene),
            veil=self.veil,
            record=self._journal.record,
            note=self._journal.note,
            settled=self._journal.settled,
            paint=self.paint,
            price=self.resources.catalog.price,
            budget=Budget(settings, self.resources.ledger, self.id, self.state.cwd, self._journal.settled),
            fallbacks=self._fallbacks(model, settings),
            gauge=self._gauges.setdefault(model.info.ref, Gauge()),
            state=lambda: self.state,
        )
        return run

    async def _offered(self, tools: Tools, model: Model, request: str) -> Tools:
        most = self.resources.settings.max_tools
        if model.info.every_tool or len(tools) <= most:
            return tools
        return select(tools, await self._ranked(tools, request), most)

    async def _ranked(self, tools: Tools, request: str) -> tuple[Tool, ...]:
        """Return the tools that are about a request; where their meaning cannot be compared, that is said once."""
        likeness, settings = self.resources.likeness, self.resources.settings
        asked = request if settings.personal_data == "off" else self.veil.hide_text(request)
        ranked = await rank(tools, asked, settings.tool_selection, likeness)
        if trouble := likeness.trouble():
            words = f"tools are chosen by their words for a while: {trouble}"
            self.paint(ErrorRaised(where="embedding", message=words, hint="see `embedding_model` in the settings"))
        return ranked

    async def _land(self, run: Run, workspace: Workspace, title: str, files: Sequence[FileChange]) -> Landed:
        _refuse_marks(files, veiled=run.settings.personal_data != "off")
        await consent_to_change(run, workspace, title, files)
        change_set = run.change_set(title, files)
        try:
            landed = await workspace.land(change_set)
        except EditRefused as error:
            await self.record(ChangeRefused(run_id=run.id, change_set=change_set.id, reason=error.message))
            raise
        if isinstance(workspace, Staged):
            return landed  # nothing has changed yet: the editor, or the user, decides
        try:
            await self.record(_landed(run.id, landed))
        finally:  # a run that is stopped in this moment has changed the files all the same
            if run.settings.review != "off":
                self.resources.review.add(landed)
        return landed


def _refuse_marks(files: Sequence[FileChange], *, veiled: bool) -> None:
    """Refuse to write a mark or a placeholder that the model saw in place of something, which it would overwrite."""
    for change in files:
        written = [edit.text for edit in change.edits] if change.kind == "edit" else []
        written += [change.text] if change.kind == "create" else []
        if any(map(marked, written)):
            raise EditRefused(
                "the new text holds a mark that stands for a secret which you were not shown; nothing was changed",
                hint="edit around the secret: leave its line out of the search and replace texts",
            )
        if veiled and any(map(holds_placeholder, written)):
            raise EditRefused(
                "the new text holds a placeholder that stands for nothing known; nothing was changed",
                hint="read the file again and use the placeholders as they stand there",
            )


def _landed(run_id: RunId, landed: Landed) -> ChangeLanded:
    files = tuple(
        FileLanded(
            uri=each.uri,
            path=each.path,
            before_hash="" if each.before is None else text_hash(each.before),
            after_hash="" if each.after is None else text_hash(each.after),
            version=each.version,
            renamed_from=each.renamed_from,
        )
        for each in landed.files
    )
    change_set = landed.change_set
    return ChangeLanded(
        run_id=run_id,
        change_set=change_set.id,
        title=change_set.title,
        step=change_set.step,
        files=files,
        landed=landed,
    )


def _outcome(run: Run, task: asyncio.Task[RunStop]) -> RunFinished:
    stop: RunStop = "interrupted"
    error = hint = ""
    if task.done() and not task.cancelled():
        raised = task.exception()
        if raised is None:
            stop = task.result()
        else:
            spent = isinstance(raised, BudgetReached)
            stop = "approval_needed" if isinstance(raised, ApprovalNeeded) else "budget" if spent else "error"
            error, hint = str(raised) or type(raised).__name__, getattr(raised, "hint", "")
    return RunFinished(
        run_id=run.id, stop_reason=stop, usage=run.usage, cost_usd=run.cost_usd, turns=run.turns, tool_calls=run.calls,
        seconds=round(time.monotonic() - run.started, 3), error=error, hint=hint,
    )  # fmt: skip
