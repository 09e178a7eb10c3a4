"""What a class is derived from, what derives from it, and who overrides a method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from attache.providers.offline.callers import references, rows, unused, used
from attache.providers.offline.evidence import Passage
from attache.providers.offline.places import aside
from attache.providers.offline.plans import Asked, Call, Done, Step
from attache.providers.offline.where import where

SHOWN = 25
USES_SHOWN = 8
LIMIT = 500
_ROW = re.compile(r"^(?P<depth> *)(?P<way>[▴▾]) (?P<path>[^\s:][^:\n]*):(?P<line>\d+) (?P<name>[^\s(]+)", re.MULTILINE)
_OUTSIDE = re.compile(r"^ *▴ (?P<name>\S+) \(not defined here\)$", re.MULTILINE)
_HEAD = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+) (?P<name>[^\s(]+)", re.MULTILINE)
_NOTE = re.compile(r"^\[(?P<said>[^\n]*\bnot read\b[^\n]*)\]$", re.MULTILINE)
_ABOVE = re.compile(
    r"\b(?:super-?class|base|parent|ancestor)|\b(?:does|do|is|are) \S+ (?:inherit|derive|extend|sub-?class|based|impl)"
)
_OVERRIDES = re.compile(r"\boverrid", re.IGNORECASE)
_OF = re.compile(
    r"\b(?:of|from|for|below|under|above|extends?|implements?|inherits?|sub-?class(?:es)?|overrides?|derives?)"
    r"(?: (?:the|a|an|class|interface|trait|struct|type|method|function))* `?(?P<name>[A-Za-z_$][\w$.]*)`?"
)
_SUBJECT = re.compile(r"\b(?:does|do|is|are) (?:the )?(?:class |interface )?`?(?P<name>[A-Za-z_$][\w$.]*)`?")
_LESSER = frozenset({"of", "from", "the", "it", "this", "that", "any", "anything", "all", "which", "what", "there"})


class Kin(NamedTuple):
    """A class of the tree, where it is defined, and how far away."""

    path: str
    line: int
    name: str
    depth: int
    is_below: bool

    def __str__(self) -> str:
        return f"{'  ' * max(0, self.depth - 1)}- {self.path}:{self.line} — `{self.name}`"


def hierarchy(asked: Asked) -> Step:
    """Tell what derives from a class, or what it is derived from; of a method, who overrides it."""
    name = _name(asked)
    if not name:
        return where(asked)
    if _OVERRIDES.search(asked.intent.question) and _is_method(name):
        return _overriding(asked, name)
    if not asked.results("hierarchy"):
        return [Call("hierarchy", {"name": name})]
    _, result = asked.results("hierarchy")[0]
    if result.is_error:
        return _no_class(asked, name)
    return Done(_told(name, result.text, wants_above=bool(_ABOVE.search(asked.intent.question.lower()))))


def _no_class(asked: Asked, name: str) -> Step:
    """Say that there is no such class, and where its name is used."""
    if not asked.results("references"):
        return [references(name)]
    uses = used(asked)
    told = f"The name is used at:\n\n{rows(uses, USES_SHOWN)}" if uses else unused(asked, name)
    return Done(f"No class, interface or trait is called `{name}` here, and nothing derives from one. {told}")


def _name(asked: Asked) -> str:
    """Return the class or method that was asked about: a name, else the word behind the verb or before it."""
    if asked.intent.names:
        return asked.intent.names[0]
    question = asked.intent.question
    found = [*_OF.finditer(question), *_SUBJECT.finditer(question)]
    names = [match["name"].rstrip(".") for match in found if match["name"].lower() not in _LESSER]
    return next(iter(names), "") if names else asked.name


def _is_method(name: str) -> bool:
    return not name.rpartition(".")[2][:1].isupper()


def _told(name: str, text: str, *, wants_above: bool) -> str:
    kin = _kin(text)
    below, above = [each for each in kin if each.is_below], [each for each in kin if not each.is_below]
    outside = list(dict.fromkeys(match["name"] for match in _OUTSIDE.finditer(text)))
    at = ", ".join(f"{match['path']}:{match['line']}" for match in _HEAD.finditer(text))
    where_ = f" (defined at {at})" if at else " (which is not defined here)"
    parts = [_below(name, where_, below), _above(name, where_ if wants_above else "", above, outside)]
    note = _NOTE.search(text)
    parts = [*(reversed(parts) if wants_above else parts), note["said"].capitalize() + "." if note else ""]
    return "\n\n".join(part for part in parts if part)


def _kin(text: str) -> list[Kin]:
    found = (
        Kin(match["path"], int(match["line"]), match["name"], len(match["depth"]) // 2, match["way"] == "▾")
        for match in _ROW.finditer(text)
    )
    return list(dict.fromkeys(found))


def _below(name: str, where_: str, below: Sequence[Kin]) -> str:
    if not below:
        return f"Nothing in this workspace derives from `{name}`{where_}."
    own = [each for each in below if not aside(each.path)]
    nearest = min(each.depth for each in below)
    direct = len({(each.path, each.line) for each in below if each.depth == nearest})
    further = len({(each.path, each.line) for each in below}) - direct
    told = f"{direct} directly" + (f", {further} further down" if further else "")
    listed = below if _is_tree(below) and len(below) <= SHOWN else [*own, *(each for each in below if each not in own)]
    return f"These derive from `{name}`{where_}, {told}:\n\n{_listed(listed)}"


def _is_tree(below: Sequence[Kin]) -> bool:
    """Whether the first rows, which are read first, are of the code itself."""
    return not aside(below[0].path)


def _above(name: str, where_: str, above: Sequence[Kin], outside: Sequence[str]) -> str:
    named = ", ".join(f"`{each}`" for each in outside)
    if above:
        tail = f"\n\nBeyond that: {named}, not defined here." if named else ""
        return f"`{name}`{where_} is derived from:\n\n{_listed(above)}{tail}"
    return f"`{name}`{where_} is derived from {named}, not defined here." if named else ""


def _listed(kin: Sequence[Kin]) -> str:
    more = [f"- … and {len(kin) - SHOWN} more"] if len(kin) > SHOWN else []
    return "\n".join([*(str(each) for each in kin[:SHOWN]), *more])


def _overriding(asked: Asked, name: str) -> Step:
    """List the classes that define a method, those below its owner alone where an owner was named."""
    owner, _, method = name.rpartition(".")
    if not owner:
        match = re.search(rf"\b{re.escape(method)}\b.*\b(?:of|in|from) (?:the )?(?:class )?`?([A-Z]\w*)", asked.text)
        owner = match[1] if match else ""
    owner = owner.rpartition(".")[2]
    if not asked.results("symbols"):
        tree = [Call("hierarchy", {"name": owner})] if owner else []
        return [Call("symbols", {"name": method, "limit": LIMIT}), *tree]
    found = [each for each in asked.passages("symbols") if "." in each.name and each.name.rpartition(".")[2] == method]
    if owner:
        heirs = {each.name for _, tree in asked.results("hierarchy") for each in _kin(tree.text) if each.is_below}
        found = [each for each in found if each.name.split(".")[-2] in heirs]
    if not found:
        whose = f" below `{owner}`" if owner else ""
        return Done(f"No class{whose} in this workspace defines `{method}`.")
    whose = f"below `{owner}` " if owner else ""
    head = f"`{method}` is defined in {len(found)} class{'es' * (len(found) > 1)} {whose}here"
    return Done(f"{head}{_by_name(owner)}:\n\n{_methods(found)}")


def _by_name(owner: str) -> str:
    return "" if owner else " (by name; which of them override each other, `what derives from …?` tells)"


def _methods(found: Sequence[Passage]) -> str:
    ordered = sorted(found, key=lambda each: aside(each.path))
    listed = [f"- `{each.name}` {each.path}:{each.line}" for each in ordered[:SHOWN]]
    more = [f"- … and {len(ordered) - SHOWN} more"] if len(ordered) > SHOWN else []
    return "\n".join([*listed, *more])
