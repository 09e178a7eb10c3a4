"""Kill -9 at random moments: every acknowledged event is there afterwards, in order, and the file is whole."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from attache.schema.data import SessionId
from attache.schema.events import RunStarted
from attache.storage.database import Database
from attache.storage.log import SessionLog

sys.path.insert(0, str(Path(__file__).parent))
from appending import SESSIONS, digest

SEED = int(os.environ.get("ATTACHE_SEED", "20"))
LONG = pytest.mark.skipif(
    not os.environ.get("ATTACHE_LONG"), reason="the full count runs with ATTACHE_LONG=1 (make long)"
)


def run_and_kill(path: Path, seed: int, prefix: str, chance: random.Random) -> list[str]:
    """Start the child, kill it at a random moment of its work (or of its start), and return all it reported."""
    command = [sys.executable, str(Path(__file__).parent / "appending.py"), str(path), str(seed), prefix]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        if chance.random() < 0.15:  # before it acknowledged anything: in the midst of opening or migrating
            time.sleep(chance.random() * 0.8)
            reported = b""
        else:
            reported = child.stdout.readline()
            time.sleep(chance.random() * 0.4)
        child.kill()
        reported += child.stdout.read()
    assert child.returncode not in {0, 1}, "the child ended by itself"
    return reported.decode().splitlines()


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=[pytest.mark.long, LONG])])
async def test_no_acknowledged_event_is_lost(tmp_path, kills):
    print(f"seed {SEED}, {kills} kills")
    chance = random.Random(SEED)
    path = tmp_path / "log.sqlite"
    acknowledged = events = 0
    for round_ in range(kills):
        if chance.random() < 0.2:
            path = tmp_path / f"fresh-{round_}.sqlite"  # a file that is killed while it is made
        reports = defaultdict(list)
        for line in run_and_kill(path, SEED, f"round{round_}", chance):
            session_id, first, last, expected = line.split()
            reports[session_id].append((int(first), int(last), expected))
        database = await Database.open(path)
        try:
            log = SessionLog(database)
            for number in range(SESSIONS):
                session_id = SessionId(f"round{round_}-{number}")
                entries = await log.read(session_id)
                assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1)), "a hole, or out of order"
                for first, last, expected in reports[session_id]:
                    assert digest(entries[first - 1 : last]) == expected, (
                        f"{session_id} {first}-{last} is not as acknowledged"
                    )
                seqs = [first for first, _, _ in reports[session_id]]
                assert seqs == sorted(seqs)
                info = await log.info(session_id)
                assert (info is not None) == bool(entries)
                assert info is None or info.runs == sum(isinstance(entry.event, RunStarted) for entry in entries)
                assert info is None or info.updated_at == entries[-1].at
                acknowledged += len(reports[session_id])
                events += len(entries)
        finally:
            await database.close()
        with sqlite3.connect(path) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        plain.close()
    print(f"{acknowledged} appends acknowledged, {events} events found, 0 lost")
    assert acknowledged > 10 * kills, "the child was killed too early to prove anything"


def test_the_test_itself_can_fail(tmp_path):
    """The digest names content, order and numbers: what it is compared with is no rubber stamp."""
    from attache.schema.events import Entry, TurnStarted

    one, two = (
        Entry(session_id="s", seq=seq, at=1.0, event=TurnStarted(run_id="r", turn=seq, model="m")) for seq in (1, 2)
    )
    digests = {
        digest(entries) for entries in ((one, two), (two, one), (one,), (one, two.model_copy(update={"seq": 3})))
    }
    assert len(digests) == len(list(itertools.chain("four")))
