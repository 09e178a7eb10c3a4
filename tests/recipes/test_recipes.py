"""CONTRIBUTING.md's recipes: each adds one thing in one place and finds it working."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attache.foundation.settings import Settings, load
from attache.security.trust import trust

ROOT = Path(__file__).parents[2]


def attache(*arguments: str, home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "ATTACHE_HOME": str(home), "PYTHONPATH": str(ROOT / "server")}
    command = [sys.executable, "-m", "attache", *arguments]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


TOOL = '''
from typing import Annotated
from pydantic import Field
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool


@tool
async def shout(ctx: Context, words: Annotated[str, Field(description="What to shout.")]) -> ToolOutput:
    """Say it louder."""
    return ToolOutput(text=words.upper())
'''


def test_a_tool_is_one_function_in_one_file(home: Path, work: Path) -> None:
    (work / ".attache" / "tools").mkdir(parents=True)
    (work / ".attache" / "tools" / "shouting.py").write_text(TOOL)
    assert "shout" not in attache("tool", "list", home=home, cwd=work).stdout
    trust(home, work)
    listed = [json.loads(line) for line in attache("tool", "list", "--json", home=home, cwd=work).stdout.splitlines()]
    mine = next(row for row in listed if row["name"] == "shout")
    assert mine["schema"]["properties"]["words"]["type"] == "string"
    run = attache("tool", "run", "shout", "--args", '{"words": "hey"}', home=home, cwd=work)
    assert run.stdout == "HEY\n"


def test_a_provider_is_one_table(home: Path, work: Path) -> None:
    config = work / "user.toml"
    config.write_text(
        '[providers.mine]\nwire = "openai_chat"\nbase_url = "http://127.0.0.1:9"\napi_key_env = "MINE_KEY"\n'
    )
    environ = {"ATTACHE_CONFIG": str(config), "ATTACHE_HOME": str(home), "MINE_KEY": "k" * 20}
    from attache.providers.catalog import Catalog

    catalog = Catalog(load(work, environ=environ))
    row = catalog.row("mine")
    assert catalog.has_key(row)
    assert catalog.open("mine/some-model").info.ref == "mine/some-model"


def test_a_setting_is_one_field() -> None:
    from pydantic import Field, create_model

    richer = create_model("Richer", __base__=Settings, tempo=(int, Field(3, description="How fast.")))
    assert richer.model_fields["tempo"].description == "How fast."
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import generate
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    assert all(f"| `{name}` |" in generate.settings_page() for name in Settings.model_fields if name in generate.NAMES)


async def test_a_prompt_section_is_one_function(work: Path, home: Path) -> None:
    from attache.agent import prompt
    from attache.workspace.workspace import Workspace

    @prompt.section
    async def motto(scene: prompt.Scene) -> str:
        """Say the motto."""
        return f"Motto of {scene.mode}: less."

    try:
        scene = prompt.Scene(workspace=Workspace([work], home=home), settings=Settings(), mode="plan")
        assert "Motto of plan: less." in await prompt.system_prompt(scene)
        assert "Motto" not in await prompt.system_prompt(scene, budget_tokens=0)
    finally:
        prompt._CONTRIBUTORS.remove(motto)


ACTION = """
import sys

from attache.faces.lsp.code import actions


@actions.code_action("source.attache.greet")
async def greet(server, asked):
    yield actions.Offer(f"Attaché: greet {asked.document.line(0)}", "source.attache.greet", "attache.showLog")


from attache.faces.lsp.start import main

sys.exit(main([]))
"""


async def test_a_code_action_is_one_function(work: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from attache.faces.cli.editor import Editor

    monkeypatch.setenv("ATTACHE_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "server"))
    script = work / "with_one_more.py"
    script.write_text(ACTION, "utf-8")
    (work / "a.py").write_text("moon\n")
    editor = Editor(work)
    await editor.start(sys.executable, str(script))
    try:
        document = (await editor.open("a.py")).document
        spot = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
        asked = {"textDocument": {"uri": document.uri}, "range": spot, "context": {"diagnostics": []}}
        titles = [action["title"] for action in await editor.ask("textDocument/codeAction", asked)]
    finally:
        await editor.stop()
    assert "Attaché: greet moon" in titles


def test_a_language_is_one_row_and_a_folder(tmp_path: Path) -> None:
    from attache.index.languages import Languages
    from attache.index.parse import parse

    folder = tmp_path / "grammars"
    (folder / "notes").mkdir(parents=True)
    row = '[notes]\nwheel = "tree_sitter_toml"\nfactory = "language"\nsuffixes = [".notes"]\ncomments = ["#"]\n'
    (folder / "manifest.toml").write_text(row)
    (folder / "notes" / "tags.scm").write_text("(table (bare_key) @name) @definition.section\n")
    parsed = parse(Languages(folder).of("diary.notes"), b"[monday]\nrain = true\n\n[tuesday]\nrain = false\n")
    assert parsed.trouble == ""
    assert [(each.name, each.kind, each.line) for each in parsed.definitions] == [
        ("monday", "section", 1),
        ("tuesday", "section", 4),
    ]


STEP = """
async def louder(run, call, proceed):
    output = await proceed()
    return output.model_copy(update={"text": output.text.upper()})
"""


def test_a_step_around_tool_calls_is_one_function_in_a_package(home: Path, work: Path, tmp_path: Path) -> None:
    package = tmp_path / "site"
    details = package / "louder-1.0.dist-info"
    details.mkdir(parents=True)
    (package / "louder.py").write_text(STEP)
    (details / "METADATA").write_text("Metadata-Version: 2.1\nName: louder\nVersion: 1.0\n")
    (details / "entry_points.txt").write_text("[attache.middleware]\nlouder = louder:louder\n")
    (work / "a.txt").write_text("quiet words\n")
    plain = subprocess.run(
        [sys.executable, "-m", "attache", "tool", "run", "read", "--args", '{"path": "a.txt"}'],
        cwd=work,
        env={
            **os.environ,
            "ATTACHE_HOME": str(home),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "server"), str(package))),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "QUIET WORDS" in plain.stdout, plain.stderr
