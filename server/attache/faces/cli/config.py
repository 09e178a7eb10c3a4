"""`attache config` and `attache trust`: what holds, where it comes from, and whose folder may speak."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.foundation.settings import NAMES, config_file, load
from attache.security import trust as trusting

config = typer.Typer(help="Show the settings that hold here, and check them.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command()
def show(*, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """Print every setting as it holds in a folder."""
    settings = settings_for(folder(cwd))
    values = settings.model_dump(mode="json", include=set(NAMES))
    if json_lines:
        print_json({**values, "trusted": settings.trusted, "files": [str(path) for path in settings.config_files]})
        return
    for name, value in values.items():
        print(f"{name} = {value!r}")
    print(f"\n# folder {'trusted' if settings.trusted else 'not trusted: what it carries is inert (attache trust)'}")
    for path in settings.config_files:
        print(f"# read {path}")


@config.command()
def path(*, cwd: Cwd = Path()) -> None:
    """Print where settings are looked for, the weakest first."""
    here = folder(cwd)
    settings = settings_for(here)
    for place in (config_file(settings.environment), here / ".attache" / "settings.toml", settings.home / ".env"):
        print(f"{place}{'' if place.is_file() else '  (not there)'}")


@config.command()
def check(*, cwd: Cwd = Path()) -> None:
    """Read all settings, the folder's included, and say whether they are right."""
    load(folder(cwd), trusted=True)
    print("settings are right")


@app.command()
def trust(
    directory: Annotated[Path, typer.Argument(help="The folder.")] = Path(),
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the trust back.")] = False,
) -> None:
    """Let a folder's own settings, tools and rules count. Without it they are inert."""
    here = folder(directory)
    home = settings_for(here).home
    if revoke:
        trusting.distrust(home, here)
        print(f"not trusted any more: {here}")
    else:
        trusting.trust(home, here)
        print(f"trusted: {here}")
