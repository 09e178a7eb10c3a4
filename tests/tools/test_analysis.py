"""Analyses tell what is there: structure, measures, imports, circles, callers, heirs, what is dead or said twice."""

from __future__ import annotations

import subprocess

import pytest

from attache.schema.errors import FileMissing, InvalidArguments, ToolError

SHOP = '''"""Sell things."""

from shop.prices import price_of
from shop import stock

LIMIT = 3


class Shop:
    """A place to buy at."""

    def sell(self, name: str, count: int = 1) -> int:
        """Sell some."""
        total = 0
        for _ in range(count):
            if stock.has(name) and count < LIMIT:
                total += price_of(name)
            elif name:
                total += 1
        return total

    def _forgotten(self):
        return LIMIT


class Corner(Shop):
    pass


class Kiosk(Corner, Exception):
    pass


def open_shop():
    return Shop().sell("tea")


if __name__ == "__main__":
    open_shop()
'''
PRICES = """def price_of(name):
    from shop.app import LIMIT
    return len(name) + LIMIT


def add_all(items, start):
    total = start
    for item in items:
        if item.count > 3:
            total += item.count * 2
        else:
            total -= 1
    return total


def sum_up(things, first):
    result = first
    for thing in things:
        if thing.weight > 7:
            result += thing.weight * 5
        else:
            result -= 9
    return result
"""


@pytest.fixture
def shop(desk):
    desk.write("shop/__init__.py", '"""A shop."""\n')
    desk.write("shop/app.py", SHOP)
    desk.write("shop/prices.py", PRICES)
    desk.write("shop/stock.py", "import json\n\n\ndef has(name):\n    return bool(json.dumps(name))\n")
    desk.write(
        "tests/test_app.py", "from shop.app import open_shop\n\n\ndef test_open():\n    assert open_shop() == 6\n"
    )
    desk.write(
        "pyproject.toml",
        '[project]\nname = "shop"\ndescription = "Sells things"\nscripts = { shop = "shop.app:open_shop" }\n',
    )
    desk.write(
        "web/a.ts",
        'import { b } from "./b";\nimport lodash from "lodash";\nexport interface Drawn { x: number }\nexport class Box implements Drawn { x = b(1) }\n',
    )
    desk.write(
        "web/b.ts", 'import { Box } from "./a";\nexport function b(n: number) { return n && new Box().x ? 1 : 2; }\n'
    )
    return desk


async def test_an_outline_is_nested_and_has_lines(shop) -> None:
    output = await shop.call("outline", path="shop/app.py")
    rows = output.text.splitlines()
    assert rows[0].startswith("shop/app.py · 39 lines · ")
    assert "9-23 class Shop — A place to buy at." in rows
    assert "  12-20 def sell(self, name: str, count: int = 1) -> int — Sell some." in rows
    assert not any("total" in row for row in rows)
    assert "_forgotten" not in (await shop.call("outline", path="shop/app.py", depth=1)).text
    uri = shop.open("shop/app.py", "def fresh():\n    pass\n")
    assert "def fresh()" in (await shop.call("outline", path="shop/app.py")).text
    assert uri
    shop.write("a.xyz", "x\n")
    with pytest.raises(ToolError, match="no grammar here reads"):
        await shop.call("outline", path="a.xyz")
    with pytest.raises(FileMissing):
        await shop.call("outline", path="gone.py")


async def test_metrics_put_the_most_branched_first(shop) -> None:
    output = await shop.call("metrics", path="shop")
    first = output.data["worst"][0]
    assert (first["symbol"], first["complexity"], first["lines"], first["nesting"], first["parameters"]) == (
        "Shop.sell",
        5,
        9,
        2,
        3,
    )
    assert "shop/app.py:12 Shop.sell · complexity 5, 9 lines, nesting 2, 3 parameters" in output.text
    script = await shop.call("metrics", path="web/b.ts")
    assert script.data["worst"][0]["complexity"] == 3
    with pytest.raises(InvalidArguments, match=r"metrics\.sort"):
        await shop.call("metrics", sort="beauty")
    with pytest.raises(FileMissing):
        await shop.call("metrics", path="gone")


async def test_a_hierarchy_goes_up_and_down(shop) -> None:
    output = await shop.call("hierarchy", name="Corner")
    assert output.text.splitlines() == [
        "shop/app.py:26 Corner(Shop)",
        "  ▴ shop/app.py:9 Shop",
        "  ▾ shop/app.py:30 Kiosk(Corner, Exception)",
    ]
    assert "▾ web/a.ts:4 Box(Drawn)" in (await shop.call("hierarchy", name="Drawn")).text
    assert "▴ Exception (not defined here)" in (await shop.call("hierarchy", name="Kiosk")).text
    with pytest.raises(ToolError, match="no class is called `Cornr`") as unknown:
        await shop.call("hierarchy", name="Cornr")
    assert "Corner" in unknown.value.hint


async def test_dead_code_says_how_sure_it_is(shop) -> None:
    output = await shop.call("dead_code", path="shop", confidence="low")
    found = {each["name"]: each["confidence"] for each in output.data["found"]}
    assert found["Shop._forgotten"] == "high"
    assert found["Kiosk"] == "medium"
    assert "open_shop" not in found
    assert "Shop.sell" not in found
    assert "Corner" not in found
    assert "Kiosk" not in (await shop.call("dead_code", confidence="high")).text
    with pytest.raises(InvalidArguments, match=r"dead_code\.confidence"):
        await shop.call("dead_code", confidence="sure")


async def test_imports_both_ways_and_circles(shop) -> None:
    output = await shop.call("import_graph", path="shop/app.py")
    assert output.data["imports"] == ["shop/prices.py", "shop/stock.py"]
    assert output.data["imported_by"] == ["shop/prices.py", "tests/test_app.py"]
    assert "shop/app.py → shop/prices.py → shop/app.py" in output.text
    script = await shop.call("import_graph", path="web/a.ts")
    assert script.data["imports"] == ["web/b.ts"]
    assert script.data["outside"] == ["lodash"]
    assert "2 circles" in (await shop.call("import_graph")).text
    assert "no circles" in (await shop.call("import_graph", path="tests")).text
    with pytest.raises(FileMissing):
        await shop.call("import_graph", path="gone.py")


async def test_callers_are_followed_to_a_depth(shop) -> None:
    output = await shop.call("callers", name="price_of", depth=3)
    rows = output.text.splitlines()
    assert rows[0] == "shop/prices.py:1 price_of: 4 callers in 2 files"
    assert rows[1].startswith("shop/app.py:17 in Shop.sell · total += price_of(name)")
    assert rows[2].startswith("  shop/app.py:35 in open_shop · return Shop().sell")
    assert any(row.startswith("    tests/test_app.py:5 in test_open") for row in rows)
    assert (await shop.call("callers", name="Shop._forgotten")).text.endswith("nothing here calls it")
    with pytest.raises(ToolError, match="no index"):
        await shop.call("callers", name="zeppelin")
    with pytest.raises(InvalidArguments, match="needs a path"):
        await shop.call("callers", name="price_of", line=1)
    shop.write("other.py", "def price_of():\n    pass\n")
    with pytest.raises(ToolError, match="defined 2 times"):
        await shop.call("callers", name="price_of")
    assert (await shop.call("callers", name="price_of", path="other.py")).text.startswith(
        "other.py:1 price_of: 0 callers"
    )


async def test_similar_code_is_found_whatever_its_names(shop) -> None:
    output = await shop.call("similar", least=0.9)
    assert output.text.splitlines()[1] == "100% shop/prices.py:6-13 add_all ≈ shop/prices.py:16-23 sum_up"
    asked = await shop.call("similar", path="shop/prices.py", start_line=7, end_line=12)
    assert asked.data["pairs"][0]["other"]["name"] == "sum_up"
    with pytest.raises(InvalidArguments, match="go together"):
        await shop.call("similar", start_line=3, end_line=4)
    with pytest.raises(InvalidArguments, match="too little to compare"):
        await shop.call("similar", path="shop/app.py", start_line=2, end_line=2)


async def test_an_overview_tells_where_to_begin(shop) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=shop.folder, check=True)
    text = (await shop.call("overview")).text
    for said in (
        "Sells things",
        "python 73 lines",
        "command shop = shop.app:open_shop",
        "shop/app.py:38",
        "shop/ 4, ",
        "— A shop.",
        "shop/app.py:12 Shop.sell, complexity 5",
        "shop/prices.py 1",
        "pytest: call test",
        "shop/app.py → shop/prices.py",
    ):
        assert said in text, said
    part = (await shop.call("overview", path="web")).text
    assert "web/a.ts → web/b.ts" in part
    assert "shop/app.py" not in part
    with pytest.raises(FileMissing):
        await shop.call("overview", path="gone")


FRAMEWORKS = """import ast
import enum


class First(ast.NodeVisitor):
    pass


class Second(First):
    def _late(self): pass


class Page:
    def do_GET(self): pass
    def setUp(self): pass
    def _repr_html_(self): pass
    def _forgotten(self): pass


@register(
    "name",
)
def _kept(): pass


def pytest_configure(config): pass


Second, Page
"""


async def test_what_a_framework_may_call_is_never_surely_dead(desk) -> None:
    desk.write("a.py", FRAMEWORKS)
    output = await desk.call("dead_code", confidence="low")
    found = {each["name"].rpartition(".")[2]: each["confidence"] for each in output.data["found"]}
    assert found.pop("_forgotten") == "high"
    assert set(found) >= {"_late", "do_GET", "setUp", "_repr_html_", "_kept", "pytest_configure"}
    assert set(found.values()) == {"low"}


async def test_a_review_says_why_each_thing_matters(desk) -> None:
    desk.write("app/a.py", "def f(x):\n    try:\n        x()\n    except Exception:\n        pass\n    eval(x)\n")
    output = await desk.call("review", paths=["app"])
    why = {each["what"]: each["why"] for each in output.data["findings"]}
    silent = next(reason for what, reason in why.items() if "try" in what.lower())
    assert silent == "What went wrong here is never told: whoever looks for it finds nothing."
    assert any(reason.startswith("With text from outside") for reason in why.values())
