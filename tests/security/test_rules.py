"""The user's rules: what fits, which of several counts, and what a broken file comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from attache.security.policy import ALLOW, Verdict, with_rules
from attache.security.rules import Subject, load


def rules(tmp_path: Path, text: str, carried: str = ""):
    own, theirs = tmp_path / "policy.toml", tmp_path / "theirs.toml"
    own.write_text(text)
    theirs.write_text(carried)
    return load(own, [theirs])


def said(found, **about) -> str:
    verdict = found.judge(Subject(**{"tool": "shell", **about}))
    return verdict.choice if verdict else ""


RULES = """
[[rule]]
choice = "allow"
argv = ["npm", "test", "**"]

[[rule]]
choice = "deny"
argv = ["git", "push", "**"]
why = "pushing is mine"

[[rule]]
choice = "ask"
path = "infra/"

[[rule]]
choice = "allow"
tool = "edit"
path = "docs/**/*.md"

[[rule]]
choice = "allow"
tool = "fetch"
host = "*.python.org"
"""


@pytest.mark.parametrize(
    ("about", "choice"),
    [
        ({"argv": ("npm", "test")}, "allow"),
        ({"argv": ("npm", "test", "--watch", "a")}, "allow"),
        ({"argv": ("npm", "tests")}, ""),
        ({"argv": ("npm",)}, ""),
        ({"argv": ("/tmp/evil/npm", "test")}, ""),  # another program of that name is not what was allowed
        ({"argv": (), "script": True}, ""),
        ({"argv": ("git", "push")}, "deny"),
        ({"argv": ("/usr/bin/git", "push", "origin", "main")}, "deny"),
        ({"argv": ("git", "pushy")}, ""),
        ({"tool": "edit", "paths": ("docs/a/b.md",)}, "allow"),
        ({"tool": "edit", "paths": ("docs/a/b.md", "src/c.py")}, ""),  # all, or it is not allowed
        ({"tool": "edit", "paths": ("docs/a/b.md", "INFRA/main.tf")}, "ask"),  # one is enough to ask
        ({"tool": "edit", "paths": ()}, ""),
        ({"tool": "fetch", "host": "docs.python.org"}, "allow"),
        ({"tool": "fetch", "host": "DOCS.python.org."}, "allow"),
        ({"tool": "fetch", "host": "python.org.evil.example"}, ""),
        ({"tool": "fetch", "host": ""}, ""),
    ],
)
def test_what_fits(tmp_path: Path, about: dict[str, object], choice: str) -> None:
    assert said(rules(tmp_path, RULES), **about) == choice


def test_the_strictest_counts_and_says_why(tmp_path: Path) -> None:
    found = rules(tmp_path, RULES + '[[rule]]\nchoice = "allow"\nargv = ["git", "**"]\n')
    verdict = found.judge(Subject("shell", argv=("git", "push")))
    assert verdict == Verdict("deny", "pushing is mine")
    assert said(found, argv=("git", "status")) == "allow"


def test_no_rule_allows_text_for_a_shell(tmp_path: Path) -> None:
    found = rules(tmp_path, '[[rule]]\nchoice = "allow"\ntool = "shell"\n')
    assert said(found, script=True) == ""
    assert said(found, argv=("ls",)) == "allow"
    assert said(rules(tmp_path, '[[rule]]\nchoice = "deny"\ntool = "shell"\n'), script=True) == "deny"


def test_confined_commands_can_be_allowed_text_for_a_shell_among_them(tmp_path: Path) -> None:
    found = rules(
        tmp_path, '[[rule]]\nchoice = "allow"\nconfined = true\n[[rule]]\nchoice = "ask"\nargv = ["make", "**"]\n'
    )
    assert said(found, script=True, confined=True) == said(found, argv=("ls",), confined=True) == "allow"
    assert said(found, argv=("make", "x"), confined=True) == "ask"
    assert said(found, script=True) == said(found, argv=("ls",)) == said(found, tool="edit", paths=("a",)) == ""
    deny = rules(tmp_path, '[[rule]]\nchoice = "deny"\nconfined = true\ntool = "test"\n')
    assert said(deny, argv=("ls",), confined=True) == ""


@pytest.mark.parametrize(
    "path", ["INFRA/main.tf", "infra./main.tf", "in\u200bfra/main.tf", "infra::$DATA/x", "ｉnfra/x"]
)
def test_a_path_is_held_against_rules_as_the_laxest_file_system_reads_it(tmp_path: Path, path: str) -> None:
    assert said(rules(tmp_path, RULES), tool="edit", paths=(path,)) == "ask"
    assert said(rules(tmp_path, RULES), tool="fetch", host="2001:db8::1") == ""


def test_a_folder_can_only_be_stricter(tmp_path: Path) -> None:
    stricter = rules(tmp_path, RULES, '[[rule]]\nchoice = "deny"\nargv = ["npm", "test"]\n')
    assert said(stricter, argv=("npm", "test")) == "deny"
    laxer = rules(tmp_path, RULES, '\n[[rule]]\nargv = ["rm", "**"]\nchoice = "allow"\n')
    assert "theirs.toml:4: choice: a folder can ask and deny" in laxer.problem
    assert said(laxer, argv=("rm", "-rf", "x")) == "ask"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[rule]]\nchoice = "alow"\n', "policy.toml:2: rule.0.choice: Input should be"),
        ('[[rule]]\nchoice = "ask"\n\n[[rule]]\nchoice = "ask"\npaths = "x"\n', "policy.toml:6: rule.1.paths: Extra"),
        ('[[rule]]\nchoice = "allow"\n', "policy.toml:2: choice: this rule allows everything"),
        ('[[rule]]\nchoice = "allow\n', "policy.toml:2: choice: "),
        ('[[rules]]\nchoice = "ask"\n', "rules: Extra inputs"),
    ],
)
def test_a_broken_file_is_told_with_its_place_and_everything_asks(tmp_path: Path, text: str, told: str) -> None:
    found = rules(tmp_path, text)
    assert told in found.problem
    assert "policy.toml" in found.problem
    assert said(found, tool="edit", paths=("a.py",)) == "ask"
    assert said(found, argv=("npm", "test")) == "ask"


def test_no_file_is_no_rule(tmp_path: Path) -> None:
    found = load(tmp_path / "none.toml", [tmp_path / "neither.toml"])
    assert found.silent
    assert found.judge(Subject("shell", argv=("ls",))) is None


def test_rules_undo_no_denial_and_a_grant_answers_them() -> None:
    ask, deny = Verdict("ask", "x"), Verdict("deny", "y")
    assert with_rules(deny, [ALLOW], granted=False) == deny
    assert with_rules(ask, [ALLOW], granted=False) == ALLOW
    assert with_rules(ask, [ALLOW, None], granted=False) == ask, "one thing of two is not all"
    assert with_rules(ALLOW, [ask], granted=False) == ask
    assert with_rules(ALLOW, [ask], granted=True) == ALLOW
    assert with_rules(ALLOW, [ask, deny], granted=True) == deny
    assert with_rules(ask, [None], granted=False) == ask
    assert with_rules(ask, [], granted=False) == ask
