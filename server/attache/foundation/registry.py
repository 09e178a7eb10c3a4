"""Names for things that are looked up by what a user typed: no name twice, and near names on a miss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from attache.schema.errors import UserError

T = TypeVar("T")


def near(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Return the names that `name` was probably meant to be, nearest first; case does not count."""
    import difflib

    folded = {known.casefold(): known for known in names}
    return tuple(folded[match] for match in difflib.get_close_matches(name.casefold(), folded, limit, cutoff=0.6))


def hint_for(name: str, names: Iterable[str], most: int = 8) -> str:
    """Return what helps who typed `name`: near names, or some of those there are and how many more."""
    known = tuple(names)
    if guesses := near(name, known):
        return f"near: {', '.join(guesses)}"
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"known: {', '.join(known[:most])}{more}"


class Registry(Mapping[str, T]):
    """Things of one kind by name, in the order they came; `kind` is the word users know them by."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Give `thing` a name and return it; a name that is taken is refused."""
        if name in self._things:
            raise UserError(f'two {self._kind}s are called "{name}"', hint="rename one of them")
        self._things[name] = thing
        return thing

    def find(self, name: str) -> T:
        """Return what is called `name`; on a miss the error's hint lists near names."""
        if name in self._things:
            return self._things[name]
        raise UserError(f'unknown {self._kind} "{name}"', hint=hint_for(name, self._things))

    def __getitem__(self, name: str) -> T:
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)
