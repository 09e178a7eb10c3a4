"""Chat documents: where they lie, what is asked and answered in them, and the session behind each."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attache.faces.lsp import chat_text
from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.progress import shown
from attache.faces.lsp.runs import run
from attache.foundation.files import private_dir
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, CreateFile, EditFile
from attache.schema.errors import AttacheError, EditRefused, UserError
from attache.schema.messages import Text
from attache.security.trust import is_trusted
from attache.workspace.edits import diff
from attache.workspace.paths import to_path, to_uri
from attache.workspace.workspace import Workspace

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

SUFFIX: Final = ".chat.md"
_ATTEMPTS: Final = 5
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
        name = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{_slug(title)}{SUFFIX}"
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
        known, model, mode = said.get("attache", ""), said.get("model", ""), said.get("mode", "")
        if not self._may_choose(uri):
            model = mode = ""
            ours = {info.id for info in await orchestrator.list_sessions()}
            known = known if known in ours else ""
        if model.partition("/")[0] == _SCRIPTED and server.settings.model.partition("/")[0] != _SCRIPTED:
            model = ""
        if known:
            session = await orchestrator.load_session(known)
        else:
            session = await orchestrator.new_session(model=model or server.models.chosen)
        session.approver = Asker(server, session.id)
        server.follow(session)
        if (model and model != session.state.model) or (mode and mode != session.state.mode):
            await session.configure(model=model or None, mode=mode or None)
        return session

    def _may_choose(self, uri: Uri) -> bool:
        """Whether a document's front matter is the user's: anybody's repository can carry a document."""
        path = to_path(uri)
        return self._is_own(path) or is_trusted(self._server.settings.home, path.resolve().parent)

    def _is_own(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._own.resolve())

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
        if path.parent not in self._elsewhere:
            self._elsewhere[path.parent] = self._opened(path.parent)
        return self._elsewhere[path.parent]

    def _opened(self, folder: Path) -> Workspace:
        server = self._server
        return Workspace([folder], home=server.settings.home, buffers=server.buffers, editor=server.editor)


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
