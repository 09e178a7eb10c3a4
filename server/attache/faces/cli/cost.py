"""`attache cost`: what was spent on models, and what is left of each budget."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.faces.cli.render import visible
from attache.schema.errors import UserError
from attache.storage.database import Database
from attache.storage.ledger import By, Ledger, Spending

_WIDEST = 48


@app.command()
def cost(
    *,
    by: Annotated[By, typer.Option("--by", help="What to add up by.")] = "model",
    since: Annotated[str, typer.Option("--since", metavar="YYYY-MM-DD", help="The first day that counts.")] = "",
    cwd: Cwd = Path(),
    json_lines: Json = False,
) -> None:
    """Show the tokens and the money that models took, by model, session, day, project or user."""
    settings = settings_for(folder(cwd))
    first = _first_moment(since)

    async def account() -> tuple[Spending, ...]:
        database = await Database.open(settings.home / "attache.sqlite")
        try:
            return await Ledger(database).account(by, first)
        finally:
            await database.close()

    lines = asyncio.run(account())
    if json_lines:
        for line in lines:
            print_json({"by": by, **line.model_dump(mode="json")})
        return
    if not lines:
        print("nothing was spent" + (f" since {since}" if since else "; the offline model costs nothing"))
        return
    print("\n".join(_table(by, lines)))


def _table(by: By, lines: tuple[Spending, ...]) -> list[str]:
    total = Spending(name="in all", calls=sum(line.calls for line in lines), usage=lines[0].usage, cost_usd=0.0)
    total = total.model_copy(
        update={
            "usage": sum((line.usage for line in lines[1:]), lines[0].usage),
            "cost_usd": sum(line.cost_usd for line in lines),
        }
    )
    width = min(max(len(line.name) for line in (*lines, total)), _WIDEST)
    head = f"{by:<{width}}{'calls':>8}{'in':>14}{'cached':>14}{'out':>12}{'cost':>12}"
    return [head, *(_row(line, width) for line in (*lines, total))]


def _row(line: Spending, width: int) -> str:
    name = visible(line.name)
    name = name if len(name) <= width else f"…{name[len(name) - width + 1 :]}"
    usage = line.usage
    money = f"${line.cost_usd:,.4f}"
    counts = f"{line.calls:>8,}{usage.input_tokens:>14,}{usage.cached_tokens:>14,}{usage.output_tokens:>12,}"
    return f"{name:<{width}}{counts}{money:>12}"


def _first_moment(day: str) -> float:
    if not day:
        return 0.0
    try:
        return time.mktime(time.strptime(day, "%Y-%m-%d"))
    except ValueError as error:
        raise UserError(f"--since {day}: no such day", hint="write it as 2026-01-31") from error
