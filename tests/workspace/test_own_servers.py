"""Language servers that the user sets: beside the known ones or in place of one, for the folders they are meant for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attache.foundation.settings import ServerSettings, load
from attache.schema.errors import SettingsError
from attache.workspace.servers.servers import Servers
from attache.workspace.servers.table import TABLE, rows
from attache.workspace.workspace import Workspace
from workspace.test_servers import SPEAK

SAYS_ALL = """
import os
at = {"line": 0, "character": 0}
known = {}
while True:
    message = read()
    method, params, number = message.get("method"), message.get("params"), message.get("id")
    if method == "initialize":
        known.update(options=params.get("initializationOptions"), folder=params["rootUri"], here=os.getcwd())
        say(id=number, result={"capabilities": {"textDocumentSync": 1}})
        say(id="s", method="workspace/configuration", params={"items": [{"section": "mine.deep"}, {}, {"section": "no"}]})
    elif message.get("id") == "s":
        known["asked"] = message["result"]
    elif method == "workspace/didChangeConfiguration":
        known["told"] = params["settings"]
    elif method == "textDocument/didOpen" or method == "textDocument/didChange":
        document = params["textDocument"]
        known["language"] = document.get("languageId", known.get("language"))
        while "asked" not in known:
            message = read()
            if message.get("id") == "s": known["asked"] = message["result"]
        one = {"range": {"start": at, "end": at}, "message": json.dumps(known), "severity": 1}
        say(method="textDocument/publishDiagnostics",
            params={"uri": document["uri"], "version": document["version"], "diagnostics": [one]})
    elif method == "shutdown":
        say(id=number, result=None)
    elif method == "exit":
        break
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    program = tmp_path / "elsewhere" / "my-server"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{SPEAK}\n{SAYS_ALL}")
    program.chmod(0o755)
    return program


def own(**servers: dict[str, object]) -> dict[str, ServerSettings]:
    return {name: ServerSettings.model_validate(fields) for name, fields in servers.items()}


@pytest.mark.skipif(sys.platform == "win32", reason="the server is a script with a first line of Unix")
async def test_it_is_started_for_its_files_with_what_was_set(tmp_path: Path, program: Path):
    folder = tmp_path / "work"
    inner = folder / "services" / "api"
    inner.mkdir(parents=True)
    (inner / "mine.toml").touch()
    fields: dict[str, object] = {
        "command": (str(program), "--stdio"), "languages": {"OWN": "own"}, "root_markers": ("mine.toml",),
        "options": {"a": 1}, "settings": {"mine": {"deep": {"b": 2}}},
    }  # fmt: skip
    workspace = Workspace([folder], home=tmp_path / "home")
    servers = Servers(workspace, trusted=True, table=rows(own(mine=fields)))
    try:
        (found,) = (await servers.check({"services/api/x.own": "text"})).found["services/api/x.own"]
        known = json.loads(found.message)
        assert known["options"] == {"a": 1}
        assert known["asked"] == [{"b": 2}, {"mine": {"deep": {"b": 2}}}, None]
        assert known["language"] == "own"
        assert known["folder"].endswith("/services/api")
        assert Path(known["here"]) == inner
        assert found.source == "mine"
    finally:
        await servers.close()
        workspace.close()


def test_a_known_name_is_changed_in_its_place_and_the_others_come_behind():
    table = rows(
        own(gopls={"command": ("my-gopls", "serve")}, clangd={"enabled": False}, half={"languages": {"x": "x"}})
    )
    assert table[0].command == ("my-gopls", "serve")
    assert table[0].languages == {".go": "go"}
    names = [row.name for row in table]
    assert names.count("gopls") == 1
    assert "clangd" not in names
    assert "half" not in names  # it has no command
    assert len(table) == len(TABLE) - 1
    assert rows({}) == TABLE


@pytest.mark.skipif(sys.platform == "win32", reason="the server is a script with a first line of Unix")
async def test_it_runs_only_in_a_folder_that_is_trusted(tmp_path: Path, program: Path):
    folder = tmp_path / "work"
    folder.mkdir()
    workspace = Workspace([folder], home=tmp_path / "home")
    fields: dict[str, object] = {"command": (str(program),), "languages": {".own": "own"}}
    servers = Servers(workspace, trusted=False, table=rows(own(mine=fields)))
    checked = await servers.check({"x.own": ""})
    assert checked.found == {}
    assert checked.trouble == ("mine runs only in a folder that you trust: attache trust",)
    await servers.close()
    workspace.close()


SET = '[servers.mine]\ncommand = ["my-server"]\nlanguages = {".own" = "own"}\n'


@pytest.mark.parametrize("trusted", [True, False])
def test_a_folder_sets_them_where_it_is_trusted_and_lays_its_own_beside_the_users(tmp_path: Path, *, trusted: bool):
    config = tmp_path / "settings.toml"
    config.write_text("[servers.gopls]\nenabled = false\n")
    (tmp_path / "work" / ".attache").mkdir(parents=True)
    (tmp_path / "work" / ".attache" / "settings.toml").write_text(SET)
    environ = {"ATTACHE_CONFIG": str(config), "ATTACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    found = load(tmp_path / "work", environ=environ, trusted=trusted)
    assert set(found.servers) == ({"mine", "gopls"} if trusted else {"gopls"})


def test_a_wrong_field_is_named(tmp_path: Path):
    config = tmp_path / "settings.toml"
    config.write_text(SET + "root_marker = ['x']\n")
    with pytest.raises(SettingsError, match=r"settings.toml:4: servers\.mine\.root_marker: no such setting") as error:
        load(tmp_path, environ={"ATTACHE_CONFIG": str(config), "HOME": str(tmp_path)})
    assert "root_markers" in error.value.hint


def test_the_doctor_says_what_hinders_each(tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch):
    from attache.faces.cli.doctor import _own_servers

    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin")
    config = tmp_path / "settings.toml"
    config.write_text(
        SET + '[servers.away]\ncommand = ["no-such-server"]\nlanguages = {".x" = "x"}\n'
        '[servers.bare]\nlanguages = {".x" = "x"}\n[servers.gopls]\nenabled = false\n'
        '[servers.marked]\ncommand = ["my-server"]\nlanguages = {".x" = "x"}\nroot_markers = ["Gemfile"]\n'
    )
    environ = {"ATTACHE_CONFIG": str(config), "HOME": str(tmp_path)}

    def said(*, trusted: bool) -> dict[str, str]:
        settings = load(tmp_path, environ=environ, trusted=trusted)
        return {each.name: each.detail for each in _own_servers(settings, tmp_path)}

    says: Callable[..., dict[str, str]] = said
    assert says(trusted=True) == {
        "server mine": f"{program}, for .own",
        "server away": "no-such-server is not found",
        "server bare": "has no command",
        "server gopls": "off",
        "server marked": "none of Gemfile is here",
    }
