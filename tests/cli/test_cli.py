"""The command line as programs rely on it: output, errors and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "server" / "attache" / "faces" / "cli" / "sample"

CITED = re.compile(r"^- .*?(?P<path>[\w/.]+):(?P<line>\d+) — (?:`` (?P<ticked>.*) ``|`(?P<plain>.*)`)$")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(SAMPLE, tmp_path / "wörk #1 100%"))


@pytest.fixture
def attache(tmp_path: Path, work: Path):
    def run(
        *arguments: str, stdin: str | None = None, cwd: Path = work, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        known = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}
        env = {
            **known,
            "ATTACHE_HOME": str(tmp_path / "home"),
            "PYTHONPATH": str(ROOT / "server"),
            "NO_COLOR": "1",
            **environ,
        }
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        command = [sys.executable, "-m", "attache", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120, **given
        )

    return run


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_asking_cites_lines_that_say_it(attache, work: Path) -> None:
    run = attache("ask", "where do we retry failed requests?", "--cwd", str(work))
    assert run.returncode == 0, run.stderr
    cited = [match for line in run.stdout.splitlines() if (match := CITED.search(line))]
    assert cited[0]["path"] == "shop/client.py"
    for match in cited:
        said = match["ticked"] or match["plain"]
        assert (work / match["path"]).read_text().splitlines()[int(match["line"]) - 1].strip() == said
    assert "offline" in run.stdout


def test_json_is_one_event_a_line_and_the_last_one_sums_up(attache) -> None:
    run = attache("ask", "hello", "--json")
    events = lines(run.stdout)
    assert run.returncode == 0
    last = events[-1]
    assert last["type"] == "run.finished"
    assert last["stop_reason"] == "end_turn"
    assert set(last["usage"]) == {"input_tokens", "output_tokens", "cached_tokens"}
    assert last["cost_usd"] == 0
    assert last["session_id"].startswith("s_")
    again = attache("ask", "who calls `discount_rate`?", "--json", "--session", last["session_id"])
    assert lines(again.stdout)[-1]["session_id"] == last["session_id"]
    assert "shop/cart.py" in again.stdout


def test_what_is_not_there_is_not_invented(attache) -> None:
    run = attache("ask", "where do we configure the quantum flux capacitor?")
    assert run.returncode == 0
    assert "Nothing in this workspace matches" in run.stdout


def test_standard_input_is_material(attache) -> None:
    assert "From standard input" in attache("ask", "hello", "--json", stdin="fix everything").stdout


def test_an_edit_asks_unless_allowed(attache, work: Path) -> None:
    before = (work / "shop" / "discounts.py").read_bytes()
    run = attache("ask", "fix shop/discounts.py")
    assert run.returncode == 3
    assert "approval" in run.stderr
    assert (work / "shop" / "discounts.py").read_bytes() == before
    run = attache("ask", "fix shop/discounts.py", "--approve", "edits")
    assert run.returncode == 0, run.stderr
    after = (work / "shop" / "discounts.py").read_text()
    assert "import json" not in after
    assert "best" not in after


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask", "x", "--model", "claude-sonet"], 2, "near:"),
        (["ask", " "], 2, "empty"),
        (["ask", "x", "--cwd", "no/such/folder"], 2, "not a folder"),
        (["ask", "x", "--session", "s_NONE"], 2, "sessions list"),
        (["ask", "x", "--mode", "sideways"], 2, "sideways"),
        (["nonsense"], 2, "nonsense"),
        (["search", ""], 2, "nothing to look for"),
        (["references", "shop/cart.py"], 2, "PATH:LINE:COL"),
        (["tool", "run", "no_such_tool"], 1, "no tool"),
        (["tool", "run", "read", "--args", "{"], 2, "JSON"),
        (["tool", "run", "read", "--args", '{"path": "nowhere.py"}'], 1, "nowhere.py"),
        (["tool", "run", "edit", "--args", '{"path": "README.md", "edits": [{"search": "zzz", "replace": ""}]}', "--approve", "edits"], 4, "not there"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_and_what_to_do(attache, arguments: list[str], code: int, said: str) -> None:
    run = attache(*arguments)
    assert run.returncode == code, run.stdout + run.stderr
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_a_missing_key_names_the_variable(attache) -> None:
    run = attache("ask", "hello", "--model", "anthropic/claude-sonnet-4-5")
    assert run.returncode in {1, 2}
    assert "ANTHROPIC_API_KEY" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_malformed_settings_file_names_file_line_and_key(attache, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('lenses = true\nmodle = "x/y"\n')
    run = attache("ask", "hello", ATTACHE_CONFIG=str(config))
    assert run.returncode == 2
    assert f"{config}:2" in run.stderr
    assert "model" in run.stderr


def test_search_symbols_and_references_speak_in_lines(attache, work: Path) -> None:
    hits = lines(attache("search", "retry failed requests", "-k", "3", "--json", "--root", str(work)).stdout)
    assert hits[0]["path"] == "shop/client.py"
    assert set(hits[0]) == {"path", "start_line", "end_line", "score", "symbol"}
    asked = '{"id": 7, "query": "discount"}\n\nnot json\n'
    answered = lines(attache("search", "--stdin", stdin=asked).stdout)
    assert answered[0]["id"] == 7
    assert answered[0]["results"][0][0] == "shop/discounts.py"
    assert "error" in answered[1]
    found = lines(attache("symbols", "discount_rate", "--json").stdout)
    line = found[0]["line"]
    assert (found[0]["name"], found[0]["kind"], found[0]["path"]) == ("discount_rate", "function", "shop/discounts.py")
    assert "def discount_rate" in (work / "shop" / "discounts.py").read_text().splitlines()[line - 1]
    uses = lines(attache("references", f"shop/discounts.py:{line}:6", "--json").stdout)
    assert ("shop/cart.py", "call") in {(use["path"], use["role"]) for use in uses}


def test_the_index_says_what_it_holds(attache) -> None:
    status = lines(attache("index", "--json").stdout)[0]
    assert status["state"] == "ready"
    assert status["files"] >= 5


def test_every_tool_is_listed_with_its_schema(attache) -> None:
    rows = lines(attache("tool", "list", "--json").stdout)
    assert {
        "read",
        "write",
        "edit",
        "list",
        "find",
        "grep",
        "search",
        "symbols",
        "references",
        "diagnostics",
        "shell",
        "test",
    } <= {row["name"] for row in rows}
    assert all(row["schema"]["type"] == "object" and row["description"] for row in rows)


def test_a_command_needs_leave(attache) -> None:
    refused = attache("tool", "run", "shell", "--args", '{"command": ["echo", "hi"]}')
    assert refused.returncode == 3
    allowed = attache("tool", "run", "shell", "--args", '{"command": ["echo", "hi"]}', "--approve", "all")
    assert allowed.returncode == 0
    assert "hi" in allowed.stdout


def test_trust_is_given_and_taken(attache, work: Path) -> None:
    assert "not trusted" in attache("config", "show").stdout
    assert attache("trust", str(work)).returncode == 0
    assert '"trusted":true' in attache("config", "show", "--json").stdout
    assert attache("trust", str(work), "--revoke").returncode == 0
    assert '"trusted":false' in attache("config", "show", "--json").stdout


def test_trust_can_be_taken_from_a_folder_with_broken_settings(attache, work: Path) -> None:
    assert attache("trust").returncode == 0
    (work / ".attache").mkdir()
    (work / ".attache" / "settings.toml").write_text("mode = [")
    assert attache("ask", "hello").returncode == 2
    assert "settings.toml" in attache("config", "path").stdout
    revoked = attache("trust", "--revoke")
    assert revoked.returncode == 0, revoked.stderr
    assert attache("ask", "hello").returncode == 0
    missing = attache("trust", "no/such/folder")
    assert "--cwd" not in missing.stderr
    assert "attache trust FOLDER" in missing.stderr


def test_a_broken_tool_of_the_folder_is_told_once_it_is_trusted(attache, work: Path) -> None:
    tools = work / ".attache" / "tools"
    tools.mkdir(parents=True)
    (tools / "mine.py").write_text("x = 1\nraise ValueError('not today')\n")
    assert "mine.py" not in attache("tool", "list").stderr
    attache("trust")
    for command in (["tool", "list"], ["ask", "hello"], ["tool", "run", "list"]):
        run = attache(*command)
        assert run.returncode == 0, run.stderr
        assert "mine.py:2: ValueError: not today" in run.stderr
    checked = attache("config", "check")
    assert checked.returncode == 1
    assert "mine.py:2" in checked.stderr
    assert "right" not in checked.stdout
    assert "mine.py:2" in attache("doctor").stdout


def test_doctor_goes_on_where_settings_are_broken(attache, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("mode = [\n")
    run = attache("doctor", "--json", ATTACHE_CONFIG=str(config))
    assert run.returncode == 0, run.stderr
    found = {row["name"]: row for row in lines(run.stdout)}
    assert str(config) in found["settings"]["detail"]
    assert found["model"]["ok"]


@pytest.mark.skipif(os.name == "nt", reason="the editors are scripts of sh")
def test_doctor_prints_the_lines_for_each_editor_and_where_keys_lead(attache, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("hx", "kate"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    where = {"OPENAI_API_KEY": "sk-none", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OLLAMA_HOST": "127.0.0.1:9"}
    run = attache("doctor", PATH=f"{folder}{os.pathsep}{os.environ['PATH']}", **where)
    assert "Helix (hx)" in run.stdout
    assert "[language-server.attache]" in run.stdout
    assert '"highlightingModeRegex": "^Python$"' in run.stdout
    assert "openai (OPENAI_API_KEY, http://127.0.0.1:9/v1)" in run.stdout
    assert "sk-none" not in run.stdout
    assert "does not answer at http://127.0.0.1:9" in run.stdout


@pytest.mark.skipif(os.name == "nt", reason="the false server is a script of sh")
def test_doctor_counts_only_language_servers_that_run(attache, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, code in (("rust-analyzer", 1), ("clangd", 0)):
        (folder / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (folder / name).chmod(0o755)
    run = attache("doctor", "--json", PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    servers = next(row for row in lines(run.stdout) if row["name"] == "language servers")
    assert "clangd" in servers["detail"]
    assert "rust-analyzer" not in servers["detail"]
    assert "rust-analyzer" in servers["hint"]


def test_a_state_folder_that_is_a_file_is_told(attache, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for command in (["ask", "hello"], ["trust"], ["symbols"]):
        run = attache(*command, ATTACHE_HOME=str(tmp_path / "file"))
        assert run.returncode == 2
        assert f"{tmp_path / 'file'} is a file" in run.stderr
        assert "ATTACHE_HOME" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["references", "nope.py:1:1"], "no file 'nope.py'"),
        (["references", "shop/cart.py:9999:1"], "no line 9999"),
        (["references", "shop/cart.py:1:90"], "shop/cart.py:1:90"),
        (["symbols", "zzqqxx"], "'zzqqxx'"),
    ],
)
def test_what_is_not_found_is_said(attache, arguments: list[str], said: str) -> None:
    run = attache(*arguments)
    assert run.returncode == 1
    assert run.stdout == ""
    what, to_do = run.stderr.splitlines()
    assert said in what
    assert to_do.strip()


def test_the_hint_names_the_leave_that_is_needed(attache) -> None:
    edit = attache("ask", "fix shop/discounts.py")
    assert edit.returncode == 3
    assert edit.stderr.endswith("--approve edits\n")
    command = attache("tool", "run", "shell", "--args", '{"command": ["echo", "hi"]}')
    assert "--approve all" in command.stderr
    arguments = '{"path": ".envrc", "content": "x"}'
    guarded = attache("tool", "run", "write", "--args", arguments, "--approve", "all")
    assert guarded.returncode != 0
    assert "only a person" in guarded.stderr
    assert "--approve" not in guarded.stderr


def test_standard_input_alone_is_the_question(attache) -> None:
    for arguments in ([], [""]):
        run = attache("ask", *arguments, "--json", stdin="who calls `discount_rate`?\n")
        assert run.returncode == 0, run.stderr
        assert "shop/cart.py" in run.stdout
        assert "From standard input" not in run.stdout
    assert "empty" in attache("ask", stdin=" \n").stderr


def test_the_language_server_has_a_help(attache) -> None:
    run = attache("lsp", "--help")
    assert run.returncode == 0, run.stderr
    assert "--stdio" in run.stdout


def test_doctor_and_lists_answer(attache) -> None:
    assert "offline/offline" in attache("doctor").stdout
    assert attache("doctor", "--json").returncode == 0
    assert "anthropic" in attache("providers").stdout
    assert "offline/offline" in attache("models").stdout
    assert attache("config", "check").returncode == 0
    assert "settings.toml" in attache("config", "path").stdout


def test_terminal_output_carries_no_control_characters(attache, work: Path) -> None:
    (work / "evil.txt").write_text("a\x1b[2J\x07b\n")
    run = attache("tool", "run", "read", "--args", '{"path": "evil.txt"}')
    assert "\x1b" not in run.stdout
    assert "\x07" not in run.stdout


@pytest.mark.parametrize("group", ["config", "keys", "sessions", "tool"])
def test_a_group_alone_shows_its_use(attache, group: str) -> None:
    run = attache(group)
    assert run.returncode == 2
    assert "Usage: attache " + group in run.stdout
    assert run.stderr == ""


def test_a_run_that_did_nothing_of_what_was_asked_fails(attache, work: Path) -> None:
    gone = attache("ask", "fix nothere.py")
    assert gone.returncode == 1
    assert "attache: nothing was done: " in gone.stderr
    assert "no such file" in gone.stderr
    script = work / "script.json"
    calls = [
        {"name": "read", "arguments": {"path": "README.md"}},
        {"name": "edit", "arguments": {"path": "README.md", "edits": [{"search": "zzz", "replace": ""}]}},
    ]
    script.write_text(json.dumps({"turns": [{"tool_calls": calls}, {"text": "well"}]}))
    refused = attache("ask", "change it", "--model", f"scripted/{script}", "--approve", "edits", "--quiet")
    assert refused.returncode == 4, refused.stderr
    assert refused.stdout.strip() == "well"
    failing = [{"name": "shell", "arguments": {"command": ["false"]}}]
    script.write_text(json.dumps({"turns": [{"tool_calls": failing}, {"text": "it said no"}]}))
    assert attache("ask", "run it", "--model", f"scripted/{script}", "--approve", "all").returncode == 0


def test_what_changed_in_the_only_commit(attache, work: Path) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@n.example", "-C", str(work)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one and only"]):
        subprocess.run([*git, *command], check=True)
    run = attache("ask", "what changed in the last commit?")
    assert run.returncode == 0, run.stderr
    assert "shop/cart.py (+" in run.stdout
    assert "one and only" in run.stdout


def test_a_state_folder_that_cannot_be_written_is_named(attache) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no file system here that root cannot write")
    for command in (["index"], ["demo"], ["ask", "hello"]):
        run = attache(*command, ATTACHE_HOME="/proc/attache")
        assert run.returncode == 2, run.stderr
        assert "/proc/attache" in run.stderr
        assert "set ATTACHE_HOME to another folder" in run.stderr
        assert "Traceback" not in run.stderr
