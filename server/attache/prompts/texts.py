"""Find a prompt text by its name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """Return the text of `prompts/<name>.md`. Raises FileNotFoundError where there is none."""
    return files("attache.prompts").joinpath(f"{name}.md").read_text("utf-8").strip()
