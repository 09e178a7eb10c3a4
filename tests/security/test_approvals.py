"""A question shows all of a call, and an answer covers that call alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.schema.data import CallId, RunId
from attache.schema.errors import ApprovalDenied
from attache.schema.session import ApprovalAnswer
from attache.security.approvals import DIFF_LINES, TITLE_CHARS, check, for_call, for_change, for_command, visible
from attache.workspace.shell import Command

FROM = {"run_id": RunId("r1"), "call_id": CallId("c1")}


def run(text="", **more):
    return for_command("shell", Command(text=text, **more) if text else Command(**more), **FROM)


def change(*files, title="Fix it"):
    return for_change(title, files, **FROM)


# ------------------------------------------------------------------ commands


def test_a_command_is_shown_as_it_will_be_run():
    question = run(argv=("pytest", "-q", "tests/a b.py"), cwd=Path("src"), env={"B": "x y", "A": "1 C=2"})
    assert question.title == "run: pytest -q 'tests/a b.py'"
    assert question.detail[:2] == (("folder", "src"), ("environment", "A='1 C=2' B='x y'"))
    assert "no sandbox" in dict(question.detail)["effect"]
    shown, _, same = question.pattern.rpartition(" #")
    assert shown == "shell A='1 C=2' B='x y' pytest -q 'tests/a b.py' (folder src)"
    assert len(same) == 12
    assert (question.tool, question.run_id, question.call_id) == ("shell", "r1", "c1")


def test_a_shell_text_names_the_shell_and_what_is_fed_to_it():
    question = run("cat | sh", stdin="rm -rf ~\n\x1b[2K")
    rows = dict(question.detail)
    assert question.title == "run: cat | sh"
    assert rows["shell"].endswith(("-c", "/c"))
    assert rows["input"] == "rm -rf ~ ⏎ ‹U+001B›[2K"


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("ls\rrm -rf ~", "ls‹U+000D›rm -rf ~"),
        ("ls\nrm", "ls ⏎ rm"),
        ("echo \x1b]52;c;x\x07", "echo ‹U+001B›]52;c;x‹U+0007›"),
        ("echo \u202egpj.exe", "echo ‹U+202E›gpj.exe"),
        ("r\u200bm", "r‹U+200B›m"),
        ("ls \U000e0041\U000e0042", "ls ‹U+E0041›‹U+E0042›"),
        ("ls\u00a0-l\u3164\u2800", "ls‹U+00A0›-l‹U+3164›‹U+2800›"),
        ("a\u2028b\ud83c", "a‹U+2028›b‹U+D83C›"),
        ("grüße 密码 🎉 ls -la 'x'", "grüße 密码 🎉 ls -la 'x'"),
    ],
)
def test_what_hides_or_moves_text_is_made_visible(hidden, seen):
    assert visible(hidden) == seen
    question = run(hidden)
    assert question.title == f"run: {seen}"
    assert seen in question.pattern


def test_the_tail_of_a_long_command_is_shown_and_the_title_says_how_much_it_leaves_out():
    command = "echo " + "a" * 50_000 + "; rm -rf ~"
    question = run(command)
    assert len(question.title) < TITLE_CHARS + 60
    assert f"(+{len('run: ' + command) - TITLE_CHARS} characters, in full below)" in question.title
    assert question.detail[0] == ("in full", f"run: {command}")


def test_letters_of_another_script_are_named():
    assert dict(run("pyth\u043en x.py").detail)["look-alikes"] == "\u043e is CYRILLIC SMALL LETTER O"
    assert "and 3 more" in dict(run("абвгдежз").detail)["look-alikes"]
    assert "look-alikes" not in dict(run("python x.py").detail)


def test_a_secret_in_a_command_is_not_shown_around():
    key = "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    question = run(f"git push https://{key}@github.com", env={"TOKEN": key})
    assert key not in question.title + repr(question.detail)


# ------------------------------------------------------------------ changes and other calls


def test_a_change_shows_each_file_why_it_asks_and_its_diff():
    question = change(
        (".envrc", "a\n\tb\nc\n", "a\n\tx\u202e\nc\n", "the environment of commands"), ("new.py", None, "n\n", ""), ("old.py", "o\n", None, "")
    )  # fmt: skip
    assert question.title == "edit .envrc, new.py, old.py: Fix it"
    assert question.pattern == "edit .envrc, new.py, old.py"
    assert question.detail == (
        ("change", ".envrc"),
        ("protected", "the environment of commands"),
        ("diff", "@@ -1,3 +1,3 @@\n a\n-\tb\n+\tx‹U+202E›\n c"),
        ("create", "new.py"),
        ("diff", "@@ -1 +1,2 @@\n+n\n "),
        ("delete", "old.py"),
        ("diff", "@@ -1,2 +1 @@\n-o\n "),
    )


def test_line_ends_show_where_they_change_and_only_there():
    assert "U+000D" not in repr(change(("a", "1\r\n2\r\n", "1\r\n3\r\n", "")).detail)
    assert "-1\n+1‹U+000D›" in repr(change(("a", "1\n", "1\r\n", "")).detail).replace("\\n", "\n")


def test_a_long_diff_says_how_much_it_leaves_out_and_is_covered_to_its_end():
    lines = [f"{number}\n" for number in range(1000)]
    one, two = (change(("a", None, "".join([*lines, last]), "")) for last in ("x", "rm -rf ~"))
    assert dict(one.detail)["diff"].endswith(f"… {1003 - DIFF_LINES} more lines")
    assert one.detail == two.detail
    assert one.digest != two.digest


def test_another_tool_shows_every_argument_and_a_grant_covers_exactly_those():
    question = for_call("post", {"url": "http://a", "body": {"n": [1, "\x1b"]}}, **FROM)
    assert question.title == "use post"
    assert question.detail == (("url", "http://a"), ("body", '{"n": [1, "\\u001b"]}'))
    assert question.pattern.rpartition(" #")[0] == 'post {"body": {"n": [1, "\\u001b"]}, "url": "http://a"}'


# ------------------------------------------------------------------ answers

DIFFERENT = [
    run("ls"), run("ls "), run("ls", cwd=Path("x")), run("ls", env={"A": "1"}), run("ls", stdin=""), run("ls", timeout_seconds=1),
    run(argv=("ls",)), run("\x1bx"), run("‹U+001B›x"), change(("a", "1", "2", "")), change(("a", "1", "3", "")),
    change(("b", "1", "2", "")), for_call("ls", {}, **FROM), for_call("ls", {"a": 1}, **FROM), for_call("ls", {"a": "1"}, **FROM),
]  # fmt: skip


def test_no_two_calls_share_a_digest_and_the_same_call_always_has_the_same():
    assert len({question.digest for question in DIFFERENT}) == len(DIFFERENT)
    assert run("ls").digest == run("ls").digest
    assert run("ls").id != run("ls").id


def answer(question, **changes):
    return ApprovalAnswer(**{"approval_id": question.id, "digest": question.digest, "choice": "allow_once", **changes})


def test_an_answer_counts_for_its_own_question_only():
    question, other = run("ls"), run("rm -rf ~")
    assert check(question, answer(question)).choice == "allow_once"
    mixed = [
        answer(question, digest=other.digest),
        answer(question, approval_id=other.id),
        answer(question, digest="ü"),
    ]
    for wrong in (answer(other), *mixed):
        with pytest.raises(ApprovalDenied):
            check(question, wrong)


def test_the_pattern_comes_from_the_question_and_only_with_a_grant_for_the_session():
    question = run("ls")
    assert check(question, answer(question, choice="allow_session", pattern="shell *")).pattern == question.pattern
    assert check(question, answer(question, choice="allow_once", pattern="shell *")).pattern == ""
    assert check(question, answer(question, choice="deny", pattern="shell *")).pattern == ""


@given(st.text(st.characters(), min_size=1), st.text(st.characters()))
def test_any_text_can_be_asked_about_and_nothing_in_it_hides(command, content):
    for question in (
        run(command, stdin=content),
        change((command, content, content + command, "")),
        for_call("t", {command: content}, **FROM),
    ):
        shown = question.title + "".join(label + value for label, value in question.detail)
        assert not any(char in shown for char in "\r\x1b\x00\u202e\u200b\u2028\u00a0")
