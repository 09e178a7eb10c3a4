"""The options that several commands share, declared once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attache.agent.open import load_for
from attache.foundation.settings import Settings
from attache.schema.errors import UserError
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


def folder(path: Path) -> Path:
    """Return the folder as an absolute path. Raises UserError where it is none."""
    resolved = path.expanduser().resolve()
    if not resolved.is_dir():
        raise UserError(f"{path} is not a folder", hint="give the folder to work in with --cwd")
    return resolved


def settings_for(cwd: Path, **overrides: object) -> Settings:
    """Return the settings of a folder with the options that were given laid over them."""
    return load_for(cwd, **{name: value for name, value in overrides.items() if value is not None})


def print_json(value: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")), flush=True)
