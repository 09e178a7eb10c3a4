"""The command view: a command finds the files as the user sees them, and what it changes waits to be accepted."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from attache.foundation.files import private_dir
from attache.schema.errors import PathRefused, ToolError
from attache.workspace.blobs import Blobs
from attache.workspace.documents import Buffers
from attache.workspace.lock import hold
from attache.workspace.paths import Root, folder_in, home_of, to_path
from attache.workspace.shell import (
    OUTPUT_LIMIT_BYTES,
    Command,
    Completed,
    OnOutput,
    Output,
    Running,
    finished,
    shell_argv,
)
from attache.workspace.view import world
from attache.workspace.view.advice import advice
from attache.workspace.view.changes import Found, changes
from attache.workspace.view.confined import Broker
from attache.workspace.view.gate import PORT, Gate
from attache.workspace.view.layers import Copied, Layer, Overlaid, moved_since
from attache.workspace.view.level import Standing, level, trouble_with
from attache.workspace.view.overlay import remove
from attache.workspace.view.plan import Limits, Plan
from attache.workspace.view.private import written
from attache.workspace.walk import SKIPPED_FOLDERS

NAMED = 10
FILE_BYTES = 4 << 30
WRITTEN_BYTES = 8 << 30
"""What one command may write in all before it is ended."""
LEFT_BYTES = 256 << 20
"""What is left free on the disk in any case."""
PROCESSES = 2048
STALE_SECONDS = 3600
WATCH_SECONDS = 0.2
TICK_SECONDS = 0.0005
CLOCK_REALTIME_COARSE = 5
World = tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]


class CowView:
    """The command view of one workspace: its layers last as long as we do, and one command runs in it at a time."""

    def __init__(
        self,
        home: Path,
        buffers: Buffers,
        blobs: Blobs,
        remember: Callable[[list[str]], None],
    ) -> None:
        """Lay views below `home`. `remember` keeps texts that changes are made against."""
        self._home = home
        self._buffers = buffers
        self._blobs = blobs
        self._remember = remember
        self._broker = Broker()
        self._turn = asyncio.Lock()
        self._folder: Path | None = None
        self._lock = -1
        self._layers: tuple[Layer, ...] = ()
        self._said = False
        self._standing: Standing | None = None
        self._seen: World | None = None
        self._kept: set[str] = set()  # ignored paths that stay in the view, and were told of
        self._outside: set[str] = set()  # what was written outside of the workspace, and told of

    async def run(self, roots: tuple[Root, ...], command: Command, on_output: OnOutput | None = None) -> Completed:
        """Run a command upon what the user sees; raises PathRefused where its folder lies in no root, and ToolError."""
        cwd = folder_in(roots, command.cwd)
        async with self._turn:
            standing = await asyncio.to_thread(level, self._home)
            standing = await asyncio.to_thread(self._open, roots, standing)
            open_texts = self._texts(roots)
            self._remember([text for texts in open_texts for text in texts.values()])
            await asyncio.to_thread(self._renew, open_texts)
            started_ns = await _next_tick()
            output = Output(OUTPUT_LIMIT_BYTES, on_output)
            try:
                plan = self._plan(command, cwd, standing)
                gate = Gate(command.hosts) if plan.proxy_port else None
                job = await self._started(plan, output, command.stdin, gate)
                watch = asyncio.create_task(self._watch(job))
                try:
                    completed = await finished(job, output, command.timeout_seconds)
                finally:
                    watch.cancel()
                    await asyncio.wait([watch])
            except BaseException:
                await asyncio.to_thread(self._clear, keep=False)
                raise
            full = "" if watch.cancelled() else watch.result()
            return await self._taken(completed, standing, open_texts, started_ns, full, terminal=command.terminal)

    async def forget(self) -> None:
        """Forget what commands left, ignored files too."""
        async with self._turn:
            await asyncio.to_thread(self._clear, keep=False)

    def close(self) -> None:
        """End the broker and remove the layers."""
        self._broker.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._folder is not None:
            remove(self._folder)
            self._folder = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # ------------------------------------------------------------ layers

    def _open(self, roots: tuple[Root, ...], standing: Standing) -> Standing:
        """Make the layers of these roots, where they are not there yet; return how commands will be confined."""
        if self._standing and [layer.root.path for layer in self._layers] == [root.path for root in roots]:
            return self._standing
        if self._folder is None:
            _clear_stale(standing.base)
            self._blobs.prune()
        self._let_go()
        self._standing, self._seen, self._kept, self._outside = None, None, set(), set()
        self._folder = Path(tempfile.mkdtemp(prefix="view-", dir=private_dir(standing.base)))
        self._lock = hold(self._folder / "lock")
        for name in ("home", "tmp"):
            (self._folder / name).mkdir(mode=0o700)
        if standing.level == "landlock":
            world.furnish(self._folder / "home")
        self._layers = self._laid(roots, standing)
        if standing.overlay and (trouble := trouble_with(layer.laid for layer in self._layers)):
            standing = standing._replace(overlay=False, reasons=(*standing.reasons, f"overlay: {trouble}"))
            self._layers = self._laid(roots, standing)
        self._standing = standing
        return standing

    def _laid(self, roots: tuple[Root, ...], standing: Standing) -> tuple[Layer, ...]:
        layers: list[Layer] = []
        for number, root in enumerate(roots):
            folder = self._at() / str(number)
            remove(folder)
            folder.mkdir()
            mounted = standing.level == "namespaces"
            layers.append(Overlaid(root, folder) if standing.overlay else Copied(root, folder, mounted=mounted))
        return tuple(layers)

    def _at(self) -> Path:
        """Return the folder of the layers."""
        if self._folder is None:
            raise ToolError("the command view is closed", hint="the workspace has been closed")
        return self._folder

    def _renew(self, texts: Sequence[dict[str, str]]) -> None:
        for layer, open_texts in zip(self._layers, texts, strict=True):
            layer.renew(open_texts)

    def _clear(self, *, keep: bool) -> None:
        for layer in self._layers:
            layer.clear(keep=keep)

    def _texts(self, roots: tuple[Root, ...]) -> list[dict[str, str]]:
        """Return the texts of the open documents, for each root by their path."""
        texts: list[dict[str, str]] = [{} for _ in roots]
        for document in self._buffers:
            with suppress(PathRefused):
                root, path = home_of(roots, os.path.realpath(to_path(document.uri)))
                texts[roots.index(root)][path] = document.text
        return texts

    # ------------------------------------------------------------ the command

    def _plan(self, command: Command, cwd: Path, standing: Standing) -> Plan:
        folder = self._at()
        roots = [layer.root.path for layer in self._layers]
        argv = command.argv or shell_argv(command.text)
        if standing.level == "namespaces":
            home, temporary = folder / "home", folder / "tmp"
            masked, seen, hidden = self._world(home, temporary)
            kept = [where for layer in self._layers for where in layer.read_only.values()]
            port = PORT if command.hosts else 0
            env = world.environment({**world.proxied(port), **command.env}, temporary="/tmp")  # noqa: S108 - a private one
            return Plan(
                argv=argv, env=env, cwd=str(cwd), level="namespaces", laid=tuple(layer.laid for layer in self._layers),
                read_only=tuple(kept), masked=masked, exposed=seen, hidden=hidden,
                writable=(*map(str, roots), *(path for path, behind in masked.items() if behind)),
                families=world.NAMESPACE_FAMILIES, limits=_limits(), terminal=command.terminal, proxy_port=port,
            )  # fmt: skip
        places = [(str(layer.root.path), layer.laid.copy) for layer in self._layers]
        copies = [copy for _, copy in places]
        private = [str(folder / "tmp"), str(folder / "home")]
        elsewhere = {"HOME": private[1]} if standing.level == "landlock" else {}
        env = world.environment({**elsewhere, **command.env}, temporary=private[0])
        return Plan(
            argv=tuple(_renamed(word, places) for word in argv), env=env, cwd=_renamed(str(cwd), places),
            level=standing.level, writable=(*copies, *private), limits=_limits(), terminal=command.terminal,
            readable=self._readable() if standing.level == "landlock" else ("/",),
            hidden=world.credentials() if standing.level == "seatbelt" else (),
        )  # fmt: skip

    def _world(self, home: Path, temporary: Path) -> World:
        """Return what is masked, what is seen all the same, and what is hidden: looked for once."""
        if self._seen is None:
            roots = [layer.root.path for layer in self._layers]
            masked = world.masked(home, temporary)
            self._seen = masked, world.exposed(masked, roots), world.hidden(roots)
        return self._seen

    def _readable(self) -> tuple[str, ...]:
        """Return what may be read where nothing can be hidden: no home folder, no temporary files, no secrets."""
        roots = [layer.root.path for layer in self._layers]
        barred, seen, hidden = self._world(self._at(), self._at())
        return world.readable((*barred, *hidden), (*seen, *map(str, roots), str(self._at())))

    async def _started(self, plan: Plan, output: Output, stdin: str | None, gate: Gate | None) -> Running:
        if sys.platform == "linux":
            return self._broker.start(plan, output, stdin, gate)
        from attache.workspace.view import elsewhere

        return await elsewhere.start(plan, output, stdin)

    async def _watch(self, job: Running) -> str:
        """End a command that fills the disk; return what is to be said of that."""
        folder = self._at()
        free = shutil.disk_usage(folder).free
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = shutil.disk_usage(folder).free
            if free - now > WRITTEN_BYTES or (now < LEFT_BYTES and now < free):
                job.kill()
                return (
                    f"ended: it wrote {max(free - now, 0) / 1e9:.1f} GB, and {now / 1e9:.1f} GB were left on the disk"
                )

    # ------------------------------------------------------------ what came of it

    async def _taken(
        self, completed: Completed, standing: Standing, texts: Sequence[dict[str, str]], started_ns: int, full: str,
        *, terminal: bool,
    ) -> Completed:  # fmt: skip
        found, moved = await asyncio.to_thread(self._found, started_ns)
        made = () if moved or full else await asyncio.to_thread(changes, found, self._blobs)
        await asyncio.to_thread(self._clear, keep=not (moved or full))
        kept = [path for path in found.kept if path not in self._kept and SKIPPED_FOLDERS.isdisjoint(path.split("/"))]
        self._kept = set(found.kept) if not (moved or full) else set()
        outside = await asyncio.to_thread(self._written_outside, standing, started_ns)
        older = [path for path, text in self._older(texts) if text]
        notes = [
            full,
            advice(completed),
            f"nothing of what it changed was taken, since {_named(moved)} changed meanwhile: run it again"
            if moved
            else "",
            f"ran on older text of {_named(older)}, typed in meanwhile" if older else "",
            f"stays in the command view: {_named(kept)}" if kept else "",
            f"not taken over: {_named(found.strange)}" if found.strange else "",
            f"written outside of the workspace, where only later commands of this session find it, and not kept: "
            f"{_named(outside)}"
            if outside
            else "",
            "" if self._said or standing.strongest else standing.words,
        ]
        self._said = True
        if terminal and sys.platform != "linux":
            notes.append("it got no terminal, which only Linux gives")
        output = completed.output
        if standing.level != "namespaces":
            for layer in self._layers:
                output = output.replace(layer.laid.copy, str(layer.root.path))
        note = "; ".join(part for part in notes if part)
        return completed.model_copy(update={"changes": made, "note": note, "output": output})

    def _found(self, started_ns: int) -> tuple[Found, list[str]]:
        """Return what the command left in all roots, and what others changed meanwhile of that."""
        every, moved = Found(), list[str]()
        for layer in self._layers:
            found = layer.found()
            moved += moved_since(found, layer, started_ns)
            for name in ("entries", "made", "removed", "kept", "strange"):
                getattr(every, name).extend(getattr(found, name))
        return every, moved

    def _written_outside(self, standing: Standing, started_ns: int) -> list[str]:
        """Return what a command wrote into the folders that stand in for the user's own and for temporary files."""
        home, temporary = self._at() / "home", "/tmp" if standing.level == "namespaces" else "$TMPDIR"  # noqa: S108 - a name
        masked, exposed, _ = self._seen or ({}, (), ())
        behind = [place for place, private in masked.items() if private == str(home)]
        mounted = {f"~{path.removeprefix(place)}" for place in behind for path in exposed}
        places = {"~": home, temporary: self._at() / "tmp"}
        found = written(places, started_ns, self._outside | mounted)
        self._outside.update(found)
        return found

    def _older(self, texts: Sequence[dict[str, str]]) -> list[tuple[str, bool]]:
        """Return the open documents that the command saw, each with whether it was typed in since."""
        now = self._texts(tuple(layer.root for layer in self._layers))
        return [
            (path, text != known.get(path, text))
            for before, known in zip(texts, now, strict=True)
            for path, text in before.items()
        ]


def _limits() -> Limits:
    memory = 0
    if sys.platform == "linux":
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
    return Limits(file_bytes=FILE_BYTES, memory_bytes=memory, processes=PROCESSES)


def _renamed(word: str, places: Sequence[tuple[str, str]]) -> str:
    """Let a word that names a root, or something in it, name the copy."""
    for root, copy in places:
        word = re.sub(rf"(?<![\w./-]){re.escape(root)}(?![\w.-])", lambda _, copy=copy: copy, word)
    return word


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more


async def _next_tick() -> int:
    """Wait until the clock of file times moves on: what changed before is told from what changes from now on."""
    if sys.platform != "linux":
        return time.time_ns()
    before = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)
    while (now := time.clock_gettime_ns(CLOCK_REALTIME_COARSE)) == before:  # noqa: ASYNC110 - a clock tells nobody
        await asyncio.sleep(TICK_SECONDS)
    return now


def _clear_stale(base: Path) -> None:
    """Remove the views of processes that are no more."""
    for folder in (*base.glob("view-*"), *base.glob(".trial-*")):
        with suppress(OSError):
            begun = not (folder / "lock").exists()  # it is just being made, unless that is long ago
            descriptor = -1 if begun else hold(folder / "lock")
            if descriptor >= 0:
                os.close(descriptor)
            if descriptor >= 0 or (begun and time.time() - folder.stat().st_mtime > STALE_SECONDS):
                remove(folder)
