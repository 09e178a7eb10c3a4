from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from attache.index.parse import split
from attache.index.reader import Cover, Reader
from attache.index.references import candidates, name_at, stored
from attache.index.scan import NOTHING, Scan, read
from attache.index.search import search
from attache.index.store import Store, fingerprint
from attache.index.symbols import outline, same, symbols
from attache.schema.code import SearchKind
from attache.workspace.paths import Root

SOURCES = {
    "app/http.py": '''
"""Talk HTTP."""

MAX_ATTEMPTS = 5


class Session:
    """A session with a server."""

    def send(self, request):
        """Send a request and hand back the answer."""
        for attempt in range(MAX_ATTEMPTS):
            if self._once(request):
                return attempt
            self.back_off(attempt)

    def back_off(self, attempt):
        """Wait before the next attempt, ever longer."""
        sleep(2 ** attempt)


def retry_failed(requests):
    return [Session().send(request) for request in requests]
''',
    "app/auth.py": '''
class Login:
    def check_password(self, user, password):
        return hash_of(password) == user.password_hash

    def send(self):
        pass


def hash_of(text):
    """Hash a password with salt."""
    return digest(text)
''',
    "tests/test_http.py": """
from app.http import Session, retry_failed


def test_retry_failed_requests():
    assert retry_failed([1]) == [0]
    check = retry_failed
""",
    "docs/guide.md": "# Guide\n\n## Retrying\n\nFailed requests are retried five times.\n",
    "notes.txt": "remember the milk\n",
}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    code = tmp_path / "code"
    for name, text in SOURCES.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
        os.utime(code / name, (1_600_000_000, 1_600_000_000))
    with Root(code) as root:
        store = Store(tmp_path / "index.db")
        scan = Scan(root, store, max_file_bytes=1_000_000, current=tmp_path / "current")
        for _ in scan.refresh():
            pass
        store.commit()
        scan.close()
        store.close()
        made = Reader(root, tmp_path / "index.db", max_file_bytes=1_000_000)
        yield made
        made.close()


def cover(reader: Reader, path: str, text: str) -> None:
    data = text.encode()
    reader.cover(path, Cover(split(data), fingerprint(data), read(path, data), buffer=True))


def first(reader: Reader, query: str, kind: SearchKind = "hybrid") -> str:
    hit = search(reader, query, 5, kind)[0]
    return f"{hit.path}:{hit.symbol}"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("where do we retry failed requests?", "app/http.py:retry_failed"),
        ("how long does it wait between attempts", "app/http.py:Session.back_off"),
        ("checking of passwords", "app/auth.py:Login.check_password"),
        ("Session", "app/http.py:Session"),
        ("Session.send", "app/http.py:Session.send"),
        ("hash_of", "app/auth.py:hash_of"),
        ("hashOf", "app/auth.py:hash_of"),
        ("MAX_ATTEMPTS", "app/http.py:MAX_ATTEMPTS"),
        ("tests of retrying", "tests/test_http.py:test_retry_failed_requests"),
        ("milk", "notes.txt:"),
    ],
)
def test_questions_find_their_place(reader: Reader, question: str, answer: str) -> None:
    assert first(reader, question) == answer


def test_hits_carry_the_lines_they_name(reader: Reader) -> None:
    for hit in search(reader, "retry failed requests", 10, "hybrid"):
        lines = SOURCES[hit.path].split("\n")
        assert hit.text == "\n".join(lines[hit.start_line - 1 : hit.end_line])
        assert hit.text.strip()


def test_scores_fall(reader: Reader) -> None:
    scores = [hit.score for hit in search(reader, "retry failed requests of a session", 10, "hybrid")]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 3


def test_no_more_than_asked_for(reader: Reader) -> None:
    assert len(search(reader, "retry failed requests of a session", 2, "hybrid")) == 2
    assert len(search(reader, "s", 1, "exact")) == 1


def test_symbol_search_looks_at_names_alone(reader: Reader) -> None:
    found = search(reader, "password", 5, "symbol")
    assert [hit.symbol for hit in found] == ["Login.check_password"]


def test_text_search_takes_words_as_they_are(reader: Reader) -> None:
    assert {hit.path for hit in search(reader, "retried", 9, "text")} == {
        "app/http.py",
        "tests/test_http.py",
        "docs/guide.md",
    }


def test_exact_search_is_to_the_letter(reader: Reader) -> None:
    found = search(reader, "Session().send(", 5, "exact")
    assert [(hit.path, hit.start_line, hit.symbol) for hit in found] == [("app/http.py", 23, "retry_failed")]
    assert search(reader, "session().send(", 5, "exact") == []
    assert search(reader, "", 5, "exact") == []


def test_exact_search_spans_lines(reader: Reader) -> None:
    found = search(reader, "def send(self):\n        pass", 5, "exact")
    assert [(hit.path, hit.start_line, hit.end_line) for hit in found] == [("app/auth.py", 6, 7)]


def test_vectors_fall_back_on_words(reader: Reader) -> None:
    assert search(reader, "retry", 3, "vector") == search(reader, "retry", 3, "hybrid")


@pytest.mark.parametrize(
    "query", ["", "   ", "?!", '"', "NEAR(", "a AND", "*", "'; DROP TABLE files", "{name} : x", "\0", "é" * 500]
)
def test_odd_questions_break_nothing(reader: Reader, query: str) -> None:
    for kind in ("hybrid", "text", "symbol", "exact", "vector"):
        search(reader, query, 5, kind)
    symbols(reader, query, "", 5)
    candidates(reader, query, "")
    assert first(reader, "milk") == "notes.txt:"


def test_a_buffer_stands_over_its_file(reader: Reader) -> None:
    cover(reader, "app/auth.py", "def shield(door):\n    return closed(door)\n")
    assert search(reader, "hash a password", 5, "hybrid") == []
    assert first(reader, "shield the doors") == "app/auth.py:shield"
    assert first(reader, "closed(door)", "exact") == "app/auth.py:shield"
    assert [one.name for one in outline(reader, "app/auth.py")] == ["shield"]
    assert symbols(reader, "hash_of", "", 5) == []
    assert [one.path for one in symbols(reader, "shield", "", 5)] == ["app/auth.py"]
    reader.uncover("app/auth.py")
    assert first(reader, "hash a password") == "app/auth.py:hash_of"


def test_buffers_are_ranked_like_the_files_they_were(reader: Reader) -> None:
    question = "where do we retry failed requests of the session?"
    before = [(hit.path, hit.symbol) for hit in search(reader, question, 10, "hybrid")]
    for path in ("app/http.py", "tests/test_http.py"):
        cover(reader, path, SOURCES[path])
    assert [(hit.path, hit.symbol) for hit in search(reader, question, 10, "hybrid")][:3] == before[:3]


def test_a_file_that_is_gone_is_in_no_answer(reader: Reader) -> None:
    reader.cover("app/http.py", Cover([b""], b"", NOTHING, buffer=False))
    assert all(hit.path != "app/http.py" for hit in search(reader, "retry failed requests", 10, "hybrid"))
    assert symbols(reader, "Session", "", 5) == []


def test_names_are_found_ever_more_loosely(reader: Reader) -> None:
    def found(name: str, path: str = "") -> list[str]:
        return [f"{one.path}:{one.qualified}" for one in symbols(reader, name, path, 10)]

    assert found("send") == ["app/auth.py:Login.send", "app/http.py:Session.send"]
    assert found("Session.send") == ["app/http.py:Session.send"]
    assert found("session") == ["app/http.py:Session"]
    both = ["app/http.py:retry_failed", "tests/test_http.py:test_retry_failed_requests"]
    assert found("retry") == [both[0], "docs/guide.md:Guide.Retrying", both[1]]
    assert found("failedRetry") == both
    assert found("send", "app/http.py") == ["app/http.py:Session.send"]
    assert found("", "app/auth.py") == [
        "app/auth.py:Login",
        "app/auth.py:Login.check_password",
        "app/auth.py:Login.send",
        "app/auth.py:hash_of",
    ]
    assert found("", "docs") == ["docs/guide.md:Guide", "docs/guide.md:Guide.Retrying"]
    assert found("nothing_of_this") == []
    assert [one.name for one in same(reader, "SESSION")] == ["Session"]


def test_symbols_tell_all_that_is_known_of_them(reader: Reader) -> None:
    (one,) = symbols(reader, "back_off", "", 5)
    assert one.model_dump() == {
        "name": "back_off", "kind": "method", "path": "app/http.py", "line": 17, "column": 9, "start_line": 17,
        "end_line": 19, "container": "Session", "signature": "def back_off(self, attempt)",
        "doc": "Wait before the next attempt, ever longer.",
    }  # fmt: skip


def test_stored_references_name_their_callers(reader: Reader) -> None:
    found = stored(reader, "retry_failed", "")
    assert [(path, one.role, one.line, one.caller) for path in sorted(found) for one in found[path]] == [
        ("app/http.py", "definition", 22, ""),
        ("tests/test_http.py", "import", 2, ""),
        ("tests/test_http.py", "call", 6, "test_retry_failed_requests"),
    ]
    assert list(stored(reader, "retry_failed", "tests")) == ["tests/test_http.py"]


def test_candidates_hold_the_name(reader: Reader) -> None:
    assert candidates(reader, "retry_failed", "") == ["app/http.py", "tests/test_http.py"]
    assert candidates(reader, "retry_failed", "tests") == ["tests/test_http.py"]
    cover(reader, "notes.txt", "retry_failed()\n")
    assert "notes.txt" in candidates(reader, "retry_failed", "")


@pytest.mark.parametrize(
    ("column", "name"),
    [(1, ""), (4, ""), (5, "retry_failed"), (10, "retry_failed"), (17, "retry_failed"), (18, "requests")],
)
def test_the_name_at_a_place(reader: Reader, column: int, name: str) -> None:
    assert (
        name_at(reader, "app/http.py", 22, column) == name
        if column > 4
        else name_at(reader, "app/http.py", 22, column) in {"def", ""}
    )


def test_no_name_past_the_end(reader: Reader) -> None:
    assert name_at(reader, "app/http.py", 999, 1) == ""
    assert name_at(reader, "nowhere.py", 1, 1) == ""


def test_stale_files_are_noticed(reader: Reader, tmp_path: Path) -> None:
    paths = ["app/http.py", "app/auth.py", "notes.txt", "docs/guide.md"]
    assert reader.stale(paths) == []
    (tmp_path / "code" / "app" / "http.py").write_text("changed = 1\n")
    (tmp_path / "code" / "notes.txt").unlink()
    os.utime(tmp_path / "code" / "docs" / "guide.md")  # only touched
    assert sorted(reader.stale(paths)) == ["app/http.py", "notes.txt"]


def test_without_a_database_nothing_is_found(tmp_path: Path) -> None:
    with Root(tmp_path) as root:
        reader = Reader(root, tmp_path / "none.db", max_file_bytes=1_000)
        assert search(reader, "retry", 5, "hybrid") == []
        assert symbols(reader, "retry", "", 5) == []
        assert not (tmp_path / "none.db").exists()
