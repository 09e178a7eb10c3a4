from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from attache.schema.errors import PathRefused
from attache.workspace import beneath
from attache.workspace.paths import Guard, Root, strongest_guard

posix = pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this platform opens no files from folders")
LONG = pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full count runs under ATTACHE_LONG=1")


def guards() -> list[Guard]:
    if os.open not in os.supports_dir_fd:
        return ["check"]
    return [guard for guard in get_args(Guard) if guard != "kernel" or beneath.kernel_can()]


@pytest.fixture(params=guards())
def root(request, tmp_path):
    inside = tmp_path / "project"
    (inside / "src" / "deep").mkdir(parents=True)
    (inside / "src" / "a.py").write_text("a")
    (inside / "src" / "deep" / "b.py").write_text("b")
    outside = tmp_path / "project-evil"  # the root's own name begins its
    outside.mkdir()
    (outside / "secret").write_text("secret")
    with Root(inside, guard=request.param) as opened:
        yield opened


def read(root: Root, path: str) -> str:
    descriptor = root.open(path)
    with os.fdopen(descriptor) as file:
        return file.read()


def test_the_strongest_guard_is_taken(tmp_path):
    with Root(tmp_path) as root:
        assert root.guard == strongest_guard() == guards()[0]


@pytest.mark.parametrize(
    "path", ["src/a.py", "./src/a.py", "src//a.py", "src/deep/../a.py", "src/./a.py", "src/../src/a.py"]
)
def test_files_inside_are_opened(root, path):
    assert read(root, path) == "a"


@pytest.mark.parametrize(
    "path",
    [
        "../project-evil/secret",
        "src/../../project-evil/secret",
        "..",
        "src/deep/../../../project-evil/secret",
        "/etc/passwd",
        "../project/src/a.py/../../../project-evil/secret",
    ],
)
def test_paths_that_lead_out_are_refused(root, path):
    with pytest.raises((PathRefused, NotADirectoryError)):
        root.open(path)


@pytest.mark.parametrize("path", ["{root}/src/a.py", "src/a.py\0.txt", "\0"])
def test_absolute_paths_and_nul_are_refused_before_anything_is_opened(root, path):
    path = path.format(root=root.path)
    with pytest.raises(PathRefused):
        root.open(path)
    with pytest.raises(PathRefused), root.spot(path, create=True):
        pass


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("file", "src/a.py"),
        ("folder", "src"),
        ("src/deep/up", "../a.py"),
        ("src/deep/far", "../../src/./deep/../a.py"),
        ("absolute", "{root}/src/a.py"),
        ("by-outside", "{root}/../project/src/a.py"),
        ("chain", "hop"),
    ],
)
def test_links_are_followed_while_they_stay_inside(root, link, target):
    (root.path / "hop").symlink_to("src")
    (root.path / link).symlink_to(target.format(root=root.path))
    path = link if link in {"file", "src/deep/up", "src/deep/far", "absolute", "by-outside"} else f"{link}/a.py"
    assert read(root, path) == "a"
    with root.spot(path) as (folder, name):
        assert folder.child(name) == "src/a.py"


@pytest.mark.parametrize(
    "target",
    ["../project-evil/secret", "{root}-evil/secret", "src/../../project-evil/secret", "/proc/self/root"],
)
def test_links_that_lead_out_are_refused(root, target):
    (root.path / "link").symlink_to(target.format(root=root.path))
    (root.path / "hop").symlink_to("link")
    for path in ("link", "hop"):
        with pytest.raises(PathRefused) as refused:
            root.open(path)
        assert path in refused.value.message
        with pytest.raises(PathRefused), root.spot(path):
            pass


def test_links_to_folders_outside_are_refused(root):
    (root.path / "link").symlink_to("../project-evil")
    (root.path / "back").symlink_to("../project-evil/../project/src")
    with pytest.raises(PathRefused):
        root.open("link/secret")
    with pytest.raises(PathRefused):
        root.open("link/new", os.O_CREAT | os.O_WRONLY)
    assert sorted(entry.name for entry in root.path.parent.joinpath("project-evil").iterdir()) == ["secret"]


def test_links_in_a_circle_end(root):
    (root.path / "a").symlink_to("b")
    (root.path / "b").symlink_to("a")
    (root.path / "self").symlink_to("self/x")
    for path in ("a", "self"):
        with pytest.raises((OSError, PathRefused)) as looped:
            root.open(path)
        assert getattr(looped.value, "errno", errno.ELOOP) in {errno.ELOOP, errno.ENOENT}


def test_what_is_not_there_says_so(root):
    with pytest.raises(FileNotFoundError):
        root.open("src/none.py")
    with pytest.raises(FileNotFoundError):
        root.open("none/a.py")
    with pytest.raises(NotADirectoryError):
        root.open("src/a.py/b")
    with pytest.raises(PathRefused, match="is not a folder"):
        Root(root.path / "src" / "a.py")


def test_files_are_made_where_the_path_leads(root):
    (root.path / "alias").symlink_to("src")
    descriptor = root.open("alias/new.py", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
    os.close(descriptor)
    made = root.path / "src" / "new.py"
    assert made.is_file()
    assert made.stat().st_mode & 0o777 & ~0o640 == 0


def test_a_spot_makes_folders_and_stays_inside(root):
    with root.spot("new/deeper/x.py", create=True) as (folder, name):
        assert (folder.path, name, folder.stat(name)) == ("new/deeper", "x.py", None)
        os.close(folder.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        status = folder.stat(name)
        assert status is not None
        assert status.st_size == 0
        os.replace(folder.at(name), folder.at("y.py"), src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
        folder.sync()
        assert not (root.path / "new" / "deeper" / "x.py").exists()
        with root.spot("src/z.py") as (other, target):
            os.replace(folder.at("y.py"), other.at(target), src_dir_fd=folder.fd, dst_dir_fd=other.fd)
        folder_is_empty = not list((root.path / "new" / "deeper").iterdir())
        assert folder_is_empty
    assert (root.path / "src" / "z.py").is_file()
    with root.spot("src/z.py") as (folder, name):
        folder.unlink(name)
    assert not (root.path / "src" / "z.py").exists()
    with pytest.raises(PathRefused), root.spot("../evil/x.py", create=True):
        pass
    assert not (root.path.parent / "evil").exists()
    with root.spot(".") as (folder, name):
        assert (folder.path, name) == ("", ".")
    with root.spot("src/..") as (folder, name):
        assert (folder.path, name) == ("", ".")
    with root.spot(".github/workflows/ci.yml", create=True) as (folder, name):
        assert folder.child(name) == ".github/workflows/ci.yml"
    with root.spot("top.py") as (folder, name):
        assert folder.child(name) == "top.py"


@posix
def test_a_held_folder_is_not_swapped_for_a_link(root):
    with root.spot("src/new.py") as (folder, name):
        (root.path / "src").rename(root.path / "moved")
        (root.path / "src").symlink_to("../project-evil")
        if folder.fd is None:
            return  # checked, not held: what the weakest guard says of itself
        os.close(folder.open(name, os.O_CREAT | os.O_WRONLY))
    assert (root.path / "moved" / "new.py").exists()


@posix
def test_no_descriptor_is_left_open(root):
    def opened() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = opened()
    for path in ("src/a.py", "src/none.py", "../x", "src/deep/../a.py", "src/a.py/x"):
        with suppress(OSError, PathRefused):
            os.close(root.open(path))
        with suppress(OSError, PathRefused), root.spot(path):
            pass
    assert opened() == before


def test_absolute_paths_become_relative_in_any_spelling(root, tmp_path):
    (tmp_path / "alias").symlink_to(root.path)
    for spelled in (
        root.path / "src/a.py",
        f"{root.path}/src/../src/a.py",
        tmp_path / "alias/src/a.py",
        f"{tmp_path}/alias/./src/a.py",
        "src/a.py",
    ):
        assert root.relative(spelled) == "src/a.py"
    assert root.relative(root.path) == "."
    assert root.relative(tmp_path / "alias") == "."
    for outside in (
        tmp_path,
        tmp_path / "project-evil/secret",
        f"{root.path}/../project-evil",
        "/",
        f"{root.path}/src/../../x",
        "a\0b",
        "/a\0b",
        f"{root.path}/a\0b",
    ):
        with pytest.raises(PathRefused):
            root.relative(outside)


FLIPPER = """
import os, sys
inside, outside = sys.argv[1:]
os.symlink(outside, "link")
os.symlink(inside, "good")
print("ready", flush=True)
while True:  # the door is a folder, a link out, the folder, a link inside, the folder, ...
    for other in ("link", "good"):
        os.rename("door", "room")
        os.rename(other, "door")
        os.rename("door", other)
        os.rename("room", "door")
"""


@posix
@pytest.mark.parametrize("guard", [guard for guard in guards() if guard != "check"])
@pytest.mark.parametrize("opens", [20_000, pytest.param(1_000_000, marks=[pytest.mark.long, LONG])])
def test_no_race_leads_out(tmp_path, guard, opens):
    work, outside = tmp_path / "project", tmp_path / "outside"
    for folder, says in ((work / "door", b"in"), (work / "inner", b"in"), (outside, b"OUT")):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(says)
    seen = dict.fromkeys(("in", "OUT", "PathRefused"), 0)
    with (
        subprocess.Popen(
            [sys.executable, "-c", FLIPPER, "inner", str(outside)], cwd=work, stdout=subprocess.PIPE
        ) as flipper,
        Root(work, guard=guard) as root,
    ):
        assert flipper.stdout is not None
        flipper.stdout.readline()
        deadline = time.monotonic() + 60
        try:
            # On a busy machine the flipper may sleep through the first thousands.
            while sum(seen.values()) < opens or (
                min(seen["in"], seen["PathRefused"]) < 20 and time.monotonic() < deadline
            ):
                try:
                    descriptor = root.open("door/file")
                except (OSError, PathRefused) as error:
                    outcome = type(error).__name__
                else:
                    outcome = os.read(descriptor, 9).decode()
                    os.close(descriptor)
                seen[outcome] = seen.get(outcome, 0) + 1
        finally:
            flipper.kill()
    print(f"{guard}: {seen}")
    assert seen["OUT"] == 0
    assert min(seen["in"], seen["PathRefused"]) >= 20, f"the door was open, and the way out was there: {seen}"


@posix
def test_openat2_says_what_the_kernel_says(tmp_path):
    if not beneath.kernel_can():
        pytest.skip("this kernel, or its sandbox, has no openat2")
    (tmp_path / "a").write_text("a")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        os.close(beneath.open_by_kernel(folder, "a", os.O_RDONLY))
        for path, code in (("..", errno.EXDEV), ("/etc", errno.EXDEV), ("none", errno.ENOENT), ("a/b", errno.ENOTDIR)):
            with pytest.raises(OSError, match=path) as failed:
                beneath.open_by_kernel(folder, path, os.O_RDONLY)
            assert failed.value.errno == code
    finally:
        os.close(folder)
