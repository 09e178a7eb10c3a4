"""The offline model finds the right place in real packages, cites only what is there, and does not invent."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from attache.providers.offline.intent import understand
from evals.judge import Answer, judged, score
from evals.questions import HELD_OUT, TREES, _by_doc, table, tree_of

FULL = pytest.mark.skipif(
    not os.environ.get("ATTACHE_LONG"), reason="every tree is asked with ATTACHE_LONG=1 (make long)"
)


def judge(answers: list[Answer], share: float) -> None:
    print(f"\n{score(answers)}")
    wrong = [answer for answer in answers if not answer.right]
    told = "\n".join(f"{one.question.tree}: {one.question.text}\n{one.text}" for one in wrong)
    there = [answer for answer in answers if answer.question.expected]
    assert sum(answer.right for answer in there) >= share * len(there), told
    assert [(one.question.text, one.false) for one in answers if one.false] == []
    assert [one.text for one in answers if not one.question.expected and one.claimed] == []


async def test_a_small_tree(tmp_path: Path) -> None:
    judge(await judged(["click"], tmp_path), 0.8)


def test_questions_about_code_are_not_taken_for_deeds() -> None:
    chance = random.Random(1)
    asked = [*_by_doc("click", tree_of("click"), chance), *_by_doc("_pytest", tree_of("_pytest"), chance)]
    kinds = {question.text: understand(question.text).kind for question in asked}
    assert len(kinds) > 200
    assert {text: kind for text, kind in kinds.items() if kind not in {"where", "callers", "explain"}} == {}


@FULL
@pytest.mark.long
@pytest.mark.parametrize("trees", [TREES, HELD_OUT], ids=["looked at", "held out"])
async def test_forty_questions_over_four_trees(trees: dict[str, str], tmp_path: Path) -> None:
    answers = await judged(trees, tmp_path)
    assert len(answers) == 50
    judge(answers, 0.8)


def test_the_table_is_what_the_script_makes() -> None:
    written = (Path(__file__).parent / "table.tsv").read_text("utf-8")
    if written.partition("\n")[0] != (made := table()).partition("\n")[0]:
        pytest.skip("other versions of the packages are installed than the table was made from")
    assert written == made
