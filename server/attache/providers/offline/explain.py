"""Explain a symbol: where it stands, what it says of itself, what it calls, who uses it."""

from __future__ import annotations

import re

from attache.providers.offline.callers import cut_short, references, rows, unused, used
from attache.providers.offline.evidence import Passage, code
from attache.providers.offline.pasted import is_about_it, pasted
from attache.providers.offline.places import aside
from attache.providers.offline.plans import Asked, Call, Done, Step, symbols_first
from attache.providers.offline.quoted import message, said
from attache.providers.offline.traces import error, is_trace
from attache.providers.offline.tree import look_at
from attache.providers.offline.where import where

BODY_LINES = 80
USES_SHOWN = 8
OTHERS_SHOWN = 5
NEAR_SHOWN = 3
_HOW = re.compile(r"how (?:is|are|do|does|can|was|were)\b")
"""How a file is read, or made, is told by what does so."""
_THINGS = ("class", "interface", "struct", "trait", "type", "enum")
"""What a plain word asks for first: what is a blueprint?"""
_LESSER = ("heading", "section", "variable", "field", "constant", "property", "key")
_GIVES = (
    r"^\s*(?:(?:export|const|let|var|static|final|public|private|pub|readonly)\s+)*[\w.\[\]'\"]*{}['\"\]]*\s*[:=](?!=)"
)
"""A line that gives a name its value: `NAME = …`, `NAME: …`."""


def explain(asked: Asked) -> Step:
    """Explain what was named: a trace or an error message, a symbol, a file or folder; else see where words lead."""
    if is_trace(asked.text):
        return error(asked)
    if is_about_it(asked):
        return pasted(asked)
    if (text := message(asked)) and (step := said(asked, text)):
        return step
    if asked.intent.names and not _asks_how(asked):
        return _symbol(asked, asked.intent.names[0])
    if asked.intent.names:
        return where(asked)
    if asked.intent.places and not (asked.intent.words and _HOW.match(asked.intent.question.lower())):
        return look_at(asked)
    if len(asked.intent.words) == 1 and _may_be_symbol(asked, asked.intent.words[0]):
        return _symbol(asked, asked.intent.words[0])
    return where(asked)


def _asks_how(asked: Asked) -> bool:
    """Whether it is asked how something is done, of which the name is only a part: how are SFTP files fetched?"""
    names = asked.intent.names
    others = [word for word in asked.intent.words if not any(word in name for name in names)]
    is_word = all(name.isupper() and name.isalpha() for name in names)
    question = asked.intent.question
    return is_word and bool(others) and "`" not in question and bool(_HOW.match(question.lower()))


def _may_be_symbol(asked: Asked, word: str) -> bool:
    """Whether a plain word is a symbol's name, or that is still being looked up."""
    if not asked.results("search"):
        return True
    return symbols_first(asked, word, {"name": word}) is not None or bool(definitions(asked, word))


def _symbol(asked: Asked, name: str) -> Step:
    if step := symbols_first(asked, name, {"name": name}):
        return step
    found = definitions(asked, name)
    if not found:
        return _missing(asked, name)
    first = found[0]
    if not asked.results("read"):
        end = min(first.end_line or first.line, first.line + BODY_LINES)
        return [Call("read", {"path": first.path, "start_line": first.line, "end_line": end}), references(name)]
    return Done(_told(asked, name, first, found[1:]))


def definitions(asked: Asked, name: str) -> list[Passage]:
    """Return the definitions of a name: those of the file that was named first, and whole ones before overloads.

    A plain word is looked for in any case, what is defined to be used before what only bears the name, and code before
    tests and documents.
    """
    paths = {place.path for place in asked.intent.places}
    is_word = name not in asked.intent.names
    found = asked.passages("symbols")
    exact = [each for each in found if f".{each.name}".endswith(f".{name}")]
    owned = [each for each in found if each in exact or (is_word and each.name.lower() == name.lower())]
    size = {(each.path, each.line): (each.end_line or each.line) - each.line for each in owned}
    largest: dict[tuple[str, str], int] = {}
    for each in owned:
        key = (each.path, each.name)
        largest[key] = max(largest.get(key, 0), size[each.path, each.line])
    return sorted(
        owned,
        key=lambda each: (
            each.path not in paths,
            each.role in _LESSER,
            aside(each.path),
            is_word and each.role not in _THINGS,
            each not in exact,
            size[each.path, each.line] != largest[each.path, each.name],
        ),
    )


def _missing(asked: Asked, name: str) -> Step:
    """Say that a name has no definition here; a plain word may still lead somewhere."""
    if name not in asked.intent.names:
        return where(asked)
    bare = name.rpartition(".")[2]
    if all(call.arguments["name"] != bare for call, _ in asked.results("symbols")):
        return [Call("symbols", {"name": bare})]
    if not asked.results("grep"):
        return [Call("grep", {"pattern": rf"\b{re.escape(bare)}\b"})]
    if stands := [quote for each in asked.passages("grep") for quote in each.quotes]:
        gives = re.compile(_GIVES.format(re.escape(bare)))
        stands.sort(key=lambda quote: (aside(quote.path), not gives.match(quote.text)))
        rows_ = "\n".join(f"- {quote}" for quote in stands[:USES_SHOWN])
        return Done(f"No definition of `{name}` is known to the index here. The word stands at:\n\n{rows_}")
    near = list(dict.fromkeys(each.name for each in asked.passages("symbols") if each.name))[:NEAR_SHOWN]
    hint = f" Near it: {', '.join(f'`{each}`' for each in near)}." if near else ""
    return Done(f"No definition of `{name}` is in this workspace.{hint}")


def _told(asked: Asked, name: str, first: Passage, others: list[Passage]) -> str:
    lines = asked.lines("read", first.path)
    parts = [f"`{name}` is defined at {first.path}:{first.line}.", code(lines)]
    uses = used(asked)
    if uses:
        files = len({use.path for use in uses})
        least = "at least " * cut_short(asked)
        whose = f" by the name `{name.rpartition('.')[2]}`" if "." in name else ""
        count = f"{least}{len(uses)} place{'s' * (len(uses) > 1)} in {files} file{'s' * (files > 1)}"
        parts.append(f"It is used in {count}{whose}:\n\n{rows(uses, USES_SHOWN)}")
    else:
        parts.append(unused(asked, name))
    if others:
        places = ", ".join(f"{other.path}:{other.line}" for other in others[:OTHERS_SHOWN])
        parts.append(f"The same name is also defined at {places}.")
    return "\n\n".join(part for part in parts if part)
