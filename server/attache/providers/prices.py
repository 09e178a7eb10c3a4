"""What models cost and how much they hold, from the data that genai-prices carries, or `refresh` fetched."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attache.foundation.files import private_dir, write_atomic
from attache.providers.row import ProviderRow
from attache.schema.errors import UserError
from attache.schema.models import ModelInfo, Usage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo as Known
    from genai_prices.types import Provider


_FILE = "prices.json"
_FETCH_SECONDS = 30.0
_kept: Path | None = None


def keep_in(home: Path) -> None:
    """Look into this folder, from now on and in this whole process, for what `refresh` left there."""
    global _kept  # noqa: PLW0603 - the data are one for the process, as are those that the library carries
    if _kept != home / _FILE:
        _kept = home / _FILE
        _forget()


def refresh(home: Path, url: str = "") -> int:
    """Fetch windows and prices anew, keep them in `home`, and return how many models they know.

    `url` is a mirror of the data of genai-prices, in the form of its v2. Raises UserError.
    """
    import httpx2
    from genai_prices.update_prices import DEFAULT_UPDATE_URL

    place = url or DEFAULT_UPDATE_URL
    try:
        response = httpx2.get(place, timeout=_FETCH_SECONDS, follow_redirects=False)
        response.raise_for_status()
        raw = response.json()
        snapshot = _parsed(raw)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, LookupError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"no prices came from {place}: {reason}", hint="those that are here hold on; another place: --from URL"
        ) from error
    private_dir(home)
    write_atomic(home / _FILE, json.dumps({"version": version("genai-prices"), "providers": raw}).encode())
    _forget()
    return sum(len(provider.models) for provider in snapshot.providers)


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
    found = provider.find_model(model, all_providers=_snapshot().providers)
    return (provider, found) if found else None


def _provider(row: ProviderRow) -> Provider | None:
    return _named(row.prices or row.name)


def _named(name: str) -> Provider | None:
    return next((provider for provider in _snapshot().providers if provider.id == name), None)


@lru_cache(maxsize=1)
def _snapshot() -> DataSnapshot:
    """Return what was fetched since this version of the library came, else what it carries."""
    from genai_prices.data_snapshot import get_snapshot

    if _kept is None or not _kept.exists():
        return get_snapshot()
    try:
        kept = json.loads(_kept.read_text("utf-8"))
        return _parsed(kept["providers"]) if kept["version"] == version("genai-prices") else get_snapshot()
    except (OSError, ValueError, LookupError, TypeError):
        return get_snapshot()


def _parsed(raw: Any) -> DataSnapshot:
    """Return fetched data in the library's form. Raises ValueError and what else reading the wrong thing raises."""
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import _providers_from_raw  # pyright: ignore[reportPrivateUsage]

    providers = _providers_from_raw(raw)
    if not any(provider.models for provider in providers):
        raise ValueError("it names no model")
    return DataSnapshot(providers, from_auto_update=True)


def _forget() -> None:
    _snapshot.cache_clear()
    _found.cache_clear()
