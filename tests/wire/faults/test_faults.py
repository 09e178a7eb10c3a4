"""48 faults × rows: no hang, nothing twice, no tool from half a call, the session usable after, and every token counted once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wire.faults.grid import ROWS, ground, row_of_cells, shown
from wire.faults.table import faults

WIRES = {row.wire: name for name, row in reversed(ROWS.items())}
"""The first row of each wire."""
SHARE = 4
"""OpenAI's own row meets every fault, the first row of each other wire one in so many; the full grid is `make long`."""


async def play(name: str, chosen: list, folder: Path) -> None:
    async with ground(folder) as shared:
        cells = await row_of_cells(name, shared, chosen)
    print(shown(cells))
    wrong = {f"{cell.fault.number} {cell.fault.name}": [*cell.wrong, cell.ended] for cell in cells if cell.wrong}
    assert wrong == {}


def test_every_fault_has_its_number():
    assert {fault.number for fault in faults()} == set(range(1, 49))


@pytest.mark.parametrize("number", range(len(WIRES)), ids=WIRES)
async def test_a_wire_survives_the_faults(number: int, tmp_path: Path) -> None:
    name = list(WIRES.values())[number]
    chosen = [fault for place, fault in enumerate(faults()) if name == "openai" or (place + number) % SHARE == 0]
    await play(name, chosen, tmp_path)


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full grid runs with ATTACHE_LONG=1 (make long)")
@pytest.mark.parametrize("name", ROWS)
async def test_a_row_survives_every_fault(name: str, tmp_path: Path) -> None:
    await play(name, faults(), tmp_path)
