"""The terminal while a chat is open: what is said goes up and stays, the line being typed stays below it."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit.application import Application
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.styles import Style
from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.text import Text

from attache.faces.cli.approver import CHOICES, WHY, choices, offered, picked
from attache.faces.cli.completion import Typed
from attache.faces.cli.render import answer, question, visible
from attache.foundation.redact import redact
from attache.schema.session import Approval, ApprovalAnswer, Question

TAIL_ROWS = 12
TAIL_LINES = 40
"""Lines of an unfinished block that are laid out; it may be a program of a thousand."""
MENU_ROWS = 8
SETTLE_SECONDS = 0.6
"""Keys of a word that was being typed when a question appeared are no answer to it: before one, there is a pause."""
REFRESH_SECONDS = 0.5
_OUTER_BLANKS = re.compile(r"\A(?:(?:\x1b\[[0-9;]*m|[ \t])*\n)+|(?:\n(?:\x1b\[[0-9;]*m|[ \t])*)+\Z")
STYLE = Style.from_dict({
    "prompt": "bold ansicyan", "dim": "ansibrightblack", "ask": "bold ansiyellow",
    "completion-menu": "bg:default fg:default noreverse", "completion-menu.completion.current": "reverse",
    "completion-menu.meta.completion": "bg:default fg:ansibrightblack",
    "completion-menu.meta.completion.current": "bg:default fg:ansibrightblack",
})  # fmt: skip


class Screen:
    """Prints above, types below. It knows nothing of sessions: what is typed goes to `on_line`."""

    def __init__(self, *, home: Path, completer: Completer) -> None:
        """Keep what is typed in `home`."""
        self._on_line: Callable[[str], None] = lambda _: None
        self._on_interrupt: Callable[[], bool] = lambda: False
        self._busy: Callable[[], str] = lambda: ""
        self._standing: Callable[[], str] = lambda: ""
        self._outbox: list[str] = []
        self._tail = self._next_tail = ""
        self._laid_out: tuple[str, int, str] = ("", 0, "")
        self._wake = asyncio.Event()
        self._question: Approval | None = None
        self._key_at = 0.0
        self._saying_why = False
        self._answered: asyncio.Future[ApprovalAnswer] | None = None
        self._asked: asyncio.Future[str] | None = None
        self._input = Buffer(
            multiline=True, history=Typed(home), completer=completer,
            complete_while_typing=Condition(lambda: self._question is None),
        )  # fmt: skip
        self._why = Buffer(multiline=False)
        self._app: Application[None] = Application(
            layout=self._layout(), key_bindings=self._keys(), style=STYLE, erase_when_done=True,
            refresh_interval=REFRESH_SECONDS, min_redraw_interval=0.03,
        )  # fmt: skip

    def connect(
        self,
        *,
        on_line: Callable[[str], None],
        on_interrupt: Callable[[], bool],
        busy: Callable[[], str],
        standing: Callable[[], str],
    ) -> None:
        """Call `on_line` for what is typed and `on_interrupt` on Ctrl-C, which says whether there was a run.

        `busy` and `standing` are what stands above the input, if anything, and below it.
        """
        self._on_line, self._on_interrupt, self._busy, self._standing = on_line, on_interrupt, busy, standing

    # ------------------------------------------------------------ showing

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return self._app.output.get_size().columns

    def show(self, *shown: RenderableType, tail: str | None = None) -> None:
        """Print above what is typed, for good; `tail` is what is then still to come."""
        self._outbox += [self._laid(each) for each in shown]
        self._next_tail = self._next_tail if tail is None else tail
        if self._outbox:
            self._wake.set()
        else:
            self._tail = self._next_tail
            self._app.invalidate()

    def _laid(self, shown: RenderableType) -> str:
        out = io.StringIO()
        console = Console(
            file=out, force_terminal=True, width=max(20, self.width), highlight=False, legacy_windows=False
        )
        if isinstance(shown, Text) and not shown.no_wrap:
            for line in shown.split("\n", allow_blank=True):
                indent = len(line.plain) - len(line.plain.lstrip(" "))
                console.print(Padding(line[indent:], (0, 0, 0, indent)))  # what wraps stays under its beginning
        elif isinstance(shown, Text):
            console.print(shown, no_wrap=True, overflow="ellipsis")
        else:
            console.print(shown)
        text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
        return _OUTER_BLANKS.sub("", text) + "\n" if isinstance(shown, Markdown) else text

    async def _print(self) -> None:
        """Print what was shown, in order, while the app runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            async with in_terminal():
                self.flush()

    def flush(self) -> None:
        """Write what was shown."""
        sys.stdout.write("".join(self._outbox))
        sys.stdout.flush()
        self._outbox.clear()
        self._tail = self._next_tail  # with the print, so that no frame shows a block twice or not at all

    def _tail_rows(self) -> ANSI:
        text, width = self._tail, self.width
        if self._laid_out[:2] != (text, width):
            lines = text.strip("\n").splitlines()
            if len(lines) > TAIL_LINES:
                opener = lines[:1] if lines[0].startswith(("```", "~~~")) else []
                lines = opener + lines[-TAIL_LINES:]
            rows = self._laid(answer(redact("\n".join(lines)))).rstrip("\n").split("\n")
            self._laid_out = (text, width, "\n" + "\n".join(rows[-TAIL_ROWS:]))  # a blank, as it will be printed with
        return ANSI(self._laid_out[2])

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Show the input line until the user leaves."""
        printing: list[asyncio.Task[None]] = []
        self.flush()
        try:
            # Begun from inside, since only there the app counts as the one that runs.
            await self._app.run_async(pre_run=lambda: printing.append(asyncio.ensure_future(self._print())))
        finally:
            for task in printing:
                task.cancel()
            self.flush()

    def leave(self) -> None:
        """End `run`."""
        if self._app.is_running:
            self._app.exit()

    # ------------------------------------------------------------ questions

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        """Show all of it and wait for one of its keys; Enter, and what was typed before, decide nothing."""
        self.show(Text(), question(approval))
        self._question, self._key_at = approval, time.monotonic()
        self._answered = asyncio.get_running_loop().create_future()
        try:
            given = await self._answered
        finally:
            self._question, self._saying_why = None, False
            self._app.layout.focus(self._input)
            self._app.invalidate()
        said = {"allow_once": "allowed once", "allow_session": "allowed for this session", "deny": "denied"}
        self.show(Text(f"  {said[given.choice]}{': ' + given.reason if given.reason else ''}", style="dim"))
        return given

    async def choose(self, asked: Question) -> str:
        """Show a question and wait for a line: the number of a choice, or other words."""
        self.show(Text(), Text(visible(offered(asked))))
        self._asked = asyncio.get_running_loop().create_future()
        try:
            answer = picked(await self._asked, asked)
        finally:
            self._asked = None
        self.show(Text(f"  {visible(answer)}", style="dim"))
        return answer

    def _answer(self, key: str, reason: str = "") -> None:
        if self._question and self._answered and not self._answered.done():
            self._answered.set_result(
                ApprovalAnswer(
                    approval_id=self._question.id, digest=self._question.digest, choice=CHOICES[key], reason=reason
                )
            )

    # ------------------------------------------------------------ layout

    def _layout(self) -> Layout:
        asking = Condition(lambda: self._question is not None)
        why = Condition(lambda: self._saying_why)
        tail = Window(FormattedTextControl(self._tail_rows), dont_extend_height=True, wrap_lines=False)
        busy = Window(FormattedTextControl(self._busy_row), height=1)
        keys = Window(FormattedTextControl(self._keys_row), dont_extend_height=True, wrap_lines=True)
        reason = Window(BufferControl(self._why), height=1, get_line_prefix=_why_prompt)
        typed = Window(
            BufferControl(self._input), get_line_prefix=_prompt, height=self._typed_height, wrap_lines=True,
            dont_extend_height=True,
        )  # fmt: skip
        standing = Window(FormattedTextControl(lambda: [("class:dim", self._standing())]), height=1)
        rows = HSplit([
            ConditionalContainer(tail, Condition(lambda: bool(self._tail.strip()))),
            ConditionalContainer(busy, Condition(lambda: bool(self._busy())) & ~asking),
            ConditionalContainer(keys, asking & ~why),
            ConditionalContainer(reason, why),
            ConditionalContainer(typed, ~asking),
            ConditionalContainer(standing, ~asking),
        ])  # fmt: skip
        menu = Float(CompletionsMenu(max_height=MENU_ROWS, scroll_offset=1), xcursor=True, ycursor=True)
        return Layout(FloatContainer(rows, [menu]), focused_element=typed)

    def _typed_height(self) -> Dimension:
        return Dimension(min=1 + MENU_ROWS if self._input.complete_state else 1)

    def _busy_row(self) -> StyleAndTextTuples:
        return [("class:dim", f"▍ {self._busy()}"[: self.width - 1])]

    def _keys_row(self) -> StyleAndTextTuples:
        return [("class:ask", choices(self._question))] if self._question else []

    # ------------------------------------------------------------ keys

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        why = Condition(lambda: self._saying_why)
        asking = Condition(lambda: self._question is not None) & ~why
        typing = ~asking & ~why
        keys.add("enter", filter=typing)(self._enter)
        keys.add("escape", "enter", filter=typing)(_break)
        keys.add("tab", filter=typing)(_complete)
        keys.add("c-c", eager=True)(self._interrupt)
        keys.add("<sigint>", eager=True)(self._interrupt)
        keys.add("c-d", filter=~why & Condition(lambda: not self._input.text), eager=True)(_leave)
        keys.add(Keys.Any, filter=asking, eager=True)(self._key)
        keys.add("enter", filter=asking, eager=True)(self._no_answer)
        keys.add(Keys.BracketedPaste, filter=asking, eager=True)(self._no_answer)
        keys.add("enter", filter=why)(self._say_why)
        keys.add("escape", filter=why)(self._back)
        return keys

    def _enter(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
            return
        if buffer.document.current_line_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
            return
        text = buffer.text.strip()
        if text:
            buffer.append_to_history()
        buffer.reset()
        if text and self._asked and not self._asked.done():
            self._asked.set_result(text)
        elif text:
            self._on_line(text)

    def _key(self, event: KeyPressEvent) -> None:
        key, pause, self._key_at = event.data.lower(), time.monotonic() - self._key_at, time.monotonic()
        if key not in CHOICES or pause < SETTLE_SECONDS:
            return
        if key == WHY:
            self._why.reset()
            self._saying_why = True
            event.app.layout.focus(self._why)
        else:
            self._answer(key)

    def _no_answer(self, event: KeyPressEvent) -> None:
        del event
        self._key_at = time.monotonic()

    def _say_why(self, event: KeyPressEvent) -> None:
        del event
        self._answer(WHY, self._why.text.strip())

    def _back(self, event: KeyPressEvent) -> None:
        self._saying_why = False
        event.app.layout.focus(self._input)

    def _interrupt(self, event: KeyPressEvent) -> None:
        if self._on_interrupt():
            return
        if self._input.text:
            self._input.reset()
        else:
            self.show(Text("  nothing is running; Ctrl-D leaves", style="dim"))
        event.app.invalidate()


def _prompt(line: int, wrapped: int) -> StyleAndTextTuples:
    return [("class:prompt", "› " if line == wrapped == 0 else "  ")]


def _why_prompt(line: int, wrapped: int) -> StyleAndTextTuples:
    return [("class:ask", "why? " if line == wrapped == 0 else "     ")]


def _break(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _complete(event: KeyPressEvent) -> None:
    buffer = event.current_buffer
    if buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(insert_common_part=True)


def _leave(event: KeyPressEvent) -> None:
    event.app.exit()
