"""A model behind HTTP: one call from request to answer, whichever wire it is, watched by three clocks.

The bytes come through a client, often a vendor's SDK, and are decoded here.
A stream that ends early is an error, never a short answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from attache.foundation.redact import redact, remember_secret
from attache.foundation.registry import near
from attache.providers import capabilities, counting, prices
from attache.providers.failures import WHAT_NOW, NoSuchModel, plain, refused
from attache.providers.foreign import dump, load
from attache.providers.model import Emit
from attache.providers.row import Access, blanks, unlocked
from attache.providers.sse import Events
from attache.schema.errors import (
    AttacheError,
    AuthenticationFailed,
    ContextOverflow,
    MalformedToolCall,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    SettingsError,
    StreamCut,
    UnknownModel,
)
from attache.schema.models import Answer, Delta, ModelInfo, Request, Usage

_DRAIN_SECONDS = 0.5
"""How long the rest of a complete answer is waited for, so that the connection can serve again."""
_PRECISION = 0.05
"""How exactly the clock for pauses is kept, as a share of the pause that is allowed."""
_LIST_SECONDS = 5.0
_COUNT_SECONDS = 2.0
"""How long a count may hold up an answer."""
_COUNT_AGAIN_SECONDS = 60.0
_SHOWN = 120
_END = b"[DONE]"
"""Which gateways send on wires that have an end of their own."""


class Client(Protocol):
    """An SDK, as far as it is used: it knows how to reach a provider, and how to say who we are."""

    def pieces(self, body: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Call the model and yield the bytes of its answer as they come; raises ProviderError."""
        ...

    async def ask(self, url: str, body: dict[str, Any]) -> Any:
        """Return the JSON that answers `body` at a whole URL, None where it is none; raises ProviderError."""
        ...

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer; raises ProviderError."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class Frames(Protocol):
    """Bytes in, the data of whole events out, however the bytes were cut."""

    @property
    def document(self) -> bool:
        """Whether the body is one document, which stands at the end."""
        ...

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next bytes and return the events that are complete."""
        ...

    def finish(self) -> list[bytes]:
        """Return what is left at the end."""
        ...


class Decoder(Protocol):
    """Events in, deltas as they come, the answer at the end; pure."""

    done: bool
    """Whether the last event was seen."""
    error: object
    """What the provider reported in the place of an answer, None where it did not."""

    @property
    def usage(self) -> Usage:
        """Return the tokens counted so far."""
        ...

    def event(self, data: bytes) -> None:
        """Take the data of one event; raises msgspec.DecodeError where it is not of this wire."""
        ...

    def take(self) -> list[Delta]:
        """Return the deltas since the last time."""
        ...

    def answer(self) -> Answer:
        """Return the answer; raises ProviderError where it is not whole."""
        ...


@dataclass(frozen=True, slots=True)
class Wire:
    """What tells one wire from another."""

    client: Callable[[Access], Client]
    """Imports the SDK and takes a second doing so: it runs in a thread."""
    body: Callable[[Request], dict[str, Any]]
    decoder: Callable[[], Decoder]
    frames: Callable[[], Frames] = Events


class RemoteModel:
    """A model of one provider; the SDK is imported at the first call, or by `prepare`."""

    def __init__(self, access: Access, name: str, wire: Wire) -> None:
        self._access = access
        self._wire = wire
        self._limits = access.limits
        self._client: Client | None = None
        self._building = asyncio.Lock()
        self._counts_from = 0.0
        info = ModelInfo(provider=access.row.name, name=name, images=access.row.quirks.images)
        self._info = capabilities.known(info, access.capabilities)
        remember_secret(access.key, f"{access.row.name} key")

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model; window and prices are known after the first call."""
        return self._info

    async def prepare(self) -> None:
        """Import what a call needs, in a thread, so that the first call does not wait for it."""
        await self._connected()

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once; see Model."""
        try:
            return await self._answer(request, emit)
        except NoSuchModel as error:
            raise await self._unknown(request.model) from error

    async def count(self, request: Request) -> int | None:
        """Return how many tokens the request takes by the provider's own count; None where none comes, or too late.

        A provider that cannot count is not asked again; one that failed to, only after a while.
        """
        way = counting.WAYS.get(self._access.row.counts)
        clock = asyncio.get_running_loop().time
        if way is None or clock() < self._counts_from or not counting.counts(way, request):
            return None
        try:
            client = await self._connected()
            async with asyncio.timeout(_COUNT_SECONDS):
                return await counting.tokens(way, client, self._access.base_url, self._wire.body(request))
        except (TimeoutError, ProviderUnavailable, RateLimited):
            self._counts_from = clock() + _COUNT_AGAIN_SECONDS
        except ContextOverflow:
            pass  # so much that even counting is refused; the call itself will say so
        except AttacheError:
            self._counts_from = math.inf
        return None

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer now, none where the provider has no list; raises ProviderError."""
        if not self._access.row.models_path:
            return ()
        client = await self._connected()
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return await client.models()
        except TimeoutError as error:
            raise self._late(f"no list of models within {_LIST_SECONDS:g} s") from error

    async def close(self) -> None:
        """Let go of the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _answer(self, request: Request, emit: Emit) -> Answer:
        decoder, events, limits = self._wire.decoder(), self._wire.frames(), self._limits
        client = await self._connected()
        clock = asyncio.get_running_loop().time
        end = clock() + limits.total_seconds
        heard = 0.0
        try:
            async with (
                asyncio.timeout_at(min(end, clock() + limits.first_byte_seconds)) as watch,
                aclosing(client.pieces(self._wire.body(request))) as pieces,
            ):
                async for piece in pieces:
                    if decoder.done:
                        continue
                    self._hear(decoder, events.feed(piece), emit)
                    now = clock()
                    if decoder.done:
                        watch.reschedule(now + _DRAIN_SECONDS)
                    elif now - heard > limits.idle_seconds * _PRECISION:
                        heard = now  # winding up the clock costs as much as reading a token
                        watch.reschedule(min(end, now + limits.idle_seconds))
        except TimeoutError as error:
            if not decoder.done:
                raise self._stalled(heard=heard > 0) from error
        except ProviderError as error:
            if not decoder.done:
                self._named(error)
                raise
        if not decoder.done:
            self._last(decoder, events, emit)
        try:
            return decoder.answer()
        except ProviderError as error:
            if isinstance(error, MalformedToolCall):
                error.usage = decoder.usage  # it came to its end, and is paid for
            raise self._named(error) from None

    def _hear(self, decoder: Decoder, events: Iterable[bytes], emit: Emit) -> None:
        for data in events:
            self._event(decoder, data)
            if decoder.error is not None:
                raise refused(self._access, None, {}, decoder.error)
            if decoder.done:
                break
        for delta in decoder.take():
            emit(delta)

    def _event(self, decoder: Decoder, data: bytes) -> None:
        try:
            decoder.event(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if data.strip() == _END:
                return
            if (value := load(data)) is not None:
                decoder.event(dump(value))  # bad UTF-8 and half surrogates are mended
                return
            lines = [line for line in data.split(b"\n") if line.strip()]
            if len(lines) < 2:  # noqa: PLR2004 - one is what it was
                shown = redact(" ".join(plain(data.decode("utf-8", "replace")).split()))[:_SHOWN]
                raise self._named(ProviderUnavailable(f"sent what is no part of an answer: {shown}")) from error
            for line in lines:  # some servers leave out the blank line between two events
                self._event(decoder, line)

    def _last(self, decoder: Decoder, events: Frames, emit: Emit) -> None:
        """Take what stands after the last blank line, where it is whole; half an event says that the stream was cut."""
        try:
            self._hear(decoder, events.finish(), emit)
        except ProviderUnavailable as error:
            if events.document or error.status is not None:
                raise self._named(StreamCut("the answer ended before it was whole")) from error

    async def _connected(self) -> Client:
        async with self._building:
            if self._client is None:
                if not self._access.find_key:
                    self._check()
                self._client, self._info = await asyncio.to_thread(self._build)
            return self._client

    def _build(self) -> tuple[Client, ModelInfo]:
        if self._access.find_key:
            self._access = unlocked(self._access)
            self._check()
        return self._wire.client(self._access), capabilities.known(
            prices.known(self._access.row, self._info), self._access.capabilities
        )

    def _check(self) -> None:
        key, row = self._access.key, self._access.row
        if not self._access.base_url:
            raise SettingsError(
                f"providers.{row.name}: `base_url` is missing", hint="say where the provider is reached"
            )
        if lacking := blanks(self._access.base_url):
            raise SettingsError(
                f"{row.label} is reached at {self._access.base_url}, and {lacking[0]} is not set",
                hint=f"set {lacking[0]} in the environment or in .env, or `base_url` in the settings",
            )
        if not key and not (row.local or row.credentials):
            raise AuthenticationFailed(
                f"{row.label} needs a key, and {self._access.key_name} is not set",
                hint=f"set {self._access.key_name} in the environment or in .env, or keep it in the keyring: "
                f"attache keys set {row.name}",
                provider=row.name,
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise AuthenticationFailed(
                f"the value of {self._access.key_name} holds characters that no key has",
                hint=f"copy the key of {row.label} into {self._access.key_name} again, without quotes or line ends",
                provider=row.name,
            )

    async def _unknown(self, name: str) -> UnknownModel:
        row = self._access.row
        try:
            offered = await self.models()
        except AttacheError:
            offered = ()
        offered = offered or await asyncio.to_thread(prices.names, row)
        guesses = ", ".join(f"{row.name}/{guess}" for guess in near(name, (*offered, *row.models)))
        hint = f"near: {guesses}; list: attache models" if guesses else "list: attache models"
        if row.name == "ollama":
            hint = f"get it with: ollama pull {name}; {hint}"
        return UnknownModel(f'unknown model "{row.name}/{name}"', hint=hint)

    def _stalled(self, *, heard: bool) -> ProviderError:
        if heard:
            return self._named(StreamCut("the answer stopped half-way and did not go on"))
        return self._late(f"no answer within {self._limits.first_byte_seconds:g} s")

    def _late(self, what: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._access.row.label}: {what}", hint=WHAT_NOW, provider=self._access.row.name)

    def _named(self, error: ProviderError) -> ProviderError:
        """Return the error with the provider's name, which a decoder does not know."""
        if not error.provider:
            error.provider = self._access.row.name
            error.message = f"{self._access.row.label}: {error.message}"
            error.args = (error.message,)
        if not error.hint and isinstance(error, ProviderUnavailable):
            error.hint = WHAT_NOW
        return error
