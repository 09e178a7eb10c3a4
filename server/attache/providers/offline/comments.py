"""Doc comments in each language's own convention, made of a definition's signature and body."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from attache.providers.offline.evidence import SUBWORD

_SPELT = re.compile(r"[A-Z]{2,}(?:[a-z]{1,2}|\d+)?")
"""What is written as it is spelt: HTTP, URLs, HTTPie."""
_WORD = re.compile(rf"(?:(?<![A-Za-z])|(?<=[a-z])){_SPELT.pattern}(?![a-z])|{SUBWORD.pattern}")


class Parameter(NamedTuple):
    """One parameter, with what the signature says of it."""

    name: str
    type: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What a doc comment is made of."""

    name: str
    kind: str
    """`function` or `class`."""
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    """The type, empty where none is said or nothing is returned."""
    raises: tuple[str, ...] = ()
    such_as: dict[str, str] | None = None
    """What calls pass for a parameter, as they write it."""

    @property
    def summary(self) -> str:
        """Return the name as a sentence: what it does, or what it is."""
        words = [part if _SPELT.fullmatch(part) else part.lower() for part in _WORD.findall(self.name)] or [self.name]
        if self.kind == "class":
            return f"{_sentence(words)}."
        first, rest = words[0], " ".join(words[1:])
        if first in {"is", "has", "can", "should", "was", "are"}:
            return f"Return whether it {first} {rest}.".replace("  ", " ")
        if first == "to" and rest:
            return f"Convert to {rest}."
        if first in {"init", "new"} and not rest:
            return "Create it."
        return f"{_sentence(words)}."

    def note(self, parameter: Parameter) -> str:
        """Return what is known of a parameter beside its name and type."""
        given = (self.such_as or {}).get(parameter.name, "")
        parts = [f"default {parameter.default}"] if parameter.default else []
        parts += [f"such as {given}"] if given else []
        return ", ".join(parts)


def _sentence(words: Sequence[str]) -> str:
    said = " ".join(words)
    return said[:1].upper() + said[1:]


# ---------------------------------------------------------------- Python


def of_python(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Described:
    """Read what a Python definition says."""
    if isinstance(node, ast.ClassDef):
        fields = tuple(
            Parameter(each.target.id, ast.unparse(each.annotation), ast.unparse(each.value) if each.value else "")
            for each in node.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        )
        return Described(node.name, "class", fields)
    raised = [
        name
        for each in ast.walk(node)
        if isinstance(each, ast.Raise) and each.exc
        if (name := ast.unparse(each.exc).partition("(")[0])[:1].isupper()
    ]
    returned = ast.unparse(node.returns) if node.returns else ""
    return Described(
        node.name, "function", _parameters(node.args), "" if returned in {"None", "NoReturn"} else returned,
        tuple(dict.fromkeys(raised)),
    )  # fmt: skip


def _parameters(args: ast.arguments) -> tuple[Parameter, ...]:
    named = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(named) - len(args.defaults)) + list(args.defaults)
    pairs = [*zip(named, defaults, strict=True), *zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    found = [
        Parameter(
            arg.arg, ast.unparse(arg.annotation) if arg.annotation else "", ast.unparse(default) if default else ""
        )
        for arg, default in pairs
        if arg.arg not in {"self", "cls"}
    ]
    found += [
        Parameter(arg.arg, ast.unparse(arg.annotation) if arg.annotation else "")
        for arg in (args.vararg, args.kwarg)
        if arg
    ]
    return tuple(found)


Style = str
STYLES: tuple[tuple[Style, str], ...] = (
    ("sphinx", r"^\s*:(?:param|returns?|raises)\b"),
    ("numpy", r"^\s*(?:Parameters|Returns|Raises)\n\s*-{4,}"),
    ("google", r"^\s*(?:Args|Returns|Raises|Attributes):\s*$"),
)


def style_of(text: str) -> Style:
    """Return the style that a file's docstrings have, `plain` where they list nothing."""
    return next((style for style, pattern in STYLES if re.search(pattern, text, re.MULTILINE)), "plain")


def python_doc(it: Described, style: Style, indent: str) -> str:
    """Return a docstring's lines, in the style of its neighbours, each behind the indent."""
    rows = _LISTS[style](it)
    if not rows:
        return f'{indent}"""{it.summary}"""\n'
    body = "".join(f"{indent}{row}".rstrip() + "\n" for row in ("", *rows))
    return f'{indent}"""{it.summary}\n{body}{indent}"""\n'


def _plain(_it: Described) -> list[str]:
    return []


def _google(it: Described) -> list[str]:
    rows: list[str] = []
    if it.parameters:
        rows.append("Attributes:" if it.kind == "class" else "Args:")
        rows += [
            f"    {_row(it, each, f'{each.name} ({each.type}):' if each.type else f'{each.name}:')}"
            for each in it.parameters
        ]
    if it.returns:
        rows += ["", "Returns:", f"    {it.returns}"]
    if it.raises:
        rows += ["", "Raises:", *(f"    {each}" for each in it.raises)]
    return rows[1:] if rows[:1] == [""] else rows


def _row(it: Described, parameter: Parameter, head: str) -> str:
    return f"{head} {it.note(parameter)}".rstrip()


def _sphinx(it: Described) -> list[str]:
    rows: list[str] = []
    for each in it.parameters:
        rows.append(_row(it, each, f":param {each.name}:"))
        rows += [f":type {each.name}: {each.type}"] if each.type else []
    rows += [f":raises {each}:" for each in it.raises]
    return rows + ([f":rtype: {it.returns}"] if it.returns else [])


def _numpy(it: Described) -> list[str]:
    rows: list[str] = []
    if it.parameters:
        head = "Attributes" if it.kind == "class" else "Parameters"
        rows += [head, "-" * len(head)]
        for each in it.parameters:
            rows.append(f"{each.name} : {each.type}" if each.type else each.name)
            rows += [f"    {it.note(each)}"] if it.note(each) else []
    for head, lines in (("Returns", [it.returns] if it.returns else []), ("Raises", list(it.raises))):
        rows += ["", head, "-" * len(head), *lines] if lines else []
    return rows[1:] if rows[:1] == [""] else rows


_LISTS: dict[Style, Callable[[Described], list[str]]] = {
    "plain": _plain, "google": _google, "sphinx": _sphinx, "numpy": _numpy,
}  # fmt: skip


# ---------------------------------------------------------------- other languages, by their first lines


_SIGNATURE = re.compile(
    r"(?P<name>[A-Za-z_$][\w$]*)\s*(?:<[^>(]*>)?\s*\((?P<parameters>(?:[^()]|\([^()]*\))*)\)"
    r"\s*(?:(?:->|:|throws)?\s*(?P<returns>[^{;=]*))?",
)
_ARROW = re.compile(
    r"(?P<name>[A-Za-z_$][\w$]*)\s*(?::[^=]+)?=\s*(?:async\s*)?\((?P<parameters>[^)]*)\)\s*(?::\s*(?P<returns>[^=]+))?=>"
)
_KIND = re.compile(r"\b(?:class|struct|interface|enum|trait|type|module|object|record|protocol)\s+(?P<name>\w+)")
NAME_LAST = frozenset({".java", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".go"})
"""Suffixes of languages that write a parameter's type before or behind its name without a colon."""


def of_signature(text: str, name: str, suffix: str) -> Described | None:
    """Read what the first lines of a definition say, in a language that Python's own parser does not know."""
    head = " ".join(text.split())
    match = next((found for found in (_ARROW.search(head), _find(head, name)) if found and found["name"] == name), None)
    if match is None:
        kind = _KIND.search(head)
        return Described(name, "class") if kind and kind["name"] == name else None
    returns = (match["returns"] or "").strip().removeprefix("->").strip()
    if suffix in {".java", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs"}:
        returns = head[: match.start()].split()[-1] if head[: match.start()].split() else ""
    returns = "" if returns in {"void", "Promise<void>", "()", "None", "constructor", "public"} else returns
    raises = ("Errors",) if suffix == ".rs" and "Result<" in returns else ()
    return Described(name, "function", tuple(_listed(match["parameters"], suffix)), returns, raises)


def _find(head: str, name: str) -> re.Match[str] | None:
    return next((found for found in _SIGNATURE.finditer(head) if found["name"] == name), None)


def _listed(text: str, suffix: str) -> Sequence[Parameter]:
    found: list[Parameter] = []
    for part in re.split(r",(?![^<({\[]*[>)}\]])", text):
        words, _, default = part.strip().partition("=")
        words = re.sub(r"^(?:(?:public|private|protected|readonly|final|const|mut|@\w+)\s+)+", "", words.strip())
        name, colon, kind = words.partition(":")
        if not colon and suffix in NAME_LAST and " " in words:
            first, last = words.split(" ", 1) if suffix == ".go" else words.rsplit(" ", 1)
            name, kind = (first, last) if suffix == ".go" else (last, first)
        name = name.strip().strip("&*.?{}[] ")
        if name and name not in {"self", "this", "mut self", "void"} and re.fullmatch(r"[\w$]+", name):
            found.append(Parameter(name, kind.strip(), default.strip()))
    return found


def comment(it: Described, path: str, indent: str) -> str:
    """Return a doc comment above a definition, in the manner of its language; empty where none is known."""
    suffix = PurePosixPath(path).suffix
    make = FORMS.get(suffix)
    return "".join(f"{indent}{row}".rstrip() + "\n" for row in make(it)) if make else ""


def _jsdoc(it: Described) -> list[str]:
    rows = [f"@param {each.name}" + (f" {it.note(each)}" if it.note(each) else "") for each in it.parameters]
    rows += ["@returns"] if it.returns else []
    return _block(it.summary, rows)


def _jsdoc_typed(it: Described) -> list[str]:
    rows = [_row(it, each, f"@param {each.name}") for each in it.parameters]
    return _block(it.summary, rows)


def _javadoc(it: Described) -> list[str]:
    rows = [_row(it, each, f"@param {each.name}") for each in it.parameters]
    return _block(it.summary, [*rows, *([f"@return {it.returns}"] if it.returns else [])])


def _block(summary: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return [f"/** {summary} */"]
    return ["/**", f" * {summary}", " *", *(f" * {row}" for row in rows), " */"]


def _go(it: Described) -> list[str]:
    words = [part.lower() for part in SUBWORD.findall(it.name)]
    if it.kind == "class":
        return [f"// {it.name} is a {' '.join(words)}."]
    verb = words[0] if words else "is"
    third = verb + ("es" if verb.endswith(("s", "x", "ch", "sh", "o")) else "s")
    third = verb[:-1] + "ies" if verb.endswith("y") and verb[-2:-1] not in set("aeiou") else third
    return [f"// {it.name} {' '.join((third, *words[1:]))}."]


def _rust(it: Described) -> list[str]:
    rows = [f"/// {it.summary}"]
    return [*rows, "///", "/// # Errors", "///", f"/// Returns the error of `{it.returns}`."] if it.raises else rows


def _hash(it: Described) -> list[str]:
    return [f"# {it.summary}", *(f"# @param {each.name} [{each.type or 'Object'}]" for each in it.parameters)]


def _slashes(it: Described) -> list[str]:
    return [f"/// {it.summary}", *(f"/// - Parameter {each.name}: {each.type}" for each in it.parameters)]


def _csharp(it: Described) -> list[str]:
    names = [f'/// <param name="{each.name}">{it.note(each)}</param>' for each in it.parameters]
    return ["/// <summary>", f"/// {it.summary}", "/// </summary>", *names]


FORMS: dict[str, Callable[[Described], list[str]]] = {
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), _jsdoc),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), _jsdoc_typed),
    **dict.fromkeys((".java", ".kt", ".scala", ".php", ".c", ".h", ".cc", ".cpp", ".hpp"), _javadoc),
    ".go": _go, ".rs": _rust, ".rb": _hash, ".sh": _hash, ".swift": _slashes, ".cs": _csharp,
}  # fmt: skip
