from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.faces.lsp.wire.positions import Encoding, negotiate, to_column, to_units

LINE = "aé漢😀e\u0301\ud83d𝒳z"


@pytest.mark.parametrize(
    ("encoding", "units"),
    [
        ("utf-8", [0, 1, 3, 6, 10, 11, 13, 16, 20, 21]),
        ("utf-16", [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]),
        ("utf-32", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_each_column_of_a_line_in_each_encoding(encoding: Encoding, units: list[int]):
    assert [to_units(LINE, column, encoding) for column in range(len(LINE) + 1)] == units
    assert [to_column(LINE, unit, encoding) for unit in units] == list(range(len(LINE) + 1))


def test_inside_a_character_the_place_before_it_counts():
    assert to_column("a😀b", 2, "utf-16") == 1
    assert [to_column("a😀b", units, "utf-8") for units in (2, 3, 4)] == [1, 1, 1]


def test_past_the_end_is_the_end():
    assert [to_column(line, 99, "utf-16") for line in ("", "ab", "é")] == [0, 2, 1]


@given(st.text(), st.integers(0, 40), st.sampled_from(get_args(Encoding)))
def test_there_and_back(line: str, column: int, encoding: Encoding):
    column = min(column, len(line))
    assert to_column(line, to_units(line, column, encoding), encoding) == column


def test_the_client_says_which_it_likes_best():
    assert negotiate(["utf-8", "utf-16", "utf-32"]) == "utf-8"
    assert negotiate(["ebcdic", "utf-32"]) == "utf-32"
    assert negotiate([]) == "utf-16"
