"""Lines are found in what the user sees, quickly, and whatever the regex."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from attache.schema.errors import FileMissing, InvalidArguments
from attache.tools import lines, scan
from attache.workspace.walk import walk
from attache.workspace.workspace import Workspace

EXPLODING = r"(a+)+$"


async def test_hits_are_grouped_by_file_and_cited(desk) -> None:
    desk.write("src/a.py", "import os\nretry = 1\n\nprint(retry)\n")
    desk.write("b.py", "x = retry()\n")
    output = await desk.call("grep", pattern="retry")
    assert output.text == "3 hits in 2 files\nb.py:1-1\n1:x = retry()\nsrc/a.py:2-4\n2:retry = 1\n4:print(retry)"
    assert output.title == "`retry` · 3 hits in 2 files"
    assert [str(place) for place in output.places] == ["b.py:1", "src/a.py:2", "src/a.py:4"]
    assert output.data["lines"][0] == {"path": "b.py", "line": 1, "text": "x = retry()"}


async def test_a_buffer_is_searched_and_not_the_disk_below_it(desk) -> None:
    desk.write("a.py", "saved = 1\n")
    desk.write("b.py", "saved = 2\n")
    desk.open("a.py", "typed = 1\n")
    desk.open("new.py", "typed = 2\n")
    assert (await desk.call("grep", pattern="typed")).data["files"] == {"a.py": 1, "new.py": 1}
    assert (await desk.call("grep", pattern="saved")).data["files"] == {"b.py": 1}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"pattern": "a.c"}, ["abc", "a.c", "xa.cx"]),
        ({"pattern": "a.c", "literal": True}, ["a.c", "xa.cx"]),
        ({"pattern": "^a.c$"}, ["abc", "a.c"]),
        ({"pattern": "ABC", "ignore_case": True}, ["abc"]),
        ({"pattern": "ABC"}, []),
        ({"pattern": r"(?<!x)a\.c"}, ["a.c"]),
        ({"pattern": r"c(?!x)\Z"}, ["abc", "a.c"]),
        ({"pattern": r"[^z]+cx"}, ["xa.cx"]),
        ({"pattern": r"abc\na\.c"}, []),
        ({"pattern": "ü"}, ["über"]),
    ],
)
@pytest.mark.parametrize("buffer", [False, True])
async def test_patterns_mean_what_python_says_line_by_line(desk, arguments, found: list[str], buffer: bool) -> None:
    text = "abc\r\na.c\nxa.cx\rüber\n"
    desk.write("a.txt", "nothing" if buffer else text)
    if buffer:
        desk.open("a.txt", text)
    output = await desk.call("grep", **arguments)
    assert [line["text"] for line in output.data["lines"]] == found


async def test_lines_around_are_shown_and_marked(desk) -> None:
    desk.write("a.txt", "".join(f"line {number}\n" for number in range(1, 9)))
    output = await desk.call("grep", pattern="[35]", context=1)
    assert output.text.splitlines()[1:] == [
        "a.txt:2-6", "2-line 2", "3:line 3", "4-line 4", "5:line 5", "6-line 6",
    ]  # fmt: skip


async def test_where_to_look(desk) -> None:
    for path in ("src/a.py", "src/a.ts", "src/deep/b.py", "tests/a.py"):
        desk.write(path, "here\n")
    desk.write(".gitignore", "tests/\n")
    assert set((await desk.call("grep", pattern="here")).data["files"]) == {"src/a.py", "src/a.ts", "src/deep/b.py"}
    assert set((await desk.call("grep", pattern="here", path="src/deep")).data["files"]) == {"src/deep/b.py"}
    assert set((await desk.call("grep", pattern="here", path="src/a.py")).data["files"]) == {"src/a.py"}
    assert set((await desk.call("grep", pattern="here", glob="*.ts")).data["files"]) == {"src/a.ts"}
    assert set((await desk.call("grep", pattern="here", glob="src/*.py")).data["files"]) == {"src/a.py"}
    with pytest.raises(FileMissing):
        await desk.call("grep", pattern="here", path="nowhere")


async def test_several_folders_are_searched_each_in_its_place(desk, tmp_path: Path, monkeypatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.py").write_text("here\n")
    desk.write("a.py", "here\n")
    buffers = desk.ctx.workspace.buffers
    both = Workspace((desk.folder, other), home=tmp_path / "home", buffers=buffers)
    desk.ctx = replace(desk.ctx, workspace=both)
    for least in (lines.RIPGREP_FROM_FILES, 0):
        monkeypatch.setattr(lines, "RIPGREP_FROM_FILES", least)
        assert (await desk.call("grep", pattern="here")).data["files"] == {"a.py": 1, "b.py": 1}
        assert (await desk.call("grep", pattern="here", path=str(other))).data["files"] == {"b.py": 1}
    both.close()


async def test_many_hits_are_counted_and_only_some_are_shown(desk) -> None:
    desk.write("a.txt", "x\n" * 150)
    desk.write("b.txt", "x\n" * 30)
    output = await desk.call("grep", pattern="x")
    assert output.title == "`x` · 180 hits in 2 files"
    assert len(output.data["lines"]) == lines.Query("x").limit == len(output.places)
    assert output.text.endswith("[… 80 hits more: narrow the path, glob or regex. By file: a.txt 150, b.txt 30]")


async def test_long_lines_are_cut_around_the_match(desk) -> None:
    desk.write("min.js", "y" * 4000 + "needle" + "z" * 4000)
    (line,) = (await desk.call("grep", pattern="needle")).data["lines"]
    assert "needle" in line["text"]
    assert len(line["text"]) < 400


async def test_no_text_and_other_encodings(desk) -> None:
    desk.write("bin.dat", b"needle\0needle")
    desk.write("latin.txt", "née needle\n".encode("latin-1"))
    desk.write("wide.txt", b"\xff\xfe" + "needle é".encode("utf-16-le"))
    assert set((await desk.call("grep", pattern="é.*needle|needle é")).data["files"]) == {"latin.txt", "wide.txt"}


async def test_a_huge_file_is_named(desk) -> None:
    huge = desk.write("huge.txt", "needle\n" * 2000)
    os.truncate(huge, scan.FILE_BYTES + 1)
    output = await desk.call("grep", pattern="needle")
    assert "[huge.txt was not searched: larger than 20 MB]" in output.text


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", "(?P<x>", "a{2,1}", r"\p{L}"])
async def test_what_is_no_regex_is_said(desk, pattern: str) -> None:
    with pytest.raises(InvalidArguments, match=r"grep\.pattern is not a regex"):
        await desk.call("grep", pattern=pattern)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer for a single file")
@pytest.mark.parametrize("buffer", [False, True])
async def test_a_regex_that_explodes_costs_one_file_and_is_named(desk, buffer: bool) -> None:
    desk.write("a_trap.txt", "a" * 50 + "b\n")
    desk.write("b.txt", "xaaa\n")
    if buffer:
        desk.open("a_trap.txt")
    began = time.monotonic()
    output = await desk.call("grep", pattern=EXPLODING)
    assert output.data["files"] == {"b.txt": 1}
    assert "[a_trap.txt was not searched: the regex took longer than 1 s]" in output.text
    assert time.monotonic() - began < 10


async def test_a_scan_that_is_stopped_tells_what_it_knew(desk, monkeypatch, tmp_path: Path) -> None:
    """As on Windows, where only the whole can be ended."""
    untimed = tmp_path / "scan.py"
    untimed.write_text(Path(scan.__file__).read_text().replace('hasattr(signal, "setitimer")', "False"))
    monkeypatch.setattr(scan, "__file__", str(untimed))
    monkeypatch.setattr(lines, "SECONDS", 1.0)
    desk.write("a.txt", "xaaa\n")
    desk.write("b_trap.txt", "a" * 50 + "b\n")
    output = await desk.call("grep", pattern=EXPLODING)
    assert output.data["files"] == {"a.txt": 1}
    assert "not all was searched: narrow the path, glob or regex]" in output.text


# ---------------------------------------------------------------- ripgrep narrows, Python decides


@pytest.fixture
def narrowing(desk, monkeypatch, tmp_path: Path):
    """Let a program stand for ripgrep that tells how it was called and always names the same files."""
    program = tmp_path / "bin" / "rg"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"json.dump(sys.argv[1:], open({str(tmp_path / 'argv.json')!r}, 'w'))\n"
        "sys.stdout.write(sys.argv[-1] + '/a.txt\\0/gone.txt\\0'); sys.exit(int('(?' in ' '.join(sys.argv)) * 2)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(lines, "RIPGREP_FROM_FILES", 0)
    for path in ("a.txt", "b.txt", "open.txt"):
        desk.write(path, "here\n")
    desk.open("open.txt", "here\nhere\n")
    return desk


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")
async def test_ripgrep_chooses_the_closed_files_and_never_the_open_ones(narrowing, tmp_path: Path) -> None:
    output = await narrowing.call("grep", pattern="here", ignore_case=True)
    assert output.data["files"] == {"a.txt": 1, "open.txt": 2}
    argv = json.loads((tmp_path / "argv.json").read_text())
    assert "--no-config" in argv
    assert argv[-5:] == ["-i", "-e", "here", "--", str(narrowing.folder)]


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a shebang")
@pytest.mark.parametrize("pattern", ["(?<!x)here", "[[a]here|here", "here|x&&y", "here|é"])
async def test_what_ripgrep_would_not_understand_is_left_to_python(narrowing, pattern: str) -> None:
    assert set((await narrowing.call("grep", pattern=pattern)).data["files"]) == {"a.txt", "b.txt", "open.txt"}


@pytest.mark.skipif(not shutil.which("rg"), reason="ripgrep is not installed")
@pytest.mark.parametrize("pattern", ["needle", "^needle$", r"n\w+e\b", "NEEDLE", r"\bhay|needle", "needle{1,2}", "."])
async def test_ripgrep_changes_no_answer(desk, monkeypatch, pattern: str) -> None:
    for number in range(30):
        desk.write(f"d{number % 3}/f{number}.txt", ("needle\r\n" if number % 7 == 0 else "hay\n") * 3)
    desk.write(".ignore", "d1/\n")
    desk.write(".hidden/x.txt", "needle")
    desk.write("bin.dat", b"needle\0")
    desk.write(".gitignore", "d2/\n")
    without = (await desk.call("grep", pattern=pattern)).data["files"]
    monkeypatch.setattr(lines, "RIPGREP_FROM_FILES", 0)
    assert (await desk.call("grep", pattern=pattern)).data["files"] == without


# ---------------------------------------------------------------- the process


def test_the_scan_loads_nothing_of_ours_and_streams_what_it_finds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("needle\n")
    job = {
        "pattern": "needle", "literal": False, "ignore_case": False, "context": 0, "limit": 9,
        "files": {name: (str(tmp_path), name) for name in ("a.txt", "gone.txt", "b.txt")},
        "texts": {"b.txt": "x\nneedle"},
    }  # fmt: skip
    assert list(scan.scan(job)) == [
        {"path": "a.txt", "count": 1, "lines": [(1, "needle", True)]},
        {"path": "b.txt", "count": 1, "lines": [(2, "needle", True)]},
        {"done": 3},
    ]
    argv = [sys.executable, "-I", "-S", "-X", "importtime", scan.__file__]
    done = subprocess.run(argv, input=json.dumps(job).encode(), capture_output=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()][-1] == {"done": 3}
    assert b"attache" not in done.stderr


@pytest.mark.skipif(not scan.BY_FOLDER, reason="this system opens no file from an open folder")
def test_the_scan_follows_no_link_that_took_the_place_of_a_folder(tmp_path: Path) -> None:
    for name in ("in/a/b", "in/a/c", "out/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.txt").write_text("needle\n")
    (tmp_path / "in/y.txt").write_text("needle\n")
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    (tmp_path / "in/link.txt").symlink_to(tmp_path / "out/b/x.txt")
    os.mkfifo(tmp_path / "in/pipe.txt")
    listed = (
        "a/b/x.txt",
        "a/c/x.txt",
        "link/b/x.txt",
        "y.txt",
        "link.txt",
        "pipe.txt",
        "a/b/x.txt/deeper",
        "a/b/x.txt",
    )
    job = {
        "pattern": "needle", "literal": False, "ignore_case": False, "context": 0, "limit": 9,
        "files": {f"{n} {name}": (str(tmp_path / "in"), name) for n, name in enumerate(listed)},
        "texts": {},
    }  # fmt: skip
    found = [record["path"] for record in scan.scan(job) if "path" in record]
    assert found == ["0 a/b/x.txt", "1 a/c/x.txt", "3 y.txt", "7 a/b/x.txt"]


async def test_an_empty_folder_holds_no_match(desk) -> None:
    (desk.folder / "empty").mkdir()
    assert (await desk.call("grep", pattern="x", path="empty")).data["hits"] == 0


async def test_a_file_named_by_a_link_inside_is_searched(desk) -> None:
    desk.write("real/a.txt", "needle\n")
    (desk.folder / "link.txt").symlink_to("real/a.txt")
    (desk.folder / "link").symlink_to("real")
    assert (await desk.call("grep", pattern="needle", path="link.txt")).data["files"] == {"link.txt": 1}
    assert (await desk.call("grep", pattern="needle", path="link")).data["hits"] == 1
    assert (await desk.call("grep", pattern="needle", path="link/a.txt")).data["hits"] == 1


async def test_where_not_all_files_are_listed_it_is_said(desk, monkeypatch) -> None:
    for number in range(5):
        desk.write(f"f{number}.py", "needle\n")
    monkeypatch.setattr("attache.workspace.workspace.walk", partial(walk, limit=3))
    output = await desk.call("grep", pattern="needle")
    assert output.text.splitlines()[0] == "3 hits in 3 files"
    assert output.text.splitlines()[-1] == "[only the first 3 files are listed: name a folder]"


@pytest.mark.skipif(not shutil.which("rg"), reason="ripgrep is not installed")
async def test_a_match_in_a_file_that_is_too_large_is_said_with_ripgrep_too(desk, monkeypatch) -> None:
    monkeypatch.setattr(lines, "RIPGREP_FROM_FILES", 1)
    desk.write("small.txt", "needle\n")
    with (desk.folder / "large.txt").open("wb") as file:
        file.write(b"needle\n" + b"x" * 79 + b"\n")
        file.truncate(21_000_000)
    output = await desk.call("grep", pattern="needle")
    assert "[large.txt was not searched: " in output.text
