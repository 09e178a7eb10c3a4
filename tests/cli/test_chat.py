"""`attache chat`, in a real terminal as a person sees it, and without one."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attache.faces.cli.completion import Typed, nearest
from attache.faces.cli.live import Stream

from .test_cli import ROOT, attache, work  # noqa: F401 - fixtures

LONG = """# Retries

Here is **how** it works, with `code`:

- one
- two

  still two

1. first

2. second

```python
def retry(times):

    yield times
```

| a | b |
|---|---|
| 1 | 2 |

The end."""

SCRIPT = '''
[[turns]]
when = "stream please"
text = """First paragraph, all of it.

- alpha
- beta

Last words."""
delay_seconds = 0.12

[[turns]]
when = "cut it"
text = "It stands here.\\n\\nSo does this.\\n\\nThis is cut, then asked for again.\\n\\nEnd of it."
delay_seconds = 0.05
error = "cut_half_way"

[[turns]]
when = "edit it"
tool_calls = [{name = "edit", arguments = {path = "shop/cart.py", edits = [{search = "class Cart:", replace = "class Basket:"}]}}]

[[turns]]
when = "run it"
tool_calls = [{name = "shell", arguments = {command = "touch ran.txt"}}]

[[turns]]
when = "dawdle"
text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
delay_seconds = 0.4
repeat = true

[[turns]]
text = "All done."
repeat = true
'''


# ---------------------------------------------------------------- the stream


def in_pieces(text: str, random_: random.Random) -> list[str]:
    cuts = sorted(random_.sample(range(1, len(text)), 20))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_every_word_is_given_once_and_in_order(seed: int) -> None:
    stream, given = Stream(), ""
    for piece in in_pieces(LONG, random.Random(seed)):
        out = stream.feed(piece)
        assert not out.again
        given += out.text
    early = given
    assert given + stream.tail == LONG
    given += stream.finish(LONG).text
    assert given == LONG
    assert "- two" in early
    assert "The end." not in early
    assert stream.tail == ""


def test_a_block_that_may_go_on_is_kept_back() -> None:
    stream = Stream()
    assert stream.feed("para\n\n- a\n\n").text == "para\n\n"
    assert stream.feed("  more of a\n\n```\nx\n\n").text == "- a\n\n  more of a\n\n"
    assert stream.feed("y\n```\n").text == ""
    assert stream.finish().text == "```\nx\n\ny\n```\n"


@pytest.mark.parametrize("seed", range(10))
def test_an_answer_asked_for_again_prints_nothing_twice(seed: int) -> None:
    pieces = in_pieces(LONG, random.Random(seed))
    stream, given = Stream(), ""
    for piece in [*pieces[: len(pieces) * 2 // 3], None, *pieces]:
        if piece is None:
            stream.restart()
        else:
            given += stream.feed(piece).text
    last = stream.finish(LONG)
    assert given + last.text == LONG
    assert not last.again


def test_a_very_long_block_costs_little() -> None:
    text, stream, began = "- an item of a list, with `code` in it\n" * 3000, Stream(), time.monotonic()
    given = "".join(stream.feed(text[at : at + 40]).text for at in range(0, len(text), 40))
    assert given + stream.finish().text == text
    assert time.monotonic() - began < 30  # two seconds; without care it is minutes


def test_another_answer_says_that_it_begins_again() -> None:
    stream = Stream()
    assert stream.feed("one\n\ntwo\n\nthree").text == "one\n\n"
    stream.restart()
    assert stream.feed("o\n\nno").again
    assert stream.finish().text == "o\n\nno"


# ---------------------------------------------------------------- typing


def test_the_nearest_path_comes_first() -> None:
    paths = ["docs/cart.md", "shop/cart.py", "tests/test_cart.py", "cartons/a/b.py", "other.py"]
    assert nearest("cart", paths) == ["docs/cart.md", "shop/cart.py", "cartons/a/b.py", "tests/test_cart.py"]
    assert nearest("zz", paths) == []


def test_history_keeps_no_secret_and_is_its_user_s_alone(tmp_path: Path) -> None:
    key = "sk-ant-api03-" + "Ab1" * 30
    Typed(tmp_path).store_string(f"use {key} please\nsecond line")
    again = list(Typed(tmp_path).load_history_strings())
    assert len(again) == 1
    assert again[0].startswith("use [redacted")
    assert again[0].endswith("second line")
    assert key not in (tmp_path / "chat_history").read_text()
    if os.name == "posix":
        assert (tmp_path / "chat_history").stat().st_mode & 0o77 == 0


# ---------------------------------------------------------------- without a terminal


def test_each_line_is_a_prompt(attache) -> None:  # noqa: F811
    attache("index")
    run = attache("chat", stdin="who calls `discount_rate`?\n\n/cost\n/nope\nhello\n/quit\nhow many zebras?\n")
    assert run.returncode == 0, run.stderr
    assert "shop/cart.py:" in run.stdout
    assert "1 run · " in run.stdout
    assert "no command /nope" in run.stdout
    assert "I am Attaché" in run.stdout
    assert "zebra" not in run.stdout
    assert "\x1b" not in run.stdout


def test_a_run_that_needs_an_answer_says_so_and_the_next_line_is_taken(attache, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "s.toml").write_text(SCRIPT)
    given = {"ATTACHE_SCRIPT": str(tmp_path / "s.toml")}
    run = attache("chat", "--model", "scripted/x", stdin="run it\nand then\n", **given)
    assert run.returncode == 0, run.stderr
    assert "needs an approval" in run.stdout
    assert "All done." in run.stdout


def test_the_budget_that_stops_a_run_is_named(attache) -> None:  # noqa: F811
    spent = attache("chat", stdin="hello\n", ATTACHE_MAX_DAY_COST_USD="0")
    assert "! over today's budget ($0.00): $0.00 are spent" in spent.stdout
    assert "--max-cost" not in spent.stdout
    assert "raise or unset max_day_cost_usd in your settings" in " ".join(spent.stdout.split())


def test_sessions_are_begun_found_again_and_taken_back(attache) -> None:  # noqa: F811
    first = attache(
        "chat", stdin="hello\n/mode plan\nwhat can you do?\n/rewind\n/rewind 5\n/rewind x\n/mode sideways\n"
    )
    assert "mode plan" in first.stdout
    assert "forgotten from here on: what can you do?" in first.stdout
    assert "this session has 1 prompt\n" in first.stdout
    assert "'x' is no number of prompts" in first.stdout
    assert "there are: build, plan, explore" in first.stdout
    listed = attache("chat", stdin="/sessions\n").stdout.splitlines()
    assert listed[0].startswith("› s_")
    row = next(line for line in listed if line.endswith("hello"))
    assert row.split()[-3:] == ["2", "runs", "hello"]
    again = attache("chat", stdin=f"/sessions {row.split()[0][-6:]}\n/mode\n/new\n/diff\n/undo\n/help\n").stdout
    assert "continuing " + row.split()[0] in again
    assert "› hello" in again
    assert "what can you do?" not in again
    assert again.count("mode plan") == 1
    assert "new session s_" in again
    assert again.count("no change of this chat stands") == 2
    assert "/rewind [N]" in again


def test_other_commands_start_without_it() -> None:
    script = "import sys; from attache.faces.cli.main import main; main(['chat', '--help']); print('prompt_toolkit' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"


def test_an_unknown_session_is_refused(attache) -> None:  # noqa: F811
    run = attache("chat", "--session", "s_nope", stdin="hello\n")
    assert run.returncode == 2
    assert "no session 's_nope'" in run.stderr


# ---------------------------------------------------------------- in a terminal


class Tmux:
    """A terminal that can be typed into and looked at."""

    def __init__(self, work: Path, tmp_path: Path) -> None:  # noqa: F811
        script = tmp_path / "script.toml"
        script.write_text(SCRIPT)
        self.server = ["tmux", "-L", f"attache-{os.getpid()}-{tmp_path.name}", "-f", "/dev/null"]
        self.work, self.pid_file = work, tmp_path / "pid"
        given = {
            "ATTACHE_HOME": str(tmp_path / "home"),
            "ATTACHE_SCRIPT": str(script),
            "PYTHONPATH": str(ROOT / "server"),
            "LANG": "C.UTF-8",
        }
        self.shell = "".join(f"export {name}={shlex.quote(value)}; " for name, value in given.items())
        self.shell += f"unset NO_COLOR; cd {shlex.quote(str(work))}; "

    def start(self, *options: str) -> None:
        command = shlex.join([sys.executable, "-m", "attache", "chat", "--model", "scripted/x", *options])
        line = f"{self.shell}echo $$ > {shlex.quote(str(self.pid_file))}; exec {command}"
        again = f"{line.replace('exec ', '')}; echo left with $?; sleep 600"
        size = ["-x", "90", "-y", "50"]
        subprocess.run([*self.server, "new-session", "-d", *size, "-s", "chat", "sh", "-c", again], check=True)
        self.sees("/help")

    def keys(self, *keys: str) -> None:
        subprocess.run([*self.server, "send-keys", "-t", "chat", *keys], check=True)

    def paste(self, text: str) -> None:
        subprocess.run([*self.server, "set-buffer", text], check=True)
        subprocess.run([*self.server, "paste-buffer", "-p", "-t", "chat"], check=True)

    def screen(self, *, colours: bool = False) -> str:
        options = ["-e"] if colours else []
        command = [*self.server, "capture-pane", "-p", "-S", "-", *options, "-t", "chat"]
        shown = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
        return "\n".join(line.rstrip() for line in shown.rstrip().split("\n"))

    def sees(self, what: str, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while what not in (shown := self.screen()):
            assert time.monotonic() < end, f"{what!r} is not on the screen:\n{shown}"
            time.sleep(0.05)
        return shown

    def end(self) -> None:
        subprocess.run([*self.server, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def terminal(work: Path, tmp_path: Path):  # noqa: F811
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: the chat is not looked at in a terminal")
    tmux = Tmux(work, tmp_path)
    yield tmux
    tmux.end()


def test_an_answer_streams_without_being_shown_twice(terminal: Tmux) -> None:
    terminal.start()
    terminal.keys("stream please", "Enter")
    end = time.monotonic() + 60
    while " tokens in" not in (shown := terminal.sees("› stream please")):  # the line of what it took
        assert time.monotonic() < end, shown
        assert shown.count("First paragraph") <= 1, shown
        assert shown.count("alpha") <= 1, shown
        if "alpha" in shown:
            assert "all of it." in shown
    assert " • alpha\n • beta\n\nLast words.\n\nscripted/x" in shown
    terminal.keys("cut it", "Enter")
    shown = terminal.sees("End of it.\n\nscripted/x")
    for words in ("It stands here.", "So does this.", "This is cut, then asked for again.", "End of it."):
        assert shown.count(words) == 1, shown


def test_what_can_follow_is_offered(terminal: Tmux, work: Path) -> None:  # noqa: F811
    terminal.start()
    terminal.keys("/")
    shown = terminal.sees("/undo")
    assert "Take the last change to files back" in shown
    terminal.keys("C-c")
    terminal.keys("look at @discount")
    shown = terminal.sees("discount_rate")
    assert "shop/discounts.py" in shown
    terminal.keys("Tab", "Enter")
    terminal.sees("› look at @shop/discounts.py")
    terminal.keys("C-c")
    terminal.keys("/mode ")
    terminal.sees("explore")
    terminal.keys("plan", "Enter")
    terminal.sees("mode plan")
    terminal.sees("plan · scripted/x")


def test_several_lines_are_one_prompt(terminal: Tmux) -> None:
    terminal.start()
    terminal.keys("first\\", "Enter")
    terminal.keys("second", "M-Enter")
    terminal.keys("third")
    terminal.paste("\nfourth\nfifth")
    terminal.sees("fifth")
    assert "All done." not in terminal.screen()
    terminal.keys("Enter")
    shown = terminal.sees("All done.\n\nscripted/x")
    assert "› first\n  second\n  third\n  fourth\n  fifth\n" in shown
    terminal.keys("Up")
    time.sleep(0.3)
    assert terminal.screen().count("› first") == 2


def test_what_needs_leave_is_shown_whole_and_waits_for_one_of_its_keys(terminal: Tmux, work: Path) -> None:  # noqa: F811
    terminal.start("--approve", "ask")
    terminal.keys("run it", "Enter")
    shown = terminal.sees("y allow once · n deny · w deny and say why")
    assert "touch ran.txt" in shown
    assert "folder: " in shown
    terminal.keys("Enter", "yes, run it")  # typed on without looking: no answer
    terminal.paste("y")
    time.sleep(1)
    assert "allowed" not in terminal.screen()
    assert "denied" not in terminal.screen()
    assert not (work / "ran.txt").exists()
    terminal.keys("w")
    terminal.sees("why?")
    terminal.keys("not now", "Enter")
    terminal.sees("denied: not now")
    terminal.sees("All done.\n\nscripted/x")
    assert not (work / "ran.txt").exists()
    cart = work / "shop" / "cart.py"
    terminal.keys("edit it", "Enter")
    shown = terminal.sees("allow for this session: edit shop/cart.py")
    assert "      -class Cart:\n      +class Basket:\n" in shown
    time.sleep(1)
    assert "class Cart:" in cart.read_text()
    terminal.keys("y")
    shown = terminal.sees("✎ edit shop/cart.py")
    assert shown.count("+class Basket:") == 1
    assert "class Basket:" in cart.read_text()


def test_a_question_is_stopped_by_ctrl_c(terminal: Tmux, work: Path) -> None:  # noqa: F811
    terminal.start("--approve", "ask")
    terminal.keys("run it", "Enter")
    terminal.sees("y allow once · n deny · w deny and say why")
    time.sleep(1)
    terminal.keys("w")
    terminal.sees("why?")
    terminal.keys("C-c")
    shown = terminal.sees("■ stopped")
    assert "allowed" not in shown
    terminal.keys("and now", "Enter")
    terminal.sees("All done.\n\nscripted/x")
    assert not (work / "ran.txt").exists()


def test_landed_changes_are_shown_in_colour_and_undone(terminal: Tmux, work: Path) -> None:  # noqa: F811
    terminal.start("--approve", "edits")
    cart = work / "shop" / "cart.py"
    before = cart.read_text()
    terminal.keys("edit it", "Enter")
    shown = terminal.sees("All done.\n\nscripted/x")
    assert "✎ edit shop/cart.py −1 +1" in shown
    assert "    -class Cart:\n    +class Basket:\n" in shown
    assert "\x1b[31m-class Cart:" in terminal.screen(colours=True)
    assert "class Basket:" in cart.read_text()
    terminal.keys("/undo", "Enter")
    terminal.sees("undone: ")
    assert cart.read_text() == before
    terminal.keys("/undo", "Enter")
    terminal.sees("no change of this chat stands")


def test_a_run_is_steered_stopped_and_the_session_goes_on(terminal: Tmux) -> None:
    terminal.start()
    terminal.keys("dawdle", "Enter")
    terminal.sees("two three")
    terminal.keys("a word on it", "Enter")
    terminal.sees("the run hears it before its next turn")
    terminal.keys("C-c")
    shown = terminal.sees("not sent: a word on it")
    assert "■ stopped" in shown
    assert "two three" in shown
    assert "seventeen" not in shown
    terminal.keys("and now", "Enter")
    terminal.sees("All done.\n\nscripted/x")
    terminal.keys("C-d")
    shown = terminal.sees("left with 0")
    assert "continue: attache chat --session s_" in shown


def test_a_killed_chat_is_continued_where_it_stood(terminal: Tmux) -> None:
    terminal.start()
    terminal.keys("hello there", "Enter")
    terminal.sees("All done.\n\nscripted/x")
    terminal.keys("dawdle", "Enter")
    terminal.sees("two three")
    shell = int(terminal.pid_file.read_text())
    children = subprocess.run(["pgrep", "-P", str(shell)], capture_output=True, text=True, check=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    terminal.sees("left with 137")
    home = terminal.work.parent / "home"
    listed = subprocess.run(
        [sys.executable, "-m", "attache", "sessions", "list", "--cwd", str(terminal.work)],
        env={**os.environ, "ATTACHE_HOME": str(home), "PYTHONPATH": str(ROOT / "server")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    session = listed.stdout.split()[0]
    subprocess.run([*terminal.server, "kill-session", "-t", "chat"], check=True)
    time.sleep(0.5)
    terminal.start("--session", session)
    shown = terminal.sees("continuing " + session)
    assert "› dawdle" in shown
    assert "the run was cut short" in shown
    terminal.keys("and now", "Enter")
    terminal.sees("All done.\n\nscripted/x")
