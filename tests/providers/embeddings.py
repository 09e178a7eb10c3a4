"""A server that makes vectors in every form, of what words mean: words of one row point the same way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MEANINGS = (
    ("culprit", "blame", "changed this line", "annotate"),
    ("rename", "another name"),
    ("secret", "password", "token"),
    ("chart", "plot", "picture of numbers"),
    ("fetch", "web", "page"),
)


def vector(text: str) -> list[float]:
    """Return a vector whose places say how much of each meaning there is; the last one is of everything."""
    said = text.casefold()
    return [*(4.0 * sum(said.count(word) for word in row) for row in MEANINGS), 1.0]


@dataclass
class Embeddings:
    """What was asked, and how to fail: `failures` are (status, headers, body) of the next calls."""

    url: str = ""
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    odd: bytes | None = None
    """Sent in place of an answer."""
    seconds: float = 0.0
    """How long each answer takes."""

    def answer(self, path: str, body: dict[str, Any]) -> bytes:
        if self.odd is not None:
            return self.odd
        if path.endswith(":batchEmbedContents"):
            texts = [each["content"]["parts"][0]["text"] for each in body["requests"]]
            return json.dumps({"embeddings": [{"values": vector(text)} for text in texts]}).encode()
        texts = body.get("input") or body["texts"]
        vectors = [vector(text) for text in texts]
        if path == "/api/embed":
            return json.dumps({"model": "m", "embeddings": vectors, "prompt_eval_count": 7}).encode()
        if path == "/v2/embed":
            meta = {"billed_units": {"input_tokens": 7}}
            return json.dumps({"embeddings": {"float": vectors}, "meta": meta}).encode()
        data = [{"object": "embedding", "index": place, "embedding": each} for place, each in enumerate(vectors)]
        usage = {"prompt_tokens": 7, "total_tokens": 7}
        return json.dumps({"object": "list", "data": data[::-1], "usage": usage}).encode()

    @property
    def texts(self) -> list[str]:
        """All texts that were sent in OpenAI's form."""
        return [text for _, body, _ in self.asked for text in body.get("input", ())]


@contextmanager
def embeddings() -> Iterator[Embeddings]:
    server = Embeddings()
    gone = threading.Event()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append((self.path, body, {name.lower(): value for name, value in self.headers.items()}))
            gone.wait(server.seconds)
            status, headers, data = (
                server.failures.pop(0) if server.failures else (200, {}, server.answer(self.path, body))
            )
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # who asked may have gone
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        gone.set()
        http.shutdown()
        http.server_close()
