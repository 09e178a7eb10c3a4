"""Chat documents: where they lie, what is asked and answered in them, and the session behind each."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attache.faces.lsp import chat_text
from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.progress import shown
from attache.faces.lsp.runs import run
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, CreateFile, EditFile
from attache.schema.errors import AttacheError, EditRefused, UserError
from attache.schema.messages import Text
from attache.workspace.edits import diff
from attache.workspace.paths import to_path, to_uri
from attache.workspace.workspace import Workspace

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

SUFFIX: Final = ".chat.md"
_ATTEMPTS: Final = 5


class Chats:
    """The chat documents of one workspace."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.mode = ""
        """The mode for documents begun from now on; empty for the one that is set."""
        self._current: Uri | None = None
        self._turns: dict[Uri, asyncio.Lock] = {}

    @cached_property
    def _place(self) -> Workspace:
        """The folder of the chats, beside the code where the user trusts it, and else among our own state."""
        server = self._server
        folder = server.folder / ".attache" / "chats"
        if not (server.settings.trusted and os.access(server.folder, os.W_OK)):
            name = hashlib.sha256(str(server.folder).encode()).hexdigest()[:8]
            folder = server.settings.home / "chats" / f"{server.folder.name}-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        return Workspace([folder], home=server.settings.home, buffers=server.buffers, editor=server.editor)

    # ------------------------------------------------------------ documents

    async def begin(self, title: str, draft: str = "") -> Uri:
        """Write a new document, which is the current one from now on; return its URI."""
        name = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{_slug(title)}{SUFFIX}"
        uri = to_uri(self._place.roots[0].path / name)
        mode = self.mode or self._server.settings.mode
        text = chat_text.begun(title, {"model": self._server.models.chosen, "mode": mode}, draft)
        await self._land(title, CreateFile(uri=uri, text=text))
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
        text = (await self._workspace(uri).read(uri)).text
        last = list(chat_text.turns(text))[-1:]
        lines = text.split("\n")
        line = last[0].first + 1 if last else len(lines) - 1
        line = min(line, len(lines) - 1)
        await self._server.show(uri, line, len(lines[line]))

    # ------------------------------------------------------------ talking

    async def send(self, uri: Uri) -> None:
        """Answer what the user wrote last in a document, there. Raises UserError where that is nothing."""
        snapshot = await self._workspace(uri).read(uri)
        asked = chat_text.question(snapshot.text)
        await self._talk(uri, asked, _title(asked), chat_text.answered)

    async def ask(self, question: str, title: str) -> None:
        """Answer a question that was asked in the code, in the current document, and show that."""
        uri = await self.current()
        await self._talk(uri, question, title, lambda text, answer: chat_text.exchanged(text, question, answer))
        if self._server.buffers.get(uri) is None:
            await self.open(uri)

    async def _talk(self, uri: Uri, question: str, title: str, put: Callable[[str, str], str]) -> None:
        self._current = uri
        async with self._turns.setdefault(uri, asyncio.Lock()):
            with shown(self._server, f"Attaché: {title}") as work:
                session = await self._session(uri)
                try:
                    answer = await run(session, (Text(text=question),), title=title, work=work)
                except AttacheError as error:
                    answer = f"*{error.message}*" + (f"\n\n{error.hint}" if error.hint else "")
                await self._rewrite(
                    uri, title, lambda text: chat_text.with_field(put(text, answer), "attache", session.id)
                )

    async def _session(self, uri: Uri) -> Session:
        """Return the session behind a document, begun where it has none, with the model and mode it names."""
        server = self._server
        orchestrator = (await server.app()).orchestrator
        said = chat_text.fields((await self._workspace(uri).read(uri)).text)
        if known := said.get("attache"):
            session = await orchestrator.load_session(known)
        else:
            session = await orchestrator.new_session(model=said.get("model") or server.models.chosen)
        session.approver = Asker(server, session.id)
        server.follow(session)
        model, mode = said.get("model"), said.get("mode")
        if (model and model != session.state.model) or (mode and mode != session.state.mode):
            await session.configure(model=model or None, mode=mode or None)
        return session

    # ------------------------------------------------------------ writing

    async def _rewrite(self, uri: Uri, title: str, change: Callable[[str], str]) -> None:
        """Change the text as it stands by then; what the user types meanwhile stays."""
        workspace = self._workspace(uri)
        for attempt in range(_ATTEMPTS):
            snapshot = await workspace.read(uri)
            edits = diff(snapshot.text, change(snapshot.text))
            edit = EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=edits)
            try:
                await self._land(title, edit)
            except EditRefused:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    async def _land(self, title: str, change: CreateFile | EditFile) -> None:
        await self._workspace(change.uri).land(
            ChangeSet(id=ChangeSetId(new_id("c")), title=f"Chat: {title}", files=(change,))
        )

    def _workspace(self, uri: Uri) -> Workspace:
        """Return the workspace that a chat document lies in: ours, or the folder of one that stands elsewhere."""
        path = to_path(uri)
        if path.is_relative_to(self._place.roots[0].path):
            return self._place
        return Workspace(
            [path.parent], home=self._server.settings.home, buffers=self._server.buffers, editor=self._server.editor
        )


def is_chat(uri: str) -> bool:
    """Whether a document is a chat."""
    return uri.endswith(SUFFIX)


def chat_of(uri: str) -> Uri:
    """Return the URI of a chat document. Raises UserError for another."""
    if not is_chat(uri):
        raise UserError(f"{uri or 'this'} is no chat document", hint=f"open one by attache.openChat: *{SUFFIX}")
    return Uri(uri)


def _title(question: str) -> str:
    line = question.strip().partition("\n")[0]
    return line if len(line) <= 60 else line[:59] + "…"  # noqa: PLR2004 - what fits into a status line


def _slug(title: str) -> str:
    words = "".join(character if character.isalnum() else "-" for character in title.lower())
    return "-".join(word for word in words.split("-") if word)[:40] or "chat"
