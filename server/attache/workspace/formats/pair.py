"""One replacement as JSON: `{"path", "search", "replace"}`; what is searched may be part of a line."""

from __future__ import annotations

from pydantic import ValidationError

from attache.schema.data import Record
from attache.schema.errors import EditRefused
from attache.workspace.formats.names import clean
from attache.workspace.formats.steps import Replace, Step


class Pair(Record):
    """The replacement."""

    path: str
    search: str
    replace: str


def steps(instruction: str) -> tuple[Step, ...]:
    """Read the replacement; an empty search makes a new file."""
    try:
        pair = Pair.model_validate_json(instruction, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the instruction"
        raise EditRefused(f"{where}: {first['msg']}", hint='give {"path": …, "search": …, "replace": …}') from error
    return (Replace(clean(pair.path), pair.search, pair.replace),)
