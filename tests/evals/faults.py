"""Faults that people make, planted in real code by rules: slips of the pen, what is forgotten, what is left over."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Plant = Callable[[str, random.Random], str | None]
"""From a text to the same with one fault more; None where there is no place for it."""
_SHORTEST = 4
"""Names of fewer letters are not misspelt: there would be others near them by chance."""


def swapped(pattern: str, new: str) -> Plant:
    """Return what replaces one place of a pattern by a fault."""

    def plant(text: str, chance: random.Random) -> str | None:
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if not found:
            return None
        match = chance.choice(found)
        return text[: match.start()] + match.expand(new) + text[match.end() :]

    return plant


def misspelt(pattern: str) -> Plant:
    """Return what misspells the first group at one place of a pattern, by one of four slips."""

    def plant(text: str, chance: random.Random) -> str | None:
        found = [match for match in re.finditer(pattern, text, re.MULTILINE) if len(match[1]) >= _SHORTEST]
        if not found:
            return None
        match = chance.choice(found)
        name = match[1]
        at = chance.randrange(1, len(name) - 1)
        slips = (
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + chance.choice("aeiostrn") + name[at + 1 :],
        )
        wrong = next((each for each in chance.sample(slips, len(slips)) if each != name), None)
        return text[: match.start(1)] + wrong + text[match.end(1) :] if wrong else None

    return plant


RUFF: dict[str, Plant] = {
    "unused import": swapped(r"^import (\w+)$", r"import \1\nimport colorsys"),
    "unused name imported": swapped(r"^from typing import (\w+)$", r"from typing import \1, BinaryIO"),
    "import taken away": swapped(r"^import (?:re|os|sys|json|inspect|time|math|io)\n", ""),
    "name taken away": swapped(r"^from (?:contextlib|functools|dataclasses|pathlib|itertools) import \w+\n", ""),
    "own import taken away": swapped(r"^from \.\w+ import \w+\n", ""),
    "misspelt name": misspelt(r"(?<=[(=+,] )([a-z_]\w+)(?=[,)\n])"),
    "misspelt at its birth": misspelt(r"^ +([a-z]\w+)(?= = )"),
    "two imports in a line": swapped(r"^import (\w+)$", r"import \1, colorsys"),
    "compared to None": swapped(r"\bis None\b", "== None"),
    "negated membership": swapped(r"\bif (\w+) not in (\w+):", r"if not \1 in \2:"),
    "negated identity": swapped(r"\bif (\w+) is not None:", r"if not \1 is None:"),
    "unused variable": swapped(r"^( +)return (\w+)$", r"\1unused = 1\n\1return \2"),
    "text without placeholders": swapped(r"(?<=[(=] )\"(\w[\w ]*)\"", r'f"\1"'),
    "bare except": swapped(r"\bexcept Exception:", "except:"),
    "semicolon": swapped(r"^( +)(\w+ = \w+)$", r"\1\2;"),
    "two statements": swapped(r"^( +)(\w+ = \w+)$", r"\1\2; \2"),
    "body behind the colon": swapped(r"^( +if \w+:)\n +(return(?: \w+)?)$", r"\1 \2"),
    "a colon missing": swapped(r"^( +(?:if|for|while) .*\w):$", r"\1"),
    "a bracket missing": swapped(r"^( +\w+ = \w+\([\w, ]*)\)$", r"\1"),
    "a quote missing": swapped(r"(\"[\w ]+)\"\)$", r"\1)"),
    "is with a literal": swapped(r"== (\"\w+\"|\d+)", r"is \1"),
    "types compared": swapped(r"isinstance\((\w+), (str|int|list|dict)\)", r"(type(\1) == \2)"),
    "assignment compared": swapped(r"^( +if \w+) == (\w+:)$", r"\1 = \2"),
    "assert on a tuple": swapped(r"^( +)assert (\w+ is not None)$", r'\1assert (\2, "missing")'),
    "defined twice": swapped(r"^import (\w+)$", r"import \1\nimport \1"),
    "lambda with a name": swapped(r"^( +)(\w+) = (\w+)$", r"\1\2 = lambda: \3"),
    "a loop's indent lost": swapped(r"^( +)(for \w+ in \w+:\n) +(\w+)", r"\1\2\1\3"),
}
"""For ruff."""

PYRIGHT: dict[str, Plant] = {
    "misspelt own attribute": misspelt(r"\bself\.([a-z]\w+)\b(?! = )"),
    "misspelt own method": misspelt(r"\bself\.([a-z]\w+)(?=\()"),
    "misspelt method of a value": misspelt(
        r"\.(append|strip|startswith|endswith|format|items|values|split|replace)(?=\()"
    ),
    "misspelt name of a module": misspelt(r"\b(?:os|re|sys|os\.path|functools|inspect)\.([a-z]\w+)"),
    "misspelt name": misspelt(r"(?<=[(=+,] )([a-z_]\w+)(?=[,)\n])"),
    "misspelt keyword": misspelt(r"(?<=, )([a-z]\w+)(?==\w)"),
    "misspelt imported name": misspelt(r"^from \.\w+ import (\w+)$"),
    "misspelt type": misspelt(r": ([A-Z]\w+)(?= = |[,)])"),
    "import taken away": swapped(r"^import (?:re|os|sys|json|inspect|time|math|io)\n", ""),
    "own import taken away": swapped(r"^from \.\w+ import \w+\n", ""),
    "typing import taken away": swapped(r"^from typing import \w+\n", ""),
    "self forgotten": swapped(r"^(    def [a-z]\w+\()self, ", r"\1"),
    "None as a default": swapped(r"(\w+: (?:str|int|bool|float)) = [\w.\"']+(?=[,)])", r"\1 = None"),
    "text for a number": swapped(r"(\w+: int = )\d+", r'\1"1"'),
    "number for text": swapped(r"(\w+: str = )[\"'][^\"'\n]*[\"']", r"\g<1>1"),
    "needless ignore": swapped(r"^( +return \w+)$", r"\1  # type: ignore"),
    "argument too much": swapped(r"\bself\.(\w+)\(\)", r"self.\1(None, None)"),
    "await forgotten": swapped(r"^( +)await (?=\w)", r"\1"),
    "returns another type": swapped(r"^( +)return (?:True|False)$", r'\1return "yes"'),
    "guard taken away": swapped(r"^( +)if (\w+) is None:\n +return.*\n", ""),
    "colon missing": swapped(r"^( +(?:if|for|while) .*\w):$", r"\1"),
    "called without brackets": swapped(r"\bself\.(\w+)\(\)\.", r"self.\1."),
}
"""For pyright."""

TSC: dict[str, Plant] = {
    "misspelt property": misspelt(r"\bthis\.([a-z]\w+)\b"),
    "misspelt method": misspelt(r"\.([a-z]\w+)(?=\()"),
    "misspelt name": misspelt(r"(?<=[(=,] )([a-z]\w+)(?=[,);])"),
    "misspelt import": misspelt(r"^import \{ (\w+) \}"),
    "misspelt type": misspelt(r": ([A-Z]\w+)(?=[<,);])"),
    "misspelt key": misspelt(r"^ +([a-z]\w+)(?=: [\w\"']+,$)"),
    "import taken away": swapped(r"^import \{ \w+ \} from .*\n", ""),
    "one name of an import taken away": swapped(r"^(import \{ )\w+, ", r"\1"),
    "unused import": swapped(r"^(import \{ \w+)( \} from )", r"\1, planted\2"),
    "unused whole import": swapped(r"\A", 'import { join as planted } from "./planted.js";\n'),
    "unused variable": swapped(r"^( +)return (\w+);$", r"\1const unused = 1;\n\1return \2;"),
    "unused parameter": swapped(r"^(export function \w+\()(?=\w)", r"\1planted: number, "),
    "constant changed": swapped(r"^( +)let (\w+ = )", r"\1const \2"),
    "text for a number": swapped(r"(: number = )\d+", r'\1"1"'),
    "number for text": swapped(r"(: string = )[\"'][^\"'\n]*[\"']", r"\g<1>1"),
    "question mark forgotten": swapped(r"\?\.(?=\w)", "."),
    "await forgotten": swapped(r"(?<== )await (?=\w)", ""),
    "semicolon for a comma": swapped(r"^( +\w+: [\w\"']+),$", r"\1;"),
    "comma forgotten": swapped(r"^( +\w+: [\w\"']+),$", r"\1"),
    "bracket forgotten": swapped(r"\)\);$", ");"),
    "brace forgotten": swapped(r"^( +)\}\n( *)\}$", r"\2}"),
    "argument too much": swapped(r"(\w)\(\);$", r"\1(0, 0);"),
    "argument too few": swapped(r"(\w+\(\w+), \w+\);$", r"\1);"),
    "returns another type": swapped(r"\breturn (?:true|false);", 'return "yes";'),
    "type for a value": swapped(r"^import type \{ (\w+)", r"import { type \1, type Planted"),
    "needless expectation": swapped(r"^( +)(return \w+;)$", r"\1// @ts-expect-error\n\1\2"),
    "declared twice": swapped(r"^( +)(const \w+ = \w+;)$", r"\1\2\n\1\2"),
}
"""For tsc."""

CARGO: dict[str, Plant] = {
    "misspelt method": misspelt(r"\.([a-z]\w+)(?=\()"),
    "misspelt field": misspelt(r"\bself\.([a-z]\w+)\b(?!\()"),
    "misspelt name": misspelt(r"(?<=[(=,] )([a-z]\w+)(?=[,);])"),
    "misspelt type": misspelt(r": &?(?:mut )?([A-Z]\w+)(?=[,)<])"),
    "use taken away": swapped(r"^use (?:core|std|alloc)::\w+(?:::\w+)*;\n", ""),
    "use left over": swapped(r"^(use (?:core|std)::)", r"use core::num::Wrapping;\n\1"),
    "mut forgotten": swapped(r"\blet mut (\w+)", r"let \1"),
    "mut left over": swapped(r"^( +)let (\w+ =)", r"\1let mut \2"),
    "unused variable": swapped(r"^( +)(let \w+ = )", r"\1let planted = 1;\n\1\2"),
    "semicolon forgotten": swapped(r"^( +let \w+ = .*\));$", r"\1"),
    "brackets left over": swapped(r"\bif (\w+(?:\.\w+\(\))?) \{", r"if (\1) {"),
    "reference forgotten": swapped(r"\(&(\w+)\)", r"(\1)"),
    "question mark forgotten": swapped(r"\)\?;$", ");"),
    "number for text": swapped(r"\b(\w+)\(\"[^\"\n]*\"\)", r"\1(1)"),
}
"""For cargo check."""
