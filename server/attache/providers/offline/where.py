"""Where is it: search, read what was found whole, and quote the lines that say it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from attache.providers.offline.evidence import SUBWORD, Passage, Quote, best, passages, stems
from attache.providers.offline.places import OTHERS, TEST, aside
from attache.providers.offline.plans import Asked, Call, Done, Step
from attache.providers.offline.quoted import message, patterns, said
from attache.providers.offline.words import ENOUGH, Wanted, beginning
from attache.schema.messages import ToolResult

HITS = 24
FORM_CHARS = 5
"""What the stems of one word share at least, where they differ."""
MORE = "\n[… "
"""How a tool says that it showed not everything."""
READ_AT_ONCE = 8
ASIDE_READ = 4
"""Tests, documents and what others wrote, read after the code itself."""
READ_LINES = 120
_TESTS = re.compile(
    r"\b(?:tests?|tested|testing|fixtures?|specs?|docs?|documented|documentation|vendored)\b", re.IGNORECASE
)
SHOWN = 5
UNCLEAR_SHOWN = 2
LOOKED_UP = 4
"""Words that no place accounts for and that are looked for by the letter."""
RANK_COSTS = 0.05
"""What each place further down in the search's order costs: the index ranks well, the words decide among the near."""
NAME_COUNTS = 0.15
ASIDE_COSTS = 0.15
"""What it costs to be a test, a document or what others wrote, where the code itself is asked about."""
CLEAR = 0.75
"""Share of the question that the best place accounts for, where it is called the answer."""
FAR = 0.35
"""What is so much worse than the best is not shown."""


def where(asked: Asked) -> Step:
    """Search by the question's words and names, read the best places, quote them, or say that nothing matches."""
    if (text := message(asked)) and (step := said(asked, text)):
        return step
    if not asked.subject:
        return Done("Where is what? Name a thing: `where do we retry failed requests?`")
    if not asked.results("search"):
        tests = ["test"] if asked.intent.kind == "tests_of" else []
        calls = [Call("search", {"query": " ".join([*tests, *asked.subject]), "limit": HITS})]
        return calls + [Call("symbols", {"name": name}) for name in asked.intent.names[:3]]
    found = _found(asked)
    if not found and asked.doubt:
        return _by_letter(asked)
    if asked.intent.names and not _letters(asked) and not _defined(asked):
        return [Call("grep", {"pattern": name, "literal": True}) for name in asked.intent.names[:LOOKED_UP]]
    if found and not asked.results("read"):
        return [_read(passage) for passage in _nearest(asked, found)]
    if (unknown := _unaccounted(asked)) and not _letters(asked):
        return [Call("grep", {"pattern": beginning(word), "literal": True, "ignore_case": True}) for word in unknown]
    missing = nowhere(asked)
    places = _places(asked, Wanted(asked.subject, missing))
    rows = _rows([place for place in places if place.share > ENOUGH])
    if any(name in missing for name in asked.intent.names):
        return Done(_nothing(asked, missing))
    if not rows:
        mentions = _rows(places) or [str(quote) for each in asked.passages("grep") for quote in each.quotes]
        return Done(_unclear(mentions) if mentions and not missing else _nothing(asked, missing))
    clear = max(place.share for place in places) >= CLEAR
    lead = (
        "The nearest I found:"
        if not clear
        else "The place is"
        if len(rows) == 1
        else "The best matches, nearest first:"
    )
    lacking = f"\n\nNothing here mentions {_listed(missing)}." if missing else ""
    return Done(f"{lead}\n\n" + "\n".join(f"- {row}" for row in rows[:SHOWN]) + lacking)


def _letters(asked: Asked) -> bool:
    """Whether words were looked for by the letter; a message that was looked for as a whole is none."""
    return len(asked.results("grep")) > len(patterns(message(asked)))


def _by_letter(asked: Asked) -> Step:
    """Look for the words by the letter, where the index does not know everything."""
    if not _letters(asked):
        words = "|".join(re.escape(beginning(word)) for word in asked.subject)
        return [Call("grep", {"pattern": words, "ignore_case": True})]
    wanted = Wanted(asked.subject)
    quotes = [quote for passage in asked.passages("grep") for quote in passage.quotes]
    shares = {quote: wanted.share(stems(f"{quote.path} {quote.text}")) for quote in quotes}
    telling = sorted((quote for quote in shares if shares[quote] > ENOUGH), key=lambda quote: -shares[quote])
    if not telling:
        return Done(_nothing(asked, ()))
    return Done("By the letter:\n\n" + "\n".join(f"- {quote}" for quote in telling[:SHOWN]))


def _defined(asked: Asked) -> bool:
    return any(passage.label for passage in asked.passages("symbols"))


def _found(asked: Asked) -> list[Passage]:
    """Return where to look: definitions of the names asked for, then the search's hits."""
    unique: dict[tuple[str, int], Passage] = {}
    exact = [each for each in asked.passages("symbols") if each.name in {*asked.intent.names, *_bare(asked)}]
    for passage in [*exact[:3], *asked.passages("search")]:
        unique.setdefault((passage.path, passage.line), passage)
    return list(unique.values())


def _nearest(asked: Asked, found: Sequence[Passage]) -> list[Passage]:
    """Return what to read: the code first, and some of what stands beside it, unless tests were asked for."""
    if is_about_tests(asked):
        wanted = Wanted(asked.subject)
        tests = [each for each in found if TEST.search(each.path)]
        tests.sort(key=lambda each: -wanted.share(stems(each.path)))
        others = [each for each in found if not TEST.search(each.path)]
        return (tests or others)[:READ_AT_ONCE] if asked.intent.kind == "tests_of" else list(found[:READ_AT_ONCE])
    code = [each for each in found if not aside(each.path)][:READ_AT_ONCE]
    others = sorted((each for each in found if aside(each.path)), key=lambda each: aside(each.path) == OTHERS)
    return [*code, *others[: max(ASIDE_READ, READ_AT_ONCE - len(code))]]


def is_about_tests(asked: Asked) -> bool:
    """Whether a question is about tests, which then are no asides."""
    return asked.intent.kind == "tests_of" or bool(_TESTS.search(asked.intent.question))


def tests_about(asked: Asked) -> Step:
    """Find the tests of what words describe."""
    step = where(asked)
    if not isinstance(step, Done):
        return step
    shown = asked.results("read")
    if any(TEST.search(call.arguments["path"]) for call, _ in shown):
        return step
    return Done(f"I found no test that is about that.\n\n{step.text}" if shown else step.text)


def _bare(asked: Asked) -> set[str]:
    return {name.rpartition(".")[2] for name in asked.intent.names}


def _read(passage: Passage) -> Call:
    end = min(passage.end_line or passage.line + 30, passage.line + READ_LINES)
    return Call("read", {"path": passage.path, "start_line": passage.line, "end_line": end})


def _unaccounted(asked: Asked) -> list[str]:
    """Return the words that stand in none of the places read."""
    read = stems("\n".join(result.text for _, result in asked.results("read")))
    words = [word for word in asked.subject if len(word) > 1 and word not in asked.intent.names]
    parts = [part for word in words for part in SUBWORD.findall(word)]
    return [part for part in dict.fromkeys(parts) if len(part) > 1 and not stems(part) & read][:LOOKED_UP]


def nowhere(asked: Asked) -> tuple[str, ...]:
    """Return the words that were looked for by the letter and stand nowhere in the workspace."""
    begun = {call.arguments["pattern"]: result for call, result in asked.results("grep")}
    parts = [part for word in asked.subject for part in (word, *SUBWORD.findall(word))]
    return tuple(
        part
        for part in dict.fromkeys(parts)
        if any(key in begun and _holds_none(asked, begun[key], part) for key in (part, beginning(part)))
    )


def _holds_none(asked: Asked, result: ToolResult, part: str) -> bool:
    """Whether what was found by the letter is other words alone: `retr` stands in retrieve, and is no retry."""
    if result.text.startswith("0 hits"):
        return True
    if result.is_error or MORE in result.text:
        return False
    found = [stems(quote.text) for passage in asked.passages_of(result) for quote in passage.quotes]
    wanted = stems(part)
    return bool(found) and not any(_is_form(one, each) for one in wanted for line in found for each in line)


def _is_form(one: str, other: str) -> bool:
    """Whether two stems are of one word, as of negotiated and negotiation."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= FORM_CHARS and long.startswith(short))


class _Place(NamedTuple):
    """A place that was read: how it ranks, what part of the question it accounts for, and its most telling line."""

    score: float
    share: float
    quote: Quote
    name: str


def _places(asked: Asked, wanted: Wanted) -> list[_Place]:
    """Return the places that were read and say any of it, the most telling first."""
    labels = {(each.path, each.line): each for each in reversed(_found(asked))}
    found: list[_Place] = []
    about_tests = is_about_tests(asked)
    for rank, (call, result) in enumerate(asked.results("read")):
        if result.is_error:
            continue
        path, start = call.arguments["path"], call.arguments["start_line"]
        lines = [quote for passage in passages(result.text, path) for quote in passage.quotes]
        quote = best(lines, wanted.stems)
        share = wanted.share(stems("\n".join((path, *(line.text for line in lines)))))
        if quote is None:
            continue
        name = labels[path, start].name if (path, start) in labels else ""
        costs = RANK_COSTS * rank + (0.0 if about_tests else ASIDE_COSTS * bool(aside(path)))
        score = share - costs + NAME_COUNTS * wanted.share(stems(name))
        found.append(_Place(score, share, quote, name))
    return sorted(found, key=lambda place: -place.score)


def _rows(places: Sequence[_Place]) -> list[str]:
    """Return one line for each place; what is much worse than the best is left out."""
    near = [each for each in places if each.score > places[0].score - FAR]
    return list({(each.quote.path, each.quote.line): each.quote.told(each.name) for each in near}.values())


def _unclear(rows: Sequence[str]) -> str:
    """Say that the words stand here, and that no place says enough of them."""
    listed = "\n".join(f"- {row}" for row in rows[:UNCLEAR_SHOWN])
    return f"I found places that mention it, but none that clearly answers:\n\n{listed}"


def _nothing(asked: Asked, missing: tuple[str, ...]) -> str:
    looked = " ".join(asked.subject)
    why = f"{_listed(missing)} stand{'s' * (len(missing) == 1)} nowhere in" if missing else ""
    if missing and not stems(looked) <= stems(" ".join(missing)):
        whole = f"Nothing in this workspace matches the whole of `{looked}`"
        return f"{whole}: {why} it. Other words for the same thing may find it."
    why = f" {why} it." if why else ""
    return (
        f"Nothing in this workspace matches `{looked}`.{why} I searched the index by words and names and will not "
        "guess; other words for the same thing may find it."
    )


def _listed(words: tuple[str, ...]) -> str:
    *head, last = (f"`{word}`" for word in words)
    return f"{', '.join(head)} and {last}" if head else last
