"""The tests there are, found by reading: what each is called, where it stands, and how to run it alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.refactor.semantics.modules import Modules
from attache.tools.survey import apart, survey, symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted

_PYTEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests?)\.py$")
_UNITTEST = re.compile(r"\bTestCase\b")
_SCRIPT_FILE = re.compile(r"[._-](?:test|spec)\.[cm]?[jt]sx?$|(?:^|/)__tests__/")
_SCRIPT_TEST = re.compile(
    r"^(?P<indent>[ \t]*)(?P<word>describe|context|suite|it|test)(?:\.\w+)*\(\s*"
    r"(?P<mark>[\"'`])(?P<name>(?:\\.|(?!(?P=mark)).)*)(?P=mark)",
    re.MULTILINE,
)
_GO_TEST = re.compile(r"^func ((?:Test|Benchmark|Fuzz|Example)\w*)\(", re.MULTILINE)
_RUST_TEST = re.compile(r"#\[(?:\w+::)*(?:test|rstest)\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub )?(?:async )?fn (\w+)")
_JAVA_TEST = re.compile(
    r"@(?:Test|ParameterizedTest|RepeatedTest)\b(?:\([^)]*\))?\s*(?:@\w+(?:\([^)]*\))?\s*)*"
    r"(?:public |protected |final )*\w[\w<>]* (\w+)\s*\("
)
_RUBY_TEST = re.compile(r"^\s*(?:def (test_\w+)|it [\"']([^\"']+)[\"'])", re.MULTILINE)


class Test(NamedTuple):
    """One test; `node` is how it is selected for its runner."""

    path: str
    line: int
    node: str
    runner: str


@tool(category="testing", aliases=("list_tests", "collect_tests"), pure=True)
async def discover_tests(
    ctx: Context,
    path: Annotated[str, Field(description="File or folder; the workspace by default.")] = "",
    name: Annotated[str, Field(description="Only tests whose id holds this.")] = "",
    offset: Offset = 0,
) -> ToolOutput:
    """List the tests there are with their ids for `test`, without running anything; unsaved text included.

    pytest, unittest, vitest, jest, mocha, node, go test, cargo test, JUnit, minitest and RSpec, by how they look.
    """
    surveyed = await survey(ctx, path)

    def work() -> list[Test]:
        return [each for at, text in surveyed.texts.items() for each in tests_in(at, text)]

    found = [each for each in await apart(work) if name.lower() in each.node.lower()]
    tally = Counter(each.runner for each in found)
    files = len({each.path for each in found})
    what = path or "workspace"
    kinds = ", ".join(f"{count} {runner}" for runner, count in tally.most_common())
    head = f"{what}: {counted(len(found), 'test')} in {counted(files, 'file')}" + (f" ({kinds})" if kinds else "")
    rows = [f"{each.path}:{each.line} {each.node}" for each in found]
    return ToolOutput(
        text="\n".join(part for part in (head, paged(rows, offset, narrower="name a folder"), surveyed.note) if part),
        title=f"{what} · {counted(len(found), 'test')}",
        places=tuple(cited(each.path, each.line) for each in found[:50]),
        data={"tests": [each._asdict() for each in found[offset : offset + 400]], "total": len(found)},
    )


def tests_in(path: str, text: str) -> Iterator[Test]:
    """Yield the tests of one file."""
    language = languages().of(path)
    reader = _READERS.get(language.name if language else "")
    if reader is not None:
        yield from reader(path, text)


def _python(path: str, text: str) -> Iterator[Test]:
    unittest = bool(_UNITTEST.search(text))
    if not _PYTEST_FILE.search(path) and not unittest:
        return
    for each in symbols_in(path, text):
        if each.kind not in {"function", "method"} or not each.name.startswith("test"):
            continue
        owners = [part for part in each.container.split(".") if part]
        collected = all(part.startswith("Test") or unittest for part in owners)
        if collected and (_PYTEST_FILE.search(path) or owners):
            yield Test(path, each.line, "::".join((path, *owners, each.name)), "unittest" if unittest else "pytest")


def _script(path: str, text: str) -> Iterator[Test]:
    if not _SCRIPT_FILE.search(path) and "node:test" not in text:
        return
    runner = "vitest" if "vitest" in text else "node" if "node:test" in text else "jest"
    inside: list[tuple[int, str]] = []
    for match in _SCRIPT_TEST.finditer(text):
        depth = len(match["indent"].expandtabs(4))
        while inside and inside[-1][0] >= depth:
            inside.pop()
        if match["word"] in {"describe", "context", "suite"}:
            inside.append((depth, match["name"]))
        else:
            whole = " > ".join([*(name for _, name in inside), match["name"]])
            yield Test(path, text.count("\n", 0, match.start("name")) + 1, f"{path} > {whole}", runner)


def _matched(pattern: re.Pattern[str], runner: str, node: Callable[[str, str], str]) -> Callable[..., Iterator[Test]]:
    def read(path: str, text: str) -> Iterator[Test]:
        for match in pattern.finditer(text):
            name = next(group for group in match.groups() if group)
            line = text.count("\n", 0, match.end()) + 1
            yield Test(path, line, node(path, name), runner)

    return read


def _go(path: str, text: str) -> Iterator[Test]:
    if path.endswith("_test.go"):
        folder = PurePosixPath(path).parent
        yield from _matched(_GO_TEST, "go", lambda _path, name: f"./{folder} -run ^{name}$")(path, text)


_READERS: dict[str, Callable[[str, str], Iterator[Test]]] = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "rust": _matched(_RUST_TEST, "cargo", lambda _path, name: name),
    "java": _matched(_JAVA_TEST, "junit", lambda path, name: f"{PurePosixPath(path).stem}#{name}"),
    "ruby": _matched(_RUBY_TEST, "ruby", lambda path, name: f"{path}::{name}"),
}


def module_of(paths: tuple[str, ...], path: str) -> str:
    """Return the name under which a test imports a Python file."""
    return Modules(paths).dotted(path)
