"""Quick fixes: what a rule cures at once, and what a model is asked for when the user picks it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from attache.faces.lsp.editor import workspace_edit
from attache.faces.lsp.targets import About, target
from attache.faces.lsp.wire import shapes
from attache.foundation.ids import new_id
from attache.schema.data import ChangeSetId, Uri
from attache.schema.documents import Diagnostic
from attache.schema.edits import ChangeSet, EditFile, TextEdit
from attache.schema.errors import EditRefused, ToolError, UserError
from attache.schema.messages import Text
from attache.workspace.documents import Document, split_lines
from attache.workspace.edits import line_starts

if TYPE_CHECKING:
    from attache.agent.approvals import Approver
    from attache.faces.lsp.server import Server

RULE_SECONDS: Final = 3.0
_TITLE_CHARACTERS: Final = 72
WAYS: Final = (
    ("", "Change as little as possible and nothing else; run nothing."),
    ("at its cause", "Mend the cause, not the place where it shows: that may be another file. Run nothing."),
    ("by other means", "Do it in another way than the obvious one, such as another type, check or call. Run nothing."),
)
"""The alternatives: what a title says of each, and what the model is told."""
_MOST_KEPT: Final = 32


class Rules:
    """What rules find in open buffers and know a cure for, once a version."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[Uri, tuple[int, asyncio.Task[tuple[Diagnostic, ...]]]] = {}

    async def cures(self, document: Document, told: Sequence[Diagnostic] = ()) -> tuple[Diagnostic, ...]:
        """Return the findings that have a cure: our own, and what others have `told`; none where it takes too long."""
        own = await self._own(document)
        others = [each for each in told if rules_may_help(each) and not any(same(cure, each) for cure in own)]
        return (*own, *(await self._of_others(document, others) if others else ()))

    async def _of_others(self, document: Document, told: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        from attache.tools.fixes.cures import cured

        try:
            async with asyncio.timeout(RULE_SECONDS):
                return tuple(each for each in await cured(self._server.context(), document.text, told) if each.fix)
        except (TimeoutError, ToolError):
            return ()

    async def _own(self, document: Document) -> tuple[Diagnostic, ...]:
        """Return what a linter of ours finds and has a cure for."""
        if not document.uri.endswith((".py", ".pyi")):
            return ()
        version, task = self._known.pop(document.uri, (None, None))
        if task is None or version != document.version:
            task = asyncio.get_running_loop().create_task(self._find(document, document.text))
        self._known[document.uri] = document.version, task
        if len(self._known) > _MOST_KEPT:
            del self._known[next(iter(self._known))]
        try:
            return await asyncio.wait_for(asyncio.shield(task), RULE_SECONDS)
        except (TimeoutError, ToolError):
            return ()

    async def _find(self, document: Document, text: str) -> tuple[Diagnostic, ...]:
        from attache.tools.diagnostics import ruff
        from attache.tools.fixes.cures import cured

        server = self._server
        path = server.shown(document.uri)
        found = await ruff(path, text, cwd=server.root_of(document.uri), trusted=server.settings.trusted)
        return tuple(each for each in await cured(server.context(), text, found) if each.fix)


def edits_of(document: Document, cure: Diagnostic) -> tuple[TextEdit, ...]:
    """Return the edits of a cure."""
    from attache.tools.fixes.fixing import edits_of as edits

    text = document.text
    made = edits(cure, line_starts(split_lines(text)), len(text))
    return tuple(sorted(made, key=lambda edit: (edit.start, edit.end)))


def quoted(message: str) -> str:
    """Return a finding's message as a title quotes it: its first line, not too long."""
    line = message.strip().partition("\n")[0]
    return f'"{line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 1] + "…"}"'


def rules_may_help(finding: Diagnostic) -> bool:
    """Whether a rule is there for such a finding: then no model is needed, though the rule may have no answer."""
    from attache.tools.fixes.cures import CURES

    path = finding.place.path
    return any(path.endswith(rule.suffixes) and rule.message.search(finding.message) for rule in CURES)


async def propose(
    server: Server, document: Document, finding: Diagnostic, approver: Approver, way: int = 0
) -> ChangeSet:
    """Return the changes that cure a finding, made by rule or model, touching nothing. Raises AttacheError.

    `way` is one of `WAYS`; a rule knows the first only.
    """
    title = f"Fix {quoted(finding.message)}"
    for cure in await server.rules.cures(document, [finding]):
        if way == 0 and same(cure, finding):
            edit = EditFile(
                uri=document.uri,
                base_hash=document.hash,
                base_version=document.version,
                edits=edits_of(document, cure),
            )
            return ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=(edit,))
    from attache.faces.lsp.progress import shown
    from attache.faces.lsp.runs import run

    app = await server.app()
    staged = app.resources.workspace.staged()
    session = await app.orchestrator.new_session(model=server.models.chosen)
    with shown(server, f"Attaché: {title}") as work:
        answer = await run(
            session,
            (Text(text=_prompt(finding, WAYS[way % len(WAYS)][1])),),
            title=title,
            work=work,
            workspace=staged,
            approver=approver,
        )
    change_set = staged.collected(title)
    if not change_set.files:
        raise EditRefused(f"no fix was found: {_last_words(answer)}", hint="ask about it in a chat")
    return change_set


def same(cure: Diagnostic, finding: Diagnostic) -> bool:
    """Whether a cure is for a finding, told by another server or by us: the same line, and the same code or words."""
    if cure.place.line != finding.place.line:
        return False
    return cure.code == finding.code if finding.code and cure.code == finding.code else cure.message == finding.message


def for_client(server: Server, change_set: ChangeSet) -> shapes.WorkspaceEdit | None:
    """Return changes for a client that makes them itself; None where a file is not open, which it must not touch."""
    changes: list[tuple[Document, tuple[TextEdit, ...]]] = []
    for change in change_set.files:
        document = server.buffers.get(change.uri)
        if not isinstance(change, EditFile) or document is None or document.hash != change.base_hash:
            return None
        changes.append((document, change.edits))
    return workspace_edit(server.client, changes)


def _prompt(finding: Diagnostic, way: str) -> str:
    code = f" {finding.code}" if finding.code else ""
    source = f" Reported by {finding.source}." if finding.source else ""
    return (
        f"Fix{code} in `{finding.place.path}:{finding.place.line}`.\n\n"
        f"The finding: {finding.message}.{source}\n"
        f"{way} Read the file first: it may hold unsaved text."
    )


def _last_words(answer: str) -> str:
    lines = [line for line in answer.splitlines() if line and not line.startswith(("- ", "<sub>"))]
    return lines[-1][:200] if lines else "the model changed nothing"


async def find(server: Server, about: About) -> tuple[Document, Diagnostic]:
    """Return the finding that a fix is for: the one named, else the first known where the user is.

    Raises UserError where there is none.
    """
    place = target(server, about)
    document = place.document
    if about.diagnostic is not None:
        return document, server.heard.read(document, about.diagnostic)
    known = (*await server.heard.findings(place.path), *await server.rules.cures(document))
    here = [each for each in known if each.place.line <= place.end_line and (each.place.end_line or 0) >= place.line]
    if not here:
        raise UserError(f"nothing is known to be wrong at {place.place}", hint="put the cursor on a diagnostic")
    return document, here[0]
