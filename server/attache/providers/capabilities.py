"""What a model can do, by patterns of its name: ours from capabilities.toml, the user's own over them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from attache.foundation.settings import ModelTraits
from attache.schema.models import ModelInfo


def known(info: ModelInfo, own: Mapping[str, ModelTraits]) -> ModelInfo:
    """Return `info` with what the patterns say that fit its name; later ones count more, and the user's most.

    The user's patterns may name the provider too: `ollama/qwen3*`.
    """
    short = info.name.rpartition("/")[2].casefold()
    update: dict[str, object] = {}
    for pattern, traits in built_in().items():
        if fnmatchcase(short, pattern):
            update |= _given(traits)
    for pattern, traits in own.items():
        if any(fnmatchcase(name, pattern.casefold()) for name in (short, info.name.casefold(), info.ref.casefold())):
            update |= _given(traits)
    if not info.images and not _own_says_images(info, own):
        update.pop("images", None)  # the whole provider takes none
    return info.model_copy(update=update)


@cache
def built_in() -> dict[str, ModelTraits]:
    """Return the patterns of capabilities.toml, in their order."""
    table = tomllib.loads(Path(__file__).with_name("capabilities.toml").read_text("utf-8"))
    return {pattern: ModelTraits.model_validate(fields) for pattern, fields in table.items()}


def _given(traits: ModelTraits) -> dict[str, object]:
    return {name: value for name, value in traits.model_dump().items() if value is not None}


def _own_says_images(info: ModelInfo, own: Mapping[str, ModelTraits]) -> bool:
    names = (info.name.casefold(), info.ref.casefold())
    fitting = (
        traits for pattern, traits in own.items() if any(fnmatchcase(name, pattern.casefold()) for name in names)
    )
    return any(traits.images is not None for traits in fitting)
