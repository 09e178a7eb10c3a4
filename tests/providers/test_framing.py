"""Bytes into events for the wires that are no server-sent events: Amazon's binary stream, and JSON a line."""

from __future__ import annotations

import json
import struct

import pytest

from attache.providers.eventstream import Frames
from attache.providers.lines import Lines
from attache.schema.errors import ProviderUnavailable, StreamCut
from wire import amazon
from wire.replay import at_random, each_byte, whole

CUTS = {"whole": whole, "each byte": each_byte, "at random": at_random(4)}
EVENT = {":message-type": "event", ":event-type": "messageStop"}


def framed(body: bytes, cut=whole) -> list:
    frames = Frames()
    return [json.loads(data) for piece in cut(body) for data in frames.feed(piece)]


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_messages_come_out_as_they_went_in(cut):
    body = amazon.stream('{"messageStart":{"role":"assistant"}}\n{"contentBlockDelta":{"delta":{"text":"Grüße"}}}')
    assert framed(body, cut) == [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Grüße"}}},
    ]


def test_exceptions_and_errors_are_errors():
    body = amazon.stream('{"throttlingException":{"message":"slow down"}}')
    assert framed(body) == [{"error": {"type": "throttlingException", "detail": {"message": "slow down"}}}]
    error = {":message-type": "error", ":error-code": "500", ":error-message": "out of order"}
    assert framed(amazon.message(error, b"")) == [{"error": {"type": "500", "message": "out of order"}}]


def test_headers_of_every_type_are_stepped_over():
    kinds = {0: b"", 1: b"", 2: b"x", 3: b"xx", 4: b"xxxx", 5: b"x" * 8, 6: b"\x00\x02xx", 8: b"x" * 8, 9: b"x" * 16}
    body = amazon.message(EVENT, b"{}")
    extra = b"".join(b"\x01h" + bytes([kind]) + value for kind, value in kinds.items())
    own = body[12 : 12 + struct.unpack(">I", body[4:8])[0]]
    assert framed(amazon.framed(extra + own, b'{"a":1}')) == [{"messageStop": {"a": 1}}]
    assert framed(amazon.message(EVENT, b"")) == [{"messageStop": {}}]


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_damaged_byte_is_never_an_event(place):
    body = bytearray(amazon.message(EVENT, b'{"stopReason":"end_turn"}'))
    body[place] ^= 0x10
    with pytest.raises(StreamCut):
        framed(bytes(body))


@pytest.mark.parametrize("block", [b"\x05ab", b"\x01h\x63", b"\x02\xff\xfe\x07\x00\x01x"])
def test_broken_headers_are_damage(block):
    with pytest.raises(StreamCut):
        framed(amazon.framed(block, b"{}"))


def test_half_a_message_is_nothing():
    frames = Frames()
    assert frames.feed(amazon.message(EVENT, b"{}")[:-1]) == []
    assert frames.finish() == []


def test_a_document_and_a_web_page_are_told_apart():
    frames = Frames()
    assert frames.feed(b' {"output":') == []
    assert frames.feed(b"{}}") == []
    assert frames.document
    assert frames.finish() == [b'{"output":{}}']
    for parser in (Frames(), Lines()):
        with pytest.raises(ProviderUnavailable, match="web page"):
            parser.feed(b"<html>\n")


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_lines(cut, end):
    documents = [b'{"a":1}', '{"b":"Grüße"}'.encode(), b'{"c":{}}']
    lines, found = Lines(), []
    for piece in cut(end.join(documents)):
        found += lines.feed(piece)
    assert [*found, *lines.finish()] == documents


def test_a_document_of_many_lines_is_one():
    body = json.dumps({"a": {"b": [{}, {"c": 1}]}, "d": 2}, indent=2).encode() + b"\n"
    lines = Lines()
    (found,) = [*lines.feed(body), *lines.finish()]
    assert json.loads(found) == {"a": {"b": [{}, {"c": 1}]}, "d": 2}
    assert Lines().feed(b"upstream connect error\n") == [b"upstream connect error"]
