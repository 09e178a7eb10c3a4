from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.security.probes import AT_LEVEL_B, PROBES, SECRET

from attache.workspace.view.level import level

PROGRAM = Path(__file__).with_name("probes.py")
NOBODY = 65534
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandboxes of other systems are not tested")


def interpreter(user: int) -> list[str]:
    """Return how to start a Python that a user may use, with our packages."""
    folders = [path for path in sys.path if path]
    base = ["env", f"PYTHONPATH={os.pathsep.join(folders)}", f"SERVICE_PARAMETER={SECRET}"]
    if user == os.geteuid():
        return [*base, sys.executable]
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can be somebody else, by setpriv")
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *base, "PYTHONDONTWRITEBYTECODE=1"]
    pythons = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    for python in pythons:
        if (
            subprocess.run(
                [*become, python, "-c", "import attache, pydantic_core"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return [*become, python]
    pytest.skip("an ordinary user has no Python here that can import the package")


@pytest.fixture
def anywhere():
    """A folder that every user can reach."""
    folder = Path("/var/tmp" if os.access("/var/tmp", os.W_OK) else "/tmp") / f"attache-probes-{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("user", [os.geteuid() if sys.platform == "linux" else 0, NOBODY], ids=["this user", "nobody"])
@pytest.mark.parametrize("sandbox", ["", "copy", "landlock"], ids=["namespaces", "namespaces and copy", "landlock"])
def test_no_probe_gets_out(user, sandbox, anywhere, tmp_path):
    """Level A stops all of them, as root and as an ordinary user; level B lets through just what is said of it."""
    if (sandbox == "copy" or (sandbox == "landlock" and user != NOBODY)) and not os.environ.get("ATTACHE_LONG"):
        pytest.skip("runs under ATTACHE_LONG=1")
    if user == NOBODY == os.geteuid():
        pytest.skip("this user is nobody already")
    environment = {**os.environ, "ATTACHE_SANDBOX": sandbox}
    command = [*interpreter(user), str(PROGRAM), str(anywhere / "world")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    leaks = json.loads(done.stdout)
    got = leaks.pop("level")
    wanted = "landlock" if sandbox == "landlock" else "namespaces"
    if got != wanted:
        pytest.skip(f"this machine has {level(tmp_path).words}")
    assert leaks.keys() - (AT_LEVEL_B if wanted == "landlock" else set()) == set(), leaks
    assert len(PROBES) >= 22


def test_the_level_is_said_in_words(monkeypatch, tmp_path):
    for forced in ("", "copy", "landlock", "none"):
        monkeypatch.setenv("ATTACHE_SANDBOX", forced)
        standing = level(tmp_path)
        assert standing.strongest == (not forced and standing.level == "namespaces" and standing.overlay)
        if forced:
            assert f"ATTACHE_SANDBOX={forced}" in standing.words
        if forced == "none":
            assert "not confined" in standing.words


def test_views_lie_in_no_folder_that_others_made(tmp_path, monkeypatch):
    """Where the state folder cannot hold an overlay, and folders that everybody may write to have to do."""
    from attache.workspace.view.level import _private

    ours = tmp_path / f"attache-{os.geteuid()}"
    assert _private(tmp_path) == ours
    assert ours.stat().st_mode & 0o777 == 0o700
    ours.chmod(0o755)
    other = _private(tmp_path)
    assert other != ours
    ours.rmdir()
    ours.symlink_to(tmp_path)
    assert _private(tmp_path) not in {ours, other}
    assert other.stat().st_mode & 0o777 == 0o700
