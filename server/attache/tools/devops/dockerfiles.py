"""What is wrong with a Dockerfile: its instructions, and the habits that make images large, unsafe or unrepeatable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from attache.tools.devops.yaml_tree import Findings

INSTRUCTIONS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
_SECRET = re.compile(r"(?i)\b\w*(?:password|passwd|secret|token|api_?key|private_?key)\w*\b")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_ENTRY_POINTS = frozenset({"CMD", "ENTRYPOINT"})


class Instruction(NamedTuple):
    """One instruction, its lines joined."""

    line: int
    name: str
    rest: str


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions; comments go, continued lines and here-documents are joined."""
    lines = text.splitlines()
    escape = "`" if re.match(r"#\s*escape\s*=\s*`", text) else "\\"
    at = 0
    while at < len(lines):
        start, line = at, lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        parts = [line]
        while parts[-1].endswith(escape) and at < len(lines):
            following = lines[at].strip()
            at += 1
            if not following.startswith("#"):
                parts[-1] = parts[-1][:-1].rstrip()
                parts.append(following)
        whole = " ".join(parts)
        for end in _HEREDOC.findall(whole) if re.match(r"(?i)(run|copy|add)\s", whole) else ():
            while at < len(lines) and lines[at].strip() != end:
                whole += "\n" + lines[at]
                at += 1
            at += 1
        name, _, rest = whole.partition(" ")
        yield Instruction(start + 1, name.upper(), rest.strip())


def check(path: str, text: str) -> Findings:
    """Return what is wrong with a Dockerfile."""
    out = Findings(path, [])
    found = list(instructions(text))
    stages: set[str] = set()
    for each in found:
        if each.name not in INSTRUCTIONS:
            out.add(each.line, "error", "instruction", f"{each.name} is no instruction")
        elif each.name == "FROM":
            _image(out, each, stages)
        elif each.name == "RUN":
            _run(out, each)
        else:
            _other(out, each)
    _order(out, found)
    return out


def _image(out: Findings, each: Instruction, stages: set[str]) -> None:
    words = [word for word in each.rest.split() if not word.startswith("--")]
    if not words:
        out.add(each.line, "error", "from", "FROM names no image")
        return
    image = words[0]
    last = image.rpartition("/")[2]
    fixed = image.lower() in stages or image == "scratch" or "$" in image or "@" in image
    if not fixed and (":" not in last or last.endswith(":latest")):
        out.add(each.line, "warning", "tag", f"{image} is another image tomorrow: name a version")
    if len(words) > 2 and words[1].lower() == "as":  # noqa: PLR2004 - FROM image AS name
        if words[2].lower() in stages:
            out.add(each.line, "error", "stage", f"there is a stage {words[2]} already")
        stages.add(words[2].lower())


_RUN_RULES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("sudo", re.compile(r"(?:^|[;&|]\s*)sudo\s"), "sudo does nothing good in an image: set USER"),
    (
        "pipe",
        re.compile(r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:ba|z)?sh\b"),
        "it runs whatever the server answers: check a hash first",
    ),
    ("rights", re.compile(r"chmod\s+(?:-R\s+)?0?777"), "everybody may write there"),
    ("cd", re.compile(r"^cd\s+\S+\s*$"), "cd ends with its RUN: use WORKDIR"),
    (
        "cache",
        re.compile(r"\bpip3?\s+install\b(?!.*--no-cache-dir)(?!.*-r\s*/dev/null)"),
        "pip keeps its cache in the layer: --no-cache-dir, or a cache mount",
    ),
    (
        "yes",
        re.compile(r"\bapt-get\s+(?:-\S+\s+)*install\b(?!.*(?:\s-y\b|--yes|-qy|-yq|--assume-yes))", re.DOTALL),
        "apt-get asks, and nobody answers: -y",
    ),
    (
        "apt",
        re.compile(r"(?:^|[;&|]\s*)apt\s+(?:install|update|upgrade)"),
        "apt is for people: apt-get is stable in scripts",
    ),
)


def _run(out: Findings, each: Instruction) -> None:
    cached = "--mount=type=cache" in each.rest
    for code, pattern, message in _RUN_RULES:
        if pattern.search(each.rest) and not (cached and code == "cache"):
            out.add(each.line, "error" if code == "yes" else "warning", code, message)
    installs = re.search(r"\bapt-get\s+(?:-\S+\s+)*install\b", each.rest)
    if installs and not re.search(r"apt-get\s+(?:-\S+\s+)*update", each.rest):
        out.add(
            each.line, "warning", "update", "the list of packages is an older layer's: update and install in one RUN"
        )
    if installs and "/var/lib/apt/lists" not in each.rest and not cached:
        out.add(each.line, "information", "lists", "the package lists stay in the layer: rm -rf /var/lib/apt/lists/*")
    if re.search(r"apt-get\s+(?:-\S+\s+)*update\s*$", each.rest):
        out.add(each.line, "warning", "update", "this layer is cached for ever: update and install in one RUN")


def _other(out: Findings, each: Instruction) -> None:
    match each.name:
        case "ENV" | "ARG" if secret := _SECRET.search(each.rest.partition("=")[0]):
            out.add(
                each.line, "error", "secret", f"{secret.group()} stays in the image's history: RUN --mount=type=secret"
            )
        case "ADD" if re.match(r"(?:--\S+\s+)*https?://", each.rest) and "--checksum" not in each.rest:
            out.add(
                each.line, "warning", "add", "what it fetches is not checked: ADD --checksum, or curl and sha256sum"
            )
        case "ADD" if not re.search(r"\.(?:tar|tgz|gz|xz|bz2|zip)\b|https?://|git@", each.rest):
            out.add(each.line, "information", "add", "COPY says that nothing is fetched or unpacked")
        case "WORKDIR" if not re.match(r"[/$\"']|[A-Za-z]:", each.rest):
            out.add(each.line, "warning", "workdir", "a relative WORKDIR depends on the one before: give it in full")
        case "EXPOSE":
            for port in re.findall(r"\d+", each.rest):
                if int(port) > 65_535:  # noqa: PLR2004 - the largest port there is
                    out.add(each.line, "error", "port", f"{port} is no port")
        case "MAINTAINER":
            out.add(each.line, "information", "maintainer", "it is out of use: LABEL org.opencontainers.image.authors")
        case "CMD" | "ENTRYPOINT" if each.rest.startswith("["):
            try:
                json.loads(each.rest)
            except ValueError:
                out.add(
                    each.line,
                    "error",
                    "json",
                    f"{each.name} looks like JSON and is none, so a shell gets it: double quotes",
                )
        case "CMD" | "ENTRYPOINT":
            out.add(
                each.line, "information", "shell", 'a shell stands between, and signals do not arrive: the ["…"] form'
            )
        case _:
            pass


def _order(out: Findings, found: list[Instruction]) -> None:
    """Look at what can be told only of the whole."""
    first = next((each for each in found if each.name != "ARG"), None)
    if first is None or first.name != "FROM":
        out.add(first.line if first else 1, "error", "from", "nothing but ARG may stand before the first FROM")
        return
    last_from = max(number for number, each in enumerate(found) if each.name == "FROM")
    final = found[last_from:]
    users = [each for each in final if each.name == "USER"]
    if not users or users[-1].rest.split(":")[0] in {"root", "0"}:
        at = users[-1].line if users else final[0].line
        out.add(at, "warning", "user", "the container runs as root: set USER to another at the end")
    for name in _ENTRY_POINTS:
        several = [each for each in final if each.name == name]
        for each in several[:-1]:
            out.add(each.line, "warning", "several", f"only the last {name} counts")
    copied = next(
        (each for each in final if each.name == "COPY" and re.match(r"(?:--(?!from)\S+\s+)*\.\s", each.rest)), None
    )
    installs = [
        each
        for each in final
        if re.search(r"\b(?:pip3?|npm|yarn|pnpm|uv|bundle|composer)\s+(?:install|ci|sync)\b", each.rest)
    ]
    if copied and any(each.line > copied.line for each in installs):
        out.add(
            copied.line,
            "information",
            "order",
            "every change installs all again: copy the manifests, install, then copy the rest",
        )
