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
    beside: Annotated[
        str, typer.Option("--with", metavar="COMMAND", help="Put another language server behind this one.")
    ] = "",
    tcp: Annotated[str, typer.Option(metavar="[HOST:]PORT", help="Serve clients that call, with a token.")] = "",
    ws: Annotated[str, typer.Option(metavar="[HOST:]PORT", help="The same over WebSocket.")] = "",
    origin: Annotated[str, typer.Option(metavar="URL", help="A site whose pages may call, with --ws.")] = "",
) -> int:
    """Start the language server, for an editor to attach to."""
    del stdio  # shown in the help; the face reads its own arguments
    given = {"--with": beside, "--tcp": tcp, "--ws": ws, "--origin": origin}
    return start_face("lsp", [*(word for pair in given.items() if pair[1] for word in pair), *context.args])
