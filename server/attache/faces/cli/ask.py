"""`attache ask`: one run in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from attache.app import App, open_app
from attache.faces.cli.approver import Terminal
from attache.faces.cli.attached import attached, json_schema
from attache.faces.cli.main import app, fail
from attache.faces.cli.options import (
    Approve,
    Cwd,
    Json,
    MaxCost,
    ModelRef,
    ModeName,
    Quiet,
    SessionOption,
    folder,
    print_json,
    settings_for,
    tell_problems,
)
from attache.faces.cli.render import Renderer, to_continue, visible
from attache.faces.cli.waiting import Line, Waiting, painted
from attache.schema.data import Record
from attache.schema.errors import UserError
from attache.schema.events import Entry, RunFinished, StreamRestarted, ToolFinished
from attache.schema.messages import Part, Text
from attache.schema.session import Mode
from attache.tools.tool import Tools

STDIN_CHARS = 200_000
EXIT_CODES = {"end_turn": 0, "approval_needed": 3, "interrupted": 130}


class Asked(Record):
    """What the command line gave."""

    text: str
    model: str | None
    mode: Mode | None
    session: str | None
    json_lines: bool
    quiet: bool
    attached: tuple[Part, ...] = ()
    output_schema: dict[str, Any] | None = None


@app.command()
def ask(
    text: Annotated[
        str, typer.Argument(help="The question or the task. Text on stdin is added to it, or stands for it.")
    ] = "",
    *,
    cwd: Cwd = Path(),
    model: ModelRef = None,
    mode: ModeName = None,
    approve: Approve = None,
    session: SessionOption = None,
    max_cost: MaxCost = None,
    attach: Annotated[
        list[Path] | None, typer.Option("--attach", help="A picture or a file to show to the model.")
    ] = None,
    schema: Annotated[Path | None, typer.Option("--schema", help="A JSON Schema that the answer must fit.")] = None,
    json_lines: Json = False,
    quiet: Quiet = False,
) -> int:
    """Ask about the code here, or have something done to it."""
    here = folder(cwd)
    question = _question(text, _stdin())
    settings = settings_for(here, model=model, mode=mode, approve=approve, max_cost_usd=max_cost)
    asked = Asked(
        text=question,
        model=model,
        mode=mode,
        session=session,
        json_lines=json_lines,
        quiet=quiet or json_lines,
        attached=tuple(map(attached, attach or ())),
        output_schema=json_schema(schema) if schema else None,
    )

    async def run() -> int:
        async with open_app(settings, here, approver=Terminal()) as opened:
            await opened.resources.index.start()
            return await _ask(opened, asked)

    return asyncio.run(run())


async def _ask(opened: App, asked: Asked) -> int:
    agent = opened.orchestrator
    tell_problems(opened.resources.tools.problems)
    if asked.session:
        session = await agent.load_session(asked.session)
        if asked.model or asked.mode:
            await session.configure(model=asked.model, mode=asked.mode)
    else:
        session = await agent.new_session(model=asked.model or "", mode=asked.mode)
    line = Line()
    waiting = Waiting(opened.resources.index.status, line)
    if not asked.quiet:
        session.subscribe(waiting)
    render = Renderer(quiet=asked.quiet)
    last: list[Entry] = []
    session.subscribe(last.append if asked.json_lines else render)
    if asked.json_lines:
        session.subscribe(_print_event)
    if sys.stderr.isatty():
        session.subscribe(Retries())
    tried = Tried(opened.resources.tools)
    session.subscribe(tried)
    stop = asyncio.create_task(session.run((Text(text=asked.text), *asked.attached), output_schema=asked.output_schema))
    _interrupt_on_signal(stop)
    try:
        async with painted(line, waiting.text):
            finished = await stop
    except asyncio.CancelledError:
        return fail("interrupted", hint=to_continue(session.id), code=130)
    code = EXIT_CODES.get(finished.stop_reason, 1) or tried.exit_code
    _close(finished, render, code, model=session.state.model, session_id=session.id, json_lines=asked.json_lines)
    if finished.stop_reason == "end_turn" and code:
        fail(f"nothing was done: {tried.words}")
    return code


def _close(
    finished: RunFinished, render: Renderer, code: int, *, model: str, session_id: str, json_lines: bool
) -> None:
    if finished.error:
        fail(finished.error, hint=finished.hint)
    elif code and finished.stop_reason != "end_turn":
        fail(f"stopped: {finished.stop_reason.replace('_', ' ')}")
    if not json_lines:
        render.closing(finished, model=model, session_id=session_id)


class Tried:
    """What the calls of a run came to: a run in which none did what it was for has not done what was asked."""

    def __init__(self, tools: Tools) -> None:
        """Look up in `tools` which calls change something."""
        self._tools = tools
        self._refused = False
        self._done: Counter[bool] = Counter()
        """Calls that did what they were for, by whether they change something."""
        self._failed: Counter[bool] = Counter()
        self.words = ""
        """What the last failure said."""

    def __call__(self, entry: Entry) -> None:
        """Count a call."""
        match entry.event:
            case ToolFinished(name=name, is_error=True) as done if "exit_code" not in done.data:
                self._refused |= "edit_refused" in done.data
                self._failed[not self._tools.reads_only(name)] += 1
                self.words = visible(done.text.partition("\n")[0])
            case ToolFinished(name=name):  # a command that ran has done what it was for, whatever its exit code
                self._done[not self._tools.reads_only(name)] += 1
            case _:
                pass

    @property
    def exit_code(self) -> int:
        """0, 1 where all calls failed, or all that would have changed something; 4 where an edit was refused."""
        nothing = self._failed.total() and not self._done.total()
        unchanged = self._failed[True] and not self._done[True]
        return 4 if unchanged and self._refused else 1 if nothing or unchanged else 0


def _print_event(entry: Entry) -> None:
    event = entry.event.model_dump(mode="json")
    if isinstance(entry.event, RunFinished):
        event["usage"] = {name: event["usage"][name] for name in ("input_tokens", "output_tokens", "cached_tokens")}
    print_json({**event, "session_id": entry.session_id, "seq": entry.seq, "at": round(entry.at, 3)})


class Retries:
    """Says that an answer is asked for again, on a line that the next event takes away."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._said = False

    def __call__(self, entry: Entry) -> None:
        """Paint one event."""
        if isinstance(entry.event, StreamRestarted):
            sys.stderr.write(f"\r\x1b[K… {visible(entry.event.reason)}")
        elif self._said:
            sys.stderr.write("\r\x1b[K")
        self._said = isinstance(entry.event, StreamRestarted)
        sys.stderr.flush()


def _question(text: str, given: str) -> str:
    """Return what is asked: the text with what stdin gave, or stdin alone. Raises UserError where both are empty."""
    if not (text.strip() or given):
        raise UserError("the question is empty", hint='such as: attache ask "where is the entry point?"')
    if not text.strip():
        return given
    return f"{text}\n\nFrom standard input:\n{given}" if given else text


def _stdin() -> str:
    """Return what is piped in, empty where nothing is."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    given = sys.stdin.read(STDIN_CHARS + 1)
    if not given.strip():
        return ""
    cut = "\n[cut]" if len(given) > STDIN_CHARS else ""
    return given[:STDIN_CHARS] + cut


def _interrupt_on_signal(task: asyncio.Task[RunFinished]) -> None:
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    except NotImplementedError:  # Windows: asyncio.run cancels the main task by itself
        return
