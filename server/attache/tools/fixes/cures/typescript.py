"""Cures for TypeScript and JavaScript: findings of tsc and eslint, by their messages."""

from __future__ import annotations

import os.path
import re
from pathlib import PurePosixPath

from attache.tools.fixes.cures.case import Ask, Case, Patches, definitions, drop, rule, swap
from attache.tools.fixes.cures.letters import slip

TS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
HOMES = {
    name: module
    for module, names in {
        "react": "useState useEffect useMemo useCallback useRef useContext useReducer useId useLayoutEffect "
        "createContext forwardRef memo Fragment Suspense lazy",
        "node:fs": "readFileSync writeFileSync existsSync mkdirSync readdirSync statSync",
        "node:fs/promises": "readFile writeFile mkdir readdir",
        "node:path": "join resolve dirname basename extname",
        "node:url": "fileURLToPath pathToFileURL",
        "node:child_process": "spawn spawnSync execFile",
        "node:events": "EventEmitter once",
        "node:util": "promisify inspect",
        "vitest": "vi",
    }.items()
    for name in names.split()
}
"""Names that have one home in everyday code."""
WHOLE = {"fs": "node:fs", "path": "node:path", "os": "node:os", "util": "node:util", "crypto": "node:crypto"}
"""Modules that are used by their own name."""
_IMPORT = re.compile(r"^\s*import\b.*(?:from\s*)?[\"'][^\"']+[\"'];?\s*$")


@rule(
    TS,
    r"^Cannot find name '(\w+)'\.?(?:$| Do you need| Did you mean '\w+')|^'(\w+)' is not defined\.?$",
    asks=definitions,
)
def import_name(case: Case) -> Patches:
    """Import `{}`."""
    statement = "" if slip(case.name, _imported(case)) else _import_of(case, case.name)
    if not statement:  # also where an import misspells it, which another finding says
        return ()
    semicolon = ";" if any(line.rstrip().endswith(";") for line in case.lines) or len(case.lines) <= 1 else ""
    return case.insert(_place(case), statement + semicolon)


def _imported(case: Case) -> set[str]:
    return {
        name for line in case.lines if _IMPORT.match(line) for name in re.findall(r"\w+", line.partition("from")[0])
    }


def _import_of(case: Case, name: str) -> str:
    path = case.finding.place.path
    own = {
        each.path
        for each in case.symbols
        if each.name == name and not each.container and each.path.endswith(TS) and each.path != path
        if "export" in each.signature
    }
    if len(own) == 1:
        target = PurePosixPath(own.pop())
        way = os.path.relpath(target.with_suffix(""), PurePosixPath(path).parent).replace(os.sep, "/")
        return f'import {{ {name} }} from "{way if way.startswith(".") else f"./{way}"}"'
    if own or "Did you mean" in case.finding.message:
        return ""
    if name in WHOLE:
        return f'import * as {name} from "{WHOLE[name]}"'
    return f'import {{ {name} }} from "{HOMES[name]}"' if name in HOMES else ""


def _place(case: Case) -> int:
    """Return the line before which an import goes: behind those that lead, else behind a shebang or "use strict"."""
    imports = [number for number, line in enumerate(case.lines, 1) if _IMPORT.match(line)]
    if imports:
        return imports[-1] + 1
    return 1 + next((n for n, line in enumerate(case.lines) if not re.match(r"#!|['\"]use \w+['\"]", line)), 0)


_UNUSED = r"^'(\w+)' is declared but (?:its value is )?never (?:read|used)\.?|^'(\w+)' is defined but never used"


@rule(TS, _UNUSED)
def drop_unused_import(case: Case) -> Patches:
    """Remove the unused import of `{}`."""
    if not _IMPORT.match(case.line):
        return ()
    name = case.name
    if re.match(
        rf"\s*import (?:type )?(?:\{{\s*(?:type )?(?:\w+ as )?{name}\s*,?\s*\}}|\* as {name}|{name}) from", case.line
    ):
        return case.drop(case.number)
    first = rf"(?<=[{{,])\s*(?:type )?(?:\w+ as )?{name}\s*,(?=[^}}]*\}})"
    last = rf",\s*(?:type )?(?:\w+ as )?{name}(?=\s*,?\s*\}})"
    found = re.search(first, case.line) or re.search(last, case.line) or re.search(rf"(?<=import ){name}, ", case.line)
    return case.replace(case.number, found.start(), found.end(), "") if found else ()


@rule(TS, _UNUSED)
def drop_unused_variable(case: Case) -> Patches:
    """Remove the unused `{}`."""
    value = r"(?:[\w.]+|\"[^\"]*\"|'[^']*'|\[\]|\{\})"
    whole = re.fullmatch(rf"\s*(?:const|let|var) {case.name}(?:\s*:[^=]+)?(?:\s*=\s*{value})?;?\s*", case.line)
    return case.drop(case.number) if whole else ()


@rule(TS, _UNUSED)
def mark_unused_parameter(case: Case) -> Patches:
    """Mark `{}` as unused."""
    if case.name.startswith("_") or re.match(
        r"\s*(?:import|(?:export )?(?:const|let|var|class|type|interface))\b", case.line
    ):
        return () if "=>" not in case.line or _IMPORT.match(case.line) else _parameter(case)
    return _parameter(case)


def _parameter(case: Case) -> Patches:
    found = case.found(rf"(?<=[(,])\s*{case.name}(?=\s*[?:,)=])")
    if found is None:
        return ()
    start = found.end() - len(case.name)
    return case.replace(case.number, start, start, "_")


@rule(TS, r"^Cannot assign to '(\w+)' because it is a constant|^'(\w+)' is constant")
def let_change(case: Case) -> Patches:
    """Declare `{}` by `let`."""
    found = case.before(rf"\bconst(?= {case.name}\b)")
    return case.replace(found[0], found[1].start(), found[1].end(), "let") if found else ()


@rule(TS, r"^Promises must be awaited")
def await_promise(case: Case) -> Patches:
    """Await the promise."""
    start = case.finding.place.column - 1
    above = case.before(r"\bfunction\b|=>\s*\{\s*$|^\s*(?:async )?\w+\(.*\)(?::.*)?\s*\{\s*$")
    if above is None or "async" not in case.at(above[0]) or case.line[:start].strip():
        return ()
    return case.replace(case.number, start, start, "await ")


def _module_asked(case: Case) -> Ask:
    """Return the files that the import of the finding's line may mean."""
    found = re.search(r"from\s*[\"'](\.[^\"']*)[\"']", " ".join(case.at(case.number + more) for more in range(8)))
    if found is None:
        return Ask()
    folder = PurePosixPath(case.finding.place.path).parent.as_posix()
    target = os.path.normpath(f"{folder}/{found[1]}").replace(os.sep, "/")
    bare = re.sub(r"\.[mc]?[jt]sx?$", "", target)
    return Ask(paths=tuple(f"{bare}{end}" for end in (".ts", ".tsx", ".js", ".d.ts", "/index.ts", "/index.js")))


@rule(TS, r"has no exported member (?:named )?'(\w+)'\.?(?: Did you mean '(\w+)'|$)", asks=_module_asked)
def rename_import(case: Case) -> Patches:
    """Use the name that is there in place of `{}`."""
    places = [
        (number, found.start(), found.end())
        for number in range(1, len(case.lines) + 1)
        for found in re.finditer(rf"(?<![\w.'\"]){case.name}(?![\w'\"])", case.at(number))
    ]
    right = case.match[2] or slip(case.name, {each.name for each in case.symbols if not each.container})
    return tuple(patch for place in places for patch in case.replace(*place, right)) if right else ()


_GLOBALS = (
    "Array ArrayBuffer Awaited BigInt Boolean Date Error Exclude Extract Function Iterable Iterator Map Math "
    "NonNullable Number Object Omit Parameters Partial Pick Promise Readonly ReadonlyArray Record RegExp Required "
    "ReturnType Set String Symbol TypeError Uint8Array WeakMap WeakSet boolean console document never null number "
    "object string undefined unknown window"
)
GLOBALS = frozenset(_GLOBALS.split())
"""Names that are there without an import."""


@rule(TS, r"^Cannot find name '(\w+)'\.?$")
def spell_name(case: Case) -> Patches:
    """Use the name that is there in place of `{}`."""
    words = {word for line in case.lines for word in re.findall(r"(?<![.\w])[A-Za-z_$][\w$]*", line)}
    return _respelt(case, rf"(?<![.\w]){case.name}\b", words | GLOBALS)


@rule(TS, r"^Property '(\w+)' does not exist on type [^?]*$")
def spell_property(case: Case) -> Patches:
    """Use the property that is there in place of `{}`."""
    words = {word for line in case.lines for word in re.findall(r"\.(\w+)\b|^\s*(?:\w+ )*(\w+)\??[:(]", line)}
    return _respelt(case, rf"(?<=\.){case.name}\b", {name for pair in words for name in pair if name})


def _respelt(case: Case, pattern: str, names: set[str]) -> Patches:
    right, found = slip(case.name, names), case.found(pattern)
    return case.replace(case.number, found.start(), found.end(), right) if right and found else ()


@rule(TS, r"^Cannot redeclare block-scoped variable '(\w+)'|^'(\w+)' is already defined")
def drop_second(case: Case) -> Patches:
    """Remove the second, same declaration of `{}`."""
    return case.drop(case.number) if case.line.strip() and case.line == case.at(case.number - 1) else ()


@rule(TS, r"^(?:'([\w.]+)' is|Object is) possibly '(?:null|undefined|null' or 'undefined)'", sure=False)
def ask_first(case: Case) -> Patches:
    """Take it only where it is there, by `?.`."""
    found = case.found(rf"{re.escape(case.name)}(?=\.\w)" if case.match[1] else r"[\w)\]](?=\.\w)", nearest=True)
    if found is None or re.match(r"\.[\w.]+\s*=[^=>]", case.line[found.end() :]):
        return ()  # nothing can be assigned to what may not be there
    return case.replace(case.number, found.end(), found.end(), "?")


@rule(TS, r"^Type '(?:string|\"(\d+)\")' is not assignable to type 'number'", sure=False)
def number_for_text(case: Case) -> Patches:
    """Write it as a number."""
    found = case.found(r"([\"'])(\d+)\1")
    return case.replace(case.number, found.start(), found.end(), found[2]) if found else ()


@rule(TS, r"^Type '(?:number|\d+)' is not assignable to type 'string'", sure=False)
def text_for_number(case: Case) -> Patches:
    """Write it as text."""
    found = case.found(r"(?<![\w.\"'])\d+(?![\w.\"'])")
    return case.replace(case.number, found.start(), found.end(), f'"{found[0]}"') if found else ()


_END = r"(?<=[^\s;{])(?=\s*(?://.*)?$)"


RULES = (
    import_name,
    drop_unused_import,
    drop_unused_variable,
    mark_unused_parameter,
    let_change,
    await_promise,
    rename_import,
    spell_name,
    spell_property,
    drop_second,
    ask_first,
    number_for_text,
    text_for_number,
    swap(TS, r"'(\w+)' is never reassigned\. Use 'const'", "Declare `{}` by `const`", r"\blet(?= <1>\b)", "const"),
    swap(TS, r"Unexpected var, use let or const", "Declare it by `let`", r"\bvar\b", "let", sure=False),
    swap(TS, r"Expected '===' and instead saw '=='", "Compare by `===`", r"(?<![=!])==(?!=)", "===", sure=False),
    swap(TS, r"Expected '!==' and instead saw '!='", "Compare by `!==`", r"!=(?!=)", "!==", sure=False),
    swap(TS, r"^Missing semicolon", "Add the semicolon", _END, ";"),
    swap(TS, r"^Missing trailing comma", "Add the comma", r"(?<=[^\s,{\[(])(?=\s*(?://.*)?$)", ","),
    swap(TS, r"^(?:Unnecessary|Extra) semicolon", "Remove the semicolon", r";(?=\s*;|\s*$)", ""),
    swap(TS, r"^Unnecessary escape character: \\(.)", "Remove the backslash", r"\\<1>", r"<1>"),
    swap(TS, r"^Expected property shorthand", "Use the shorthand", r"\b(\w+): \1\b(?![.(\[])", r"\g<1>"),
    swap(TS, r"\[\"(\w+)\"\] is better written in dot notation", "Use the dot", r"\[[\"']<1>[\"']\]", ".<1>"),
    swap(TS, r"Cannot find name '(\w+)'\. Did you mean '(\w+)'", "Use the name that is there", r"\b<1>\b", "<2>"),
    swap(
        TS,
        r"Property '(\w+)' does not exist on type .* Did you mean '(\w+)'",
        "Use the property that is there",
        r"(?<=\.)<1>\b",
        "<2>",
    ),
    swap(
        TS,
        r"'(\w+)' does not exist in type .* Did you mean to write '(\w+)'",
        "Use the property that is there",
        r"\b<1>(?=\s*:)",
        "<2>",
    ),
    swap(
        TS,
        r"Cannot find name '(\w+)'\. Did you mean the (?:instance|static) member '([\w.]+)'",
        "Use the member",
        r"(?<!\.)\b<1>\b",
        "<2>",
    ),
    swap(
        TS,
        r"Type '\"([^\"]+)\"' is not assignable to type .* Did you mean '\"([^\"]+)\"'",
        "Use the value that is there",
        r"([\"'])<1>\1",
        r"\g<1><2>\g<1>",
    ),
    swap(
        TS,
        r"need explicit file extensions.*Did you mean '([^']+)'",
        "Give the extension",
        r"(?<=[\"'])\.{1,2}/[^\"']+(?=[\"'])",
        "<1>",
    ),
    swap(
        TS,
        r"'(\w+)' is a type and must be imported using a type-only import",
        "Import `{}` as a type",
        r"(?<=[{,] )<1>\b|(?<=\{)<1>\b",
        "type <1>",
    ),
    swap(
        TS,
        r"never used as a value and must use 'import type'|All imports in the declaration are only used as types",
        "Import types as types",
        r"\bimport (?!type)",
        "import type ",
    ),
    swap(TS, r"^'const' declarations must be initialized", "Declare it by `let`", r"\bconst\b", "let"),
    swap(
        TS,
        r"'await' has no effect on the type|Unexpected `await` of a non-Promise",
        "Remove the await",
        r"\bawait\s+",
        "",
        sure=False,
    ),
    swap(
        TS,
        r"must have an 'override' modifier",
        "Say that it overrides",
        r"^(\s*(?:(?:public|protected|private|static) )*)(?=\w)",
        r"\g<1>override ",
    ),
    drop(
        TS,
        r"All imports in import declaration are unused",
        "Remove the unused import",
        r"import\b.*\bfrom\s*[\"'][^\"']+[\"'];?",
    ),
    drop(TS, r"Unused '@ts-expect-error' directive", "Remove the directive", r"//\s*@ts-expect-error.*"),
    drop(TS, r"^Unused eslint-disable directive", "Remove the directive", r"(?://|/\*)\s*eslint-disable.*"),
    drop(TS, r"^Unexpected 'debugger' statement", "Remove the debugger statement", r"debugger;?"),
    drop(
        TS, r"^'(\w+)' is assigned to itself", "Remove the assignment to itself", r"(?:this\.)?<1> = (?:this\.)?<1>;?"
    ),
)
