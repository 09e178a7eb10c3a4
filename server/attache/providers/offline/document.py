"""Document a definition, or all of a file that say nothing of themselves, in the language's own convention."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from attache.providers.offline.callers import references
from attache.providers.offline.comments import (
    FORMS,
    Described,
    comment,
    of_python,
    of_signature,
    python_doc,
    style_of,
)
from attache.providers.offline.evidence import Passage, Quote
from attache.providers.offline.explain import definitions
from attache.providers.offline.plans import Asked, Call, Done, Step, symbols_first

MOST = 40
"""Definitions that are documented in one step."""
HEAD_LINES = 8
SHOWN = 30
_BODIES = frozenset({"function", "method", "class", "struct", "interface", "trait", "enum"})
_COMMENT = re.compile(r"\s*(?:///?|/?\*|#(?!\[|include|define)|--|\"\"\")")
_DECORATED = re.compile(r"\s*(?:@|#\[|\[)")
_LITERAL = re.compile(r"(?:\"[^\"]{0,30}\"|'[^']{0,30}'|-?\d[\d_.]*|True|False|\[[^\[\]]{0,20}\])")


class Edit(NamedTuple):
    """One place to change: the lines as they stand, and with their comment."""

    search: str
    replace: str
    name: str


def document(asked: Asked) -> Step:
    """Write the doc comments that are missing from what was named."""
    if "edit" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    names, places = asked.intent.names, asked.intent.places
    if not names and not places:
        return Done("Document what? Name a definition or a file: `document fetch_all`, `document src/app.py`.")
    if asked.results("edit"):
        return _told(asked)
    arguments = {"name": names[0]} if names else {"path": places[0].path, "limit": 400}
    if step := symbols_first(asked, names[0] if names else places[0].path, arguments):
        return step
    wanted = _wanted(asked)
    if not wanted:
        what = f"definition of `{names[0]}`" if names else f"definition in {places[0].path}"
        return Done(f"There is no {what} that I can document.")
    path = wanted[0].path
    if not asked.results("read"):
        uses = [references(names[0])] if names else []
        return [Call("read", {"path": path}), *uses]
    return _write(asked, path, [each for each in wanted if each.path == path])


def _wanted(asked: Asked) -> list[Passage]:
    """Return the definitions that are asked about, in the order of the text."""
    if asked.intent.names:
        return definitions(asked, asked.intent.names[0])[:1]
    found = [each for each in asked.passages("symbols") if each.role in _BODIES]
    line = asked.intent.places[0].line
    if line is not None:
        around = [each for each in found if each.line <= line <= (each.end_line or each.line)]
        return around[-1:]
    return [each for each in found if not each.name.rpartition(".")[2].startswith("_")]


def _write(asked: Asked, path: str, wanted: Sequence[Passage]) -> Step:
    _, result = asked.results("read")[-1]
    if result.is_error:
        return Done(result.text)
    lines = {quote.line: quote for quote in asked.lines("read", path)}
    uses = [each for each in asked.passages("references") if each.role == "call"]
    make = _in_python if path.endswith((".py", ".pyi")) else _above
    if make is _above and PurePosixPath(path).suffix not in FORMS:
        return Done(f"I know no convention for doc comments in {PurePosixPath(path).suffix or path} files.")
    edits = list(make(lines, wanted, uses))[:MOST]
    if not edits:
        named = f"`{wanted[0].name}` ({path}:{wanted[0].line})" if len(wanted) == 1 else f"What {path} defines"
        unseen = wanted[0].line not in lines
        return Done(
            f"{path} is too long to be read at once; name a definition in it." if unseen
            else f"{named} is documented already, or has no form that I know; I change no words that a person wrote."
        )  # fmt: skip
    rows = [{"search": each.search, "replace": each.replace} for each in edits]
    title = f"document {edits[0].name}" if len(edits) == 1 else f"document {len(edits)} definitions"
    return [Call("edit", {"path": path, "edits": rows, "title": title})]


# ---------------------------------------------------------------- Python


def _in_python(lines: dict[int, Quote], wanted: Sequence[Passage], uses: Sequence[Passage]) -> Iterator[Edit]:
    text = "\n".join(lines[number].text for number in sorted(lines)) + "\n"
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    rows, first = text.split("\n"), min(lines, default=1)
    style = style_of(text)
    starts = {each.line for each in wanted}
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            or node.lineno + first - 1 not in starts
        ):
            continue
        body = node.body[0]
        if ast.get_docstring(node) is not None or body.lineno == node.lineno:
            continue
        said = rows[body.lineno - 1]
        indent = said[: len(said) - len(said.lstrip())]
        it = replace(of_python(node), such_as=_such_as(node, uses))
        begin = min([body.lineno, *(each.lineno for each in getattr(body, "decorator_list", ()))])
        search = "\n".join(rows[node.lineno - 1 : begin])
        head = "\n".join(rows[node.lineno - 1 : begin - 1])
        doc = python_doc(it, style, indent)
        blank = "" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else "\n"
        yield Edit(search, f"{head}\n{doc}{blank}{rows[begin - 1]}", node.name)


def _such_as(node: ast.AST, uses: Sequence[Passage]) -> dict[str, str]:
    """Return what calls of a function pass for its parameters, where they pass something plain."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in {"self", "cls"}]
    found: dict[str, str] = {}
    for use in uses:
        for call in _calls(use.label.partition(" · ")[2], node.name):
            pairs = [*zip(names, call.args, strict=False), *((each.arg, each.value) for each in call.keywords)]
            for name, value in pairs:
                said = ast.unparse(value)
                if name in names and _LITERAL.fullmatch(said):
                    found.setdefault(name, said)
    return found


def _calls(line: str, name: str) -> list[ast.Call]:
    """Return the calls of a name in one line of code, none where the line cannot stand alone."""
    text = textwrap.dedent(line.strip())
    for candidate in (text, f"{text}\n    pass", text.removesuffix(":")):
        try:
            tree = ast.parse(candidate)
        except (SyntaxError, ValueError):
            continue
        return [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == name
        ]
    return []


# ---------------------------------------------------------------- languages that comment above


def _above(lines: dict[int, Quote], wanted: Sequence[Passage], _uses: Sequence[Passage]) -> Iterator[Edit]:
    for each in wanted:
        first = each.line
        while first - 1 in lines and _DECORATED.match(lines[first - 1].text):
            first -= 1
        if each.line not in lines or _is_commented(lines, first):
            continue
        end = min(each.end_line or each.line, each.line + HEAD_LINES)
        head = "\n".join(lines[number].text for number in range(each.line, end + 1) if number in lines)
        bare = each.name.rpartition(".")[2]
        it: Described | None = of_signature(head, bare, PurePosixPath(each.path).suffix)
        said = lines[first].text
        text = comment(it, each.path, said[: len(said) - len(said.lstrip())]) if it else ""
        if text:
            until = min(each.line + 1, max(lines))
            search = "\n".join(lines[number].text for number in range(first, until + 1) if number in lines)
            yield Edit(search, text + search, bare)


def _is_commented(lines: dict[int, Quote], first: int) -> bool:
    """Whether a comment stands above a line; one that ends in `*/` may stand a blank line off."""
    above = lines[first - 1].text if first - 1 in lines else ""
    further = lines[first - 2].text if first - 2 in lines else ""
    return bool(_COMMENT.match(above)) or (not above.strip() and further.rstrip().endswith("*/"))


def _told(asked: Asked) -> Done:
    call, result = asked.results("edit")[-1]
    path, edits = call.arguments["path"], call.arguments["edits"]
    if result.is_error:
        return Done(f"{path} was not changed: {result.text}")
    count = f"{len(edits)} definition{'s' * (len(edits) != 1)}"
    added = [line for edit in edits for line in edit["replace"].split("\n") if line not in edit["search"].split("\n")]
    more = [f"… {len(added) - SHOWN} more lines"] if len(added) > SHOWN else []
    return Done(
        f"Documented {count} in {path}, from names, signatures and calls alone. Read them: what it is for, only you "
        "know.\n\n" + "\n".join(("```", *added[:SHOWN], *more, "```")),
        sure=True,
    )
