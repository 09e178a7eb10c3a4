from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from attache.schema.errors import PathRefused
from attache.workspace.documents import BufferEdit, Buffers
from attache.workspace.paths import Root, to_uri
from attache.workspace.shell import Command
from attache.workspace.views import DirectView, View

WHERE = (sys.executable, "-c", "import os; print(os.getcwd())")


@pytest.fixture
def roots(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "src" / "a.py").write_bytes(b"a = 1\r\n")
    with Root(tmp_path / "one") as one, Root(tmp_path / "two") as two:
        yield one, two


@pytest.mark.parametrize("cwd", [Path(), Path("src"), Path("src/.."), Path("src/../src")])
async def test_commands_run_in_a_folder_of_the_first_root(roots, cwd):
    done = await DirectView(roots).run(Command(argv=WHERE, cwd=cwd))
    assert Path(done.output.strip()) == (roots[0].path / cwd).resolve()
    assert done.note == ""


async def test_commands_run_in_an_absolute_folder_of_any_root(roots):
    view: View = DirectView(roots)
    heard: list[str] = []
    done = await view.run(Command(argv=WHERE, cwd=roots[1].path / "src"), on_output=heard.append)
    assert Path(done.output.strip()) == roots[1].path / "src"
    assert "".join(heard) == done.output


async def test_commands_run_in_no_other_folder(roots, tmp_path):
    (roots[0].path / "out").symlink_to(tmp_path)
    for cwd in (Path(".."), Path("src/../.."), Path("out"), tmp_path, Path("/"), Path("../two/..")):
        with pytest.raises(PathRefused):
            await DirectView(roots).run(Command(argv=WHERE, cwd=cwd))


async def test_the_note_names_what_is_typed_and_not_saved(roots):
    buffers = Buffers()
    view = DirectView(roots, buffers)
    file = roots[0].path / "src" / "a.py"
    uri = to_uri(file)
    buffers.open(uri, "a = 1\r\n", 1)
    assert (await view.run(Command(argv=WHERE))).note == "", "open, and as on disk"
    buffers.change(uri, 2, [BufferEdit((0, 4), (0, 5), "2")])
    buffers.open(to_uri(roots[1].path / "new é.py"), "", 1)
    buffers.open(to_uri("/elsewhere/b.py"), "b", 1)
    buffers.open("untitled:Untitled-1", "c", 1)
    done = await view.run(Command(argv=(sys.executable, "-c", "print(open('src/a.py').read())")))
    assert "a = 1" in done.output, "it ran on the disk"
    assert done.note == "ran on the files on disk, without what is typed but not saved in src/a.py, new é.py"
    file.write_bytes(b"a = 2\r\n")
    assert view.unsaved() == ("new é.py",)


async def test_a_long_note_counts(roots):
    buffers = Buffers()
    for number in range(13):
        buffers.open(to_uri(roots[0].path / f"{number}.py"), "", 1)
    done = await DirectView(roots, buffers).run(Command(argv=WHERE))
    assert done.note.endswith("8.py, 9.py and 3 more")


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell's text")
async def test_what_a_command_says_of_itself_is_passed_on(roots):
    command = Command(text='read x; echo "$x $ADDED"; sleep 60', env={"ADDED": "2"}, stdin="1\n", timeout_seconds=0.4)
    done = await DirectView(roots).run(command)
    assert (done.output, done.timed_out) == ("1 2\n", True)
