"""Questions about real package source trees, with the places that answer them, made by rules from the trees themselves.

`python tests/evals/questions.py` writes the table beside this file: `table.tsv`.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

TREES = {"openai": "openai", "sqlalchemy": "SQLAlchemy", "hypothesis": "hypothesis", "rich": "rich"}
"""Packages to ask about, with their distributions."""
HELD_OUT = {"click": "click", "_pytest": "pytest", "httpx2": "httpx2", "virtualenv": "virtualenv"}
"""Packages that the rules were never looked at with."""
BY_DOC, BY_CALL, BY_MEMBER, BY_NAME = 5, 2, 2, 1
"""Questions of each sort, ten a tree."""
NOT_THERE = 3
_VERBS = (
    "add append apply assert bind build calculate call check clear close collect combine compare compile compute "
    "configure construct convert copy create decode decorate define delete describe detect determine disable dispatch "
    "drop emit enable encode ensure escape evaluate execute expand export extract fetch fill filter find flush format "
    "generate get give guess handle import infer insert inspect install invoke iterate join list load log look make "
    "mark match merge move normalize open parse perform pick prepare print process produce prompt provide push raise "
    "read record refresh register release remove render replace report reset resolve restore retrieve return run save "
    "scan search select send serialize set show sort split start stop store strip submit substitute test track "
    "transform translate traverse truncate try update upload validate verify wait walk warn wrap write yield"
)
VERBS = frozenset(_VERBS.split())
OTHER_WORDS = {
    "add": "append", "build": "make", "calculate": "compute", "check": "verify", "convert": "turn", "create": "make",
    "delete": "remove", "get": "fetch", "load": "read", "print": "show", "remove": "drop", "render": "draw",
    "return": "give", "run": "execute", "send": "submit", "stop": "end", "write": "save",
}  # fmt: skip
"""What a person may say in place of the verb that the code uses."""
_NOISE = (
    "a about all an and any are as at be been by can do does each for from function given has have how if in into is it "
    "its method no not of on or our so some that the their them then there these they this those to up used using was "
    "we when where which who will with would you your"
)
NOISE = frozenset(_NOISE.split())


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of a file that answer."""

    path: str
    start: int
    end: int

    def __contains__(self, place: tuple[str, int]) -> bool:
        return place[0] == self.path and self.start <= place[1] <= self.end

    def __str__(self) -> str:
        return f"{self.path}:{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a tree; no place answers it where `expected` is empty."""

    tree: str
    text: str
    expected: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    container: str
    doc: str
    span: Span
    head: Span
    """From its first decorator to its name."""
    function: bool


@dataclass(slots=True)
class Tree:
    """What stands in a package, by the language's own parser."""

    definitions: list[Definition] = field(default_factory=list)
    calls: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    words: set[str] = field(default_factory=set)


def folder(package: str) -> Path:
    """Return where an installed package lies."""
    spec = importlib.util.find_spec(package)
    assert spec, f"{package} is not installed"
    assert spec.submodule_search_locations, f"{package} is no package"
    return Path(spec.submodule_search_locations[0])


@cache
def tree_of(package: str) -> Tree:
    """Parse a package."""
    root, tree = folder(package), Tree()
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        text = file.read_text("utf-8", errors="replace")
        tree.words |= set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
        tree.words |= set(re.findall(r"\w+", text))
        if "test" not in path:
            _visit(ast.parse(text), path, "", tree)
    return tree


def _visit(node: ast.AST, path: str, container: str, tree: Tree) -> None:
    for child in ast.iter_child_nodes(node):
        inside = container
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min((one.lineno for one in child.decorator_list), default=child.lineno)
            doc = ast.get_docstring(child) or ""
            span = Span(path, first, child.end_lineno or first)
            function = not isinstance(child, ast.ClassDef)
            tree.definitions.append(
                Definition(child.name, container, doc, span, Span(path, first, child.lineno), function)
            )
            inside = f"{container}.{child.name}".lstrip(".")
        if isinstance(child, ast.Call):
            name = getattr(child.func, "attr", getattr(child.func, "id", ""))
            line = child.func.end_lineno or child.lineno
            tree.calls[name].append(Span(path, line, line))
        _visit(child, path, inside, tree)


def asked_of(package: str) -> list[Question]:
    """Return ten questions about a package, the same ones every time."""
    tree, chance = tree_of(package), random.Random(package)
    return [
        *_some(chance, _by_doc(package, tree, chance), BY_DOC),
        *_some(chance, _by_call(package, tree), BY_CALL),
        *_some(chance, _by_member(package, tree), BY_MEMBER),
        *_some(chance, _by_name(package, tree), BY_NAME),
    ]


def not_there(package: str, others: Iterable[str]) -> list[Question]:
    """Return questions that other packages answer, and this one cannot: most of their words stand nowhere in it."""
    words, chance = tree_of(package).words, random.Random(package + others.__repr__())
    from_docs: list[Question] = []
    from_names: list[Question] = []
    for other in others:
        for question in _by_doc(other, tree_of(other), chance):
            content = _content(question.text)
            if sum(not any(each.startswith(word[:5]) for each in words) for word in content) * 2 >= len(content):
                from_docs.append(Question(package, question.text))
        for question in [*_by_call(other, tree_of(other)), *_by_member(other, tree_of(other))]:
            if words.isdisjoint(re.findall(r"\w+", question.text.partition("`")[2])):
                from_names += [Question(package, question.text)]
    return [*_some(chance, from_docs, NOT_THERE - 1), *_some(chance, from_names, 1)]


def _some(chance: random.Random, questions: Iterable[Question], count: int) -> list[Question]:
    found = sorted(set(questions), key=lambda question: question.text)
    return chance.sample(found, min(count, len(found)))


def _by_doc(package: str, tree: Tree, chance: random.Random) -> Iterator[Question]:
    """Yield `where do we …?` and `which function …s?`, from first sentences that begin with what is done."""
    places: dict[str, list[Span]] = defaultdict(list)
    for each in tree.definitions:
        if each.function and each.doc:
            places[_sentence(each.doc)].append(each.span)
    for sentence, spans in sorted(places.items()):
        verb, _, rest = sentence.partition(" ")
        base = next((one for one in (verb, verb[:-1], verb[:-2]) if one in VERBS), "")
        if base and 3 <= len(_content(rest)) <= 9 and len(spans) <= 3:
            way = chance.choice(
                (
                    f"where do we {base} {rest}?",
                    f"which function {_third(base)} {rest}?",
                    f"where do we {OTHER_WORDS.get(base, base)} {rest}?",
                )
            )
            yield Question(package, way, tuple(spans))


def _sentence(doc: str) -> str:
    text = " ".join(doc.partition("\n\n")[0].split())
    text = re.sub(r":\w+:`[~.]*([^`<]*)[^`]*`", r"\1", text).replace("`", "").replace("*", "")
    text = re.split(r"(?<=\w)[.:;!?](?:\s|$)| \(|, ", text)[0]
    return text[:1].lower() + text[1:]


def _third(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "ch", "sh")) else "s")


def _content(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in NOISE]


def _by_call(package: str, tree: Tree) -> Iterator[Question]:
    named: dict[str, list[Definition]] = defaultdict(list)
    for each in tree.definitions:
        named[each.name].append(each)
    for name, found in named.items():
        if len(found) == 1 and found[0].function and "_" in name.strip("_") and 1 <= len(tree.calls[name]) <= 4:
            yield Question(package, f"who calls `{name}`?", tuple(tree.calls[name]))


def _by_member(package: str, tree: Tree) -> Iterator[Question]:
    members: dict[str, list[Definition]] = defaultdict(list)
    for each in tree.definitions:
        if each.container and each.function and "." not in each.container and not each.name.startswith("__"):
            members[f"{each.container}.{each.name}"].append(each)
    for name, found in members.items():
        if len(found) == 1:
            yield Question(package, f"explain `{name}`", (found[0].head,))


def _by_name(package: str, tree: Tree) -> Iterator[Question]:
    named: dict[str, list[Definition]] = defaultdict(list)
    for each in tree.definitions:
        named[each.name].append(each)
    for name, found in named.items():
        if len(found) == 1 and not found[0].container and len(name) > 4:
            yield Question(package, f"where is `{name}` defined?", (found[0].head,))


def all_questions(trees: Iterable[str]) -> list[Question]:
    """Return the questions about these trees, those without an answer last: ten for four trees."""
    names = list(trees)
    there = [question for name in names for question in asked_of(name)]
    absent = [
        question
        for name, other in pairwise([*names, names[0]])
        for question in not_there(name, [one for one in (*TREES, *HELD_OUT) if one not in {name, other}])
    ]
    return [*there, *absent[:10]]


def table() -> str:
    """Return the questions with their places, and the versions they were made from."""
    versions = ", ".join(f"{dist} {importlib.metadata.version(dist)}" for dist in (*TREES.values(), *HELD_OUT.values()))
    rows = [
        "\t".join((each.tree, each.text, " ".join(map(str, each.expected)) or "nowhere"))
        for group in (TREES, HELD_OUT)
        for each in all_questions(group)
    ]
    return "\n".join((f"# {versions}", "tree\tquestion\texpected", *rows, ""))


if __name__ == "__main__":
    (Path(__file__).parent / "table.tsv").write_text(table(), "utf-8")
