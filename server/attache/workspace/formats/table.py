"""The formats in which edits are written, and what an instruction in one of them comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from attache.schema.edits import FileChange
from attache.workspace.formats import apply_patch, pair, search_replace, unified_diff, whole
from attache.workspace.formats.steps import Drafts, Reader, Step

Format = Literal["search_replace", "apply_patch", "unified_diff", "whole", "pair"]

FORMATS: Mapping[Format, Callable[[str], tuple[Step, ...]]] = {
    "search_replace": search_replace.steps,
    "apply_patch": apply_patch.steps,
    "unified_diff": unified_diff.steps,
    "whole": whole.steps,
    "pair": pair.steps,
}
"""Each format reads an instruction into steps, and refuses what it does not understand."""


async def changes(name: Format, instruction: str, files: Reader) -> tuple[FileChange, ...]:
    """Return the changes that an instruction asks for, against the files as they are read now.

    Touches nothing. Raises EditRefused where any of it cannot be done without guessing, naming file, line and what
    stands there instead; PathRefused for a path outside the workspace.
    """
    drafts = Drafts(files)
    for step in FORMATS[name](instruction):
        await drafts.add(step)
    return drafts.changes()
