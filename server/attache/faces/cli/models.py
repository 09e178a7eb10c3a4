"""`attache models` and `attache providers`: who can answer, and what is missing where one cannot."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from attache.faces.cli.main import app, fail
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.faces.cli.render import visible
from attache.providers import keys, prices
from attache.providers.catalog import Catalog
from attache.providers.health import Checkup, saved
from attache.providers.row import ProviderRow
from attache.schema.errors import AttacheError, UserError
from attache.schema.models import ModelInfo

_SHOWN = 80


@app.command()
def models(
    provider: Annotated[str, typer.Argument(help="Only this provider's; all with a key when left out.")] = "",
    *,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch windows and prices anew first.")] = False,
    source: Annotated[str, typer.Option("--from", metavar="URL", help="Where to fetch them; implies --refresh.")] = "",
    cwd: Cwd = Path(),
    json_lines: Json = False,
) -> int:
    """List the models that can be used now; the one in use is marked."""
    settings = settings_for(folder(cwd))
    if refresh or source:
        count = prices.refresh(settings.home, source)
        sys.stderr.write(f"windows and prices of {count:,} models are up to date\n")

    async def run() -> int:
        catalog, listed, failed = Catalog(settings), False, False
        chosen = await catalog.choose()
        for row in [catalog.row(provider)] if provider else _usable(catalog, chosen):
            try:
                names = await catalog.models(row.name)
            except AttacheError as error:
                failed = True
                fail(f"{row.name}: {error.message}", hint=error.hint)
                continue
            listed = True
            for info in (ModelInfo(provider=row.name, name=name) for name in names):
                known = prices.known(row, info)
                if json_lines:
                    print_json({**known.model_dump(), "ref": info.ref, "chosen": info.ref == chosen})
                else:
                    window = f"{known.context_tokens:,} tokens" if known.context_tokens else ""
                    print(f"{'*' if info.ref == chosen else ' '} {info.ref:<56}{window}".rstrip())
        return 1 if failed and not listed else 0

    return asyncio.run(run())


@app.command()
def providers(*, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """List the providers, whether a key is there, the variable that would hold it, and how the last call went."""
    settings = settings_for(folder(cwd))
    catalog = Catalog(settings)
    last = {checkup.provider: checkup for checkup in saved(settings.home)}
    for row in catalog.rows():
        checkup = last.get(row.name)
        key = "local" if row.local else "key found" if catalog.has_key(row) else "no key"
        if json_lines:
            fields = {"name": row.name, "label": row.label, "wire": row.wire, "key_env": list(row.key_env)}
            fields |= {"counts_tokens": bool(row.counts), "makes_vectors": bool(row.embeds)}
            health = checkup.model_dump() if checkup else None
            print_json({**fields, "local": row.local, "has_key": catalog.has_key(row), "last": health})
        else:
            print(f"{row.name:<19}{row.label:<32}{key:<12}{', '.join(row.key_env):<44}{_health(checkup)}".rstrip())


keys_app = typer.Typer(help="Keep keys in the system's keyring.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")


@keys_app.command("set")
def set_key(provider: str, *, cwd: Cwd = Path()) -> None:
    """Put a provider's key into the keyring; it is read from the terminal unseen, or from stdin."""
    settings = settings_for(folder(cwd))
    row = Catalog(settings).row(provider)
    seen = sys.stdin.isatty()
    key = typer.prompt(f"Key for {row.label}", hide_input=True) if seen else sys.stdin.readline()
    if not key.strip():
        raise UserError("no key was given", hint=f"attache keys set {provider} < FILE, or type it")
    keys.keep(settings.home, provider, key.strip())
    print(f"the key of {row.label} is in the keyring")


@keys_app.command("delete")
def delete_key(provider: str, *, cwd: Cwd = Path()) -> None:
    """Take a provider's key out of the keyring."""
    settings = settings_for(folder(cwd))
    row = Catalog(settings).row(provider)
    keys.keep(settings.home, provider, "")
    print(f"no key of {row.label} is in the keyring")


def _health(checkup: Checkup | None) -> str:
    """Return how a provider's last call went, in a few words."""
    if checkup is None:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(checkup.at))
    return f"{when} " + (f"ok, {checkup.seconds:.1f} s" if checkup.ok else visible(checkup.message)[:_SHOWN])


def _usable(catalog: Catalog, chosen: str) -> list[ProviderRow]:
    """Return the rows that can answer now: those with a key, the one in use, and the one that always can."""
    named = {chosen.partition("/")[0], "offline"}
    return [row for row in catalog.rows() if row.name in named or (not row.local and catalog.has_key(row))]
