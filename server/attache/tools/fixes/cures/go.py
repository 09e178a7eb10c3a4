"""Cures for Go: findings of the compiler, gopls, vet and staticcheck, by their messages."""

from __future__ import annotations

import re

from attache.tools.fixes.cures.case import Case, Patches, drop, rule, swap

GO = (".go",)
_PATHS = (
    "bufio bytes context crypto/sha256 encoding/base64 encoding/hex encoding/json errors flag fmt io io/fs log "
    "log/slog maps math math/big net net/http net/url os os/exec os/signal path path/filepath reflect regexp runtime "
    "slices sort strconv strings sync sync/atomic testing time unicode unicode/utf8"
)
PACKAGES = {path.rpartition("/")[2]: path for path in _PATHS.split()}
"""Packages of the standard library by the name they are used with."""


@rule(GO, r"^undefined: (\w+)$|undeclared name: (\w+)")
def import_package(case: Case) -> Patches:
    """Import `{}`."""
    path = PACKAGES.get(case.name)
    if path is None or not re.search(rf"\b{case.name}\.[A-Z]", case.line):
        return ()
    for number, line in enumerate(case.lines, 1):
        if re.match(r"import \(\s*$", line):
            return case.insert(_sorted_place(case, number + 1, path), f'\t"{path}"')
        if re.match(r'import "[^"]+"', line):
            return case.insert(number, f'import "{path}"')
    package = next((number for number, line in enumerate(case.lines, 1) if line.startswith("package ")), 0)
    return case.insert(package + 1, f'{case.newline}import "{path}"') if package else ()


def _sorted_place(case: Case, number: int, path: str) -> int:
    """Return the line of a block of imports before which a path goes."""
    while (known := re.match(r'\s*"([^"]+)"', case.at(number))) and known[1] < path:
        number += 1
    return number


@rule(GO, r'"([^"]+)" imported and not used|imported and not used: "([^"]+)"')
def drop_import(case: Case) -> Patches:
    """Remove the unused import of `{}`."""
    whole = re.fullmatch(rf'\s*(?:import )?(?:[\w.]+ )?"{re.escape(case.name)}"\s*(?://.*)?', case.line)
    return case.drop(case.number) if whole else ()


@rule(GO, r"^declared and not used: (\w+)|^(\w+) declared (?:and|but) not used")
def blank_variable(case: Case) -> Patches:
    """Leave `{}` blank."""
    found = re.match(r"(\s*(?:(?:if|for|switch) )?)([\w, ]+?)( :=)", case.line)
    names = found[2].split(", ") if found else []
    if found is None or case.name not in names:
        return ()
    blanked = ["_" if name == case.name else name for name in names]
    sign = " =" if all(name == "_" for name in blanked) else " :="
    if sign == " =" and found[1].strip():
        return ()
    return case.replace(case.number, found.start(2), found.end(3), ", ".join(blanked) + sign)


@rule(GO, r"error strings should not be capitalized")
def lower_error(case: Case) -> Patches:
    """Begin the error in lower case."""
    found = case.found(r"(?:errors\.New|fmt\.Errorf)\(\"([A-Z])(?=[a-z ])")
    return case.replace(case.number, found.start(1), found.end(1), found[1].lower()) if found else ()


RULES = (
    import_package,
    drop_import,
    blank_variable,
    swap(GO, r"no new variables on left side of :=", "Assign instead of declaring", r":=", "="),
    swap(GO, r"non-name .* on left side of :=", "Assign instead of declaring", r":=", "="),
    swap(
        GO,
        r"missing ',' before newline|unexpected newline in (?:composite literal|argument list)",
        "Add the comma",
        r"(?<=[^\s,{(])(?=\s*(?://.*)?$)",
        ",",
    ),
    swap(
        GO,
        r"undefined \(type .* has no field or method (\w+), but does have (?:field|method) (\w+)",
        "Use the member that is there",
        r"(?<=\.)<1>\b",
        "<2>",
    ),
    swap(GO, r"should replace (\w+) \+= 1 with", "Count by `++`", r"\b<1> \+= 1\b", "<1>++"),
    swap(GO, r"should replace (\w+) -= 1 with", "Count by `--`", r"\b<1> -= 1\b", "<1>--"),
    swap(
        GO,
        r"should omit comparison to bool constant, can be simplified to ([\w.()!]+)",
        "Compare without the constant",
        r"!?[\w.()]+ [=!]= (?:true|false)|(?:true|false) [=!]= [\w.()]+",
        "<1>",
    ),
    swap(
        GO,
        r"should omit (?:2nd|second) value from range|unnecessary assignment to the blank identifier",
        "Leave out the blank",
        r", _(?= :?= )",
        "",
    ),
    lower_error,
    swap(GO, r"cannot use nil as string value", "Return an empty string", r"\bnil\b", '""', sure=False),
    swap(GO, r"`?interface\{\}`? can be replaced by `?any`?", "Write `any`", r"\binterface\{\}", "any"),
    drop(GO, r"self-assignment of (\w+) to", "Remove the assignment to itself", r"<1> = <1>"),
    drop(GO, r"redundant (?:`?return`?) statement", "Remove the last return", r"return"),
    drop(GO, r"label (\w+) defined and not used", "Remove the unused label", r"<1>:"),
)
