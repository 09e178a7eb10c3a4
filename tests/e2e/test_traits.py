"""How real editors behave where the protocol leaves room: what the server and the client profiles rest on.

An editor that changes its ways fails here first, by name, before anything of ours looks broken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.conftest import Project
from e2e.emacs import Emacs
from e2e.helix import Helix, Server
from e2e.neovim import Neovim
from e2e.stand_in import Message, Refusal, StandIn, put

pytestmark = pytest.mark.e2e

TEXT = "import os\n\nx = 1\n"
TYPED = TEXT + "y = 2\n"
LATER = {"title": "later", "kind": "quickfix", "data": 1}
DISABLED = {"title": "never", "kind": "quickfix", "disabled": {"reason": "no model configured"}}
COMMAND = {"title": "run it", "kind": "quickfix", "command": {"title": "run it", "command": "stand.in"}}


class Resolve:
    """An answer to codeAction/resolve that asks for an edit first, and comes when the test says so."""

    def __init__(self, server: StandIn, uri: str, *, patience: float) -> None:
        self.open = threading.Event()
        self.meanwhile: object = None
        self._server, self._uri, self._patience = server, uri, patience

    def __call__(self, action: Message) -> Message:
        try:
            self.meanwhile = self._server.apply(put(self._uri, None, "# meanwhile\n"), timeout=self._patience)
        except TimeoutError as late:
            self.meanwhile = late
        self.open.wait(20)
        return {**action, "edit": {"documentChanges": [put(self._uri, None, "# resolved\n")]}}


# ---------------------------------------------------------------- Neovim


@pytest.fixture
def in_neovim(neovim: Neovim, project: Project, stand_in: StandIn) -> tuple[Neovim, str]:
    neovim.open(project.write("a.py", TEXT))
    neovim.attach("stand-in", stand_in.command, project.folder)
    stand_in.wait_document(project.uri("a.py"), TEXT)
    return neovim, project.uri("a.py")


def typed_in_neovim(neovim: Neovim, uri: str, stand_in: StandIn) -> int:
    neovim.type("Goy = 2<Esc>")
    return stand_in.wait_document(uri, TYPED)


def test_neovim_says_applied_of_a_stale_edit_that_it_skipped(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, uri = in_neovim
    version = typed_in_neovim(neovim, uri, stand_in)

    assert stand_in.apply(put(uri, version - 1, "# stale\n"))["applied"] is True
    assert neovim.text == TYPED


def test_neovim_checks_the_version_of_the_first_document_alone(
    in_neovim: tuple[Neovim, str], project: Project, stand_in: StandIn
):
    neovim, uri = in_neovim
    version = typed_in_neovim(neovim, uri, stand_in)
    project.write("b.py", "z = 3\n")

    stand_in.apply(put(project.uri("b.py"), None, "# first\n"), put(uri, version - 1, "# stale\n"))

    assert neovim.text == "# stale\n" + TYPED


def test_neovim_takes_version_zero_for_none_and_opens_documents_with_it(
    in_neovim: tuple[Neovim, str], stand_in: StandIn
):
    neovim, uri = in_neovim
    opened, _ = stand_in.document(uri)
    typed_in_neovim(neovim, uri, stand_in)

    stand_in.apply(put(uri, opened, "# stale\n"))

    assert opened == 0
    assert neovim.text == "# stale\n" + TYPED


def test_neovim_opens_a_closed_file_hidden_and_unsaved(
    in_neovim: tuple[Neovim, str], project: Project, stand_in: StandIn
):
    neovim, _ = in_neovim
    project.write("b.py", "z = 3\n")

    stand_in.apply(put(project.uri("b.py"), None, "# closed\n"))

    name = "b.py"
    assert neovim.lua("return vim.fn.bufwinid(...)", name) == -1
    assert neovim.lua("return vim.bo[vim.fn.bufnr(...)].modified", name)
    assert project.untouched


def test_neovim_tells_the_change_well_after_it_has_answered(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, uri = in_neovim
    version = typed_in_neovim(neovim, uri, stand_in)

    answer = stand_in.answer_to(
        stand_in.ask("workspace/applyEdit", {"edit": {"documentChanges": [put(uri, version, "# on\n")]}})
    )
    told = stand_in.wait("textDocument/didChange", after=answer.at)

    assert answer.message["result"]["applied"] is True
    assert stand_in.document(uri)[1] == "# on\n" + TYPED
    assert told.at - answer.at > 0.02
    assert told.params["textDocument"]["version"] > version


def test_neovim_gathers_typing_into_one_change_whose_version_leaps(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, uri = in_neovim

    version = typed_in_neovim(neovim, uri, stand_in)

    changes = [heard for heard in stand_in.heard if heard.method == "textDocument/didChange"]
    assert version > len(changes) + 1


def test_neovim_resolves_in_the_background_and_answers_meanwhile(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, uri = in_neovim
    resolve = Resolve(stand_in, uri, patience=10)
    stand_in.answers |= {"textDocument/codeAction": lambda _: [LATER], "codeAction/resolve": resolve}

    neovim.pick("later")
    neovim.until(lambda: resolve.meanwhile)
    neovim.type("Goy = 2<Esc>")
    while_waiting = neovim.text
    resolve.open.set()
    neovim.until(lambda: neovim.text.startswith("# resolved\n"))

    assert resolve.meanwhile == {"applied": True}
    assert while_waiting == "# meanwhile\n" + TYPED


def test_neovim_undoes_one_edit_in_one_step(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, uri = in_neovim
    version = typed_in_neovim(neovim, uri, stand_in)

    stand_in.apply(put(uri, version, "# one\n# two\n"))
    assert neovim.text == "# one\n# two\n" + TYPED
    neovim.undo()

    assert neovim.text == TYPED


def test_neovim_undoes_an_edit_together_with_the_insert_that_it_fell_into(
    in_neovim: tuple[Neovim, str], stand_in: StandIn
):
    neovim, uri = in_neovim
    neovim.type("Goy = 2")
    version = stand_in.wait_document(uri, TYPED)

    stand_in.apply(put(uri, version, "# within\n"))
    assert neovim.text == "# within\n" + TYPED
    neovim.type("<Esc>")
    neovim.undo()

    assert neovim.text == TEXT


def test_neovim_shows_why_an_action_is_disabled(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, _ = in_neovim
    stand_in.answers["textDocument/codeAction"] = lambda _: [DISABLED]

    assert neovim.pick("never") == ["never (disabled)"]
    assert neovim.lua("return _G.notices") == ["no model configured"]


def test_neovim_asks_for_lenses_once_they_are_enabled(in_neovim: tuple[Neovim, str], stand_in: StandIn):
    neovim, _ = in_neovim
    zero = {"line": 0, "character": 0}
    lens = {"range": {"start": zero, "end": zero}, "command": {"title": "ask agent", "command": "stand.in"}}
    stand_in.answers["textDocument/codeLens"] = lambda _: [lens]
    asked_before = stand_in.has_heard("textDocument/codeLens")

    neovim.lua("vim.lsp.codelens.enable(true)")
    shown = neovim.until(lambda: neovim.lua("return vim.lsp.codelens.get({ bufnr = 0 })"))

    assert not asked_before
    assert shown[0]["lens"]["command"]["title"] == "ask agent"


# ---------------------------------------------------------------- Helix

OpenHelix = Callable[[], Helix]


@pytest.fixture
def open_helix(
    helix_program: Path, home: Path, project: Project, stand_in: StandIn, request: pytest.FixtureRequest
) -> OpenHelix:
    def start() -> Helix:
        file = project.write("a.py", TEXT)
        helix = Helix(helix_program, home, file, [Server("stand-in", stand_in.command)], project.folder)
        request.addfinalizer(helix.close)
        stand_in.wait_document(project.uri("a.py"), TEXT)
        return helix

    return start


@pytest.fixture
def in_helix(open_helix: OpenHelix, project: Project, stand_in: StandIn) -> tuple[Helix, str, int]:
    helix, uri = open_helix(), project.uri("a.py")
    helix.type("geoy = 2<Esc>")
    return helix, uri, stand_in.wait_document(uri, TYPED)


def test_helix_refuses_every_version_but_its_own(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, uri, version = in_helix

    refused = [stand_in.apply(put(uri, other, "# no\n"))["applied"] for other in (0, version - 1, version + 1)]

    assert refused == [False, False, False]
    assert stand_in.apply(put(uri, version, "# yes\n"))["applied"] is True
    assert helix.take_text() == "# yes\n" + TYPED


def test_helix_keeps_what_came_before_the_document_that_it_refused(
    in_helix: tuple[Helix, str, int], project: Project, stand_in: StandIn
):
    helix, uri, version = in_helix
    project.write("b.py", "z = 3\n")

    result = stand_in.apply(put(uri, version, "# first\n"), put(project.uri("b.py"), 7, "# no\n"))

    assert (result["applied"], result["failedChange"]) == (False, 1)
    assert helix.take_text() == "# first\n" + TYPED


def test_helix_opens_a_closed_file_unsaved(in_helix: tuple[Helix, str, int], project: Project, stand_in: StandIn):
    project.write("b.py", "z = 3\n")

    assert stand_in.apply(put(project.uri("b.py"), None, "# closed\n"))["applied"] is True

    stand_in.wait_document(project.uri("b.py"), "# closed\nz = 3\n")
    assert project.untouched


def test_helix_tells_the_change_before_it_answers(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    _, uri, version = in_helix

    stand_in.apply(put(uri, version, "# on\n"))

    assert stand_in.document(uri) == (version + 1, "# on\n" + TYPED)


def test_helix_stands_still_during_resolve_and_deadlocks_with_a_server_that_asks_meanwhile(
    in_helix: tuple[Helix, str, int], stand_in: StandIn
):
    helix, uri, _ = in_helix
    resolve = Resolve(stand_in, uri, patience=2)
    stand_in.answers |= {"textDocument/codeAction": lambda _: [LATER], "codeAction/resolve": resolve}

    helix.type("<Space>a")
    helix.see("later")
    helix.type("<Enter>")
    began = stand_in.wait("codeAction/resolve").at
    helix.type("iz")
    helix.until(lambda: resolve.meanwhile)

    assert isinstance(resolve.meanwhile, TimeoutError)
    assert not stand_in.has_heard("textDocument/didChange", after=began)
    resolve.open.set()
    helix.see("# meanwhile")


def test_helix_answers_while_a_command_of_its_own_runs(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, uri, _ = in_helix
    answers: list[object] = []
    stand_in.answers["textDocument/codeAction"] = lambda _: [COMMAND]
    stand_in.answers["workspace/executeCommand"] = lambda _: answers.append(stand_in.apply(put(uri, None, "# run\n")))

    helix.type("<Space>a")
    helix.see("run it")
    helix.type("<Enter>")

    helix.see("# run")
    helix.until(lambda: answers)
    assert answers == [{"applied": True}]


def test_helix_runs_a_command_without_arguments_by_its_name(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, _, _ = in_helix
    stand_in.answers["workspace/executeCommand"] = lambda _: None

    helix.command("lsp-workspace-command stand.in")

    assert not stand_in.wait("workspace/executeCommand").params.get("arguments")


def test_helix_hides_disabled_actions(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, _, _ = in_helix
    stand_in.answers["textDocument/codeAction"] = lambda _: [DISABLED, LATER]

    helix.type("<Space>a")

    assert "never" not in helix.see("later")


def test_helix_never_asks_for_lenses(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, _, _ = in_helix
    helix.type("gg")

    assert "codeLens" not in stand_in.wait("initialize").params["capabilities"]["textDocument"]
    assert not stand_in.has_heard("textDocument/codeLens")


def test_helix_undoes_one_edit_in_one_step(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, uri, version = in_helix

    stand_in.apply(put(uri, version, "# one\n# two\n"))
    helix.type("u")

    stand_in.wait_document(uri, TYPED)


def test_helix_shows_the_buttons_of_a_message(in_helix: tuple[Helix, str, int], stand_in: StandIn):
    helix, _, _ = in_helix
    choices = [{"title": "Allow once"}, {"title": "Deny"}]

    asked = stand_in.ask(
        "window/showMessageRequest", {"type": 3, "message": "wants to run: pytest", "actions": choices}
    )
    helix.see("Allow once")
    helix.type("<Down><Enter>")

    assert stand_in.answer_to(asked).message["result"] == {"title": "Deny"}


def test_helix_names_no_root_outside_a_repository(open_helix: OpenHelix, project: Project, stand_in: StandIn):
    (project.folder / ".git").rmdir()

    open_helix()

    said = stand_in.wait("initialize").params
    assert (said["rootUri"], said["workspaceFolders"]) == (None, [])
    assert said["rootPath"] == str(project.folder)


# ---------------------------------------------------------------- Emacs


@pytest.fixture
def in_emacs(emacs: Emacs, project: Project, stand_in: StandIn) -> tuple[Emacs, str, int]:
    emacs.open(project.write("a.py", TEXT))
    emacs.attach(stand_in.command)
    emacs.eval("(goto-char (point-max))")
    emacs.type("y = 2\n")
    return emacs, project.uri("a.py"), stand_in.wait_document(project.uri("a.py"), TYPED)


def test_emacs_answers_a_wrong_version_with_an_error(in_emacs: tuple[Emacs, str, int], stand_in: StandIn):
    emacs, uri, version = in_emacs

    for other in (version - 1, version + 1):
        with pytest.raises(Refusal, match="require version"):
            stand_in.apply(put(uri, other, "# no\n"))

    assert emacs.text == TYPED


def test_emacs_waits_for_resolve_ten_seconds_and_answers_meanwhile(in_emacs: tuple[Emacs, str, int], stand_in: StandIn):
    emacs, uri, _ = in_emacs
    resolve = Resolve(stand_in, uri, patience=5)
    stand_in.answers |= {"textDocument/codeAction": lambda _: [LATER], "codeAction/resolve": resolve}

    emacs.pick("later")
    began = time.monotonic()
    with pytest.raises(RuntimeError, match="Timed out"):
        emacs.answer(timeout=20)
    waited = time.monotonic() - began
    resolve.open.set()

    assert resolve.meanwhile == {"applied": True}
    assert waited == pytest.approx(10, abs=2)


def test_emacs_opens_a_closed_file_unsaved(in_emacs: tuple[Emacs, str, int], project: Project, stand_in: StandIn):
    project.write("b.py", "z = 3\n")

    stand_in.apply(put(project.uri("b.py"), None, "# closed\n"))

    stand_in.wait_document(project.uri("b.py"), "# closed\nz = 3\n")
    assert project.untouched
