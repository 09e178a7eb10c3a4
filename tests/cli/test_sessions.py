"""Sessions on the command line: found again, branched, taken back, gone."""

from __future__ import annotations

import json

from .test_cli import attache, lines, work  # noqa: F401 - fixtures


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
