"""Dependencies are read from manifests and locks, and asked of and added by the project's own programs."""

from __future__ import annotations

import json
import shutil

import pytest

from attache.schema.errors import InvalidArguments, PathRefused, ToolError
from attache.tools.packages import dependencies
from attache.tools.packages.manifests import ECOSYSTEMS, ecosystem, locked

MANIFESTS = {
    "pyproject.toml": (
        """
[project]
dependencies = ["httpx[http2]>=0.27 ; python_version > '3'"]
[project.optional-dependencies]
x = ["y"]
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.11"
rich = {version = "^13"}
""",
        [("httpx[http2]", ">=0.27", "main"), ("y", "", "x"), ("pytest", "", "dev"), ("rich", "^13", "main")],
    ),
    "requirements-dev.txt": (
        "# tools\n-r base.txt\nruff==0.5 \\\n  --hash=sha256:aa\ngit-thing @ git+https://x.example/y # why\n",
        [("ruff", "==0.5", "main"), ("git-thing", "git+https://x.example/y", "main")],
    ),
    "package.json": (
        '{"dependencies": {"@a/b": "^1"}, "devDependencies": {"c": "2"}}',
        [("@a/b", "^1", "main"), ("c", "2", "dev")],
    ),
    "Cargo.toml": (
        '[dependencies]\nserde = { version = "1", features = [] }\nown = { path = "../own" }\n[dev-dependencies]\nx = "2"\n',
        [("serde", "1", "main"), ("own", "../own", "main"), ("x", "2", "dev")],
    ),
    "go.mod": (
        "module m.example/x\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1.2.3\n\tc.example/d v0.1.0 // indirect\n)\nrequire e.example/f v2.0.0\n",
        [("github.com/a/b", "v1.2.3", "main"), ("c.example/d", "v0.1.0", "indirect"), ("e.example/f", "v2.0.0", "main")],
    ),
    "Gemfile": ("source 'x'\ngem 'rails', '~> 7'\ngem \"pg\"\n", [("rails", "~> 7", "main"), ("pg", "", "main")]),
    "composer.json": ('{"require": {"php": "8", "a/b": "^1"}}', [("a/b", "^1", "main")]),
    "pom.xml": (
        "<dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version><scope>test</scope></dependency></dependencies>",
        [("g:a", "1", "test")],
    ),
    "build.gradle.kts": ('dependencies {\n  implementation("g:a:1.2")\n  testImplementation "h:b:3"\n}\n', [("g:a", "1.2", "main"), ("h:b", "3", "test")]),
    "x.csproj": ('<PackageReference Include="A" Version="1" />', [("A", "1", "main")]),
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_manifest_is_read(name: str) -> None:
    text, wanted = MANIFESTS[name]
    row = ecosystem(f"sub/{name}")
    assert row
    assert [tuple(each) for each in row.read(text)] == wanted


def test_every_row_is_tried() -> None:
    assert {ecosystem(name) for name in MANIFESTS} == set(ECOSYSTEMS)


@pytest.mark.parametrize(
    ("lock", "text", "name", "version"),
    [
        ("uv.lock", 'version = 1\n[[package]]\nname = "my-pkg"\nversion = "1.5"\n', "My_Pkg[x]", "1.5"),
        ("package-lock.json", '{"packages": {"": {}, "node_modules/@a/b": {"version": "1.2"}}}', "@a/b", "1.2"),
        ("yarn.lock", '# yarn\n\n"@a/b@^1":\n  version "1.2.0"\n\nc@2, c@3:\n  version "3.1"\n', "c", "3.1"),
        ("Cargo.lock", '[[package]]\nname = "serde"\nversion = "1.0.9"\n', "serde", "1.0.9"),
        ("Gemfile.lock", "GEM\n  specs:\n    rails (7.1.2)\n      x (>= 1)\n", "rails", "7.1.2"),
        ("composer.lock", '{"packages": [{"name": "a/b", "version": "1.1"}]}', "a/b", "1.1"),
    ],
)
def test_each_lock_is_read(lock: str, text: str, name: str, version: str) -> None:
    readers = dict(pair for row in ECOSYSTEMS for pair in row.locks)
    assert locked(readers[lock](text), name) == version


async def test_what_is_wanted_and_what_is_locked_stand_side_by_side(desk) -> None:
    desk.write("web/package.json", "{}")
    desk.open("web/package.json", '{"dependencies": {"left-pad": "^1"}}')
    desk.write("web/package-lock.json", '{"packages": {"node_modules/left-pad": {"version": "1.3.0"}}}')
    desk.write("bad/Cargo.toml", "not toml [")
    output = await desk.call("list_dependencies")
    assert output.data["dependencies"] == [
        {"manifest": "web/package.json", "name": "left-pad", "wanted": "^1", "locked": "1.3.0", "group": "main"}
    ]
    assert "bad/Cargo.toml cannot be read" in output.text
    assert (await desk.call("list_dependencies", query="nothing")).data["dependencies"] == []


async def test_a_project_without_a_manifest_is_said(desk) -> None:
    for name in ("list_dependencies", "outdated", "audit"):
        with pytest.raises(ToolError, match=r"no manifest|none is there"):
            await desk.call(name)
    with pytest.raises(ToolError, match="no package manager shows itself"):
        await desk.call("add_dependency", packages=["x"])
    with pytest.raises(InvalidArguments, match="is no package"):
        await desk.call("add_dependency", packages=["--registry=x"])
    with pytest.raises(PathRefused):
        await desk.call("audit", path="..")


def test_the_command_is_the_project_managers_own(desk, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    for marker, argv in (
        ("uv.lock", ("uv", "add", "--dev", "x")), ("poetry.lock", ("poetry", "add", "--group", "dev", "x")),
        ("pnpm-lock.yaml", ("pnpm", "add", "--save-dev", "x")), ("Cargo.toml", ("cargo", "add", "--dev", "x")),
        ("go.mod", ("go", "get", "x")),
    ):  # fmt: skip
        desk.write(f"{marker}.d/{marker}", "")
        shown = desk.tools.find("add_dependency").shown(
            desk.ctx, {"packages": ["x"], "dev": True, "path": f"{marker}.d"}
        )
        assert shown.argv == argv
        assert shown.cwd == desk.folder / f"{marker}.d"


async def test_a_missing_program_is_said_with_how_to_get_it(desk, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    desk.write("Cargo.lock", "")
    with pytest.raises(ToolError, match="cargo is not installed") as refused:
        await desk.call("audit")
    assert "cargo install cargo-audit" in refused.value.hint


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
async def test_npm_adds_a_package_and_answers(desk) -> None:
    desk.write("lib/package.json", '{"name": "mylib", "version": "1.0.0"}')
    desk.write("package.json", '{"name": "app", "version": "1.0.0", "private": true}')
    output = await desk.call("add_dependency", packages=["./lib"])
    assert not output.is_error, output.text
    assert json.loads(desk.text("package.json"))["dependencies"] == {"mylib": "file:lib"}
    failed = await desk.call("add_dependency", packages=["./nowhere"])
    assert failed.is_error
    assert "nowhere" in failed.text


SHAPES = [
    (dependencies._pip_outdated, [{"name": "a", "version": "1", "latest_version": "2"}], [("a", "1", "2")]),
    (dependencies._npm_outdated, {"a": {"current": "1", "latest": "2"}, "b": [{"latest": "3"}]}, [("a", "1", "2"), ("b", "not installed", "3")]),
    (dependencies._go_outdated, [{"Path": "a", "Version": "v1", "Update": {"Version": "v2"}}, {"Path": "b"}], [("a", "v1", "v2")]),
    (
        dependencies._pip_audit,
        {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}, {"name": "b", "skip_reason": "x"}]},
        [("a", "1", "PYSEC-1", "", "2")],
    ),
    (
        dependencies._npm_audit,
        {"vulnerabilities": {"a": {"range": "<2", "severity": "high", "fixAvailable": True, "via": [{"url": "https://github.com/advisories/GHSA-1"}]}, "b": {"range": "*", "via": ["a"], "fixAvailable": False}}},
        [("a", "<2", "GHSA-1", "high", "npm audit fix"), ("b", "*", "by a", "", "none yet")],
    ),
    (
        dependencies._cargo_audit,
        {"vulnerabilities": {"list": [{"package": {"name": "a", "version": "1"}, "advisory": {"id": "RUSTSEC-1", "title": "t"}, "versions": {"patched": [">=2"]}}]}},
        [("a", "1", "RUSTSEC-1", "t", ">=2")],
    ),
    (
        dependencies._go_vulnerable,
        [{"config": {}}, {"finding": {"osv": "GO-1", "fixed_version": "v2", "trace": [{"module": "m", "version": "v1"}]}}, {"finding": {"osv": "GO-1", "trace": [{}]}}],
        [("m", "v1", "GO-1", "", "v2")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("read", "held", "rows"), SHAPES)
def test_each_programs_answer_is_read(read, held, rows) -> None:
    assert list(read(held)) == rows


def test_json_is_found_among_warnings() -> None:
    assert dependencies._json('npm warn {old}\n{"a": 1}\n', several=False) == {"a": 1}
    assert dependencies._json('{"a": 1}\n{"a": 2}\n', several=True) == [{"a": 1}, {"a": 2}]
    assert dependencies._json("", several=False) == {}
    with pytest.raises(ValueError, match="no JSON"):
        dependencies._json("offline", several=False)
    with pytest.raises(ValueError, match="ENOLOCK"):
        dependencies._json('{"error": {"code": "ENOLOCK"}}', several=False)
