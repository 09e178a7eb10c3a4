"""`attache doctor`: what this machine has, what is missing, and the lines to paste for each editor found."""

from __future__ import annotations

import asyncio
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attache import __version__
from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, settings_for
from attache.providers.catalog import Catalog
from attache.schema.data import Record
from attache.schema.errors import AttacheError

LANGUAGE_SERVERS = (
    "ruff",
    "basedpyright-langserver",
    "pyright-langserver",
    "typescript-language-server",
    "gopls",
    "rust-analyzer",
    "clangd",
)
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
        settings = settings_for(Path.home())
    trusted = "trusted" if settings.trusted else "not trusted: its own settings, tools and rules are inert"
    yield Finding(name="folder", ok=True, detail=trusted, hint="" if settings.trusted else f"attache trust {cwd}")
    yield from _models(Catalog(settings))
    servers = [name for name in LANGUAGE_SERVERS if shutil.which(name)]
    yield Finding(name="language servers", ok=bool(servers), detail=", ".join(servers) or "none on PATH")
    editors = [name for name in EDITORS if shutil.which(name)]
    yield Finding(name="editors", ok=bool(editors), detail=", ".join(editors) or "none on PATH")
    yield Finding(name="sandbox", ok=False, detail="none yet: every command asks before it runs")


def _git(cwd: Path) -> Finding:
    git = shutil.which("git")
    if git is None:
        return Finding(name="git", ok=False, detail="not found", hint="install it; all but git tools works without")
    command = [git, "-C", str(cwd), "rev-parse", "--show-toplevel"]
    inside = subprocess.run(command, capture_output=True, text=True, check=False)
    where = inside.stdout.strip() if inside.returncode == 0 else "this folder is no repository, which is fine"
    return Finding(name="git", ok=True, detail=where)


def _models(catalog: Catalog) -> Iterator[Finding]:
    chosen = asyncio.run(catalog.choose())
    keys = [row.name for row in catalog.rows() if not row.local and catalog.has_key(row)]
    yield Finding(name="keys", ok=bool(keys), detail=", ".join(keys) or "none found")
    hint = ""
    if chosen.startswith("offline/"):
        hint = "for a language model set ANTHROPIC_API_KEY or OPENAI_API_KEY, or start Ollama; list: attache providers"
    yield Finding(name="model", ok=True, detail=chosen, hint=hint)
