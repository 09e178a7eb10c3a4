"""Every row of the catalogue, called over HTTP: at the path, with the key and in the form that its provider wants."""

from __future__ import annotations

import importlib.util

import pytest
from anthropic import _constants as anthropic_constants

from attache.foundation.settings import load
from attache.providers.catalog import Catalog
from attache.providers.row import built_in
from attache.schema import errors
from providers.understood import ROWS, places, request
from wire.replay import Recording, Replay, recordings

TEXTS = {recording.wire: recording for recording in recordings() if recording.name == "text"}
WIRES = {"anthropic_cloud": "anthropic_messages"}
REMOTE = [row.name for row in built_in() if row.wire not in {"offline", "scripted"}]
PATHS = {
    "anthropic": "/v1/messages",
    "anthropic-bedrock": "/v1/messages",
    "anthropic-vertex": "/models/a%2Fm%3A1:streamRawPredict",
    "bedrock": "/model/a%2Fm%3A1/converse-stream",
    "cohere": "/v2/chat",
    "gemini": "/models/a%2Fm%3A1:streamGenerateContent?alt=sse",
    "vertex": "/models/a%2Fm%3A1:streamGenerateContent?alt=sse",
    "azure": "/responses",
    "openai-responses": "/responses",
    "anthropic-foundry": "/v1/messages",
    "ollama": "/api/chat",
}
KEYS = {"gemini": "x-goog-api-key", "anthropic-foundry": "x-api-key"}


async def call(name: str, server: Replay, home, model: str = "a/m:1", **environ: str):
    found = places(name, server.url, home, **environ)
    try:
        return await found.open(f"{name}/{model}").answer(request(model), lambda _: None)
    finally:
        await found.close()


def text(name: str) -> Recording:
    wire = ROWS[name].wire
    return TEXTS[WIRES.get(wire, wire)]


@pytest.mark.parametrize("name", REMOTE)
async def test_a_row_is_called_where_and_as_its_provider_wants(name, tmp_path):
    async with Replay(text(name)) as server:
        answer = await call(name, server, tmp_path)
    (sent,) = server.requests
    assert answer.message.text == text(name).expected["text"]
    assert sent["path"] == PATHS.get(name, "/chat/completions")
    header = KEYS.get(name, "authorization")
    assert sent["headers"][header].removeprefix("Bearer ") == "canary-key-0123456789"
    assert ("model" in sent["body"]) == ("a%2Fm" not in sent["path"])


async def test_vertex_names_the_version_in_the_body_and_the_others_in_a_header(tmp_path):
    async with Replay(text("anthropic-vertex")) as server:
        for name in ("anthropic-vertex", "anthropic-bedrock", "anthropic-foundry"):
            await call(name, server, tmp_path)
    vertex, *others = server.requests
    assert vertex["body"]["anthropic_version"] == anthropic_constants.ANTHROPIC_API_VERSION
    assert {sent["headers"]["anthropic-version"] for sent in others} == {anthropic_constants.ANTHROPIC_API_VERSION}


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("gemini", ["/models/m:streamGenerateContent", "/models/m:generateContent"]),
        ("bedrock", ["/model/m/converse-stream", "/model/m/converse"]),
        ("ollama", ["/api/chat", "/api/generate"]),
        ("anthropic-vertex", ["/models/m:streamRawPredict", "/models/m:rawPredict"]),
    ],
)
async def test_a_host_without_the_first_route_is_asked_on_the_second_and_then_always(name, paths, tmp_path):
    async with Replay(text(name), path=paths[1]) as server:
        found = places(name, server.url, tmp_path)
        model = found.open(f"{name}/m")
        for _ in range(2):
            answer = await model.answer(request("m"), lambda _: None)
        await found.close()
    assert answer.message.text == text(name).expected["text"]
    assert [sent["path"] for sent in server.requests] == [paths[1], paths[1]]
    assert server.refused == [paths[0]]


async def test_a_model_that_is_installed_later_is_asked_on_the_first_route_then(tmp_path):
    async with Replay(text("ollama"), first=[(404, {}, b'{"error":"model \'m\' not found"}')] * 2) as server:
        found = places("ollama", server.url, tmp_path)
        model = found.open("ollama/m")
        with pytest.raises(errors.UnknownModel, match="ollama/m") as raised:
            await model.answer(request("m"), lambda _: None)
        assert "ollama pull m" in raised.value.hint
        await model.answer(request("m"), lambda _: None)
        await found.close()
    assert [sent["path"] for sent in server.requests] == ["/api/chat", "/api/generate", "/api/chat"]


async def test_an_ollama_reached_at_v1_speaks_openais_form(tmp_path):
    async with Replay(TEXTS["openai_chat"], models=b'{"data":[{"id":"m"}]}') as server:
        found = places("ollama", f"{server.url}/v1", tmp_path)
        await found.open("ollama/m").answer(request("m"), lambda _: None)
        await found.close()
    assert server.requests[0]["path"] == "/v1/chat/completions"


async def test_a_row_of_ones_own_reads_the_key_where_its_wire_does(tmp_path):
    config = tmp_path / "settings.toml"
    async with Replay(TEXTS["gemini"]) as server:
        own = (
            f'[providers.house]\nwire = "gemini"\nbase_url = "{server.url}"\napi_key_env = "HOUSE_KEY"\nmodels = ["m"]'
        )
        config.write_text(own, "utf-8")
        environ = {"HOME": str(tmp_path), "ATTACHE_CONFIG": str(config), "HOUSE_KEY": "canary-key-0123456789"}
        found = Catalog(load(tmp_path, environ=environ))
        await found.open("house/m").answer(request("m"), lambda _: None)
        await found.close()
    assert server.requests[0]["headers"]["x-goog-api-key"] == "canary-key-0123456789"


async def test_a_model_that_does_not_stream_is_asked_for_the_whole(tmp_path):
    refusal = b'{"message":"This model doesn\'t support tool use in streaming mode."}'
    async with Replay(text("bedrock"), first=[(400, {}, refusal)]) as server:
        answer = await call("bedrock", server, tmp_path, model="m")
    assert answer.message.text == text("bedrock").expected["text"]
    assert [sent["path"] for sent in server.requests] == ["/model/m/converse-stream", "/model/m/converse"]


async def test_a_request_that_is_refused_is_not_sent_again(tmp_path):
    refusal = b'{"message":"The value at messages.0 is wrong."}'
    async with Replay(text("bedrock"), first=[(400, {}, refusal)] * 2) as server:
        with pytest.raises(errors.RequestRefused, match=r"messages\.0"):
            await call("bedrock", server, tmp_path)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "extra", "library"),
    [
        ("bedrock", "bedrock", "botocore"), ("anthropic-bedrock", "bedrock", "botocore"),
        ("vertex", "google", "google.auth"), ("anthropic-vertex", "google", "google.auth"),
    ],
)  # fmt: skip
async def test_without_a_key_and_without_the_extra_the_command_is_named(name, extra, library, tmp_path):
    if importlib.util.find_spec(library.partition(".")[0]):
        pytest.skip(f"{library} is installed")
    async with Replay(text(name)) as server:
        with pytest.raises(errors.MissingExtra) as raised:
            await call(name, server, tmp_path, **{f"ATTACHE_{name.upper().replace('-', '_')}_API_KEY": ""})
    assert f'pip install "attache-ls[{extra}]"' in raised.value.hint
    assert ROWS[name].key_env[0] in raised.value.message
    assert server.requests == []


async def test_amazons_credentials_sign_the_call(tmp_path, monkeypatch):
    pytest.importorskip("botocore", reason="botocore is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    async with Replay(text("bedrock")) as server:
        await call("bedrock", server, tmp_path, model="m:1", ATTACHE_BEDROCK_API_KEY="")
    signed = server.requests[0]["headers"]["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIACANARY/")
    assert "/us-east-1/bedrock/aws4_request" in signed
    assert "canary-secret" not in str(server.requests)
