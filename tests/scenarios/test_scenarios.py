"""Ten tasks as people give them, on the sources of a real package: the calls through the pipeline, then a command of its own.

The model is scripted, so what is tried is the hands: that tools which were made one by one do a whole task together.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from attache.agent.orchestrator import Orchestrator
from attache.foundation.settings import load
from attache.schema.events import ToolFinished
from attache.schema.messages import Text
from attache.schema.session import Approval, ApprovalAnswer

KEY = "sk-ant-api03-" + "k3Yq9" * 18 + "AA"
Call = tuple[str, Mapping[str, Any]]


class Willing:
    """A person who says yes."""

    async def ask(self, approval: Approval) -> ApprovalAnswer:
        return ApprovalAnswer(approval_id=approval.id, digest=approval.digest, choice="allow_once")


class Repository:
    """The sources of tenacity with a few tests, under git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = importlib.util.find_spec("tenacity")
        assert found is not None
        assert found.submodule_search_locations is not None
        source = Path(next(iter(found.submodule_search_locations)))
        shutil.copytree(source, folder / "tenacity", ignore=shutil.ignore_patterns("__pycache__"))
        self.write(
            "tests/test_ordinal.py",
            "from tenacity import _utils\n\n\ndef test_first():\n    assert _utils.to_ordinal(1) == '1st'\n",
        )
        self.write(
            "pyproject.toml",
            '[project]\nname = "tenacity"\nversion = "0"\ndependencies = []\n\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
        )
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "A Person")
        self.git("config", "user.email", "a@example.org")
        self.commit("Begin")

    def git(self, *words: str, check: bool = True) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.folder, check=check, capture_output=True, text=True
        ).stdout  # fmt: skip

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def line(self, path: str, words: str) -> int:
        """Return the line on which some words stand first, from 1."""
        return next(number for number, line in enumerate(self.read(path).splitlines(), 1) if words in line)

    def python(self, code: str) -> str:
        """Run code on the repository's own package; it has to end well."""
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tests(self) -> None:
        """Run its tests; they have to pass."""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    if importlib.util.find_spec("tenacity") is None or shutil.which("git") is None:
        pytest.skip("tenacity's sources or git are not here")
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder)


async def carry_out(repository: Repository, *calls: Call) -> list[ToolFinished]:
    """Make the calls one after the other in one run, and return what came of them; none may fail."""
    state = repository.folder.parent / "state"
    script = repository.folder.parent / "script.json"
    turns = [{"tool_calls": [{"name": name, "arguments": arguments}]} for name, arguments in calls]
    script.write_text(json.dumps({"turns": [*turns, {"text": "done"}]}), "utf-8")
    environ = {**os.environ, "ATTACHE_HOME": str(state), "HOME": str(repository.folder.parent)}
    settings = load(
        repository.folder,
        overrides={"model": f"scripted/{script}", "approve": "all"},
        environ=environ,
    )
    finished: list[ToolFinished] = []
    async with Orchestrator(settings, cwd=repository.folder, approver=Willing()) as agent:
        await agent.resources.index.ready(30)
        session = await agent.new_session()
        session.subscribe(lambda entry: finished.append(entry.event) if isinstance(entry.event, ToolFinished) else None)
        result = await session.run((Text(text="Do it."),))
    assert result.stop_reason == "end_turn", result.error
    for event in finished:
        assert not event.is_error, f"{event.name}: {event.text}"
    return finished


async def test_rename_across_files(repository: Repository) -> None:
    line = repository.line("tenacity/nap.py", "class sleep_using_event")
    await carry_out(
        repository,
        (
            "rename",
            {"path": "tenacity/nap.py", "line": line, "new_name": "sleep_until_event", "name": "sleep_using_event"},
        ),
    )
    assert "sleep_using_event" not in repository.read("tenacity/nap.py")
    repository.python("import tenacity; tenacity.sleep_until_event; assert not hasattr(tenacity, 'sleep_using_event')")
    repository.tests()


async def test_extract_a_function(repository: Repository) -> None:
    path = "tenacity/_utils.py"
    first = repository.line(path, "    segments = []")
    last = repository.line(path, "segments.append(cb.__name__)")
    await carry_out(
        repository,
        ("extract", {"path": path, "start_line": first, "end_line": last, "name": "name_segments"}),
        ("diagnostics", {"paths": [path]}),
    )
    assert "def name_segments" in repository.read(path)
    code = "from tenacity import _utils; print(_utils.get_callback_name(print), _utils.get_callback_name(_utils.to_ordinal))"
    assert repository.python(code).split() == [
        "print",
        "tenacity._utils.to_ordinal",
    ] or "to_ordinal" in repository.python(code)


async def test_add_a_parameter_and_pass_it_at_every_call(repository: Repository) -> None:
    path = "tenacity/_utils.py"
    before = repository.read(path).count("find_ordinal(")
    line = repository.line(path, "def find_ordinal")
    await carry_out(
        repository,
        (
            "change_signature",
            {"path": path, "line": line, "action": "add", "parameter": "language: str", "value": "'en'"},
        ),
    )
    text = repository.read(path)
    assert "def find_ordinal(pos_num: int, language: str" in text
    assert text.count("find_ordinal(") == before
    repository.tests()


async def test_fix_a_failing_test(repository: Repository) -> None:
    repository.write(
        "tests/test_more.py",
        "from tenacity import _utils\n\n\ndef test_eleventh():\n    assert _utils.to_ordinal(11) == '11th'\n\n\ndef test_second():\n    assert _utils.to_ordinal(2) == '2nd'\n",
    )
    broken = repository.read("tenacity/_utils.py").replace('return "nd"', 'return "st"')
    repository.write("tenacity/_utils.py", broken)
    repository.commit("Break it")
    line = repository.line("tenacity/_utils.py", "if pos_num == 2:")
    edit = {
        "search": '    if pos_num == 2:\n        return "st"',
        "replace": '    if pos_num == 2:\n        return "nd"',
    }
    seen = await carry_out(
        repository,
        ("read", {"path": "tenacity/_utils.py", "start_line": line - 2, "end_line": line + 2}),
        ("edit", {"path": "tenacity/_utils.py", "edits": [edit]}),
        ("test", {"selection": ["tests/test_more.py"]}),
    )
    assert "2 passed" in seen[-1].text or "passed" in seen[-1].text
    repository.tests()


async def test_move_a_class(repository: Repository) -> None:
    line = repository.line("tenacity/stop.py", "class stop_before_delay")
    await carry_out(
        repository,
        (
            "move_symbol",
            {
                "path": "tenacity/stop.py",
                "line": line,
                "to_path": "tenacity/stop_early.py",
                "name": "stop_before_delay",
            },
        ),
    )
    assert "class stop_before_delay" in repository.read("tenacity/stop_early.py")
    assert "class stop_before_delay" not in repository.read("tenacity/stop.py")
    repository.python("import tenacity; assert tenacity.stop_before_delay.__module__ == 'tenacity.stop_early'")
    repository.tests()


async def test_upgrade_a_dependency(repository: Repository) -> None:
    repository.write(
        "pyproject.toml",
        repository.read("pyproject.toml").replace("dependencies = []", 'dependencies = ["typing-extensions>=4.1"]'),
    )
    repository.write("uses.py", "from typing_extensions import override\n")
    repository.commit("Depend")
    edit = {"search": '"typing-extensions>=4.1"', "replace": '"typing-extensions>=4.12"'}
    seen = await carry_out(
        repository,
        ("list_dependencies", {}),
        ("grep", {"pattern": "typing.extensions"}),
        ("edit", {"path": "pyproject.toml", "edits": [edit]}),
        ("list_dependencies", {}),
    )
    assert "4.1" in seen[0].text
    assert "4.12" in seen[-1].text
    repository.python(
        "import tomllib; d = tomllib.load(open('pyproject.toml', 'rb')); assert d['project']['dependencies'] == ['typing-extensions>=4.12']"
    )


async def test_resolve_a_conflict(repository: Repository) -> None:
    path = "tenacity/nap.py"
    old = repository.read(path)
    repository.git("switch", "-qc", "other")
    repository.write(path, old.replace("import time", "import time  # theirs"))
    repository.commit("Theirs")
    repository.git("switch", "-q", "main")
    repository.write(path, old.replace("import time", "import time  # ours"))
    repository.commit("Ours")
    repository.git("merge", "other", check=False)
    assert "<<<<<<<" in repository.read(path)
    seen = await carry_out(
        repository,
        ("git_conflicts", {}),
        ("resolve_conflict", {"path": path, "take": "theirs"}),
        ("git_status", {}),
    )
    assert path in seen[0].text
    assert "import time  # theirs" in repository.read(path)
    assert "<<<<<<<" not in repository.read(path)
    repository.tests()


async def test_write_tests_up_to_a_line(repository: Repository) -> None:
    pytest.importorskip("coverage", reason="coverage is not installed")
    lines = "\n".join(
        f"    assert _utils.to_ordinal({number}) == '{number}{end}'"
        for number, end in ((0, "th"), (2, "nd"), (3, "rd"), (11, "th"), (22, "nd"))
    )
    seen = await carry_out(
        repository,
        ("coverage", {"path": "tenacity/_utils.py", "selection": ["tests"]}),
        (
            "write",
            {
                "path": "tests/test_all_ordinals.py",
                "content": f"from tenacity import _utils\n\n\ndef test_all():\n{lines}\n",
            },
        ),
        ("coverage", {"path": "tenacity/_utils.py", "selection": ["tests"]}),
    )
    line = repository.line("tenacity/_utils.py", 'return "rd"')
    assert _uncovered(seen[0].data, line)
    assert not _uncovered(seen[-1].data, line)
    repository.tests()


def _uncovered(data: Mapping[str, Any], line: int) -> bool:
    spans = data.get("uncovered") or data.get("missing") or []
    return any(line == span or (isinstance(span, list | tuple) and span[0] <= line <= span[-1]) for span in spans)


async def test_document_a_module(repository: Repository) -> None:
    path = "tenacity/_utils.py"
    missing = "def find_ordinal(pos_num: int) -> str:\n"
    edit = {"search": missing, "replace": missing + '    """Return the ending of an ordinal number in English."""\n'}
    seen = await carry_out(
        repository,
        ("doc_coverage", {"path": path}),
        ("edit", {"path": path, "edits": [edit]}),
        ("doc_coverage", {"path": path}),
    )
    assert "find_ordinal" in seen[0].text
    assert "find_ordinal" not in seen[-1].text
    assert "ending of an ordinal" in repository.python(
        "from tenacity import _utils; print(_utils.find_ordinal.__doc__)"
    )


async def test_find_and_fix_a_secret_in_history(repository: Repository) -> None:
    repository.write("config.py", f'TOKEN = "{KEY}"\n')
    repository.commit("Configure")
    repository.write("config.py", 'import os\n\nTOKEN = os.environ["TOKEN"]\n')
    repository.commit("Take it out")
    clean = [
        "git",
        "filter-branch",
        "-f",
        "--tree-filter",
        "test ! -f config.py || sed -i 's/sk-ant-[A-Za-z0-9-]*/gone/' config.py",
        "HEAD",
    ]
    forget = "git for-each-ref --format='%(refname)' refs/original | xargs -n1 git update-ref -d; git reflog expire --expire=now --all; git gc -q --prune=now"
    seen = await carry_out(
        repository,
        ("secret_scan", {"history": True}),
        ("shell", {"command": clean, "view": "direct", "timeout_seconds": 100}),
        ("shell", {"command": forget, "view": "direct", "timeout_seconds": 100}),
        ("secret_scan", {"history": True}),
    )
    assert "config.py" in seen[0].text
    assert "config.py" not in seen[-1].text
    assert KEY not in repository.git("log", "-p", "--all")
