"""Which tools a model is offered: by words, by meaning with a real server that makes vectors, and by both."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.agent.select import ALWAYS, fused
from attache.schema.events import ErrorRaised
from attache.tools.tool import Tools
from providers.embeddings import Embeddings, embeddings

from .conftest import Start
from .test_session import call, results

ASKED = "point out the culprit"  # no tool has any word of it


def by(server: Embeddings, **more: Any) -> dict[str, Any]:
    own = {"mine": {"wire": "openai_chat", "base_url": server.url, "local": True}}
    return {"embedding_model": "mine/m", "providers": own, "model_wait_seconds": 0, **more}


def offered(agent: Orchestrator) -> set[str]:
    (sent,) = agent.resources.catalog.health.sent.values()
    return {tool.name for tool in sent.tools}


@pytest.mark.parametrize(("how", "found"), [("keyword", False), ("semantic", True), ("hybrid", True)])
async def test_meaning_finds_what_words_do_not(how: str, found: bool, start: Start) -> None:
    with embeddings() as server:
        async with start([{"text": "done"}], **by(server, tool_selection=how)) as agent:
            await agent.chat(ASKED)
            names = offered(agent)
    assert ("git_blame" in names) is found
    assert len(names) == 16
    assert set(ALWAYS) <= names
    assert bool(server.asked) is found


async def test_words_still_find_what_meaning_does_not(start: Start) -> None:
    with embeddings() as server:
        async with start([{"text": "done"}], **by(server)) as agent:
            await agent.chat("put my changes on the stash")
            names = offered(agent)
    assert "git_stash" in names


async def test_without_an_embedding_model_nothing_is_sent(start: Start) -> None:
    with embeddings() as server:
        async with start([{"text": "done"}], **by(server, embedding_model="")) as agent:
            await agent.chat("put my changes on the stash")
            assert "git_stash" in offered(agent)
    assert server.asked == []


async def test_tools_are_read_once_and_kept_for_the_user_alone(start: Start, tmp_path: Path) -> None:
    with embeddings() as server:
        for _ in range(2):
            async with start([{"text": "done"}], **by(server)) as agent:
                await agent.chat(ASKED)
                costs = await agent.resources.ledger.account("session")
        texts = server.texts
    assert len(texts) == len(set(texts)) + 1  # the request of each run; every tool once
    assert texts.count(ASKED) == 2
    kept = tmp_path / "home" / "vectors.sqlite"
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (len(set(texts)) - 1,)
    if sys.platform != "win32":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (bill,) = [each for each in costs if each.name == "embeddings"]
    assert bill.usage.input_tokens == 7 * len(server.asked)
    assert bill.calls == 3  # the tools, and a request of each run


async def test_a_file_of_vectors_that_is_none_is_no_reason_to_fail(start: Start, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "vectors.sqlite").write_bytes(b"no database " * 500)
    with embeddings() as server:
        async with start([{"text": "done"}], **by(server)) as agent:
            await agent.chat(ASKED)
            assert "git_blame" in offered(agent)


async def test_the_model_finds_tools_by_meaning_too(start: Start) -> None:
    with embeddings() as server:
        turns = [call("find_tool", query="culprit", limit=2), {"text": "done"}]
        async with start(turns, **by(server, tool_selection="semantic")) as agent:
            session = await agent.session()
            await agent.chat("write a poem")
            (found,) = results(session)
    assert found.text.startswith("git_blame ")


async def test_what_fails_is_said_once_and_words_choose(start: Start) -> None:
    with embeddings() as server:
        server.failures += [(401, {}, b'{"error":{"message":"bad key"}}')] * 9
        async with start([{"text": "done"}, {"text": "done"}], **by(server)) as agent:
            session = await agent.session()
            said: list[str] = []
            session.subscribe(
                lambda entry: said.append(entry.event.message) if isinstance(entry.event, ErrorRaised) else None
            )
            await agent.chat("put my changes on the stash")
            assert "git_stash" in offered(agent)
            await agent.chat("put my changes on the stash")
    assert len(said) == 1
    assert "bad key" in said[0]
    assert len(server.asked) == 1


async def test_a_slow_model_holds_up_no_run(start: Start) -> None:
    with embeddings() as server:
        server.seconds = 0.4
        async with start([{"text": "done", "repeat": True}], **by(server)) as agent:
            agent.resources.likeness.wait_seconds = 0.1
            began = asyncio.get_running_loop().time()
            await agent.chat(ASKED)
            assert asyncio.get_running_loop().time() - began < 3
            assert "git_blame" not in offered(agent)
            await asyncio.sleep(1.5)  # what was not waited for goes on: each batch takes its time
            server.seconds = 0
            await agent.chat(ASKED)
            assert "git_blame" in offered(agent)


async def test_personal_data_does_not_go_to_the_embedding_model_either(start: Start) -> None:
    with embeddings() as server:
        async with start([{"text": "done"}], **by(server, personal_data="mask")) as agent:
            await agent.chat("who is the culprit, jane.doe@mailbox.org?")
            assert "git_blame" in offered(agent)
    assert "jane.doe" not in str(server.asked)
    assert any("culprit" in text for text in server.texts)


def test_what_two_rankings_both_hold_comes_first() -> None:
    one, two, three = list(Tools.discover())[:3]
    assert fused((one, two), (two, three))[0] is two
    assert set(fused((one,), (three,))) == {one, three}
