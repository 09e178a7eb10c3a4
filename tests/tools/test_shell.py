"""Commands run in the workspace, their end is said, and their output fits."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attache.schema.errors import ApprovalDenied, InvalidArguments, PathRefused, ToolError

PYTHON = sys.executable


async def test_a_command_runs_in_the_workspace_and_its_end_is_said(desk) -> None:
    desk.write("sub/x.txt", "")
    output = await desk.call("shell", command=[PYTHON, "-c", "import os; print(sorted(os.listdir('.')))"], cwd="sub")
    assert output.text.startswith("exit 0 · ")
    assert "['x.txt']" in output.text
    assert not output.is_error
    assert output.data["exit_code"] == 0


async def test_text_runs_in_the_shell(desk) -> None:
    output = await desk.call("bash", command="echo one && echo two && exit 3")
    assert output.text.splitlines()[1:] == ["one", "two"]
    assert output.title == "`echo one && echo two && exit 3` · exit 3"
    assert output.is_error


async def test_it_sees_what_is_typed_and_not_saved(desk) -> None:
    desk.write("a.py", "saved\n")
    desk.open("a.py", "typed\n")
    output = await desk.call("shell", command=[PYTHON, "-c", "print(open('a.py').read())"])
    assert "typed" in output.text
    assert "note: " not in output.text


async def test_what_it_changes_lands_as_one_step(desk) -> None:
    desk.write("a.py", "one\ntwo\n")
    desk.write("b.py", "one\n")
    uri = desk.open("b.py", "one\ntyped\n")
    output = await desk.call("shell", command="sed -i s/one/ONE/ a.py b.py && echo new > c.py && chmod 755 a.py")
    assert desk.text("a.py") == "ONE\ntwo\n"
    assert desk.editor.screens[uri].text == "ONE\ntyped\n"
    assert desk.text("b.py") == "one\n"
    assert output.change_set
    assert "it changed: edited a.py, mode 755 of a.py, edited b.py, created c.py" in output.text
    assert {"path": "c.py", "how": "created"} in output.data["files"]


async def test_what_is_refused_is_not_taken(desk) -> None:
    async def refuse(title, files):
        raise ApprovalDenied("the user said no")

    desk.ctx = replace(desk.ctx, land=refuse)
    desk.write("a.py", "one\n")
    output = await desk.call("shell", command="echo two >> a.py; echo done")
    assert "nothing of what it changed was taken: the user said no" in output.text
    assert desk.text("a.py") == "one\n"
    assert (await desk.call("shell", command="cat a.py")).text.endswith("one")


async def test_unsaved_files_that_the_direct_view_does_not_see_are_named(desk) -> None:
    desk.write("a.py", "saved\n")
    desk.open("a.py", "typed\n")
    output = await desk.call("shell", command=[PYTHON, "-c", "print(open('a.py').read())"], view="direct")
    assert "saved" in output.text
    assert "note: " in output.text
    assert "a.py" in output.data["note"]


async def test_a_command_that_does_not_end_is_ended_and_its_output_told(desk) -> None:
    code = "import time; print('started', flush=True); time.sleep(60)"
    output = await desk.call("shell", command=[PYTHON, "-c", code], timeout_seconds=1)
    assert "its time limit" in output.text
    assert "started" in output.text
    assert output.is_error
    assert output.data["timed_out"]


def test_it_ends_before_the_tool_is_stopped_so_that_its_output_is_told(desk) -> None:
    desk.set(tool_timeout_seconds=10)
    shown = desk.tools.find("shell").shown(desk.ctx, {"command": "x", "timeout_seconds": 500})
    assert shown.timeout_seconds == 7
    assert desk.tools.find("shell").shown(desk.ctx, {"command": "x", "timeout_seconds": 2}).timeout_seconds == 2


async def test_long_output_keeps_its_beginning_and_its_end(desk) -> None:
    code = "for n in range(20000): print('line', n)"
    output = await desk.call("shell", command=[PYTHON, "-c", code])
    assert "line 0\n" in output.text
    assert output.text.endswith("line 19999")
    assert "left out …]" in output.text
    assert len(output.text) < 25_000


async def test_output_is_painted_as_it_comes(desk) -> None:
    painted: list[str] = []
    desk.ctx = replace(desk.ctx, emit=painted.append)
    await desk.call("shell", command=[PYTHON, "-c", "print('now')"])
    assert "now" in "".join(painted)


@pytest.mark.parametrize(
    ("arguments", "argv", "text"),
    [
        ({"command": ["git", "log"]}, ("git", "log"), ""),
        ({"command": "git log | head"}, (), "git log | head"),
    ],
)
def test_the_user_is_shown_what_will_run(desk, arguments, argv: tuple[str, ...], text: str) -> None:
    shown = desk.tools.find("shell").shown(desk.ctx, {**arguments, "cwd": "sub"})
    assert (shown.argv, shown.text, shown.cwd) == (argv, text, Path("sub"))
    assert desk.tools.find("read").shown(desk.ctx, {"path": "a.py"}) is None


async def test_what_cannot_run_is_said(desk) -> None:
    with pytest.raises(InvalidArguments, match=r"shell\.command"):
        await desk.call("shell", command=[])
    with pytest.raises(InvalidArguments, match=r"shell\.command"):
        await desk.call("shell", command="")
    with pytest.raises(ToolError, match="no_such_program_anywhere cannot be run"):
        await desk.call("shell", command=["no_such_program_anywhere"])
    with pytest.raises(PathRefused):
        await desk.call("shell", command=["x"], cwd="..")
