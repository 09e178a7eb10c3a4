"""Several files change in one step, or none does; notebooks, pictures and PDF are read as what they are."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import zlib
from importlib.util import find_spec

import pytest

from attache.schema.errors import EditRefused, FileMissing, FileSkipped, InvalidArguments, PathRefused, ToolError
from attache.tools.files.editing import written


async def test_several_files_change_in_one_step(desk) -> None:
    desk.write("a.py", "x = 1\ny = 2\n")
    desk.write("b.py", "x = 1\n")
    uri = desk.open("b.py", "x = 1\nz = 3  # typed\n")
    output = await desk.call(
        "multi_edit",
        edits=[
            {"path": "a.py", "search": "x = 1", "replace": "x = 10"},
            {"path": "b.py", "search": "z = 3", "replace": "z = 30"},
            {"path": "a.py", "search": "y = 2", "replace": "y = 20"},
            {"path": "new.py", "search": "", "replace": "n = 0\n"},
        ],
    )
    assert desk.text("a.py") == "x = 10\ny = 20\n"
    assert desk.shown(uri) == "x = 1\nz = 30  # typed\n"
    assert desk.text("new.py") == "n = 0\n"
    assert output.title.startswith("3 files")


async def test_where_one_edit_is_refused_nothing_changes(desk) -> None:
    desk.write("a.py", "x = 1\n")
    desk.write("b.py", "same\nsame\n")
    with pytest.raises(EditRefused, match=r"edit 2 of 2: .*nothing was changed"):
        await desk.call(
            "multi_edit",
            edits=[
                {"path": "a.py", "search": "x = 1", "replace": "x = 2"},
                {"path": "b.py", "search": "same", "replace": "other"},
            ],
        )
    assert desk.text("a.py") == "x = 1\n"


PATCH = """*** Begin Patch
*** Update File: a.py
-x = 1
+x = 2
*** Add File: c.py
+new
*** Delete File: b.py
*** End Patch
"""


async def test_a_patch_changes_all_its_files(desk) -> None:
    desk.write("a.py", "x = 1\n")
    desk.write("b.py", "gone\n")
    await desk.call("apply_patch", patch=PATCH)
    assert desk.text("a.py") == "x = 2\n"
    assert desk.text("c.py") == "new\n"
    assert not (desk.folder / "b.py").exists()
    with pytest.raises(EditRefused):
        await desk.call("apply_patch", patch=PATCH)
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 2\n+x = 3\n"
    await desk.call("patch", patch=diff)
    assert desk.text("a.py") == "x = 3\n"


def test_the_format_of_a_patch_is_seen() -> None:
    assert written(PATCH) == "apply_patch"
    assert written("a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n") == "search_replace"
    assert written("--- a\n+++ b\n") == "unified_diff"


async def test_files_and_folders_are_moved_with_what_is_typed_in_them(desk) -> None:
    desk.write("old/a.py", "a\n")
    desk.write("old/sub/b.py", "b\n")
    desk.write("there.py", "there\n")
    await desk.call("move", path="old", new_path="new/place")
    assert desk.text("new/place/a.py") == "a\n"
    assert desk.text("new/place/sub/b.py") == "b\n"
    assert not (desk.folder / "old" / "a.py").exists()
    with pytest.raises(EditRefused):
        await desk.call("move", path="new/place/a.py", new_path="there.py")
    assert desk.text("there.py") == "there\n"
    await desk.call("mv", path="new/place/a.py", new_path="there.py", overwrite=True)
    assert desk.text("there.py") == "a\n"
    with pytest.raises(PathRefused):
        await desk.call("move", path="there.py", new_path="../../outside.py")
    with pytest.raises(InvalidArguments, match="whole workspace"):
        await desk.call("move", path=".", new_path="x")


async def test_deleted_files_come_back_by_undo(desk) -> None:
    from attache.foundation.ids import new_id
    from attache.schema.data import ChangeSetId
    from attache.schema.edits import ChangeSet

    desk.write("a.py", "a\n")
    desk.write("gone/b.py", "b\n")
    landed = []

    async def land(title, files):
        landed.append(
            await desk.ctx.workspace.land(ChangeSet(id=ChangeSetId(new_id("c")), title=title, files=tuple(files)))
        )
        return landed[-1]

    from dataclasses import replace

    desk.ctx = replace(desk.ctx, land=land)
    output = await desk.call("delete", paths=["a.py", "gone"])
    assert not (desk.folder / "a.py").exists()
    assert not (desk.folder / "gone" / "b.py").exists()
    assert "a.py is gone" in output.text
    await desk.ctx.workspace.undo(landed[0])
    assert desk.text("gone/b.py") == "b\n"
    with pytest.raises(FileMissing):
        await desk.call("delete", paths=["a.py", "nowhere.py"])
    assert desk.text("a.py") == "a\n"


# ---------------------------------------------------------------- what is no plain text

BOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "aa", "metadata": {}, "source": ["# Täglich\n", "words"]},
        {
            "cell_type": "code", "execution_count": 3, "id": "bb", "metadata": {},
            "outputs": [
                {"name": "stdout", "output_type": "stream", "text": ["42\n"]},
                {"data": {"image/png": "AAAA", "text/plain": ["<Figure>"]}, "metadata": {}, "output_type": "display_data"},
                {"ename": "ValueError", "evalue": "no", "output_type": "error", "traceback": []},
            ],
            "source": ["x = 42\n", "print(x)"],
        },
    ],
    "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip


async def test_a_notebook_is_read_and_changed_by_its_cells(desk) -> None:
    text = json.dumps(BOOK, indent=1, ensure_ascii=False) + "\n"
    desk.write("n.ipynb", text)
    output = await desk.call("read", path="n.ipynb")
    lines = [line.partition("\t")[2] for line in output.text.splitlines()[1:]]
    assert lines == [
        "── cell 1 · markdown ──", "# Täglich", "words", "── cell 2 · code · ran as [3] ──", "x = 42", "print(x)",
        "  → 42", "  → <Figure>", "  → [image/png]", "  → ValueError: no",
    ]  # fmt: skip
    raw = await desk.call("read", path="n.ipynb", raw=True)
    assert '"cells": [' in raw.text
    await desk.call("edit_cell", path="n.ipynb", cell=1, content="# Other\n")
    changed = json.loads(desk.text("n.ipynb"))
    assert changed["cells"][0]["source"] == ["# Other\n"]
    assert changed["cells"][1] == BOOK["cells"][1]
    assert desk.text("n.ipynb").splitlines()[10:] == text.splitlines()[11:]
    await desk.call("edit_cell", path="n.ipynb", cell=3, content="y = 1", action="insert")
    await desk.call("edit_cell", path="n.ipynb", cell=1, action="delete")
    cells = json.loads(desk.text("n.ipynb"))["cells"]
    assert [each["source"] for each in cells] == [["x = 42\n", "print(x)"], ["y = 1"]]
    with pytest.raises(InvalidArguments, match="has 2 cells"):
        await desk.call("edit_cell", path="n.ipynb", cell=9, content="")
    desk.write("bad.ipynb", "{")
    with pytest.raises(FileSkipped, match="is no notebook"):
        await desk.call("read", path="bad.ipynb")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def test_a_picture_is_handed_to_the_model(desk) -> None:
    desk.write("p.png", png(7, 5))
    output = await desk.call("read", path="p.png")
    assert output.text.startswith("p.png: image/png, 7 × 5 pixels, ")
    assert base64.b64decode(output.images[0].data) == png(7, 5)
    desk.write("words.png", "not a picture")
    with pytest.raises(FileSkipped, match="is none"):
        await desk.call("read", path="words.png")
    with pytest.raises(FileMissing):
        await desk.call("read", path="nowhere.png")


def pdf(words: str) -> bytes:
    stream = f"BT /F1 24 Tf 20 100 Td ({words}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, part)
    start = len(data)
    data += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in places)
    return data + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


@pytest.mark.skipif(not (find_spec("pypdf") or shutil.which("pdftotext")), reason="neither pypdf nor pdftotext is here")
async def test_the_text_of_a_pdf_is_read(desk) -> None:
    desk.write("d.pdf", pdf("Hello from page one"))
    output = await desk.call("read", path="d.pdf")
    assert "1\t── page 1 ──" in output.text
    assert "Hello from page one" in output.text
    desk.write("bad.pdf", "words")
    with pytest.raises(FileSkipped, match="cannot be read as PDF"):
        await desk.call("read", path="bad.pdf")


@pytest.mark.skipif(bool(find_spec("pypdf") or shutil.which("pdftotext")), reason="something here reads PDF")
async def test_where_nothing_reads_pdf_it_is_said_how_to_get_it(desk) -> None:
    desk.write("d.pdf", pdf("Hello"))
    with pytest.raises(ToolError, match="nothing here reads PDF") as refused:
        await desk.call("read", path="d.pdf")
    assert "pypdf" in refused.value.hint
    with pytest.raises(FileMissing):
        await desk.call("read", path="nowhere.pdf")


async def test_a_new_path_is_one_from_the_top_and_a_folder_takes_in_what_is_moved_there(desk) -> None:
    desk.write("src/a.py", "a\n")
    desk.write("lib/b.py", "b\n")
    output = await desk.call("move", path="src/a.py", new_path="c.py")
    assert desk.text("c.py") == "a\n"
    assert "beside the old one it would be src/c.py" in output.text
    output = await desk.call("move", path="c.py", new_path="lib")
    assert desk.text("lib/c.py") == "a\n"
    assert "note:" not in output.text
    await desk.call("move", path="lib/c.py", new_path="new folder/")
    assert desk.text("new folder/c.py") == "a\n"
    await desk.call("move", path="lib", new_path="new folder")
    assert desk.text("new folder/lib/b.py") == "b\n"
