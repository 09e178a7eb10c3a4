from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.workspace.clients import Editor
from tests.workspace.kinds import KINDS, fill, tree

from attache.foundation.ids import new_id
from attache.schema.edits import ChangeSet
from attache.workspace.documents import BufferEdit
from attache.workspace.paths import to_uri
from attache.workspace.review import Review
from attache.workspace.shell import Command
from attache.workspace.view import cow
from attache.workspace.view.level import level
from attache.workspace.workspace import Workspace

LONG = pytest.mark.skipif(not os.environ.get("ATTACHE_LONG"), reason="the full count runs under ATTACHE_LONG=1")
FORMS = ("overlay", "copy", "landlock", "none")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these commands are a POSIX shell's")


@pytest.fixture(params=FORMS)
def form(request, monkeypatch, tmp_path):
    """Every form of the view that this machine can have."""
    monkeypatch.setenv("ATTACHE_SANDBOX", "" if request.param == "overlay" else request.param)
    standing = level(tmp_path / "home")
    there = {"overlay": standing.overlay, "copy": standing.level == "namespaces"}.get(request.param, True)
    if not there or (request.param == "landlock" and standing.level != "landlock"):
        pytest.skip(f"this machine cannot: {standing.words}")
    return request.param


@pytest.fixture
async def workspace(form, tmp_path):
    (tmp_path / "ws").mkdir()
    opened = Workspace([tmp_path / "ws"], home=tmp_path / "home")
    yield opened
    opened.close()
    assert list((tmp_path / "home" / "views").glob("view-*")) == []


def in_view(text: str = "", **more) -> Command:
    return Command(text=text, view="cow", **more)


def change_set(changes) -> ChangeSet:
    return ChangeSet(id=new_id("c"), title="run", files=changes)  # type: ignore[arg-type]


async def both(workspace, text: str, twin) -> dict:
    """Run a text in the view, accept all, and compare with what it does to a twin of the folder by itself."""
    top = workspace.roots[0].path
    before = tree(top, times=True)
    done = await workspace.view().run(in_view(text))
    assert done.exit_code == 0, done.output
    assert tree(top, times=True) == before, "a command changes nothing that was not accepted"
    subprocess.run(["bash", "-c", text], cwd=twin, check=True, capture_output=True)
    if done.changes:
        landed = await workspace.land(change_set(done.changes))
    after = tree(top)
    expected = tree(twin)
    assert {path for path in after if after[path] != expected.get(path)} | (expected.keys() - after.keys()) == set()
    if done.changes:
        await workspace.undo(landed)
        assert tree(top) == {path: held[: len(held) - 3] for path, held in before.items()}, "undo gives all back"
    return {"note": done.note}


async def test_every_kind_of_change_comes_back_exact(workspace, form, tmp_path):
    if form == "none" and not os.environ.get("ATTACHE_LONG"):
        pytest.skip("the copy without a sandbox is compared under ATTACHE_LONG=1")
    twin = tmp_path / "twin"
    for number in range(len(KINDS)):
        for top in (workspace.roots[0].path, twin):
            fill(top / f"k{number}")
    text = "\n".join(f"(cd k{number} && {kind})" for number, kind in enumerate(KINDS.values()))
    said = await both(workspace, f"set -e\n{text}", twin)
    assert "not taken over" not in said["note"]


@LONG
@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_of_change_alone(workspace, tmp_path, kind):
    twin = tmp_path / "twin"
    fill(workspace.roots[0].path)
    fill(twin)
    await both(workspace, KINDS[kind], twin)


async def test_what_is_rejected_is_gone(workspace):
    top = workspace.roots[0].path
    fill(top)
    (top / ".gitignore").write_text("*.o\n")
    before = tree(top, times=True)
    view = workspace.view()
    done = await view.run(in_view("echo bad >> text.txt; rm -r folder; touch built.o; echo n > new.txt"))
    assert done.changes
    assert "stays in the command view: built.o" in done.note
    assert "built.o" in (await view.run(in_view("ls"))).output, "what is ignored stays for the next command"
    await view.forget()
    assert tree(top, times=True) == before
    listing = (await view.run(in_view("ls; cat text.txt"))).output
    assert "built.o" not in listing
    assert "bad" not in listing
    assert "new.txt" not in listing
    assert "folder" in listing
    assert tree(top, times=True) == before


# ---------------------------------------------------------------- unsaved text


def typed(workspace, name: str, text: str) -> None:
    """Open a file and type another text into it, without saving."""
    path = workspace.roots[0].path / name
    workspace.buffers.open(to_uri(path), path.read_text() if path.exists() else "", 1)
    end = (10**9, 0)
    workspace.buffers.change(to_uri(path), 2, [BufferEdit((0, 0), end, text)])


async def test_a_command_sees_what_is_typed_and_not_saved(workspace):
    top = workspace.roots[0].path
    (top / "a.py").write_text("x = 1\n")
    (top / "pkg").mkdir()
    (top / "pkg" / "b.py").write_bytes("\ufeffy = 1\r\n".encode("utf-8"))
    typed(workspace, "a.py", "x = 'typed é'\n")
    typed(workspace, "pkg/b.py", "y = 2\r\n")
    typed(workspace, "pkg/new/c.py", "z = 3\n")
    before = tree(top, times=True)
    text = "cat a.py pkg/b.py pkg/new/c.py; python3 -c 'import a; print(a.x)'; stat -c %a a.py pkg"
    done = await workspace.view().run(in_view(text))
    assert "x = 'typed é'" in done.output
    assert "y = 2" in done.output
    assert "z = 3" in done.output
    assert "\ntyped é\n644\n755\n" in done.output
    assert done.changes == ()
    assert tree(top, times=True) == before
    for document in tuple(workspace.buffers):
        workspace.buffers.close(document.uri)
    assert "x = 1" in (await workspace.view().run(in_view("cat a.py; ls pkg"))).output


async def test_accepted_changes_to_open_files_become_their_text(form, tmp_path):
    (tmp_path / "ws").mkdir()
    file = tmp_path / "ws" / "a.py"
    file.write_text("import os\n\n\nx   =   1\n\n\ny = 2\n")
    workspace = Workspace([tmp_path / "ws"], home=tmp_path / "home")
    editor = Editor(workspace.buffers)
    workspace.editor = editor
    try:
        uri = editor.open(file)
        editor.put(uri, "y = 2", "y = 3")
        done = await workspace.view().run(in_view("sed -i 's/x   =   1/x = 1/; s/y = 3/y = 4/' a.py; chmod 755 a.py"))
        editor.put(uri, "import os\n", "import os\nimport sys\n")
        landed = await workspace.land(change_set(done.changes))
        assert editor.screens[uri].text == "import os\nimport sys\n\n\nx = 1\n\n\ny = 4\n", "typed meanwhile, and kept"
        assert file.read_text() == "import os\n\n\nx   =   1\n\n\ny = 2\n"
        assert file.stat().st_mode & 0o777 == 0o755
        await workspace.undo(landed)
        assert editor.screens[uri].text == "import os\nimport sys\n\n\nx   =   1\n\n\ny = 3\n"
        assert file.stat().st_mode & 0o777 == 0o644
    finally:
        workspace.close()


async def test_a_conflict_is_shown_and_overwrites_nothing(form, tmp_path):
    from attache.schema.errors import EditRefused

    (tmp_path / "ws").mkdir()
    file, other = tmp_path / "ws" / "a.py", tmp_path / "ws" / "b.py"
    file.write_text("one\ntwo\n")
    other.write_text("one\n")
    workspace = Workspace([tmp_path / "ws"], home=tmp_path / "home")
    editor = Editor(workspace.buffers)
    workspace.editor = editor
    try:
        uri = editor.open(file)
        done = await workspace.view().run(in_view("sed -i s/two/TWO/ a.py b.py; echo x >> b.py"))
        editor.put(uri, "two", "mine")
        with pytest.raises(EditRefused, match="changed since"):
            await workspace.land(change_set(done.changes))
        assert editor.screens[uri].text == "one\nmine\n"
        assert other.read_text() == "one\n", "all of a run, or nothing"
    finally:
        workspace.close()


async def test_what_others_change_meanwhile_on_disk_is_a_conflict(workspace, tmp_path):
    top = workspace.roots[0].path
    (top / "a.txt").write_text("one\n")
    (top / "ready").write_text("")
    other = "import pathlib, sys, time; time.sleep(0.7); pathlib.Path(sys.argv[1]).write_text('theirs\\n')"
    process = subprocess.Popen([sys.executable, "-c", other, str(top / "a.txt")])
    done = await workspace.view().run(in_view("sed -i s/one/ours/ a.txt; sleep 1.5"))
    process.wait()
    assert done.changes == ()
    assert "a.txt changed meanwhile" in done.note
    assert (top / "a.txt").read_text() == "theirs\n"
    assert (await workspace.view().run(in_view("cat a.txt"))).output == "theirs\n"


async def test_what_is_no_text_is_reviewed_too(tmp_path):
    top = tmp_path / "ws"
    fill(top)
    before = tree(top)
    workspace = Workspace([top], home=tmp_path / "home")
    review = Review(workspace.buffers)
    try:
        text = r"printf '\0\1' >> data.bin; chmod +x text.txt; ln -sfn other.txt link; echo x >> other.txt; rm folder/c.bin"
        done = await workspace.view().run(in_view(text))
        landed = await workspace.land(change_set(done.changes))
        hunks = {hunk.path: hunk for hunk in review.add(landed)}
        assert set(hunks) == {"data.bin", "text.txt", "link", "other.txt", "folder/c.bin"}
        assert hunks["text.txt"].before == ("mode 644\n",)
        assert hunks["link"].after == ("link to other.txt\n",)
        assert hunks["folder/c.bin"].after == ()
        review.accept([hunks["text.txt"].id])
        rejected = [hunks[name].id for name in ("data.bin", "link", "folder/c.bin", "other.txt")]
        review.saw(await workspace.land(review.reject(rejected)))
        assert review.pending() == ()
        after = tree(top)
        assert after.pop("text.txt")[1] == 0o755
        assert after == {name: held for name, held in before.items() if name != "text.txt"}
    finally:
        workspace.close()


# ---------------------------------------------------------------- freshness


async def test_no_output_of_lost_text_is_taken_for_fresh(workspace):
    """Make, and Python's compiled files, outside and inside."""
    top = workspace.roots[0].path
    (top / ".gitignore").write_text("*.out\n__pycache__/\n")
    (top / "Makefile").write_text("a.out: a.txt\n\tcp a.txt a.out\n")
    (top / "a.txt").write_text("disk\n")
    (top / "m.py").write_text("x = 'disk'\n")
    long_ago = 1_600_000_000
    for name in ("a.txt", "m.py"):
        os.utime(top / name, (long_ago, long_ago))
    view = workspace.view()
    typed(workspace, "a.txt", "lost\n")
    typed(workspace, "m.py", "x = 'lost'\n")
    built = await view.run(in_view("make -s && cat a.out; python3 -c 'import m; print(m.x)'"))
    assert built.output == "lost\nlost\n"
    assert "is up to date" in (await view.run(in_view("make"))).output, "the view's own output is kept"
    assert not (top / "a.out").exists()
    subprocess.run(["make", "-s"], cwd=top, check=True)
    assert (top / "a.out").read_text() == "disk\n"
    typed(workspace, "m.py", "x = 'next'\n")
    assert (await view.run(in_view("python3 -c 'import m; print(m.x)'"))).output == "next\n"
    for document in tuple(workspace.buffers):
        workspace.buffers.close(document.uri)
    again = await view.run(in_view("make -s; cat a.out; python3 -c 'import m; print(m.x)'"))
    assert again.output == "disk\ndisk\n"


# ---------------------------------------------------------------- what must not be


async def test_git_and_dependencies_are_read_in_place_and_not_written(workspace, form):
    top = workspace.roots[0].path
    git = "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm first"
    (top / "a.txt").write_text("one\n")
    (top / "node_modules" / "x").mkdir(parents=True)
    (top / "node_modules" / "x" / "index.js").write_text("module.exports = 1\n")
    subprocess.run(["bash", "-c", git], cwd=top, check=True)
    before = {path: path.read_bytes() for path in (top / ".git").rglob("*") if path.is_file()}
    typed(workspace, "a.txt", "two\n")
    text = "git diff; git log --oneline | wc -l; cat node_modules/x/index.js; git -c user.name=a -c user.email=a@b commit -qam second; echo evil >> .git/hooks/post-commit"
    done = await workspace.view().run(in_view(text))
    assert "-one\n+two" in done.output
    assert "module.exports = 1" in done.output
    assert done.changes == ()
    assert {path: path.read_bytes() for path in (top / ".git").rglob("*") if path.is_file()} == before
    if form != "none":
        await workspace.view().run(in_view("echo x >> node_modules/x/index.js; rm -rf node_modules .git; mv .git g"))
        assert (top / "node_modules" / "x" / "index.js").read_text() == "module.exports = 1\n"
        assert {path: path.read_bytes() for path in (top / ".git").rglob("*") if path.is_file()} == before


async def test_what_a_crash_left_is_cleared(workspace, tmp_path):
    stale = tmp_path / "home" / "views" / "view-stale"
    (stale / "0" / "upper").mkdir(parents=True)
    (stale / "lock").touch()
    await workspace.view().run(in_view("true"))
    assert not stale.exists()


async def test_a_cancelled_command_leaves_nothing(workspace):
    import asyncio

    top = workspace.roots[0].path
    (top / "a.txt").write_text("one\n")
    task = asyncio.create_task(workspace.view().run(in_view("echo x >> a.txt; sleep 60")))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await workspace.view().run(in_view("cat a.txt"))).output == "one\n"


async def test_the_direct_view_is_the_disk(workspace):
    top = workspace.roots[0].path
    (top / "a.txt").write_text("disk\n")
    typed(workspace, "a.txt", "typed\n")
    done = await workspace.view().run(Command(text="cat a.txt; echo x > made.txt", view="direct"))
    assert done.output == "disk\n"
    assert "a.txt" in done.note
    assert (top / "made.txt").exists()


FAILING = {
    "git init -q . 2>/dev/null; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x": "commits run in",
    "python3 -c 'import socket; socket.getaddrinfo(\"example.com\", 80)'": "no network",
    'python3 -c \'import os; os.rename("folder", "renamed")\'': "mv can",
    "python3 -c 'import socket; socket.socket(socket.AF_UNIX)'": "sockets between",
    "echo x > node_modules/x": "installing runs in",
}


async def test_what_the_view_does_not_give_is_named_with_what_to_do(tmp_path):
    if not level(tmp_path / "home").strongest:
        pytest.skip(f"this machine has {level(tmp_path / 'home').words}")
    top = tmp_path / "ws"
    fill(top)
    (top / "node_modules").mkdir()
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    opened = Workspace([top], home=tmp_path / "home")
    try:
        for text, words in FAILING.items():
            done = await opened.view().run(in_view(text))
            assert done.exit_code != 0
            assert words in done.note, done.output
            assert "view=direct" in done.note
        assert (await opened.view().run(in_view("echo 'network is unreachable'"))).note == ""
    finally:
        opened.close()


async def test_where_a_root_cannot_be_overlaid_a_copy_does(tmp_path, monkeypatch):
    if not level(tmp_path / "home").strongest:
        pytest.skip(f"this machine has {level(tmp_path / 'home').words}")
    monkeypatch.setattr(cow, "trouble_with", lambda _laid: "no such file system")
    top = tmp_path / "ws"
    fill(top)
    opened = Workspace([top], home=tmp_path / "home")
    try:
        typed(opened, "text.txt", "typed\n")
        done = await opened.view().run(in_view("cat text.txt; pwd; echo x > new.txt"))
        assert done.output == f"typed\n{top}\n"
        assert "the view is a copy of the workspace" in done.note
        assert "no such file system" in done.note
        assert [change.kind for change in done.changes] == ["create"]
        assert (await opened.view().run(in_view("ls new.txt"))).note == ""
    finally:
        opened.close()


async def test_what_is_written_outside_of_the_workspace_is_said_once(workspace, form):
    text = """
    mkdir -p ~/notes ~/.cache/x "$TMPDIR/tmpab12cd" && echo 1 > ~/notes/a.txt && echo 2 > "$TMPDIR/out.log"
    echo 3 > ~/.cache/x/c && echo 4 > "$TMPDIR/tmpab12cd/d" && echo 5 > "$TMPDIR/gone" && rm "$TMPDIR/gone"
    """
    home = "" if form == "none" else "~/notes/a.txt, "  # without a sandbox it is the user's own folder
    text = text if home else text.replace("~", "$TMPDIR/tmp00home")
    done = await workspace.view().run(in_view(text))
    assert done.exit_code == 0, done.output
    place = "/tmp" if form in {"overlay", "copy"} else "$TMPDIR"
    assert f"and not kept: {home}{place}/out.log" in done.note
    assert not any(name in done.note for name in ("/c,", "tmpab12cd", "gone", ".cache"))
    again = await workspace.view().run(in_view('cat "$TMPDIR/out.log"'))
    assert again.output == "2\n"
    assert "not kept" not in again.note


@pytest.mark.skipif(sys.platform != "linux", reason="terminals in the view are given on Linux")
async def test_a_terminal_at_every_level(workspace, form):
    text = "test -t 0 && test -t 1 && stty size; read -r word; echo heard $word; (setsid sleep 43 &); exit 3"
    done = await workspace.view().run(in_view(text, terminal=True, stdin="hello\n", timeout_seconds=20))
    assert done.exit_code == 3, done.output
    assert set(done.output.replace("\r", "").split("\n")) >= {"40 120", "hello", "heard hello"}
    assert "no terminal" not in done.note
    late = await workspace.view().run(in_view("trap '' TERM; sleep 30", terminal=True, timeout_seconds=1))
    assert late.timed_out
