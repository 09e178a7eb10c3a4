"""Personal data stays here, and what a model says in its place becomes it again: over HTTP, in every turn, in files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from attache.schema.events import ApprovalAsked, TextStreamed
from attache.schema.messages import Message, Text, ToolCall, user
from attache.schema.models import Request
from attache.security.veil import Unveiling, Veil

from .conftest import Person, Start

MAIL, PHONE, IBAN = "jürgen.groß@acme.de", "+49\u00a030\u00a01234567", "DE89 3704 0044 0532 0130 00"
BYTES = f'# kept by {MAIL}\r\nPHONE = "{PHONE}"\r\nIBAN = "{IBAN}"  # {MAIL}\r\n'.encode()
Say = Callable[[str], dict[str, Any]]


class Parrot:
    """A model over HTTP that answers from what it was sent, in pieces of three characters; it remembers every body."""

    def __init__(self, *answers: Say) -> None:
        self.bodies: list[str] = []
        parrot, left = self, list(answers)

        class Talk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                parrot.bodies.append(json.dumps(body["messages"], ensure_ascii=False))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for delta in (*_pieces(left.pop(0)(parrot.bodies[-1])), None):
                    choice = {"index": 0, "delta": delta or {}, "finish_reason": None if delta else "stop"}
                    self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        own = {"wire": "openai_chat", "base_url": url, "local": True, "models": ["grey"]}
        return {"providers": {"parrot": own}, "model": "parrot/grey"}


def _pieces(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for at in range(0, len(text := said.get("text", "")), 3):
        yield {"content": text[at : at + 3]}
    if "call" in said:
        name, arguments = said["call"]
        call = {"index": 0, "id": f"c{name}", "function": {"name": name, "arguments": json.dumps(arguments)}}
        yield {"tool_calls": [{**call, "type": "function"}]}


@pytest.fixture
def parrot() -> Iterator[Callable[..., Parrot]]:
    started: list[Parrot] = []

    def begin(*answers: Say) -> Parrot:
        started.append(Parrot(*answers))
        return started[-1]

    yield begin
    for each in started:
        each.server.shutdown()
        each.server.server_close()


def hidden(body: str, kind: str = "MAIL") -> str:
    return re.findall(rf"HIDDEN_{kind}_[0-9A-F]{{10}}(?!\w)", body.replace("HIDDEN_MAIL_0123ABCDEF", ""))[0]


def edit(body: str) -> dict[str, Any]:
    mail, phone = hidden(body), hidden(body, "PHONE")
    return {
        "text": f"I write to {mail} now",
        "call": ("edit", {"path": "a.py", "edits": [{"search": f'"{phone}"', "replace": f'"{phone}", "{mail}"'}]}),
    }


def read(_: str) -> dict[str, Any]:
    return {"call": ("read", {"path": "a.py"})}


async def test_models_see_placeholders_and_edits_land_byte_for_byte(start: Start, folder, parrot) -> None:
    (folder / "a.py").write_bytes(BYTES)
    birds = parrot(read, edit, lambda body: {"text": f"{hidden(body)} has it"})
    async with start([], **birds.settings, personal_data="mask") as agent:
        session = await agent.session()
        streamed: list[str] = []
        session.subscribe(
            lambda entry: streamed.append(entry.event.text) if isinstance(entry.event, TextStreamed) else None
        )
        reply = await agent.chat(f"send it to {MAIL}")
    assert (folder / "a.py").read_bytes() == BYTES.replace(f'"{PHONE}"'.encode(), f'"{PHONE}", "{MAIL}"'.encode())
    assert reply.content.endswith(f"{MAIL} has it")
    assert f"I write to {MAIL} now" in "".join(streamed)
    assert "HIDDEN" not in "".join(streamed)
    assert len(birds.bodies) == 3
    for body in birds.bodies:
        assert not any(value in body for value in (MAIL, PHONE, IBAN, "groß", "3704"))


async def test_placeholders_are_the_same_in_later_turns_and_after_a_resume(start: Start, folder, parrot) -> None:
    (folder / "a.py").write_bytes(BYTES)
    said: list[str] = []

    def note(body: str) -> dict[str, Any]:
        said.append(hidden(body))
        return {"text": f"noted {said[0]}"}

    def write(body: str) -> dict[str, Any]:
        note(body)
        return {"call": ("write", {"path": "b.txt", "content": f"{said[0]}\n"})}

    birds = parrot(note, note, write, note)
    async with start([], **birds.settings, personal_data="mask") as agent:
        await agent.chat(f"my address is {MAIL}")
        await agent.chat("and again?")
        name = (await agent.session()).id
    async with start([], **birds.settings, personal_data="mask") as agent:
        session = await agent.load_session(name)
        await session.run((Text(text="write it to b.txt"),))
    assert len(set(said)) == 1
    assert (folder / "b.txt").read_text("utf-8") == f"{MAIL}\n"
    assert not any(MAIL in body for body in birds.bodies)


async def test_a_placeholder_that_stands_for_nothing_is_not_written(start: Start, folder, parrot) -> None:
    (folder / "a.py").write_bytes(BYTES)
    wrong = {"path": "a.py", "edits": [{"search": "PHONE", "replace": "HIDDEN_MAIL_AAAAAAAAAA"}]}
    birds = parrot(read, lambda _: {"call": ("edit", wrong)}, lambda _: {"text": "oh"})
    async with start([], **birds.settings, personal_data="mask") as agent:
        await agent.chat("change it")
    assert (folder / "a.py").read_bytes() == BYTES
    assert "stands for nothing known" in birds.bodies[-1]


@pytest.mark.parametrize("allowed", [True, False])
async def test_ask_asks_once_a_run_for_each_kind(start: Start, folder, parrot, *, allowed: bool) -> None:
    (folder / "a.py").write_bytes(BYTES)
    person = Person(*(["allow_once"] if allowed else ["deny"]) * 3)
    birds = parrot(read, lambda _: {"text": "done"})
    async with start([], person=person, **birds.settings, personal_data="ask") as agent:
        await agent.chat(f"look at it, {MAIL}")
    assert [each.title for each in person.shown] == [
        f"send {what} to parrot" for what in ("mail addresses", "phone numbers", "bank accounts")
    ]
    assert (MAIL in birds.bodies[0]) is (IBAN in birds.bodies[1]) is allowed
    assert MAIL in dict(person.shown[0].detail)["mail addresses"]


async def test_ask_hides_where_nobody_is_there_and_off_sends(start: Start, parrot) -> None:
    for setting, seen in (("ask", False), ("off", True)):
        birds = parrot(lambda _: {"text": "well"})
        async with start([], **birds.settings, personal_data=setting) as agent:
            session = await agent.session()
            assert (await agent.chat(f"I am {MAIL}")).content == "well"
            asked = [
                each for each in await agent.resources.log.read(session.id) if isinstance(each.event, ApprovalAsked)
            ]
        assert (MAIL in birds.bodies[0]) is seen
        assert len(asked) == (not seen)


def test_every_cut_of_a_stream_is_restored() -> None:
    veil = Veil("one")
    sent = veil.hide_text(f"an H, HIDDEN, {MAIL}; HID{IBAN} and {IBAN}: HIDDEN_")
    whole = f"an H, HIDDEN, {MAIL}; HID{IBAN} and {IBAN}: HIDDEN_"
    shown: list[str] = []
    for size in range(1, len(sent) + 1):
        shown.clear()
        pieces = Unveiling(veil, lambda _, text: shown.append(text))
        for at in range(0, len(sent), size):
            pieces.add("text", sent[at : at + size])
        pieces.flush()
        assert "".join(shown) == whole


def test_what_is_known_is_hidden_in_calls_too_and_conversations_share_no_placeholder() -> None:
    call = ToolCall(id="c", name="edit", arguments={"path": "a", "edits": [{"old": MAIL, MAIL: [f"<{MAIL}>", 7]}]})
    messages = (user(f"I am {MAIL}"), Message(role="assistant", parts=(call,)))
    request = Request(model="m", messages=messages)
    one, two = Veil("one"), Veil("two")
    assert one.look(request) == two.look(request) == {"mail": (MAIL,)}
    sent = one.hide(request, ["mail"])
    assert MAIL not in sent.model_dump_json()
    assert sent.messages != two.hide(request, ["mail"]).messages
    assert one.restore(sent.messages[0].text) == messages[0].text
    assert one.hide(request, ["ip"]).messages == messages


async def test_what_is_handed_on_of_a_session_shows_placeholders(start: Start, parrot, folder, tmp_path) -> None:
    birds = parrot(lambda _: {"text": "well"})
    async with start([], **birds.settings, personal_data="mask") as agent:
        name = (await agent.session()).id
        await agent.chat(f"I am {MAIL}")
    placeholder = hidden(birds.bodies[0])
    for command, setting in ((["show", name, "--json"], "mask"), (["export", name], "off")):
        env = {**os.environ, "ATTACHE_HOME": str(tmp_path / "home"), "ATTACHE_PERSONAL_DATA": setting}
        line = [sys.executable, "-m", "attache", "sessions", *command]
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        run = subprocess.run(line, cwd=folder, env=env, capture_output=True, encoding="utf-8", check=True)
        assert (MAIL in run.stdout) is (setting == "off")
        assert (placeholder in run.stdout) is (setting == "mask")
