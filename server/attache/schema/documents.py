"""What stands in a file: its text with the proof of which text it was, places in it, and findings about it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from attache.schema.data import Record, Uri

Newline = Literal["\n", "\r\n", "\r"]
Severity = Literal["error", "warning", "information", "hint"]


class Snapshot(Record):
    """The text of one file at one moment, as the user sees it.

    `version` is the editor's version where the file is open there, None where the text came from disk. `hash` proves
    the text in either case: an edit made against this snapshot names it, and lands only where it still holds.
    """

    uri: Uri
    path: str
    """Relative to the workspace root with forward slashes; absolute where the file lies in no root."""
    text: str
    """As decoded, line ends untouched, byte-order mark removed."""
    version: int | None = None
    hash: str
    encoding: str = "utf-8"
    bom: bool = False
    newline: Newline = "\n"
    """The line end that most lines have; new lines take it."""

    @property
    def open(self) -> bool:
        """Whether an editor holds this text."""
        return self.version is not None


class Place(Record):
    """A citation: lines of one file, counted from 1, both ends included. Columns count code points from 1."""

    path: str
    line: int = Field(ge=1)
    column: int = Field(default=1, ge=1)
    end_line: int | None = None
    end_column: int | None = None

    def __str__(self) -> str:
        """Return `path:line` or `path:line-end`, the form that people and models cite."""
        end = self.end_line
        return f"{self.path}:{self.line}" if end is None or end == self.line else f"{self.path}:{self.line}-{end}"


class Patch(Record):
    """A replacement by place: what stands from (line, column) up to but without (end_line, end_column)."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Diagnostic(Record):
    """One finding about one place, from a linter, a language server or a review."""

    place: Place
    message: str
    severity: Severity = "warning"
    source: str = ""
    code: str = ""
    fix_title: str = ""
    fix: tuple[Patch, ...] = ()
    """The source's own cure, empty where it knows none."""
    safe: bool = False
    """Whether the source vouches that the cure keeps the program's behaviour."""
