"""Drive a real Neovim, headless, by its own RPC: type, look at diagnostics, pick code actions, undo."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import pynvim

START = """
local name, command, root, environment = ...
return vim.lsp.start({ name = name, cmd = command, root_dir = root, cmd_env = environment })
"""

# Code actions are chosen through vim.ui.select, as a user would; the choice is made by title.
CHOOSE = """
_G.offered, _G.wanted, _G.notices = {}, '', {}
vim.ui.select = function(items, options, on_choice)
  _G.offered = vim.tbl_map(options.format_item or tostring, items)
  for index, title in ipairs(_G.offered) do
    if _G.wanted ~= '' and title:find(_G.wanted, 1, true) then return on_choice(items[index], index) end
  end
  on_choice(nil, nil)
end
-- A Neovim that was unpacked alone has no parsers, and its own settings for Markdown insist on one.
vim.treesitter.start = function() end
vim.notify = function(text, level) table.insert(_G.notices, text) end
"""


class Neovim:
    """One editor with no configuration of the user's. Close it, or use it as a context."""

    def __init__(self, program: Path | str, home: Path) -> None:
        self._sockets = tempfile.TemporaryDirectory()  # short: a socket's path may have about 100 characters
        address = str(Path(self._sockets.name) / "nvim")
        self.process = subprocess.Popen(
            [str(program), "--clean", "--headless", "-n", "-i", "NONE", "--listen", address],
            env={**os.environ, "XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._end)
            self._await(address)
            self.rpc = pynvim.attach("socket", path=address)
            self.rpc.exec_lua(CHOOSE)
            on_failure.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the editor, its servers with it."""
        with contextlib.suppress(EOFError, OSError):  # the answer is that the line is cut
            self.rpc.command("qall!")
        self.rpc.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self._end()

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._sockets.cleanup()

    def _await(self, address: str) -> None:
        ends = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address)
                return
            if time.monotonic() > ends:
                raise TimeoutError(f"Neovim does not listen; it ended with {self.process.poll()}")
            time.sleep(0.02)

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.rpc.exec_lua(code, *arguments)

    def open(self, path: Path) -> None:
        self.rpc.command("edit " + self.rpc.funcs.fnameescape(str(path)))

    def attach(self, name: str, command: Sequence[str], root: Path, environment: dict[str, str] | None = None) -> int:
        """Start a language server on the current buffer, or attach the one that runs for the same root."""
        client = self.lua(START, name, list(command), str(root), environment or {})
        self.until(lambda: self.lua("return vim.lsp.get_client_by_id(...).initialized == true", client))
        return int(client)

    def type(self, keys: str) -> None:
        """Press keys, in Neovim's notation (`<Esc>`)."""
        self.rpc.input(keys)
        self.until(lambda: not self.rpc.api.get_mode()["blocking"])

    @property
    def text(self) -> str:
        """The current buffer as it stands, saved or not."""
        return "\n".join(self.rpc.current.buffer[:]) + "\n"

    def texts(self) -> list[str]:
        """The text of every buffer that is loaded."""
        return ["\n".join(buffer[:]) for buffer in self.rpc.buffers if self.rpc.api.buf_is_loaded(buffer)]

    @property
    def modified(self) -> bool:
        return bool(self.rpc.current.buffer.options["modified"])

    def diagnostics(self) -> list[dict[str, Any]]:
        """Those of the current buffer: `lnum` (from 0), `message`, `source`, `code`."""
        return self.lua("return vim.json.decode(vim.json.encode(vim.diagnostic.get(0)))")

    def wait_diagnostic(self, words: str, timeout: float = 40.0) -> dict[str, Any]:
        """Wait for a diagnostic whose message has these words."""
        return self.until(lambda: next((d for d in self.diagnostics() if words in d["message"]), None), timeout)

    def offered(self) -> list[str]:
        """Titles of the code actions at the cursor."""
        return self.pick("")

    def pick(self, title: str) -> list[str]:
        """Choose the first code action at the cursor whose title has these words; what was offered."""
        self.lua("_G.offered, _G.wanted = {}, ...; vim.lsp.buf.code_action()", title)
        return self.until(lambda: self.lua("return #_G.offered > 0 and _G.offered or nil"))

    def undo(self) -> None:
        self.rpc.command("silent undo")

    def until(self, condition: Callable[[], Any], timeout: float = 40.0) -> Any:
        """Wait till a condition holds; its value."""
        ends = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > ends:
                notices = self.lua("return _G.notices")
                raise TimeoutError(f"not within {timeout} s; notices {notices}; text:\n{self.text}")
            time.sleep(0.02)
        return value
