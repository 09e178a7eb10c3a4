"""Rows, choosing among them, and opening: what a user sets goes before what is built in, and a miss names what is near."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from attache.foundation.settings import load
from attache.providers import ollama
from attache.providers.catalog import OFFLINE, Catalog
from attache.providers.prices import known, names
from attache.providers.row import access, built_in, rows
from attache.schema.errors import SettingsError, UnknownModel
from attache.schema.models import ModelInfo
from providers.understood import request
from wire.replay import Replay, recordings

TEXT = next(recording for recording in recordings("openai_chat") if recording.name == "text")
NOWHERE = {"OLLAMA_HOST": "127.0.0.1:1"}


def catalog(home: Path, config: str = "", **environ: str) -> Catalog:
    file = home / "settings.toml"
    file.write_text(config, "utf-8")
    return Catalog(
        load(
            home,
            environ={"HOME": str(home), "ATTACHE_HOME": str(home), "ATTACHE_CONFIG": str(file), **NOWHERE, **environ},
        )
    )


class Tags(Replay):
    """An Ollama, as far as asking for its models goes."""

    def __init__(self, *models: str) -> None:
        super().__init__(TEXT, models=json.dumps({"models": [{"name": name, "size": 1} for name in models]}).encode())


def test_every_row_says_where_it_is_and_what_it_is_called():
    found = {row.name: row for row in built_in()}
    assert {
        "anthropic", "openai", "ollama", "openrouter", "groq", "deepseek", "mistral", "xai", "together", "fireworks",
        "cerebras", "moonshot", "gemini", "lmstudio", "vllm", "llamacpp", "offline", "scripted",
        "openai-responses", "gemini-compatible", "azure", "vertex", "bedrock", "anthropic-bedrock", "anthropic-vertex",
        "anthropic-foundry", "cohere", "zai", "qwen", "perplexity", "sambanova", "nvidia", "vercel", "huggingface",
        "github", "replicate", "mlx",
    } == set(found)  # fmt: skip
    for row in found.values():
        assert row.label
        if row.wire not in {"offline", "scripted"}:
            assert row.base_url.startswith("http://127.0.0.1" if row.local else ("https://", "{"))
            assert row.local or row.key_env


def test_default_models_are_ones_that_the_price_data_know():
    for row in built_in():
        if row.default_model and names(row):
            assert known(row, ModelInfo(provider=row.name, name=row.default_model)).input_usd_per_mtok, row.name


@pytest.mark.parametrize(
    ("environ", "config", "chosen"),
    [
        ({}, "", OFFLINE),
        ({"OPENAI_API_KEY": "k"}, "", "openai/gpt-5.6-sol"),
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, "", "anthropic/claude-sonnet-5-5"),
        ({"ANTHROPIC_AUTH_TOKEN": "k"}, "", "anthropic/claude-sonnet-5-5"),
        ({"GROQ_API_KEY": "k", "OPENAI_API_KEY": "  "}, "", "groq/openai/gpt-oss-120b"),
        ({"ATTACHE_GROQ_API_KEY": "k"}, "", "groq/openai/gpt-oss-120b"),
        ({"OPENAI_API_KEY": "k", "ATTACHE_MODEL": "groq/x"}, "", "groq/x"),
        ({"OPENAI_API_KEY": "k"}, 'model = "anthropic"', "anthropic/claude-sonnet-5-5"),
        ({"OPENAI_API_KEY": "k", "ATTACHE_MODEL": "groq/x"}, 'model = "anthropic"', "groq/x"),
        ({"OPENAI_API_KEY": "k"}, '[providers.openai]\ndefault_model = "mine"', "openai/mine"),
        ({"MY_KEY": "k"}, '[providers.groq]\napi_key_env = "MY_KEY"', "groq/openai/gpt-oss-120b"),
        ({"MY_KEY": "k"}, '[providers.house]\nwire = "openai_chat"\nbase_url = "http://h/v1"\napi_key_env = "MY_KEY"\nmodels = ["a", "b"]', "house/a"),
    ],
)  # fmt: skip
async def test_the_model_that_is_taken(environ, config, chosen, tmp_path):
    assert await catalog(tmp_path, config, **environ).choose() == chosen


async def test_a_running_ollama_is_found_and_asked_for_a_model_that_takes_tools(tmp_path):
    async with Tags("nomic-embed-text:latest", "gemma3:1b", "qwen3-coder:30b", "llama3.1:8b") as server:
        address = server.url.removeprefix("http://")
        assert await catalog(tmp_path, OLLAMA_HOST=address).choose() == "ollama/qwen3-coder:30b"
        assert await catalog(tmp_path, OLLAMA_BASE_URL=f"{server.url}/v1").choose() == "ollama/qwen3-coder:30b"
        set_so = '[providers.ollama]\ndefault_model = "mine"'
        assert await catalog(tmp_path, set_so, OLLAMA_HOST=address).choose() == "ollama/mine"
        assert await catalog(tmp_path, OLLAMA_HOST=address, OPENAI_API_KEY="k").choose() == "openai/gpt-5.6-sol"
    assert await catalog(tmp_path, set_so, OLLAMA_HOST=address).choose() == OFFLINE


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"models": null}', b'{"models": [{"x": 1}, 7]}', b"<html>", b'{"models": [{"name": "bge-m3"}]}'],
)
async def test_an_ollama_without_a_model_is_none(answer, tmp_path):
    async with Replay(TEXT, models=answer) as server:
        assert await catalog(tmp_path, OLLAMA_BASE_URL=server.url).choose() == OFFLINE


async def test_an_ollama_that_does_not_answer_is_not_waited_for(tmp_path):
    gone = asyncio.Event()

    async def mute(reader, writer):
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    assert await catalog(tmp_path, OLLAMA_HOST=f"127.0.0.1:{port}").choose() == OFFLINE
    assert time.monotonic() - began < 2
    await asyncio.wait_for(gone.wait(), 10)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("names", "picked"),
    [
        ([], ""), (["all-minilm"], ""), (["phi3", "gemma3"], "phi3"), (["llama3.2", "qwen3:8b"], "qwen3:8b"),
        (["hf.co/unsloth/Qwen3-x", "devstral:24b"], "devstral:24b"), (["library/qwen3:8b", "gemma3"], "library/qwen3:8b"),
    ],
)  # fmt: skip
def test_which_of_ollamas_models_is_taken(names, picked):
    assert ollama.pick([{"name": name} for name in names]) == picked


class Shows(Tags):
    """An Ollama that also says what each of its models can do, after `seconds`."""

    def __init__(self, seconds: float = 0, **capabilities: list[str]) -> None:
        super().__init__(*capabilities)
        self._seconds = seconds
        self._capabilities = capabilities

    async def _play(self, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(self._seconds)
        shown = json.dumps({"capabilities": self._capabilities[self.requests[-1]["body"]["model"]]}).encode()
        self.recording = replace(TEXT, body=shown, content_type="application/json")
        return await super()._play(writer)


async def test_an_ollama_is_asked_which_of_its_models_take_tools(tmp_path):
    async with Shows(qwen3=["completion"], strange=["completion", "tools"], phi3=["completion"]) as server:
        assert await catalog(tmp_path, OLLAMA_BASE_URL=server.url).choose() == "ollama/strange"
        assert {each["path"] for each in server.requests} == {"/api/show"}
    async with Shows(strange=["completion"]) as server:
        assert await catalog(tmp_path, OLLAMA_BASE_URL=server.url).choose() == "ollama/strange"
        assert not server.requests
    began = time.monotonic()
    async with Shows(5, qwen3=["completion"], strange=["completion", "tools"]) as server:
        assert await catalog(tmp_path, OLLAMA_BASE_URL=server.url).choose() == "ollama/qwen3"
    assert time.monotonic() - began < 2


def test_what_ollama_says_of_its_models_goes_before_their_names():
    models = [
        {"name": "qwen3", "capabilities": ["completion"]},
        {"name": "strange", "capabilities": ["completion", "tools"]},
    ]
    assert ollama.pick(models) == "strange"


@pytest.mark.parametrize(
    ("environ", "config", "name", "url"),
    [
        ({}, "", "openai", "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://proxy/v1/"}, "", "openai", "http://proxy/v1"),
        (
            {"OPENAI_BASE_URL": "http://proxy/v1", "ATTACHE_OPENAI_BASE_URL": "http://ours/x"},
            "",
            "openai",
            "http://ours/x",
        ),
        (
            {"OPENAI_BASE_URL": "http://proxy/v1"},
            '[providers.openai]\nbase_url = "http://set/v1"',
            "openai",
            "http://set/v1",
        ),
        ({"GROQ_BASE_URL": "http://proxy"}, "", "groq", "http://proxy/openai/v1"),
        ({"ATTACHE_GROQ_BASE_URL": "http://proxy"}, "", "groq", "http://proxy"),
        ({"OLLAMA_HOST": "0.0.0.0"}, "", "ollama", "http://127.0.0.1:11434"),  # noqa: S104 - what a server binds
        ({"OLLAMA_HOST": "box:99"}, "", "ollama", "http://box:99"),
        ({"OLLAMA_HOST": "https://box.example/"}, "", "ollama", "https://box.example"),
        ({"OLLAMA_HOST": "[::1]:5"}, "", "ollama", "http://[::1]:5"),
        ({"OLLAMA_HOST": "box:many"}, "", "ollama", "http://box:many"),
        ({"OLLAMA_BASE_URL": "http://box:9/v1"}, "", "ollama", "http://box:9/v1"),
        (
            {"AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/"},
            "",
            "azure",
            "https://mine.openai.azure.com/openai/v1",
        ),
        ({}, "", "azure", "{AZURE_OPENAI_ENDPOINT}/openai/v1"),
        ({"AWS_REGION": "eu-central-1"}, "", "bedrock", "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "", "bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ({}, "", "bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com"),
        (
            {"GOOGLE_CLOUD_PROJECT": "p-1"},
            "",
            "vertex",
            "https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/google",
        ),
        (
            {"GOOGLE_CLOUD_PROJECT": "p-1", "CLOUD_ML_REGION": "europe-west1"},
            "",
            "anthropic-vertex",
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west1/publishers/anthropic",
        ),
        (
            {"ANTHROPIC_FOUNDRY_RESOURCE": "mine"},
            "",
            "anthropic-foundry",
            "https://mine.services.ai.azure.com/anthropic",
        ),
        ({"GOOGLE_GEMINI_BASE_URL": "http://proxy"}, "", "gemini", "http://proxy/v1beta"),
        ({"OLLAMA_HOST": "", "OLLAMA_BASE_URL": ""}, "", "ollama", "http://127.0.0.1:11434"),
    ],
)
def test_where_a_provider_is_reached(environ, config, name, url, tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(config, "utf-8")
    settings = load(tmp_path, environ={"HOME": str(tmp_path), "ATTACHE_CONFIG": str(file), **environ})
    assert access(rows(settings)[name], settings).base_url == url


def test_the_key_with_our_own_name_goes_before_the_vendors(tmp_path):
    settings = load(
        tmp_path, environ={"HOME": str(tmp_path), "OPENAI_API_KEY": "vendor", "ATTACHE_OPENAI_API_KEY": " ours\n"}
    )
    found = access(rows(settings)["openai"], settings)
    assert (found.key, found.key_name) == ("ours", "ATTACHE_OPENAI_API_KEY")
    assert "ours" not in repr(found)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("claude-sonet-5-5", "near: anthropic/claude-sonnet-5-5"),
        ("antropic/x", "near: anthropic/x"),
        ("opnai", "near: openai"),
        ("zzzzzzzz", "provider/model"),
        ("lmstudio", "lmstudio/<name>"),
    ],
)
def test_an_unknown_model_names_what_is_near(typed, hint, tmp_path):
    with pytest.raises(UnknownModel) as raised:
        catalog(tmp_path).open(typed)
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


def test_an_unknown_provider_names_what_is_near(tmp_path):
    with pytest.raises(UnknownModel) as raised:
        catalog(tmp_path).row("mistrall")
    assert "near: mistral" in raised.value.hint


@pytest.mark.parametrize(
    ("typed", "ref"),
    [
        ("openai", "openai/gpt-5.6-sol"), ("openrouter/a/b:free", "openrouter/a/b:free"), (" groq/x ", "groq/x"),
        ("claude-opus-5-5", "anthropic/claude-opus-5-5"), ("grok-4.7", "xai/grok-4.7"),
    ],
)  # fmt: skip
def test_what_a_user_types_for_a_model(typed, ref, tmp_path):
    found = catalog(tmp_path)
    assert found.open(typed).info.ref == ref
    assert found.open(typed) is found.open(ref)


async def test_a_provider_of_ones_own_is_a_few_lines_of_settings(tmp_path):
    async with Replay(TEXT) as server:
        found = catalog(
            tmp_path,
            f'[providers.house]\nwire = "openai_chat"\nbase_url = "{server.url}/v1"\nlocal = true\n[providers.house.headers]\nX-Team = "a"',
        )
        answer = await found.open("house/m").answer(request(), lambda _: None)
        await found.close()
    assert answer.message.text == TEXT.expected["text"]
    assert server.requests[0]["headers"]["x-team"] == "a"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('[providers.house]\nbase_url = "http://h"', "wire"),
        ('[providers.house]\nwire = "openai_chat"\nlocal = true', "base_url"),
        ('[providers.house]\nwire = "carrier_pigeon"\nbase_url = "http://h"', "carrier_pigeon"),
        ('[providers.house]\nwire = "row"\nbase_url = "http://h"', 'unknown wire "row"'),
        ('[providers.house]\nwire = "../x"\nbase_url = "http://h"', "unknown wire"),
    ],
)
async def test_a_provider_that_is_set_wrongly_says_what_is_missing(config, words, tmp_path):
    with pytest.raises(SettingsError) as raised:
        await catalog(tmp_path, config).open("house/m").answer(request(), lambda _: None)
    assert words in raised.value.message


async def test_the_environment_of_one_provider_is_not_sent_to_another(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    async with Replay(TEXT) as server:
        for name in ("groq", "openai"):
            found = catalog(
                tmp_path, **{f"ATTACHE_{name.upper()}_BASE_URL": server.url, f"{name.upper()}_API_KEY": "k"}
            )
            await found.open(f"{name}/m").answer(request(), lambda _: None)
            await found.close()
    groq, openai = (sent["headers"] for sent in server.requests)
    assert "secret" not in str(groq)
    assert openai["openai-organization"] == "org-secret"


async def test_models_on_offer(tmp_path):
    async with Replay(TEXT, models=b'[{"id": "b"}, {"id": "models/a"}, {"name": "c"}, "d", 5]') as server:
        found = catalog(tmp_path, TOGETHER_BASE_URL=server.url, TOGETHER_API_KEY="k")
        assert await found.models("together") == ("a", "b", "c", "d")
        assert await found.models("offline") == ("offline",)


@pytest.mark.parametrize(
    ("environ", "name", "usable"),
    [
        ({"AWS_BEARER_TOKEN_BEDROCK": "k"}, "bedrock", True), ({"AWS_PROFILE": "work"}, "bedrock", True),
        ({}, "bedrock", False), ({"GOOGLE_APPLICATION_CREDENTIALS": "/x"}, "vertex", True), ({}, "ollama", True),
    ],
)  # fmt: skip
async def test_a_clouds_credentials_make_a_provider_usable_but_do_not_choose_it(environ, name, usable, tmp_path):
    found = catalog(tmp_path, **environ)
    assert found.has_key(found.row(name)) is usable
    assert await found.choose() == (
        "bedrock/global.anthropic.claude-sonnet-5-5" if "AWS_BEARER_TOKEN_BEDROCK" in environ else OFFLINE
    )


@pytest.mark.parametrize(
    "variable", ["HF_TOKEN", "GITHUB_TOKEN", "GITHUB_API_KEY", "REPLICATE_API_TOKEN", "AWS_ACCESS_KEY_ID"]
)
async def test_a_key_that_may_lie_about_for_another_purpose_sends_nothing_anywhere(variable, tmp_path):
    assert await catalog(tmp_path, **{variable: "k"}).choose() == OFFLINE


async def test_a_base_url_with_a_blank_names_the_variable(tmp_path):
    found = catalog(tmp_path, AZURE_OPENAI_API_KEY="k")
    with pytest.raises(SettingsError) as raised:
        await found.open("azure/mine").answer(request(), lambda _: None)
    assert "AZURE_OPENAI_ENDPOINT" in raised.value.hint


async def test_prices_are_those_of_the_provider(tmp_path):
    from attache.schema.models import ModelInfo, Usage

    found = catalog(tmp_path)
    usage = Usage(input_tokens=1000, output_tokens=100)
    sonnet = ModelInfo(provider="anthropic", name="claude-sonnet-5-5")
    assert found.price(sonnet, usage) == pytest.approx(0.003)
    assert found.price(sonnet, Usage(input_tokens=1000, cached_tokens=1000)) == pytest.approx(0.0001)
    assert found.price(sonnet.model_copy(update={"name": "nobody-knows"}), usage) is None
    assert found.price(ModelInfo(provider="ollama", name="x"), usage) == 0
    grok = ModelInfo(provider="xai", name="grok-4.7")
    assert found.price(grok, Usage(output_tokens=100, reasoning_tokens=300)) == pytest.approx(
        4 * found.price(grok, Usage(output_tokens=100))
    )


def test_choosing_and_opening_leaves_the_sdks_out():
    script = (
        "import sys, asyncio, pathlib\n"
        "from attache.foundation.settings import load\n"
        "from attache.providers.catalog import Catalog\n"
        "found = Catalog(load(pathlib.Path.cwd(), environ={'OPENAI_API_KEY': 'k', 'ANTHROPIC_API_KEY': 'k'}))\n"
        "found.open(asyncio.run(found.choose())); found.open('openai')\n"
        "print(sorted({'anthropic', 'openai', 'httpx2', 'genai_prices', 'tenacity'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
