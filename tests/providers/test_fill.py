"""Filling in: what says that a model cannot is for good, what passes is waited out."""

from __future__ import annotations

import pytest

from attache.foundation.settings import load
from attache.providers import fill
from attache.schema import errors
from providers.understood import ROWS
from wire.replay import Recording, Replay

ANSWER = b'{"response":"a + b","content":"a + b","done":true,"prompt_eval_count":9,"eval_count":3}'
CANNOT = {
    "no insert in the template": ("ollama", 400, b'{"error":"registry.ollama.ai/library/x does not support insert"}'),
    "no tokens for it": (
        "llamacpp", 501,
        b'{"error":{"code":501,"message":"Infill is not supported by this model: prefix token is missing","type":"not_supported_error"}}',
    ),
    "an old server": ("ollama", 404, b"404 page not found"),
}  # fmt: skip
PASSING = {
    "busy": (
        503,
        b'{"error":"server busy, please try again.  maximum pending requests exceeded"}',
        errors.ProviderUnavailable,
    ),
    "too many": (429, b'{"error":"too many requests"}', errors.RateLimited),
    "no key yet": (401, b'{"error":"unauthorized"}', errors.AuthenticationFailed),
    "not pulled yet": (404, b'{"error":"model \'m\' not found"}', errors.RequestRefused),
}


def filler(name: str, server: Replay, tmp_path) -> fill.Filler:
    environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path), f"ATTACHE_{name.upper()}_BASE_URL": server.url}
    found = fill.filler(ROWS[name], "m", load(tmp_path, environ=environ))
    assert found
    return found


def answering() -> Recording:
    return Recording("fill", "fill", ANSWER, {}, content_type="application/json")


@pytest.mark.parametrize("case", CANNOT)
async def test_a_model_that_cannot_is_asked_once(case, tmp_path):
    name, status, body = CANNOT[case]
    async with Replay(answering(), first=[(status, {}, body)]) as server:
        found = filler(name, server, tmp_path)
        with pytest.raises(errors.ProviderError):
            await found.fill("a", "b", max_tokens=9)
        await found.close()
    assert not found.able


@pytest.mark.parametrize("case", PASSING)
async def test_what_passes_is_waited_out(case, tmp_path):
    status, body, kind = PASSING[case]
    clock = [1000.0]
    async with Replay(answering(), first=[(status, {}, body)] * 2) as server:
        found = filler("ollama", server, tmp_path)
        found._clock = lambda: clock[0]
        for rest in (5, 10):
            with pytest.raises(kind):
                await found.fill("a", "b", max_tokens=9)
            with pytest.raises(errors.ProviderResting):
                await found.fill("a", "b", max_tokens=9)
            clock[0] += rest
        text, usage = await found.fill("a", "b", max_tokens=9)
        assert (text, usage.input_tokens, usage.output_tokens) == ("a + b", 9, 3)
        await found.close()
    assert found.able
    assert len(server.requests) == 3
