"""The small grammar: one row an intent, with what people say for it and what it is offered as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

Kind = Literal[
    "where", "callers", "explain", "fix", "test", "hello", "unknown", "begin_tests", "tests_of", "changed", "trace",
    "summarise", "files", "rename", "move", "extract", "document", "commit_message", "changelog", "review", "blame",
    "outline", "dependencies", "dead_code", "metrics", "undo", "hierarchy",
]  # fmt: skip

PARTS = {
    "whole": r"(repo|repository|project|code ?base|workspace|package|app|application)\b",
    "docs": r"(docs?|doc ?strings?|doc comments?|documentation|jsdoc|tsdoc|godoc|rustdoc|javadoc|comments?)\b",
    "write": r"(write|draft|suggest|generate|propose|make|create|give|compose|prepare|add|update)( me)?",
    "find": r"(find|look for|search for|detect|spot|list|show|check( \S+)? for|scan( \S+)? for)( me)?",
    "some": r"( (a|an|the|any|all|some|my|our|new|more|possible|potential|missing|proper|good|unit|quick|full))*",
    "smells": (
        r"(bugs?|problems?|issues?|(code )?smells?|todos?|fixmes?|secrets?|(api )?keys|passwords|risky|dangerous|"
        r"duplica\w+|complex\w*|long functions?|missing tests|untested|vulnerabilit\w+|security)\b"
    ),
    "changes": r"(changes?|commits?|edits?|work|modifications|diff|patch)\b",
    "lately": (
        r"(recent|last|latest|newest|uncommitted|unstaged|staged|pending|local|current|my|our|these|this|the|that)"
    ),
    "thing": r"(function|method|helper|variable|constant)\b",
    "has": r"('s| is| has| have| had| did| was| were| got| been| i| we| you| they| just| recently)*",
    "begin": r"(run|start|build|use|begin|install|set ?up)",
    "symbols": r"(functions|classes|methods|symbols|definitions|structs|types|interfaces|constants)",
    "there": r"( are| is| there| defined)*",
    "name": r"`?[\w.:]+`?(\(\))?",
    "derives": r"(extends?|implements?|sub-?class(es)?|inherits?|derives?|overrides?|overrid(es|ing)|specialis\w+)",
    "kinds": r"(class(es)?|types?|interfaces?|structs?|traits?|enums?|models?|methods)",
    "tell": r"(what|which|list|show|find|name|give|print|explain|describe)( me)?( are| is)?",
    "really": r"(still |ever |actually |really |even |being |not )*",
    "heirs": (
        r"(sub-?class(es)?|sub-?types?|derived (classes|types)|child(ren| classes)|descendants|implementations|"
        r"implement[eo]rs|overrides|super-?class(es)?|base class(es)?|parents?( class(es)?)?|ancestors|bases)"
    ),
}
"""What the patterns below name in angle brackets."""
_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so|now|and|then|attach[ée])[,\s]+)*"
    r"(?:(?:please|kindly|(?:can|could|would|will) you(?: please)?|i(?:'d| would) like (?:you )?to|"
    r"i (?:want|need) (?:you )?to|help me(?: to)?|let'?s|go ahead and|try to|just)\s+)*"
)


class Row(NamedTuple):
    """One intent."""

    kind: Kind
    said: str
    """Patterns of the lower-cased question without what is said for politeness, one a line."""
    what: str = ""
    """What it does, as it is offered; empty for what is not."""
    example: str = ""
    words: str = ""
    """What people call it."""


ROWS: tuple[Row, ...] = (
    Row(
        "hello",
        r"""
        ^(hi|hello|hey|good (morning|evening|day))\b[\s!.]*$
        \bwhat can you (do|help)( me)?( with)?( here| now)?\W*$
        ^help\W*$
        ^(thanks?|thank you|great|nice|cool|perfect|well done)\b[\w\s!.,]{0,20}$
        \bwho are you\b|^what are you\b
        ^(list|show)( me)? (your )?(commands|abilities)\b
        """,
    ),
    Row(
        "rename",
        r"""
        ^re-?name\b
        ^refactor \S+ (to|into) (be )?(called|named)\b
        ^(change|set) the name of\b
        ^(call|name) <name> <name> instead\b
        \brename \S+ (to|as|into)\b
        """,
        "rename a symbol everywhere",
        "`rename fetch_all to load_all`",
        "rename name call retitle change refactor symbol variable function class method",
    ),
    Row(
        "extract",
        r"""
        ^(extract|factor out|pull out|refactor out|hoist|split out|break out)\b
        ^(turn|make|refactor|convert|move|put|pull)\b.*\binto (a|an|its|their) (new |own )*<thing>
        ^introduce (a |an )?(new )?(variable|constant|function|helper)\b
        """,
        "extract lines into a function",
        "`extract src/app.py:10-20 into parse_line`",
        "extract factor pull hoist split refactor function method variable lines",
    ),
    Row(
        "move",
        r"""
        ^(move|relocate|transfer)\b
        ^(put|take|pull) \S+ (in|into|out of|out to) \S+\.\w+
        """,
        "move a definition or a file",
        "`move parse_line to src/lines.py`",
        "move relocate put transfer file module function class",
    ),
    Row(
        "commit_message",
        r"""
        \bcommit[- ](message|msg|text|subject|title)\b
        ^<write><some> commit\b
        ^(what|how) should (i|we|my|the) .*\bcommit\b
        ^(describe|summar\w+) (my|the|these|our) (staged |unstaged |uncommitted )?changes
        """,
        "write a commit message",
        "`write a commit message`",
        "commit message subject git describe changes staged",
    ),
    Row(
        "changelog",
        r"""
        ^<write>\b.*\b(change[- ]?log|release notes?|news (entry|fragment|line)s?)\b
        ^(change[- ]?log|release notes?)\b
        \b(change[- ]?log|release notes?) (entry|entries|lines?|for|from|since)\b
        """,
        "write changelog lines",
        "`write changelog lines since v1.0`",
        "changelog release notes news entry version",
    ),
    Row(
        "blame",
        r"""
        \bwho (last )?(changed|touched|wrote|edited|modified|added|introduced|committed)\b
        \bwhen (was|were|did) .*\b(changed?|added|touched|written|edited|modified|introduced)\b
        ^(git )?blame\b
        """,
        "say who changed a line",
        "`who changed src/app.py:12?`",
        "who changed blame author wrote when history",
    ),
    Row(
        "changed",
        r"""
        ^((show|tell) (me )?)?(what|which files?)<has> (changed?|new|different|modified|edited|touched)\b
        ^((show|tell|give|list) (me )?)?(all )?<lately>( (\d+|git|staged|unstaged|uncommitted|recent|last))* <changes>
        ^((show|tell|give) (me )?)?(the )?git (diff|log|status|history)\b
        ^what (did|have) (i|we) (change|do|edit|touch|modify|work)
        ^(show|list|tell)( me)?( the)? (history|log) (of|for)\b
        ^(is|are) (there )?(anything|everything) (un)?committed\b
        ^what happened (lately|recently|since)\b
        ^(explain|describe) <lately>( (last|staged|unstaged|uncommitted))? <changes>
        ^what (does|do) <lately>( last)? <changes> do\b
        """,
        "say what changed",
        "`what changed?`, `what changed since main?`",
        "changed change diff status log history recent commits git",
    ),
    Row(
        "undo",
        r"""
        ^(undo|revert|roll ?back|take (it|that|this) back)\b
        """,
    ),
    Row(
        "dependencies",
        r"""
        ^(what|which (?!function|method|class|file|module|code)|list|show)\b.*\bdependenc(y|ies)\b
        ^(what|which|list|show)( third[- ]party| external| the| me| all)* (packages|libraries)\b
        """,
        "list the dependencies",
        "`what are the dependencies?`",
        "dependency dependencies packages libraries requirements version",
    ),
    Row(
        "dead_code",
        r"""
        \b(dead|unused|unreachable|unreferenced) (code|functions?|classes|methods|symbols|definitions|names|files)\b
        """,
        "find what nothing uses",
        "`find dead code`",
        "dead unused code remove delete never called",
    ),
    Row(
        "metrics",
        r"""
        ^(what|which|show|list|find)\b.*\b(functions|methods|files|classes|code)\b.*\b(complex|longest|largest|biggest)\b
        ^(what|show|list|measure)\b.*\b(most complex|longest|largest|biggest) (functions|methods|files|classes|code)\b
        \bcyclomatic\b|^(what|how|show|measure)\b.*\bcomplexity\b
        \b(code )?metrics\b
        """,
        "measure functions",
        "`which functions are most complex?`",
        "complexity complex longest largest metrics measure cyclomatic",
    ),
    Row(
        "outline",
        r"""
        ^(list|show|what|which|name|give|print)( me)?( are)?( all)?( the| its)? <symbols><there> (in|of|inside|does)\b
        ^how many <symbols><there> (in|of|inside|does)\b
        ^outline\b
        """,
        "list what a file defines",
        "`list the functions in src/app.py`",
        "list outline functions classes methods symbols define defined structure",
    ),
    Row(
        "review",
        r"""
        ^(code[- ])?(review|audit|critique|inspect|assess|critici[sz]e|double[- ]check)\b
        ^(do|give|make|perform|run)( me)?<some>( code| security)* (review|audit)\b
        ^<find><some> <smells>
        ^(is there|are there|do (we|i) have|any)<some> <smells>
        \bwhat('s| is| could be| may be) wrong (with|in)\b
        ^(can|could|how) .*\bimproved?\b
        ^(what|which) (functions?|files?|methods?|code) (is|are) (too )?(risky|untested)
        ^where are (the |my |our |all )*(todos?|fixmes?)\b
        ^what could (break|go wrong)\b
        """,
        "review a file or a diff",
        "`review src/app.py`, `review my changes`",
        "review audit check quality smell complexity duplicate todo secret security problem bug improve wrong",
    ),
    Row(
        "begin_tests",
        r"""
        ^(write|add|create|generate|begin|draft|make|scaffold|start)( me)?<some>( pytest| integration)? tests?\b
        ^(cover|test) <name>( with (unit )?tests)?( in .*)?$
        """,
        "begin tests",
        "`write tests for fetch_all`",
        "test write add create generate unit make new implement skeleton",
    ),
    Row(
        "tests_of",
        r"""
        \b(what|which) tests? (tests?|covers?|exercises?|uses?|calls?|there|are there|exist)?(?!fail|is |are |break)
        \btests? (of|for) `
        ^(is|are) \S+ (tested|covered)\b
        ^(find|show|list)( me)?( the| all)? tests? (of|for|that)\b
        """,
        "list the tests of a name",
        "`what tests fetch_all?`",
        "test cover coverage tested",
    ),
    Row(
        "test",
        r"""
        ^(re-?run|run|execute|start|launch)\b.*\b(tests?|pytest|test suite|specs?|checks)\b
        ^(tests?|pytest|run the suite)\W*$
        \b(do|did|are|will)( all)?( the| my| our)? tests? (pass|green|work|succeed|fail|break)
        \b(why|how) (do|does|did|are|is)( the| my| our| these| this)? tests? (fail|break|red|failing|broken)
        ^(which|what) (tests? )?(fails?|is failing|are failing|is broken|are broken|is red|breaks?)\b(?! (if|when))
        ^explain( the| my)?( test)? failures?\b
        ^(check|see|verify)( if| that| whether)( all)?( the| my)? tests? (pass|work)
        """,
        "run the tests, explain failures",
        "`run the tests`",
        "run test check pass fail verify ci failure failing suite",
    ),
    Row(
        "trace",
        r"""
        ^trace\b
        \b(paths?|ways?|calls?|chain) (from|between) <name> (to|and) <name>\W*$
        ^how (does|do) \S+ (reach|get to|call|end up (in|at|calling))
        ^where does \S+ end up\b
        ^(show|find)( me)?( the)? call (path|chain|graph|stack)\s
        """,
        "trace calls",
        "`trace from main to fetch_all`",
        "trace path flow reach how call graph way chain",
    ),
    Row(
        "summarise",
        r"""
        ^(?!where|which).*\b(summar(y|i[sz]e)|overview|tour|architecture|structure)\b(.*\b<whole>|\W*$)
        ^(what (is|does|'s)|what's|explain|describe) (this|the|my|our) <whole>
        ^(how|where) (do|does|should) (i|we|one) <begin>( (this|the|my) (<whole>|tests?)| it| this|\W*$)
        ^how is (this|the) <whole> (structured|organi[sz]ed|laid out|built)
        ^(walk|take|show) me (through|around)\b
        ^(get|getting) started|^onboard
        ^(what|where) (is|are) (the |its |our )?(main )?(entry ?points?|main file|main function)\W*$
        """,
        "summarise the repository",
        "`summarise this repository`",
        "summarise summary overview architecture structure",
    ),
    Row(
        "files",
        r"""
        ^(list|show)( me)?( all)?( the| my)? files(?! (that|which|where|with|using))\b
        \bhow many files\b
        ^(what|which) files are (there|here)
        """,
    ),
    Row(
        "document",
        r"""
        ^(document|doc|docstring)\b
        ^(write|add|generate|create|put|insert|improve|update|complete|draft)( me)?<some> <docs>
        ^comment\b
        """,
        "document a symbol or file",
        "`document fetch_all`",
        "document docstring comment docs describe jsdoc",
    ),
    Row(
        "fix",
        r"""
        ^(fix|repair|correct|cure|mend|clean ?up|tidy|resolve|solve|lint|auto-?fix|format)\b
        ^(remove|delete|drop|clean)( the| all| any)*( unused| dead)\b
        ^(add|insert|import)( the| all| any)* missing\b
        ^(organi[sz]e|sort) (the )?imports\b
        ^get rid of (the |all )*(unused|warnings|errors|lint)
        ^make \S+ (compile|lint|pass the linter|type[- ]check)
        """,
        "fix what rules can",
        "`fix src/app.py`",
        "fix repair lint format import unused clean refactor change edit improve rewrite error type",
    ),
    Row(
        "hierarchy",
        r"""
        \b(who|what|what else|which( \w+)? <kinds>|which) <derives>\b
        ^(<tell>( all)?( the| its| any| of)* )?(known |direct )?<heirs> (of|for|to)\b
        ^(<tell> )?(the )?(class |type |trait )?(hierarchy|inheritance( tree)?) (of|for|below|under|above)\b
        ^(what|which \w+) (does|do|is|are) \S+ (inherits?|derived?|extends?|sub-?classe?[sd]?|based|implements?)\b
        ^(is|are) \S+ (ever |anywhere |still )*(sub-?classed|inherited|extended|overridden|derived|implemented)\b
        ^where (is|are) \S+ (sub-?classed|inherited|extended|overridden)\b
        ^(does|do) (any|some)(thing| \w+)? <derives>\b
        """,
        "show what a class is derived from, and what derives from it",
        "`what inherits from Session?`",
        "inherit subclass superclass extends implements override derive hierarchy base class interface trait",
    ),
    Row(
        "callers",
        r"""
        \b(who|what|what else|which \w+) (calls?|uses?|invokes?|imports?|depends? on|references?|needs?|consumes?)\b
        \b(callers?|uses|usages?|references?|call sites?|dependents?) (of|to|for)\b
        \bwhere (is|are|do we|does \w+) .*\b(called|used|invoked|imported|referenced)\b
        ^(what|who) (happens|breaks|is affected) if .*\b(change|remove|delete|rename|break)
        ^(is|are|was)( the| this| a| an)*( \w+)? \S+ <really>(used|called|needed|dead|unused|imported|referenced)\b
        ^(is|are) there any(thing|one|body)?\b.*\b(uses?|users?|usages?|calls?|callers?|references?|using|calling)\b
        ^(does|do|did) (any|some|no)(thing|one|body| \w+)? .*\b(uses?|calls?|imports?|needs?|references?|depends? on)\b
        ^(do|does) (we|it|this|they|the \w+) (still |ever |even |actually )*(use|call|need|import) <name>( \w+)?\W*$
        """,
        "list the uses of a name",
        "`who calls fetch_all?`",
        "who call use reference usage depend import impact",
    ),
    Row(
        "explain",
        r"""
        ^(explain|describe|clarify|interpret|walk through)\b
        ^what('s| is| are| does| do)\b
        ^how (does|do|is|are|can)\b
        ^why\b
        ^tell me (about|what|how)\b
        ^(help me )?understand\b
        """,
        "explain a symbol, file, folder, error",
        "`explain Session.request`",
        "explain describe what mean error exception trace crash debug why bug",
    ),
    Row(
        "where",
        r"""
        \b(where|which (file|files|module|class|function|method|line|code|part)|find|locate|search|look for)\b
        \b(show me|list|grep|point me|jump to|go to|open)\b
        """,
        "find a place",
        "`where do we retry failed requests?`",
        "where find search look locate file show",
    ),
)
"""The first row of which a pattern is found decides."""
FIRST_WORDS = (
    *("where", "which", "what", "who", "how", "explain", "describe", "trace", "summarise", "summarize", "find", "show"),
    *("list", "search", "run", "fix", "write", "rename", "move", "extract", "document", "review", "audit", "commit"),
    *("changelog", "generate", "create", "add", "remove", "locate", "refactor", "test", "draft"),
)
"""Words that questions begin with."""


@cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Return the patterns of each row as one."""

    def filled(pattern: str) -> str:
        return re.sub(r"<(\w+)>", lambda part: PARTS[part[1]], pattern)

    rows: Iterator[tuple[Kind, list[str]]] = (
        (row.kind, [filled(line.lstrip()) for line in row.said.split("\n") if line.strip()]) for row in ROWS
    )
    return tuple((kind, re.compile("|".join(f"(?:{line})" for line in lines))) for kind, lines in rows)


def kinds(lowered: str) -> list[Kind]:
    """Return what the words of a lower-cased question say of its kind, the deciding one first."""
    bare = _POLITE.sub("", lowered, count=1) or lowered
    return [kind for kind, pattern in _patterns() if pattern.search(bare)]
