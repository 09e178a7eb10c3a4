"""`attache chat`: a session to talk in, in the terminal; without one, each line of the input is a prompt."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attache.app import open_app
from attache.faces.cli.main import app
from attache.faces.cli.options import Approve, Cwd, MaxCost, ModelRef, ModeName, SessionOption, folder, settings_for
from attache.schema.data import Record
from attache.schema.session import Mode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from attache.agent.orchestrator import Orchestrator
    from attache.faces.cli.conversation import Chat


class Wanted(Record):
    """What the command line gave."""

    model: str
    mode: Mode | None
    session: str | None


@app.command()
def chat(
    *,
    cwd: Cwd = Path(),
    model: ModelRef = None,
    mode: ModeName = None,
    approve: Approve = None,
    session: SessionOption = None,
    max_cost: MaxCost = None,
) -> int:
    """Talk with the agent about the code here, and see what it does."""
    here = folder(cwd)
    settings = settings_for(here, model=model, mode=mode, approve=approve, max_cost_usd=max_cost)
    wanted = Wanted(model=model or "", mode=mode, session=session)
    talk = _talk if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty() else _read

    async def run() -> int:
        async with open_app(settings, here) as opened:
            await opened.resources.index.start()
            return await talk(opened.orchestrator, wanted)

    return asyncio.run(run())


async def _talk(agent: Orchestrator, wanted: Wanted) -> int:
    """Talk with a person at a terminal until they leave."""
    from attache.faces.cli.completion import Completions
    from attache.faces.cli.conversation import Chat, Painter
    from attache.faces.cli.render import to_continue
    from attache.faces.cli.screen import Screen
    from attache.faces.cli.slash import COMMANDS, obey

    completer = Completions(agent.resources, {name: (each.what, each.choices) for name, each in COMMANDS.items()})
    screen = Screen(home=agent.resources.settings.home, completer=completer)
    painter = Painter(screen)
    talk = Chat(agent, screen, painter, obey)
    talk.approver = screen
    painter.model = lambda: talk.session.state.model
    screen.connect(on_line=talk.take, on_interrupt=talk.interrupt, busy=painter.busy, standing=lambda: _standing(talk))
    await _enter(talk, wanted)
    if not wanted.session:
        talk.say(f"attache · {talk.session.state.model} · /help", style="dim")
        if talk.session.state.model.startswith("offline/"):
            talk.say("  no model is set up: offline finds, explains and edits by rules, and says what it cannot do")
            talk.say("  how to add one: attache doctor", style="dim")
    await screen.run()
    await talk.close()
    screen.flush()
    print(to_continue(talk.session.id))
    return 0


async def _read(agent: Orchestrator, wanted: Wanted) -> int:
    """Answer each line of the input, plainly; return 1 where the last of them came to nothing."""
    from attache.faces.cli.conversation import Chat
    from attache.faces.cli.render import Renderer
    from attache.faces.cli.slash import obey

    paper = Plain()
    renderer = Renderer()
    talk = Chat(agent, paper, renderer, obey)
    await _enter(talk, wanted)
    while not paper.left and (line := await asyncio.to_thread(sys.stdin.readline)):
        if line.strip():
            await talk.answer(line.strip())
            print(flush=True)
    return int(talk.failed)


async def _enter(talk: Chat, wanted: Wanted) -> None:
    if not wanted.session:
        await talk.begin(model=wanted.model, mode=wanted.mode)
        return
    await talk.go_on_with(wanted.session)
    if wanted.model or wanted.mode:
        await talk.session.configure(model=wanted.model or None, mode=wanted.mode)


def _standing(talk: Chat) -> str:
    state = talk.session.state
    parts = [state.mode, state.model.removesuffix("/offline"), *([f"${state.cost_usd:.2f}"] if state.cost_usd else [])]
    return "  " + " · ".join([*parts, "/help"])


class Plain:
    """Paper without a terminal: words alone, as they come."""

    def __init__(self) -> None:
        """Write to stdout."""
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)
        self.left = False

    def show(self, *shown: RenderableType, tail: str | None = None) -> None:
        """Print; what may still change is not printed at all."""
        del tail
        for each in shown:
            self._console.print(each)

    def leave(self) -> None:
        """Read no further."""
        self.left = True
