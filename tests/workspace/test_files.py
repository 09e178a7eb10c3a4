from __future__ import annotations

import hashlib
import os
import socket
import zlib
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attache.schema.errors import EditRefused, FileMissing, FileSkipped, PathRefused
from attache.workspace.documents import text_hash
from attache.workspace.files import MAX_BYTES, decode, encode, newline_of, read_bytes, read_disk
from attache.workspace.paths import Root

LINES = "one\nEDIT ünd €\nthree\n"

# name: (bytes, encoding, has a mark, line end); each has the word EDIT, in its own encoding, to be edited
TEXTS: dict[str, tuple[bytes, str, bool, str]] = {
    "ascii": (b"one\nEDIT\nthree\n", "utf-8", False, "\n"),
    "utf-8": (LINES.encode(), "utf-8", False, "\n"),
    "utf-8 with mark": (b"\xef\xbb\xbf" + LINES.encode(), "utf-8", True, "\n"),
    "utf-8 with two marks": (b"\xef\xbb\xbf\xef\xbb\xbfEDIT", "utf-8", True, "\n"),
    "utf-16 little": (b"\xff\xfe" + LINES.encode("utf-16-le"), "utf-16-le", True, "\n"),
    "utf-16 big": (b"\xfe\xff" + LINES.encode("utf-16-be"), "utf-16-be", True, "\n"),
    "utf-16 with CRLF and astral": (b"\xff\xfe" + "a\r\n😀EDIT😀\r\n".encode("utf-16-le"), "utf-16-le", True, "\r\n"),
    "utf-32 little": (b"\xff\xfe\x00\x00" + LINES.encode("utf-32-le"), "utf-32-le", True, "\n"),
    "latin-1": ("für EDIT\n".encode("latin-1"), "cp1252", False, "\n"),
    "cp1252": ("“EDIT” – 5 €\r\n".encode("cp1252"), "cp1252", False, "\r\n"),
    "latin-1 with what cp1252 lacks": (b"\x81\x8d EDIT \xe9\n", "latin-1", False, "\n"),
    "shift-jis": ("日本語 EDIT テスト\n".encode("shift_jis"), "cp1252", False, "\n"),
    "gb18030": ("中文 EDIT 测试\n".encode("gb18030"), "cp1252", False, "\n"),
    "koi8-r": ("привет EDIT мир\n".encode("koi8-r"), "cp1252", False, "\n"),
    "CRLF": (b"one\r\nEDIT\r\n", "utf-8", False, "\r\n"),
    "CR only": (b"one\rEDIT\rthree\r", "utf-8", False, "\r"),
    "mixed line ends": (b"1\r\n2\r\n3\nEDIT\r4\n5\r\n", "utf-8", False, "\r\n"),
    "no final newline": (b"one\nEDIT", "utf-8", False, "\n"),
    "no line end at all": (b"EDIT", "utf-8", False, "\n"),
    "form feed and U+2028": ("a\x0cb\u2028EDIT\x85\n".encode(), "utf-8", False, "\n"),
    "terminal colours": (b"\x1b[31mEDIT\x1b[0m\xe9\n", "cp1252", False, "\n"),
    "decomposed and astral at the edit": ("e\u0301😀EDIT😀e\u0301\n".encode(), "utf-8", False, "\n"),
    "one line of 10 MB": (b"x" * 5_000_000 + b"EDIT" + b"y" * 5_000_000, "utf-8", False, "\n"),
}

BINARIES: dict[str, bytes] = {
    "NUL": b"EDIT\0EDIT",
    "NUL in utf-16": b"\xff\xfea\0\0\0",
    "utf-16 without mark": "hello".encode("utf-16-le"),
    "cut utf-16": b"\xff\xfea\0b",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "compressed, no NUL": zlib.compress(os.urandom(20_000)).replace(b"\0", b"\1"),
    "controls": b"\xff\x01\x02\x03\x04 text",
}


@contextmanager
def as_nobody():
    """Give up root for a while, to whom every file is readable."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", TEXTS)
def test_texts_survive_reading_an_edit_and_writing(name):
    data, encoding, mark, newline = TEXTS[name]
    decoded = decode(data)
    assert (decoded.encoding, decoded.bom, decoded.newline) == (encoding, mark, newline)
    assert encode(decoded.text, decoded.encoding, bom=decoded.bom) == data
    edited = encode(decoded.text.replace("EDIT", "changed"), decoded.encoding, bom=decoded.bom)
    said_here = {"utf-16-le", "utf-16-be", "utf-32-le"} & {encoding}
    before, after = ("EDIT".encode(encoding), "changed".encode(encoding)) if said_here else (b"EDIT", b"changed")
    assert edited == data.replace(before, after)
    assert data.count(before) == 1, "what is not edited is all the rest"


@pytest.mark.parametrize("name", BINARIES)
def test_what_is_no_text_is_skipped_with_the_reason(name):
    with pytest.raises(FileSkipped, match=r"logo.png is not text: (it holds NUL|many of its bytes are control)"):
        decode(BINARIES[name], "logo.png")


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\xff")
@example(b"\xff\xfe\x00\xd8")
def test_any_bytes_are_skipped_or_come_back_as_they_were(data):
    try:
        decoded = decode(data)
    except FileSkipped:
        return
    assert encode(decoded.text, decoded.encoding, bom=decoded.bom) == data


def test_what_an_encoding_cannot_say_is_refused_not_replaced():
    with pytest.raises(EditRefused, match="'日' cannot be written in the file's encoding, cp1252") as refused:
        encode("tag 日", "cp1252")
    assert "UTF-8" in refused.value.hint
    with pytest.raises(EditRefused):
        encode("half a letter \ud83d", "utf-8")


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\nb\r\n", "\n"),
        ("a\r\nb\r\n\n", "\r\n"),
        ("a\rb\r\n\r", "\r"),
        ("\n\r", "\n"),
        ("a\u2028b\r\n", "\r\n"),
    ],
)
def test_the_line_end_most_lines_have(text, newline):
    assert newline_of(text) == newline


def test_a_snapshot_proves_its_text(tmp_path):
    (tmp_path / "a b#é.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    with Root(tmp_path) as root:
        snapshot = read_disk(root, "a b#é.py")
    assert snapshot.text == "x = 1\r\n"
    assert snapshot.hash == text_hash(snapshot.text) == hashlib.sha256(b"x = 1\r\n").hexdigest()
    assert (snapshot.path, snapshot.uri) == ("a b#é.py", f"file://{tmp_path.as_posix()}/a%20b%23%C3%A9.py")
    assert (snapshot.encoding, snapshot.bom, snapshot.newline, snapshot.version) == ("utf-8", True, "\r\n", None)


def test_files_are_read_through_links_but_not_out(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("secret")
    (work / "a").write_text("a")
    (work / "hard").hardlink_to(work / "a")
    (work / "soft").symlink_to("a")
    (work / "out").symlink_to("../secret")
    with Root(work) as root:
        assert read_disk(root, "hard").text == read_disk(root, "soft").text == "a"
        with pytest.raises(PathRefused):
            read_disk(root, "out")


def test_what_cannot_be_read_is_skipped_with_the_reason(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "folder").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0)
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(200_000_000)
    (tmp_path / "limit").write_bytes(b"x" * 1000)
    with Root(tmp_path) as root:
        with pytest.raises(FileMissing, match=r"^none.py: no such file in"):
            read_disk(root, "none.py")
        with pytest.raises(FileMissing):
            read_disk(root, "limit/x")
        with pytest.raises(FileSkipped, match=r"^folder (cannot be read|is no regular file)"):
            read_disk(root, "folder")
        with pytest.raises(
            FileSkipped, match=rf"^huge is too large: 200.0 MB, the limit being {MAX_BYTES / 1e6:.1f} MB"
        ):
            read_disk(root, "huge")
        assert len(read_bytes(root, "limit", limit_bytes=1000)) == 1000
        with pytest.raises(FileSkipped, match="too large"):
            read_bytes(root, "limit", limit_bytes=999)
        if os.name != "nt":
            with as_nobody(), pytest.raises(FileSkipped, match=r"^secret cannot be read: Permission denied"):
                read_disk(root, "secret")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_pipes_sockets_and_devices_are_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with Root(tmp_path) as root, socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(FileSkipped, match="pipe is no regular file"):
            read_disk(root, "pipe")
        with pytest.raises(FileSkipped, match="socket cannot be read"):
            read_disk(root, "socket")
    with Root(tmp_path.__class__("/dev")) as devices, pytest.raises(FileSkipped, match="no regular file"):
        read_disk(devices, "zero")
