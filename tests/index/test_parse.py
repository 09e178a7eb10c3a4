from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest

from attache.index.languages import Languages, grammars_folder, languages
from attache.index.parse import Outline, everywhere, outline, parse, split
from attache.index.parsed import Found, Parsed
from attache.index.pieces import LONGEST
from attache.schema.errors import SettingsError

FIXTURES = Path(__file__).parent / "fixtures"


def read(language: str, text: str) -> Parsed:
    return parse(languages().get(language), text.encode())


@pytest.mark.parametrize("name", languages().names)
def test_broken_text_is_read_all_the_same(name: str) -> None:
    language = languages().get(name)
    assert language
    text = (FIXTURES / f"{name}{language.suffixes[0]}").read_bytes()
    chance = random.Random(name)
    lines = len(split(text))
    for _ in range(30):
        start, end = sorted((chance.randrange(len(text)), chance.randrange(len(text))))
        noise = bytes(chance.randrange(256) for _ in range(chance.randrange(8)))
        broken = text[:start] + noise + text[end:]
        parsed = parse(language, broken)
        assert not parsed.trouble
        assert all(1 <= piece.start_line <= piece.end_line <= lines + 8 for piece in parsed.pieces)
        assert all(one.start_line <= one.line <= one.end_line for one in parsed.definitions)


@pytest.mark.parametrize("name", languages().names)
def test_no_line_stands_in_two_pieces_and_no_word_in_none(name: str) -> None:
    language = languages().get(name)
    assert language
    text = (FIXTURES / f"{name}{language.suffixes[0]}").read_bytes()
    covered = [row for piece in parse(language, text).pieces for row in range(piece.start_line, piece.end_line + 1)]
    assert len(covered) == len(set(covered))
    left = [line for row, line in enumerate(split(text), 1) if row not in covered]
    assert all(len(line.strip()) <= 3 for line in left)


def test_every_line_end_counts_as_one() -> None:
    symbols = outline("python", "a = 1\rb = 2\r\nc = 3\nd = 4")
    assert [(one.name, one.line, one.column) for one in symbols] == [("a", 1, 1), ("b", 2, 1), ("c", 3, 1), ("d", 4, 1)]


def test_columns_count_characters() -> None:
    parsed = read("python", "größe = 'ä'; länge = 'ü🙂'; höhe(tiefe)\n")
    assert [(one.name, one.column) for one in parsed.definitions] == [("größe", 1), ("länge", 14)]
    assert parsed.uses["höhe"][2] == 28


def test_a_text_in_no_known_language_is_cut_into_pieces() -> None:
    parsed = parse(None, b"words\n" * (2 * LONGEST + 1))
    assert [(piece.start_line, piece.end_line) for piece in parsed.pieces] == [(1, 53), (54, 107), (108, 161)]
    assert not parsed.definitions


def test_long_functions_are_cut_and_keep_their_name() -> None:
    parsed = read("python", "def long():\n" + "    step()\n" * 200)
    assert [piece.owner for piece in parsed.pieces] == [0, 0, 0]
    assert [parsed.definitions[0].name, parsed.definitions[0].end_line] == ["long", 201]


def test_what_takes_too_long_is_read_as_plain_text() -> None:
    started = time.perf_counter()
    parsed = parse(languages().get("python"), b"def f(): g(1)\n" * 70_000, limit_seconds=0.05)
    assert time.perf_counter() - started < 2
    assert parsed.trouble == "reading it as python took longer than 0.05 s"
    assert parsed.pieces
    assert outline("python", "def f(): g(1)\n")[0].name == "f"


def test_deep_nesting_is_read() -> None:
    parsed = read("python", "(" * 5_000 + ")" * 5_000)
    assert not parsed.definitions
    assert read("json", '{"a":' * 3_000 + "1" + "}" * 3_000).definitions[0].name == "a"


def test_a_grammar_that_is_not_installed_is_said(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[cobol]\nwheel = "tree_sitter_cobol"\nfactory = "language"\nsuffixes = [".cob"]\n'
    )
    parsed = parse(Languages(tmp_path).of("a.cob"), b"words\n")
    assert parsed.trouble == "the grammar of cobol is not installed (tree_sitter_cobol)"
    assert len(parsed.pieces) == 1


def test_a_language_is_added_by_one_row_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[ini]\nwheel = "tree_sitter_toml"\nfactory = "language"\nsuffixes = [".ini"]\ncomments = ["#"]\n'
    )
    (tmp_path / "ini").mkdir()
    (tmp_path / "ini" / "tags.scm").write_text("(pair . (bare_key) @name) @definition.key\n")
    language = Languages(tmp_path).of("some/setup.ini")
    parsed = parse(language, b"# How often.\nattempts = 5\n")
    assert [(one.name, one.kind, one.doc) for one in parsed.definitions] == [("attempts", "key", "How often.")]


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("(pair) @definition.wish\n(x)", "does not fit its grammar"),
        ("(pair . (bare_key) @name) @definition.wish", "unknown kind: wish"),
        ("(pair)", "captures nothing"),
        ('(pair . (bare_key) @name (#eq? @name "a")) @definition.key', r"unknown condition: \(#eq\?"),
    ],
)
def test_a_wrong_query_is_refused_by_name(tmp_path: Path, query: str, complaint: str) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[ini]\nwheel = "tree_sitter_toml"\nfactory = "language"\nsuffixes = [".ini"]\n'
    )
    (tmp_path / "ini").mkdir()
    (tmp_path / "ini" / "tags.scm").write_text(query)
    language = Languages(tmp_path).of("a.ini")
    assert language
    with pytest.raises(SettingsError, match=complaint) as caught:
        _ = language.all_names
    assert "ini" in caught.value.message


def test_everywhere_finds_bare_uses_but_no_words() -> None:
    text = "limit = 5  # limit\n\n\ndef f(x=limit):\n    'limit'\n    y = limit\n    return g(limit, y.limit, 'limit of limit')\n"
    language = languages().get("python")
    assert language
    assert everywhere(language, text.encode(), "limit") == [
        Found("definition", 1, 1, ""),
        Found("use", 4, 9, "f"),
        Found("use", 6, 9, "f"),
        Found("use", 7, 14, "f"),
        Found("use", 7, 23, "f"),
    ]


def test_everywhere_keeps_the_roles_that_are_known() -> None:
    text = "from a import Client\n\n\nclass B(Client):\n    def f(self) -> 'Client':\n        return Client(Client.x)\n"
    language = languages().get("python")
    assert language
    roles = [(one.role, one.line, one.caller) for one in everywhere(language, text.encode(), "Client")]
    assert roles == [("import", 1, ""), ("type", 4, "B"), ("call", 6, "B.f"), ("use", 6, "B.f")]


def test_the_shipped_grammars_are_found_beside_the_sources() -> None:
    assert (grammars_folder() / "manifest.toml").is_file()


def test_reading_a_file_loads_no_other_language() -> None:
    before = {name for name in sys.modules if name.startswith("tree_sitter_")}
    outline("css", "a { color: red }")
    assert {name for name in sys.modules if name.startswith("tree_sitter_")} - before <= {
        "tree_sitter_css",
        "tree_sitter_css._binding",
    }


@pytest.mark.parametrize("name", languages().names)
def test_an_outline_that_followed_edits_is_the_one_read_anew(name: str) -> None:
    language = languages().get(name)
    assert language
    whole = text = (FIXTURES / f"{name}{language.suffixes[0]}").read_text(encoding="utf-8")
    expected = outline(name, whole, "a")
    live, chance = Outline(name), random.Random(name)
    inserted = ["", "x", "é", "日本", "\n", "\n\n", " ", "{", "}", '"', "#", "\r\n", text[:80], text[100:180]]
    for number in range(60):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 1, 3, 40]))
        text = text[:start] + chance.choice(inserted) + text[end:]
        live.of(text, "a")
        if number % 5 == 4:
            assert live.of(whole, "a") == expected
            text = whole


def test_an_outline_moves_with_what_is_typed_above() -> None:
    live = Outline("python")
    text = "def größe(): pass\n\n\ndef länge(): pass\n"
    for typed in ("", "é", "é = 1", "é = 1\n", "é = 1\n# 日本\n", "# 日本\n", ""):
        assert live.of(typed + text) == outline("python", typed + text)


def test_an_outline_survives_what_is_too_long() -> None:
    live = Outline("python")
    assert [one.name for one in live.of("def f(): pass")] == ["f"]
    assert live.of("def f(): g(1)\n" * 200_000) == ()
    assert [one.name for one in live.of("def g(): pass")] == ["g"]


def test_a_language_without_grammar_has_no_outline() -> None:
    assert outline("klingon", "def f(): pass") == ()


def test_reading_a_text_again_and_again_takes_no_more_memory() -> None:
    resource = pytest.importorskip("resource", reason="memory is measured on POSIX")
    language = languages().get("ruby")
    assert language
    data = (FIXTURES / "ruby.rb").read_bytes() * 10
    live, texts = Outline("ruby"), [data.decode(), data.decode().replace("end", "edn", 3)]

    def work(times: int) -> int:
        for number in range(times):
            parse(language, data)
            live.of(texts[number % 2])
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    assert (-work(60) + work(150)) * unit // 150 < len(data) // 4
