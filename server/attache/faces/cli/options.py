"""The options that several commands share, declared once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attache.agent.open import load_for
from attache.faces.cli.render import visible
from attache.foundation.settings import Settings, home
from attache.schema.documents import Diagnostic
from attache.schema.errors import SettingsError, UserError
from attache.schema.session import ApprovePolicy, Mode

Cwd = Annotated[Path, typer.Option("--cwd", help="The folder to work in.", show_default="here")]
Root = Annotated[Path, typer.Option("--root", "--cwd", help="The folder to work in.", show_default="here")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the answer only.")]
ModelRef = Annotated[str | None, typer.Option("--model", metavar="PROVIDER/MODEL", help="The model to ask.")]
ModeName = Annotated[Mode | None, typer.Option("--mode", help="What the agent may do.")]
Approve = Annotated[ApprovePolicy | None, typer.Option("--approve", help="What may run without asking you.")]
SessionOption = Annotated[str | None, typer.Option("--session", metavar="ID", help="Continue this session.")]
MaxCost = Annotated[float | None, typer.Option("--max-cost", metavar="USD", help="Stop before the run costs more.")]
SearchKinds = Literal["hybrid", "text", "symbol", "vector", "exact"]


def folder(path: Path, *, hint: str = "give the folder to work in with --cwd") -> Path:
    """Return the folder as an absolute path. Raises UserError where it is none."""
    resolved = path.expanduser().resolve()
    if not resolved.is_dir():
        raise UserError(f"{path} is not a folder", hint=hint)
    return resolved


def state_folder() -> Path:
    """Return the folder for state, which needs no settings to be right. Raises SettingsError where it is a file."""
    found = home(os.environ)
    if found.exists() and not found.is_dir():
        raise SettingsError(f"{found} is a file, and the state is kept there", hint="set ATTACHE_HOME to a folder")
    return found


def settings_for(cwd: Path, **overrides: object) -> Settings:
    """Return the settings of a folder with the options that were given laid over them. Raises SettingsError."""
    state_folder()
    return load_for(cwd, **{name: value for name, value in overrides.items() if value is not None})


def tell_problems(problems: Iterable[Diagnostic]) -> None:
    """Say on stderr which tools were found and cannot be used."""
    for each in problems:
        sys.stderr.write(f"attache: a tool that cannot be used: {problem_line(each)}\n")


def problem_line(problem: Diagnostic) -> str:
    """Return where a tool is broken, and how, on one line."""
    return visible(f"{problem.place.path}:{problem.place.line}: {' '.join(problem.message.split())}")


def print_json(value: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")), flush=True)
