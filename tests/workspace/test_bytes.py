"""What a change set does not change stays as it was, byte for byte, with its mode: kinds of file times kinds of change."""

from __future__ import annotations

import os
import sys

import pytest

from attache.foundation.ids import new_id
from attache.schema.data import Uri
from attache.schema.edits import ChangeSet, CreateFile, DeleteFile, EditFile, RenameFile
from attache.schema.errors import EditRefused, FileSkipped
from attache.workspace.documents import text_hash
from attache.workspace.edits import apply
from attache.workspace.locate import locate
from attache.workspace.paths import to_uri
from attache.workspace.workspace import Workspace

OLD, NEW = "TARGET", "Ersatz und mehr"
BODY = f"first\nsecond {OLD} here\nlast\n"


def kind(before: str, after: str = "", encoding: str = "utf-8", mark: bytes = b"", mode: int = 0o644):
    """Return the bytes of a file with the old and the new word between two texts, and its mode."""
    head, tail = before.encode(encoding), after.encode(encoding)
    return tuple(mark + head + word.encode(encoding) + tail for word in (OLD, NEW)), mode


HEAD, TAIL = BODY.split(OLD)
KINDS = {
    "utf-8": kind(HEAD, TAIL),
    "utf-8 with mark": kind(HEAD, TAIL, mark=b"\xef\xbb\xbf"),
    "utf-16 little-endian": kind(HEAD, TAIL, "utf-16-le", b"\xff\xfe"),
    "utf-16 big-endian": kind(HEAD, TAIL, "utf-16-be", b"\xfe\xff"),
    "utf-16 with crlf": kind("a\r\n", "\r\nb", "utf-16-le", b"\xff\xfe"),
    "utf-32 little-endian": kind(HEAD, TAIL, "utf-32-le", b"\xff\xfe\x00\x00"),
    "utf-32 big-endian": kind(HEAD, TAIL, "utf-32-be", b"\x00\x00\xfe\xff"),
    "latin-1": kind("caf\xe9\n", " na\xefve\n", "latin-1"),
    "cp1252": kind("\u201cquoted\u201d\n", "\n", "cp1252"),
    "latin-1 beyond cp1252": kind("\x81\x8d caf\xe9\n", "\n", "latin-1"),
    "shift-jis": kind("\u6f22\u5b57\n", " \u30ab\u30ca\n", "shift_jis"),
    "gb18030": kind("\u6c49\u5b57\n", "\n", "gb18030"),
    "koi8-r": kind("\u043f\u0440\u0438\u0432\u0435\u0442\n", "\n", "koi8_r"),
    "crlf": kind("a\r\nb ", " c\r\nd\r\n"),
    "cr alone": kind("a\rb ", " c\rd\r"),
    "mixed line ends": kind("a\r\nb\nc\rd ", " e\r\nf\n\r\n\ng"),
    "no final newline": kind("a\nb\n", ""),
    "one line": kind("", ""),
    "blank lines at the end": kind("a\n", "\n\n\n\n"),
    "trailing blanks and tabs": kind("a  \n\tb\t", "  \n \n"),
    "form feeds": kind("a\x0cb\n", "\x0c\n\x0b\n"),
    "separators that end no line": kind("a\u2028b\u2029c\u0085d ", "\x1c\x1d\n"),
    "astral characters at the place": kind("a\U0001f600", "\U0001f468\u200d\U0001f469\n"),
    "decomposed accents": kind("cafe\u0301\n", "e\u0301\n"),
    "directional controls": kind("a\u202eb\n", "\u2066\n"),
    "a mark in the middle": kind("a\n\ufeff", "\ufeff\n"),
    "escape sequences": kind("\x1b[31mred\x1b[0m ", "\n"),
    "a very long line": kind("x" * 300_000, "y" * 300_000 + "\n"),
    "utf-8 with mark and crlf": kind("a\r\n", "\r\nb\r\n", mark=b"\xef\xbb\xbf"),
    "utf-16 without a final newline": kind("a\n", " b", "utf-16-be", b"\xfe\xff"),
    "nothing but tabs": kind("\t\t\n\t", "\t\n\t"),
    "zero-width characters": kind("a\u200b\u200d\n", "\u2060\ufeff\n"),
    "accents upon nothing": kind("\u0301\n", "\u0301\u0302\n"),
    "line ends of a Mac at the end": kind("a\nb ", "\r"),
    "control characters": kind("a\x07\x08\x7f\n", "\x1b\x1a\n"),
    "writable by its group": kind("a\n", "\n", mode=0o664),
    "executable": kind("#!/bin/sh\n", "\n", mode=0o755),
    "private": kind("a\n", "\n", mode=0o600),
    "writable by its owner alone": kind("a\n", "\n", mode=0o200 | 0o400),
    "odd mode": kind("a\n", "\n", mode=0o646),
}
REFUSED = {
    "NUL bytes": b"a\0TARGET\n",
    "an image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR TARGET",
    "random bytes": bytes(range(1, 32)) * 40 + b"\xff\xfd TARGET",
    "too large": b"TARGET\n" + b"x" * 20_000_000,
}


class Corpus:
    def __init__(self, tmp_path):
        self.root = tmp_path / "ws"
        self.root.mkdir()
        self.workspace = Workspace([self.root], home=tmp_path / "home")

    def put(self, name, data, mode=0o644):
        path = self.root / name
        path.write_bytes(data)
        path.chmod(mode)
        return to_uri(path)

    def state(self):
        return {path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in self.root.iterdir()}

    async def land(self, *files):
        return await self.workspace.land(ChangeSet(id=new_id("c"), title="t", files=files))


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


@pytest.fixture(params=KINDS, ids=list(KINDS))
def case(request):
    (old, new), mode = KINDS[request.param]
    return old, new, mode


async def test_an_edit_changes_its_own_bytes_and_undo_gives_them_back(corpus, case):
    old, new, mode = case
    corpus.put("file.txt", old, mode)
    snapshot = await corpus.workspace.read("file.txt")
    edit = locate(snapshot.text, OLD, NEW)
    landed = await corpus.land(EditFile(uri=snapshot.uri, base_hash=snapshot.hash, edits=(edit,)))
    assert corpus.state() == {"file.txt": (new, mode)}
    assert landed.files[0].after == apply(snapshot.text, [edit])
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"file.txt": (old, mode)}


async def test_a_deleted_file_comes_back_as_it_was(corpus, case):
    old, _, mode = case
    uri = corpus.put("file.txt", old, mode)
    snapshot = await corpus.workspace.read("file.txt")
    landed = await corpus.land(DeleteFile(uri=uri, base_hash=snapshot.hash))
    assert corpus.state() == {}
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"file.txt": (old, mode)}


async def test_a_renamed_file_keeps_its_bytes_also_when_it_is_edited(corpus, case):
    old, new, mode = case
    uri = corpus.put("file.txt", old, mode)
    snapshot = await corpus.workspace.read("file.txt")
    moved = Uri(f"{uri}.moved")
    rename = RenameFile(uri=uri, new_uri=moved, base_hash=snapshot.hash)
    landed = await corpus.land(rename)
    assert corpus.state() == {"file.txt.moved": (old, mode)}
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"file.txt": (old, mode)}
    edit = EditFile(uri=moved, base_hash=snapshot.hash, edits=(locate(snapshot.text, OLD, NEW),))
    landed = await corpus.land(rename, edit)
    assert corpus.state() == {"file.txt.moved": (new, mode)}
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"file.txt": (old, mode)}


async def test_a_file_can_be_created_in_any_kind(corpus, case):
    old, _, mode = case
    corpus.put("model.txt", old, mode)
    model = await corpus.workspace.read("model.txt")
    create = CreateFile(
        uri=corpus.workspace.uri("file.txt"), text=model.text, encoding=model.encoding, bom=model.bom, mode=mode
    )
    landed = await corpus.land(create)
    assert corpus.state()["file.txt"] == (old, mode)
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"model.txt": (old, mode)}


async def test_a_file_that_is_replaced_keeps_its_encoding_and_mode(corpus, case):
    old, new, mode = case
    uri = corpus.put("file.txt", old, mode)
    text = (await corpus.workspace.read("file.txt")).text.replace(OLD, NEW)
    landed = await corpus.land(CreateFile(uri=uri, text=text, overwrite=True))
    assert corpus.state() == {"file.txt": (new, mode)}
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"file.txt": (old, mode)}


def test_the_corpus_is_forty_kinds():
    assert len(KINDS) == 40  # times edit, delete, rename, rename and edit, create, replace; each undone


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_text_is_never_touched(corpus, name):
    data = REFUSED[name]
    uri = corpus.put("file.bin", data)
    corpus.put("good.txt", b"good\n")
    before = corpus.state()
    h = text_hash(data.decode("latin-1"))
    create = CreateFile(uri=uri, text="x", overwrite=True)
    for change in (
        EditFile(uri=uri, base_hash=h, edits=()),
        DeleteFile(uri=uri, base_hash=h),
        RenameFile(uri=uri, new_uri=Uri(f"{uri}2"), base_hash=h),
        create,
    ):
        good = DeleteFile(uri=corpus.workspace.uri("good.txt"), base_hash=text_hash("good\n"))
        with pytest.raises(FileSkipped, match=r"file\.bin"):
            await corpus.land(good, change)
        assert corpus.state() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
async def test_pipes_and_folders_are_never_touched(corpus):
    os.mkfifo(corpus.root / "pipe")
    (corpus.root / "folder").mkdir()
    for name in ("pipe", "folder"):
        uri = to_uri(corpus.root / name)
        for change in (CreateFile(uri=uri, text="x", overwrite=True), DeleteFile(uri=uri, base_hash=text_hash(""))):
            with pytest.raises((FileSkipped, EditRefused)):
                await corpus.land(change)
    assert sorted(path.name for path in corpus.root.iterdir()) == ["folder", "pipe"]


async def test_other_names_of_an_edited_file_keep_the_old_bytes(corpus):
    corpus.put("file.txt", b"one TARGET\n")
    os.link(corpus.root / "file.txt", corpus.root / "other.txt")
    snapshot = await corpus.workspace.read("file.txt")
    await corpus.land(EditFile(uri=snapshot.uri, base_hash=snapshot.hash, edits=(locate(snapshot.text, OLD, NEW),)))
    assert (corpus.root / "file.txt").read_bytes() == f"one {NEW}\n".encode()
    assert (corpus.root / "other.txt").read_bytes() == b"one TARGET\n"


async def test_an_empty_file_is_a_file(corpus):
    uri = corpus.put("empty.txt", b"")
    landed = await corpus.land(DeleteFile(uri=uri, base_hash=text_hash("")))
    assert corpus.state() == {}
    await corpus.workspace.undo(landed)
    assert corpus.state() == {"empty.txt": (b"", 0o644)}
