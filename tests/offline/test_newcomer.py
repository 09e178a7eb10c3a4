"""What a newcomer asks first: no false absence, no false certainty, and plain shell words understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from attache.providers.offline.intent import Place, understand
from offline.conftest import Ask

PROSE = "**Shop** sells [things](x.md) to\n_people_. Then more.\n"
FILES = {
    "README.md": f"# Shop\n\n![badge](a.svg)\n\n{PROSE}",
    "Makefile": ".PHONY: test\n\nNAME := shop\n\ntest: x\n\tpytest\n",
    "docs/ledger.md": "# Ledger\n\n## Sealer\n\nWords.\n",
    "tests/test_ledger.py": "class Ledger:\n    pass\n",
    "shop/ledger.py": "class Ledger:\n    def entry(self):\n        return seal()\n\n\ndef seal():\n    return 1\n",
    "shop/scrub.py": "def scrub(text):\n    # redactions of keys\n    return text\n",
    "shop/one.py": "def run():\n    return finish()\n\n\ndef finish():\n    return 0\n",
    "other/two.py": "def begin():\n    return run()\n",
    "other/three.py": "from shop.one import run\n\n\ndef start():\n    return run()\n",
    "shop/ship.py": (
        "def parcel(box):\n    # weigh a parcel\n    return box\n\n\n"
        "def customs(form):\n    # a stamp and a seal for the border\n    return form\n\n\n"
        "def harbour(boat):\n    # the crane lifts at night\n    return boat\n"
    ),
}
DIFF = "--- a/shop/one.py\n+++ b/shop/one.py\n@@ -1,2 +1,3 @@\n def run():\n+    x = 1\n-    y = 2\n+    z = 3\n"
STDIN = "\n\nFrom standard input:\n"


@pytest.fixture(autouse=True)
def shop(folder: Path) -> None:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    (folder / "pic.png").write_bytes(bytes(range(256)))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("where is redaction done?", ["shop/scrub.py:2"]),
        (
            "where do parcel border crane customs happen?",
            ["I found places that mention it, but none that clearly answers:"],
        ),
        (
            "where is the crane frobnicated?",
            ["matches the whole of `crane frobnicated`: `frobnicated` stands nowhere in it."],
        ),
        ("where are the stamp, the border and the crane?", ["The nearest I found:", "shop/ship.py:"]),
        ("where is the crane at night?", ["The place is", "shop/ship.py:12"]),
        ("explain pic.png", ["pic.png"]),
        ("explain Ledger", ["`Ledger` is defined at shop/ledger.py:1."]),
        ("what is a ledger?", ["is defined at shop/ledger.py:1."]),
        ("trace from start to finish", ["`start` reaches `finish` in 2 calls"]),
        ("trace from begin to finish", ["`begin` may reach `finish` in 2 calls (by name only)"]),
        ("what does this project do?", ["(README.md:5): Shop sells things to people.\n", "Makefile: `make test`\n"]),
        ("list the files", ["11 files:", "shop/ (4 files)"]),
        ("how many files are in shop/?", ["4 files:"]),
        ("explain line 2 of shop/one.py", ["Around shop/one.py:2, in `run`"]),
        (f"explain this{STDIN}{DIFF}", ["It is a diff of 1 file", "- shop/one.py (+2 −1): changes `run`"]),
        (f"explain this{STDIN}hello there", ["(1 lines) holds no error, stack trace or diff"]),
        (f"explain this{STDIN}ValueError: no such parcel", ["`ValueError` says: no such parcel."]),
    ],
)
async def test_answers(ask: Ask, question: str, said: list[str]) -> None:
    (reply,) = await ask(question, mode="explore")
    assert not reply.error
    for words in said:
        assert words in reply.content, reply.content


async def test_a_file_that_cannot_be_read_is_not_said_to_be_missing(ask: Ask) -> None:
    (reply,) = await ask("explain pic.png")
    assert "pic.png is named like a picture and is none" in reply.content
    assert "stand" not in reply.content


async def test_examples_can_be_typed_in_double_quotes(ask: Ask) -> None:
    replies = await ask("hello", "trace", "write tests", "who calls?", "what tests `seal`?")
    assert all("``" not in reply.content for reply in replies)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("list the files", "files"),
        ("how many files are there?", "files"),
        ("wher is teh retry", "where"),
        ("expalin Ledger", "explain"),
        ("list the files that handle login", "where"),
        ("write me a poem", "unknown"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert understand(text).kind == kind


def test_slips_of_the_pen_are_no_subject() -> None:
    assert understand("wher is teh retry").words == ("retry",)


def test_a_line_may_be_named_before_its_file() -> None:
    assert understand("explain line 30 of shop/one.py").places == (Place(path="shop/one.py", line=30),)
