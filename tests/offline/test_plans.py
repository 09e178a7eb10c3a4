"""Each plan answers from what the tools show, and says so where they show nothing."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from offline.conftest import Ask

FILES = {
    "README.md": "# Shop\n\nSells things to people.\n",
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": "",
    "shop/__main__.py": "from shop.cart import main\n\nmain()\n",
    "shop/cart.py": '''
        """The cart."""

        from shop.prices import price


        def main():
            """Begin to sell."""
            print(total(["tea"]))


        def total(names):
            """Add up what the goods cost."""
            if not names:
                raise ValueError("there is nothing in the cart: " + repr(names))
            return sum(price(name) for name in names)
        ''',
    "shop/prices.py": '''
        """What things cost."""

        PRICES = {"tea": 3}


        def price(name):
            """Look a price up."""
            return PRICES[name]


        def unused_discount(name):
            return 0
        ''',
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_total():\n    assert total(['tea']) == 3\n",
}
TRACE = """why does this happen?

Traceback (most recent call last):
  File "shop/__main__.py", line 3, in <module>
    main()
  File "shop/cart.py", line 14, in total
    raise ValueError("there is nothing in the cart: " + repr(names))
ValueError: there is nothing in the cart: []
"""


@pytest.fixture(autouse=True)
def shop(folder: Path) -> None:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("where do we add up the goods?", ['`total` shop/cart.py:12 — `"""Add up what the goods cost."""`']),
        ("where is the price looked up?", ['`price` shop/prices.py:7 — `"""Look a price up."""`']),
        ("who calls `price`?", ["shop/cart.py:15", "is used in"]),
        ("what tests `total`?", ["tests/test_cart.py:5"]),
        (
            "what tests `unused_discount`?",
            ["`unused_discount` is defined at shop/", ", and nothing in this workspace uses it"],
        ),
        ("explain `total`", ["`total` is defined at shop/cart.py:11.", "Add up what the goods cost", "shop/cart.py:8"]),
        ("explain shop/prices.py", ["shop/prices.py begins:", "shop/prices.py:6 — function price"]),
        ("explain shop/", ["shop/ is a folder:", "cart.py"]),
        ("explain shop/cart.py:14", ["in `total` (shop/cart.py:11)"]),
        (
            TRACE,
            ["`ValueError` says: there is nothing in the cart: [].", "It passed shop/cart.py:14", "Its words stand at"],
        ),
        ("trace from `main` to `price`", ["`main` reaches `price` in 2 calls", "shop/cart.py:8", "shop/cart.py:15"]),
        (
            "summarise this repository",
            ["(README.md:3): Sells things", "begin in shop/__main__.py", "shop/cart.py:6", "python -m pytest"],
        ),
        ("what changed?", ["Git says: this folder is not in a git repository"]),
    ],
)
async def test_answers(ask: Ask, question: str, said: list[str]) -> None:
    (reply,) = await ask(question, mode="explore")
    assert not reply.error
    for words in said:
        assert words in reply.content, reply.content


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("where do we paint invoices?", "Nothing in this workspace matches `paint invoices`"),
        ("who calls `frobnicate`?", "There is no `frobnicate` in this workspace"),
        ("explain `Frobnicator.run`", "No definition of `Frobnicator.run` is in this workspace"),
        ("what tests `frobnicate`?", "There is no `frobnicate` in this workspace"),
        ("trace from `price` to `main`", "No way of calls from `price` to `main`"),
        ("write tests for `frobnicate`", "No Python definition of `frobnicate`"),
    ],
)
async def test_what_is_not_there_is_not_answered(ask: Ask, question: str, said: str) -> None:
    (reply,) = await ask(question)
    assert said in reply.content
    assert ".py:" not in reply.content


async def test_what_it_does_not_understand_it_says_with_the_three_nearest(ask: Ask) -> None:
    (reply,) = await ask("rewrite the lint errors in a nicer style")
    assert reply.content.startswith("I do not understand that without a language model")
    offers = [line for line in reply.content.splitlines() if line.startswith("- ")]
    assert len(offers) == 3
    assert offers[0].startswith("- fix what rules can")


async def test_edits_are_refused_where_the_mode_forbids_them(ask: Ask, folder: Path) -> None:
    replies = await ask("write tests for `price`", "fix shop/cart.py", mode="explore")
    assert all("not allowed in this mode" in reply.content for reply in replies)
    assert not (folder / "tests/test_prices_price.py").exists()


async def test_a_skeleton_is_written_once(ask: Ask, folder: Path) -> None:
    first, again = await ask("write tests for `price`", "write tests for `price`")
    assert "tests/test_prices_price.py now has a skeleton of tests for `price` (shop/prices.py:6)" in first.content
    assert "tests/test_prices_price.py is there already" in again.content
    assert "from shop.prices import price" in (folder / "tests/test_prices_price.py").read_text("utf-8")
