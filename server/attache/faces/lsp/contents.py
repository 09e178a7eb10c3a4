"""Documents that stand nowhere: a file before its changes, a step's diff, a prompt as it was sent, a tool log.

Editors that can fetch them as `attache:` URIs do; the others are shown a file of the same text.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from attache.faces.lsp.chat.chat_text import fields, is_chat
from attache.faces.lsp.chat.mentions import fenced
from attache.faces.lsp.features import command, feature
from attache.faces.lsp.targets import About
from attache.faces.lsp.wire.shapes import Shape
from attache.foundation.files import private_dir
from attache.foundation.redact import redact, redact_data
from attache.schema.data import SessionId, Uri
from attache.schema.errors import UserError
from attache.schema.events import RunStarted, ToolFinished, ToolStarted
from attache.schema.messages import Message, Text, Thinking, ToolCall, ToolResult
from attache.security.approvals import visible
from attache.workspace.documents import split_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from attache.faces.lsp.server import Server
    from attache.schema.edits import FileOutcome

SCHEME: Final = "attache"
_MOST_FILES: Final = 50
_METHOD: Final = "workspace/textDocumentContent"


class ContentParams(Shape):
    """Parameters of workspace/textDocumentContent."""

    uri: str


@feature(_METHOD, ContentParams)
async def content(server: Server, params: ContentParams) -> dict[str, str]:
    """Return the text of a document of ours."""
    return {"text": await text_of(server, params.uri)}


async def register(server: Server) -> None:
    """Let the client fetch documents of ours, where it can."""
    if server.client.previews_text:
        options = {"id": f"{SCHEME}-content", "method": _METHOD, "registerOptions": {"schemes": [SCHEME]}}
        await server.peer.ask("client/registerCapability", {"registrations": [options]}, timeout_seconds=10)


@command("attache.show", About)
async def show(server: Server, about: About) -> None:
    """Show a diff, a file before its changes, a prompt as sent, or a tool log."""
    uri = _named(server, about)
    if server.client.previews_text:
        await server.show(Uri(uri), 0, 0)
        return
    text = await text_of(server, uri)
    folder = private_dir(private_dir(server.settings.home) / "shown")
    for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[: -_MOST_FILES + 1]:
        old.unlink(missing_ok=True)
    file = folder / re.sub(r"[^\w.-]+", "-", unquote(urlsplit(uri).path).strip("/"))
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    from attache.workspace.paths import to_uri

    await server.show(to_uri(file), 0, 0)


def _named(server: Server, about: About) -> str:
    """Return the URI of what is to be shown."""
    uri = Uri(about.uri) or server.here.uri
    what = about.what or ("log" if is_chat(uri) else "diff")
    if what not in _TEXTS:
        raise UserError(f"what to show? {what!r} is nothing", hint="there are: " + ", ".join(_TEXTS))
    if what in {"prompt", "log"}:
        document = server.buffers.get(uri)
        session = fields(document.text).get("attache", "") if document else ""
        if not session:
            raise UserError("no session stands behind this", hint="do it in a chat document that was sent once")
        return _uri(what, f"{session}.md")
    if what == "before":
        return _uri(what, server.shown(uri))
    return _uri(what, f"{about.change_set or 'pending'}.diff")


def _uri(what: str, name: str) -> str:
    return f"{SCHEME}:///{what}/{quote(name)}"


async def text_of(server: Server, uri: str) -> str:
    """Return the text behind a URI of ours. Raises UserError where there is none."""
    scheme, _, rest = uri.partition(":")
    path = rest.partition("?")[0].partition("#")[0]
    what, _, name = unquote(path).strip("/").partition("/")
    if scheme != SCHEME or what not in _TEXTS or not name:
        raise UserError(f"{uri} is no document of ours", hint=f"such as {SCHEME}:///diff/pending.diff")
    return await _TEXTS[what](server, name)


# ---------------------------------------------------------------- changes


async def _diff(server: Server, name: str) -> str:
    """Return what a step changed, or what waits for review, as a unified diff."""
    wanted = name.removesuffix(".diff")
    if wanted != "pending":
        step = next((each for each in (*server.steps.done, *server.steps.undone) if wanted in each.ids), None)
        if step is None:
            raise UserError(f"no step {wanted} is known", hint="it was made before this server started")
        return "".join(_unified(outcome) for landed in step.landed for outcome in landed.files)
    paths = dict.fromkeys(hunk.path for hunk in server.pending(None))
    told = [_between(path, await _before(server, path), (await server.workspace.read(path)).text) for path in paths]
    return "".join(told) or "No change waits for review.\n"


def _unified(outcome: FileOutcome) -> str:
    return _between(outcome.path, outcome.before or "", outcome.after or "")


def _between(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(split_lines(before), split_lines(after), f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines if line)


async def _before(server: Server, path: str) -> str:
    """Return a file as it would be without the changes that wait for review."""
    app = await server.app()
    uri = server.workspace.uri(path)
    hunks = [hunk.id for hunk in server.pending(uri)]
    if not hunks:
        return (await server.workspace.read(path)).text
    landed = await server.workspace.staged().land(app.resources.review.reject(hunks))
    return next((each.after or "" for each in landed.files if each.uri == uri), "")


# ---------------------------------------------------------------- sessions


async def _prompt(server: Server, name: str) -> str:
    """Return the last request of a session, as its model got it."""
    app = await server.app()
    session = await app.orchestrator.load_session(name.removesuffix(".md"))
    sent = app.resources.catalog.health.sent.get(session.state.model)
    if sent is not None and sent.messages and session.veil.restored_message(sent.messages[0]) in session.state.messages:
        tools = ", ".join(f"`{tool.name}`" for tool in sent.tools) or "none"
        head = f"# As sent to {session.state.model}\n\n{len(sent.tools)} tools: {tools}\n\n## System\n\n{sent.system}\n"
        return redact(head + "".join(_message(message) for message in sent.messages))
    head = "# The conversation, as the next prompt takes it up\n\nNothing was sent since this server started.\n"
    told = redact(head + "".join(_message(message) for message in session.state.messages))
    return told if server.settings.personal_data == "off" else session.veil.hide_text(told)


def _message(message: Message) -> str:
    told = [f"\n## {message.role}\n"]
    for part in message.parts:
        match part:
            case Text():
                told.append(f"{part.text}\n")
            case Thinking():
                told.append(f"{fenced(part.text, 'thinking')}\n" if part.text else "(reasoning, encrypted)\n")
            case ToolCall():
                told.append(f"call `{part.name}`\n{fenced(_json(part.arguments), 'json')}\n")
            case ToolResult():
                told.append(f"result of `{part.name}`\n{fenced(part.text, 'text')}\n")
            case _:
                told.append("(a picture)\n")
    return "\n".join(told)


def _json(value: Any) -> str:
    return json.dumps(redact_data(value), indent=1, ensure_ascii=False, default=str)


async def _log(server: Server, name: str) -> str:
    """Return every tool call of a session with its arguments and its whole output."""
    app = await server.app()
    entries = await app.resources.log.read(SessionId(name.removesuffix(".md")))
    told = ["# Tool log\n"]
    for entry in entries:
        match entry.event:
            case RunStarted(parts=parts):
                told.append(f"\n## {visible(Message(role='user', parts=parts).title)}\n")
            case ToolStarted() as event:
                told.append(f"\n### {event.name}\n\n{fenced(_json(event.arguments), 'json')}\n")
            case ToolFinished() as event:
                how = "failed" if event.is_error else "done"
                told.append(f"\n{how} in {event.seconds:.2f} s\n\n{fenced(event.text, 'text')}\n")
            case _:
                pass
    return "".join(told)


_TEXTS: Final[dict[str, Callable[[Server, str], Awaitable[str]]]] = {
    "diff": _diff,
    "before": _before,
    "prompt": _prompt,
    "log": _log,
}
"""What there is to show, by the first part of the path."""
