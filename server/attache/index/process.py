"""The index process: what stands between a server, which must never compute for long, and the work on its folder."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from attache.foundation.files import private_dir
from attache.foundation.jsonrpc import METHOD_NOT_FOUND, Connection, Disconnected, RpcError
from attache.foundation.tasks import Tasks
from attache.index.keeper import Keeper
from attache.index.languages import languages
from attache.index.parent import die_with
from attache.index.parse import everywhere
from attache.index.parsed import Found
from attache.index.pipes import stdio
from attache.index.scan import read, read_text
from attache.index.store import database_of
from attache.schema.code import IndexStatus
from attache.schema.errors import ToolError
from attache.workspace.paths import Root

Params = dict[str, Any]


def main() -> None:
    """Serve the process that started us, until it closes the pipe or dies."""
    root, home, max_file_bytes, parent = sys.argv[1:]
    die_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one in front
    gc.set_threshold(200_000, 20, 20)  # hardly anything here refers back to what holds it
    asyncio.run(_serve(Path(root), Path(home), int(max_file_bytes)))


async def _serve(folder: Path, home: Path, max_file_bytes: int) -> None:
    """Answer requests while the keeper works."""
    telling = Tasks(_complain)
    root, database = Root(folder), database_of(folder, home)
    private_dir(database.parent)

    def tell(status: IndexStatus) -> None:
        telling.spawn(_notify(connection, status), "status")

    keeper = Keeper(root, database, max_file_bytes=max_file_bytes, tell=tell)

    async def answer(method: str, params: Params) -> object:
        match method:
            case "refresh":
                return await keeper.refresh(params["paths"])
            case "hurry":
                return keeper.hurry(params["word"])
            case "read":
                return read(params["path"], params["text"].encode("utf-8", "replace"))
            case "everywhere":
                return _everywhere(root, params["name"], params["texts"], max_file_bytes)
            case _:
                raise RpcError(METHOD_NOT_FOUND, f"{method}: not served here")

    connection = Connection(*stdio(), on_error=_complain, on_request=answer)
    keeping = asyncio.create_task(keeper.run())
    serving = asyncio.create_task(connection.run())
    await asyncio.wait((keeping, serving), return_when=asyncio.FIRST_COMPLETED)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping  # raises what ended it, for the server to see why


async def _notify(connection: Connection, status: IndexStatus) -> None:
    with suppress(Disconnected):
        await connection.notify("status", status.model_dump(mode="json"))


def _everywhere(root: Root, name: str, texts: dict[str, str | None], limit_bytes: int) -> dict[str, list[Found]]:
    """Return the places of a name in each file, as it stands on disk where no text is given."""
    found: dict[str, list[Found]] = {}
    for path, text in texts.items():
        language = languages().of(path)
        if language is None:
            continue
        with suppress(ToolError):
            data = read_text(root, path, limit_bytes) if text is None else text.encode("utf-8", "replace")
            found[path] = everywhere(language, data, name)
    return found


def _complain(what: str, error: BaseException) -> None:
    sys.stderr.write(f"{what}: {''.join(traceback.format_exception(error))}")
