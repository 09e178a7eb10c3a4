"""A tool is one function in one place; what is no tool is refused with words that help its author."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from attache.schema.errors import InvalidArguments, ToolError, UserError
from attache.schema.tools import ToolOutput
from attache.tools.specs import example
from attache.tools.tool import Context, Tools, tool

OURS = {
    "read": "none", "write": "workspace", "edit": "workspace", "list": "none", "find": "none", "grep": "none",
    "search": "none", "symbols": "none", "references": "none", "diagnostics": "none", "shell": "outside",
    "test": "outside",
}  # fmt: skip
TOKENS = 1_800

Count = Annotated[int, Field(ge=1, description="How often.")]


class Pair(BaseModel):
    """Two words."""

    left: Annotated[str, Field(description="First.")]
    right: str = ""


@tool(cost="LOW", aliases=("say",))
async def echo(
    ctx: Context,
    words: Annotated[str, Field(description="What to say.")],
    times: Count = 1,
    loud: Annotated[bool, Field(description="In capitals.")] = False,
    how: Annotated[Literal["plain", "odd"], Field(description="Manner.")] = "plain",
    pairs: Annotated[list[Pair] | None, Field(description="More.")] = None,
) -> ToolOutput:
    """Say something.

    More than once where wanted.
    """
    del ctx, how
    text = " ".join([words.upper() if loud else words] * times)
    return ToolOutput(text=text + "".join(pair.left for pair in pairs or ()))


# ---------------------------------------------------------------- one function


def test_the_signature_is_the_schema_and_the_docstring_the_description() -> None:
    assert echo.spec.name == "echo"
    assert echo.spec.category == "test_tool"
    assert echo.spec.description == "Say something. More than once where wanted."
    assert (echo.spec.cost, echo.spec.effect, echo.spec.once) == ("LOW", "none", False)
    assert echo.spec.parameters == {
        "type": "object",
        "required": ["words"],
        "properties": {
            "words": {"type": "string", "description": "What to say."},
            "times": {"type": "integer", "minimum": 1, "default": 1, "description": "How often."},
            "loud": {"type": "boolean", "description": "In capitals."},
            "how": {"type": "string", "enum": ["plain", "odd"], "default": "plain", "description": "Manner."},
            "pairs": {
                "type": "array",
                "description": "More.",
                "items": {
                    "type": "object",
                    "description": "Two words.",
                    "required": ["left"],
                    "properties": {"left": {"type": "string", "description": "First."}, "right": {"type": "string"}},
                },
            },
        },
    }


async def test_arguments_are_validated_and_null_is_as_good_as_nothing(desk) -> None:
    arguments = echo.validate({"words": "hi", "times": "2", "loud": None, "pairs": [{"left": "x"}]})
    assert arguments["times"] == 2
    assert (await echo.call(desk.ctx, arguments)).text == "hi hix"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({}, "echo.words: field required"),
        ({"words": 3}, "echo.words: input should be a valid string"),
        ({"words": "a", "times": 0}, "echo.times: input should be greater than or equal to 1"),
        ({"words": "a", "how": "other"}, "echo.how: input should be 'plain' or 'odd'"),
        ({"words": "a", "wrods": "b"}, "echo.wrods: no such argument; accepted: words, times, loud, how, pairs"),
        ({"words": "a", "pairs": [{"left": "x"}, {"right": "y"}]}, "echo.pairs.1.left: field required"),
    ],
)
def test_wrong_arguments_are_named_with_an_example_that_fits(arguments, fault: str) -> None:
    with pytest.raises(InvalidArguments) as wrong:
        echo.validate(arguments)
    assert wrong.value.message == fault
    assert wrong.value.hint == 'for example {"words": "<words>"}'


@pytest.mark.parametrize("each", list(Tools.discover()), ids=lambda each: each.spec.name)
def test_the_example_of_every_tool_fits_its_own_schema(each) -> None:
    import json

    each.validate(json.loads(example(each.spec)))


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ({"words": "hello"}, "`hello`"),
        ({"words": "two\nlines"}, "`two…`"),
        ({"words": "x" * 100}, f"`{'x' * 80}…`"),
        ({"words": ["git", "log", "a b"]}, "`git log 'a b'`"),
        ({"path": "src/a.py"}, "src/a.py"),
        ({"words": ""}, ""),
        ({}, ""),
    ],
)
def test_a_call_is_titled_by_its_first_argument(arguments, title: str) -> None:
    assert echo.title(arguments) == title


def _not_async(ctx: Context) -> ToolOutput:
    """Do."""
    raise NotImplementedError


async def _no_docstring(ctx: Context) -> ToolOutput:
    raise NotImplementedError


async def _no_context(words: Annotated[str, Field(description="x")]) -> ToolOutput:
    """Do."""
    raise NotImplementedError


async def _no_description(ctx: Context, words: str) -> ToolOutput:
    """Do."""
    raise NotImplementedError


async def _no_annotation(ctx: Context, words="") -> ToolOutput:
    """Do."""
    raise NotImplementedError


async def _any_arguments(ctx: Context, **words: str) -> ToolOutput:
    """Do."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (_not_async, "must be an `async def` function"),
        (_no_docstring, "needs a docstring"),
        (_no_context, "must take `ctx: Context` first"),
        (_no_description, "parameter `words` must say what it is"),
        (_no_annotation, "parameter `words` must say what it is"),
        (_any_arguments, "name every argument"),
    ],
)
def test_what_is_no_tool_is_refused_and_named(body, fault: str) -> None:
    with pytest.raises(TypeError, match=fault) as refused:
        tool(body)
    assert body.__name__ in str(refused.value)


# ---------------------------------------------------------------- all of them


def test_the_built_in_tools_are_found_without_a_problem() -> None:
    found = Tools.discover()
    assert found.problems == []
    assert OURS.items() <= {each.spec.name: each.spec.effect for each in found}.items()
    assert len(found) == len(list(found)) == len({each.spec.name for each in found})


def test_the_built_in_tools_cost_few_tokens() -> None:
    ours = Tools([each for each in Tools.discover() if each.spec.name in OURS])
    assert len(ours) == len(OURS)
    assert ours.tokens() < TOKENS


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("read_file", "read"),
        ("bash", "shell"),
        ("str_replace", "edit"),
        ("ls", "list"),
        ("glob", "find"),
        ("read", "read"),
    ],
)
def test_peers_names_lead_to_our_tools(alias: str, name: str) -> None:
    assert Tools.discover().find(alias).spec.name == name


def test_a_name_nobody_has_brings_near_ones() -> None:
    with pytest.raises(ToolError, match="no tool is called `raed`") as unknown:
        Tools.discover().find("raed")
    assert "read" in unknown.value.hint


@pytest.mark.parametrize("name", ["echo", "say"])
def test_a_name_means_one_tool(name: str) -> None:
    @tool(name=name)
    async def other(ctx: Context) -> ToolOutput:
        """Do."""
        raise NotImplementedError

    known = Tools([echo])
    with pytest.raises(UserError, match=f"`{name}` is taken by tool `echo`"):
        known.add(other)
    assert [each.spec.name for each in known] == ["echo"]


def test_an_alias_may_not_be_anothers_name() -> None:
    @tool(aliases=("echo",))
    async def other(ctx: Context) -> ToolOutput:
        """Do."""
        raise NotImplementedError

    with pytest.raises(UserError, match="`echo` is taken"):
        Tools([echo, other])


def test_a_mode_that_only_reads_offers_only_what_reads() -> None:
    found = Tools.discover()
    reading = found.allowed("plan")
    assert {spec.effect for spec in reading.specs()} == {"none"}
    assert reading.tokens() < found.allowed("build").tokens()
    assert reading.find("edit") is found.find("edit")  # the policy says why it may not run
    assert found.reads_only("read_file")
    assert not found.reads_only("shell")
    assert not found.reads_only("unheard_of")


# ---------------------------------------------------------------- a stranger's, in one place

WORDS = '''
"""Tools of this repository."""
from typing import Annotated
from pydantic import BaseModel, Field
from attache.schema.tools import ToolOutput
from attache.tools.files.files import read
from attache.tools.tool import Context, tool

class Options(BaseModel):
    unit: str = "words"

@tool(effect="none")
async def words(
    ctx: Context,
    path: Annotated[str, Field(description="File.")],
    options: Annotated["Options | None", Field(description="How.")] = None,
) -> ToolOutput:
    """Count the words of a file."""
    text = (await ctx.workspace.read(path)).text
    return ToolOutput(text=f"{len(text.split())} {(options or Options()).unit}")
'''


def _put(folder: Path, name: str, source: str) -> Path:
    file = folder / ".attache" / "tools" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    return file


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
async def test_a_file_dropped_in_a_trusted_folder_is_a_tool(desk, future: str) -> None:
    _put(desk.folder, "words.py", future + WORDS)
    desk.write("a.txt", "one two")
    desk.open("a.txt", "one two three")
    found = Tools.discover(desk.folder)
    assert found.problems == []
    spec = next(spec for spec in found.specs() if spec.name == "words")
    assert spec.description == "Count the words of a file."
    assert spec.parameters["required"] == ["path"]
    assert spec.parameters["properties"]["options"]["properties"]["unit"]["type"] == "string"
    counted = found.find("words")
    output = await counted.call(desk.ctx, counted.validate({"path": "a.txt", "options": {"unit": "pieces"}}))
    assert output.text == "3 pieces"
    assert not list(desk.folder.rglob("__pycache__"))


def test_a_folder_that_is_not_trusted_gives_none(desk) -> None:
    _put(desk.folder, "words.py", "raise SystemExit('it ran')")
    found = Tools.discover(None)
    assert found.problems == []
    assert "words" not in {spec.name for spec in found.specs()}


@pytest.mark.parametrize(
    ("source", "fault", "line"),
    [
        ("x = 1\ndef broken(:\n", "SyntaxError", 2),
        ("import os\n\nimport nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'", 3),
        ("\nraise SystemExit(3)\n", "SystemExit: 3", 2),
        (
            WORDS.replace('Annotated[str, Field(description="File.")]', "str"),
            "parameter `path` must say what it is",
            12,
        ),
        (
            WORDS.replace("async def words", "async def read"),
            "`read` is taken by tool `read` of attache.tools.files.files",
            12,
        ),
    ],
)
def test_a_broken_file_is_a_problem_with_its_place_and_breaks_no_other(desk, source, fault: str, line: int) -> None:
    broken = _put(desk.folder, "a_broken.py", source)
    _put(desk.folder, "words.py", WORDS)
    found = Tools.discover(desk.folder)
    (problem,) = found.problems
    assert fault in problem.message
    assert (problem.place.path, problem.place.line) == (str(broken), line)
    assert (problem.severity, problem.source, problem.code) == ("error", "attache", "tool")
    assert {"words", "read"} <= {spec.name for spec in found.specs()}


def test_an_edited_file_is_a_new_tool_at_once(desk) -> None:
    _put(desk.folder, "words.py", WORDS)
    Tools.discover(desk.folder)
    _put(desk.folder, "words.py", WORDS.replace("Count the words", "Tally the words"))
    assert Tools.discover(desk.folder).find("words").spec.description == "Tally the words of a file."


def test_an_installed_package_brings_tools(tmp_path: Path, monkeypatch) -> None:
    info = tmp_path / "words-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: words\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[attache.tools]\nwords = words_of_a_stranger\ngone = not_installed_at_all\n"
    )
    (tmp_path / "words_of_a_stranger.py").write_text(WORDS)
    monkeypatch.syspath_prepend(tmp_path)
    found = Tools.discover()
    assert found.find("words").origin == "words_of_a_stranger"
    assert ["not_installed_at_all" in problem.message for problem in found.problems] == [True]
