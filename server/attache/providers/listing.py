"""The names in a provider's list of models, in whichever of the known shapes it comes."""

from __future__ import annotations

from typing import Any, cast

from attache.providers.foreign import fields, load


def names(data: bytes) -> tuple[str, ...]:
    """Return the names, sorted; none where `data` is no such list."""
    value = load(data)
    if isinstance(value, dict):
        table = fields(value)
        value = table.get("data") or table.get("models")
    found: set[str] = set()
    for item in cast("list[Any]", value) if isinstance(value, list) else []:
        entry = fields(item) or {"id": item}
        name = entry.get("id") or entry.get("name") or entry.get("model")
        if isinstance(name, str):
            found.add(name.removeprefix("models/"))
    return tuple(sorted(found))
