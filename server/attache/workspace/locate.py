"""Where a search text stands in a file when a model wrote it from memory: exactly, with small slips, or refused.

The slips that are forgiven, one after the other: trailing blanks, a blank line put before or behind, and an indentation
that is off by the same amount in every line. Each counts only where it leads to one place, so no edit is ever a guess.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from attache.schema.documents import Newline
from attache.schema.edits import TextEdit
from attache.schema.errors import EditRefused
from attache.workspace.documents import split_lines
from attache.workspace.edits import line_starts

SHOWN_PLACES = 3
SHOWN_LINES = 8  # of each place
SIMILAR_PERCENT = 55  # a line less like what was searched is not worth showing
BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Lines without their ends; `whole` where the last one is ended too."""

    lines: tuple[str, ...]
    whole: bool

    @classmethod
    def of(cls, text: str) -> Block:
        """Return the lines of a text."""
        *lines, last = (line.rstrip("\r\n") for line in split_lines(text))
        return cls((*lines, last), whole=False) if last or not lines else cls(tuple(lines), whole=True)

    def trimmed(self, head: int, tail: int) -> Block:
        """Return the block without its first `head` and its last `tail` lines, as far as these are blank."""
        first, last = 0, len(self.lines)
        while first < min(head, last) and not self.lines[first].strip(BLANKS):
            first += 1
        while last > max(first, len(self.lines) - tail) and not self.lines[last - 1].strip(BLANKS):
            last -= 1
        return Block(self.lines[first:last], whole=self.whole or last < len(self.lines))


@dataclass(frozen=True, slots=True)
class Match:
    """Lines [first, last) of the text, which have `indent` more in front than the search text, or `dedent` less."""

    first: int
    last: int
    indent: str = ""
    dedent: str = ""


def locate(text: str, search: str, replace: str, path: str = "") -> TextEdit:
    """Return the edit that puts `replace` where `search` stands in `text`; errors name `path`.

    The arguments' line ends may be any; what is put in takes those of the text. Raises EditRefused where the search
    text stands nowhere or more than once; its hint shows the nearest places, `path:line` and the lines.
    """
    if not search.strip(BLANKS):
        raise EditRefused(f"{path}: the text to search for is empty", hint="quote the lines that are to be replaced")
    lines = split_lines(text)
    starts = line_starts(lines)
    for exact in dict.fromkeys((search, with_newline(search, main_newline(text)))):
        found = list(_occurrences(text, exact))
        if len(found) > 1:
            raise ambiguous(path, lines, [bisect_right(starts, at, 0, len(lines)) - 1 for at in found], exact)
        if found:
            newline = main_newline(exact if "\n" in exact or "\r" in exact else text)
            return TextEdit(start=found[0], end=found[0] + len(exact), text=with_newline(replace, newline))
    bare = [line.rstrip(BLANKS) for line in lines]
    for wanted, given, matches in _loosened(bare, Block.of(search), Block.of(replace)):
        if len(matches) > 1:
            raise ambiguous(path, lines, [match.first for match in matches], search)
        if matches:
            return _edit(path, lines, matches[0], wanted, given)
    raise missing(path, lines, search, replace)


def main_newline(text: str) -> Newline:
    r"""Return the line end that most lines of a text have, \n where it has none."""
    crlf = text.count("\r\n")
    lf, cr = text.count("\n") - crlf, text.count("\r") - crlf
    if crlf > max(lf, cr):
        return "\r\n"
    return "\r" if cr > lf else "\n"


def with_newline(text: str, newline: Newline) -> str:
    """Return the text with that end on all its lines."""
    return re.sub(r"\r\n|\r|\n", newline, text)


# ---------------------------------------------------------------- finding


def _occurrences(text: str, exact: str) -> Iterator[int]:
    at = text.find(exact)
    while at >= 0:
        yield at
        at = text.find(exact, at + 1)


def _loosened(bare: Sequence[str], search: Block, replace: Block) -> Iterator[tuple[Block, Block, list[Match]]]:
    """Yield what is searched, what is put in, and where that stands, forgiving one more slip each time."""
    told = [number for number, line in enumerate(search.lines) if line.strip(BLANKS)]
    head, tail = told[0], len(search.lines) - 1 - told[-1]
    inner, filling = search.trimmed(head, tail), replace.trimmed(head, tail)
    yield search, replace, list(same(bare, search))
    yield inner, filling, list(same(bare, inner))
    yield search, replace, list(shifted(bare, search))
    yield inner, filling, list(shifted(bare, inner))


def _windows(bare: Sequence[str], wanted: Sequence[str], first: Iterable[int]) -> Iterator[tuple[int, Sequence[str]]]:
    for at in first:
        if at + len(wanted) <= len(bare):
            yield at, bare[at : at + len(wanted)]


def same(bare: Sequence[str], block: Block) -> Iterator[Match]:
    """Yield where the lines stand, trailing blanks aside."""
    wanted = [line.rstrip(BLANKS) for line in block.lines]
    for at, window in _windows(bare, wanted, (at for at, line in enumerate(bare) if line == wanted[0])):
        if window == wanted:
            yield Match(at, at + len(wanted))


def shifted(bare: Sequence[str], block: Block) -> Iterator[Match]:
    """Yield where the lines stand with all of their indentations off by the same blanks."""
    wanted = [line.rstrip(BLANKS) for line in block.lines]
    probe = next(number for number, line in enumerate(wanted) if line)
    core = wanted[probe].lstrip(BLANKS)
    likely = (at - probe for at, line in enumerate(bare) if at >= probe and line.lstrip(BLANKS) == core)
    for at, window in _windows(bare, wanted, likely):
        here, there = window[probe], wanted[probe]
        more, less = here[: max(len(here) - len(there), 0)], there[: max(len(there) - len(here), 0)]
        pairs = zip(window, wanted, strict=True)
        if all((bool(have) == bool(want)) and (not have or less + have == more + want) for have, want in pairs):
            yield Match(at, at + len(wanted), indent=more, dedent=less)


# ---------------------------------------------------------------- putting in


def _edit(path: str, lines: Sequence[str], match: Match, wanted: Block, given: Block) -> TextEdit:
    starts = line_starts(lines)
    last = lines[match.last - 1]
    ended = last.endswith(("\n", "\r"))
    newline = main_newline("".join(lines[match.first : match.last]) if ended else "".join(lines))
    end = starts[match.last] if wanted.whole else starts[match.last - 1] + len(last.rstrip("\r\n"))
    text = newline.join(_indented(path, given.lines, match))
    if ended and given.lines and (given.whole or (wanted.whole and text)):
        text += newline
    return TextEdit(start=starts[match.first], end=end, text=text)


def _indented(path: str, given: Iterable[str], match: Match) -> Iterator[str]:
    """Yield the lines to put in, moved as the found ones are."""
    for line in given:
        if not line.strip(BLANKS):
            yield line
        elif line.startswith(match.dedent):
            yield match.indent + line.removeprefix(match.dedent)
        else:
            raise EditRefused(
                f"{path}:{match.first + 1}: the text stands there with less indentation, which the replacement lacks",
                hint="quote the lines with the indentation they have in the file",
            )


# ---------------------------------------------------------------- refusing


def ambiguous(path: str, lines: Sequence[str], firsts: Sequence[int], search: str) -> EditRefused:
    """Return the refusal of a search text that stands at several places, lines from 0; its hint shows them."""
    length = len(Block.of(search).lines)
    shown = "\n".join(_place(path, lines, first, length) for first in firsts[:SHOWN_PLACES])
    where = ", ".join(str(first + 1) for first in firsts)
    return EditRefused(
        f"{path}: the text to replace stands {len(firsts)} times, at lines {where}",
        hint=f"quote more of the lines around the one you mean:\n{shown}",
    )


def missing(path: str, lines: Sequence[str], search: str, replace: str) -> EditRefused:
    """Return the refusal of a search text that stands nowhere; its hint shows what is nearest to it."""
    block = Block.of(search)
    given = [line.rstrip(BLANKS) for line in Block.of(replace).lines]
    bare = [line.rstrip(BLANKS) for line in lines]
    done = next((at for at, window in _windows(bare, given, range(len(bare))) if window == given), None)
    if any(given) and done is not None:
        told = f"the replacement stands there already:\n{_place(path, lines, done, len(given))}"
    elif near := list(_nearest(bare, block)):
        told = "quote it as it stands; nearest are:\n" + "\n".join(
            _place(path, lines, first, len(block.lines)) for first in near
        )
    else:
        told = "nothing in the file is like it: read the file again"
    return EditRefused(f"{path}: the text to replace is not there", hint=told)


def _nearest(bare: Sequence[str], block: Block) -> Iterator[int]:
    """Yield where lines begin that are most like the searched ones, judged by the longest of these."""
    from rapidfuzz import fuzz, process

    longest = max(range(len(block.lines)), key=lambda number: len(block.lines[number].strip(BLANKS)))
    sample = block.lines[longest].strip(BLANKS)
    stripped = [line.strip(BLANKS) for line in bare]
    likely = process.extract(
        sample, stripped, scorer=fuzz.ratio, limit=SHOWN_PLACES, score_cutoff=SIMILAR_PERCENT
    )  # fmt: skip
    for _, _, at in likely:
        yield max(at - longest, 0)


def _place(path: str, lines: Sequence[str], first: int, length: int) -> str:
    shown = "".join(lines[first : first + min(length, SHOWN_LINES)]).rstrip("\r\n")
    return f"{path}:{first + 1}\n{shown}"
