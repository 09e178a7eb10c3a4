"""A question in words, at the terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from attache.faces.cli.approver import Terminal, offered, picked
from attache.schema.data import CallId, RunId
from attache.schema.errors import ToolError
from attache.schema.session import Question

from .test_chat import Tmux, terminal  # noqa: F401 - a fixture
from .test_cli import work  # noqa: F401 - a fixture

QUESTION = Question(run_id=RunId("r"), call_id=CallId("c"), text="Which?", choices=("the first", "the second"))


def test_choices_are_numbered_and_a_line_picks_one() -> None:
    assert offered(QUESTION).splitlines() == [
        "Which?",
        "  1 the first",
        "  2 the second",
        "  a number, or your own words",
    ]
    assert picked(" 2\n", QUESTION) == "the second"
    assert picked("neither\n", QUESTION) == "neither"
    assert picked("3", QUESTION) == "3"
    assert picked("0", QUESTION) == "0"


async def test_without_a_terminal_nobody_is_asked(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    with pytest.raises(ToolError, match="no person is at the terminal"):
        await Terminal().choose(QUESTION)


ASKING = """
[[turns]]
when = "choose"
[[turns.tool_calls]]
name = "ask_user"
arguments = { question = "Which pot?", choices = ["the blue one", "the red one"] }

[[turns]]
when = "the red one"
text = "Red it is."
"""


def test_the_chat_takes_the_next_line_for_the_answer(terminal: Tmux, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "script.toml").write_text(ASKING)
    terminal.start()
    terminal.keys("choose", "Enter")
    assert "  1 the blue one\n  2 the red one" in terminal.sees("a number, or your own words")
    terminal.keys("2", "Enter")
    assert "Which pot?" in terminal.sees("Red it is.")
