"""Events come out whole, however the bytes were cut and whichever line ends they have."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.providers.sse import Events
from attache.schema.errors import ProviderUnavailable

DATA = [b'{"a": "gr\xc3\xbc\xc3\x9fe"}', b"[DONE]", b'{"b": 1}', "😀".encode() * 50]


def stream(datas: list[bytes], end: bytes) -> bytes:
    blocks = [b": comment" + end + b"event: x" + end + b"data: " + data + end + b"id: 7" + end + end for data in datas]
    return b"".join(blocks)


def understood(body: bytes, cuts: list[int]) -> list[bytes]:
    events = Events()
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = [body[start:stop] for start, stop in pairwise(places)]
    return [data for piece in pieces for data in events.feed(piece)] + events.finish()


@given(
    datas=st.lists(st.sampled_from(DATA), max_size=6),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(min_value=0, max_value=5000), max_size=30),
)
def test_events_survive_any_cutting(datas, end, cuts):
    assert understood(stream(datas, end), cuts) == datas


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_survive_coming_byte_by_byte(end):
    body = stream(DATA, end)
    assert understood(body, list(range(len(body)))) == DATA


def test_lines_of_data_are_joined_and_a_missing_blank_is_no_matter():
    assert understood(b"data:one\ndata: two\n\ndata:  three\n\n", []) == [b"one\ntwo", b" three"]


def test_a_byte_order_mark_and_blank_lines_before_the_first_event_are_passed_over():
    body = b"\xef\xbb\xbf\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n"
    for cuts in ([], list(range(len(body)))):
        assert understood(body, cuts) == [b"1", b"2"]


def test_the_last_event_may_lack_its_blank_line():
    assert understood(b"data: 1\n\ndata: 2", []) == [b"1", b"2"]


@given(cuts=st.lists(st.integers(min_value=0, max_value=500), max_size=20))
def test_a_json_document_is_one_event(cuts):
    body = b'\r\n \n{"a":\r\n [1,\n\n2]}\n'
    assert [json.loads(data) for data in understood(body, cuts)] == [{"a": [1, 2]}]


def test_nothing_comes_of_nothing():
    assert understood(b"", []) == []
    assert understood(b": only\n: comments\n\n", []) == []


def test_an_error_on_a_line_of_its_own_is_an_event():
    assert understood(b'data: {"a": 1}\n\n{"error": "x"}\n\nerror: {"code": 500}\n\n', []) == [
        b'{"a": 1}',
        b'{"error": "x"}',
        b'{"error": {"code": 500}}',
    ]


def test_a_web_page_is_no_answer():
    with pytest.raises(ProviderUnavailable, match="web page"):
        Events().feed(b"\n<!DOCTYPE html>")


def test_an_event_of_a_megabyte_comes_through_in_small_pieces():
    data = b'{"text": "' + b"x" * 1_000_000 + b'"}'
    events = Events()
    body = b"data: " + data + b"\n\n"
    found = [event for start in range(0, len(body), 700) for event in events.feed(body[start : start + 700])]
    assert found == [data]


def test_an_event_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("attache.providers.sse.MAX_EVENT_BYTES", 10_000)
    events = Events()
    events.feed(b"data: " + b"x" * 9_000)
    with pytest.raises(ProviderUnavailable, match="longer than"):
        events.feed(b"x" * 1_000)
