"""Places that a chat document names, as links: `path:line` in what was said, mentions, and links of Markdown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

from attache.schema.data import Uri
from attache.schema.errors import ToolError
from attache.workspace.paths import to_path, to_uri

if TYPE_CHECKING:
    from pathlib import Path

    from attache.faces.lsp.server import Server

_NAME: Final = r"(?:\.{0,2}/)?(?:[\w.@+~-]+/)*[\w.@+~-]+"
_PLACE: Final = rf"(?P<path>{_NAME})(?::(?P<line>\d{{1,7}})(?:-(?P<end>\d{{1,7}}))?(?::\d+)?)?"
_LINK: Final = r"(?P<link>\[[^\]\n]*\]\((?P<target>[^)\s]+)\))"
_URL: Final = r"(?P<url>https?://[^\s)>\]]+)"
_MENTION: Final = rf"(?<!\S)@{_PLACE}"
_TOKEN: Final = re.compile(
    rf"{_LINK}|{_URL}|`(?P<code>[^`\n]+)`|(?<![\w/.\[(@`#])(?P<bare>{_NAME}:\d{{1,7}}(?:-\d{{1,7}})?)"
)
_WHOLE: Final = re.compile(_PLACE)
_FRAGMENT: Final = re.compile(r"L(\d+)(?:-L?(\d+))?")
_AT: Final = re.compile(_MENTION)


class Link(NamedTuple):
    """Columns [start, end) of a line, and what they lead to."""

    start: int
    end: int
    target: str
    tip: str = ""


class Links:
    """The links of one document."""

    def __init__(self, server: Server, uri: Uri) -> None:
        self._server = server
        self._folder = to_path(uri).parent
        inside = any(self._folder.is_relative_to(root) for root in server.roots)
        self._relative = inside

    # ------------------------------------------------------------ writing

    def linked(self, line: str) -> str:
        """Return a line of Markdown with the `path:line` it names as links, where there are such files."""

        def link(match: re.Match[str]) -> str:
            named = match["bare"] or match["code"]
            if not named:
                return match[0]
            return self._markdown(named, with_line=True) or match[0]

        return _TOKEN.sub(link, line)

    def titled(self, title: str) -> str:
        """Return what a tool says of itself with the place it begins with as a link."""
        first, blank, rest = title.partition(" ")
        link = self._markdown(first, with_line=False)
        return f"{link}{blank}{rest}" if link else title

    def _markdown(self, named: str, *, with_line: bool) -> str:
        place = _WHOLE.fullmatch(named)
        if place is None or (with_line and not place["line"]):
            return ""
        path = self.path(place["path"])
        if path is None:
            return ""
        target = quote(os.path.relpath(path, self._folder).replace(os.sep, "/")) if self._relative else to_uri(path)
        fragment = f"#L{place['line']}" if place["line"] else ""
        fragment += f"-L{place['end']}" if place["end"] else ""
        return f"[{named}]({target}{fragment})"

    # ------------------------------------------------------------ reading

    def path(self, name: str) -> Path | None:
        """Return the file that a name means, from a root or in full; None where there is no such file."""
        for root in self._server.roots:
            path = root / name
            try:
                if path.is_file() or self._server.buffers.get(to_uri(path)):
                    return path
            except OSError:
                continue
        return None

    def of(self, line: str) -> Iterator[Link]:
        """Yield the links of a line: those of Markdown, places, and mentions of files."""
        taken: list[tuple[int, int]] = []
        for match in _TOKEN.finditer(line):
            link = self._found(match)
            if link is not None:
                taken.append((link.start, link.end))
                yield link
        for match in _AT.finditer(line):
            path = self.path(match["path"])
            if path is not None and not any(start <= match.start() < end for start, end in taken):
                yield Link(match.start(), match.end(), _uri(path, match["line"], match["end"]))

    def _found(self, match: re.Match[str]) -> Link | None:
        if match["link"]:
            target = self._target(match["target"])
            return Link(match.start(), match.end(), target) if target else None
        place = _WHOLE.fullmatch(match["bare"] or match["code"] or "")
        if place is None or not place["line"]:
            return None
        path = self.path(place["path"])
        return Link(match.start(), match.end(), _uri(path, place["line"], place["end"])) if path else None

    def _target(self, target: str) -> str:
        """Return what a link of Markdown leads to: it counts from the document, as everywhere."""
        if "://" in target:
            return target
        name, _, fragment = target.partition("#")
        lines = _FRAGMENT.fullmatch(fragment)
        try:
            path = (self._folder / unquote(name)) if name else None
            if path is None or not path.exists():
                return ""
            return _uri(path.resolve(), lines[1] if lines else None, lines[2] if lines else None)
        except (OSError, ValueError, ToolError):
            return ""


def _uri(path: Path, line: str | None, end: str | None) -> str:
    fragment = f"#L{line}" + (f"-L{end}" if end else "") if line else ""
    return f"{to_uri(path)}{fragment}"
