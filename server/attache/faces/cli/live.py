"""An answer as it comes: what will not change any more is given out once, the rest is a tail that may still move."""

from __future__ import annotations

from typing import NamedTuple

from markdown_it import MarkdownIt

GROWTH = 1.1
"""How much a block grows before it is read again: one that is very long would be read too often."""


class Piece(NamedTuple):
    """Text to print now. `again` says that it does not go on where the last piece ended: the answer begins anew."""

    text: str
    again: bool = False


class Stream:
    """Cuts one streamed Markdown answer between its blocks.

    What was printed cannot be taken back. So an answer that is asked for again prints nothing as long as it repeats
    what stands there already, and says so where it does not.
    """

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._text = ""
        self._given = ""
        self._looked_at = 0
        self._parser = MarkdownIt().enable("table")

    @property
    def tail(self) -> str:
        """Return what came and was not given out yet."""
        return self._text[len(self._given) :] if self._text.startswith(self._given) else ""

    def feed(self, text: str) -> Piece:
        """Take the next words; return the blocks that are complete by now."""
        self._text += text
        return self._give(whole=False) if "\n" in text else Piece("")

    def restart(self) -> None:
        """Forget what came of this attempt; what was given out stays given out."""
        self._text = ""

    def finish(self, text: str = "") -> Piece:
        """Return what is left, of the whole answer `text` where it is given, and be ready for the next answer."""
        self._text = text or self._text
        piece = self._give(whole=True)
        self._text = self._given = ""
        self._looked_at = 0
        return piece

    def _give(self, *, whole: bool) -> Piece:
        again = not self._text.startswith(self._given)
        if again and self._given.startswith(self._text) and not whole:
            return Piece("")  # it says the same as before, so far
        if again:
            self._given = ""
        rest = self._text[len(self._given) :]
        if not (whole or again) and self._looked_at < len(rest) < self._looked_at * GROWTH:
            return Piece("")
        piece = rest if whole else rest[: self._settled(rest)]
        self._given += piece
        self._looked_at = len(rest) - len(piece)
        return Piece(piece, again)

    def _settled(self, text: str) -> int:
        """Return how far nothing that follows can change how `text` reads: up to its last block of complete lines."""
        complete = text[: text.rfind("\n") + 1]
        starts = [token.map[0] for token in self._parser.parse(complete) if token.map and token.level == 0]
        return sum(map(len, complete.splitlines(keepends=True)[: starts[-1]])) if starts else 0
