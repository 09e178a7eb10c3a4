"""Files are read, written, edited and found as the user sees them."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import pytest

from attache.schema.edits import ChangeSet
from attache.schema.errors import EditRefused, FileMissing, FileSkipped, InvalidArguments, PathRefused, ToolError

CODE = "def login(user):\n    return user\n\n\ndef logout(user):\n    return None\n"


# ---------------------------------------------------------------- read


async def test_a_file_is_read_with_numbers_and_where_its_text_comes_from(desk) -> None:
    desk.write("src/auth.py", CODE)
    output = await desk.call("read", path="src/auth.py")
    head, *lines = output.text.splitlines()
    assert head.startswith("src/auth.py:1-6 of 6 lines (disk, hash ")
    assert lines[0] == "1\tdef login(user):"
    assert lines[5] == "6\t    return None"
    assert len(lines) == 6
    assert [str(place) for place in output.places] == ["src/auth.py:1-6"]
    assert output.title == "src/auth.py:1-6"


async def test_an_open_file_is_read_from_its_buffer(desk) -> None:
    desk.write("a.py", "saved\n")
    desk.open("a.py", "typed\n")
    output = await desk.call("read_file", path="a.py")
    assert "1\ttyped" in output.text
    assert "editor buffer, version 1" in output.text
    assert output.data["version"] == 1
    assert output.data["hash"].startswith(output.text.split("hash ")[1][:12])


async def test_a_part_of_a_file(desk) -> None:
    desk.write("a.py", CODE)
    output = await desk.call("read", path="a.py", start_line=2, end_line=4)
    assert output.text.splitlines()[1:] == ["2\t    return user", "3\t", "4\t"]
    assert [str(place) for place in output.places] == ["a.py:2-4"]


async def test_a_long_file_comes_in_pages_that_join(desk) -> None:
    desk.write("long.txt", "".join(f"line {number}\n" for number in range(1, 1501)))
    start, seen = 1, []
    while True:
        output = await desk.call("read", path="long.txt", start_line=start)
        rows = [row for row in output.text.splitlines() if "\t" in row]
        seen += [row.partition("\t")[2] for row in rows]
        if "read on with start_line=" not in output.text:
            break
        start = int(output.text.rpartition("start_line=")[2].rstrip("]"))
    assert seen == [f"line {number}" for number in range(1, 1501)]


async def test_long_lines_are_cut_and_the_cut_is_said(desk) -> None:
    desk.write("min.js", "x" * 5000 + "\nend\n")
    output = await desk.call("read", path="min.js")
    assert "(+4,500 characters)" in output.text
    assert "2\tend" in output.text


async def test_an_empty_file_and_a_line_past_the_end(desk) -> None:
    desk.write("empty.py", "")
    desk.write("a.py", "one\n")
    assert "is empty" in (await desk.call("read", path="empty.py")).text
    assert "is empty" in (await desk.call("read", path="empty.py", start_line=9)).text
    with pytest.raises(InvalidArguments, match=r"a\.py has 1 line, and none at 99"):
        await desk.call("read", path="a.py", start_line=99)
    with pytest.raises(InvalidArguments, match=r"read\.end_line: 2 comes before start_line 3"):
        await desk.call("read", path="a.py", start_line=3, end_line=2)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
async def test_any_line_end_is_one(desk, ends: str) -> None:
    desk.write("a.txt", f"one{ends}two\x0cstill\u2028two{ends}")
    output = await desk.call("read", path="a.txt")
    assert output.text.split("\n")[1:] == ["1\tone", "2\ttwo\x0cstill\u2028two"]


async def test_what_cannot_be_read_is_said(desk) -> None:
    desk.write("auth.py", CODE)
    desk.write("pic.bin", b"\x89PNG\0\0\0")
    with pytest.raises(FileMissing) as missing:
        await desk.call("read", path="src/auht.py")
    assert "near: auth.py" in missing.value.hint
    with pytest.raises(FileSkipped, match=r"pic\.bin is not text"):
        await desk.call("read", path="pic.bin")
    with pytest.raises(PathRefused):
        await desk.call("read", path="../secret")
    with pytest.raises(InvalidArguments, match=r"read\.start_line"):
        await desk.call("read", path="auth.py", start_line=0)


# ---------------------------------------------------------------- edit


async def test_an_edit_lands_and_answers_with_the_lines_and_what_it_broke(desk) -> None:
    desk.write("auth.py", CODE)
    edits = [{"search": "    return user\n", "replace": "    return usr\n"}]
    output = await desk.call("edit", path="auth.py", edits=edits, title="Return the user")
    assert desk.text("auth.py") == CODE.replace("return user", "return usr")
    assert "2\t    return usr" in output.text
    assert "1 new diagnostic:" in output.text
    assert "auth.py:2:12 error F821 Undefined name `usr`" in output.text
    assert output.title == "auth.py −1 +1 · pending review"
    assert output.change_set
    assert [str(place) for place in output.places] == ["auth.py:2"]


async def test_an_edit_of_an_open_file_lands_in_the_buffer_and_not_on_disk(desk) -> None:
    desk.write("auth.py", CODE)
    uri = desk.open("auth.py", CODE + "\nx = login(1)\n")
    edits = [{"search": "x = login(1)", "replace": "x = login(2)"}]
    output = await desk.call("str_replace", path="auth.py", edits=edits)
    assert desk.shown(uri).endswith("x = login(2)\n")
    assert desk.text("auth.py") == CODE
    assert "no new diagnostics" in output.text


async def test_what_an_edit_cures_is_told_and_only_its_own_faults(desk) -> None:
    desk.write("a.py", "import os\nimport sys\n\nprint(nowhere)\n")
    output = await desk.call("edit", path="a.py", edits=[{"search": "import sys\n", "replace": ""}])
    assert output.text.splitlines()[1:] == [
        "a.py now says", "1\timport os", "2\t", "3\tprint(nowhere)", "no new diagnostics, 1 gone",
    ]  # fmt: skip
    assert output.data["new_diagnostics"] == []


async def test_an_edit_stands_although_its_diagnostics_cannot_be_had(desk) -> None:
    desk.write("ruff.toml", "nonsense = [\n")
    desk.write("a.py", "x = 1\n")
    desk.set(trusted=True, review="off")
    output = await desk.call("edit", path="a.py", edits=[{"search": "1", "replace": "2"}])
    assert desk.text("a.py") == "x = 2\n"
    assert "(not checked: ruff failed on a.py" in output.text
    assert output.title == "a.py −1 +1"


async def test_without_an_editor_nothing_is_said_to_await_review(desk) -> None:
    desk.write("a.py", "x = 1\n")
    desk.ctx.workspace.editor = None
    output = await desk.call("edit", path="a.py", edits=[{"search": "1", "replace": "2"}])
    assert output.title == "a.py −1 +1"
    assert "review" not in output.text


async def test_edits_in_a_staged_workspace_change_nothing_yet(desk) -> None:
    desk.write("a.py", "x = 1\n")
    staged = desk.ctx.workspace.staged()

    async def land(title, files):
        return await staged.land(ChangeSet(id="c_1", title=title, files=tuple(files)))

    desk.ctx = replace(desk.ctx, workspace=staged, land=land)
    output = await desk.call("edit", path="a.py", edits=[{"search": "1", "replace": "one"}])
    assert "Undefined name `one`" in output.text
    assert "1\tx = one" in (await desk.call("read", path="a.py")).text
    assert desk.text("a.py") == "x = 1\n"
    assert [change.kind for change in staged.collected("x").files] == ["edit"]


async def test_several_edits_are_made_in_order_and_one_may_build_on_another(desk) -> None:
    desk.write("a.txt", "one\ntwo\nthree\n")
    edits = [{"search": "one", "replace": "1"}, {"search": "1\ntwo", "replace": "1\n2"}]
    await desk.call("edit", path="a.txt", edits=edits)
    assert desk.text("a.txt") == "1\n2\nthree\n"


async def test_a_single_pair_will_do(desk) -> None:
    desk.write("a.txt", "one\n")
    await desk.call("edit", path="a.txt", edits={"search": "one", "replace": "two"})
    assert desk.text("a.txt") == "two\n"


async def test_one_refused_edit_refuses_all_and_says_what_stands_there(desk) -> None:
    desk.write("auth.py", CODE)
    edits = [{"search": "login", "replace": "enter"}, {"search": "    return nothing", "replace": "    pass"}]
    with pytest.raises(EditRefused) as refused:
        await desk.call("edit", path="auth.py", edits=edits)
    assert refused.value.message.startswith("edit 2 of 2: auth.py")
    assert "nothing was changed" in refused.value.message
    assert "return None" in refused.value.hint
    assert desk.text("auth.py") == CODE
    with pytest.raises(EditRefused, match="2 times, at lines 1, 5"):
        await desk.call("edit", path="auth.py", edits=[{"search": "(user):", "replace": "():"}])


async def test_an_edit_that_changes_nothing_lands_nothing(desk) -> None:
    desk.write("a.txt", "one\n")
    output = await desk.call("edit", path="a.txt", edits=[{"search": "one", "replace": "one"}])
    assert output.change_set is None
    assert "says exactly that already" in output.text


async def test_wrong_arguments_name_the_place_and_show_an_example(desk) -> None:
    with pytest.raises(InvalidArguments) as wrong:
        await desk.call("edit", path="a.txt", edits=[{"search": "one"}])
    assert "edit.edits.0.replace: field required" in wrong.value.message
    assert '{"path": "<path>", "edits": [{"search": "<search>", "replace": "<replace>"}]}' in wrong.value.hint


# ---------------------------------------------------------------- write


async def test_a_new_file_with_its_folders(desk) -> None:
    output = await desk.call("write", path="src/new file.py", content="import os\n")
    assert desk.text("src/new file.py") == "import os\n"
    assert "F401" in output.text
    assert output.title == "src/new file.py −0 +1 · pending review"


async def test_overwriting_changes_only_the_lines_that_differ(desk) -> None:
    uri_of = desk.write("a.txt", "".join(f"{number}\n" for number in range(50)))
    uri = desk.open("a.txt")
    landed = []
    before = desk.ctx.land

    async def watch(title, files):
        landed.append(await before(title, files))
        return landed[-1]

    object.__setattr__(desk.ctx, "land", watch)
    await desk.call("write_file", path="a.txt", content=desk.shown(uri).replace("7\n", "seven\n", 1))
    (change,) = landed[0].change_set.files
    assert [edit.text for edit in change.edits] == ["seven\n"]
    assert desk.shown(uri).splitlines()[7] == "seven"
    assert uri_of.read_text().splitlines()[7] == "7"


async def test_overwriting_keeps_the_files_own_line_ends(desk) -> None:
    desk.write("a.bat", "one\r\ntwo\r\n")
    await desk.call("write", path="a.bat", content="one\n2\nthree\n")
    assert desk.text("a.bat") == "one\r\n2\r\nthree\r\n"


async def test_a_binary_file_is_not_overwritten(desk) -> None:
    desk.write("pic.bin", b"\x89PNG\0\0\0")
    with pytest.raises(FileSkipped):
        await desk.call("write", path="pic.bin", content="text")
    assert desk.folder.joinpath("pic.bin").read_bytes() == b"\x89PNG\0\0\0"


async def test_nothing_is_written_outside(desk) -> None:
    with pytest.raises(PathRefused):
        await desk.call("write", path="../out.txt", content="x")
    assert not (desk.folder.parent / "out.txt").exists()


# ---------------------------------------------------------------- list and find


@pytest.fixture
def tree(desk):
    for path in ("README.md", "src/app/main.py", "src/app/auth.py", "src/util.py", "tests/test_auth.py", "out/x.log"):
        desk.write(path, "x\n")
    desk.write(".gitignore", "out/\n")
    return desk


async def test_a_folder_as_a_tree(tree) -> None:
    output = await tree.call("list")
    assert output.text.splitlines() == [
        "./", "  src/", "    app/ (2 files)", "    util.py", "  tests/", "    test_auth.py", "  .gitignore", "  README.md",
    ]  # fmt: skip
    assert output.title == ". · 6 files"
    deeper = await tree.call("ls", path="src/", depth=3)
    assert deeper.text.splitlines() == ["src/", "  app/", "    auth.py", "    main.py", "  util.py"]


async def test_a_new_buffer_is_listed_and_found(tree) -> None:
    tree.open("src/unsaved.py", "x = 1\n")
    assert "unsaved.py" in (await tree.call("list", path="src")).text
    assert (await tree.call("find", name="unsaved")).text == "src/unsaved.py"


async def test_a_folder_that_is_none_is_said(tree) -> None:
    (tree.folder / "empty").mkdir()
    assert (await tree.call("list", path="empty")).title == "empty · 0 files"
    assert (await tree.call("list", path=".")).text == (await tree.call("list")).text
    with pytest.raises(FileMissing):
        await tree.call("list", path="nowhere")
    with pytest.raises(FileMissing):
        await tree.call("find", name="x", path="nowhere")
    with pytest.raises(ToolError, match=r"README\.md is a file"):
        await tree.call("list", path="README.md")


async def test_a_file_that_is_no_text_is_no_empty_folder(desk) -> None:
    desk.write("a.bin", b"\0\0")
    desk.open("new.py", "x = 1\n")
    for called, arguments in (("list", {}), ("find", {"name": "x"})):
        for path in ("a.bin", "new.py"):
            with pytest.raises(ToolError, match=rf"{path} is a file, not a folder") as refused:
                await desk.call(called, path=path, **arguments)
            assert refused.value.hint.startswith("read it")


@pytest.mark.parametrize("path", ["gone/deeper", "README.md/deeper", "gone/deeper/still"])
@pytest.mark.parametrize(("called", "arguments"), [("list", {}), ("find", {"name": "x"}), ("grep", {"pattern": "x"})])
async def test_a_path_below_what_is_no_folder_is_missing(tree, called: str, arguments, path: str) -> None:
    with pytest.raises(FileMissing, match=f"{path}: no such file"):
        await tree.call(called, path=path, **arguments)


async def test_a_misspelt_folder_names_the_near_one(tree) -> None:
    with pytest.raises(FileMissing) as missing:
        await tree.call("list", path="srcc/")
    assert missing.value.hint == "near: src"


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="nothing is closed to root, nor so on Windows")
async def test_what_may_not_be_read_is_said(desk) -> None:
    desk.write("closed/a.py", "x = 1\n")
    file = desk.write("b.py", "x = 1\n")
    file.chmod(0)
    (desk.folder / "closed").chmod(0)
    try:
        with pytest.raises(FileSkipped, match="closed cannot be read"):
            await desk.call("list", path="closed")
        with pytest.raises(FileSkipped, match=r"closed/a\.py cannot be read"):
            await desk.call("list", path="closed/a.py")
        with pytest.raises(ToolError, match=r"b\.py is a file"):
            await desk.call("list", path="b.py")
    finally:
        (desk.folder / "closed").chmod(0o700)


@pytest.mark.parametrize("argument", ["name", "pattern", "query"])
async def test_what_to_find_may_be_called_as_other_tools_do(tree, argument: str) -> None:
    assert (await tree.call("find", **{argument: "*.md"})).data["files"] == ["README.md"]
    with pytest.raises(InvalidArguments, match=r"find\.selection: no such argument; accepted: name, path"):
        await tree.call("find", name="x", selection="y")
    assert list(tree.tools.find("find").spec.parameters["properties"]) == ["name", "path"]


async def test_a_long_list_says_what_is_left_out(desk) -> None:
    for number in range(250):
        desk.write(f"f{number:03}.txt", "")
    output = await desk.call("list")
    assert output.text.endswith("[… 51 more; list a folder in it]")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("*.md", ["README.md"]),
        ("**/auth.py", ["src/app/auth.py"]),
        ("src/*.py", ["src/util.py"]),
        ("src/**/*.py", ["src/app/auth.py", "src/app/main.py", "src/util.py"]),
        ("*.{md,log}", ["README.md"]),
        ("[Rr]*.md", ["README.md"]),
        ("test_????.py", ["tests/test_auth.py"]),
        ("auth.py", ["src/app/auth.py", "tests/test_auth.py"]),
        ("AUTH", ["src/app/auth.py", "tests/test_auth.py"]),
        ("app/main", ["src/app/main.py"]),
        ("readmi.md", ["README.md"]),
        ("x.log", []),
    ],
)
async def test_files_are_found_by_name(tree, name: str, found: list[str]) -> None:
    output = await tree.call("find", name=name)
    assert output.data["files"] == found
    assert output.data["total"] == len(found)


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="every name is text here")
async def test_names_that_are_no_text_are_said_to_be_left_out(desk) -> None:
    desk.write("plain.py", "needle = 1\n")
    (desk.folder / os.fsdecode(b"caf\xe9.py")).write_text("needle = 2\n")
    (desk.folder / os.fsdecode(b"d\xff")).mkdir()
    for name, arguments in (("list", {}), ("find", {"name": "*.py"}), ("grep", {"pattern": "needle"})):
        output = await desk.call(name, **arguments)
        assert "plain.py" in output.text
        assert output.text.endswith("[left out, since their names are not UTF-8: caf?.py, d?; rename them by shell]")
