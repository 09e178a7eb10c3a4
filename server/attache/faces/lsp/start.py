"""Start the language server: answer `initialize` first, import the rest behind it.

Only the standard library is imported before the client has its answer.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Any, Final, cast

from attache import __version__
from attache.faces.lsp.capabilities import Client, read_client, server_capabilities
from attache.faces.lsp.wire.parent import watch
from attache.faces.lsp.wire.transport import Closed, Transport, over_stdio

_SWITCH_SECONDS: Final = 0.0005
"""How long one thread may keep the others waiting: a tenth of Python's own, so that reading never lags."""
_ACCEPTED: Final = ("--stdio", "--clientProcessId")
"""What editors add by themselves; the second repeats what `initialize` says."""
_VALUED: Final = ("--with", "--tcp", "--ws", "--origin")
_USE: Final = """attache lsp                        over stdin and stdout
  attache lsp --with "COMMAND …"     with another language server beside it, for editors that take one a buffer
  attache lsp --tcp [HOST:]PORT      for every client that calls
  attache lsp --ws [HOST:]PORT       the same over WebSocket; --origin URL admits the pages of a site"""
_WRONG_USE: Final = 2
_INVALID_REQUEST: Final = -32600
_NOT_INITIALIZED: Final = -32002
_PARSE_ERROR: Final = -32700


def main(arguments: Sequence[str] = ()) -> int:
    """Serve one client over stdio until it leaves, or every client that calls where `--tcp` or `--ws` say.

    Returns 0 after shutdown and exit, 1 otherwise, 2 for wrong use.
    """
    try:
        options = _read(arguments)
    except ValueError as error:
        sys.stderr.write(f"attache lsp: {error}\n  {_USE}\n")
        return _WRONG_USE
    if "--tcp" in options or "--ws" in options:
        from attache.faces.lsp.wire.listening import listen

        return listen(options)
    beside = options.get("--with", "")
    if not beside:
        return serve(Transport(*over_stdio()))
    from attache.faces.lsp.wire.beside import Beside

    command = shlex.split(beside, posix=sys.platform != "win32")
    try:
        transport = Beside(*over_stdio(), command)
    except (OSError, IndexError) as error:
        sys.stderr.write(f"attache lsp: {beside!r} cannot be started: {error}\n  is it installed and on PATH?\n")
        return _WRONG_USE
    return serve(transport)


def _read(arguments: Sequence[str]) -> dict[str, str]:
    """Return the options with their values, which follow them or stand behind `=`. Raises ValueError."""
    options: dict[str, str] = {}
    left = list(arguments)
    while left:
        name, given, value = left.pop(0).partition("=")
        if name in _VALUED:
            if not given and not left:
                raise ValueError(f"{name} needs a value")
            options[name] = value if given else left.pop(0)
        elif name not in _ACCEPTED:
            raise ValueError(f"unknown option {name}")
    return options


def serve(transport: Transport) -> int:
    """Serve the client at the other end of `transport`."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    transport.start()
    params = welcome(transport)
    if params is None:
        transport.finish(timeout_seconds=1)
        return 1
    from attache.faces.lsp.process import run

    return run(transport, params)


def welcome(transport: Transport) -> dict[str, Any] | None:
    """Answer `initialize` and return its parameters; None when the client leaves before."""
    while True:
        message = transport.receive()
        if isinstance(message, Closed):
            return None
        if isinstance(message, Exception):
            _refuse(transport, None, _PARSE_ERROR, str(message))
            continue
        if not isinstance(message, dict):
            _refuse(transport, None, _INVALID_REQUEST, "a message is an object")
            continue
        request = cast("dict[str, Any]", message)
        method, number = request.get("method"), request.get("id")
        if method == "exit":
            return None
        if not isinstance(number, int | str):
            continue  # a notification before its time is dropped, as the protocol says
        if method == "initialize":
            params = request.get("params")
            params = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
            client = read_client(params)
            if client.process_id is not None:  # before the answer: who has it can rely on us to follow it
                watch(client.process_id, lambda: transport.hang_up("the editor has died"))
            transport.send({"jsonrpc": "2.0", "id": number, "result": _introduction(client)})
            return params
        _refuse(transport, number, _NOT_INITIALIZED, "the server waits for initialize")


def _introduction(client: Client) -> dict[str, Any]:
    return {
        "capabilities": server_capabilities(client),
        "serverInfo": {"name": "attache", "version": __version__},
    }


def _refuse(transport: Transport, number: int | str | None, code: int, message: str) -> None:
    transport.send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})
