"""Rename a symbol everywhere, or a file: find what is meant, and let the tools do it in one step."""

from __future__ import annotations

import re

from attache.providers.offline.evidence import Passage
from attache.providers.offline.explain import definitions
from attache.providers.offline.intent import Place
from attache.providers.offline.places import OTHERS, aside
from attache.providers.offline.plans import IN_TEXTS, Asked, Call, Done, Step, symbols_first

SHOWN = 6
NEAR = 20
"""Lines of a signature."""
_END = r"[`'\"]?(?P<{}>[\w$.]+?)(?:\(\))?[`'\"]?"
_THINGS = "function|method|class|variable|parameter|argument|attribute|field|constant|symbol|name|type|module|file"
KIND = rf"(?:the |a |this )?(?:(?:{_THINGS}) )*"
_WAYS = (
    re.compile(
        rf"(?:re-?name|refactor|change|set|call|give)\s+(?:the name of\s+)?{KIND}{_END.format('old')}(?=\s|$).*?"
        rf"\s(?:to|as|into|be called|=>|->|→)\s+(?:be |called |named )*{_END.format('new')}(?=[\s.,;!?]|$)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:call|name) {KIND}{_END.format('old')} {_END.format('new')} instead", re.IGNORECASE),
    re.compile(rf"re-?name (?:this|it)(?: \w+)? (?:to|as) {_END.format('new')}(?=[\s.,;!?]|$)", re.IGNORECASE),
)
_REQUIRED = re.compile(r"^(?:variable|constant) .* = (?:await )?(?:require|import)\(")
_FILE = re.compile(
    r"[`'\"]?(?P<old>[\w./@+-]+\.\w+|[\w.@+-]+/[\w./@+-]*)[`'\"]?\s+(?:to|as|into|in)\s+"
    r"(?:the )?(?:folder |directory |file )?[`'\"]?(?P<new>[\w./@+-]+)[`'\"]?",
)


def rename(asked: Asked) -> Step:
    """Rename what was named to the name that was given."""
    if "rename" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    if step := rename_file(asked):
        return step
    old, new = _names(asked)
    if not new:
        return Done("Rename what to what? Say both: `rename fetch_all to load_all`.")
    bare = old.rpartition(".")[2]
    if asked.results("rename"):
        return _again(asked, new, bare) or _told(asked, old, new)
    place = _place(asked)
    if place and place.line:
        return [_call(place.path, place.line, new, bare)]
    if not old:
        return Done(f"Rename what to `{new}`? Name it, or its place: `rename load to {new}`.")
    if step := symbols_first(asked, old, {"name": old}):
        return step
    found = [each for each in definitions(asked, old) if f".{each.name}".endswith(f".{old}")]
    found = [each for each in found if place is None or each.path.endswith(place.path)] or found
    if not found:
        return _by_use(asked, old, new, bare)
    found = _meant(found)
    if len(_distinct(found)) > 1:
        return _ambiguous(found, old, new)
    return [_call(found[0].path, found[0].line, new, bare)]


def _call(path: str, line: int, new: str, name: str) -> Call:
    return Call("rename", {"path": path, "line": line, "new_name": new, **({"name": name} if name else {})})


def _names(asked: Asked) -> tuple[str, str]:
    line = asked.intent.question.replace(" - ", " ")
    for place in asked.intent.places:
        line = re.sub(rf"(?:\b(?:in|at|of|from) )?`?{re.escape(place.path)}(?::\d+)*`?", " ", line)
    line = re.sub(r"\b(?:on|at|in) line \d+", " ", line)
    for way in _WAYS:
        if match := way.search(" ".join(line.split())):
            return match.groupdict().get("old", ""), match["new"].rstrip(".")
    return "", ""


def _place(asked: Asked) -> Place | None:
    return asked.intent.places[0] if asked.intent.places else None


def _distinct(found: list[Passage]) -> set[tuple[str, str]]:
    """Return the things that bear the name: overloads of one file are one."""
    return {(each.path, each.name) for each in found}


def _meant(found: list[Passage]) -> list[Passage]:
    """Return the definitions that a person may mean: no headings, nothing vendored, no variable that was required.

    Of what all is of one of these sorts, all.
    """
    for is_other in (_is_heading, _is_foreign, _is_required):
        found = [each for each in found if not is_other(each)] or found
    return found


def _is_heading(each: Passage) -> bool:
    return each.role in IN_TEXTS


def _is_foreign(each: Passage) -> bool:
    return aside(each.path) == OTHERS


def _is_required(each: Passage) -> bool:
    return bool(_REQUIRED.search(each.label))


def _ambiguous(found: list[Passage], old: str, new: str) -> Done:
    rows = [f"- {each.path}:{each.line} — {each.label.partition(' · ')[0]}" for each in found[:SHOWN]]
    more = [f"- … and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    first = found[0]
    return Done(
        f"`{old}` is defined in {len(found)} places, and I will not guess which one is meant:\n\n"
        + "\n".join([*rows, *more])
        + f"\n\nName the place: `rename {old} to {new} at {first.path}:{first.line}`."
    )


def _by_use(asked: Asked, old: str, new: str, bare: str) -> Step:
    """Rename what the index does not list, as a local name or a parameter, where a file was named."""
    if not asked.results("grep"):
        place = _place(asked)
        where = {"path": place.path} if place else {}
        return [Call("grep", {"pattern": rf"\b{re.escape(bare)}\b", **where})]
    uses = [quote for each in asked.passages("grep") for quote in each.quotes]
    if not uses:
        return Done(f"There is no `{old}` in this workspace.")
    files = {use.path for use in uses}
    if len(files) > 1:
        rows = "\n".join(f"- {use}" for use in uses[:SHOWN])
        return Done(
            f"`{old}` is no definition that I know, and stands in {len(files)} files:\n\n{rows}\n\n"
            f"Name the place: `rename {old} to {new} at {uses[0].path}:{uses[0].line}`."
        )
    return [_call(uses[0].path, uses[0].line, new, bare)]


_STANDS_AT = re.compile(r"has no name `[^`]+`\s+it stands at (?P<path>[^\s:]+):(?P<line>\d+)")


def _again(asked: Asked, new: str, name: str) -> list[Call] | None:
    """Return the call at the place that the tool names, where the name stands a few lines on; None where it does not.

    A parameter may stand some lines behind the line of its function.
    """
    call, result = asked.results("rename")[-1]
    match = _STANDS_AT.search(result.text) if result.is_error and len(asked.results("rename")) == 1 else None
    if match is None or not 0 < int(match["line"]) - call.arguments["line"] <= NEAR:
        return None
    return [_call(match["path"], int(match["line"]), new, name)]


def _told(asked: Asked, old: str, new: str) -> Done:
    _, result = asked.results("rename")[-1]
    if not result.is_error:
        return Done(result.text.partition("\n\n")[0], sure=True)
    what = f"`{old}` was not renamed to `{new}`" if old else f"nothing was renamed to `{new}`"
    return Done(f"{what}: {result.text}")


# ---------------------------------------------------------------- files


def rename_file(asked: Asked) -> Step | None:
    """Move a file or folder where two paths were named; None where none were. Say who still names the old one."""
    match = _FILE.search(re.sub(r"\b(?:the )?(?:file|folder|directory) ", "", asked.intent.question))
    if match is None or not _is_path(match["new"], match["old"]):
        return None
    if "move" not in asked.tools:
        return Done("Moving files is not allowed in this mode; switch to build.")
    old, new = match["old"].rstrip("/"), match["new"]
    if new.endswith("/") or "." not in new.rpartition("/")[2]:
        new = f"{new.rstrip('/')}/{old.rpartition('/')[2]}"
    if "/" not in new and "/" in old:
        new = f"{old.rpartition('/')[0]}/{new}"
    if not asked.results("move"):
        return [Call("move", {"path": old, "new_path": new})]
    _, result = asked.results("move")[-1]
    if result.is_error:
        return Done(f"{old} was not moved: {result.text}")
    stem = old.rpartition("/")[2].partition(".")[0]
    if not asked.results("grep"):
        pattern = rf"(?:import|from|require|include|use|mod|source)\b.*\b{re.escape(stem)}\b|{re.escape(old)}"
        return [Call("grep", {"pattern": pattern})]
    uses = [quote for each in asked.passages("grep") for quote in each.quotes if quote.path != new]
    uses.sort(key=lambda use: use.path.endswith((".md", ".rst", ".txt")))
    rows = "\n".join(f"- {use}" for use in uses[:SHOWN])
    more = f"\n- … and {len(uses) - SHOWN} more" if len(uses) > SHOWN else ""
    rest = f"\n\nThese lines name it still, and stay as they are:\n\n{rows}{more}" if uses else ""
    return Done(f"{old} is now {new}.{rest}", sure=True)


def _is_path(new: str, old: str) -> bool:
    return "/" in new or "." in new or "/" in old.rstrip("/")
