"""Go back to an earlier moment in the files: one change set that takes back, or makes again, whole steps."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from attache.agent.resources import Resources
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import (
    ChangeSet,
    CreateFile,
    DeleteFile,
    EditFile,
    FileChange,
    FileOutcome,
    Landed,
    RenameFile,
)
from attache.schema.errors import EditRefused, FileMissing, UserError
from attache.schema.events import ChangeLanded, ChangeUndone, Entry
from attache.workspace.edits import diff, other_way, undo_of
from attache.workspace.workspace import Workspace

KEPT = "steps are kept for 30 days, and 1 GB of them"


async def change_back(resources: Resources, entries: Sequence[Entry], seq: int) -> ChangeSet | None:
    """Return what leads the files back to where they stood at event `seq`; None where they stand there.

    What else has changed in them stays. Raises EditRefused where the user has changed the same places since, UserError
    where a step is not kept any more; nothing is changed by then.
    """
    now, then = _standing(entries), _standing([entry for entry in entries if entry.seq <= seq])
    staged = resources.workspace.staged()
    for event in [event for event in reversed(now.values()) if event.change_set not in then]:
        await _land(staged, event, await _kept(resources, event))
    for event in [event for event in then.values() if event.change_set not in now]:
        await _land(staged, event, _turned(await _kept(resources, event)))
    collected = staged.collected("Back to an earlier moment")
    return collected if collected.files else None


def _standing(entries: Sequence[Entry]) -> dict[ChangeSetId, ChangeLanded]:
    """Return the steps that stand after these events, in the order they landed."""
    landed: dict[ChangeSetId, ChangeLanded] = {}
    undone: set[ChangeSetId] = set()
    for entry in entries:
        match entry.event:
            case ChangeLanded() as event:
                landed[event.change_set] = event
            case ChangeUndone() as event:
                (undone.discard if event.redone else undone.add)(event.change_set)
            case _:
                pass
    return {key: event for key, event in landed.items() if key not in undone}


async def _kept(resources: Resources, event: ChangeLanded) -> Landed:
    landed = await asyncio.to_thread(resources.checkpoints.recall, event.change_set)
    if landed is None:
        what = f"step {event.step} ({event.title}) is not kept any more, so the files cannot go back beyond it"
        raise UserError(what, hint=f"{KEPT}; go back to a later moment")
    return landed


def _turned(landed: Landed) -> Landed:
    """Return the step as if it had led from where it ended to where it began."""
    return landed.model_copy(update={"files": tuple(map(_turned_outcome, landed.files))})


def _turned_outcome(outcome: FileOutcome) -> FileOutcome:
    names = {"uri": outcome.renamed_from, "renamed_from": outcome.uri} if outcome.renamed_from else {}
    other = other_way(outcome.other) if outcome.other else None
    return outcome.model_copy(update={"before": outcome.after, "after": outcome.before, "other": other, **names})


async def _land(staged: Workspace, event: ChangeLanded, step: Landed) -> None:
    """Take a step back in thought."""
    try:
        await _take_back(staged, step)
    except EditRefused as error:
        what = f"step {event.step} ({event.title}) cannot be taken back; nothing was changed: {error.message}"
        raise EditRefused(what, hint="save or undo what you changed there, or take it back by hand") from error


# ---------------------------------------------------------------- steps that landed


async def left_to_undo(workspace: Workspace, steps: Sequence[Landed]) -> tuple[FileChange, ...]:
    """Return what takes steps back, the last first, without what is taken back already: hunks that the user rejected.

    Raises EditRefused where the user has changed the same places since; nothing is changed by either.
    """
    staged = workspace.staged()
    return tuple([change for step in reversed(steps) for change in await _take_back(staged, step)])


async def _take_back(staged: Workspace, step: Landed) -> tuple[FileChange, ...]:
    """Take a step back in thought; return the changes that were left to do for it."""
    staged.remember(outcome.after for outcome in step.files)
    back = undo_of(step)
    names = Counter(uri for change in back.files for uri in _named(change))
    files: list[FileChange] = []
    for change in back.files:
        left = await _left_to_do(staged, change, alone=names[change.uri] == 1)
        files += () if left is None else (left,)
    await staged.land(ChangeSet(id=ChangeSetId(new_id("c")), title=back.title, files=tuple(files)))
    return tuple(files)


def _named(change: FileChange) -> tuple[Uri, ...]:
    return (change.uri, change.new_uri) if isinstance(change, RenameFile) else (change.uri,)


async def _left_to_do(staged: Workspace, change: FileChange, *, alone: bool) -> FileChange | None:
    """Return a change without what the file has of it already, None where that is all.

    Only of a change that is `alone` with its name can this be told where the file comes or goes.
    """
    match change:
        case EditFile():
            base, now = staged.memory.recall(change.base_hash), await _text(staged, change.uri)
            if base is None or now is None:
                return change
            made = set(diff(base, now))
            left = tuple(edit for edit in change.edits if edit not in made)
            return change.model_copy(update={"edits": left}) if left else None
        case DeleteFile() if alone and await _text(staged, change.uri) is None:
            return None
        case CreateFile() if alone and await _text(staged, change.uri) == change.text:
            return None
        case _:
            return change


async def _text(staged: Workspace, uri: Uri) -> str | None:
    """Return what a file holds; None where it is not there."""
    try:
        return (await staged.read(uri)).text
    except FileMissing:
        return None
