"""Edits of real files in every format, as they are and with the slips that models make: none of them applied wrongly.

Each trial is counted: applied rightly, refused, or applied wrongly, which must never be.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from attache.schema.errors import ToolError
from attache.workspace.formats.in_memory import InMemory
from attache.workspace.formats.table import FORMATS, changes
from workspace import slips
from workspace.slips import Trial, a_case, joined, told, trials

SEED = os.environ.get("ATTACHE_SEED", "1")
COUNT = 12
LONG_COUNT = 400
LEAST_OF_SLIPS = 0.95
LEAST_OF_FEW = 0.92
"""In a small sample, of files that change with every commit, the share strays by some hundredths."""


async def outcome(name: str, before: dict[str, str], after: dict[str, str], instruction: str) -> str:
    files = InMemory(before)
    try:
        made = files.after(await changes(name, instruction, files))
    except ToolError:
        return "refused"
    return "right" if made == after else "wrong"


async def tried(name: str, trial: Trial, count: int) -> tuple[Counter[str], list[str]]:
    """Return how often what came out, and the instructions that came out wrong."""
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(20 * count):
        if found.total() == count:
            break
        if both := told(name, trial, f"{SEED}/{number}"):
            case, instruction = both
            what = await outcome(name, {case.path: case.before}, {case.path: case.after}, instruction)
            found[what] += 1
            wrong += [f"{name}, {trial.name}, {number}:\n{instruction}"] if what == "wrong" else []
    return found, wrong


async def run(name: str, count: int) -> None:
    slipped: Counter[str] = Counter()
    wrong: list[str] = []
    print(f"\n{name}, seed {SEED}")
    for trial in trials(name):
        found, mistaken = await tried(name, trial, count)
        wrong += mistaken
        print(f"  {trial.name:<30}" + "  ".join(f"{what} {found[what]:>4}" for what in ("right", "refused", "wrong")))
        assert found.total() > count // 2, f"{trial.name} is hardly tried"
        if trial.exact:
            assert found["right"] == found.total(), f"{trial.name}: {found}"
        elif trial.name not in slips.UNTOLD:
            slipped += found
    print(f"  slips applied rightly: {slipped['right']} of {slipped.total()}")
    assert wrong == []
    assert slipped["right"] >= (LEAST_OF_SLIPS if count == LONG_COUNT else LEAST_OF_FEW) * slipped.total()


@pytest.mark.parametrize("name", list(FORMATS))
async def test_no_slip_is_applied_wrongly(name: str) -> None:
    await run(name, COUNT)


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason=f"ATTACHE_LONG=1 tries each slip {LONG_COUNT} times")
@pytest.mark.parametrize("name", list(FORMATS))
async def test_no_slip_is_applied_wrongly_in_many_trials(name: str) -> None:
    await run(name, LONG_COUNT)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pair"])
async def test_several_files_at_once(name: str) -> None:
    for number in range(COUNT):
        rng = random.Random(f"{name}/several/{SEED}/{number}")
        cases = {case.path: case for case in (a_case(rng) for _ in range(4))}
        told_all = [slips.TELL[name](rng, case, slips.Manner()) for case in cases.values()]
        before = {path: case.before for path, case in cases.items()}
        after = {path: case.after for path, case in cases.items()}
        assert await outcome(name, before, after, joined(name, told_all)) == "right", number


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "pair"])
async def test_the_last_of_several_files_being_refused_leaves_all_as_they_were(name: str) -> None:
    rng = random.Random(f"{name}/refused/{SEED}")
    cases = {case.path: case for case in (a_case(rng) for _ in range(3))}
    instruction = joined(name, [slips.TELL[name](rng, case, slips.Manner()) for case in cases.values()])
    before = {path: case.before for path, case in cases.items()}
    last = list(cases)[-1]
    before[last] = "nothing of it\n"
    if name == "whole":
        instruction = instruction[: instruction.rindex("```")]
    assert await outcome(name, before, {}, instruction) == "refused"
    assert before[last] == "nothing of it\n"
