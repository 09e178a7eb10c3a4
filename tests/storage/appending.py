"""The process that the kill test kills: appends to many sessions at once and reports what was acknowledged.

`python appending.py DATABASE SEED PREFIX` writes a line `session first last digest` to stdout for every append that
returned, and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import time
from pathlib import Path

from sqlalchemy import event

from attache.schema.data import CallId, RunId, SessionId
from attache.schema.events import Entry, RunStarted, SessionCreated, ToolFinished
from attache.schema.messages import user
from attache.storage.database import Database
from attache.storage.log import SessionLog

SESSIONS = 6


def digest(entries: tuple[Entry, ...]) -> str:
    return hashlib.sha256("\n".join(entry.model_dump_json() for entry in entries).encode()).hexdigest()


def report(session_id: str, entries: tuple[Entry, ...]) -> None:
    line = f"{session_id} {entries[0].seq} {entries[-1].seq} {digest(entries)}\n"
    os.write(1, line.encode())  # one write, short enough for a pipe to take it whole


async def keep_appending(log: SessionLog, session_id: SessionId, chance: random.Random) -> None:
    created = SessionCreated(cwd="/work", model="offline/offline", mode="build")
    report(session_id, await log.append(session_id, (created,)))
    run = RunId("r1")
    for number in range(1_000_000):
        if chance.random() < 0.1:
            happened = [RunStarted(run_id=run, parts=user(f"question {number}").parts)]
        else:
            text = chance.randbytes(chance.choice((5, 50, 500, 5000))).hex()
            call = CallId(f"c{number}")
            happened = [
                ToolFinished(run_id=run, call_id=call, name="read", text=text) for _ in range(chance.randint(1, 4))
            ]
        report(session_id, await log.append(session_id, happened))
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 0.01)


def linger(chance: random.Random) -> None:
    """Wait where an acknowledgement would be premature, so that kills find that place too."""
    time.sleep(chance.random() * 0.02)


async def main(path: Path, seed: int, prefix: str) -> None:
    database = await Database.open(path)
    chance = random.Random(f"{seed} {prefix}")
    if chance.random() < 0.6:
        event.listen(database._connections.engine, "commit", lambda _connection: linger(chance))
    log = SessionLog(database)
    names = [SessionId(f"{prefix}-{number}") for number in range(SESSIONS)]
    await asyncio.gather(*(keep_appending(log, name, random.Random(f"{seed} {name}")) for name in names))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
