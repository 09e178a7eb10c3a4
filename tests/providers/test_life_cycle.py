"""What becomes of a session when its models fail, tire or change: fallbacks, rests, paces, waits that are told, budgets."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.providers import breaker, pace
from attache.providers.breaker import Breaker
from attache.providers.catalog import Catalog
from attache.providers.conversation import translated
from attache.providers.pace import Pace
from attache.schema.errors import ProviderResting, ProviderUnavailable, RateLimited
from attache.schema.events import ErrorRaised, MessageAdded, StreamRestarted, TurnStarted
from attache.schema.messages import Image, Message, Text, Thinking, ToolCall, ToolResult, user
from attache.schema.models import ModelInfo, Request
from attache.workspace.workspace import Staged
from wire.faults.grid import ground
from wire.faults.server import Server
from wire.faults.speech import Line, Said, events
from wire.faults.table import refusal, stream

ANSWER = Said(texts=("Here ", "I am."), usage=(1000, 200))
PNG = Image(media_type="image/png", data="aGVsbG8=")


def here(_body: bytes) -> Line:
    return stream("openai_chat", events("openai_chat", ANSWER))


@asynccontextmanager
async def agent(servers: dict[str, Server], home: Path, **overrides):
    """Yield an agent whose providers are the servers, each a row of its own."""
    environ = {"HOME": str(home), "NO_PROXY": "*"}
    rows = {}
    for name, server in servers.items():
        rows[name] = {"wire": "openai_chat", "base_url": server.url, "default_model": "m"}
        environ[f"ATTACHE_{name.upper()}_API_KEY"] = "canary-key-0123456789"
    own = overrides.pop("providers", {})
    rows = {name: row | own.get(name, {}) for name, row in rows.items()}
    settings = load(
        home,
        environ=environ,
        overrides={"model": "one/m", "model_wait_seconds": 0.01, "providers": rows, **overrides},
    )
    catalog = Catalog(settings)
    try:
        async with (
            ground(home) as shared,
            Orchestrator(resources=replace(shared, settings=settings, catalog=catalog), cwd=home) as opened,
        ):
            yield opened
    finally:
        await catalog.close()


async def ask(opened: Orchestrator, words: str = "hello"):
    session = await opened.session()
    heard = []
    stop = session.subscribe(lambda entry: heard.append(entry.event))
    finished = await session.run((Text(text=words),))
    stop()
    return finished, heard


@pytest.mark.parametrize(
    "failing",
    [
        refusal(401, "invalid x-api-key"),
        refusal(429, "You exceeded your current quota", "insufficient_quota"),
        refusal(503, "down"),
    ],
    ids=["key", "quota", "down"],
)
async def test_the_next_model_of_the_chain_answers_and_it_is_said(failing, tmp_path):
    down = Server(here, first=(failing,), forever=True)
    async with (
        down as one,
        Server(here) as two,
        agent({"one": one, "two": two}, tmp_path, fallback_models=["two/m"]) as opened,
    ):
        finished, heard = await ask(opened)
        session = await opened.session()
    assert (finished.stop_reason, session.state.messages[-1].text) == ("end_turn", "Here I am.")
    (raised,) = [event for event in heard if isinstance(event, ErrorRaised)]
    assert "two/m answers instead of one/m" in raised.message
    assert session.state.messages[-1].model == "two/m"
    assert finished.usage.input_tokens == 1000


async def test_a_request_that_is_wrong_is_not_passed_on(tmp_path):
    async with (
        Server(here, first=(refusal(400, "bad field"),)) as one,
        Server(here) as two,
        agent({"one": one, "two": two}, tmp_path, fallback_models="two/m") as opened,
    ):
        finished, _ = await ask(opened)
    assert "bad field" in finished.error
    assert two.bodies == []


async def test_waits_are_told_before_a_word_is_there(tmp_path):
    failing = (refusal(503, "we are down"), refusal(429, "slow down", retry_after="0"))
    async with Server(here, first=failing) as one, agent({"one": one}, tmp_path) as opened:
        finished, heard = await ask(opened)
    told = [event.reason for event in heard if isinstance(event, StreamRestarted)]
    assert finished.stop_reason == "end_turn"
    assert len(told) == 2
    assert "we are down; asking again in" in told[0]
    assert "(2 of 4)" in told[1]


async def test_a_provider_that_keeps_failing_is_left_alone_and_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(breaker, "REST_SECONDS", 0.3)
    async with Server(here, first=(refusal(500, "oops"),) * 6) as one, agent({"one": one}, tmp_path) as opened:
        assert "oops" in (await ask(opened))[0].error
        assert (await ask(opened))[0].error.startswith("one failed 5 times in a row")
        assert len(one.bodies) == 5
        await asyncio.sleep(0.35)
        failed = (await ask(opened))[0]
        assert len(one.bodies) == 6  # one call tried it, in vain
        assert "left alone" in failed.error
        await asyncio.sleep(0.35)
        assert (await ask(opened))[0].error == ""


def test_a_breaker_counts_what_is_the_providers_own_fault():
    now = [0.0]
    one = Breaker(lambda: now[0])
    for _ in range(20):
        one.enter("x")
        one.leave(RateLimited("slow"))
    for error in [ProviderUnavailable("down")] * 4 + [None] + [ProviderUnavailable("down")] * 5:
        one.enter("x")
        one.leave(error)
    with pytest.raises(ProviderResting, match="30 s more"):
        one.enter("x")
    now[0] = 31
    one.enter("x")
    with pytest.raises(ProviderResting, match="one call tries it"):
        one.enter("x")
    one.leave(asyncio.CancelledError())  # says nothing of the provider
    one.enter("x")
    one.leave(None)
    one.enter("x")


async def test_calls_keep_to_a_pace_and_the_wait_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(pace, "MINUTE_SECONDS", 4.0)
    async with Server(here) as one:
        limit = {"one": {"requests_per_minute": 2}}
        async with agent({"one": one}, tmp_path, providers=limit) as opened:
            told = [event for _ in range(3) for event in (await ask(opened))[1] if isinstance(event, StreamRestarted)]
    assert one.at[2] - one.at[0] >= 1.0  # the first comes late, since its client is built first
    assert ["limit a minute" in event.reason for event in told] == [True]


async def test_tokens_are_held_to_the_pace_as_they_were_counted(monkeypatch):
    monkeypatch.setattr(pace, "MINUTE_SECONDS", 0.2)
    own, waited = Pace(tokens_per_minute=5_000), []
    small = Request(model="m", messages=(user("x"),))
    first = await own.enter(small, waited.append)
    first.tokens = 4_990  # what it took in truth
    await own.enter(small.model_copy(update={"system": "y" * 400}), waited.append)
    assert len(waited) == 1
    assert await Pace().enter(small, waited.append) is None


def test_a_conversation_is_handed_over_without_what_holds_only_at_home():
    call = ToolCall(id="c1", name="read", arguments={})
    said = Message(
        role="assistant", parts=(Thinking(text="hm", signature="s"), Text(text="a"), call), model="anthropic/x"
    )
    told = Message(role="user", parts=(ToolResult(call_id="c1", name="read", text="shot", images=(PNG,)), PNG))
    home, away, blind = (
        translated((said, told), ModelInfo(provider=provider, name="m", images=images))
        for provider, images in (("anthropic", True), ("gemini", True), ("gemini", False))
    )
    assert home == (said, told)
    assert away[0].parts == (Text(text="a"), call)
    assert away[1] == told
    result, picture = blind[1].parts
    assert "image/png" in result.text
    assert result.images == ()
    assert "cannot see" in picture.text


async def test_the_model_is_switched_in_mid_session(tmp_path):
    async with Server(here) as one, Server(here) as two, agent({"one": one, "two": two}, tmp_path) as opened:
        await ask(opened, "the first")
        session = await opened.session()
        await session.configure(model="two/m")
        _, heard = await ask(opened, "the second")
    assert [event.model for event in heard if isinstance(event, TurnStarted)] == ["two/m"]
    assert b"the first" in two.bodies[0]
    assert b"Here I am." in two.bodies[0]


async def test_every_call_is_entered_once_forks_and_deletions_notwithstanding(tmp_path):
    async with Server(here) as one, agent({"one": one}, tmp_path) as opened:
        await ask(opened)
        session = await opened.session()
        await opened.fork_session(session.id)
        ledger = opened.resources.ledger
        (line,) = await ledger.account("model")
        await opened.delete_session(session.id)
        (after,) = await ledger.account("project")
    assert (line.name, line.calls, line.usage.input_tokens) == ("one/m", 1, 1000)
    assert (after.calls, after.usage.output_tokens) == (1, 200)


BUDGETS = {
    "max_cost_usd": "this run",
    "max_session_cost_usd": "this session",
    "max_day_cost_usd": "today",
    "max_project_cost_usd": "this project",
    "max_user_cost_usd": "your budget for this month",
}


async def test_a_budget_stops_a_run_and_says_which(tmp_path):
    async with ground(tmp_path) as shared, Server(here) as one:
        environ = {"OPENAI_API_KEY": "canary-key-0123456789", "OPENAI_BASE_URL": one.url}
        for name, limit in [(name, limit) for name in BUDGETS for limit in (0.0, 100.0)]:
            settings = load(tmp_path, environ=environ, overrides={"model": "openai/gpt-5.6-sol", name: limit})
            catalog = Catalog(settings)
            resources = replace(shared, settings=settings, catalog=catalog)
            async with Orchestrator(resources=resources, cwd=tmp_path) as opened:
                finished, _ = await ask(opened)
            await catalog.close()
            if limit:
                assert (finished.stop_reason, finished.error) == ("end_turn", "")
                assert finished.cost_usd > 0
            else:
                assert (finished.stop_reason, BUDGETS[name] in finished.error, name in finished.hint) == (
                    "budget",
                    True,
                    True,
                )
    assert len(one.bodies) == len(BUDGETS)


async def test_a_budget_says_when_it_cannot_hold(tmp_path):
    async with Server(here) as one, agent({"one": one}, tmp_path, max_cost_usd=1) as opened:
        _, heard = await ask(opened)
        _, again = await ask(opened)
    told = [event.message for event in (*heard, *again) if isinstance(event, ErrorRaised)]
    assert told == ["the price of one/m is unknown, so no budget can hold it"] * 2
    assert [event.cost_usd for event in heard if isinstance(event, MessageAdded)] == [0.0]


async def test_an_identical_call_is_answered_from_disk_when_asked_to(tmp_path):
    async with Server(here) as one, agent({"one": one}, tmp_path, keep_answers_seconds=60) as opened:
        for _ in range(2):
            session = await opened.new_session()
            finished = await session.run((Text(text="hello"),))
            assert session.state.messages[-1].text == "Here I am."
        (line,) = await opened.resources.ledger.account("model")
        assert (len(one.bodies), finished.usage.input_tokens, line.usage.input_tokens) == (1, 0, 1000)
        for kept in (shared_answers := opened.resources.settings.home / "answers").glob("*.json"):
            os.utime(kept, (0, 0))
        await (await opened.new_session()).run((Text(text="hello"),))
        assert len(one.bodies) == 2
        assert len(list(shared_answers.glob("*"))) == 1


async def test_nothing_is_kept_unasked(tmp_path):
    async with Server(here) as one, agent({"one": one}, tmp_path) as opened:
        for _ in range(2):
            await (await opened.new_session()).run((Text(text="hello"),))
        assert len(one.bodies) == 2
        assert not (opened.resources.settings.home / "answers").exists()


async def test_plans_and_small_edits_may_have_models_of_their_own(tmp_path):
    servers = {name: Server(here) for name in ("one", "two", "three")}
    one, two, three = servers.values()
    models = {"plan_model": "two/m", "quick_model": "three/m"}
    async with one, two, three, agent(servers, tmp_path, **models) as opened:
        await (await opened.new_session()).run((Text(text="hello"),))
        await (await opened.new_session(mode="plan")).run((Text(text="hello"),))
        staged = Staged(opened.resources.workspace)
        await (await opened.new_session()).run((Text(text="hello"),), workspace=staged)
    assert [len(server.bodies) for server in servers.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("ref", "own", "able"),
    [
        ("anthropic/claude-sonnet-5-5", {}, (True, True, True)),
        ("perplexity/sonar-pro", {}, (False, True, False)),
        ("openai/gpt-3.5-turbo", {}, (True, False, False)),
        ("deepseek/deepseek-v4-pro", {}, (True, False, False)),
        ("openrouter/openai/gpt-oss-120b", {}, (True, False, True)),
        ("lmstudio/x", {"lmstudio/*": {"tools": False, "images": False}}, (True, False, False)),
        ("perplexity/sonar-pro", {"sonar*": {"tools": True}}, (True, True, False)),
    ],
)
def test_what_a_model_can_do_is_known_by_its_name(ref, own, able, tmp_path):
    environ = {"HOME": str(tmp_path), "PERPLEXITY_API_KEY": "k"}
    info = Catalog(load(tmp_path, environ=environ, overrides={"capabilities": own})).open(ref).info
    expected = (True, *able[1:])  # a model without a form for tools is asked in words
    assert (info.tools, info.images, info.thinking) == expected
