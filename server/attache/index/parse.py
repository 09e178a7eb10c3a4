"""Read one text: its definitions, the names it uses, its imports, and the pieces that a search finds.

Pure, and limited in time: what a grammar cannot read in time is cut into pieces of plain text.
"""

from __future__ import annotations

import re
from operator import itemgetter

from attache.index.languages import Language, languages
from attache.index.parsed import Found, Parsed
from attache.index.pieces import cut
from attache.index.reading import Reading
from attache.index.tree import Grown, Slow, grow
from attache.schema.code import Symbol

LIMIT_SECONDS = 2.0
OUTLINED_BYTES = 2_000_000
"""A longer text has no outline: whoever asks for one waits for it."""

_LINE_END = re.compile(rb"\r\n?|\n")


def parse(language: Language | None, data: bytes, *, limit_seconds: float = LIMIT_SECONDS) -> Parsed:
    """Read a file, in UTF-8. Where no grammar can, `trouble` says why, and the pieces are those of plain text."""
    lines = split(data)
    if language is None:
        return Parsed("", (), {}, (), cut(lines, ()))
    try:
        tree = grow(language, b"\n".join(lines), limit_seconds).tree
        return Reading(language, lines, tree, language.all_names).parsed()
    except Slow:
        trouble = f"reading it as {language.name} took longer than {limit_seconds:g} s"
    except ImportError as error:
        trouble = f"the grammar of {language.name} is not installed ({error.name})"
    return Parsed(language.name, (), {}, (), cut(lines, ()), trouble)


def split(data: bytes) -> list[bytes]:
    r"""Return the lines of a text, without their line ends: \n, \r\n or \r alone; what is no UTF-8 is replaced."""
    if not data.isascii():
        data = data.decode("utf-8", "replace").encode()
    return data.split(b"\n") if b"\r" not in data else _LINE_END.split(data)


def everywhere(language: Language, data: bytes, name: str) -> list[Found]:
    """Return every place where a text says a name, comments and strings left out, in the order of the text."""
    lines = split(data)
    try:
        tree = grow(language, b"\n".join(lines), LIMIT_SECONDS).tree
    except (Slow, ImportError):
        return []
    return sorted(Reading(language, lines, tree, language.all_names).found(name), key=itemgetter(1, 2))


class Outline:
    """The definitions of a text that is being edited: asked again, only what changed is parsed again."""

    def __init__(self, language: str) -> None:
        """Take a language by its name; in one that no grammar reads there are no definitions."""
        self._language = languages().get(language)
        self._grown: Grown | None = None

    def of(self, text: str, path: str = "") -> tuple[Symbol, ...]:
        """Return the definitions in the order of the text; none where reading it takes too long.

        Where the text is broken, they may be other ones than those of the same text read anew.
        """
        data = text.encode("utf-8", "replace")
        before, self._grown = self._grown, None
        if self._language is None or len(data) > OUTLINED_BYTES:
            return ()
        lines = split(data)
        try:
            self._grown = grow(self._language, b"\n".join(lines), LIMIT_SECONDS, before)
        except (Slow, ImportError):
            return ()
        read = Reading(self._language, lines, self._grown.tree, self._language.definitions)
        return tuple(definition.symbol(path) for definition in read.definitions)


def outline(language: str, text: str, path: str = "") -> tuple[Symbol, ...]:
    """Return the definitions of one text, once; `Outline` is quicker from the second time on."""
    return Outline(language).of(text, path)
