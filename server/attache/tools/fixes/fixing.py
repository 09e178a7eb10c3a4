"""Fix what rules can fix: no model is needed where a linter or a rule of ours knows the cure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field

from attache.schema.documents import Diagnostic
from attache.schema.edits import EditFile, TextEdit
from attache.schema.errors import EditRefused
from attache.schema.tools import ToolOutput
from attache.tools.changes import told
from attache.tools.diagnostics import check, merged
from attache.tools.files.files import FilePath
from attache.tools.fixes.cures import UNSAFE_ALLOWED, cured
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, finding, listed
from attache.workspace.documents import split_lines
from attache.workspace.edits import apply, diff, line_starts

ROUNDS = 4
"""A cure may uncover a finding; after these rounds the rest is left."""
SHOWN = 20
_QUOTED = re.compile(r"[`'\"](\w+)[`'\"]")
_UNUSED = re.compile(r"\b(?:unused|never (?:read|used)|not used|not accessed)\b")


@tool(category="editing", effect="workspace", aliases=("autofix", "lint_fix"))
async def fix(
    ctx: Context,
    path: FilePath,
    line: Annotated[int | None, Field(ge=1, description="Only what is found on this line.")] = None,
    codes: Annotated[list[str] | None, Field(description="Only findings with these codes.")] = None,
) -> ToolOutput:
    """Apply the known cures to a file: unused and missing imports, unused variables, what its linter can fix."""
    before = await ctx.workspace.read(path)
    told_by_editor = await ctx.findings(before.path)
    text, done, left = before.text, list[Diagnostic](), list[Diagnostic]()
    checked = known = await check(ctx, before.path, text)
    for number in range(ROUNDS):
        found = await cured(ctx, text, merged(checked, told_by_editor if number == 0 else ()))
        wanted = [each for each in found if _is_wanted(each, line, codes, first=number == 0)]
        taken, edits = _choose(text, wanted, exact=line is not None)
        left = [each for each in wanted if each not in taken]
        if not taken:
            break
        text, done = apply(text, edits), [*done, *taken]
        checked = await check(ctx, before.path, text)
        if line is not None:
            break
    if not done:
        return _nothing(before.path, left, line)
    _refuse_worse(before.path, known, checked)
    change = EditFile(
        uri=before.uri, base_hash=before.hash, base_version=before.version, edits=diff(before.text, text)
    )  # fmt: skip
    titles = list(dict.fromkeys(each.fix_title or each.message for each in done))
    more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    output = await told(ctx, await ctx.land(titles[0] + more, (change,)))
    rows = [f"- {title}" for title in titles]
    rest = "\nleft, without a cure that is sure:\n" + _rows(left) if left else ""
    head = f"{before.path}: fixed {counted(len(done), 'finding')}\n" + listed(rows, SHOWN, "see the diff")
    return output.model_copy(update={"text": f"{head}{rest}\n\n{output.text}"})


def _refuse_worse(path: str, before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> None:
    """Raise EditRefused where there is more to find than there was: a cure that brings a fault is none."""
    if len(after) > len(before):
        known = {(each.code, each.message) for each in before}
        worst = next((each for each in after if (each.code, each.message) not in known), after[-1])
        raise EditRefused(
            f"the cures for {path} would bring {finding(worst)}; nothing was changed",
            hint="name a line, to cure one finding alone",
        )


def _is_wanted(each: Diagnostic, line: int | None, codes: Sequence[str] | None, *, first: bool) -> bool:
    if codes and each.code not in codes:
        return False
    return line is None or (first and each.place.line <= line <= (each.place.end_line or each.place.line))


def _choose(text: str, found: Sequence[Diagnostic], *, exact: bool) -> tuple[list[Diagnostic], tuple[TextEdit, ...]]:
    """Return the findings whose cures can be made together, and the edits; unsafe ones only where a line was named."""
    starts = line_starts(split_lines(text))
    taken: list[Diagnostic] = []
    edits: list[TextEdit] = []
    for each in found:
        if not each.fix or not (each.safe or exact or each.code in UNSAFE_ALLOWED) or _is_contested(each, found):
            continue
        wanted = edits_of(each, starts, len(text))
        fresh = [edit for edit in wanted if edit not in edits]
        if all(_apart(edit, other) for edit in fresh for other in edits):
            taken.append(each)
            edits += fresh
    return taken, tuple(sorted(edits, key=lambda edit: (edit.start, edit.end)))


def _is_contested(each: Diagnostic, found: Iterable[Diagnostic]) -> bool:
    """Whether something is unused that another finding names: a misspelt use is cured first, not its definition."""
    name = _QUOTED.search(each.message)
    if name is None or not _UNUSED.search(each.message):
        return False
    spoken = rf"[`'\"]{re.escape(name[1])}[`'\"]"
    return any(re.search(spoken, other.message) for other in found if not _UNUSED.search(other.message))


def edits_of(diagnostic: Diagnostic, starts: Sequence[int], length: int) -> list[TextEdit]:
    """Return a finding's cure as edits; `starts` are the offsets of the text's lines, `length` is that of the text."""

    def offset(line: int, column: int) -> int:
        return min(starts[line - 1] + column - 1, length) if line <= len(starts) else length

    return [
        TextEdit(start=offset(each.line, each.column), end=offset(each.end_line, each.end_column), text=each.text)
        for each in diagnostic.fix
    ]


def _apart(one: TextEdit, other: TextEdit) -> bool:
    return one.end < other.start or other.end < one.start


def _nothing(path: str, left: Sequence[Diagnostic], line: int | None) -> ToolOutput:
    where = f"{path}:{line}" if line else path
    if not left:
        return ToolOutput(text=f"{where}: nothing is found to be wrong", title=f"{where} · nothing to fix")
    text = f"{where}: no rule has a cure that is sure for\n{_rows(left)}"
    return ToolOutput(text=text, title=f"{where} · no cure known", places=tuple(each.place for each in left))


def _rows(found: Sequence[Diagnostic]) -> str:
    return listed([finding(each) for each in found], SHOWN, "see diagnostics")
