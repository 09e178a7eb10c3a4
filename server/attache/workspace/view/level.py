"""How commands are confined on this machine: tried, not guessed, the strongest first, and said in words."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from attache.workspace.view.plan import Laid, Level, Plan

TRIAL_SECONDS = 20.0
PACKAGES = str(Path(__file__).parents[3])
TRIAL = (
    "-I",
    "-S",
    "-c",
    f"import sys; sys.path.append({PACKAGES!r}); from attache.workspace.view.broker import trial; trial()",
)

WORDS: Mapping[Level, str] = {
    "namespaces": "commands are confined by namespaces, Landlock and seccomp: no network, the home folder hidden, "
    "nothing written outside of the view",
    "landlock": "commands are confined by Landlock and seccomp: no network, nothing written outside of the view, the "
    "home folder not read; they can change permissions and times of your files outside, and see other processes",
    "seatbelt": "commands are confined by sandbox-exec: no network, nothing written outside of the view; they can read "
    "your files, except for credentials",
    "job": "commands are not confined: they end with all that they start, but can read, write and reach what you can",
    "none": "commands are not confined: they can read, write and reach what you can, so every command asks",
}
"""What holds at each level, as it is shown."""


class Standing(NamedTuple):
    """What this machine gives."""

    level: Level
    overlay: bool
    """Whether the view can be an overlay; otherwise it is a copy."""
    base: Path
    """Where views lie: the upper layer of an overlay needs a file system that can be one."""
    reasons: tuple[str, ...] = ()
    """Why it is not the strongest."""

    @property
    def strongest(self) -> bool:
        """Return whether all of it holds that can hold anywhere."""
        return self.level == "namespaces" and self.overlay

    @property
    def words(self) -> str:
        """Return what holds, in one sentence or two."""
        view = "" if self.overlay else "; the view is a copy of the workspace, since no overlay can be mounted here"
        why = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{WORDS[self.level]}{view}{why}"


def level(home: Path) -> Standing:
    """Return how commands are confined, with `home` the state folder; what was found once holds while we live."""
    return _standing(home, os.environ.get("ATTACHE_SANDBOX", ""))


@cache
def _standing(home: Path, forced: str) -> Standing:
    """Try what there is; `forced` names a weaker level, to be tested with, or `copy` for no overlay."""
    if sys.platform == "darwin":
        found: Level = "seatbelt" if shutil.which("sandbox-exec") else "none"
        return Standing(found, overlay=False, base=home / "views")
    if sys.platform != "linux":
        return Standing("job" if sys.platform == "win32" else "none", overlay=False, base=home / "views")
    return _on_linux(home, forced)


def _on_linux(home: Path, forced: str) -> Standing:
    bases = [home / "views", *(Path(place) for place in ("/dev/shm", tempfile.gettempdir()))]  # noqa: S108 - tried
    reasons = [f"ATTACHE_SANDBOX={forced}"] if forced else list[str]()
    if forced in {"", "namespaces", "copy"}:
        for number, base in enumerate(bases):
            plans = (_overlay_plan(base), _plan("namespaces"))
            if plans[0] is None:
                continue
            with_overlay, without = _tried(plan for plan in plans if plan)
            shutil.rmtree(plans[0].cwd, ignore_errors=True)
            if not with_overlay and forced != "copy":
                return Standing("namespaces", overlay=True, base=base if number == 0 else _private(base))
            if without or forced == "copy":
                reasons = [f"namespaces: {without}"] if without else reasons
                break
            reasons.append(f"overlay in {base}: {with_overlay}")
        if not (reasons and reasons[-1].startswith("namespaces")):
            return Standing("namespaces", overlay=False, base=home / "views", reasons=tuple(reasons))
    if forced != "none":
        (trouble,) = _tried([_plan("landlock")])
        if not trouble:
            return Standing("landlock", overlay=False, base=home / "views", reasons=tuple(reasons))
        reasons.append(f"landlock: {trouble}")
    return Standing("none", overlay=False, base=home / "views", reasons=tuple(reasons))


def trouble_with(laid: Iterable[Laid]) -> str:
    """Return why these folders cannot be laid over one another here, nothing where they can."""
    listed = tuple(laid)
    (trouble,) = _tried([
        Plan(
            argv=("/bin/true",), env={}, cwd=listed[0].at, level="namespaces", laid=listed, families=(2,),
            writable=tuple(each.at for each in listed),
        )
    ])  # fmt: skip
    return trouble


def _private(base: Path) -> Path:
    """Return a folder of ours in one that everybody may write to; a name that others hold is left alone."""
    folder = base / f"attache-{os.geteuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    known = folder.lstat() if os.path.lexists(folder) else None
    if known and stat.S_ISDIR(known.st_mode) and known.st_uid == os.geteuid() and not known.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix="attache-", dir=base))


def _plan(level_: Level) -> Plan:
    return Plan(argv=("/bin/true",), env={}, cwd="/", level=level_, writable=("/dev/null",), families=(2,))


def _overlay_plan(base: Path) -> Plan | None:
    """Return a plan that lays one empty folder over another, both below `base`."""
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".trial-", dir=base))
        for name in ("lower", "upper", "work"):
            (folder / name).mkdir()
    except OSError:
        return None
    laid = Laid(
        at=str(folder / "lower"),
        lowers=(str(folder / "lower"),),
        upper=str(folder / "upper"),
        work=str(folder / "work"),
    )
    return Plan(
        argv=("/bin/sh", "-c", "> lower/tried"), env={}, cwd=str(folder), level="namespaces", laid=(laid,),
        writable=(str(folder / "lower"),), families=(2,),
    )  # fmt: skip


def _tried(plans: Iterable[Plan]) -> list[str]:
    """Run each plan; return for each why it failed, or nothing."""
    listed = list(plans)
    words = b"".join(plan.dump() + b"\n" for plan in listed)
    try:
        done = subprocess.run(
            (sys.executable, *TRIAL), input=words, capture_output=True, timeout=TRIAL_SECONDS, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [str(error)] * len(listed)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [
        answer.get("error") or ("" if answer.get("status") == 0 else f"status {answer.get('status')}")
        for answer in answers
    ]
    return (told + ["the trial ended early"] * len(listed))[: len(listed)]


def forget() -> None:
    """Try again the next time, as after a setting of the machine has changed."""
    with suppress(AttributeError):
        _standing.cache_clear()
