"""One client and all that serves it: its buffers at once; settings, workspace and agent when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from attache.faces.lsp.capabilities import read_client
from attache.faces.lsp.carried import show_tool_problems
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.code.authors import Authors
from attache.faces.lsp.code.fixes import Rules
from attache.faces.lsp.code.ghosts import Ghosts
from attache.faces.lsp.diagnostics import Board, show_hunks
from attache.faces.lsp.editor import LanguageClient
from attache.faces.lsp.heard import Heard
from attache.faces.lsp.indexing import IndexReader
from attache.faces.lsp.models import Models
from attache.faces.lsp.outline import Outlines, position
from attache.faces.lsp.steps import Steps
from attache.faces.lsp.targets import Here
from attache.faces.lsp.wire.rpc import Peer, Refused
from attache.faces.lsp.wire.shapes import Position, Range, Token
from attache.faces.lsp.wire.transport import Transport
from attache.foundation.redact import redact
from attache.schema.data import SessionId, Uri
from attache.schema.edits import ChangeSet, FileChange, Hunk, Landed
from attache.schema.errors import AttacheError, EditRefused, Interrupted, ToolError
from attache.workspace.documents import BufferChange, Buffers
from attache.workspace.paths import shown, to_path

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.app import App
    from attache.faces.lsp.approvals import Questions
    from attache.faces.lsp.chat.chats import Chats
    from attache.faces.lsp.code.review import Reviews
    from attache.faces.lsp.panel.feed import Feed
    from attache.faces.lsp.progress import Work
    from attache.foundation.settings import Settings
    from attache.tools.tool import Context
    from attache.workspace.workspace import Workspace

T = TypeVar("T")
OPTIONS: Final = (
    "model", "mode", "review", "lenses", "inline_completion", "completion_model", "send_chats_on_save", "show_thinking",
    "max_tool_iterations", "max_cost_usd",
)  # fmt: skip
"""Settings that an editor may hand over: none that widens what may be done, since repositories set editors too."""
_SHOW_SECONDS: Final = 10.0
_ERROR: Final = 1
_INFORMATION: Final = 3


class Server:
    """What every feature is handed."""

    def __init__(self, transport: Transport, params: dict[str, Any]) -> None:
        self.client = read_client(params)
        self.peer = Peer(transport, self)
        self.editor = LanguageClient(self.client, self.peer)
        self.buffers = Buffers()
        self.roots = [path for uri in self.client.roots if (path := _folder(uri))] or [Path.cwd()]
        self.folder = self.roots[0]
        """The folder that sessions work in: the root that was first when the agent was first needed."""
        self.here = Here()
        self.outlines = Outlines(self)
        self.board = Board(self)
        self.heard = Heard(self)
        self.rules = Rules(self)
        self.models = Models(self)
        self.authors = Authors(self)
        self.steps = Steps(added=self.authors.add)
        self.ghosts = Ghosts()
        self.listed: tuple[float, asyncio.Future[tuple[str, ...]] | None] = 0.0, None
        """When the files of the workspace were last listed, and what came of it."""
        self.works: dict[Token, Work] = {}
        """What goes on in the background, by its progress token."""
        self.prompted: set[SessionId] = set()
        """Sessions that a panel waits for."""
        self.settling = False
        """Whether the client has said `initialized`."""
        self.app_now: App | None = None
        """The agent with all that it needs, once it was needed."""
        options = params.get("initializationOptions")
        given: dict[str, Any] = cast("dict[str, Any]", options) if isinstance(options, dict) else {}
        self._sees_markdown = False
        self._options = {name: given[name] for name in OPTIONS if name in given}
        self._opening: asyncio.Future[App] | None = None
        self._stack = AsyncExitStack()
        self._feeds: dict[SessionId, Feed] = {}
        self.buffers.subscribe(self._noticed)

    # ------------------------------------------------------------ what is opened late

    @cached_property
    def settings(self) -> Settings:
        """What holds for the folder; the defaults, and a message, where something is set wrong.

        Unless the user says otherwise edits land unasked: here they are reviewed hunk by hunk, and undone by a key.
        """
        from attache.foundation.settings import Settings, load
        from attache.security.trust import is_trusted

        try:
            found = load(self.folder, overrides=self._options)
            if is_trusted(found.home, self.folder):
                found = load(self.folder, overrides=self._options, trusted=True)
        except AttacheError as error:
            self.complain(error)
            found = Settings.model_validate({})
        asks = "approve" in found.model_fields_set or found.review == "off"
        return found if asks else found.model_copy(update={"approve": "edits"})

    @cached_property
    def workspace(self) -> Workspace:
        """The files as the user sees them."""
        from attache.workspace.workspace import Workspace

        return Workspace(self.roots, home=self.settings.home, buffers=self.buffers, editor=self.editor)

    def context(self) -> Context:
        """Return the world as a rule may look at it: nothing lands."""
        from attache.tools.tool import Context

        async def nothing_lands(what: str, files: Sequence[FileChange]) -> Landed:
            raise EditRefused(f"{what}: a rule only proposes ({len(files)} files)")

        index = self.app_now.resources.index if self.app_now else None
        return Context(workspace=self.workspace, settings=self.settings, land=nothing_lands, index=index)

    @cached_property
    def reviews(self) -> Reviews:
        """The files under review."""
        from attache.faces.lsp.code.review import Reviews

        return Reviews(self)

    @cached_property
    def questions(self) -> Questions:
        """What waits for the user's permission."""
        from attache.faces.lsp.approvals import Questions

        return Questions(self)

    @cached_property
    def chats(self) -> Chats:
        """The chat documents."""
        from attache.faces.lsp.chat.chats import Chats

        return Chats(self)

    async def app(self) -> App:
        """Return the agent with all that it needs, opened by whoever asks first. Raises AttacheError."""
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_future()
            self.peer.begin(self._open(self._opening), "opening the agent")
        return await asyncio.shield(self._opening)

    async def _open(self, opening: asyncio.Future[App]) -> None:
        from attache.faces.lsp.approvals import Asker

        try:
            module = await asyncio.to_thread(import_module, "attache.app")
            app: App = await self._stack.enter_async_context(
                module.open_app(
                    self.settings,
                    self.folder,
                    approver=Asker(self, SessionId("")),
                    workspace=self.workspace,
                    findings=self.heard.findings,
                )
            )
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits
            self._opening = None  # the next one tries again
            opening.set_exception(error)
            return
        self.app_now = app
        app.resources.review.subscribe(lambda uri: show_hunks(self, [uri]))
        await app.resources.index.start()
        IndexReader(self, app.resources.index).start()
        show_tool_problems(self)
        opening.set_result(app)

    async def close(self) -> None:
        """Stop what runs, then close what was opened."""
        await self.peer.close()
        await self._stack.aclose()

    def _noticed(self, change: BufferChange) -> None:
        """Notice that the client lets us see Markdown, and a chat that is sent by saving it."""
        self._sees_markdown = self._sees_markdown or change.uri.endswith(".md")
        if change.kind == "save" and is_chat(change.uri) and self.settings.send_chats_on_save:
            self.background(self.chats.saved(change.uri), "send")

    # ------------------------------------------------------------ what features ask

    @property
    def opens_chats(self) -> bool:
        """Whether a chat that is shown will be open here too, so that its answer can be seen coming."""
        return self.client.shows_documents and (self._sees_markdown or self.client.sees_everything)

    def shown(self, uri: str) -> str:
        """Return how a document is named to people and models."""
        if len(self.roots) > 1:
            return self.workspace.shown(Uri(uri))
        try:
            return shown(to_path(Uri(uri)), self.roots)
        except ToolError:
            return uri

    def root_of(self, uri: str) -> Path:
        """Return the folder of the workspace that a document lies in, the innermost; of one outside the first."""
        try:
            path = to_path(Uri(uri))
        except ToolError:
            return self.folder
        inside = [root for root in self.roots if path.is_relative_to(root)]
        return max(inside, key=lambda root: len(root.parts), default=self.folder)

    def look_at(self, uri: str, place: Range) -> None:
        """Note where the user is."""
        self.here = Here(Uri(uri), place)

    def pending(self, uri: Uri | None) -> tuple[Hunk, ...]:
        """Return the hunks that wait for review, in a document or everywhere."""
        return self.app_now.resources.review.pending(uri) if self.app_now else ()

    async def change_folders(self, added: Sequence[str], removed: Sequence[str]) -> None:
        """Follow the client into folders, named by URI, and out of others; the last one is kept."""
        gone = {path for uri in removed if (path := _folder(uri))}
        fresh = [path for uri in added if (path := _folder(uri))]
        self.roots = list(dict.fromkeys([*(path for path in self.roots if path not in gone), *fresh])) or self.roots
        if self.app_now is None and self._opening is None:
            self.folder = self.roots[0]
            vars(self).pop("settings", None)
        if "workspace" in vars(self):
            await self.workspace.use_folders(self.roots)
        if self.app_now is not None:
            from attache.security.trust import is_trusted

            home = self.settings.home
            trusted = self.settings.trusted and all(is_trusted(home, root) for root in self.roots)
            await self.app_now.resources.servers.start_anew(trusted=trusted)
            await self.app_now.resources.index.use_folders(self.roots)

    async def land(self, change_set: ChangeSet) -> None:
        """Let changes that the user picked land, as one step that can be undone. Raises EditRefused."""
        from attache.agent.consent import protected_in

        if reasons := protected_in(self.workspace, change_set.files):
            path, why = next(iter(reasons.items()))
            raise EditRefused(f"{path} is protected ({why})", hint="ask for it in a chat, where it is put to you first")
        landed = await self.workspace.land(change_set)
        self.steps.add(landed)
        if self.app_now is not None:
            self.app_now.resources.review.saw(landed)

    def follow(self, session: Session, *, tell: bool = False) -> None:
        """Let the client hear of a session."""
        from attache.faces.lsp.panel.feed import Feed

        feed = self._feeds.get(session.id)
        if feed is None or feed.session is not session:
            feed = self._feeds[session.id] = Feed(self, session)
        feed.tell = feed.tell or tell or self.client.follows_sessions

    def refresh_lenses(self) -> None:
        """Let the editor ask for its lenses again."""
        if self.client.refreshes_lenses:
            self.peer.begin(self.peer.ask("workspace/codeLens/refresh", None, timeout_seconds=10), "lens refresh")

    # ------------------------------------------------------------ what the user is told

    def tell(self, text: str) -> None:
        """Show a message."""
        self.peer.notify("window/showMessage", {"type": _INFORMATION, "message": f"Attaché: {redact(text)}"})

    def complain(self, error: Exception) -> None:
        """Show what went wrong and what to do."""
        if isinstance(error, Interrupted):
            return
        what = error.message if isinstance(error, AttacheError) else f"{type(error).__name__}: {error}"
        hint = f". {error.hint}" if isinstance(error, AttacheError) and error.hint else ""
        self.peer.notify("window/showMessage", {"type": _ERROR, "message": f"Attaché: {redact(what + hint)}"})

    async def aside(self, work: Coroutine[Any, Any, T], name: str) -> T:
        """Do something that may ask the client, and wait for it: for requests whose senders know that it takes long."""
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def done() -> None:
            try:
                result = await work
            except Exception as error:  # noqa: BLE001 - handed to the request
                if not outcome.done():
                    outcome.set_exception(error)
            else:
                if not outcome.done():
                    outcome.set_result(result)
            finally:
                outcome.cancel()

        task = self.peer.begin(done(), name)
        try:
            return await outcome
        except asyncio.CancelledError:
            task.cancel()
            raise

    def background(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Do something beside the request that asked for it, and say so where it fails."""

        async def done() -> None:
            try:
                await work
            except AttacheError as error:
                self.complain(error)
            except Exception as error:
                self.complain(error)
                raise

        self.peer.begin(done(), name)

    async def show(self, uri: Uri, line: int, column: int) -> None:
        """Bring a document before the user, the cursor at a place of ours; where the editor cannot, say which."""
        document = self.buffers.get(uri)
        at = position(document, line, column, self.client.encoding) if document else Position(line, column)
        params = {"uri": uri, "takeFocus": True, "selection": Range(at, at)}
        if self.client.shows_documents:
            try:
                answer = await self.peer.ask("window/showDocument", params, timeout_seconds=_SHOW_SECONDS)
            except (Refused, TimeoutError):
                answer = None
            if answer == {"success": True}:
                return
        self.tell(f"open {self.shown(uri)}:{line + 1}")


def _folder(root: str) -> Path | None:
    """Return the folder that a root names, as a URI or, from of old, as a path; None where there is no such folder."""
    try:
        path = Path(root) if Path(root).is_absolute() else to_path(Uri(root))
    except ToolError:
        return None
    return path if path.is_dir() else None
