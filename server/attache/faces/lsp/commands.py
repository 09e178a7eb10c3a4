"""The commands: each answers at once and goes on in the background, whoever sent it and with however little."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.chat.chat_text import is_chat
from attache.faces.lsp.chat.chats import chat_of
from attache.faces.lsp.chat.mentions import fenced
from attache.faces.lsp.code.fixes import find, propose, quoted
from attache.faces.lsp.code.rewriting import by_rule
from attache.faces.lsp.features import COMMANDS, Doable, command, feature
from attache.faces.lsp.targets import About, Target, target
from attache.faces.lsp.wire.rpc import INVALID_PARAMS, Refused
from attache.faces.lsp.wire.shapes import CommandParams, read_as
from attache.foundation.ids import new_id
from attache.foundation.registry import hint_for
from attache.schema.data import ChangeSetId, SessionId
from attache.schema.edits import ChangeSet, EditFile, TextEdit
from attache.schema.errors import AttacheError, Interrupted, UserError
from attache.workspace.documents import text_hash

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server


REASONED: Final = frozenset({"attache.deny", "attache.denyWhy"})
"""Commands for which words in place of an object are the reason."""


@feature("workspace/executeCommand", CommandParams)
def execute(server: Server, params: CommandParams) -> None:
    """Begin a command."""
    known = COMMANDS.get(params.command)
    if known is None:
        raise Refused(INVALID_PARAMS, f"unknown command {params.command}; {hint_for(params.command, COMMANDS)}")
    given: Any = params.arguments[0] if params.arguments else {}
    if isinstance(given, str) and known.shape is About:
        given = {"question": given}  # what a person types behind the command's name
    elif isinstance(given, str) and known.name in REASONED:
        given = {"reason": given}
    try:
        argument: Any = read_as(known.shape, given)
    except ValueError as error:
        raise Refused(INVALID_PARAMS, f"{params.command}: {error}") from error
    if isinstance(argument, About) and argument.uri and argument.range:
        server.look_at(argument.uri, argument.range)
    server.peer.begin(_done(server, known, argument), known.name)


async def _done(server: Server, known: Doable, argument: Any) -> None:
    """Do a command, and tell the user what went wrong."""
    try:
        await known.do(server, argument)
    except Interrupted:
        pass  # by the user's own hand
    except AttacheError as error:
        server.complain(error)
    except Exception as error:
        server.complain(error)
        raise


# ---------------------------------------------------------------- asking


@command("attache.ask", About)
async def ask(server: Server, about: About) -> None:
    """Answer a question; without one, open a chat document that has the place already mentioned."""
    place = target(server, about) if about.uri or server.here.uri else None
    if about.question:
        at = f"\n\nIt is about {place.named}." if place else ""
        await server.chats.ask(f"{about.question}{at}", about.question)
        return
    mention = f"`{place.symbol}` @{place.place} " if place and place.symbol else f"@{place.place} " if place else ""
    title = (place.symbol or place.path) if place else "Chat"
    if server.client.has_panel:
        server.chats.hand_over(mention, title, send=False)
        return
    await server.chats.open(await server.chats.begin(title, mention))


@command("attache.explain", About)
async def explain(server: Server, about: About) -> None:
    """Explain a definition, or a finding."""
    place = target(server, about)
    if about.diagnostic is not None:
        finding = server.heard.read(place.document, about.diagnostic)
        said = f"{finding.source} {finding.code}".strip()
        await server.chats.ask(
            f"Explain in plain words what this finding means here, why it comes up, and what would mend it. Change "
            f"nothing.\n\n`{place.place}`{f' ({said})' if said else ''}:\n{fenced(finding.message, 'text')}",
            f"Explain {quoted(finding.message)}",
        )
        return
    await server.chats.ask(f"Explain {place.named}.", f"Explain {_name(place)}")


@command("attache.test", About)
async def test(server: Server, about: About) -> None:
    """Write tests for a definition."""
    place = target(server, about)
    await server.chats.ask(
        f"Write tests for {place.named}, in the manner and place of the tests that are there. Run them if you may.",
        f"Write tests for {_name(place)}",
    )


@command("attache.document", About)
async def document(server: Server, about: About) -> None:
    """Write a definition's documentation."""
    place = target(server, about)
    await server.chats.ask(
        f"Write the documentation of {place.named}, in the manner of its neighbours. Change nothing else.",
        f"Document {_name(place)}",
    )


@command("attache.refactor", About)
async def refactor(server: Server, about: About) -> None:
    """Rewrite what is selected as the question says."""
    if about.rule:
        await server.land(await by_rule(server, about))
        return
    place = target(server, about)
    wish = about.question or "Make it simpler without changing what it does"
    await server.chats.ask(
        f"{wish}: lines {place.line} to {place.end_line} of `{place.path}`"
        + (f", in `{place.symbol}`." if place.symbol else "."),
        f"{wish} in {_name(place)}",
    )


def _name(place: Target) -> str:
    return place.symbol or place.place


# ---------------------------------------------------------------- fixing


@command("attache.fix", About)
async def fix(server: Server, about: About) -> None:
    """Fix a finding; without one, the first that is known where the user is."""
    held, finding = await find(server, about)
    change_set = await propose(server, held, finding, Asker(server, SessionId("")), about.way)
    await server.land(change_set)


@command("attache.complete", About)
async def complete(server: Server, about: About) -> None:
    """Write what goes at the cursor, for editors that show no ghost text."""
    from attache.faces.lsp.code.ghost import continued
    from attache.faces.lsp.sync import code_points

    held = target(server, about).document
    at = (about.range or server.here.range).start
    line, column = code_points(held, at, server.client.encoding)
    base, offset = held.text, held.offset(line, column)
    text = await continued(server, held, line, column)
    if not text:
        server.tell("nothing to complete here")
        return
    server.workspace.remember([base])
    edit = EditFile(uri=held.uri, base_hash=text_hash(base), edits=(TextEdit(start=offset, end=offset, text=text),))
    await server.land(ChangeSet(id=ChangeSetId(new_id("c")), title="Complete", files=(edit,)))


# ---------------------------------------------------------------- chats


@command("attache.openChat", About)
async def open_chat(server: Server, about: About) -> None:
    """Open a new chat document."""
    await server.chats.open(await server.chats.begin("Chat", about.question))


@command("attache.sendChat", About)
async def send_chat(server: Server, about: About) -> None:
    """Send what was written in a chat document."""
    uri = about.uri or (server.here.uri if is_chat(server.here.uri) else await server.chats.current())
    line = about.range.start.line if about.uri and about.range else None
    await server.chats.send(chat_of(uri), line)


# ---------------------------------------------------------------- everything else


@command("attache.stop", About)
async def stop(server: Server, about: About) -> None:
    """Stop one piece of work, or all."""
    for token, work in tuple(server.works.items()):
        if about.work in {"", token}:
            work.stop()


@command("attache.setModel", About)
async def set_model(server: Server, about: About) -> None:
    """Take another model for what is begun from now on."""
    if not about.model:
        raise UserError('which model? attache.setModel takes {"model": "provider/name"}', hint="list: attache models")
    app = await server.app()
    app.resources.catalog.open(about.model)
    server.models.choose(about.model)
    server.tell(f"model: {about.model}")


@command("attache.setMode", About)
async def set_mode(server: Server, about: About) -> None:
    """Change the mode of the session that was used last."""
    modes = ("build", "plan", "explore")
    if about.mode not in modes:
        raise UserError(f"which mode? {about.mode!r} is none", hint='{"mode": "build" | "plan" | "explore"}')
    server.chats.mode = about.mode
    server.tell(f"mode: {about.mode}")


@command("attache.reindex", About)
async def reindex(server: Server, about: About) -> None:
    """Bring the index up to date with the disk."""
    del about
    app = await server.app()
    with suppress(asyncio.CancelledError):
        await app.resources.index.ready(60)
    status = app.resources.index.status()
    server.tell(f"index: {status.state}, {status.files} files, {status.symbols} symbols")


@command("attache.showLog", About)
async def show_log(server: Server, about: About) -> None:
    """Say where the log is."""
    del about
    server.tell(f"the log is what your editor keeps of our stderr; sessions are in {server.settings.home}")
