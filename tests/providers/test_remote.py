"""Whole calls over HTTP, through the vendors' SDKs, against a server that plays recordings and fails as networks do."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from attache.foundation.retry import retry
from attache.schema import errors
from attache.schema.messages import user
from providers.understood import PROVIDERS, ROWS, as_expected, catalog, key_name, request
from wire.replay import Recording, Replay, at_random, each_byte, events, recordings, whole

RECORDINGS = {(recording.wire, recording.name): recording for recording in recordings()}
CUTS = {"whole": whole, "byte by byte": each_byte, "event by event": events, "at random": at_random(7)}
TEXTUAL = [wire for wire in PROVIDERS if wire != "bedrock_converse"]
KEYED = [wire for wire in PROVIDERS if not ROWS[PROVIDERS[wire]].local]
LISTED = [wire for wire in PROVIDERS if ROWS[PROVIDERS[wire]].models_path]
PRICED = [wire for wire in KEYED if ROWS[PROVIDERS[wire]].default_model]


def ref(wire: str) -> str:
    return f"{PROVIDERS[wire]}/m"


async def call(server: Replay, tmp_path, **environ):
    deltas = []
    found = catalog(server.recording.wire, server.url, tmp_path, **environ)
    try:
        return await found.open(ref(server.recording.wire)).answer(request(), deltas.append), deltas
    finally:
        await found.close()


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=lambda recording: f"{recording.wire}-{recording.name}")
async def test_a_recording_gives_what_it_should(recording, cut, tmp_path):
    async with Replay(recording, cut=cut) as server:
        if "error" in recording.expected:
            with pytest.raises(getattr(errors, recording.expected["error"])) as raised:
                await call(server, tmp_path)
            assert raised.value.message
            assert "canary-key" not in str(raised.value) + raised.value.hint
        else:
            as_expected(*await call(server, tmp_path), recording.expected)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("name", ["text", "one_tool", "parallel_tools", "whole"])
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_broken_connection_is_an_error(wire, name, share, tmp_path):
    async with Replay(RECORDINGS[wire, name], share=share) as server:
        with pytest.raises(errors.StreamCut):
            await call(server, tmp_path)


@pytest.mark.parametrize("status", [429, 500, 503, 529])
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_passing_failure_is_over_at_the_second_attempt(wire, status, tmp_path):
    recording = RECORDINGS[wire, "parallel_tools"]
    async with Replay(recording, cut=at_random(3), first=[(status, {"retry-after": "0"})]) as server:
        found = catalog(wire, server.url, tmp_path)
        deltas = []

        async def answer():
            return await found.open(ref(wire)).answer(request(), deltas.append)

        as_expected(await retry(answer, first_wait_seconds=0.01), deltas, recording.expected)
        await found.close()
    assert len(server.requests) == 2  # the SDK retried nothing by itself


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_the_wait_a_provider_asks_for_is_read_in_every_form(wire, tmp_path):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    forms = [
        ({"retry-after": "7"}, 7), ({"retry-after-ms": "250"}, 0.25), ({"retry-after": soon}, 30), ({"retry-after": past}, 0),
        ({}, None), ({"retry-after": "soon"}, None), ({"retry-after": "-3"}, None),
    ]  # fmt: skip
    async with Replay(RECORDINGS[wire, "text"], first=[(429, headers) for headers, _ in forms]) as server:
        for _, seconds in forms:
            with pytest.raises(errors.RateLimited) as raised:
                await call(server, tmp_path)
            if seconds is None:
                assert raised.value.retry_after_seconds is None
            else:
                assert raised.value.retry_after_seconds == pytest.approx(seconds, abs=3)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_key_that_is_refused_names_its_variable(wire, tmp_path):
    body = b'{"error":{"message":"invalid x-api-key canary-key-0123456789","type":"authentication_error"}}'
    async with Replay(Recording("refused", wire, body, {}, status=401, content_type="application/json")) as server:
        with pytest.raises(errors.AuthenticationFailed) as raised:
            await call(server, tmp_path)
    assert key_name(wire) in raised.value.hint
    assert "canary-key" not in raised.value.message


@pytest.mark.parametrize("key", ["", "  ", "sk-ä", "two words"])
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_key_that_cannot_be_one_is_never_sent(wire, key, tmp_path):
    name = key_name(wire)
    if not key.strip() and (wire not in KEYED or ROWS[PROVIDERS[wire]].credentials):
        pytest.skip("needs no key, or takes the credentials of its cloud")
    async with Replay(RECORDINGS[wire, "text"]) as server:
        with pytest.raises(errors.AuthenticationFailed) as raised:
            await call(server, tmp_path, **{name: key})
    assert name in raised.value.hint
    assert server.requests == []


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_key_does_not_follow_a_redirection(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"]) as other:
        moved = Recording("moved", wire, b"", {}, status=307, headers=(("location", f"{other.url}/elsewhere"),))
        async with Replay(moved) as server:
            with pytest.raises(errors.RequestRefused) as raised:
                await call(server, tmp_path)
        assert other.requests == []
    assert "base URL" in raised.value.hint


@pytest.mark.parametrize("wire", LISTED)
async def test_an_unknown_model_gets_near_names_from_the_providers_list(wire, tmp_path):
    body = b'{"error":{"type":"not_found_error","message":"The model `swift-codr-9` does not exist"}}'
    missing = Recording("missing", wire, body, {}, status=404, content_type="application/json")
    async with Replay(missing, models=b'{"data":[{"id":"swift-coder-9"},{"id":"dolphin"}]}') as server:
        found = catalog(wire, server.url, tmp_path)
        with pytest.raises(errors.UnknownModel) as raised:
            await found.open(f"{PROVIDERS[wire]}/swift-codr-9").answer(request("swift-codr-9"), lambda _: None)
        assert await found.models(PROVIDERS[wire]) == ("dolphin", "swift-coder-9")
        await found.close()
    assert f"near: {PROVIDERS[wire]}/swift-coder-9;" in raised.value.hint
    assert isinstance(raised.value.__cause__, errors.RequestRefused)


@pytest.mark.parametrize("wire", KEYED)
async def test_without_a_list_near_names_come_from_the_prices(wire, tmp_path):
    body = b'{"error":{"type":"not_found_error","message":"model: x does not exist"}}'
    missing = Recording("missing", wire, body, {}, status=404, content_type="application/json")
    near = {
        "anthropic_messages": ("claude-sonet-4-5", "claude-sonnet-4-5"),
        "openai_chat": ("gtp-5.6-sol", "gpt-5.6-sol"),
        "openai_responses": ("gtp-5.6-sol", "gpt-5.6-sol"),
        "gemini": ("gemni-3.8-flash", "gemini-3.8-flash"),
        "bedrock_converse": ("openai.gtp-5.5", "openai.gpt-5.5"),
        "cohere_v2": ("comand-r-plus", "command-r-plus"),
    }
    typed, meant = near[wire]
    async with Replay(missing, models=b"no list at all") as server:
        found = catalog(wire, server.url, tmp_path)
        with pytest.raises(errors.UnknownModel) as raised:
            await found.open(f"{PROVIDERS[wire]}/{typed}").answer(request(typed), lambda _: None)
        await found.close()
    assert meant in raised.value.hint


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_an_address_where_nothing_answers_is_told_apart_from_an_unknown_model(wire, tmp_path):
    lost = Recording(
        "lost", wire, b"<html><title>404 Not Found</title></html>", {}, status=404, content_type="text/html"
    )
    async with Replay(lost) as server:
        with pytest.raises(errors.RequestRefused, match="404 Not Found") as raised:
            await call(server, tmp_path)
    assert server.url in raised.value.hint


@pytest.mark.parametrize("wire", PROVIDERS)
@pytest.mark.parametrize("body", [b"<html><title>Sign in</title></html>", b"{{{{ what", b"data: <html>\n\n"])
async def test_garbage_in_the_place_of_an_answer_says_what_to_do(body, wire, tmp_path):
    async with Replay(Recording("garbage", wire, body, {}, content_type="text/html")) as server:
        with pytest.raises(errors.ProviderUnavailable) as raised:
            await call(server, tmp_path)
    assert raised.value.hint
    assert "by itself" not in raised.value.hint
    assert ROWS[PROVIDERS[wire]].label in raised.value.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "https://127.0.0.1:1/x"])
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_provider_that_cannot_be_reached_is_unavailable(wire, url, tmp_path):
    found = catalog(wire, url, tmp_path, NO_PROXY="*")
    with pytest.raises(errors.ProviderUnavailable) as raised:
        await found.open(ref(wire)).answer(request(), lambda _: None)
    await found.close()
    assert raised.value.retryable
    assert not isinstance(raised.value, errors.StreamCut)


@pytest.mark.parametrize("url", ["http://[bad", "http://exa mple:x"])
@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_base_url_that_is_none_is_the_users_to_correct(wire, url, tmp_path):
    found = catalog(wire, url, tmp_path)
    with pytest.raises((errors.UserError, errors.ProviderUnavailable)) as raised:
        await found.open(ref(wire)).answer(request(), lambda _: None)
    await found.close()
    assert "URL" in raised.value.message + raised.value.hint


async def hasty(wire, server, tmp_path, **options):
    """Answer with short limits."""
    limits = {"first_byte_seconds": 0.3, "idle_seconds": 0.3, "total_seconds": 1.0, **options}
    environ = {f"ATTACHE_MODEL_{name.upper()}": str(seconds) for name, seconds in limits.items()}
    found = catalog(wire, server.url, tmp_path, **environ)
    await found.warm(ref(wire))
    try:
        return await found.open(ref(wire)).answer(request(), lambda _: None)
    finally:
        await found.close()


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_provider_that_says_nothing_is_given_up(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"], silent=True) as server:
        with pytest.raises(errors.ProviderUnavailable, match="no answer within"):
            await hasty(wire, server, tmp_path)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_stream_that_stalls_is_cut(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"], cut=each_byte, stall_after=300) as server:
        with pytest.raises(errors.StreamCut, match="stopped half-way"):
            await hasty(wire, server, tmp_path)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_stream_that_drips_for_ever_ends_at_the_total_limit(wire, tmp_path):
    async def slow(self, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while True:
            writer.write(b"\n" if wire == "ollama_chat" else b": still here\n\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    server = Replay(RECORDINGS[wire, "text"])
    server._play = slow.__get__(server)
    async with server:
        began = time.monotonic()
        with pytest.raises(errors.StreamCut):
            await hasty(wire, server, tmp_path)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_connection_left_open_after_the_last_event_is_no_matter(wire, tmp_path):
    body = RECORDINGS[wire, "text"].body
    async with Replay(RECORDINGS[wire, "text"], stall_after=len(body)) as server:
        answer = await hasty(wire, server, tmp_path, idle_seconds=30, total_seconds=30)
    assert answer.message.text == RECORDINGS[wire, "text"].expected["text"]


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_one_connection_serves_many_calls(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"], cut=events) as server:
        found = catalog(wire, server.url, tmp_path)
        model = found.open(ref(wire))
        for _ in range(5):
            await model.answer(request(), lambda _: None)
        await found.close()
    assert (len(server.requests), server.connections) == (5, 1)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_call_can_be_cancelled_and_the_model_serves_again(wire, tmp_path):
    body = RECORDINGS[wire, "text"].body
    async with Replay(RECORDINGS[wire, "text"], cut=each_byte, stall_after=len(body) * 4 // 5) as server:
        found = catalog(wire, server.url, tmp_path)
        model = found.open(ref(wire))
        heard = asyncio.Event()
        task = asyncio.create_task(model.answer(request(), lambda _: heard.set()))
        await asyncio.wait_for(heard.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.stall_after = None
        answer = await model.answer(request(), lambda _: None)
        await found.close()
    assert answer.stop_reason == "end_turn"


@pytest.mark.parametrize("wire", TEXTUAL)
async def test_bytes_that_are_no_utf8_and_half_surrogates_are_mended(wire, tmp_path):
    body = RECORDINGS[wire, "text"].body.replace("ü".encode(), b"\xff").replace(b"\\ud83d\\ude00", b"\\ud83d")
    async with Replay(Recording("torn", wire, body, {}), cut=each_byte) as server:
        answer, _ = await call(server, tmp_path)
    assert answer.message.text.startswith("Gr\ufffdße, \ufffd")
    answer.message.text.encode()


@pytest.mark.parametrize("wire", TEXTUAL)
async def test_an_event_that_is_no_json_is_an_error(wire, tmp_path):
    body = b"data: upstream connect error or disconnect\n\n" + RECORDINGS[wire, "text"].body
    async with Replay(Recording("torn", wire, body, {})) as server:
        with pytest.raises(errors.ProviderUnavailable, match="upstream connect error"):
            await call(server, tmp_path)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_the_body_arrives_as_it_was_built(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"]) as server:
        found = catalog(wire, server.url, tmp_path)
        asked = request("m", system="be brief", messages=(user("grüße 😀"),), max_output_tokens=77)
        await found.open(ref(wire)).answer(asked, lambda _: None)
        await found.close()
    (sent,) = server.requests
    assert "canary-key-0123456789" in sent["headers"].get("authorization", "Bearer ") + sent["headers"].get(
        ROWS[PROVIDERS[wire]].key_header or "x-api-key", ""
    )
    assert sent["body"].get("model", "m") == "m"
    assert sent["body"].get("stream", True) is True
    assert "stream" in sent["path"].lower() or sent["body"]["stream"]
    assert "/m" in sent["path"] or sent["body"]["model"] == "m"
    assert ": 77" in str(sent["body"])
    assert "grüße 😀" in str(sent["body"])
    assert "be brief" in str(sent["body"])


@pytest.mark.parametrize("wire", PRICED)
async def test_what_is_known_of_a_model_is_known_once_it_is_prepared(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"]) as server:
        found = catalog(wire, server.url, tmp_path)
        known = found.row(PROVIDERS[wire])
        name = f"{known.name}/{known.default_model}"
        assert found.open(name).info.context_tokens is None
        await found.warm(name)
        info = found.open(name).info
        await found.close()
    assert info.ref == name
    assert info.context_tokens is None if wire == "cohere_v2" else info.context_tokens > 100_000  # it tells no window
    assert 0 < info.input_usd_per_mtok < info.output_usd_per_mtok


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_health_remembers_the_last_call(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"], first=[(529, {})]) as server:
        found = catalog(wire, server.url, tmp_path)
        name = PROVIDERS[wire]
        assert found.health.last(name) is None
        with pytest.raises(errors.ProviderUnavailable):
            await found.open(ref(wire)).answer(request(), lambda _: None)
        failed = found.health.last(name)
        await found.open(ref(wire)).answer(request(), lambda _: None)
        await found.close()
    assert (failed.ok, "not now" in failed.message) == (False, True)
    assert (found.health.last(name).ok, found.health.last(name).message) == (True, "")


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_compressed_stream_is_read_and_half_of_one_is_cut(wire, tmp_path):
    packed = gzip.compress(RECORDINGS[wire, "text"].body)
    for share in (1.0, 0.5):
        sent = packed[: int(len(packed) * share)]
        recording = Recording("packed", wire, sent, {}, headers=(("content-encoding", "gzip"),))
        async with Replay(recording, cut=at_random(2)) as server:
            if share == 1:
                answer, _ = await call(server, tmp_path)
                assert answer.message.text == RECORDINGS[wire, "text"].expected["text"]
            else:
                with pytest.raises(errors.StreamCut):
                    await call(server, tmp_path)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_half_surrogates_in_what_is_sent_do_no_harm(wire, tmp_path):
    async with Replay(RECORDINGS[wire, "text"]) as server:
        found = catalog(wire, server.url, tmp_path)
        await found.open(ref(wire)).answer(request(messages=(user("bad \ud83d half"),)), lambda _: None)
        await found.close()
    assert "bad \ufffd half" in str(server.requests[0]["body"])
