"""Print the grid: `python -m wire.faults [ROW ...]` with `tests` on the path; all rows where none is named."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from wire.faults.grid import ROWS, Cell, ground, row_of_cells, shown


async def main(names: list[str]) -> int:
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory() as folder:
        async with ground(Path(folder)) as shared:
            for name in names:
                cells += await row_of_cells(name, shared)
    print(shown(cells))
    for cell in cells:
        if cell.wrong:
            print(f"{cell.row}: {cell.fault.number} {cell.fault.name}: {'; '.join(cell.wrong)} [{cell.ended}]")
    return int(any(cell.wrong for cell in cells))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:] or list(ROWS))))
