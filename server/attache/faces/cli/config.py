"""`attache config` and `attache trust`: what holds, where it comes from, and whose folder may speak."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from attache.faces.cli.main import app, fail
from attache.faces.cli.options import Cwd, Json, folder, print_json, problem_line, settings_for, state_folder
from attache.foundation.settings import NAMES, config_file, load
from attache.security import rules
from attache.security import trust as trusting
from attache.workspace.view.level import level

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
    """Print where settings are looked for, the weakest first, and rules."""
    own, carried = config_file(os.environ), folder(cwd) / ".attache"
    places = (own, carried / "settings.toml", state_folder() / ".env", own.with_name(rules.FILE), carried / rules.FILE)
    for place in places:
        print(f"{place}{'' if place.is_file() else '  (not there)'}")


@config.command()
def check(*, cwd: Cwd = Path()) -> int:
    """Read all settings and rules, the folder's included, and say whether they are right; once trusted, its tools."""
    from attache.tools.tool import Tools

    here = folder(cwd)
    load(here, trusted=True)
    own, carried = config_file(os.environ).with_name(rules.FILE), here / ".attache" / rules.FILE
    broken = rules.load(own, [carried]).problem
    if broken:
        fail(f"rules that cannot be read, so everything asks: {broken}")
    problems = Tools.discover(here if settings_for(here).trusted else None).problems
    for each in problems:
        fail(f"a tool that cannot be used: {problem_line(each)}")
    if not (problems or broken):
        print("settings are right")
    return 1 if problems or broken else 0


@app.command()
def trust(
    directory: Annotated[Path, typer.Argument(help="The folder.")] = Path(),
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the trust back.")] = False,
) -> None:
    """Let a folder's own settings, tools and rules count. Without it they are inert."""
    here = folder(directory, hint="name the folder: attache trust FOLDER")
    home = state_folder()
    if revoke:
        trusting.distrust(home, here)
        print(f"not trusted any more: {here}")
    else:
        trusting.trust(home, here)
        print(f"trusted: {here}")
        print(level(home).words)
