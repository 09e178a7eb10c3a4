"""What a call is said to cost is the provider's own count times the price, cached tokens apart: worked out here a second time."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot

from attache.schema.errors import AttacheError
from attache.schema.models import ModelInfo, Usage
from providers.test_recorded import CALLS, ask, recording
from providers.understood import PROVIDERS, ROWS, as_expected, catalog, request
from wire.replay import Replay, recordings, whole

MILLION = 1_000_000
Counts = dict[str, int]


def per_token(provider: str, model: str) -> dict[str, float] | None:
    """Return the prices of a model in dollars a token, as they stand in the data today; None where it is unknown."""
    row = ROWS[provider]
    providers = get_snapshot().providers
    found = next((each for each in providers if each.id == (row.prices or row.name)), None)
    known = found.find_model(model, all_providers=providers) if found else None
    if known is None:
        return None
    prices = known.prices
    if isinstance(prices, list):
        today = datetime.now(UTC).date()
        holding = [each for each in prices if getattr(each.constraint, "start_date", today) <= today]
        prices = holding[-1].prices

    def each(name: str, usual: float) -> float:
        price = getattr(prices, name)
        return usual if price is None else float(getattr(price, "base", price)) / MILLION

    read = each("input_mtok", 0.0)
    return {
        "input": read, "cached": each("cache_read_mtok", read), "written": each("cache_write_mtok", read),
        "output": each("output_mtok", 0.0),
    }  # fmt: skip


def due(prices: dict[str, float], counts: Counts) -> float:
    return sum(prices[kind] * counts[kind] for kind in prices)


def counted(form: str, body: bytes) -> Counts:
    """Return what the provider counted, read out of the bytes with as little understanding as will do."""
    text = body.decode("utf-8", "replace")

    def last(*names: str) -> int:
        for name in names:
            if found := re.findall(rf'"{name}"\s*:\s*(\d+)', text):
                return int(found[-1])
        return 0

    cached = written = 0
    match form:
        case "anthropic.messages":
            cached, written = last("cache_read_input_tokens"), last("cache_creation_input_tokens")
            return {
                "input": last("input_tokens"),
                "cached": cached,
                "written": written,
                "output": last("output_tokens"),
            }
        case "openai.chat":
            read, wrote = last("prompt_tokens"), last("completion_tokens")
            # Each of the providers on this wire has a name of its own for it.
            cached = max(map(last, ("cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens")))
        case "openai.responses":
            read, wrote, cached = last("input_tokens"), last("output_tokens"), last("cached_tokens")
        case "gemini":
            read, cached = last("promptTokenCount"), last("cachedContentTokenCount")
            wrote = last("candidatesTokenCount") + last("thoughtsTokenCount")
        case "bedrock.converse":
            cached, written = last("cacheReadInputTokens"), last("cacheWriteInputTokens")
            return {"input": last("inputTokens"), "cached": cached, "written": written, "output": last("outputTokens")}
        case "cohere.v2":
            tokens = re.findall(r'"tokens"\s*:\s*(\{[^}]*\})', text)
            figures: dict[str, Any] = json.loads(tokens[-1]) if tokens else {}
            read, wrote = int(figures.get("input_tokens", 0)), int(figures.get("output_tokens", 0))
        case _:
            return dict.fromkeys(("input", "cached", "written", "output"), 0)
    return {"input": read - cached, "cached": cached, "written": 0, "output": wrote}


@pytest.mark.skipif(not CALLS, reason="no recorded traffic beside the repository, nor where ATTACHE_WIRE says")
@pytest.mark.parametrize("recorded", CALLS, ids=lambda call: f"{call['format']}-{call['id']}")
async def test_a_recorded_call_costs_what_its_provider_counted(recorded, tmp_path):
    if "usage" not in recorded["expected"]:
        return
    playing = recording(recorded)
    async with Replay(playing, cut=whole) as server:
        try:
            answer, _ = await ask(recorded, server, tmp_path)
        except AttacheError:
            pytest.fail("a call that was answered is not understood")
    provider = PROVIDERS[playing.wire]
    prices = per_token(provider, recorded["model"])
    found = catalog(playing.wire, "http://127.0.0.1:1", tmp_path)
    shown = found.price(ModelInfo(provider=provider, name=recorded["model"]), answer.usage)
    if ROWS[provider].local:
        assert shown == 0
    elif prices is None:
        assert shown is None
    else:
        assert shown == pytest.approx(due(prices, counted(recorded["format"], playing.body)), rel=0.01, abs=1e-12)


FORMS = {
    "anthropic_messages": "anthropic.messages", "openai_chat": "openai.chat", "openai_responses": "openai.responses",
    "gemini": "gemini", "cohere_v2": "cohere.v2",
}  # fmt: skip
OWN = [own for own in recordings() if own.wire in FORMS and own.expected.get("usage") and own.status == 200]


@pytest.mark.parametrize("own", OWN, ids=lambda own: f"{own.wire}-{own.name}")
async def test_our_own_recordings_cost_what_was_counted(own, tmp_path):
    provider = PROVIDERS[own.wire]
    model = ROWS[provider].default_model
    async with Replay(own) as server:
        found = catalog(own.wire, server.url, tmp_path)
        deltas: list = []
        answer = await found.open(f"{provider}/{model}").answer(request(model), deltas.append)
        await found.close()
    as_expected(answer, deltas, own.expected)
    prices = per_token(provider, model)
    assert prices is not None
    wanted = due(prices, counted(FORMS[own.wire], own.body))
    assert wanted > 0
    assert found.price(ModelInfo(provider=provider, name=model), answer.usage) == pytest.approx(wanted, rel=0.01)


def test_cached_tokens_are_charged_apart(tmp_path):
    found = catalog("anthropic_messages", "http://127.0.0.1:1", tmp_path)
    info = ModelInfo(provider="anthropic", name="claude-sonnet-5-5")
    prices = per_token("anthropic", "claude-sonnet-5-5")
    assert prices is not None
    plain, cached, written = (
        found.price(info, Usage(input_tokens=1000, **fields)) for fields in ({}, {"cached_tokens": 1000}, {"cache_write_tokens": 1000})
    )  # fmt: skip
    assert plain == pytest.approx(1000 * prices["input"])
    assert cached == pytest.approx(1000 * prices["cached"])
    assert written == pytest.approx(1000 * prices["written"])
    assert cached < plain < written
