"""Vectors of texts, from the providers that have an API for them: near in meaning is near in direction."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import quote

from attache.foundation.retry import retry
from attache.providers.breaker import Breaker
from attache.providers.foreign import count, fields, objects
from attache.providers.pace import Pace
from attache.providers.row import ProviderRow, access, unlocked
from attache.schema.errors import AuthenticationFailed, ProviderUnavailable, UnknownModel
from attache.schema.messages import user
from attache.schema.models import Request, Usage

if TYPE_CHECKING:
    from attache.foundation.settings import Settings
    from attache.providers.direct import Client

Json = dict[str, Any]
Vector: TypeAlias = "array[float]"
"""Of length 1, so that the nearness of two is the sum of their products."""
CALL_SECONDS: Final = 60.0
_MOST_CHARS: Final = 40_000
"""Of all texts of one call."""
_LONGEST: Final = 8_000
"""Characters of one text that are read: the smallest windows of such models hold little more."""
_CHARS_A_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of provider is asked, and where vectors and tokens stand in its answer."""

    path: str
    """`{model}` in it stands for the model's name."""
    body: Callable[[str, Sequence[str], bool], Json]
    """From model, texts, and whether they are what is looked for, not what is looked through."""
    read: Callable[[Json], Sequence[object]]
    counted: Callable[[Json], object]
    most: int
    """Texts in one call."""
    cut: str = ""
    """The end of the base URL that this API does not have."""


def _openai(model: str, texts: Sequence[str], _query: bool) -> Json:
    return {"model": model, "input": list(texts), "encoding_format": "float"}


def _in_order(answer: Json) -> Sequence[object]:
    return [
        each.get("embedding") for each in sorted(objects(answer.get("data")), key=lambda each: count(each.get("index")))
    ]


def _gemini(model: str, texts: Sequence[str], query: bool) -> Json:
    task = "RETRIEVAL_QUERY" if query else "RETRIEVAL_DOCUMENT"
    name = model if "/" in model else f"models/{model}"
    return {"requests": [{"model": name, "content": {"parts": [{"text": text}]}, "taskType": task} for text in texts]}


def _ollama(model: str, texts: Sequence[str], _query: bool) -> Json:
    return {"model": model, "input": list(texts)}


def _cohere(model: str, texts: Sequence[str], query: bool) -> Json:
    kind = "search_query" if query else "search_document"
    return {"model": model, "texts": list(texts), "input_type": kind, "embedding_types": ["float"]}


WAYS: Final[Mapping[str, Way]] = {
    "openai": Way(
        "/embeddings", _openai, _in_order, lambda answer: fields(answer.get("usage")).get("prompt_tokens"), most=64
    ),
    "gemini": Way(
        "/models/{model}:batchEmbedContents",
        _gemini,
        lambda answer: [each.get("values") for each in objects(answer.get("embeddings"))],
        lambda answer: fields(answer.get("usageMetadata")).get("promptTokenCount"),
        most=100,
    ),
    "ollama": Way(
        "/api/embed",
        _ollama,
        lambda answer: _list(answer.get("embeddings")),
        lambda answer: answer.get("prompt_eval_count"),
        most=32,
        cut="/v1",
    ),
    "cohere": Way(
        "/v2/embed",
        _cohere,
        lambda answer: _list(fields(answer.get("embeddings")).get("float")),
        lambda answer: fields(fields(answer.get("meta")).get("billed_units")).get("input_tokens"),
        most=96,
        cut="/v2",
    ),
}
"""What `embeds` of a row may say."""


class Embedder:
    """One model that makes vectors; batches, breaker, pace and retries are its own affair."""

    def __init__(self, row: ProviderRow, model: str, settings: Settings, breaker: Breaker, pace: Pace) -> None:
        if row.embeds not in WAYS:
            raise UnknownModel(
                f"{row.label} makes no vectors, so {row.name}/{model} cannot be the embedding_model",
                hint="such as openai/text-embedding-3-small, gemini/gemini-embedding-001 or ollama/embeddinggemma",
            )
        self.row = row
        self.model = model
        self._way = WAYS[row.embeds]
        self._access = access(row, settings)
        self._settings = settings
        self._breaker = breaker
        self._pace = pace
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    @property
    def ref(self) -> str:
        """Return `provider/name`."""
        return f"{self.row.name}/{self.model}"

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> tuple[list[Vector], Usage]:
        """Return a vector for each text, in their order, and what that took.

        `query` says that the texts are what is looked for: some models read such in another way. Raises ProviderError.
        """
        vectors: list[Vector] = []
        usage = Usage()
        for batch in _batches(texts, min(self._way.most, self.row.embeds_at_once or self._way.most)):
            made, took = await retry(
                partial(self._asked, batch, query=query),
                attempts=self._settings.model_attempts,
                first_wait_seconds=self._settings.model_wait_seconds,
            )
            vectors += made
            usage += took
        return vectors, usage

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()

    async def _asked(self, texts: Sequence[str], *, query: bool) -> tuple[list[Vector], Usage]:
        self._breaker.enter(self.row.name)
        failed: BaseException | None = None
        try:
            await self._pace.enter(Request(model=self.model, messages=(user("\n".join(texts)),)), lambda _seconds: None)
            client = await self._connected()
            base = self._access.base_url.removesuffix("/").removesuffix(self._way.cut)
            url = base + self._way.path.replace("{model}", quote(self.model, safe=""))
            async with asyncio.timeout(CALL_SECONDS):
                answer = fields(await client.ask(url, self._way.body(self.model, texts, query)))
            return self._read(answer, texts)
        except TimeoutError as error:
            failed = self._failure(f"no vectors within {CALL_SECONDS:g} s")
            raise failed from error
        except BaseException as error:
            failed = error
            raise
        finally:
            self._breaker.leave(failed)

    def _read(self, answer: Json, texts: Sequence[str]) -> tuple[list[Vector], Usage]:
        vectors = [_vector(each) for each in self._way.read(answer)]
        whole = [each for each in vectors if each is not None]
        if len(whole) != len(texts) or len(vectors) != len(texts) or len({len(each) for each in whole}) > 1:
            raise self._failure(f"sent {len(whole)} vectors for {len(texts)} texts")
        # Not every provider counts; what is not counted is paid for all the same.
        tokens = count(self._way.counted(answer)) or sum(map(len, texts)) // _CHARS_A_TOKEN
        return whole, Usage(input_tokens=tokens)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                from attache.providers.direct import Client

                self._access = await asyncio.to_thread(unlocked, self._access)
                if not (self._access.key or self.row.local):
                    raise AuthenticationFailed(
                        f"{self.row.label} needs a key, and {self._access.key_name} is not set",
                        hint=f"set {self._access.key_name} in the environment or in .env",
                        provider=self.row.name,
                    )
                self._client = Client(self._access, ())
            return self._client

    def _failure(self, what: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self.row.label}: {self.model} {what}", provider=self.row.name)


def likeness(one: Vector, other: Vector) -> float:
    """Return how near two vectors of one model are: 1 the same, 0 nothing in common."""
    return sum(map(float.__mul__, one, other))


def _vector(value: object) -> Vector | None:
    """Return numbers as a vector of length 1; None where they are none."""
    try:
        vector = array("f", cast("list[float]", value))
    except (TypeError, ValueError, OverflowError):
        return None
    length = math.sqrt(sum(map(float.__mul__, vector, vector)))
    return array("f", [each / length for each in vector]) if length and math.isfinite(length) else None


def _batches(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        shown = text[:_LONGEST].strip() or "-"  # an empty text is refused by some
        if batch and (len(batch) == most or size + len(shown) > _MOST_CHARS):
            yield batch
            batch, size = [], 0
        batch.append(shown)
        size += len(shown)
    if batch:
        yield batch


def _list(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
