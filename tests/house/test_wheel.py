"""What is shipped is whole: the wheel alone, away from the repository, does what the README's first page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "server" / "attache" / "faces" / "cli" / "sample"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and of us nothing else: dependencies are those of the tests."""
    env = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True, timeout=120)
    binary = env / ("Scripts" if os.name == "nt" else "bin") / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([str(binary), "-c", where], check=True, capture_output=True, text=True).stdout.strip())
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return binary


def run(python: Path, *arguments: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if not name.endswith("_API_KEY") and name != "PYTHONPATH"
    }
    environ |= {"ATTACHE_HOME": str(home), "NO_COLOR": "1"}
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=180)


def test_the_wheel_carries_grammars_and_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert "attache/grammars/manifest.toml" in names
    assert "attache/grammars/python/tags.scm" in names
    assert "attache/providers/catalog.toml" in names
    assert "attache/prompts/system.md" in names
    assert "attache/faces/cli/sample/shop/cart.py" in names
    assert "attache/py.typed" in names
    assert any(name.startswith("attache/storage/migrations/versions/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_the_readme_s_script_runs_on_the_wheel(python: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    script = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert script is not None
    (tmp_path / "script.py").write_text(script[1])
    work = tmp_path / "work"
    work.mkdir()
    (work / "client.py").write_text("def fetch(url):\n    # failed requests are retried\n    return retry(get, url)\n")
    done = run(python, str(tmp_path / "script.py"), cwd=work, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert "client.py:2" in done.stdout
    assert "hits" in done.stdout or "hit" in done.stdout


def test_the_wheel_comes_from_the_wheel(python: Path, tmp_path: Path) -> None:
    done = run(python, "-c", "import attache; print(attache.__file__)", cwd=tmp_path, home=tmp_path)
    assert str(python.parents[1]) in done.stdout


def test_the_demo_runs_from_the_wheel_and_leaves_all_as_it_was(python: Path, tmp_path: Path) -> None:
    done = run(python, "-m", "attache", "demo", cwd=tmp_path, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "shop/client.py:" in done.stdout
    assert "+import json" in done.stdout
    assert "on disk: not touched" in done.stdout
    assert "2 pending changes" in done.stdout
    assert "accept this change" in done.stdout
    assert "reject this change" in done.stdout
    assert "2 passed" in done.stdout
    assert done.stdout.count("as it was, byte for byte") == 2
    assert "NOT" not in done.stdout
