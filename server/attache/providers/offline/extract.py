"""Take lines out into a function or variable, and move definitions: by the tools that do so."""

from __future__ import annotations

import re

from attache.providers.offline.explain import definitions
from attache.providers.offline.plans import Asked, Call, Done, Step, symbols_first
from attache.providers.offline.rename import KIND, rename_file
from attache.schema.messages import ToolResult

_NAMED = re.compile(
    r"\b(?:into|as|to|called|named|name it|call it)\s+(?:(?:a|an|the|new|its|own)\s+)*"
    r"(?:(?:function|method|helper|variable|constant)\s+)?(?:(?:called|named)\s+)?[`'\"]?(?P<name>[A-Za-z_$][\w$]*)[`'\"]?"
)
_VARIABLE = re.compile(r"\b(?:variable|constant)\b")
_THINGS = frozenset({"function", "method", "helper", "variable", "constant", "a", "an", "new", "its", "own", "lines"})
_TARGET = re.compile(r"\b(?:to|into|in)\s+(?:the )?(?:file |module )?[`'\"]?(?P<path>[\w./@+-]+\.\w+)[`'\"]?")

_SOURCE = re.compile(
    rf"(?:.*?\b)?(?:move|relocate|transfer|put|take|pull)\s+{KIND}[`'\"]?(?P<what>[A-Za-z_][\w.]*)", re.IGNORECASE
)


def extract(asked: Asked) -> Step:
    """Make a function or variable of the lines that were named."""
    if "extract" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    if asked.results("extract"):
        _, result = asked.results("extract")[-1]
        return _told(result, "Nothing was extracted")
    place = next((each for each in asked.intent.places if each.line), None)
    if place is None or place.line is None:
        return Done("Extract which lines? Name the file and the lines: `extract src/app.py:10-20 into parse_line`.")
    end = place.end_line or place.line
    kind = "variable" if _VARIABLE.search(asked.intent.question.lower()) else "function"
    question = asked.intent.question.replace(place.path, " ")
    ticked = [name for name in asked.intent.names if name.isidentifier()]
    match = next((found for found in _NAMED.finditer(question) if found["name"].lower() not in _THINGS), None)
    name = match["name"] if match else f"extracted_{place.line}" if not ticked else f"{ticked[0]}_part"
    arguments: dict[str, object] = {"path": place.path, "start_line": place.line, "end_line": end, "name": name}
    return [Call("extract", {**arguments, "kind": kind} if kind != "function" else arguments)]


def _told(result: ToolResult, failed: str) -> Done:
    return Done(f"{failed}: {result.text}" if result.is_error else result.text.partition("\n\n")[0], sure=True)


def move(asked: Asked) -> Step:
    """Move a definition into another file, or a file to another place."""
    target = _TARGET.search(asked.intent.question)
    source = _SOURCE.match(asked.intent.question)
    files = [place.path for place in asked.intent.places]
    names = [name for name in asked.intent.names if name not in files]
    if not names and (step := rename_file(asked)):
        return step
    name = names[0] if names else source["what"] if source else ""
    if not name or target is None:
        return Done("Move what where? `move parse_line to src/lines.py`, or `move src/a.py to src/b.py`.")
    if "move_symbol" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    if asked.results("move_symbol"):
        _, result = asked.results("move_symbol")[-1]
        return _told(result, f"`{name}` was not moved")
    if step := symbols_first(asked, name, {"name": name}):
        return step
    found = [each for each in definitions(asked, name) if each.path != target["path"]]
    if not found:
        return Done(f"No definition of `{name}` is in this workspace, outside {target['path']}.")
    first = found[0]
    if not first.path.endswith((".py", ".pyi")):
        return Done(
            f"`{name}` ({first.path}:{first.line}) stays: I move definitions of Python alone, with their imports. "
            "Other languages take a language model; whole files I move in any: `move src/a.ts to src/b.ts`."
        )
    bare = first.name.rpartition(".")[2]
    return [Call("move_symbol", {"path": first.path, "line": first.line, "to_path": target["path"], "name": bare})]
