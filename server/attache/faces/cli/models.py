"""`attache models` and `attache providers`: who can answer, and what is missing where one cannot."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.providers import prices
from attache.providers.catalog import Catalog
from attache.providers.row import ProviderRow
from attache.schema.errors import AttacheError
from attache.schema.models import ModelInfo


@app.command()
def models(
    provider: Annotated[str, typer.Argument(help="Only this provider's; all with a key when left out.")] = "",
    *,
    cwd: Cwd = Path(),
    json_lines: Json = False,
) -> None:
    """List the models that can be used now; the one in use is marked."""

    async def run() -> None:
        catalog = Catalog(settings_for(folder(cwd)))
        chosen = await catalog.choose()
        for row in [catalog.row(provider)] if provider else _usable(catalog, chosen):
            try:
                names = await catalog.models(row.name)
            except AttacheError as error:
                sys.stderr.write(f"attache: {row.name}: {error.message}\n")
                continue
            for info in (ModelInfo(provider=row.name, name=name) for name in names):
                known = prices.known(row, info)
                if json_lines:
                    print_json({**known.model_dump(), "ref": info.ref, "chosen": info.ref == chosen})
                else:
                    window = f"{known.context_tokens:,} tokens" if known.context_tokens else ""
                    print(f"{'*' if info.ref == chosen else ' '} {info.ref:<56}{window}".rstrip())

    asyncio.run(run())


@app.command()
def providers(*, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """List the providers, whether a key is there, and the variable that would hold it."""
    catalog = Catalog(settings_for(folder(cwd)))
    for row in catalog.rows():
        key = "local" if row.local else "key found" if catalog.has_key(row) else "no key"
        if json_lines:
            fields = {"name": row.name, "label": row.label, "wire": row.wire, "key_env": list(row.key_env)}
            print_json({**fields, "local": row.local, "has_key": catalog.has_key(row)})
        else:
            print(f"{row.name:<19}{row.label:<32}{key:<12}{', '.join(row.key_env)}")


def _usable(catalog: Catalog, chosen: str) -> list[ProviderRow]:
    """Return the rows that can answer now: those with a key, the one in use, and the one that always can."""
    named = {chosen.partition("/")[0], "offline"}
    return [row for row in catalog.rows() if row.name in named or (not row.local and catalog.has_key(row))]
