"""Inlining keeps what is computed, when and how often; organised imports keep what they mean."""

from __future__ import annotations

import pytest

from attache.schema.errors import EditRefused


async def test_a_value_goes_where_it_is_used(desk) -> None:
    desk.write("a.py", "def f(a, b):\n    both = a + b\n    print(both * 2, both)\n    return [both]\n")
    await desk.call("inline", path="a.py", line=2)
    assert desk.text("a.py") == "def f(a, b):\n    print((a + b) * 2, a + b)\n    return [(a + b)]\n"
    desk.write("b.ts", "function f(a: number) {\n  const size = a * 2;\n  return { size };\n}\n")
    await desk.call("inline", path="b.ts", line=2)
    assert desk.text("b.ts") == "function f(a: number) {\n  return { size: (a * 2) };\n}\n"
    desk.write("c.py", "def f(a):\n    got = a.get()\n    return got\n")
    await desk.call("inline", path="c.py", line=2)
    assert desk.text("c.py") == "def f(a):\n    return a.get()\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("def f(a):\n    x = g()\n    return x, x\n", 2, "used 2 times"),
        ("def f(a):\n    x = g()\n    a.h()\n    return x\n", 2, "may be another by then"),
        ("def f(a):\n    x = a\n    a = 2\n    return x\n", 2, "set again after"),
        ("def f(a):\n    x = 1\n    x = 2\n    return x\n", 2, "once and for all"),
        ("def f(a):\n    x, y = a\n    return x\n", 2, "set together|several|different"),
        ("def f(a):\n    x = a + 1\n    return lambda a: x\n", 2, "means something else"),
        ("def f(a):\n    x = 1\n    return a\n", 2, "nothing uses"),
        ("class A:\n    x = 1\n", 2, "an attribute cannot"),
    ],
)
async def test_what_would_be_computed_otherwise_stays(desk, text: str, line: int, why: str) -> None:
    desk.write("a.py", text)
    with pytest.raises(EditRefused, match=why):
        await desk.call("inline", path="a.py", line=line)
    assert desk.text("a.py") == text


async def test_a_function_of_one_expression(desk) -> None:
    desk.write(
        "a.py",
        'def area(w, h=2):\n    """Say."""\n    return w * h\n\n\ndef use(n):\n    return area(n + 1) + area(h=3, w=n)\n',
    )
    await desk.call("inline", path="a.py", line=1)
    assert desk.text("a.py") == "def use(n):\n    return ((n + 1) * 2) + (n * 3)\n"
    desk.write("b.py", "def f(a):\n    return a + a\n\n\nprint(f(g()))\n")
    with pytest.raises(EditRefused, match="computed 2 times"):
        await desk.call("inline", path="b.py", line=1)
    desk.write("c.py", "def f(a):\n    print(a)\n    return a\n\n\nf(1)\n")
    with pytest.raises(EditRefused, match="more than one"):
        await desk.call("inline", path="c.py", line=1)
    desk.write("d.py", "from b import f\n\nf(1)\n")
    with pytest.raises(EditRefused, match=r"is used in d\.py too"):
        await desk.call("inline", path="b.py", line=1)


async def test_python_imports_are_sorted_and_unused_ones_dropped_in_unsaved_text(desk) -> None:
    desk.write("a.py", "")
    uri = desk.open("a.py", "import sys\nimport os\nfrom b import z, a\n\nprint(os.sep, a)\n")
    await desk.call("organize_imports", path="a.py")
    assert desk.shown(uri) == "import os\n\nfrom b import a\n\nprint(os.sep, a)\n"
    assert "in order" in (await desk.call("organize_imports", path="a.py")).text
    desk.write("bad.py", "import os\ndef (:\n")
    with pytest.raises(EditRefused, match="does not parse"):
        await desk.call("organize_imports", path="bad.py")


async def test_script_imports_are_sorted_by_where_they_come_from(desk) -> None:
    desk.write(
        "a.ts",
        'import { z, a, unused } from "./b";\nimport def, { type T } from "lib";\nimport fs from "node:fs";\nimport "./effects";\nimport { q } from "./q";\n\nlet t: T = def(a, z, fs);\n',
    )
    await desk.call("organize_imports", path="a.ts")
    assert desk.text("a.ts") == (
        'import fs from "node:fs";\nimport def, { type T } from "lib";\nimport { a, z } from "./b";\nimport "./effects";\n\nlet t: T = def(a, z, fs);\n'
    )
    desk.write("a.css", "a {}\n")
    with pytest.raises(EditRefused, match="no rule for the imports"):
        await desk.call("organize_imports", path="a.css")
