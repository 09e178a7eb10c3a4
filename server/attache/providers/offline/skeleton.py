"""Skeletons of tests from signatures: they collect, and fail with the assertion that a person has to fill in.

What is tested is not called before that: arguments made up by rules could do harm.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

SAMPLES = {
    "int": "1", "float": "1.0", "str": '"text"', "bool": "True", "bytes": 'b"bytes"', "None": "None",
    "object": "object()",
    "list": "[]", "List": "[]", "Sequence": "[]", "Iterable": "[]", "Collection": "[]", "MutableSequence": "[]",
    "tuple": "()", "Tuple": "()", "dict": "{}", "Dict": "{}", "Mapping": "{}", "MutableMapping": "{}",
    "set": "set()", "Set": "set()", "frozenset": "frozenset()", "FrozenSet": "frozenset()",
    "Iterator": "iter([])", "Callable": "lambda *_, **__: None",
}  # fmt: skip
"""A value of each type that a name alone tells."""
FIXTURES = {"Path": "tmp_path", "MonkeyPatch": "monkeypatch"}
"""pytest's own fixtures for types."""
UNKNOWN = "..."
FILL_IN = "fill in what is expected"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be tested: a function, or a class with the methods that people call."""

    module: str
    name: str
    node: Function | ast.ClassDef
    owner: str = ""
    """The class of a method."""


def parsed(lines: Sequence[str], line: int) -> Function | ast.ClassDef | None:
    """Return the definition whose name stands on `line` (from 1), its decorators included, from its file's lines."""
    start = line - 1
    while start > 0 and lines[start - 1].lstrip().startswith("@"):
        start -= 1
    try:
        body = ast.parse(textwrap.dedent("\n".join(lines[start:]))).body
    except SyntaxError:
        return None
    return body[0] if body and isinstance(body[0], Function | ast.ClassDef) else None


def skeleton(subject: Subject, fixtures: Collection[str]) -> str:
    """Return a test file for it; parameters that are named like fixtures of the project take these."""
    tests = list(_tests(subject, fixtures))
    asynchronous = any("asyncio.run(" in test for test in tests)
    imported = subject.owner or subject.name
    named = ".".join(filter(None, (subject.module, subject.owner, subject.name)))
    head = [
        f'"""Tests of `{named}`, for pytest: fill in each `...`."""',
        "",
        "from __future__ import annotations",
        "",
        *(["import asyncio", ""] if asynchronous else []),
        f"from {subject.module} import {imported}",
    ]
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join(tests) + "\n"


def _tests(subject: Subject, fixtures: Collection[str]) -> Iterator[str]:
    if isinstance(subject.node, ast.ClassDef):
        methods = [each for each in subject.node.body if isinstance(each, Function)]
        public = {each.name: each for each in methods if not each.name.startswith("_") and not _is_variant(each)}
        for method in public.values():
            yield _test(method, subject.name, fixtures)
        if not public:
            yield _test_of_class(subject.name)
    else:
        yield _test(subject.node, subject.owner, fixtures)


def _is_variant(node: Function) -> bool:
    """Whether this is an overload, or the setter or deleter of a property."""
    return any(
        ast.unparse(each).rpartition(".")[2] in {"overload", "setter", "deleter"} for each in node.decorator_list
    )


def _test_of_class(name: str) -> str:
    return "\n".join(
        (
            f"def test_{name.strip('_').lower()}() -> None:",
            "    subject = ...",
            f'    assert subject is not ..., "fill in a `{name}`"',
            f"    assert isinstance(subject, {name})",
        )
    )


def _test(node: Function, owner: str, fixtures: Collection[str]) -> str:
    """Return a test of one function or method."""
    decorators = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    bound = bool(owner) and not decorators & {"staticmethod", "classmethod"}
    arguments, used = _arguments(node, fixtures, method=bool(owner) and "staticmethod" not in decorators)
    target = f"subject.{node.name}" if bound else f"{owner}.{node.name}" if owner else node.name
    call = target if decorators & {"property", "cached_property"} else f"{target}({', '.join(arguments)})"
    if isinstance(node, ast.AsyncFunctionDef):
        generator = any(isinstance(each, ast.Yield) for each in ast.walk(node))
        call = f"asyncio.run({call})" if not generator and "asynccontextmanager" not in decorators else call
    named = "_".join(part.strip("_") for part in (owner.lower(), node.name) if part.strip("_"))
    rows = [f"def test_{named}({', '.join(used)}):" if used else f"def test_{named}() -> None:"]
    if bound:
        rows += ["    subject = ...", f'    assert subject is not ..., "fill in a `{owner}`"']
    rows += [
        "    expected = ...",
        f'    assert expected is not ..., "{FILL_IN} of `{node.name}`"',
        f"    assert {call} == expected",
    ]
    return "\n".join(rows)


def _arguments(node: Function, fixtures: Collection[str], *, method: bool) -> tuple[list[str], list[str]]:
    """Return the arguments of a call that has only what must be given, and the fixtures among them."""
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    required = positional[: len(positional) - len(spec.defaults)][method:]
    keyword = [each for each, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default is None]
    values = {each.arg: _value(each, fixtures) for each in (*required, *keyword)}
    by_position = len(spec.posonlyargs) - method
    arguments = [
        values[each.arg] if place < by_position else f"{each.arg}={values[each.arg]}"
        for place, each in enumerate(required)
    ]
    arguments += [f"{each.arg}={values[each.arg]}" for each in keyword]
    known = {*fixtures, *FIXTURES.values()}
    return arguments, list(dict.fromkeys(value for value in values.values() if value in known))


def _value(argument: ast.arg, fixtures: Collection[str]) -> str:
    if argument.arg in fixtures:
        return argument.arg
    return _sample(argument.annotation)


def _sample(annotation: ast.expr | None) -> str:
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _sample(ast.parse(text, mode="eval").body)
            except SyntaxError:
                return UNKNOWN
        case ast.Constant(value=None):
            return "None"
        case ast.BinOp(left=left, op=ast.BitOr()):
            return _sample(left)
        case ast.Subscript(value=ast.Name(id="Optional" | "Annotated" | "Final"), slice=inner):
            return _sample(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return ast.unparse(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner)
        case ast.Subscript(value=value):
            return _sample(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return SAMPLES.get(name) or FIXTURES.get(name, UNKNOWN)
        case _:
            return UNKNOWN
