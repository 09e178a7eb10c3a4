"""What it does to a repository when asked in plain words: rename, extract, document, review, tell what changed."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

import pytest

from offline.conftest import Ask

FILES = {
    "README.md": "# Shop\n\nSells things to people.\n",
    "shop/__init__.py": "",
    "shop/cart.py": '''
        """The cart."""

        from shop.prices import price_of


        def total(names, discount=0):
            if not names:
                raise ValueError("nothing in the cart")
            whole = 0
            for name in names:
                whole += price_of(name)
            return whole - discount


        class LineItem:
            name: str
            count: int = 1
        ''',
    "shop/prices.py": '''
        """What things cost."""

        PRICES = {"tea": 3}


        def price_of(name: str) -> int:
            """Look a price up."""
            return PRICES[name]
        ''',
    "shop/keys.py": "import os\n\n\ndef run(text):\n    # TODO: say why\n    return eval(text)\n",
    "web/api.ts": "export function loadAll(url: string, limit = 10): string[] {\n  return [url.repeat(limit)];\n}\n",
    "go/main.go": 'package main\n\nimport "fmt"\n\nfunc LoadAll(url string) error {\n\tfmt.Println(url)\n\treturn nil\n}\n',
    "tests/test_cart.py": (
        "from shop.cart import total\n\n\ndef test_total():\n    assert total(['tea']) == 3\n\n\n"
        "def test_half():\n    assert total(['tea']) == 4\n"
    ),
}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(autouse=True)
def shop(folder: Path) -> None:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Begin the shop")


async def test_rename_everywhere(ask: Ask, folder: Path) -> None:
    replies = await ask("rename price_of to lookup", "Could you please rename the function `lookup` to `price_now`?")
    assert "price_now" in replies[1].content
    assert "price_of" not in (folder / "shop/prices.py").read_text()
    assert (folder / "shop/cart.py").read_text().count("price_now") == 2


REFUSED = {
    "rename": "Rename what to what?",
    "rename nothing_here to other": "There is no `nothing_here` in this workspace.",
    "rename total to class": "`total` was not renamed to `class`",
    "extract this": "Extract which lines?",
    "document": "Document what?",
    "document nothing_here": "There is no definition of `nothing_here`",
    "document price_of": "`price_of` (shop/prices.py:6) is documented already",
    "extract shop/cart.py:8-9 into part": "Nothing was extracted:",
    "translate the cart into French poetry": "I do not understand that without a language model",
}


async def test_what_cannot_be_done_is_said(ask: Ask, folder: Path) -> None:
    replies = await ask(*REFUSED)
    said = [reply.content for reply in replies]
    assert [(want, got) for want, got in zip(REFUSED.values(), said, strict=True) if want not in got] == []
    assert said[-1].count("\n- ") == 3
    assert {path: (folder / path).read_text() for path in FILES} == {
        path: textwrap.dedent(text).lstrip("\n") for path, text in FILES.items()
    }


async def test_rename_of_a_file_says_who_names_it_still(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("rename shop/prices.py to shop/costs.py")
    assert (folder / "shop/costs.py").is_file()
    assert not (folder / "shop/prices.py").exists()
    assert "shop/cart.py:3 — `from shop.prices import price_of`" in reply.content


async def test_move_a_definition(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("move total to shop/sums.py")
    assert "moved `total` from shop/cart.py to shop/sums.py" in reply.content
    assert "def total(" in (folder / "shop/sums.py").read_text()
    assert "def total(" not in (folder / "shop/cart.py").read_text()
    assert "from shop.sums import total" in (folder / "tests/test_cart.py").read_text()


async def test_extract_lines(ask: Ask, folder: Path) -> None:
    await ask("extract lines 9 to 11 of shop/cart.py into a function called sum_of")
    text = (folder / "shop/cart.py").read_text()
    assert "def sum_of(names):" in text
    assert "whole = sum_of(names)" in text


async def test_document_in_the_languages_own_manner(ask: Ask, folder: Path) -> None:
    replies = await ask(
        "document `total`", "document web/api.ts", "add docs to go/main.go", "write a docstring for LineItem"
    )
    assert not any(reply.error for reply in replies)
    cart = (folder / "shop/cart.py").read_text()
    assert 'def total(names, discount=0):\n    """Total."""\n' in cart
    assert 'class LineItem:\n    """Line item."""\n' in cart
    assert (
        (folder / "web/api.ts")
        .read_text()
        .startswith("/**\n * Load all.\n *\n * @param url\n * @param limit default 10\n")
    )
    assert "// LoadAll loads all.\nfunc LoadAll" in (folder / "go/main.go").read_text()


async def test_review_and_its_parts(ask: Ask, folder: Path) -> None:
    replies = await ask(
        "review shop/keys.py", "find TODOs", "are there any risky calls in shop/keys.py?", "review my changes"
    )
    assert "shop/keys.py:6 warning [risky-call]" in replies[0].content
    assert "[F401]" in replies[0].content
    assert "[todo]" in replies[1].content
    assert "risky-call" not in replies[1].content
    assert "[risky-call]" in replies[2].content
    assert "nothing found in 0 changed files" in replies[3].content
    (folder / "shop/cart.py").write_text((folder / "shop/cart.py").read_text() + "\n\nprint(undefined_name)\n")
    (reply,) = await ask("code review, please")
    assert "F821" not in "".join(one.content for one in replies)
    assert "F821" in reply.content or "reviewed" in reply.content


async def test_what_changed_and_what_to_say_of_it(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("what changed?")
    assert "Nothing is changed that is not committed." in reply.content
    assert "Begin the shop" in reply.content
    cart = folder / "shop/cart.py"
    cart.write_text(
        cart.read_text().replace("class LineItem", "def empty(names):\n    return not names\n\n\nclass LineItem")
    )
    (folder / "new.md").write_text("# New\n")
    replies = await ask("what did I change?", "write a commit message", "changelog", "who changed shop/prices.py:6?")
    assert "- shop/cart.py (+4 −0): adds `empty`" in replies[0].content
    assert "- new.md: new, not known to git yet" in replies[0].content
    assert "Add empty in cart\n\n- shop/cart.py (+4 −0): adds `empty`\n- new.md" in replies[1].content
    assert "### Added\n\n- `empty` (shop/cart.py).\n- new.md." in replies[2].content
    assert "Begin the shop" in replies[3].content


async def test_failures_are_explained_with_their_places(ask: Ask) -> None:
    (reply,) = await ask("why do the tests fail?")
    assert "1 failed, 1 passed" in reply.content
    assert "tests/test_cart.py:9 — `assert total(['tea']) == 4`" in reply.content
    assert "The left side was `3`, and `4" in reply.content


async def test_line_ends_and_tabs_stay_what_they_are(ask: Ask, folder: Path) -> None:
    (folder / "win.py").write_bytes(b"class Box:\r\n\tdef load(self, x):\r\n\t\treturn x\r\n")
    (reply,) = await ask("document win.py")
    assert not reply.error
    text = (folder / "win.py").read_bytes()
    assert b'\tdef load(self, x):\r\n\t\t"""Load."""\r\n\t\treturn x\r\n' in text
    assert text.count(b"\n") == text.count(b"\r\n")
