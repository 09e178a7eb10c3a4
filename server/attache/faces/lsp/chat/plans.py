"""Plan files: each step of `*.plan.md` runs by action, lens or command, in the session of its plan."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.chat import plan_text
from attache.faces.lsp.chat.chat_text import fields, with_field
from attache.faces.lsp.chat.plan_text import Step, is_plan
from attache.faces.lsp.chat.story import Story
from attache.faces.lsp.diagnostics import SOURCE, WARNING
from attache.faces.lsp.features import command
from attache.faces.lsp.progress import shown
from attache.faces.lsp.targets import About
from attache.faces.lsp.wire.shapes import Diagnostic, Position, Range
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, EditFile
from attache.schema.errors import AttacheError, EditRefused, UserError
from attache.schema.messages import Text
from attache.workspace.edits import diff, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from attache.agent.session import Session
    from attache.faces.lsp.server import Server
    from attache.workspace.documents import Document

_ATTEMPTS = 20
_AGAIN_SECONDS = 0.2
_NOTE_LINES = 3


@command("attache.runStep", About)
async def run_step(server: Server, about: About) -> None:
    """Run one step of a plan: the one at the cursor, else the first that is left."""
    document = _plan(server, about)
    step = _step(server, document, about)
    await _run(server, document.uri, step)


@command("attache.runPlan", About)
async def run_plan(server: Server, about: About) -> None:
    """Run the steps of a plan that are left, one after the other, until one fails."""
    document = _plan(server, about)
    tried: set[str] = set()
    while True:
        step = next(
            (each for each in plan_text.steps(document.text) if not each.done and each.title not in tried), None
        )
        if step is None:
            return
        tried.add(step.title)
        if not await _run(server, document.uri, step):
            return


@command("attache.skipStep", About)
async def skip_step(server: Server, about: About) -> None:
    """Mark a step of a plan as one that is not to be run."""
    document = _plan(server, about)
    step = _step(server, document, about)
    await _mark(server, document.uri, step, "-", "skipped")


def _plan(server: Server, about: About) -> Document:
    uri = Uri(about.uri) or server.here.uri
    document = server.buffers.get(uri)
    if document is None or not is_plan(document.uri):
        raise UserError(
            f"{server.shown(uri) if uri else 'this'} is no open plan",
            hint=f"a plan is a Markdown file *{plan_text.SUFFIX} whose steps are items `- [ ] …`",
        )
    return document


def _step(server: Server, document: Document, about: About) -> Step:
    found = list(plan_text.steps(document.text))
    place = about.range or (server.here.range if server.here.uri == document.uri else None)
    here = [each for each in found if place and each.line <= place.start.line < each.end]
    left = [each for each in found if not each.done]
    if not here and not left:
        raise UserError("no step of this plan is left", hint="a step is an item `- [ ] …`")
    return here[0] if here else left[0]


async def _run(server: Server, uri: Uri, step: Step) -> bool:
    """Run a step and write down how it went; return whether it went well."""
    _fail(server, uri, step, "")
    session = await _session(server, uri)
    title = f"Step {step.number}: {step.name}"
    with shown(server, f"Attaché: {title}") as work:
        story = Story(work.say)
        stop = session.subscribe(story.follow)
        await _mark(server, uri, step, " ", f"{plan_text.RUNNING} · stop by code action", session)
        why = "it was stopped"
        try:
            document = server.buffers.get(uri)
            finished = await session.run((Text(text=_prompt(document.text if document else "", step)),), title=title)
            why = "" if finished.stop_reason == "end_turn" else finished.error or finished.stop_reason.replace("_", " ")
        except AttacheError as error:
            why = error.message
        finally:
            stop()
            if not server.peer.stopped.done():
                said = _last_words(session)
                await _mark(server, uri, step, " " if why else "x", f"✗ {why}" if why else said, session)
                _fail(server, uri, step, why)
    return not why


def _prompt(plan: str, step: Step) -> str:
    return (
        f"This is the plan:\n\n{plan.strip()}\n\n"
        f"Do step {step.number} now, and nothing of the other steps:\n\n{step.asked}\n\n"
        "End with one sentence on what you did. Where the step cannot be done, say why in one sentence and stop."
    )


def _last_words(session: Session) -> str:
    said = next((each.text for each in reversed(session.state.messages) if each.role == "assistant"), "")
    return "\n".join(said.strip().splitlines()[-_NOTE_LINES:])


async def _session(server: Server, uri: Uri) -> Session:
    """Return the session of a plan, which its front matter names, or a new one."""
    orchestrator = (await server.app()).orchestrator
    document = server.buffers.get(uri)
    known = fields(document.text if document else "").get("attache", "")
    ours = {info.id for info in await orchestrator.list_sessions()}
    if known in ours:
        session = await orchestrator.load_session(known)
    else:
        session = await orchestrator.new_session(model=server.models.chosen)
    session.approver = Asker(server, session.id)
    server.follow(session)
    return session


async def _mark(server: Server, uri: Uri, step: Step, mark: str, note: str, session: Session | None = None) -> None:
    """Set a step's mark and note, whatever is typed in its plan meanwhile; nothing where the step is gone."""
    await _rewrite(server, uri, partial(_marked, step=step, mark=mark, note=note, session=session))


def _marked(text: str, step: Step, mark: str, note: str, session: Session | None) -> str:
    here = plan_text.same(text, step)
    if here is None:
        return text
    text = plan_text.marked(text, here, mark, note)
    return with_field(text, "attache", session.id) if session else text


async def _rewrite(server: Server, uri: Uri, change: Callable[[str], str]) -> None:
    for attempt in range(_ATTEMPTS):
        snapshot = await server.workspace.read(uri)
        edits = trimmed(snapshot.text, diff(snapshot.text, change(snapshot.text)))
        if not edits:
            return
        edit = EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=edits)
        try:
            await server.workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title="Plan", files=(edit,)))
        except EditRefused:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return


def _fail(server: Server, uri: Uri, step: Step, why: str) -> None:
    """Let a failed step stand as a diagnostic; one that is run again, or went well, no more."""
    document = server.buffers.get(uri)
    here = plan_text.same(document.text, step) if document else None
    others = [each for each in server.board.about(uri, "plan-step") if each.data != {"step": step.title}]
    if why and here is not None:
        at = Position(here.line, 0)
        others.append(
            Diagnostic(
                range=Range(at, at), message=f"step {here.number} failed: {why}. Run or skip it by code action.",
                severity=WARNING, code="plan-step", source=SOURCE, data={"step": step.title},
            )
        )  # fmt: skip
    server.board.pin(uri, "plan-step", others)
