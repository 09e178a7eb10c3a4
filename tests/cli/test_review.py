"""`attache review`: what it finds, where, and in which shapes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from attache.faces.cli.review import as_annotation, as_sarif
from attache.tools.analysis.review_rules import Finding, Reviewed, found
from attache.tools.git.changed_lines import new_lines

from .test_cli import attache, lines, work  # noqa: F401 - fixtures

KEY = "sk-ant-api03-" + "Ab1" * 30


def git(work: Path, *arguments: str) -> str:  # noqa: F811
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    run = subprocess.run(["git", *who, *arguments], cwd=work, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture
def repository(work: Path) -> Path:  # noqa: F811
    git(work, "init", "-q", "-b", "main")
    git(work, "add", "-A")
    git(work, "commit", "-qm", "first")
    return work


def codes(run: subprocess.CompletedProcess[str]) -> list[tuple[str, int, str]]:
    return [(each["path"], each["line"], each["code"]) for each in lines(run.stdout)]


# ---------------------------------------------------------------- what is looked at


def test_only_what_was_changed_counts(attache, repository: Path) -> None:  # noqa: F811
    clean = attache("review")
    assert clean.returncode == 0
    assert clean.stdout == "nothing found in 0 changed files\n"
    old = repository / "old.py"
    old.write_text("import os\n\n\ndef one():\n    return 1\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "old sins")
    old.write_text("import os\n\n\ndef one():\n    return 1  # TODO: two\n")
    (repository / "new ä.py").write_text("import sys\n")
    run = attache("review", "--json")
    assert codes(run) == [("new ä.py", 1, "F401"), ("old.py", 5, "todo")]
    assert run.returncode == 0
    whole = attache("review", "old.py", "--json")
    assert codes(whole) == [("old.py", 1, "F401"), ("old.py", 5, "todo")]


def test_a_change_that_breaks_another_line_is_an_error(attache, repository: Path) -> None:  # noqa: F811
    cart = repository / "shop" / "cart.py"
    cart.write_text(cart.read_text().replace("from shop.discounts import discount_rate\n", ""))
    run = attache("review")
    assert run.returncode == 1
    assert "error [F821] Undefined name `discount_rate`." in run.stdout
    assert "    It fails as soon as this line is reached.\n" in run.stdout
    assert "1 finding in 1 changed file · 1 error" in run.stdout


def test_a_branch_is_compared_with_where_it_left(attache, repository: Path) -> None:  # noqa: F811
    git(repository, "checkout", "-qb", "work")
    (repository / "mine.py").write_text("import os\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "mine")
    git(repository, "checkout", "-q", "main")
    (repository / "theirs.py").write_text("import os\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "theirs")
    git(repository, "checkout", "-q", "work")
    assert codes(attache("review", "--json")) == []
    assert codes(attache("review", "--branch", "main", "--json")) == [("mine.py", 1, "F401")]
    refused = attache("review", "--branch", "--output=x")
    assert refused.returncode == 2
    assert "no common past" in refused.stderr
    assert not (repository / "x").exists()


def test_what_cannot_be_reviewed_is_said(attache, work: Path, repository: Path, tmp_path: Path) -> None:  # noqa: F811
    assert "no such file" in attache("review", "gone.py").stderr
    (repository / "picture.png").write_bytes(b"\x89PNG\x00\x01")
    skipped = attache("review")
    assert skipped.returncode == 0
    assert "skipped" in skipped.stderr
    outside = tmp_path / "plain"
    outside.mkdir()
    refused = attache("review", cwd=outside)
    assert refused.returncode == 2
    assert "not in a git repository" in refused.stderr
    assert attache("review", "--sarif", "--json").returncode == 2


def test_a_repository_without_a_commit_is_all_new(attache, work: Path) -> None:  # noqa: F811
    git(work, "init", "-q")
    (work / "new.py").write_text("import os\n")
    git(work, "add", "new.py")
    assert ("new.py", 1, "F401") in codes(attache("review", "--json"))


@pytest.mark.skipif(os.name == "nt", reason="the canary is a line of sh")
def test_no_program_that_a_folder_names_is_run(attache, repository: Path, tmp_path: Path) -> None:  # noqa: F811
    canary = tmp_path / "canary"
    sing = f"sh -c 'echo $0 $@ >> {canary}; cat'"
    (repository / ".gitattributes").write_text("*.py filter=x.Y\n*.md filter=p\n*.txt filter=s diff=d\n")
    (repository / "new.txt").write_text("one\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "attributes")
    hooks = repository / ".git" / "hooks" / "post-index-change"
    hooks.parent.mkdir(exist_ok=True)
    hooks.write_text(f"#!/bin/sh\necho hook >> {canary}\n")
    hooks.chmod(0o755)
    settings = {
        "filter.x.Y.clean": sing, "filter.x.Y.required": "true", "filter.p.process": sing, "filter.s.smudge": sing,
        "filter.s.clean": sing, "core.fsmonitor": sing, "diff.external": sing, "diff.d.textconv": sing,
        "diff.d.command": sing, "core.sshCommand": sing,
    }  # fmt: skip
    for name, value in settings.items():
        git(repository, "config", name, value)
    for path in ("shop/cart.py", "README.md", "new.txt"):
        changed = repository / path
        changed.write_text(changed.read_text() + "# TODO: later\n")
    run = attache("review", "--json")
    assert ("shop/cart.py", "todo") in {(path, code) for path, _, code in codes(run)}
    assert not canary.exists(), canary.read_text()
    git(repository, "config", "filter.a=b.clean", sing)
    refused = attache("review")
    assert refused.returncode == 2
    assert "a=b" in refused.stderr
    assert not canary.exists()


def test_lines_of_a_diff() -> None:
    diff = '+++ b/a.py\n@@ -1 +1,2 @@\n-x\n+++ b/evil\n+y\n@@ -9,0 +11 @@\n+z\n+++ "b/q\\"t.py"\n@@ -3,2 +2,0 @@\n--- b/no\n-x\n'
    assert new_lines(diff) == {"a.py": frozenset({1, 2, 11}), 'q"t.py': frozenset()}


# ---------------------------------------------------------------- the rules


def of(path: str, text: str, *others: str, new: set[int] | None = None) -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in found(Reviewed(path, text, new, (path, *others)))]


def test_a_secret_is_an_error_and_never_shown(attache, repository: Path) -> None:  # noqa: F811
    (repository / "conf.yaml").write_text(f"name: x\nkey: {KEY}\n")
    for shape in ((), ("--json",), ("--sarif",), ("--github",)):
        run = attache("review", *shape)
        assert run.returncode == 1
        assert "secret" in run.stdout
        assert KEY not in run.stdout
    assert of("id.pem", "-----BEGIN RSA PRIVATE KEY-----\nabc\n") == [(1, "secret")]
    assert of("a.py", "token = os.environ['TOKEN']\n") == []


def test_work_put_off_is_named_in_comments_alone() -> None:
    assert of("a.py", "x = 1  # FIXME later\nTODO = 2\n") == [(1, "todo")]
    assert of("a.ts", "let a = 1 // HACK\n", new={2}) == []


def test_a_function_that_is_too_long_or_branches_too_much() -> None:
    body = "".join(f"    x += {number}\n" for number in range(70))
    assert of("a.py", f"def f(x):\n{body}    return x\n") == [(1, "long-function")]
    assert of("a.py", f"def f(x):\n{body[:-16]}    return x\n") == []
    many = "".join(f"    if x == {number} and y:\n        x += 1\n" for number in range(8))
    assert of("a.py", f"def f(x, y):\n{many}    return x\n") == [(1, "complex-function")]
    assert of("a.py", f"def f(x, y):\n{many}    return x\n\n\nz = 1\n", new={21}) == []
    words = 'def f():\n    """Say.\n\n    ' + "if and or for " * 8 + '\n    """\n    return "if" # and or if\n'
    assert of("a.py", words) == []
    many = "".join(f"  if (x == {number} && y) x += 1;\n" for number in range(8))
    assert of("a.ts", f"function f(x, y) {{\n{many}  return x;\n}}\n") == [(1, "complex-function")]


def test_a_module_that_no_test_is_named_for() -> None:
    text = "def f():\n    return 1\n" + "x = 1\n" * 40
    assert of("shop/cart.py", text, "tests/test_client.py") == [(1, "missing-test")]
    assert of("shop/cart.py", text, "tests/test_cart.py") == []
    assert of("shop/cart.ts", text.replace("def f():\n    return 1", "function f() {}"), "shop/cart.spec.ts") == []
    assert of("shop/Cart.java", "class Cart {}\n" * 50, "src/test/CartTest.java") == []
    assert of("shop/cart.py", text) == []
    assert of("tests/test_x.py", text) == []


def test_what_the_change_did_not_make_long_is_not_told() -> None:
    body = "".join(f"    x += {number}\n" for number in range(90))
    text = f"def f(x):\n{body}    return x\n"
    assert of("a.py", text, new={5}) == []
    assert of("a.py", text, new=set(range(2, 40))) == [(1, "long-function")]
    many = "".join(f"    if x == {number} and y:\n        x += 1\n" for number in range(12))
    text = f"def f(x, y):\n{many}    return x\n"
    assert of("a.py", text, new={4}) == []
    assert of("a.py", text, new=set(range(2, 12))) == [(1, "complex-function")]


def test_tests_repeat_themselves_and_comments_are_no_copies() -> None:
    run = "".join(f"    assert f({number}) == {number}\n" for number in range(10))
    text = f"def one():\n{run}\n\ndef two():\n{run}"
    assert [code for _, code in of("a.py", text)] == ["duplicate"]
    assert of("tests/test_a.py", text) == []
    remarks = "".join(f"# remark {number}\n" for number in range(10))
    assert of("a.py", f"{remarks}x = 1\n{remarks}y = 2\n") == []


def test_a_test_is_missed_where_most_is_new_and_people_wrote_it() -> None:
    text = "def f():\n    return 1\n" + "x = 1\n" * 40
    tests = "tests/test_client.py"
    assert of("shop/cart.py", text, tests, new=set(range(1, 40))) == [(1, "missing-test")]
    assert of("shop/cart.py", text, tests, new={2}) == []
    assert of("docs/conf.py", text, tests) == []
    assert of("shop/cart.py", f"# Generated by hand.py, do not edit\n{text}", tests) == []


def test_what_stood_there_before_in_other_clothes_is_not_new(attache, repository: Path) -> None:  # noqa: F811
    old = repository / "shop" / "old.py"
    old.write_text("import os\n\n\ndef run(text):\n  # TODO: say why\n  return os.system('ls ' + text)\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "old")
    old.write_text("import os\n\n\ndef run(text):\n    # TODO: say why\n    return os.system('ls ' + text)\n")
    assert codes(attache("review", "--json")) == []
    old.write_text(old.read_text() + "\n\ndef go(text):\n    # TODO: and here\n    return os.system('rm ' + text)\n")
    run = attache("review", "--json")
    assert ("shop/old.py", 10, "todo") in codes(run)
    assert ("shop/old.py", 11, "risky-call") in codes(run)


def test_what_a_grammar_cannot_read_is_no_error_for_sure(attache, repository: Path) -> None:  # noqa: F811
    (repository / "a.ts").write_text("const a = expect(b).toBe<<C extends number>(c: C) => D>()\n")
    run = attache("review", "--json")
    assert {each["severity"] for each in lines(run.stdout) if each["code"] == "syntax"} <= {"warning"}
    assert run.returncode == 0


# ---------------------------------------------------------------- shapes

ODD = Finding(
    path="a b/ä:1,2.py", line=3, end_line=4, column=5, end_column=6, severity="warning", code="x:y",
    what="100 % odd.", why="Two\nlines.",
)  # fmt: skip


def test_sarif_has_what_the_standard_asks_for() -> None:
    log = as_sarif([ODD, ODD.model_copy(update={"severity": "information", "code": "a", "end_column": None})])
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [row["id"] for row in rules] == ["a", "x:y"]
    first, second = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "x:y"
    assert [first["level"], second["level"]] == ["warning", "note"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%A4%3A1%2C2.py"
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 4, "endColumn": 6}
    assert json.loads(json.dumps(as_sarif([])))["runs"][0]["results"] == []


def test_an_annotation_is_one_line_whatever_stands_in_it() -> None:
    assert as_annotation(ODD) == (
        "::warning file=a b/ä%3A1%2C2.py,line=3,endLine=4,title=x%3Ay::100 %25 odd. Two%0Alines."
    )
