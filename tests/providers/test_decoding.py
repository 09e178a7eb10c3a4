"""The decoders of both wires, without a network: what is understood does not depend on how the bytes came."""

from __future__ import annotations

import pytest

from attache.providers import (
    anthropic_messages,
    bedrock_converse,
    cohere_v2,
    gemini,
    ollama_chat,
    openai_chat,
    openai_responses,
)
from attache.providers.eventstream import Frames
from attache.providers.lines import Lines
from attache.providers.row import Quirks, built_in
from attache.providers.sse import Events
from attache.schema.errors import AttacheError, MalformedToolCall
from attache.schema.messages import Text, Thinking, ToolCall
from providers.understood import as_expected
from wire.replay import at_random, each_byte, events, recordings, whole

WIRES = {
    module.__name__.rpartition(".")[2]: module.Decoder
    for module in (
        anthropic_messages, openai_chat, openai_responses, gemini, bedrock_converse, cohere_v2, ollama_chat,
    )
}  # fmt: skip
FRAMES = {bedrock_converse.Decoder: Frames, ollama_chat.Decoder: Lines}
ANSWERS = [recording for recording in recordings() if "error" not in recording.expected]
EVENTS = [recording for recording in ANSWERS if WIRES[recording.wire] not in FRAMES]
CUTS = {"whole": whole, "each byte": each_byte, "events": events, "random 1": at_random(1), "random 2": at_random(2)}


def decode(decoder, body: bytes, cut=whole):
    parser, deltas = FRAMES.get(type(decoder), Events)(), []
    for piece in cut(body):
        for data in parser.feed(piece):
            decoder.event(data)
        deltas += decoder.take()
    for data in parser.finish():
        decoder.event(data)
    deltas += decoder.take()
    return decoder.answer(), deltas


def chat(*chunks: str, quirks: Quirks | None = None):
    body = "".join(f"data: {chunk}\n\n" for chunk in (*chunks, "[DONE]")).encode()
    return decode(openai_chat.Decoder(quirks) if quirks else openai_chat.Decoder(), body)


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("recording", ANSWERS, ids=lambda recording: f"{recording.wire}-{recording.name}")
def test_a_recording_is_understood_however_it_is_cut(recording, cut):
    answer, deltas = decode(WIRES[recording.wire](), recording.body, cut)
    as_expected(answer, deltas, recording.expected)


@pytest.mark.parametrize("recording", EVENTS, ids=lambda recording: f"{recording.wire}-{recording.name}")
def test_line_ends_do_not_matter(recording):
    for end in (b"\r\n", b"\r"):
        answer, deltas = decode(WIRES[recording.wire](), recording.body.replace(b"\n", end), each_byte)
        as_expected(answer, deltas, recording.expected)


# The first Geminis said in every event that they had stopped: there only the connection tells.
@pytest.mark.parametrize(
    "recording",
    [recording for recording in ANSWERS if recording.name != "a_reason_to_stop_in_every_event"],
    ids=lambda recording: f"{recording.wire}-{recording.name}",
)
def test_no_beginning_of_a_stream_passes_for_the_whole(recording):
    """A prefix is an error, or it is all of what was said: never something in between."""
    length = len(recording.body.rstrip())
    for size in range(0, length, 7):
        decoder = WIRES[recording.wire]()
        try:
            answer, _ = decode(decoder, recording.body[:size])
        except (AttacheError, ValueError):
            continue
        # OpenAI's form says with `finish_reason` that all was said; figures and [DONE] may still be missing.
        assert answer.message.text == recording.expected["text"]
        assert len(answer.message.tool_calls) == len(recording.expected.get("tool_calls", []))
        assert answer.stop_reason == recording.expected["stop_reason"]


def test_neighbouring_words_are_one_delta():
    chunks = ('{"choices":[{"delta":{"content":"a"}}]}', '{"choices":[{"delta":{"content":"b"}}]}')
    answer, deltas = chat(*chunks, '{"choices":[{"finish_reason":"stop"}]}')
    assert [delta.text for delta in deltas] == ["ab"]
    assert answer.message.text == "ab"


def test_ids_that_are_missing_or_double_become_ids_of_their_own():
    answer, _ = chat(
        '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"same","function":{"name":"a","arguments":"{}"}}]}}]}',
        '{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"same","function":{"name":"b","arguments":"{}"}}]}}]}',
        '{"choices":[{"delta":{"tool_calls":[{"index":2,"function":{"name":"c","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}',
    )
    ids = [call.id for call in answer.message.tool_calls]
    assert ids[0] == "same"
    assert len(set(ids)) == 3
    assert all(ids)


def test_what_gemini_wants_back_stands_before_its_call():
    gemini = next(row for row in built_in() if row.name == "gemini-compatible")
    answer, _ = chat(
        '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","extra_content":{"google":{"thought_signature":"AB=="}},"function":{"name":"a","arguments":"{}"}}]}}]}',
        '{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":40}}',
        quirks=gemini.quirks,
    )
    kept, call = answer.message.parts
    assert isinstance(kept, Thinking)
    assert kept.redacted == '{"extra_content": {"google": {"thought_signature": "AB=="}}}'
    assert isinstance(call, ToolCall)
    assert answer.usage.reasoning_tokens == 33  # counted in the total alone
    assert answer.usage.output_tokens == 2


def test_pieces_of_openrouters_reasoning_are_joined():
    router = next(row for row in built_in() if row.name == "openrouter")
    answer, _ = chat(
        '{"choices":[{"delta":{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","index":0,"text":"a","format":"f"}]}}]}',
        '{"choices":[{"delta":{"reasoning":"b","reasoning_details":[{"type":"reasoning.text","index":0,"text":"b"}]}}]}',
        '{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","index":0,"signature":"S"},{"type":"reasoning.encrypted","index":1,"data":"E"}]}}]}',
        '{"choices":[{"delta":{"content":"done"},"finish_reason":"stop"}]}',
        quirks=router.quirks,
    )
    assert answer.message.parts[0] == Thinking(
        text="ab",
        redacted='{"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "ab", "format": "f", "signature": "S"}, {"type": "reasoning.encrypted", "index": 1, "data": "E"}]}',
    )


@pytest.mark.parametrize(
    "usage",
    [
        '{"prompt_tokens":-5,"completion_tokens":3}',
        '{"prompt_tokens":"7","completion_tokens":3,"prompt_tokens_details":[]}',
        '{"prompt_tokens":99999999999999999999,"completion_tokens":3,"completion_tokens_details":null}',
        '{"prompt_tokens":null,"completion_tokens":3.0,"total_tokens":true}',
    ],
)
def test_figures_that_cannot_be_count_nothing(usage):
    answer, _ = chat('{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}],"usage":' + usage + "}")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (0, 3)


def test_an_answer_without_words_is_an_answer():
    answer, deltas = chat('{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}')
    assert (answer.message.parts, answer.stop_reason, deltas) == ((), "end_turn", [])


def test_words_that_were_never_announced_are_taken_and_a_call_that_was_not_is_refused():
    delta = '{"type":"content_block_delta","index":0,"delta":{"type":"%s_delta","%s":"x"}}'
    end = '{"type":"message_stop"}'
    for kind, field in (("text", "text"), ("thinking", "thinking")):
        body = f"data: {delta % (kind, field)}\n\ndata: {end}\n\n".encode()
        answer, _ = decode(anthropic_messages.Decoder(), body)
        assert answer.message.parts in ((Text(text="x"),), (Thinking(text="x"),))
    body = f"data: {delta % ('input_json', 'partial_json')}\n\ndata: {end}\n\n".encode()
    with pytest.raises(MalformedToolCall):
        decode(anthropic_messages.Decoder(), body)


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("STOP", "end_turn"), ("MAX_TOKENS", "max_tokens"), ("content_filter: PROHIBITED_CONTENT", "content_filter"),
        ("eos", "end_turn"), ("model_length", "max_tokens"), ("function_call", "end_turn"), ("something new", "end_turn"),
    ],
)  # fmt: skip
def test_reasons_to_stop_come_in_many_spellings(finish, stop):
    answer, _ = chat('{"choices":[{"delta":{"content":"x"},"finish_reason":"%s"}]}' % finish)  # noqa: UP031 - JSON is full of braces
    assert answer.stop_reason == stop


def test_a_call_that_the_provider_itself_could_not_read_is_malformed():
    with pytest.raises(MalformedToolCall):
        chat('{"choices":[{"delta":{},"finish_reason":"function_call_filter: MALFORMED_FUNCTION_CALL"}]}')


def test_a_filter_that_strikes_inside_a_call_leaves_it_out():
    answer, _ = chat(
        '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"write","arguments":"{\\"text\\":"}}]},"finish_reason":"content_filter"}]}'
    )
    assert (answer.message.parts, answer.stop_reason) == ((), "content_filter")
