"""What tools say is short and says what it leaves out."""

from __future__ import annotations

import pytest

from attache.schema.documents import Diagnostic, Patch, Place
from attache.tools.listing import glob, matching, tree
from attache.tools.wording import cited, counted, cut, finding, first_line, listed, middle_out, numbered


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "hit", "0 hits"),
        (1, "hit", "1 hit"),
        (1200, "file", "1,200 files"),
        (2, "match", "2 matches"),
        (2, "query", "2 queries"),
        (2, "index", "2 indexes"),
        (2, "key", "2 keys"),
    ],
)
def test_counts(number: int, noun: str, words: str) -> None:
    assert counted(number, noun) == words


def test_long_lines_and_texts() -> None:
    assert cut("x" * 10, 10) == "x" * 10
    assert cut("x" * 1234, 10) == "x" * 10 + "… (+1,224 characters)"
    assert numbered(["a", "b"], 9) == "9\ta\n10\tb"
    assert first_line("one\ntwo") == "one…"
    assert first_line("one") == "one"


@pytest.mark.parametrize("size", [10, 99, 100, 101, 5000])
def test_a_long_text_keeps_both_ends_and_counts_the_rest(size: int) -> None:
    text = "".join(f"{number % 10}\n" for number in range(size // 2))
    short = middle_out(text, 100)
    if len(text) <= 100:
        assert short == text
        return
    head, _, rest = short.partition("\n[… ")
    said, _, tail = rest.partition(" left out …]\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(tail) > len(head)
    missing = len(text) - len(head) - len(tail)
    assert said.endswith(counted(missing, "character"))


def test_a_long_list_says_how_many_are_missing() -> None:
    assert listed(["a", "b"], 2, "look") == "a\nb"
    assert listed(["a", "b", "c"], 2, "look") == "a\nb\n[… 1 more; look]"


def test_findings_and_citations() -> None:
    place = Place(path="a.py", line=3, column=5)
    patch = Patch(path="a.py", line=3, column=1, end_line=4, end_column=1, text="")
    bare = Diagnostic(place=place, message="It is wrong", severity="error", code="E1")
    cured = bare.model_copy(update={"fix": (patch,), "fix_title": "Remove it"})
    assert finding(bare) == "a.py:3:5 error E1 It is wrong"
    assert finding(cured) == "a.py:3:5 error E1 It is wrong [fix: Remove it, unsafe]"
    assert finding(cured.model_copy(update={"safe": True})).endswith("[fix: Remove it]")
    assert str(cited("a.py", 3, 5)) == "a.py:3-5"
    assert str(cited("a.py", 3, 3)) == str(cited("a.py", 3)) == "a.py:3"
    assert str(cited("a.py", 0, 0)) == "a.py:1"


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", ["a.py", "x/y/a.py"], ["a.pyi", "a.py/b"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "a.py", "lib/src/a.py"]),
        ("src/**", ["src/a.py", "src/x/y"], ["a.py"]),
        ("**/test_*.py", ["test_a.py", "x/test_a.py"], ["x/a_test.py"]),
        ("./src/*.ts", ["src/a.ts"], ["a.ts"]),
        ("a[0-9].txt", ["a1.txt"], ["ab.txt"]),
        ("a[!0-9].txt", ["ab.txt"], ["a1.txt"]),
        ("*.{ts,{js,jsx}}", ["a.ts", "a.js", "a.jsx"], ["a.tsx"]),
        ("a+b (1).txt", ["a+b (1).txt"], ["aab 1.txt"]),
        ("[", ["["], ["a"]),
    ],
)
def test_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    wanted = glob(pattern)
    assert [path for path in (*yes, *no) if wanted.fullmatch(path)] == yes


def test_the_likeliest_name_comes_first() -> None:
    paths = ["docs/auth/index.md", "src/auth_old.py", "src/auth.py", "tests/test_auth.py", "auth"]
    assert matching("auth", paths) == [
        "auth",
        "src/auth.py",
        "src/auth_old.py",
        "tests/test_auth.py",
        "docs/auth/index.md",
    ]
    assert matching("src/auth.py", paths) == ["src/auth.py"]
    assert matching("tset_auth.py", paths)[0] == "tests/test_auth.py"
    assert matching("nothing like it", paths) == []


def test_a_tree_shows_folders_first_and_counts_what_it_does_not_show() -> None:
    paths = ["b.txt", "a/deep/er/x", "a/deep/y", "a/z", "c/only"]
    assert tree(paths, 1) == ["  a/ (3 files)", "  c/ (1 file)", "  b.txt"]
    assert tree(paths, 2) == ["  a/", "    deep/ (2 files)", "    z", "  c/", "    only", "  b.txt"]
    assert tree([], 2) == []
