"""What an edit came to, in words: the lines as they stand now, and the diagnostics that are new."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from attache.schema.documents import Diagnostic, Place
from attache.schema.edits import FileOutcome, Landed
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.diagnostics import check, merged
from attache.tools.tool import Context
from attache.tools.wording import cited, counted, finding, lines_of, listed, numbered
from attache.workspace.documents import split_lines
from attache.workspace.lines import LineChange, changed

AROUND = 2
"""Lines shown before and behind what changed."""
LINES_SHOWN = 80
FINDINGS_SHOWN = 20


class News(NamedTuple):
    """What a change did to the findings in a file."""

    fresh: tuple[Diagnostic, ...] = ()
    cured: int = 0
    trouble: str = ""
    """Why nothing could be found out."""


async def told(ctx: Context, landed: Landed) -> ToolOutput:
    """Return what a step that landed says for itself."""
    news = await _news(ctx, landed.files)
    sizes = [_size(each) for each in landed.files]
    change = f"−{sum(removed for removed, _ in sizes)} +{sum(added for _, added in sizes)}"
    what = landed.files[0].path if len(landed.files) == 1 else counted(len(landed.files), "file")
    reviewed = ctx.settings.review == "after" and ctx.workspace.editor is not None
    title = f"{what} {change}" + (" · pending review" if reviewed else "")
    return ToolOutput(
        text="\n".join((title, *map(_lines_now, landed.files), _verdict(news))),
        title=title,
        places=tuple(place for each in landed.files for place in _places(each)),
        change_set=landed.change_set.id,
        data={
            "change_set": landed.change_set.id,
            "files": [{"path": each.path, "uri": each.uri, "version": each.version} for each in landed.files],
            "new_diagnostics": [diagnostic.model_dump() for each in news for diagnostic in each.fresh],
        },
    )


def _changes(outcome: FileOutcome) -> list[LineChange]:
    return changed(split_lines(outcome.before or ""), split_lines(outcome.after or ""))


def _size(outcome: FileOutcome) -> tuple[int, int]:
    changes = _changes(outcome)
    return sum(each.end - each.start for each in changes), sum(each.new_end - each.new_start for each in changes)


def _places(outcome: FileOutcome) -> Iterator[Place]:
    for change in _changes(outcome):
        yield cited(outcome.path, change.new_start + 1, change.new_end)


def _lines_now(outcome: FileOutcome) -> str:
    """Return the changed lines and those around them as they stand, numbered."""
    lines, changes = lines_of(outcome.after or ""), _changes(outcome)
    shown: list[str] = []
    reached = 0
    for change in changes:
        first, last = max(change.new_start - AROUND, reached), min(change.new_end + AROUND, len(lines))
        if shown and first > reached:
            shown.append("…")
        shown += [numbered([line], number) for number, line in enumerate(lines[first:last], first + 1)]
        reached = max(last, reached)
    head = f"{outcome.path} now says\n" if shown else f"{outcome.path} is gone\n" if outcome.after is None else ""
    return head + listed(shown, LINES_SHOWN, "read the file")


async def _news(ctx: Context, outcomes: Sequence[FileOutcome]) -> list[News]:
    """Return what the change did to the findings in each file: by linter and grammar, and by the language servers."""
    by_rule = await asyncio.gather(*(_by_rule(ctx, each) for each in outcomes))
    by_server = await _by_server(ctx, outcomes)
    told = [await ctx.findings(each.path) if each.after is not None else () for each in outcomes]
    news = [
        _together(rule, by_server.get(each.path, News()), _near(said, each))
        for each, rule, said in zip(outcomes, by_rule, told, strict=True)
    ]
    return [*news, *(each for path, each in by_server.items() if not path)]


async def _by_rule(ctx: Context, outcome: FileOutcome) -> News:
    if outcome.after is None:
        return News()
    try:
        before, after = await asyncio.gather(
            check(ctx, outcome.path, outcome.before or ""), check(ctx, outcome.path, outcome.after)
        )
    except ToolError as error:
        return News(trouble=error.message)  # the edit stands all the same
    return _compared(before, after)


async def _by_server(ctx: Context, outcomes: Sequence[FileOutcome]) -> dict[str, News]:
    """Return what language servers of ours say is new in each file; under no path, what they could not say."""
    if ctx.servers is None:
        return {}
    texts = {each.path: each.after for each in outcomes if each.after is not None}
    before = await ctx.servers.check({each.path: each.before or "" for each in outcomes if each.path in texts})
    after = await ctx.servers.check({path: text for path, text in texts.items() if path in before.found})
    news = {path: _compared(before.found[path], found) for path, found in after.found.items()}
    trouble = ctx.servers.news((*before.trouble, *after.trouble))
    return {**news, "": News(trouble="; ".join(trouble))} if trouble else news


def _compared(before: Iterable[Diagnostic], after: Iterable[Diagnostic]) -> News:
    known = Counter(map(_kind, before))
    fresh: list[Diagnostic] = []
    for each in after:
        known[_kind(each)] -= 1
        if known[_kind(each)] < 0:
            fresh.append(each)
    return News(tuple(fresh), sum(left for left in known.values() if left > 0))


def _kind(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.code, diagnostic.message


def _together(rule: News, server: News, told: Iterable[Diagnostic]) -> News:
    """Return all that is new, each finding once: several may have made it."""
    fresh = merged(rule.fresh, server.fresh, told)
    return News(fresh, max(rule.cured, server.cured), rule.trouble)


def _near(told: Iterable[Diagnostic], outcome: FileOutcome) -> list[Diagnostic]:
    """Return what the editor's own servers say by now of the lines that changed: errors, since the rest may be old."""
    spans = [(change.new_start + 1, change.new_end) for change in _changes(outcome)]
    return [
        each for each in told
        if each.severity == "error" and any(first <= each.place.line <= last for first, last in spans)
    ]  # fmt: skip


def _verdict(news: Iterable[News]) -> str:
    news = tuple(news)
    lines = [finding(diagnostic) for each in news for diagnostic in each.fresh]
    cured = sum(each.cured for each in news)
    head = counted(len(lines), "new diagnostic") if lines else "no new diagnostics"
    gone = f", {cured} gone" if cured else ""
    trouble = [f"(not checked: {each.trouble})" for each in news if each.trouble]
    shown = [listed(lines, FINDINGS_SHOWN, "see diagnostics")] if lines else []
    return "\n".join((f"{head}{gone}{':' if lines else ''}", *shown, *trouble))
