"""What it says when there is nothing to look up: what it is, and what it can do instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attache.providers.offline.evidence import stems
from attache.providers.offline.grammar import ROWS, Row
from attache.providers.offline.pasted import is_about_it, pasted
from attache.providers.offline.plans import Asked, Done, Step
from attache.providers.offline.quoted import message, said
from attache.providers.offline.traces import error, is_trace
from attache.providers.offline.where import where

NEAREST = 3


OFFERS = tuple(row for row in ROWS if row.what)


_THANKS = re.compile(r"(?:thanks?|thank you|great|nice|cool|perfect|well done)\b")


def hello(asked: Asked) -> Step:
    """Say what it is and what it can do; thanks are not answered with a list."""
    if _THANKS.match(asked.intent.question.lower()):
        return Done("You are welcome.")
    return Done(f"Hello. I am Attaché, answering without a language model. Here I can:\n\n{_listed(OFFERS)}")


def unknown(asked: Asked) -> Step:
    """Search where it is a question about the code; else say plainly that this takes a model."""
    if is_trace(asked.text):
        return error(asked)
    if is_about_it(asked):
        return pasted(asked)
    if (text := message(asked)) and (step := said(asked, text)):
        return step
    if asked.text.strip().partition("\n")[0].rstrip().endswith("?") and asked.subject:
        return where(asked)
    words = stems(asked.intent.question)
    nearest = sorted(OFFERS, key=lambda offer: -len(stems(offer.words) & words))[:NEAREST]
    return Done(
        "I do not understand that without a language model, and none is configured. To add one, set "
        "`ANTHROPIC_API_KEY` or `OPENAI_API_KEY`, or start Ollama; `attache doctor` tells how.\n\n"
        f"The nearest that I can do here:\n\n{_listed(nearest)}"
    )


def _listed(offers: Sequence[Row]) -> str:
    return "\n".join(f"- {offer.what}: {offer.example}" for offer in offers)
