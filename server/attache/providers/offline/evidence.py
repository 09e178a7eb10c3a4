"""Read tools' results back: which lines of which files they showed. Nothing else may be cited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from attache.schema.data import Record

_HEAD = re.compile(
    r"^(?P<path>[^\s:][^:\n]*?):(?P<line>\d+)(?:-(?P<end>\d+))?(?::(?P<column>\d+))?(?:[ \t]+(?P<rest>.*))?$"
)
_NUMBERED = re.compile(r"^(?P<line>\d+)[\t:](?P<text>.*)$")
SUBWORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_DEFINES = re.compile(
    r"\s*(?:(?:async|export|pub|public|private|static) )*(?:def|class|fn|func|function|type|struct|interface)\b"
)
_IMPORTS = re.compile(r"\s*(?:import|from|use|#include|require)\b")
ROOT_CHARS = 3
"""What a stem keeps at least."""
SHOWN_LINES = 14
SHOWN_CHARS = 240
_ENDINGS = ("ations", "ation", "ions", "ion", "ingly", "ings", "ing", "ies", "ied", "ers", "ed", "er", "es", "s", "e")


class Quote(Record):
    """One line that a tool showed."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return the citation with the line's own words, to the letter."""
        words = self.text.strip()
        return f"{self.path}:{self.line} — " + (f"`` {words} ``" if "`" in words else f"`{words}`")

    def told(self, name: str) -> str:
        """Return the citation behind the name of what it stands in, where its own words do not say that."""
        return str(self) if not name or _DEFINES.match(self.text) else f"`{name}` {self}"


class Passage(Record):
    """A place that a tool named, with the words behind it and the lines it showed of it."""

    path: str
    line: int
    end_line: int | None = None
    label: str = ""
    quotes: tuple[Quote, ...] = ()

    @property
    def name(self) -> str:
        """Return the dotted name in the words behind a place of `search` (`Name`) or `symbols` (`kind Name · …`)."""
        words = self.label.partition(" · ")[0].split()
        return words[-1] if words else ""

    @property
    def role(self) -> str:
        """Return what a place of `references` is: `call`, `import`, `definition` and so on."""
        return self.label.partition(" ")[0]

    @property
    def caller(self) -> str:
        """Return the dotted name of what a place of `references` stands in, empty at top level."""
        _, inside, rest = self.label.partition(" · ")[0].partition(" in ")
        return rest if inside else ""


def passages(text: str, path: str = "") -> tuple[Passage, ...]:
    """Return the passages of a tool's result; lines before any header belong to `path`, where that is known."""
    found: list[Passage] = []
    current = Passage(path=path, line=1) if path else None
    for row in text.splitlines():
        numbered, head = _NUMBERED.match(row), _HEAD.match(row)
        if numbered and current is not None:
            quote = Quote(path=current.path, line=int(numbered["line"]), text=numbered["text"])
            current = current.model_copy(update={"quotes": (*current.quotes, quote)})
        elif head:
            found += [current] if current else []
            current = Passage(
                path=head["path"],
                line=int(head["line"]),
                end_line=int(head["end"]) if head["end"] else None,
                label=(head["rest"] or "").strip(),
            )
    return tuple(found + ([current] if current and (current.quotes or current.label or not path) else []))


def stem(word: str) -> str:
    """Return a word without the ending that number and tense put on it."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= ROOT_CHARS:
            root = word[: -len(ending)]
            return root + "y" if ending in {"ies", "ied"} else root[:-1] if root[-1:] == root[-2:-1] else root
    return word


def stems(text: str) -> frozenset[str]:
    """Return the stems of all words in a text, those inside camelCase and snake_case included."""
    return frozenset(stem(part) for part in SUBWORD.findall(text))


def best(quotes: Iterable[Quote], wanted: frozenset[str]) -> Quote | None:
    """Return the line that says most of what is wanted; definitions and words about them before mere use."""
    ranked = sorted(_ranked(quotes, wanted), key=lambda pair: pair[0], reverse=True)
    return ranked[0][1] if ranked else None


def _ranked(quotes: Iterable[Quote], wanted: frozenset[str]) -> Iterator[tuple[float, Quote]]:
    for quote in quotes:
        shared = len(wanted & stems(quote.text))
        if shared:
            yield shared + 0.5 * bool(_DEFINES.match(quote.text)) - 0.7 * bool(_IMPORTS.match(quote.text)), quote


def blocked(text: str) -> str:
    """Return a tool's text with what follows its first line as it stands, so that its lines stay lines."""
    head, _, rest = text.strip().partition("\n")
    fence = "```" if "```" not in rest else "~~~~"
    return f"{head}\n\n{fence}\n{rest.strip()}\n{fence}" if rest.strip() else head


def code(lines: Sequence[Quote], shown: int = SHOWN_LINES) -> str:
    """Return lines as a block of code, with how many there are more."""
    if not lines:
        return ""
    text = "\n".join(line.text[:SHOWN_CHARS] + "…" * (len(line.text) > SHOWN_CHARS) for line in lines[:shown])
    more = f"\n… {len(lines) - shown} more lines" if len(lines) > shown else ""
    fence = "```" if "```" not in text else "~~~~"
    return f"{fence}\n{text}{more}\n{fence}"
