from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attache.schema.errors import EditRefused
from attache.workspace.journal import Journal, OpenChange
from attache.workspace.paths import Root
from attache.workspace.spares import DiskChange, Disturbed, Place

VICTIM = Path(__file__).with_name("victim.py")
LONG = bool(os.environ.get("ATTACHE_LONG"))
GUARDS = ("kernel", "walk", "check")

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is needed to kill many landings quickly")


def victim(*arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, str(VICTIM), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *faults, summary = done.stdout.splitlines()
    print(summary)
    assert not faults, "\n".join(faults)
    return summary.split()


@can_fork
@pytest.mark.parametrize("guard", (*GUARDS, "linkless") if LONG else ("kernel", "linkless"))
def test_a_landing_killed_at_any_point_is_whole_or_absent(guard):
    """Also where it is killed again while it recovers. `check` and `linkless` exchange names in several steps."""
    points, _, kills, *_ = victim("points", guard)
    assert int(points) > 100
    assert int(kills) > int(points)


@can_fork
def test_landings_killed_at_random_moments_are_whole_or_absent():
    rounds, *_ = victim("moments", "kernel", "60", "1")
    assert rounds == "60"


@can_fork
@pytest.mark.long
@pytest.mark.skipif(not LONG, reason="ATTACHE_LONG=1 kills 1,000 landings")
@pytest.mark.parametrize("guard", GUARDS)
def test_a_thousand_landings_killed_at_random_moments(guard):
    victim("moments", guard, "1000", "2")


# ---------------------------------------------------------------- others at the same files


@pytest.fixture(params=GUARDS)
def root(request, tmp_path):
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"a")
    (folder / "b.txt").write_bytes(b"b")
    with Root(folder, guard=request.param) as root:
        yield root


@pytest.fixture
def journal(root, tmp_path):
    return Journal(tmp_path / "home", [root])


def tree(root):
    return {path.name: path.read_bytes() for path in root.path.iterdir()}


def changes(root):
    return [
        DiskChange(Place(root, "a.txt"), b"a", b"A"),
        DiskChange(Place(root, "b.txt"), b"b", None),
        DiskChange(Place(root, "new/c.txt"), None, b"C"),
    ]


def test_a_change_set_is_put_in_place_and_forgotten(root, journal):
    journal.commit(journal.prepare("c", "t", changes(root)))
    assert (root.path / "a.txt").read_bytes() == b"A"
    assert not (root.path / "b.txt").exists()
    assert (root.path / "new" / "c.txt").read_bytes() == b"C"
    assert sorted(path.name for path in root.path.iterdir()) == ["a.txt", "new"]
    assert journal.recover() == ()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt", b"theirs"), ("a.txt", None), ("b.txt", b"theirs"), ("b.txt", None), ("new/c.txt", b"theirs")],
)
def test_what_others_wrote_meanwhile_stands_and_nothing_of_ours_does(root, journal, name, data):
    entry = journal.prepare("c", "t", changes(root))
    if data is None:
        (root.path / name).unlink()
    else:
        (root.path / name).write_bytes(data)
    with pytest.raises(Disturbed, match=name):
        journal.commit(entry)
    expected = {"a.txt": b"a", "b.txt": b"b", name: data}
    for path, content in expected.items():
        assert ((root.path / path).read_bytes() if (root.path / path).exists() else None) == content
    assert not list(root.path.rglob(".*"))
    assert journal.recover() == ()


def test_what_others_wrote_between_a_crash_and_its_recovery_stands(root, journal):
    entry = journal.prepare("c", "t", changes(root))
    (journal.folder / f"{entry.token}.prepared").rename(journal.folder / f"{entry.token}.committed")
    (root.path / "b.txt").write_bytes(b"theirs")
    (recovery,) = journal.recover()
    assert not recovery.landed
    assert tree(root) == {"a.txt": b"a", "b.txt": b"theirs"}


def test_a_recovery_says_what_open_documents_have_to_become(root, journal):
    open_change = OpenChange(uri="file:///x", before="old", after="new")
    entry = journal.prepare("c", "t", changes(root), [open_change])
    (recovery,) = journal.recover()
    assert (recovery.landed, recovery.entry) == (False, entry)
    assert recovery.entry.open == (open_change,)
    assert tree(root) == {"a.txt": b"a", "b.txt": b"b"}


def test_an_entry_of_another_version_is_left_alone(root, journal):
    journal.recover()
    stranger = journal.folder / "1234.committed"
    stranger.write_text('{"format": 7}')
    assert journal.recover() == ()
    assert stranger.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error_before_anything_happens(root, journal):
    root.path.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            journal.prepare("c", "t", changes(root))
    finally:
        root.path.chmod(0o755)
    assert tree(root) == {"a.txt": b"a", "b.txt": b"b"}
    assert journal.recover() == ()


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes as Linux has them")
def test_owner_attributes_and_mode_are_kept(root, journal):
    path = root.path / "a.txt"
    path.chmod(0o4751)
    try:
        os.setxattr(path, "user.kind", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    journal.commit(journal.prepare("c", "t", changes(root)[:1]))
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"A", 0o4751)
    assert os.getxattr(path, "user.kind") == b"kept"


def test_other_names_of_a_file_keep_the_old_bytes(root, journal):
    os.link(root.path / "a.txt", root.path / "other.txt")
    journal.commit(journal.prepare("c", "t", changes(root)[:1]))
    assert tree(root) == {"a.txt": b"A", "b.txt": b"b", "other.txt": b"a"}


def test_a_file_that_moves_stays_the_same_file(root, journal):
    inode = (root.path / "a.txt").stat().st_ino
    old, new = Place(root, "a.txt"), Place(root, "c.txt")
    journal.commit(
        journal.prepare("c", "t", [DiskChange(new, None, b"a", moved_from=old), DiskChange(old, b"a", None)])
    )
    assert (root.path / "c.txt").stat().st_ino == inode
    assert tree(root) == {"c.txt": b"a", "b.txt": b"b"}


async def test_one_holds_the_turn_at_a_time(root, tmp_path, monkeypatch):
    one, other = Journal(tmp_path / "home", [root]), Journal(tmp_path / "home", [root])
    monkeypatch.setattr("attache.workspace.journal.LOCK_SECONDS", 0.1)
    async with one.turn():
        with pytest.raises(EditRefused, match="another Attaché"):
            async with other.turn():
                pass
    async with asyncio.timeout(5), other.turn():
        pass


WRITER = """
import os, pathlib, sys, time
path = pathlib.Path(sys.argv[1])
print("ready", flush=True)
for n in range(int(sys.argv[2])):
    if n % 2:
        path.with_suffix(".tmp").write_text(f"theirs {n}")
        path.with_suffix(".tmp").replace(path)
    else:
        path.write_text(f"theirs {n}")
    if not n % 40:
        time.sleep(0.01)
"""


@pytest.mark.skipif(
    sys.platform not in {"linux", "darwin"}, reason="names change places in one step on Linux and macOS"
)
def test_another_process_that_writes_all_the_time_never_loses_its_last_word(tmp_path):
    """Ours lands only upon what we saw; whatever the other one wrote after that is there in the end."""
    folder = tmp_path / "ws"
    folder.mkdir()
    path = folder / "a.txt"
    path.write_bytes(b"start")
    landed = disturbed = 0
    with Root(folder) as root:
        journal = Journal(tmp_path / "home", [root])
        for _ in range(5):
            writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "400"], stdout=subprocess.PIPE)
            assert writer.stdout
            writer.stdout.readline()
            while writer.poll() is None:
                seen = path.read_bytes()
                try:
                    journal.commit(journal.prepare("c", "t", [DiskChange(Place(root, "a.txt"), seen, seen + b"+ours")]))
                    landed += 1
                except Disturbed:
                    disturbed += 1
            writer.stdout.close()
            assert path.read_bytes().startswith(b"theirs 399"), path.read_bytes()
    print(f"{landed} landed, {disturbed} disturbed")
    assert landed
    assert disturbed
