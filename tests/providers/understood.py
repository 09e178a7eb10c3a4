"""What a recording expects, held against what was understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attache.foundation.settings import load
from attache.providers.catalog import Catalog
from attache.providers.row import built_in
from attache.schema.messages import Thinking, user
from attache.schema.models import Answer, Delta, Request, Usage

PROVIDERS = {
    "anthropic_messages": "anthropic",
    "openai_chat": "openai",
    "openai_responses": "openai-responses",
    "gemini": "gemini",
    "bedrock_converse": "bedrock",
    "cohere_v2": "cohere",
    "ollama_chat": "ollama",
}
"""A provider of each wire."""
ROWS = {row.name: row for row in built_in()}


def key_name(wire: str) -> str:
    """Return the variable that holds the key of the wire's own provider."""
    return ROWS[PROVIDERS[wire]].key_env[0]


def places(name: str, url: str, home: Path, **environ: str) -> Catalog:
    """Return the catalogue with a provider at `url`, and a key for it."""
    prefix = f"ATTACHE_{name.upper().replace('-', '_')}"
    found = {"HOME": str(home), "ATTACHE_HOME": str(home)}
    found |= {f"{prefix}_BASE_URL": url, f"{prefix}_API_KEY": "canary-key-0123456789"}
    return Catalog(load(home, environ=found | environ))


def catalog(wire: str, url: str, home: Path, **environ: str) -> Catalog:
    """Return the catalogue with the wire's own provider at `url`."""
    places = {
        "HOME": str(home),
        "ATTACHE_HOME": str(home),
        key_name(wire): "canary-key-0123456789",
        f"ATTACHE_{PROVIDERS[wire].upper().replace('-', '_')}_BASE_URL": url,
    }
    return Catalog(load(home, environ=places | environ))


def request(model: str = "m", **fields: Any) -> Request:
    return Request(model=model, **({"messages": (user("hello"),)} | fields))


def as_expected(answer: Answer, deltas: list[Delta], expected: dict[str, Any]) -> None:
    """Assert that the answer, and what was shown on the way, are what the recording says."""
    message = answer.message
    calls = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
    thoughts = [part.model_dump(exclude_defaults=True) for part in message.parts if isinstance(part, Thinking)]
    assert message.text == expected["text"]
    assert calls == expected.get("tool_calls", [])
    assert thoughts == expected.get("thinking", [])
    assert answer.stop_reason == expected["stop_reason"]
    assert answer.usage == Usage(**expected["usage"])
    assert "".join(delta.text for delta in deltas if delta.type == "text") == expected["text"]
    assert len({call.id for call in message.tool_calls}) == len(calls)
    assert all(call.id for call in message.tool_calls)
