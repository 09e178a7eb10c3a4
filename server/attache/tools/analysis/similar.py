"""Code that says nearly the same: functions that share most of their shape, names and values aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.schema.errors import InvalidArguments
from attache.schema.tools import ToolOutput
from attache.tools.paging import Offset, paged
from attache.tools.survey import apart, survey, symbols_in
from attache.tools.tool import Context, tool
from attache.tools.wording import cited, counted, lines_of

RUN = 7
"""Tokens that are compared at a time."""
COMMON = 40
"""A run of tokens that stands in more pieces than this tells nothing."""
_TOKEN = re.compile(
    r"(?P<skip>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|/\*[\s\S]*?\*/|(?<![\w:])#.*|//.*)|(?P<text>\"(?:\\.|[^\"\\\n])*\"|"
    r"'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|(?P<number>\d[\w.]*)|(?P<word>[^\W\d]\w*)|(?P<sign>[^\s\w])"
)
_KEYWORDS = frozenset({
    "if", "else", "elif", "for", "while", "return", "try", "except", "catch", "finally", "with", "raise", "throw",
    "def", "class", "function", "func", "fn", "let", "const", "var", "in", "not", "and", "or", "is", "new",
    "await", "async", "yield", "lambda", "switch", "case", "match", "break", "continue", "import", "from", "as",
    "struct", "impl", "mut",
})  # fmt: skip


class Piece(NamedTuple):
    """A function, or the lines that were asked about."""

    path: str
    line: int
    end_line: int
    name: str
    runs: frozenset[int]


class Pair(NamedTuple):
    """Two pieces that are alike, 1 being the same."""

    one: Piece
    other: Piece
    alike: float


@tool(category="search", aliases=("find_duplicates", "duplicates"), pure=True)
async def similar(
    ctx: Context,
    path: Annotated[str, Field(description="File or folder; the workspace by default.")] = "",
    start_line: Annotated[int | None, Field(ge=1, description="With end_line: find code like these lines.")] = None,
    end_line: Annotated[int | None, Field(ge=1, description="Last line, included.")] = None,
    least: Annotated[float, Field(ge=0.3, le=1, description="How alike, 1 being the same.")] = 0.7,
    min_lines: Annotated[int, Field(ge=2, description="Shorter functions are left out.")] = 6,
    offset: Offset = 0,
) -> ToolOutput:
    """Find code that is nearly the same, names and values aside: like some lines, or all pairs of functions."""
    if (start_line is None) != (end_line is None) or (start_line and not path):
        raise InvalidArguments(
            "similar.start_line, similar.end_line and similar.path go together",
            hint='for example {"path": "a.py", "start_line": 3, "end_line": 20}',
        )
    everywhere = await survey(ctx)
    shown = ctx.workspace.shown(ctx.workspace.uri(path)).removeprefix(".") if path else ""
    asked: Piece | None = None
    if start_line and end_line:
        snapshot = await ctx.workspace.read(path)
        rows = lines_of(snapshot.text)[start_line - 1 : end_line]
        asked = Piece(snapshot.path, start_line, end_line, "these lines", runs_of("\n".join(rows)))
        if not asked.runs:
            raise InvalidArguments("similar: these lines say too little to compare", hint="name more lines")
    elif path:
        await survey(ctx, path)  # says what is wrong with it
    pairs = await apart(lambda: list(_pairs(everywhere.texts, asked, shown, least, min_lines)))
    pairs.sort(key=lambda each: (-each.alike, -(each.one.end_line - each.one.line), each.one.path, each.one.line))
    what = f"{asked.path}:{asked.line}-{asked.end_line}" if asked else shown or "workspace"
    rows = [f"{each.alike:.0%} {_said(each.one)} ≈ {_said(each.other)}" for each in pairs]
    if asked:
        rows = [f"{each.alike:.0%} {_said(each.other)}" for each in pairs]
    head = f"{what}: {counted(len(pairs), 'place' if asked else 'pair')} at least {least:.0%} alike"
    return ToolOutput(
        text="\n".join(part for part in (head, paged(rows, offset, limit=60) if rows else "", everywhere.note) if part),
        title=f"{what} · {counted(len(pairs), 'place' if asked else 'pair')} alike",
        places=tuple(cited(each.other.path, each.other.line, each.other.end_line) for each in pairs[:30]),
        data={
            "pairs": [
                {"alike": round(e.alike, 2), "one": _place(e.one), "other": _place(e.other)}
                for e in pairs[offset : offset + 60]
            ]
        },
    )  # fmt: skip


def _said(piece: Piece) -> str:
    return f"{piece.path}:{piece.line}-{piece.end_line} {piece.name}"


def _place(piece: Piece) -> dict[str, object]:
    return {"path": piece.path, "line": piece.line, "end_line": piece.end_line, "name": piece.name}


def runs_of(text: str) -> frozenset[int]:
    """Return the runs of tokens of a text, names, numbers and strings being one each."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "word":
            tokens.append(match[0] if match[0] in _KEYWORDS else "n")
        elif kind != "skip":
            tokens.append({"text": "s", "number": "0"}.get(kind or "", match[0]))
    return frozenset(hash(tuple(tokens[at : at + RUN])) for at in range(len(tokens) - RUN + 1))


def _pieces(texts: Mapping[str, str], min_lines: int) -> Iterator[Piece]:
    for path, text in texts.items():
        rows = lines_of(text)
        for each in symbols_in(path, text):
            if each.kind in {"function", "method"} and each.end_line - each.start_line + 1 >= min_lines:
                runs = runs_of("\n".join(rows[each.start_line - 1 : each.end_line]))
                if runs:
                    yield Piece(path, each.start_line, each.end_line, each.qualified, runs)


def _pairs(texts: Mapping[str, str], asked: Piece | None, under: str, least: float, min_lines: int) -> Iterator[Pair]:
    pieces = list(_pieces(texts, 2 if asked else min_lines))
    where: dict[int, list[int]] = {}
    for number, piece in enumerate(pieces):
        for run in piece.runs:
            where.setdefault(run, []).append(number)
    for number, one in enumerate([asked] if asked else pieces):
        if not asked and under and not (one.path == under or one.path.startswith(f"{under}/")):
            continue
        shared: Counter[int] = Counter()
        for run in one.runs:
            others = where.get(run, [])
            if asked or len(others) <= COMMON:
                shared.update(others)
        for at, _ in shared.most_common(30):
            other = pieces[at]
            overlaps = one.path == other.path and one.line <= other.end_line and other.line <= one.end_line
            within = not under or other.path == under or other.path.startswith(f"{under}/")
            if overlaps or (not asked and at < number and within):
                continue
            common = len(one.runs & other.runs)
            alike = common / len(one.runs) if asked else common / len(one.runs | other.runs)
            if alike >= least:
                yield Pair(one, other, alike)
