"""Cures for Python: what ruff's own are trusted with, and rules for findings of ruff and pyright."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from attache.tools.fixes.cures import spelling
from attache.tools.fixes.cures.case import Case, Patches, definitions, rule, swap
from attache.tools.fixes.imports import add, source_of

PY = (".py", ".pyi")
UNSAFE_ALLOWED = frozenset({"F841", "F811", "F632", "F541", "E401", "E703", "E713", "E714", "F504", "F522", "F523"})
"""Codes whose cures ruff may call unsafe, since a comment may go with the code; right where the finding is."""


@rule(PY, r"[Uu]ndefined name ['\"`](\w+)|[\"'`](\w+)[\"'`] is not defined", asks=definitions)
def import_name(case: Case) -> Patches:
    """Import `{}`."""
    source = source_of(case.name, case.symbols, case.finding.place.path)
    patch = add(case.text, source, case.finding.place.path) if source else None
    return (patch,) if patch else ()


@rule(PY, r"Multiple statements on one line \(colon\)")
def split_after_colon(case: Case) -> Patches:
    """Put the body on a line of its own."""
    indent = re.match(r"\s*", case.line)
    colon = case.found(r":[ \t]*(?=[^\s#])")
    if indent is None or colon is None or re.match(r"\s*(class|else|try|finally)?\b.*;", case.line):
        return ()
    return case.replace(case.number, colon.start(), colon.end(), f":{case.newline}{indent[0]}    ")


@rule(PY, r"Multiple statements on one line \(semicolon\)")
def split_at_semicolon(case: Case) -> Patches:
    """Put each statement on a line of its own."""
    indent = re.match(r"\s*", case.line)
    semicolon = case.found(r"\s*;[ \t]*(?=\S)")
    if indent is None or semicolon is None or re.match(r"\s*(if|for|while|with|class|def|else|try)\b.*:.*;", case.line):
        return ()
    return case.replace(case.number, semicolon.start(), semicolon.end(), case.newline + indent[0])


@rule(PY, r"Assert test is a non-empty tuple|Assert expression always evaluates to true")
def assert_without_tuple(case: Case) -> Patches:
    """Assert the condition, not the tuple."""
    found = re.fullmatch(r"(\s*assert )\((.+), ((?:f?\"[^\"]*\"|f?'[^']*'))\)(\s*(?:#.*)?)", case.line)
    return case.replace(case.number, 0, len(case.line), f"{found[1]}{found[2]}, {found[3]}{found[4]}") if found else ()


@rule(PY, r"`from __future__` imports must occur at the beginning")
def future_first(case: Case) -> Patches:
    """Move the import from `__future__` to the top."""
    try:
        body = ast.parse(case.text).body
    except SyntaxError:  # which is how Python itself calls it, but not ast
        return ()
    first = next((node for node in body if not _is_docstring(node)), None)
    if first is None or not re.fullmatch(r"from __future__ import [\w, ]+", case.line):
        return ()
    return (*case.insert(first.lineno, case.line), *case.drop(case.number))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@rule(PY, r"Local variable `(\w+)` is annotated but never used")
def drop_annotation(case: Case) -> Patches:
    """Remove the unused annotation of `{}`."""
    return case.drop(case.number) if re.fullmatch(rf"\s*{case.name}\s*:[^=#]+", case.line) and _siblings(case) else ()


def _siblings(case: Case) -> bool:
    """Whether the block goes on when the finding's line is gone."""
    indent = len(case.line) - len(case.line.lstrip())
    near = (case.at(case.number - 1), case.at(case.number + 1))
    return any(line.strip() and len(line) - len(line.lstrip()) == indent for line in near)


@rule(PY, r"Undefined name `(\w+)` in `__all__`")
def drop_export(case: Case) -> Patches:
    """Remove `{}` from `__all__`."""
    found = case.found(rf"""["']{case.name}["'],?\s*""")
    if found is None:
        return ()
    alone = case.line.strip().rstrip(",") == found[0].strip().rstrip(",")
    return case.drop(case.number) if alone else case.replace(case.number, found.start(), found.end(), "")


@rule(PY, r"Result of async function call is not used")
def await_call(case: Case) -> Patches:
    """Await the call."""
    above = case.before(r"^\s*(async )?def |^\s*lambda")
    start = case.finding.place.column - 1
    if above is None or "async def" not in case.at(above[0]) or case.line[:start].strip():
        return ()
    return case.replace(case.number, start, start, "await ")


@rule(
    PY,
    r"Expression of type \"None\" cannot be assigned to parameter of type|Incompatible default for argument",
)
def allow_none(case: Case) -> Patches:
    """Let the parameter be None."""
    found = case.found(r"(\w+): ([\w.\[\], ]+?) ?= ?None\b")
    later = "from __future__ import annotations" in case.text or re.search(r"\w\]? \| None\b", case.text)
    if found is None or not later or not _asks_for_none(case, found[1]):
        return ()
    return case.replace(case.number, found.end(2), found.end(2), " | None")


def _asks_for_none(case: Case, name: str) -> bool:
    """Whether the function with this parameter asks whether it is None, or is content with a value in its place."""
    for node in _functions(case):
        if node.lineno <= case.number <= node.body[0].lineno:
            body = "\n".join(ast.unparse(each) for each in node.body)
            return bool(
                re.search(
                    rf"\b{name} (?:is (?:not )?None|or )|(?:if|not) {name}(?=:|$|\)| (?:and|or|else)\b)",
                    body,
                    re.MULTILINE,
                )
            )
    return False


def _functions(case: Case) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(case.text)
    except SyntaxError:
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@rule(PY, r"\"Literal\['(\d+)'\]\" is not assignable to \"int\"", sure=False)
def number_for_text(case: Case) -> Patches:
    """Write `{}` as a number."""
    found = case.found(rf"([\"']){case.name}\1", nearest=True)
    return case.replace(case.number, found.start(), found.end(), case.name) if found else ()


@rule(PY, r"\"Literal\[(\d+)\]\" is not assignable to \"str\"", sure=False)
def text_for_number(case: Case) -> Patches:
    """Write `{}` as text."""
    found = case.found(rf"(?<![\w.\"']){case.name}(?![\w.\"'])", nearest=True)
    return case.replace(case.number, found.start(), found.end(), f'"{case.name}"') if found else ()


@rule(PY, r"Unnecessary \"# (?:type|pyright): ignore|[Uu]nused \"?(?:type: ignore|# type: ignore)")
def drop_ignore(case: Case) -> Patches:
    """Remove the ignore that ignores nothing."""
    found = case.found(r"\s*# (?:type|pyright): ignore(?:\[[\w, -]*\])?")
    return case.replace(case.number, found.start(), found.end(), "") if found else ()


def _methods(case: Case) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(case.text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@rule(PY, r"(?:Instance|Class) methods should take a \"(self|cls)\" parameter")
def take_self(case: Case) -> Patches:
    """Take `{}`."""
    node = next((node for node in _methods(case) if node.lineno == case.number), None)
    if node is None or (node.args.args and not _uses(node, case.name)):
        return ()
    found = case.found(r"def \w+\(")
    if found is None:
        return ()
    alone = not (node.args.args or node.args.vararg or node.args.kwonlyargs or node.args.kwarg)
    return case.replace(case.number, found.end(), found.end(), case.name if alone else f"{case.name}, ")


def _uses(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


RULES = (
    *spelling.BEFORE,
    import_name,
    *spelling.RULES,
    number_for_text,
    text_for_number,
    split_after_colon,
    split_at_semicolon,
    assert_without_tuple,
    future_first,
    drop_annotation,
    drop_export,
    await_call,
    allow_none,
    drop_ignore,
    take_self,
    swap(
        PY, r"^E?722|[Dd]o not use bare `except`", "Catch `Exception`", r"except\s*:", "except Exception:", sure=False
    ),
    swap(
        PY,
        r"Use `is` and `is not` for type comparisons",
        "Compare types by identity",
        r"(type\([\w.]+\)) == ",
        r"\g<1> is ",
    ),
    swap(
        PY,
        r"Use `is` and `is not` for type comparisons",
        "Compare types by identity",
        r"(type\([\w.]+\)) != ",
        r"\g<1> is not ",
    ),
    swap(
        PY,
        r"Expected `?:`?, found (?:newline|Newline)|expected ':'",
        "Add the colon",
        r"(?<=[\w)\]'\"])(?=\s*(?:#.*)?$)",
        ":",
    ),
    swap(
        PY,
        r"Expected `?:`?, found `?=|cannot assign to .* here. Maybe you meant '=='",
        "Compare by `==`",
        r"(?<![=!<>:])=(?!=)",
        "==",
    ),
    swap(
        PY,
        r"Multiple exception types must be parenthesized",
        "Put the exception types in brackets",
        r"except ([\w.]+(?:, [\w.]+)+)(?=:| as)",
        r"except (\g<1>)",
    ),
    swap(
        PY, r"Unnecessary \"cast\" call", "Remove the cast", r"\bcast\((?:\"[^\"]*\"|[\w.\[\]]+), ([\w.]+)\)", r"\g<1>"
    ),
    swap(
        PY,
        r"\"(\w+)\" is not a known attribute of module \"(\w+)\".*[Dd]id you mean \"(\w+)\"",
        "Use the name that is there",
        r"\b<2>\.<1>\b",
        "<2>.<3>",
    ),
)
