"""Calls that attackers look for: in Python by ruff's security rules, elsewhere by a table of patterns."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.index.languages import languages
from attache.schema.documents import Diagnostic, Place, Severity
from attache.schema.errors import FileSkipped, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.diagnostics import ruff_found
from attache.tools.files.files import is_folder
from attache.tools.git.git import Path_
from attache.tools.listing import glob as compiled
from attache.tools.paging import Offset, paged
from attache.tools.tool import Context, tool
from attache.tools.wording import counted, finding, lines_of

FILES_MOST = 2_000
PYTHON_RULES = ("--isolated", "--select=S", "--ignore=S101,S404,S603,S607", "--target-version=py314")
"""Asserts, the import of subprocess and each start of a program by argv are no risk by themselves."""
AT_ONCE = 4
TEST = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)test_|[._-](?:test|spec)\.")


class Risk(NamedTuple):
    """One row of the table: where it counts, what it looks like, how grave it is and why."""

    code: str
    languages: frozenset[str]
    pattern: str
    severity: Severity
    why: str


_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_WEB = _SCRIPTS | {"html", "php"}
_GO, _RUST, _JAVA = frozenset({"go"}), frozenset({"rust"}), frozenset({"java", "kotlin"})
_RUBY, _PHP, _C = frozenset({"ruby"}), frozenset({"php"}), frozenset({"c", "cpp"})
_SHELL, _SHARP = frozenset({"bash"}), frozenset({"c_sharp"})
RISKS = (
    Risk(
        "eval",
        _SCRIPTS | _PHP | _RUBY,
        r"(?<![\w.$])eval\s*\(|new Function\s*\(",
        "error",
        "it runs text as code: whoever writes the text runs the program",
    ),
    Risk("eval", _SHELL, r"(?:^|[;&|]\s*)eval\s", "warning", "it runs text as code: quote and call instead"),
    Risk(
        "command",
        _SCRIPTS,
        r"\bexec(?:Sync)?\s*\(\s*(?:`[^`]*\$\{|[\"'][^\"']*[\"']\s*\+)",
        "error",
        "a shell reads the text: pass an argv to execFile or spawn",
    ),
    Risk("command", _SCRIPTS, r"\bshell\s*:\s*true", "warning", "a shell reads the arguments"),
    Risk(
        "command", _GO, r"exec\.Command\w*\(\s*(?:ctx,\s*)?\"(?:ba|z)?sh\",\s*\"-c\"", "error", "a shell reads the text"
    ),
    Risk("command", _JAVA, r"Runtime\.getRuntime\(\)\.exec\(", "warning", "use ProcessBuilder with an argv"),
    Risk(
        "command",
        _PHP,
        r"\b(?:shell_exec|system|passthru|popen|proc_open)\s*\(\s*[^)]*\$",
        "error",
        "a shell reads the text: escapeshellarg at least",
    ),
    Risk(
        "command", _RUBY, r"(?:\bsystem|\bexec|%x)\s*[({]?\s*\"[^\"]*#\{|`[^`]*#\{", "error", "a shell reads the text"
    ),
    Risk("command", _C, r"\b(?:system|popen)\s*\(\s*(?!\")", "error", "a shell reads what a variable holds"),
    Risk("command", _SHARP, r"Process\.Start\(\s*\"cmd", "warning", "a shell reads the arguments"),
    Risk(
        "download",
        _SHELL | {"dockerfile"},
        r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b",
        "error",
        "it runs whatever the server answers: fetch, check a hash, then run",
    ),
    Risk(
        "html",
        _WEB,
        r"\.(?:innerHTML|outerHTML)\s*\+?=(?!=)|dangerouslySetInnerHTML|document\.write(?:ln)?\s*\(|v-html=",
        "warning",
        "text becomes markup: sanitise it, or set textContent",
    ),
    Risk(
        "sql",
        _SCRIPTS | _GO | _JAVA | _PHP | _RUBY | _SHARP,
        r"(?i)[\"'`]\s*(?:select\s[^\"'`]+?\sfrom\s+(?=[$#]\{|%|[\w.]*\s*[\"']|[\w.]+\s+(?:where|join|left|inner|order|group)\b)|"
        r"insert\s+into\s|update\s\S+\sset\s|delete\s+from\s)[^\"'`]*"
        r"(?:[\"']\s*(?:\+|\.(?=\s*\$))|\$\{|#\{|%[sdv][^\"'`]*[\"'`]\s*[,%])",
        "error",
        "values become SQL: use parameters",
    ),
    Risk(
        "tls",
        _SCRIPTS,
        r"rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED",
        "error",
        "certificates are not checked: anybody between can read and change",
    ),
    Risk("tls", _GO, r"InsecureSkipVerify\s*:\s*true", "error", "certificates are not checked"),
    Risk("tls", _RUST, r"danger_accept_invalid_certs\s*\(\s*true", "error", "certificates are not checked"),
    Risk(
        "tls",
        _SHELL | {"dockerfile"},
        r"\bcurl\b[^|;&]*\s(?:-k|--insecure)\b|\bwget\b[^|;&]*--no-check-certificate",
        "warning",
        "certificates are not checked",
    ),
    Risk("hash", _SCRIPTS, r"createHash\(\s*['\"](?:md5|sha1)['\"]", "warning", "collisions are easy: use SHA-256"),
    Risk("hash", _GO, r"\b(?:md5|sha1)\.(?:New|Sum)\b", "warning", "collisions are easy: use SHA-256"),
    Risk("hash", _JAVA, r"MessageDigest\.getInstance\(\s*\"(?:MD5|SHA-?1)\"", "warning", "use SHA-256"),
    Risk(
        "random",
        _SCRIPTS,
        r"(?i)(?:token|secret|password|nonce|salt|session)\w*\s*[:=][^;\n]*Math\.random\(",
        "error",
        "it can be guessed: use crypto.randomUUID or getRandomValues",
    ),
    Risk("random", _GO, r"\"math/rand(?:/v2)?\"", "hint", "it can be guessed: for secrets use crypto/rand"),
    Risk("deserialise", _JAVA, r"new ObjectInputStream\(", "warning", "it builds any object that the bytes ask for"),
    Risk("deserialise", _PHP, r"\bunserialize\s*\(", "warning", "it builds any object that the text asks for"),
    Risk("deserialise", _RUBY, r"\bMarshal\.load|YAML\.(?:unsafe_)?load\s*\(", "warning", "use YAML.safe_load or JSON"),
    Risk("deserialise", _SHARP, r"\bBinaryFormatter\b", "error", "it builds any object that the bytes ask for"),
    Risk(
        "memory",
        _C,
        r"\b(?:gets|strcpy|strcat|sprintf|vsprintf)\s*\(",
        "warning",
        "it writes past the end: use the bounded form",
    ),
    Risk(
        "memory",
        _RUST,
        r"\bunsafe\s*\{|\btransmute\s*[:(<]",
        "hint",
        "the compiler does not check it: say why it holds",
    ),
    Risk("prototype", _SCRIPTS, r"\[\s*['\"]__proto__['\"]\s*\]|\.__proto__\s*=", "warning", "it changes every object"),
    Risk(
        "message",
        _SCRIPTS,
        r"\.postMessage\([^)]*,\s*['\"]\*['\"]",
        "warning",
        "every page can read it: name the origin",
    ),
    Risk(
        "rights", _SHELL | {"dockerfile"}, r"\bchmod\s+(?:-R\s+)?(?:0?777|a\+rwx)\b", "warning", "everybody may write"
    ),
)
"""What stands in comments and plain text is found too; a reader tells it apart."""
_COMMENT = re.compile(r"^\s*(?://|#(?!\{)|\*|/\*|--|<!--)")


@tool(category="security", cost="LOW", aliases=("security_scan", "sast"))
async def risky_calls(
    ctx: Context,
    path: Path_ = "",
    glob: Annotated[str, Field(description="Only files like `*.ts`.")] = "",
    tests: Annotated[bool, Field(description="Tests too.")] = False,
    offset: Offset = 0,
) -> ToolOutput:
    """Find calls that endanger: text run as code or by a shell, SQL of strings, unchecked TLS, weak hashes and more."""
    files = await ctx.workspace.files(path) if not path or await is_folder(ctx, path) else (path,)
    wanted = compiled(glob) if glob else None
    known = [file for file in files if language(file) and (wanted is None or wanted.fullmatch(file))]
    chosen = [file for file in known if tests or file == path or not TEST.search(file)]
    found: list[Diagnostic] = []
    trouble: list[str] = []
    at_once = asyncio.Semaphore(AT_ONCE)

    async def look(file: str) -> None:
        async with at_once:
            try:
                text = (await ctx.workspace.read(file)).text
                found.extend(await risks(ctx, file, text))
            except (FileSkipped, PathRefused):
                return
            except ToolError as error:
                trouble.append(f"[{file} not looked at: {error.message}]")

    await asyncio.gather(*map(look, chosen[:FILES_MOST]))
    order = {"error": 0, "warning": 1, "information": 2, "hint": 3}
    found.sort(key=lambda each: (order[each.severity], each.place.path, each.place.line, each.code))
    head = f"{counted(len(found), 'risky call')} in {counted(len(chosen), 'file')}"
    if len(chosen) > FILES_MOST:
        trouble.append(f"[only the first {FILES_MOST:,} files were looked at: name a folder]")
    lines = [*map(finding, found), *trouble]
    return ToolOutput(
        text="\n".join([head, *([paged(lines, offset, narrower="name a folder")] if lines else [])]),
        title=head,
        places=tuple(each.place for each in found[:60]),
        data={"findings": [each.model_dump() for each in found]},
    )


def language(path: str) -> str:
    """Return the language that the table knows a file by, "" for none."""
    name = path.rpartition("/")[2].lower()
    if name == "dockerfile" or name.endswith(".dockerfile"):
        return "dockerfile"
    known = languages().of(path)
    return known.name if known and (known.name == "python" or known.name in _KNOWN) else ""


_KNOWN = frozenset(name for row in RISKS for name in row.languages)


async def risks(ctx: Context, path: str, text: str) -> list[Diagnostic]:
    """Return the risky calls of one text. Raises ToolError where ruff fails."""
    spoken = language(path)
    if spoken == "python":
        return list(await ruff_found(path, text, cwd=ctx.workspace.roots[0].path, options=PYTHON_RULES))
    return list(_by_table(path, spoken, text))


def _by_table(path: str, spoken: str, text: str) -> Iterator[Diagnostic]:
    rows = _rows(spoken)
    for number, line in enumerate(lines_of(text), 1):
        if _COMMENT.match(line):
            continue
        for row, pattern in rows:
            if match := pattern.search(line[:2_000]):
                place = Place(path=path, line=number, column=match.start() + 1)
                said = f"{match.group().strip()[:60]}: {row.why}"
                yield Diagnostic(place=place, message=said, severity=row.severity, source="attache", code=row.code)


@cache
def _rows(spoken: str) -> tuple[tuple[Risk, re.Pattern[str]], ...]:
    return tuple((row, re.compile(row.pattern)) for row in RISKS if spoken in row.languages)
