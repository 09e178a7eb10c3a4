"""The pieces of an answer on their way to whoever shows them, joined where that loses nothing."""

from __future__ import annotations

from attache.schema.models import Delta, TextDelta, ThinkingDelta


class Deltas:
    """What came since the last `take`; neighbouring words of one kind are one delta."""

    __slots__ = ("_found", "_run", "_thinking")

    def __init__(self) -> None:
        self._found: list[Delta] = []
        self._run: list[str] = []
        self._thinking = False

    def text(self, words: str) -> None:
        """Add words of the answer."""
        self._add(words, thinking=False)

    def thinking(self, words: str) -> None:
        """Add words of the reasoning."""
        self._add(words, thinking=True)

    def put(self, delta: Delta) -> None:
        """Add a delta as it is."""
        self._close()
        self._found.append(delta)

    def take(self) -> list[Delta]:
        """Return everything, in order, and forget it."""
        self._close()
        found, self._found = self._found, []
        return found

    def _add(self, words: str, *, thinking: bool) -> None:
        if words:
            if self._run and self._thinking != thinking:
                self._close()
            self._thinking = thinking
            self._run.append(words)

    def _close(self) -> None:
        if self._run:
            words = "".join(self._run)
            self._found.append(ThinkingDelta(text=words) if self._thinking else TextDelta(text=words))
            self._run = []
