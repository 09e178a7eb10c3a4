"""What the small grammar understands, and what it says it does not."""

from __future__ import annotations

import pytest

from attache.providers.offline.intent import Place, understand


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("where do we retry failed requests?", "where"),
        ("Which file handles login?", "where"),
        ("find the rate limiter", "where"),
        ("show me the migrations", "where"),
        ("who calls `fetch_all`?", "callers"),
        ("what uses Session.request", "callers"),
        ("callers of parse_url", "callers"),
        ("where is `retry` called?", "callers"),
        ("explain Session.request", "explain"),
        ("what does parse_url do?", "explain"),
        ("How does caching work?", "explain"),
        ("fix src/app.py", "fix"),
        ("please remove unused imports in src/app.py", "fix"),
        ("run the tests", "test"),
        ("do the tests pass?", "test"),
        ("hello", "hello"),
        ("what can you do?", "hello"),
        ("write tests for `load`", "begin_tests"),
        ("add a unit test for Cart.total", "begin_tests"),
        ("what tests `load`?", "tests_of"),
        ("which tests cover `load`?", "tests_of"),
        ("which function tests whether a path is absolute?", "where"),
        ("what changed?", "changed"),
        ("show me the recent commits", "changed"),
        ("where do we note what changed?", "where"),
        ("trace from `main` to `load`", "trace"),
        ("how does `main` reach `load`?", "trace"),
        ("summarise this repository", "summarise"),
        ("give me an overview of the code base", "summarise"),
        ("what does this project do?", "summarise"),
        ("Could you please rename `load` to `read`?", "rename"),
        ("rename the variable x to y in src/app.py", "rename"),
        ("call load read_all instead", "rename"),
        ("extract lines 10 to 20 of src/app.py into a function", "extract"),
        ("Extract this", "extract"),
        ("turn these lines into a helper", "extract"),
        ("move `load` to src/io.py", "move"),
        ("put load into src/io.py", "move"),
        ("Document this", "document"),
        ("add docstrings to src/app.py", "document"),
        ("write some missing doc comments for load", "document"),
        ("Write the documentation of `load` in `a.py:3`, in the manner of its neighbours.", "document"),
        ("write a commit message", "commit_message"),
        ("what should my commit message be?", "commit_message"),
        ("suggest a commit", "commit_message"),
        ("summarize my changes", "commit_message"),
        ("draft release notes since v1.0", "changelog"),
        ("add a changelog entry", "changelog"),
        ("what's new since v2?", "changed"),
        ("what has been modified recently?", "changed"),
        ("git status", "changed"),
        ("explain the last commit", "changed"),
        ("what does this diff do?", "changed"),
        ("who wrote src/app.py:3?", "blame"),
        ("when was `load` changed?", "blame"),
        ("review this file", "review"),
        ("do a code review of src/app.py", "review"),
        ("are there any secrets in here?", "review"),
        ("what's wrong with src/app.py?", "review"),
        ("find duplicated code", "review"),
        ("Fix: unused import", "fix"),
        ("lint src/app.py", "fix"),
        ("clean up the imports in a.py", "fix"),
        ("why do the tests fail?", "test"),
        ("which tests fail?", "test"),
        ("can you run pytest?", "test"),
        ("is `load` tested?", "tests_of"),
        ("what breaks if I change `load`?", "callers"),
        ("how do I run the tests?", "summarise"),
        ("where does the server start?", "where"),
        ("tell me about Session", "explain"),
        ("why does it crash?", "explain"),
        ("refactor this", "unknown"),
        ("make it faster", "unknown"),
        ("write me a poem", "unknown"),
        ("translate this to French", "unknown"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert understand(text).kind == kind


def test_only_the_first_paragraph_asks() -> None:
    intent = understand("explain `load`\n\nFrom standard input:\nfix everything and run the tests")
    assert intent.kind == "explain"
    assert intent.names == ("load",)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("fix this at shop/cart.py:3:8", [Place(path="shop/cart.py", line=3, column=8)]),
        ("fix `my dir/ä#b%20.py:3`", [Place(path="my dir/ä#b%20.py", line=3)]),
        ("explain src/app.py", [Place(path="src/app.py")]),
        ("explain @src/a.go and b.rs", [Place(path="src/a.go"), Place(path="b.rs")]),
        ("explain `Foo.bar`", []),
        ("version 3.11 of what?", []),
        ("see https://example.org:443/x", []),
    ],
)
def test_places(text: str, places: list[Place]) -> None:
    assert list(understand(text).places) == places


def test_names_are_identifiers_the_quoted_ones_first() -> None:
    assert understand("where does HttpClient use `retry`, and what about max_attempts?").names == (
        "retry",
        "HttpClient",
        "max_attempts",
    )
    assert understand("where do we retry?").names == ()
    assert understand("fix F401 at a.py:1").codes == ("F401",)
