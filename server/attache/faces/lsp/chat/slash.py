"""What a chat document takes after a `/`: words for a prompt that is asked often, and what needs no model at all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from attache.faces.lsp.chat import chat_text
from attache.foundation.registry import near
from attache.schema.data import Uri
from attache.schema.errors import UserError
from attache.schema.session import Mode
from attache.security.approvals import visible

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

_COMMAND: Final = re.compile(r"/([a-z]+)(?:[ \t]+(.*))?", re.DOTALL)

PROMPTS: Final[dict[str, tuple[str, str]]] = {
    "explain": ("Explain {}.", "Explain what is named"),
    "fix": ("Fix {}. Change as little as possible.", "Fix what is named"),
    "test": (
        "Write tests for {}, in the manner and place of the tests that are there. Run them if you may.",
        "Write tests for what is named",
    ),
    "document": (
        "Write the documentation of {}, in the manner of its neighbours. Change nothing else.",
        "Write documentation",
    ),
    "simplify": ("Make {} simpler without changing what it does.", "Make what is named simpler"),
    "review": (
        "Review {}: mistakes, gaps and risks, the gravest first, each with its line and its reason. Change nothing.",
        "Say what is wrong, change nothing",
    ),
    "plan": ("Plan how to do this, step by step, and change nothing yet: {}.", "Say how it would be done"),
}
"""Command -> the prompt it stands for, and what completion says of it."""

Doing = Callable[["Server", Uri, str], Awaitable[str]]


class Act(NamedTuple):
    """A command that needs no model: it returns what to answer, if anything."""

    do: Doing
    takes: str
    what: str


async def _mode(server: Server, uri: Uri, rest: str) -> str:
    if rest not in get_args(Mode):
        raise UserError(f"no mode {rest!r}", hint="there are: " + ", ".join(get_args(Mode)))
    await server.chats.set_field(uri, "mode", rest)
    return f"mode: {rest}"


async def _model(server: Server, uri: Uri, rest: str) -> str:
    app = await server.app()
    app.resources.catalog.open(rest)
    await server.chats.set_field(uri, "model", rest)
    return f"model: {rest}"


async def _step(server: Server, verb: str) -> str:
    from attache.faces.lsp import hunks
    from attache.faces.lsp.targets import About

    here = server.steps.done if verb == "undo" else server.steps.undone
    title = here[-1].title if here else ""
    await (hunks.undo_step if verb == "undo" else hunks.redo_step)(server, About())
    return f"{verb}: {title}"


async def _undo(server: Server, _uri: Uri, _rest: str) -> str:
    return await _step(server, "undo")


async def _redo(server: Server, _uri: Uri, _rest: str) -> str:
    return await _step(server, "redo")


async def _cost(server: Server, uri: Uri, _rest: str) -> str:
    from attache.tools.wording import counted

    known = chat_text.fields(await server.chats.text(uri)).get("attache", "")
    infos = await (await server.app()).orchestrator.list_sessions()
    state = next((info for info in infos if info.id == known), None)
    if state is None:
        return "nothing was spent here yet"
    cached = f" ({state.usage.cached_tokens:,} cached)" if state.usage.cached_tokens else ""
    money = f"${state.cost_usd:.4f}" if state.cost_usd else "no cost that is known"
    used = f"{state.usage.input_tokens:,} tokens in{cached} · {state.usage.output_tokens:,} out"
    return f"{counted(state.runs, 'run')} · {used} · {money}"


async def _deny(server: Server, uri: Uri, rest: str) -> str:
    approval = server.questions.deny_in(uri, rest)
    if not server.chats.is_answering(uri):
        return f"denied: {visible(approval.title)}"
    await server.chats.take_back(uri)
    return ""  # the answer that is being written here tells of it


async def _help(_server: Server, _uri: Uri, _rest: str) -> str:
    rows = [f"- `/{name}` {what}" for name, (_, what) in PROMPTS.items()]
    rows += [f"- `/{name}{f' {act.takes}' if act.takes else ''}` {act.what}" for name, act in ACTS.items()]
    mentions = "`@path`, `@path:10-20`, `@Symbol`, `@diagnostics`, `@diff` and `@https://…` say what it is about."
    return "\n".join([*rows, "", mentions])


ACTS: Final[dict[str, Act]] = {
    "mode": Act(_mode, "|".join(get_args(Mode)), "Change what the agent may do"),
    "model": Act(_model, "PROVIDER/MODEL", "Change the model"),
    "undo": Act(_undo, "", "Take the last step back, in all its files"),
    "redo": Act(_redo, "", "Repeat the step that was undone"),
    "cost": Act(_cost, "", "Say what this chat took"),
    "deny": Act(_deny, "REASON", "Deny what waits for you, and tell the agent why"),
    "help": Act(_help, "", "List all this"),
}


def meant(asked: str) -> str:
    """Return what a question says to the model: the prompt that its command stands for, else itself."""
    found = _COMMAND.fullmatch(asked)
    if found is None or found[1] not in PROMPTS:
        return asked
    rest = (found[2] or "").strip()
    return PROMPTS[found[1]][0].format(rest.rstrip(".") or "what this chat is about")


async def obey(server: Server, uri: Uri, asked: str) -> bool:
    """Do what needs no model and answer it; return whether that was it. Raises UserError."""
    found = _COMMAND.fullmatch(asked)
    if found is None or found[1] in PROMPTS:
        return False
    name, rest = found[1], (found[2] or "").strip()
    act = ACTS.get(name)
    if act is None:
        guesses = near(name, (*PROMPTS, *ACTS))
        if not guesses:
            return False  # a path, or other words
        raise UserError(f"no command /{name}", hint="near: " + ", ".join(f"/{each}" for each in guesses))
    if answer := await act.do(server, uri, rest):
        await server.chats.reply(uri, answer)
    return True


def cannot_wait(asked: str) -> bool:
    """Return whether a question answers what a run waits for, so that it is sent though that run goes on."""
    found = _COMMAND.fullmatch(asked)
    return found is not None and found[1] == "deny"
