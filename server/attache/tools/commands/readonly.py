"""Programs that only read, run without asking: a table of them with the options that keep them so.

What is not in the table is not run here. Paths must lie in the workspace, links followed; no shell stands between.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from attache.foundation.redact import redact
from attache.schema.errors import InvalidArguments, PathRefused, ToolError
from attache.schema.tools import ToolOutput
from attache.tools.tool import Context, tool
from attache.tools.wording import first_line, middle_out
from attache.workspace.environment import command_environment
from attache.workspace.paths import to_uri
from attache.workspace.views import DirectView

SECONDS = 20.0
OUTPUT_CHARS = 20_000
OUTPUT_BYTES = 2_000_000
MEMORY_BYTES = 1_000_000_000
LOOKED_AT_BYTES = 1_000_000
PIPES_MOST = 6


class Allowed(NamedTuple):
    """What a program may be given: options by a regex, and whether its first words are patterns, not paths."""

    options: str
    words: int = 0
    """Arguments before the paths, such as the pattern of grep."""
    least: int = 0
    """Paths that it needs; with fewer it would read what is typed."""
    most: int = 100
    """Paths that it may have; to some programs one more is a file to write."""


_NUMBER = r"-\d+|-[nc]\+?\d+|-[nc]|--(?:lines|bytes)=\+?\d+"
PROGRAMS = {
    "ls": Allowed(r"-[1aAlhRtSrFdiUp]+|--color=never|--full-time|--group-directories-first"),
    "wc": Allowed(r"-[clmwL]+"),
    "du": Allowed(r"-[shckmab]+|-d\d+|--max-depth=\d+|--apparent-size"),
    "stat": Allowed(r"-[Lt]|-c.+|--format=.+|--printf=.+"),
    "file": Allowed(r"-[biLk]+|--brief|--mime(?:-type|-encoding)?", least=1),
    "head": Allowed(_NUMBER),
    "tail": Allowed(_NUMBER),
    "cat": Allowed(r"-[nbsAvET]+"),
    "tac": Allowed(r"(?!)"),
    "nl": Allowed(r"-[bw]\w+"),
    "cut": Allowed(r"-[dfcb].*|--(?:delimiter|fields|characters)=.+|--complement|-s"),
    "sort": Allowed(r"-[nrufVhgbdc]+|-k[\d.,nrVh]+|-t.|--(?:numeric-sort|reverse|unique|version-sort)"),
    "uniq": Allowed(r"-[cdui]+", most=1),
    "tr": Allowed(r"-[dcs]+", words=2),
    "grep": Allowed(r"-[nilcvEFwxoqhHs]+|-[ABCm]\d+|--(?:count|invert-match|only-matching|ignore-case)", words=1),
    "diff": Allowed(r"-[uqNwbBiya]+|-U\d+|--(?:brief|side-by-side)", least=2),
    "cmp": Allowed(r"-[lbs]+", least=2),
    "comm": Allowed(r"-[123]+", least=2),
    "jq": Allowed(r"-[rcsSMj]+|--(?:raw-output|compact-output|slurp|sort-keys)", words=1),
    "md5sum": Allowed(r"-b"),
    "sha1sum": Allowed(r"-b"),
    "sha256sum": Allowed(r"-b"),
    "basename": Allowed(r"(?!)", words=2, least=0),
    "dirname": Allowed(r"(?!)", words=1),
    "date": Allowed(r"-u|\+.+|-I(?:date|seconds)?|--iso-8601(?:=\w+)?", words=1),
    "uname": Allowed(r"-[asnrvmpio]+"),
    "nproc": Allowed(r"--all"),
    "true": Allowed(r"(?!)"),
}
"""`(?!)` allows no option. None of these can write, run another program or reach the network with what is allowed."""
VERSIONS = frozenset({
    "python", "python3", "node", "npm", "pnpm", "yarn", "bun", "deno", "go", "cargo", "rustc", "java", "javac", "mvn",
    "gradle", "ruby", "bundle", "php", "composer", "dotnet", "gcc", "g++", "clang", "cmake", "make", "git", "docker",
    "kubectl", "terraform", "uv", "poetry", "pip", "pip3", "ruff", "mypy", "pytest", "tsc", "swift", "kotlin", "psql",
})  # fmt: skip
"""Programs that may be asked for their version, and for nothing else; not in the project's folder, whose files
(`.mvn/jvm.config`, `rust-toolchain.toml`, `.yarnrc.yml`) would have some of them run what stands there."""
_COUNTING = frozenset({"ls", "wc", "du", "stat", "file", "md5sum", "sha1sum", "sha256sum", "basename", "dirname"})
"""Programs that tell of a file, and nothing that stands in it."""
_VERSION = frozenset({"--version", "-V", "-version", "version"})
_ENVIRONMENT_OF_JQ = re.compile(r"\benv\b|\$ENV|\$__prog_args|\b(?:import|include)\b")


@tool(category="shell", aliases=("readonly_shell", "inspect"))
async def run_readonly(
    ctx: Context,
    command: Annotated[
        str, Field(min_length=1, description="Programs that only read, `|` between: `sort a.txt | uniq -c`.")
    ],
) -> ToolOutput:
    """Run ls, wc, sort, diff, jq, head, stat, `node --version` and the like without asking; they see files on disk."""
    stages = _stages(command)
    root = ctx.workspace.roots[0].path
    argvs = [_argv(ctx, root, words, first=number == 0) for number, words in enumerate(stages)]
    folders = [root if words[0] in PROGRAMS else Path(root.anchor) for words in stages]
    code, output = await _piped(argvs, folders)
    typed = DirectView(ctx.workspace.roots, ctx.workspace.buffers).unsaved()
    note = [f"note: it ran on the disk, without what is typed in {', '.join(typed[:10])}"] if typed else []
    text = middle_out(output.decode("utf-8", "replace").rstrip("\n"), OUTPUT_CHARS)
    return ToolOutput(
        text="\n".join([*note, text or f"no output, exit {code}", *([f"exit {code}"] if code and text else [])]),
        title=f"`{first_line(command)}` · exit {code}",
        data={"exit_code": code},
        is_error=code > 1,  # 1 is what grep, diff and cmp answer where there is nothing, or a difference
    )


def _stages(command: str) -> list[list[str]]:
    """Return the words of each program of a pipeline. Raises InvalidArguments for anything else of a shell."""
    reader = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        words = list(reader)
    except ValueError as error:
        raise InvalidArguments(f"run_readonly.command: {error}", hint="close the quotes") from None
    stages: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            stages.append([])
        elif word and set(word) <= set("|&;<>()"):
            raise InvalidArguments(f"run_readonly.command: `{word}` is of a shell, and none is here", hint="use shell")
        else:
            stages[-1].append(word)
    if not all(stages) or len(stages) > PIPES_MOST:
        raise InvalidArguments("run_readonly.command: this is no pipeline of programs", hint="such as: wc -l a.txt")
    return stages


def _argv(ctx: Context, root: Path, words: Sequence[str], *, first: bool) -> list[str]:
    """Return what is run. Raises InvalidArguments where it is not in the table, PathRefused outside the workspace."""
    name, *given = words
    if name in VERSIONS and len(given) == 1 and given[0] in _VERSION:
        return [_program(ctx, name), *given]
    row = PROGRAMS.get(name)
    if row is None:
        raise InvalidArguments(
            f"run_readonly.command: {name} is not among the programs that only read",
            hint=f"those are {', '.join(sorted(PROGRAMS))}; for others use shell",
        )
    kept: list[str] = []
    paths, patterns, plain = 0, row.words, False
    for word in given:
        if word == "--" and not plain:
            plain = True
        elif (word.startswith("-") and word != "-" and not plain) or (name == "date" and word.startswith("+")):
            if not re.fullmatch(row.options, word):
                raise InvalidArguments(f"run_readonly.command: {name} {word} is not allowed here", hint="use shell")
        elif patterns:
            patterns -= 1
            _harmless(name, word)
        elif word.isdigit() and kept and kept[-1] in {"-n", "-c"}:
            pass
        else:
            paths += 1
            _inside(ctx, root, word)
            _fit(name, root / word)
        kept.append(word)
    if paths > row.most:
        raise InvalidArguments(f"run_readonly.command: {name} would write to its last file", hint="use shell")
    reads_files = name not in {"date", "uname", "nproc", "true", "basename", "dirname", "ls", "du"}
    if first and reads_files and paths < max(row.least, 1):
        raise InvalidArguments(f"run_readonly.command: {name} is given no file", hint=f"such as: {name} README.md")
    return [_program(ctx, name), *kept]


def _harmless(name: str, word: str) -> None:
    if name == "jq" and _ENVIRONMENT_OF_JQ.search(word):
        raise InvalidArguments("run_readonly.command: jq may read nothing but its files here", hint="use shell")
    if name == "date" and not word.startswith("+"):
        raise InvalidArguments("run_readonly.command: date may not be set", hint="date +%F shows it")


def _inside(ctx: Context, root: Path, word: str) -> None:
    if word == "-":
        return
    path = Path(os.path.realpath(root / word))
    if not any(path.is_relative_to(os.path.realpath(each.path)) for each in ctx.workspace.roots):
        raise PathRefused(f"{word} lies outside the workspace", hint="name a path inside it")
    ctx.workspace.place(to_uri(root / word))


def _fit(name: str, path: Path) -> None:
    """Refuse what would be read besides what is named, and secrets that would pass in pieces that have no shape."""
    if name == "diff" and path.is_dir():  # it would follow the links that lie in there
        raise InvalidArguments("run_readonly.command: diff compares single files here", hint="name two files")
    if name in _COUNTING or not path.is_file():
        return
    with path.open("rb") as file:
        text = file.read(LOOKED_AT_BYTES).decode("utf-8", "replace")
    if redact(text) != text:
        raise InvalidArguments(
            f"run_readonly.command: {path.name} holds a secret, which {name} could take apart",
            hint="use read or grep, which leave it out",
        )


def _program(ctx: Context, name: str) -> str:
    """Return where a program lies; one that the workspace brings along is none of those we know."""
    found = shutil.which(name)
    if found is None:
        raise ToolError(f"{name} is not installed", hint="do without it")
    real = Path(os.path.realpath(found))
    if any(real.is_relative_to(each.path) or Path(found).is_relative_to(each.path) for each in ctx.workspace.roots):
        raise ToolError(f"{name} would be run from the workspace itself: {found}", hint="use shell, which asks")
    return found


async def _piped(argvs: Sequence[Sequence[str]], folders: Sequence[Path]) -> tuple[int, bytes]:
    """Run the programs one after the other, each with what the one before wrote; return the last exit code."""
    data, code = b"", 0
    environment = {**command_environment(), "LC_ALL": "C.UTF-8", "GREP_COLORS": "", "TZ": os.environ.get("TZ", "")}
    for number, (argv, cwd) in enumerate(zip(argvs, folders, strict=True)):
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=cwd, env=environment, start_new_session=os.name == "posix", stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.PIPE if number else asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _limit(process.pid, argv[0])
        try:
            async with asyncio.timeout(SECONDS):
                data, complaints = await _told(process, data if number else None)
                code = await process.wait()
        except TimeoutError:
            raise ToolError(f"{argv[0]} took longer than {SECONDS:g} s and was ended", hint="ask for less") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code < 0 and len(data) < OUTPUT_BYTES:
            raise ToolError(f"{argv[0]} was ended by signal {-code}", hint="ask for less: it may not take more memory")
        code = max(code, 0)  # ended by us, since nobody reads on
        if code > 1 or (code and complaints):
            return max(code, 2), complaints or data
    return code, data


async def _told(process: asyncio.subprocess.Process, given: bytes | None) -> tuple[bytes, bytes]:
    """Return what a program writes, up to a limit at which it is ended: it may never stop writing."""

    async def write() -> None:
        if process.stdin is not None and given is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(given)
                await process.stdin.drain()
            process.stdin.close()

    async def read(stream: asyncio.StreamReader | None) -> bytes:
        kept = bytearray()
        while stream is not None and len(kept) <= OUTPUT_BYTES and (piece := await stream.read(65_536)):
            kept += piece
        if len(kept) > OUTPUT_BYTES and process.returncode is None:
            process.kill()
        return bytes(kept[:OUTPUT_BYTES])

    _, output, complaints = await asyncio.gather(write(), read(process.stdout), read(process.stderr))
    return output, complaints


def _limit(pid: int, program: str) -> None:
    """Hold a program that may be told to build anything to so much memory, where the system can."""
    if sys.platform == "linux" and Path(program).name in PROGRAMS:
        import resource

        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
