"""What a client can do, and what the server therefore offers: pure functions of the `initialize` request.

Standard library only: `initialize` is answered from here before anything else is imported.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from attache.faces.lsp.wire.positions import Encoding, negotiate

COMMANDS: Final = (
    "attache.ask", "attache.explain", "attache.fix", "attache.test", "attache.document", "attache.review",
    "attache.refactor", "attache.openChat", "attache.sendChat", "attache.stop",
    "attache.acceptHunk", "attache.rejectHunk", "attache.nextHunk", "attache.acceptAll", "attache.rejectAll",
    "attache.undoStep", "attache.redoStep", "attache.approve", "attache.deny", "attache.denyWhy",
    "attache.runStep", "attache.runPlan", "attache.skipStep", "attache.show", "attache.complete",
    "attache.setModel", "attache.setMode", "attache.reindex", "attache.showLog",
)  # fmt: skip
KINDS: Final = ("quickfix", "refactor.rewrite.attache", "source.attache")

_ANY_FILE: Final = {"filters": [{"scheme": "file", "pattern": {"glob": "**/*"}}]}

_CODE: Final = ("visual studio code", "code - oss", "code-server", "vscodium", "cursor", "windsurf")
"""Editors that run our own extension, which shows the server every document."""
_RESOLVE_IN_BACKGROUND: Final = (*_CODE, "neovim")
"""Editors that stay usable while an action is being resolved. Helix freezes and eglot gives up after ten seconds, so
an editor that is not known here gets a command instead."""

_HIDE_DISABLED: Final = ("helix",)
"""Editors that know of disabled actions and leave them out of the list, so that nobody reads the reason."""

_WATCH_EACH_FOLDER: Final = ("emacs", "eglot")
"""Editors that spend a file descriptor on every folder they watch: in a large project that fails."""


class Client(NamedTuple):
    """The client, as it presented itself."""

    name: str
    encoding: Encoding
    process_id: int | None
    roots: tuple[str, ...]
    """URIs of the workspace folders."""
    versioned_edits: bool
    """Takes `documentChanges`, each with the version it was made for."""
    action_literals: bool
    """Takes code actions, not only commands."""
    resolves_actions: bool
    """Resolves a picked action while the user goes on working."""
    shows_disabled: bool
    """Lists a disabled action with its reason."""
    shows_documents: bool
    shows_buttons: bool
    """Shows the actions of a message as buttons and says which was pressed."""
    shows_progress: bool
    decorates_hunks: bool
    """Shows hunks by its own means, so that their diagnostics may stay in the background."""
    refreshes_lenses: bool
    grants_permission: bool
    """Answers `attache/session/request_permission`."""
    answers_in_words: bool
    """Lets its user answer a question in words of their own."""
    follows_sessions: bool
    """Wants `attache/session/update` of every session, also of those it did not begin."""
    nests_symbols: bool
    """Takes symbols within symbols."""
    previews_text: bool
    """Fetches documents of ours by `workspace/textDocumentContent`, once that is registered."""
    completes_inline: bool
    """Shows a completion as ghost text."""
    sees_everything: bool
    """Shows the server documents of any language, as our own extension does."""
    watches_files: bool
    """Tells of files that change on disk, when asked to."""
    has_panel: bool
    """Takes what is asked in the code as `attache/session/ask`, to answer it in a panel instead of a document."""


def read_client(params: dict[str, Any]) -> Client:
    """Return what the parameters of `initialize` say; a part of the wrong shape counts as not there."""
    given = _Part(params)
    offered = given / "capabilities"
    document, workspace, window = offered / "textDocument", offered / "workspace", offered / "window"
    action, edits = document / "codeAction", workspace / "workspaceEdit"
    ours = offered / "experimental" / "attache"
    name = (given / "clientInfo" / "name").text
    resolvable = (action / "resolveSupport" / "properties").texts
    process_id = (given / "processId").value
    return Client(
        name=name,
        encoding=negotiate((offered / "general" / "positionEncodings").texts),
        process_id=process_id if isinstance(process_id, int) and process_id > 0 else None,
        roots=_roots(given),
        # Neovim declares only the second, which the protocol allows upon the first alone.
        versioned_edits=(edits / "documentChanges").yes or bool((edits / "resourceOperations").texts),
        action_literals=(action / "codeActionLiteralSupport").there,
        resolves_actions="edit" in resolvable
        and (action / "dataSupport").yes
        and ((ours / "resolvesInBackground").yes or any(known in name.lower() for known in _RESOLVE_IN_BACKGROUND)),
        shows_disabled=(action / "disabledSupport").yes and name.lower() not in _HIDE_DISABLED,
        shows_documents=(window / "showDocument" / "support").yes,
        shows_buttons=(window / "showMessage" / "messageActionItem").there,
        shows_progress=(window / "workDoneProgress").yes,
        decorates_hunks=(ours / "decoratesHunks").yes,
        refreshes_lenses=(workspace / "codeLens" / "refreshSupport").yes,
        grants_permission=(ours / "session" / "requestPermission").yes,
        answers_in_words=(ours / "session" / "answerInWords").yes,
        follows_sessions=(ours / "session" / "update").yes,
        nests_symbols=(document / "documentSymbol" / "hierarchicalDocumentSymbolSupport").yes,
        previews_text=(workspace / "textDocumentContent" / "dynamicRegistration").yes,
        completes_inline=(document / "inlineCompletion").there,
        sees_everything=any(known in name.lower() for known in _CODE),
        watches_files=(workspace / "didChangeWatchedFiles" / "dynamicRegistration").yes
        and name.lower() not in _WATCH_EACH_FOLDER,
        has_panel=(ours / "session" / "ask").yes,
    )


def server_capabilities(client: Client) -> dict[str, Any]:
    """Return what the server offers to this client.

    Lenses are offered to everyone: Neovim up to 0.10 shows them and does not say so.
    """
    return {
        "positionEncoding": client.encoding,
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
        "codeActionProvider": {"codeActionKinds": list(KINDS), "resolveProvider": client.resolves_actions},
        "codeLensProvider": {"resolveProvider": False},
        "completionProvider": {"triggerCharacters": ["@", "/"]},
        "hoverProvider": True,
        "documentSymbolProvider": True,
        "foldingRangeProvider": True,
        "documentLinkProvider": {},
        "inlineCompletionProvider": {},
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            "fileOperations": dict.fromkeys(("didCreate", "didRename", "didDelete"), _ANY_FILE),
        },
        "experimental": {"attache": {"protocol": 1, "acp": 1}},
    }


def _roots(given: _Part) -> tuple[str, ...]:
    """Return the folders: all of them where the client knows of several, the one of old otherwise."""
    folders = tuple(uri for folder in (given / "workspaceFolders").parts if (uri := (folder / "uri").text))
    # Helix outside a repository says neither, and gives the folder in the oldest field there is.
    root = (given / "rootUri").text or (given / "rootPath").text
    return folders or ((root,) if root else ())


class _Part(NamedTuple):
    """A value from outside, of which nothing is certain."""

    value: Any

    def __truediv__(self, key: str) -> _Part:
        return _Part(cast("dict[str, Any]", self.value).get(key) if isinstance(self.value, dict) else None)

    @property
    def yes(self) -> bool:
        return self.value is True

    @property
    def there(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""

    @property
    def parts(self) -> list[_Part]:
        return [_Part(value) for value in cast("list[Any]", self.value)] if isinstance(self.value, list) else []

    @property
    def texts(self) -> list[str]:
        return [part.value for part in self.parts if isinstance(part.value, str)]
