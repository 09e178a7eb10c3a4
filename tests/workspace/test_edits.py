from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.workspace.documents import split_lines
from attache.workspace.edits import apply, carry, checked, diff, invert, rebase
from attache.workspace.lines import changed

LINES = st.lists(st.sampled_from(["", "a", "b", "c", "  d", "é\U0001f600", "\f", "\u2028"]), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def texts(draw):
    parts = [line + draw(ENDS) for line in draw(LINES)]
    return "".join(parts) + draw(st.sampled_from(["", "tail"]))


@given(texts(), texts())
def test_a_diff_applied_gives_the_other_text_and_its_inverse_gives_it_back(before, after):
    edits = diff(before, after)
    assert apply(before, edits) == after
    assert apply(after, invert(before, edits)) == before


@given(texts(), texts())
def test_between_two_changes_stands_a_kept_line(before, after):
    old, new = split_lines(before), split_lines(after)
    changes = changed(old, new)
    for one, two in pairwise(changes):
        kept = old[one.end : two.start]
        assert kept
        assert kept == new[one.new_end : two.new_start]


def test_a_diff_touches_only_the_lines_that_differ():
    before = "".join(f"line {n}\n" for n in range(1000))
    after = before.replace("line 500\n", "line five hundred\n").replace("line 7\n", "")
    assert [edit.text for edit in diff(before, after)] == ["", "line five hundred\n"]
    assert diff(before, before) == ()


def test_a_function_put_between_two_others_is_one_change():
    before = "def a():\n    return 1\n\n\ndef c():\n    return 1\n"
    after = "def a():\n    return 1\n\n\ndef b():\n    return 1\n\n\ndef c():\n    return 1\n"
    (edit,) = diff(before, after)
    assert edit.start == edit.end
    assert len(split_lines(edit.text)) == 5  # four lines and nothing behind them


def test_many_equal_lines_cost_no_more_than_reading_them():
    before = "same\n" * 20_000
    after = "other\n" + "same\n" * 19_998 + "last\n"
    assert apply(before, diff(before, after)) == after


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ([TextEdit(start=0, end=3, text=""), TextEdit(start=2, end=4, text="")], "overlaps"),
        ([TextEdit(start=4, end=5, text=""), TextEdit(start=1, end=2, text="")], "out of order"),
        ([TextEdit(start=3, end=2, text="x")], "reaches past"),
        ([TextEdit(start=0, end=99, text="x")], "reaches past"),
    ],
)
def test_edits_that_make_no_sense_are_refused(edits, says):
    with pytest.raises(EditRefused, match=says):
        apply("0123456", edits, "a.py")


def test_edits_that_change_nothing_are_dropped_and_those_that_touch_are_kept():
    edits = (TextEdit(start=0, end=1, text="0"), TextEdit(start=2, end=3, text="x"), TextEdit(start=3, end=3, text="y"))
    assert checked("01234", edits) == edits[1:]
    assert apply("01234", edits) == "01xy34"


# ---------------------------------------------------------------- rebase

BASE = "".join(f"line {n}\n" for n in range(20))


def change(text: str, old: str, new: str) -> tuple[TextEdit, ...]:
    assert text.count(old) == 1
    start = text.index(old)
    return (TextEdit(start=start, end=start + len(old), text=new),)


@pytest.mark.parametrize(
    "theirs",
    [
        ("line 0\n", ""),
        ("line 0\n", "line zero\nand more\n"),
        ("line 8\n", "line eight\n"),
        ("line 12\n", ""),
        ("line 19\n", "line 19\nappended\n"),
        ("line 5\nline 6\n", "\n"),
    ],
)
def test_an_edit_moves_along_with_what_changed_elsewhere(theirs):
    ours = change(BASE, "line 10\n", "line ten\n")
    current = apply(BASE, change(BASE, *theirs))
    assert apply(current, rebase(BASE, current, ours)) == current.replace("line 10\n", "line ten\n")


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        (("line 10\n", "LINE 10\n"), "a.py:11 changed since it was read: `line 10` is now `LINE 10`"),
        (("line 10\n", ""), "a.py:11 changed since it was read: `line 10` was removed"),
        (("line 9\n", "line nine\n"), "a.py:10 changed since it was read"),
        (("line 11\n", ""), "a.py:12 changed since it was read: `line 11` was removed"),
        (("line 10\n", "new\nline 10\n"), "a.py:11 changed since it was read: `new` was put in"),
        (("line 10\n", "line 10\nnew\n"), "a.py:12 changed since it was read: `new` was put in"),
        (
            ("line 9\nline 10\nline 11\n", "x\n"),
            "a.py:10 changed since it was read: `line 9` and 2 more lines is now `x`",
        ),
    ],
)
def test_an_edit_whose_lines_or_neighbours_changed_is_refused_and_told_where(theirs, says):
    current = apply(BASE, change(BASE, *theirs))
    with pytest.raises(EditRefused) as caught:
        rebase(BASE, current, change(BASE, "line 10\n", "line ten\n"), "a.py")
    assert caught.value.message.startswith(says)
    assert caught.value.hint


def test_an_edit_in_lines_that_were_copied_elsewhere_is_refused():
    current = BASE + "".join(f"line {n}\n" for n in range(5, 16))
    with pytest.raises(EditRefused, match=r"a\.py:11: .* copied"):
        rebase(BASE, current, change(BASE, "line 10\n", "line ten\n"), "a.py")


def test_insertions_at_both_ends_of_a_file_are_rebased_or_refused():
    top, end = (TextEdit(start=0, end=0, text="top\n"),), (TextEdit(start=len(BASE), end=len(BASE), text="end\n"),)
    both = apply(BASE, change(BASE, "line 10\n", ""))
    assert apply(both, rebase(BASE, both, top)) == "top\n" + both
    assert apply(both, rebase(BASE, both, end)) == both + "end\n"
    with pytest.raises(EditRefused):
        rebase(BASE, "other\n" + BASE, top)
    with pytest.raises(EditRefused):
        rebase(BASE, BASE + "other\n", end)


def test_rebase_never_loses_a_line_of_either_side():
    for seed in range(300):
        random_ = random.Random(seed)
        lines = [f"{random_.choice('abc')}\n" for _ in range(random_.randint(1, 15))]
        base = "".join(lines)
        ours = list(lines)
        ours[random_.randrange(len(ours))] = "OURS\n"
        theirs = list(lines)
        theirs.insert(random_.randrange(len(theirs) + 1), "THEIRS\n")
        try:
            moved = rebase(base, "".join(theirs), diff(base, "".join(ours)))
        except EditRefused:
            continue
        merged = apply("".join(theirs), moved)
        assert merged.count("OURS\n") == 1, seed
        assert merged.replace("THEIRS\n", "") == "".join(ours), seed


# ---------------------------------------------------------------- carry


def test_what_we_did_is_taken_back_around_whatever_was_typed():
    text = "keep\nOURS and OURS\nkeep\n"
    ours = (TextEdit(start=5, end=18, text="was"),)
    typed = (TextEdit(start=9, end=9, text="<typed>"), TextEdit(start=0, end=0, text="<top>"))
    current = apply(apply(text, typed[:1]), typed[1:])
    assert apply(current, carry(ours, typed)) == "<top>keep\nwas<typed>\nkeep\n"


def test_what_has_to_come_back_comes_back_even_where_the_user_removed_its_place():
    gone = (TextEdit(start=2, end=10, text="typed"),)
    assert apply("01typedab", carry((TextEdit(start=5, end=8, text="was"),), gone)) == "01wastypedab"
    assert carry((TextEdit(start=5, end=8, text=""),), gone) == ()


@given(texts(), st.data())
def test_carry_removes_nothing_that_others_put_in(text, data):
    def edit(text: str, put: str) -> TextEdit:
        start = data.draw(st.integers(0, len(text)))
        return TextEdit(start=start, end=data.draw(st.integers(start, len(text))), text=put)

    ours, current, typed = (edit(text, "OURS"),), text, []
    for n in range(3):
        typed.append(edit(current, f"<{n}>") if n else TextEdit(start=0, end=0, text="<0>"))
        current = apply(current, typed[-1:])
    after = apply(current, carry(ours, typed))
    for n in range(3):
        assert (f"<{n}>" in after) >= (f"<{n}>" in current)
