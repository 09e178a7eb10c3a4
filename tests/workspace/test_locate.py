from __future__ import annotations

import pytest

from attache.schema.errors import EditRefused
from attache.workspace.edits import apply
from attache.workspace.locate import locate

CODE = """\
def a():
    x = 1
    return x


class B:
    def a(self):
        if self.ready:
            x = 1
            return x
        return None
"""


def edited(text: str, search: str, replace: str) -> str:
    return apply(text, [locate(text, search, replace, "m.py")])


@pytest.mark.parametrize(
    ("text", "search", "replace", "after"),
    [
        # exactly, within a line or over several
        ("a = 1\nb = 2\n", "b = 2", "b = 3", "a = 1\nb = 3\n"),
        ("a = 1\nb = 2\n", "1\nb", "2\nc", "a = 2\nc = 2\n"),
        ("a\nb\nc\n", "b\n", "", "a\nc\n"),
        ("a\nb", "b", "c", "a\nc"),
        # line ends are the text's own
        ("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\nz\n", "x\r\ny\r\nz\r\nc\r\n"),
        ("a\rb\rc\r", "a\nb", "x\ny", "x\ry\rc\r"),
        ("a\nb\nc\n", "a\r\nb\r\n", "x\r\ny\r\n", "x\ny\nc\n"),
        ("a\r\nb\nc\nd\n", "a\nb\n", "x\ny\n", "x\ny\nc\nd\n"),
        ("a = 1\r\nb\r\n", "a = 1", "a = 1\nc", "a = 1\r\nc\r\nb\r\n"),
        # trailing blanks
        ("a  \nb\t\nc\n", "a\nb\n", "x\ny\n", "x\ny\nc\n"),
        ("a\nb\nc\n", "a \nb  \n", "x\ny\n", "x\ny\nc\n"),
        ("a  \nb\nc\n", "a\nb", "x", "x\nc\n"),
        ("a \nb", "a\nb\n", "x\ny\n", "x\ny"),
        ("a \nb\nc\n", "a\nb\n", "", "c\n"),
        ("a \nb\nc\n", "a\nb\n", "x", "x\nc\n"),
        # blank lines that are not there
        ("a\nb\nc\n", "\na\nb\n", "\nx\ny\n", "x\ny\nc\n"),
        ("a\nb\nc\n", "a\nb\n\n\n", "x\n\n\n", "x\nc\n"),
        ("a\nb\nc\n", "\n\nb\n\n", "x\n", "a\nx\nc\n"),
        ("a\nb\nc\n", "\nb\n\n", "", "a\nc\n"),
        ("a\nb\nc\n", "\nb\n", "\n\nx\n", "a\n\nx\nc\n"),
        # indentation
        ("if a:\n        b\n        c\n", "    b\n    c\n", "    d\n\n      e\n", "if a:\n        d\n\n          e\n"),
        ("if a:\n  b\n  c\n", "    b\n    c\n", "    d\n", "if a:\n  d\n"),
        ("if a:\n\tb\n\n\tc\n", "b\n\nc", "d\ne", "if a:\n\td\n\te\n"),
        ("{\n    a\n      b\n}\n", "\n  a \n    b\n", "\n  c\n", "{\n    c\n}\n"),
    ],
)  # fmt: skip
def test_the_one_place_is_found(text, search, replace, after):
    assert edited(text, search, replace) == after


@pytest.mark.parametrize(
    ("text", "search"),
    [
        (CODE, "x = 1"),
        (CODE, "def a"),
        ("aaa", "aa"),
        ("a \nb\nx\na  \nb\n", "a\nb\n"),
        ("  a\n  b\n    a\n    b\n", "a\nb\n"),
    ],
)
def test_two_places_are_never_guessed_between(text, search):
    with pytest.raises(EditRefused) as caught:
        locate(text, search, "y", "m.py")
    assert "stands 2 times, at lines" in caught.value.message
    assert caught.value.hint.count("m.py:") == 2


def test_more_context_makes_it_one_place():
    assert edited(CODE, "def a():\n    x = 1", "def a():\n    x = 2") == CODE.replace("x = 1", "x = 2", 1)
    assert edited(CODE, "if self.ready:\n    x = 1", "if self.ready:\n    x = 2").endswith(
        "        if self.ready:\n            x = 2\n            return x\n        return None\n"
    )


@pytest.mark.parametrize(
    "search",
    [
        "    x = 2\n    return x\n",
        "return x\nreturn None\n",
        "    def a(self):\n    if self.ready:\n",
        "\tx = 1\n\treturn x\n",
    ],
)
def test_a_text_that_is_nowhere_is_refused_with_the_nearest_places(search):
    with pytest.raises(EditRefused) as caught:
        locate(CODE, search, "y", "m.py")
    assert caught.value.message == "m.py: the text to replace is not there"
    assert "nearest are:\nm.py:" in caught.value.hint


def test_a_refusal_shows_the_lines_as_they_stand():
    with pytest.raises(EditRefused) as caught:
        locate(CODE, "        if self.ready():\n            x = 1\n", "y", "m.py")
    assert "m.py:8\n        if self.ready:\n            x = 1" in caught.value.hint


def test_a_refusal_says_when_the_replacement_stands_already():
    with pytest.raises(EditRefused) as caught:
        locate(CODE, "    y = 1\n    return y\n", "    x = 1\n    return x\n", "m.py")
    assert "stands there already:\nm.py:2" in caught.value.hint


def test_a_refusal_invents_no_places():
    with pytest.raises(EditRefused) as caught:
        locate(CODE, "SELECT * FROM somewhere_else", "y", "m.py")
    assert caught.value.hint == "nothing in the file is like it: read the file again"


@pytest.mark.parametrize("search", ["", "\n", "  \n\t\n"])
def test_blanks_alone_are_no_search(search):
    with pytest.raises(EditRefused, match="empty"):
        locate(CODE, search, "y", "m.py")


def test_a_replacement_that_cannot_move_left_is_refused():
    with pytest.raises(EditRefused, match=r"m\.py:2: .* less indentation"):
        locate("a\nb\nc\n", "    b\n    c\n", "    d\n  e\n", "m.py")
