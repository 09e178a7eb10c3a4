"""A missing import goes where a person would put it, and nowhere when it is not sure."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.schema.code import Symbol
from attache.schema.documents import Patch
from attache.tools.fixes.imports import Import, add, source_of


def patched(text: str, patch: Patch | None) -> str:
    assert patch is not None
    lines = text.splitlines(keepends=True)
    at = sum(map(len, lines[: patch.line - 1])) + patch.column - 1
    return text[:at] + patch.text + text[at:]


def symbol(name: str, path: str, container: str = "") -> Symbol:
    return Symbol(name=name, kind="class", path=path, line=1, start_line=1, end_line=2, container=container)


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("import os\nimport sys\n\nx = 1\n", Import(module="json"), "import json\nimport os\nimport sys\n\nx = 1\n"),
        ("import os\n\nx = 1\n", Import(module="re"), "import os\nimport re\n\nx = 1\n"),
        ('"""Doc."""\n\nx = 1\n', Import(module="re"), '"""Doc."""\n\nimport re\n\nx = 1\n'),
        ("x = 1\n", Import(module="re"), "import re\n\nx = 1\n"),
        ("from typing import Any\n", Import(module="typing", name="Literal"), "from typing import Any, Literal\n"),
        ("from shop.d import x\ny = 1\n", Import(module="json"), "import json\n\nfrom shop.d import x\ny = 1\n"),
        ("import os\r\n\r\nx = 1\r\n", Import(module="re"), "import os\r\nimport re\r\n\r\nx = 1\r\n"),
        ("import os", Import(module="re"), "import os\nimport re"),
        (
            "from __future__ import annotations\n\nx = 1\n",
            Import(module="re"),
            "from __future__ import annotations\n\nimport re\n\nx = 1\n",
        ),
    ],
)
def test_where_it_goes(before: str, wanted: Import, after: str) -> None:
    assert patched(before, add(before, wanted, "a.py")) == after


def test_what_is_imported_or_cannot_be_parsed_is_left_alone() -> None:
    assert add("from typing import Any\n", Import(module="typing", name="Any"), "a.py") is None
    assert add("def broken(:\n", Import(module="re"), "a.py") is None


def test_whoever_defines_a_name_in_the_workspace_means_it() -> None:
    own = [symbol("Path", "src/shop/paths.py")]
    assert str(source_of("Path", own, "src/shop/cart.py")) == "from shop.paths import Path"
    assert str(source_of("Path", [], "a.py")) == "from pathlib import Path"
    assert str(source_of("json", [], "a.py")) == "import json"
    assert source_of("Cart", [symbol("Cart", "a/x.py"), symbol("Cart", "b/y.py")], "c.py") is None
    assert source_of("save", [symbol("save", "a/x.py", container="Cart")], "c.py") is None
    assert source_of("nothing_like_it", [], "c.py") is None


HEADS = ["", '"""Doc."""\n', "import os\n", "from a import b\n", "from __future__ import annotations\n", "# note\n"]


@given(st.lists(st.sampled_from(HEADS), max_size=4), st.sampled_from(["x = 1\n", "def f():\n    pass\n", ""]))
def test_the_result_always_parses_and_has_the_import(heads: list[str], body: str) -> None:
    text = "".join(heads) + body
    try:
        compile(text, "a.py", "exec")
    except SyntaxError:
        return
    result = patched(text, add(text, Import(module="json"), "a.py"))
    compile(result, "a.py", "exec")
    assert any(isinstance(node, ast.Import) and node.names[0].name == "json" for node in ast.parse(result).body)
