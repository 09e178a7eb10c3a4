"""Show a run in the terminal: one line a tool, the answer as it comes, one line of what it took."""

from __future__ import annotations

import difflib
import re
import sys
from shutil import get_terminal_size
from typing import ClassVar, TextIO

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.markdown import Heading, Markdown
from rich.text import Text

from attache.schema import events
from attache.schema.edits import Landed
from attache.schema.events import Entry
from attache.schema.session import Approval
from attache.workspace.documents import split_lines

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
RIGHT_COLUMN = 48
"""Where what came of a tool call stands."""
DIFF_LINES = 60
DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}


class Renderer:
    """A listener that paints a session's events for a person."""

    def __init__(self, *, quiet: bool = False, out: TextIO | None = None) -> None:
        """Paint to stdout; with `quiet` the answer alone."""
        self.console = Console(file=out or sys.stdout, highlight=False, soft_wrap=True)
        self.quiet = quiet

    def __call__(self, entry: Entry) -> None:
        """Paint one event."""
        match entry.event:
            case events.ToolFinished() as done if not self.quiet:
                self.console.print(tool_line(done))
            case events.MessageAdded() as added if added.message.role == "assistant":
                self._say(added.message.text)
            case events.ErrorRaised() as error:
                self.console.print(Text(f"! {error.where}: {error.message}", style="yellow"))
            case _:
                pass

    def _say(self, text: str) -> None:
        if not text.strip():
            return
        if self.console.is_terminal:
            self.console.print(answer(text))
        else:
            self.console.print(visible(text), markup=False)

    def closing(self, finished: events.RunFinished, *, model: str, session_id: str) -> None:
        """Print what the run took and how to go on."""
        if self.quiet:
            return
        self.console.print()
        self.console.print(Text(f"{took(finished, model)}          {to_continue(session_id)}", style="dim"))


def to_continue(session_id: str) -> str:
    """Return how to go on with a session."""
    return f"continue: attache chat --session {session_id}"


def took(finished: events.RunFinished, model: str) -> str:
    """Return what a run took: the model, tokens, tool calls, time and money."""
    calls = f"{finished.tool_calls} tool call{'' if finished.tool_calls == 1 else 's'}"
    parts = [model.removesuffix("/offline"), calls, f"{finished.seconds:.1f} s"]
    if finished.usage.input_tokens:
        parts.insert(1, f"{finished.usage.input_tokens:,} tokens in · {finished.usage.output_tokens:,} out")
    if finished.cost_usd:
        parts.append(f"${finished.cost_usd:.4f}")
    return " · ".join(parts)


class LeftHeading(Heading):
    """A heading that stands where the text does."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class Answer(Markdown):
    """The model's words, calm."""

    elements: ClassVar = {**Markdown.elements, "heading_open": LeftHeading}


def answer(text: str) -> Markdown:
    """Return the model's Markdown as it is shown: links spelled out, code in the terminal's own colours."""
    return Answer(visible(text), hyperlinks=False, code_theme="ansi_dark")


def tool_line(done: events.ToolFinished) -> Text:
    """Return the one line that a tool call gets: what was done on the left, what came of it on the right."""
    changed = done.change_set is not None
    mark, style = ("✗", "red") if done.is_error else ("✎", "yellow") if changed else ("●", "green")
    what, _, outcome = visible(done.title).partition(" · ")
    line = Text()
    line.append(f"{mark} ", style=style)
    line.append(done.name, style="bold")
    line.append(f" {what.replace('`', '')}")
    if outcome:
        gap = RIGHT_COLUMN - cell_len(line.plain)
        fits = gap > 0 and RIGHT_COLUMN + cell_len(outcome) < get_terminal_size().columns
        line.append(" " * (gap if fits else 2) + outcome.replace("`", ""), style="dim")
    return line


def question(approval: Approval) -> Text:
    """Return all that an approval covers, nothing cut: what, where, effect; a diff in its colours."""
    shown = Text()
    shown.append("? ", style="bold yellow")
    shown.append(f"{approval.tool} wants to: {visible(approval.title)}", style="bold")
    for label, value in approval.detail:
        lines = visible(value).splitlines()
        if len(lines) <= 1:
            shown.append(f"\n    {label}: {''.join(lines)}")
            continue
        shown.append(f"\n    {label}:")
        for line in lines:
            shown.append("\n      ")
            shown.append(line, style=DIFF_STYLES.get(line[:1], "") if label == "diff" else "")
    return shown


def diff(landed: Landed, limit: int = DIFF_LINES) -> Text:
    """Return what a landed change did to its files, as a coloured diff; what is left out is counted."""
    lines: list[tuple[str, str]] = []
    for each in landed.files:
        before, after = split_lines(each.before or ""), split_lines(each.after or "")
        if len(landed.files) > 1:
            moved = f"{each.renamed_from.rpartition('/')[2]} → " if each.renamed_from else ""
            lines.append((moved + each.path, "bold"))
        changed = list(difflib.unified_diff(before, after, n=2, lineterm=""))[2:]
        lines += [(line.rstrip("\r\n"), DIFF_STYLES.get(line[:1], "")) for line in changed]
    shown = Text()
    for line, style in lines[:limit]:
        shown.append(f"    {visible(line)}\n", style=style)
    if len(lines) > limit:
        shown.append(f"    … {len(lines) - limit} more lines: /diff\n", style="dim")
    shown.rstrip()
    return shown


def visible(text: str) -> str:
    """Return `text` without the control characters that could move a terminal's cursor or change its state."""
    return _CONTROL.sub("\ufffd", text)
