"""The index as the server has it: a real process of its own, killed, doubled and left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from attache.index.client import Index
from attache.index.store import database_of

SECONDS = 60.0
"""Far more than anything here takes, on the slowest of machines."""
SERVER = Path(__file__).resolve().parents[2] / "server"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "my code #1 größe"
    for name, text in {
        "app/http.py": "class Session:\n    def send(self, request):\n        return request\n\n\nlimit = 5\n",
        "app/use.py": "from app.http import Session, limit\n\n\ndef main():\n    Session().send(limit)\n",
        ".gitignore": "build/\n*.log\n",
        "build/made.py": "def made(): pass\n",
        "a.log": "def logged(): pass\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@asynccontextmanager
async def opened(code: Path, home: Path, *, ready: bool = True) -> AsyncIterator[Index]:
    index = Index(code, home=home)
    await index.start()
    try:
        if ready:
            assert await index.ready(SECONDS), index.status()
        yield index
    finally:
        await index.close()


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await true():
            await asyncio.sleep(0.05)


def stored_symbols(code: Path, home: Path) -> set[str]:
    with closing(sqlite3.connect(database_of(code, home))) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM symbols")}


def worker_pid(index: Index) -> int:
    process = index._worker.process
    assert process
    return process.pid


async def test_a_folder_is_indexed_without_what_git_ignores(code: Path, tmp_path: Path) -> None:
    async with opened(code, tmp_path / "home") as index:
        status = index.status()
        assert (status.state, status.files, status.pending, status.error) == ("ready", 3, 0, "")
        assert status.languages == (("python", 2),)
        assert status.symbols == 4
        assert "vector" not in status.retrievers
        assert {one.qualified for one in await index.symbols()} == {"Session", "Session.send", "limit", "main"} | {
            "limit"
        }
        assert await index.symbols("made") == ()
        hits = await index.search("send a request")
        assert (hits[0].path, hits[0].symbol) == ("app/http.py", "Session.send")
        assert [one.name for one in await index.outline("app/use.py")] == ["main"]
    assert index.status().state == "off"


async def test_references_hold_every_use(code: Path, tmp_path: Path) -> None:
    async with opened(code, tmp_path / "home") as index:
        found = [(one.role, one.path, one.line, one.column, one.caller) for one in await index.references("limit")]
        assert found == [
            ("definition", "app/http.py", 6, 1, ""),
            ("import", "app/use.py", 1, 31, ""),
            ("use", "app/use.py", 5, 20, "main"),
        ]
        assert [one.text for one in await index.references_at("app/use.py", 5, 7)] == [
            "class Session:",
            "from app.http import Session, limit",
            "    Session().send(limit)",
        ]
        assert await index.references_at("app/use.py", 3, 1) == ()
        assert await index.references("limit", path="app/http.py") == (await index.references("limit"))[:1]


async def test_buffers_are_seen_and_stay_out_of_the_database(code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with opened(code, home) as index:
        index.update("app/http.py", "def typed(limit):\n    return limit\n")
        index.update("new.py", "from app.http import typed\n\ntyped(1)\n")
        index.update("/elsewhere/other.py", "def outside(): pass\n")
        assert [one.path for one in await index.symbols("typed")] == ["app/http.py"]
        assert await index.symbols("Session") == ()
        assert await index.symbols("outside") == ()
        assert [(one.path, one.role) for one in await index.references("typed")] == [
            ("app/http.py", "definition"),
            ("new.py", "import"),
            ("new.py", "call"),
        ]
        assert (await index.search("typed"))[0].text == "def typed(limit):\n    return limit"
        await index.refresh()
        assert stored_symbols(code, home) == {"Session", "send", "limit", "main"}
        index.update("app/http.py", None)
        assert await index.symbols("typed") == ()
        assert [one.path for one in await index.symbols("Session")] == ["app/http.py"]
    async with opened(code, home) as index:
        assert await index.symbols("typed") == ()


async def test_the_last_of_many_keystrokes_counts(code: Path, tmp_path: Path) -> None:
    async with opened(code, tmp_path / "home") as index:
        for number in range(200):
            index.update("app/http.py", f"def typed{number}(): pass\n")
        assert [one.name for one in await index.symbols("typed")] == ["typed199"]


async def test_a_change_on_disk_is_seen_at_once_where_it_shows(code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with opened(code, home) as index:
        (code / "app" / "http.py").write_text("# moved down\n\n\nclass Session:\n    pass\n")
        assert [(one.line, one.end_line) for one in await index.symbols("Session")] == [(4, 5)]
        (code / "app" / "use.py").unlink()
        assert await index.symbols("main") == ()

        async def known() -> bool:
            return stored_symbols(code, home) == {"Session"}

        await eventually(known)
        (code / "app" / "more.py").write_text("def more(): pass\n")
        await index.refresh(["app/more.py"])
        assert [one.path for one in await index.symbols("more")] == ["app/more.py"]


async def test_a_killed_process_is_started_again(code: Path, tmp_path: Path) -> None:
    async with opened(code, tmp_path / "home") as index:
        first = worker_pid(index)
        os.kill(first, signal.SIGTERM)

        async def noticed() -> bool:
            return index.status().state != "ready"

        await eventually(noticed)
        assert "ended" in index.status().error
        assert [one.name for one in await index.symbols("Session")] == ["Session"]
        index.update("app/http.py", "def typed(): pass\n")
        assert [one.name for one in await index.symbols("typed")] == ["typed"]
        assert [one.role for one in await index.references("main")] == ["definition"]
        assert await index.ready(SECONDS)
        assert index.status().error == ""
        assert worker_pid(index) != first


async def test_a_process_that_is_closed_leaves_no_suspicion(tmp_path: Path) -> None:
    code, home = tmp_path / "code", tmp_path / "home"
    code.mkdir()
    for number in range(300):
        (code / f"m{number}.py").write_text("def f(x):\n    return g(x)\n\n\n" * 200)
    for _ in range(3):
        async with opened(code, home, ready=False) as index:
            assert await index._worker.connected(SECONDS)
            await asyncio.sleep(0.3)  # somewhere in the middle
        assert (database_of(code, home).with_name("current")).read_bytes().startswith(b"\n")
    async with opened(code, home) as index:
        assert index.status().skipped == ()
        assert index.status().files == 300


async def test_a_process_that_cannot_work_is_said_to_fail(code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    place = database_of(code, home)
    place.parent.mkdir(parents=True)
    place.mkdir()  # where the database should be
    async with opened(code, home, ready=False) as index:

        async def failed() -> bool:
            return index.status().state == "failed"

        await eventually(failed)
        assert place.name in index.status().error
        assert await index.search("send") == ()
        place.rmdir()
        await eventually(lambda: index.ready(1))
        assert [one.name for one in await index.symbols("Session")] == ["Session"]


async def test_two_servers_share_one_database(code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with opened(code, home) as one, opened(code, home) as two:
        assert two.status().files == 3
        assert await two.symbols("Session") == await one.symbols("Session")
        two.update("app/http.py", "def mine(): pass\n")
        assert [symbol.name for symbol in await two.symbols("mine")] == ["mine"]
        assert await one.symbols("mine") == ()
        (code / "app" / "more.py").write_text("def more(): pass\n")
        await two.refresh()
        assert "more" not in stored_symbols(code, home)  # only one writes
        await one.refresh()
        assert [symbol.name for symbol in await two.symbols("more")] == ["more"]
        await one.close()
        (code / "app" / "later.py").write_text("def later(): pass\n")

        async def taken_over() -> bool:
            await two.refresh()
            return bool(await two.symbols("later"))

        await eventually(taken_over)


async def test_a_damaged_database_is_made_anew(code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with opened(code, home):
        pass
    database_of(code, home).write_bytes(b"no database at all" * 500)
    async with opened(code, home) as index:
        assert [one.name for one in await index.symbols("Session")] == ["Session"]


async def test_a_folder_that_is_not_there_fails_with_its_name(tmp_path: Path) -> None:
    index = Index(tmp_path / "nowhere", home=tmp_path / "home")
    await index.start()
    try:
        assert not await index.ready(SECONDS)
        assert index.status().state == "failed"
        assert "nowhere" in index.status().error
        assert await index.search("x") == ()
        assert await index.symbols("x") == ()
        assert await index.references("x") == ()
        assert await index.references_at("x", 1, 1) == ()
        await index.refresh()
        index.update("x", "y")
    finally:
        await index.close()


async def test_what_is_asked_for_is_read_first(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for number in range(1_500):
        (code / f"m{number:04}.py").write_text(
            "".join(f"def f{number}_{n}(x):\n    return g(x, {n})\n\n\n" for n in range(20))
        )
    async with opened(code, tmp_path / "home", ready=False) as index:
        found = await index.symbols("f1400_7")
        assert (found[0].name, found[0].path) == ("f1400_7", "m1400.py")
        assert index.status().state in {"starting", "building"}
        assert await index.ready(SECONDS)
        assert index.status().symbols == 30_000


def test_the_process_ends_with_its_parent(code: Path, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, os, sys
        from pathlib import Path
        from attache.index.client import Index

        async def main():
            index = Index(Path(sys.argv[1]), home=Path(sys.argv[2]))
            await index.start()
            await index.ready(60)
            print(index._worker.process.pid, flush=True)
            os.kill(os.getpid(), 9)

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(code), str(tmp_path / "home")],
        capture_output=True, text=True, timeout=SECONDS, check=False, env={**os.environ, "PYTHONPATH": str(SERVER)},
    )  # fmt: skip
    pid = int(done.stdout)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} outlived its parent")


def test_nothing_in_the_folder_is_imported(code: Path, tmp_path: Path) -> None:
    """A workspace may hold a module called like one of ours, or of Python's."""
    (code / "msgspec.py").write_text("raise SystemExit('imported from the workspace')\n")
    (code / "attache").mkdir()
    (code / "attache" / "__init__.py").write_text("raise SystemExit('imported from the workspace')\n")

    async def run() -> None:
        async with opened(code, tmp_path / "home") as index:
            assert index.status().error == ""

    before = Path.cwd()
    os.chdir(code)
    try:
        asyncio.run(run())
    finally:
        os.chdir(before)
