"""National identity numbers by form and check digits; those whose check alone says little need a word nearby."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

_REMAINDERS_ES = "TRWAGMYFPDXBNJZSQVHLCKE"
_REMAINDERS_FI = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_REMAINDERS_CN = "10X98765432"
_ALPHABET_MX = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_ODD_IT = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22,
    25, 24, 23,
), strict=True))  # fmt: skip
_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_TURNS = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
"""Verhoeff's tables: the group of ten, and the permutation by place."""


@dataclass(frozen=True, slots=True)
class NationalId:
    """One country's number: how it is written, its check, and the words it stands by where that says little."""

    country: str
    form: re.Pattern[str]
    holds: Callable[[str], bool]
    """Judges the number in capitals, without blanks, points, hyphens and slashes."""
    words: re.Pattern[str] | None = None


def luhn(digits: str) -> bool:
    """Say whether digits fit the check digit of ISO/IEC 7812."""
    doubled = (int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004 - two digits


def _weighed(digits: Iterable[str], weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _short_day(text: str) -> bool:
    """Say whether YYMMDD is a day, of whichever century."""
    return _day(f"20{text[:2]}", text[2:4], text[4:6]) or _day(f"19{text[:2]}", text[2:4], text[4:6])


def _us(text: str) -> bool:
    return text[:3] not in {"000", "666"} and text[0] != "9" and text[3:5] != "00" and text[5:] != "0000"


def _gb(text: str) -> bool:
    return text[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def _de(text: str) -> bool:
    rest = 10
    for digit in text[:10]:
        rest = ((int(digit) + rest) % 10 or 10) * 2 % 11
    most = max(text[:10].count(digit) for digit in text[:10])
    return most in {2, 3} and (11 - rest) % 10 == int(text[10])


def _fr(text: str) -> bool:
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def _es(text: str) -> bool:
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _REMAINDERS_ES[int(number) % 23] == text[-1]


def _it(text: str) -> bool:
    odd = sum(_ODD_IT[char] for char in text[:15:2])
    even = sum(int(char) if char.isdigit() else ord(char) - 65 for char in text[1:15:2])
    return chr((odd + even) % 26 + 65) == text[15]


def _nl(text: str) -> bool:
    return _weighed(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and int(text) > 0


def _be(text: str) -> bool:
    number, check = text[:9], int(text[9:])
    return check in {97 - int(number) % 97, 97 - int("2" + number) % 97} and int(text[2:4]) <= 12  # noqa: PLR2004 - months


def _pl(text: str) -> bool:
    month = int(text[2:4]) % 20
    fits = _weighed(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    return fits and _short_day(f"{text[:2]}{month:02}{text[4:6]}")


def _se(text: str) -> bool:
    return luhn(text[-10:]) and _short_day(text[-10:-4])


def _fi(text: str) -> bool:
    digits = text[:6] + text[-4:-1]
    return _short_day(text[4:6] + text[2:4] + text[:2]) and _REMAINDERS_FI[int(digits) % 31] == text[-1]


def _no(text: str) -> bool:
    return (
        _short_day(text[4:6] + text[2:4] + text[:2])
        and _weighed(text, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and _weighed(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def _ch(text: str) -> bool:
    return _weighed(text, (1, 3) * 6 + (1,)) % 10 == 0


def _br(text: str) -> bool:
    first = _weighed(text[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = _weighed(text[:10], range(11, 1, -1)) * 10 % 11 % 10
    return text[9:] == f"{first}{second}" and len(set(text)) > 1


def _cn(text: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return _day(text[6:10], text[10:12], text[12:14]) and _REMAINDERS_CN[_weighed(text[:17], weights) % 11] == text[17]


def _in(text: str) -> bool:
    check = 0
    for at, digit in enumerate(reversed(text)):
        check = int(_TIMES[check][int(_TURNS[at % 8][int(digit)])])
    return check == 0


def _kr(text: str) -> bool:
    check = (11 - _weighed(text[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return _short_day(text[:6]) and check == int(text[12])


def _mx(text: str) -> bool:
    total = sum(_ALPHABET_MX.index(char) * (18 - at) for at, char in enumerate(text[:17]))
    return _short_day(text[4:10]) and str(-total % 10) == text[17]


def _tr(text: str) -> bool:
    digits = [int(digit) for digit in text]
    tenth = (sum(digits[:9:2]) * 7 - sum(digits[1:8:2])) % 10
    return digits[9] == tenth and sum(digits[:10]) % 10 == digits[10]


def _za(text: str) -> bool:
    return _short_day(text[:6]) and text[10] in "01" and luhn(text)


def _sg(text: str) -> bool:
    total = _weighed(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if text[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if text[0] in "ST" else "XWUTRQPNMLK")[total % 11] == text[8]


def _au(text: str) -> bool:
    return _weighed(text, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _row(country: str, form: str, holds: Callable[[str], bool], words: str = "") -> NationalId:
    near = re.compile(rf"(?i)(?<![^\W_])(?:{words})(?![^\W_])") if words else None
    return NationalId(country, re.compile(rf"(?<![\dA-Za-z_.+/#-]){form}(?![\dA-Za-z_/]|[.-]\d)"), holds, near)


NATIONAL_IDS = (
    _row("US", r"\d{3}-\d{2}-\d{4}", _us),
    _row("GB", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _gb),
    _row("DE", r"[1-9]\d (?:\d{3} ){2}\d{3}", _de),
    _row("DE", r"[1-9]\d{10}", _de, "steuer-?id(?:entifikations)?-?(?:nr|nummer)?|idnr|tin|tax.?id"),
    _row("FR", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", _fr),
    _row("ES", r"(?:\d{8}|[XYZ]-?\d{7})-?[TRWAGMYFPDXBNJZSQVHLCKE]", _es),
    _row("IT", r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _it),
    _row("NL", r"\d{9}", _nl, "bsn|burgerservicenummer|sofi-?(?:nr|nummer)"),
    _row("BE", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _be),
    _row("PL", r"\d{11}", _pl),
    _row("SE", r"(?:19|20)?\d{6}[-+]\d{4}", _se),
    _row("FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", _fi),
    _row("NO", r"\d{6} ?\d{5}", _no),
    _row("CH", r"756\.\d{4}\.\d{4}\.\d\d", _ch),
    _row("BR", r"\d{3}\.\d{3}\.\d{3}-\d\d", _br),
    _row("BR", r"\d{11}", _br, "cpf"),
    _row("CN", r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]", _cn),
    _row("IN", r"[2-9]\d{3} \d{4} \d{4}", _in),
    _row("IN", r"[2-9]\d{11}", _in, "aadhaar|aadhar|uidai"),
    _row("CA", r"\d{3}[ -]\d{3}[ -]\d{3}", luhn, "sin|nas|social insurance(?: number| no)?"),
    _row("KR", r"\d{6}-\d{7}", _kr),
    _row("MX", r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", _mx),
    _row("TR", r"[1-9]\d{10}", _tr, "tckn|tc kimlik(?: no)?|t\\.c\\.(?: kimlik)?(?: no)?"),
    _row("ZA", r"\d{13}", _za),
    _row("SG", r"[STFG]\d{7}[A-Z]", _sg),
    _row("AU", r"\d{3} ?\d{3} ?\d{3}", _au, "tfn|tax file (?:number|no)"),
)
"""Sources: the registers' own rules, as python-stdnum and the countries' documents give them."""
