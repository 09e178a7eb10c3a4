"""What derives from what, what a quoted message means, which tests are about a thing, and what was left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from attache.providers.offline.comments import Described
from attache.providers.offline.intent import understand
from attache.providers.offline.places import aside
from attache.providers.offline.quoted import patterns
from offline.conftest import Ask

FILES = {
    "shop/base.py": (
        'class Ware:\n    """A thing on the shelf."""\n\n    def price(self):\n        return 0\n\n\n'
        "class Tea(Ware):\n    def price(self):\n        return 3\n\n\nclass GreenTea(Tea):\n    pass\n\n\n"
        "class SoldOutError(ValueError):\n    pass\n"
    ),
    "shop/shelf.py": (
        "from shop.base import SoldOutError\n\n\ndef take(name, left):\n    if not left:\n"
        '        raise SoldOutError(f"no {name} left on the shelf of {left} wares, come back later")\n    return name\n'
    ),
    "shop/resume.py": 'def resume_parcel(parcel):\n    """Resume an interrupted parcel."""\n    return parcel\n',
    "tests/test_base.py": (
        "from shop.base import Ware\n\n\nclass FakeWare(Ware):\n    pass\n\n\ndef test_price():\n"
        "    assert FakeWare().price() == 0\n"
    ),
    "tests/test_resume.py": (
        "def test_parcel_resumed_after_interruption():\n    # resume an interrupted parcel\n    assert True\n"
    ),
    "web/near.js": (
        "/**\n * Find what is near.\n */\n\nfunction nearest(word) {\n  return word\n}\n\nmodule.exports = { nearest }\n"
    ),
    "web/use.js": "const nearest = require('./near')\n\nmodule.exports = (word) => nearest(word)\n",
    "web/src/parse.ts": "export function parseQuery(text: string): string[] {\n  return text.split('&')\n}\n",
    "web/parse.js": "export function parseQuery(text) {\n  return text.split('&')\n}\n",
    "vendor/lib-1.2.0/query.ts": "export function parseQuery(text: string) {\n  return [text]\n}\n",
}


@pytest.fixture(autouse=True)
def shop(folder: Path) -> None:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("question", "first", "said"),
    [
        ("which classes inherit from Ware?", "shop/base.py:8 — `Tea`", ["2 directly, 1 further down", "`GreenTea`"]),
        ("list the subclasses of Tea", "shop/base.py:13 — `GreenTea`", ["These derive from `Tea`"]),
        ("what is GreenTea derived from?", "`GreenTea` (defined at shop/base.py:13)", ["shop/base.py:8 — `Tea`"]),
        ("what extends ValueError?", "shop/base.py:17 — `SoldOutError`", ["(which is not defined here)"]),
        ("what overrides Ware.price?", "`Tea.price` shop/base.py:9", ["in 1 class below `Ware`"]),
        ("what inherits from parseQuery?", "No class, interface or trait is called `parseQuery` here", []),
        (
            'what does "no tea left on the shelf of 0 wares, come back later" mean?',
            "A part of these words stands at:\n\n- shop/shelf.py:6",
            ["Around the first, in `take`"],
        ),
        (
            'what does "on the shelf of 3 wares, come back later" mean?',
            "These words stand at:\n\n- shop/shelf.py:6",
            [],
        ),
        ("where is “come back later” raised?", "shop/shelf.py:6", []),
        ("what tests the resume of a parcel?", "tests/test_resume.py:1", []),
        ("how is an interrupted parcel resumed?", "`resume_parcel` shop/resume.py:2", []),
        ("is `take` used anywhere?", "`take` is defined at shop/shelf.py:4, and nothing in this workspace uses it", []),
        ("where is the query parsed?", "web/src/parse.ts:1", []),
    ],
)
async def test_answers(ask: Ask, question: str, first: str, said: list[str]) -> None:
    (reply,) = await ask(question, mode="explore")
    assert not reply.error
    cited = reply.content.partition("\n\n*offline")[0]
    assert first in cited, cited
    rows = [line for line in cited.split("\n") if line.startswith("- ")]
    assert " at " in first or not rows or first.rpartition("\n- ")[2] in rows[0] or first in cited.split("\n")[0], cited
    for words in said:
        assert words in cited, cited


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("is Session still used?", "callers"),
        ("is the class Session used anywhere?", "callers"),
        ("does anything use Session?", "callers"),
        ("do we still use Session?", "callers"),
        ("who subclasses Session?", "hierarchy"),
        ("which types implement Reader?", "hierarchy"),
        ("show the class hierarchy of Session", "hierarchy"),
        ("what does Session inherit from?", "hierarchy"),
        ("which function overrides the default?", "where"),
        ("where is Session implemented?", "where"),
    ],
)
def test_questions_of_kin_and_use_are_told_apart(question: str, kind: str) -> None:
    assert understand(question).kind == kind


async def test_files_that_the_index_could_not_take_in_are_named_where_it_matters(ask: Ask, folder: Path) -> None:
    (folder / "shop" / "big.py").write_text("def giant():\n    return take('tea', 1)\n" + "x = 1\n" * 200_000, "utf-8")
    if sys.platform == "linux":
        Path(os.fsdecode(os.fsencode(folder / "shop") + b"/odd\xff.py")).write_text("def odd(): ...\n")
    found, uses, other = await ask("where is giant?", "who calls `take`?", "explain Ware", mode="explore")
    assert "shop/big.py:1" in found.content
    assert "not in the index: " in uses.content
    assert "shop/big.py: too large" in uses.content
    assert "`Ware` is defined at shop/base.py:1." in other.content


async def test_words_inside_other_words_do_not_count_as_said(ask: Ask, folder: Path) -> None:
    (folder / "shop" / "get.py").write_text("def get(parcel):\n    # retrieve a failed parcel\n    return parcel\n")
    (reply,) = await ask("where do we retry failed parcels?", mode="explore")
    assert "`retry` stands nowhere" in reply.content or "Nothing here mentions `retry`" in reply.content, reply.content


async def test_what_is_required_is_no_definition_of_its_own(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("rename nearest to closest")
    assert "renamed `nearest` to `closest`" in reply.content, reply.content
    assert "function closest(word)" in (folder / "web/near.js").read_text()


async def test_headings_and_vendored_names_make_no_rename_ambiguous(ask: Ask, folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "docs/take.md").write_text("# take\n\nTakes a ware.\n")
    (folder / "vendor/lib-1.2.0/other.py").write_text("def take(name):\n    return name\n")
    (reply,) = await ask("rename take to pick")
    assert "renamed `take` to `pick`" in reply.content, reply.content
    assert "def pick(name, left)" in (folder / "shop/shelf.py").read_text()
    assert "def take(name)" in (folder / "vendor/lib-1.2.0/other.py").read_text()


async def test_what_has_a_comment_a_line_off_is_documented(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("document web/near.js")
    assert "documented already" in reply.content, reply.content
    assert (folder / "web/near.js").read_text() == FILES["web/near.js"]


async def test_a_definition_of_another_language_is_not_moved(ask: Ask) -> None:
    (reply,) = await ask("move parseQuery to web/src/query.ts")
    assert "I move definitions of Python alone" in reply.content


async def test_a_review_without_a_repository_says_what_it_did_instead(ask: Ask, folder: Path) -> None:
    (reply,) = await ask("review my changes", mode="explore")
    assert "is not in a git repository, so all of it was reviewed: " in reply.content
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (reply,) = await ask("what changed?", mode="explore")
    assert "unknown option" not in reply.content


def test_names_are_spelt_as_they_are() -> None:
    assert Described("HTTPieCertificate", "class").summary == "HTTPie certificate."
    assert Described("parseURLs", "function").summary == "Parse URLs."


def test_code_stands_before_what_is_beside_it() -> None:
    paths = ["a/b.py", "tests/test_b.py", "docs/b.md", "vendor/x/b.py", "include/lib-1.2.3/src/b.rs", "b.min.js"]
    assert [aside(path) for path in paths] == [0, 1, 2, 3, 3, 3]


def test_a_message_is_looked_for_without_its_data() -> None:
    assert patterns("Task %s of kind {kind} failed") == (
        r"(?<!\w)Task.{0,80}(?<!\w)of\s+kind.{0,80}(?<!\w)failed",
        r"(?<!\w)of\s+kind",
    )


def test_every_question_of_the_guide_is_understood() -> None:
    guide = (Path(__file__).parents[2] / "docs/offline.md").read_text("utf-8")
    asked = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", guide, re.MULTILINE)
    assert len(asked) > 20
    kinds = [understand(question).kind for question in asked]
    assert kinds == [
        "where", "callers", "callers", "hierarchy", "hierarchy", "hierarchy", "tests_of", "explain", "explain", "trace",
        "summarise", "outline", "changed", "commit_message", "review", "rename", "extract", "move", "document",
        "begin_tests", "fix", "test",
    ]  # fmt: skip
