"""The language servers of one workspace, asked about the texts that its user sees; what none can tell is None.

Each is brought to the state of the open buffers right before it is asked, so none lags behind and none is told in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar, cast

from attache.foundation.jsonrpc import Disconnected, RpcError
from attache.foundation.positions import to_column, to_units
from attache.schema.data import Uri
from attache.schema.documents import Diagnostic, Place, Severity
from attache.schema.edits import FileOutcome
from attache.schema.errors import PathRefused, ToolError
from attache.workspace.documents import split_lines
from attache.workspace.files import read_disk
from attache.workspace.paths import key
from attache.workspace.servers.child import Away, Child, suffix
from attache.workspace.servers.renaming import Rename, read_rename
from attache.workspace.servers.table import TABLE, Row, chosen, served
from attache.workspace.workspace import Workspace

FIRST_SECONDS: Final = 15.0
"""How long the first question waits for a server that starts; a later one finds it started or away."""
ANSWER_SECONDS: Final = 10.0
MOST_CHARACTERS: Final = 2_000_000
"""A longer text is shown to no server."""
_SEVERITIES: Final = cast("tuple[Severity, ...]", ("error", "warning", "information", "hint"))
_HINT: Final = 4
_MISSHAPEN: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What reading an answer raises that is not as the protocol says."""
_CHANGES: Final = {"created": 1, "changed": 2, "deleted": 3}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """What servers found in some texts."""

    found: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict[str, tuple[Diagnostic, ...]])
    """By path; a path that no server knows, or could check in time, is missing."""
    trouble: tuple[str, ...] = ()
    """Why a server that should have been asked could not tell."""


class Servers:
    """At most one server for each kind of file, started when a file of that kind is first asked about."""

    def __init__(
        self, workspace: Workspace, *, trusted: bool, enabled: bool = True, table: Sequence[Row] = TABLE
    ) -> None:
        """Serve a workspace; where it is not trusted, only with programs from elsewhere that run nothing of it."""
        self._workspace = workspace
        self._table = tuple(table)
        self._trusted = trusted
        self._enabled = enabled
        self._children: dict[str, Child] = {}
        self._by_suffix: dict[str, Child | None] = {}
        self._waited: set[str] = set()
        self._told: set[str] = set()

    @property
    def children(self) -> tuple[Child, ...]:
        """The servers that were ever needed."""
        return tuple(self._children.values())

    def wake(self, path: str) -> None:
        """Start the server for a file, since it will be asked soon; returns at once."""
        if child := self._child(path):
            child.start()

    async def start_anew(self, *, trusted: bool) -> None:
        """End all of them, since the folders are others now; each is found anew when it is next needed."""
        children, self._children = self.children, {}
        self._by_suffix, self._trusted = {}, trusted
        self._waited.clear()
        await asyncio.gather(*(child.close() for child in children))

    async def close(self) -> None:
        """End all of them."""
        self._enabled = False
        await asyncio.gather(*(child.close() for child in self.children))

    # ------------------------------------------------------------ diagnostics

    async def check(self, texts: Mapping[str, str]) -> Checked:
        """Return what is found in these texts, by path, all of them taken for what the files hold."""
        by_child: dict[str, dict[str, str]] = {}
        for path, text in texts.items():
            if (child := self._child(path)) and len(text) <= MOST_CHARACTERS:
                by_child.setdefault(child.row.name, {})[path] = text
        answers = await asyncio.gather(*(self._check(self._children[name], own) for name, own in by_child.items()))
        found: dict[str, tuple[Diagnostic, ...]] = {}
        for answer in answers:
            found.update(answer.found)
        trouble = [line for answer in answers for line in answer.trouble]
        return Checked(found, (*trouble, *self._untrusted(texts)))

    def news(self, trouble: Iterable[str]) -> tuple[str, ...]:
        """Return what was not returned before: nobody wants to read after every edit that a server is not there."""
        fresh = [line for line in dict.fromkeys(trouble) if line not in self._told]
        self._told.update(fresh)
        return tuple(fresh)

    async def _check(self, child: Child, texts: Mapping[str, str]) -> Checked:
        uris = {self._workspace.uri(path): path for path in texts}

        async def ask() -> list[list[dict[str, Any]]]:
            return await asyncio.gather(*(child.diagnose(uri, ANSWER_SECONDS) for uri in uris))

        try:
            said = await self._at_turn(child, {uri: texts[path] for uri, path in uris.items()}, ask)
            return Checked(
                {
                    path: tuple(_finding(child, path, texts[path], each) for each in items if _counts(each))
                    for path, items in zip(uris.values(), said, strict=True)
                }
            )
        except (Away, TimeoutError, Disconnected, RpcError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        except _MISSHAPEN as error:
            reason = f"its answer cannot be read: {error!r}"
        return Checked(trouble=(f"{child.row.name}: {reason}",))

    # ------------------------------------------------------------ questions about a place

    async def definition(self, path: str, line: int, column: int) -> tuple[Place, ...] | None:
        """Return where the name at a place (from 1, in code points) is defined; None where no server can tell."""
        answer = await self._ask("definition", path, line, column)
        return None if answer is None else await self._places(path, answer)

    async def references(self, path: str, line: int, column: int) -> tuple[Place, ...] | None:
        """Return where the name at a place is used, its definition included; None where no server can tell."""
        more = {"context": {"includeDeclaration": True}}
        answer = await self._ask("references", path, line, column, **more)
        return None if answer is None else await self._places(path, answer)

    async def hover(self, path: str, line: int, column: int) -> str | None:
        """Return what is known of the name at a place, as Markdown or plain text; None where no server can tell."""
        answer = await self._ask("hover", path, line, column)
        if not isinstance(answer, dict):
            return None
        return _words(cast("dict[str, Any]", answer).get("contents")).strip() or None

    async def rename(self, path: str, line: int, column: int, name: str) -> Rename | None:
        """Return the edits that give the name at a place another one, by path; None where no server can tell.

        Raises ToolError with the server's words where it refuses.
        """
        child = self._child(path)
        try:
            answer = await self._ask("rename", path, line, column, newName=name)
        except RpcError as error:
            raise ToolError(f"{path}:{line} cannot be renamed: {error.message}", hint="rename by editing") from error
        if child is None or answer is None:
            return None
        try:
            return await read_rename(self._workspace, answer, child.encoding)
        except _MISSHAPEN as error:
            raise ToolError(f"{child.row.name} answered oddly: {error!r}", hint="rename by editing") from error

    async def _ask(self, what: str, path: str, line: int, column: int, **more: Any) -> Any:
        """Return the answer to a question about a place, None where no server can tell. A rename raises RpcError."""
        child = self._child(path)
        if child is None:
            return None
        uri = self._workspace.uri(path)
        text = (await self._workspace.read(path)).text
        lines = split_lines(text)
        if line > len(lines) or len(text) > MOST_CHARACTERS:
            return None

        async def ask() -> Any:
            if not child.offers(f"{what}Provider"):
                return None
            at = {"line": line - 1, "character": to_units(lines[line - 1], column - 1, child.encoding)}
            params = {"textDocument": {"uri": uri}, "position": at, **more}
            return await child.ask(f"textDocument/{what}", params, ANSWER_SECONDS)

        try:
            return await self._at_turn(child, {uri: text}, ask)
        except (Away, TimeoutError, Disconnected):
            return None
        except RpcError:
            if what == "rename":
                raise
            return None

    # ------------------------------------------------------------ what happens on disk

    def landed(self, outcomes: Iterable[FileOutcome]) -> None:
        """Note what a change set of ours did to files."""
        for each in outcomes:
            kind = "deleted" if each.after is None else "created" if each.before is None else "changed"
            self.changed_on_disk(each.uri, kind)
            if each.renamed_from:
                self.changed_on_disk(Uri(each.renamed_from), "deleted")

    def changed_on_disk(self, uri: Uri, kind: Literal["created", "changed", "deleted"]) -> None:
        """Note what happened to a file, by whomever."""
        for child in self.children:
            child.changed_on_disk(uri, _CHANGES[kind])

    # ------------------------------------------------------------ inside

    def _untrusted(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield, once for each kind of file, which server would have been asked if the folder were trusted."""
        if self._trusted or not self._enabled:
            return
        roots = [root.path for root in self._workspace.roots]
        for kind in {suffix(path) for path in paths} - self._told:
            self._told.add(kind)
            choice = None if self._by_suffix.get(kind) else chosen(kind, roots, trusted=True, table=self._table)
            if choice is not None:
                yield f"{choice[0].name} runs only in a folder that you trust: attache trust"

    def _child(self, path: str) -> Child | None:
        """Return the server for a file, made if need be; None where there is none."""
        if not self._enabled:
            return None
        kind = suffix(path)
        if kind not in self._by_suffix:
            roots = [root.path for root in self._workspace.roots]
            choice = chosen(kind, roots, trusted=self._trusted, table=self._table)
            if choice is not None and choice[0].name not in self._children:
                row, command = choice
                self._children[row.name] = Child(row, command, served(row, roots), trusted=self._trusted)
            self._by_suffix[kind] = self._children[choice[0].name] if choice else None
        return self._by_suffix[kind]

    async def _at_turn(self, child: Child, texts: Mapping[Uri, str], ask: Callable[[], Awaitable[T]]) -> T:
        """Ask a server while it holds the open buffers, and `texts` over them. Raises Away and what `ask` raises."""
        patience = FIRST_SECONDS if child.row.name not in self._waited else 0.05
        try:
            await child.ready(patience)
        finally:
            self._waited.add(child.row.name)
        async with asyncio.timeout(ANSWER_SECONDS + FIRST_SECONDS), child.turn:
            mine = {key(uri) for uri in texts}
            held = {
                document.uri: document.text
                for document in self._workspace.buffers
                if suffix(document.uri) in child.row.languages
                and key(document.uri) not in mine
                and document.uri.startswith("file:")
            }
            held = {uri: text for uri, text in held.items() if len(text) <= MOST_CHARACTERS}
            await child.hold({**held, **texts}, self._saved)
            return await ask()

    async def _saved(self, uri: Uri) -> str | None:
        """Return what a file holds on disk; None where it is not there, or not ours to read."""
        try:
            root, inside = self._workspace.place(uri)
            return (await asyncio.to_thread(read_disk, root, inside)).text
        except (ToolError, OSError):
            return None

    async def _places(self, path: str, answer: Any) -> tuple[Place, ...]:
        child = self._child(path)
        given = cast("list[Any]", answer) if isinstance(answer, list) else [answer]
        texts: dict[str, list[str]] = {}
        found: list[Place] = []
        for each in given:
            if not isinstance(each, dict) or child is None:
                continue
            place = cast("dict[str, Any]", each)
            uri = Uri(str(place.get("uri") or place.get("targetUri")))
            span = place.get("range") or place.get("targetSelectionRange")
            if uri not in texts:
                texts[uri] = await self._lines(uri)
            with suppress(*_MISSHAPEN):
                found.append(_place(child, self._workspace.shown(uri), texts[uri], cast("dict[str, Any]", span)))
        return tuple(found)

    async def _lines(self, uri: Uri) -> list[str]:
        """Return the lines of a file; none where it lies outside, since only what lies inside is read."""
        with suppress(ToolError, PathRefused):
            return split_lines((await self._workspace.read(uri)).text)
        return []


def _counts(given: Mapping[str, Any]) -> bool:
    """Return whether a diagnostic says more than how to paint a name."""
    return isinstance(given.get("range"), dict) and given.get("severity", 1) != _HINT


def _finding(child: Child, path: str, text: str, given: Mapping[str, Any]) -> Diagnostic:
    code = given.get("code")
    return Diagnostic(
        place=_place(child, path, split_lines(text), given["range"]),
        message=" ".join(str(given.get("message", "")).split()),
        severity=_SEVERITIES[min(max(int(given.get("severity") or 1), 1), 4) - 1],
        source=str(given.get("source") or child.row.name),
        code="" if code is None else str(code),
    )


def _place(child: Child, path: str, lines: Sequence[str], span: Mapping[str, Any]) -> Place:
    def column(at: Mapping[str, Any]) -> int:
        number, units = int(at["line"]), int(at["character"])
        line: str = lines[number] if number < len(lines) else ""
        return 1 + (to_column(line.rstrip("\r\n"), units, child.encoding) if line else units)

    start, end = span["start"], span["end"]
    return Place(
        path=path, line=start["line"] + 1, column=column(start), end_line=end["line"] + 1, end_column=column(end)
    )


def _words(contents: Any) -> str:
    """Return what a hover says: a text, marked text, or several of them."""
    if isinstance(contents, list):
        return "\n\n".join(map(_words, cast("list[Any]", contents)))
    if isinstance(contents, dict):
        return str(cast("dict[str, Any]", contents).get("value", ""))
    return contents if isinstance(contents, str) else ""
