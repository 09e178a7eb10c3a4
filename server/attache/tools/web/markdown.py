"""HTML as Markdown: headings, text, links, lists, code and tables; what is not read is left out.

Run by path as a process of its own, since a page can be written so that parsing it takes hours: it may import nothing
of ours. The page comes on stdin, its title and text go out as JSON.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from urllib.parse import urljoin

_SKIPPED = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "object", "canvas", "form"})
_ASIDE = frozenset({"nav", "footer", "aside"})
_BLOCKS = frozenset({
    "p", "div", "section", "article", "main", "header", "ul", "ol", "dl", "blockquote", "figure", "table", "details",
    "address", "fieldset", "hr", "summary", "figcaption", "dt", "dd",
})  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "wbr", "source", "area", "base", "col", "embed", "track"}
)
DEPTH_MOST = 12
"""Levels of lists and quotes that are shown."""
_BLANK_LINES = re.compile(r"\n{3,}")


def to_markdown(html: str, url: str = "") -> tuple[str, str]:
    """Return a page's title and its text as Markdown; links are made absolute by the page's own address."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader.title.strip(), reader.text()


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._url = url
        self._out: list[str] = []
        self._skip: list[str] = []
        """Elements whose content is left out, outermost first."""
        self._in_title = False
        self._pre = 0
        self._lists: list[int] = []
        """The number of the next item of each list around; -1 where it has none."""
        self._quotes = 0
        self._links: list[tuple[str, int]] = []
        self._rows: list[list[str]] | None = None
        self._cell: int | None = None

    def text(self) -> str:
        """Return all that was read."""
        lines = [line.rstrip() for line in "".join(self._out).split("\n")]
        return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()

    # ------------------------------------------------------------ events

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag == "title" and not self.title:
            self._in_title = True
        if self._skip or tag in _SKIPPED or tag in _ASIDE:
            if tag not in _VOID:
                self._skip.append(tag)
            return
        values = {name: value or "" for name, value in attrs}
        if tag in _HEADINGS:
            self._block(f"{_HEADINGS[tag]} ")
        elif tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else -1)
            self._line() if len(self._lists) > 1 else self._block()
        elif tag == "li":
            self._item()
        elif tag == "pre":
            self._block("```\n")
            self._pre += 1
        elif tag in {"tr", "td", "th", "table"}:
            self._table(tag)
        elif tag == "blockquote":
            self._quotes += 1
            self._block()
        elif tag in _BLOCKS:
            self._block("---\n\n" if tag == "hr" else "")
        else:
            self._inline(tag, values)

    def _inline(self, tag: str, values: dict[str, str]) -> None:
        if tag == "br":
            self._line()
        elif tag == "a":
            self._links.append((values.get("href", ""), len(self._out)))
        elif tag == "img" and values.get("alt"):
            self._out.append(f"![{values['alt']}]")
        elif tag in {"code", "kbd", "samp"} and not self._pre:
            self._out.append("`")
        elif tag in _MARKS and not self._pre:
            self._out.append(_MARKS[tag])

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if tag == "title":
            self._in_title = False
        if self._skip:
            if tag in self._skip:
                del self._skip[len(self._skip) - 1 - self._skip[::-1].index(tag) :]
            return
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
            self._line() if self._lists else self._block()
        elif tag == "pre" and self._pre:
            self._pre -= 1
            self._line()
            self._out.append("```")
            self._block()
        elif tag == "blockquote":
            self._quotes = max(self._quotes - 1, 0)
            self._block()
        elif tag in {"td", "th", "table"}:
            self._end_table(tag)
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._block()
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in {"code", "kbd", "samp"} and not self._pre:
            self._out.append("`")
        elif tag in _MARKS and not self._pre:
            self._out.append(_MARKS[tag])

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._in_title:
            self.title += data
        elif not self._skip:
            self._out.append(data if self._pre else self._squeezed(data))

    # ------------------------------------------------------------ pieces

    def _squeezed(self, data: str) -> str:
        text = re.sub(r"\s+", " ", data)
        return text.lstrip() if not self._out or self._out[-1].endswith(("\n", " ")) else text

    def _line(self) -> None:
        if self._out and not self._out[-1].endswith("\n"):
            self._out.append("\n")

    def _block(self, begin: str = "") -> None:
        if self._cell is not None:  # inside a table everything stays on one line
            self._out.append(" ")
            return
        self._out.append("\n\n" + "> " * min(self._quotes, DEPTH_MOST) + begin)

    def _item(self) -> None:
        self._line()
        number = self._lists[-1] if self._lists else -1
        if number > 0:
            self._lists[-1] += 1
        indent = "  " * min(max(len(self._lists) - 1, 0), DEPTH_MOST)
        self._out.append(f"{indent}{f'{number}.' if number > 0 else '-'} ")

    def _end_link(self, href: str, start: int) -> None:
        words = "".join(self._out[start:]).strip()
        if not words or not href or href.startswith(("#", "javascript:", "data:")):
            return
        self._out[start:] = [f"[{words}]({urljoin(self._url, href)})"]

    # ------------------------------------------------------------ tables

    def _table(self, tag: str) -> None:
        if tag == "table" and self._rows is None:
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif tag in {"td", "th"} and self._rows and self._cell is None:
            self._cell = len(self._out)

    def _end_table(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None and self._rows:
            words = " ".join("".join(self._out[self._cell :]).split()).replace("|", "\\|")
            del self._out[self._cell :]
            self._rows[-1].append(words)
            self._cell = None
        elif tag == "table" and self._rows is not None and self._cell is None:
            rows = [row for row in self._rows if row]
            self._rows = None
            self._block()
            for number, row in enumerate(rows):
                self._out.append(f"| {' | '.join(row)} |\n")
                if number == 0:
                    self._out.append(f"|{' --- |' * len(row)}\n")
            self._block()


def main() -> None:
    """Turn the page on stdin; the first argument is its address."""
    title, text = to_markdown(sys.stdin.buffer.read().decode("utf-8", "replace"), sys.argv[1])
    sys.stdout.write(json.dumps({"title": title, "text": text}))


if __name__ == "__main__":
    main()
