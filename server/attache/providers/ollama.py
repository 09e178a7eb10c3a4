"""Whether an Ollama runs here, and which of its models to take."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import Any, cast
from urllib.parse import urlsplit

from attache.providers.foreign import dump, fields, load, objects

PROBE_SECONDS = 0.3
_MOST_BYTES = 1_000_000
FAMILIES = (
    "qwen3-coder", "devstral", "gpt-oss", "glm", "qwen3", "deepseek-v", "kimi", "minimax", "mistral-small", "granite4",
    "qwen2.5-coder", "llama4", "llama3.3", "mistral", "llama3.1", "qwen2.5", "command-r", "granite", "llama3.2",
)  # fmt: skip
"""Models that take tools, by the beginning of their names, the best at code first."""
_NO_TALKERS = ("embed", "bge-", "minilm", "rerank", "whisper")


async def find(base_url: str) -> str:
    """Return the model to take of the Ollama at `base_url`; empty where none answers within 300 ms.

    Where there are several, each is asked for what it can do, the likeliest first, till one takes tools or the time is
    up; then the names decide.
    """
    models: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(PROBE_SECONDS):
            models += objects(fields(await asyncio.to_thread(_ask, base_url, "GET", "tags")).get("models"))
            for model in _likeliest(models) if len(models) > 1 else ():
                if "capabilities" not in model:
                    shown = await asyncio.to_thread(_ask, base_url, "POST", "show", dump({"model": _name(model)}))
                    model["capabilities"] = fields(shown).get("capabilities")
                if "tools" in _capabilities(model):
                    break
    return pick(models)


def pick(models: list[dict[str, Any]]) -> str:
    """Return the name of a model that looks able to take tools, else of any that talks; empty where there is none."""
    return next((_name(model) for model in _likeliest(models)), "")


def _likeliest(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models that talk: those first that take tools, and among them the best at code."""

    def rank(model: dict[str, Any]) -> tuple[bool, int]:
        base = _name(model).rpartition("/")[2]
        family = next((place for place, start in enumerate(FAMILIES) if base.startswith(start)), len(FAMILIES))
        known = _capabilities(model)
        return ("tools" not in known if known else family == len(FAMILIES), family)

    return sorted((model for model in models if not any(word in _name(model) for word in _NO_TALKERS)), key=rank)


def _capabilities(model: dict[str, Any]) -> list[object]:
    """Return what a model says it can do; empty where it does not say."""
    found = model.get("capabilities")
    return cast("list[object]", found) if isinstance(found, list) else []


def _name(model: dict[str, Any]) -> str:
    return str(model.get("name") or model.get("model") or "")


def _ask(base_url: str, method: str, name: str, body: bytes | None = None) -> object:
    """Ask one thing, None where there is no answer; blocks, and needs no more than the standard library."""
    from http import HTTPStatus, client

    try:
        url = urlsplit(base_url.removesuffix("/v1"))
        kind = client.HTTPSConnection if url.scheme == "https" else client.HTTPConnection
        with closing(kind(url.hostname or "127.0.0.1", url.port, timeout=PROBE_SECONDS)) as connection:
            connection.request(method, f"{url.path}/api/{name}", body)
            response = connection.getresponse()
            return load(response.read(_MOST_BYTES)) if response.status == HTTPStatus.OK else None
    except (OSError, client.HTTPException, ValueError):
        return None
