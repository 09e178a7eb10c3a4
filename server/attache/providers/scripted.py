"""A model that says what a file tells it to: for scenarios, demonstrations and the tests of editors.

The script is TOML, JSON, or YAML where PyYAML is installed: a list `turns`, each with `text`, `thinking`, `tool_calls`
(`name`, `arguments`), `stop_reason`, and what the fields of Turn say besides.
"""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from attache.foundation.settings import Settings
from attache.providers.model import Emit
from attache.providers.row import ProviderRow
from attache.schema.data import CallId, Record
from attache.schema.errors import (
    AuthenticationFailed,
    ContextOverflow,
    MissingExtra,
    ProviderError,
    ProviderUnavailable,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
    SettingsError,
    StreamCut,
)
from attache.schema.messages import Message, Part, Text, Thinking, ToolCall, ToolResult
from attache.schema.models import (
    Answer,
    ModelInfo,
    Request,
    StopReason,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)

Failure = Literal[
    "authentication", "rate_limited", "context_overflow", "quota", "refused", "unavailable", "cut", "cut_half_way"
]
_FAILURES: dict[Failure, type[ProviderError]] = {
    "authentication": AuthenticationFailed,
    "rate_limited": RateLimited,
    "context_overflow": ContextOverflow,
    "quota": QuotaExceeded,
    "refused": RequestRefused,
    "unavailable": ProviderUnavailable,
    "cut": StreamCut,
    "cut_half_way": StreamCut,
}
_CHARACTERS_A_TOKEN = 4


class Call(Record):
    """A tool call of a turn."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])


class Turn(Record):
    """One answer."""

    when: str = ""
    """Words that the last message must hold, results of tools included; empty fits always."""
    text: str = ""
    thinking: str = ""
    tool_calls: tuple[Call, ...] = ()
    stop_reason: StopReason | None = None
    repeat: bool = False
    """Whether the turn serves again; else each serves once in a conversation."""
    delay_seconds: float = Field(0, ge=0)
    """Pause before each piece."""
    error: Failure | None = None
    times: int = Field(1, ge=1)
    """How often the error comes before the turn gives its answer."""


class Script(Record):
    """What the model says, in order."""

    turns: tuple[Turn, ...]


def connect(row: ProviderRow, model: str, settings: Settings) -> ScriptedModel:
    """Return the model that follows the script named by ATTACHE_SCRIPT, else by the model's own name."""
    path = Path(settings.env("ATTACHE_SCRIPT") or model).expanduser()
    return ScriptedModel(ModelInfo(provider=row.name, name=model, images=True, thinking=True), read(path))


def read(path: Path) -> Script:
    """Read a script; raises SettingsError naming the file and what is wrong with it."""
    try:
        text = path.read_text("utf-8")
        return Script.model_validate(_parse(path, text))
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}", hint="name a script: scripted/<path>, or ATTACHE_SCRIPT"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {place}: {first['msg']}", hint="see the fields of a turn") from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}", hint="a script is TOML, JSON or YAML") from error


class ScriptedModel:
    """A model whose answers depend on nothing but the script and the conversation, so that a resumed one goes on."""

    def __init__(self, info: ModelInfo, script: Script) -> None:
        self._info = info
        self._script = script
        self._failed: Counter[int] = Counter()

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""
        return self._info

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model."""
        index = self._next(request.messages)
        if index is None:
            last = _words(request.messages[-1]) if request.messages else ""
            raise RequestRefused(f"the script has no answer to: {last[:200]}", provider=self._info.provider)
        turn = self._script.turns[index]
        failing = turn.error is not None and self._failed[index] < turn.times
        if failing:
            self._failed[index] += 1
        if failing and turn.error != "cut_half_way":
            raise self._failure(turn)
        message = _message(turn, len(request.messages))
        await _stream(turn, message, emit, half=failing)
        if failing:
            raise self._failure(turn)
        stop = turn.stop_reason or ("tool_use" if message.tool_calls else "end_turn")
        return Answer(message=message, stop_reason=stop, usage=_usage(request, message), model=self._info.name)

    def _next(self, messages: tuple[Message, ...]) -> int | None:
        """Return the turn that answers, by going through the conversation as it went so far."""
        used: set[int] = set()
        for before, message in pairwise(messages):
            if message.role == "assistant" and (index := self._fitting(before, used)) is not None:
                used.add(index)
        return self._fitting(messages[-1], used) if messages else None

    def _fitting(self, last: Message, used: set[int]) -> int | None:
        words = _words(last)
        fitting = (
            index
            for index, turn in enumerate(self._script.turns)
            if turn.when in words and (turn.repeat or index not in used)
        )
        return next(fitting, None)

    def _failure(self, turn: Turn) -> ProviderError:
        kind = _FAILURES[turn.error or "unavailable"]
        return kind(f"the script says so: {turn.error}", provider=self._info.provider)


def _parse(path: Path, text: str) -> Any:
    match path.suffix:
        case ".toml":
            return tomllib.loads(text)
        case ".yaml" | ".yml":
            try:
                import yaml
            except ImportError as error:
                raise MissingExtra(f"{path}: reading YAML needs PyYAML", hint="pip install pyyaml") from error
            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(str(error)) from error
        case _:
            return json.loads(text)


def _message(turn: Turn, number: int) -> Message:
    parts: list[Part] = []
    if turn.thinking:
        parts.append(Thinking(text=turn.thinking))
    if turn.text:
        parts.append(Text(text=turn.text))
    parts += [
        ToolCall(id=CallId(f"call_{number}_{place}"), name=call.name, arguments=call.arguments)
        for place, call in enumerate(turn.tool_calls)
    ]
    return Message(role="assistant", parts=tuple(parts))


async def _stream(turn: Turn, message: Message, emit: Emit, *, half: bool) -> None:
    deltas = [ThinkingDelta(text=piece) for piece in _pieces(turn.thinking)]
    deltas = [*deltas, *(TextDelta(text=piece) for piece in _pieces(turn.text))]
    for call in message.tool_calls:
        deltas = [*deltas, ToolCallDelta(id=call.id, name=call.name, arguments=json.dumps(call.arguments))]
    for delta in deltas[: len(deltas) // 2] if half else deltas:
        await asyncio.sleep(turn.delay_seconds)
        emit(delta)


def _pieces(text: str) -> list[str]:
    """Cut behind blanks, as providers' tokens do."""
    return [piece for line in text.splitlines(keepends=True) for piece in line.replace(" ", " \0").split("\0") if piece]


def _words(message: Message) -> str:
    return "\n".join(part.text for part in message.parts if isinstance(part, Text | ToolResult))


def _usage(request: Request, message: Message) -> Usage:
    """Return figures that grow as real ones do; nothing here is counted by anybody."""
    asked = request.system + "".join(message.model_dump_json() for message in request.messages)
    asked += "".join(tool.model_dump_json() for tool in request.tools)
    answered = message.model_dump_json()
    return Usage(
        input_tokens=len(asked) // _CHARACTERS_A_TOKEN + 1, output_tokens=len(answered) // _CHARACTERS_A_TOKEN + 1
    )
