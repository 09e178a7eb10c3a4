"""Tool calls that a model wrote into its words, in the forms that families of models are trained on; pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from attache.providers.foreign import fields, said
from attache.providers.loose_json import Unreadable, read, read_at

Schemas = Mapping[str, Mapping[str, Any]]
"""The tools on offer: names, and the schemas of their arguments."""
Pair = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in a text: the words that are left, the calls, and what was meant as a call and cannot be read."""

    text: str
    calls: tuple[Pair, ...] = ()
    broken: str = ""


_NAMES = ("name", "tool", "tool_name", "function_name", "function", "action", "recipient_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "tool_input", "action_input", "params", "kwargs")
_ONE = r"(?P<body>.*?)"
_MARKED = (
    re.compile(rf"<(?P<tag>tool_call|function_call|tool|tool_use)>\s*{_ONE}\s*(?:</(?P=tag)>|\Z)", re.DOTALL),
    re.compile(rf"<\|tool_call(?:_begin|_start)?\|?>\s*{_ONE}\s*(?:<\|?/?tool_call(?:_end)?\|?>|\Z)", re.DOTALL),
    re.compile(rf"<[｜|]tool[▁_]call[▁_]begin[｜|]>\s*{_ONE}\s*(?:<[｜|]tool[▁_]call[▁_]end[｜|]>|\Z)", re.DOTALL),
    re.compile(rf"(?P<wrap><function=)\s*{_ONE}\s*(?:</function>|\Z)", re.DOTALL),
    re.compile(rf"(?P<invoke><invoke\s+name=)\s*{_ONE}\s*(?:</invoke>|\Z)", re.DOTALL),
    re.compile(rf"\[TOOL_CALLS\]\s*{_ONE}\s*(?=\[TOOL_CALLS\]|\Z)", re.DOTALL),
    re.compile(rf"<\|python_tag\|>\s*{_ONE}\s*(?:<\|eom_id\|>|<\|eot_id\|>|\Z)", re.DOTALL),
    re.compile(
        rf"(?:<\|start\|>assistant)?<\|channel\|>\s*\w*\s*to=(?:functions\.)?{_ONE}\s*(?:<\|call\|>|<\|end\|>|\Z)",
        re.DOTALL,
    ),
    re.compile(rf"```(?:tool|tool_call|tool_code|function_call)[ \t]*\n{_ONE}\s*(?:```|\Z)", re.DOTALL),
)
"""Marks that mean a call and nothing else, wherever they stand."""
_FENCED = re.compile(r"```[ \t]*(?P<kind>[\w-]*)[ \t]*\n(?P<body>.*?)\n?[ \t]*(?:```|\Z)\s*\Z", re.DOTALL)
_CLOSED = re.compile(r"(?:</\w+>|<[^\s<>]*[｜|]>|```)\s*\Z")
_QUOTED = re.compile(r"```(?!tool|function_call)[^\n]*\n.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_LEFTOVER = re.compile(
    r"```\w*\s*```|</?(?:tool_calls?|function_calls?|tools?)>|<[｜|]tool[▁_]calls(?:[▁_]section)?[▁_](?:begin|end)[｜|]>"
    r"|<\|tool_calls_section_(?:begin|end)\|>"
)
_REASONING = re.compile(r"\A\s*<(think|thinking|reasoning|thought)>.*?</\1>[ \t]*\n?", re.DOTALL)
_QUOTATION = frozenset("`\"'“„«")
_NAMED = re.compile(
    r"(?:function\s*<[｜|]tool[▁_]sep[｜|]>\s*)?(?:functions\.)?(?P<name>[\w.-]+)(?::\d+)?(?P<rest>.*)", re.DOTALL
)
_BEFORE_ARGUMENTS = re.compile(
    r"\s*(?:<[｜|]tool[▁_]call[▁_]argument[▁_]begin[｜|]>|<[｜|]tool[▁_]sep[｜|]>|\[ARGS\]|<\|constrain\|>\s*\w+|<\|message\|>|```\w*|[>:\s])*"
)
_PARAMETER = re.compile(
    r"<parameter(?:=|\s+name=)[\"']?(?P<name>[\w.-]+)[\"']?\s*>(?P<value>.*?)(?:</parameter>|(?=<parameter[=\s])|\Z)",
    re.DOTALL,
)
_PAIR = re.compile(r"<arg_key>\s*(?P<name>.*?)\s*</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.DOTALL)


def find(text: str, tools: Schemas, *, complete: bool = True) -> Found:
    """Return the calls in `text`. `complete` says that the answer came to its end: else what is cut off is left out."""
    if any(mark in text for mark in ("<", "[TOOL_CALLS]", "```")):
        found = _marked(text, tools, complete=complete)
        if found.calls or found.broken:
            return found
    if not complete:
        return Found(text)
    for form in (_own_tags, _at_the_end, _whole):
        found = form(text, tools)
        if found.calls:
            return found
    return Found(text)


def _marked(text: str, tools: Schemas, *, complete: bool) -> Found:
    calls: list[Pair] = []
    broken = ""
    for pattern in _MARKED:
        rest: list[str] = []
        at = 0
        quoted = [span.span() for span in _QUOTED.finditer(text) if text[span.end() :].strip()]
        for match in pattern.finditer(text):
            if _is_quoted(text, match.start(), quoted):
                continue
            if not complete and match.end() == len(text) and not _CLOSED.search(match[0]):
                continue  # the answer may have been cut off inside it
            rest.append(text[at : match.start()])
            at = match.end()
            xml = "wrap" in pattern.groupindex or "invoke" in pattern.groupindex
            made = _calls(("<function=" if xml else "") + match["body"], tools)
            calls += made
            broken = broken or ("" if made else match[0].strip())
        if at:
            text = "".join([*rest, text[at:]])
    return Found(_LEFTOVER.sub("", text).strip() if calls or broken else text, tuple(calls), broken)


def _is_quoted(text: str, place: int, quoted: list[tuple[int, int]]) -> bool:
    """Say whether what stands there is shown, not meant: in code with words behind it, or in quotation marks."""
    return text[place - 1 : place] in _QUOTATION or any(start < place < end for start, end in quoted)


def _own_tags(text: str, tools: Schemas) -> Found:
    """Take `<read><path>a</path></read>`: a tool's own name as a tag, with its arguments as tags."""
    calls: list[Pair] = []

    def take(match: re.Match[str]) -> str:
        name = match["tool"]
        known = fields(tools[name].get("properties"))
        inner = re.compile(
            rf"<(?P<name>{'|'.join(map(re.escape, known)) or '-'})>(?P<value>.*?)</(?P=name)>", re.DOTALL
        )
        calls.append((name, _typed(name, inner.finditer(match["body"]), tools)))
        return ""

    names = "|".join(map(re.escape, tools)) or "-"
    rest = re.sub(rf"^[ \t]*<(?P<tool>{names})>{_ONE}</(?P=tool)>", take, text, flags=re.DOTALL | re.MULTILINE)
    return Found(rest.strip(), tuple(calls)) if calls else Found(text)


def _at_the_end(text: str, tools: Schemas) -> Found:
    """Take a fenced block that ends the answer: what follows it, or stands in the midst, was meant to be read."""
    match = _FENCED.search(text)
    if match is None:
        return Found(text)
    made = [call for call in _calls(match["body"], tools) if call[0] in tools]
    return Found(text[: match.start()].strip(), tuple(made)) if made else Found(text)


def _whole(text: str, tools: Schemas) -> Found:
    """Take a text that is a call, or several, and nothing else but words before an object that names a tool."""
    start = min((place for place in (text.find("{"), text.find("[")) if place >= 0), default=-1)
    stripped = text.strip()
    if re.match(r"\[?\s*[\w.]+\(", stripped):
        made = _python(stripped, tools)
        return Found("", tuple(made)) if made else Found(text)
    if start < 0:
        return Found(text)
    made = [call for call in _calls(text[start:], tools) if call[0] in tools]
    return Found(text[:start].strip(), tuple(made)) if made else Found(text)


def _calls(body: str, tools: Schemas) -> list[Pair]:
    """Return the calls that stand in a marked piece of text, none where it cannot be read."""
    body = body.strip()
    for form in _FORMS:
        if made := form(body, tools):
            return [(_known(name, tools), without_reasoning(given)) for name, given in made]
    return []


def _known(name: str, tools: Schemas) -> str:
    """Return the tool that a name means, whatever its case; the name itself where there is none."""
    return name if name in tools else next((tool for tool in tools if tool.casefold() == name.casefold()), name)


def without_reasoning(given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments without the reasoning that some models begin them with: it must reach no file and no shell."""

    def clean(value: Any) -> Any:
        if isinstance(value, list):
            return [clean(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: clean(item) for key, item in cast("dict[str, Any]", value).items()}
        return _REASONING.sub("", value) if isinstance(value, str) else value

    return fields(clean(given))


def _objects(body: str, tools: Schemas) -> list[Pair]:
    """Read one object, a list of them, or several behind each other."""
    if body[:1] not in {"{", "["}:
        return []
    calls: list[Pair] = []
    at = 0
    try:
        while body[at:].strip(" \t\r\n,;"):
            at += len(body[at:]) - len(body[at:].lstrip(" \t\r\n,;"))
            value, at = read_at(body, at)
            items = cast("list[Any]", value) if isinstance(value, list) else [value]
            made = [_of_object(fields(item), tools) for item in items]
            calls += [call for call in made if call is not None]
            if None in made or not made:
                return []
    except Unreadable:
        return []
    return calls


def _of_object(item: dict[str, Any], tools: Schemas) -> Pair | None:
    inner = fields(item.get("function"))
    if inner:
        item = {**item, **inner}
    name = next((text for key in _NAMES if (text := said(item.get(key)))), "").removeprefix("functions.")
    key = next((key for key in _ARGUMENTS if key in item), "")
    if not name or (not key and name not in tools):
        return None
    given: Any = item.get(key, {})
    if isinstance(given, str):
        try:
            given = read(given) if given.strip() else {}
        except Unreadable:
            return None
    return (name, fields(given)) if isinstance(given, dict) or given is None else None


def _xml(body: str, tools: Schemas) -> list[Pair]:
    """Read `<function=name>` and `<invoke name="name">`, with a tag for each parameter."""
    if "<function=" not in body:
        return []
    calls: list[Pair] = []
    for piece in body.split("<function=")[1:]:
        name, closed, rest = piece.partition(">")
        if not closed:
            return []
        name = name.strip(" \"'\n")
        rest = rest.partition("</function>")[0].strip()
        if rest.startswith("{"):
            calls += _objects(f'{{"name": "{name}", "arguments": {rest}}}', tools)
        else:
            calls.append((name, _typed(name, _PARAMETER.finditer(rest), tools)))
    return calls


def _keyed(body: str, tools: Schemas) -> list[Pair]:
    """Read a name, and keys and values in tags of their own."""
    if "<arg_key>" not in body:
        return []
    name = body.partition("<arg_key>")[0].strip()
    return [(name, _typed(name, _PAIR.finditer(body), tools))] if re.fullmatch(r"[\w.-]+", name) else []


def _name_first(body: str, tools: Schemas) -> list[Pair]:
    """Read a name with its arguments as JSON behind it."""
    match = _NAMED.match(body)
    if match is None:
        return []
    rest = _BEFORE_ARGUMENTS.sub("", match["rest"], count=1).strip().removesuffix("```").strip()
    if not rest:
        return [(match["name"], {})] if match["name"] in tools else []
    if not rest.startswith("{"):
        return []
    try:
        value, end = read_at(rest, 0)
    except Unreadable:
        return []
    return [(match["name"], fields(value))] if not rest[end:].strip("`|<> \n") else []


def _python(body: str, tools: Schemas) -> list[Pair]:
    """Read calls as Python writes them, with values that are plain."""
    try:
        tree = ast.parse(body.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    nodes = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
    calls = [_of_python(node, tools) for node in nodes]
    return [call for call in calls if call is not None] if None not in calls else []


def _of_python(node: ast.expr, tools: Schemas) -> Pair | None:
    if not isinstance(node, ast.Call):
        return None
    name = ast.unparse(node.func).rpartition(".")[2]
    if name not in tools:
        return None
    places = list(fields(tools[name].get("properties")))
    try:
        given = {place: ast.literal_eval(value) for place, value in zip(places, node.args, strict=False)}
        given |= {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    except (ValueError, TypeError, SyntaxError):
        return None
    return (name, given) if len(node.args) <= len(places) else None


_FORMS: tuple[Callable[[str, Schemas], list[Pair]], ...] = (_objects, _xml, _keyed, _python, _name_first)


def _typed(name: str, matches: Iterable[re.Match[str]], tools: Schemas) -> dict[str, Any]:
    """Return arguments that came as text in the types that the tool's schema wants."""
    known = fields(tools.get(name, {}).get("properties"))
    values: dict[str, Any] = {}
    for match in matches:
        text = match["value"].removeprefix("\n").removesuffix("\n")
        schema = fields(known.get(match["name"]))
        kinds = {schema.get("type"), *(fields(kind).get("type") for kind in schema.get("anyOf", ()))}
        values[match["name"]] = text
        if "string" not in kinds and kinds != {None}:
            try:
                values[match["name"]] = read(text.strip())
            except Unreadable:
                continue
    return values
