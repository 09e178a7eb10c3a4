"""Review a file or what is changed, by the rules and linters behind the `review` tool."""

from __future__ import annotations

import re

from attache.providers.offline.history import revision
from attache.providers.offline.plans import Asked, Call, Done, Step

_CODES = (
    ("todo", r"todos?|fixmes?"),
    ("secret", r"secrets?|keys|passwords|security|vulnerabilit\w*"),
    ("complex-function", r"complex\w*"),
    ("long-function", r"long"),
    ("duplicate", r"duplica\w+"),
    ("missing-test", r"missing tests|untested"),
    ("risky-call", r"risky|dangerous|security|vulnerabilit\w*"),
)
"""What of the review a question asks for alone."""
_ALL = re.compile(
    r"\b(?:whole|entire|all (?:of )?(?:the )?(?:code|files)|everything|repo(?:sitory)?|project|code ?base)\b"
)


def review(asked: Asked) -> Step:
    """Review the files that were named, else what is changed, and say what stands out."""
    if "review" not in asked.tools:
        return Done("No tool here reviews; in a shell: `attache review`.")
    question = asked.intent.question.lower()
    for place in asked.intent.places:
        question = question.replace(place.path.lower(), " ")
    codes = [code for code, pattern in _CODES if re.search(rf"\b(?:{pattern})\b", question)]
    if not asked.done:
        arguments: dict[str, object] = {"codes": codes} if codes else {}
        if asked.intent.places:
            arguments["paths"] = [place.path for place in asked.intent.places]
        elif asked.intent.names:
            return [Call("symbols", {"name": asked.intent.names[0]})]
        elif _ALL.search(question) or codes:
            arguments["paths"] = ["."]
        elif rev := revision(asked):
            arguments["base"] = rev
        return [Call("review", arguments)]
    if not asked.results("review"):
        return _of_symbol(asked, codes)
    _, result = asked.results("review")[-1]
    if (
        result.is_error
        and "paths" not in asked.results("review")[-1][0].arguments
        and len(asked.results("review")) == 1
    ):
        return [Call("review", {"paths": ["."]})]  # no repository: then all of it
    whole = len(asked.results("review")) > 1
    why = asked.results("review")[0][1].text.splitlines()[0] if whole else ""
    if whole and result.is_error:
        return Done(f"There is nothing to review: {why}, and holds no file that I can read.")
    head, *rows = result.text.splitlines()
    head = f"{why[:1].upper()}{why[1:]}, so all of it was reviewed: {head}" if whole else head
    return Done("\n".join((head, "", *(f"- {row}" for row in rows))) if rows else head)


def _of_symbol(asked: Asked, codes: list[str]) -> Step:
    name = asked.intent.names[0]
    found = [each for each in asked.passages("symbols") if f".{each.name}".endswith(f".{name}")]
    if not found:
        return Done(f"No definition of `{name}` is in this workspace.")
    first = found[0]
    more: dict[str, object] = {"codes": codes} if codes else {}
    span = {"start_line": first.line, "end_line": first.end_line or first.line}
    return [Call("review", {"paths": [first.path], **span, **more})]
