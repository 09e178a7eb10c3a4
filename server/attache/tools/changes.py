"""What an edit came to, in words: the lines as they stand now, and the diagnostics that are new."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attache.schema.documents import Diagnostic, Place
from attache.schema.edits import FileOutcome, Landed
from attache.schema.errors import ToolError
from attache.schema.tools import ToolOutput
from attache.tools.diagnostics import check
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
    news = await asyncio.gather(*(_news(ctx, each) for each in landed.files))
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


async def _news(ctx: Context, outcome: FileOutcome) -> News:
    if outcome.after is None:
        return News()
    try:
        before, after = await asyncio.gather(
            check(ctx, outcome.path, outcome.before or ""), check(ctx, outcome.path, outcome.after)
        )
    except ToolError as error:
        return News(trouble=error.message)  # the edit stands all the same
    known = Counter(map(_sort, before))
    fresh: list[Diagnostic] = []
    for each in after:
        known[_sort(each)] -= 1
        if known[_sort(each)] < 0:
            fresh.append(each)
    return News(tuple(fresh), sum(left for left in known.values() if left > 0))


def _sort(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.code, diagnostic.message


def _verdict(news: Iterable[News]) -> str:
    news = tuple(news)
    lines = [finding(diagnostic) for each in news for diagnostic in each.fresh]
    cured = sum(each.cured for each in news)
    head = counted(len(lines), "new diagnostic") if lines else "no new diagnostics"
    gone = f", {cured} gone" if cured else ""
    trouble = [f"(not checked: {each.trouble})" for each in news if each.trouble]
    shown = [listed(lines, FINDINGS_SHOWN, "see diagnostics")] if lines else []
    return "\n".join((f"{head}{gone}{':' if lines else ''}", *shown, *trouble))
