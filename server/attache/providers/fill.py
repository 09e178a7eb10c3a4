"""Fill in the middle: what goes between two pieces of text, from the providers that have an API for just that."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from attache.providers.failures import NoSuchModel
from attache.providers.foreign import count, fields, load, objects, said
from attache.providers.row import ProviderRow, access, unlocked
from attache.schema.errors import AuthenticationFailed, ProviderError, ProviderResting, RequestRefused
from attache.schema.models import Usage

if TYPE_CHECKING:
    from attache.foundation.settings import Settings
    from attache.providers.direct import Client

Json = dict[str, Any]
_SURE: Final = 0.1
"""Temperature: what is likeliest is wanted, not what is new."""
_REST_SECONDS: Final = 5.0
_LONGEST_REST_SECONDS: Final = 300.0
_NOWHERE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
_UNABLE: Final = re.compile(r"\b(not|n't)\W+(be\W+)?support|unsupported", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Way:
    """How one provider is asked, and where the text stands in its answer."""

    path: str
    body: Callable[[str, str, str, int], Json]
    """From model, text before, text behind and the most tokens."""
    read: Callable[[Json], object]
    counted: Callable[[Json], Usage]
    """What the answer took."""
    models: tuple[str, ...] = ("",)
    """Beginnings of the names of the models that can do it."""
    cut: str = ""
    """The end of the base URL that this API does not have."""


def _openai(model: str, before: str, behind: str, tokens: int) -> Json:
    return {"model": model, "prompt": before, "suffix": behind, "max_tokens": tokens, "temperature": _SURE}


def _ollama(model: str, before: str, behind: str, tokens: int) -> Json:
    options = {"num_predict": tokens, "temperature": _SURE}
    return {"model": model, "prompt": before, "suffix": behind, "stream": False, "options": options}


def _llamacpp(_model: str, before: str, behind: str, tokens: int) -> Json:
    return {"input_prefix": before, "input_suffix": behind, "n_predict": tokens, "temperature": _SURE, "stream": False}


def _first(answer: Json) -> Json:
    return (objects(answer.get("choices")) or [Json()])[0]


def _openai_usage(answer: Json) -> Usage:
    figures = fields(answer.get("usage"))
    return Usage(
        input_tokens=count(figures.get("prompt_tokens")),
        output_tokens=count(figures.get("completion_tokens")),
        cached_tokens=count(figures.get("prompt_cache_hit_tokens")) or count(figures.get("num_cached_tokens")),
    )


def _ollama_usage(answer: Json) -> Usage:
    return Usage(input_tokens=count(answer.get("prompt_eval_count")), output_tokens=count(answer.get("eval_count")))


def _llamacpp_usage(answer: Json) -> Usage:
    return Usage(
        input_tokens=count(answer.get("tokens_evaluated")), output_tokens=count(answer.get("tokens_predicted"))
    )


WAYS: Final[Mapping[str, Way]] = {
    "ollama": Way("/api/generate", _ollama, lambda answer: answer.get("response"), _ollama_usage, cut="/v1"),
    "llamacpp": Way("/infill", _llamacpp, lambda answer: answer.get("content"), _llamacpp_usage, cut="/v1"),
    "mistral": Way(
        "/fim/completions",
        _openai,
        lambda answer: fields(_first(answer).get("message")).get("content"),
        _openai_usage,
        models=("codestral",),
    ),
    "deepseek": Way("/beta/completions", _openai, lambda answer: _first(answer).get("text"), _openai_usage, cut="/v1"),
}
"""Provider -> its way. One that is not named here only talks."""


class Filler:
    """One model that fills in, till its provider says that it cannot; after any other failure it rests, ever longer."""

    def __init__(self, row: ProviderRow, model: str, way: Way, settings: Settings) -> None:
        self.able = True
        self._access = access(row, settings)
        self._model = model
        self._way = way
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._clock = time.monotonic
        self._failed = 0
        self._rests_until = 0.0

    async def fill(self, before: str, behind: str, *, max_tokens: int) -> tuple[str, Usage]:
        """Return what goes between, empty where the model has nothing, and what that took. Raises ProviderError."""
        if (left := self._rests_until - self._clock()) > 0:
            words = f"{self._access.row.label} failed {self._failed} times in a row and rests for {left:.0f} s more"
            raise ProviderResting(words, provider=self._access.row.name)
        body = self._way.body(self._model, before, behind, max_tokens)
        try:
            client = await self._connected()
            answer = b"".join([piece async for piece in client.pieces(body)])
        except ProviderError as error:
            self._note(error)
            raise
        self._failed = 0
        told = fields(load(answer))
        return said(self._way.read(told)), self._way.counted(told)

    def _note(self, error: ProviderError) -> None:
        """Rest after a failure that may pass; one that says that the model cannot do this never does."""
        if _cannot(error):
            self.able = False
            return
        self._failed += 1
        rest = min(_REST_SECONDS * 2 ** (self._failed - 1), _LONGEST_REST_SECONDS)
        self._rests_until = self._clock() + max(rest, error.retry_after_seconds or 0)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                from attache.providers.direct import Client, Route

                self._access = await asyncio.to_thread(unlocked, self._access)
                base = self._access.base_url.removesuffix("/").removesuffix(self._way.cut)
                self._client = Client(self._access, (Route(self._way.path),), base_url=base)
            return self._client

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()


def _cannot(error: ProviderError) -> bool:
    """Say whether an error means that there is no filling in here, whoever asks, and whenever."""
    if isinstance(error, NoSuchModel | AuthenticationFailed):
        return False  # it may be installed, or allowed, in a minute
    return error.status in _NOWHERE or (isinstance(error, RequestRefused) and _UNABLE.search(error.message) is not None)


def filler(row: ProviderRow, model: str, settings: Settings) -> Filler | None:
    """Return the model as one that fills in; None where its provider has no API for that, or the model is no such."""
    way = WAYS.get(row.name)
    if way is None or not model.startswith(way.models):
        return None
    return Filler(row, model, way, settings)
