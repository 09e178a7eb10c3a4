"""Review files, or what was changed in them, by linters and rules that need no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.schema.documents import Diagnostic, Place
from attache.schema.errors import FileMissing, FileSkipped, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.analysis.review_rules import Finding, Reviewed, found, is_test, of, why_of
from attache.tools.analysis.risks import risks
from attache.tools.diagnostics import check
from attache.tools.git.changed_lines import Changes
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, listed

SHOWN = 60
COMMON = frozenset({"S101", "S105", "S106", "S107", "S311", "S404", "S603", "S606", "S607"})
"""Risks that most programs take knowingly, and those that the review finds by other rules."""
CAUSED = frozenset({"long-function", "complex-function", "duplicate", "missing-test", "secret"})
"""What is found by the changed lines themselves."""
RUFF_CODE = re.compile(r"S\d+")
WHY = "With text from outside it does what others want: say why it is safe here."
TROUBLES_SHOWN = 3
PICTURES = re.compile(
    r"\.(?:png|jpe?g|gif|ico|webp|svgz?|pdf|woff2?|ttf|otf|zip|gz|mp[34]|wav|bin|so|dll|exe|class|jar)$"
)
"""Files that nobody reviews as text: they are passed over, and nothing is said of it."""
FILE_BYTES = 2_000_000
"""A file larger than this is named and left: no person wrote it."""
_GRAVE = {"error": 0, "warning": 1, "information": 2, "hint": 3}


class Done(NamedTuple):
    """What a review came to."""

    files: int
    findings: tuple[Finding, ...]
    troubles: tuple[str, ...]
    """What could not be looked at, and why."""


@tool(aliases=("code_review",))
async def review(
    ctx: Context,
    paths: Annotated[list[str] | None, Field(description="Files or folders, whole; else what is changed.")] = None,
    base: Annotated[str, Field(description="Review what was changed since this branch or commit.")] = "",
    codes: Annotated[list[str] | None, Field(description="Only findings with these codes.")] = None,
    start_line: Annotated[int | None, Field(ge=1, description="Only from this line on.")] = None,
    end_line: Annotated[int | None, Field(ge=1, description="Only up to this line.")] = None,
) -> ToolOutput:
    """Find what stands out in changed lines or whole files: faults, risks, secrets, complexity, copies, TODOs."""
    done = await reviewed(ctx, paths or (), base)
    findings = [
        each
        for each in done.findings
        if (not codes or each.code in codes)
        and (start_line is None or each.end_line >= start_line)
        and (end_line is None or each.line <= end_line)
    ]
    findings.sort(key=lambda each: (_GRAVE[each.severity], each.path, each.line))
    looked = counted(done.files, "file" if paths and not base else "changed file")
    rows = [f"{each.path}:{each.line} {each.severity} [{each.code}] {each.what} {each.why}" for each in findings]
    head = f"{counted(len(rows), 'finding')} in {looked}" if rows else f"nothing found in {looked}"
    return ToolOutput(
        text="\n".join((head, *([listed(rows, SHOWN, "name fewer files, or codes")] if rows else []), *done.troubles)),
        title=head,
        places=tuple(Place(path=each.path, line=each.line, end_line=each.end_line) for each in findings[:SHOWN]),
        data={"findings": [each.model_dump() for each in findings], "files": done.files},
    )


async def reviewed(ctx: Context, named: Sequence[str], base: str) -> Done:
    """Review the files that are named, whole; else those changed since `base`, or since the last commit.

    Raises UserError where a name means no file, or there is nothing to compare with.
    """
    here = ctx.workspace.roots[0].path
    known = await ctx.workspace.files()
    if named and not base:
        changes, wanted = None, dict[str, frozenset[int] | None].fromkeys(_below(named, known, here))
    else:
        changes = await Changes.since(here, base)
        wanted: dict[str, frozenset[int] | None] = {**await changes.lines(named)}
    findings: list[Finding] = []
    troubles: list[str] = []
    for path in sorted(wanted):
        findings += await _file(ctx, path, wanted[path], known, changes, troubles)
    if len(troubles) > TROUBLES_SHOWN:
        troubles = [*troubles[:TROUBLES_SHOWN], f"skipped {counted(len(troubles) - TROUBLES_SHOWN, 'file')} more"]
    return Done(len(wanted), tuple(findings), tuple(troubles))


def _below(named: Sequence[str], known: Sequence[str], here: Path) -> list[str]:
    """Return the files that the names mean. Raises FileMissing for one that means none."""
    found: list[str] = []
    for name in named:
        path = Path(name)
        if path.is_absolute() and path.is_relative_to(here):
            path = path.relative_to(here)
        shown = path.as_posix()
        below = [each for each in known if shown in {".", each} or each.startswith(shown + "/")]
        if not below and not (here / path).is_file():
            raise FileMissing(
                f"{name}: no such file here, and no folder with files", hint="see what there is: git status"
            )
        found += [each for each in below if not PICTURES.search(each)] if below != [shown] else [shown]
        found += [] if below else [shown]
    return found


async def _file(
    ctx: Context,
    path: str,
    new: frozenset[int] | None,
    known: Sequence[str],
    changes: Changes | None,
    troubles: list[str],
) -> list[Finding]:
    try:
        text = (await ctx.workspace.read(path)).text
    except FileSkipped as error:
        troubles.append(f"skipped {error.message}")
        return []
    if len(text) > FILE_BYTES:
        troubles.append(f"skipped {path}: larger than {FILE_BYTES // 1_000_000} MB")
        return []
    file = Reviewed(path, text, new, known)
    try:
        told = await check(ctx, path, text)
        risky = [] if is_test(path) else await risks(ctx, path, text)
        old: Counter[tuple[str, str]] = Counter()
        if changes and any(each.severity == "error" and not file.has(each.place.line) for each in told):
            old.update((each.code, each.message) for each in await check(ctx, path, await changes.before(path)))
    except ToolError as error:
        troubles.append(error.message)
        told, risky, old = (), [], Counter[tuple[str, str]]()
    kept = [each for each in told if file.has(each.place.line)]
    for each in told:
        if each not in kept and each.severity == "error":  # what the change broke where it did not touch
            old[each.code, each.message] -= 1
            kept += [each] if old[each.code, each.message] < 0 else []
    calls = [_risk(each) for each in risky if each.code not in COMMON and file.has(each.place.line)]
    findings = list(dict.fromkeys([*map(of, kept), *calls, *found(file)]))
    if changes and any(each.code not in CAUSED for each in findings):
        findings = await _caused(ctx, file, await changes.before(path), findings)
    return sorted(findings, key=lambda each: (each.line, each.column, each.code))


async def _caused(ctx: Context, file: Reviewed, before: str, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings without those that stood as often before the change, on lines that were only rewritten."""
    had, has = [await _counted(ctx, file, text) for text in (before, file.text)]
    return [each for each in findings if each.code in CAUSED or has[_key(each)] > had[_key(each)]]


async def _counted(ctx: Context, file: Reviewed, text: str) -> Counter[tuple[str, str]]:
    """Count what a whole text has of findings that say nothing of the change."""
    whole = file._replace(text=text, new=None)
    risky = [] if is_test(file.path) else await risks(ctx, file.path, text)
    told = await check(ctx, file.path, text) if text else ()
    return Counter(_key(each) for each in (*map(of, told), *map(_risk, risky), *found(whole)))


def _key(each: Finding) -> tuple[str, str]:
    return each.code, each.what


def _why(each: Diagnostic) -> str:
    return why_of(each.code) if RUFF_CODE.fullmatch(each.code) else WHY


def _risk(each: Diagnostic) -> Finding:
    line = each.place.line
    what = f"{each.message.rstrip('.')}."
    return Finding(
        path=each.place.path, line=line, end_line=line, severity="warning", code="risky-call", what=what, why=_why(each)
    )
