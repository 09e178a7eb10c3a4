"""Sessions for panels and scripts: the Agent Client Protocol's own methods, under the prefix `attache/`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from attache.agent import acp
from attache.faces.lsp.approvals import Asker
from attache.faces.lsp.features import feature
from attache.faces.lsp.wire.rpc import INVALID_PARAMS, Refused
from attache.schema.acp import (
    ConfigOptions,
    KnownSession,
    ListSessions,
    NewSession,
    PromptFinished,
    PromptRequest,
    SessionList,
    SessionOpened,
    SetConfigOption,
    SetMode,
)
from attache.schema.errors import Interrupted

if TYPE_CHECKING:
    from attache.agent.session import Session
    from attache.faces.lsp.server import Server

_BEGUN_SECONDS: Final = 0.01


# ---------------------------------------------------------------- life


@feature("attache/session/new", NewSession)
async def new(server: Server, params: NewSession) -> SessionOpened:
    """Begin a session in the workspace."""
    del params
    app = await server.app()
    session = _ours(server, await app.orchestrator.new_session(model=server.models.chosen))
    return acp.opened(session.state, await models(server))


@feature("attache/session/load", KnownSession)
async def load(server: Server, params: KnownSession) -> SessionOpened:
    """Open a session of the past and tell all of it again."""
    session = await _session(server, params.session_id)
    for update in acp.replayed(session.id, session.state.messages):
        server.peer.notify("attache/session/update", update)
    return acp.opened(session.state, await models(server), with_id=False)


@feature("attache/session/resume", KnownSession)
async def resume(server: Server, params: KnownSession) -> SessionOpened:
    """Open a session of the past without telling it again."""
    session = await _session(server, params.session_id)
    return acp.opened(session.state, await models(server), with_id=False)


@feature("attache/session/fork", KnownSession)
async def fork(server: Server, params: KnownSession) -> SessionOpened:
    """Begin a session that shares the past of another."""
    app = await server.app()
    session = _ours(server, await app.orchestrator.fork_session(params.session_id, seq=_after(params.meta)))
    return acp.opened(session.state, await models(server))


def _after(meta: dict[str, Any] | None) -> int | None:
    """Return the event that a fork is to begin after, where the client names one. Raises Refused."""
    ours = (meta or {}).get("attache", {})
    seq = cast("dict[str, Any]", ours).get("seq") if isinstance(ours, dict) else ours
    if not isinstance(ours, dict) or not (seq is None or type(seq) is int):
        raise Refused(INVALID_PARAMS, f"_meta.attache: {ours!r}: wanted an object, its seq the number of an event")
    return seq


@feature("attache/session/list", ListSessions)
async def listed(server: Server, params: ListSessions) -> SessionList:
    """List the sessions of the workspace, the newest first."""
    app = await server.app()
    infos = await app.orchestrator.list_sessions(everywhere=params.cwd == "")
    return SessionList(sessions=tuple(acp.row(info) for info in infos))


@feature("attache/session/close", KnownSession)
async def close(server: Server, params: KnownSession) -> dict[str, Any]:
    """Stop a session's run and let it go."""
    app = await server.app()
    await app.orchestrator.close_session(params.session_id)
    return {}


@feature("attache/session/delete", KnownSession)
async def delete(server: Server, params: KnownSession) -> dict[str, Any]:
    """Delete a session with its log."""
    app = await server.app()
    await app.orchestrator.delete_session(params.session_id)
    return {}


# ---------------------------------------------------------------- talking


@feature("attache/session/prompt", PromptRequest)
async def prompt(server: Server, params: PromptRequest) -> PromptFinished:
    """Answer a prompt. The run goes on beside this request, since it may have to ask the client."""
    session = await _session(server, params.session_id)
    try:
        parts = acp.parts(params.prompt)
    except ValueError as error:
        raise Refused(INVALID_PARAMS, str(error)) from error
    server.prompted.add(session.id)
    try:
        return acp.finished(await server.aside(session.run(parts), f"prompt in {session.id}"))
    except Interrupted:
        return PromptFinished(stop_reason="cancelled")  # before there was anything to stop
    finally:
        server.prompted.discard(session.id)


@feature("attache/session/cancel", KnownSession)
def cancel(server: Server, params: KnownSession) -> None:
    """Stop a session's run."""

    async def stop() -> None:
        session = await _session(server, params.session_id)
        while session.id in server.prompted and not session.running:  # noqa: ASYNC110 - no event tells that a run which is about to begin can be stopped
            await asyncio.sleep(_BEGUN_SECONDS)
        await session.interrupt()

    server.background(stop(), "cancel")


# ---------------------------------------------------------------- choosing


@feature("attache/session/set_mode", SetMode)
async def set_mode(server: Server, params: SetMode) -> dict[str, Any]:
    """Change a session's mode."""
    session = await _session(server, params.session_id)
    if params.mode_id not in acp.MODES:
        raise Refused(INVALID_PARAMS, f"unknown mode {params.mode_id}; there are: {', '.join(acp.MODES)}")
    await session.configure(mode=params.mode_id)
    return {}


@feature("attache/session/set_config_option", SetConfigOption)
async def set_config_option(server: Server, params: SetConfigOption) -> ConfigOptions:
    """Change a session's mode or model."""
    session = await _session(server, params.session_id)
    value = str(params.value)
    if params.config_id == "model":
        await session.configure(model=value)
    elif params.config_id == "mode" and value in acp.MODES:
        await session.configure(mode=value)
    else:
        raise Refused(INVALID_PARAMS, f"no option {params.config_id!r} with the value {value!r}")
    return ConfigOptions(config_options=acp.config_options(session.state, await models(server)))


async def models(server: Server) -> tuple[str, ...]:
    """Return the models that can be used now: the default one of each provider that has its key."""
    catalog = (await server.app()).resources.catalog
    return tuple(
        f"{row.name}/{row.default_model}" for row in catalog.rows() if row.default_model and catalog.has_key(row)
    )


async def _session(server: Server, session_id: str) -> Session:
    app = await server.app()
    return _ours(server, await app.orchestrator.load_session(session_id))


def _ours(server: Server, session: Session) -> Session:
    """Let a session ask and tell this client."""
    session.approver = Asker(server, session.id)
    server.follow(session, tell=True)
    return session
