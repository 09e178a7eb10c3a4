"""`attache doctor`: what this machine has, what is missing, and the lines to paste for each editor found."""

from __future__ import annotations

import asyncio
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attache import __version__
from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, problem_line, settings_for
from attache.foundation.settings import Settings
from attache.providers.catalog import Catalog
from attache.schema.data import Record
from attache.schema.errors import AttacheError
from attache.tools.tool import Tools

LANGUAGE_SERVERS = {
    "ruff": "--version",
    "basedpyright-langserver": "",
    "pyright-langserver": "",
    "typescript-language-server": "--version",
    "gopls": "version",
    "rust-analyzer": "--version",
    "clangd": "--version",
}
"""How each is asked whether it runs; empty for those that can only serve. A name on PATH may lead to nothing."""
ASK_SECONDS = 5
EDITORS = {
    "nvim": """\
-- Neovim 0.11 or newer: ~/.config/nvim/init.lua
vim.lsp.config("attache", { cmd = { "attache", "lsp" }, root_markers = { ".git" } })
vim.lsp.enable("attache")""",
    "hx": """\
# Helix: ~/.config/helix/languages.toml (one `language-servers` line for each language you use)
[language-server.attache]
command = "attache"
args = ["lsp"]
[[language]]
name = "python"
language-servers = ["ruff", "attache"]""",
    "emacs": """\
;; Emacs 29 or newer (eglot): ~/.emacs.d/init.el
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(prog-mode . ("attache" "lsp"))))""",
    "code": """\
// VS Code: until the extension is installed, any generic LSP client extension with this command
{ "command": ["attache", "lsp"] }""",
}


class Finding(Record):
    """One line of the doctor's report."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@app.command()
def doctor(*, cwd: Cwd = Path(), json_lines: Json = False) -> None:
    """Look at this machine and say what works, what does not, and what to do."""
    findings = list(_findings(folder(cwd)))
    editors = [name for name in EDITORS if shutil.which(name)]
    if json_lines:
        for finding in findings:
            print_json(finding.model_dump())
        return
    for finding in findings:
        print(f"{'✓' if finding.ok else '·'} {finding.name:<18}{finding.detail}")
        if finding.hint:
            print(f"  {'':<18}{finding.hint}")
    for name in editors or ["nvim", "hx"]:
        print(f"\n{EDITORS[name]}")


def _findings(cwd: Path) -> Iterator[Finding]:
    version = f"{__version__} on Python {platform.python_version()}, {sys.platform}"
    yield Finding(name="attache", ok=True, detail=version)
    yield _git(cwd)
    try:
        settings = settings_for(cwd)
    except AttacheError as error:
        yield Finding(name="settings", ok=False, detail=error.message, hint=error.hint)
        settings = Settings.model_validate({})
    trusted = "trusted" if settings.trusted else "not trusted: its own settings, tools and rules are inert"
    yield Finding(name="folder", ok=True, detail=trusted, hint="" if settings.trusted else f"attache trust {cwd}")
    for problem in Tools.discover(cwd if settings.trusted else None).problems:
        yield Finding(name="tool", ok=False, detail=problem_line(problem), hint="mend it, or move it away")
    yield from _models(Catalog(settings))
    yield _language_servers()
    editors = [name for name in EDITORS if shutil.which(name)]
    yield Finding(name="editors", ok=bool(editors), detail=", ".join(editors) or "none on PATH")
    yield Finding(name="sandbox", ok=False, detail="none yet: every command asks before it runs")


def _language_servers() -> Finding:
    there = [name for name in LANGUAGE_SERVERS if shutil.which(name)]
    with ThreadPoolExecutor(len(LANGUAGE_SERVERS)) as pool:
        good = [name for name, runs in zip(there, pool.map(_runs, there), strict=True) if runs]
    broken = ", ".join(name for name in there if name not in good)
    hint = f"on PATH, but not running: {broken}" if broken else ""
    return Finding(name="language servers", ok=bool(good), detail=", ".join(good) or "none that runs", hint=hint)


def _runs(server: str) -> bool:
    """Say whether a language server on PATH is one, as far as it can be asked."""
    if not LANGUAGE_SERVERS[server]:
        return True
    command = [shutil.which(server) or server, LANGUAGE_SERVERS[server]]
    try:
        asked = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_SECONDS, check=False
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _git(cwd: Path) -> Finding:
    git = shutil.which("git")
    if git is None:
        return Finding(name="git", ok=False, detail="not found", hint="install it; all but git tools works without")
    command = [git, "-C", str(cwd), "rev-parse", "--show-toplevel"]
    inside = subprocess.run(command, capture_output=True, text=True, check=False)
    where = inside.stdout.strip() if inside.returncode == 0 else "this folder is no repository, which is fine"
    return Finding(name="git", ok=True, detail=where)


def _models(catalog: Catalog) -> Iterator[Finding]:
    try:
        chosen = asyncio.run(catalog.choose())
    except AttacheError as error:
        yield Finding(name="model", ok=False, detail=error.message, hint=error.hint)
        return
    keys = [row.name for row in catalog.rows() if not row.local and catalog.has_key(row)]
    yield Finding(name="keys", ok=bool(keys), detail=", ".join(keys) or "none found")
    hint = ""
    if chosen.startswith("offline/"):
        hint = "for a language model set ANTHROPIC_API_KEY or OPENAI_API_KEY, or start Ollama; list: attache providers"
    yield Finding(name="model", ok=True, detail=chosen, hint=hint)
