"""Questions that only a person may answer: in a panel, by the buttons of a message, or by code action."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from attache.faces.lsp.diagnostics import SOURCE, WARNING
from attache.faces.lsp.features import command
from attache.faces.lsp.wire.rpc import Refused
from attache.faces.lsp.wire.shapes import Diagnostic, Position, Range, Shape
from attache.schema.data import ApprovalId, SessionId, Uri
from attache.schema.errors import ToolError, UserError
from attache.schema.session import Approval, ApprovalAnswer, ApprovalChoice, Question

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

CHOICES: Final[dict[ApprovalChoice, str]] = {
    "allow_once": "Allow once",
    "allow_session": "Allow for this session",
    "deny": "Deny",
}
SAY_WHY: Final = "Deny and say why"
"""Not a choice but the way to one: the reason is typed in a document first."""
WHY: Final = "/deny "
"""How a chat document denies; the reason follows."""
_WARNING: Final = 2
_INFO: Final = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question, and where its answer goes."""

    approval: Approval
    answered: asyncio.Future[ApprovalAnswer]
    session_id: SessionId


class Questions:
    """The questions that wait for the user, in the order they were asked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[ApprovalId, Waiting] = {}
        self._on_board = False
        """Whether any of them stands as a diagnostic."""
        self._to_deny: dict[Uri, ApprovalId] = {}
        """Documents in which a reason is being typed, and against what."""

    def __iter__(self) -> Iterator[Approval]:
        """Iterate over the questions that are open."""
        return iter([each.approval for each in self._waiting.values()])

    async def put(self, approval: Approval, session_id: SessionId) -> ApprovalAnswer:
        """Put a question by the best means that the editor has, and wait as long as the answer takes."""
        server = self._server
        waiting = Waiting(approval, asyncio.get_running_loop().create_future(), session_id)
        self._waiting[approval.id] = waiting
        if server.client.grants_permission:
            server.peer.begin(self._ask_panel(approval, session_id), f"approval {approval.id}")
        elif server.client.shows_buttons:
            server.peer.begin(self._ask_by_buttons(approval), f"approval {approval.id}")
        else:
            self._show()
        try:
            return await waiting.answered
        finally:
            del self._waiting[approval.id]
            self._show()

    def find(self, approval_id: str, digest: str) -> Approval:
        """Return a question, or the only one; UserError where it is open no more, or is not what was shown."""
        waiting = self._waiting.get(ApprovalId(approval_id)) if approval_id else self._waiting[self.only().id]
        if waiting is None or waiting.answered.done():
            raise UserError("that question is not open any more", hint="look at the diagnostics for what waits")
        if digest and digest != waiting.approval.digest:
            raise UserError("the answer was given to another question", hint="answer what is shown now")
        return waiting.approval

    def answer(self, approval_id: str, choice: ApprovalChoice, reason: str = "") -> None:
        """Answer a question. Raises UserError where it is open no more."""
        approval = self.find(approval_id, "")
        self._waiting[approval.id].answered.set_result(
            ApprovalAnswer(
                approval_id=approval.id, digest=approval.digest, choice=choice, pattern=approval.pattern, reason=reason
            )
        )

    def only(self) -> Approval:
        """Return the question that waits. Raises UserError where it is not exactly one."""
        if not self._waiting:
            raise UserError("no questions wait for an answer", hint="a run asks where it needs your leave")
        if len(self._waiting) > 1:
            raise UserError(f"{len(self._waiting)} questions wait for an answer", hint="pick one by its code action")
        return next(iter(self._waiting.values())).approval

    async def ask_why(self, approval: Approval) -> None:
        """Let the user type why not, in the chat that tells of a question, else in a new one; nothing is denied yet.

        Where the reason stands there already, it is denied: not every editor lets us see what it opens for us.
        """
        chats, session_id = self._server.chats, self._waiting[approval.id].session_id
        uri = next((uri for uri, about in self._to_deny.items() if about == approval.id), None)
        if uri is not None and (reason := await chats.asked(uri)).startswith(WHY):
            self.deny_in(uri, reason.removeprefix(WHY).strip())
            return
        if uri is None and (uri := chats.waiting(session_id)):
            await chats.draft(uri, WHY)
        elif uri is None:
            uri = await chats.begin(f"Deny: {first_line(approval)}", WHY)
        self._to_deny[uri] = approval.id
        await chats.open(uri)

    def deny_in(self, uri: Uri, reason: str) -> Approval:
        """Deny what a chat document is about, with the reason that was typed there. Raises UserError."""
        picked = self._waiting.get(self._to_deny.pop(uri, ApprovalId("")))
        told_here = [each for each in self._waiting.values() if self._server.chats.waiting(each.session_id) == uri]
        meant = picked or (told_here[0] if len(told_here) == 1 else None)
        approval = meant.approval if meant else self.only()
        self.answer(approval.id, "deny", reason)
        return approval

    async def _ask_panel(self, approval: Approval, session_id: SessionId) -> None:
        from attache.agent import acp

        try:
            answer = await self._server.peer.ask(
                "attache/session/request_permission", acp.permission_request(session_id, approval)
            )
            choice = acp.permission_choice(answer)
        except (Refused, ValueError):
            choice = None
        self._take(approval, choice)

    async def _ask_by_buttons(self, approval: Approval) -> None:
        buttons = [{"title": words} for words in (*CHOICES.values(), SAY_WHY)]
        params = {"type": _WARNING, "message": told(approval), "actions": buttons}
        try:
            answer = await self._server.peer.ask("window/showMessageRequest", params)
        except Refused:
            answer = None
        title = cast("dict[str, Any]", answer).get("title") if isinstance(answer, dict) else None
        self._take(approval, next((choice for choice, words in CHOICES.items() if words == title), None))
        if title == SAY_WHY and approval.id in self._waiting:
            self._server.background(self.ask_why(approval), "why not")

    def _take(self, approval: Approval, choice: ApprovalChoice | None) -> None:
        """Take an answer; a question that was waved away goes on waiting, as a diagnostic."""
        waiting = self._waiting.get(approval.id)
        if waiting is None or waiting.answered.done():
            return
        if choice is None:
            self._show()
        else:
            self.answer(approval.id, choice)

    def refresh(self) -> None:
        """Let the diagnostics of open questions stand where they are told now."""
        if self._on_board:
            self._show()

    def _show(self) -> None:
        """Let the open questions stand as diagnostics: in the chat that tells of them, else where the user is."""
        server = self._server
        self._on_board = bool(self._waiting)
        pinned: dict[Uri, list[Diagnostic]] = {uri: [] for uri in server.board.documents("approval")}
        for each in self._waiting.values():
            uri, line = server.here.uri, server.here.range.start.line
            chat = server.chats.waiting(each.session_id)
            if chat and (told := _line_of(server, chat, each.approval)) is not None:
                uri, line = chat, told
            if uri:
                at = Position(line, 0)
                pinned.setdefault(uri, []).append(_diagnostic(Range(at, at), each.approval))
        for uri, diagnostics in pinned.items():
            server.board.pin(uri, "approval", diagnostics)


class Asker:
    """The approver of one session."""

    def __init__(self, server: Server, session_id: SessionId) -> None:
        self._server = server
        self._session_id = session_id

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Ask the user of this editor."""
        return await self._server.questions.put(approval, self._session_id)

    async def choose(self, question: Question) -> str:
        """Put a question: in a panel, or its choices as buttons of a message. Raises ToolError where neither can be."""
        client = self._server.client
        in_words = client.grants_permission and client.answers_in_words
        if not in_words and not (question.choices and (client.grants_permission or client.shows_buttons)):
            raise ToolError(
                "this editor can only offer choices" if not question.choices else "this editor can offer no choices",
                hint="end your answer with the question: the user answers in their next message",
            )
        try:
            if client.grants_permission:
                from attache.agent import acp

                request = acp.question_request(self._session_id, question)
                return acp.question_answer(
                    await self._server.peer.ask("attache/session/request_permission", request), question
                )
            buttons = [{"title": choice} for choice in question.choices]
            params = {"type": _INFO, "message": question.text, "actions": buttons}
            answer = await self._server.peer.ask("window/showMessageRequest", params)
        except (Refused, ValueError, KeyError):
            return ""
        return str(cast("dict[str, Any]", answer).get("title") or "") if isinstance(answer, dict) else ""


class Denier:
    """The approver of a quick fix: the editor waits for it, so nobody can be asked."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Deny, and tell the model why."""
        return ApprovalAnswer(
            approval_id=approval.id,
            digest=approval.digest,
            choice="deny",
            reason="a quick fix edits and runs nothing; do without",
        )


def told(approval: Approval) -> str:
    """Return a question in full, in the order what, where, effect."""
    rows = "".join(f"\n{label}: {value}" for label, value in approval.detail)
    session = f"\nAllow for this session covers: {approval.pattern}" if approval.pattern else ""
    return f"Attaché wants to: {approval.title}{rows}{session}"


def first_line(approval: Approval) -> str:
    """Return what is asked, in one line."""
    return approval.title.partition("\n")[0]


def _line_of(server: Server, uri: Uri, approval: Approval) -> int | None:
    """Return the line of a chat document that tells of a question."""
    document = server.buffers.get(uri)
    what = approval.title.removeprefix("run: ")
    lines = range(document.line_count) if document else ()
    return next((n for n in lines if document and (line := document.line(n)).startswith("- ? ") and what in line), None)


def _diagnostic(place: Range, approval: Approval) -> Diagnostic:
    rows = ", ".join(f"{label} {value}" for label, value in approval.detail)
    return Diagnostic(
        range=place,
        message=f"wants to {approval.title}" + (f" ({rows})" if rows else "") + ". Allow or deny by code action.",
        severity=WARNING,
        code="approval",
        source=SOURCE,
        data={"approval": approval.id},
    )


class Permission(Shape):
    """The argument of `attache.approve`, `attache.deny` and `attache.denyWhy`.

    The question may be left out where only one waits; words in place of the whole are the reason for denying.
    """

    approval: str = ""
    digest: str = ""
    for_session: bool = False
    reason: str = ""


@command("attache.approve", Permission)
async def approve(server: Server, given: Permission) -> None:
    """Allow what waits."""
    choice: ApprovalChoice = "allow_session" if given.for_session else "allow_once"
    _decide(server, given, choice)


@command("attache.deny", Permission)
async def deny(server: Server, given: Permission) -> None:
    """Deny what waits."""
    _decide(server, given, "deny")


@command("attache.denyWhy", Permission)
async def deny_why(server: Server, given: Permission) -> None:
    """Deny what waits and tell the agent why; without a reason, open a chat document to type it in."""
    if given.reason:
        _decide(server, given, "deny")
    else:
        await server.questions.ask_why(server.questions.find(given.approval, given.digest))


def _decide(server: Server, given: Permission, choice: ApprovalChoice) -> None:
    approval = server.questions.find(given.approval, given.digest)
    server.questions.answer(approval.id, choice, given.reason)
