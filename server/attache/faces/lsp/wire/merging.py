"""Make one server's capabilities and answers of two: ours, and those of the language server beside us.

Standard library only: `initialize` is answered from here before anything else is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

Json = dict[str, Any]
MINE: Final = "attache/"
"""Methods that begin so are ours alone."""
PROVIDERS: Final = {
    "callHierarchy/incomingCalls": "callHierarchyProvider",
    "callHierarchy/outgoingCalls": "callHierarchyProvider",
    "codeAction/resolve": "codeActionProvider",
    "codeLens/resolve": "codeLensProvider",
    "completionItem/resolve": "completionProvider",
    "documentLink/resolve": "documentLinkProvider",
    "inlayHint/resolve": "inlayHintProvider",
    "textDocument/colorPresentation": "colorProvider",
    "textDocument/documentColor": "colorProvider",
    "textDocument/formatting": "documentFormattingProvider",
    "textDocument/onTypeFormatting": "documentOnTypeFormattingProvider",
    "textDocument/prepareCallHierarchy": "callHierarchyProvider",
    "textDocument/prepareRename": "renameProvider",
    "textDocument/prepareTypeHierarchy": "typeHierarchyProvider",
    "textDocument/rangeFormatting": "documentRangeFormattingProvider",
    "textDocument/rangesFormatting": "documentRangeFormattingProvider",
    "typeHierarchy/subtypes": "typeHierarchyProvider",
    "typeHierarchy/supertypes": "typeHierarchyProvider",
    "workspace/diagnostic": "diagnosticProvider",
    "workspace/symbol": "workspaceSymbolProvider",
    "workspaceSymbol/resolve": "workspaceSymbolProvider",
}
"""The capability that a method rests on, where the method's name does not say so."""
_BOTH: Final = "attache.beside"
"""Marks the `data` of an item that came from the server beside us, so that it is resolved there."""


def provider(method: str) -> str:
    """Return the name of the capability that a request rests on."""
    if known := PROVIDERS.get(method):
        return known
    return method.removeprefix("textDocument/").partition("/")[0] + "Provider"


def provides(capabilities: Json, method: str) -> bool:
    """Return whether a server with these capabilities answers a method."""
    if method.startswith("workspace/will"):
        operations = _object(_object(capabilities.get("workspace")).get("fileOperations"))
        return method.removeprefix("workspace/").removesuffix("Files") in operations
    offered = capabilities.get(provider(method))
    if offered in (None, False):
        return False
    return not method.endswith("/resolve") or _object(offered).get("resolveProvider") is True


# ---------------------------------------------------------------- capabilities


def merged_capabilities(ours: Json, theirs: Json) -> Json:
    """Return what both together offer."""
    merged = {**theirs, **ours}
    for name in ours.keys() & theirs.keys():
        merged[name] = _merged(name, ours[name], theirs[name])
    merged["textDocumentSync"] = _sync(_object(ours.get("textDocumentSync")), theirs.get("textDocumentSync"))
    return merged


def _merged(name: str, ours: Any, theirs: Any) -> Any:
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        if theirs in (None, False):
            return cast("Any", ours)
        if name == "codeActionProvider":  # `true` says nothing of kinds: ours must not narrow them
            kinds = "codeActionKinds"
            return {key: value for key, value in _object(ours).items() if key != kinds} or True
        return cast("Any", ours if isinstance(ours, dict) else theirs)
    one, other = cast("Json", ours), cast("Json", theirs)
    merged = {**other, **one}
    for key in one.keys() & other.keys():
        mine, its = one[key], other[key]
        if isinstance(mine, list) and isinstance(its, list):
            merged[key] = [*cast("list[Any]", mine), *(each for each in cast("list[Any]", its) if each not in mine)]
        elif isinstance(mine, dict) and isinstance(its, dict):
            merged[key] = _merged(key, mine, its)
        else:
            merged[key] = mine or its
    if name == "codeActionProvider" and "codeActionKinds" not in other:
        merged.pop("codeActionKinds", None)
    return merged


def _sync(ours: Json, theirs: Any) -> Json:
    """Return a way to be told of changes that both understand: whole texts where the other takes nothing else."""
    its: Json = _object(theirs) if not isinstance(theirs, int) else {"openClose": True, "change": theirs, "save": True}
    change = 1 if its.get("change") == 1 else ours.get("change", 2)
    save = its.get("save")
    text = isinstance(save, dict) and cast("Json", save).get("includeText") is True
    return {**its, **ours, "openClose": True, "change": change, "save": {"includeText": text}}


def hears_changes(theirs: Json) -> bool:
    """Return whether the other server wants to be told what is typed."""
    sync = theirs.get("textDocumentSync")
    return bool(sync if isinstance(sync, int) else _object(sync).get("change"))


# ---------------------------------------------------------------- answers


def merged_answer(method: str, ours: Any, theirs: Any) -> Any:
    """Return one answer of two, either of which may be null."""
    if ours is None or theirs is None:
        return ours if theirs is None else theirs
    if method == "textDocument/completion":
        return _completions(ours, theirs)
    if method == "textDocument/hover":
        return _hovers(_object(ours), _object(theirs))
    if isinstance(ours, list) or isinstance(theirs, list):
        return [*_list(ours), *_list(theirs)]
    return theirs


def _completions(ours: Any, theirs: Any) -> Json:
    both = [_completion_list(ours), _completion_list(theirs)]
    incomplete = any(each.get("isIncomplete") is True for each in both)
    return {"isIncomplete": incomplete, "items": [item for each in both for item in each["items"]]}


def _completion_list(answer: Any) -> Json:
    """Return completions as a list of which each item says for itself what the whole list said for all."""
    if not isinstance(answer, dict):
        return {"items": _list(answer)}
    whole = cast("Json", answer)
    defaults = _object(whole.get("itemDefaults"))
    span = defaults.pop("editRange", None)
    items = [{**defaults, **_object(each)} for each in _list(whole.get("items"))]
    if span is not None:
        items = [each if "textEdit" in each else {**each, "textEdit": _at(span, each)} for each in items]
    return {"isIncomplete": whole.get("isIncomplete"), "items": items}


def _at(span: Any, item: Json) -> Json:
    text = item.get("textEditText") or item.get("insertText") or item.get("label")
    given = _object(span)
    return {"newText": text, **({"range": given} if "start" in given else given)}


def _hovers(ours: Json, theirs: Json) -> Json:
    words = [_markdown(each.get("contents")) for each in (theirs, ours)]
    text = "\n\n---\n\n".join(word for word in words if word)
    return {**theirs, "contents": {"kind": "markdown", "value": text}}


def _markdown(contents: Any) -> str:
    if isinstance(contents, list):
        return "\n\n".join(map(_markdown, cast("list[Any]", contents)))
    if isinstance(contents, dict):
        marked = cast("Json", contents)
        value = str(marked.get("value", ""))
        if language := marked.get("language"):
            return f"```{language}\n{value}\n```"
        return value if marked.get("kind") != "plaintext" else f"```text\n{value}\n```"
    return contents if isinstance(contents, str) else ""


# ---------------------------------------------------------------- whose item it is


def marked(answer: Any) -> Any:
    """Return the other server's answer with its items marked as its own."""
    return _each_item(answer, lambda item: {**item, "data": {_BOTH: item.get("data")}})


def unmarked(item: Json) -> Json | None:
    """Return an item as the other server made it; None where it is not one of its."""
    data = item.get("data")
    if not isinstance(data, dict) or _BOTH not in data:
        return None
    given = cast("Json", data)[_BOTH]
    rest = {key: value for key, value in item.items() if key != "data"}
    return rest if given is None else {**rest, "data": given}


def _each_item(answer: Any, change: Callable[[Json], Json]) -> Any:
    if isinstance(answer, list):
        return [change(cast("Json", each)) if isinstance(each, dict) else each for each in cast("list[Any]", answer)]
    whole = _object(answer)
    return {**whole, "items": _each_item(whole["items"], change)} if "items" in whole else answer


def _object(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [] if value is None else [value]
