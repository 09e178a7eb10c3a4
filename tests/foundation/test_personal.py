"""Personal data is found wherever it stands, and what only looks like it is left alone."""

from __future__ import annotations

import time

import pytest

from attache.foundation.personal import personal


def found(text: str) -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in personal(text)]


@pytest.mark.parametrize(
    ("kind", "value", "around"),
    [
        ("mail", "ada.lovelace@acme.co.uk", "owner = '{}'"),
        ("mail", "jürgen@bücher.de", "Von: Jürgen <{}>"),
        ("mail", "o'brien+list@mail.acme.io", "mailto:{}?subject=x"),
        ("mail", "taro@mail.jp", "連絡先: {}、至急"),
        ("phone", "+49 30 1234567", "call {}, please"),
        ("phone", "+44 (0)20 7946 0958", "T {}"),
        ("phone", "+442079460958", '{{"to": "{}"}}'),
        ("phone", "202-555-0143", "({})"),
        ("phone", "030 / 1234 567", "Tel.: {}"),
        ("phone", "07700 900123", "mobile={}"),
        ("phone", "+33\u00a01\u00a023\u00a045\u00a067\u00a089", "tél. {}"),
        ("phone", "090-1234-5678", "電話{}です"),
        ("phone", "06 12 34 56 78", "joindre {} avant midi"),
        ("phone", "07700 900123", "ring {}"),
        ("card", "4111 1111 1111 1111", "card: {}"),
        ("card", "5555555555554444", '"number":"{}"'),
        ("card", "3782-822463-10005", "{},12/29"),
        ("iban", "DE89 3704 0044 0532 0130 00", "IBAN: {} BIC: X"),
        ("iban", "GB82WEST12345698765432", "<{}>"),
        ("ip", "93.184.216.34", '{} - - [10/Oct/2000:13:55:36 -0700] "GET /"'),
        ("ip", "2a00:1450:4001:81b::200e", "from {} port 22"),
        ("id", "536-22-1234", "ssn {}"),
        ("id", "AB 12 34 56 C", "NINO: {}"),
        ("id", "86095742719", "Steuer-ID: {}"),
        ("id", "2 95 10 99 126 111 93", "NIR {}"),
        ("id", "54362315K", "DNI {}"),
        ("id", "X-2482300W", "NIE {}"),
        ("id", "RCCMNL83S18D969H", "CF {}"),
        ("id", "111222333", "BSN: {}"),
        ("id", "85.07.30-033.28", "{}"),
        ("id", "44051401359", "PESEL {}"),
        ("id", "880320-0016", "{}"),
        ("id", "311280-888Y", "{}"),
        ("id", "15108695088", "{}"),
        ("id", "756.9217.0769.85", "AHV {}"),
        ("id", "390.533.447-05", "CPF {}"),
        ("id", "360426199101010071", "身份证{}号"),
        ("id", "2341 2341 2346", "{}"),
        ("id", "123-456-782", "SIN: {}"),
        ("id", "971013-9019902", "{}"),
        ("id", "BOXW310820HNERXN09", "CURP {}"),
        ("id", "17291716060", "TCKN {}"),
        ("id", "7503305044089", "{}"),
        ("id", "S1234567D", "NRIC {}"),
        ("id", "123 456 782", "TFN {}"),
    ],
)
def test_each_kind_is_found_exactly(kind: str, value: str, around: str) -> None:
    assert found("first line\n" + around.format(value) + "\n") == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com admin@foo.example root@localhost x@host.invalid a@b.test",
        "git@github.com:acme/app.git ssh://deploy@host.acme.com/x postgres://app:word@db.acme.com/app root@web1.acme.com:/srv",
        "noreply@acme.com 12345+ada@users.noreply.github.com",
        "lodash@4.17.21 icon@2x.png getty@tty1.service @app.route('/x') '\\n@pytest.fixture'",
        "127.0.0.1 0.0.0.0 10.1.2.3 192.168.1.1 172.16.0.9 169.254.169.254 224.0.0.1 255.255.255.0 8.8.8.8",
        "192.0.2.7 198.51.100.4 203.0.113.200 2001:db8::1 ::1 fe80::1 fd00::2",
        "version 93.12.33.44; ==93.12.33.44; v120.0.6099.109; Chrome/91.0.4472.0; 1.2.3.4; 1.3.6.1.4.1.311",
        "src/a.py:120:34: error 12:34:56 2024-01-02T03:04:05.678+02:00 @@ -1,3 +12,89 @@",
        "deadbeef1234567890123456789012345678 550e8400-e29b-41d4-a716-446655440000 sha256:4111111111111111aaaa",
        "1718000000 1718000000123 3.14159265358979 0x4111111111111111 4111111111111112 12345678901234567890",
        "00000010  01 02 03 04 05 06 07 08  09 10 11 12 13 14 15 16",
        "std::a::b rgb(255, 255, 255) 100-200-3000 000-12-3456 123456789",
        "HIDDEN_MAIL_0123456789 HIDDEN_ID_00AA11BB22",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert found(text) == []


def test_a_wrong_check_digit_is_no_number() -> None:
    text = "DE88 3704 0044 0532 0130 00, 390.533.447-06, 54362315A, 756.9217.0769.84, 360426199101010072"
    assert found(text) == []


def test_long_text_takes_milliseconds() -> None:
    for unit in ("1234567 ", "a.b.c.d@", "+1 ", "DE89 37", "x = foo(12, 34)  # note\n", "1.2.3.4.", "(0)(0)"):
        text = unit * (200_000 // len(unit))
        began = time.process_time()
        personal(text)
        assert time.process_time() - began < 3, unit
