"""Renaming follows what a name means: through imports, aliases, classes and unsaved text, and nowhere else."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attache.schema.errors import EditRefused, FileMissing, InvalidArguments
from attache.workspace.servers.servers import Servers

BANK = '''"""A bank with total."""
import json
from collections import deque as total_queue

__all__ = ["Account", "total"]


def total(items, scale=1):
    # total of all
    print("total", f"{len(items)} {scale}")
    return sum(item.amount for item in items) * scale


class Account:
    amount: int

    def __init__(self, owner, amount=0):
        self.owner = owner
        self.amount = amount
        self.log = deque()

    def total(self) -> "int":
        return total([self])

    def pay(self, amount: int) -> None:
        self.amount += amount
        self.log.append(amount)


class Saver(Account):
    def total(self):
        return super().total() + 1


class Report:
    def total(self):
        return {"total": 1}
'''
MAIN = """from bank import total, Account
from bank import total as summed
import bank
import bank as b


def run(accounts: list[Account], report: "bank.Report"):
    account = Account(owner="x", amount=3)
    for each in accounts:
        each.total()
    return bank.total(accounts, scale=2) + b.total([]) + total(accounts) + summed([]) + account.total() + report.total()


def other(total):
    return total + 1


def later():
    total = 3
    return lambda: total
"""


@pytest.fixture
def bank(desk):
    desk.write("src/bank.py", BANK)
    desk.write("src/main.py", MAIN)
    desk.write("pyproject.toml", '[project.scripts]\nbank = "bank:total"\n')
    desk.write("src/star.py", "from bank import *\n\nprint(total([]))\n")
    desk.write("pkg/__init__.py", 'from .inner import helper\nfrom . import inner\n\n__all__ = ["helper"]\n')
    desk.write("pkg/inner.py", "def helper(x=1):\n    return x\n")
    desk.write(
        "use.py",
        "import pkg\nfrom pkg import helper\nfrom pkg.inner import helper as h\n\nprint(helper(x=2), pkg.helper(), pkg.inner.helper(), h(x=1))\n",
    )
    return desk


async def test_a_function_and_every_way_to_it(bank) -> None:
    output = await bank.call("rename", path="src/bank.py", line=8, new_name="balance")
    main = bank.text("src/main.py")
    assert "from bank import balance, Account\nfrom bank import balance as summed" in main
    assert (
        "bank.balance(accounts, scale=2) + b.balance([]) + balance(accounts) + summed([]) + account.total() + report.total()"
        in main
    )
    assert main.partition("def other")[2] == MAIN.partition("def other")[2]
    text = bank.text("src/bank.py")
    assert '__all__ = ["Account", "balance"]' in text
    assert "def balance(items, scale=1):\n    # total of all\n" in text
    assert 'print("total"' in text
    assert "return balance([self])" in text
    assert text.count("def total(self)") == 3
    assert bank.text("src/star.py") == "from bank import *\n\nprint(balance([]))\n"
    assert "strings and comments still say `total`: src/bank.py:1" in output.text
    assert "other files say `total` too, as they did: pyproject.toml" in output.text
    assert output.text.startswith("renamed `total` to `balance`: 9 places in 3 files")
    assert len(output.data["files"]) == 3


async def test_through_a_package_that_offers_it_again(bank) -> None:
    await bank.call("rename", path="pkg/inner.py", line=1, new_name="aid")
    assert bank.text("pkg/__init__.py") == 'from .inner import aid\nfrom . import inner\n\n__all__ = ["aid"]\n'
    assert bank.text("use.py").splitlines()[1:] == [
        "from pkg import aid",
        "from pkg.inner import aid as h",
        "",
        "print(aid(x=2), pkg.aid(), pkg.inner.aid(), h(x=1))",
    ]


async def test_a_method_with_those_that_override_it_and_no_other_classes(bank) -> None:
    output = await bank.call(
        "rename",
        path="src/bank.py",
        line=BANK.splitlines().index('    def total(self) -> "int":') + 1,
        new_name="sum_up",
    )
    text, main = bank.text("src/bank.py"), bank.text("src/main.py")
    assert text.count("def sum_up(self)") == 2
    assert "super().sum_up() + 1" in text
    assert "class Report:\n    def total(self)" in text
    assert "each.sum_up()" in main
    assert "account.sum_up() + report.total()" in main
    assert "shared by Account" in output.text


async def test_a_parameter_with_those_who_name_it(bank) -> None:
    await bank.call("rename", path="src/bank.py", line=8, name="scale", new_name="factor")
    assert "def total(items, factor=1)" in bank.text("src/bank.py")
    assert "{factor}" in bank.text("src/bank.py")
    assert "bank.total(accounts, factor=2)" in bank.text("src/main.py")
    await bank.call("rename", path="pkg/inner.py", line=1, name="x", new_name="y")
    assert "helper(y=2)" in bank.text("use.py")
    assert "h(y=1)" in bank.text("use.py")


async def test_an_attribute_and_its_parameter_are_two_things(bank) -> None:
    with pytest.raises(EditRefused, match="2 different things"):
        await bank.call("rename", path="src/bank.py", line=18, name="owner", new_name="holder")
    await bank.call("rename", path="src/bank.py", line=18, name="self.owner", new_name="holder")
    assert "self.holder = owner" in bank.text("src/bank.py")
    assert 'Account(owner="x"' in bank.text("src/main.py")
    await bank.call("rename", path="src/bank.py", line=17, name="owner", new_name="who")
    assert "def __init__(self, who, amount=0):\n        self.holder = who" in bank.text("src/bank.py")
    assert 'Account(who="x"' in bank.text("src/main.py")


async def test_what_cannot_be_told_is_refused_or_said(desk) -> None:
    desk.write(
        "a.py",
        "class A:\n    def send_it(self):\n        pass\n\n\nclass B:\n    def send_it(self):\n        pass\n\n\ndef f(x):\n    x.send_it()\n",
    )
    with pytest.raises(EditRefused, match=r"cannot be told at a\.py:12"):
        await desk.call("rename", path="a.py", line=2, new_name="deliver")
    output = await desk.call("rename", path="a.py", line=2, new_name="deliver", unsure="leave")
    assert "left though" in output.text
    assert desk.text("a.py").count("deliver") == 1
    desk.write("b.py", "class C:\n    def only_here(self):\n        pass\n\n\ndef f(x):\n    x.only_here()\n")
    output = await desk.call("rename", path="b.py", line=2, new_name="just_here")
    assert "x.just_here()" in desk.text("b.py")
    assert "cannot be told taken along" in output.text


@pytest.mark.parametrize(
    ("text", "line", "name", "new", "why"),
    [
        ("def f(a):\n    b = 1\n    return a + b\n", 1, "a", "b", "would mean something else"),
        ("x = 1\n\ndef f(y):\n    return x + y\n", 1, "x", "y", "would mean something else"),
        ("def f(a):\n    return len(a)\n\nx = 1\n", 4, "x", "len", "would mean something else"),
        ("def __len__():\n    pass\n", 1, "", "x", "Python itself"),
        ("import os\n\nos.getcwd()\n", 1, "os", "x", "comes from outside"),
        ("print(1)\n", 1, "print", "x", "Python's own"),
        ("x = 1\n", 1, "y", "z", "has no name `y`"),
        ("# nothing\n", 1, "", "z", "defines no name"),
        ("import pytest\n\n@pytest.fixture\ndef base():\n    return 1\n", 4, "base", "z", "fixture"),
    ],
)
async def test_what_would_change_a_meaning_is_refused(
    desk, text: str, line: int, name: str, new: str, why: str
) -> None:
    desk.write("a.py", text)
    with pytest.raises(EditRefused, match=why):
        await desk.call("rename", path="a.py", line=line, name=name, new_name=new)
    assert desk.text("a.py") == text


async def test_wrong_arguments_say_what_would_do(desk) -> None:
    desk.write("a.py", "x = 1\n")
    with pytest.raises(InvalidArguments, match="no name in Python"):
        await desk.call("rename", path="a.py", line=1, new_name="class")
    with pytest.raises(InvalidArguments, match=r"rename\.line: field required"):
        await desk.call("rename", path="a.py", new_name="b")
    with pytest.raises(FileMissing):
        await desk.call("rename", path="gone.py", line=1, new_name="b")


async def test_unsaved_text_is_the_truth(bank) -> None:
    uri = bank.open("src/main.py", MAIN + "\nprint(total([], scale=9))\n")
    await bank.call("rename", path="src/bank.py", line=8, new_name="balance")
    assert bank.shown(uri).endswith("print(balance([], scale=9))\n")
    assert bank.text("src/main.py") == MAIN


async def test_local_names_of_every_kind(desk) -> None:
    desk.write(
        "a.py",
        "def f(v):\n    é = 'ünï'; x = v\n    ys = [x for x in v if x]\n    def g():\n        nonlocal x\n        x += 1\n        return f'{x} x {x!r:>{x}}'\n    match v:\n        case [1, x]: pass\n    return x, ys, g, {'x': x}, v.x\n",
    )
    await desk.call("rename", path="a.py", line=2, name="x", new_name="value")
    assert desk.text("a.py") == (
        "def f(v):\n    é = 'ünï'; value = v\n    ys = [x for x in v if x]\n    def g():\n        nonlocal value\n        value += 1\n"
        "        return f'{value} x {value!r:>{value}}'\n    match v:\n        case [1, value]: pass\n    return value, ys, g, {'x': value}, v.x\n"
    )


async def test_fields_of_a_dataclass_with_their_keywords(desk) -> None:
    desk.write(
        "a.py",
        "from dataclasses import dataclass, replace\n\n@dataclass\nclass P:\n    left: int\n    right: int\n\n\ndef f(p: P):\n    q = P(left=1, right=2)\n    match q:\n        case P(left=z): print(z)\n    return replace(p, left=3), q.left, dict(left=1)\n",
    )
    await desk.call("rename", path="a.py", line=5, new_name="start")
    assert desk.text("a.py").endswith(
        "    start: int\n    right: int\n\n\ndef f(p: P):\n    q = P(start=1, right=2)\n    match q:\n        case P(start=z): print(z)\n    return replace(p, start=3), q.start, dict(left=1)\n"
    )


async def test_a_name_from_one_of_several_modules_is_refused(desk) -> None:
    desk.write("a.py", "try:\n    from fast import load\nexcept ImportError:\n    from slow import load\n\nload()\n")
    for module in ("fast", "slow"):
        desk.write(f"{module}.py", "def load():\n    pass\n")
        with pytest.raises(EditRefused, match=r"a\.py:2: `load` is imported from several modules"):
            await desk.call("rename", path=f"{module}.py", line=1, new_name="read")
    desk.write("a.py", "try:\n    from fast import load\nexcept ImportError:\n    load = None\n")
    await desk.call("rename", path="fast.py", line=1, new_name="read")
    assert desk.text("a.py") == "try:\n    from fast import read\nexcept ImportError:\n    read = None\n"


async def test_patterns_and_slots_name_things_too(desk) -> None:
    desk.write(
        "ev.py",
        "class Done:\n    __slots__ = ('code', 'other')\n    __match_args__ = ('code',)\n\n    def __init__(self, code):\n        self.code = code\n",
    )
    desk.write(
        "use.py",
        "import ev\n\n\ndef f(x):\n    match x:\n        case ev.Done(code=1) | ev.Done(2):\n            return 1\n    return isinstance(x, ev.Done)\n",
    )
    await desk.call("rename", path="ev.py", line=1, new_name="Over")
    assert "case ev.Over(code=1) | ev.Over(2):" in desk.text("use.py")
    assert "isinstance(x, ev.Over)" in desk.text("use.py")
    await desk.call("rename", path="ev.py", line=6, name="self.code", new_name="exit")
    assert (
        desk.text("ev.py")
        == "class Over:\n    __slots__ = ('exit', 'other')\n    __match_args__ = ('exit',)\n\n    def __init__(self, code):\n        self.exit = code\n"
    )
    assert "case ev.Over(exit=1) | ev.Over(2):" in desk.text("use.py")


@pytest.mark.skipif(
    not (Path(sys.executable).parent / "basedpyright-langserver").exists(), reason="basedpyright is not beside us"
)
async def test_a_language_server_decides_where_scopes_cannot(desk, monkeypatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    desk.write(
        "a.py",
        "class A:\n    def send_it(self):\n        return 1\n\n\nclass B:\n    def send_it(self):\n        return 2\n\n\ndef make(n):\n    return A() if n else A()\n\n\nprint(make(1).send_it(), B().send_it())\n",
    )
    with pytest.raises(EditRefused, match="cannot be told"):
        await desk.call("rename", path="a.py", line=2, new_name="deliver")
    servers = Servers(desk.ctx.workspace, trusted=False)
    desk.ctx = replace(desk.ctx, servers=servers)
    try:
        output = await desk.call("rename", path="a.py", line=2, new_name="deliver")
    finally:
        await servers.close()
    assert "print(make(1).deliver(), B().send_it())" in desk.text("a.py")
    assert "by the language server" in output.text
