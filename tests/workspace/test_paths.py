from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.schema.errors import PathRefused
from attache.workspace.paths import key, path_key, path_text, refused_on_windows, shown, to_path, to_uri

NAMES = [
    "a b",
    "a#b",
    "a%b",
    "a%20b",
    "a?b",
    "a:b",
    "é",
    unicodedata.normalize("NFD", "é"),
    "日本",
    "😀",
    "a\nb",
    "a\\b",
    "~",
    "+&=",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(os.name == "nt", reason="Windows allows few of these names")
def test_uris_of_real_files_lead_back_to_them(tmp_path, name):
    file = tmp_path / name
    file.write_text(name)
    uri = to_uri(file)
    assert uri.isascii()
    assert not set(uri) & set(" #?\\\n")
    assert to_path(uri) == file
    assert to_path(uri).read_text() == name


@given(st.binary().filter(lambda raw: 0 not in raw))
def test_any_path_of_bytes_survives_its_uri(raw):
    path = "/" + raw.decode("utf-8", "surrogateescape")
    assert path_text(to_uri(path, windows=False), windows=False) == path


@given(st.sampled_from("acxyz"), st.text(st.characters(exclude_characters='\0/\\:*?"<>|', exclude_categories=["Cs"])))
def test_any_path_on_a_windows_drive_survives_its_uri(drive, name):
    path = f"{drive}:\\{name}"
    assert path_text(to_uri(path, windows=True), windows=True) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/a%20b/x.py", "c:\\a b\\x.py"),  # VS Code
        ("file:///C:/a%20b/x.py", "C:\\a b\\x.py"),  # Neovim, Helix
        ("file:///c|/x.py", "c:\\x.py"),
        ("FILE:///c:/x.py", "c:\\x.py"),
        ("file:/c:/x.py", "c:\\x.py"),
        ("file:////c:/x.py", "c:\\x.py"),
        ("file:///c:", "c:\\"),
        ("file://localhost/c:/x.py", "c:\\x.py"),
        ("file://server/share/x%20y.py", "\\\\server\\share\\x y.py"),
        ("file:///c:/x.py?version=2#L3", "c:\\x.py"),
    ],
)
def test_windows_uris(uri, path):
    assert path_text(uri, windows=True) == path


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("C:\\a b\\x.py", "file:///c%3A/a%20b/x.py"),
        ("c:/x.py", "file:///c%3A/x.py"),
        ("\\\\?\\C:\\x.py", "file:///c%3A/x.py"),
        ("\\\\server\\share\\x y.py", "file://server/share/x%20y.py"),
        ("\\\\?\\UNC\\server\\share\\x.py", "file://server/share/x.py"),
    ],
)
def test_windows_paths_are_spelled_as_vs_code_does(path, uri):
    assert to_uri(path, windows=True) == uri


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file:/a/b.py", "/a/b.py"),
        ("file://localhost/a/b.py", "/a/b.py"),
        ("file:///a/b%23c.py#L10", "/a/b#c.py"),
        ("file:///a%2Fb", "/a/b"),
        ("file:///c%3A/x", "/c:/x"),
        ("file:///100%/x", "/100%/x"),
        ("file:///%FF", "/\udcff"),
    ],
)
def test_posix_uris(uri, path):
    assert path_text(uri, windows=False) == path


@pytest.mark.parametrize(
    ("uri", "windows"),
    [
        ("untitled:Untitled-1", False),
        ("https://example.org/a.py", False),
        ("file://server/share/x.py", False),
        ("file:///a%00b", False),
        ("file:a.py", False),
        ("file://", False),
        ("/a/b.py", False),
        ("file:///c:x.py", True),
        ("file:///c%3Ax.py", True),
    ],
)
def test_what_is_no_local_file_is_refused(uri, windows):
    with pytest.raises(PathRefused) as refused:
        path_text(uri, windows=windows)
    assert uri in refused.value.message
    assert refused.value.hint


def test_spellings_of_one_file_have_one_key(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a b.py").write_text("")
    (tmp_path / "alias").symlink_to("real")
    wanted = path_key(tmp_path / "real" / "a b.py")
    for spelled in ("real/a b.py", "real/a%20b.py", "real/%61%20b.py", "real/../real/./a b.py", "alias/a%20b.py"):
        assert key(f"file://{tmp_path}/{spelled}") == wanted
        assert key(f"file://localhost{tmp_path}/{spelled}#L3") == wanted
    assert key(f"file://{tmp_path}/real/a.py") != wanted
    assert key("untitled:a b.py") == "untitled:a b.py"


def test_files_that_are_not_there_yet_have_keys_too(tmp_path):
    (tmp_path / "alias").symlink_to(tmp_path)
    assert path_key(tmp_path / "new" / "x.py") == path_key(tmp_path / "alias" / "new" / "x.py")
    assert path_key(tmp_path / "new" / "x.py") != path_key(tmp_path / "new" / "y.py")
    assert path_key("/") == path_key("/.")


def test_case_folds_exactly_where_the_file_system_folds_it(tmp_path):
    (tmp_path / "Probe.py").write_text("")
    folds = (tmp_path / "pROBE.PY").exists()
    assert (path_key(tmp_path / "Probe.py") == path_key(tmp_path / "pROBE.PY")) == folds
    assert (path_key(tmp_path / "New.py") == path_key(tmp_path / "nEW.PY")) == folds


@pytest.mark.skipif(os.name == "nt", reason="Windows folds by itself")
def test_a_folder_that_takes_one_case_for_the_other_folds(tmp_path):
    # Two names of one file, apart in case alone, are what a folding file system looks like.
    (tmp_path / "probe").write_text("")
    if not (tmp_path / "PROBE").exists():
        (tmp_path / "PROBE").hardlink_to(tmp_path / "probe")
    assert path_key(tmp_path / "Straße.py") == path_key(tmp_path / "straßE.PY")
    composed, decomposed = (unicodedata.normalize(form, "É.py") for form in ("NFC", "NFD"))
    assert path_key(tmp_path / composed) == path_key(tmp_path / decomposed.lower())
    assert path_key(tmp_path / "a.py") != path_key(tmp_path / "b.py")


def test_shown_paths_start_at_the_innermost_root():
    roots = [Path("/project"), Path("/project/inner"), Path("/other")]
    assert shown(Path("/project/a b/x.py"), roots) == "a b/x.py"
    assert shown(Path("/project/inner/x.py"), roots) == "x.py"
    assert shown(Path("/elsewhere/x.py"), roots) == "/elsewhere/x.py"
    assert shown(Path("/projects/x.py"), roots) == "/projects/x.py"


@pytest.mark.parametrize(
    "path", ["src/a.py", "a/../b", "c:\\work\\a.py", "C:/a", "console.py", "com.py", "nullable", ".", "..", "a/.b/c"]
)
def test_ordinary_names_pass_on_windows(path):
    assert refused_on_windows(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "CON",
        "src/nul.txt",
        "a/COM1",
        "aux .py",
        "lpt9.log",
        "conin$",
        "a.txt:stream",
        "a.py.",
        "a.py ",
        "c:a.py",
        "\\\\server\\x",
        "//./pipe/x",
        "\\\\?\\C:\\x",
    ],
)
def test_names_that_mean_something_else_are_refused_on_windows(path):
    assert refused_on_windows(path)
