"""Whether an Ollama runs here, and which of its models to take."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any, cast
from urllib.parse import urlsplit

from attache.providers.foreign import fields, load, objects

PROBE_SECONDS = 0.3
_MOST_BYTES = 1_000_000
FAMILIES = (
    "qwen3-coder", "devstral", "gpt-oss", "glm", "qwen3", "deepseek-v", "kimi", "minimax", "mistral-small", "granite4",
    "qwen2.5-coder", "llama4", "llama3.3", "mistral", "llama3.1", "qwen2.5", "command-r", "granite", "llama3.2",
)  # fmt: skip
"""Models that take tools, by the beginning of their names, the best at code first."""
_NO_TALKERS = ("embed", "bge-", "minilm", "rerank", "whisper")


async def find(base_url: str) -> str:
    """Return the model to take of the Ollama at `base_url`; empty where none answers within 300 ms."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return pick(await asyncio.to_thread(_tags, base_url))
    except TimeoutError:
        return ""


def pick(models: list[dict[str, Any]]) -> str:
    """Return the name of a model that looks able to take tools, else of any that talks; empty where there is none."""
    talkers = [model for model in models if not any(word in _name(model) for word in _NO_TALKERS)]

    def rank(model: dict[str, Any]) -> tuple[bool, int]:
        base = _name(model).rpartition("/")[2]
        family = next((place for place, start in enumerate(FAMILIES) if base.startswith(start)), len(FAMILIES))
        capabilities = model.get("capabilities")
        able = "tools" in cast("list[str]", capabilities) if isinstance(capabilities, list) else family < len(FAMILIES)
        return (not able, family)

    return _name(min(talkers, key=rank)) if talkers else ""


def _name(model: dict[str, Any]) -> str:
    return str(model.get("name") or model.get("model") or "")


def _tags(base_url: str) -> list[dict[str, Any]]:
    """Ask for the models; blocks, and needs no more than the standard library."""
    from http import HTTPStatus, client

    url = urlsplit(base_url.removesuffix("/v1"))
    try:
        url = urlsplit(base_url.removesuffix("/v1"))
        kind = client.HTTPSConnection if url.scheme == "https" else client.HTTPConnection
        with closing(kind(url.hostname or "127.0.0.1", url.port, timeout=PROBE_SECONDS)) as connection:
            connection.request("GET", f"{url.path}/api/tags")
            response = connection.getresponse()
            body = response.read(_MOST_BYTES) if response.status == HTTPStatus.OK else b"{}"
    except (OSError, client.HTTPException, ValueError):
        return []
    return objects(fields(load(body)).get("models"))
