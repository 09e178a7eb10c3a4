"""The tables of what the server answers: one decorated function a method, one a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

P = TypeVar("P")
R = TypeVar("R")
Answering = Callable[["Server", P], R]
Doing = Callable[["Server", P], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Feature:
    """A method, the shape of its parameters, and the function that answers it."""

    method: str
    shape: type[Any]
    answer: Answering[Any, Any]
    waits: bool
    """Whether the function is a coroutine; one that is not must be quick, since everything waits for it."""


@dataclass(frozen=True, slots=True)
class Doable:
    """A command, the shape of its one argument (all of it optional), and the function that does it."""

    name: str
    shape: type[Any]
    do: Doing[Any]


FEATURES: dict[str, Feature] = {}
COMMANDS: dict[str, Doable] = {}
LATE: Final = {
    "attache/diagnostics": ("outside",),
    "workspace/did": ("outside",),
    "workspace/will": ("outside",),
    "attache/session/": ("panel.sessions", "panel.history"),
    "attache/": ("panel.queries", "hunks"),
    "textDocument/codeAction": ("code.actions", "code.document_actions"),
    "textDocument/documentSymbol": ("chat.outlook",),
    "textDocument/foldingRange": ("chat.outlook",),
    "textDocument/documentLink": ("chat.outlook",),
    "textDocument/completion": ("code.completion",),
    "textDocument/inlineCompletion": ("code.ghost",),
    "textDocument/hover": ("code.hover",),
    "workspace/textDocumentContent": ("contents",),
    "codeAction/": ("code.actions",),
    "workspace/executeCommand": ("commands", "approvals", "hunks", "code.review", "chat.plans", "contents"),
}
"""Modules that fill the tables only when a method of theirs is first asked for, by the beginning of its name."""
_looked_for: set[str] = set()


def find(method: str) -> Feature | None:
    """Return what answers a method; None where nothing does."""
    if method not in _looked_for:
        nouns = next((nouns for prefix, nouns in LATE.items() if method.startswith(prefix)), ())
        for noun in nouns:
            import_module(f"attache.faces.lsp.{noun}")
        if method in FEATURES:  # a client may ask for any number of others
            _looked_for.add(method)
    return FEATURES.get(method)


def feature(method: str, shape: type[P]) -> Callable[[Answering[P, R]], Answering[P, R]]:
    """Answer requests or notifications of `method`, their parameters read as `shape`."""

    def register(answer: Answering[P, R]) -> Answering[P, R]:
        FEATURES[method] = Feature(method, shape, answer, inspect.iscoroutinefunction(answer))
        return answer

    return register


def command(name: str, shape: type[P]) -> Callable[[Doing[P]], Doing[P]]:
    """Do the command `name`, in the background, its argument read as `shape`."""

    def register(do: Doing[P]) -> Doing[P]:
        COMMANDS[name] = Doable(name, shape, do)
        return do

    return register
