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
