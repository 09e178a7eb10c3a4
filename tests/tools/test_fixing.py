"""Faults planted in real code go away, and nothing ever gets worse."""

from __future__ import annotations

import importlib.util
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attache.schema.documents import Diagnostic, Place
from attache.schema.errors import EditRefused
from attache.tools.diagnostics import check
from attache.tools.tool import Context
from tools.conftest import Desk

PACKAGES = ("click", "rich", "packaging", "_pytest", "pluggy")
Plant = Callable[[str, random.Random], str | None]


def lines_like(text: str, pattern: str) -> list[re.Match[str]]:
    return list(re.finditer(pattern, text, re.MULTILINE))


def swapped(pattern: str, new: str) -> Plant:
    """Return what replaces one place of a pattern by a fault."""

    def plant(text: str, chance: random.Random) -> str | None:
        found = lines_like(text, pattern)
        if not found:
            return None
        match = chance.choice(found)
        return text[: match.start()] + match.expand(new) + text[match.end() :]

    return plant


FAULTS: dict[str, Plant] = {
    "unused import": swapped(r"^import (\w+)$", r"import \1\nimport colorsys"),
    "unused name imported": swapped(r"^from typing import (\w+)$", r"from typing import \1, BinaryIO"),
    "import taken away": swapped(r"^import (?:re|os|sys|json|inspect|time|math|io)\n", ""),
    "name taken away": swapped(r"^from (?:contextlib|functools|dataclasses|pathlib|itertools) import \w+\n", ""),
    "two imports in a line": swapped(r"^import (\w+)$", r"import \1, colorsys"),
    "compared to None": swapped(r"\bis None\b", "== None"),
    "negated membership": swapped(r"\bif (\w+) not in (\w+):", r"if not \1 in \2:"),
    "negated identity": swapped(r"\bif (\w+) is not None:", r"if not \1 is None:"),
    "unused variable": swapped(r"^( +)return (\w+)$", r"\1unused = 1\n\1return \2"),
    "text without placeholders": swapped(r"(?<=[(=] )\"(\w[\w ]*)\"", r'f"\1"'),
    "bare except": swapped(r"\bexcept Exception:", "except:"),
    "semicolon": swapped(r"^( +)(\w+ = \w+)$", r"\1\2;"),
    "two statements": swapped(r"^( +)(\w+ = \w+)$", r"\1\2; \2"),
    "body behind the colon": swapped(r"^( +if \w+:)\n +(return(?: \w+)?)$", r"\1 \2"),
    "a colon missing": swapped(r"^( +(?:if|for|while) .*\w):$", r"\1"),
    "is with a literal": swapped(r"== (\"\w+\"|\d+)", r"is \1"),
    "types compared": swapped(r"isinstance\((\w+), (str|int|list|dict)\)", r"(type(\1) == \2)"),
    "assignment compared": swapped(r"^( +if \w+) == (\w+:)$", r"\1 = \2"),
    "assert on a tuple": swapped(r"^( +)assert (\w+ is not None)$", r'\1assert (\2, "missing")'),
    "defined twice": swapped(r"^import (\w+)$", r"import \1\nimport \1"),
}


def sources() -> list[Path]:
    found: list[Path] = []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec
        assert spec.origin
        found += sorted(Path(spec.origin).parent.rglob("*.py"))
    return [path for path in found if path.stat().st_size < 60_000]


def planted(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield (fault, text before, text with the fault), the same ones every time."""
    chance = random.Random(3)
    files = [path.read_text("utf-8") for path in sources()]
    made = Counter[str]()
    while made.total() < count:
        fault = min(FAULTS, key=lambda name: (made[name], chance.random()))
        for text in chance.sample(files, len(files)):
            faulty = FAULTS[fault](text, chance)
            if faulty and faulty != text:
                yield fault, text, faulty
                break
        made[fault] += 1


async def outcome(desk: Desk, number: int, text: str, faulty: str) -> tuple[int, int, int]:
    """Return how many findings there were without the fault, with it, and after the cure."""
    path = f"case_{number}.py"
    clean, before = len(await check(desk.ctx, path, text)), len(await check(desk.ctx, path, faulty))
    desk.write(path, faulty)
    await desk.call("fix", path=path)
    return clean, before, len(await check(desk.ctx, path, desk.text(path)))


FULL = pytest.mark.skipif(
    not os.environ.get("ATTACHE_LONG"), reason="the full count runs with ATTACHE_LONG=1 (make long)"
)


@pytest.mark.parametrize("count", [40, pytest.param(260, marks=[pytest.mark.long, FULL])])
async def test_planted_faults_are_cured(desk: Desk, count: int) -> None:
    found, cured = Counter[str](), Counter[str]()
    for number, (fault, text, faulty) in enumerate(planted(count)):
        clean, before, after = await outcome(desk, number, text, faulty)
        assert after <= before, (fault, faulty)
        if before > clean:
            found[fault] += before - clean
            cured[fault] += min(before - after, before - clean)
    report = ", ".join(f"{fault} {cured[fault]}/{found[fault]}" for fault in FAULTS)
    print(f"\n{cured.total()} of {found.total()} planted findings cured: {report}")
    assert found.total() >= count * 0.7, report
    assert cured.total() >= found.total() / 2, report


async def test_a_cure_that_brings_a_fault_is_refused_with_its_place(desk: Desk) -> None:
    text = "import os\n\nprint(os.name)\n"
    desk.write("a.py", text)

    async def says(_path: str) -> tuple[Diagnostic, ...]:
        place = Place(path="a.py", line=1, column=1)
        return (Diagnostic(place=place, message="`from __future__` imports must occur at the beginning"),)

    desk.ctx = Context(workspace=desk.ctx.workspace, settings=desk.ctx.settings, land=desk.ctx.land, findings=says)
    output = await desk.call("fix", path="a.py")
    assert "a.py:1" in output.text
    assert "no rule has a cure that is sure" in output.text
    assert desk.text("a.py") == text


async def test_more_findings_than_before_are_refused(desk: Desk) -> None:
    desk.write("a.py", "def f():\n    global x\n    return x\n\n\nf()\nx = 1  # type: ignore\n")

    async def says(_path: str) -> tuple[Diagnostic, ...]:
        place = Place(path="a.py", line=1, column=1)
        patch = {"path": "a.py", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "text": "print(gone)\n"}
        return (Diagnostic.model_validate({"place": place, "message": "x", "fix": [patch], "safe": True}),)

    desk.ctx = Context(workspace=desk.ctx.workspace, settings=desk.ctx.settings, land=desk.ctx.land, findings=says)
    before = desk.text("a.py")
    with pytest.raises(EditRefused, match=r"would bring a\.py:1:7 error F821 Undefined name `gone`"):
        await desk.call("fix", path="a.py")
    assert desk.text("a.py") == before


async def test_the_unsaved_text_is_fixed(desk: Desk) -> None:
    desk.write("a.py", "x = 1\n")
    uri = desk.open("a.py", "import os\nx = 1\n")
    output = await desk.call("fix", path="a.py")
    assert "fixed 1 finding" in output.text
    assert desk.shown(uri) == "x = 1\n"
    assert desk.text("a.py") == "x = 1\n"
