"""The one thing the agent knows of a model: it answers a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from attache.schema.models import Answer, Delta, ModelInfo, Request

Emit = Callable[[Delta], None]


class Model(Protocol):
    """A model behind any wire; `scripted` and `offline` are two more, not test doubles."""

    @property
    def info(self) -> ModelInfo:
        """Return what is known of the model."""
        ...

    async def answer(self, request: Request, emit: Emit) -> Answer:
        """Answer once, handing every piece to `emit` as it comes.

        Raises ProviderError where no complete answer came; may be cancelled at any await. Never retries.
        """
        ...


@runtime_checkable
class Counting(Protocol):
    """A model whose provider may count before it answers."""

    async def count(self, request: Request) -> int | None:
        """Return how many tokens the request takes, None where the provider does not say, or not in time."""
        ...


async def counted(model: Model, request: Request) -> int | None:
    """Return how many tokens a request takes by the provider's own count; None where nobody counts."""
    return await model.count(request) if isinstance(model, Counting) else None


@runtime_checkable
class Distant(Model, Protocol):
    """What models behind HTTP can do besides."""

    async def prepare(self) -> None:
        """Import what a call needs, in a thread, so that the first call does not wait for it."""
        ...

    async def models(self) -> tuple[str, ...]:
        """Return the names of the models on offer now; raises ProviderError."""
        ...

    async def close(self) -> None:
        """Let go of the connections; a later call opens new ones."""
        ...
