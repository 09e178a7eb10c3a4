from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attache.schema.data import Uri
from attache.schema.errors import AttacheError
from attache.workspace.documents import END, BufferChange, BufferEdit, Buffers, Document, split_lines, text_hash

PIECES = [
    "\n",
    "\r\n",
    "\r",
    "\u2028",
    "\x0c",
    "\x85",
    "\x1e",
    "a",
    "bc",
    "é",
    "😀",
    "e\u0301",
    " ",
    "\ud83d",
    "x\ny",
    "\r\n\n\r",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
POSITIONS = st.tuples(st.integers(-1, 12), st.integers(-1, 8))
URI = Uri("file:///project/a.py")


def naive_lines(text: str) -> list[str]:
    """Every line without its line end, found letter by letter."""
    lines, at = [""], 0
    while at < len(text):
        if text[at] == "\r" or text[at] == "\n":
            at += 2 if text[at : at + 2] == "\r\n" else 1
            lines.append("")
        else:
            lines[-1] += text[at]
            at += 1
    return lines


def naive_offset(text: str, line: int, column: int) -> int:
    lines = naive_lines(text)
    if line >= len(lines):
        return len(text)
    if line < 0:
        return 0
    starts = [0] + [match.end() for match in re.finditer("\r\n|\r|\n", text)]
    return starts[line] + min(max(column, 0), len(lines[line]))


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.lists(st.tuples(POSITIONS, POSITIONS, TEXTS), max_size=6))
def test_edits_do_what_they_do_to_a_plain_string(text, edits):
    document = Document(URI, text)
    for start, end, new in edits:
        low, high = sorted((naive_offset(text, *start), naive_offset(text, *end)))
        made = document.replace(start, end, new)
        assert naive_offset(text, *made.start) == low
        assert naive_offset(text, *made.end) == high
        text = text[:low] + new + text[high:]
        lines = naive_lines(text)
        assert document.line_count == len(lines)
        assert [document.line(number) for number in range(len(lines))] == lines
        assert document.text == text
        assert document.hash == text_hash(text) == Document(URI, text).hash
        for line in range(-1, len(lines) + 1):
            for column in (-1, 0, 1, 3, 99):
                assert document.offset(line, column) == naive_offset(text, line, column)
        for offset in range(len(text) + 1):
            line, column = document.position(offset)
            inside_line_end = text[offset - 1 : offset + 1] == "\r\n"
            assert naive_offset(text, line, column) == offset - inside_line_end


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_rewrite_touches_only_the_lines_that_differ(before, after):
    document = Document(URI, before)
    edit = document.rewrite(after)
    assert document.text == after
    low, high = naive_offset(before, *edit.start), naive_offset(before, *edit.end)
    assert before[:low] + edit.text + before[high:] == after
    if before == after:
        assert (low, edit.text) == (high, "")


def test_a_rewrite_of_one_line_in_many_is_one_line():
    lines = [f"line {number}\n" for number in range(100)]
    document = Document(URI, "".join(lines))
    lines[50] = "changed\n"
    assert document.rewrite("".join(lines)) == BufferEdit((50, 0), (51, 0), "changed\n")


@given(TEXTS)
def test_lines_joined_are_the_text_and_only_lsp_line_ends_break_it(text):
    lines = split_lines(text)
    assert "".join(lines) == text
    assert [line.rstrip("\r\n") for line in lines] == naive_lines(text)


def test_text_is_joined_once_until_the_next_edit():
    document = Document(URI, "a\nb\n")
    document.replace((1, 0), (1, 0), "x")
    assert document.text is document.text
    assert document.text == "a\nxb\n"


def test_a_buffer_is_found_under_every_spelling(tmp_path):
    (tmp_path / "a b.py").write_text("")
    (tmp_path / "link.py").symlink_to("a b.py")
    escaped, plain = Uri((tmp_path / "a b.py").as_uri()), Uri(f"file://{tmp_path}/a b.py")
    buffers = Buffers()
    document = buffers.open(escaped, "x", 1, "python")
    assert buffers.get(plain) is document
    assert buffers.get(Uri(f"file://{tmp_path}/./a%20b.py")) is document
    assert buffers.get(Uri(f"file://{tmp_path}/link.py")) is document
    assert buffers.get(Uri(f"file://{tmp_path}/other.py")) is None
    assert document.uri == escaped
    buffers.change(plain, 2, [BufferEdit((0, 0), (0, 0), "y")])
    assert (document.text, document.version) == ("yx", 2)


def test_two_buffers_of_one_file_stay_apart(tmp_path):
    (tmp_path / "a.py").write_text("")
    (tmp_path / "link.py").symlink_to("a.py")
    first, second = (Uri((tmp_path / name).as_uri()) for name in ("a.py", "link.py"))
    third = Uri(f"file://{tmp_path}/./a.py")
    buffers = Buffers()
    buffers.open(first, "1", 1)
    buffers.open(second, "2", 1)
    buffers.change(first, 2, [BufferEdit((0, 1), (0, 1), "!")])
    assert [document.text for document in buffers] == ["1!", "2"]
    assert buffers.get(third) is buffers.get(second), "the one opened last speaks for other spellings"
    buffers.close(second)
    assert buffers.get(second) is buffers.get(first)
    buffers.close(first)
    assert buffers.get(first) is None
    assert list(buffers) == []


def test_a_buffer_that_is_no_file_has_its_uri_for_a_key():
    buffers = Buffers()
    document = buffers.open(Uri("untitled:Untitled-1"), "", 1)
    assert buffers.get(Uri("untitled:Untitled-1")) is document
    assert buffers.get(Uri("untitled:Untitled-2")) is None


def test_listeners_hear_each_change_after_it_was_made():
    buffers, heard = Buffers(), []
    unsubscribe = buffers.subscribe(lambda change: heard.append((change, [one.text for one in buffers])))
    buffers.open(URI, "one\ntwo\nthree\n", 1)
    typed = BufferEdit((0, 0), (0, 99), "1")
    buffers.change(URI, 2, [typed, BufferEdit((0, 0), END, "1\n2\nthree\n")])
    buffers.save(URI)
    buffers.close(URI)
    unsubscribe()
    buffers.open(URI, "", 1)
    assert heard == [
        (BufferChange(URI, "open", 1), ["one\ntwo\nthree\n"]),
        (
            # A new whole text is heard as the lines that differ: what is followed by line is not lost.
            BufferChange(URI, "change", 2, (BufferEdit((0, 0), (0, 3), "1"), BufferEdit((1, 0), (2, 0), "2\n"))),
            ["1\n2\nthree\n"],
        ),
        (BufferChange(URI, "save", 2), ["1\n2\nthree\n"]),
        (BufferChange(URI, "close", 2), []),
    ]


def test_a_change_to_what_is_not_open_is_refused():
    with pytest.raises(AttacheError, match="is not open"):
        Buffers().change(URI, 2, [])


async def test_settled_waits_for_a_newer_version():
    buffers = Buffers()
    buffers.open(URI, "a", 4)
    waiting = asyncio.create_task(buffers.settled(URI, after_version=4, timeout_seconds=5))
    await asyncio.sleep(0)
    buffers.save(URI)
    await asyncio.sleep(0)
    assert not waiting.done()
    buffers.change(URI, 7, [BufferEdit((0, 1), (0, 1), "b")])
    assert (await waiting).text == "ab"
    assert (await buffers.settled(URI, after_version=6, timeout_seconds=0)).version == 7, "that is past already"


async def test_settled_gives_up_in_time_and_at_once_when_the_buffer_is_closed():
    buffers = Buffers()
    buffers.open(URI, "a", 4)
    with pytest.raises(TimeoutError):
        await buffers.settled(URI, after_version=4, timeout_seconds=0.01)
    waiting = asyncio.create_task(buffers.settled(URI, after_version=4, timeout_seconds=60))
    await asyncio.sleep(0)
    buffers.close(URI)
    with pytest.raises(TimeoutError, match="was closed"):
        await waiting
