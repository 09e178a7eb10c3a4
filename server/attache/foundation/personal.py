"""Find personal data in text: mail addresses, phone numbers, cards, bank accounts, addresses of machines, national ids.

Only what is known by its form and its check digits counts. What documentation, tests and machines are full of (reserved
names and networks, versions, hashes, times) is no person's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from attache.foundation.national_ids import NATIONAL_IDS, luhn

PersonalKind = Literal["mail", "phone", "card", "iban", "ip", "id"]
KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)

_NEARBY = 32
"""How far before a number the word may stand that says what it is."""
_BLANK = "[ \u00a0\u2007\u202f]"
_HYPHEN = "[-\u2010\u2011\u2012\u2013]"
_SEPARATOR = f"(?:{_BLANK}|{_HYPHEN})"
_GLUE = re.compile(r"[\s().\-+/\u2010-\u2013]")


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data in a text: code points from `start` to `end`."""

    start: int
    end: int
    kind: PersonalKind


@lru_cache(maxsize=512)  # a conversation is sent again and again
def personal(text: str) -> tuple[Found, ...]:
    """Return the personal data in a text, in its order, none inside another."""
    every = [*_mails(text), *_machines(text)]
    for start, line in _lines_of_numbers(text):
        for find in (_accounts, _cards, _national, _phones):
            every += [Found(start + found.start, start + found.end, found.kind) for found in find(line)]
    kept: list[Found] = []
    for found in sorted(every, key=lambda found: (found.start, -found.end)):
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return tuple(kept)


_DIGITS = re.compile(r"\d(?:[^\n\d]{0,4}\d){5,}")
"""No number here has fewer than six digits, and most of a program's lines have."""


def _lines_of_numbers(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that may hold a long number, with where each begins."""
    done = 0
    for match in _DIGITS.finditer(text):
        if match.start() >= done:
            start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
            done = len(text) if end < 0 else end
            yield start, text[start:done]


# ---------------------------------------------------------------- mail

_MAIL = re.compile(
    r"(?<![\w.%+\\-])(?P<local>[^\W_](?:[\w.%+-]|'(?=\w)){0,63})@(?P<host>(?:[^\W_][\w-]{0,62}\.){1,8}[^\W\d_][\w-]{1,23})(?![\w@-]|\.\w)"
)
_NO_PERSON = re.compile(r"(?i)(?:git|hg|svn|no-?reply|do-?not-?reply|mailer-daemon|postmaster|root)(?:\+.*)?")
_RESERVED_HOST = re.compile(
    r"(?i)(?:^|\.)(?:example\.(?:com|net|org|edu)|example|invalid|test|localhost|local|internal|localdomain"
    r"|noreply\.github\.com)$"
)
_FILE_ENDS = """
avif bmp bz2 c cfg cpp css csv dll dylib eot exe fixture gif gz h hpp html ico ini jar java jpeg jpg js json
jsx less lock log map mark mount otf path pdf php png rb scope scss service slice so socket svg swift tar
target timer toml ts tsx ttf txt wasm webp whl woff woff2 xml xz yaml yml
"""
_NO_DOMAIN = frozenset(_FILE_ENDS.split())
"""What stands after a point in names of files and units, and is no top-level domain that people have mail at."""
_USER_IN_URL = re.compile(r"://[^\s/@]*$")
_REMOTE = re.compile(r":[/~]|:[\w.-]+/[\w./-]+\.git\b")


def _mails(text: str) -> Iterator[Found]:
    if "@" not in text:
        return
    for match in _MAIL.finditer(text):
        host = match["host"]
        if (
            _NO_PERSON.fullmatch(match["local"])
            or _RESERVED_HOST.search(host)
            or host.rpartition(".")[2].lower() in _NO_DOMAIN
            or _USER_IN_URL.search(text, max(0, match.start() - 200), match.start())
            or _REMOTE.match(text, match.end())
        ):
            continue
        yield Found(*match.span(), "mail")


# ---------------------------------------------------------------- phone

_ABROAD = re.compile(
    rf"(?<![\dA-Za-z_+.-])\+[1-9]\d{{0,2}}(?:{_BLANK}?\(\d{{1,5}}\){_BLANK}?|{_SEPARATOR}|[./])?\d"
    rf"(?:(?:{_SEPARATOR}|[./()]){{0,3}}\d){{5,12}}(?![\dA-Za-z_+]|[.:-]\d)"
)
_AMERICAN = re.compile(
    rf"(?<![\dA-Za-z_.+/-])(?:1{_SEPARATOR})?(?:\([2-9]\d\d\){_BLANK}?|[2-9]\d\d(?P<sign>{_SEPARATOR}|\.))"
    rf"[2-9]\d\d(?(sign)(?P=sign)|{_HYPHEN})\d{{4}}(?![\dA-Za-z_/]|[.:-]\d)"
)
_FRENCH_OR_BRITISH = re.compile(
    rf"(?<![\dA-Za-z_.+/-])(?<![0-9A-Fa-f]{{2}} )"
    rf"(?:0[1-9](?:{_BLANK}\d\d){{4}}|07\d{{3}}{_BLANK}\d{{3}}{_BLANK}?\d{{3}})"
    r"(?![\dA-Za-z_/]|[.:-]\d| [0-9A-Fa-f]{2}\b)"
)
"""Numbers within a country whose form alone tells them."""
_AT_HOME = re.compile(
    rf"(?<![\dA-Za-z_.+/-])\(?0\d(?:(?:{_SEPARATOR}|[./()]){{0,3}}\d){{6,12}}(?![\dA-Za-z_/]|[.:-]\d)"
)
_PHONE_WORD = re.compile(
    r"(?i)(?<![^\W_])(?:tele?(?:phone|fono|fon|fonnummer)?|t[ée]l[ée]phone|tlf|tfn?o|phones?|mobile?|m[óo]vil|handy"
    r"|cell(?:ular|phone)?|fax|call|whatsapp|sms|rufnummer|тел(?:ефон)?)"
    r"(?:[ _-]?(?:no|nr|number|num|nummer))?(?![^\W_])"
    r"|电话|電話|手机|携帯|전화"
)
_FEWEST, _MOST, _BARE = 8, 15, 10


def _phones(text: str) -> Iterator[Found]:
    if "+" in text:
        for match in _ABROAD.finditer(text):
            digits = _bare(match[0])
            if (_BARE if match[0][1:].isdigit() else _FEWEST) <= len(digits) <= _MOST:
                yield Found(*match.span(), "phone")
    for form in (_AMERICAN, _FRENCH_OR_BRITISH):
        for match in form.finditer(text):
            yield Found(*match.span(), "phone")
    for match in _AT_HOME.finditer(text):
        if _after_word(text, match.start(), _PHONE_WORD):
            yield Found(*match.span(), "phone")


# ---------------------------------------------------------------- cards and accounts

_CARD = re.compile(rf"(?<![\dA-Za-z_.#+-])[2-6](?:{_SEPARATOR}?\d){{12,18}}(?![\dA-Za-z_]|[.-]\d)")
_CARD_HEADS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d|62\d\d)\d{12}"
    r"|35(?:2[89]|[3-8]\d)\d{12}"
    r"|3(?:0[0-5]|[689]\d)\d{11}"
    r"|(?:5018|5020|5038|6304|6759|676[1-3])\d{8,15}"
)
"""Visa, Mastercard, American Express, Discover and UnionPay, JCB, Diners, Maestro: their beginnings and lengths."""
_IBAN = re.compile(rf"(?<![\dA-Za-z_+/-])[A-Za-z]{{2}}\d\d(?:{_BLANK}?[A-Za-z0-9]){{11,30}}(?![\dA-Za-z_/+])")
_IBANS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29
ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29
PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20
YE30
"""
_IBAN_LENGTHS = {row[:2]: int(row[2:]) for row in _IBANS.split()}
"""Characters of an account number by country (SWIFT's IBAN registry)."""


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        digits = _bare(match[0])
        if _CARD_HEADS.fullmatch(digits) and luhn(digits) and len(set(digits)) > 1:
            yield Found(*match.span(), "card")


def _accounts(text: str) -> Iterator[Found]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None or (end := _end_of(match[0], length)) is None:
            continue
        code = "".join(match[0][:end].split()).upper()
        if int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1:
            yield Found(match.start(), match.start() + end, "iban")


def _end_of(text: str, characters: int) -> int | None:
    """Return where so many characters that are not blank end, at the end of a word; None where they do not."""
    places = [at for at, char in enumerate(text) if not char.isspace()]
    if len(places) < characters:
        return None
    end = places[characters - 1] + 1
    return end if end == len(text) or text[end].isspace() else None


# ---------------------------------------------------------------- addresses of machines

_IPV4 = re.compile(r"(?<![\dA-Za-z_.+~^=-])(?:\d{1,3}\.){3}\d{1,3}(?![\dA-Za-z_-]|\.\d)")
_IPV6 = re.compile(r"(?<![\dA-Za-z_:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\dA-Za-z_:])")
_PUBLIC_SERVICES = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222"})
_VERSION_WORD = re.compile(
    r"(?i)(?:version|ver|release|v|build|oid|section|§|rev|tag|image|package|[\w.-]+/|[=<>~^!]=|[:=]\s*\")[\s:=\"']*$"
)
_MACHINE_WORD = re.compile(
    r"(?i)(?<![^\W_])(?:ip(?:v4)?|host|addr(?:ess)?|client|remote|server|peer|from|login|visitor)(?![^\W_])|://$|@$"
)
_SMALL = 32
"""Below this in all four places it is rather a version or a chapter."""


def _machines(text: str) -> Iterator[Found]:
    for match in _IPV4.finditer(text):
        if _someones(match[0]) and not _rather_version(text, match.start(), match[0]):
            yield Found(*match.span(), "ip")
    for match in _IPV6.finditer(text):
        if _someones(match[0]):
            yield Found(*match.span(), "ip")


def _someones(address: str) -> bool:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return known.is_global and not known.is_multicast and address not in _PUBLIC_SERVICES


def _rather_version(text: str, start: int, address: str) -> bool:
    before = text[max(0, start - _NEARBY) : start].rpartition("\n")[2]
    if _MACHINE_WORD.search(before):
        return False
    numbers = [int(number) for number in address.split(".")]
    return max(numbers) < _SMALL or numbers.count(0) > 1 or _VERSION_WORD.search(before) is not None


# ---------------------------------------------------------------- national ids


def _national(text: str) -> Iterator[Found]:
    for row in NATIONAL_IDS:
        for match in row.form.finditer(text):
            if row.holds(_bare(match[0]).upper()) and (
                row.words is None or _after_word(text, match.start(), row.words)
            ):
                yield Found(*match.span(), "id")


def _after_word(text: str, start: int, words: re.Pattern[str]) -> bool:
    before = text[max(0, start - _NEARBY) : start].rpartition("\n")[2]
    return words.search(before) is not None


def _bare(text: str) -> str:
    return _GLUE.sub("", text)
