"""What a panel needs of a session beyond ACP: its whole past in one answer, and a word in mid-run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attache.agent import acp
from attache.agent.state import replayed_entries
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.shapes import Shape
from attache.schema.acp import AgentChunk, ImageBlock, InfoChanged, TextBlock, ThoughtChunk, Update, UserChunk
from attache.schema.data import SessionId
from attache.schema.events import ChangeLanded, Entry, MessageAdded, RunStarted
from attache.schema.messages import Image, Message, Part, Text, Thinking

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server


class History(Shape):
    """Parameters of attache/session/history: what happened after one event and up to another, or the `last` so many."""

    session_id: SessionId
    after: int = 0
    until: int = 0
    """The last event that is told; 0 for no limit."""
    last: int = 0


class Words(Shape):
    """Parameters of attache/session/search: the words, and an empty `cwd` for the sessions of all folders."""

    query: str
    cwd: str | None = None


class Steer(Shape):
    """Parameters of attache/session/steer."""

    session_id: SessionId
    text: str


@feature("attache/session/history", History)
async def history(server: Server, params: History) -> dict[str, Any]:
    """Tell a session's past in one answer, tools included, without what was rewound; `since` is what it begins after.

    A long session is shown soonest from its end: first the `last` few hundred, then what stands until `since`.
    """
    log = (await server.app()).resources.log
    since = max(await log.last(params.session_id) - params.last, 0) if params.last else params.after
    kept = replayed_entries(await log.read(params.session_id, since))
    shown = [entry for entry in kept if entry.seq <= params.until] if params.until else kept
    return {"updates": [update for entry in shown for update in told(entry)], "since": since}


@feature("attache/session/search", Words)
async def search(server: Server, params: Words) -> dict[str, Any]:
    """Find the sessions in which all the words were said, by whomever, with an excerpt of each."""
    found = await (await server.app()).orchestrator.search_sessions(params.query, everywhere=params.cwd == "")
    return {
        "sessions": [
            {**acp.row(said.session).model_dump(mode="json", by_alias=True), "seq": said.seq, "role": said.role,
             "excerpt": said.excerpt}
            for said in found
        ]
    }  # fmt: skip


@feature("attache/session/steer", Steer)
async def steer(server: Server, params: Steer) -> dict[str, Any]:
    """Say something to the run under way, which hears it before its next turn."""
    session = await (await server.app()).orchestrator.load_session(params.session_id)
    session.steer(params.text)
    return {}


def told(entry: Entry) -> Iterator[Update]:
    """Yield an event of the past as the updates that would have told it."""
    match entry.event:
        case RunStarted(parts=parts):
            meta = {"attache": {"seq": entry.seq}}
            yield from (chunk.model_copy(update={"meta": meta}) for chunk in _chunks("user", parts))
        case MessageAdded(message=Message(role="assistant", parts=parts)):
            yield from _chunks("assistant", parts)
        case MessageAdded(message=Message(role="user", parts=parts)):
            yield from _chunks("user", parts)  # what was said in mid-run
        case ChangeLanded() as event:
            files = [{"path": each.path} for each in event.files]
            landed = {"id": event.change_set, "step": event.step, "title": event.title, "files": files}
            yield InfoChanged(meta={"attache": {"event": event.type, "landed": landed}})
        case _:
            update = acp.update(entry)
            if update is not None:
                yield update.update


def _chunks(role: str, parts: Sequence[Part]) -> Iterator[UserChunk | AgentChunk | ThoughtChunk]:
    for part in parts:
        match part:
            case Text():
                block = TextBlock(text=part.text)
                yield UserChunk(content=block) if role == "user" else AgentChunk(content=block)
            case Image():
                yield UserChunk(content=ImageBlock(data=part.data, mime_type=part.media_type))
            case Thinking() if part.text:
                yield ThoughtChunk(content=TextBlock(text=part.text))
            case _:
                pass
