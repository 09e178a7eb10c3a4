"""Real findings of real checkers on real code with planted faults: most are cured, and nothing gets worse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evals.checkers import CHECKERS, Checker
from evals.fixes import COUNT, Tally, measure

FULL = pytest.mark.skipif(
    not os.environ.get("ATTACHE_LONG"), reason="every checker's full count runs with ATTACHE_LONG=1 (make long)"
)
SHARE = 0.5
BY_NAME = {checker.name: checker for checker in CHECKERS}


async def judged(checker: Checker, count: int, seed: int, work: Path) -> Tally:
    try:
        tally = await measure(checker, count, seed, work)
    except LookupError as error:
        pytest.skip(f"{checker.name}: {error}")
    print(f"\n{tally.line()}")
    assert tally.worse == []
    assert tally.found.total() >= count // 2
    assert tally.fixed.total() + tally.picked.total() >= SHARE * tally.found.total(), "\n".join(tally.left)
    return tally


async def test_some_faults_that_ruff_finds(tmp_path: Path) -> None:
    await judged(BY_NAME["ruff"], 30, 3, tmp_path)


@FULL
@pytest.mark.long
@pytest.mark.parametrize("seed", [7, 11])
@pytest.mark.parametrize("name", list(BY_NAME))
async def test_every_checker(name: str, seed: int, tmp_path: Path) -> None:
    checker = BY_NAME[name]
    await judged(checker, COUNT if checker.at_once > 1 else COUNT // 5, seed, tmp_path)
