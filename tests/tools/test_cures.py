"""Every rule has a text before and after, and what no rule is sure of stays as it is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attache.index.client import Index
from attache.index.parse import outline
from attache.schema.code import Symbol
from attache.schema.documents import Diagnostic, Place
from attache.tools.fixes.cures import CURES, cured
from attache.tools.fixes.cures.case import Case, applied
from tools.conftest import Desk

FIXTURES = Path(__file__).parent / "fixtures" / "cures"


def cases() -> list[Any]:
    found: list[Any] = []
    for file in sorted(FIXTURES.glob("*.toml")):
        table = tomllib.loads(file.read_text("utf-8"))
        found += [
            pytest.param(table["path"], case, id=f"{file.stem}-{number}") for number, case in enumerate(table["case"])
        ]
    return found


def read(path: str, case: dict[str, Any]) -> tuple[str, Diagnostic]:
    """Return a case's text without its marks, and the finding that they mark."""
    head, _, rest = case["before"].partition("«")
    marked, _, tail = rest.partition("»")
    line, column = head.count("\n") + 1, len(head) - head.rfind("\n")
    place = Place(path=path, line=line, column=column, end_line=line, end_column=column + len(marked))
    return head + marked + tail, Diagnostic(place=place, message=case["message"])


def asked(case: dict[str, Any]) -> tuple[Symbol, ...]:
    """Return what the other files of a case define."""
    return tuple(
        symbol
        for path, text in case.get("others", {}).items()
        for symbol in outline("python" if path.endswith(".py") else "typescript", text, path)
    )


@pytest.mark.parametrize(("path", "case"), cases())
async def test_before_and_after(desk: Desk, path: str, case: dict[str, Any]) -> None:
    text, finding = read(path, case)
    for other, words in case.get("others", {}).items():
        desk.write(other, words)
    index = Index(desk.folder, home=desk.folder / ".home") if "others" in case else None
    if index:
        await index.start()
        assert await index.ready(30)
        desk.ctx = replace(desk.ctx, index=index)
    (result,) = await cured(desk.ctx, text, [finding])
    if index:
        await index.close()
    match = next((found for rule in CURES if (found := rule.message.search(finding.message))), None)
    assert match, "no rule is for this message"
    assert applied(Case(text, finding, match), result.fix) == case["after"]
    assert bool(result.fix_title) == (text != case["after"])


async def test_every_rule_has_a_case(desk: Desk) -> None:
    used: set[tuple[str, str]] = set()
    for parameters in cases():
        path, case = parameters.values
        text, finding = read(path, case)
        for rule in CURES:
            match = rule.message.search(finding.message) if path.endswith(rule.suffixes) else None
            if match and rule.cure(Case(text, finding, match, asked(case))):
                used.add((rule.suffixes[0], rule.message.pattern + rule.title))
    every = {(rule.suffixes[0], rule.message.pattern + rule.title) for rule in CURES}
    assert every - used == set()
    assert len(CURES) >= 60
