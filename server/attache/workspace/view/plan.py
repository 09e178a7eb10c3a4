"""What a confined command is to find: plain data that travels to the broker, which imports nothing heavier."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["namespaces", "landlock", "seatbelt", "job", "none"]
"""How commands are confined, the strongest first; `level.py` says what each of them means."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A folder of the workspace as the command finds it under its own name: an overlay, or a copy of it."""

    at: str
    copy: str = ""
    """A folder that takes its place; empty for an overlay."""
    lowers: tuple[str, ...] = ()
    """The layers below, the topmost first."""
    upper: str = ""
    work: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may use; 0 stands for no limit."""

    file_bytes: int = 0
    """Of one file."""
    memory_bytes: int = 0
    """Of private memory, a process each."""
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """One command and the world it is put into."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    level: Level
    laid: tuple[Laid, ...] = ()
    read_only: tuple[str, ...] = ()
    """What of the laid folders is the disk's own, for reading."""
    masked: dict[str, str] = field(default_factory=dict[str, str])
    """Folders that something else stands in for: a private folder, or nothing (empty)."""
    exposed: tuple[str, ...] = ()
    """What lies in masked folders and is to be seen all the same, for reading."""
    hidden: tuple[str, ...] = ()
    """Files and folders that are emptied last of all, wherever they lie."""
    writable: tuple[str, ...] = ()
    """Where Landlock lets the command write."""
    readable: tuple[str, ...] = ("/",)
    """Where Landlock lets the command read."""
    families: tuple[int, ...] = ()
    """Kinds of sockets it may open."""
    limits: Limits = Limits()
    proxy_port: int = 0
    """Where, in its own network, the gate listens; 0: there is none."""
    terminal: bool = False
    """Whether it gets a terminal instead of pipes."""

    def dump(self) -> bytes:
        """Return it as bytes that `load` reads."""
        return json.dumps(asdict(self)).encode("ascii")


def load(data: bytes) -> Plan:
    """Return the plan that `dump` wrote."""
    given: dict[str, Any] = json.loads(data)
    laid = tuple(Laid(**_tuples(each)) for each in given.pop("laid"))
    limits = Limits(**given.pop("limits"))
    return Plan(**_tuples(given), laid=laid, limits=limits)


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}  # pyright: ignore[reportUnknownArgumentType]
