"""The commands that start another face."""

from __future__ import annotations

from typing import Annotated

import typer

from attache.app import start_face
from attache.faces.cli.main import app


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lsp(
    context: typer.Context,
    *,
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak over stdin and stdout (the default).")] = True,
) -> int:
    """Start the language server, for an editor to attach to."""
    del stdio  # shown in the help; the face reads its own arguments
    return start_face("lsp", context.args)
