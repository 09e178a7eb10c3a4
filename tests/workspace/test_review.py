from __future__ import annotations

import random

import pytest

from attache.foundation.ids import new_id
from attache.schema.data import Uri
from attache.schema.edits import ChangeSet, CreateFile, DeleteFile, EditFile, RenameFile
from attache.schema.errors import EditRefused
from attache.workspace.documents import Buffers, split_lines
from attache.workspace.edits import diff, undo_of
from attache.workspace.paths import to_uri
from attache.workspace.review import Review
from attache.workspace.workspace import Workspace
from workspace.clients import NEOVIM, STRICT, Editor, fast_run

TEXT = "".join(f"line {n}\n" for n in range(1, 21))


class Desk:
    """A user, an agent and the review between them."""

    def __init__(self, tmp_path, habits=STRICT):
        self.root = tmp_path / "ws"
        self.root.mkdir(exist_ok=True)
        self.buffers = Buffers()
        self.editor = Editor(self.buffers, habits)
        self.workspace = Workspace([self.root], home=tmp_path / "home", buffers=self.buffers, editor=self.editor)
        self.review = Review(self.buffers)
        self.steps = 0

    def file(self, name, text=TEXT, opened=False):
        path = self.root / name
        path.write_text(text, newline="")
        return self.editor.open(path) if opened else to_uri(path)

    async def text(self, name):
        return (await self.workspace.read(name)).text

    async def agent(self, **texts):
        """Let the agent give files new texts, in one step; None deletes."""
        self.steps += 1
        files = []
        for name, text in texts.items():
            path = name.replace("_", ".")
            uri = self.workspace.uri(path)
            if not (self.root / path).exists():
                files.append(CreateFile(uri=uri, text=text))
                continue
            snapshot = await self.workspace.read(path)
            if text is None:
                files.append(DeleteFile(uri=uri, base_hash=snapshot.hash))
            else:
                files.append(EditFile(uri=uri, base_hash=snapshot.hash, edits=diff(snapshot.text, text)))
        change_set = ChangeSet(id=new_id("c"), title=f"Step {self.steps}", step=self.steps, files=tuple(files))
        landed = await self.workspace.land(change_set)
        self.review.add(landed)
        return landed

    async def reject(self, *hunks):
        self.review.saw(await self.workspace.land(self.review.reject([hunk.id for hunk in hunks])))

    def accept(self, *hunks):
        return self.review.accept([hunk.id for hunk in hunks])

    def hunks(self, uri=None):
        return self.review.pending(uri)

    async def right(self):
        """Assert that every hunk says what stands in its file."""
        for hunk in self.hunks():
            path = self.root / hunk.path
            lines = split_lines(await self.text(hunk.path)) if path.exists() else []
            assert tuple(lines[hunk.start_line - 1 :][: len(hunk.after)]) == hunk.after, hunk
            assert hunk.before or hunk.after


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def swapped(*pairs, text=TEXT):
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("opened", [True, False])
async def test_a_step_becomes_a_hunk_for_every_run_of_lines(desk, opened):
    uri = desk.file("a.py", opened=opened)
    await desk.agent(
        a_py=swapped(("line 3\n", "line three\n"), ("line 9\nline 10\n", ""), ("line 15\n", "line 15\nnew\n"))
    )
    first, second, third = desk.hunks(uri)
    assert (first.start_line, first.before, first.after) == (3, ("line 3\n",), ("line three\n",))
    assert (second.start_line, second.before, second.after) == (9, ("line 9\n", "line 10\n"), ())
    assert (third.start_line, third.before, third.after) == (14, (), ("new\n",))
    assert {(hunk.title, hunk.step, hunk.path, hunk.resolution) for hunk in desk.hunks()} == {
        ("Step 1", 1, "a.py", "pending")
    }
    assert len({hunk.id for hunk in desk.hunks()}) == 3


@pytest.mark.parametrize("opened", [True, False])
async def test_rejecting_one_hunk_leaves_the_others_right(desk, opened):
    desk.file("a.py", opened=opened)
    await desk.agent(a_py=swapped(("line 3\n", "three\nthree\n"), ("line 9\n", ""), ("line 15\n", "fifteen\n")))
    first, second, third = desk.hunks()
    await desk.reject(first)
    assert await desk.text("a.py") == swapped(("line 9\n", ""), ("line 15\n", "fifteen\n"))
    assert [hunk.id for hunk in desk.hunks()] == [second.id, third.id]
    await desk.right()
    assert [hunk.resolution for hunk in desk.accept(third)] == ["accepted"]
    await desk.reject(*desk.hunks())
    assert await desk.text("a.py") == swapped(("line 15\n", "fifteen\n"))
    assert desk.hunks() == ()


async def test_hunks_move_with_what_is_typed_above_them_and_what_is_typed_stays(desk):
    uri = desk.file("a.py", opened=True)
    await desk.agent(a_py=swapped(("line 10\n", "ten\n")))
    desk.editor.put(uri, "line 2\n", "line 2\ntyped\nand more\n")
    desk.editor.put(uri, "line 20\n", "line twenty\n")
    (hunk,) = desk.hunks()
    assert hunk.start_line == 12
    await desk.reject(hunk)
    assert await desk.text("a.py") == swapped(("line 2\n", "line 2\ntyped\nand more\n"), ("line 20\n", "line twenty\n"))


async def test_typing_inside_a_hunk_makes_it_what_it_is_now(desk):
    uri = desk.file("a.py", opened=True)
    await desk.agent(a_py=swapped(("line 10\n", "ten\neleven\ntwelve\n")))
    desk.editor.put(uri, "eleven", "eleven, typed")
    (hunk,) = desk.hunks()
    assert hunk.after == ("ten\n", "eleven, typed\n", "twelve\n")
    assert hunk.before == ("line 10\n",)


async def test_typing_a_line_back_splits_a_hunk_and_typing_all_back_ends_it(desk):
    uri = desk.file("a.py", opened=True)
    await desk.agent(a_py=swapped(("line 9\nline 10\nline 11\n", "nine\nten\neleven\n")))
    (whole,) = desk.hunks()
    desk.editor.put(uri, "ten\n", "line 10\n")
    nine, eleven = desk.hunks()
    assert nine.id == whole.id != eleven.id
    assert (nine.before, nine.after, eleven.before, eleven.after) == (
        ("line 9\n",), ("nine\n",), ("line 11\n",), ("eleven\n",)
    )  # fmt: skip
    desk.editor.put(uri, "nine\n", "line 9\n")
    desk.editor.put(uri, "eleven\n", "line 11\n")
    assert desk.hunks() == ()


async def test_undo_in_the_editor_ends_the_hunks(desk):
    uri = desk.file("a.py", opened=True)
    await desk.agent(a_py=swapped(("line 9\n", "nine\n"), ("line 15\n", "")))
    desk.editor.put(uri, "nine\n", "line 9\n")
    desk.editor.put(uri, "line 14\n", "line 14\nline 15\n")
    assert desk.hunks() == ()


async def test_undo_of_a_step_ends_its_hunks(desk):
    desk.file("a.py", opened=True)
    desk.file("b.py")
    landed = await desk.agent(a_py=swapped(("line 9\n", "nine\n")), b_py=swapped(("line 9\n", "nine\n")))
    assert len(desk.hunks()) == 2
    desk.review.saw(await desk.workspace.undo(landed))
    assert desk.hunks() == ()


async def test_two_steps_on_the_same_lines_are_one_hunk_that_goes_back_to_the_beginning(desk):
    desk.file("a.py", opened=True)
    await desk.agent(a_py=swapped(("line 9\n", "nine\n"), ("line 15\n", "fifteen\n")))
    await desk.agent(a_py=swapped(("line 9\n", "NINE\nmore\n"), ("line 15\n", "fifteen\n")))
    nine, fifteen = desk.hunks()
    assert (nine.step, nine.before, nine.after) == (2, ("line 9\n",), ("NINE\n", "more\n"))
    assert fifteen.step == 1
    await desk.reject(nine)
    assert await desk.text("a.py") == swapped(("line 15\n", "fifteen\n"))


@pytest.mark.parametrize("order", [("line 9\n", "line 10\n"), ("line 10\n", "line 9\n")])
@pytest.mark.parametrize("opened", [True, False])
async def test_neighbouring_removals_of_two_steps_come_back_in_order(desk, opened, order):
    desk.file("a.py", opened=opened)
    await desk.agent(a_py=swapped((order[0], "")))
    await desk.agent(a_py=swapped((order[0], ""), (order[1], "")))
    await desk.reject(*desk.hunks())
    assert await desk.text("a.py") == TEXT


async def test_a_change_that_we_hear_of_before_we_are_told_whose_it_is(desk):
    """Typing between the edit's arrival and `add`: the hunk is the agent's, the typing the user's."""
    uri = desk.file("a.py", opened=True)
    snapshot = await desk.workspace.read("a.py")
    await desk.agent(a_py=swapped(("line 2\n", "two\n")))
    snapshot = await desk.workspace.read("a.py")
    edits = diff(snapshot.text, snapshot.text.replace("line 9\n", "nine\n"))
    change_set = ChangeSet(
        id="c", title="t", files=(EditFile(uri=uri, base_hash=snapshot.hash, edits=edits),)
    )  # fmt: skip
    landed = await desk.workspace.land(change_set)
    desk.editor.put(uri, "line 1\n", "typed\nline 1\n")
    desk.editor.put(uri, "nine\n", "nine, typed\n")
    desk.review.add(landed)
    two, nine = desk.hunks()
    assert (two.start_line, nine.start_line, nine.after) == (3, 10, ("nine, typed\n",))
    await desk.reject(two, nine)
    assert await desk.text("a.py") == "typed\n" + TEXT


async def test_created_and_deleted_files_are_hunks_too(desk):
    desk.file("old.py")
    (desk.root / "old.py").chmod(0o755)
    await desk.agent(new_py="one\ntwo\n", old_py=None)
    new, old = desk.hunks()
    assert (new.before, new.after, new.start_line) == ((), ("one\n", "two\n"), 1)
    assert (old.after, len(old.before), old.start_line) == ((), 20, 1)
    await desk.reject(new, old)
    assert not (desk.root / "new.py").exists()
    assert (desk.root / "old.py").read_text() == TEXT
    assert (desk.root / "old.py").stat().st_mode & 0o777 == 0o755
    assert desk.hunks() == ()


async def test_a_created_file_in_which_the_user_typed_keeps_what_they_typed(desk):
    await desk.agent(new_py="one\ntwo\n")
    uri = desk.editor.open(desk.root / "new.py")
    desk.editor.put(uri, "one\n", "typed\none\n")
    (hunk,) = desk.hunks()
    assert hunk.start_line == 2
    await desk.reject(hunk)
    assert await desk.text("new.py") == "typed\n"


async def test_hunks_follow_a_file_that_is_renamed(desk):
    uri = desk.file("a.py")
    await desk.agent(a_py=swapped(("line 9\n", "nine\n")))
    snapshot = await desk.workspace.read("a.py")
    new = Uri(uri.replace("a.py", "sub/b.py"))
    move = RenameFile(uri=uri, new_uri=new, base_hash=snapshot.hash)
    desk.review.add(await desk.workspace.land(ChangeSet(id="m", title="move", files=(move,))))
    (hunk,) = desk.hunks()
    assert (hunk.path, hunk.start_line) == ("sub/b.py", 9)
    await desk.reject(hunk)
    assert await desk.text("sub/b.py") == TEXT


async def test_a_closed_file_that_is_opened_or_changed_by_others_keeps_its_hunks(desk):
    uri = desk.file("a.py")
    await desk.agent(a_py=swapped(("line 9\n", "nine\n")))
    desk.review.saw_text(uri, "top\n" + swapped(("line 9\n", "nine\n")))
    assert desk.hunks()[0].start_line == 10
    (desk.root / "a.py").write_text("top\nmore\n" + swapped(("line 9\n", "nine\n")))
    desk.editor.open(desk.root / "a.py")
    assert desk.hunks()[0].start_line == 11
    await desk.reject(*desk.hunks())
    assert await desk.text("a.py") == "top\nmore\n" + TEXT
    desk.review.saw_text(uri, None)
    assert desk.hunks() == ()


async def test_listeners_hear_of_every_change_of_the_hunks_and_of_nothing_else(desk):
    uri = desk.file("a.py", opened=True)
    heard = []
    stop = desk.review.subscribe(heard.append)
    await desk.agent(a_py=swapped(("line 9\n", "nine\n")))
    assert set(heard) == {uri}
    heard.clear()
    desk.editor.put(uri, "line 15\n", "fifteen\n")
    assert heard == []
    desk.editor.put(uri, "line 2\n", "")
    desk.accept(*desk.hunks())
    assert heard == [uri, uri]
    stop()
    desk.review.close()
    await desk.agent(a_py=TEXT)
    assert heard == [uri, uri]


async def test_a_hunk_that_is_gone_cannot_be_resolved(desk):
    desk.file("a.py")
    await desk.agent(a_py=swapped(("line 9\n", "nine\n")))
    (hunk,) = desk.hunks()
    desk.accept(hunk)
    for resolve in (desk.review.accept, desk.review.reject):
        with pytest.raises(EditRefused, match="no longer pending"):
            resolve([hunk.id])


# ---------------------------------------------------------------- properties


def mangled(text, random_, word):
    lines = split_lines(text)
    for _ in range(random_.randrange(1, 5)):
        start = random_.randrange(len(lines))
        end = min(start + random_.randrange(0, 3), len(lines))
        ended = [f"{word}{random_.randrange(100)}{random_.choice(['', 'x'])}\n" for _ in range(random_.randrange(0, 3))]
        lines[start:end] = ended
        lines = lines or [""]
    return "".join(lines)


@pytest.mark.parametrize("seed", range(60))
def test_rejecting_all_that_is_pending_restores_the_text(tmp_path, seed):
    random_ = random.Random(seed)

    async def main():
        desk = Desk(tmp_path, random_.choice([STRICT, NEOVIM]))
        texts = {}
        for name in ("a.py", "b.py"):
            texts[name] = "".join(random_.choice(["a", "b", "c", ""]) + "\n" for _ in range(random_.randrange(0, 9)))
            desk.file(name, texts[name], opened=name == "a.py" or random_.random() < 0.3)
        for step in range(random_.randrange(1, 5)):
            new = {name: mangled(await desk.text(name), random_, f"s{step}-") for name in texts}
            await desk.agent(**{name.replace(".", "_"): text for name, text in new.items()})
            await desk.right()
        while hunks := desk.hunks():
            await desk.reject(*random_.sample(hunks, random_.randrange(1, len(hunks) + 1)))
            await desk.right()
        assert {name: await desk.text(name) for name in texts} == texts

    fast_run(seed, main)


@pytest.mark.parametrize("seed", range(60))
def test_accepting_and_rejecting_in_any_order_while_the_user_types(tmp_path, seed):
    """What is accepted stays, what is rejected goes back, and what the user types outside of hunks is never lost."""
    random_ = random.Random(seed)

    async def main():
        desk = Desk(tmp_path)
        uri = desk.file("a.py", opened=True)
        typed = []
        for step in range(3):
            await desk.agent(a_py=mangled(await desk.text("a.py"), random_, f"s{step}-"))
            await desk.right()
        for number in range(6):
            lines = split_lines(await desk.text("a.py"))
            inside = {n for hunk in desk.hunks() for n in range(hunk.start_line, hunk.start_line + len(hunk.after))}
            if free := [n for n in range(1, len(lines)) if n not in inside and n - 1 not in inside]:
                at = random_.choice(free) - 1
                desk.editor.type(uri, (at, 0), (at, 0), f"typed {number}\n")
                desk.editor.flush(uri)
                typed.append(f"typed {number}\n")
            await desk.right()
        while hunks := desk.hunks():
            hunk = random_.choice(hunks)
            others = {other.id: (other.before, other.after) for other in hunks if other.id != hunk.id}
            if random_.random() < 0.5:
                before = await desk.text("a.py")
                desk.accept(hunk)
                assert await desk.text("a.py") == before
            else:
                await desk.reject(hunk)
            assert {other.id: (other.before, other.after) for other in desk.hunks()} == others
            await desk.right()
        text = await desk.text("a.py")
        assert all(text.count(word) == 1 for word in typed)

    fast_run(seed, main)


def test_a_review_of_undone_undo(tmp_path):
    async def main():
        desk = Desk(tmp_path)
        desk.file("a.py", opened=True)
        landed = await desk.agent(a_py=swapped(("line 9\n", "nine\n")))
        undone = await desk.workspace.undo(landed)
        desk.review.saw(undone)
        desk.review.add(await desk.workspace.land(undo_of(undone)))
        assert [hunk.after for hunk in desk.hunks()] == [("nine\n",)]

    fast_run(0, main)
