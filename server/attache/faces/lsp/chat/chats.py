"""Chat documents: where they lie, what is asked and answered in them, and the session behind each."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attache.agent.state import replayed_entries
from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.chat import chat_text, slash
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.links import Links
from attache.faces.lsp.chat.mentions import context
from attache.faces.lsp.chat.page import EDIT_SECONDS, Page
from attache.faces.lsp.chat.story import Story
from attache.faces.lsp.progress import shown
from attache.foundation.files import private_dir
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, SessionId, Uri
from attache.schema.edits import ChangeSet, CreateFile, EditFile
from attache.schema.errors import AttacheError, EditRefused, UserError
from attache.schema.events import Entry, RunStarted
from attache.schema.messages import Text
from attache.security.trust import is_trusted
from attache.workspace.edits import diff, trimmed, with_lf
from attache.workspace.paths import to_path, to_uri
from attache.workspace.workspace import Workspace

if TYPE_CHECKING:
    from attache.agent.orchestrator import Orchestrator
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

TRIES: Final = 20
_SCRIPTED: Final = "scripted"
"""The provider that says what a file tells it to: only the user's own settings may name it."""


class Chats:
    """The chat documents of one workspace."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.mode = ""
        """The mode for documents begun from now on; empty for the one that is set."""
        self._current: Uri | None = None
        self._turns: dict[Uri, asyncio.Lock] = {}
        self._pages: dict[SessionId, Page] = {}
        """Answers that are being written."""
        self._elsewhere: dict[Path, Workspace] = {}
        """Folders of chat documents that stand elsewhere."""

    @cached_property
    def _place(self) -> Workspace:
        """The folder of the chats, beside the code where the user trusts it, and else among our own state."""
        server = self._server
        if server.settings.trusted and os.access(server.folder, os.W_OK):
            folder = server.folder / ".attache" / "chats"
            folder.mkdir(parents=True, exist_ok=True)
        else:
            name = hashlib.sha256(str(server.folder).encode()).hexdigest()[:8]
            folder = private_dir(private_dir(self._own) / f"{server.folder.name}-{name}")
        return self._opened(folder)

    @property
    def _own(self) -> Path:
        """Where our own state keeps chats: what lies there was begun by us, and is for the user's eyes only."""
        return self._server.settings.home / "chats"

    def close(self) -> None:
        """Let go of the folders."""
        for workspace in (vars(self).get("_place"), *self._elsewhere.values()):
            if workspace is not None:
                workspace.close()

    # ------------------------------------------------------------ documents

    async def begin(self, title: str, draft: str = "") -> Uri:
        """Write a new document, which is the current one from now on; return its URI."""
        name = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{_slug(title)}{chat_text.SUFFIX}"
        uri = to_uri(self._place.roots[0].path / name)
        mode = self.mode or self._server.settings.mode
        text = chat_text.begun(title, {"model": self._server.models.chosen, "mode": mode}, draft)
        private = 0o600 if self._is_own(to_path(uri)) else None
        await self._land(title, CreateFile(uri=uri, text=text, mode=private))
        self._current = uri
        return uri

    async def current(self) -> Uri:
        """Return the document that answers go to: the last one used, else one that is open, else a new one."""
        if self._current is not None and to_path(self._current).exists():
            return self._current
        open_ones = [document.uri for document in self._server.buffers if is_chat(document.uri)]
        return open_ones[-1] if open_ones else await self.begin("Chat")

    async def open(self, uri: Uri) -> None:
        """Show a document with the cursor behind what stands under the user's last heading."""
        text = await self.text(uri)
        last = list(chat_text.turns(text))[-1:]
        lines = text.split("\n")
        line = last[0].first + 1 if last else len(lines) - 1
        line = min(line, len(lines) - 1)
        await self._server.show(uri, line, len(lines[line]))

    async def text(self, uri: Uri) -> str:
        """Return what a document holds. Raises ToolError."""
        return (await self._workspace(uri).read(uri)).text

    async def asked(self, uri: Uri) -> str:
        """Return what stands under the user's heading at the end of a document; empty where nothing does."""
        last = chat_text.last_asked(text := await self.text(uri))
        return chat_text.said(text, last) if last else ""

    # ------------------------------------------------------------ talking

    async def send(self, uri: Uri, line: int | None = None) -> None:
        """Answer what the user wrote last in a document, there.

        An earlier turn of theirs, where `line` is in one, is sent again: what was said after it goes, into a session
        that is forked there. Raises UserError where nothing was written.
        """
        text = await self.text(uri)
        turn = chat_text.earlier(text, line)
        if turn is None and self.is_answering(uri) and not chat_text.last_asked(text):
            raise UserError("it is being answered", hint=f"to say more, write below a new `## {chat_text.YOU}`")
        asked = chat_text.question(text) if turn is None else chat_text.said(text, turn)
        if turn is None and await slash.obey(self._server, uri, asked):
            return
        async with self._turn(uri):
            text = await self.text(uri)
            turn = chat_text.earlier(text, line)
            asked = chat_text.question(text) if turn is None else chat_text.said(text, turn)
            session, told = await self._session(uri, text, turn), slash.meant(asked)
            fields: dict[str, str] = {"attache": session.id}
            room = chat_text.room_behind
            if turn is not None:
                room = partial(chat_text.room_after, number=list(chat_text.turns(text)).index(turn))
                fields["parent"] = chat_text.fields(text).get("attache", "")
            await self._talk(uri, told, _title(asked), session, room, fields)

    async def saved(self, uri: Uri) -> None:
        """Send a document that was saved, where there is something in it to send."""
        said = await self.asked(uri)
        if said and (slash.cannot_wait(said) or not self.is_answering(uri)):
            await self.send(uri)

    async def ask(self, question: str, title: str) -> None:
        """Answer a question that was asked in the code: in the client's panel, else in the current document."""
        if self._server.client.has_panel:
            self.hand_over(question, title, send=True)
            return
        uri = await self.current()
        held = self._server.buffers.get(uri) is not None
        if not held and self._server.opens_chats:
            await self.open(uri)
            held = True
        async with self._turn(uri):
            text = await self.text(uri)
            room = partial(chat_text.room_for_exchange, asked=question)
            await self._talk(uri, question, title, await self._session(uri, text), room, {})
        if not held and self._server.buffers.get(uri) is None:
            await self.open(uri)

    def hand_over(self, text: str, title: str, *, send: bool) -> None:
        """Let the client's panel take a question, or with `send` off only the beginning of one."""
        self._server.peer.notify("attache/session/ask", {"text": text, "title": title, "send": send})

    def waiting(self, session_id: SessionId) -> Uri | None:
        """Return the document in which a session's run is being told; None where there is none."""
        page = self._pages.get(session_id)
        return page.uri if page else None

    def is_answering(self, uri: Uri) -> bool:
        """Whether an answer is being written into a document."""
        return (lock := self._turns.get(uri)) is not None and lock.locked()

    def _wrote(self) -> None:
        """Let what stands on lines of a document follow them."""
        self._server.questions.refresh()

    def _turn(self, uri: Uri) -> asyncio.Lock:
        self._current = uri
        return self._turns.setdefault(uri, asyncio.Lock())

    async def _talk(
        self,
        uri: Uri,
        question: str,
        title: str,
        session: Session,
        room: Callable[[str], chat_text.Draft],
        fields: dict[str, str],
    ) -> None:
        """Let a session answer, and the document show how it does."""
        server, links = self._server, Links(self._server, uri)
        page = self._pages[session.id] = Page(self._workspace(uri), uri, title, self._wrote)
        with shown(server, f"Attaché: {title}") as work:
            story = Story(work.say, links.linked, links.titled, thinking=server.settings.show_thinking)
            await page.begin(room, {**fields, "attache": session.id}, lambda: _so_far(story))

            def follow(entry: Entry) -> None:
                story.follow(entry)
                page.changed()

            stop = session.subscribe(follow)
            try:
                await session.run((Text(text=question), *await context(server, question, session)), title=title)
            except AttacheError as error:
                story.failed(error.message, error.hint)
            finally:
                stop()
                self._pages.pop(session.id, None)
                if not server.peer.stopped.done():
                    await page.finish(story.markdown())
                    server.refresh_lenses()

    async def _session(self, uri: Uri, text: str, turn: chat_text.Turn | None = None) -> Session:
        """Return the session behind a document, begun where it has none, with the model and mode it names.

        For an earlier turn it is one that shares the past up to there.
        """
        server = self._server
        orchestrator = (await server.app()).orchestrator
        said = chat_text.fields(text)
        known, model, mode = said.get("attache", ""), said.get("model", ""), said.get("mode", "")
        if not self._may_choose(uri):
            model = mode = ""
            ours = {info.id for info in await orchestrator.list_sessions()}
            known = known if known in ours else ""
        if model.partition("/")[0] == _SCRIPTED and server.settings.model.partition("/")[0] != _SCRIPTED:
            model = ""
        if known:
            session = await self._known(orchestrator, known, text, turn)
        else:
            session = await orchestrator.new_session(model=model or server.models.chosen)
        session.approver = Asker(server, session.id)
        server.follow(session)
        if (model and model != session.state.model) or (mode and mode != session.state.mode):
            await session.configure(model=model or None, mode=mode or None)
        return session

    async def _known(self, orchestrator: Orchestrator, known: str, text: str, turn: chat_text.Turn | None) -> Session:
        """Return a session of the past, or the fork of it that forgets an earlier turn and all that came after."""
        try:
            session = await orchestrator.load_session(known)
        except UserError as error:
            raise UserError(
                error.message, hint="take the `attache:` line out of the document to start afresh"
            ) from error
        if turn is None:
            return session
        log = orchestrator.resources.log
        runs = [each.seq for each in replayed_entries(await log.read(session.id)) if isinstance(each.event, RunStarted)]
        answered = chat_text.answered(text)
        at = answered.index(turn) - (len(answered) - len(runs))  # a session may have begun later than its document
        if at < 0:
            return await orchestrator.new_session(model=session.state.model, mode=session.state.mode)
        return await orchestrator.fork_session(known, seq=runs[at] - 1)

    def _may_choose(self, uri: Uri) -> bool:
        """Whether a document's front matter is the user's: anybody's repository can carry a document."""
        path = to_path(uri)
        return self._is_own(path) or is_trusted(self._server.settings.home, path.resolve().parent)

    def _is_own(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._own.resolve())

    # ------------------------------------------------------------ writing

    async def set_field(self, uri: Uri, name: str, value: str) -> None:
        """Set a field of a document's front matter."""
        await self._rewrite(uri, f"{name}: {value}", lambda text: chat_text.with_field(text, name, value))

    async def draft(self, uri: Uri, words: str) -> None:
        """Begin a turn of the user's at the end of a document, also of one that is being answered."""
        await self._rewrite(uri, "a turn of yours", lambda text: chat_text.with_draft(text, words))

    async def take_back(self, uri: Uri) -> None:
        """Remove the user's turn at the end of a document."""
        await self._rewrite(uri, "said", chat_text.without_last)

    async def _rewrite(self, uri: Uri, title: str, change: Callable[[str], str]) -> None:
        """Change a document, once more where an answer was written into it, or the user typed, at the same moment."""
        for attempt in range(TRIES):
            snapshot = await self._workspace(uri).read(uri)
            text = snapshot.text
            wanted = with_lf(change(with_lf(text))).replace("\n", snapshot.newline)
            edits = trimmed(text, diff(text, wanted))
            edit = EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=edits)
            try:
                return await self._land(title, edit)
            except EditRefused:
                if attempt == TRIES - 1:
                    raise
            await asyncio.sleep(EDIT_SECONDS)
        return None

    async def reply(self, uri: Uri, text: str) -> None:
        """Write an answer that no session gave."""
        page = Page(self._workspace(uri), uri, "reply", self._wrote)
        async with self._turn(uri):
            await page.begin(chat_text.room_behind, {}, lambda: f"{text}\n")
            await page.finish(text)

    async def _land(self, title: str, change: CreateFile | EditFile) -> None:
        await self._workspace(change.uri).land(
            ChangeSet(id=ChangeSetId(new_id("c")), title=f"Chat: {title}", files=(change,))
        )

    def _workspace(self, uri: Uri) -> Workspace:
        """Return the workspace that a chat document lies in: ours, or the folder of one that stands elsewhere."""
        path = to_path(uri)
        if path.is_relative_to(self._place.roots[0].path):
            return self._place
        if path.parent not in self._elsewhere:
            self._elsewhere[path.parent] = self._opened(path.parent)
        return self._elsewhere[path.parent]

    def _opened(self, folder: Path) -> Workspace:
        server = self._server
        return Workspace([folder], home=server.settings.home, buffers=server.buffers, editor=server.editor)


def chat_of(uri: str) -> Uri:
    """Return the URI of a chat document. Raises UserError for another."""
    if not is_chat(uri):
        raise UserError(
            f"{uri or 'this'} is no chat document", hint=f"open one by attache.openChat: *{chat_text.SUFFIX}"
        )
    return Uri(uri)


def _so_far(story: Story) -> str:
    """Return an answer that is not whole yet."""
    told = story.markdown()
    return (f"{told}\n\n" if told else "") + f"{chat_text.working(story.doing)}\n"


def _title(question: str) -> str:
    line = question.strip().partition("\n")[0]
    return line if len(line) <= 60 else line[:59] + "…"  # noqa: PLR2004 - what fits into a status line


def _slug(title: str) -> str:
    words = "".join(character if character.isalnum() else "-" for character in title.lower())
    return "-".join(word for word in words.split("-") if word)[:40] or "chat"
