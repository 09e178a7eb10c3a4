"""What can be typed after a `/`: one function each, in one table."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, get_args

from rich.table import Table
from rich.text import Text

from attache.faces.cli.conversation import Chat
from attache.faces.cli.render import diff, visible
from attache.foundation.registry import near
from attache.schema.data import SessionId
from attache.schema.edits import FileOutcome, Landed
from attache.schema.errors import UserError
from attache.schema.events import ChangeUndone, Entry, RunStarted, SessionRewound
from attache.schema.session import Mode
from attache.tools.wording import counted
from attache.workspace.edits import other_way

LISTED = 15
KEYS = (
    ("Enter", "sends; Alt-Enter, or \\ at the end of a line, begins a new one"),
    ("Tab", "completes /commands, @files and @symbols"),
    ("Up", "recalls what was typed"),
    ("Ctrl-C", "stops the run; what landed stays"),
    ("Ctrl-D", "leaves"),
)


Run = Callable[[Chat, str], Awaitable[None]]


class Command(NamedTuple):
    """One row of the table."""

    run: Run
    takes: str
    what: str
    idle: bool
    """Whether it waits until no run is under way."""
    choices: tuple[str, ...]
    """What may follow it, where that is known beforehand."""


COMMANDS: dict[str, Command] = {}


def command(name: str, takes: str = "", *, idle: bool = False, choices: tuple[str, ...] = ()) -> Callable[[Run], Run]:
    """Put a function into the table; the first line of its docstring is what help says."""

    def put(run: Run) -> Run:
        what = (run.__doc__ or "").partition("\n")[0].rstrip(".")
        COMMANDS[name] = Command(run, takes, what, idle, choices)
        return run

    return put


async def obey(chat: Chat, line: str) -> None:
    """Run the command that a line names. Raises UserError where there is none, or a run is in the way."""
    name, _, rest = line.removeprefix("/").partition(" ")
    known = COMMANDS.get(name)
    if known is None:
        names = near(name, COMMANDS)
        raise UserError(
            f"no command /{name}", hint=("near: " + ", ".join(f"/{each}" for each in names)) if names else "see /help"
        )
    if known.idle and chat.busy:
        raise UserError(f"/{name} waits for the end of the run", hint="stop it with Ctrl-C, or wait")
    await known.run(chat, rest.strip())


@command("help")
async def help_(chat: Chat, _rest: str) -> None:
    """Show the commands and keys."""
    rows = Table.grid(padding=(0, 2))
    for name, each in COMMANDS.items():
        rows.add_row(Text(f"  /{name} {each.takes}"), Text(each.what))
    for key, what in KEYS:
        rows.add_row(Text(f"  {key}"), Text(what), style="dim")
    chat.show(rows)


@command("mode", "[build|plan|explore]", choices=get_args(Mode))
async def mode(chat: Chat, rest: str) -> None:
    """Show or change what the agent may do."""
    if rest:
        if rest not in get_args(Mode):
            raise UserError(f"no mode {rest!r}", hint="there are: " + ", ".join(get_args(Mode)))
        await chat.session.configure(mode=rest)
    chat.say(f"  mode {chat.session.state.mode}" + (", from the next run on" if rest and chat.busy else ""))


@command("model", "[PROVIDER/MODEL]")
async def model(chat: Chat, rest: str) -> None:
    """Show or change the model."""
    if rest:
        await chat.session.configure(model=rest)
    chat.say(f"  model {chat.session.state.model}" + (", from the next run on" if rest and chat.busy else ""))
    if not rest:
        chat.say("  others: attache models", style="dim")


@command("sessions", "[ID]", idle=True)
async def sessions(chat: Chat, rest: str) -> None:
    """List this folder's sessions, or go on with one of them."""
    listed = await chat.agent.list_sessions()
    if not rest:
        for info in listed[:LISTED]:
            here = "›" if info.id == chat.session.id else " "
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.updated_at))
            row = f"{here} {info.id}  {when}  {counted(info.runs, 'run'):>7}  {visible(info.title)}"
            chat.show(Text(row, no_wrap=True, overflow="ellipsis"))
        return
    found = [info.id for info in listed if info.id == rest or info.id.endswith(rest)]
    if len(found) != 1:
        raise UserError(f"{len(found) or 'no'} sessions end in {rest!r}", hint="see /sessions")
    await chat.go_on_with(found[0])


@command("new", idle=True)
async def new(chat: Chat, _rest: str) -> None:
    """Begin a new session."""
    await chat.begin()
    chat.say(f"  new session {chat.session.id}")


@command("rewind", "[N] [files]", idle=True)
async def rewind(chat: Chat, rest: str) -> None:
    """Forget the last prompt and its answer, or the last N; with `files` their changes go too."""
    prompts = _prompts(await chat.agent.resources.log.read(SessionId(chat.session.id)))
    words = rest.split()
    files = "files" in words
    count = _number(" ".join(word for word in words if word != "files") or "1")
    if count > len(prompts):
        raise UserError(f"this session has {counted(len(prompts), 'prompt')}", hint="such as: /rewind 1")
    seq, first = prompts[-count]
    landed = await chat.session.rewind(seq - 1, files=files)
    said = " ".join(part.text for part in first.parts if part.type == "text")
    chat.say(f"  forgotten from here on: {visible(said.splitlines()[0] if said else '')}")
    if landed:
        chat.say(f"  {counted(len(landed.files), 'file')} as before it: {visible(_names(landed))}", style="dim")
    else:
        told = "no file had changed since" if files else "files are as they were; /undo takes changes back"
        chat.say(f"  {told}", style="dim")


@command("undo", idle=True)
async def undo(chat: Chat, _rest: str) -> None:
    """Take the last change to files back."""
    if not chat.landed:
        raise UserError("no change of this chat stands", hint="what came before it: git diff, git restore")
    last = chat.landed[-1]
    back = await chat.agent.resources.workspace.undo(last)
    chat.landed.pop()
    await chat.session.record(ChangeUndone(change_set=last.change_set.id))
    chat.agent.resources.review.saw(back)
    chat.say(f"  undone: {visible(last.change_set.title)}")


@command("diff")
async def show_diff(chat: Chat, _rest: str) -> None:
    """Show the changes that this chat made and that stand."""
    stands = together(chat.landed)
    if stands is None:
        chat.say("  no change of this chat stands")
        return
    chat.say(f"  {counted(len(stands.files), 'file')}: {visible(_names(stands))}", style="bold")
    chat.show(diff(stands, limit=2_000))


@command("cost")
async def cost(chat: Chat, _rest: str) -> None:
    """Show what the session took."""
    state = chat.session.state
    used, runs = state.usage, counted(state.runs, "run")
    cached = f" ({used.cached_tokens:,} cached)" if used.cached_tokens else ""
    money = f"${state.cost_usd:.4f}" if state.cost_usd else "no cost that is known"
    chat.say(f"  {runs} · {used.input_tokens:,} tokens in{cached} · {used.output_tokens:,} out · {money}")


@command("quit")
async def quit_(chat: Chat, _rest: str) -> None:
    """Leave; the session can be continued."""
    chat.leave()


def _prompts(entries: tuple[Entry, ...]) -> list[tuple[int, RunStarted]]:
    """Return the beginnings of the runs that still count, each with its place in the log."""
    found: list[tuple[int, RunStarted]] = []
    for entry in entries:
        if isinstance(entry.event, RunStarted):
            found.append((entry.seq, entry.event))
        elif isinstance(entry.event, SessionRewound):
            to = entry.event.to_seq
            found = [(seq, started) for seq, started in found if seq <= to]
    return found


def together(steps: Sequence[Landed]) -> Landed | None:
    """Return several steps as one, without what a later one took back; None where nothing is left of them."""
    files: dict[str, FileOutcome] = {}
    for step in steps:
        for outcome in step.files:
            earlier = files.pop(outcome.renamed_from or outcome.uri, None)
            files[outcome.uri] = _one_after(earlier, outcome) if earlier else outcome
    left = tuple(each for each in files.values() if each.before != each.after or each.renamed_from or each.other)
    return steps[-1].model_copy(update={"files": left}) if left else None


def _one_after(earlier: FileOutcome, later: FileOutcome) -> FileOutcome:
    """Return what both made of the same file."""
    origin = earlier.renamed_from or earlier.uri
    taken_back = earlier.other is not None and other_way(earlier.other) == later.other
    return later.model_copy(
        update={
            "before": earlier.before,
            "renamed_from": "" if origin == later.uri else origin,
            "other": None if taken_back else later.other or earlier.other,
        }
    )


def _names(landed: Landed) -> str:
    return ", ".join(outcome.path for outcome in landed.files)


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise UserError(f"{text!r} is no number of prompts", hint="such as: /rewind 2")
    return int(text)
