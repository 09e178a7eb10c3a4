"""Keep personal data from models: a placeholder goes out in place of each value, and what comes back is restored.

A placeholder is made of the value under the conversation's own key, so it is the same in every turn and after a resume,
and nothing has to be kept for that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, cast

from attache.foundation.personal import KINDS, PersonalKind, personal
from attache.schema.messages import Message, Part, Text, ToolCall, ToolResult
from attache.schema.models import Answer, Request

_DIGITS = 10
_PLACEHOLDER = re.compile(rf"HIDDEN_(?:{'|'.join(kind.upper() for kind in KINDS)})_[0-9A-F]{{{_DIGITS}}}")
_BEGUN = re.compile(rf"H(?:I(?:D(?:D(?:E(?:N(?:_(?:[A-Z]{{0,5}}|[A-Z]{{2,5}}_[0-9A-F]{{0,{_DIGITS - 1}}}))?)?)?)?)?)?$")
NOTE = (
    "\n\nWords such as HIDDEN_MAIL_0123ABCDEF stand for personal data (mail addresses, phone numbers and the like) "
    "that is kept from you. Use them as they are, unchanged, wherever the data belongs, also in edits and commands: "
    "the data itself is put there."
)
"""What a model is told, at the end of its instructions."""


class Veil:
    """What stands for what in one conversation; `key` tells its placeholders from those of others."""

    def __init__(self, key: str) -> None:
        """Know of no personal data yet."""
        self._key = key.encode()
        self._kinds: dict[str, PersonalKind] = {}
        self._values: dict[str, str] = {}

    def look(self, request: Request) -> dict[PersonalKind, tuple[str, ...]]:
        """Return the personal data in a request by kind, each value once; from now on it is known anywhere."""
        texts = [text for text in _texts(request) if text]
        for text in texts:
            self._learn(text)
        met: dict[PersonalKind, tuple[str, ...]] = {}
        for value, kind in self._kinds.items():
            if any(value in text for text in texts):
                met[kind] = (*met.get(kind, ()), value)
        return met

    def hide(self, request: Request, kinds: Collection[PersonalKind]) -> Request:
        """Return the request with placeholders for what `look` has found in it of these kinds."""

        def change(text: str) -> str:
            return self._hidden(text, kinds)

        messages = tuple(_changed(message, change) for message in request.messages)
        return request.model_copy(update={"system": change(request.system) + NOTE, "messages": messages})

    def hide_text(self, text: str) -> str:
        """Return a text with placeholders for all personal data in it."""
        self._learn(text)
        return self._hidden(text, KINDS)

    def hide_data(self, value: Any) -> Any:
        """Return JSON-like data with its texts hidden, keys too."""
        return _changed_data(value, self.hide_text)

    def restore(self, text: str) -> str:
        """Return a text with the data in place of the placeholders; what stands for nothing known is left."""
        return _PLACEHOLDER.sub(lambda match: self._values.get(match[0], match[0]), text)

    def restored(self, answer: Answer) -> Answer:
        """Return an answer with the data restored in its words and calls.

        Reasoning stays as it was said: it goes back to its model, which may have signed it.
        """
        return answer.model_copy(update={"message": self.restored_message(answer.message)})

    def restored_message(self, message: Message) -> Message:
        """Return a message as it was before it was hidden."""
        return _changed(message, self.restore)

    def _learn(self, text: str) -> None:
        for found in personal(text):
            value = text[found.start : found.end]
            if value not in self._kinds:
                self._kinds[value] = found.kind
                self._values[self._placeholder(value, found.kind)] = value

    def _hidden(self, text: str, kinds: Collection[PersonalKind]) -> str:
        values = [value for value, kind in self._kinds.items() if kind in kinds and value in text]
        if not values:
            return text
        values.sort(key=len, reverse=True)
        every = re.compile(rf"(?<![0-9A-Za-z_])(?:{'|'.join(map(re.escape, values))})(?![0-9A-Za-z_])")
        return every.sub(lambda match: self._placeholder(match[0], self._kinds[match[0]]), text)

    def _placeholder(self, value: str, kind: PersonalKind) -> str:
        digest = hmac.new(self._key, f"{kind} {value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"HIDDEN_{kind.upper()}_{digest[:_DIGITS].upper()}"


class Unveiling:
    """Restores text that comes in pieces of one kind or another, wherever they were cut."""

    def __init__(self, veil: Veil, show: Callable[[str, str], None]) -> None:
        """Hand (kind, text) to `show` as soon as it is sure: the beginning of a placeholder waits for its rest."""
        self._veil = veil
        self._show = show
        self._kind = self._held = ""

    def add(self, kind: str, text: str) -> None:
        """Take a piece."""
        if kind != self._kind:
            self.flush()
            self._kind = kind
        text = self._veil.restore(self._held + text)
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun else ""
        if sure := text[: len(text) - len(self._held)]:
            self._show(kind, sure)

    def flush(self) -> None:
        """Show what waits: it was no placeholder."""
        if self._held:
            text, self._held = self._held, ""
            self._show(self._kind, text)

    def drop(self) -> None:
        """Forget what waits."""
        self._held = ""


def holds_placeholder(text: str) -> bool:
    """Say whether a placeholder stands in `text`: where all are restored, it is one that stands for nothing."""
    return _PLACEHOLDER.search(text) is not None


def _texts(request: Request) -> Iterator[str]:
    yield request.system
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    for message in request.messages:
        _changed(message, note)
    yield from seen


def _changed(message: Message, change: Callable[[str], str]) -> Message:
    return message.model_copy(update={"parts": tuple(_changed_part(part, change) for part in message.parts)})


def _changed_part(part: Part, change: Callable[[str], str]) -> Part:
    match part:
        case Text() | ToolResult():
            return part.model_copy(update={"text": change(part.text)})
        case ToolCall():
            return part.model_copy(update={"arguments": _changed_data(part.arguments, change)})
        case _:
            return part


def _changed_data(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {change(key): _changed_data(item, change) for key, item in items}
    if isinstance(value, list | tuple):
        return [_changed_data(item, change) for item in cast("list[Any]", value)]
    return value
