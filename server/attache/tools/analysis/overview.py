"""A repository at a glance: what it is written in, where it begins, what it is made of, how it is run and tested."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, cast

from pydantic import Field

from attache.index.languages import languages
from attache.schema.errors import FileSkipped
from attache.schema.tools import ToolOutput
from attache.tools.analysis.import_graph import circles_in, graph_of
from attache.tools.analysis.metrics import measured
from attache.tools.survey import apart, survey
from attache.tools.testing.testing import runners
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, cut, first_line, lines_of
from attache.workspace.git import git

FOLDERS = 20
HOT = 8
ENTRIES = 15
_MAIN = re.compile(
    r"^if __name__ == [\"']__main__[\"']|^func main\(\)|^(?:pub )?(?:async )?fn main\(|public static void main\("
    r"|static (?:async )?(?:void|int|Task) Main\(|^int main\(",
    re.MULTILINE,
)
_TARGET = re.compile(r"^([A-Za-z][\w.-]*)\s*:(?!=)", re.MULTILINE)
_DOC = re.compile(r"^\s*(?:#.*\n|\s)*(?:[rR]?(\"\"\"|''')([\s\S]*?)\1)|^\s*/\*\*?([\s\S]*?)\*/|^//!?\s?(.*)")
_COMMANDS = re.compile(r"^(?:CMD|ENTRYPOINT)\s+(.+)$", re.MULTILINE)


@tool(category="analysis", cost="LOW", aliases=("repo_overview", "project_overview", "repo_map"))
async def overview(
    ctx: Context,
    path: Annotated[str, Field(description="Folder; the workspace by default.")] = "",
) -> ToolOutput:
    """Get to know a repository: languages, entry points, parts and their purpose, hot spots, how to run and test."""
    surveyed = await survey(ctx, path)
    files = await ctx.workspace.files(path)
    settings = await _settings(ctx, files)
    below = ctx.workspace.shown(ctx.workspace.uri(path)).removeprefix(".") if path else ""
    churn = await _churn(ctx, below)
    parts = await apart(lambda: _computed(surveyed.texts))
    root = ctx.workspace.roots[0]
    tests = [runner.name for runner in runners(root, root.path / below if below else root.path)]
    entries = [*_declared(settings), *_mains(surveyed.texts)]
    sections: list[tuple[str, list[str]]] = [
        ("", [_about(settings, files, surveyed.texts)]),
        ("languages", [_languages(surveyed.texts)]),
        ("entry points", _cut(entries)),
        ("parts (files, lines, what its package says)", _parts(surveyed.texts, below)),
        *parts,
        ("changed most often (commits)", [f"{name} {count}" for name, count in churn.most_common(HOT)]),
        ("run", list(_runs(settings))),
        ("test", [f"{', '.join(tests)}: call test, or discover_tests to see them"] if tests else ["no tests found"]),
    ]
    text = "\n".join(
        f"{name}:\n" + "\n".join(f"  {cut(row, 200)}" for row in rows) if name else "\n".join(rows)
        for name, rows in sections
        if rows
    )
    return ToolOutput(
        text="\n".join(part for part in (text, surveyed.note) if part),
        title=f"{below or 'workspace'} · {counted(len(files), 'file')}",
        data={
            "files": len(files), "entry_points": entries, "test_runners": tests,
            "hot": [name for name, _ in churn.most_common(HOT)], **{name: rows for name, rows in sections if name},
        },
    )  # fmt: skip


def _cut(rows: list[str]) -> list[str]:
    more = len(rows) - ENTRIES
    return [*rows[:ENTRIES], f"[… {more} more]"] if more > 0 else rows


async def _settings(ctx: Context, files: tuple[str, ...]) -> dict[str, str]:
    wanted = re.compile(
        r"^(?:[^/]+/){0,2}(?:pyproject\.toml|setup\.cfg|package\.json|Cargo\.toml|go\.mod|Makefile|Dockerfile|justfile|"
        r"README(?:\.\w+)?|docker-compose\.ya?ml|compose\.ya?ml|pom\.xml|build\.gradle(?:\.kts)?|Procfile)$"
    )
    found: dict[str, str] = {}
    for path in sorted((each for each in files if wanted.match(each)), key=lambda each: (each.count("/"), each))[:60]:
        try:
            found[path] = (await ctx.workspace.read(path)).text
        except FileSkipped:
            continue
    return found


async def _churn(ctx: Context, below: str) -> Counter[str]:
    """Return how many of the last commits touched each file that is still there."""
    root = ctx.workspace.roots[0].path
    if not (root / ".git").exists():
        return Counter()
    asked = ("log", "-n", "500", "--no-merges", "--format=", "--name-only", "--relative", "-z")
    answer = await git(root, *asked)
    names = (name.strip() for name in answer.text.split("\0")) if answer.exit_code == 0 else ()
    there = (name for name in names if name and name.startswith(f"{below}/" if below else ""))
    return Counter(name for name in there if languages().of(name) and (root / name).is_file())


def _about(settings: Mapping[str, str], files: tuple[str, ...], texts: Mapping[str, str]) -> str:
    said = ""
    for path, text in settings.items():
        data = _table(path, text)
        project = data.get("project") or data.get("package") or data
        if isinstance(project, dict) and isinstance(told := cast("dict[str, Any]", project).get("description"), str):
            said = said or told
    readme = next((text for path, text in settings.items() if "readme" in path.lower()), "")
    paragraph = next((each for each in readme.split("\n\n") if re.match(r"\s*[A-Za-z*`]", each)), "")
    said = said or " ".join(paragraph.split())[:300]
    size = f"{counted(len(files), 'file')}, {sum(len(lines_of(text)) for text in texts.values()):,} lines of code"
    return f"{said}\n{size}" if said else size


def _languages(texts: Mapping[str, str]) -> str:
    found: Counter[str] = Counter()
    for path, text in texts.items():
        language = languages().of(path)
        found[language.name if language else "other"] += len(lines_of(text))
    return ", ".join(f"{name} {count:,} lines" for name, count in found.most_common(10))


def _table(path: str, text: str) -> dict[str, Any]:
    try:
        if path.endswith(".toml"):
            return tomllib.loads(text)
        if path.endswith(".json"):
            found = json.loads(text)
            return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    except ValueError:
        return {}
    return {}


def _declared(settings: Mapping[str, str]) -> Iterator[str]:
    """Yield the entry points that settings files declare."""
    for path, text in settings.items():
        data = _table(path, text)
        project = cast("dict[str, dict[str, str]]", data.get("project") if path.endswith(".toml") else None) or {}
        for kind in ("scripts", "gui-scripts"):
            for name, target in project.get(kind, {}).items():
                yield f"{path}: command {name} = {target}"
        if path.endswith("package.json"):
            for kind in ("main", "module", "bin", "exports", "types"):
                if value := data.get(kind):
                    yield f"{path}: {kind} {first_line(json.dumps(value), 120)}"
        for each in data.get("bin", ()) if path.endswith("Cargo.toml") else ():
            yield f"{path}: binary {each.get('name')} {each.get('path', '')}"
        if PurePosixPath(path).name == "Dockerfile":
            yield from (f"{path}: {match[0]}" for match in _COMMANDS.finditer(text))
        if PurePosixPath(path).name == "Procfile":
            yield from (f"{path}: {line}" for line in lines_of(text) if ":" in line)


def _mains(texts: Mapping[str, str]) -> Iterator[str]:
    for path, text in sorted(texts.items(), key=lambda each: (each[0].count("/"), each[0])):
        name = PurePosixPath(path).name
        tested = re.search(r"(?:^|/)(?:tests?|scripts?|examples?|fixtures)/", path)
        found = _MAIN.search(text)
        if name in {"__main__.py", "manage.py", "wsgi.py", "asgi.py"} or (found and not tested):
            line = text.count("\n", 0, found.start()) + 1 if found else 1
            yield f"{path}:{line}"


def _parts(texts: Mapping[str, str], below: str) -> list[str]:
    """Return the folders that hold code, the topmost ones that differ, with what each says of itself."""
    sizes: dict[str, list[int]] = {}
    for path, text in texts.items():
        inner = path.removeprefix(f"{below}/") if below else path
        folders = PurePosixPath(inner).parts[:-1]
        lines = len(lines_of(text))
        for depth in range(1, min(len(folders), 3) + 1):
            size = sizes.setdefault("/".join(folders[:depth]), [0, 0])
            size[0] += 1
            size[1] += lines
    shown = sorted(sizes.items(), key=lambda each: -each[1][1])[:FOLDERS]
    rows: list[str] = []
    for folder, (files, lines) in sorted(shown):
        full = f"{below}/{folder}" if below else folder
        said = next((doc for name in _HEADS if (doc := _said(texts.get(f"{full}/{name}", "")))), "")
        rows.append(f"{folder}/ {files}, {lines:,}" + (f" — {first_line(said, 100)}" if said else ""))
    return rows


_HEADS = ("__init__.py", "mod.rs", "lib.rs", "doc.go", "index.ts", "index.js")


def _said(text: str) -> str:
    match = _DOC.match(text)
    said = next((group for group in match.groups()[1:] if group), "") if match else ""
    return " ".join(said.replace("*", " ").split())


def _computed(texts: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    graph = graph_of(texts)
    fan_in = Counter(target for all_ in graph.inside.values() for target in all_)
    rows = [f"{path} ← {count}" for path, count in fan_in.most_common(HOT)]
    functions = [each for path, text in texts.items() for each in measured(path, text)]
    functions.sort(key=lambda each: -each.complexity)
    heavy = [
        f"{symbol.path}:{symbol.line} {symbol.qualified}, complexity {complexity}, {lines} lines"
        for symbol, complexity, lines, *_ in functions[:HOT]
    ]
    circles = circles_in(graph.inside)
    knots = [f"{' → '.join([*each, each[0]])}" for each in circles[:3]]
    more = [f"[… {len(circles) - 3} more: see import_graph]"] if len(circles) > len(knots) else []
    return [("imported most", rows), ("most branched functions", heavy), ("import circles", knots + more)]


def _runs(settings: Mapping[str, str]) -> Iterator[str]:
    for path, text in settings.items():
        name = PurePosixPath(path).name
        if name == "Makefile":
            targets = [each for each in dict.fromkeys(_TARGET.findall(text)) if not each.startswith(".")]
            if targets:
                yield f"{path}: make {' | '.join(targets[:15])}"
        if name == "package.json":
            scripts = _table(path, text).get("scripts")
            if isinstance(scripts, dict) and scripts:
                yield f"{path}: npm run {' | '.join(list(cast('dict[str, Any]', scripts))[:15])}"
        if name == "Cargo.toml":
            yield f"{path}: cargo run | cargo build | cargo test"
        if name == "go.mod":
            yield f"{path}: go build ./... | go test ./..."
        if "compose" in name:
            yield f"{path}: docker compose up"
