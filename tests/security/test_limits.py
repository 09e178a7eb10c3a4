from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attache.workspace.shell import Command
from attache.workspace.view import cow
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

LONG = pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full count runs under ATTACHE_LONG=1")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandboxes of other systems are not tested")

ENDLESS: dict[str, str] = {
    "never ends": "echo begun; sleep 1000",
    "spins": "echo begun; while :; do :; done",
    "ignores being asked": "trap '' TERM INT HUP; echo begun; while :; do sleep 1; done",
    "becomes a daemon": "echo begun; (setsid sleep 1000 &) ; (nohup setsid sh -c 'trap \"\" TERM; sleep 1000' >/dev/null 2>&1 &); sleep 1000",
    "stops itself": "echo begun; kill -STOP $$",
    "forks without end": "echo begun; f() { f | f & f; }; f",
}


@pytest.fixture(params=["namespaces", "landlock"])
def workspace(request, monkeypatch, tmp_path):
    monkeypatch.setenv("ATTACHE_SANDBOX", "" if request.param == "namespaces" else "landlock")
    monkeypatch.setattr(cow, "PROCESSES", 310)
    if level(tmp_path / "home").level != request.param:
        pytest.skip(f"this machine has {level(tmp_path / 'home').words}")
    (tmp_path / "ws").mkdir()
    opened = Workspace([tmp_path / "ws"], home=tmp_path / "home")
    yield opened
    opened.close()


def left(mark: str) -> list[int]:
    """Return the processes whose environment holds a mark."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"LEFT={mark}".encode() in (place / "environ").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue
    return found


def all_gone(mark: str) -> bool:
    """Wait for the end of all with a mark; one look may miss what begins or ends in that moment, so three must agree."""
    empty = 0
    for _ in range(200):
        empty = 0 if left(mark) else empty + 1
        if empty == 3:
            return True
        time.sleep(0.05)
    return False


async def ended(workspace, text: str, mark: str, seconds: float = 1.0):
    command = Command(text=text, view="cow", env={"LEFT": mark}, timeout_seconds=seconds)
    began = time.monotonic()
    done = await workspace.view().run(command)
    assert time.monotonic() - began < seconds + 10
    assert all_gone(mark), left(mark)
    return done


@pytest.mark.parametrize("how", ENDLESS)
async def test_what_does_not_end_is_ended_with_all_it_started(workspace, how, tmp_path):
    if how == "forks without end" and level(tmp_path / "home").level != "namespaces" and os.geteuid() == 0:
        pytest.skip("without namespaces nothing limits the processes of root")
    done = await ended(workspace, ENDLESS[how], f"{os.getpid()}-{how}")
    assert done.timed_out
    assert done.output.startswith("begun\n"), "what it wrote is kept"


async def test_a_flood_on_one_line_is_cut(workspace):
    done = await ended(workspace, "echo begun; yes | tr -d '\\n' | head -c 1000000000; echo; echo ended", "flood", 2)
    assert done.truncated
    assert len(done.output) < 300_000
    assert done.output.startswith("begun\n")


async def test_what_fills_the_disk_is_ended(workspace, monkeypatch):
    monkeypatch.setattr(cow, "WRITTEN_BYTES", 30_000_000)
    text = "echo begun; n=0; while :; do n=$((n+1)); head -c 2000000 /dev/zero > f$n; sleep 0.01; done"
    done = await ended(workspace, text, "disk", 30)
    assert not done.timed_out
    assert "it wrote" in done.note
    assert done.changes == ()
    assert done.output == "begun\n"
    listing = await workspace.view().run(Command(text="ls | wc -l", view="cow"))
    assert listing.output.strip() == "0", "and what it wrote is gone"


async def test_one_file_has_a_limit(workspace, monkeypatch):
    monkeypatch.setattr(cow, "FILE_BYTES", 1_000_000)
    done = await ended(workspace, "head -c 3000000 /dev/zero > f; stat -c %s f", "file", 20)
    assert done.output.strip().endswith("1000000")


async def test_memory_has_a_limit(workspace):
    done = await ended(workspace, f"{sys.executable} -c 'x = bytearray(10**13)'", "memory", 20)
    assert "MemoryError" in done.output


async def test_a_terminal_is_given_where_it_is_asked_for(workspace):
    done = await workspace.view().run(
        Command(text="test -t 0 && test -t 1 && tty && stty size", view="cow", terminal=True)
    )
    assert done.exit_code == 0, done.output
    assert "/dev/pts/" in done.output
    assert "40 120" in done.output
    asked = Command(text='read x; echo "got $x"', view="cow", terminal=True, stdin="word\n")
    assert "got word" in (await workspace.view().run(asked)).output


async def test_the_server_going_away_ends_everything(tmp_path):
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom attache.workspace.workspace import Workspace\n"
        "from attache.workspace.shell import Command\n"
        "w = Workspace([Path(sys.argv[1])], home=Path(sys.argv[2]))\n"
        "asyncio.run(w.view().run(Command(text='echo up; setsid sleep 1000', view='cow', env={'LEFT': 'gone'}), on_output=print))\n"
    )
    (tmp_path / "ws").mkdir()
    server = subprocess.Popen(
        [sys.executable, "-u", "-c", program, str(tmp_path / "ws"), str(tmp_path / "home")], stdout=subprocess.PIPE
    )
    assert server.stdout
    assert server.stdout.readline() == b"up\n"
    server.kill()
    server.wait()
    server.stdout.close()
    assert all_gone("gone"), left("gone")


@LONG
@pytest.mark.long
async def test_200_timeouts_leave_no_child(workspace):
    for number in range(200):
        how = list(ENDLESS.values())[number % 5]
        done = await workspace.view().run(
            Command(text=how, view="cow", env={"LEFT": "two hundred"}, timeout_seconds=0.15)
        )
        assert done.timed_out
    time.sleep(1)
    assert left("two hundred") == []
