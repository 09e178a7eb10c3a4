"""What it says when there is nothing to look up: what it is, and what it can do instead."""

from __future__ import annotations

from typing import NamedTuple

from attache.providers.offline.evidence import stems
from attache.providers.offline.pasted import is_about_it, pasted
from attache.providers.offline.plans import Asked, Done, Step
from attache.providers.offline.traces import error, is_trace
from attache.providers.offline.where import where

NEAREST = 3


class Offer(NamedTuple):
    """One thing it can do."""

    what: str
    example: str
    words: str
    """What people call it."""


OFFERS = (
    Offer("find a place", "`where do we retry failed requests?`", "where find search look locate file show"),
    Offer("list the uses of a name", "`who calls fetch_all?`", "who call use reference usage depend import"),
    Offer("explain a symbol, file, folder", "`explain Session.request`", "explain describe what mean document"),
    Offer("explain an error", "`explain this error`, then the trace", "error exception trace crash debug why bug"),
    Offer("trace calls", "`trace from main to fetch_all`", "trace path flow reach how call graph way"),
    Offer("summarise the repository", "`summarise this repository`", "summarise summary overview architecture"),
    Offer(
        "fix what rules can", "`fix src/app.py`",
        "fix repair lint format import unused clean refactor change edit improve rewrite error type",
    ),
    Offer("run the tests", "`run the tests`", "run test check pass fail verify ci"),
    Offer("list the tests of a name", "`what tests fetch_all?`", "test cover coverage tested"),
    Offer("begin tests", "`write tests for fetch_all`", "write test add create generate unit make new implement"),
)  # fmt: skip


def hello(_asked: Asked) -> Step:
    """Say what it is and what it can do."""
    return Done(f"Hello. I am Attaché, answering without a language model. Here I can:\n\n{_listed(OFFERS)}")


def unknown(asked: Asked) -> Step:
    """Search where it is a question about the code; else say plainly that this takes a model."""
    if is_trace(asked.text):
        return error(asked)
    if is_about_it(asked):
        return pasted(asked)
    if asked.text.strip().partition("\n")[0].rstrip().endswith("?") and asked.subject:
        return where(asked)
    said = stems(asked.intent.question)
    nearest = sorted(OFFERS, key=lambda offer: -len(stems(offer.words) & said))[:NEAREST]
    return Done(
        "I do not understand that without a language model, and none is configured. To add one, set "
        "`ANTHROPIC_API_KEY` or `OPENAI_API_KEY`, or start Ollama; `attache doctor` tells how.\n\n"
        f"The nearest that I can do here:\n\n{_listed(nearest)}"
    )


def changed(_asked: Asked) -> Step:
    """Say that there is no tool here that reads the history."""
    return Done(
        "What changed is not available here: none of my tools reads the version control's history. In a shell, "
        "`git status`, `git diff` and `git log --stat -5` tell."
    )


def _listed(offers: tuple[Offer, ...] | list[Offer]) -> str:
    return "\n".join(f"- {offer.what}: {offer.example}" for offer in offers)
