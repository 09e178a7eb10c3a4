"""Fetch real editors into a private folder, for the end-to-end tests; the system's own packages stay untouched.

Debian's archive serves current editors to every Debian machine. Each editor is unpacked with its whole dependency
closure, the C library included, and runs under its own loader, so neither root rights nor a new system are needed.
Where that cannot be done, one line says what is missing (`skipped: ...`) and the exit code stays 0.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUITE = "sid"
REPOSITORY = Path(__file__).resolve().parent.parent
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<address>\S+)\s+(?P<suite>\S+)", re.MULTILINE)
RELEASES = {"stable", "oldstable", "testing", "unstable", "sid"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to unpack for one editor, and how to start it; paths and patterns are beneath its root."""

    package: str
    binary: str
    command: str
    environment: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...] = ()


RECIPES = {
    "neovim": Recipe("neovim", "usr/bin/nvim", "nvim", (("VIMRUNTIME", "usr/share/nvim/runtime"),)),
    "helix": Recipe("hx", "usr/lib/hx/hx", "hx", (("HELIX_RUNTIME", "usr/lib/hx/runtime"),)),
    "emacs": Recipe(
        "emacs-nox",
        "usr/bin/emacs-nox",
        "emacs",
        (("EMACSLOADPATH", "usr/share/emacs/[0-9]*/lisp"), ("EMACSDATA", "usr/share/emacs/[0-9]*/etc")),
        (("--dump-file={}", "usr/libexec/emacs/*/*/*.pdmp"),),
    ),
}


class CannotFetch(Exception):
    """This machine lacks something that is needed; the words say what."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where this machine itself takes Debian packages from."""

    address: str
    keyring: str


def debian_archive(etc: Path = Path("/etc")) -> Archive:
    """The Debian archive that the machine's own apt sources name."""
    release = _os_release(etc / "os-release")
    if release.get("ID") != "debian":
        raise CannotFetch(f"needs Debian's package archive; this is {release.get('ID') or sys.platform}")
    suites = RELEASES | {release.get("VERSION_CODENAME", "")}
    files = [etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*"))]
    for file in files:
        if file.is_file() and file.suffix in {".list", ".sources"}:
            for archive, listed in _entries(file):
                if listed & suites:
                    return archive
    raise CannotFetch("needs a Debian archive in /etc/apt/sources.list or /etc/apt/sources.list.d; found none")


def _os_release(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    pairs = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    return {key: value.strip('"') for key, _, value in pairs}


def _entries(file: Path) -> Iterator[tuple[Archive, set[str]]]:
    """Every binary archive in an apt sources file with its suites, in the one-line form and in the deb822 form."""
    text = file.read_text("utf-8")
    if file.suffix == ".list":
        for found in ONE_LINE.finditer(text):
            signed = re.search(r"signed-by=(\S+)", found["options"] or "")
            yield Archive(found["address"], signed[1] if signed else KEYRING), {found["suite"]}
        return
    for stanza in text.split("\n\n"):
        lines = (line.partition(":") for line in stanza.splitlines() if not line.startswith(("#", " ")))
        fields = {key.strip().lower(): value.strip() for key, _, value in lines}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes") != "no" and fields.get("uris"):
            yield Archive(fields["uris"].split()[0], fields.get("signed-by") or KEYRING), set(fields["suites"].split())


def apt_options(state: Path) -> tuple[str, ...]:
    """Options that turn apt away from the system's own state, towards ours."""
    options = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Cache::archives": state / "archives",
        "Debug::NoLocking": "1",
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return ("-qq", "-y", *(word for key, value in options.items() for word in ("-o", f"{key}={value}")))


def open_archive(state: Path) -> None:
    """Bring the suite's package lists into our own state, where nothing counts as installed: a closure is whole."""
    missing = [program for program in ("apt-get", "dpkg-deb") if not shutil.which(program)]
    if missing:
        raise CannotFetch(f"needs {' and '.join(missing)}, as on Debian; or install the editors so that PATH has them")
    archive = debian_archive()
    for folder in ("lists/partial", "archives/partial", "none/partial", "cache"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").write_text("", "utf-8")
    (state / "sources.list").write_text(f"deb [signed-by={archive.keyring}] {archive.address} {SUITE} main\n", "utf-8")
    run("apt-get", *apt_options(state), "update")


def fetch(name: str, home: Path) -> None:
    """Download an editor with all that it needs, unpack it, and write the script that starts it."""
    recipe, state, root = RECIPES[name], home / "apt", home / name
    options = apt_options(state)
    wanted = run(
        "apt-get", *options, "-o", f"Dir::Cache::archives={state}/none", "--print-uris", "install", recipe.package
    )
    archives = [line.split()[1] for line in wanted.splitlines() if line.startswith("'")]
    run("apt-get", *options, "--download-only", "install", recipe.package)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for archive in archives:
        run("dpkg-deb", "-x", str(state / "archives" / archive), str(root))
    write_launcher(recipe, root, home / "bin" / recipe.command)


def write_launcher(recipe: Recipe, root: Path, script: Path) -> None:
    """Write a script that starts the editor with its own loader and its own libraries."""
    libraries = ":".join(str(folder) for folder in sorted((root / "usr/lib").glob("*-linux-gnu*")))
    loader = (locate(root, "usr/lib*/ld-linux*.so.*"), "--library-path", libraries, root / recipe.binary)
    given = (option.format(locate(root, pattern)) for option, pattern in recipe.options)
    settings = (f"export {key}={shlex.quote(str(locate(root, pattern)))}" for key, pattern in recipe.environment)
    start = shlex.join(map(str, (*loader, *given)))
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("\n".join(("#!/bin/sh", *settings, f'exec {start} "$@"', "")), "utf-8")
    script.chmod(0o755)


def locate(root: Path, pattern: str) -> Path:
    """The one place beneath a root that a pattern means: version numbers in paths change with the suite."""
    found = sorted(root.glob(pattern))
    if not found:
        raise CannotFetch(f"the package has no {pattern}: its layout changed")
    return found[0]


def version(name: str, home: Path) -> str:
    """What a fetched editor says of itself, empty where it is not there or does not start."""
    script = home / "bin" / RECIPES[name].command
    if not script.exists():
        return ""
    said = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.partition("\n")[0].strip()


def run(*command: str) -> str:
    """Run a program; its output, or the last thing it complained about."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        complaint = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg-deb"))] or [done.stderr]
        raise CannotFetch(f"{command[0]} failed: {complaint[-1].strip()}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what is not there yet and print what is."""
    parser = argparse.ArgumentParser(description="Fetch real editors into a private folder, for the end-to-end tests.")
    parser.add_argument("names", nargs="*", metavar="EDITOR", help=f"{', '.join(RECIPES)} (default: all)")
    parser.add_argument("--again", action="store_true", help="fetch anew, though it is there")
    options = parser.parse_args(arguments)
    names: list[str] = options.names or list(RECIPES)
    if unknown := [name for name in names if name not in RECIPES]:
        parser.error(f"unknown editor {unknown[0]!r}; there are {', '.join(RECIPES)}")
    home = Path(os.environ.get("ATTACHE_EDITORS") or REPOSITORY / ".cache/editors").resolve()
    missing = [name for name in names if options.again or not version(name, home)]
    try:
        if missing:
            open_archive(home / "apt")
        for name in missing:
            began = time.monotonic()
            fetch(name, home)
            print(f"{name}: unpacked in {time.monotonic() - began:.0f} s")
    except CannotFetch as reason:
        print(f"skipped: {', '.join(missing)}: {reason}")
    finally:
        shutil.rmtree(home / "apt", ignore_errors=True)  # lists and archives are large and soon old
    for name in names:
        if said := version(name, home):
            print(f"{name}: {said} ({home / 'bin' / RECIPES[name].command})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
