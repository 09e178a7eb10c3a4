"""Code actions: producers in a table, each offering what can be done where the cursor stands.

Listing costs nothing. A fix that has to be computed is computed when it is picked: in resolve by editors that do not
freeze meanwhile, by a command whose edit comes later everywhere else.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from attache.faces.lsp.approvals import Denier, first_line
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.plan_text import is_plan
from attache.faces.lsp.code.fixes import WAYS, edits_of, find, for_client, propose, quoted, rules_may_help, same
from attache.faces.lsp.code.rewriting import EXTRACTED, ORGANISED, by_rule
from attache.faces.lsp.diagnostics import SOURCE, hunk_range
from attache.faces.lsp.editor import workspace_edit
from attache.faces.lsp.features import feature
from attache.faces.lsp.outline import innermost
from attache.faces.lsp.targets import About
from attache.faces.lsp.wire.rpc import INVALID_PARAMS, Refused
from attache.faces.lsp.wire.shapes import ActionParams, CodeAction, Command, Diagnostic, Disabled, Range, WorkspaceEdit
from attache.schema.data import Uri
from attache.schema.session import Mode
from attache.workspace.documents import Document

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

QUICKFIX: Final = "quickfix"
REWRITE: Final = "refactor.rewrite.attache"
SOURCE_KIND: Final = "source.attache"


@dataclass(frozen=True, slots=True)
class Asked:
    """Where actions are asked for, and what is known there."""

    document: Document
    range: Range
    diagnostics: list[Diagnostic]
    only: tuple[str, ...] = ()
    """The kinds that the client wants, none for all."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to pick: an edit that is ready, or a command with its argument."""

    title: str
    kind: str
    command: str = ""
    about: Any = None
    edit: WorkspaceEdit | None = None
    resolvable: bool = False
    """Whether the command only computes an edit, so that a client may make that edit itself."""
    preferred: bool = False
    reason: str = ""
    """Why it cannot be picked now."""
    diagnostics: tuple[Diagnostic, ...] = ()


Producer = Callable[["Server", Asked], AsyncIterator[Offer]]
PRODUCERS: list[tuple[str, Producer]] = []


def code_action(kind: str) -> Callable[[Producer], Producer]:
    """Offer actions of `kind` (or below it); the producer is not asked where the client wants none of them."""

    def register(offers: Producer) -> Producer:
        PRODUCERS.append((kind, offers))
        return offers

    return register


# ---------------------------------------------------------------- requests


@feature("textDocument/codeAction", ActionParams)
async def actions(server: Server, params: ActionParams) -> list[CodeAction | Command]:
    """List what can be done."""
    document = server.buffers.get(Uri(params.text_document.uri))
    if document is None:
        return []
    server.look_at(document.uri, params.range)
    server.heard.note(document, params.context.diagnostics)
    await server.models.weigh()
    asked = Asked(document, params.range, params.context.diagnostics, tuple(params.context.only or ()))
    listed: list[CodeAction | Command] = []
    for kind, offers in PRODUCERS:
        if not _wanted(kind, params.context.only):
            continue
        try:
            listed += [_listed(server, offer) async for offer in offers(server, asked)]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge of a request: one producer's failure is not the others'
            print(f"{offers.__name__}: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the log
    return listed


@feature("codeAction/resolve", CodeAction)
async def resolve(server: Server, action: CodeAction) -> CodeAction:
    """Compute the edit of a picked action; the client goes on meanwhile, and makes the edit itself."""
    if action.data is None:  # a command: VS Code asks for its edit all the same
        return action
    try:
        about = msgspec.convert(action.data, About)
    except msgspec.ValidationError as error:
        raise Refused(INVALID_PARAMS, f"data: {error}") from error
    if about.rule:
        change_set = await by_rule(server, about)
    else:
        document, finding = await find(server, about)
        change_set = await propose(server, document, finding, Denier(), about.way)
    edit = for_client(server, change_set)
    if edit is None:  # closed files never travel in an edit: editors open them hidden and leave them unsaved
        server.peer.begin(server.land(change_set), change_set.title)
    return msgspec.structs.replace(action, edit=edit)


def _wanted(kind: str, only: list[str] | None) -> bool:
    return only is None or any(kind == each or kind.startswith(f"{each}.") or not each for each in only)


def _listed(server: Server, offer: Offer) -> CodeAction | Command:
    """Return an offer as this client can show and pick it."""
    client = server.client
    arguments = () if offer.about is None else (offer.about,)
    if offer.reason and not client.shows_disabled:
        offer = replace(offer, title=f"{offer.title} ({offer.reason})", reason="", resolvable=False)
    if not client.action_literals:
        return Command(offer.title, offer.command, arguments)
    action = CodeAction(
        title=offer.title,
        kind=offer.kind,
        diagnostics=list(offer.diagnostics),
        is_preferred=offer.preferred,
        disabled=Disabled(offer.reason) if offer.reason else None,
    )
    if offer.edit is not None:
        return msgspec.structs.replace(action, edit=offer.edit)
    if offer.resolvable and client.resolves_actions:
        return msgspec.structs.replace(action, data=offer.about)
    return msgspec.structs.replace(action, command=Command(offer.title, offer.command, arguments))


# ---------------------------------------------------------------- producers, in the order they are listed


@code_action(QUICKFIX)
async def approvals(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer the answers to what waits, wherever the user is: a run stands still until then."""
    del asked
    for approval in server.questions:
        about = {"approval": approval.id, "digest": approval.digest}
        what = first_line(approval)
        yield Offer(f"Attaché: allow once: {what}", QUICKFIX, "attache.approve", about)
        if approval.pattern:
            session = {**about, "forSession": True}
            yield Offer(f"Attaché: allow for this session: {approval.pattern}", QUICKFIX, "attache.approve", session)
        yield Offer(f"Attaché: deny: {what}", QUICKFIX, "attache.deny", about)
        if not server.client.grants_permission:  # a panel asks for the reason itself
            yield Offer(f"Attaché: deny and say why…: {what}", QUICKFIX, "attache.denyWhy", about)


@code_action(QUICKFIX)
async def hunks(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer to decide about the hunk under the cursor, its file and its step."""
    here = [hunk for hunk in server.pending(asked.document.uri) if _touch(hunk_range(server, hunk), asked.range)]
    for hunk in here:
        about = {"uri": asked.document.uri, "range": hunk_range(server, hunk), "hunk": hunk.id}
        own = tuple(each for each in asked.diagnostics if each.source == SOURCE and each.data == {"hunk": hunk.id})
        yield Offer("Attaché: accept this change", QUICKFIX, "attache.acceptHunk", about, diagnostics=own)
        yield Offer("Attaché: reject this change", QUICKFIX, "attache.rejectHunk", about, diagnostics=own)
        yield Offer("Attaché: ask about this change…", QUICKFIX, "attache.ask", about)
        yield Offer("Attaché: go to the next change", QUICKFIX, "attache.nextHunk", about)
    if here:
        step = {"changeSet": here[0].change_set}
        name = f'step {here[0].step}: "{here[0].title}"'
        yield Offer("Attaché: accept all in this file", QUICKFIX, "attache.acceptAll", {"uri": asked.document.uri})
        yield Offer("Attaché: reject all in this file", QUICKFIX, "attache.rejectAll", {"uri": asked.document.uri})
        yield Offer(f"Attaché: accept {name}", QUICKFIX, "attache.acceptAll", step)
        yield Offer(f"Attaché: reject {name}", QUICKFIX, "attache.rejectAll", step)
        diff = {"uri": asked.document.uri, "what": "diff", **step}
        yield Offer(f"Attaché: show the diff of {name}", QUICKFIX, "attache.show", diff)


@code_action(QUICKFIX)
async def fixes(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer a fix for each finding: by rule, with its edit, where a rule knows one; else by model, when picked."""
    document = asked.document
    found = [each for each in asked.diagnostics if each.source != SOURCE or each.code == "review"]
    findings = [(each, server.heard.read(document, each)) for each in found]
    first, last = asked.range.start.line + 1, asked.range.end.line + 1
    rules_cure: set[int] = set()
    for cure in await server.rules.cures(document, [finding for _, finding in findings]):
        cured = tuple(given for given, finding in findings if same(cure, finding))
        rules_cure.update(id(given) for given in cured)
        end = cure.place.end_line or cure.place.line
        if cured or (cure.place.line <= last and end >= first):
            edit = workspace_edit(server.client, [(document, edits_of(document, cure))])
            title = f"Attaché: fix {quoted(cure.message)} (rule)"
            yield Offer(title, QUICKFIX, "attache.fix", edit=edit, preferred=True, diagnostics=cured)
    for given, finding in findings:
        offline = "" if rules_may_help(finding) else server.models.reason
        about = About(uri=document.uri, range=given.range, diagnostic=given)
        title = f"Attaché: fix {quoted(given.message)}"
        yield Offer(title, QUICKFIX, "attache.fix", about, resolvable=True, reason=offline, diagnostics=(given,))
        if not server.models.chosen or server.models.reason:
            continue
        if len(findings) == 1 and id(given) not in rules_cure:
            for way, (how, _) in enumerate(WAYS[1:], 1):
                other = msgspec.structs.replace(about, way=way)
                title = f"Attaché: fix, another way: {how}"
                yield Offer(title, QUICKFIX, "attache.fix", other, resolvable=True, diagnostics=(given,))
        title = f"Attaché: explain {quoted(given.message)}"
        yield Offer(title, QUICKFIX, "attache.explain", about, diagnostics=(given,))


@code_action(REWRITE)
async def definitions(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer what can be done with the definition around the cursor, and with what is selected."""
    about: dict[str, Any] = {"uri": asked.document.uri, "range": asked.range}
    reason = server.models.reason
    definition = innermost(server.outlines.of(asked.document), asked.range.start.line)
    if definition is not None:
        about["symbol"] = definition.qualified
        yield Offer("Attaché: explain", REWRITE, "attache.explain", about)
        yield Offer("Attaché: write tests", REWRITE, "attache.test", about)
        yield Offer("Attaché: document", REWRITE, "attache.document", about)
        simplify = {**about, "question": "Make it simpler without changing what it does"}
        yield Offer("Attaché: simplify", REWRITE, "attache.refactor", simplify, reason=reason)
    if asked.range.start.line != asked.range.end.line:
        if asked.document.uri.endswith(EXTRACTED):
            rule = {**about, "rule": "extract"}
            yield Offer("Attaché: extract function (rule)", REWRITE, "attache.refactor", rule, resolvable=True)
        else:
            extract = {**about, "question": "Extract the selected lines into a function"}
            yield Offer("Attaché: extract function", REWRITE, "attache.refactor", extract, reason=reason)
    yield Offer("Attaché: ask about this…", REWRITE, "attache.ask", about)


@code_action(f"{SOURCE_KIND}.review")
async def whole_file(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer what concerns the file as a whole."""
    about = {"uri": asked.document.uri}
    if is_chat(asked.document.uri) or is_plan(asked.document.uri):
        return
    kind = f"{SOURCE_KIND}.review"
    yield Offer("Attaché: review this file", kind, "attache.review", about)
    if asked.document.uri.endswith(ORGANISED):
        rule = {**about, "rule": "organize"}
        yield Offer("Attaché: organise imports (rule)", kind, "attache.refactor", rule, resolvable=True)
    if not server.client.completes_inline:
        here = {**about, "range": asked.range}
        yield Offer("Attaché: complete at the cursor", kind, "attache.complete", here)


@code_action(f"{SOURCE_KIND}.house")
async def house(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer what concerns the server as a whole, to those who ask for source actions: others see enough already."""
    if not any(kind.startswith("source") for kind in asked.only):
        return
    kind = f"{SOURCE_KIND}.house"
    yield Offer("Attaché: open a chat", kind, "attache.openChat")
    for mode in get_args(Mode):
        if mode != (server.chats.mode or server.settings.mode):
            yield Offer(f"Attaché: {mode} mode from now on", kind, "attache.setMode", {"mode": mode})
    if server.pending(None):
        yield Offer("Attaché: accept all changes", kind, "attache.acceptAll")
        yield Offer("Attaché: reject all changes", kind, "attache.rejectAll")
    yield Offer("Attaché: bring the index up to date", kind, "attache.reindex")
    yield Offer("Attaché: say where the log is", kind, "attache.showLog")


@code_action(f"{SOURCE_KIND}.run")
async def running(server: Server, asked: Asked) -> AsyncIterator[Offer]:
    """Offer to stop what runs: not every editor has a key for that. And to take back or repeat the last step."""
    del asked
    kind = f"{SOURCE_KIND}.run"
    for work in server.works.values():
        what = work.title.removeprefix("Attaché: ")
        yield Offer(f"Attaché: stop: {what}", kind, "attache.stop", {"work": work.token})
    if server.steps.done:
        yield Offer(f'Attaché: undo "{server.steps.done[-1].title}"', kind, "attache.undoStep")
    if server.steps.undone:
        yield Offer(f'Attaché: redo "{server.steps.undone[-1].title}"', kind, "attache.redoStep")


def _touch(one: Range, other: Range) -> bool:
    return one.start.line <= other.end.line and other.start.line <= one.end.line
