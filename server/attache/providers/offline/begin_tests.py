"""Write the skeleton of a test for a Python function, method or class, where the project's other tests are."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from attache.providers.offline.evidence import Passage
from attache.providers.offline.explain import definitions
from attache.providers.offline.plans import Asked, Call, Done, Step, symbols_first
from attache.providers.offline.skeleton import Subject, parsed, skeleton

ABOVE = 8
"""Lines above a definition in which its decorators stand."""
SHOWN = 12
_FIXTURE = re.compile(r"def (\w+)\(")


def begin_tests(asked: Asked) -> Step:
    """Find the definition, read it, and write a file that collects and says what to fill in."""
    if "write" not in asked.tools:
        return Done("Edits are not allowed in this mode; switch to build.")
    name = asked.name if asked.intent.names or not asked.intent.places else ""
    if not name and asked.intent.places:
        return _of_file(asked, asked.intent.places[0].path)
    if not name:
        return Done("Tests for what? Name it: `write tests for parse_url`.")
    if step := symbols_first(asked, name, {"name": name}):
        return step
    found = [each for each in definitions(asked, name) if each.path.endswith(".py")]
    if not found:
        return Done(f"No Python definition of `{name}` is in this workspace; other languages take a language model.")
    first = found[0]
    if not asked.results("read"):
        start = max(1, first.line - ABOVE)
        return [
            Call("read", {"path": first.path, "start_line": start, "end_line": first.end_line or first.line}),
            Call("find", {"name": _packages(first.path)}),
            Call("find", {"name": "**/test_*.py"}),
            Call("grep", {"pattern": r"@pytest\.fixture|@fixture", "glob": "conftest.py", "context": 2}),
        ]
    if asked.results("write"):
        return _told(asked, first)
    return _write(asked, first)


def _of_file(asked: Asked, path: str) -> Step:
    """Say what of a file tests can be begun for."""
    if step := symbols_first(asked, path, {"path": path, "limit": 200}):
        return step
    names = [each.name for each in asked.passages("symbols") if each.role in {"function", "method", "class"}]
    public = [name for name in names if not any(part.startswith("_") for part in name.split("."))]
    if not public:
        return Done(f"{path} defines no function or class that a test can reach.")
    listed = ", ".join(f"`{name}`" for name in public[:SHOWN])
    more = f" and {len(public) - SHOWN} more" if len(public) > SHOWN else ""
    return Done(f"Tests for which of them? {path} defines {listed}{more}. Name one: `write tests for {public[0]}`.")


def _packages(path: str) -> str:
    """Return a glob for the files that make the folders above a module packages."""
    above = [str(parent / "__init__.py") for parent in PurePosixPath(path).parents]
    return f"{{{','.join(above)}}}"


def _write(asked: Asked, first: Passage) -> Step:
    own, tests = (result.text.splitlines() for _, result in asked.results("find"))
    if "__init__.py" in own:
        return Done("This folder is itself inside a package; open the folder above it, so that tests can import it.")
    lines = asked.lines("read", first.path)
    node = parsed([each.text for each in lines], first.line - lines[0].line + 1) if lines else None
    owner, _, bare = first.name.rpartition(".")
    if node is None or not _is_reachable(owner):
        return Done(f"`{first.name}` ({first.path}:{first.line}) cannot be imported by its name: no test can reach it.")
    target = _target(first, tests)
    if target in tests:
        return Done(f"{target} is there already; I will not write over it.")
    shown = [text for _, result in asked.results("grep") for text in _FIXTURE.findall(result.text)]
    text = skeleton(Subject(_module(first.path, set(own)), bare, node, owner), set(shown))
    return [Call("write", {"path": target, "content": text, "title": f"begin tests of {first.name}"})]


def _is_reachable(owner: str) -> bool:
    """Whether a test can import what stands in this: a class at top level, or nothing."""
    return not owner or ("." not in owner and owner.lstrip("_")[:1].isupper())


def _module(path: str, packages: set[str]) -> str:
    """Return the dotted name of a module, from the outermost folder that is a package on."""
    file = PurePosixPath(path)
    parts = [file.stem] if file.stem != "__init__" else []
    folder = file.parent
    while str(folder / "__init__.py") in packages:
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def _target(first: Passage, tests: list[str]) -> str:
    folder = next(
        (part for test in tests for part in PurePosixPath(test).parts[:1] if part in {"tests", "test"}), "tests"
    )
    parts = (PurePosixPath(first.path).stem, *first.name.split("."))
    return f"{folder}/test_{'_'.join(part.strip('_').lower() for part in parts if part.strip('_'))}.py"


def _told(asked: Asked, first: Passage) -> Step:
    call, result = asked.results("write")[-1]
    if result.is_error:
        return Done(result.text)
    path = call.arguments["path"]
    return Done(
        f"{path} now has a skeleton of tests for `{first.name}` ({first.path}:{first.line}). Each test fails with what "
        f"to fill in; nothing is called before that. Then: `run the tests {path}`."
    )
