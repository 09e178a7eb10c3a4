"""Edits of real text files, told in every format as they are, and with the slips that models make."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from attache.workspace.documents import split_lines

ROOT = Path(__file__).parents[2]
PACKAGES = ("pydantic", "rich", "typer", "openai", "SQLAlchemy", "pygls", "alembic", "click", "pip", "Pygments")
KINDS = {".py", ".pyi", ".md", ".toml", ".txt", ".js", ".css", ".html", ".json", ".scm", ".yml", ".cfg", ".mako"}
FORMS_IN_IT = re.compile(r"^\W*(SEARCH|\.\.\. rest)\b|^={5,9}$", re.MULTILINE)  # what a format takes for its own
CONTEXT = 3
MOST_CONTEXT = 30


@lru_cache
def corpus() -> tuple[tuple[str, ...], ...]:
    """Return the texts of real files: of this repository, and of each of some packages that are installed with it."""
    own = [path for top in ("server", "docs", "grammars", "tests") for path in (ROOT / top).rglob("*")]
    packages = [own]
    for package in PACKAGES:
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError:
            continue
        packages.append([Path(str(file.locate())) for file in files])
    found = (tuple(text for path in sorted(set(paths)) if (text := text_of(path))) for paths in packages)
    return tuple(texts for texts in found if texts)


def text_of(path: Path) -> str:
    """Return the text of a file that is fit for edits, empty otherwise."""
    if path.suffix not in KINDS or not path.is_file() or not 300 < path.stat().st_size < 40_000:
        return ""
    text = path.read_bytes().decode("utf-8", "replace")
    fit = "\r" not in text and "\ufffd" not in text and text.endswith("\n") and text.count("\n") > 12
    return text if fit and not FORMS_IN_IT.search(text) else ""


# ---------------------------------------------------------------- an edit


@dataclass(frozen=True)
class Hunk:
    """Lines without their ends, each with its mark, and where they stand."""

    lines: tuple[tuple[str, str], ...]
    start: int
    new_start: int
    anchor: str = ""

    def side(self, without: str) -> list[str]:
        return [text for mark, text in self.lines if mark != without]

    @property
    def old(self) -> list[str]:
        return self.side("+")

    @property
    def new(self) -> list[str]:
        return self.side("-")


@dataclass(frozen=True)
class Case:
    """What a file holds, what it is to hold, and the hunks that lead from one to the other."""

    path: str
    before: str
    after: str
    hunks: tuple[Hunk, ...]


Slip = Callable[[random.Random, Case], Case | None]


def lines_of(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in split_lines(text)][: -1 if text.endswith(("\n", "\r")) else None]


def a_case(rng: random.Random, *, unique: bool = True) -> Case:
    """Return an edit of several places in a real file, each told with as many lines around it as make it unique."""
    while True:
        before = rng.choice(rng.choice(corpus()))
        after = edited(rng, before)
        hunks = hunks_between(lines_of(before), lines_of(after), unique=unique)
        if hunks:
            folder = rng.choice(["", "src/", "a/", "docs/deep er/", "b/lib/"])
            return Case(f"{folder}file{rng.choice(['.py', '.md', '.txt', '.test.js', '_é.py'])}", before, after, hunks)


def edited(rng: random.Random, text: str) -> str:
    lines = lines_of(text)
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(lines)), rng.choice([0, 0, 1, 1, 1, 2, 3, 5])
        model = rng.randrange(len(lines))
        fresh = lines[model : model + rng.randint(1, 5)] if length == 0 else lines[at : at + length]
        new = [] if length and rng.random() < 0.2 else [changed_line(rng, line) for line in fresh]
        if rng.random() < 0.3:
            new += [
                indent_of(line) + rng.choice(["pass", "return None", "# a word more", "- one more"])
                for line in new[-1:]
            ]
        lines[at : at + length] = new
        if not lines:
            return edited(rng, text)
    after = "".join(f"{line}\n" for line in lines)
    return after if after != text else edited(rng, text)


def changed_line(rng: random.Random, line: str) -> str:
    words = list(re.finditer(r"\w+", line))
    if not words or rng.random() < 0.15:
        return line
    word = rng.choice(words)
    put = rng.choice(["value", "other", "7", "config", "x"])
    return line[: word.start()] + put + line[word.end() :]


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def hunks_between(old: Sequence[str], new: Sequence[str], *, unique: bool) -> tuple[Hunk, ...]:
    """Return the hunks of an edit; none where one cannot be made unique."""
    for context in range(CONTEXT, MOST_CONTEXT, 3):
        groups = list(SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context))
        hunks = tuple(hunk_of(group, old, new) for group in groups)
        if not unique or all(times(old, hunk.old) == 1 for hunk in hunks):
            return hunks
    return ()


def hunk_of(group, old, new) -> Hunk:
    lines: list[tuple[str, str]] = []
    for tag, start, end, new_start, new_end in group:
        if tag == "equal":
            lines += [(" ", line) for line in old[start:end]]
        else:
            lines += [("-", line) for line in old[start:end]]
            lines += [("+", line) for line in new[new_start:new_end]]
    above = [line for line in old[: group[0][1]] if re.match(r"\s*(async|def|class|function|#+) ", line)]
    return Hunk(tuple(lines), group[0][1], group[0][3], above[-1] if above else "")


def times(lines: Sequence[str], block: Sequence[str]) -> int:
    width = len(block)
    return sum(lines[at : at + width] == block for at in range(len(lines) - width + 1)) if width else len(lines)


# ---------------------------------------------------------------- slips in what is quoted


def each_hunk(change: Callable[[random.Random, Hunk], Hunk | None]) -> Slip:
    def slip(rng: random.Random, case: Case) -> Case | None:
        hunks = [change(rng, hunk) for hunk in case.hunks]
        return replace(case, hunks=tuple(hunks)) if all(hunks) else None

    return slip


def each_line(change: Callable[[random.Random, str, str], str]) -> Slip:
    def slip(rng: random.Random, hunk: Hunk) -> Hunk:
        return replace(hunk, lines=tuple((mark, change(rng, mark, text)) for mark, text in hunk.lines))

    return each_hunk(slip)


def blanks_added(rng: random.Random, mark: str, text: str) -> str:
    return text + rng.choice(["", " ", "  ", "\t"]) if mark != "+" else text


def blanks_lost(rng: random.Random, case: Case) -> Case | None:
    """Blanks stand in the file behind lines that are quoted without them."""
    quoted = {text for hunk in case.hunks for mark, text in hunk.lines if mark != "+"}
    fresh = {text for hunk in case.hunks for mark, text in hunk.lines if mark == "+"}
    padded = {text: text + rng.choice([" ", "  ", "\t"]) for text in sorted(quoted - fresh) if rng.random() < 0.5}

    def worn(text: str) -> str:
        return "".join(f"{padded.get(line, line)}\n" for line in lines_of(text))

    return replace(case, before=worn(case.before), after=worn(case.after)) if padded else None


def blank_before(_rng: random.Random, hunk: Hunk) -> Hunk:
    return replace(hunk, lines=((" ", ""), *hunk.lines))


def blank_behind(_rng: random.Random, hunk: Hunk) -> Hunk:
    return replace(hunk, lines=(*hunk.lines, (" ", "")))


def blank_searched(_rng: random.Random, case: Case) -> Case | None:
    """A blank line that is searched, but not put back; where it is there, it would have to go."""
    above = [lines_of(case.before)[hunk.start - 1] if hunk.start else "" for hunk in case.hunks]
    hunks = tuple(replace(hunk, lines=(("-", ""), *hunk.lines)) for hunk in case.hunks)
    told = all(hunk.lines[0][1].strip() for hunk in case.hunks)
    return replace(case, hunks=hunks) if told and all(line.strip() for line in above) else None


def indented(rng: random.Random, hunk: Hunk) -> Hunk | None:
    more = rng.choice(["    ", "  ", "\t", " "])
    return replace(hunk, lines=tuple((mark, more + text if text.strip() else text) for mark, text in hunk.lines))


def dedented(_rng: random.Random, hunk: Hunk) -> Hunk | None:
    margins = [indent_of(text) for _, text in hunk.lines if text.strip()]
    margin = min(margins, key=len, default="")
    if not margin or not all(each.startswith(margin) for each in margins):
        return None
    lines = tuple((mark, text.removeprefix(margin) if text.strip() else text) for mark, text in hunk.lines)
    return replace(hunk, lines=lines)


def word_drifted(rng: random.Random, hunk: Hunk) -> Hunk | None:
    stays = [at for at, (mark, text) in enumerate(hunk.lines) if mark == " " and re.search(r"\w", text)]
    if len(stays) < 3:
        return None
    at = rng.choice(stays)
    text = hunk.lines[at][1]
    word = rng.choice(list(re.finditer(r"\w+", text)))
    drifted = (" ", text[: word.start()] + "drifted" + text[word.end() :])
    return replace(hunk, lines=(*hunk.lines[:at], drifted, *hunk.lines[at + 1 :]))


def line_left_out(rng: random.Random, hunk: Hunk) -> Hunk | None:
    """A line that stays, and does not stand beside a change, is not quoted."""
    marks = "".join(mark for mark, _ in hunk.lines)
    away = [at for at in range(1, len(marks) - 1) if marks[at - 1 : at + 2] == "   "]
    if not away or marks.count(" ") < 4:
        return None
    at = rng.choice(away)
    return replace(hunk, lines=(*hunk.lines[:at], *hunk.lines[at + 1 :]))


def file_moved_on(rng: random.Random, case: Case) -> Case | None:
    """The file got a line more near a hunk since it was read."""
    before, after = lines_of(case.before), lines_of(case.after)
    hunk = rng.choice(case.hunks)
    lead = next((at for at, (mark, _) in enumerate(hunk.lines) if mark != " "), 0)
    if lead < 2:
        return None
    at = rng.randrange(1, lead)
    before.insert(hunk.start + at, "a line that somebody put in meanwhile")
    after.insert(hunk.new_start + at, "a line that somebody put in meanwhile")
    return replace(case, before="".join(f"{line}\n" for line in before), after="".join(f"{line}\n" for line in after))


def blank_left_out(rng: random.Random, hunk: Hunk) -> Hunk | None:
    """A blank line that stays, and does not stand beside a change, is not quoted."""
    marks = "".join(mark for mark, _ in hunk.lines)
    away = [at for at in range(1, len(marks) - 1) if marks[at - 1 : at + 2] == "   " and not hunk.lines[at][1].strip()]
    if not away:
        return hunk
    at = rng.choice(away)
    return replace(hunk, lines=(*hunk.lines[:at], *hunk.lines[at + 1 :]))


def some_blank_left_out(rng: random.Random, case: Case) -> Case | None:
    hunks = tuple(blank_left_out(rng, hunk) or hunk for hunk in case.hunks)
    return replace(case, hunks=hunks) if hunks != case.hunks else None


def texts_by_line(case: Case, change: Callable[[str], str]) -> Case:
    """Return the case with each line of the file another, before and afterwards; what is quoted stays."""
    before, after = ("".join(f"{change(line)}\n" for line in lines_of(text)) for text in (case.before, case.after))
    return replace(case, before=before, after=after)


def typographic(line: str) -> str:
    line = re.sub(r'"([^"]*)"', "“\\1”", line)
    return re.sub(r"(?<=\w)'(?=\w)", "’", line).replace(" - ", " – ")


def typed(line: str) -> set[str]:
    """Return the letters of a line for which there are typographic ones."""
    return {mine for mine, its in zip(line, typographic(line), strict=True) if mine != its}


def quotes_straightened(_rng: random.Random, case: Case) -> Case | None:
    """The file has typographic quotes and dashes, which are typed as a keyboard has them."""
    changed = texts_by_line(case, typographic)
    sides = [
        [{letter for line in side for letter in typed(line)} for side in (hunk.old, hunk.new)] for hunk in case.hunks
    ]
    told = any(old for old, _ in sides) and all(new <= old for old, new in sides)  # else nothing quoted tells of it
    return changed if told else None


def quotes_curled(_rng: random.Random, case: Case) -> Case | None:
    """Lines that stay or go are quoted with typographic quotes, which the file does not have."""
    old = tuple(
        replace(hunk, lines=tuple((mark, text if mark == "+" else typographic(text)) for mark, text in hunk.lines))
        for hunk in case.hunks
    )
    return replace(case, hunks=old) if old != case.hunks else None


def blanks_hard(rng: random.Random, case: Case) -> Case | None:
    """The file has a no-break space somewhere, which is quoted as a plain one."""
    words = [line for hunk in case.hunks for mark, line in hunk.lines if mark == " " and re.search(r"\w \w", line)]
    fresh = {line for hunk in case.hunks for mark, line in hunk.lines if mark == "+"}
    if not (words := [line for line in words if line not in fresh]):
        return None
    one = rng.choice(words)
    return texts_by_line(case, lambda line: re.sub(r"(?<=\w) (?=\w)", "\u00a0", line, count=1) if line == one else line)


def retabbed(line: str) -> str:
    margin = indent_of(line)
    return "\t" * (len(margin) // 4) + line.removeprefix(margin)


def halved(line: str) -> str:
    margin = indent_of(line)
    return " " * (len(margin) // 2) + line.removeprefix(margin)


def indents(case: Case) -> set[int]:
    lines = (*lines_of(case.before), *lines_of(case.after))
    return {len(indent_of(line)) if "\t" not in indent_of(line) else -1 for line in lines}


def tabs_in_file(_rng: random.Random, case: Case) -> Case | None:
    """The file is indented with tabs, and quoted with four blanks for each."""
    fits = all(depth >= 0 and depth % 4 == 0 for depth in indents(case))
    return texts_by_line(case, retabbed) if fits and deep(case) else None


def tabs_quoted(_rng: random.Random, case: Case) -> Case | None:
    """The file is indented with four blanks, and quoted with a tab for each."""
    if not all(depth >= 0 and depth % 4 == 0 for depth in indents(case)) or not deep(case):
        return None
    return replace(
        case,
        hunks=tuple(
            replace(hunk, lines=tuple((mark, retabbed(text)) for mark, text in hunk.lines)) for hunk in case.hunks
        ),
    )


def steps_halved(_rng: random.Random, case: Case) -> Case | None:
    """The file is indented in steps of two, and quoted in steps of four."""
    fits = all(depth >= 0 and depth % 4 == 0 for depth in indents(case))
    return texts_by_line(case, halved) if fits and deep(case) else None


def deep(case: Case) -> bool:
    """Return whether each hunk quotes an indented line, by which it can be told how the file is indented."""
    return all(any(indent_of(text) for text in hunk.old if text.strip()) for hunk in case.hunks)


def out_of_order(rng: random.Random, case: Case) -> Case | None:
    """The hunks do not come as they follow one another in the file."""
    if len(case.hunks) < 2:
        return None
    return replace(case, hunks=tuple(reversed(case.hunks)) if rng.random() < 0.5 else (*case.hunks[1:], case.hunks[0]))


def sharing_context(_rng: random.Random, case: Case) -> Case | None:
    """One hunk becomes two, which share the lines between their changes."""
    hunks: list[Hunk] = []
    for hunk in case.hunks:
        marks = "".join(mark for mark, _ in hunk.lines)
        runs = [match.span() for match in re.finditer("[-+]+", marks)]
        if len(runs) < 2:
            hunks.append(hunk)
            continue
        end, begin = runs[1][0], runs[0][1]
        old, new = (sum(mark != other for mark, _ in hunk.lines[:begin]) for other in "+-")
        hunks += [
            replace(hunk, lines=hunk.lines[:end]),
            replace(hunk, lines=hunk.lines[begin:], start=hunk.start + old, new_start=hunk.new_start + new),
        ]
    unique = all(times(lines_of(case.before), hunk.old) == 1 for hunk in hunks)
    return replace(case, hunks=tuple(hunks)) if len(hunks) > len(case.hunks) and unique else None


def as_is(_rng: random.Random, case: Case) -> Case:
    return case


QUOTING: dict[str, Slip] = {
    "blanks added": each_line(blanks_added),
    "blanks lost": blanks_lost,
    "blank line before": each_hunk(blank_before),
    "blank line searched": blank_searched,
    "blank line behind": each_hunk(blank_behind),
    "indented": each_hunk(indented),
    "dedented": each_hunk(dedented),
    "a word drifted": each_hunk(word_drifted),
    "a line left out": each_hunk(line_left_out),
    "file moved on": file_moved_on,
    "a blank line left out": some_blank_left_out,
    "quotes straightened": quotes_straightened,
    "quotes curled": quotes_curled,
    "a hard blank in the file": blanks_hard,
    "tabs in the file": tabs_in_file,
    "tabs quoted": tabs_quoted,
    "steps halved in the file": steps_halved,
    "out of order": out_of_order,
    "sharing context": sharing_context,
}


# ---------------------------------------------------------------- files of other kinds


def with_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def crlf_file(_rng: random.Random, case: Case) -> Case:
    return replace(case, before=with_crlf(case.before), after=with_crlf(case.after))


def open_ended(_rng: random.Random, case: Case) -> Case | None:
    """The file has no last line end, before and afterwards."""
    before, after = case.before[:-1], case.after[:-1]
    return None if before.endswith("\n") or after.endswith("\n") else replace(case, before=before, after=after)


def open_ended_elsewhere(rng: random.Random, case: Case) -> Case | None:
    """The file has no last line end, and no hunk reaches there."""
    reach = max(hunk.start + len(hunk.old) for hunk in case.hunks)
    return open_ended(rng, case) if reach < len(lines_of(case.before)) else None


def marked_file(_rng: random.Random, case: Case) -> Case:
    """The file begins with a byte-order mark."""
    return replace(case, before="\ufeff" + case.before, after="\ufeff" + case.after)


def without_last_end(text: str) -> str:
    return text.removesuffix("\n")


# ---------------------------------------------------------------- telling


@dataclass(frozen=True)
class Manner:
    """How a format is written down; all that is left as it is gives the exact form."""

    fenced: str = ""
    decorated: str = "{}"
    markers: int = 7
    numbers: str = "right"
    counts: str = "right"
    git: bool = True
    prefixes: bool = True
    bare_blanks: bool = False
    timestamps: bool = False
    anchored: bool = False
    padded: bool = False
    unmarked: bool = False
    prose: bool = False


def around(text: str, manner: Manner, info: str) -> str:
    """Return an instruction as it stands in an answer: between fences, or between sentences."""
    if manner.fenced:
        fence = "`" * max(3, 1 + max(map(len, re.findall("^`+", text, re.MULTILINE)), default=0))
        text = f"{fence}{info}\n{text}{fence}\n"
    return f"Here is the change - it does what you asked:\n\n{text}\nThat is all.\n" if manner.prose else text


def quoted_line(mark: str, text: str, manner: Manner) -> str:
    if mark == " " and (manner.unmarked or (manner.bare_blanks and not text)):
        return text
    return mark + text


def search_replace(rng: random.Random, case: Case, manner: Manner) -> str:
    name = manner.decorated.format(case.path)
    first, second = {"": ("", ""), "outside": ("", "```python\n"), "inside": ("```\n", "")}[manner.fenced]
    end = "```\n" if manner.fenced else ""

    def block(hunk: Hunk) -> str:
        old, new = ("".join(f"{line}\n" for line in side) for side in (hunk.old, hunk.new))
        opens, divides, closes = (sign * manner.markers for sign in "<=>")
        return f"{first}{name}\n{second}{opens} SEARCH\n{old}{divides}\n{new}{closes} REPLACE\n{end}"

    return "\n".join(block(hunk) for hunk in case.hunks)


def pair(rng: random.Random, case: Case, manner: Manner) -> str:
    (hunk,) = case.hunks
    sides = {"search": "".join(f"{line}\n" for line in hunk.old), "replace": "".join(f"{line}\n" for line in hunk.new)}
    return json.dumps({"path": case.path, **sides})


def whole(rng: random.Random, case: Case, manner: Manner) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", case.after)), default=0))
    text = case.after.replace("\r\n", "\n")
    text += "" if text.endswith("\n") else "\n"
    return f"{manner.decorated.format(case.path)}\n{fence}\n{text}{fence}\n"


def apply_patch(rng: random.Random, case: Case, manner: Manner) -> str:
    pad = " " if manner.padded else ""
    out = [f"{pad}*** Begin Patch", f"{pad}*** Update File: {case.path}{pad}"]
    for hunk in case.hunks:
        out.append(f"@@ {hunk.anchor}".rstrip() if manner.anchored else "@@")
        out += [quoted_line(mark, text, manner) for mark, text in hunk.lines]
    return around("\n".join((*out, f"*** End Patch{pad}", "")), manner, "")


def unified_diff(rng: random.Random, case: Case, manner: Manner) -> str:
    old, new = (f"a/{case.path}", f"b/{case.path}") if manner.prefixes else (case.path, case.path)
    stamp = "\t2024-01-31 10:00:00.000000000 +0100" if manner.timestamps else ""
    out = [f"diff --git {old} {new}", "index 1234567..89abcde 100644"] if manner.git else []
    out += [f"--- {old}{stamp}", f"+++ {new}{stamp}"]
    for hunk in case.hunks:
        out.append(header(rng, hunk, manner))
        out += [quoted_line(mark, text, manner) for mark, text in hunk.lines]
    return around("\n".join((*out, "")), manner, "diff")


def header(rng: random.Random, hunk: Hunk, manner: Manner) -> str:
    if manner.numbers in {"@@", "@@ ... @@", "@@ @@"}:
        return manner.numbers
    off = rng.choice([-1, 1]) * rng.randint(1, 40) if manner.numbers == "wrong" else 0
    more = [rng.randint(-2, 3) if manner.counts == "wrong" else 0 for _ in range(2)]
    old, new = max(len(hunk.old) + more[0], 0), max(len(hunk.new) + more[1], 0)
    start, new_start = max(hunk.start + bool(hunk.old) + off, 0), max(hunk.new_start + bool(hunk.new) + off, 0)
    return f"@@ -{start},{old} +{new_start},{new} @@ {hunk.anchor.strip()}".rstrip()


TELL: dict[str, Callable[[random.Random, Case, Manner], str]] = {
    "search_replace": search_replace,
    "apply_patch": apply_patch,
    "unified_diff": unified_diff,
    "whole": whole,
    "pair": pair,
}

FORMS: dict[str, dict[str, Manner]] = {
    "search_replace": {
        "fenced": Manner(fenced="outside"),
        "fenced, name inside": Manner(fenced="inside"),
        "five signs": Manner(markers=5),
        "nine signs": Manner(markers=9),
        "name in backticks": Manner(decorated="`{}`"),
        "name in bold": Manner(decorated="**{}**"),
        "name labelled": Manner(decorated="path: {}"),
        "name as heading": Manner(decorated="### `{}`:", fenced="outside"),
    },
    "apply_patch": {
        "anchored": Manner(anchored=True),
        "padded markers": Manner(padded=True),
        "between fences": Manner(fenced="outside"),
        "between sentences": Manner(prose=True),
    },
    "unified_diff": {
        "plain": Manner(git=False, timestamps=True),
        "no prefixes": Manner(prefixes=False),
        "between fences": Manner(fenced="outside"),
        "between sentences": Manner(prose=True, fenced="outside"),
    },
    "whole": {"name in backticks": Manner(decorated="`{}`"), "name as heading": Manner(decorated="## `{}`")},
    "pair": {},
}
"""Ways to write a format down that are all right."""

MANNERS: dict[str, dict[str, Manner]] = {
    "search_replace": {},
    "apply_patch": {"bare blank lines": Manner(bare_blanks=True), "lines that stay unmarked": Manner(unmarked=True)},
    "unified_diff": {
        "wrong numbers": Manner(numbers="wrong"),
        "wrong counts": Manner(counts="wrong"),
        "wrong numbers and counts": Manner(numbers="wrong", counts="wrong", git=False),
        "no numbers": Manner(numbers="@@"),
        "dots for numbers": Manner(numbers="@@ ... @@"),
        "empty header": Manner(numbers="@@ @@", git=False),
        "bare blank lines": Manner(bare_blanks=True, counts="wrong"),
        "lines that stay unmarked": Manner(unmarked=True, numbers="@@"),
    },
    "whole": {},
    "pair": {},
}
"""Ways that are not."""


# ---------------------------------------------------------------- what is tried


UNTOLD = {"quotes straightened"}
"""Slips after which nobody can say how new lines are meant: such edits may be refused, as often as it takes."""


@dataclass(frozen=True)
class Trial:
    """One thing to try in one format; `exact` where nothing is wrong with the instruction."""

    name: str
    exact: bool = False
    slip: Slip = as_is
    manner: Manner = Manner()
    travel: Callable[[str], str] = str


def trials(name: str) -> list[Trial]:
    """Return all that is tried in a format."""
    several = [Trial("exact", exact=True)]
    several += [Trial(form, exact=True, manner=manner) for form, manner in FORMS[name].items()]
    several += [Trial("file with a mark", exact=True, slip=marked_file)]
    several += [Trial("CRLF in both", exact=True, slip=crlf_file, travel=with_crlf)] if name != "pair" else []
    several += [Trial(form, manner=manner) for form, manner in MANNERS[name].items()]
    alone = {"out of order", "sharing context"} if name == "pair" else set[str]()  # these take several hunks
    several += [Trial(slip, slip=QUOTING[slip]) for slip in QUOTING if slip not in alone] if name != "whole" else []
    several += [Trial("CRLF in the instruction", travel=with_crlf)] if name != "pair" else []
    several += [Trial("CRLF in the file", slip=crlf_file), Trial("no last line end", travel=without_last_end)]
    ends = open_ended_elsewhere if name == "apply_patch" else open_ended
    return [*several, Trial("no last line end in the file", slip=ends)]


def told(name: str, trial: Trial, seed: str) -> tuple[Case, str] | None:
    """Return an edit and the instruction for it; None where it does not fit the trial."""
    rng = random.Random(f"{name}/{trial.name}/{seed}")
    case = a_case(rng, unique=name != "unified_diff" or "number" in trial.name or trial.name in QUOTING)
    if name == "pair" and not is_pair(case):
        return None
    slipped = trial.slip(rng, case)
    if slipped is None or (trial.name in QUOTING and not all(alone(slipped, hunk) for hunk in slipped.hunks)):
        return None
    return slipped, trial.travel(TELL[name](rng, slipped, trial.manner))


def alone(case: Case, hunk: Hunk) -> bool:
    """Return whether what is quoted, slips included, is not just what stands somewhere else."""
    lines, width = lines_of(case.before), len(hunk.old)
    places = (at for at in range(len(lines) - width + 1) if lines[at : at + width] == hunk.old)
    return all(abs(at - hunk.start) < width for at in places)


def is_pair(case: Case) -> bool:
    return len(case.hunks) == 1 and case.before.count("".join(f"{line}\n" for line in case.hunks[0].old)) == 1


def joined(name: str, instructions: Sequence[str]) -> str:
    """Return several instructions as one."""
    text = "\n".join(instructions)
    return text.replace("*** End Patch\n\n*** Begin Patch\n", "") if name == "apply_patch" else text
