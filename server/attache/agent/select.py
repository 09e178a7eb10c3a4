"""Which tools a model is offered: a few that every task needs, then those nearest to what the user asked.

Every tool can be called by its name all the same, and `find_tool` tells the names; a short offer costs fewer tokens in
each request and is chosen from with fewer mistakes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, get_args

from attache.agent.likeness import Likeness
from attache.schema.tools import Cost
from attache.tools.tool import Tool, Tools

ALWAYS = (
    "read", "edit", "write", "list", "grep", "search", "symbols", "shell", "test", "diagnostics", "plan", "ask_user",
    "find_tool",
)  # fmt: skip
"""What nearly every task uses; what is not there, or not allowed in the mode, is left out."""
_WORD = re.compile(r"[a-z][a-z0-9]+")
_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "for", "from", "how", "in", "into", "is", "it",
    "its", "me", "my", "of", "on", "or", "our", "please", "so", "that", "the", "their", "them", "then", "there",
    "this", "to", "use", "we", "what", "when", "where", "which", "with", "you", "your",
})  # fmt: skip
_NAME_WEIGHT, _CATEGORY_WEIGHT, _TEXT_WEIGHT = 4, 2, 1
_SATURATION = 1.2
"""How soon more of the same word stops counting, BM25's k1."""
_FUSION = 10
"""How little the first places of a ranking count more than the next ones."""
_NEAR = 12
"""Tools that count as near in meaning, which everything is a little."""
LONGEST_REQUEST = 4_000
"""Characters of a request that are compared by meaning."""
Selection = Literal["keyword", "semantic", "hybrid"]


def select(tools: Tools, ranked: Sequence[Tool], limit: int) -> Tools:
    """Return what to offer: at most `limit` tools, those ranked first among them; all where there are no more."""
    offered = [tool for tool in tools if tool.spec.effect in tools.effects]
    if len(offered) <= limit:
        return tools
    first = [tool for name in ALWAYS for tool in offered if tool.spec.name == name]
    rest = [tool for tool in ranked if tool in offered and tool not in first]
    chosen = {id(tool) for tool in [*first, *rest][:limit]}
    return Tools((tool for tool in offered if id(tool) in chosen), effects=tools.effects)


async def rank(tools: Iterable[Tool], request: str, how: Selection, likeness: Likeness) -> tuple[Tool, ...]:
    """Return the tools that are about the request, the nearest first; by its words alone where no model compares."""
    every = tuple(tools)
    scores = None if how == "keyword" else await likeness.scores(request[:LONGEST_REQUEST], [*map(_told, every)])
    if scores is None:
        return by_words(every, request)
    near = dict(zip(map(id, every), scores, strict=True))
    by_meaning = tuple(sorted(every, key=lambda tool: (-round(near[id(tool)], 6), _price(tool), tool.spec.name)))
    return by_meaning if how == "semantic" else fused(by_words(every, request), by_meaning[:_NEAR])


def fused(*rankings: Sequence[Tool]) -> tuple[Tool, ...]:
    """Return the tools of several rankings in one: reciprocal rank fusion, of equals the cheapest first."""
    scores: dict[int, float] = {}
    named: dict[int, Tool] = {}
    for ranking in rankings:
        for place, tool in enumerate(ranking):
            named[id(tool)] = tool
            scores[id(tool)] = scores.get(id(tool), 0.0) + 1 / (_FUSION + place)
    return tuple(sorted(named.values(), key=lambda tool: (-round(scores[id(tool)], 9), _price(tool), tool.spec.name)))


def by_words(tools: Iterable[Tool], request: str) -> tuple[Tool, ...]:
    """Return the tools that share words with the request, the nearest first, of equals the cheapest first."""
    every = tuple(tools)
    wanted = set(_words(request))
    texts = {id(tool): _weighted(tool) for tool in every}
    holding = Counter(word for words in texts.values() for word in words)
    rarity = {word: math.log(1 + len(every) / holding[word]) for word in wanted if word in holding}
    scores = {
        key: sum(rarity[word] * words[word] / (words[word] + _SATURATION) for word in rarity if word in words)
        for key, words in texts.items()
    }
    near = [tool for tool in every if scores[id(tool)] > 0]
    return tuple(sorted(near, key=lambda tool: (-round(scores[id(tool)], 6), _price(tool), tool.spec.name)))


def _told(tool: Tool) -> str:
    """Return what a tool is, as a model reads it that compares meanings."""
    spec = tool.spec
    return f"{spec.name.replace('_', ' ')} ({spec.category}): {spec.description}"


def _price(tool: Tool) -> int:
    return get_args(Cost).index(tool.spec.cost)


def _weighted(tool: Tool) -> Counter[str]:
    spec = tool.spec
    weighted: Counter[str] = Counter()
    parts: Sequence[tuple[str, int]] = (
        (" ".join((spec.name, *tool.aliases)), _NAME_WEIGHT),
        (spec.category, _CATEGORY_WEIGHT),
        (f"{spec.description} {' '.join(spec.parameters.get('properties', ()))}", _TEXT_WEIGHT),
    )
    for text, weight in parts:
        for word in set(_words(text)):
            weighted[word] += weight
    return weighted


@lru_cache(maxsize=1024)  # every run asks for the words of the same tools
def _words(text: str) -> tuple[str, ...]:
    """Return the words that mean something, cut to their stems."""
    return tuple(_stem(word) for word in _WORD.findall(text.casefold().replace("_", " ")) if word not in _STOP)


def _stem(word: str) -> str:
    """Cut the endings that English puts on a verb or a noun, so that `renaming` meets `rename`."""
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004 - a stem has three letters at least
            return word[: -len(ending)]
    return word
