"""Build the VS Code extension, and fetch a real VS Code for its tests: `vscode.py build | check | host`.

`build` makes `dist/attache-<version>.vsix`, the server's wheel inside. `host` puts Node, code-server (a VS Code that a
browser shows) and a driver for Chromium into a private folder; Chromium itself comes from the system or, for root on
Debian, from apt.
Where something cannot be had, one line says what is missing (`skipped: ...`) and the exit code stays 0.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CLIENT = REPOSITORY / "client-vscode"
DIST = REPOSITORY / "dist"
HOME = Path(os.environ.get("ATTACHE_VSCODE") or REPOSITORY / ".cache/vscode").resolve()
NODE = HOME / "node/node_modules/node/bin"
PIECES = {"node": "node@24.21.0", "host": "code-server@4.139.1", "browser": "playwright-core@1.65.1"}
"""The folder of each piece, and what npm installs into it; the second and third run on the first."""
ENTRIES = {
    "node": "node_modules/node/bin/node",
    "host": "node_modules/code-server/out/node/entry.js",
    "browser": "node_modules/playwright-core/package.json",
}
PACKAGES = ("chromium", "fonts-dejavu-core", "libkrb5-dev", "libsecret-1-dev", "libx11-dev", "libxkbfile-dev",
            "pkg-config", "python3-dev", "g++", "make")  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MOST_BYTES = 1_500_000
"""How large the extension may be, the wheel aside."""
LEAST_NODE = 20


class CannotDo(Exception):
    """This machine lacks something that is needed; the words say what."""


# ---------------------------------------------------------------- a real VS Code


def host() -> None:
    """Fetch what is not there yet, and say where it is."""
    if not shutil.which("npm"):
        raise CannotDo("needs npm (Node 20 or newer)")
    if not _browser():
        _system_packages()
    for name, package in PIECES.items():
        if (HOME / name / ENTRIES[name]).exists():
            continue
        began = time.monotonic()
        (HOME / name).mkdir(parents=True, exist_ok=True)
        _npm(HOME / name, "install", "--no-audit", "--no-fund", "--no-save", package)
        if not (HOME / name / ENTRIES[name]).exists():
            raise CannotDo(f"npm installed no {package}: its layout changed")
        print(f"{package}: installed in {time.monotonic() - began:.0f} s", flush=True)
    print(f"vscode: {PIECES['host']} with {_browser()} ({HOME})")


def _browser() -> str:
    return next((found for name in BROWSERS if (found := shutil.which(name))), "")


def _system_packages() -> None:
    if not shutil.which("apt-get") or os.name != "posix" or os.geteuid() != 0:
        raise CannotDo(f"needs Chromium; on Debian: apt-get install {' '.join(PACKAGES)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "-qq", "update", env=quiet)
    _run("apt-get", "-qq", "-y", "install", "--no-install-recommends", *PACKAGES, env=quiet)


# ---------------------------------------------------------------- the extension


def check() -> None:
    """Check the client's types and style, and run the tests that need no editor."""
    _node()
    _packages()
    for script in ("check", "test"):
        _npm(CLIENT, "run", "--silent", script)


def _packages() -> None:
    """Install what the lock file names, where it is not there as it says."""
    there, lock = CLIENT / "node_modules/.package-lock.json", CLIENT / "package-lock.json"
    if not there.exists() or there.stat().st_mtime < lock.stat().st_mtime:
        _npm(CLIENT, "ci", "--no-audit", "--no-fund")


def build() -> None:
    """Build the extension with the server's wheel inside."""
    program = _node()
    _packages()
    _npm(CLIENT, "run", "--silent", "build")
    shutil.copy(REPOSITORY / "LICENSE", CLIENT / "LICENSE")
    wheel = CLIENT / "wheel"
    shutil.rmtree(wheel, ignore_errors=True)
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheel), str(REPOSITORY))
    shutil.copy(REPOSITORY / "requirements/base.txt", wheel / "requirements.txt")
    DIST.mkdir(exist_ok=True)
    version = json.loads((CLIENT / "package.json").read_text("utf-8"))["version"]
    made = DIST / f"attache-{version}.vsix"
    _run(
        program,
        "node_modules/@vscode/vsce/vsce",
        "package",
        "--no-dependencies",
        "--allow-missing-repository",
        "--out",
        str(made),
        cwd=CLIENT,
    )
    with zipfile.ZipFile(made) as archive:
        carried = sum(info.compress_size for info in archive.infolist() if "/wheel/" in info.filename)
    own = made.stat().st_size - carried
    print(f"{made}: {made.stat().st_size / 1e6:.2f} MB, {own / 1e6:.2f} MB without the wheel")
    if own > MOST_BYTES:
        raise SystemExit(f"too large: {MOST_BYTES / 1e6} MB at most without the wheel")


def _node() -> str:
    found = str(NODE / "node") if (NODE / "node").exists() else shutil.which("node")
    if not found or not shutil.which("npm"):
        raise CannotDo(f"the extension needs Node {LEAST_NODE} or newer with npm")
    major = int(subprocess.run([found, "-p", "process.versions.node.split('.')[0]"], capture_output=True, text=True,
                               check=True).stdout)  # fmt: skip
    if major < LEAST_NODE:
        raise CannotDo(f"the extension needs Node {LEAST_NODE} or newer; {found} is {major}")
    return found


def _npm(folder: Path, *arguments: str) -> None:
    headers = {"npm_config_nodedir": "/usr"} if Path("/usr/include/node").exists() else {}
    environment = {**os.environ, **headers, "npm_config_unsafe_perm": "true", "npm_config_loglevel": "error"}
    environment["PATH"] = f"{NODE}{os.pathsep}{environment['PATH']}"
    _run("npm", *arguments, cwd=folder, env=environment)


def _run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a program; what it said is shown only where it failed."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stdout[-6000:]}")


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for."""
    tasks = {"build": build, "check": check, "host": host}
    if len(arguments) != 1 or arguments[0] not in tasks:
        print(f"usage: vscode.py {' | '.join(tasks)}", file=sys.stderr)
        return 2
    try:
        tasks[arguments[0]]()
    except CannotDo as reason:
        print(f"skipped: vscode {arguments[0]}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
