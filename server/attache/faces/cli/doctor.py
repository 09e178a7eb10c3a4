"""`attache doctor`: what this machine has, what is missing, and the lines to paste for each editor found."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from attache import __version__
from attache.agent.open import check_home
from attache.faces.cli.main import app
from attache.faces.cli.options import Cwd, Json, folder, print_json, problem_line, settings_for
from attache.foundation.settings import Settings, config_file
from attache.providers.catalog import Catalog
from attache.providers.row import access
from attache.schema.data import Record
from attache.schema.errors import AttacheError
from attache.security import rules as rules_of
from attache.tools.tool import Tools
from attache.workspace.servers.table import found, rows, served
from attache.workspace.view.level import level

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
OLLAMA_SECONDS = 3.0


class Editor(NamedTuple):
    """An editor: the programs that it is started by, where its lines belong, and the lines."""

    name: str
    programs: tuple[str, ...]
    where: str
    lines: str
    """`{attache}` stands for the command, in quotes."""


EDITORS = (
    Editor(
        "Neovim", ("nvim",), "-- Neovim 0.11 or newer: ~/.config/nvim/init.lua",
        """\
vim.lsp.config("attache", { cmd = { {attache}, "lsp" }, root_markers = { ".git" } })
vim.lsp.enable("attache")""",
    ),
    Editor(
        "Helix", ("hx", "helix"),
        "# Helix: ~/.config/helix/languages.toml (one `language-servers` line for each language you use)",
        """\
[language-server.attache]
command = {attache}
args = ["lsp"]
[[language]]
name = "python"
language-servers = ["ruff", "attache"]""",
    ),
    Editor(
        "Emacs", ("emacs",),
        ";; Emacs 29 or newer (eglot): ~/.emacs.d/init.el; one server a buffer: the language's own goes behind",
        """\
(require 'eglot)
(add-to-list 'eglot-server-programs
             '(python-mode . ({attache} "lsp" "--with" "basedpyright-langserver --stdio")))
(add-to-list 'eglot-server-programs '(prog-mode . ({attache} "lsp")) t)
(setq eglot-confirm-server-edits nil)""",
    ),
    Editor(
        "VS Code", ("code", "codium", "cursor", "windsurf"),
        "// VS Code and its kin: the extension `Attaché` starts it; where it does not find it, settings.json",
        """{ "attache.server.path": {attache} }""",
    ),
    Editor(
        "Vim", ("vim",), '" Vim with coc.nvim: :CocConfig',
        """\
{ "languageserver": { "attache": {
    "command": {attache}, "args": ["lsp"], "filetypes": ["*"], "rootPatterns": [".git"] } } }""",
    ),
    Editor(
        "Sublime Text", ("subl", "sublime_text"), "// Sublime Text with the package LSP: Preferences: LSP Settings",
        """\
{ "clients": { "attache": {
    "enabled": true, "command": [{attache}, "lsp"], "selector": "source | text" } } }""",
    ),
    Editor(
        "Kate", ("kate",), "// Kate: Settings, LSP Client, User Server Settings (one server for each language)",
        """\
{ "servers": { "python": {
    "command": [{attache}, "lsp", "--with", "basedpyright-langserver --stdio"],
    "rootIndicationFileNames": [".git"], "highlightingModeRegex": "^Python$" } } }""",
    ),
    Editor(
        "Kakoune", ("kak",), "# Kakoune with kakoune-lsp 18 or newer: ~/.config/kak/kakrc",
        """\
hook -group attache global BufSetOption filetype=(?:python|rust|go|javascript|typescript) %{
    set-option -add buffer lsp_servers %{
        [attache]
        root_globs = [".git"]
        command = {attache}
        args = ["lsp"]
    }
}""",
    ),
)  # fmt: skip


def to_paste(editor: Editor) -> str:
    """Return what makes an editor start this very program; by its name, where that leads to it."""
    own = Path(sys.argv[0]).absolute()
    found = shutil.which("attache")
    by_name = found is not None and Path(found).resolve() == own.resolve()
    command = "attache" if by_name or not own.name.startswith("attache") else own.as_posix()
    return f"{editor.where}\n{editor.lines.replace('{attache}', json.dumps(command, ensure_ascii=False))}"


def editors() -> dict[str, Editor]:
    """Return the editors on PATH, by the program that was found."""
    found = ((next(filter(shutil.which, each.programs), ""), each) for each in EDITORS)
    return {program: each for program, each in found if program}


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
    if json_lines:
        for finding in findings:
            print_json(finding.model_dump())
        return
    for finding in findings:
        print(f"{'✓' if finding.ok else '·'} {finding.name:<18}{finding.detail}")
        if finding.hint:
            print(f"  {'':<18}{finding.hint}")
    for editor in editors().values() or EDITORS[:2]:
        print(f"\n{to_paste(editor)}")


def _findings(cwd: Path) -> Iterator[Finding]:
    version = f"{__version__} on Python {platform.python_version()}, {sys.platform}"
    yield Finding(name="attache", ok=True, detail=version)
    yield _git(cwd)
    try:
        settings = settings_for(cwd)
    except AttacheError as error:
        yield Finding(name="settings", ok=False, detail=error.message, hint=error.hint)
        settings = Settings.model_validate({})
    try:
        check_home(settings.home)
    except AttacheError as error:
        yield Finding(name="state", ok=False, detail=error.message, hint=error.hint)
    trusted = "trusted" if settings.trusted else "not trusted: its own settings, tools and rules are inert"
    yield Finding(name="folder", ok=True, detail=trusted, hint="" if settings.trusted else f"attache trust {cwd}")
    own = config_file(settings.environment).with_name(rules_of.FILE)
    if broken := rules_of.load(own, [cwd / ".attache" / rules_of.FILE] if settings.trusted else []).problem:
        yield Finding(name="rules", ok=False, detail=broken, hint="until it is mended, everything asks")
    for problem in Tools.discover(cwd if settings.trusted else None).problems:
        yield Finding(name="tool", ok=False, detail=problem_line(problem), hint="mend it, or move it away")
    yield from _models(Catalog(settings), settings)
    yield _language_servers()
    yield from _own_servers(settings, cwd)
    there = [f"{editor.name} ({program})" for program, editor in editors().items()]
    hint = "" if there else "the lines below are for the first that come to mind"
    yield Finding(name="editors", ok=bool(there), detail=", ".join(there) or "none on PATH", hint=hint)
    standing = level(settings.home)
    yield Finding(name="sandbox", ok=standing.strongest, detail=standing.words)


def _language_servers() -> Finding:
    there = [name for name in LANGUAGE_SERVERS if shutil.which(name)]
    with ThreadPoolExecutor(len(LANGUAGE_SERVERS)) as pool:
        good = [name for name, runs in zip(there, pool.map(_runs, there), strict=True) if runs]
    broken = ", ".join(name for name in there if name not in good)
    hint = f"on PATH, but not running: {broken}" if broken else ""
    return Finding(name="language servers", ok=bool(good), detail=", ".join(good) or "none that runs", hint=hint)


def _own_servers(settings: Settings, cwd: Path) -> Iterator[Finding]:
    """Say of each language server in the settings whether it can serve here, and what hinders it."""
    table = {row.name: row for row in rows(settings.servers)}
    for name, own in settings.servers.items():
        row = table.get(name)
        path = row and found(row, [cwd], trusted=settings.trusted)
        hint = ""
        if settings.language_servers == "off" or not own.enabled:
            detail = "off"
        elif row is None or not row.languages:
            lacks = "command" if row is None else "languages"
            detail, hint = f"has no {lacks}", f"set servers.{name}.{lacks}"
        elif path is None:
            detail = f"{row.command[0]} is not found"
            hint = "install it, or give its path" + (
                "" if settings.trusted else "; what lies in the folder needs trust"
            )
        elif row.runs_code and not settings.trusted:
            detail, hint = "runs only in a folder that you trust", f"attache trust {cwd}"
        elif not served(row, [cwd]):
            detail, hint = f"none of {', '.join(row.root_markers)} is here", f"look at servers.{name}.root_markers"
        else:
            yield Finding(name=f"server {name}", ok=True, detail=f"{path}, for {', '.join(row.languages)}")
            continue
        yield Finding(name=f"server {name}", ok=False, detail=detail, hint=hint)


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


def _models(catalog: Catalog, settings: Settings) -> Iterator[Finding]:
    keys = [
        f"{row.name} ({reached.key_name}, {reached.base_url or 'the address of its SDK'})"
        for row in catalog.rows()
        if not row.local and (reached := access(row, settings)).key
    ]
    clouds = [row.name for row in catalog.rows() if not row.local and catalog.has_key(row)]
    others = [name for name in clouds if not any(key.startswith(f"{name} ") for key in keys)]
    told = [*keys, *(f"{name} (credentials of the cloud)" for name in others)]
    yield Finding(name="keys", ok=bool(told), detail=", ".join(told) or "none found")
    yield _ollama(catalog, settings)
    try:
        chosen = asyncio.run(catalog.choose())
    except AttacheError as error:
        yield Finding(name="model", ok=False, detail=error.message, hint=error.hint)
        return
    hint = ""
    if chosen.startswith("offline/"):
        hint = "for a language model set ANTHROPIC_API_KEY or OPENAI_API_KEY, or start Ollama; list: attache providers"
    yield Finding(name="model", ok=True, detail=chosen, hint=hint)


def _ollama(catalog: Catalog, settings: Settings) -> Finding:
    """Ask Ollama for its models, where it is reached."""
    where = access(catalog.row("ollama"), settings).base_url

    async def ask() -> tuple[str, ...]:
        return await asyncio.wait_for(catalog.models("ollama"), OLLAMA_SECONDS)

    try:
        models = asyncio.run(ask())
    except (AttacheError, TimeoutError):
        hint = "installed, not running: ollama serve" if shutil.which("ollama") else "not needed; https://ollama.com"
        return Finding(name="ollama", ok=False, detail=f"does not answer at {where}", hint=hint)
    hint = "" if models else "fetch one, such as: ollama pull qwen3"
    return Finding(
        name="ollama", ok=bool(models), detail=f"{where}: {', '.join(models[:8]) or 'no model yet'}", hint=hint
    )
