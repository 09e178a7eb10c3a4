"""A parameter that comes, goes or moves takes every call with it, and the program runs as it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

from attache.schema.errors import EditRefused, InvalidArguments

LIB = """def fetch(url, retries=3, *, wait=1, unused=None):
    return f"{url} {retries} {wait}"


class Base:
    def __init__(self, name, size=2):
        self.name = name
        self.size = size

    def send(self, text, unused=0):
        return f"{self.name} {text}"


class Loud(Base):
    def send(self, text, unused=0):
        return super().send(text, 5).upper()
"""
USE = """import lib
from lib import Base, Loud, fetch as get


def run(base: Base):
    return base.send("a", 1) + base.send(text="b", unused=2) + Base.send(base, "c", 3)


print(get("u"), get("u", 2), lib.fetch(url="v", retries=5, unused=4, wait=2), fetch_all := [get(each) for each in "ab"])
print(run(Base("n")), run(Loud("m", 3)), Loud(name="k").size)
"""


@pytest.fixture
def program(desk):
    desk.write("lib.py", LIB)
    desk.write("use.py", USE)
    return desk


def _ran(desk) -> str:
    return subprocess.run(
        [sys.executable, "use.py"], cwd=desk.folder, capture_output=True, text=True, check=True
    ).stdout


async def test_a_parameter_with_a_value_is_given_by_every_call(program) -> None:
    before = _ran(program)
    output = await program.call("change_signature", path="lib.py", line=1, action="add", parameter="agent", value='"x"')
    assert "def fetch(url, agent, retries=3, *, wait=1, unused=None):" in program.text("lib.py")
    use = program.text("use.py")
    assert 'get("u", agent="x"), get("u", "x", 2), lib.fetch(url="v", retries=5, unused=4, wait=2, agent="x")' in use
    assert 'get(each, agent="x")' in use
    assert _ran(program) == before
    assert output.text.startswith("added `agent` to `fetch`; 4 calls seen in 2 files")


async def test_a_default_leaves_the_calls_alone(program) -> None:
    before = _ran(program)
    await program.call("change_signature", path="lib.py", line=1, action="add", parameter="agent: str = 'x'")
    assert "def fetch(url, retries=3, agent: str = 'x', *, wait=1, unused=None):" in program.text("lib.py")
    assert program.text("use.py") == USE
    assert _ran(program) == before
    with pytest.raises(EditRefused, match="would not give"):
        await program.call("change_signature", path="lib.py", line=1, action="add", parameter="more")


async def test_a_parameter_goes_with_its_arguments_in_all_methods_of_the_family(program) -> None:
    before = _ran(program)
    await program.call("change_signature", path="lib.py", line=1, action="remove", parameter="unused")
    assert 'lib.fetch(url="v", retries=5, wait=2)' in program.text("use.py")
    await program.call("change_signature", path="lib.py", line=10, action="remove", parameter="unused")
    text, use = program.text("lib.py"), program.text("use.py")
    assert text.count("def send(self, text):") == 2
    assert "super().send(text).upper()" in text
    assert 'base.send("a") + base.send(text="b") + Base.send(base, "c")' in use
    assert _ran(program) == before
    with pytest.raises(EditRefused, match=r"`size` is used at lib\.py:8"):
        await program.call("change_signature", path="lib.py", line=6, action="remove", parameter="size")


async def test_a_constructor_and_the_classes_derived_from_it(program) -> None:
    before = _ran(program)
    await program.call("change_signature", path="lib.py", line=6, action="add", parameter="owner", value="None")
    use = program.text("use.py")
    assert "def __init__(self, name, owner, size=2):" in program.text("lib.py")
    assert 'run(Base("n", owner=None)), run(Loud("m", None, 3)), Loud(name="k", owner=None).size' in use
    assert _ran(program) == before


async def test_reordered_arguments_keep_their_meaning(program) -> None:
    program.write(
        "c.py",
        "def area(w, h, d):\n    return w, h, d\n\n\nprint(area(1, 2, 3), area(1, d=3, h=2), area(f(), g(), 3))\n",
    )
    await program.call("change_signature", path="c.py", line=1, action="reorder", order=["h", "w", "d"])
    assert (
        program.text("c.py")
        == "def area(h, w, d):\n    return w, h, d\n\n\nprint(area(2, 1, 3), area(w=1, d=3, h=2), area(w=f(), h=g(), d=3))\n"
    )


@pytest.mark.parametrize(
    ("text", "arguments", "why"),
    [
        ("def f(a):\n    pass\n\n\nf(*x)\n", {"action": "remove", "parameter": "a"}, "unfolds the arguments"),
        ("def f(a):\n    pass\n\n\nmap(f, x)\n", {"action": "remove", "parameter": "a"}, "handed on"),
        ("def f(a):\n    pass\n", {"action": "remove", "parameter": "b"}, "takes no `b`"),
        ("def f(a):\n    pass\n", {"action": "add", "parameter": "a=1"}, "takes a `a` already"),
        ("def f(a):\n    x = 1\n", {"action": "add", "parameter": "x=1"}, "says `x` already"),
        ("def f(a, b=1):\n    pass\n", {"action": "reorder", "order": ["b", "a"]}, "no default cannot"),
        ("def f(a, b):\n    pass\n", {"action": "reorder", "order": ["b", "c"]}, "takes \\(a, b\\)"),
    ],
)
async def test_what_cannot_be_followed_is_refused(desk, text: str, arguments, why: str) -> None:
    desk.write("a.py", text)
    with pytest.raises(EditRefused, match=why):
        await desk.call("change_signature", path="a.py", line=1, **arguments)
    assert desk.text("a.py") == text


async def test_wrong_arguments_say_what_would_do(desk) -> None:
    desk.write("a.py", "def f(a):\n    pass\n")
    for arguments in (
        {"action": "add"},
        {"action": "add", "parameter": "1x"},
        {"action": "reorder"},
        {"action": "turn"},
    ):
        with pytest.raises(InvalidArguments):
            await desk.call("change_signature", path="a.py", line=1, **arguments)
