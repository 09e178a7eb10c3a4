from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace

import pytest

from attache.foundation.ids import new_id
from attache.schema.data import Uri
from attache.schema.edits import ChangeSet, CreateFile, DeleteFile, EditFile, RenameFile, TextEdit
from attache.schema.errors import EditRefused, FileMissing, FileSkipped, PathRefused
from attache.workspace.documents import Buffers, text_hash
from attache.workspace.edits import diff, undo_of
from attache.workspace.open_file import Patience
from attache.workspace.paths import to_uri
from attache.workspace.workspace import Workspace
from workspace.clients import ALL_HABITS, CARELESS, LATE, NEOVIM, STRICT, Editor

TEXT = "".join(f"line {n}\n" for n in range(1, 21))
QUICK = Patience(silence=0.3, other=0.05)


class Scene:
    def __init__(self, tmp_path, habits=STRICT, **more):
        self.root = tmp_path / "ws"
        self.root.mkdir(exist_ok=True)
        self.home = tmp_path / "home"
        self.buffers = Buffers()
        self.editor = Editor(self.buffers, replace(habits, delay_seconds=0.01))
        self.workspace = self.opened(editor=self.editor, **more)

    def opened(self, editor=None, **more):
        return Workspace([self.root], home=self.home, buffers=self.buffers, editor=editor, patience=QUICK, **more)

    def file(self, name, text=TEXT, *, opened=False):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.editor.open(path) if opened else to_uri(path)

    def on_disk(self, name):
        path = self.root / name
        return path.read_bytes().decode() if path.exists() else None

    async def edit(self, name, old, new):
        snapshot = await self.workspace.read(name)
        assert snapshot.text.count(old) == 1
        edits = diff(snapshot.text, snapshot.text.replace(old, new))
        return EditFile(uri=snapshot.uri, base_hash=snapshot.hash, base_version=snapshot.version, edits=edits)

    async def land(self, *files, title="t"):
        return await self.workspace.land(ChangeSet(id=new_id("c"), title=title, files=files))

    async def refused(self, *files, error=EditRefused):
        before = self.state()
        with pytest.raises(error) as caught:
            await self.land(*files)
        assert self.state() == before
        return caught.value

    def state(self):
        disk = {
            path.relative_to(self.root): (path.read_bytes(), path.stat().st_mode)
            for path in self.root.rglob("*")
            if path.is_file()
        }
        screens = {uri: screen.text for uri, screen in self.editor.screens.items()}
        journal = [path.name for path in self.home.rglob("*") if path.is_file() and path.name != "lock"]
        return disk, screens, journal


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def swapped(*pairs, text=TEXT):
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


# ---------------------------------------------------------------- open and closed files together


@pytest.mark.parametrize("habits", ALL_HABITS, ids=lambda habits: habits.name)
async def test_a_change_set_lands_on_unsaved_text_and_on_disk(tmp_path, habits):
    scene = Scene(tmp_path, habits)
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.file("three.py")
    scene.editor.put(one, "line 3\n", "line 3, typed\n")
    files = [await scene.edit(name, "line 10\n", "line ten\n") for name in ("one.py", "two.py", "three.py")]
    landed = await scene.land(*files)
    assert scene.editor.screens[one].text == swapped(("line 3\n", "line 3, typed\n"), ("line 10\n", "line ten\n"))
    assert scene.editor.screens[two].text == scene.on_disk("three.py") == swapped(("line 10\n", "line ten\n"))
    assert scene.on_disk("one.py") == scene.on_disk("two.py") == TEXT
    for outcome in landed.files:
        document = scene.buffers.get(outcome.uri)
        assert outcome.after == (document.text if document else scene.on_disk("three.py"))
        assert outcome.version == (document.version if document else None)
    assert sorted(outcome.path for outcome in landed.files) == ["one.py", "three.py", "two.py"]


async def test_each_open_file_gets_one_versioned_request(scene):
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.editor.put(one, "line 3\n", "line three\n")
    files = [await scene.edit(name, "line 10\n", "") for name in ("one.py", "two.py")]
    await scene.land(*files, title="Remove line 10")
    assert scene.editor.requests == [(one, 2, "Remove line 10"), (two, 1, "Remove line 10")]


@pytest.mark.parametrize("habits", [STRICT, NEOVIM, CARELESS], ids=lambda habits: habits.name)
async def test_what_is_typed_between_request_and_application_is_kept_and_the_edit_lands(tmp_path, habits):
    scene = Scene(tmp_path, replace(habits, types=1.0))
    one = scene.file("one.py", opened=True)
    scene.editor.put(one, "line 1\n", "line one\n")  # so that Neovim's version is past 0
    left = ["typed\n"]

    def type_once(uri):
        if left:
            scene.editor.type(uri, (0, 0), (0, 0), left.pop())

    scene.editor.typist = type_once
    await scene.land(await scene.edit("one.py", "line 10\n", "line ten\n"))
    expected = swapped(("line 1\n", "typed\nline one\n"), ("line 10\n", "line ten\n"))
    assert scene.editor.screens[one].text == expected


async def test_an_edit_that_met_other_text_is_mended(tmp_path):
    """Neovim takes version 0 for none: the edit comes out two lines too high, and is put right."""
    scene = Scene(tmp_path, replace(NEOVIM, types=1.0))
    one = scene.file("one.py", opened=True)
    left = ["typed\ntwice\n"]
    scene.editor.typist = lambda uri: left and scene.editor.type(uri, (0, 0), (0, 0), left.pop())
    landed = await scene.land(await scene.edit("one.py", "line 10\n", "line ten\n"))
    expected = "typed\ntwice\n" + swapped(("line 10\n", "line ten\n"))
    assert scene.editor.screens[one].text == expected == landed.files[0].after
    assert len(scene.editor.requests) == 3  # the stray one, its way back, the right one


@pytest.mark.parametrize("habits", [STRICT, NEOVIM, LATE], ids=lambda habits: habits.name)
async def test_an_editor_that_does_not_take_the_edit_leaves_nothing_anywhere(tmp_path, habits):
    scene = Scene(tmp_path, habits)
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.file("three.py")
    scene.editor.deaf.add(two)
    files = [await scene.edit(name, "line 10\n", "line ten\n") for name in ("one.py", "three.py", "two.py")]
    refusal = await scene.refused(*files)
    assert refusal.message == "two.py: the editor did not take the change"
    assert scene.editor.screens[one].text == TEXT


async def test_taking_back_goes_around_what_was_typed_meanwhile(tmp_path):
    scene = Scene(tmp_path, replace(STRICT, types=1.0))
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.editor.deaf.add(two)

    def type_into_the_hunk(uri):
        if uri == two and "typed" not in scene.editor.screens[one].text:
            scene.editor.type(one, (9, 4), (9, 4), " <typed>")

    scene.editor.typist = type_into_the_hunk
    files = [await scene.edit(name, "line 10\n", "LINE TEN\n") for name in ("one.py", "two.py")]
    with pytest.raises(EditRefused):
        await scene.land(*files)
    text = scene.editor.screens[one].text
    assert text.replace(" <typed>", "") == TEXT
    assert "<typed>" in text


async def test_without_an_editor_an_open_file_is_not_edited(tmp_path):
    scene = Scene(tmp_path)
    scene.file("one.py", opened=True)
    scene.file("two.py")
    scene.workspace = scene.opened()
    files = [await scene.edit(name, "line 10\n", "") for name in ("two.py", "one.py")]
    refusal = await scene.refused(*files)
    assert "one.py is open" in refusal.message


async def test_a_file_that_is_closed_under_our_hands_is_changed_on_disk(tmp_path):
    scene = Scene(tmp_path, replace(STRICT, types=1.0))
    one = scene.file("one.py", opened=True)
    scene.editor.typist = scene.editor.close
    await scene.land(await scene.edit("one.py", "line 10\n", "line ten\n"))
    assert one not in scene.editor.screens
    assert scene.on_disk("one.py") == swapped(("line 10\n", "line ten\n"))


# ---------------------------------------------------------------- later versions


@pytest.mark.parametrize("opened", [True, False])
async def test_an_edit_of_an_older_version_moves_along(scene, opened):
    uri = scene.file("one.py", opened=opened)
    edit = await scene.edit("one.py", "line 10\n", "line ten\n")
    if opened:
        scene.editor.put(uri, "line 2\n", "")
    else:
        (scene.root / "one.py").write_text(swapped(("line 2\n", "")))
    await scene.land(edit)
    assert (await scene.workspace.read("one.py")).text == swapped(("line 2\n", ""), ("line 10\n", "line ten\n"))


@pytest.mark.parametrize("opened", [True, False])
async def test_an_edit_whose_lines_changed_is_refused_and_says_what_and_where(scene, opened):
    uri = scene.file("sub/one.py", opened=opened)
    scene.file("two.py")
    edits = await scene.edit("two.py", "line 1\n", ""), await scene.edit("sub/one.py", "line 10\n", "line ten\n")
    if opened:
        scene.editor.put(uri, "line 10\n", "line 10, typed\n")
    else:
        (scene.root / "sub/one.py").write_text(swapped(("line 10\n", "line 10, typed\n")))
    refusal = await scene.refused(*edits)
    assert refusal.message == "sub/one.py:10 changed since it was read: `line 10` is now `line 10, typed`"
    assert "read the file again" in refusal.hint


async def test_an_edit_of_a_text_that_nobody_has_read_is_refused(scene):
    uri = scene.file("one.py")
    edit = EditFile(uri=uri, base_hash=text_hash("something"), edits=(TextEdit(start=0, end=0, text="x"),))
    assert "one.py changed since it was read" in (await scene.refused(edit)).message


# ---------------------------------------------------------------- everything is checked first


def outside(scene):
    (scene.root.parent / "secret.txt").write_text("secret")
    return scene.root.parent / "secret.txt"


async def test_what_lies_outside_the_workspace_is_refused(scene):
    scene.file("one.py")
    good = await scene.edit("one.py", "line 10\n", "")
    secret = outside(scene)
    (scene.root / "link").symlink_to(secret)
    (scene.root / "folder").symlink_to(scene.root.parent)
    text = text_hash("secret")
    x = TextEdit(start=0, end=0, text="x")
    for uri in (
        to_uri(secret),
        to_uri(scene.root / ".." / "secret.txt"),
        to_uri(scene.root / "link"),
        to_uri(scene.root / "folder/secret.txt"),
    ):
        await scene.refused(good, EditFile(uri=uri, base_hash=text, edits=(x,)), error=PathRefused)
        await scene.refused(good, CreateFile(uri=uri, text="x", overwrite=True), error=PathRefused)
        await scene.refused(good, DeleteFile(uri=uri, base_hash=text), error=PathRefused)
    opened = scene.editor.open(secret)
    await scene.refused(good, EditFile(uri=opened, base_hash=text, edits=(x,)), error=PathRefused)
    await scene.refused(good, CreateFile(uri=to_uri(scene.root / "folder/new.txt"), text="x"), error=PathRefused)
    await scene.refused(good, EditFile(uri=Uri("https://host/a.py"), base_hash=text, edits=(x,)), error=PathRefused)
    assert secret.read_text() == "secret"


async def test_one_change_that_cannot_be_made_stops_all(scene):
    scene.file("one.py")
    scene.file("two.py")
    scene.file("bin", b"\0\1\2")
    scene.file("latin.txt", "caf\xe9\n".encode("latin-1"))
    scene.file("locked.py")
    (scene.root / "locked.py").chmod(0o444)
    (scene.root / "folder").mkdir()
    unsaved = scene.file("unsaved.py", opened=True)
    scene.editor.put(unsaved, "line 1\n", "typed\n")
    good = await scene.edit("one.py", "line 10\n", "")
    two, h = to_uri(scene.root / "two.py"), text_hash(TEXT)
    overlap = (TextEdit(start=0, end=9, text="x"), TextEdit(start=4, end=12, text="y"))
    cases = [
        (EditFile(uri=two, base_hash=h, edits=overlap), "overlaps"),
        (EditFile(uri=two, base_hash=h, edits=(TextEdit(start=0, end=9999, text=""),)), "reaches past the end"),
        (EditFile(uri=to_uri(scene.root / "none.py"), base_hash=h, edits=overlap), "none.py is not there"),
        (EditFile(uri=to_uri(scene.root / "bin"), base_hash=h, edits=()), "bin is not text"),
        (await scene.edit("latin.txt", "caf\xe9", "\u2192"), "latin.txt: '\u2192' cannot be written"),
        (await scene.edit("locked.py", "line 3\n", ""), "locked.py is read-only"),
        (DeleteFile(uri=to_uri(scene.root / "locked.py"), base_hash=h), "locked.py is read-only"),
        (DeleteFile(uri=two, base_hash=text_hash("old")), "two.py changed since it was read"),
        (DeleteFile(uri=to_uri(scene.root / "none.py"), base_hash=h), "none.py is not there"),
        (
            DeleteFile(uri=unsaved, base_hash=text_hash(scene.editor.screens[unsaved].text)),
            "unsaved.py has unsaved changes",
        ),
        (CreateFile(uri=two, text="x"), "two.py is there already"),
        (CreateFile(uri=unsaved, text="x"), "unsaved.py is there already in the editor"),
        (CreateFile(uri=to_uri(scene.root / "folder"), text="x"), "folder "),
        (RenameFile(uri=two, new_uri=to_uri(scene.root / "one.py"), base_hash=h), "one.py is there already"),
        (RenameFile(uri=two, new_uri=unsaved, base_hash=h, overwrite=True), "unsaved.py is open in the editor"),
        (RenameFile(uri=two, new_uri=two, base_hash=h), "name the same file"),
    ]
    for change, says in cases:
        for order in ((good, change), (change, good)):
            refusal = await scene.refused(*order, error=(EditRefused, FileSkipped))
            assert says in refusal.message
            assert refusal.hint


async def test_a_link_is_followed_by_edits_and_refused_by_removals(scene):
    scene.file("real.py")
    (scene.root / "link.py").symlink_to("real.py")
    link = to_uri(scene.root / "link.py")
    await scene.land(await scene.edit("link.py", "line 10\n", ""))
    assert (scene.root / "link.py").is_symlink()
    assert scene.on_disk("real.py") == swapped(("line 10\n", ""))
    h = text_hash(swapped(("line 10\n", "")))
    assert "is a link" in (await scene.refused(DeleteFile(uri=link, base_hash=h))).message
    new = Uri(f"{link}.new")
    assert "is a link" in (await scene.refused(RenameFile(uri=link, new_uri=new, base_hash=h))).message


async def test_the_same_file_under_two_names_is_one_file(scene):
    scene.file("real.py")
    (scene.root / "link.py").symlink_to("real.py")
    edits = await scene.edit("link.py", "line 3\n", ""), await scene.edit("real.py", "line 10\n", "")
    await scene.land(*edits)
    assert scene.on_disk("real.py") == swapped(("line 3\n", ""), ("line 10\n", ""))


# ---------------------------------------------------------------- creating, deleting, renaming


async def test_created_files_get_their_folders_and_modes(scene):
    uri = to_uri(scene.root / "a/b/run.sh")
    landed = await scene.land(
        CreateFile(uri=uri, text="#!/bin/sh\n", executable=True), CreateFile(uri=to_uri(scene.root / "c.txt"), text="")
    )
    assert os.access(scene.root / "a/b/run.sh", os.X_OK)
    assert scene.on_disk("c.txt") == ""
    await scene.workspace.undo(landed)
    assert not (scene.root / "a/b/run.sh").exists()
    assert not (scene.root / "c.txt").exists()


async def test_overwriting_is_an_edit_of_the_whole(scene):
    one = scene.file("one.txt", "caf\xe9\n".encode("latin-1"))
    (scene.root / "one.txt").chmod(0o751)
    two = scene.file("two.py", opened=True)
    landed = await scene.land(
        CreateFile(uri=one, text="th\xe9\n", overwrite=True), CreateFile(uri=two, text="new\n", overwrite=True)
    )
    assert (scene.root / "one.txt").read_bytes() == "th\xe9\n".encode("latin-1")
    assert (scene.root / "one.txt").stat().st_mode & 0o777 == 0o751
    assert scene.editor.screens[two].text == "new\n"
    assert scene.on_disk("two.py") == TEXT
    await scene.workspace.undo(landed)
    assert (scene.root / "one.txt").read_bytes() == "caf\xe9\n".encode("latin-1")
    assert scene.editor.screens[two].text == TEXT


async def test_an_open_file_that_is_saved_is_deleted_on_disk_and_its_buffer_stays(scene):
    one = scene.file("one.py", opened=True)
    landed = await scene.land(DeleteFile(uri=one, base_hash=text_hash(TEXT)))
    assert scene.on_disk("one.py") is None
    assert (await scene.workspace.read("one.py")).text == TEXT  # what the user sees
    await scene.workspace.undo(landed)
    assert scene.on_disk("one.py") == TEXT
    assert scene.editor.requests == []


async def test_an_open_file_that_is_saved_is_renamed_and_edited_on_disk(scene):
    one = scene.file("one.py", opened=True)
    new = to_uri(scene.root / "lib/two.py")
    edits = diff(TEXT, swapped(("line 10\n", "ten\n")))
    landed = await scene.land(
        RenameFile(uri=one, new_uri=new, base_hash=text_hash(TEXT)),
        EditFile(uri=new, base_hash=text_hash(TEXT), edits=edits),
    )
    assert scene.on_disk("one.py") is None
    assert scene.on_disk("lib/two.py") == swapped(("line 10\n", "ten\n"))
    (outcome,) = landed.files
    assert (outcome.renamed_from, outcome.before, outcome.after) == (one, TEXT, swapped(("line 10\n", "ten\n")))
    await scene.workspace.undo(landed)
    assert scene.on_disk("one.py") == TEXT
    assert scene.on_disk("lib/two.py") is None


async def test_a_buffer_that_no_disk_has_yet_is_edited_in_the_editor(scene):
    one = scene.editor.open(to_uri(scene.root / "new.py"), "typed\n")
    await scene.land(await scene.edit("new.py", "typed", "landed"))
    assert scene.editor.screens[one].text == "landed\n"
    assert scene.on_disk("new.py") is None
    assert await scene.workspace.files() == ("new.py",)
    untitled = scene.editor.open(Uri("untitled:Untitled-1"), "typed\n")
    await scene.land(await scene.edit("untitled:Untitled-1", "typed", "landed"))
    assert scene.editor.screens[untitled].text == "landed\n"


async def test_a_mix_lands_and_undo_gives_everything_back(scene):
    opened = scene.file("opened.py", opened=True)
    scene.editor.put(opened, "line 1\n", "unsaved\n")
    for name in ("a.py", "b.py", "gone.py", "over.py"):
        scene.file(name, f"{name}\n{TEXT}")
    scene.file("utf16.txt", b"\xff\xfe" + "one\r\ntwo".encode("utf-16-le"))
    (scene.root / "utf16.txt").chmod(0o600)
    (scene.root / "gone.py").chmod(0o755)
    before = scene.state()

    def uri(name):
        return to_uri(scene.root / name)

    def h(name):
        return text_hash(f"{name}\n{TEXT}")

    edit = await scene.edit("opened.py", "line 10\n", "ten\n")
    utf16 = await scene.workspace.read("utf16.txt")
    landed = await scene.land(
        edit,
        RenameFile(uri=uri("a.py"), new_uri=uri("t.py"), base_hash=h("a.py")),
        RenameFile(uri=uri("b.py"), new_uri=uri("a.py"), base_hash=h("b.py")),
        RenameFile(uri=uri("t.py"), new_uri=uri("b.py"), base_hash=h("a.py")),
        RenameFile(uri=uri("b.py"), new_uri=uri("over.py"), base_hash=h("a.py"), overwrite=True),
        DeleteFile(uri=uri("gone.py"), base_hash=h("gone.py")),
        CreateFile(uri=uri("gone.py"), text="again\n"),
        DeleteFile(uri=uri("utf16.txt"), base_hash=utf16.hash),
        CreateFile(uri=uri("deep/new.py"), text="new\n"),
    )
    assert scene.on_disk("a.py") == f"b.py\n{TEXT}"
    assert scene.on_disk("over.py") == f"a.py\n{TEXT}"
    assert scene.on_disk("b.py") is None
    assert scene.on_disk("gone.py") == "again\n"
    assert scene.on_disk("utf16.txt") is None
    undone = await scene.workspace.undo(landed)
    assert scene.state() == before
    await scene.land(*undo_of(undone).files)
    assert scene.on_disk("over.py") == f"a.py\n{TEXT}"
    assert scene.on_disk("gone.py") == "again\n"


async def test_undo_keeps_what_was_typed_since_and_is_refused_where_it_no_longer_stands_alone(scene):
    one = scene.file("one.py", opened=True)
    scene.file("two.py")
    landed = await scene.land(
        await scene.edit("one.py", "line 10\n", "ten\n"), await scene.edit("two.py", "line 10\n", "ten\n")
    )
    scene.editor.put(one, "line 2\n", "typed\n")
    (scene.root / "two.py").write_text(swapped(("line 10\n", "ten\n"), ("line 20\n", "")))
    undone = await scene.workspace.undo(landed)
    assert scene.editor.screens[one].text == swapped(("line 2\n", "typed\n"))
    assert scene.on_disk("two.py") == swapped(("line 20\n", ""))
    landed = await scene.land(*undo_of(undone).files)
    scene.editor.put(one, "ten\n", "ten, typed\n")
    before = scene.state()
    with pytest.raises(EditRefused, match=r"one\.py:10 changed since it was read: `ten` is now `ten, typed`"):
        await scene.workspace.undo(landed)
    assert scene.state() == before


# ---------------------------------------------------------------- one at a time, and stopped


async def test_two_change_sets_never_interleave(tmp_path):
    scene = Scene(tmp_path, LATE)
    scene.file("one.py", opened=True)
    scene.file("two.py", opened=True)
    first = [await scene.edit(name, "line 5\n", "five\n") for name in ("one.py", "two.py")]
    second = [await scene.edit(name, "line 15\n", "fifteen\n") for name in ("two.py", "one.py")]
    await asyncio.gather(scene.land(*first, title="first"), scene.land(*second, title="second"))
    assert [label for _, _, label in scene.editor.requests] == ["first", "first", "second", "second"]
    assert {screen.text for screen in scene.editor.screens.values()} == {
        swapped(("line 5\n", "five\n"), ("line 15\n", "fifteen\n"))
    }


async def test_a_landing_that_is_cancelled_takes_back_what_it_did(tmp_path):
    scene = Scene(tmp_path, LATE)
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.file("three.py")
    files = [await scene.edit(name, "line 5\n", "five\n") for name in ("one.py", "three.py", "two.py")]
    task = asyncio.create_task(scene.land(*files))
    while scene.buffers.get(one).text == TEXT:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [scene.editor.screens[uri].text for uri in (one, two)] == [TEXT, TEXT]
    assert scene.on_disk("three.py") == TEXT
    assert scene.state()[2] == []


async def test_a_landing_that_is_done_when_it_is_cancelled_is_told_of(scene, monkeypatch):
    scene.file("one.py")
    edit = await scene.edit("one.py", "line 5\n", "five\n")
    told = []

    async def caller():
        told.append(await scene.land(edit))
        await asyncio.sleep(0)
        told.append("went on")

    task = asyncio.create_task(caller())
    commit = type(scene.workspace._journal).commit

    def commit_and_cancel(self, entry):
        commit(self, entry)
        task.get_loop().call_soon_threadsafe(task.cancel)

    monkeypatch.setattr(type(scene.workspace._journal), "commit", commit_and_cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [landed.files[0].after for landed in told] == [swapped(("line 5\n", "five\n"))]
    assert scene.on_disk("one.py") == told[0].files[0].after


# ---------------------------------------------------------------- after a crash


@pytest.mark.parametrize("reached", ["prepared", "committed"])
async def test_open_documents_are_brought_to_where_the_recovered_files_are(scene, reached):
    """The process died with the edit in one of two open documents; the editor lived on."""
    one, two = scene.file("one.py", opened=True), scene.file("two.py", opened=True)
    scene.file("three.py")
    new = swapped(("line 10\n", "ten\n"))
    files = [await scene.edit(name, "line 10\n", "ten\n") for name in ("one.py", "two.py", "three.py")]
    from attache.workspace.journal import OpenChange
    from attache.workspace.sketch import Sketch

    sketch = Sketch(scene.workspace._files, lambda _: None)
    await sketch.add(ChangeSet(id="c", title="t", files=tuple(files)))
    journal = scene.workspace._journal
    opened = [OpenChange(uri=uri, before=TEXT, after=new) for uri in (one, two)]
    entry = journal.prepare("c", "t", sketch.disk_changes(), opened)
    if reached == "committed":
        (journal.folder / f"{entry.token}.prepared").rename(journal.folder / f"{entry.token}.committed")
        scene.editor.put(two, "line 10\n", "ten\n")
    else:
        scene.editor.put(one, "line 10\n", "ten\n")
    scene.editor.put(one, "line 20\n", "typed since\n")
    scene.workspace = scene.opened(editor=scene.editor)
    (recovery,) = await scene.workspace.recover()
    assert recovery.landed == (reached == "committed")
    for uri in (one, two):
        await scene.workspace.mend(uri)
    expected = new if recovery.landed else TEXT
    assert scene.on_disk("three.py") == expected
    assert scene.editor.screens[one].text == swapped(("line 20\n", "typed since\n"), text=expected)
    assert scene.editor.screens[two].text == expected
    assert await scene.workspace.recover() == ()


# ---------------------------------------------------------------- reading, naming, staging


async def test_reading_gives_the_unsaved_text_with_its_version_and_hash(scene):
    uri = scene.file("sub/one.py", opened=True)
    scene.editor.put(uri, "line 1\n", "typed\n")
    for name in ("sub/one.py", str(scene.root / "sub/one.py"), uri):
        snapshot = await scene.workspace.read(name)
        text = swapped(("line 1\n", "typed\n"))
        assert (snapshot.uri, snapshot.path, snapshot.text, snapshot.version) == (uri, "sub/one.py", text, 2)
        assert snapshot.hash == text_hash(text)
    scene.editor.close(uri)
    snapshot = await scene.workspace.read("sub/one.py")
    assert (snapshot.text, snapshot.version, snapshot.hash) == (TEXT, None, text_hash(TEXT))
    with pytest.raises(FileMissing):
        await scene.workspace.read("none.py")
    with pytest.raises(PathRefused):
        await scene.workspace.read("../secret")


@pytest.mark.parametrize(
    "name", ["with space.py", "hash#1.py", "100%25.py", "\u00fcml\u00e4ut \u6f22\u5b57.py", "q?.py", "[a]{b}.py"]
)
async def test_strange_names_work_on_every_route(scene, name):
    if sys.platform == "win32" and "?" in name:
        pytest.skip("Windows has no such name")
    scene.file(f"sub dir#/{name}")
    landed = await scene.land(await scene.edit(f"sub dir#/{name}", "line 10\n", "ten\n"))
    assert landed.files[0].path == f"sub dir#/{name}"
    uri = scene.editor.open(scene.root / "sub dir#" / name)
    await scene.land(await scene.edit(f"sub dir#/{name}", "line 11\n", "eleven\n"))
    assert scene.editor.screens[uri].text == swapped(("line 10\n", "ten\n"), ("line 11\n", "eleven\n"))
    assert await scene.workspace.files() == (f"sub dir#/{name}",)


async def test_several_roots_are_one_workspace(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    (tmp_path / "second/b.py").write_text("b\n")
    workspace = Workspace([tmp_path / "first", tmp_path / "second"], home=tmp_path / "home")
    snapshot = await workspace.read("b.py")
    edit = EditFile(uri=snapshot.uri, base_hash=snapshot.hash, edits=diff("b\n", "B\n"))
    create = CreateFile(uri=workspace.uri("a.py"), text="a\n")
    await workspace.land(ChangeSet(id="c", title="t", files=(edit, create)))
    assert (tmp_path / "first/a.py").read_text() == "a\n"
    assert (tmp_path / "second/b.py").read_text() == "B\n"
    assert await workspace.files() == ("a.py", "b.py")
    workspace.close()


async def test_staged_changes_are_seen_by_reads_and_handed_over_as_one_change_set(scene):
    one = scene.file("one.py", opened=True)
    scene.file("two.py")
    scene.file("three.py")
    before = scene.state()
    staged = scene.workspace.staged()

    async def edit(name, old, new):
        snapshot = await staged.read(name)
        edits = diff(snapshot.text, snapshot.text.replace(old, new))
        files = (EditFile(uri=snapshot.uri, base_hash=snapshot.hash, edits=edits),)
        return await staged.land(ChangeSet(id="c", title="t", files=files))

    await edit("one.py", "line 3\n", "three\n")
    landed = await edit("one.py", "line 9\n", "nine\n")
    assert landed.files[0].after == swapped(("line 3\n", "three\n"), ("line 9\n", "nine\n"))
    h = text_hash(TEXT)
    new, two = staged.uri("new.py"), staged.uri("two.py")
    await staged.land(
        ChangeSet(id="c", title="t", files=(DeleteFile(uri=two, base_hash=h), CreateFile(uri=new, text="new\n")))
    )
    with pytest.raises(FileMissing):
        await staged.read("two.py")
    assert (await staged.read("new.py")).text == "new\n"
    assert set(await staged.files()) == {"one.py", "three.py", "new.py"}
    with pytest.raises(EditRefused):
        await staged.land(
            ChangeSet(id="c", title="t", files=(CreateFile(uri=new, text=""), DeleteFile(uri=one, base_hash=h)))
        )
    assert scene.state() == before
    collected = staged.collected("All of it")
    assert [change.kind for change in collected.files] == ["edit", "delete", "create"]
    assert collected.files[0].base_version == 1
    landed = await scene.workspace.land(collected)
    assert scene.editor.screens[one].text == swapped(("line 3\n", "three\n"), ("line 9\n", "nine\n"))
    assert scene.on_disk("two.py") is None
    await scene.workspace.undo(landed)
    assert scene.state() == before


async def test_a_change_set_that_changes_nothing_touches_nothing(scene):
    scene.file("one.py", opened=True)
    scene.file("two.py")
    before = scene.state()
    edits = [
        EditFile(
            uri=scene.workspace.uri(name), base_hash=text_hash(TEXT), edits=(TextEdit(start=0, end=4, text="line"),)
        )
        for name in ("one.py", "two.py")
    ]
    landed = await scene.land(*edits)
    assert (landed.files, scene.editor.requests, scene.state()) == ((), [], before)
