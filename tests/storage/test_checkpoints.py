"""What keeping a step costs: its own changes, however large the tree is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.bench.checkpoints import BAR_MS, BAR_STORE, FILES, Cost, measured

from attache.schema.data import ChangeSetId, Uri
from attache.schema.edits import ChangeSet, FileOutcome, Landed
from attache.storage.checkpoints import Checkpoints


async def test_a_checkpoint_costs_little_time_and_space(tmp_path: Path) -> None:
    _within(await measured(tmp_path, 1_000, 8))


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="100,000 files are made under ATTACHE_LONG=1")
async def test_a_checkpoint_costs_the_same_in_a_large_tree(tmp_path: Path) -> None:
    cost = await measured(tmp_path, FILES, 8)
    print(
        f"a checkpoint among {FILES:,} files: {cost.clock_ms:.1f} ms, {cost.cpu_ms:.1f} ms of CPU, {cost.store:.2f} ×"
    )
    _within(cost)
    assert cost.clock_ms <= BAR_MS


def _within(cost: Cost) -> None:
    assert cost.cpu_ms <= BAR_MS
    assert cost.store <= BAR_STORE


def test_a_text_that_a_loss_of_power_emptied_is_kept_again(tmp_path: Path) -> None:
    outcome = FileOutcome(uri=Uri("file:///a.py"), path="a.py", before="x = 1\n", after="x = 2\n")
    landed = Landed(change_set=ChangeSet(id=ChangeSetId("c1"), title="t", files=()), files=(outcome,))
    kept = Checkpoints(tmp_path)
    kept.keep(landed)
    for text in (tmp_path / "checkpoints" / "texts").glob("*/*"):
        text.write_bytes(b"")
    assert kept.recall(ChangeSetId("c1")) is None
    kept.keep(landed)
    assert kept.recall(ChangeSetId("c1")) == landed
