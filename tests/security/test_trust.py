"""Trust in folders: nothing by itself, the nearest decision counts, links are followed."""

from __future__ import annotations

import os
import stat

import pytest

from attache.schema.errors import SettingsError
from attache.security.trust import FILE, decided, distrust, is_trusted, trust


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "Projekt #1 ü" / "web"
    folder.mkdir(parents=True)
    return folder


def test_nothing_is_trusted_at_first(home, project):
    assert not is_trusted(home, project)
    assert decided(home) == {}


def test_trust_covers_what_lies_below_and_nothing_beside(home, project):
    trust(home, project.parent)
    assert is_trusted(home, project.parent)
    assert is_trusted(home, project / "not" / "there" / "yet")
    assert not is_trusted(home, project.parent.parent)
    assert not is_trusted(home, project.parent.with_name(project.parent.name + "-evil"))


def test_the_nearest_decision_counts_and_a_wider_one_overtakes_it(home, project):
    trust(home, project.parent)
    distrust(home, project)
    assert not is_trusted(home, project)
    assert is_trusted(home, project.parent / "api")
    trust(home, project.parent)
    assert is_trusted(home, project)
    distrust(home, project.parent)
    assert not is_trusted(home, project)
    assert decided(home) == {project.parent.resolve(): False}


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_link_is_the_folder_that_it_leads_to(home, project, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(project)
    trust(home, link)
    assert is_trusted(home, project)
    link.unlink()
    (tmp_path / "other").mkdir()
    link.symlink_to(tmp_path / "other")
    assert not is_trusted(home, link)
    assert not is_trusted(home, tmp_path / "other")


@pytest.mark.skipif(os.name != "posix", reason="Windows gives a file the rights of its folder")
def test_the_list_is_private(home, project):
    trust(home, project)
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"/": "yes"}', b'{"/": 1}', b"\xff"])
def test_a_damaged_list_is_an_error_and_never_trust(home, project, content):
    home.mkdir()
    (home / FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=FILE):
        is_trusted(home, project)
