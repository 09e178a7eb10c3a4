"""Tell reasoning and calls that leak into a model's words from the words, while they stream."""

from __future__ import annotations

import re
from typing import Literal

Piece = tuple[Literal["text", "thinking", "lost"], str]
"""Words, reasoning, or the sign that all words so far were reasoning."""

_OPEN = (
    "<think>", "<thinking>", "<reasoning>", "<thought>", "[THINK]", "◁think▷", "<|begin_of_thought|>",
    "<|channel|>analysis<|message|>", "<seed:think>",
)  # fmt: skip
_CLOSE = {
    "<think>": "</think>", "<thinking>": "</thinking>", "<reasoning>": "</reasoning>", "<thought>": "</thought>",
    "[THINK]": "[/THINK]", "◁think▷": "◁/think▷", "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel|>analysis<|message|>": "<|end|>", "<seed:think>": "</seed:think>",
}  # fmt: skip
_STRAY = ("</think>", "◁/think▷", "[/THINK]", "</seed:think>")
"""Ends of reasoning whose beginning the server's template has swallowed."""
_DROPPED = ("<|start|>assistant", "<|channel|>final<|message|>", "<|end|>", "<|return|>")
_QUOTATION = frozenset("`\"'“„«")
_CALLS = (
    "<tool_call>", "<function_call>", "<function_calls>", "<tool_use>", "<function=", "<invoke ", "[TOOL_CALLS]",
    "<|python_tag|>", "<|tool_call", "<｜tool▁call", "<|channel|>commentary", "<tool>",
)  # fmt: skip
_FENCE = re.compile(r"```[ \t]*(?:json|tool_call|tool_code|tool|python|xml|)[ \t]*\n")
_CLOSED_FENCE = re.compile(r"\n[ \t]*```[ \t]*\n\s*\S")
_BEGINNINGS = frozenset("<[◁`")
"""What marks and fences begin with."""
_LONGEST = max(map(len, (*_OPEN, *_STRAY, *_DROPPED, *_CALLS)))


class Sieve:
    """An incremental reader of words; `feed` and `finish` return pieces that are settled."""

    def __init__(self, tools: tuple[str, ...] = ()) -> None:
        """Begin; `tools` are the names on offer: a tag of one's name begins a call too."""
        self._calls = (*_CALLS, *(f"<{name}>" for name in tools)) if tools else ()
        self._buffer = ""
        self._close = ""
        self._said = ""
        self._holding = False
        self._thought = False
        self._begun = False

    @property
    def held(self) -> str:
        """What may be a call, and is not shown before the end."""
        return self._buffer if self._holding else ""

    def feed(self, words: str) -> list[Piece]:
        """Take the next words."""
        if self._begun and not (self._buffer or self._close) and _BEGINNINGS.isdisjoint(words):
            return self._out("text", words)  # the usual case
        self._buffer += words
        pieces: list[Piece] = []
        while self._step(pieces):
            pass
        return pieces

    def finish(self) -> list[Piece]:
        """Return what is left, but for what is held."""
        if self._holding:
            return []
        rest, self._buffer = self._buffer, ""
        return self._out("thinking" if self._close else "text", rest)

    def _step(self, pieces: list[Piece]) -> bool:
        """Settle the next stretch of the buffer; say whether there may be another."""
        if self._close:
            return self._inside(pieces)
        if self._holding:
            return self._release(pieces)
        begin = self._buffer.lstrip()
        if self._calls and not self._begun and begin[:1] in {"{", "["} and not "[THINK]".startswith(begin[:7]):
            self._holding = True  # a call, and nothing else, may well look like this
            return False
        return self._outside(pieces)

    def _inside(self, pieces: list[Piece]) -> bool:
        thought, closed, rest = self._buffer.partition(self._close)
        if closed:
            pieces += self._out("thinking", thought)
            self._buffer, self._close = rest.lstrip("\n"), ""
            return bool(rest)
        safe = len(self._buffer) - _partial(self._buffer, (self._close,))
        pieces += self._out("thinking", self._buffer[:safe])
        self._buffer = self._buffer[safe:]
        return False

    def _outside(self, pieces: list[Piece]) -> bool:
        buffer = self._buffer
        marks = [(place, mark) for mark in self._marks() if (place := self._find(mark)) >= 0]
        fence = next(filter(self._begins_a_line, _FENCE.finditer(buffer)), None) if self._calls else None
        place, mark = min(marks, default=(len(buffer) + 1, ""))
        if fence is not None and fence.start() < place:
            pieces += self._out("text", buffer[: fence.start()])
            self._buffer, self._holding = buffer[fence.start() :], True
            return self._release(pieces)
        if mark:
            return self._at(pieces, place, mark)
        keep = max(_partial(buffer, self._marks()), _fence_begun(buffer) if self._calls else 0)
        pieces += self._out("text", buffer[: len(buffer) - keep])
        self._buffer = buffer[len(buffer) - keep :]
        return False

    def _at(self, pieces: list[Piece], place: int, mark: str) -> bool:
        before, after = self._buffer[:place], self._buffer[place + len(mark) :]
        if mark in self._calls:
            pieces += self._out("text", before)
            self._buffer, self._holding = self._buffer[place:], True
            return False
        if mark in _STRAY:
            pieces.append(("lost", ""))
            pieces += self._out("thinking", self._said + before)
            self._said, self._begun = "", False
        else:
            pieces += self._out("text", before)
            self._close = _CLOSE.get(mark, "")
        self._buffer = after.lstrip("\n")
        return bool(self._buffer)

    def _release(self, pieces: list[Piece]) -> bool:
        """Let a fenced block go that more words follow: it was meant to be read."""
        if (
            not self._buffer.startswith("```")
            or self._buffer.startswith("```tool")
            or (end := _CLOSED_FENCE.search(self._buffer)) is None
        ):
            return False
        stop = end.end() - 1
        pieces += self._out("text", self._buffer[:stop])
        self._buffer, self._holding = self._buffer[stop:], False
        return True

    def _marks(self) -> tuple[str, ...]:
        opened = () if self._begun else _OPEN
        stray = () if self._thought else _STRAY
        return (*opened, *stray, *_DROPPED, *self._calls)

    def _begins_a_line(self, match: re.Match[str]) -> bool:
        return (f"\n{self._said}" + self._buffer[: match.start()]).rstrip(" \t").endswith("\n")

    def _find(self, mark: str) -> int:
        """Return where a mark stands that means something: not in quotation marks, and reasoning before all words."""
        place = self._buffer.find(mark)
        if mark in _OPEN:
            return place if not (self._said + self._buffer[: max(place, 0)]).strip() else -1
        if mark in _STRAY and "think>" in self._said + self._buffer[: max(place, 0)]:
            return -1  # it was opened in the words: they are about it
        while place >= 0 and (self._said + self._buffer[:place])[-1:] in _QUOTATION and mark in self._calls:
            place = self._buffer.find(mark, place + 1)
        return place

    def _out(self, kind: Literal["text", "thinking"], words: str) -> list[Piece]:
        if not words:
            return []
        if kind == "text":
            if not self._said:
                words = words.lstrip("\n")
            self._said += words
            self._begun = self._begun or bool(words.strip())
        else:
            self._thought = True
        return [(kind, words)] if words else []


def _fence_begun(text: str) -> int:
    """Return how many characters at the end may be the first line of a fenced block."""
    line = text.rpartition("\n")[2]
    return len(line) if line.startswith("```") or (line and "```".startswith(line)) else 0


def _partial(text: str, marks: tuple[str, ...]) -> int:
    """Return how many characters at the end may be the beginning of a mark."""
    for size in range(min(len(text), _LONGEST), 0, -1):
        end = text[-size:]
        if any(mark.startswith(end) for mark in marks):
            return size
    return 0
