"""One run as a chat document tells it: tool calls a line each, what was said between them, what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from attache.faces.lsp.chat.chat_text import closed, quoted
from attache.schema import events
from attache.schema.edits import Landed
from attache.schema.events import Entry, RunFinished
from attache.schema.messages import Message, Thinking
from attache.schema.models import Usage
from attache.security.approvals import visible
from attache.workspace.documents import split_lines
from attache.workspace.lines import changed

if TYPE_CHECKING:
    from attache.schema.data import ApprovalId, CallId, ChangeSetId
    from attache.schema.session import Approval

THOUSAND: Final = 1000
WAITING: Final = "*waiting for you*"
OUTPUT_LINES: Final = 30
_TITLE_CHARACTERS: Final = 160
_COMMANDS: Final = frozenset({"shell", "test"})
"""Tools whose output is what they were called for; that of others is shown where they failed."""

Linked = Callable[[str], str]
"""Turns the places that a line of Markdown names into links."""


@dataclass(slots=True)
class Call:
    """A tool call, as far as it has come."""

    name: str
    title: str = ""
    mark: str = "…"
    note: str = ""
    output: str = ""
    question: Approval | None = None

    def lines(self, titled: Linked) -> list[str]:
        """Return it as a list line of Markdown, with its output indented below."""
        if self.question is not None:
            what = self.question.title.removeprefix("run: ")
            rows = [f"{label} {_code(value)}" for label, value in self.question.detail if "\n" not in value]
            whole = [line for _, value in self.question.detail if "\n" in value for line in _block(value, "diff")]
            return [" · ".join([f"- ? **{visible(self.name)}** {_code(what)}", *rows, WAITING]), *whole]
        told = " · ".join(part for part in (titled(self.title), self.note) if part)
        return [f"- {self.mark} **{visible(self.name)}** {told}".rstrip(), *_tail(self.output)]


@dataclass(slots=True)
class Story:
    """What has happened so far. Feed it the events of one run; `markdown` is true at any time."""

    say: Callable[[str], None] = lambda _: None
    """Told in a few words what is being done."""
    linked: Linked = str
    """For what the model says."""
    titled: Linked = str
    """For what tools say of themselves, where a path alone is a place too."""
    thinking: bool = False
    """Whether the model's reasoning is told too."""
    doing: str = "thinking"
    calls: dict[CallId, Call] = field(default_factory=dict["CallId", Call])
    _items: list[str | Call] = field(default_factory=list[str | Call])
    _spoken: str = ""
    _thought: str = ""
    _landed: dict[ChangeSetId, str] = field(default_factory=dict["ChangeSetId", str])
    _asked: dict[ApprovalId, Call] = field(default_factory=dict["ApprovalId", Call])
    _usage: Usage = field(default_factory=Usage)
    _cost: float = 0.0
    _foot: str = ""

    @property
    def waiting(self) -> frozenset[ApprovalId]:
        """Return the questions that wait for an answer."""
        return frozenset(id_ for id_, call in self._asked.items() if call.question is not None)

    def markdown(self) -> str:
        """Return all of it so far."""
        live = [_thought(self._thought)] if self.thinking and self._thought.strip() else []
        live += [closed(self._spoken.strip())] if self._spoken.strip() else []
        text, after_call = "", False
        for item in (*self._items, *live, self._foot):
            is_call = isinstance(item, Call)
            piece = "\n".join(item.lines(self.titled)) if isinstance(item, Call) else item
            if piece:
                text += ("" if not text else "\n" if is_call and after_call else "\n\n") + piece
                after_call = is_call
        return quoted(text)

    # ------------------------------------------------------------ what happens

    def follow(self, entry: Entry) -> None:
        """Take in an event."""
        match entry.event:
            case events.TextStreamed(text=text):
                self._spoken += text
            case events.ThinkingStreamed(text=text):
                self._thought += text
            case events.StreamRestarted():
                self._spoken = self._thought = ""
            case events.MessageAdded(message=message, usage=usage, cost_usd=cost) if message.role == "assistant":
                self._usage += usage or Usage()
                self._cost += cost
                self._settle(message)
                self._do("thinking")
            case events.RunFinished() as finished:
                self._end(finished)
            case events.ErrorRaised(message=text):
                self._items.append(f"*{visible(text)}*")
            case event:
                self._work(event)

    def _work(self, event: events.Event) -> None:
        match event:
            case events.ApprovalAsked(approval=approval):
                call = self._call(approval.call_id, approval.tool)
                call.question = approval
                self._asked[approval.id] = call
                self._do(f"waiting for you: {visible(approval.title)}")
            case events.ApprovalAnswered(answer=answer):
                self._answered(answer.approval_id)
            case events.ApprovalWithdrawn(approval_id=approval_id):
                self._answered(approval_id)
            case events.ToolStarted():
                self._call(event.call_id, event.name).title = visible(event.title)[:_TITLE_CHARACTERS]
                self._do(visible(f"{event.name} {event.title}".strip()))
            case events.ChangeLanded(landed=Landed() as landed):
                self._landed[event.change_set] = _changes(landed)
            case events.ToolFinished():
                self._finish(event)
            case _:
                pass

    def failed(self, message: str, hint: str = "") -> None:
        """Say why there is no more of it."""
        self._items.append(f"*{visible(message)}*" + (f"\n\n{hint}" if hint else ""))

    def _call(self, call_id: CallId, name: str) -> Call:
        if call_id not in self.calls:
            self.calls[call_id] = Call(name)
            self._items.append(self.calls[call_id])
        return self.calls[call_id]

    def _answered(self, approval_id: ApprovalId) -> None:
        call = self._asked.pop(approval_id, None)
        if call is not None:
            call.title = call.title or _code(visible(call.question.title if call.question else ""))
            call.question = None

    def _settle(self, message: Message) -> None:
        """Take the whole of what was streamed."""
        self._spoken = self._thought = ""
        thoughts = "\n\n".join(part.text for part in message.parts if isinstance(part, Thinking) and part.text.strip())
        if self.thinking and thoughts:
            self._items.append(_thought(thoughts))
        if message.text.strip():
            self._items.append(closed(linked_lines(message.text, self.linked)))

    def _finish(self, event: events.ToolFinished) -> None:
        call = self._call(event.call_id, event.name)
        call.question = None
        call.mark = "✗" if event.is_error else "✎" if event.change_set else "✓"
        landed = self._landed.get(event.change_set) if event.change_set else None
        title = visible(event.title or call.title or _first_line(event.text))[:_TITLE_CHARACTERS]
        ran = event.name in _COMMANDS
        call.title = f"{title} · {landed}" if landed and ran else landed or title
        seconds = "cached" if event.cached else f"{event.seconds:.1f} s"
        call.note = "pending review" if landed else seconds
        if event.is_error or ran:
            call.output = event.text if event.text.strip() != call.title.strip() else ""

    def _end(self, finished: RunFinished) -> None:
        for call in self.calls.values():
            call.question = None
            if call.mark == "…":
                call.mark, call.note = "✗", "stopped"
        if self._spoken.strip():
            self._items.append(closed(self._spoken))
        self._spoken = self._thought = ""
        if finished.stop_reason == "interrupted":
            self._items.append("*stopped*")
        elif finished.error:
            self.failed(finished.error, finished.hint)
        elif finished.stop_reason != "end_turn":
            self.failed(f"it ended early: {finished.stop_reason.replace('_', ' ')}")
        self._foot = foot(finished)

    def _do(self, doing: str) -> None:
        self.doing = _first_line(doing)
        tokens = self._usage.input_tokens + self._usage.output_tokens
        spent = f" · {tokens / THOUSAND:.1f}k tokens" if tokens else ""
        self.say(f"{self.doing}{spent}" + (f" · ${self._cost:.2f}" if self._cost else ""))


def foot(finished: RunFinished) -> str:
    """Return what a run took, in one small line."""
    usage = finished.usage
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    turns = f"{finished.turns} turn{'s' * (finished.turns != 1)}"
    cost = f" · ${finished.cost_usd:.3f}" if finished.cost_usd else ""
    return f"<sub>{turns} · {usage.input_tokens:,} tokens in{cached} · {usage.output_tokens:,} out{cost}</sub>"


def linked_lines(text: str, linked: Linked) -> str:
    """Return Markdown with the places it names as links, fenced code left as it is."""
    fence, told = "", list[str]()
    for line in text.split("\n"):
        bare = line.strip()
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        else:
            told.append(linked(line))
            continue
        told.append(line)
    return "\n".join(told)


def _changes(landed: Landed) -> str:
    """Return what a change set made of each file, as `path −2 +3`."""
    told: list[str] = []
    for each in landed.files:
        old, new = split_lines(each.before or ""), split_lines(each.after or "")
        pieces = changed(old, new)
        removed, added = sum(p.end - p.start for p in pieces), sum(p.new_end - p.new_start for p in pieces)
        told.append(f"{visible(each.path)} −{removed} +{added}")
    return " · ".join(told)


def _thought(text: str) -> str:
    return "\n".join(["> *thinking*", *(f"> {line}".rstrip() for line in text.strip().splitlines())])


def _tail(output: str) -> list[str]:
    """Return a tool's output as a block; of what is long the end, and how much stood before it."""
    lines = output.strip().splitlines()
    left = len(lines) - OUTPUT_LINES
    return _block("\n".join([f"… {left} lines before", *lines[left:]] if left > 0 else lines), "text")


def _block(text: str, language: str) -> list[str]:
    """Return a text as a fenced block that belongs to a list line, and that nothing in it can end."""
    lines = [visible(line) for line in text.strip("\n").splitlines()]
    if not any(lines):
        return []
    fence = "`" * max(3, *(1 + _ticks(line) for line in lines))
    return [f"  {fence}{language}", *(f"  {line}".rstrip() for line in lines), f"  {fence}"]


def _ticks(line: str) -> int:
    bare = line.strip()
    return len(bare) - len(bare.lstrip("`"))


def _code(text: str) -> str:
    """Return words as a code span that they cannot leave."""
    line = _first_line(text)
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:_TITLE_CHARACTERS]
