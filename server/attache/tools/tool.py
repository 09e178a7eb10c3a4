"""What a tool is: one typed async function, whose signature is its schema and whose docstring is its prompt."""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_origin, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from attache.foundation.registry import hint_for
from attache.schema.documents import Diagnostic
from attache.schema.errors import InvalidArguments, ToolError, UserError
from attache.schema.session import Mode
from attache.schema.tools import Cost, Effect, ToolOutput, ToolSpec
from attache.tools.reach import Reach
from attache.tools.sources import Stamp, modules, problem, stamp
from attache.tools.specs import example, no_text, parameters, tokens
from attache.tools.wording import first_line

if TYPE_CHECKING:
    from attache.foundation.settings import Settings
    from attache.index.client import Index
    from attache.index.folders import Indexes
    from attache.schema.edits import FileChange, Landed
    from attache.storage.memories import Memories
    from attache.workspace.jobs import Jobs
    from attache.workspace.servers.servers import Servers
    from attache.workspace.shell import Command
    from attache.workspace.workspace import Workspace

Body = Callable[..., Awaitable[ToolOutput]]
"""`async def name(ctx: Context, argument: Annotated[type, Field(description=...)], ...) -> ToolOutput`."""


async def no_tools(_query: str, _limit: int) -> tuple[ToolSpec, ...]:
    """Stand for a caller that has no other tools to offer."""
    return ()


async def no_findings(_path: str) -> tuple[Diagnostic, ...]:
    """Stand for an editor that says nothing, or for none."""
    return ()


@dataclass(frozen=True, slots=True)
class Context:
    """The world as a tool may touch it. What would have to call upwards is handed down here."""

    workspace: Workspace
    settings: Settings
    land: Callable[[str, Sequence[FileChange]], Awaitable[Landed]]
    """Let changes land as one step with a title. Raises EditRefused."""
    index: Index | Indexes | None = None
    findings: Callable[[str], Awaitable[tuple[Diagnostic, ...]]] = no_findings
    """What the editor's language servers say about a path."""
    servers: Servers | None = None
    """Language servers of our own, for what only they know."""
    emit: Callable[[str], None] = lambda _text: None
    """Paint a line of progress."""
    find_tools: Callable[[str, int], Awaitable[tuple[ToolSpec, ...]]] = no_tools
    """Find so many tools by what they do, and offer them from now on."""
    reach: Reach = field(default_factory=Reach)
    """The person, the session and other agents."""
    memories: Memories | None = None
    jobs: Jobs | None = None
    """Commands in the background."""


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A tool, ready to be offered, validated and called."""

    spec: ToolSpec
    body: Body
    arguments: type[BaseModel]
    aliases: tuple[str, ...] = ()
    """Names by which models trained on other agents ask for it."""
    origin: str = ""
    """The module it comes from."""
    command: Callable[..., Command] | None = None
    """From the context and the arguments to the command that the call will run; None where it runs none."""
    pure: bool = False
    """Whether its answer follows from the arguments and the texts that it reads through the workspace, and from
    nothing else, so that it need not be run again while these are what they were."""
    timeout_seconds: float | None = None
    """How long a call may take; None takes what the settings say, infinity waits for a person."""

    def validate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the function takes them, null taken as not given.

        Raises InvalidArguments with the path of each fault and an example that fits.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        if wrong := next(no_text(given, self.spec.name), ""):
            raise InvalidArguments(wrong, hint=f"for example {example(self.spec)}")
        try:
            valid = self.arguments.model_validate(given)
        except ValidationError as error:
            faults = "; ".join(self._fault(fault) for fault in error.errors(include_url=False))
            raise InvalidArguments(faults, hint=f"for example {example(self.spec)}") from None
        return {name: getattr(valid, name) for name in self.arguments.model_fields}

    def _fault(self, fault: Any) -> str:
        where = ".".join(map(str, (self.spec.name, *fault["loc"])))
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            return f"{where}: no such argument; accepted: {', '.join(self.arguments.model_fields) or 'none'}"
        return f"{where}: {fault['msg'].lower()}"

    def title(self, arguments: Mapping[str, Any]) -> str:
        """Return what a call is about in a few words: its first argument."""
        if not arguments:
            return ""
        name, value = next(iter(arguments.items()))
        words = shlex.join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)
        line = first_line(words)
        return line if name == "path" or not line else f"`{line}`"

    def shown(self, context: Context, arguments: Mapping[str, Any]) -> Command | None:
        """Return the command that a call with these arguments will run, for the person who has to allow it."""
        with _names_checked():
            return self.command(context, **self.validate(arguments)) if self.command else None

    async def call(self, context: Context, arguments: Mapping[str, Any]) -> ToolOutput:
        """Run the tool with valid arguments. Raises ToolError."""
        with _names_checked():
            return await self.body(context, **arguments)


@contextmanager
def _names_checked() -> Generator[None]:
    """Tell what the system says of a file that was named: a name too long, a file where a folder should be."""
    try:
        yield
    except OSError as error:
        if error.filename is None or isinstance(error, TimeoutError):
            raise
        named = first_line(os.fsdecode(error.filename))
        raise ToolError(f"{named}: {error.strerror or error}", hint="name a file or folder that is there") from error


@overload
def tool(body: Body, /) -> Tool: ...
@overload
def tool(
    *,
    name: str = "",
    category: str = "",
    cost: Cost = "FREE",
    effect: Effect = "none",
    once: bool = False,
    aliases: tuple[str, ...] = (),
    command: Callable[..., Command] | None = None,
    pure: bool = False,
    timeout_seconds: float | None = None,
) -> Callable[[Body], Tool]: ...
def tool(
    body: Body | None = None,
    /,
    *,
    name: str = "",
    category: str = "",
    cost: Cost = "FREE",
    effect: Effect = "none",
    once: bool = False,
    aliases: tuple[str, ...] = (),
    command: Callable[..., Command] | None = None,
    pure: bool = False,
    timeout_seconds: float | None = None,
) -> Tool | Callable[[Body], Tool]:
    """Make a tool of an async function; nothing else has to be done for it to be found.

    Name and category are the function's and the module's unless given, the description is the docstring, the schema
    comes from the signature. Raises TypeError where the function cannot be a tool.
    """

    def declare(body: Body) -> Tool:
        called = name or _name(body)
        arguments = _arguments(called, body)
        spec = ToolSpec(
            name=called,
            category=category or body.__module__.rpartition(".")[2],
            description=_description(called, body),
            parameters=parameters(arguments),
            cost=cost,
            effect=effect,
            once=once,
        )
        return Tool(spec, body, arguments, aliases, body.__module__, command, pure, timeout_seconds)

    return declare if body is None else declare(body)


def _name(body: Body) -> str:
    name: str = getattr(body, "__name__", "")
    if not inspect.iscoroutinefunction(body):
        raise TypeError(f"tool `{name}` must be an `async def` function")
    return name


def _description(name: str, body: Body) -> str:
    words = " ".join((inspect.getdoc(body) or "").split())
    if not words:
        raise TypeError(f"tool `{name}` needs a docstring: it is what the model is told about it")
    return words


def _arguments(name: str, body: Body) -> type[BaseModel]:
    hints = get_type_hints(body, include_extras=True)
    names = tuple(inspect.signature(body).parameters.values())
    if not names or hints.get(names[0].name) is not Context:
        raise TypeError(f"tool `{name}` must take `ctx: Context` first")
    fields: dict[str, Any] = {}
    for parameter in names[1:]:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise TypeError(f"tool `{name}`: `{parameter}` cannot be described to a model; name every argument")
        hint = hints.get(parameter.name)
        if not _described(hint):
            wanted = f"{parameter.name}: Annotated[type, Field(description=...)]"
            raise TypeError(f"tool `{name}`: parameter `{parameter.name}` must say what it is: `{wanted}`")
        fields[parameter.name] = (hint, ... if parameter.default is parameter.empty else parameter.default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _described(hint: object) -> bool:
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return any(isinstance(note, FieldInfo) and note.description for note in notes)


class Tools:
    """The tools there are, by name and by alias; no name means two of them."""

    def __init__(self, tools: Iterable[Tool] = (), *, effects: Collection[Effect] = get_args(Effect)) -> None:
        self.effects = effects
        """Effects of the tools that models are offered; the others are found all the same, and policy says why not."""
        self.problems: list[Diagnostic] = []
        """What was found and cannot be used, with the place to mend."""
        self._by_name: dict[str, Tool] = {}
        self._folders: tuple[Path, ...] = ()
        self._stamp: Stamp = ()
        self._found: list[Tool] = []
        self._tokens: int | None = None
        for each in tools:
            self.add(each)

    @classmethod
    def discover(cls, *trusted: Path | None) -> Tools:
        """Find every tool there is, also those that the given workspace folders carry, which the user must trust."""
        found = cls()
        found._folders = tuple(folder for folder in trusted if folder)
        found._find()
        return found

    def current(self) -> Tools:
        """Return these tools; where the files that the workspace carries have changed since, all are found anew."""
        if stamp(self._folders) != self._stamp:
            self._find()
        return self

    def _find(self) -> None:
        given = [each for each in self if each not in self._found]
        self._by_name, self._found, self.problems, self._stamp = {}, [], [], stamp(self._folders)
        self._tokens = None
        for each in given:
            self.add(each)
        for module in modules(self._folders, self.problems.append):
            for thing in vars(module).values():
                if isinstance(thing, Tool):
                    self._take(thing)

    def _take(self, new: Tool) -> None:
        try:
            self.add(new)
            self._found.append(new)
        except UserError as error:
            code = inspect.unwrap(new.body).__code__
            self.problems.append(problem(code.co_filename, code.co_firstlineno, error.message))

    def add(self, new: Tool) -> None:
        """Take in a tool. Raises UserError where its name or one of its aliases is taken by another."""
        for name in (new.spec.name, *new.aliases):
            taken = self._by_name.get(name, new)
            if taken is not new:
                owner = f"tool `{taken.spec.name}` of {taken.origin}"
                raise UserError(f"tool `{new.spec.name}`: `{name}` is taken by {owner}", hint="give it another name")
        self._by_name.update(dict.fromkeys((new.spec.name, *new.aliases), new))
        self._tokens = None

    def find(self, name: str) -> Tool:
        """Return the tool of this name or alias. Raises ToolError with near names."""
        if name in self._by_name:
            return self._by_name[name]
        hint = f"{hint_for(name, self._by_name)}; find_tool and `attache tool list` name them"
        raise ToolError(f"no tool is called `{name}`", hint=hint)

    def reads_only(self, name: str) -> bool:
        """Whether a call of this name changes nothing, so that it may run beside others."""
        return name in self._by_name and self._by_name[name].spec.effect == "none"

    def allowed(self, mode: Mode) -> Tools:
        """Return the same tools, of which a model in this mode is offered those that the mode lets run."""
        return Tools(self, effects=get_args(Effect) if mode == "build" else ("none",))

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return what a model is offered."""
        return tuple(each.spec for each in self if each.spec.effect in self.effects)

    def tokens(self) -> int:
        """Estimate what the offer costs in every request."""
        if self._tokens is None:
            self._tokens = tokens(self.specs())
        return self._tokens

    def __iter__(self) -> Iterator[Tool]:
        """Go through the tools in the order they came, each once."""
        return iter(dict.fromkeys(self._by_name.values()))

    def __len__(self) -> int:
        return len(set(map(id, self._by_name.values())))
