"""Framing: whole messages out of any pieces, and the next message found whatever the peer does."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attache.foundation.frames import HEADER_LIMIT_BYTES, Frames, Malformed, frame
from attache.foundation.jsonrpc import decode, encode

ONE = {"jsonrpc": "2.0", "method": "one", "params": {"text": "grüße 🎉\n"}}
TWO = {"jsonrpc": "2.0", "id": 2, "result": None}


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def parse(data: bytes, size: int = 1 << 20, **options) -> list:
    frames = Frames(decode, **options)
    return [message for piece in cut(data, size) for message in frames.feed(piece)]


def shape(messages: list) -> list:
    return ["malformed" if isinstance(message, Malformed) else message for message in messages]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_messages_come_out_whole_from_pieces_of_any_size(size):
    assert parse(encode(ONE) + encode(TWO), size) == [ONE, TWO]


def body(message: dict) -> bytes:
    return json.dumps(message).encode()


@pytest.mark.parametrize(
    "header",
    ["content-length:{}\r\n\r\n", "CONTENT-LENGTH : {}  \r\n\r\n", "Content-Length: {}\n\n",
     "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
     "Content-Length: {}\r\nContent-Type: x; y=z\r\n\r\n", "\r\nContent-Length: {}\r\n\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 1000])
def test_headers_as_real_clients_write_them(header, size):
    data = header.format(len(body(ONE))).encode() + body(ONE)
    assert parse(data * 2, size) == [ONE, ONE]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    "broken",
    [
        b"Content-Length: 20\r\n\r\n" + body(ONE),  # too short
        b"Content-Length: %d\r\n\r\n" % (len(body(ONE)) + 9) + body(ONE),  # swallows part of the next header
        b"Content-Length: 5000\r\n\r\n" + body(ONE),  # swallows messages
        b"Content-Length: 8589934592\r\n\r\n" + body(ONE),  # more than there is memory
        b"Content-Length: -1\r\n\r\n" + body(ONE),
        b"Content-Length: 3\r\n\r\n{]}",
        b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
        b"Content-Length: 0\r\n\r\n",
        frame(b"[" * 100_000),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"panic! something printed on stdout\n",
        b"\x00" * 20_000,
    ],
    ids=["short", "a little long", "long", "8 GB", "negative", "no JSON", "no UTF-8", "empty", "deep", "HTTP", "print", "zeros"],
)  # fmt: skip
def test_a_broken_frame_costs_one_message_and_is_reported(broken, size):
    frames = Frames(decode)
    got = shape([message for piece in cut(broken + encode(ONE) + encode(TWO), size) for message in frames.feed(piece)])
    assert got[-1] == TWO
    assert got[-2] in (ONE, "malformed")
    assert "malformed" in got
    assert len(got) <= 4
    assert frames.feed(encode(ONE)) == [ONE]


def test_a_frame_over_the_limit_is_never_gathered():
    frames = Frames(decode, limit_bytes=1000)
    assert shape(frames.feed(b"Content-Length: 100000\r\n\r\n")) == ["malformed"]
    for _ in range(100):
        assert frames.feed(b"x" * 1000) == []
        assert len(frames._buffer) <= HEADER_LIMIT_BYTES + 1000
    assert frames.feed(encode(ONE)) == [ONE]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_garbage_makes_it_deaf(garbage, size):
    assert parse(garbage + b"\n" + encode(ONE) + encode(TWO), size)[-1] == TWO


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.integers(1, 40))
def test_what_is_encoded_is_decoded(value, size):
    assert parse(encode({"params": value}), size) == [{"params": value}]


def test_half_an_emoji_travels_out_as_an_escape_and_comes_in_as_a_replacement():
    data = encode({"text": "a\ud83cb"})
    assert b"\\ud83c" in data
    assert parse(data) == [{"text": "a\ufffdb"}]
    assert decode(rb'["\ud83c\udf89", "\\ud83c", "\udf89"]') == ["🎉", "\\ud83c", "\ufffd"]


def test_a_big_body_in_small_pieces_is_not_searched_again_and_again():
    data = frame(b'{"a":' + b"\n\n" * 300_000 + b"1}")  # a header could stand behind every blank line

    def cost(size: int) -> float:
        begun = time.process_time()
        assert parse(data, size) == [{"a": 1}]
        return time.process_time() - begun

    assert cost(4096) < 30 * max(cost(len(data)), 0.002)
