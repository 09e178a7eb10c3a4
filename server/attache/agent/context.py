"""Keep the conversation inside the model's window: old tool output goes first, the user's words last."""

from __future__ import annotations

from collections.abc import Sequence

from attache.schema.messages import File, Image, Message, Part, Text, Thinking, ToolCall, ToolResult

CHARS_PER_TOKEN = 3.6
"""Code and English mixed; `Gauge` corrects it by what the provider counts."""
IMAGE_TOKENS = 1_500
FILL = 0.8
"""Share of the window that a request may take before old output is cut."""
NEAR = 0.75
"""Share of that from which on an estimate does no longer, where the provider counts."""
KEEP_MESSAGES = 6
"""The newest messages, which are never cut by `compact`."""
STUB_CHARS = 200
CUT = "\n[cut to save room: call the tool again if needed]"


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` takes."""
    return round(len(text) / CHARS_PER_TOKEN)


def message_tokens(message: Message) -> int:
    """Return about how many tokens a message takes."""
    return sum(_part_tokens(part) for part in message.parts) + 4


def messages_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages take."""
    return sum(map(message_tokens, messages))


def _part_tokens(part: Part) -> int:
    match part:
        case Text() | Thinking():
            return estimate_tokens(part.text)
        case ToolCall():
            return estimate_tokens(part.name) + estimate_tokens(str(part.arguments))
        case ToolResult():
            return estimate_tokens(part.text) + IMAGE_TOKENS * len(part.images)
        case Image():
            return IMAGE_TOKENS
        case File():
            return round(len(part.data) * 3 / 4 / CHARS_PER_TOKEN)


def shares(messages: Sequence[Message], used_tokens: int) -> dict[str, int]:
    """Return about how the tokens of a request fall to what you said, the answers, the tools' results, and the rest.

    The rest is what stands before the conversation: instructions, rules, and the descriptions of the tools.
    """
    said, answers, results = 0, 0, 0
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                results += _part_tokens(part)
            elif message.role == "user":
                said += _part_tokens(part)
            else:
                answers += _part_tokens(part)
    scale = min(1.0, used_tokens / max(said + answers + results, 1))
    parts = {"said": round(said * scale), "answers": round(answers * scale), "results": round(results * scale)}
    return {"instructions": max(used_tokens - sum(parts.values()), 0), **parts}


class Gauge:
    """How far our estimate is off for one model, learnt from what its provider counts."""

    def __init__(self) -> None:
        """Begin by trusting the estimate."""
        self.ratio = 1.0

    def learn(self, estimated: int, counted: int) -> None:
        """Move towards what the provider counted; both in tokens."""
        if estimated > 0 and counted > 0:
            self.ratio += 0.5 * (min(4.0, max(0.25, counted / estimated)) - self.ratio)

    def near(self, estimated: int, window_tokens: int | None) -> bool:
        """Say whether so many estimated tokens are near what a request may take, so that it is worth a count."""
        return window_tokens is not None and estimated * self.ratio >= window_tokens * FILL * NEAR

    def set(self, estimated: int, counted: int) -> None:
        """Trust what the provider counted for this very request."""
        if estimated > 0 and counted > 0:
            self.ratio = counted / estimated


def fit(
    messages: tuple[Message, ...], window_tokens: int | None, other_tokens: int, ratio: float, total: int
) -> tuple[Message, ...]:
    """Return the messages, compacted where they and `other_tokens` (system, tools) would overfill the window.

    `total` is what the messages take by our estimate.
    """
    if window_tokens is None:
        return messages
    room = int(window_tokens * FILL / ratio) - other_tokens
    return messages if total <= room else compact(messages, room)


def compact(messages: tuple[Message, ...], room_tokens: int) -> tuple[Message, ...]:
    """Cut old tool results to stubs, oldest first, then drop whole runs from the front, until `room_tokens` suffice.

    A call and its result stay together, and the newest messages stay whole.
    """
    kept = list(messages)
    total = messages_tokens(kept)
    for index in range(max(0, len(kept) - KEEP_MESSAGES)):
        if total <= room_tokens:
            return tuple(kept)
        stub = _stubbed(kept[index])
        total += message_tokens(stub) - message_tokens(kept[index])
        kept[index] = stub
    while total > room_tokens and (cut := _next_run(kept)):
        total -= messages_tokens(kept[:cut])
        del kept[:cut]
    return tuple(kept)


def _stubbed(message: Message) -> Message:
    parts = tuple(
        part.model_copy(update={"text": part.text[:STUB_CHARS] + CUT, "images": ()})
        if isinstance(part, ToolResult) and len(part.text) > 2 * STUB_CHARS
        else part
        for part in message.parts
        if not isinstance(part, Thinking)
    )
    return Message(role=message.role, parts=parts)


def _next_run(messages: list[Message]) -> int:
    """Return where the second run begins: the next user message that answers no tool call. 0 where only one is left."""
    for index, message in enumerate(messages[1:], 1):
        if message.role == "user" and not any(isinstance(part, ToolResult) for part in message.parts):
            return index
    return 0
