"""What an `@` in a question stands for (files, symbols, diagnostics, changes, pages), and what the model gets of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from attache.foundation.redact import redact
from attache.schema.errors import AttacheError
from attache.schema.messages import Text

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

MENTION: Final = re.compile(r"(?<![\w`@/])@(?P<what>https?://[^\s)>\]]+|[\w./~+-][\w./~+\\-]*(?::\d+(?:-\d+)?)?)")
_LINES: Final = re.compile(r"(?P<path>.+?):(?P<first>\d+)(?:-(?P<last>\d+))?")
_MOST: Final = 12
"""Mentions of one question that are looked up; the model reads the others itself."""
_CHARACTERS: Final = 40_000
_FINDINGS: Final = 100
_AROUND: Final = 20
OFFLINE: Final = "offline"


class Mentioned(NamedTuple):
    """A mention, and the columns [start, end) at which it stands."""

    what: str
    start: int
    end: int


def mentions(text: str) -> Iterator[Mentioned]:
    """Yield the mentions of a text, in their order."""
    for match in MENTION.finditer(text):
        what = match["what"].rstrip(".,;:?!")
        if what:
            yield Mentioned(what, match.start(), match.start() + 1 + len(what))


async def context(server: Server, question: str, session: Session) -> tuple[Text, ...]:
    """Return what the mentions of a question stand for now, unsaved text included, each once.

    The offline model looks everything up itself, and would take the text of a file for words of the question.
    """
    if session.state.model.startswith(f"{OFFLINE}/"):
        return ()
    whats = list(dict.fromkeys(each.what for each in mentions(question)))[:_MOST]
    found = [await resolved(server, what) for what in whats]
    return tuple(Text(text=f"\n\n{each}") for each in found if each)


async def resolved(server: Server, what: str, *, limit: int = _CHARACTERS) -> str:
    """Return what a mention stands for as Markdown; empty where there is none, or only a tool may look."""
    try:
        if what == "diagnostics":
            return await _diagnostics(server)
        if what == "diff":
            return await _diff(server, limit)
        if "://" in what:
            return ""  # fetching needs leave: the model asks for it by a tool
        return await _file(server, what, limit) or await _symbol(server, what)
    except AttacheError as error:
        return f"@{what}: {error.message}"


async def _file(server: Server, what: str, limit: int) -> str:
    lines = _LINES.fullmatch(what)
    name = lines["path"] if lines else what
    try:
        snapshot = await server.workspace.read(name)
    except AttacheError:
        return await _folder(server, name)
    text, where = snapshot.text, snapshot.path
    if lines:
        first = int(lines["first"])
        last = int(lines["last"]) if lines["last"] else first + _AROUND
        first = first if lines["last"] else max(first - _AROUND, 1)
        kept = text.split("\n")[first - 1 : last]
        text, where = "\n".join(kept), f"{where}:{first}-{first + len(kept) - 1}"
    if len(text) > limit:
        text = redact(text)  # half a key has no shape any more
        text = f"{text[:limit]}\n… {len(text) - limit} characters more: read them by tool"
    unsaved = " (as it stands in the editor)" if snapshot.open else ""
    return f"@{where}{unsaved}\n{fenced(text, snapshot.path.rpartition('.')[2])}"


async def _folder(server: Server, name: str) -> str:
    places = ((root.resolve(), (root / name).resolve()) for root in server.roots)
    if not any(path.is_dir() and path.is_relative_to(root) for root, path in places):
        return ""
    files = await server.workspace.files(name.rstrip("/"))
    shown = "\n".join(files[:_FINDINGS]) + (f"\n… and {len(files) - _FINDINGS} more" if len(files) > _FINDINGS else "")
    return f"@{name}\n{fenced(shown, 'text')}"


async def _symbol(server: Server, what: str) -> str:
    app = await server.app()
    name = what.rpartition(".")[2]
    found = await app.resources.index.symbols(name, k=20)
    exact = [each for each in found if what in {each.name, each.qualified}]
    told: list[str] = []
    for each in exact[:3]:
        text = await _file(server, f"{each.path}:{each.start_line}-{each.end_line}", _CHARACTERS // 4)
        told.append(f"{each.kind} `{each.qualified}`\n{text}")
    return "\n\n".join(told)


async def _diagnostics(server: Server) -> str:
    from attache.tools.diagnostics import check, merged
    from attache.tools.wording import finding

    texts = {server.shown(document.uri): document.text for document in server.buffers}
    files = {server.shown(document.uri) for document in server.buffers if document.uri.startswith("file:")}
    servers = (await server.app()).resources.servers
    served = await servers.check({path: text for path, text in texts.items() if path in files})
    rows: list[str] = []
    for path, text in texts.items():
        sets = await check(server.context(), path, text), await server.heard.findings(path), served.found.get(path, ())
        rows += [finding(each) for each in merged(*sets)]
    shown = rows[:_FINDINGS] + ([f"… and {len(rows) - _FINDINGS} more"] if len(rows) > _FINDINGS else [])
    told = fenced("\n".join(shown), "text") if rows else "nothing is known to be wrong in what is open"
    return "\n".join(("@diagnostics", told, *(f"(not asked: {why})" for why in served.trouble)))


async def _diff(server: Server, limit: int) -> str:
    from attache.workspace.git import PLAIN_DIFF, git_text

    text = redact("".join([await git_text(root, "diff", *PLAIN_DIFF, "HEAD") for root in await _repositories(server)]))
    unsaved = [server.shown(document.uri) for document in server.buffers if await _is_unsaved(server, document.uri)]
    note = f"\nNot in it, since it is not saved: {', '.join(unsaved)}" if unsaved else ""
    if not text.strip():
        return f"@diff\nnothing differs from the last commit{note}"
    cut = f"\n… {len(text) - limit} characters more" if len(text) > limit else ""
    return f"@diff\n{fenced(text[:limit] + cut, 'diff')}{note}"


async def _repositories(server: Server) -> tuple[Path, ...]:
    """Return the repositories that the folders lie in, each once; the first folder where it lies in none."""
    from attache.workspace.git import git_text

    found: dict[Path, None] = {}
    for root in server.roots:
        with suppress(AttacheError):
            found[Path((await git_text(root, "rev-parse", "--show-toplevel")).strip())] = None
    return tuple(found) or (server.folder,)


async def _is_unsaved(server: Server, uri: str) -> bool:
    from attache.schema.data import Uri
    from attache.workspace.files import read_disk

    document = server.buffers.get(Uri(uri))
    try:
        root, inside = server.workspace.place(Uri(uri))
        return document is not None and read_disk(root, inside).text != document.text
    except AttacheError:
        return False


def fenced(text: str, language: str) -> str:
    """Return a text as a fenced block that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
