"""Ask the person, and hold the answer to what was shown."""

from __future__ import annotations

from collections.abc import Sequence

from attache.agent.limit import waiting
from attache.agent.run import Run
from attache.schema.data import Uri
from attache.schema.edits import FileChange, FileOutcome, ReplaceFile, SetFolder, SetMode
from attache.schema.errors import ApprovalDenied, ApprovalNeeded
from attache.schema.events import ApprovalAnswered, ApprovalAsked, ApprovalWithdrawn, ErrorRaised
from attache.schema.session import Approval
from attache.security.approvals import check, for_change
from attache.security.policy import protected
from attache.security.rules import Subject
from attache.workspace.blobs import described
from attache.workspace.workspace import Staged, Workspace


async def consent(run: Run, question: Approval) -> None:
    """Ask and wait, however long it takes. Raises ApprovalDenied, or ApprovalNeeded where nobody is there.

    Where everything asks since the rules are broken, that is said once a run.
    """
    if run.rules.problem and not run.told_of_rules:
        run.told_of_rules = True
        words = f"the rules cannot be read, so everything asks: {run.rules.problem}"
        await run.record(ErrorRaised(run_id=run.id, where="policy", message=words, hint="see: attache config check"))
    await run.record(ApprovalAsked(approval=question))
    try:
        with waiting():
            answer = check(question, await run.approver.ask(question))
    except BaseException as error:  # the run was stopped, or nobody is there: the question must not stand for ever
        await run.record(ApprovalWithdrawn(run_id=run.id, approval_id=question.id))
        if run.rules.problem and isinstance(error, ApprovalNeeded):
            error.hint = f"mend the rules, or run it where you can answer: {run.rules.problem}"
        raise
    await run.record(ApprovalAnswered(run_id=run.id, answer=answer))
    if answer.choice == "deny":
        raise ApprovalDenied("the user said no" + (f": {answer.reason}" if answer.reason else ""))


async def consent_to_change(run: Run, workspace: Workspace, title: str, files: Sequence[FileChange]) -> None:
    """Ask before files change where the policy says so, or a name is protected; the diff is what is shown.

    A staged workspace changes nothing: what it collects is shown to the user by the editor.
    """
    if isinstance(workspace, Staged):
        return
    uris = [uri for change in files for uri in _uris(change)]
    paths = [workspace.shown(uri) for uri in uris]
    reasons = protected_in(workspace, files)
    pattern = "edit " + ", ".join(paths)
    ruled = [run.rules.judge(Subject(run.using, (workspace.leads_to(uri) or workspace.shown(uri),))) for uri in uris]
    verdict = run.verdict("workspace", pattern, ruled)
    if verdict.choice == "deny":
        raise ApprovalDenied(verdict.reason)
    if verdict.choice == "allow" and not reasons:
        return
    trial = workspace.staged()
    landed = await trial.land(run.change_set(title, files))
    rows = [(_told(workspace, each), *_texts(each), reasons.get(each.path, "")) for each in landed.files]
    question = for_change(title, rows, run_id=run.id, call_id=run.calling)
    if question.pattern not in run.state().grants or reasons:
        led = [workspace.leads_to(uri) for uri in uris]
        await consent(run, question)
        if led != [workspace.leads_to(uri) for uri in uris]:
            raise ApprovalDenied("where these paths lead has changed since it was asked about", hint="ask again")


def _texts(outcome: FileOutcome) -> tuple[str | None, str | None]:
    """Return what a diff compares: texts, or what is said of what is none."""
    match outcome.other:
        case None:
            return outcome.before, outcome.after
        case ReplaceFile() as other:
            return described(other.before), described(other.after)
        case SetMode() as other:
            return f"mode {other.before:o}", f"mode {other.mode:o}"
        case SetFolder() as other:
            return (None, "an empty folder") if other.there else ("an empty folder", None)


def _told(workspace: Workspace, outcome: FileOutcome) -> str:
    """Return the path, and where its links lead if they lead elsewhere."""
    leads = workspace.leads_to(outcome.uri)
    return outcome.path if leads in {"", outcome.path} else f"{outcome.path}, which is {leads}"


def protected_in(workspace: Workspace, files: Sequence[FileChange]) -> dict[str, str]:
    """Return the paths that always ask, each with the reason: by the name as given, and by where its links lead."""
    reasons: dict[str, str] = {}
    for uri in (uri for change in files for uri in _uris(change)):
        if why := protected(workspace.shown(uri)) or protected(workspace.leads_to(uri)):
            reasons[workspace.shown(uri)] = why
    return reasons


def _uris(change: FileChange) -> list[Uri]:
    return [change.uri, change.new_uri] if change.kind == "rename" else [change.uri]
