"""Which language servers there are, how each is started, and what has to hold before it may be."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from attache.foundation.settings import ServerSettings

_JAVASCRIPT: Final = {
    ".ts": "typescript", ".tsx": "typescriptreact", ".mts": "typescript", ".cts": "typescript",
    ".js": "javascript", ".jsx": "javascriptreact", ".mjs": "javascript", ".cjs": "javascript",
}  # fmt: skip
_C: Final = {
    ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hh": "cpp", ".hpp": "cpp", ".hxx": "cpp",
    ".m": "objective-c", ".mm": "objective-cpp",
}  # fmt: skip
_PYTHON: Final = {".py": "python", ".pyi": "python"}


class Row(NamedTuple):
    """A language server as it is known before it is looked for."""

    name: str
    command: tuple[str, ...]
    languages: Mapping[str, str]
    """From the suffix of a file to the protocol's name of its language."""
    runs_code: bool = False
    """Whether it runs, or loads, what the folder carries (build scripts, plug-ins): only where that is trusted."""
    root_markers: tuple[str, ...] = ()
    """Files of which one has to lie in a folder for it to be served; empty: every folder is."""
    options: Mapping[str, Any] = {}
    """`initializationOptions`."""
    settings: Mapping[str, Any] = {}
    """What it is told when it asks for its settings."""


TABLE: Final = (
    # ruff is not among them: every Python text is checked by it anyway.
    Row("basedpyright", ("basedpyright-langserver", "--stdio"), _PYTHON),
    Row("pyright", ("pyright-langserver", "--stdio"), _PYTHON),
    Row("pylsp", ("pylsp",), _PYTHON, runs_code=True),
    Row("typescript-language-server", ("typescript-language-server", "--stdio"), _JAVASCRIPT, runs_code=True),
    Row("gopls", ("gopls",), {".go": "go"}),
    Row("rust-analyzer", ("rust-analyzer",), {".rs": "rust"}, runs_code=True),
    Row("clangd", ("clangd",), _C),
    Row("jdtls", ("jdtls",), {".java": "java"}, runs_code=True),
    Row("kotlin-language-server", ("kotlin-language-server",), {".kt": "kotlin", ".kts": "kotlin"}, runs_code=True),
    Row("csharp-ls", ("csharp-ls",), {".cs": "csharp"}, runs_code=True),
    Row("ruby-lsp", ("ruby-lsp",), {".rb": "ruby"}, runs_code=True),
    Row("solargraph", ("solargraph", "stdio"), {".rb": "ruby"}, runs_code=True),
    Row("intelephense", ("intelephense", "--stdio"), {".php": "php"}),
    Row("phpactor", ("phpactor", "language-server"), {".php": "php"}, runs_code=True),
    Row("lua-language-server", ("lua-language-server",), {".lua": "lua"}, runs_code=True),
    Row("zls", ("zls",), {".zig": "zig"}, runs_code=True),
    Row("sourcekit-lsp", ("sourcekit-lsp",), {".swift": "swift"}, runs_code=True),
    Row("dart", ("dart", "language-server"), {".dart": "dart"}, runs_code=True),
    Row("elixir-ls", ("elixir-ls",), {".ex": "elixir", ".exs": "elixir"}, runs_code=True),
    Row("haskell-language-server", ("haskell-language-server-wrapper", "--lsp"), {".hs": "haskell"}, runs_code=True),
    Row("ocamllsp", ("ocamllsp",), {".ml": "ocaml", ".mli": "ocaml.interface"}, runs_code=True),
    Row("metals", ("metals",), {".scala": "scala", ".sbt": "scala"}, runs_code=True),
    Row("bash-language-server", ("bash-language-server", "start"), {".sh": "shellscript", ".bash": "shellscript"}),
    Row("terraform-ls", ("terraform-ls", "serve"), {".tf": "terraform", ".tfvars": "terraform-vars"}, runs_code=True),
    Row("texlab", ("texlab",), {".tex": "latex", ".bib": "bibtex"}),
)
"""Of several rows for one suffix the first that is found serves."""

_OWN: Final = (".venv", "venv")
_NO_MODE: Final = frozenset({"pyrightconfig.json", "pyproject.toml"})


_MARKER_DEPTH: Final = 2
"""How far below a folder of the workspace a root marker is looked for."""
_MOST_FOLDERS: Final = 2_000
_PASSED_OVER: Final = frozenset({"node_modules", "vendor", "target", "build", "dist", "venv"})


def rows(own: Mapping[str, ServerSettings]) -> tuple[Row, ...]:
    """Return the servers that the user set and the known ones; one of a known name takes its place, changed."""
    known = {row.name: row for row in TABLE}
    mine = (_changed(known.get(name) or Row(name, (), {}, True), each) for name, each in own.items() if each.enabled)
    return (*(row for row in mine if row.command), *(row for row in TABLE if row.name not in own))


def _changed(row: Row, own: ServerSettings) -> Row:
    languages = {f".{suffix.removeprefix('.')}".lower(): name for suffix, name in own.languages.items()}
    return row._replace(
        command=own.command or row.command,
        languages=languages or row.languages,
        runs_code=row.runs_code or bool(own.command),
        root_markers=own.root_markers,
        options=own.options,
        settings=own.settings,
    )


def chosen(
    suffix: str, roots: Sequence[Path], *, trusted: bool, table: Sequence[Row] = TABLE
) -> tuple[Row, tuple[str, ...]] | None:
    """Return the first server that is found for files of a suffix and may be started, with its command."""
    for row in table:
        if (
            suffix in row.languages
            and (trusted or not row.runs_code)
            and served(row, roots)
            and (path := found(row, roots, trusted=trusted))
        ):
            return row, (path, *row.command[1:])
    return None


def served(row: Row, roots: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders that a server is for: those with a root marker where it has any, else all."""
    if not row.root_markers:
        return tuple(roots)
    return tuple(folder for root in roots for folder in _folders(root) if _marked(folder, row.root_markers))


def _marked(folder: Path, markers: Sequence[str]) -> bool:
    return any((folder / marker).exists() for marker in markers)


def _folders(root: Path) -> Iterator[Path]:
    """Yield a folder and what lies a little below it, the nearest first."""
    level, seen = [root], 0
    for depth in range(_MARKER_DEPTH + 1):
        yield from level
        if depth == _MARKER_DEPTH or (seen := seen + len(level)) > _MOST_FOLDERS:
            return
        level = [folder for each in level for folder in _inside(each)]


def _inside(folder: Path) -> list[Path]:
    try:
        there = [Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(each for each in there if not each.name.startswith(".") and each.name not in _PASSED_OVER)


def found(row: Row, roots: Sequence[Path], *, trusted: bool) -> str | None:
    """Return the path of a server's program: the folder's own where that is trusted, else the one on PATH.

    What lies in an untrusted folder is passed over, also where PATH or a path that the user set leads there.
    """
    if Path(row.command[0]).name != row.command[0]:
        return _by_path(Path(row.command[0]).expanduser(), roots, trusted=trusted)
    places = [Path(place) for place in os.get_exec_path() if Path(place).is_absolute()]
    if trusted:
        places = [*_own(roots), *places]
    else:
        inside = [root.resolve() for root in roots]
        places = [place for place in places if not any(place.resolve().is_relative_to(root) for root in inside)]
    return shutil.which(row.command[0], path=os.pathsep.join(map(str, places)))


def _by_path(program: Path, roots: Sequence[Path], *, trusted: bool) -> str | None:
    """Return a program that is named by its path, within a folder of the workspace where that is relative."""
    if not trusted and (not program.is_absolute() or any(program.resolve().is_relative_to(r.resolve()) for r in roots)):
        return None
    places = [program] if program.is_absolute() else [root / program for root in roots]
    return next((there for place in places if (there := shutil.which(str(place)))), None)


def _own(roots: Sequence[Path]) -> Iterator[Path]:
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    for root in roots:
        yield from (root / name / scripts for name in _OWN)
        yield root / "node_modules" / ".bin"


def settings(row: Row, section: str, roots: Sequence[Path], *, trusted: bool) -> Any:
    """Return what a server is told when it asks for a section of the settings; None where it shall take its own.

    Where the folder is not trusted no interpreter of it is run: ours answers what a Python has by itself.
    """
    told: Any = _section(row.settings, section)
    known = _of_python(row, section, roots, trusted=trusted) if row.languages is _PYTHON else None
    return known if told is None else {**known, **cast("dict[str, Any]", told)} if known and section else told


def _section(given: Mapping[str, Any], section: str) -> Any:
    """Return what stands at a dotted name, whole or part by part; None where nothing does."""
    if not section or section in given:
        return given.get(section) if section else dict(given) or None
    name, _, rest = section.partition(".")
    inner = given.get(name)
    return _section(cast("dict[str, Any]", inner), rest) if rest and isinstance(inner, dict) else None


def _of_python(row: Row, section: str, roots: Sequence[Path], *, trusted: bool) -> dict[str, Any] | None:
    name = "python.exe" if sys.platform == "win32" else "python"
    own = next((str(path / name) for path in _own(roots) if (path / name).exists()), None)
    interpreter = (own or shutil.which("python3") or sys.executable) if trusted else sys.executable
    if section == "python":
        return {"pythonPath": interpreter, "analysis": _analysis(roots)}
    if section == f"{row.name}.analysis":
        return _analysis(roots)
    return {"analysis": _analysis(roots)} if section == row.name else None


def _analysis(roots: Sequence[Path]) -> dict[str, object]:
    """Return how strictly Python is read: as the folder says, else as pyright does by itself."""
    said = any((root / name).exists() for root in roots for name in _NO_MODE)
    mode = {} if said else {"typeCheckingMode": "standard"}
    return {**mode, "diagnosticMode": "openFilesOnly", "autoSearchPaths": True}
