"""Code found by meaning, with a real index and a real server that makes vectors, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attache.agent import sense
from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.errors import SettingsError
from providers.embeddings import Embeddings, embeddings

from .conftest import Start

FILES = {
    "draw.py": "def chart(rows):\n    return plot(rows)\n",
    "net/load.py": "def get(url):\n    return fetch(url, page=1)\n",
    "words.py": "def count(text):\n    return len(text.split())\n",
}


def by(server: Embeddings, **more: Any) -> dict[str, Any]:
    own = {"mine": {"wire": "openai_chat", "base_url": server.url, "local": True}}
    return {"embedding_model": "mine/m", "providers": own, "model_wait_seconds": 0, "vector_search": True, **more}


@pytest.fixture(autouse=True)
def code(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


async def found(agent: Orchestrator, query: str) -> tuple[list[str], str]:
    await agent.resources.index.ready(30)
    hits, why = await sense.search(agent.resources, query, 3)
    return [hit.path for hit in hits], why


async def test_what_is_meant_is_found_and_only_what_changed_is_read_again(start: Start, folder: Path) -> None:
    with embeddings() as server:
        async with start([], **by(server)) as agent:
            paths, why = await found(agent, "a picture of numbers")
            assert (paths[0], why) == ("draw.py", "")
            assert (await found(agent, "the web"))[0][0] == "net/load.py"
            sent = len(server.texts)
            assert sent == len(FILES) + 2
            (folder / "words.py").write_text("def secret():\n    return token()\n")
            await agent.resources.index.refresh()
            assert (await found(agent, "password"))[0][0] == "words.py"
            assert len(server.texts) == sent + 2  # the new piece, and the question
            costs = await agent.resources.ledger.account("session")
    assert [each.usage.input_tokens for each in costs if each.name == "embeddings"] == [7 * len(server.asked)]


async def test_unsaved_text_counts(start: Start, folder: Path) -> None:
    with embeddings() as server:
        async with start([], **by(server)) as agent:
            agent.resources.index.update(folder / "words.py", "def chart():\n    return 'chart plot chart plot'\n")
            paths, _ = await found(agent, "plot")
    assert set(paths[:2]) == {"draw.py", "words.py"}


async def test_secrets_in_files_are_not_sent(start: Start, folder: Path) -> None:
    key = "AKIAIOSFODNN7EXAMPLX"
    (folder / "keys.py").write_text(f'def key():\n    return "{key}"\n')
    with embeddings() as server:
        async with start([], **by(server)) as agent:
            await found(agent, "key")
    assert any("def key" in text for text in server.texts)
    assert key not in str(server.asked)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"embedding_model": ""}, "no `embedding_model` is set"),
        ({"vector_search": False}, "`vector_search` is off"),
        ({"personal_data": "mask"}, "`personal_data` keeps"),
        ({"embedding_model": "offline/x"}, "makes no vectors"),
    ],
)
async def test_what_stands_against_it_is_said_and_words_answer(more: dict[str, Any], why: str, start: Start) -> None:
    with embeddings() as server:
        async with start([], **by(server, **more)) as agent:
            paths, said = await found(agent, "chart")
    assert why in said
    assert paths[0] == "draw.py"
    assert server.asked == []


async def test_more_than_can_be_compared_is_said(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sense, "MOST_PIECES", 2)
    with embeddings() as server:
        async with start([], **by(server)) as agent:
            paths, said = await found(agent, "chart")
    assert "more than 2 pieces" in said
    assert paths[0] == "draw.py"


async def test_a_provider_that_fails_is_said(start: Start) -> None:
    with embeddings() as server:
        server.failures += [(401, {}, b'{"error":{"message":"bad key"}}')]
        async with start([], **by(server)) as agent:
            paths, said = await found(agent, "chart")
    assert "bad key" in said
    assert paths[0] == "draw.py"


def test_what_a_folder_carries_cannot_send_its_files(folder: Path, tmp_path: Path) -> None:
    (folder / ".attache").mkdir()
    (folder / ".attache" / "settings.toml").write_text("vector_search = true\n")
    environ = {"HOME": str(tmp_path), "ATTACHE_HOME": str(tmp_path / "home")}
    with pytest.raises(SettingsError, match="vector_search"):
        load(folder, environ=environ, trusted=True)
