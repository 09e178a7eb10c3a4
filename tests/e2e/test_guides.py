"""The lines in docs/editors are read by the editors they are for: copied as they stand, with nothing added."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.conftest import REPOSITORY, Project, editor

pytestmark = pytest.mark.e2e

GUIDES = REPOSITORY / "docs/editors"


def lines(page: str, language: str) -> str:
    """The first block of a page that is in this language."""
    block = re.search(rf"```{language}\n(.*?)```", (GUIDES / page).read_text("utf-8"), re.DOTALL)
    assert block, f"{page} has no {language}"
    return block[1]


@pytest.fixture
def surroundings(home: Path, environment: dict[str, str]) -> dict[str, str]:
    """A user's environment with `attache` on PATH."""
    programs = home / "bin"
    programs.mkdir()
    (programs / "attache").write_text(f'#!/bin/sh\nexec {sys.executable} -m attache "$@"\n')
    (programs / "attache").chmod(0o755)
    own = Path(sys.executable).parent
    path = f"{programs}:{own}:{os.environ['PATH']}"
    return {**os.environ, **environment, "PATH": path, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}


def test_neovim(project: Project, home: Path, surroundings: dict[str, str]):
    nvim = editor("nvim", "Neovim", (0, 12))
    (home / "init.lua").write_text(lines("neovim.md", "lua"))
    file = project.write("shop.py", "import os\n")
    there = "vim.lsp.get_clients({ name = 'attache', bufnr = 0 })[1]"
    argv = [
        str(nvim), "--headless", "-n", "-i", "NONE", "-u", str(home / "init.lua"), str(file),
        f"+lua vim.wait(30000, function() return {there} and {there}.initialized end)",
        f"+lua io.stdout:write('root ' .. {there}.root_dir)", "+qa!",
    ]  # fmt: skip
    done = subprocess.run(argv, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    assert f"root {project.folder}" in done.stdout, done.stderr


def test_helix(project: Project, home: Path, surroundings: dict[str, str]):
    hx = editor("hx", "Helix", (25, 7))
    folder = home / "config" / "helix"
    folder.mkdir(parents=True)
    (folder / "languages.toml").write_text(lines("helix.md", "toml"))
    argv = [str(hx), "--health", "python"]
    done = subprocess.run(
        argv, env=surroundings, cwd=project.folder, capture_output=True, text=True, timeout=30, check=True
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert f"✓ attache: {home / 'bin' / 'attache'}" in said


def test_emacs(tmp_path: Path, home: Path, surroundings: dict[str, str]):
    emacs = editor("emacs", "Emacs", (30, 1))
    if not (Path(sys.executable).parent / "basedpyright-langserver").exists():
        pytest.skip("basedpyright is not installed beside the tests' Python")
    (home / "init.el").write_text(lines("emacs.md", "elisp"))
    project = Project(tmp_path / "shop")
    (project.folder / ".git").mkdir(parents=True)
    file = project.write("shop.py", "import os\n")
    form = (
        f'(progn (find-file "{file}") (let ((eglot-sync-connect t)) (apply #\'eglot (eglot--guess-contact)))'
        " (princ (plist-get (eglot--server-info (eglot-current-server)) :name)))"
    )
    argv = [str(emacs), "--batch", "-Q", "-l", str(home / "init.el"), "--eval", form]
    done = subprocess.run(argv, env=surroundings, capture_output=True, text=True, timeout=90, check=False)
    assert "attache + basedpyright-langserver" in done.stdout, done.stderr
