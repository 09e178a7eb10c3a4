"""What the queries capture of each language, pinned: run this file to write the pins anew, then read the difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attache.index.languages import Language, languages
from attache.index.parse import parse

FIXTURES = Path(__file__).parent / "fixtures"
LANGUAGES = languages().names


def fixture(language: Language) -> Path:
    return FIXTURES / f"{language.name}{language.suffixes[0]}"


def pins(language: Language, file: Path) -> Iterator[str]:
    """Yield all that is read of a file, a line each."""
    parsed = parse(language, file.read_bytes())
    assert not parsed.trouble
    qualified = {number: one.qualified for number, one in enumerate(parsed.definitions)}
    for one in parsed.definitions:
        doc = f" # {one.doc.splitlines()[0]}" if one.doc else ""
        place = f"{one.line}:{one.column}"
        yield f"{one.kind:9} {one.qualified:30} {place:6} {one.start_line}-{one.end_line}  {one.signature}{doc}"
    yield from (
        f"import    {one.module} {', '.join(one.names)}".rstrip() + f"  line {one.line}" for one in parsed.imports
    )
    places = [
        (line, column, role, name, qualified.get(caller, ""))
        for name, flat in parsed.uses.items()
        for role, line, column, caller in zip(*(flat[at::4] for at in range(4)), strict=True)
    ]
    roles = ("call", "imported", "type", "use")
    for line, column, role, name, caller in sorted(places):
        yield f"{roles[role]:9} {name:30} {f'{line}:{column}':6} {caller}".rstrip()
    yield from (
        f"piece     {one.start_line}-{one.end_line} {qualified.get(one.owner, '')}".rstrip() for one in parsed.pieces
    )


@pytest.mark.parametrize("name", LANGUAGES)
def test_captures_are_as_pinned(name: str) -> None:
    language = languages().get(name)
    assert language
    file = fixture(language)
    assert "\n".join(pins(language, file)) == file.with_suffix(".pins").read_text(encoding="utf-8").rstrip("\n")


def test_eighteen_languages_and_tsx_are_read() -> None:
    assert len(LANGUAGES) == 19
    assert "tsx" in LANGUAGES


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_suffix_leads_to_its_language(name: str) -> None:
    language = languages().get(name)
    assert language
    for suffix in language.suffixes:
        assert languages().of(f"some folder/a.b{suffix}") is language
    for whole in language.names:
        assert languages().of(f"some folder/{whole}") is language


def test_no_suffix_belongs_to_two_languages() -> None:
    suffixes = [suffix for name in LANGUAGES if (language := languages().get(name)) for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))


if __name__ == "__main__":
    for name in LANGUAGES:
        if language := languages().get(name):
            file = fixture(language)
            file.with_suffix(".pins").write_text("\n".join(pins(language, file)) + "\n", encoding="utf-8")
