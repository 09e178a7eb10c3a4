"""Material that came with the question, as from standard input: a diff is told; of other text, what it can do."""

from __future__ import annotations

import re

from attache.providers.offline.intent import Intent
from attache.providers.offline.plans import Asked, Done, Step

SHOWN = 20
MARK = "\n\nFrom standard input:\n"
_WORDS = "error output text input log diff patch change changes message trace traceback stack result"
_ABOUT = frozenset(_WORDS.split())
_FILE = re.compile(r"^\+\+\+ (?:b/)?(?P<path>[^\t\n]+)|^(?P<hunk>@@ -\S+ \+\S+ @@)|^(?P<sign>[-+])", re.MULTILINE)


def is_about_it(asked: Asked) -> bool:
    """Whether the question names nothing of the workspace, and material came with it."""
    return MARK in asked.text and not asked.intent.names and _names_nothing(asked.intent)


def _names_nothing(intent: Intent) -> bool:
    return all(word.lower() in _ABOUT for word in intent.words)


def pasted(asked: Asked) -> Step:
    """Say which files a diff changes; of other text say what can be done with it."""
    text = asked.text.partition(MARK)[2]
    changes = _changes(text)
    if changes:
        rows = [f"- {path}: {added} added, {taken} removed" for path, (added, taken) in changes.items()]
        more = [f"- … and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
        files = f"{len(rows)} file{'s' * (len(rows) != 1)}"
        return Done(f"It is a diff of {files}, in lines:\n\n" + "\n".join([*rows[:SHOWN], *more]))
    return Done(
        f"The text you gave ({len(text.splitlines())} lines) holds no error, stack trace or diff that I know. "
        "Without a language model I explain those alone; or ask about the code: `explain src/app.py`."
    )


def _changes(text: str) -> dict[str, tuple[int, int]]:
    """Return the lines added to and removed from each file of a diff; lines before the first hunk count nowhere."""
    found: dict[str, tuple[int, int]] = {}
    path, inside = "", False
    for match in _FILE.finditer(text):
        if match["path"]:
            path, inside = match["path"], False
            found[path] = (0, 0)
        elif match["hunk"]:
            inside = True
        elif path and inside and not text.startswith(("--- a/", "--- /dev/null"), match.start()):
            added, taken = found[path]
            found[path] = (added + (match["sign"] == "+"), taken + (match["sign"] == "-"))
    return found
