"""What is fixed is the unsaved text, and never for the worse."""

from __future__ import annotations

import pytest

from attache.schema.documents import Diagnostic, Place
from attache.schema.errors import EditRefused
from attache.tools.tool import Context
from tools.conftest import Desk


async def test_a_cure_that_brings_a_fault_is_refused_with_its_place(desk: Desk) -> None:
    text = "import os\n\nprint(os.name)\n"
    desk.write("a.py", text)

    async def says(_path: str) -> tuple[Diagnostic, ...]:
        place = Place(path="a.py", line=1, column=1)
        return (Diagnostic(place=place, message="`from __future__` imports must occur at the beginning"),)

    desk.ctx = Context(workspace=desk.ctx.workspace, settings=desk.ctx.settings, land=desk.ctx.land, findings=says)
    output = await desk.call("fix", path="a.py")
    assert "a.py:1" in output.text
    assert "no rule has a cure that is sure" in output.text
    assert desk.text("a.py") == text


async def test_more_findings_than_before_are_refused(desk: Desk) -> None:
    desk.write("a.py", "def f():\n    global x\n    return x\n\n\nf()\nx = 1  # type: ignore\n")

    async def says(_path: str) -> tuple[Diagnostic, ...]:
        place = Place(path="a.py", line=1, column=1)
        patch = {"path": "a.py", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "text": "print(gone)\n"}
        return (Diagnostic.model_validate({"place": place, "message": "x", "fix": [patch], "safe": True}),)

    desk.ctx = Context(workspace=desk.ctx.workspace, settings=desk.ctx.settings, land=desk.ctx.land, findings=says)
    before = desk.text("a.py")
    with pytest.raises(EditRefused, match=r"would bring a\.py:1:7 error F821 Undefined name `gone`"):
        await desk.call("fix", path="a.py")
    assert desk.text("a.py") == before


async def test_the_unsaved_text_is_fixed(desk: Desk) -> None:
    desk.write("a.py", "x = 1\n")
    uri = desk.open("a.py", "import os\nx = 1\n")
    output = await desk.call("fix", path="a.py")
    assert "fixed 1 finding" in output.text
    assert desk.shown(uri) == "x = 1\n"
    assert desk.text("a.py") == "x = 1\n"
