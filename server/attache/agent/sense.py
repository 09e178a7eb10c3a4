"""Find code by meaning: the pieces whose vectors are nearest to the question's; words answer where there are none."""

from __future__ import annotations

from attache.agent.resources import Resources
from attache.foundation.settings import Settings
from attache.schema.code import Hit
from attache.schema.errors import AttacheError

MOST_PIECES = 5_000
"""What is compared one by one, and read by the model the first time."""


async def search(resources: Resources, query: str, k: int) -> tuple[tuple[Hit, ...], str]:
    """Return the `k` places nearest in meaning, the best first, and why words chose them, empty where they did not."""
    why = _hindrance(resources.settings)
    pieces = () if why else await resources.index.pieces(MOST_PIECES + 1)
    if len(pieces) > MOST_PIECES:
        why = f"there are more than {MOST_PIECES:,} pieces of code"
    if not why:
        try:
            scores = await resources.likeness.nearness(query, [f"{each.symbol}\n{each.text}" for each in pieces])
        except AttacheError as error:
            why = error.message
        else:
            found = sorted(zip(scores, pieces, strict=True), key=lambda one: (-one[0], one[1].path, one[1].start_line))
            return tuple(each.model_copy(update={"score": round(score, 4)}) for score, each in found[:k]), ""
    return await resources.index.search(query, k=k), why


def _hindrance(settings: Settings) -> str:
    """Return what stands against sending pieces of files to the embedding model, empty where nothing does."""
    if not settings.embedding_model:
        return "no `embedding_model` is set"
    if not settings.vector_search:
        return f"`vector_search` is off, which would send pieces of your files to {settings.embedding_model}"
    if settings.personal_data != "off":
        return "`personal_data` keeps your files from models"
    return ""
