"""Explain a file or a folder, and summarise a whole repository: what stands in it, from the lists of the tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from attache.providers.offline.evidence import Passage, code
from attache.providers.offline.plans import Asked, Call, Done, Step, symbols_first

FILE_LINES = 40
OUTLINE_SHOWN = 30
ENTRIES_SHOWN = 40
HOT_SHOWN = 5
ENTRIES = "**/{__main__,main,cli,app,server,index,manage,wsgi,asgi}.{py,ts,js,go,rs}"
DEFINITIONS = r"^\s*(?:async |export |pub |public )*(?:def|class|func|fn|function|interface|struct|impl)\b"
_TALLY = re.compile(r"By file: (.*?)(?: …)?\]")
_COUNTED = re.compile(r"/ \(([\d,]+) files?\)$")
_MORE = "[…"
TARGETS = r"^[A-Za-z][\w-]*:(?!=)"
TARGETS_SHOWN = 8
_IMAGE = re.compile(r"\[?!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])(?:\]\([^)]*\))?|<[^>]+>")
_PLAIN = re.compile(r"(?:\*\*|__|(?<!\w)[*_]|[*_](?!\w)|`)|\[([^\]]*)\]\([^)]*\)")
_HOW_ASKED = re.compile(r"^(?:\w+ ){0,3}how (?:do|does|should|can|to)\b|\bgetting started\b|^get started")
SENTENCE = 3
"""Words of a line, below which it says nothing of what the thing is for."""
READMES = ("README.md", "README.rst", "README.txt", "README")
HOW: dict[str, tuple[str, str]] = {
    "pyproject.toml": ("`pip install -e .`", "`python -m pytest`"),
    "setup.py": ("`pip install -e .`", "`python -m pytest`"),
    "package.json": ("`npm install && npm start`", "`npm test`"),
    "go.mod": ("`go run .`", "`go test ./...`"),
    "Cargo.toml": ("`cargo run`", "`cargo test`"),
}
"""What a project file says of how to run and to test; customs, not certainties."""


def look_at(asked: Asked) -> Step:
    """Explain a file: how it begins and what it defines; or a folder."""
    place = asked.intent.places[0]
    if not asked.results("read"):
        start = max(1, place.line - FILE_LINES // 2) if place.line else 1
        reading = {"path": place.path, "start_line": start, "end_line": start + FILE_LINES}
        return [Call("read", reading)]
    if step := symbols_first(asked, place.path, {"path": place.path, "limit": 200}):
        return step
    _, read = asked.results("read")[0]
    if read.is_error:
        return _folder(asked, place.path, read.text)
    lines = asked.lines("read", place.path)
    symbols = [each for each in asked.passages("symbols") if each.label]
    if place.line is None:
        parts = [f"{place.path} begins:", code(lines)]
        parts += [f"It defines:\n\n{_outline(symbols)}"] if symbols else []
    else:
        around = [each for each in symbols if each.line <= place.line <= (each.end_line or each.line)]
        inside = f", in `{around[-1].name}` ({around[-1].path}:{around[-1].line})" if around else ""
        near = [line for line in lines if abs(line.line - place.line) <= FILE_LINES // 4]
        parts = [f"Around {place.path}:{place.line}{inside}:", code(near, len(near))]
    return Done("\n\n".join(part for part in parts if part))


def _outline(symbols: Sequence[Passage]) -> str:
    telling = [each for each in symbols if each.role not in {"variable", "field", "constant"}] or list(symbols)
    unique = list({each.name: each for each in telling}.values())
    rows = [f"- {each.path}:{each.line} — {each.label}" for each in unique[:OUTLINE_SHOWN]]
    more = len(unique) - len(rows)
    return "\n".join([*rows, *([f"- … and {more} more"] if more > 0 else [])])


def _folder(asked: Asked, path: str, why: str) -> Step:
    if not asked.results("list"):
        return [Call("list", {"path": path, "depth": 2})]
    _, listed = asked.results("list")[0]
    if listed.is_error:
        return Done(why)
    rows = listed.text.splitlines()
    symbols = [each for each in asked.passages("symbols") if each.label and "." not in each.name]
    parts = [f"{path.rstrip('/')}/ is a folder:", f"```\n{_cut(rows)}\n```"]
    parts += [f"At its top level it defines:\n\n{_outline(symbols)}"] if symbols else []
    return Done("\n\n".join(parts))


def _cut(rows: Sequence[str]) -> str:
    return "\n".join(rows[:ENTRIES_SHOWN]) + ("\n…" if len(rows) > ENTRIES_SHOWN else "")


def files(asked: Asked) -> Step:
    """List the files, and say how many there are."""
    path = asked.intent.places[0].path if asked.intent.places else ""
    if not asked.results("list"):
        return [Call("list", {"path": path, "depth": 1})]
    _, listed = asked.results("list")[0]
    if listed.is_error:
        return Done(listed.text)
    rows = listed.text.splitlines()
    total = sum(int(match[1].replace(",", "")) if (match := _COUNTED.search(row)) else 1 for row in rows[1:] if row)
    least = "At least " * any(row.startswith(_MORE) for row in rows)
    return Done(f"{least}{total:,} file{'s' * (total != 1)}:\n\n```\n{_cut(rows)}\n```")


def summarise(asked: Asked) -> Step:
    """Summarise the workspace: what it says of itself, its folders, where it begins, how to run and to test it."""
    if not asked.results("list"):
        named = [Call("find", {"name": ENTRIES}), Call("symbols", {"name": "main"})]
        return [
            Call("list", {"depth": 1}),
            *named,
            Call("grep", {"pattern": DEFINITIONS}),
            Call("grep", {"pattern": TARGETS, "glob": "Makefile"}),
        ]
    top = [row.strip() for _, result in asked.results("list") for row in result.text.splitlines()[1:]]
    if not top:
        return Done("There is nothing in this workspace yet.")
    readme = next((name for name in READMES if name in top), "")
    if readme and not asked.results("read"):
        return [Call("read", {"path": readme, "start_line": 1, "end_line": 20})]
    how = _how(asked, top)
    if how and _HOW_ASKED.search(asked.intent.question.lower()):
        parts = (how, _begins(asked))
    else:
        parts = (_says(asked, readme), _layers(top), _begins(asked), _hot(asked), how)
    return Done("\n\n".join(part for part in parts if part))


def _says(asked: Asked, readme: str) -> str:
    """Return what the README says first: its first sentence, without images and emphasis."""
    lines = asked.lines("read", readme) if readme else []
    plain = [_PLAIN.sub(r"\1", _IMAGE.sub("", line.text)).strip() for line in lines]
    start = next(
        (at for at, text in enumerate(plain) if len(re.findall(r"\w+", text)) >= SENTENCE and not _is_title(plain, at)),
        None,
    )
    if start is None:
        return ""
    end = next((at for at in range(start, len(plain)) if not plain[at]), len(plain))
    sentence = re.split(r"(?<=[.!?])\s", " ".join(plain[start:end]), maxsplit=1)[0]
    return f"It says of itself ({readme}:{lines[start].line}): {sentence}"


def _is_title(lines: Sequence[str], at: int) -> bool:
    """Whether a line is underlined, as headings of reStructuredText and some of Markdown are."""
    return at + 1 < len(lines) and bool(re.fullmatch(r"([=~-])\1+", lines[at + 1]))


def _layers(top: Sequence[str]) -> str:
    folders = [row for row in top if "/" in row]
    files = [row for row in top if "/" not in row and not row.startswith("[…")]
    parts = ["Folders: " + ", ".join(f"`{row.partition('/')[0]}`{row.partition('/')[2]}" for row in folders)]
    kinds = Counter(PurePosixPath(row).suffix or row for row in files).most_common(HOT_SHOWN)
    parts += [("Files beside them: " if folders else "Files: ") + ", ".join(f"{count} {kind}" for kind, count in kinds)]
    return "\n".join(part for part, there in zip(parts, (folders, files), strict=True) if there)


def _begins(asked: Asked) -> str:
    """Return the files and functions that look like entries."""
    files = [row for _, result in asked.results("find") for row in result.text.splitlines() if "`" not in row]
    mains = [f"{each.path}:{each.line}" for each in asked.passages("symbols") if each.name == "main"]
    found = list(dict.fromkeys((*sorted(files, key=lambda path: (path.count("/"), path)), *mains)))[:HOT_SHOWN]
    return "It seems to begin in " + ", ".join(found) + "." if found else ""


def _hot(asked: Asked) -> str:
    """Return the files that define most."""
    tallies = [
        match[1]
        for call, result in asked.results("grep")
        if call.arguments["pattern"] == DEFINITIONS and (match := _TALLY.search(result.text))
    ]
    most = [each for tally in tallies for each in tally.split(", ")[:HOT_SHOWN]]
    return (
        "Most is defined in "
        + ", ".join(f"{each.rpartition(' ')[0]} ({each.rpartition(' ')[2]})" for each in most)
        + "."
        if most
        else ""
    )


def _how(asked: Asked, top: Sequence[str]) -> str:
    lines = [quote.text for each in asked.passages("grep") if each.path == "Makefile" for quote in each.quotes]
    targets = [f"`make {line.partition(':')[0]}`" for line in lines if re.match(TARGETS, line)][:TARGETS_SHOWN]
    rows = [f"- {name}: run {run}, test {test}" for name, (run, test) in HOW.items() if name in top]
    rows += [f"- Makefile: {', '.join(targets)}"] if targets else []
    return "By custom of its project files:\n" + "\n".join(rows) if rows else ""
