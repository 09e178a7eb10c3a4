"""Material that came with the question, as from standard input: a diff is told; of other text, what it can do."""

from __future__ import annotations

from attache.providers.offline.diffs import read_diff
from attache.providers.offline.history import explained
from attache.providers.offline.intent import Intent
from attache.providers.offline.plans import Asked, Done, Step

MARK = "\n\nFrom standard input:\n"
_WORDS = "error output text input log diff patch change changes message trace traceback stack result"
_ABOUT = frozenset(_WORDS.split())


def is_about_it(asked: Asked) -> bool:
    """Whether the question names nothing of the workspace, and material came with it."""
    return MARK in asked.text and not asked.intent.names and _names_nothing(asked.intent)


def _names_nothing(intent: Intent) -> bool:
    return all(word.lower() in _ABOUT for word in intent.words)


def pasted(asked: Asked) -> Step:
    """Say what a diff does; of other text say what can be done with it."""
    text = asked.text.partition(MARK)[2]
    if diffs := read_diff(text):
        return Done(explained(diffs))
    return Done(
        f"The text you gave ({len(text.splitlines())} lines) holds no error, stack trace or diff that I know. "
        "Without a language model I explain those alone; or ask about the code: `explain src/app.py`."
    )
