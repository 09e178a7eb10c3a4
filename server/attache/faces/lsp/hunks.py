"""Deciding about changes: accept, reject, go to the next, take a step back; by command and by `attache/review/*`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from attache.faces.lsp.diagnostics import hunk_range
from attache.faces.lsp.features import command, feature
from attache.faces.lsp.steps import Step
from attache.faces.lsp.targets import About
from attache.faces.lsp.wire.shapes import DocumentId, Shape
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, Hunk
from attache.schema.errors import UserError
from attache.schema.events import ChangeUndone, HunkResolved

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server


# ---------------------------------------------------------------- commands


@command("attache.acceptHunk", About)
async def accept_hunk(server: Server, about: About) -> None:
    """Keep a hunk."""
    await resolve(server, [_hunk(server, about)], "accepted")


@command("attache.rejectHunk", About)
async def reject_hunk(server: Server, about: About) -> None:
    """Take a hunk back."""
    await resolve(server, [_hunk(server, about)], "rejected")


@command("attache.acceptAll", About)
async def accept_all(server: Server, about: About) -> None:
    """Keep all hunks of a step, of a file, or of the workspace."""
    await resolve(server, _several(server, about), "accepted")


@command("attache.rejectAll", About)
async def reject_all(server: Server, about: About) -> None:
    """Take back all hunks of a step, of a file, or of the workspace."""
    await resolve(server, _several(server, about), "rejected")


@command("attache.nextHunk", About)
async def next_hunk(server: Server, about: About) -> None:
    """Go to the hunk behind this one, in whatever file it stands."""
    order = sorted(server.pending(None), key=lambda hunk: (hunk.path, hunk.start_line))
    if not order:
        raise UserError("no change waits for review")
    here = next((hunk for hunk in order if hunk.id == about.hunk), None)
    place = server.shown(server.here.uri) if server.here.uri else "", server.here.range.start.line + 1
    at = (here.path, here.start_line) if here else place
    following = next((hunk for hunk in order if (hunk.path, hunk.start_line) > at), order[0])
    await server.show(following.uri, following.start_line - 1, 0)


@command("attache.undoStep", About)
async def undo_step(server: Server, about: About) -> None:
    """Take back the last step, in all its files."""
    del about
    await _turn_back(server, server.steps.done, server.steps.undone, "undo")


@command("attache.redoStep", About)
async def redo_step(server: Server, about: About) -> None:
    """Repeat the step that was undone last."""
    del about
    await _turn_back(server, server.steps.undone, server.steps.done, "redo")


async def _turn_back(server: Server, here: list[Step], there: list[Step], verb: Literal["undo", "redo"]) -> None:
    from attache.agent.restore import left_to_undo

    app = await server.app()
    async with server.steps.turn:
        if not here:
            raise UserError(f"there is no step to {verb}")
        step = here[-1]
        left = await left_to_undo(server.workspace, step.landed)
        if not left:
            here.pop()
            raise UserError(f'nothing of "{step.title}" is left to {verb}', hint=f"{verb} again for the step before it")
        title = f"{verb.capitalize()}: {step.title}"
        landed = await server.workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=left))
        app.resources.review.saw(landed)
        server.authors.saw(landed)
        here.pop()
        there.append(step._replace(landed=(landed,)))
    if step.session is not None:
        for change_set in step.ids:
            await step.session.record(ChangeUndone(change_set=change_set, redone=verb == "redo"))


def _hunk(server: Server, about: About) -> Hunk:
    """Return the hunk that is meant: by its id, else the one under the cursor. Raises UserError where there is none."""
    waiting = server.pending(None)
    if about.hunk:
        found = next((hunk for hunk in waiting if hunk.id == about.hunk), None)
    else:
        line = (about.range or server.here.range).start.line
        uri = Uri(about.uri) or server.here.uri
        found = next((hunk for hunk in server.pending(uri) if _holds(server, hunk, line)), None) if uri else None
    if found is None:
        raise UserError("no such change waits for review", hint="it was decided already, or your typing replaced it")
    return found


def _holds(server: Server, hunk: Hunk, line: int) -> bool:
    span = hunk_range(server, hunk)
    return span.start.line <= line <= span.end.line


def _several(server: Server, about: About) -> Sequence[Hunk]:
    if about.change_set:
        found = [hunk for hunk in server.pending(None) if hunk.change_set == about.change_set]
    else:
        found = list(server.pending(Uri(about.uri) if about.uri else None))
    if not found:
        raise UserError("no change waits for review here")
    return found


# ---------------------------------------------------------------- deciding


async def resolve(server: Server, hunks: Sequence[Hunk], decision: Literal["accepted", "rejected"]) -> None:
    """Keep hunks, or give their lines back what stood there. Raises EditRefused where that cannot be done."""
    review = (await server.app()).resources.review
    ids = [hunk.id for hunk in hunks]
    if decision == "rejected":
        landed = await server.workspace.land(review.reject(ids))
        review.saw(landed)
        server.authors.saw(landed)
    else:
        review.accept(ids)
    for hunk in hunks:
        step = next((step for step in server.steps.done if hunk.change_set in step.ids), None)
        if step and step.session:
            event = HunkResolved(change_set=hunk.change_set, hunk=hunk.id, resolution=decision)
            await step.session.record(event)


# ---------------------------------------------------------------- for panels


class ReviewParams(Shape):
    """Parameters of attache/review/list: a document, or all."""

    text_document: DocumentId | None = None


class Decision(Shape):
    """Parameters of attache/review/resolve."""

    hunks: list[str]
    decision: Literal["accepted", "rejected"]


@feature("attache/review/list", ReviewParams)
def listed(server: Server, params: ReviewParams) -> dict[str, Any]:
    """List the hunks that wait."""
    uri = Uri(params.text_document.uri) if params.text_document else None
    return {"hunks": [{"range": hunk_range(server, hunk), **hunk.model_dump()} for hunk in server.pending(uri)]}


@feature("attache/review/resolve", Decision)
def decided(server: Server, params: Decision) -> dict[str, Any]:
    """Decide about hunks; what the editor has to change for it follows by `workspace/applyEdit`."""
    wanted = set(params.hunks)
    hunks = [hunk for hunk in server.pending(None) if hunk.id in wanted]
    server.background(resolve(server, hunks, params.decision), "review")
    return {"resolved": [hunk.id for hunk in hunks], "unknown": sorted(wanted - {hunk.id for hunk in hunks})}
