"""Planted secrets of every shape, in everything that is read: no outlet shows one, and the search finds what would."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

import canaries
from attache.agent.orchestrator import Orchestrator
from attache.foundation import redact
from attache.foundation.settings import Settings, load
from attache.providers.model import Emit
from attache.providers.scripted import ScriptedModel
from attache.schema.messages import Text
from attache.schema.models import Answer, Request

CALLS = [
    {"name": "read", "arguments": {"path": "keys.txt"}},
    {"name": "read", "arguments": {"path": ".env"}},
    {"name": "read", "arguments": {"path": "id_rsa"}},
    {"name": "grep", "arguments": {"pattern": "[a-z]+.*[A-Z0-9]{12,}|BEGIN|END|^.{64}$"}},
    {"name": "git_diff", "arguments": {}},
    {"name": "git_log", "arguments": {}},
    {"name": "shell", "arguments": {"command": "cat keys.txt; env"}},
    {"name": "shell", "arguments": {"command": "base64 keys.txt; od -An -tx1 keys.txt | tr -d ' \\n'; exit 3"}},
    {"name": "read", "arguments": {"path": "none/{each}"}},
    {"name": "write", "arguments": {"path": "copy.txt", "content": "{each}"}},
    {"name": "plan", "arguments": {"steps": [{"text": "use {each}"}]}},
    {"name": "nothing_of_that_name {each}", "arguments": {"{each}": "{each}"}},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that holds every secret: in texts, in its history, in a name."""
    work = tmp_path / "work"
    work.mkdir()
    every = canaries.planted()
    (work / "keys.txt").write_text("".join(f"{name}:\n{value}\n\n" for name, value in every.items()))
    (work / ".env").write_text("".join(f"{name.upper()}_KEY={value!r}\n" for name, value in every.items()))
    (work / "id_rsa").write_text(f"\n{every['pem']}\n")
    (work / "keys.json").write_text(json.dumps(every))
    (work / "AGENTS.md").write_text("".join(f"{value}\n\n" for value in every.values()))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", f"use {every['github']}"]):
        subprocess.run([*git, *words], cwd=work, check=True, capture_output=True)
    (work / "keys.txt").write_text((work / "keys.txt").read_text().replace("\n\n", "\n"))
    return work


async def tour(folder: Path) -> list[str]:
    """Let an agent look at everything, and return what came out: to the model, to listeners, to the disk."""
    every = " ".join(value for name, value in canaries.planted().items() if name != "pem")
    calls = json.loads(json.dumps(CALLS).replace("{each}", json.dumps(every)[1:-1]))
    script = folder.parent / "script.json"
    script.write_text(json.dumps({"turns": [*({"tool_calls": [each]} for each in calls), {"text": f"Done: {every}"}]}))
    environ = {"ATTACHE_HOME": str(folder.parent / "state"), "HOME": str(folder.parent), "PATH": os.environ["PATH"]}
    environ |= {f"{name.upper()}_API_KEY": value for name, value in canaries.planted().items() if name == "password"}
    overrides = {"model": f"scripted/{script}", "approve": "all"}
    settings = load(folder, overrides=overrides, environ=environ, trusted=True)
    heard: list[str] = []
    said: list[str] = []
    plain = ScriptedModel.answer

    async def answer(self: ScriptedModel, request: Request, emit: Emit) -> Answer:
        said.append(request.system)
        said.extend(part.model_dump_json() for each in request.messages if each.role == "user" for part in each.parts)
        return await plain(self, request, emit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedModel, "answer", answer)
        await _looked(settings, folder, heard, f"Look at everything: {every}")
    found = [f"heard: {canaries.excerpt(each)}" for each in heard if '"tool.' in each and canaries.shown(each.encode())]
    found += [
        f"to the model: {canaries.excerpt(each)}" for each in dict.fromkeys(said) if canaries.shown(each.encode())
    ]
    return found + list(canaries.leaks(folder.parent))


async def _looked(settings: Settings, folder: Path, heard: list[str], prompt: str) -> None:
    async with Orchestrator(settings, cwd=folder) as agent:
        session = await agent.new_session()
        session.subscribe(lambda entry: heard.append(entry.model_dump_json()))
        await session.run((Text(text=prompt),))


async def test_no_outlet_shows_a_planted_secret(folder: Path) -> None:
    assert len(canaries.planted()) >= 20
    assert await tour(folder) == []


async def test_without_redaction_the_search_finds_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: with nothing cut out, each of the outlets is named."""
    monkeypatch.setattr(redact, "_spans", lambda text: iter(()))
    redact._redact_again.cache_clear()
    found = await tour(folder)
    redact._redact_again.cache_clear()
    for path in [*folder.parent.rglob("attache.sqlite*"), *folder.parent.joinpath("state").rglob("*")]:
        path.unlink(missing_ok=True) if path.is_file() else None  # else the end of the run would find them too
    for outlet in ("heard: ", "to the model: ", "state/attache.sqlite"):
        assert any(each.startswith(outlet) for each in found), outlet


@pytest.mark.parametrize("name", canaries.planted() if canaries.SEED in os.environ else ["none"])
def test_the_search_knows_a_secret_in_every_spelling(name: str) -> None:
    value = canaries.planted()[name]
    middle = len(value) // 2
    wrapped = "\n".join(value[at : at + 9] for at in range(0, len(value), 9))
    for spelt in (
        value, value[::-1], value.encode().hex(), value.encode().hex().upper(), base64.b64encode(value.encode()).decode(),
        base64.b64encode(b"a" + value.encode()).decode(), base64.b64encode(b"ab" + value.encode()).decode(),
        "".join(f"%{byte:02X}" for byte in value.encode()), quote(value), json.dumps(value), json.dumps(wrapped),
        wrapped, f'"{value[:middle]}"\n  + "{value[middle:]}"', "".join(f"\\u{byte:04x}" for byte in value.encode()),
    ):  # fmt: skip
        assert canaries.shown(f"...{spelt}...".encode()), spelt
    assert not canaries.shown(b"a text with nothing in it" * 100)


def test_a_run_fails_where_a_secret_got_out(tmp_path: Path) -> None:
    """The check of the whole run, with a test that lets one out."""
    tests = Path(__file__).parents[1]
    (tmp_path / "conftest.py").write_text((tests / "conftest.py").read_text())
    (tmp_path / "test_leak.py").write_text(
        "import canaries\n\ndef test_leak(tmp_path):\n"
        "    (tmp_path / 'attache.sqlite').write_bytes(b'')\n"
        "    (tmp_path / 'log').write_text(canaries.planted()['github'])\n"
    )
    environ = {**os.environ, canaries.SEED: "another", "PYTHONPATH": str(tests)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'base'}",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "test_leak0/log" in done.stdout
    assert "1 passed" in done.stdout
