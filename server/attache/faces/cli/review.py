"""`attache review`: what stands out in a change, by linters and rules alone, for people, CI and code hosts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from attache import __version__
from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.schema.errors import EditRefused, UserError

if TYPE_CHECKING:
    from attache.schema.edits import FileChange, Landed
    from attache.tools.analysis.review_rules import Finding

LEVELS = {"error": "error", "warning": "warning", "information": "note", "hint": "note"}
GITHUB = {"error": "error", "warning": "warning", "information": "notice", "hint": "notice"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@app.command()
def review(
    paths: Annotated[list[str] | None, typer.Argument(help="Files or folders to review whole.")] = None,
    *,
    cwd: Cwd = Path(),
    branch: Annotated[
        str, typer.Option("--branch", metavar="BASE", help="Review all that was changed since BASE.")
    ] = "",
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Print annotations for GitHub Actions.")] = False,
    json_lines: Json = False,
) -> int:
    """Review what was changed here: what linters, and rules that need no model, find in the changed lines."""
    if sum((sarif, github, json_lines)) > 1:
        raise UserError("one format at a time", hint="choose --sarif, --github or --json")
    here = folder(cwd)
    files, findings = asyncio.run(_review(here, paths or [], branch))
    if sarif:
        print(json.dumps(as_sarif(findings), ensure_ascii=False, indent=2))
    elif github:
        for each in findings:
            print(as_annotation(each))
    elif json_lines:
        for each in findings:
            print_json(each.model_dump())
    else:
        _tell(findings, files, whole=bool(paths) and not branch)
    return 1 if any(each.severity == "error" for each in findings) else 0


async def _review(here: Path, named: Sequence[str], branch: str) -> tuple[int, list[Finding]]:
    """Return how many files were looked at, and what was found in them."""
    from attache.tools.analysis.reviewing import reviewed
    from attache.tools.tool import Context
    from attache.workspace.workspace import Workspace

    settings = settings_for(here)
    workspace = Workspace((here,), home=settings.home)
    try:
        context = Context(workspace=workspace, settings=settings, land=_never)
        done = await reviewed(context, named, branch)
        for trouble in done.troubles:
            sys.stderr.write(f"attache: {trouble}\n")
        return done.files, list(done.findings)
    finally:
        workspace.close()


async def _never(title: str, _files: Sequence[FileChange]) -> Landed:
    raise EditRefused(f"a review changes nothing: {title}")


# ---------------------------------------------------------------- shapes


def _tell(findings: Sequence[Finding], files: int, *, whole: bool) -> None:
    from attache.faces.cli.render import visible
    from attache.tools.wording import counted

    for each in findings:
        print(visible(f"{each.path}:{each.line}:{each.column} {each.severity} [{each.code}] {each.what}"))
        print(f"    {each.why}")
    looked = counted(files, "file" if whole else "changed file")
    errors = sum(each.severity == "error" for each in findings)
    if not findings:
        print(f"nothing found in {looked}")
    else:
        print(f"\n{counted(len(findings), 'finding')} in {looked} · {counted(errors, 'error')}")


def as_sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as a SARIF 2.1.0 log."""
    whys = {each.code: each.why for each in findings}
    rules = [{"id": code, "shortDescription": {"text": why}} for code, why in sorted(whys.items())]
    places = {code: index for index, code in enumerate(sorted(whys))}
    results: list[dict[str, Any]] = []
    for each in findings:
        region = {"startLine": each.line, "startColumn": each.column, "endLine": each.end_line}
        if each.end_column:
            region["endColumn"] = each.end_column
        artifact = {"uri": quote(each.path), "uriBaseId": "SRCROOT"}
        results.append({
            "ruleId": each.code, "ruleIndex": places[each.code], "level": LEVELS[each.severity],
            "message": {"text": f"{each.what} {each.why}"},
            "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        })  # fmt: skip
    driver = {"name": "attache", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def as_annotation(finding: Finding) -> str:
    """Return a finding as a workflow command of GitHub Actions."""
    fields = {"file": finding.path, "line": finding.line, "endLine": finding.end_line, "title": finding.code}
    head = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in fields.items())
    return f"::{GITHUB[finding.severity]} {head}::{_escaped(f'{finding.what} {finding.why}')}"


def _escaped(text: str, also: str = "") -> str:
    for char in "%\r\n" + also:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
