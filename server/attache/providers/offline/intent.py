"""What a person means, in English and without a model: a small grammar over verbs, names and places."""

from __future__ import annotations

import difflib
import re

from attache.providers.offline.grammar import FIRST_WORDS, Kind, kinds
from attache.schema.data import Record

_TICKED = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(
    r"""(?<![\w/])
    (?P<path> [\w@.+~-]* (?:/[\w@.+ ~#%-]+)* \.\w{1,8}  |  [\w./-]+/[\w.-]+ )
    :(?P<line>\d+) (?:[-–](?P<end>\d+))? (?::(?P<column>\d+))?""",
    re.VERBOSE,
)
_MENTION = re.compile(r"(?<!\S)@(?P<path>[^\s@]+)")
_SUFFIXES = (
    "py pyi js jsx ts tsx go rs java c h cc cpp hpp cs rb php sh html css json yaml yml toml md txt rst csv tsv ini "
    "cfg xml sql svg png jpg jpeg gif pdf zip gz kt swift scala lua vue svelte proto ipynb"
)
_QUOTED_PLACE = re.compile(
    rf"(?P<path>[^`\n:]*/[^`\n:]+|[^`\n:]+\.(?:{_SUFFIXES.replace(' ', '|')})|[^`\n:]+(?=:\d))"
    r"(?::(?P<line>\d+)(?:[-–](?P<end>\d+))?)?(?::(?P<column>\d+))?"
)
_PATH = re.compile(rf"(?<![\w/.])((?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)*\.(?:{_SUFFIXES.replace(' ', '|')}))\b")
_NAME = re.compile(
    r"""\b (?:[A-Za-z_]\w*\.)*            # what it stands in
    (?: [a-z]+(?:_\w+)+                    # snake_case
      | [A-Z][a-z0-9]+(?:[A-Z]\w*)+        # PascalCase of two words or more
      | [a-z]+[A-Z]\w*                     # camelCase
      | __\w+__ | _\w+ | [A-Z][A-Z0-9_]{2,} ) \b
    | \b\w+(?:\.\w+)+(?=\()               # called with its owner""",
    re.VERBOSE,
)
_DOTTED = re.compile(r"\b[A-Z]\w*\.\w+\b")
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\(\)")
_CODE = re.compile(r"\b([A-Z]{1,4}\d{3,4})\b")
_LINE = re.compile(r"\blines? (?P<line>\d+)\b(?:\s*(?:-|–|to|until|through|and)\s*(?P<end>\d+)\b)?")
_ABOUT = re.compile(r"^It is about (?P<what>.+)$", re.MULTILINE)
"""How an editor says which definition a question is about."""
STATUS_DIGITS = 3
_FORMS = (
    "written/write wrote/write built/build sent/send found/find kept/keep ran/run chosen/choose chose/choose "
    "thrown/throw threw/throw held/hold begun/begin began/begin drawn/draw shown/show lost/lose caught/catch "
    "bound/bind broken/break driven/drive forgotten/forget hidden/hide taken/take given/give gotten/get "
    "bought/buy brought/bring dealt/deal fed/feed meant/mean overridden/override overwritten/overwrite "
    "rewritten/rewrite rebuilt/rebuild stuck/stick told/tell withdrawn/withdraw swept/sweep undone/undo"
)
_BASE_FORMS: dict[str, str] = {form: base for form, _, base in (pair.partition("/") for pair in _FORMS.split())}
"""What forms that no ending tells are forms of."""
_VERBS = "explain describe document fix repair correct resolve remove run execute test calls uses mean means works work"

STOP_WORDS = frozenset(
    (
        "a about all an and any are as at be been by can code did do does done file files find for from function get "
        "give go has have how i if in into is it its line list locate look me module my of on or our please place repo "
        "repository search shall should show some tell that the their them there these they thing this those to use "
        "used us was we were what when where which who why will with would you your class method happen happens "
        f"happening made make makes implemented implement handled handle handles defined define {_VERBS}"
    ).split()
)


_SLIPS = "teh hte taht wher whre wehre hwere waht hwat whta expalin explian dose thsi"
_MISSPELT = frozenset(_SLIPS.split())
"""What haste makes of them."""


class Place(Record):
    """A file, and a line of it where one was named."""

    path: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None


class Intent(Record):
    """What was asked for."""

    kind: Kind
    words: tuple[str, ...]
    """What is left of the question without the words that every question has."""
    names: tuple[str, ...]
    """Identifiers, the quoted ones first."""
    places: tuple[Place, ...]
    codes: tuple[str, ...] = ()
    """Codes of a linter's findings."""
    question: str = ""


def understand(text: str) -> Intent:
    """Return what the first paragraph of a prompt asks for; the rest is material to it."""
    head, _, rest = text.strip().partition("\n\n")
    line = " ".join(head.split())
    found = kinds(line.lower()) or kinds(_spelt(line.lower()))
    asks_of_folder = found[:1] and found[0] in {"explain", "files", "review", "document", "test", "move", "changed"}
    places = _places(head) or _places(rest) or (_folders(head) if asks_of_folder else ())
    places = _with_line(line, places)
    about = _ABOUT.search(rest)
    names = _names(line, places) or (_names(about["what"], places) if about else ())
    return Intent(
        kind=found[0] if found else "unknown",
        words=_words(line, places),
        names=names,
        places=places,
        codes=tuple(dict.fromkeys(_CODE.findall(line))),
        question=line,
    )


def _spelt(lowered: str) -> str:
    """Return a question with its first words put right, where they are nearly a word of the grammar."""
    first, *rest = lowered.split(" ")
    near = difflib.get_close_matches(first, FIRST_WORDS, 1, 0.75)
    return " ".join((near[0] if near else first, *rest))


def _with_line(line: str, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the places with the line that a question names beside one file: `line 30 of app.py`."""
    match = _LINE.search(line)
    if match is None or len(places) != 1 or places[0].line is not None:
        return places
    end = int(match["end"]) if match["end"] else None
    return (places[0].model_copy(update={"line": int(match["line"]), "end_line": end}),)


def _places(text: str) -> tuple[Place, ...]:
    """Return the files that are named: quoted ones whole, whatever they are called, then what looks like a path."""
    text = re.sub(r"\b\w+://\S*", " ", text)
    found: dict[str, Place] = {}
    for quoted in _TICKED.findall(text):
        if match := _QUOTED_PLACE.fullmatch(quoted):
            found.setdefault(match["path"], _place(match))
    text = _TICKED.sub(" ", text)
    for match in _PLACE.finditer(text):
        found.setdefault(match["path"], _place(match))
    text = _PLACE.sub(" ", text)
    for match in _MENTION.finditer(text):
        path = match["path"].rstrip(".,;:?!")
        if "/" in path or "." in path:
            found.setdefault(path, Place(path=path))
    for match in _PATH.finditer(_MENTION.sub(" ", text)):
        found.setdefault(match[1], Place(path=match[1]))
    return tuple(found.values())


def _folders(text: str) -> tuple[Place, ...]:
    return tuple(
        Place(path=path.rstrip("/?.,")) for path in re.findall(r"(?<!\S)[\w.-]+/[\w./-]*", _TICKED.sub(" ", text))
    )


def _place(match: re.Match[str]) -> Place:
    line, column, end = (int(match[part]) if match[part] else None for part in ("line", "column", "end"))
    return Place(path=match["path"], line=line, column=column, end_line=end)


def _names(line: str, places: tuple[Place, ...]) -> tuple[str, ...]:
    ticked = [name.strip().removesuffix("()") for name in _TICKED.findall(line)]
    plain = _TICKED.sub(" ", line)
    for place in places:
        plain = plain.replace(place.path, " ")
        ticked = [name for name in ticked if place.path not in name]
    found = [*ticked, *_CALLED.findall(plain), *_DOTTED.findall(plain), *_NAME.findall(plain)]
    return tuple(dict.fromkeys(name for name in found if re.fullmatch(r"[\w.]+", name) and not name.isdigit()))


def _is_stop(word: str) -> bool:
    return word in STOP_WORDS or word in _MISSPELT


def _is_number(word: str) -> bool:
    """Whether a word only counts; those of three digits are names: statuses, as 404."""
    return word.isdigit() and len(word) != STATUS_DIGITS


def _words(line: str, places: tuple[Place, ...]) -> tuple[str, ...]:
    for place in places:
        line = line.replace(place.path, " ")
    line = _LINE.sub(" ", line)
    words = (word.strip("._-") for word in re.findall(r"[\w.-]+", line))
    words = (_BASE_FORMS.get(word, word) for word in words)
    return tuple(dict.fromkeys(word for word in words if word and not _is_stop(word.lower()) and not _is_number(word)))
