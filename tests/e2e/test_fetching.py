"""Where `scripts/editors.py` takes Debian packages from: what the machine's own apt sources say, in both their forms."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT: dict[str, Any] = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts/editors.py"))
archive_of, CannotFetch = SCRIPT["debian_archive"], SCRIPT["CannotFetch"]

ONE_LINE = """\
# deb http://old.example/debian trixie main
deb https://tools.example/apt trixie-tools main
deb-src http://mirror.example/debian trixie main
deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian trixie main contrib
"""
DEB822 = """\
Types: deb
URIs: https://tools.example/apt
Suites: nodistro
Components: main

Types: deb deb-src
# the nearest
URIs: http://mirror.example/debian http://second.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /keys/debian.gpg
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text('NAME="Debian"\nID=debian\nVERSION_CODENAME=trixie\n')
    return tmp_path


@pytest.mark.parametrize(("name", "text"), [("sources.list", ONE_LINE), ("sources.list.d/debian.sources", DEB822)])
def test_the_machines_own_archive_is_taken_with_its_key(etc: Path, name: str, text: str):
    (etc / "apt" / name).write_text(text)

    found = archive_of(etc)

    assert (found.address, found.keyring) == ("http://mirror.example/debian", "/keys/debian.gpg")


def test_a_disabled_archive_is_not_taken(etc: Path):
    (etc / "apt/sources.list.d/debian.sources").write_text("Enabled: no\n" + DEB822.split("\n\n")[1])

    with pytest.raises(CannotFetch, match="found none"):
        archive_of(etc)


def test_another_system_is_named(etc: Path):
    (etc / "os-release").write_text("ID=fedora\n")

    with pytest.raises(CannotFetch, match="this is fedora"):
        archive_of(etc)
