"""Sessions on the command line: found again, branched, taken back, gone."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_cli import ROOT, attache, lines, work  # noqa: F401 - fixtures


def test_a_session_s_life(attache) -> None:  # noqa: F811
    first = lines(attache("ask", "hello", "--json").stdout)[-1]["session_id"]
    attache("ask", "who calls `discount_rate`?", "--session", first)
    listed = lines(attache("sessions", "list", "--json").stdout)
    assert [row["id"] for row in listed] == [first]
    assert listed[0]["runs"] == 2
    assert listed[0]["title"] == "hello"
    shown = attache("sessions", "show", first[-6:]).stdout
    assert "you      hello" in shown
    assert "references" in shown
    events = lines(attache("sessions", "show", first, "--json").stdout)
    mark = next(row["seq"] for row in events if row["event"]["type"] == "run.finished")
    branch = attache("sessions", "fork", first, "--at", str(mark)).stdout.strip()
    assert branch.startswith("s_")
    assert "discount_rate" not in attache("sessions", "export", branch).stdout
    assert "discount_rate" in attache("sessions", "export", first).stdout
    assert "2 messages" in attache("sessions", "rewind", first, str(mark)).stdout
    assert attache("sessions", "delete", first).returncode == 0
    gone = attache("sessions", "show", first)
    assert gone.returncode == 2
    assert "no session" in gone.stderr
    assert json.loads(attache("sessions", "list", "--json").stdout)["id"] == branch


def test_events_that_are_not_there_and_those_that_were_taken_back(attache) -> None:  # noqa: F811
    first = lines(attache("ask", "hello", "--json").stdout)[-1]["session_id"]
    assert " 1 run " in attache("sessions", "list").stdout
    seqs = [row["seq"] for row in lines(attache("sessions", "show", first, "--json").stdout)]
    for command in (["fork", first, "--at", "9999"], ["rewind", first, "9999"], ["rewind", first, "0"]):
        refused = attache("sessions", *command)
        assert refused.returncode == 2
        assert "no event" in refused.stderr
        assert f"{seqs[0]} to {seqs[-1]}" in refused.stderr
        assert refused.stdout == ""
    attache("ask", "who calls `discount_rate`?", "--session", first)
    assert "discount_rate" in attache("sessions", "show", first).stdout
    assert attache("sessions", "rewind", first, str(seqs[-1])).returncode == 0
    shown = attache("sessions", "show", first).stdout
    assert "you      hello" in shown
    assert "discount_rate" not in shown
    assert "discount_rate" in attache("sessions", "show", first, "--json").stdout


def test_going_back_with_the_files_asks_first(attache, work: Path) -> None:  # noqa: F811
    file = work / "shop" / "discounts.py"
    before = file.read_bytes()
    first = lines(attache("ask", "fix shop/discounts.py", "--approve", "edits", "--json").stdout)[-1]["session_id"]
    after = file.read_bytes()
    assert after != before
    refused = attache("sessions", "rewind", first, "1", "--files")
    assert refused.returncode == 3
    assert "shop/discounts.py" in refused.stderr
    assert "--yes" in refused.stderr
    assert file.read_bytes() == after
    assert " 1 run " in attache("sessions", "list").stdout
    for answer, code, left in ((b"n\n", 1, after), (b"y\n", 0, before)):
        said, exit_code = in_terminal(["sessions", "rewind", first, "1", "--only-files"], answer, work)
        assert exit_code == code, said
        assert "give back 1 file as of event 1? [y/N]" in said
        assert file.read_bytes() == left
    assert attache("sessions", "rewind", first, "1", "--files").returncode == 0, "nothing is left to be asked about"


def test_a_diff_shows_what_stands_also_after_going_back(attache) -> None:  # noqa: F811
    typed = "fix shop/discounts.py\n/diff\n/rewind 1 files\n/diff\n/undo\n/diff\n/frobnicate\n"
    run = attache("chat", "--approve", "edits", stdin=typed)
    before, _, rest = run.stdout.partition("forgotten from here on")
    between, _, after = rest.partition("undone: Back to an earlier moment")
    assert "-import json" in before
    assert "no change of this chat stands" in between
    assert "-import json" not in between
    assert "-import json" in after
    assert run.returncode == 1, "the last line came to nothing"


def in_terminal(arguments: list[str], answer: bytes, work: Path) -> tuple[str, int]:  # noqa: F811
    """Run a command in a terminal, answer its question, and return what it said and its exit code."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals here")
    import pty

    parent, child = pty.openpty()
    env = {**os.environ, "ATTACHE_HOME": str(work.parent / "home"), "PYTHONPATH": str(ROOT / "server"), "TERM": "dumb"}
    command = [sys.executable, "-m", "attache", *arguments]
    process = subprocess.Popen(command, cwd=work, env=env, stdin=child, stdout=child, stderr=child)
    os.close(child)
    said = b""
    with contextlib.suppress(OSError):
        while data := os.read(parent, 4096):
            said += data
            if said.rstrip().endswith(b"[y/N]:") and answer:
                os.write(parent, answer)
                answer = b""
    os.close(parent)
    return said.decode(), process.wait(30)
