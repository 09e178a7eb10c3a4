"""A definition that moves takes its imports along, and everyone who uses it finds it; the program runs the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from attache.schema.errors import EditRefused

MODELS = '''"""Models."""
from __future__ import annotations

import json
from dataclasses import dataclass

from .base import Base, helper as aid

LIMIT = 3


# A point.
@dataclass
class Point(Base):
    x: int

    def dump(self):
        return json.dumps(aid(self.x))


def other():
    return LIMIT
'''


@pytest.fixture
def program(desk):
    desk.write("app/__init__.py", "")
    desk.write("app/base.py", "class Base:\n    pass\n\n\ndef helper(x):\n    return x\n")
    desk.write("app/models.py", MODELS)
    desk.write("app/shapes.py", '"""Shapes."""\n\nSIDES = 4\n')
    desk.write(
        "main.py",
        "import app.models\nfrom app.models import Point as P, other\nfrom app import models\n\nprint(P(1).dump(), other(), models.Point(2).dump(), app.models.Point(3).x)\n",
    )
    desk.write(
        "app/near.py",
        "from .models import (\n    LIMIT,\n    Point,\n)\n\n\ndef near() -> Point:\n    return Point(LIMIT)\n",
    )
    return desk


def _ran(
    desk, code: str = "import runpy; runpy.run_path('main.py'); from app.near import near; print(near().dump())"
) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=desk.folder, capture_output=True, text=True, check=True
    ).stdout


async def test_a_class_moves_with_its_imports_and_users_follow(program) -> None:
    before = _ran(program)
    output = await program.call("move_symbol", path="app/models.py", line=14, to_path="app/shapes.py")
    assert _ran(program) == before
    shapes, models = program.text("app/shapes.py"), program.text("app/models.py")
    assert "# A point.\n@dataclass\nclass Point(Base):" in shapes
    assert "Point" not in models
    assert "json" not in models
    assert "dataclass" not in models
    assert "from app.shapes import Point" in program.text("app/near.py") or "from .shapes import Point" in program.text(
        "app/near.py"
    )
    assert output.text.startswith("moved `Point` from app/models.py to app/shapes.py; imports changed in 2 other files")


async def test_it_may_go_to_a_new_file(program) -> None:
    before = _ran(program)
    await program.call("move_symbol", path="app/models.py", line=14, to_path="app/geometry/points.py")
    assert _ran(program) == before
    assert (program.folder / "app/geometry/__init__.py").exists()


@pytest.mark.parametrize(
    ("line", "to", "why"),
    [
        (14, "app/models.py", "two Python files"),
        (17, "app/shapes.py", "at its top"),
        (14, "app/taken.py", "has a `Point` already"),
        (21, "app/shapes.py", ""),
    ],
)
async def test_what_cannot_move_is_refused(program, line: int, to: str, why: str) -> None:
    program.write("app/taken.py", "Point = 1\n")
    if why:
        with pytest.raises(EditRefused, match=why):
            await program.call("move_symbol", path="app/models.py", line=line, to_path=to)
        assert program.text("app/models.py") == MODELS
    else:
        before = _ran(program)
        await program.call("move_symbol", path="app/models.py", line=line, to_path=to)
        assert _ran(program) == before
        assert "from app.models import LIMIT" in program.text("app/shapes.py")


async def test_a_package_that_offers_it_again_still_does(desk) -> None:
    desk.write("pkg/__init__.py", "from .a import one\n__all__ = ['one']\n")
    desk.write("pkg/a.py", "import os\n\n\ndef one():\n    return os.sep\n\n\ndef two():\n    return one()\n")
    desk.write("pkg/b.py", '"""B."""\n\nX = 1\n')
    desk.write("t.py", "import pkg\nimport pkg.a\nfrom pkg import one\nprint(one(), pkg.one(), pkg.a.two())\n")
    before = _ran(desk, "import t")
    text = desk.text("t.py")
    await desk.call("move_symbol", path="pkg/a.py", line=4, to_path="pkg/b.py")
    assert desk.text("t.py") == text
    assert _ran(desk, "import t") == before
    assert "def one" in desk.text("pkg/b.py")


async def test_a_circle_is_refused(desk) -> None:
    desk.write("a.py", "ONE = 1\n\n\ndef f():\n    return ONE\n\n\nprint(f())\n")
    desk.write("b.py", "")
    with pytest.raises(EditRefused, match="would import each other"):
        await desk.call("move_symbol", path="a.py", line=4, to_path="b.py")
