"""What models cost and how much they hold, from the data that genai-prices carries; nothing is fetched."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from attache.providers.row import ProviderRow
from attache.schema.models import ModelInfo, Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo as Known
    from genai_prices.types import Provider


def price(row: ProviderRow, model: str, usage: Usage) -> float | None:
    """Return what a call cost in US dollars; 0 on the user's own machine, None where the price is unknown.

    Importing the data takes a quarter of a second: a model that has answered has done so already, in a thread.
    """
    if row.local:
        return 0.0
    found = _find(row, model)
    if found is None:
        return None
    from genai_prices import Usage as Counted

    provider, known = found
    apart = usage.reasoning_tokens if row.quirks.reasoning_apart else 0
    counted = Counted(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens + apart,
    )
    try:
        return float(known.calc_price(counted, provider).total_price)
    except (LookupError, ValueError):
        return None


def known(row: ProviderRow, info: ModelInfo) -> ModelInfo:
    """Return `info` with window and prices per million tokens, where they are known."""
    found = _find(row, info.name)
    if found is None:
        return info
    # Asked for a thousand tokens: a million at once may cost more apiece.
    read, written = (price(row, info.name, Usage(**{f"{side}_tokens": 1000})) for side in ("input", "output"))
    return info.model_copy(
        update={
            "context_tokens": found[1].context_window,
            "input_usd_per_mtok": None if read is None else read * 1000,
            "output_usd_per_mtok": None if written is None else written * 1000,
        }
    )


def names(row: ProviderRow) -> tuple[str, ...]:
    """Return the names of the provider's models that the data know, without those that are on their way out."""
    provider = _provider(row)
    return tuple(model.id for model in provider.models if not model.deprecated) if provider else ()


def _find(row: ProviderRow, model: str) -> tuple[Provider, Known] | None:
    return _found(row.prices or row.name, model)


@lru_cache(maxsize=256)
def _found(name: str, model: str) -> tuple[Provider, Known] | None:
    if (provider := _named(name)) is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    found = provider.find_model(model, all_providers=get_snapshot().providers)
    return (provider, found) if found else None


def _provider(row: ProviderRow) -> Provider | None:
    return _named(row.prices or row.name)


def _named(name: str) -> Provider | None:
    from genai_prices.data_snapshot import get_snapshot

    return next((provider for provider in get_snapshot().providers if provider.id == name), None)
