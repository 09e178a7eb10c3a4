"""`attache sessions`: the conversations that were had, and what can be done with them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from attache.agent.orchestrator import Orchestrator
from attache.agent.restore import change_back
from attache.app import open_app
from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.faces.cli.render import visible
from attache.schema import events
from attache.schema.data import SessionId
from attache.schema.errors import ApprovalDenied, ApprovalNeeded, UserError
from attache.schema.events import Entry
from attache.schema.session import SessionInfo
from attache.security.veil import Veil
from attache.tools.wording import counted

sessions = typer.Typer(help="List, show, fork, rewind, export and delete sessions.", no_args_is_help=True)
app.add_typer(sessions, name="sessions")

Id = Annotated[str, typer.Argument(metavar="ID", help="The session's id, or enough of its end to tell it apart.")]
Everywhere = Annotated[bool, typer.Option("--all", help="Sessions of all folders, not only of this one.")]


def _with_agent(cwd: Path, work: Callable[[Orchestrator], Awaitable[None]]) -> None:
    here = folder(cwd)

    async def run() -> None:
        async with open_app(settings_for(here), here) as opened:
            await work(opened.orchestrator)

    asyncio.run(run())


async def _found(agent: Orchestrator, given: str) -> SessionInfo:
    """Return the session that an id, or the end of one, means. Raises UserError."""
    listed = await agent.list_sessions(everywhere=True)
    matching = [info for info in listed if info.id == given] or [info for info in listed if info.id.endswith(given)]
    if len(matching) == 1:
        return matching[0]
    what = f"{len(matching)} sessions end in {given!r}" if matching else f"no session {given!r}"
    raise UserError(what, hint="list them: attache sessions list --all")


@sessions.command("list")
def list_(*, cwd: Cwd = Path(), everywhere: Everywhere = False, json_lines: Json = False) -> None:
    """List the sessions of this folder, the last one used first."""

    async def work(agent: Orchestrator) -> None:
        for info in await agent.list_sessions(everywhere=everywhere):
            if json_lines:
                print_json(info.model_dump(mode="json"))
            else:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.updated_at))
                cost = f"  ${info.cost_usd:.2f}" if info.cost_usd else ""
                print(f"{info.id}  {when}  {counted(info.runs, 'run'):>8}{cost}  {visible(info.title)}")

    _with_agent(cwd, work)


@sessions.command()
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What you or the model said; in any case.")],
    *,
    cwd: Cwd = Path(),
    everywhere: Everywhere = False,
    json_lines: Json = False,
) -> None:
    """Find the sessions in which all words were said, the last one used first."""

    async def work(agent: Orchestrator) -> None:
        found = await agent.search_sessions(" ".join(words), everywhere=everywhere)
        for said in found:
            if json_lines:
                print_json(said.model_dump(mode="json"))
            else:
                who = "you" if said.role == "user" else "attache"
                print(
                    f"{said.session.id}  {visible(said.session.title)}\n    {said.seq} {who}: {visible(said.excerpt)}"
                )
        if not found and not json_lines:
            raise UserError(f"nobody said {' '.join(words)!r}", hint="" if everywhere else "other folders too: --all")

    _with_agent(cwd, work)


@sessions.command()
def show(session_id: Id, *, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """Show what was said and done in a session, and not taken back; with --json every event of its log."""

    async def work(agent: Orchestrator) -> None:
        info = await _found(agent, session_id)
        hidden = _hiding(agent, info)
        entries = await agent.resources.log.read(info.id)
        for entry in entries if json_lines else _that_count(entries):
            if json_lines:
                print_json(hidden(entry.model_dump(mode="json")))
            elif line := hidden(_line(entry)):
                print(f"{entry.seq:>5}  {visible(line)}")

    _with_agent(cwd, work)


def _hiding(agent: Orchestrator, info: SessionInfo) -> Callable[[Any], Any]:
    """Return what hides personal data in what is handed on, where the user wants that: as models saw it."""
    return (lambda value: value) if agent.resources.settings.personal_data == "off" else Veil(info.id).hide_data


def _that_count(entries: Iterable[Entry]) -> list[Entry]:
    """Return the events that no rewind took back."""
    kept: list[Entry] = []
    for entry in entries:
        kept.append(entry)
        if isinstance(entry.event, events.SessionRewound):
            to_seq = entry.event.to_seq
            kept = [known for known in kept if known.seq <= to_seq]
    return kept


async def _check_seq(agent: Orchestrator, info: SessionInfo, seq: int) -> None:
    """Raise UserError where a session has no such event."""
    entries = await agent.resources.log.read(info.id)
    first, last = entries[0].seq, entries[-1].seq
    if not first <= seq <= last:
        hint = f"its events are {first} to {last}: attache sessions show {info.id}"
        raise UserError(f"{info.id} has no event {seq}", hint=hint)


def _line(entry: Entry) -> str:
    match entry.event:
        case events.RunStarted() as started:
            return "you      " + " ".join(part.text for part in started.parts if part.type == "text")
        case events.MessageAdded(message=message) if message.role == "assistant" and message.text:
            return "attache  " + message.text
        case events.ToolFinished() as done:
            return f"  {'✗' if done.is_error else '✓'} {done.name} {done.title}"
        case events.ChangeLanded() as landed:
            return f"  ✎ {landed.title}: {', '.join(each.path for each in landed.files)}"
        case events.RunFinished(stop_reason=reason) if reason != "end_turn":
            return f"  stopped: {reason}"
        case _:
            return ""


@sessions.command()
def fork(
    session_id: Id,
    *,
    at: Annotated[
        int | None, typer.Option("--at", metavar="SEQ", help="The last event to keep; all by default.")
    ] = None,
    cwd: Cwd = Path(),
) -> None:
    """Begin a session that shares another's past, and print its id."""

    async def work(agent: Orchestrator) -> None:
        info = await _found(agent, session_id)
        if at is not None:
            await _check_seq(agent, info, at)
        print((await agent.fork_session(info.id, seq=at)).id)

    _with_agent(cwd, work)


@sessions.command()
def rewind(
    session_id: Id,
    to: Annotated[int, typer.Argument(metavar="SEQ", help="The last event that counts.")],
    *,
    files: Annotated[bool, typer.Option("--files", help="Give the files back what they held then, too.")] = False,
    only_files: Annotated[bool, typer.Option("--only-files", help="The files alone; what was said stays.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Change the files without asking.")] = False,
    cwd: Cwd = Path(),
) -> None:
    """Forget what came after an event; files stay as they are unless --files says otherwise, and then it asks."""

    async def work(agent: Orchestrator) -> None:
        info = await _found(agent, session_id)
        await _check_seq(agent, info, to)
        if (files or only_files) and not yes:
            await _consent_to_go_back(agent, info, to)
        session = await agent.load_session(info.id)
        landed = await session.rewind(to, conversation=not only_files, files=files or only_files)
        for outcome in landed.files if landed else ():
            print(f"as before: {visible(outcome.path)}")
        print(f"{session.id}: {len(session.state.messages)} messages count")

    _with_agent(cwd, work)


async def _consent_to_go_back(agent: Orchestrator, info: SessionInfo, seq: int) -> None:
    """Show which files would change, and ask. Raises ApprovalDenied, and ApprovalNeeded where nobody is there."""
    back = await change_back(agent.resources, await agent.resources.log.read(info.id), seq)
    if back is None:
        return
    paths = list(dict.fromkeys(agent.resources.workspace.shown(change.uri) for change in back.files))
    what = f"{counted(len(paths), 'file')} as of event {seq}"
    for path in paths:
        sys.stderr.write(f"  {visible(path)}\n")
    if not (sys.stdin and sys.stdin.isatty()):
        raise ApprovalNeeded(f"going back changes {what}, and nobody is there to ask", hint="allow it: --yes")
    if not await asyncio.to_thread(typer.confirm, f"give back {what}?", err=True):
        raise ApprovalDenied("nothing was changed", hint="without the files: leave out --files")


@sessions.command()
def export(session_id: Id, *, cwd: Cwd = Path()) -> None:
    """Print a session as Markdown."""

    async def work(agent: Orchestrator) -> None:
        info = await _found(agent, session_id)
        hidden = _hiding(agent, info)
        print(f"# {hidden(info.title)}\n")
        for message in (await agent.load_session(SessionId(info.id))).state.messages:
            if message.text.strip():
                print(f"## {'You' if message.role == 'user' else 'Attaché'}\n\n{visible(hidden(message.text))}\n")

    _with_agent(cwd, work)


@sessions.command()
def delete(session_id: Id, *, cwd: Cwd = Path()) -> None:
    """Delete a session and its log."""

    async def work(agent: Orchestrator) -> None:
        info = await _found(agent, session_id)
        await agent.delete_session(info.id)
        print(f"deleted {info.id}")

    _with_agent(cwd, work)
