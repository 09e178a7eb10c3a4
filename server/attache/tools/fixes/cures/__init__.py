"""Cures that rules know for findings whose source knows none: a table and a few functions for each language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attache.schema.code import Symbol
from attache.schema.documents import Diagnostic
from attache.tools.fixes.cures import go, punctuation, python, rust, typescript
from attache.tools.fixes.cures.case import Ask, Case, Rule, parses_no_worse

if TYPE_CHECKING:
    from attache.index.client import Index
    from attache.index.folders import Indexes
    from attache.tools.tool import Context

LOOKED_UP = 20
"""Definitions of a name that are looked at."""

UNSAFE_ALLOWED = python.UNSAFE_ALLOWED
CURES: tuple[Rule, ...] = (*punctuation.RULES, *python.RULES, *typescript.RULES, *go.RULES, *rust.RULES)
"""In their order: the first that fits a finding and has patches for it cures it."""


async def cured(ctx: Context, text: str, findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings, each with a cure where its source or a rule knows one."""
    return tuple([each if each.fix else await _by_rule(ctx, text, each) for each in findings])


async def _by_rule(ctx: Context, text: str, finding: Diagnostic) -> Diagnostic:
    """Return a finding with the first rule's cure after which the text parses no worse than before."""
    for rule in CURES:
        match = rule.message.search(finding.message) if finding.place.path.endswith(rule.suffixes) else None
        if match is None:
            continue
        name = next((group for group in match.groups() if group), "")
        case = Case(text, finding, match)
        if rule.asks and ctx.index:
            case = Case(text, finding, match, await _known(ctx.index, rule.asks(case)))
        patches = rule.cure(case)
        if patches and parses_no_worse(case, patches):
            return finding.model_copy(update={"fix": patches, "fix_title": rule.title.format(name), "safe": rule.sure})
    return finding


async def _known(index: Index | Indexes, asked: Ask) -> tuple[Symbol, ...]:
    """Return what the workspace says to a rule's question."""
    for path in asked.paths:
        if found := await index.outline(path):
            return found
    found = await index.symbols(asked.name, k=LOOKED_UP) if asked.name else ()
    homes = dict.fromkeys(each.path for each in found if each.name == asked.name and each.kind == "class")
    members = [await index.outline(path) for path in homes if asked.members]
    return (*found, *(each for outline in members for each in outline))
