"""Give a Python name its import: where it comes from, and where the line belongs."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath

from attache.schema.code import Symbol
from attache.schema.data import Record
from attache.schema.documents import Patch

FROM = {
    "abc": "ABC abstractmethod",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "collections.abc": "AsyncIterator Awaitable Callable Collection Generator Hashable Iterable Iterator Mapping "
    "MutableMapping MutableSequence Sequence",
    "concurrent.futures": "ProcessPoolExecutor ThreadPoolExecutor",
    "contextlib": "AsyncExitStack ExitStack asynccontextmanager closing contextmanager nullcontext redirect_stdout "
    "suppress",
    "copy": "deepcopy",
    "dataclasses": "asdict dataclass field fields",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "enum": "Enum Flag IntEnum StrEnum auto",
    "fractions": "Fraction",
    "functools": "cache cached_property lru_cache partial reduce singledispatch total_ordering wraps",
    "io": "BytesIO StringIO",
    "itertools": "accumulate chain combinations count cycle dropwhile groupby islice permutations product starmap "
    "takewhile zip_longest",
    "operator": "attrgetter itemgetter methodcaller",
    "pathlib": "Path PurePath PurePosixPath",
    "pprint": "pformat pprint",
    "tempfile": "NamedTemporaryFile TemporaryDirectory",
    "textwrap": "dedent indent",
    "time": "perf_counter sleep",
    "types": "MappingProxyType SimpleNamespace TracebackType",
    "typing": "Annotated Any ClassVar Final Generic Literal NamedTuple NewType Optional Protocol Self TYPE_CHECKING "
    "TypeAlias TypedDict TypeVar Union cast overload",
    "unittest.mock": "MagicMock Mock patch",
    "urllib.parse": "parse_qs quote unquote urlencode urljoin urlparse urlsplit",
    "uuid": "uuid4",
}
HOMES = {name: module for module, names in FROM.items() for name in names.split()}
"""Names of the standard library that have one home in everyday code."""

EXPORTS = ("collections.abc", "collections", "contextlib", "typing", "dataclasses", "enum", "pathlib", "io", "types")
"""Modules of which every class that they export is known by its name, the first meant where several have it."""


class Import(Record):
    """One import of one name."""

    module: str
    name: str = ""
    """Empty for `import module`."""

    def __str__(self) -> str:
        """Return the statement."""
        return f"from {self.module} import {self.name}" if self.name else f"import {self.module}"


def source_of(name: str, symbols: Iterable[Symbol], path: str) -> Import | None:
    """Return where a name that `path` uses is defined, or None where that is unknown or there are several homes.

    The workspace's own definition comes before the standard library's: whoever defines a name means it.
    """
    own = {_module(symbol.path) for symbol in symbols if _importable(symbol, name) and symbol.path != path}
    if len(own) == 1 and (module := own.pop()):
        return Import(module=module, name=name)
    if own:
        return None
    if name in sys.stdlib_module_names and not name.startswith("_"):
        return Import(module=name)
    home = HOMES.get(name) or _classes().get(name)
    return Import(module=home, name=name) if home else None


@cache
def _classes() -> dict[str, str]:
    """Return the classes and types that some modules of the standard library export, with the first that does."""
    names = {module: getattr(importlib.import_module(module), "__all__", ()) for module in reversed(EXPORTS)}
    return {name: module for module, all_ in names.items() for name in all_ if name[:1].isupper()}


def _importable(symbol: Symbol, name: str) -> bool:
    tested = PurePosixPath(symbol.path).name.startswith("test_")
    return symbol.name == name and not symbol.container and symbol.path.endswith(".py") and not tested


def _module(path: str) -> str:
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if parts[:1] in (["src"], ["lib"]):
        parts = parts[1:]
    if parts[-1:] == ["__init__"]:
        parts = parts[:-1]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def add(text: str, wanted: Import, path: str) -> Patch | None:
    """Return the patch that imports a name: into the statement that imports from its module, else on a line of its own.

    None where the text cannot be parsed, or has the import already.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        if isinstance(node, ast.ImportFrom) and node.module == wanted.module and not node.level and wanted.name:
            return _widened(text, node, wanted, path)
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    line, spaced = _line_for(body, wanted)
    if line > len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        end = len(lines[-1]) + 1
        return Patch(
            path=path, line=len(lines), column=end, end_line=len(lines), end_column=end, text=f"{newline}{wanted}"
        )
    follows = lines[line - 1] if line <= len(lines) else ""
    blank = newline if spaced and follows.strip() else ""
    before = newline if line > 1 and spaced and line - 2 < len(lines) and lines[line - 2].strip() else ""
    return Patch(path=path, line=line, column=1, end_line=line, end_column=1, text=f"{before}{wanted}{newline}{blank}")


def _line_for(body: list[ast.stmt], wanted: Import) -> tuple[int, bool]:
    """Return the line before which the import goes, and whether it wants a blank line behind it."""
    leading: list[ast.Import | ast.ImportFrom] = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            leading.append(node)
        elif not _is_docstring(node):
            break
    real = [node for node in leading if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    same = [node for node in real if _standard(_root(node)) == _standard(wanted.module.partition(".")[0])]
    for node in same:
        if _order(node) > (bool(wanted.name), wanted.module.lower()):
            return node.lineno, False
    if same:
        return (same[-1].end_lineno or same[-1].lineno) + 1, False
    if real:
        standard_first = _standard(wanted.module.partition(".")[0])
        return (real[0].lineno, True) if standard_first else ((real[-1].end_lineno or real[-1].lineno) + 1, False)
    after = leading or [node for node in body[:1] if _is_docstring(node)]
    if after:
        return (after[-1].end_lineno or after[-1].lineno) + 1, True
    return (body[0].lineno if body else 1), bool(body)


def _widened(text: str, node: ast.ImportFrom, wanted: Import, path: str) -> Patch | None:
    names = [alias.name for alias in node.names]
    if wanted.name in names or names == ["*"]:
        return None
    last = node.names[-1]
    line = text.splitlines()[(last.end_lineno or last.lineno) - 1]
    column = len(line.encode()[: last.end_col_offset or 0].decode()) + 1
    at = last.end_lineno or last.lineno
    return Patch(path=path, line=at, column=column, end_line=at, end_column=column, text=f", {wanted.name}")


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _root(node: ast.Import | ast.ImportFrom) -> str:
    module = node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
    return module.partition(".")[0]


def _standard(root: str) -> bool:
    return root in sys.stdlib_module_names


def _order(node: ast.Import | ast.ImportFrom) -> tuple[bool, str]:
    """Return what imports are sorted by: plain ones first, then by module."""
    if isinstance(node, ast.Import):
        return False, node.names[0].name.lower()
    return True, (node.module or "").lower()
