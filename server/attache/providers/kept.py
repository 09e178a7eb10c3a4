"""Answers kept on disk for identical calls, where the user asks for it: the same words again, at once, for nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from attache.foundation.files import private_dir
from attache.providers.model import Emit, Model, counted
from attache.schema.messages import Text, Thinking
from attache.schema.models import Answer, ModelInfo, Request, TextDelta, ThinkingDelta, ToolCallDelta, Usage

MOST_BYTES = 200 * 1024 * 1024
"""What all answers together may take; those that were used longest ago go first."""
_LOOK_EVERY = 50


class Kept:
    """A model whose complete answers are kept for so many seconds, and found by all that was asked."""

    def __init__(self, model: Model, folder: Path, seconds: int) -> None:
        self.model = model
        self._folder = folder
        self._seconds = seconds
        self._written = 0

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""
        return self.model.info

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model. What is kept used no tokens now, and says so."""
        path = self._folder / f"{_name(self.info, request)}.json"
        kept = await asyncio.to_thread(self._read, path)
        if kept is not None:
            _tell(kept, emit)
            return kept.model_copy(update={"usage": Usage()})
        answer = await self.model.answer(request, emit)
        await asyncio.to_thread(self._write, path, answer)
        return answer

    async def count(self, request: Request) -> int | None:
        """Return how many tokens the request takes; see Counting."""
        return await counted(self.model, request)

    def _read(self, path: Path) -> Answer | None:
        try:
            if path.stat().st_mtime < time.time() - self._seconds:
                return None
            return Answer.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None

    def _write(self, path: Path, answer: Answer) -> None:
        """Keep an answer; a disk that is full is no reason to lose it."""
        part = path.with_suffix(f".{os.getpid()}.part")
        with suppress(OSError):
            private_dir(self._folder)
            part.write_text(answer.model_dump_json(), "utf-8")
            part.replace(path)
            if self._written % _LOOK_EVERY == 0:
                self._prune()
            self._written += 1

    def _prune(self) -> None:
        """Throw away what is too old, and what is too much."""
        found = sorted(
            ((path.stat(), path) for path in self._folder.glob("*.json")), key=lambda pair: -pair[0].st_mtime
        )
        size, oldest = 0, time.time() - self._seconds
        for stat, path in found:
            size += stat.st_size
            if size > MOST_BYTES or stat.st_mtime < oldest:
                path.unlink(missing_ok=True)


def _name(info: ModelInfo, request: Request) -> str:
    return hashlib.sha256(f"{info.ref}\n{request.model_dump_json()}".encode()).hexdigest()


def _tell(answer: Answer, emit: Emit) -> None:
    for part in answer.message.parts:
        if isinstance(part, Text):
            emit(TextDelta(text=part.text))
        elif isinstance(part, Thinking) and part.text:
            emit(ThinkingDelta(text=part.text))
    for call in answer.message.tool_calls:
        emit(ToolCallDelta(id=call.id, name=call.name))
