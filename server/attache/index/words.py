"""Words as the search knows them: the parts of identifiers and of prose, each cut down to its stem.

Index and query must agree on them, so whatever changes here changes `store.VERSION`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST = 64
"""Characters of an identifier that is still found as a whole."""
_CACHED = 300_000

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SPACED = bytes(
    byte if not chr(byte).isascii() or chr(byte).isalnum() or byte == ord("_") else 32 for byte in range(256)
)
"""Turns every byte that stands in no word into a space."""
_IDEOGRAPHS = "\u2e80"
"""From here on words are not spaced."""
_VOWEL = re.compile(r"[aeiouy]")
_DOUBLED = re.compile(r"\w\w([bcdfghjkmnpqrtvwxy])\1$")
_ENDINGS = (
    (
        ("ies", 5, "y"), ("sses", 5, "ss"), ("ches", 5, "ch"), ("shes", 5, "sh"), ("xes", 4, "x"), ("zes", 4, "z"),
        ("ss", 0, "ss"), ("us", 0, "us"), ("is", 0, "is"), ("s", 4, ""),
    ),
    (("ied", 5, "y"), ("ing", 6, ""), ("ed", 5, "")),
    (("e", 4, ""),),
    (("tion", 7, "t"), ("sion", 7, "s"), ("er", 6, ""), ("or", 6, ""), ("ly", 6, "")),
    (("at", 7, ""),),
    (("able", 8, ""), ("abl", 7, ""), ("ment", 8, "")),
)  # fmt: skip
"""Of each step, the first ending that a word has, if the word is as long as is said, becomes the other one."""
_PARTICIPLES = {"ing", "ed"}

_STOP = frozenset(
    """
    a an and any are as at be been but by can did do does for from given had has have how i if in into is it its may me
    must my no none not of on only or our self shall should so some such than that the their them then there these they
    this those to true false us use used using was we were what when where which who whose why will with would you your
    return returned def elif else fn const let void
    """.split()  # noqa: SIM905 - a text to be read
)
"""Too common in prose, or in code, to tell one piece from another."""

_LONG_FORMS = {
    short: long
    for long, *shorts in map(
        str.split,
        """
        address addr
        application app
        argument arg argv
        asynchronous async
        attribute attr
        authentication auth authenticate
        buffer buf
        calculate calc
        character char
        column col
        command cmd
        compare cmp
        configuration conf cfg config configure setting
        connection conn
        context ctx
        current cur curr
        database db
        declaration decl
        description desc
        destination dest dst
        dictionary dict mapping
        directory dir folder
        document doc
        environment env
        exception exc err error
        execute exec
        expression expr
        function func
        generate gen
        implementation impl
        index idx
        information info
        initialize init initialise
        integer int
        iterate iter iterator
        length len
        library lib
        maximum max
        message msg
        minimum min
        number num
        object obj
        original orig
        package pkg
        parameter param
        pointer ptr
        position pos
        previous prev
        property prop
        reference ref
        regular regex
        request req
        response resp
        separator sep
        sequence seq
        source src
        specification spec
        string str
        synchronous sync
        table tbl
        temporary temp tmp
        value val
        variable var
        """.strip().splitlines(),
    )
    for short in shorts
}
"""Short forms that code writes for what prose spells out."""


def parts(identifier: str) -> list[str]:
    """Return the parts of an identifier in small letters: `getHTTPResponse_v2` has get, http, response, v and 2."""
    return [part.lower() for part in _PART.findall(identifier)]


@lru_cache(maxsize=_CACHED)
def stem(word: str) -> str:
    """Return what a word, already in small letters, shares with its other forms: retry, retries, retrying, retried."""
    word = _LONG_FORMS.get(word, _LONG_FORMS.get(word.removesuffix("s"), word))
    for step in _ENDINGS:
        for ending, least, left in step:
            if word.endswith(ending) and len(word) >= least:
                word = _participle(word, ending) if ending in _PARTICIPLES else word.removesuffix(ending) + left
                break
    return word


def _participle(word: str, ending: str) -> str:
    """Return the verb: run for running, add for adding; a string is no participle."""
    root = word.removesuffix(ending)
    if not _VOWEL.search(root):
        return word
    return root[:-1] if _DOUBLED.search(root) else root


def _terms(token: str) -> list[str]:
    """Return the terms of one run of letters, digits and underscores."""
    if not token.isascii():
        token = "".join(char for char in unicodedata.normalize("NFKD", token) if not unicodedata.combining(char))
    found = parts(token)
    terms: list[str] = []
    for part in found:
        if part[0] >= _IDEOGRAPHS:
            terms += [part[at : at + 2] for at in range(max(1, len(part) - 1))]
        elif (
            part not in _STOP and (len(part) > 1 or part.isalpha()) and not (part.isdigit() and len(part) not in {3, 4})
        ):
            terms.append(stem(part))
    if len(found) > 1 and len(token) <= LONGEST and token.isascii():
        terms.append(token.replace("_", "").lower())
    return terms


class _Known(dict[bytes, str]):
    """The terms of every token met so far: code says the same words over and over."""

    def __missing__(self, token: bytes) -> str:
        if len(self) >= _CACHED:
            self.clear()
        terms = self[token] = " ".join(_terms(token.decode("utf-8", "replace")))
        return terms


_known = _Known()


def forget() -> None:
    """Let go of the words met so far; the next text pays for meeting them again."""
    _known.clear()
    stem.cache_clear()


def indexed(text: bytes) -> str:
    """Return the terms of a text for the index, each identifier once however often it stands there.

    A word thus counts by how many identifiers hold it, which tells more of a piece of code than how often one is said.
    """
    return " ".join(map(_known.__getitem__, set(text.translate(_SPACED).split())))


def asked(query: str) -> list[str]:
    """Return the terms of a question, each once; where only stop words stand, those."""
    terms = [
        term for token in query.encode("utf-8", "replace").translate(_SPACED).split() for term in _known[token].split()
    ]
    return list(dict.fromkeys(terms or [part for word in query.split() for part in parts(word)]))
