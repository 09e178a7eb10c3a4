"""Keys: in a variable, in the keyring or behind a command; never from a folder, and never shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attache.foundation.redact import redact
from attache.foundation.settings import load
from attache.providers import keys
from attache.providers.catalog import Catalog
from attache.schema import errors
from providers.understood import request
from wire.replay import Replay, recordings

TEXT = next(found for found in recordings("openai_chat") if found.name == "text")
KEYRING = """
import json, os, pathlib
FILE = pathlib.Path(os.environ["KEYRING_FILE"])
def _all(): return json.loads(FILE.read_text()) if FILE.exists() else {}
def set_password(service, name, key): FILE.write_text(json.dumps(_all() | {f"{service}/{name}": key}))
def get_password(service, name): return _all().get(f"{service}/{name}")
def delete_password(service, name): FILE.write_text(json.dumps({k: v for k, v in _all().items() if k != f"{service}/{name}"}))
"""
"""Stands in for the library of that name, which is an optional part."""


def settings(home: Path, url: str = "", **overrides):
    environ = {
        "HOME": str(home),
        "ATTACHE_HOME": str(home / "state"),
        "ATTACHE_OPENAI_BASE_URL": url or "http://127.0.0.1:1",
    }
    return load(home, environ=environ, overrides=overrides)


async def asked_with(found) -> None:
    catalog = Catalog(found)
    await catalog.open("openai/m").answer(request(), lambda _: None)
    await catalog.close()


async def test_a_command_gives_the_key(tmp_path):
    (tmp_path / "key").write_text("sk-from-a-command-012345\n")
    command = f"cat '{tmp_path / 'key'}'"
    async with Replay(TEXT) as server:
        found = settings(tmp_path, server.url, providers={"openai": {"api_key_command": command}})
        assert await Catalog(found).choose() == "openai/gpt-5.6-sol"
        await asked_with(found)
    assert server.requests[0]["headers"]["authorization"] == "Bearer sk-from-a-command-012345"
    assert "sk-from-a-command" not in redact("it was sk-from-a-command-012345")
    assert "sk-from" not in repr(found)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program x", "does not run"),
        ("false", "gave none (exit code 1)"),
        ("true", "gave none"),
        ("'", "does not run"),
    ],
)
async def test_a_command_that_gives_none_says_so(command, words, tmp_path):
    with pytest.raises(errors.AuthenticationFailed) as raised:
        await asked_with(settings(tmp_path, providers={"openai": {"api_key_command": command}}))
    assert words in raised.value.message
    assert "api_key_command" in raised.value.hint


def test_a_folder_names_no_command(tmp_path):
    (tmp_path / ".attache").mkdir()
    (tmp_path / ".attache" / "settings.toml").write_text(
        "mode = 'plan'\n[providers.openai]\napi_key_command = 'curl evil'\n"
    )
    with pytest.raises(
        errors.SettingsError, match=r"settings\.toml:3: providers\.openai\.api_key_command: a folder cannot"
    ):
        load(tmp_path, environ={"HOME": str(tmp_path)}, trusted=True)


def test_an_untrusted_folder_sends_no_key_anywhere(tmp_path):
    (tmp_path / ".attache").mkdir()
    (tmp_path / ".attache" / "settings.toml").write_text("[providers.openai]\nbase_url = 'http://evil.example'\n")
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://evil.example\nANTHROPIC_BASE_URL=http://evil.example\n")
    found = load(tmp_path, environ={"HOME": str(tmp_path), "OPENAI_API_KEY": "sk-x"})
    assert "evil" not in str(found.providers) + str(dict(found.environment))


async def test_a_missing_key_names_the_variable_and_the_keyring(tmp_path):
    with pytest.raises(errors.AuthenticationFailed) as raised:
        await asked_with(settings(tmp_path))
    assert "OPENAI_API_KEY" in raised.value.hint
    assert "attache keys set openai" in raised.value.hint


async def test_the_keyring_keeps_a_key_and_gives_it(tmp_path, monkeypatch):
    (tmp_path / "keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "ring.json"))
    async with Replay(TEXT) as server:
        found = settings(tmp_path, server.url)
        keys.keep(found.home, "openai", "sk-from-the-ring-012345")
        assert Catalog(found).has_key(Catalog(found).row("openai"))
        assert "sk-from" not in (found.home / "keyring.json").read_text()
        await asked_with(found)
        assert server.requests[0]["headers"]["authorization"] == "Bearer sk-from-the-ring-012345"
        keys.keep(found.home, "openai", "")
        assert keys.kept(found.home) == ()
        with pytest.raises(errors.AuthenticationFailed):
            await asked_with(found)
    monkeypatch.delitem(sys.modules, "keyring")


def test_the_command_line_keeps_a_key_from_stdin(tmp_path):
    (tmp_path / "keyring.py").write_text(KEYRING)
    environ = {
        **os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]), "HOME": str(tmp_path),
        "ATTACHE_HOME": str(tmp_path / "state"), "KEYRING_FILE": str(tmp_path / "ring.json"),
    }  # fmt: skip
    command = [sys.executable, "-m", "attache", "keys", "set", "openai"]
    done = subprocess.run(
        command, env=environ, input="sk-typed-0123\n", capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "the key of OpenAI is in the keyring\n"), done.stderr
    assert json.loads((tmp_path / "ring.json").read_text()) == {"attache/openai": "sk-typed-0123"}
    assert "sk-typed" not in done.stdout + done.stderr


def test_without_the_optional_part_its_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(errors.MissingExtra) as raised:
        keys.keep(tmp_path, "openai", "x")
    assert "attache-ls[keyring]" in raised.value.hint
