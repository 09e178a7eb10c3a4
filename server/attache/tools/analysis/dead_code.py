"""Definitions that nothing in the workspace says again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.schema.code import Symbol
from attache.schema.tools import ToolOutput
from attache.tools.analysis.hierarchy import kinds_in
from attache.tools.paging import Offset, paged
from attache.tools.survey import apart, survey, symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted

_WORD = re.compile(r"[^\W\d]\w*")
_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|testing|__tests__)/|(?:^|/)(?:test_|conftest)|[._-](?:test|spec)\.|_test\."
)
_KINDS = frozenset({"function", "method", "class", "interface", "enum", "struct", "trait", "type", "constant", "macro"})
_ENTRIES = frozenset({"main", "init", "setup", "teardown", "handler", "constructor", "default", "new", "drop", "fmt"})
_CALLED = re.compile(
    r"visit_\w|leave_\w|depart_\w|generic_visit$|do_[A-Z]+$|handle_\w|on_\w|on[A-Z]|pytest_\w|test|_\w+_$"
    r"|(?:async)?(?:set[Uu]p|tear[Dd]own)(?:Class|Module|_class|_module|_method|TestData)?$|ng[A-Z]|component[A-Z]|use[A-Z]"
)
"""Names by which frameworks call what they were never given: visitors, request methods, test fixtures, hooks."""
_MARKED = re.compile(r"^\s*(?:@|#\[|\[)")
_EXPORTED = re.compile(r"\b(?:export|pub|public|module\.exports)\b")

Confidence = Literal["high", "medium", "low"]
_ORDER: tuple[Confidence, ...] = ("high", "medium", "low")


class Dead(NamedTuple):
    """A definition that nothing refers to, as far as words tell, and how sure that is."""

    symbol: Symbol
    confidence: Confidence
    why: str


@tool(category="analysis", aliases=("unused_code", "find_dead_code"), pure=True)
async def dead_code(
    ctx: Context,
    path: Annotated[str, Field(description="File or folder to look in; uses anywhere count.")] = "",
    confidence: Annotated[Confidence, Field(description="The least sure to show.")] = "medium",
    offset: Offset = 0,
) -> ToolOutput:
    """Find functions, classes and constants whose name stands nowhere else in the workspace, tests included.

    high: private, or its file's own affair. medium: it could be used from outside, or a string says its name.
    low: a decorator, a framework or a naming rule may reach it. Check before deleting.
    """
    everywhere = await survey(ctx)
    shown = ctx.workspace.shown(ctx.workspace.uri(path)).removeprefix(".") if path else ""
    if path:
        await survey(ctx, path)  # says what is wrong with it
    others = await _other_texts(ctx, set(everywhere.texts))

    def work() -> list[Dead]:
        return list(_dead(everywhere.texts, others, shown))

    found = [each for each in await apart(work) if _ORDER.index(each.confidence) <= _ORDER.index(confidence)]
    found.sort(key=lambda each: (_ORDER.index(each.confidence), each.symbol.path, each.symbol.line))
    tally = Counter(each.confidence for each in found)
    what = path or "workspace"
    head = f"{what}: {counted(len(found), 'definition')} that nothing else names"
    head += f" ({', '.join(f'{tally[each]} {each}' for each in _ORDER if tally[each])})" if found else ""
    rows = [f"{one.path}:{one.line} {one.kind} {one.qualified} · {sure}: {why}" for one, sure, why in found]
    return ToolOutput(
        text="\n".join(part for part in (head, paged(rows, offset, limit=80) if rows else "", everywhere.note) if part),
        title=f"{what} · {counted(len(found), 'definition')} without a use",
        places=tuple(cited(each.symbol.path, each.symbol.line, each.symbol.end_line) for each in found[:30]),
        data={
            "found": [
                {"path": e.symbol.path, "line": e.symbol.line, "name": e.symbol.qualified, "kind": e.symbol.kind,
                 "confidence": e.confidence, "why": e.why}
                for e in found[offset : offset + 80]
            ],
            "total": len(found),
        },
    )  # fmt: skip


async def _other_texts(ctx: Context, read: set[str]) -> str:
    """Return the texts of settings and templates, which may name code as well."""
    from attache.schema.errors import FileSkipped

    parts: list[str] = []
    room = 2_000_000
    names = (".toml", ".cfg", ".ini", ".yaml", ".yml", ".json", ".html", ".jinja", ".jinja2", ".j2", ".vue", ".svelte")
    for path in await ctx.workspace.files():
        lock = "lock" in PurePosixPath(path).name
        if path in read or not path.endswith(names) or lock or room <= 0:
            continue
        try:
            text = (await ctx.workspace.read(path)).text
        except FileSkipped:
            continue
        parts.append(text[:room])
        room -= len(text)
    return "\n".join(parts)


def _dead(texts: dict[str, str], others: str, under: str) -> Iterator[Dead]:
    counts: Counter[str] = Counter()
    outside = set(_WORD.findall(others))
    code: dict[str, str] = {}
    for path, text in texts.items():
        code[path] = text
        counts.update(_WORD.findall(text))
    defined: Counter[str] = Counter()
    symbols: list[Symbol] = []
    for path, text in texts.items():
        for each in symbols_in(path, text):
            if each.kind in _KINDS:
                defined[each.name] += 1
                symbols.append(each)
    for each in symbols:
        inside = not under or each.path == under or each.path.startswith(f"{under}/")
        if not inside or _TEST.search(each.path) or counts[each.name] > defined[each.name] + _spoken(each, code):
            continue
        if each.name.startswith("__") or each.name in _ENTRIES or not _WORD.fullmatch(each.name):
            continue
        yield _judged(each, texts[each.path], defined[each.name], spoken=each.name in outside)


def _spoken(symbol: Symbol, code: dict[str, str]) -> int:
    """Return how often its own lines say a name again: in its doc, or calling itself."""
    lines = code[symbol.path].splitlines()[symbol.start_line - 1 : symbol.end_line]
    return max(len(re.findall(rf"\b{re.escape(symbol.name)}\b", "\n".join(lines))) - 1, 0)


def _strange_base(symbol: Symbol, text: str) -> str:
    """Return a base of a method's class, or of one of its bases, that its file does not define."""
    kinds = {each.name: each for each in kinds_in(symbol.path, text)}
    left, seen = [symbol.container.rpartition(".")[2]], set[str]()
    while left:
        name = left.pop()
        if name not in kinds:
            return name if seen else ""
        if name not in seen:
            seen.add(name)
            left += kinds[name].bases
    return ""


def _judged(symbol: Symbol, text: str, times: int, *, spoken: bool) -> Dead:
    lines = text.splitlines()
    first = lines[symbol.start_line - 1] if symbol.start_line <= len(lines) else ""
    above = lines[symbol.start_line - 2] if symbol.start_line > 1 else ""
    language = languages().of(symbol.path)
    if _MARKED.match(first) or _MARKED.match(above):
        return Dead(symbol, "low", "a decorator or attribute may register it")
    if spoken:
        return Dead(symbol, "low", "a settings file or template says the word")
    if symbol.kind == "method" and (strange := _strange_base(symbol, text)):
        return Dead(symbol, "low", f"its class is derived from {strange}, which may call it")
    if _CALLED.match(symbol.name.lstrip("_") if symbol.kind == "function" else symbol.name):
        return Dead(symbol, "low", "by its name a framework may call it")
    if symbol.kind == "method" and not symbol.name.startswith("_"):
        return Dead(symbol, "low" if times > 1 else "medium", "a method may override, or be called by a framework")
    if times > 1:
        return Dead(symbol, "medium", f"defined {times} times, and only there")
    if symbol.name.startswith("_"):
        return Dead(symbol, "high", "private, and nothing else says its name")
    exported = _EXPORTED.search(first) or (language is not None and language.name == "go" and symbol.name[0].isupper())
    if exported:
        return Dead(symbol, "medium", "exported, and nothing here says its name")
    if language is not None and language.name in {"python", "ruby", "php"}:
        return Dead(symbol, "medium", "public: nothing here says its name, others might")
    return Dead(symbol, "high", "not exported, and nothing else says its name")
