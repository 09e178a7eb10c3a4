from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.security.developer import COMMANDS, FILES, SLOW

from attache.workspace.shell import Command
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

LONG = bool(os.environ.get("ATTACHE_LONG"))
SHARE = 3
"""By default every third of the commands runs, and none of the slow ones."""
CHOSEN = list(COMMANDS) if LONG else [name for name in COMMANDS if name not in SLOW][::SHARE]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandboxes of other systems are not tested")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    top = tmp_path_factory.mktemp("developer") / "ws"
    for name, text in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    git = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm first"
    subprocess.run(["bash", "-c", git], cwd=top, check=True)
    return top


def test_there_are_enough():
    assert len(COMMANDS) >= 60


@pytest.mark.parametrize("sandbox", ["", "copy"], ids=["overlay", "copy"])
async def test_developers_get_their_work_done(folder, sandbox, monkeypatch, tmp_path):
    """What they run all day works where the sandbox is the strongest."""
    if sandbox and not LONG:
        pytest.skip("the copy runs under ATTACHE_LONG=1")
    monkeypatch.setenv("ATTACHE_SANDBOX", sandbox)
    if level(tmp_path).level != "namespaces":
        pytest.skip(f"this machine has {level(tmp_path).words}")
    workspace = Workspace([folder], home=tmp_path / "home")
    failed: dict[str, str] = {}
    missing: list[str] = []
    for name in CHOSEN:
        programs, text, shown = COMMANDS[name]
        if not all(shutil.which(program) or Path(program).exists() for program in programs):
            missing.append(name)
            continue
        done = await workspace.view().run(Command(text=text, view="cow", timeout_seconds=90))
        if done.exit_code != 0 or shown not in done.output:
            failed[name] = f"exit {done.exit_code}: {done.output[-600:]} {done.note}"
        if done.changes:
            await workspace.view().forget()
    workspace.close()
    print(f"{len(CHOSEN) - len(missing) - len(failed)} of {len(CHOSEN)} work; not here: {', '.join(missing) or 'none'}")
    assert failed == {}
