"""An answer on its way into a document: written where it began, in few edits, around all that the user types.

What is written ends its last line: some editors add that line end themselves, and then hold another text than was sent.
Each edit is awaited before the next. What the user does meanwhile is found by comparing the document with the text that
we left, so nothing is lost that no event told of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from attache.faces.lsp.chat import chat_text
from attache.faces.lsp.chat.chat_text import Draft
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, EditFile, TextEdit
from attache.schema.errors import EditRefused, ToolError
from attache.workspace.edits import apply, carry, diff, same_but_newlines, trimmed, with_lf
from attache.workspace.open_file import in_turn

if TYPE_CHECKING:
    from attache.schema.documents import Snapshot
    from attache.workspace.workspace import Workspace

EDIT_SECONDS: Final = 0.125
"""Pause after each edit: at most eight a second."""
DISK_SECONDS: Final = 2.0
"""The same for a document that no editor holds."""
LAST_SECONDS: Final = 20.0
"""How long the last edit is tried for while the user types right beside it."""

Span = tuple[int, int]


class Page:
    """One answer in one document."""

    def __init__(self, workspace: Workspace, uri: Uri, title: str, wrote: Callable[[], None]) -> None:
        """Write into `uri`, an open document or a file of the workspace; `wrote` is called after each edit."""
        self.uri = uri
        self._wrote = wrote
        self._workspace = workspace
        self._title = title
        self._base = ""  # the document as we left it
        self._span: Span = (0, 0)  # where the answer stands in it
        self._newline = ""  # that of the document when we came to it
        self._told = ""  # the answer as we would have it there: all that differs was typed into it
        self._behind = ""
        self._content: Callable[[], str] = str
        self._news = asyncio.Event()
        self._over = False
        self._loop: asyncio.Task[None] | None = None

    async def begin(self, room: Callable[[str], Draft], fields: dict[str, str], content: Callable[[], str]) -> None:
        """Make room for the answer, and keep it up to what `content` returns. Raises EditRefused, ToolError."""
        self._content = content
        try:
            await self._make_room(room, fields)
        except TimeoutError as error:
            raise EditRefused(
                f"the editor took no edit of {self.uri.rpartition('/')[2]}",
                hint="see whether it asks you something, or whether the document is read-only there, and send again",
            ) from error
        self._loop = asyncio.create_task(self._keep_up(), name=f"writing {self.uri}")

    async def _make_room(self, room: Callable[[str], Draft], fields: dict[str, str]) -> None:
        async with asyncio.timeout(LAST_SECONDS):
            while True:
                snapshot = await self._workspace.read(self.uri)
                draft = room(chat_text.settled(snapshot.text))
                text = draft.text
                for name, value in fields.items():
                    text = chat_text.with_field(text, name, value)
                at = draft.at + len(text) - len(draft.text)  # the fields stand at the top
                self._behind = draft.behind
                try:
                    told = self._content()
                    await self._land(snapshot, text[:at], told, text[at:])
                    self._told = told
                except EditRefused:
                    await asyncio.sleep(EDIT_SECONDS)
                else:
                    return

    def changed(self) -> None:
        """Note that there is something to write."""
        self._news.set()

    async def finish(self, content: str) -> None:
        """Write the whole, whatever the user types meanwhile, and make room for what they ask next."""
        self._over = True
        self._news.set()
        if self._loop is not None:
            await asyncio.wait({self._loop})
        ends = asyncio.get_running_loop().time() + LAST_SECONDS
        while True:
            try:
                return await self._write(content, last=True)
            except EditRefused:
                if asyncio.get_running_loop().time() > ends:
                    raise
                await asyncio.sleep(EDIT_SECONDS)

    # ------------------------------------------------------------ inside

    async def _keep_up(self) -> None:
        while not self._over:
            await self._news.wait()
            self._news.clear()
            if self._over:
                return
            try:
                await self._write(self._content())
            except ToolError:  # the user types right here, or has closed it; it may be long until there is other news
                self._news.set()
            is_open = self._workspace.buffers.get(self.uri) is not None
            await asyncio.sleep(EDIT_SECONDS if is_open else DISK_SECONDS)

    async def _write(self, content: str, *, last: bool = False) -> None:
        """Bring the document from what it is now to the same with `content` for the answer."""
        snapshot = await self._workspace.read(self.uri)
        text = snapshot.text
        start, end = carried(self._span, in_turn(self._base, diff(self._base, text)))
        there = text[start:end]
        if not there.strip() and self._told.strip():
            if not last or snapshot.open:
                return  # the user removed it
            text += "\n" * (2 - (len(text) - len(text.rstrip("\n"))))  # closed without being saved
            start = end = len(text)
            content = f"## {chat_text.AGENT}\n{content}"
        told = content
        if there and not same_but_newlines(there, self._told):
            typed = in_turn(self._told, diff(self._told, there))
            content = apply(there, carry(trimmed(self._told, diff(self._told, content)), typed))
        behind, rest = "", text[end:]
        if last and rest.lstrip().startswith(f"## {chat_text.YOU}"):
            behind = "\n" * max(2 - (len(rest) - len(rest.lstrip("\n"))), 0)
        elif last:
            behind = self._behind
        await self._land(snapshot, text[:start], content, behind + rest)
        self._told = told

    async def _land(self, snapshot: Snapshot, before: str, content: str, behind: str) -> None:
        self._newline = self._newline or snapshot.newline
        before, content, behind = (with_lf(part).replace("\n", self._newline) for part in (before, content, behind))
        mine = before + content + behind
        span = len(before), len(before) + len(content)
        after = await self._landed(snapshot, mine)
        self._base = after
        self._span = carried(span, in_turn(mine, diff(mine, after)))
        self._wrote()

    async def _landed(self, snapshot: Snapshot, mine: str) -> str:
        """Change the document to `mine`; return what came of it, typing of that moment included."""
        edits = trimmed(snapshot.text, diff(snapshot.text, mine))
        if not edits:
            return mine
        edit = EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=edits)
        change_set = ChangeSet(id=ChangeSetId(new_id("c")), title=f"Chat: {self._title}", files=(edit,))
        landed = await self._workspace.land(change_set)
        return landed.files[0].after or ""


def carried(span: Span, steps: Iterable[TextEdit]) -> Span:
    """Return where a stretch is once others' edits were made, in turn: what they put at its edges is not in it."""
    start, end = span
    for step in steps:
        by = len(step.text) - (step.end - step.start)
        start = start if start < step.start else start + by if start >= step.end else step.start + len(step.text)
        end = end if end <= step.start else end + by if end >= step.end else step.start
        end = max(start, end)
    return start, end
