"""Registry, retry, tasks and files: the small tools."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import time

import pytest

from attache.foundation.files import private_dir, write_atomic
from attache.foundation.registry import Registry, hint_for, near
from attache.foundation.retry import retry
from attache.foundation.tasks import Tasks
from attache.schema.errors import ProviderUnavailable, QuotaExceeded, RateLimited, UserError

# ------------------------------------------------------------------ registry


def test_a_registry_finds_keeps_order_and_refuses_a_second_of_a_name():
    tools = Registry[int]("tool")
    assert tools.add("read", 1) == 1
    tools.add("write", 2)
    assert (list(tools), tools["read"], tools.find("write"), len(tools)) == (["read", "write"], 1, 2, 2)
    with pytest.raises(UserError, match='two tools are called "read"'):
        tools.add("read", 3)
    assert tools["read"] == 1


def test_a_miss_offers_near_names_or_what_there_is():
    tools = Registry[int]("tool")
    for name in ("search", "symbols"):
        tools.add(name, 0)
    with pytest.raises(UserError) as caught:
        tools.find("Serch")
    assert (caught.value.message, caught.value.hint) == ('unknown tool "Serch"', "near: search")
    with pytest.raises(UserError) as caught:
        tools.find("zzz")
    assert caught.value.hint == "known: search, symbols"
    assert (
        hint_for("zzz", [f"n{number}" for number in range(20)]) == "known: n0, n1, n2, n3, n4, n5, n6, n7 and 12 more"
    )


def test_near_ignores_case_and_puts_the_nearest_first():
    assert near("GPT4o", ["claude", "gpt-4o", "gpt-4o-mini"])[0] == "gpt-4o"
    assert near("q", ["claude"]) == ()


# ------------------------------------------------------------------ retry


class Calls:
    """A provider that fails as told, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


async def test_what_passes_by_itself_is_tried_again_and_each_wait_is_told():
    calls = Calls(ProviderUnavailable("down"), RateLimited("slow", retry_after_seconds=0.03))
    waits = []
    begun = time.monotonic()
    answer = await retry(
        calls, first_wait_seconds=0.001, on_wait=lambda error, seconds: waits.append((error.message, seconds))
    )
    assert (answer, calls.count) == ("answer", 3)
    assert waits[0][0] == "down"
    assert 0 <= waits[0][1] <= 0.001
    assert waits[1] == ("slow", 0.03)
    assert time.monotonic() - begun >= 0.03


async def test_attempts_end_with_the_last_error_itself():
    calls = Calls(*[ProviderUnavailable(str(number)) for number in range(9)])
    with pytest.raises(ProviderUnavailable, match="2"):
        await retry(calls, attempts=3, first_wait_seconds=0.001)
    assert calls.count == 3


@pytest.mark.parametrize(
    "failure",
    [QuotaExceeded("empty"), ValueError("ours"), RateLimited("tomorrow", retry_after_seconds=86_400)],
    ids=["quota", "no provider's", "too long a wait"],
)
async def test_what_waiting_does_not_help_is_raised_at_once(failure):
    calls = Calls(failure)
    with pytest.raises(type(failure)):
        await retry(calls)
    assert calls.count == 1


async def test_a_wait_in_the_past_is_no_wait():
    calls = Calls(RateLimited("clock", retry_after_seconds=-5))
    assert await retry(calls) == "answer"


# ------------------------------------------------------------------ tasks


async def test_an_error_is_heard_and_the_others_go_on():
    heard = []
    tasks = Tasks(lambda name, error: heard.append((name, repr(error))))
    done = asyncio.Event()

    async def fail():
        raise ValueError("no")

    async def leave():
        sys.exit(3)

    async def work():
        await asyncio.sleep(0)
        done.set()

    for name, coroutine in (("fail", fail()), ("leave", leave()), ("work", work())):
        tasks.spawn(coroutine, name)
    await asyncio.wait_for(done.wait(), 5)
    await asyncio.sleep(0)
    assert sorted(heard) == [("fail", "ValueError('no')"), ("leave", "SystemExit(3)")]
    assert len(tasks) == 0
    await tasks.close()


async def test_close_cancels_waits_and_lets_clean_up_run():
    cleaned = []
    tasks = Tasks(lambda name, error: cleaned.append(f"unexpected {name} {error}"))

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append("yes")

    tasks.spawn(work(), "started")
    await asyncio.sleep(0)
    tasks.spawn(work(), "never begun")  # its coroutine must not be left unawaited either
    await tasks.close()
    assert cleaned == ["yes"]
    with pytest.raises(RuntimeError, match="late: started after close"):
        tasks.spawn(work(), "late")


async def test_a_task_that_will_not_stop_is_named_and_left():
    heard = []
    tasks = Tasks(lambda name, error: heard.append((name, type(error))))
    release = asyncio.Event()

    async def stubborn():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = tasks.spawn(stubborn(), "stubborn")
    await asyncio.sleep(0)
    await tasks.close(timeout_seconds=0.01)
    assert heard == [("stubborn", TimeoutError)]
    release.set()
    await task


async def test_a_task_may_close_the_house_it_lives_in():
    tasks = Tasks(lambda name, error: pytest.fail(f"{name} {error}"))
    task = tasks.spawn(tasks.close(), "closer")
    await asyncio.wait_for(task, 5)


# ------------------------------------------------------------------ files


def test_a_file_is_replaced_whole_and_private(tmp_path):
    path = tmp_path / "state.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / "taken"
    (target / "inside").mkdir(parents=True)
    with pytest.raises((IsADirectoryError, PermissionError)):
        write_atomic(target, b"x")
    assert (target / "inside").is_dir()
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(os.name != "posix", reason="Windows gives a folder the rights of its parent")
def test_a_private_folder_is_private_to_the_last_parent_it_made(tmp_path):
    made = private_dir(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="Windows gives a folder the rights of its parent")
def test_an_old_folder_is_closed_to_others_but_never_a_shared_one(tmp_path):
    for mode, expected in ((0o755, 0o700), (0o770, 0o700), (0o500, 0o500), (0o1777, 0o1777)):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        assert stat.S_IMODE(private_dir(folder).stat().st_mode) == expected


def test_a_kill_between_write_and_rename_leaves_the_old_bytes(tmp_path):
    path = tmp_path / "state.json"
    write_atomic(path, b"old")
    code = (
        "import os, pathlib, sys\n"
        "from attache.foundation import files\n"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "files.write_atomic(pathlib.Path(sys.argv[1]), b'new')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode != 0
    assert path.read_bytes() == b"old"
