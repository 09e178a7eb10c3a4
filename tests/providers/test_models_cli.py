"""The commands about models as a person types them: what was spent, how providers did, files and a form for the answer."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from providers.embeddings import embeddings
from wire.faults.server import Server
from wire.faults.speech import Line, Said, events
from wire.faults.table import refusal, stream

SERVER = Path(__file__).parents[2] / "server"
ANSWER = Said(texts=('{"n": ', "1}"), usage=(1000, 200))


def here(_body: bytes) -> Line:
    return stream("openai_chat", events("openai_chat", ANSWER))


async def attache(home: Path, url: str, *arguments: str) -> tuple[int, str, str]:
    environ = {
        "PATH": os.environ.get("PATH", ""), "HOME": str(home), "ATTACHE_HOME": str(home / "state"), "NO_PROXY": "*",
        "OPENAI_API_KEY": "canary-key-0123456789", "OPENAI_BASE_URL": url, "PYTHONPATH": str(SERVER), "COLUMNS": "200",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "attache", *arguments, cwd=home, env=environ, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_files_and_a_form_go_along_and_the_cost_is_told(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "b.txt").write_text("some text")
    (tmp_path / "c.png").write_bytes(b"png")
    (tmp_path / "form.json").write_text('{"type": "object", "properties": {"n": {"type": "integer"}}}')
    files = [word for name in ("a.pdf", "b.txt", "c.png") for word in ("--attach", name)]
    async with Server(here) as server:
        asked = ("ask", "what is it?", "--model", "openai/gpt-5.6-sol", "--schema", "form.json", "--quiet", *files)
        assert await attache(tmp_path, server.url, *asked) == (0, '{"n": 1}\n', "")
        body = json.loads(server.bodies[0])
        code, table, _ = await attache(tmp_path, server.url, "cost", "--by", "model")
        _, lines, _ = await attache(tmp_path, server.url, "cost", "--by", "project", "--json")
        _, providers, _ = await attache(tmp_path, server.url, "providers")
    kinds = [part["type"] for part in body["messages"][-1]["content"]]
    assert kinds == ["text", "file", "text", "image_url"]
    assert body["response_format"]["json_schema"]["schema"]["properties"] == {"n": {"type": "integer"}}
    assert code == 0
    assert "openai/gpt-5.6-sol" in table
    spent = json.loads(lines)
    assert (spent["name"], spent["calls"], spent["usage"]["input_tokens"]) == (str(tmp_path), 1, 1000)
    assert spent["cost_usd"] > 0
    (row,) = [line for line in providers.splitlines() if line.startswith("openai ")]
    assert " ok, " in row


async def test_a_provider_that_failed_says_so_in_the_list(tmp_path):
    async with Server(here, first=(refusal(401, "invalid key"),), forever=True) as server:
        code, _, told = await attache(tmp_path, server.url, "ask", "hello", "--model", "openai/m")
        _, providers, _ = await attache(tmp_path, server.url, "providers", "--json")
    assert code == 1
    assert "OPENAI_API_KEY" in told
    (row,) = [line for line in map(json.loads, providers.splitlines()) if line["name"] == "openai"]
    assert (row["last"]["ok"], "refuses the key" in row["last"]["message"]) == (False, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "x", "--attach", "no.pdf"), "no.pdf: No such file"),
        (("ask", "x", "--schema", "list.json"), "a JSON Schema is an object"),
        (("cost", "--since", "soon"), "--since soon: no such day"),
        (("keys", "set", "nobody"), 'unknown provider "nobody"'),
    ],
)
async def test_what_is_wrong_is_said(arguments, words, tmp_path):
    (tmp_path / "list.json").write_text("[]")
    code, _, told = await attache(tmp_path, "http://127.0.0.1:1", *arguments)
    assert code == 2
    assert words in told


async def test_windows_and_prices_are_fetched_anew_when_asked_for_and_stay(tmp_path):
    model = {
        "id": "gpt-5.6-sol",
        "match": {"equals": "gpt-5.6-sol"},
        "context_window": 1234,
        "prices": {"input_mtok": 7, "output_mtok": 9},
    }
    provider = {"id": "openai", "name": "OpenAI", "api_pattern": "https://api.openai.com", "models": [model]}
    (tmp_path / "data.json").write_text(json.dumps([provider]))
    (tmp_path / "wrong.json").write_text('{"no": "providers"}')
    files = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{files.server_port}"
    try:
        async with Server(here) as server:
            code, _, told = await attache(tmp_path, server.url, "models", "openai", "--from", f"{place}/data.json")
            assert (code, "windows and prices of 1 models" in told) == (0, True)
            for wrong in ("wrong.json", "nowhere.json"):
                code, _, told = await attache(tmp_path, server.url, "models", "openai", "--from", f"{place}/{wrong}")
                assert (code, f"no prices came from {place}/{wrong}" in told) == (2, True), told
            await attache(tmp_path, server.url, "ask", "hello", "--model", "openai/gpt-5.6-sol")
            _, lines, _ = await attache(tmp_path, server.url, "cost", "--json")
    finally:
        files.shutdown()
        files.server_close()
    assert json.loads(lines)["cost_usd"] == pytest.approx((1000 * 7 + 200 * 9) / 1e6)


async def test_what_would_be_offered_is_shown_with_how_it_was_chosen(tmp_path):
    with embeddings() as server:
        asked = ("tool", "offer", "point out the culprit", "--json")
        _, words, said = await attache(tmp_path, server.url, *asked)
        config = tmp_path / ".config" / "attache" / "settings.toml"
        config.parent.mkdir(parents=True)
        config.write_text('embedding_model = "openai/text-embedding-3-small"\n')
        _, both, nothing = await attache(tmp_path, server.url, *asked)
        code, cost, _ = await attache(tmp_path, server.url, "cost", "--by", "model", "--json")
    assert "no `embedding_model` is set" in said
    assert {json.loads(line)["by"] for line in words.splitlines()} == {"keyword"}
    assert "git_blame" not in words
    assert nothing == ""
    assert {json.loads(line)["by"] for line in both.splitlines()} == {"hybrid"}
    assert "git_blame" in both
    spent = json.loads(cost)
    assert code == 0
    assert spent["name"] == "openai/text-embedding-3-small"
    assert spent["usage"]["input_tokens"] == 7 * len(server.asked)
    assert spent["cost_usd"] == pytest.approx(7 * len(server.asked) * 0.02e-6)


async def test_a_search_by_meaning_says_what_answers_in_its_place(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "draw.py").write_text("def chart(rows):\n    return plot(rows)\n")
    (tmp_path / "code" / "net.py").write_text("def get(url):\n    return fetch(url, page=1)\n")
    config = tmp_path / ".config" / "attache" / "settings.toml"
    config.parent.mkdir(parents=True)
    asked = ("search", "a picture of numbers", "--kind", "vector", "--root", str(tmp_path / "code"), "--json")
    with embeddings() as server:
        config.write_text('embedding_model = "openai/text-embedding-3-small"\n')
        _, _, refused = await attache(tmp_path, server.url, *asked)
        assert server.asked == []
        config.write_text('embedding_model = "openai/text-embedding-3-small"\nvector_search = true\n')
        code, found, said = await attache(tmp_path, server.url, *asked)
    assert "found by words, not vectors: `vector_search` is off" in refused
    assert (code, said) == (0, "")
    assert json.loads(found.splitlines()[0])["path"] == "draw.py"
    assert json.loads(found.splitlines()[0])["symbol"] == "chart"
