"""A program that kills itself while change sets land on disk, recovers, and says what it found.

`victim.py points GUARD` kills a landing before every single call into the system that the journal makes, and the
recovery from each of those at some of its own. GUARD is how the root is kept, or `linkless` for a file system without
hard links. `victim.py moments GUARD ROUNDS SEED` kills one at random moments. Faults are printed a line each, the last
line being a summary.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attache.schema.edits import (
    ChangeSet,
    CreateFile,
    DeleteFile,
    EditFile,
    FileState,
    RenameFile,
    ReplaceFile,
    SetMode,
)
from attache.workspace.blobs import Blobs, state_of
from attache.workspace.documents import Buffers, text_hash
from attache.workspace.edits import diff
from attache.workspace.held import Files
from attache.workspace.journal import Journal
from attache.workspace.paths import Root, to_uri
from attache.workspace.sketch import Sketch
from attache.workspace.spares import Place, bytes_hash
from attache.workspace.workspace import Workspace

WATCHED = ("journal.py", "spares.py", "swap.py", "files.py")

CONTENTS: dict[str, tuple[bytes, int]] = {
    "crlf.txt": (b"eins\r\nzwei\r\ndrei\r\n", 0o644),
    "bom.txt": ("\ufeffone\ntwo\nthree".encode(), 0o600),
    "utf16.txt": (b"\xff\xfe" + "one\r\ntwo\r\n".encode("utf-16-le"), 0o640),
    "latin.txt": ("caf\xe9\nna\xefve\n".encode("latin-1"), 0o644),
    "run.sh": (b"#!/bin/sh\necho one\n", 0o755),
    "sub/gone.txt": (b"soon gone\n", 0o604),
    "sub/moved.txt": (b"moved\nand kept\n", 0o751),
    "left.txt": (b"left\n", 0o640),
    "right.txt": (b"right\n", 0o606),
    "over.txt": (b"overwritten\n", 0o644),
    "old.bin": (b"\0\1old", 0o640),
    "mode.sh": (b"#!/bin/sh\n", 0o644),
}
BYTES = {"new": b"\0\1new" * 1000}


class World:
    """A workspace folder and the journal's home."""

    def __init__(self, folder: Path, guard: str) -> None:
        self.root = folder / "ws"
        self.home = folder / "home"
        self.guard = guard

    def fill(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)
        for name, (data, mode) in CONTENTS.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(mode)
        (self.root / "turned").symlink_to("crlf.txt")

    def tree(self) -> dict[str, tuple[bytes, int]]:
        files = (path for path in self.root.rglob("*") if not path.is_dir())
        return {path.relative_to(self.root).as_posix(): _held(path) for path in files}

    def open_root(self) -> Root:
        return Root(self.root, guard=self.guard)  # type: ignore[arg-type]

    def change_set(self) -> ChangeSet:
        """Edit five kinds of files, create in new folders, delete, rename, rename over, and let two change places."""

        def uri(name: str) -> Any:
            return to_uri(self.root / name)

        def edit(name: str, text: str, old: str, new: str) -> EditFile:
            return EditFile(uri=uri(name), base_hash=text_hash(text), edits=diff(text, text.replace(old, new)))

        def move(old: str, new: str, text: str, *, overwrite: bool = False) -> RenameFile:
            return RenameFile(uri=uri(old), new_uri=uri(new), base_hash=text_hash(text), overwrite=overwrite)

        return ChangeSet(
            id="c",  # type: ignore[arg-type]
            title="everything",
            files=(
                edit("crlf.txt", "eins\r\nzwei\r\ndrei\r\n", "zwei", "ZWEI"),
                edit("bom.txt", "one\ntwo\nthree", "three", "THREE"),
                edit("utf16.txt", "one\r\ntwo\r\n", "one", "\u00fcn"),
                edit("latin.txt", "caf\xe9\nna\xefve\n", "na\xefve", "NA\xcfVE"),
                edit("run.sh", "#!/bin/sh\necho one\n", "one", "two"),
                CreateFile(uri=uri("new/deep/file.py"), text="print()\n", executable=True),
                DeleteFile(uri=uri("sub/gone.txt"), base_hash=text_hash("soon gone\n")),
                move("sub/moved.txt", "other/moved.txt", "moved\nand kept\n"),
                edit("other/moved.txt", "moved\nand kept\n", "kept", "changed"),
                move("left.txt", "aside.txt", "left\n"),
                move("right.txt", "left.txt", "right\n"),
                move("aside.txt", "right.txt", "left\n"),
                move("left.txt", "over.txt", "right\n", overwrite=True),
                *self.others(),
            ),
        )

    def others(self) -> tuple[ReplaceFile | SetMode, ...]:
        """Replace a binary file, make and turn links, change permissions."""
        states = {name: FileState(hash=bytes_hash(data), size=len(data)) for name, data in BYTES.items()}
        with Root(self.root) as root:
            old = state_of(Place(root, "old.bin"))
        new = states["new"].model_copy(update={"mode": 0o750})
        changes = (
            ("old.bin", old, new),
            ("made/link", None, FileState(target="new.bin")),
            ("turned", FileState(target="crlf.txt"), FileState(target="../nowhere")),
        )
        replaced = tuple(
            ReplaceFile(uri=to_uri(self.root / name), before=before, after=after) for name, before, after in changes
        )
        return (*replaced, SetMode(uri=to_uri(self.root / "mode.sh"), before=0o644, mode=0o755))

    def land(self) -> None:
        """Land the change set straight through the journal, without threads."""
        with self.open_root() as root:
            blobs = Blobs(self.root.parent / "blobs")
            for data in BYTES.values():
                blobs.path(bytes_hash(data)).parent.mkdir(parents=True, exist_ok=True)
                blobs.path(bytes_hash(data)).write_bytes(data)
            files = Files(lambda uri: Place(root, root.relative(uri.removeprefix("file://"))), Buffers(), str, blobs)
            sketch = Sketch(files, lambda _: None)
            asyncio.run(_without_threads(sketch.add(self.change_set())))
            journal = Journal(self.home, [root])
            journal.commit(journal.prepare(self.change_set().id, "everything", sketch.disk_changes()))

    def recover(self) -> int:
        with self.open_root() as root:
            return len(Journal(self.home, [root]).recover())

    def faults(self, before: dict[str, tuple[bytes, int]], after: dict[str, tuple[bytes, int]]) -> Iterator[str]:
        tree = self.tree()
        if tree not in (before, after):
            names = sorted(before | after | tree)
            states = {
                name: "both" if before.get(name) == after.get(name) == tree.get(name)
                else "before" if tree.get(name) == before.get(name)
                else "after" if tree.get(name) == after.get(name)
                else f"{tree.get(name)}"
                for name in names
            }  # fmt: skip
            yield f"neither whole nor absent: {states}"
        if tree == before and (self.root / "new").exists():
            yield "a folder is left"
        if entries := sorted(path.name for path in self.home.rglob("*") if path.is_file()):
            yield f"left in the journal: {entries}"
        if self.recover():
            yield "recovered twice"


def _held(path: Path) -> tuple[bytes, int]:
    if path.is_symlink():
        return os.fsencode(path.readlink()), -1
    return path.read_bytes(), path.stat().st_mode & 0o777


async def _without_threads(coroutine: Any) -> Any:
    async def here(func: Callable[..., Any], *args: Any) -> Any:
        return func(*args)

    asyncio.to_thread = here  # a fork may have no threads
    return await coroutine


def forked(work: Callable[[], object], kill: Callable[[], object] | None = None) -> bool:
    """Run `work` in a child, killed once `kill` returns; return whether it ended by itself."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - a fork must not go on with its parent's work
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    if kill is not None:
        kill()
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("the child failed")
    return os.WIFEXITED(status)


def killed_at(point: int, work: Callable[[], object]) -> Callable[[], None]:
    """Return `work` with a bullet in it: it dies before its `point`th call into the system from the watched modules."""

    def doomed() -> None:
        calls = 0

        def count(frame: Any, event: str, function: Any) -> None:
            nonlocal calls
            if event == "c_call" and frame.f_code.co_filename.endswith(WATCHED):
                owner = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
                if owner in {"posix", "_io", "_ctypes"}:
                    calls += 1
                    if calls == point:
                        os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        work()
        sys.setprofile(None)

    return doomed


def points(world: World) -> Iterator[str]:
    world.fill()
    before = world.tree()
    forked(world.land)
    after = world.tree()
    assert after != before
    assert not (world.root / "left.txt").exists()
    point, tried, seen, chance = 0, 0, {"before": 0, "after": 0}, random.Random(0)
    done = False
    while not done:
        point += 1
        world.fill()
        done = forked(killed_at(point, world.land))
        second = 0
        while not done and chance.random() < 0.8:
            second += chance.randrange(1, 12)
            if forked(killed_at(second, world.recover)):
                break
            tried += 1
        tried += 1
        world.recover()
        seen["before" if world.tree() == before else "after"] += 1
        yield from (f"killed at point {point}, then {second}: {fault}" for fault in world.faults(before, after))
    yield f"{point - 1} points, {tried} kills, {seen}"


def moments(world: World, rounds: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    names = [f"n{number}.txt" for number in range(5)]
    world.root.mkdir()
    for name in names:
        (world.root / name).write_bytes(b"\xef\xbb\xbfkeep\r\n0\r\nkeep")
        (world.root / name).chmod(0o741)
    landed = 0
    heard, told = os.pipe()

    async def run() -> None:
        workspace = Workspace([world.open_root()], home=world.home)
        while True:
            snapshots = [await workspace.read(name) for name in names]
            number = int(snapshots[0].text.split()[1]) + 1
            files = tuple(
                EditFile(uri=one.uri, base_hash=one.hash, edits=diff(one.text, f"keep\r\n{number}\r\nkeep"))
                for one in snapshots
            )
            await workspace.land(ChangeSet(id="c", title="next", files=files))  # type: ignore[arg-type]
            os.write(told, b".")

    def soon() -> None:
        """Wait for a landing, and then for a part of the time that the next one takes."""
        os.read(heard, 1)
        begun = time.perf_counter()
        os.read(heard, 1)
        time.sleep(chance.uniform(0, 1.2) * (time.perf_counter() - begun))
        while select.select([heard], [], [], 0)[0]:
            os.read(heard, 1 << 16)

    for _ in range(rounds):
        forked(lambda: asyncio.run(run()), soon)
        if chance.random() < 0.5:
            forked(world.recover, lambda: time.sleep(chance.uniform(0.0, 0.004)))
        world.recover()
        datas = {path.read_bytes() for path in world.root.iterdir()}
        if len(datas) != 1 or len(list(world.root.iterdir())) != len(names):
            yield f"neither whole nor absent: {datas} {sorted(path.name for path in world.root.iterdir())}"
        data = datas.pop()
        landed = max(landed, int(data.split()[1]))
        if data != b"\xef\xbb\xbfkeep\r\n%d\r\nkeep" % int(data.split()[1]):
            yield f"bytes changed: {data!r}"
        if {path.stat().st_mode & 0o777 for path in world.root.iterdir()} != {0o741}:
            yield "the mode changed"
        if entries := [path.name for path in world.home.rglob("*") if path.is_file() and path.name != "lock"]:
            yield f"left in the journal: {entries}"
    yield f"{rounds} kills, {landed} change sets landed"


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "as a FAT file system says")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), "check" if sys.argv[2] == "linkless" else sys.argv[2])
        if sys.argv[2] == "linkless":
            os.link = _no_links
        kill = {"points": points, "moments": moments}[sys.argv[1]]
        for line in kill(world, *map(int, sys.argv[3:])):
            print(line, flush=True)


if __name__ == "__main__":
    main()
