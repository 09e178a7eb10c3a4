"""Language servers of our own, real ones: they see unsaved text, tell what an edit broke, and never hold anyone up."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from attache.workspace.servers import child, servers
from attache.workspace.servers.servers import Servers
from attache.workspace.workspace import Workspace
from workspace.clients import Editor

SCRIPTS = Path(sys.executable).parent
REAL = pytest.mark.skipif(
    not (SCRIPTS / "basedpyright-langserver").exists(), reason="basedpyright is not installed beside the tests' Python"
)
USER = 'import helper\n\nnote = "ä😀"; print(helper.double(note, 1))\n'
FITS = "def double(text: str, times: int) -> str:\n    return text * times\n"
CHANGED = "def double(text: str) -> str:\n    return text * 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my work #1 ü"
    folder.mkdir()
    return folder


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def on_path(place: Path) -> None:
        monkeypatch.setenv("PATH", f"{place}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return on_path


@pytest.fixture
async def serve(folder: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Servers]]:
    made: list[tuple[Servers, Workspace]] = []

    def serve(*, trusted: bool = False) -> Servers:
        workspace = Workspace([folder], home=tmp_path / "home")
        made.append((Servers(workspace, trusted=trusted), workspace))
        return made[-1][0]

    yield serve
    for own, workspace in made:
        await own.close()
        workspace.close()


def codes(checked: servers.Checked, path: str) -> list[tuple[int, int, str]]:
    return [(each.place.line, each.place.column, each.code) for each in checked.found[path]]


@REAL
async def test_what_an_edit_breaks_elsewhere_is_seen_before_anything_is_saved(folder, serve, on_path):
    on_path(SCRIPTS)
    (folder / "helper.py").write_text(FITS)
    (folder / "user.py").write_text(USER)
    own = serve()
    assert codes(await own.check({"user.py": USER}), "user.py") == []

    editor = Editor(own._workspace.buffers)
    editor.open(folder / "helper.py", CHANGED)  # typed, not saved

    checked = await own.check({"user.py": USER})
    assert codes(checked, "user.py") == [(3, 40, "reportCallIssue")]
    assert checked.trouble == ()
    both = await own.check({"user.py": USER, "helper.py": FITS})
    assert both.found == {"user.py": (), "helper.py": ()}


@REAL
async def test_places_names_and_types_are_those_of_the_text_that_the_user_sees(folder, serve, on_path):
    on_path(SCRIPTS)
    (folder / "helper.py").write_text(FITS)
    (folder / "user.py").write_text("")
    own = serve()
    Editor(own._workspace.buffers).open(folder / "user.py", USER)

    (place,) = await own.definition("user.py", 3, 28) or ()
    assert (place.path, place.line, place.column) == ("helper.py", 1, 5)
    places = await own.references("helper.py", 1, 5) or ()
    assert {(each.path, each.line, each.column) for each in places} == {("helper.py", 1, 5), ("user.py", 3, 27)}
    assert "times: int" in (await own.hover("user.py", 3, 28) or "")
    changes = {change.uri.rpartition("/")[2]: change for change in await own.rename("user.py", 3, 28, "twice") or ()}
    (edit,) = changes["user.py"].edits
    assert USER[: edit.start] + edit.text + USER[edit.end :] == USER.replace("double", "twice")
    assert set(changes) == {"user.py", "helper.py"}


@REAL
async def test_a_server_that_is_killed_comes_back_with_all_texts(folder, serve, on_path, monkeypatch):
    monkeypatch.setattr(child, "PAUSES_SECONDS", (0.05,))
    on_path(SCRIPTS)
    own = serve()
    bad = "x: int = ''\n"
    assert codes(await own.check({"a.py": bad}), "a.py") == [(1, 10, "reportAssignmentType")]
    (started,) = own.children
    assert started.pid
    os.killpg(started.pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    async with asyncio.timeout(20):
        while (checked := await own.check({"a.py": bad})).trouble:
            await asyncio.sleep(0.1)
    assert codes(checked, "a.py") == [(1, 10, "reportAssignmentType")]


# ---------------------------------------------------------------- servers that misbehave


def fake(place: Path, body: str, name: str = "basedpyright-langserver") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    program = place / name
    program.write_text(f"#!{sys.executable}\n{SPEAK}\n{body}")
    program.chmod(0o755)
    return place


SPEAK = """
import json, sys, time
def read():
    length = 0
    while (line := sys.stdin.buffer.readline().strip()):
        length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
    if not length: sys.exit(0)
    return json.loads(sys.stdin.buffer.read(length))
def say(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body); sys.stdout.buffer.flush()
def found(uri, version, *items):
    say(method="textDocument/publishDiagnostics", params={"uri": uri, "version": version, "diagnostics": list(items)})
def at(line, text, **more):
    span = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 1}}
    return {"range": span, "message": text, **more}
"""
MEET = "hello = read(); say(id=hello['id'], result={'capabilities': {'textDocumentSync': 1, 'hoverProvider': True}})\n"
LOOP = MEET + "while True:\n    message = read()\n    method = message.get('method', '')\n"
PUSH = (
    LOOP
    + """
    if method in ("textDocument/didOpen", "textDocument/didChange"):
        document = message["params"]["textDocument"]
        text = document.get("text") or message["params"]["contentChanges"][0]["text"]
        found(document["uri"], document["version"] - 1, at(0, "of an older text"))
        found(document["uri"], VERSION, at(0, text.strip(), severity=1, code=7), at(0, "only a hint", severity=4))
    elif "id" in message:
        say(id=message["id"], result=None)
"""
)


@pytest.mark.parametrize("version", ["document['version']", "None"])
async def test_what_is_pushed_counts_for_the_text_it_was_made_for(tmp_path, serve, on_path, version: str):
    on_path(fake(tmp_path / "bin", PUSH.replace("VERSION", version)))
    own = serve()
    for text in ("one\n", "two\n"):
        checked = await own.check({"a.py": text})
        assert [(each.message, each.code) for each in checked.found["a.py"]] == [(text.strip(), "7")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.stderr.write('no such licence\\n'); sys.exit(3)", "no such licence"),
        ("time.sleep(600)", "still starting"),
        (LOOP, "no answer in time"),
        (MEET + "sys.stdout.write('rubbish' * 9999); sys.stdout.flush(); sys.exit()", ""),
        (
            PUSH.replace("found(document", "say(method='textDocument/publishDiagnostics', params=5); found(document")
            .replace("VERSION", "document['version']").replace("severity=1", "severity='bad'"),
            "cannot be read",
        ),
        (MEET.replace("'capabilities'", "'nothing'") + "time.sleep(600)", "no answer in time"),
        ("hello = read(); say(id=hello['id'], error={'code': 1, 'message': 'not here'}); time.sleep(600)", "not here"),
    ],
    ids=["ends", "sleeps", "silent", "rubbish", "odd", "empty", "refuses"],
)  # fmt: skip
async def test_a_bad_server_costs_a_moment_and_is_named(tmp_path, serve, on_path, monkeypatch, body: str, reason: str):
    monkeypatch.setattr(servers, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(servers, "ANSWER_SECONDS", 1.0)
    on_path(fake(tmp_path / "bin", body))
    own = serve()
    began = time.monotonic()
    checked = await own.check({"a.py": "x\n"})
    assert time.monotonic() - began < 4
    assert checked.found == {}
    assert "basedpyright: " in checked.trouble[0]
    assert reason in checked.trouble[0]
    assert await own.definition("/nowhere.rs", 1, 1) is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("pause", [0.0, 0.2, 0.7, 1.2])
async def test_one_that_refuses_to_end_is_ended_whenever_we_close(tmp_path, serve, on_path, pause: float):
    on_path(
        fake(
            tmp_path / "bin",
            "hello = read(); say(id=hello['id'], error={'code': 1, 'message': 'no'})\nwhile True: time.sleep(9)",
        )
    )
    own = serve()
    await own.check({"a.py": "x\n"})
    (started,) = own.children
    await asyncio.sleep(pause)
    group = started.pid
    await own.close()
    assert group is None or members(group) == []


async def test_one_that_stays_away_is_not_waited_for_again(tmp_path, serve, on_path, monkeypatch):
    monkeypatch.setattr(servers, "FIRST_SECONDS", 1.0)
    on_path(fake(tmp_path / "bin", "time.sleep(600)"))
    own = serve()
    await own.check({"a.py": "x\n"})
    began = time.monotonic()
    assert (await own.check({"a.py": "y\n"})).trouble
    assert time.monotonic() - began < 0.5


async def test_what_a_folder_carries_runs_only_once_it_is_trusted(folder, tmp_path, serve, on_path):
    ran = tmp_path / "ran"
    own_place = fake(folder / ".venv" / "bin", f"open({str(ran)!r}, 'w'); sys.exit()")
    on_path(own_place)  # as in a shell where the folder's environment is active
    assert await serve(trusted=False).check({"a.py": "x\n"}) == servers.Checked(
        trouble=("basedpyright runs only in a folder that you trust: attache trust",)
    )
    assert not ran.exists()
    await serve(trusted=True).check({"a.py": "x\n"})
    assert ran.exists()


async def test_a_server_that_would_run_the_folders_code_waits_for_trust(tmp_path, serve, on_path):
    ran = tmp_path / "ran"
    on_path(fake(tmp_path / "bin", f"open({str(ran)!r}, 'w'); sys.exit()", "rust-analyzer"))
    own = serve(trusted=False)
    assert (await own.check({"a.rs": "fn main() {}\n"})).trouble
    assert (await own.check({"a.rs": "fn main() { }\n"})).trouble == ()  # said once
    assert not ran.exists()


OWNER = """
import asyncio, sys
from pathlib import Path
from attache.workspace.servers.servers import Servers
from attache.workspace.workspace import Workspace

async def main():
    own = Servers(Workspace([Path(sys.argv[1])], home=Path(sys.argv[2])), trusted=True)
    await own.check({"a.py": "x = 1\\n"})
    print(own.children[0].pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@REAL
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_no_server_outlives_us_when_we_are_killed(folder: Path, tmp_path: Path):
    environment = {**os.environ, "PATH": f"{SCRIPTS}:/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", OWNER, str(folder), str(tmp_path / "home")]
    owner = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, cwd=tmp_path)
    assert owner.stdout
    group = int(owner.stdout.readline())
    assert members(group)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 10
    while members(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(group) == []


def members(group: int) -> list[int]:
    """The processes of a group that still run."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, IndexError, ValueError):
            state, _, own = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(own) == group and state != "Z":
                found.append(int(entry.name))
    return found
