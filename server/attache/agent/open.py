"""Open what sessions share, in the order it is needed, and close it in reverse."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from attache.agent.likeness import Likeness
from attache.agent.middleware import installed
from attache.agent.resources import Findings, Resources
from attache.foundation.files import private_dir
from attache.foundation.redact import remember_environment
from attache.foundation.settings import Settings, load
from attache.index.folders import Indexes
from attache.providers.catalog import Catalog
from attache.schema.data import Uri
from attache.schema.documents import Diagnostic
from attache.schema.edits import Landed
from attache.schema.errors import SettingsError
from attache.security.trust import is_trusted
from attache.storage.checkpoints import Checkpoints
from attache.storage.database import Database
from attache.storage.ledger import Ledger
from attache.storage.log import SessionLog
from attache.storage.memories import Memories
from attache.storage.vectors import Vectors
from attache.tools.tool import Tools
from attache.workspace.jobs import Jobs
from attache.workspace.paths import to_path
from attache.workspace.review import Review
from attache.workspace.servers.servers import Servers
from attache.workspace.servers.table import rows
from attache.workspace.workspace import Workspace


async def _no_findings(_path: str) -> tuple[Diagnostic, ...]:
    return ()


@asynccontextmanager
async def open_resources(
    settings: Settings | None,
    cwd: Path,
    *,
    workspace: Workspace | None = None,
    findings: Findings = _no_findings,
) -> AsyncGenerator[Resources]:
    """Yield the resources of one workspace. What is handed in stands in for its default.

    Raises SettingsError and StorageError; an index that cannot start is not among them, since answers do without.
    """
    if settings is None:
        settings = load_for(cwd)
    check_home(settings.home)
    remember_environment(settings.environment)  # so that no key in use ever passes, whatever its shape
    async with AsyncExitStack() as stack:
        workspace = workspace or Workspace((cwd,), home=settings.home)
        stack.callback(workspace.close)
        await workspace.recover()
        database = await Database.open(settings.home / "attache.sqlite")
        stack.push_async_callback(database.close)
        folders = (cwd, *(root.path for root in workspace.roots))
        index = Indexes(folders, home=settings.home, max_file_bytes=settings.max_file_bytes)
        stack.push_async_callback(index.close)
        trusted = settings.trusted and all(is_trusted(settings.home, root.path) for root in workspace.roots)
        servers = Servers(
            workspace, trusted=trusted, enabled=settings.language_servers == "auto", table=rows(settings.servers)
        )
        stack.push_async_callback(servers.close)
        workspace.follow(lambda landed: _look_again(landed, index, servers))
        jobs = Jobs()
        stack.push_async_callback(jobs.close)
        catalog = Catalog(settings)
        stack.push_async_callback(catalog.close)
        ledger = Ledger(database)
        likeness = Likeness(catalog, Vectors(settings.home), ledger, str(cwd))
        stack.push_async_callback(likeness.close)
        yield Resources(
            settings=settings,
            catalog=catalog,
            log=SessionLog(database),
            ledger=ledger,
            checkpoints=Checkpoints(settings.home),
            workspace=workspace,
            review=Review(workspace.buffers),
            index=index,
            tools=Tools.discover(cwd if settings.trusted else None),
            findings=findings,
            servers=servers,
            memories=Memories(database, str(cwd)),
            jobs=jobs,
            likeness=likeness,
            middleware=installed(),
        )


def _look_again(landed: Landed, index: Indexes, servers: Servers) -> None:
    """Let all that reads files know which have changed; open ones are followed as buffers anyway."""
    servers.landed(landed.files)
    old = [to_path(Uri(each.renamed_from)) for each in landed.files if each.renamed_from]
    index.look_at([*old, *(to_path(each.uri) for each in landed.files if each.version is None)])


def check_home(home: Path) -> None:
    """Make the folder for state where it is not there. Raises SettingsError where nothing can be kept in it."""
    hint = "make it writable, or set ATTACHE_HOME to another folder"
    try:
        private_dir(home)
    except OSError as error:
        raise SettingsError(f"{home}: {error.strerror}, and the state is kept there", hint=hint) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise SettingsError(f"{home} cannot be written, and the state is kept there", hint=hint)


def load_for(cwd: Path, **overrides: object) -> Settings:
    """Return the settings for a folder, with what it carries only where the user trusts it. Raises SettingsError."""
    plain = load(cwd, overrides=overrides)
    if not is_trusted(plain.home, cwd):
        return plain
    return load(cwd, overrides=overrides, trusted=True)
