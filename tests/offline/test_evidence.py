"""Only what a tool showed is ever cited."""

from __future__ import annotations

from attache.providers.offline.evidence import Quote, best, passages, stem, stems

SHOWN = """src/net/client.py:10-14 Client.send
10\tdef send(self, request):
11\t    for attempt in range(RETRIES):
12\t        return self.try_once(request)
my dir/ä#1.py:3 call in main
"""


def test_passages_are_read_back_with_their_lines() -> None:
    first, second = passages(SHOWN)
    assert (first.path, first.line, first.end_line, first.label) == ("src/net/client.py", 10, 14, "Client.send")
    assert [quote.line for quote in first.quotes] == [10, 11, 12]
    assert first.quotes[1].text == "    for attempt in range(RETRIES):"
    assert (second.path, second.line, second.label) == ("my dir/ä#1.py", 3, "call in main")


def test_lines_without_a_header_belong_to_the_file_that_was_read() -> None:
    (only,) = passages("1\timport os\n2\tx = 1", "a.py")
    assert [str(quote) for quote in only.quotes] == ["a.py:1 — `import os`", "a.py:2 — `x = 1`"]


def test_words_meet_in_their_stems() -> None:
    assert stem("retries") == stem("retry") == stem("retried")
    assert stem("requests") == stem("request")
    assert stem("running") == stem("run")
    assert stems("maxRetries HTTPServer load_settings") >= {"max", "retry", "http", stem("server"), "load"}


def test_the_line_that_says_most_is_quoted_and_imports_last() -> None:
    lines = [
        Quote(path="a.py", line=1, text="from retry import retry_request"),
        Quote(path="a.py", line=5, text="def retry_request(request):"),
        Quote(path="a.py", line=9, text="    x = 1"),
    ]
    found = best(lines, stems("retry requests"))
    assert found is not None
    assert found.line == 5
    assert best(lines[2:], stems("retry")) is None
