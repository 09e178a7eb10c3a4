"""The database: groups share a commit, errors stay with their owners, and wrong files are told plainly."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text

from attache.schema.errors import StorageError
from attache.storage import connections
from attache.storage.connections import HEAD
from attache.storage.database import Database
from attache.storage.tables import metadata


@pytest.fixture
async def database(tmp_path):
    opened = await Database.open(tmp_path / "state" / "log.sqlite")
    await opened.write(
        lambda connection: connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")).rowcount
    )
    yield opened
    await opened.close()


def put(number: int):
    return lambda connection: connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number}).rowcount


def numbers(connection) -> list[int]:
    return list(connection.execute(text("SELECT n FROM numbers ORDER BY n")).scalars())


def count_commits(database) -> list[None]:
    commits = []
    event.listen(database._connections.engine, "commit", lambda _connection: commits.append(None))
    return commits


async def test_writes_at_the_same_time_share_commits(database):
    commits = count_commits(database)
    assert await asyncio.gather(*(database.write(put(number)) for number in range(500))) == [1] * 500
    assert await database.read(numbers) == list(range(500))
    assert 2 <= len(commits) <= 50


async def test_a_write_is_answered_only_after_its_commit(database, tmp_path):
    other = sqlite3.connect(tmp_path / "state" / "log.sqlite")
    for number in range(20):
        await database.write(put(number))
        assert other.execute("SELECT max(n) FROM numbers").fetchone() == (number,)
    other.close()


async def test_an_error_stays_with_the_write_that_made_it(database):
    def fail(connection):
        put(1000)(connection)
        raise ZeroDivisionError

    works = [put(1), fail, put(2), put(1), put(3)]
    results = await asyncio.gather(*(database.write(work) for work in works), return_exceptions=True)
    assert [type(result) for result in results] == [int, ZeroDivisionError, int, StorageError, int]
    assert await database.read(numbers) == [1, 2, 3]


async def test_a_cancelled_write_disturbs_nobody(database):
    task = asyncio.create_task(database.write(put(1)))
    others = [asyncio.create_task(database.write(put(number))) for number in range(2, 30)]
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(*others)
    assert (await database.read(numbers))[-28:] == list(range(2, 30))


async def test_a_loop_that_is_gone_does_not_stop_the_writer(database):
    def elsewhere():
        async def leave():
            asyncio.get_running_loop().call_soon(lambda: None)
            pending = asyncio.ensure_future(database.write(put(7)))
            await asyncio.sleep(0)
            pending.cancel()

        asyncio.run(leave())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert await database.write(put(8)) == 1


async def test_close_finishes_what_is_queued_and_then_refuses(tmp_path):
    database = await Database.open(tmp_path / "log.sqlite")
    await database.write(lambda connection: connection.execute(text("CREATE TABLE numbers (n INTEGER)")).rowcount)
    writes = [asyncio.ensure_future(database.write(put(number))) for number in range(600)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == [1] * 600
    await database.close()
    with pytest.raises(StorageError, match="closed"):
        await database.write(put(1))
    plain = sqlite3.connect(tmp_path / "log.sqlite")
    assert plain.execute("SELECT count(*) FROM numbers").fetchone() == (600,)
    plain.close()


async def test_a_full_disk_is_told_and_passes(database):
    pages = await database.write(lambda connection: connection.execute(text("PRAGMA page_count")).scalar())
    await database.write(lambda connection: connection.execute(text(f"PRAGMA max_page_count = {pages}")).scalar())
    big = {"n": "x" * 100_000}
    blob = text("INSERT INTO sessions VALUES (:n, 1, :n, :n, :n, :n, :n, 1, 1, 1, 1, 1, 1, 1, 1, 1)")
    with pytest.raises(StorageError) as caught:
        await database.write(lambda connection: connection.execute(blob, big).rowcount)
    assert "full" in caught.value.message
    assert "space" in caught.value.hint
    await database.write(lambda connection: connection.execute(text("PRAGMA max_page_count = 1000000")).scalar())
    assert await database.write(lambda connection: connection.execute(blob, big).rowcount) == 1


async def test_a_lock_that_another_process_keeps_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    database = await Database.open(tmp_path / "log.sqlite")
    other = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    count = text("SELECT count(*) FROM sessions")
    results = await asyncio.gather(
        *(database.write(lambda connection: connection.execute(count).scalar()) for _ in range(20)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {StorageError}
    assert "another process" in results[0].hint
    assert await database.read(lambda connection: connection.execute(count).scalar()) == 0
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(lambda connection: connection.execute(count).scalar()) == 0
    await database.close()


async def test_readers_are_not_held_up_by_a_writer(database):
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection):
        put(1)(connection)
        inside.set()
        assert go_on.wait(10)

    writing = asyncio.ensure_future(database.write(slow))
    await asyncio.to_thread(inside.wait)
    assert await database.read(numbers) == []
    go_on.set()
    await writing
    assert await database.read(numbers) == [1]


async def test_in_memory_it_works_alike():
    database = await Database.open(None)
    await database.write(lambda connection: connection.execute(text("CREATE TABLE numbers (n INTEGER)")).rowcount)
    await asyncio.gather(
        *(database.write(put(number)) for number in range(50)), *(database.read(numbers) for _ in range(50))
    )
    assert await database.read(numbers) == list(range(50))
    await database.close()


@pytest.mark.skipif(os.name != "posix", reason="Windows gives a file the rights of its folder")
async def test_the_files_are_private(database, tmp_path):
    await database.write(put(1))
    files = list((tmp_path / "state").iterdir())
    assert len(files) >= 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


# ------------------------------------------------------------------ files that are not as they should be


async def refusal(path) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await Database.open(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


async def test_a_file_of_another_kind_is_told_and_left(tmp_path):
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"these are my notes\n" * 100)
    assert "not a database" in (await refusal(path)).message
    assert path.read_bytes() == b"these are my notes\n" * 100


async def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "log.sqlite"
    await (await Database.open(path)).close()
    data = bytearray(path.read_bytes())
    data[100:4096] = os.urandom(3996)
    path.write_bytes(data)
    assert "malformed" in (await refusal(path)).message


async def test_a_newer_file_is_told_and_left(tmp_path):
    path = tmp_path / "log.sqlite"
    await (await Database.open(path)).close()
    plain = sqlite3.connect(path)
    plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.commit()
    plain.close()
    error = await refusal(path)
    assert "newer version" in error.message
    assert "upgrade" in error.hint


async def test_a_folder_in_its_place_or_a_file_in_its_folders_place_is_told(tmp_path):
    (tmp_path / "log.sqlite").mkdir()
    await refusal(tmp_path / "log.sqlite")
    (tmp_path / "file").write_text("x")
    await refusal(tmp_path / "file" / "log.sqlite")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
async def test_a_file_that_is_read_only_says_so(tmp_path):
    path = tmp_path / "log.sqlite"
    await (await Database.open(path)).close()
    path.chmod(0o400)
    tmp_path.chmod(0o500)

    async def write():
        database = await Database.open(path)
        await database.write(lambda connection: connection.execute(text("DELETE FROM sessions")).rowcount)

    try:
        with pytest.raises(StorageError, match=r"readonly|unable to open"):
            await write()
    finally:
        tmp_path.chmod(0o700)


# ------------------------------------------------------------------ migrations


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", "attache.storage:migrations")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def test_head_is_the_newest_migration_and_revisions_sort_by_their_names():
    assert scripts().get_heads() == [HEAD]
    revisions = [script.revision for script in scripts().walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert all(len(revision) == len(HEAD) and revision.isdigit() for revision in revisions)


async def test_the_migrations_make_the_tables_that_the_queries_expect(tmp_path):
    database = await Database.open(tmp_path / "log.sqlite")
    differences = await database.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)
    )
    assert differences == []
    await database.close()


async def test_a_migration_that_fails_leaves_no_trace(tmp_path, monkeypatch):
    from alembic import command

    upgrade = command.upgrade

    def fail(config, revision):
        upgrade(config, revision)
        raise KeyboardInterrupt

    path = tmp_path / "log.sqlite"
    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(KeyboardInterrupt):
        connections.connect(path)
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT name FROM sqlite_master").fetchall() == []
    plain.close()
    monkeypatch.undo()
    await (await Database.open(path)).close()


def python(code: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


OPEN = """
import asyncio, sys
from pathlib import Path
from attache.storage.database import Database
async def main():
    await (await Database.open(Path(sys.argv[1]))).close()
asyncio.run(main())
print("alembic" in sys.modules)
"""


def test_the_log_can_be_named_without_its_engine():
    code = "import sys, attache.storage.log, attache.storage.database; print('sqlalchemy' in sys.modules)"
    with python(code) as child:
        assert child.communicate()[0] == "False\n"


def test_alembic_is_imported_only_to_migrate(tmp_path):
    for expected in ("True\n", "False\n"):
        with python(OPEN, str(tmp_path / "log.sqlite")) as child:
            assert child.communicate()[0] == expected


def test_processes_that_start_together_share_one_new_file(tmp_path):
    children = [python(OPEN, str(tmp_path / "log.sqlite")) for _ in range(4)]
    assert {child.communicate()[0] for child in children} <= {"True\n", "False\n"}
    assert [child.returncode for child in children] == [0] * 4


@pytest.mark.parametrize("name", ["a%20b", "a ?mode=ro#x", "ä:memory:"])
async def test_a_folder_of_any_name_holds_the_database(name, tmp_path):
    if os.name == "nt" and not name.startswith("a%"):
        pytest.skip("Windows has no such names")
    file = tmp_path / name / "log.sqlite"
    opened = await Database.open(file)
    await opened.close()
    assert file.stat().st_size


async def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "state").write_text("x")
    for file in (tmp_path / "state" / "log.sqlite", tmp_path / "state" / "deeper" / "log.sqlite"):
        with pytest.raises(StorageError, match="state is a file") as raised:
            await Database.open(file)
        assert "ATTACHE_HOME" in raised.value.hint
