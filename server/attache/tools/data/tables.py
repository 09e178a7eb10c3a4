"""Rows as text that people and models read: aligned columns, long values cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attache.tools.wording import cut

CELL_CHARS = 60


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return the lines of a table with a head; NULL is ∅, line ends are ⏎."""
    cells = [[_cell(value) for value in row] for row in (columns, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" │ ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return [lines[0], "─┼─".join("─" * width for width in widths), *lines[1:]] if columns else []


def _cell(value: Any) -> str:
    if value is None:
        return "∅"
    return cut(str(value).replace("\r\n", "⏎").replace("\n", "⏎"), CELL_CHARS)
