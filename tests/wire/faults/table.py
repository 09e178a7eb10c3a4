"""The 48 faults, each as what a server does and what must become of it; clocks are scaled."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from wire import amazon
from wire.faults.speech import Called, Event, Line, Said, content_type, events, frame

ATTEMPTS = 4
CLOCKS = {"model_first_byte_seconds": 1.5, "model_idle_seconds": 1.5, "model_total_seconds": 3.0}
LIMIT_SECONDS = 20.0
"""What a run may take in all, its attempts and their clocks together."""
TOOL = "mark"
CALL = Said(texts=("Look", "ing. "), calls=(Called("call_1", TOOL, '{"word": "x"}'),))
DONE = Said(texts=("Do", "ne."))
ALIVE = Said(texts=("Alive.",))
Spoilt = Callable[[str], tuple[Line, ...]]
"""From a wire to what its server does first."""


@dataclass(frozen=True)
class Fault:
    """One fault. `ends` is "answered", or words of the error (a pattern)."""

    number: int
    name: str
    first: Spoilt
    ends: str = "answered"
    posts: int = 3
    """How many calls the whole may take."""
    forever: bool = False
    marked: tuple[str, ...] = ("x",)
    """With which words the tool runs, in order; none where no valid call ever comes."""
    texts: tuple[str, ...] = ("Looking. ", "Done.")
    billed: int | None = None
    """Input tokens that are counted in all; None: a hundred for each answer that came to its end."""
    complete: bool = False
    """Whether the spoilt answers come to their end, so that their tokens count."""
    place: str = ""
    """A base URL in the place of the server's."""
    past: bool = False
    """Whether much was said before, so that there is something to cut."""


def well(wire: str, body: bytes) -> Line:
    """Answer as a model would: call the tool, tell what came of it, and be there for the next question."""
    asked = body.rfind(b"first question")
    said = ALIVE if body.rfind(b"other question") > asked else DONE if body.find(b"marked ", asked) > 0 else CALL
    return stream(wire, events(wire, said))


def stream(wire: str, told: Iterable[Event], **more: Any) -> Line:
    """Return events as a line."""
    pieces = tuple(data for _, data in told)
    return Line(headers={"content-type": content_type(wire)}, pieces=pieces, **more)


def refusal(status: int, words: str, kind: str = "", **headers: str) -> Line:
    """Return an error as most providers word it."""
    body = json.dumps({"error": {"message": words, "type": kind or "invalid_request_error", "code": kind or None}})
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Line(status, {"content-type": "application/json", **named}, (body.encode(),))


def _status(status: int, words: str, kind: str = "", **headers: str) -> Spoilt:
    return lambda _wire: (refusal(status, words, kind, **headers),)


def _said(*answers: Said) -> Spoilt:
    return lambda wire: tuple(stream(wire, events(wire, said)) for said in answers)


def _cut(until: Callable[[str, list[Event]], list[bytes | float]], **more: Any) -> Spoilt:
    """Spoil the calling answer: what of it is sent, and how the connection ends."""

    def first(wire: str) -> tuple[Line, ...]:
        pieces = tuple(until(wire, events(wire, CALL)))
        return (replace(stream(wire, ()), pieces=pieces, **more),)

    return first


def _till(*kinds: str) -> Callable[[str, list[Event]], list[bytes | float]]:
    """Return what comes before the first event of these kinds."""

    def until(_wire: str, told: list[Event]) -> list[bytes | float]:
        stop = next((place for place, (kind, _) in enumerate(told) if kind in kinds), len(told))
        return [data for _, data in told[:stop]]

    return until


def _whole(_wire: str, told: list[Event]) -> list[bytes | float]:
    return [data for _, data in told]


def _inside_arguments(_wire: str, told: list[Event]) -> list[bytes | float]:
    last = max(place for place, (kind, _) in enumerate(told) if kind == "arguments" and _has_words(told[place]))
    data = told[last][1]
    return [*(data for _, data in told[:last]), data[: len(data) // 2]]


def _has_words(event: Event) -> bool:
    return b"word" in event[1] or b"x" in event[1]


def _overloaded(wire: str) -> tuple[Line, ...]:
    """An error in the midst of an answer that began well."""
    error: dict[str, Any] = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    match wire:
        case "anthropic_messages" | "anthropic_cloud":
            data = frame(wire, {"type": "error", **error}, "error")
        case "openai_responses":
            data = frame(wire, {"type": "error", "code": "overloaded_error", "message": "Overloaded"}, "error")
        case "bedrock_converse":
            data = amazon.stream(json.dumps({"throttlingException": {"message": "Overloaded"}}))
        case "cohere_v2":
            data = frame(wire, {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "Overloaded"}})
        case _:
            data = frame(wire, error)
    begun = _till("call", "arguments")(wire, events(wire, CALL))
    return (replace(stream(wire, ()), pieces=(*begun, data)),)


OVERFLOWS = {
    "anthropic_messages": (400, "prompt is too long: 201234 tokens > 200000 maximum"),
    "anthropic_cloud": (400, "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000"),
    "openai_responses": (400, "Your input exceeds the context window of this model."),
    "gemini": (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    "bedrock_converse": (400, "Input is too long for requested model."),
    "cohere_v2": (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081"),
    "ollama_chat": (400, "the request exceeds the available context size. try increasing the context size"),
}


def _overflow(wire: str) -> tuple[Line, ...]:
    usual = (400, "This model's maximum context length is 128000 tokens. Your messages resulted in 130012 tokens.")
    return (refusal(*OVERFLOWS.get(wire, usual)),)


def _filtered(wire: str) -> tuple[Line, ...]:
    return _said(Said(texts=("Look", "ing. "), stop="filter"))(wire)


def _each_byte(wire: str, told: list[Event]) -> list[bytes | float]:
    data = b"".join(data for _, data in told)
    return [data[place : place + 1] for place in range(len(data))]


def _other_line_ends(wire: str, told: list[Event]) -> list[bytes | float]:
    """Line ends of the other kinds, comments, and no space after the colon, where the wire has lines."""
    if wire == "bedrock_converse":
        return _whole(wire, told)
    data = b"".join(data for _, data in told)
    if wire == "ollama_chat":
        return [data.replace(b"\n", b"\r\n")]
    middle = len(told) // 2
    one, other = (b"".join(data for _, data in half) for half in (told[:middle], told[middle:]))
    bare = other.replace(b"data: ", b"data:").replace(b"\n", b"\r")
    return [b": hello\r\n\r\n", one.replace(b"\n", b"\r\n"), b": still here\r\r", bare]


def _replaced(old: bytes, new: bytes) -> Callable[[str, list[Event]], list[bytes | float]]:
    def until(wire: str, told: list[Event]) -> list[bytes | float]:
        if wire == "bedrock_converse":  # each message carries its own checksum: there damage is damage
            return _whole(wire, told)
        data = b"".join(data for _, data in told).replace(old, new)
        return [data[place : place + 3] for place in range(0, len(data), 3)]

    return until


def _with_strangers(wire: str, told: list[Event]) -> list[bytes | float]:
    """Events that later versions may bring, and pings."""
    match wire:
        case "bedrock_converse":
            strangers = [amazon.stream('{"futureEvent":{"a":1}}')]
        case "ollama_chat":
            strangers = [frame(wire, {"model": "m", "future": True})]
        case "gemini":
            strangers = [b": ping\n\n", frame(wire, {"future": 1})]
        case _:
            unknown = [frame(wire, {"type": "ping"}, "ping"), frame(wire, {"type": "future.thing", "x": []})]
            strangers = [b": ping\n\n", *unknown]
    mixed: list[bytes | float] = []
    for _, data in told:
        mixed += [*strangers, data]
    return mixed


def _repeated(wire: str, told: list[Event]) -> list[bytes | float]:
    """Events twice that name what they are about: beginnings, calls, reasons to stop, usage and ends."""
    again = {"start", "call", "stop", "usage", "end"} | ({"arguments"} if wire in {"gemini", "ollama_chat"} else set())
    return [data for kind, one in told for data in ([one, one] if kind in again else [one])]


def _call_after_stop(wire: str, told: list[Event]) -> list[bytes | float]:
    stops = [data for kind, data in told if kind == "stop"]
    before = [data for kind, data in told if kind in {"start", "text"}]
    calls = [data for kind, data in told if kind in {"call", "arguments"}]
    return [*before, *stops, *calls, *(data for kind, data in told if kind in {"usage", "end"})]


def _packed(wire: str) -> tuple[Line, ...]:
    data = gzip.compress(b"".join(data for _, data in events(wire, CALL)))
    headers = {"content-type": content_type(wire), "content-encoding": "gzip"}
    return (Line(200, headers, (data[: len(data) // 2],)),)


def _wrong_length(wire: str) -> tuple[Line, ...]:
    data = b"".join(data for _, data in events(wire, CALL))
    return (replace(stream(wire, ()), pieces=(data[: len(data) * 2 // 3],), length=len(data), ends="closed"),)


def _short_length(wire: str) -> tuple[Line, ...]:
    data = b"".join(data for _, data in events(wire, CALL))
    return (replace(stream(wire, ()), pieces=(data,), length=len(data) * 2 // 3, ends="closed"),)


def _dripping(wire: str, told: list[Event]) -> list[bytes | float]:
    data = b"".join(data for _, data in told)
    return [piece for place in range(60) for piece in (data[place : place + 1], 0.1)]


PAGE = b"<!doctype html><html><title>Sign in to the network</title><form>Please sign in</form></html>"
HTML = {"content-type": "text/html"}
BIG = Said(texts=("y" * 1_000_000,))


def faults() -> list[Fault]:
    """Return all, in the order of their numbers."""
    once_more = {"posts": 3}
    refused = {"forever": True, "posts": 1, "marked": (), "texts": ()}
    return [
        Fault(1, "400", _status(400, "messages.0: unexpected field"), "unexpected field", **refused),
        Fault(2, "401", _status(401, "invalid x-api-key", "authentication_error"), "refuses the key|needs", **refused),
        Fault(3, "403", _status(403, "not for this key", "permission_error"), "refuses the key|not for this", **refused),
        Fault(4, "404, no such model", _status(404, "The model `m` does not exist", "model_not_found"), "unknown model", **refused),
        Fault(5, "408", _status(408, "timed out"), **once_more),
        Fault(6, "413", _status(413, "Request exceeds the maximum size", "request_too_large"), "maximum size", **refused),
        Fault(7, "422", _status(422, "extra inputs are not permitted"), "not permitted", **refused),
        Fault(8, "429, Retry-After in seconds", _status(429, "slow down", "rate_limit_error", retry_after="1"), **once_more),
        Fault(9, "429, Retry-After as a date", _status(429, "slow down", retry_after="{soon}"), **once_more),
        Fault(10, "429 without a time", _status(429, "slow down", "rate_limit_error"), **once_more),
        Fault(11, "429 for ever", _status(429, "slow down", "rate_limit_error"), "slow down", **{**refused, "posts": ATTEMPTS}),
        Fault(12, "500", _status(500, "internal error", "api_error"), **once_more),
        Fault(13, "502 with a page", lambda _: (Line(502, HTML, (b"<html><title>502 Bad Gateway</title></html>",)),), **once_more),
        Fault(14, "503", _status(503, "try again"), **once_more),
        Fault(15, "529 overloaded", _status(529, "Overloaded", "overloaded_error"), **once_more),
        Fault(16, "overloaded inside a stream", _overloaded, **once_more),
        Fault(17, "quota used up", _status(429, "You exceeded your current quota", "insufficient_quota"), "quota", **refused),
        Fault(18, "context overflow", _overflow, past=True, **once_more),
        Fault(19, "content filter", _filtered, posts=1, marked=(), texts=("Looking. ",), complete=True),
        Fault(20, "refused", lambda _: (), "cannot be reached", place="http://127.0.0.1:1", **{**refused, "posts": 0}),
        Fault(21, "no such host", lambda _: (), "cannot be reached", place="http://nowhere.invalid", **{**refused, "posts": 0}),
        Fault(22, "TLS fails", lambda _: (), "cannot be reached", place="https://127.0.0.1:{port}", **{**refused, "posts": 0}),
        Fault(23, "reset before the headers", lambda _: (Line(before="reset"),), **once_more),
        Fault(24, "reset after the headers", _cut(lambda *_: [], ends="reset"), **once_more),
        Fault(25, "reset in mid-stream", _cut(_till("call", "arguments"), ends="reset"), **once_more),
        Fault(26, "clean end without a last event", _cut(_till("stop", "usage", "end")), **once_more),
        Fault(27, "no first byte", lambda _: (Line(before="silence"),), **once_more),
        Fault(28, "one byte at a time", _cut(_dripping, ends="hangs"), **once_more),
        Fault(29, "stall in mid-stream", _cut(_till("call", "arguments"), ends="hangs"), **once_more),
        Fault(30, "Content-Length too long", _wrong_length, **once_more),
        Fault(30, "Content-Length too short", _short_length, **once_more),
        Fault(31, "gzip cut", _packed, **once_more),
        Fault(32, "redirect to another host", lambda _: (Line(307, {"location": "{other}/elsewhere"}),), "HTTP|307", **refused),
        Fault(33, "a proxy's page in the place of an answer", lambda _: (Line(200, HTML, (PAGE,)),), "web page|Sign in", **{**refused, "posts": ATTEMPTS}),
        Fault(34, "events split at every byte", _cut(_each_byte), posts=2, complete=True),
        Fault(35, "other line ends, comments, no blank", _cut(_other_line_ends), posts=2, complete=True),
        Fault(36, "bytes that are no UTF-8", _cut(_replaced(b"ing. ", b"ing\xff ")), posts=2, texts=("Looking\ufffd ", "Done."), complete=True),
        Fault(37, "half a surrogate pair", _cut(_replaced(b"ing. ", b"ing\\ud83d ")), posts=2, texts=("Looking\ufffd ", "Done."), complete=True),
        Fault(38, "an event of a megabyte", _said(BIG), posts=1, marked=(), texts=("y" * 1_000_000,), complete=True),
        Fault(39, "unknown events and pings", _cut(_with_strangers), posts=2, complete=True),
        Fault(40, "events twice", _cut(_repeated), posts=2, complete=True),
        Fault(40, "pieces of calls in turns", _said(replace(CALL, takes_turns=True, calls=_two("a", "b"))), posts=2, marked=("x", "y"), complete=True),
        Fault(41, "cut inside arguments", _cut(_inside_arguments, ends="closed"), **once_more),
        Fault(42, "arguments without quotes", _said(_called("{word: x}")), **once_more, complete=True),
        Fault(42, "arguments with junk behind", _said(_called('{"word": "x"} and so on')), **once_more, complete=True),
        Fault(42, "two objects as arguments", _said(_called('{"word": "x"}{"word": "y"}')), **once_more, complete=True),
        Fault(42, "unreadable arguments again and again", _said(_called("{word: x}")), "no JSON object", **{**refused, "posts": 3}, complete=True),
        Fault(43, "empty arguments", _said(_called("")), texts=("Looking. ", "Looking. ", "Done."), **once_more, complete=True),
        Fault(43, "arguments of another type", _said(_called("[1]")), **once_more, complete=True),
        Fault(44, "a tool that is none", _said(_called('{"word": "x"}', "fly")), texts=("Looking. ", "Looking. ", "Done."), **once_more, complete=True),
        Fault(45, "one id for two calls", _said(replace(CALL, calls=_two("same", "same"))), posts=2, marked=("x", "y"), complete=True),
        Fault(45, "no ids", _said(replace(CALL, calls=_two("", ""))), posts=2, marked=("x", "y"), complete=True),
        Fault(46, "nothing at all", _said(Said()), **once_more, complete=True),
        Fault(46, "nothing at all, three times", _said(Said()), "answered with nothing", **{**refused, "posts": 3}, complete=True),
        Fault(47, "a call after the reason to stop", _cut(_call_after_stop), posts=2, complete=True),
        Fault(47, "no reason to stop", _said(replace(CALL, nameless=True)), posts=3, complete=True),
        Fault(47, "no usage", _said(replace(CALL, usage=None)), posts=2, billed=100, complete=True),
        Fault(47, "negative usage", _said(replace(CALL, usage=(-5, -5))), posts=2, billed=100, complete=True),
        Fault(47, "huge usage", _said(replace(CALL, usage=(10**15, 10**15))), posts=2, billed=100, complete=True),
        Fault(48, "Retry-After in the past", _status(429, "slow down", retry_after="{past}"), **once_more),
    ]  # fmt: skip


def _called(arguments: str, name: str = TOOL) -> Said:
    return replace(CALL, calls=(Called("call_1", name, arguments),))


def _two(one: str, other: str) -> tuple[Called, ...]:
    return (Called(one, TOOL, '{"word": "x"}'), Called(other, TOOL, '{"word": "y"}'))
