"""Vectors of texts: each provider's API over HTTP, in batches, asked again where that helps, and paid for once."""

from __future__ import annotations

import math

import pytest

from attache.foundation.settings import load
from attache.providers import embedding
from attache.providers.catalog import Catalog
from attache.providers.row import built_in
from attache.schema import errors
from providers.embeddings import embeddings
from providers.understood import ROWS

NAMES = {
    "openai": "/embeddings",
    "gemini": "/models/m:batchEmbedContents",
    "ollama": "/api/embed",
    "cohere": "/v2/embed",
}
EMBEDDING = [row.name for row in built_in() if row.embeds]


def catalog(name: str, url: str, tmp_path, model: str = "m", **settings) -> Catalog:
    prefix = f"ATTACHE_{name.upper().replace('-', '_')}"
    environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path), f"{prefix}_BASE_URL": url}
    environ[f"{prefix}_API_KEY"] = "canary-key-0123456789"
    overrides = {"embedding_model": f"{name}/{model}", "model_wait_seconds": 0.01, **settings}
    return Catalog(load(tmp_path, overrides=overrides, environ=environ))


async def made(name: str, url: str, tmp_path, texts: list[str], *, query: bool = False, **settings):
    found = catalog(name, url, tmp_path, **settings)
    try:
        return await found.embedder().embed(texts, query=query)
    finally:
        await found.close()


def test_every_row_that_makes_vectors_says_a_way_that_exists():
    assert {row.embeds for row in built_in()} - {""} == set(embedding.WAYS)


@pytest.mark.parametrize("name", EMBEDDING)
async def test_texts_become_vectors_of_length_one_in_their_order(name, tmp_path):
    texts = ["who is the culprit", "rename it", "", "rename it"]
    with embeddings() as server:
        vectors, usage = await made(name, server.url, tmp_path, texts)
        again, _ = await made(name, server.url, tmp_path, ["give it another name"], query=True)
    assert [round(math.sqrt(sum(each * each for each in vector)), 5) for vector in vectors] == [1.0] * 4
    assert embedding.likeness(vectors[1], vectors[3]) == pytest.approx(1, abs=1e-5)
    assert embedding.likeness(vectors[1], again[0]) > 0.9
    assert embedding.likeness(vectors[0], again[0]) < 0.5
    assert usage.input_tokens == 7 or ROWS[name].embeds == "gemini"
    assert usage.input_tokens > 0
    path, body, headers = server.asked[0]
    assert path == NAMES[ROWS[name].embeds]
    assert "canary-key-0123456789" in "".join(headers.values())
    assert "canary" not in str(body)


async def test_what_is_looked_for_is_told_from_what_is_looked_through(tmp_path):
    with embeddings() as server:
        for name in ("gemini", "cohere"):
            for query in (True, False):
                await made(name, server.url, tmp_path, ["x"], query=query)
    told = [body.get("input_type") or body["requests"][0]["taskType"] for _, body, _ in server.asked]
    assert told == ["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "search_query", "search_document"]


@pytest.mark.parametrize(("name", "calls"), [("openai", 3), ("qwen", 15), ("gemini", 2), ("cohere", 2), ("ollama", 5)])
async def test_many_texts_go_in_batches_that_the_provider_takes(name, calls, tmp_path):
    with embeddings() as server:
        vectors, usage = await made(name, server.url, tmp_path, [f"text {number}" for number in range(150)])
    assert len(vectors) == 150
    assert len(server.asked) == calls
    if name != "gemini":
        assert usage.input_tokens == 7 * calls


async def test_long_texts_are_cut_and_make_small_batches(tmp_path):
    with embeddings() as server:
        vectors, _ = await made("openai", server.url, tmp_path, ["word " * 10_000] * 12)
    assert len(vectors) == 12
    assert [len(body["input"]) for _, body, _ in server.asked] == [5, 5, 2]
    assert max(map(len, server.texts)) <= 8_000


async def test_a_passing_failure_is_asked_again_by_us_alone(tmp_path):
    with embeddings() as server:
        server.failures += [(429, {"retry-after": "0"}, b"{}"), (503, {}, b"busy")]
        vectors, usage = await made("openai", server.url, tmp_path, ["x"])
    assert len(vectors) == 1
    assert usage.input_tokens == 7
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":{"message":"bad key canary-key-0123456789"}}', errors.AuthenticationFailed),
        (404, b'{"error":{"message":"model m not found"}}', errors.RequestRefused),
        (429, b'{"error":{"code":"insufficient_quota","message":"you exceeded your quota"}}', errors.QuotaExceeded),
    ],
)
async def test_what_will_not_pass_is_said_at_once(status, body, kind, tmp_path):
    with embeddings() as server:
        server.failures += [(status, {}, body)] * 9
        with pytest.raises(kind) as raised:
            await made("openai", server.url, tmp_path, ["x"])
    assert len(server.asked) == 1
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("name", ["openai", "gemini", "cohere", "ollama"])
@pytest.mark.parametrize(
    "odd",
    [
        b"", b"[]", b"{}", b"<html>", b'{"data":[{"embedding":null}],"embeddings":null}',
        b'{"data":[{"embedding":[]}],"embeddings":{"float":[[]]}}',
        b'{"data":[{"embedding":["a"]}],"embeddings":[{"values":["a"]}]}',
        b'{"data":[{"embedding":[0,0]}],"embeddings":[[0,0]]}',
        b'{"data":[{"embedding":[1e999]}],"embeddings":[{"values":[1e999]}]}',
    ],
)  # fmt: skip
async def test_what_is_no_vector_is_none(name, odd, tmp_path):
    with embeddings() as server:
        server.odd = odd
        with pytest.raises(errors.ProviderUnavailable, match="vectors"):
            await made(name, server.url, tmp_path, ["x"], model_attempts=1)


async def test_an_answer_that_does_not_come_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "CALL_SECONDS", 0.1)
    with embeddings() as server:
        server.seconds = 5
        with pytest.raises(errors.ProviderUnavailable, match="within"):
            await made("openai", server.url, tmp_path, ["x"], model_attempts=1)


@pytest.mark.parametrize("ref", ["offline/offline", "anthropic/claude", "scripted/x"])
def test_who_makes_no_vectors_says_so(ref, tmp_path):
    name, _, model = ref.partition("/")
    with pytest.raises(errors.UnknownModel, match="makes no vectors"):
        catalog(name, "", tmp_path, model=model).embedder()


async def test_a_missing_key_names_its_variable(tmp_path):
    environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path)}
    found = Catalog(load(tmp_path, overrides={"embedding_model": "openai/m"}, environ=environ))
    with pytest.raises(errors.AuthenticationFailed, match="OPENAI_API_KEY"):
        await found.embedder().embed(["x"])


async def test_a_users_own_provider_on_a_known_wire_makes_vectors_too(tmp_path):
    with embeddings() as server:
        own = {"mine": {"wire": "openai_chat", "base_url": server.url, "local": True}}
        environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path)}
        overrides = {"embedding_model": "mine/m", "providers": own}
        found = Catalog(load(tmp_path, overrides=overrides, environ=environ))
        vectors, _ = await found.embedder().embed(["x"])
        await found.close()
    assert len(vectors) == 1
