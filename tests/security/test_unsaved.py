from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.security.developer import BIN, PY
from tests.workspace.clients import Editor

from attache.foundation.ids import new_id
from attache.schema.edits import ChangeSet
from attache.workspace.paths import to_uri
from attache.workspace.shell import Command
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

LONG = bool(os.environ.get("ATTACHE_LONG"))
COUNT = 20
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these commands are a POSIX shell's")

NAMES = {
    "py": ("m{}.py", "x={}\n"),
    "txt": ("t{}.txt", "{}\n"),
    "js": ("j{}.js", "module.exports = {}\n"),
    "ts": ("s{}.ts", "export const x: string = {}\n"),
}
"""Kind of file -> its name and what it says, where 0 stands on disk and another number is typed."""
FILES = {
    "test_all.py": "import importlib, pytest\n\n\n@pytest.mark.parametrize('n', range(20))\ndef test_it(n):\n"
    "    assert importlib.import_module(f'm{n}').x == n + 1\n",
    "case.py": "import importlib, unittest\n\n\nclass Case(unittest.TestCase):\n    def test_it(self):\n"
    "        print('seen', sum(importlib.import_module(f'm{n}').x == n + 1 for n in range(20)))\n",
    "Makefile": "all: $(patsubst t%.txt,o%.out,$(wildcard t*.txt))\n\no%.out: t%.txt\n\tcp $< $@\n",
    "package.json": '{"name": "p", "version": "1.0.0", "scripts": {"test": "node all.js"}}\n',
    "all.js": "console.log('seen', [...Array(20).keys()].filter((n) => require(`./j${n}.js`) === n + 1).length)\n",
    "Cargo.toml": '[package]\nname = "p"\nversion = "0.1.0"\nedition = "2021"\n\n[lib]\npath = "lib.rs"\n',
    "lib.rs": "#[test]\nfn sees() {\n    let seen = ["
    + ", ".join(f'include_str!("t{n}.txt")' for n in range(20))
    + "];\n"
    "    for (n, text) in seen.iter().enumerate() {\n        assert_eq!(text.trim(), (n + 1).to_string());\n    }\n}\n",
    ".gitignore": "*.out\n__pycache__/\ntarget/\nCargo.lock\n",
}

Seen = Callable[[str], int]


def number(pattern: str) -> Seen:
    return lambda output: int(found[1]) if (found := re.search(pattern, output)) else 0


def count(pattern: str) -> Seen:
    return lambda output: len(re.findall(pattern, output, re.MULTILINE))


TOOLS: dict[str, tuple[str, str, str, Seen]] = {
    "pytest": ("", "py", f"{PY} -m pytest -q -p no:cacheprovider test_all.py", number(r"(\d+) passed")),
    "unittest": ("", "py", f"{PY} -m unittest case", number(r"seen (\d+)")),
    "ruff": ("", "py", f"{Path(PY).parent}/ruff format --no-cache --diff . ; true", count(r"^\+x = [1-9]")),
    "git diff": ("git", "txt", "git diff", count(r"^\+[1-9]\d*$")),
    "make": ("make", "txt", "make -s && cat o*.out", count(r"^[1-9]\d*$")),
    "npm test": ("npm", "js", "npm test --silent", number(r"seen (\d+)")),
    "cargo test": ("cargo", "txt", "cargo test --offline -q 2>&1", lambda output: 20 * ("1 passed" in output)),
    "tsc": (str(BIN / "tsc"), "ts", f"node {BIN.parent}/typescript/bin/tsc --noEmit s*.ts; true", count(r"'number' is not")),
    "black": ("black", "py", "black --diff -q .", count(r"^\+x = [1-9]")),
    "prettier": ("prettier", "js", "cat j*.js > /dev/null; prettier j*.js", count(r"^module.exports = [1-9]\d*;")),
}  # fmt: skip
CHEAP = ("pytest", "ruff", "git diff", "make")


@pytest.fixture
def world(tmp_path, monkeypatch, request):
    monkeypatch.setenv("ATTACHE_SANDBOX", request.param)
    if request.param and level(tmp_path / "home").level != (
        "landlock" if request.param == "landlock" else "namespaces"
    ):
        pytest.skip(f"this machine has {level(tmp_path / 'home').words}")
    top = tmp_path / "ws"
    top.mkdir()
    for name, text in FILES.items():
        (top / name).write_text(text)
    workspace = Workspace([top], home=tmp_path / "home")
    workspace.editor = editor = Editor(workspace.buffers)
    for name, text in NAMES.values():
        for each in range(COUNT):
            (top / name.format(each)).write_text(text.format(0))
    git = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm first"
    subprocess.run(["bash", "-c", git], cwd=top, check=True)
    for name, text in NAMES.values():
        for each in range(COUNT):
            uri = editor.open(top / name.format(each))
            editor.put(uri, text.format(0), text.format(each + 1))
    yield workspace, editor
    workspace.close()


@pytest.mark.parametrize("world", ["", *(["copy", "landlock"] if LONG else ["copy"])], indirect=True)
async def test_tools_see_all_that_is_typed_and_not_saved(world):
    workspace, _ = world
    before = {path: path.read_bytes() for path in workspace.roots[0].path.iterdir() if path.is_file()}
    seen: dict[str, int] = {}
    for name in TOOLS if LONG else CHEAP:
        program, _, text, counted = TOOLS[name]
        if program and not (shutil.which(program) or Path(program).exists()):
            print(f"{name} is not here")
            continue
        done = await workspace.view().run(Command(text=text, view="cow", timeout_seconds=90))
        seen[name] = counted(done.output)
        if seen[name] != COUNT:
            print(name, done.output[-2000:])
        if done.changes:
            await workspace.view().forget()
    assert seen == dict.fromkeys(seen, COUNT)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("world", ["", "copy"], indirect=True)
async def test_what_tools_write_becomes_the_text_of_open_files(world):
    workspace, editor = world
    top = workspace.roots[0].path
    text = f"{Path(PY).parent}/ruff format --no-cache -q m*.py && sed -i 's/$/ typed/' t*.txt"
    done = await workspace.view().run(Command(text=text, view="cow"))
    await workspace.land(ChangeSet(id=new_id("c"), title="run", files=done.changes))  # type: ignore[arg-type]
    for each in range(COUNT):
        assert editor.screens[to_uri(top / f"m{each}.py")].text == f"x = {each + 1}\n"
        assert editor.screens[to_uri(top / f"t{each}.txt")].text == f"{each + 1} typed\n"
        assert (top / f"m{each}.py").read_text() == "x=0\n"
