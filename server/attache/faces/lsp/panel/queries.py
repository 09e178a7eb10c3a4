"""What panels and scripts ask beside sessions: tools, models, checkpoints, the index and its search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import field

from attache.agent import sense
from attache.agent.state import replayed_entries
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.shapes import Nothing, Shape
from attache.schema.code import IndexStatus, SearchKind
from attache.schema.data import SessionId
from attache.schema.events import ChangeLanded, Entry, RunStarted
from attache.schema.messages import Text

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.schema.code import IndexStatus
    from attache.schema.tools import ToolOutput


class ToolRun(Shape):
    """Parameters of attache/tool/run."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


class Search(Shape):
    """Parameters of attache/index/search."""

    query: str
    k: int = 10
    kind: SearchKind = "hybrid"


class Checkpoints(Shape):
    """Parameters of attache/checkpoint/list."""

    session_id: SessionId


class Checkpoint(Shape):
    """Parameters of attache/checkpoint/restore: the session, the event to go back to, and what goes back."""

    session_id: str
    seq: int
    conversation: bool = True
    files: bool = False


@feature("attache/tool/list", Nothing)
async def tools(server: Server, params: Nothing) -> dict[str, Any]:
    """List the tools."""
    del params
    app = await server.app()
    return {"tools": app.resources.tools.specs()}


@feature("attache/tool/run", ToolRun)
async def run_tool(server: Server, params: ToolRun) -> ToolOutput:
    """Run a tool through the whole pipeline, approvals included."""
    app = await server.app()
    return await server.aside(app.orchestrator.execute_tool(params.name, **params.arguments), f"tool {params.name}")


@feature("attache/model/list", Nothing)
async def models(server: Server, params: Nothing) -> dict[str, Any]:
    """List the providers with what can be used of each now."""
    del params
    catalog = (await server.app()).resources.catalog
    rows = [
        {"name": row.name, "label": row.label, "model": row.default_model, "ready": catalog.has_key(row)}
        for row in catalog.rows()
    ]
    return {"current": server.models.chosen, "providers": rows}


@feature("attache/checkpoint/list", Checkpoints)
async def checkpoints(server: Server, params: Checkpoints) -> dict[str, Any]:
    """List the moments of a session that one can go back to: before each prompt, and before each step."""
    app = await server.app()
    entries = await app.resources.log.read(params.session_id)
    return {"checkpoints": [shown for entry in replayed_entries(entries) if (shown := _moment(entry))]}


@feature("attache/checkpoint/restore", Checkpoint)
async def restore(server: Server, params: Checkpoint) -> dict[str, Any]:
    """Go back to an event: forget what was said after it, give the files back what they held then, or both."""
    app = await server.app()
    session = await app.orchestrator.load_session(params.session_id)
    back = session.rewind(params.seq, conversation=params.conversation, files=params.files)
    landed = await server.aside(back, f"back in {session.id}")  # open files go back in the editor, which is asked
    return {"seq": params.seq, "files": [outcome.path for outcome in landed.files] if landed else []}


@feature("attache/index/status", Nothing)
async def index_status(server: Server, params: Nothing) -> IndexStatus:
    """Say how far the index is."""
    del params
    return (await server.app()).resources.index.status()


@feature("attache/index/search", Search)
async def search(server: Server, params: Search) -> dict[str, Any]:
    """Search the workspace, unsaved text included."""
    app = await server.app()
    if params.kind == "vector":
        hits, why = await sense.search(app.resources, params.query, params.k)
        return {"hits": hits, "note": why and f"found by words, not vectors: {why}"}
    return {"hits": await app.resources.index.search(params.query, k=params.k, kind=params.kind)}


def _moment(entry: Entry) -> dict[str, Any]:
    match entry.event:
        case RunStarted() as event:
            what: dict[str, Any] = {"title": event.title or _words(event), "kind": "prompt"}
        case ChangeLanded() as event:
            what = {"title": event.title, "kind": "step", "files": [file.path for file in event.files]}
        case _:
            return {}
    return {"seq": entry.seq - 1, "at": entry.at, **what}


def _words(event: RunStarted) -> str:
    said = " ".join(part.text for part in event.parts if isinstance(part, Text))
    return said.partition("\n")[0][:72]
