"""Cures for Rust: findings of rustc, clippy and rust-analyzer, by their messages."""

from __future__ import annotations

import re

from attache.tools.fixes.cures.case import Case, Patches, drop, rule, swap

RS = (".rs",)
HOMES = {
    name: f"{module}::{name}"
    for module, names in {
        "std::collections": "HashMap HashSet BTreeMap BTreeSet VecDeque BinaryHeap",
        "std::sync": "Arc Mutex RwLock OnceLock LazyLock",
        "std::rc": "Rc",
        "std::cell": "RefCell Cell",
        "std::borrow": "Cow",
        "std::path": "Path PathBuf",
        "std::fs": "File",
        "std::io": "Read Write BufRead BufReader BufWriter",
        "std::time": "Duration Instant SystemTime",
        "std::fmt": "Display Formatter",
        "std::str": "FromStr",
        "std::process": "Command",
        "std::ffi": "OsStr OsString",
        "std::marker": "PhantomData",
    }.items()
    for name in names.split()
}
"""Names of the standard library that have one home in everyday code."""


@rule(
    RS,
    r"cannot find (?:type|trait|struct, variant or union type) `(\w+)`|use of undeclared type `(\w+)`",
)
def use_name(case: Case) -> Patches:
    """Use `{}`."""
    home = HOMES.get(case.name)
    if home is None:
        return ()
    uses = [number for number, line in enumerate(case.lines, 1) if re.match(r"use [\w:{}, *]+;", line)]
    if uses:
        later = next((number for number in uses if case.at(number) > f"use {home};"), uses[-1] + 1)
        return case.insert(later, f"use {home};")
    first = next((n for n, line in enumerate(case.lines, 1) if not re.match(r"//!|#!\[|\s*$", line)), 1)
    return case.insert(first, f"use {home};{case.newline}")


@rule(RS, r"^unused imports?: `([\w:]+)`$")
def drop_import(case: Case) -> Patches:
    """Remove the unused import of `{}`."""
    name = case.name
    if re.fullmatch(rf"\s*(?:pub )?use (?:[\w:]*::)?{re.escape(name)};\s*", case.line):
        return case.drop(case.number)
    found = re.search(rf"(?<=[{{ ]){re.escape(name)}, |, {re.escape(name)}(?=[,}}])", case.line)
    return case.replace(case.number, found.start(), found.end(), "") if found else ()


@rule(RS, r"^unused variable: `(\w+)`")
def mark_unused(case: Case) -> Patches:
    """Mark `{}` as unused."""
    found = case.found(rf"\b{case.name}\b")
    if found is None or re.search(rf"\w\s*\{{[^}}]*\b{case.name}\b[^}}]*\}}\s*(?:=|=>|:)", case.line):
        return ()  # a field in a pattern, which has its name from the struct
    return case.replace(case.number, found.start(), found.start(), "_")


@rule(
    RS,
    r"cannot (?:borrow|assign twice to|assign to) (?:immutable variable )?`(\w+)`(?: as mutable, as it is not .*)?$",
)
def make_mutable(case: Case) -> Patches:
    """Declare `{}` as mutable."""
    found = case.before(rf"\blet (?={case.name}\b)")
    return case.replace(found[0], found[1].end(), found[1].end(), "mut ") if found else ()


@rule(RS, r"^unneeded `return` statement")
def drop_return(case: Case) -> Patches:
    """Remove the last `return`."""
    found = re.fullmatch(r"(\s*)return (.+?);?\s*", case.line)
    return case.replace(case.number, 0, len(case.line), found[1] + found[2]) if found else ()


@rule(RS, r"^unnecessary parentheses around")
def drop_brackets(case: Case) -> Patches:
    """Remove the brackets."""
    column = case.finding.place.column - 1
    start = column if case.line[column : column + 1] == "(" else case.line.find("(", column)
    depth = 0
    for at in range(start, len(case.line)) if start >= 0 else ():
        depth += (case.line[at] == "(") - (case.line[at] == ")")
        if depth == 0:
            inner = case.line[start + 1 : at]
            return case.replace(case.number, start, at + 1, inner)
    return ()


RULES = (
    use_name,
    drop_import,
    mark_unused,
    make_mutable,
    drop_return,
    drop_brackets,
    swap(RS, r"^variable does not need to be mutable", "Declare it without `mut`", r"\bmut ", ""),
    swap(RS, r"^expected `;`, found|^expected SEMICOLON", "Add the semicolon", r"(?<=[^\s;{])(?=\s*(?://.*)?$)", ";"),
    swap(RS, r"^redundant field names in struct initialization", "Use the shorthand", r"\b(\w+): \1\b", r"\g<1>"),
    swap(RS, r"^length comparison to zero", "Ask whether it is empty", r"([\w.]+)\.len\(\) == 0", r"\g<1>.is_empty()"),
    swap(
        RS,
        r"^length comparison to zero",
        "Ask whether it is empty",
        r"([\w.]+)\.len\(\) (?:> 0|!= 0|>= 1)",
        r"!\g<1>.is_empty()",
    ),
    swap(RS, r"^equality checks against true are unnecessary", "Compare without `true`", r" == true\b", ""),
    swap(RS, r"^equality checks against false can be replaced", "Negate it", r"([\w.()]+) == false\b", r"!\g<1>"),
    swap(
        RS,
        r"^using `clone` on type `[^`]+` which implements the `Copy` trait",
        "Copy without `clone`",
        r"\.clone\(\)",
        "",
    ),
    swap(RS, r"^(?:constants|statics) have by default a `'static` lifetime", "Leave out `'static`", r"&'static ", "&"),
    swap(RS, r"^unneeded unit return type", "Leave out the unit type", r"\s*->\s*\(\)", ""),
    swap(RS, r"^unnecessary (?:trailing )?semicolon", "Remove the semicolon", r"(?<=\});|;(?=;)", ""),
    swap(
        RS,
        r"^writing `&Vec` instead of `&\[_\]`",
        "Take a slice",
        r"&Vec<([\w<>&:, ]+)>(?=[,)])",
        r"&[\g<1>]",
        sure=False,
    ),
    swap(RS, r"^writing `&String` instead of `&str`", "Take a `&str`", r"&String\b", "&str", sure=False),
    swap(
        RS,
        r"^this expression creates a reference which is immediately dereferenced",
        "Remove the `&`",
        r"&(?=[a-z])",
        "",
    ),
    swap(
        RS,
        r"^unused `?(?:std::)?(?:result::)?Result.*that must be used",
        "Say that the result is left",
        r"^(\s*)(?=\S)",
        r"\g<1>let _ = ",
        sure=False,
    ),
    swap(RS, r"^called `\.?(?:iter\(\))?\.?nth\(0\)`|^called `\.nth\(0\)`", "Take the next", r"\.nth\(0\)", ".next()"),
    swap(RS, r"^use of deprecated .*::trim_left", "Trim the start", r"\.trim_left\(\)", ".trim_start()"),
    swap(
        RS,
        r"(?s)cannot find \w+ `(\w+)`.*(?:similar name exists|similarly named[^`]*): `(\w+)`",
        "Use the name that is there",
        r"\b<1>\b",
        "<2>",
    ),
    swap(
        RS,
        r"(?s)no (?:method|field) (?:named )?`(\w+)`.*with a similar name[^`]*: `(\w+)`",
        "Use the member that is there",
        r"(?<=\.)<1>\b",
        "<2>",
    ),
    drop(RS, r"^unused doc comment", "Remove the doc comment", r"///.*", sure=False),
)
