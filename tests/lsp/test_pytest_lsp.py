"""A client that is not ours: pytest-lsp, on pygls and lsprotocol, which checks every shape it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from lsp.client import SERVER, environment

TYPED = "import os\n\n\ndef total(cart):\n    return cart.sum\n"
KNOWN = ("neovim", "emacs", "visual_studio_code")


def make_client() -> LanguageClient:
    client = LanguageClient()
    client.texts = {}  # type: ignore[attr-defined]

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        del params
        return types.ApplyWorkspaceEditResult(applied=True)

    return client


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=list(SERVER), client_factory=make_client, server_env=environment(Path("/nonexistent"))
    ),
    params=KNOWN,
)
async def client(request, lsp_client: LanguageClient, tmp_path: Path):
    folder = types.WorkspaceFolder(uri=tmp_path.as_uri(), name="project")
    await lsp_client.initialize_session(
        types.InitializeParams(capabilities=client_capabilities(request.param), workspace_folders=[folder])
    )
    yield
    await lsp_client.shutdown_session()


async def test_lens_action_and_errors_are_what_the_protocol_says(client: LanguageClient, tmp_path: Path):
    uri = (tmp_path / "a.py").as_uri()
    item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=TYPED)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    document = types.TextDocumentIdentifier(uri)
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    assert lenses
    assert [lens.command.title for lens in lenses if lens.command] == ["ask agent", "explain", "test"]
    place = types.Range(types.Position(0, 0), types.Position(0, 0))
    params = types.CodeActionParams(document, place, types.CodeActionContext(diagnostics=[]))
    actions = await client.text_document_code_action_async(params)
    assert actions
    fix = next(each for each in actions if "(rule)" in each.title)
    assert isinstance(fix, types.CodeAction)
    assert fix.edit
    with pytest.raises(Exception, match="unknown command"):
        await asyncio.wait_for(
            client.workspace_execute_command_async(types.ExecuteCommandParams("attache.exlpain")), timeout=10
        )
