"""Extraction finds what flows in and out, and refuses what a call could not do; what comes of it runs the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from attache.schema.errors import EditRefused, InvalidArguments

PYTHON = '''import math

RATE = 2


def report(items: list[int], limit: int = 3, *rest):
    total = 0
    best = None
    for item in items:  # each
        if item > limit:
            total += item * RATE
            best = item
    text = f"""
  kept {total}
    """
    mean = total / max(len(items), 1)
    print(text.strip(), best, math.floor(mean))
    return total, best


class Till:
    def __init__(self):
        self.sum = 0

    def add(self, amount):
        doubled = amount * 2
        self.sum += doubled
        if doubled > 5:
            return "much"
        return "little"

    @classmethod
    def make(cls, n):
        made = cls()
        made.add(n)
        return made


print(report([1, 5, 7]), report([], 1))
till = Till.make(2)
print(till.sum, till.add(9))
'''


def _ran(folder: Path, file: str) -> str:
    return subprocess.run([sys.executable, file], cwd=folder, capture_output=True, text=True, check=True).stdout


def _line(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


@pytest.mark.parametrize(
    ("first", "last", "call", "head"),
    [
        ("total = 0", "best = item", "total, best = part(items, limit)", "def part(items: list[int], limit: int):"),
        ("for item in items", "best = item", "total, best = part(items, limit, total, best)", "def part(items: list[int], limit: int, total, best):"),
        ("if item > limit", "best = item", "total, best = part(item, limit, total, best)", "def part(item, limit: int, total, best):"),
        ("text = f", "print(text", "part(total, items, best)", "def part(total, items: list[int], best):"),
        ("mean = total", "return total, best", "return part(total, items, text, best)", "def part(total, items: list[int], text, best):"),
        ("doubled = amount", "self.sum += doubled", "doubled = self.part(amount)", "def part(self, amount):"),
        ("if doubled > 5", 'return "little"', "return part(doubled)", "def part(doubled):"),
        ("made = cls()", "made.add(n)", "made = cls.part(n)", "def part(cls, n):"),
        ("till = Till.make", "print(till.sum", "till = part()", "def part():"),
    ],
)  # fmt: skip
async def test_python_statements_become_a_function_and_run_the_same(desk, first, last, call, head) -> None:
    desk.write("a.py", PYTHON)
    before = _ran(desk.folder, "a.py")
    output = await desk.call(
        "extract", path="a.py", start_line=_line(PYTHON, first), end_line=_line(PYTHON, last), name="part"
    )
    text = desk.text("a.py")
    assert call in text
    assert head in text
    assert _ran(desk.folder, "a.py") == before
    assert output.text.startswith("made ")
    assert "now says" in output.text


@pytest.mark.parametrize(
    ("text", "lines", "why"),
    [
        ("def f(xs):\n    for x in xs:\n        if x:\n            break\n    return x\n", (3, 4), "leaves for a loop"),
        ("def f(x):\n    if x:\n        return 1\n    y = 2\n    return y\n", (2, 3), "returns on some ways"),
        ("def f(x):\n    if x:\n        y = 1\n    return y\n", (2, 3), "set on some ways"),
        ("def f():\n    yield 1\n", (2, 2), "yields"),
        ("def f(x):\n    y = (x +\n        1)\n    return y\n", (2, 2), "cuts through a statement"),
        ("def f(x):\n    return locals()\n", (2, 2), "looks at the function"),
        ("def f(x):\n    x += 1\n    return x\n\n\ndef new():\n    pass\n", (2, 2), "is a name in this file"),
        ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g\n", (5, 5), "belongs to a function around"),
        ("x = 1\n\n\n", (2, 3), "holds no statement"),
        ("class A:\n    x = 1\n", (2, 2), "body of a class"),
        ("def f(:\n", (1, 1), "does not parse"),
    ],
)  # fmt: skip
async def test_what_a_call_could_not_do_is_refused(desk, text: str, lines, why: str) -> None:
    desk.write("a.py", text)
    with pytest.raises(EditRefused, match=why):
        await desk.call("extract", path="a.py", start_line=lines[0], end_line=lines[1], name="new")
    assert desk.text("a.py") == text


async def test_what_is_deleted_later_is_given_back(desk) -> None:
    desk.write("a.py", "def f(a):\n    b = a + 1\n    c = b * 2\n    del b\n    return c\n\n\nprint(f(1))\n")
    await desk.call("extract", path="a.py", start_line=2, end_line=3, name="both")
    assert "    b, c = both(a)\n    del b\n" in desk.text("a.py")
    assert _ran(desk.folder, "a.py") == "4\n"


async def test_async_code_stays_so_and_globals_are_declared(desk) -> None:
    desk.write(
        "a.py",
        "import asyncio\n\nN = 0\n\n\nasync def f(x):\n    global N\n    await asyncio.sleep(0)\n    N = N + x\n    return N\n\n\nprint(asyncio.run(f(2)), N)\n",
    )
    await desk.call("extract", path="a.py", start_line=8, end_line=9, name="step")
    assert "async def step(x):\n    global N\n    await" in desk.text("a.py")
    assert "    await step(x)\n    return N" in desk.text("a.py")
    assert _ran(desk.folder, "a.py") == "2 2\n"


async def test_an_expression_becomes_a_variable(desk) -> None:
    desk.write(
        "a.py",
        "def f(a, b):\n    if a + b > 3:\n        return a + b\n    return [a + b for a in range(b)], a and g(b)\n",
    )
    await desk.call("extract", path="a.py", start_line=2, end_line=3, name="both", kind="variable", expression="a + b")
    assert desk.text("a.py").startswith("def f(a, b):\n    both = a + b\n    if both > 3:\n        return a + b\n")
    with pytest.raises(EditRefused, match="run later or again"):
        await desk.call("extract", path="a.py", start_line=5, end_line=5, name="x", kind="variable", expression="a + b")
    with pytest.raises(EditRefused, match="one way only"):
        await desk.call("extract", path="a.py", start_line=5, end_line=5, name="x", kind="variable", expression="g(b)")
    with pytest.raises(EditRefused, match="has no expression"):
        await desk.call("extract", path="a.py", start_line=2, end_line=2, name="x", kind="variable", expression="c")
    with pytest.raises(InvalidArguments, match="say which expression"):
        await desk.call("extract", path="a.py", start_line=2, end_line=2, name="x", kind="variable")


SCRIPT = """function report(items, limit) {
  let total = 0;
  let best = null;
  for (const item of items) {
    if (item > limit) {
      total += item;
      best = item;
    }
  }
  const text = `kept ${total}`;
  const mean = total / (items.length || 1);
  console.log(text, best, mean);
  return [total, best];
}

class Till {
  constructor() { this.sum = 0; }
  add(amount) {
    const doubled = amount * 2;
    this.sum += doubled;
    return doubled > 5 ? "much" : "little";
  }
}

console.log(report([1, 5, 7], 3));
const till = new Till();
console.log(till.add(4), till.sum);
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize(
    ("first", "last", "call", "head"),
    [
        ("let total", "best = item", "const { total, best } = part(items, limit);", "function part(items, limit) {"),
        ("for (const item", "best = item", "({ total, best } = part(items, limit, total, best));", "function part(items, limit, total, best) {"),
        ("const text", "console.log(text", "part(total, items, best);", "function part(total, items, best) {"),
        ("const mean", "return [total", "return part(total, items, text, best);", "function part(total, items, text, best) {"),
        ("const doubled", "this.sum += doubled", "const doubled = this.part(amount);", "  part(amount) {"),
    ],
)  # fmt: skip
async def test_scripts_become_functions_and_run_the_same(desk, first, last, call, head) -> None:
    desk.write("a.js", SCRIPT)
    ran = subprocess.run(["node", "a.js"], cwd=desk.folder, capture_output=True, text=True, check=True).stdout
    end = _line(SCRIPT, last) + (2 if last == "best = item" else 0)
    await desk.call("extract", path="a.js", start_line=_line(SCRIPT, first), end_line=end, name="part")
    assert call in desk.text("a.js")
    assert head in desk.text("a.js")
    assert subprocess.run(["node", "a.js"], cwd=desk.folder, capture_output=True, text=True, check=True).stdout == ran


async def test_typescript_takes_types_along(desk) -> None:
    desk.write(
        "a.ts", "function f(a: number, b?: string) {\n  const n = 3;\n  const c = a + n;\n  return `${c} ${b}`;\n}\n"
    )
    await desk.call("extract", path="a.ts", start_line=3, end_line=4, name="part")
    assert "function part(a: number, n: number, b: string | undefined) {" in desk.text("a.ts")
    desk.write("b.ts", "for (const a of [1]) {\n  if (a) {\n    continue;\n  }\n}\n")
    with pytest.raises(EditRefused, match="leaves for a loop"):
        await desk.call("extract", path="b.ts", start_line=2, end_line=4, name="part")


async def test_other_files_and_odd_ranges_are_refused(desk) -> None:
    desk.write("a.go", "package a\n")
    with pytest.raises(EditRefused, match="only Python"):
        await desk.call("extract", path="a.go", start_line=1, end_line=1, name="x")
    desk.write("a.py", "x = 1\n")
    with pytest.raises(InvalidArguments, match="comes before"):
        await desk.call("extract", path="a.py", start_line=2, end_line=1, name="x")
    with pytest.raises(InvalidArguments, match="no name in Python"):
        await desk.call("extract", path="a.py", start_line=1, end_line=1, name="1x")
