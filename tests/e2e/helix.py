"""Drive a real Helix in a pseudo-terminal: press keys, read the screen, take the buffer's text."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pyte

ROWS, COLUMNS = 40, 160
KEYS = {"<Enter>": "\r", "<Down>": "\x1b[B", "<Up>": "\x1b[A", "<Space>": " "}


@dataclass(frozen=True, slots=True)
class Server:
    """A language server as Helix's `languages.toml` knows it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def toml(self) -> str:
        settings = ", ".join(f"{key} = {json.dumps(value)}" for key, value in self.environment.items())
        program, *arguments = self.command
        return (
            f"[language-server.{self.name}]\ncommand = {json.dumps(program)}\nargs = {json.dumps(arguments)}\n"
            f"environment = {{ {settings} }}\n"
        )


class _Screen(pyte.Screen):
    """A screen that bears the private sequences Helix sends."""

    def report_device_status(self, mode: int, **_: Any) -> None:
        super().report_device_status(mode)

    def set_margins(self, top: int | None = None, bottom: int | None = None, **_: Any) -> None:
        super().set_margins(top, bottom)


class Helix:
    """One editor with its own configuration folder. Close it, or use it as a context."""

    def __init__(self, program: Path | str, home: Path, file: Path, servers: Sequence[Server], root: Path) -> None:
        self._scratch = home / "buffer.txt"
        folder = home / "config" / "helix"
        folder.mkdir(parents=True)
        names = json.dumps([server.name for server in servers])
        languages = "".join(server.toml() for server in servers)
        for language in ("python", "markdown"):
            languages += f'[[language]]\nname = "{language}"\nlanguage-servers = {names}\nauto-format = false\n'
        (folder / "languages.toml").write_text(languages, "utf-8")
        (folder / "config.toml").write_text("[editor]\ninsert-final-newline = false\n", "utf-8")
        environment = {
            **os.environ,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        self._screen = _Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [str(program), str(file)],
            cwd=root,
            env=environment,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self.close)
            self.until(lambda: file.name in self.screen)
            on_failure.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the editor; its servers see their input end."""
        self.process.terminate()
        self.process.wait()
        self._watcher.join()  # before the terminal's number can mean another one
        os.close(self._terminal)

    @property
    def screen(self) -> str:
        """What stands on the screen, line by line."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, keys: str) -> None:
        """Press keys; `<Esc>`, `<Enter>`, `<Down>`, `<Up>` and `<Space>` name themselves."""
        first, *others = (self._codes(piece) for piece in keys.split("<Esc>"))
        os.write(self._terminal, first)
        for piece in others:
            # What is on the screen may be older than the keys: NOR from before they were read is not the answer.
            with suppress(TimeoutError):
                self.see(" INS ", timeout=3.0)
            # An escape that other keys follow at once would be read as Alt with a key.
            os.write(self._terminal, b"\x1b")
            time.sleep(0.05)
            self.see(" NOR ")
            os.write(self._terminal, piece)

    def _codes(self, keys: str) -> bytes:
        for name, code in KEYS.items():
            keys = keys.replace(name, code)
        return keys.encode()

    def command(self, line: str) -> None:
        """Run a typable command, from normal mode."""
        self.type(f":{line}<Enter>")

    def pick(self, title: str) -> None:
        """Choose the first code action at the cursor whose title has these words; a server may be slow to start."""

        def offered() -> bool:
            self.type("<Esc><Space>a")
            with contextlib.suppress(TimeoutError):
                return bool(self.see(title, timeout=5))
            return False

        self.until(offered)
        self.type("<Down>" * self._rows_above(title) + "<Enter>")

    def _rows_above(self, title: str) -> int:
        """How many rows of the same menu stand above one of them: a menu is drawn on a ground of its own."""
        with self._lock:
            row = next(number for number, line in enumerate(self._screen.display) if title in line)
            column = self._screen.display[row].index(title)
            ground = self._screen.buffer[ROWS - 4][COLUMNS - 2].bg
            top = row
            while self._screen.buffer[top - 1][column].bg != ground:
                top -= 1
        return row - top

    def take_text(self) -> str:
        """The buffer's text, saved or not, from normal mode; the cursor goes to its start."""
        self._scratch.unlink(missing_ok=True)
        part = self._scratch.with_suffix(".part")
        self.type("%")
        self.command(f"pipe-to cat > '{part}' && mv '{part}' '{self._scratch}'")
        self.until(self._scratch.exists)
        self.type("gg")
        return self._scratch.read_bytes().decode()

    def see(self, words: str, timeout: float = 40.0) -> str:
        """Wait till words stand on the screen; the screen."""
        return self.until(lambda: words in self.screen and self.screen, timeout)

    def until(self, condition: Callable[[], Any], timeout: float = 40.0) -> Any:
        """Wait till a condition holds; its value."""
        ends = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {timeout} s; the screen shows:\n{self.screen}")
            time.sleep(0.02)
        return value

    def _watch(self) -> None:
        with contextlib.suppress(OSError):  # nobody is at the other end any more
            while data := os.read(self._terminal, 65536):
                with self._lock:
                    self._stream.feed(data)
