"""Background commands: what they write is kept in bounds, and none outlives who began it, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attache.schema.errors import ToolError
from attache.workspace.jobs import JOBS_MOST, OUTPUT_BYTES, Jobs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test's commands are of POSIX")

OWNER = """
import asyncio, sys
from pathlib import Path
from attache.workspace.jobs import Jobs

async def main():
    jobs = Jobs()
    await jobs.start("sleep 300 & setsid sleep 300 & echo $$ $!; wait", cwd=Path(sys.argv[1]))
    for job in jobs:
        await job.news(10, until="\\n")
        print(job.output().strip(), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    pids = [int(word) for word in owner.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    for _ in range(100):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    assert not any(map(alive, pids))


async def test_the_end_of_a_long_output_is_kept(tmp_path: Path) -> None:
    jobs = Jobs()
    job = await jobs.start([sys.executable, "-c", f"print('x' * {OUTPUT_BYTES * 2}); print('the end')"], cwd=tmp_path)
    await job.news(20, until="the end")
    assert job.output().endswith("the end\n")
    assert "bytes are not kept any more" in job.output()
    assert job.output(job.written) == ""
    await jobs.close()
    assert list(jobs) == []


async def test_too_many_and_impossible_ones_are_refused(tmp_path: Path) -> None:
    jobs = Jobs()
    try:
        for _ in range(JOBS_MOST):
            await jobs.start("sleep 60", cwd=tmp_path)
        with pytest.raises(ToolError, match="jobs run already"):
            await jobs.start("sleep 60", cwd=tmp_path)
    finally:
        await jobs.close()
    with pytest.raises(ToolError, match="no folder"):
        await jobs.start("true", cwd=tmp_path / "nowhere")
    missing = await jobs.start(["no-such-program"], cwd=tmp_path)
    await missing.news(10, until="never")
    assert "no-such-program cannot be run" in missing.output()
    assert missing.exit_code == 127
    with pytest.raises(ToolError, match="no job j99"):
        jobs.find("j99")
    await jobs.close()
