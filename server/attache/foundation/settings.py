"""What the user has set, read once and from the weakest place to the strongest.

Defaults, the user's file, the workspace's file, `.env` files, the environment, the options of this call. What a folder
carries counts only once the user trusts the folder, and never for what `USER_ONLY` names.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from attache.foundation import dotenv
from attache.foundation.registry import hint_for
from attache.schema.data import Record
from attache.schema.errors import SettingsError
from attache.schema.session import ApprovePolicy, Mode
from attache.schema.tools import Cost

Values = dict[str, Any]
Where = Callable[[tuple[str, ...]], str]
"""Names the place of a key, as a user finds it: `~/.config/attache/settings.toml:3: mode`."""


def _split(value: object) -> object:
    """Take a list as the environment can hold it: names with commas between."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class ProviderSettings(Record):
    """A provider as the user sets it: what differs from a built-in row, or a row of the user's own."""

    wire: str = Field("", description="The API it speaks, such as `openai_chat`; needed for a provider of your own.")
    base_url: str = Field("", description="Where it is reached, without the last part of the path.")
    api_key_env: str = Field("", description="Name of the variable that holds the key. Keys never stand in this file.")
    api_key_command: str = Field("", description="A command that prints the key, such as `pass show anthropic`.")
    default_model: str = Field("", description="The model taken where only the provider is named.")
    models: tuple[str, ...] = Field((), description="Models it offers, where it cannot list them itself.")
    local: bool = Field(default=False, description="Whether it runs on your own machine and needs no key.")
    headers: dict[str, str] = Field({}, description="Headers sent with every call, such as an organisation's id.")
    requests_per_minute: int | None = Field(None, ge=1, description="How many calls to make a minute at most.")
    tokens_per_minute: int | None = Field(None, ge=1, description="How many tokens to use a minute at most.")


class ModelTraits(Record):
    """What a model can do, where it is not as Attaché knows; what is left out stays as known."""

    tools: bool | None = Field(None, description="Whether it has a form for tools. Without one they are put in words.")
    images: bool | None = Field(None, description="Whether it sees pictures.")
    thinking: bool | None = Field(None, description="Whether it reasons before it answers.")
    context_tokens: int | None = Field(None, ge=1, description="The size of its window, in tokens.")
    output_tokens: int | None = Field(None, ge=1, description="The most that it answers, in tokens.")


class ServerSettings(Record):
    """A language server that Attaché starts for itself: one of the user's own, or what differs from a known one."""

    command: tuple[str, ...] = Field((), description="The program and its arguments; left out for a known server.")
    languages: dict[str, str] = Field(
        {}, description='From the suffixes of its files to their languages, such as `{".rb" = "ruby"}`.'
    )
    root_markers: tuple[str, ...] = Field(
        (), description="Files of which one lies where it is to run, such as `Gemfile`. Empty: in every folder."
    )
    options: dict[str, Any] = Field({}, description="Its `initializationOptions`.")
    settings: dict[str, Any] = Field({}, description="What it is told when it asks for its settings.")
    enabled: bool = Field(default=True, description="Whether it is started at all.")


class Settings(Record):
    """All settings. Each may stand in a file, or in the environment as `ATTACHE_` and its name in capitals."""

    model: str = Field("", description="The model, as `provider/name`. Empty: the first that has a key, else offline.")
    mode: Mode = Field("build", description="build: may edit. plan: reads and plans. explore: reads and explains.")
    approve: ApprovePolicy = Field(
        "ask", description="never: what needs approval does not run. ask: each asks. edits: edits land. all: none asks."
    )
    review: Literal["after", "before", "off"] = Field(
        "after", description="after: edits land, then you review them. before: they wait for you. off: no review."
    )
    view: Literal["cow", "direct"] = Field(
        "cow", description="Where commands run. cow: upon what you see, their changes wait. direct: on your files."
    )
    network: Names = Field(
        (), description="Hosts that confined commands may reach by HTTP and HTTPS; `*.x.org`: all below x.org."
    )
    command_environment: Names = Field(
        (), description="Names of variables that confined commands get besides those known to hold no secret."
    )
    personal_data: Literal["off", "mask", "ask"] = Field(
        "off",
        description="Mail, phone, card, IBAN, IP, national ids. off: sent to models as they are. "
        "mask: models see placeholders, which edits turn back. ask: you are asked, else masked.",
    )
    language_servers: Literal["auto", "off"] = Field(
        "auto", description="auto: language servers found on this machine check what the agent edits. off: none is run."
    )
    lenses: bool = Field(default=True, description="Whether lenses such as `ask agent` stand over functions.")
    send_chats_on_save: bool = Field(default=False, description="Whether saving a chat document sends what it asks.")
    show_thinking: bool = Field(default=False, description="Whether chat documents tell the model's reasoning too.")
    inline_completion: Literal["auto", "on", "off"] = Field(
        "auto",
        description="auto: ghost text by models that fill in, and without one from your buffers. on: by any model.",
    )
    completion_model: str = Field(
        "", description="The model for ghost text, as `provider/name`. Empty: the chosen one."
    )
    max_tool_iterations: int = Field(50, ge=1, description="Turns of one run that may call tools.")
    max_tools: int = Field(
        16, ge=1, description="Tools that a model is offered at once; it finds the others by `find_tool`."
    )
    tool_selection: Literal["keyword", "semantic", "hybrid"] = Field(
        "hybrid",
        description="How they are chosen for a request: by its words, its meaning, or both. "
        "Without `embedding_model`: by its words.",
    )
    max_tool_calls: dict[Cost, int] = Field(
        {"MEDIUM": 200, "HIGH": 40},
        description="Calls of each cost tier that one run may make; one that is not named has no limit.",
    )
    tool_timeout_seconds: float = Field(120, gt=0, description="How long one tool call may take, in seconds.")
    web_search_url: str = Field(
        "", description="A search engine that answers in JSON, with `{query}` in it, such as your own SearXNG's."
    )
    web_search_key_env: str = Field(
        "", description="Name of the variable that holds the engine's key, where it has one."
    )
    max_cost_usd: float | None = Field(None, ge=0, description="What one run may cost, in US dollars. Unset: no limit.")
    max_session_cost_usd: float | None = Field(None, ge=0, description="What one session may cost, in US dollars.")
    max_day_cost_usd: float | None = Field(None, ge=0, description="What you may spend a day, in US dollars.")
    max_project_cost_usd: float | None = Field(None, ge=0, description="What one folder may cost a month.")
    max_user_cost_usd: float | None = Field(None, ge=0, description="What you may spend a month in all folders.")
    fallback_models: Names = Field((), description="Models that answer, in this order, where the chosen one cannot.")
    model_attempts: int = Field(4, ge=1, le=20, description="How often a call is made where it fails in passing.")
    model_wait_seconds: float = Field(
        1, ge=0, description="The first wait between two attempts; later ones are longer."
    )
    model_first_byte_seconds: float = Field(300, gt=0, description="How long a model may take to begin its answer.")
    model_idle_seconds: float = Field(120, gt=0, description="How long a model may pause inside its answer.")
    model_total_seconds: float = Field(3600, gt=0, description="How long a model's whole answer may take.")
    max_output_tokens: int = Field(8192, ge=1, description="Length of one answer of the model, in tokens.")
    thinking_tokens: int | None = Field(None, ge=0, description="Budget for reasoning. Unset: the model's own default.")
    max_file_bytes: int = Field(1_000_000, ge=1, description="Files larger than this are not indexed.")
    providers: dict[str, ProviderSettings] = Field({}, description="Providers by name, one table each.")

    servers: dict[str, ServerSettings] = Field({}, description="Language servers by name, one table each.")
    capabilities: dict[str, ModelTraits] = Field({}, description="What models can do, by patterns such as `qwen3*`.")
    quick_model: str = Field("", description="The model for quick fixes and other small edits. Empty: the chosen one.")
    plan_model: str = Field("", description="The model that answers in plan mode. Empty: the chosen one.")
    embedding_model: str = Field(
        "", description="The model that makes vectors, as `provider/name`. Empty: nothing is compared by meaning."
    )
    vector_search: bool = Field(
        default=False,
        description="Whether pieces of your files are sent to `embedding_model`, for searches of the kind `vector`.",
    )
    keep_answers_seconds: int = Field(
        0, ge=0, description="How long answers are kept for identical calls. 0: not at all."
    )

    home: Path = Field(default_factory=lambda: home(os.environ), description="Where state, logs and caches are kept.")
    trusted: bool = Field(default=False, description="Whether the user trusts the folder.")
    config_files: tuple[Path, ...] = Field((), description="The files that were read, weakest first.")

    _environment: Mapping[str, str] = PrivateAttr()

    def model_post_init(self, context: Mapping[str, str] | None, /) -> None:
        """Keep the environment: what `load` merged, else the process's own."""
        self._environment = MappingProxyType(dict(os.environ if context is None else context))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the process, over those of the `.env` files; never shown nor saved with the settings."""
        return self._environment

    def env(self, name: str) -> str:
        """Return a variable of the environment, empty where it is not set."""
        return self._environment.get(name, "")


FACTS = frozenset({"home", "trusted", "config_files"})
"""Fields that say how the settings came about; no file can set them."""
USER_ONLY = frozenset(
    {
        "approve",
        "view",
        "network",
        "command_environment",
        "personal_data",
        "vector_search",
        "max_day_cost_usd",
        "max_user_cost_usd",
        "web_search_url",
        "web_search_key_env",
    }
)
"""Settings that widen what the agent may do; a workspace cannot set them, trusted or not."""
_TABLES = {"providers": ProviderSettings, "capabilities": ModelTraits, "servers": ServerSettings}
"""Settings that are tables by name, and what a table of each holds."""
NAMES = tuple(name for name in Settings.model_fields if name not in FACTS)
"""Every setting that a file may hold, in the order of the documentation."""


def load(
    cwd: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    trusted: bool = False,
) -> Settings:
    """Read the settings that hold for `cwd`; an override that is None was not given.

    Raises:
        SettingsError: a place holds what it cannot; the message names it and the key.
    """
    process = dict(os.environ if environ is None else environ)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    folder = Path(given.pop("home", None) or home(process))
    config = config_file(process)
    if process.get("ATTACHE_CONFIG") and not config.is_file():
        raise SettingsError(f"{config}: no such file", hint="ATTACHE_CONFIG names it; correct or unset the variable")

    read: list[Path] = []
    values: Values = {}
    environment: dict[str, str] = {}
    tables = [(config, False), (cwd / ".attache" / "settings.toml", True)]
    for path, foreign in tables[: 1 + trusted]:
        if (text := _read(path)) is not None:
            read.append(path)
            values = _merge(values, _from_toml(path, text, foreign=foreign))
    for path, foreign in [(folder / ".env", False), (cwd / ".env", True)][: 1 + trusted]:
        if (text := _read(path)) is not None:
            read.append(path)
            variables = dotenv.parse(text)
            values = _merge(values, _from_dotenv(path, text, variables, foreign=foreign))
            environment |= variables
    values = _merge(values, _checked(_from_variables(process), lambda key: _variable(key[0])))
    values = _merge(values, _checked(given, ".".join))

    facts: Values = {"home": folder, "trusted": trusted, "config_files": tuple(read)}
    return Settings.model_validate(values | facts, context=environment | process)


def home(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the folder for state: `ATTACHE_HOME`, else the platform's own place."""
    if chosen := environ.get("ATTACHE_HOME"):
        return Path(chosen).expanduser().absolute()
    return _place(environ, platform, xdg="XDG_STATE_HOME", unix=".local/state", windows="LOCALAPPDATA")


def config_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the user's settings file: `ATTACHE_CONFIG`, else the platform's own place."""
    if chosen := environ.get("ATTACHE_CONFIG"):
        return Path(chosen).expanduser().absolute()
    return _place(environ, platform, xdg="XDG_CONFIG_HOME", unix=".config", windows="APPDATA") / "settings.toml"


def _place(environ: Mapping[str, str], platform: str, *, xdg: str, unix: str, windows: str) -> Path:
    user = Path(environ.get("USERPROFILE" if platform == "win32" else "HOME") or Path.home())
    if platform == "win32":
        return Path(environ.get(windows) or user / "AppData" / "Local") / "attache"
    if platform == "darwin":
        return user / "Library" / "Application Support" / "attache"
    chosen = Path(environ.get(xdg, ""))
    # The XDG specification: a relative path there is invalid and counts as unset.
    return (chosen if chosen.is_absolute() else user / unix) / "attache"


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}: not UTF-8", hint="save the file as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}", hint="make the file readable, or move it away") from error


def _from_toml(path: Path, text: str, *, foreign: bool) -> Values:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise not_toml(path, text, str(error)) from error

    def where(key: tuple[str, ...]) -> str:
        return f"{path}:{_line_of(text, key)}: {'.'.join(key)}"

    return _checked(values, where, foreign=foreign)


def not_toml(path: Path, text: str, complaint: str) -> SettingsError:
    """Return the error for a complaint of tomllib, which ends in `(at line 3, column 7)` or `(at end of document)`."""
    reason, _, place = complaint.rpartition(" (at ")
    lines = text.splitlines() or [""]
    digits = place.removeprefix("line ").partition(",")[0]
    number = int(digits) if digits.isdigit() else len(lines)
    key, assigned, _ = lines[min(number, len(lines)) - 1].partition("=")
    name = f"{key.strip()}: " if assigned else ""
    return SettingsError(f"{path}:{number}: {name}{reason}", hint="the file is TOML: name = value, texts in quotes")


def _from_dotenv(path: Path, text: str, variables: Mapping[str, str], *, foreign: bool) -> Values:
    def where(key: tuple[str, ...]) -> str:
        name = _variable(key[0])
        return f"{path}:{dotenv.line_of(text, name)}: {name}"

    return _checked(_from_variables(variables), where, foreign=foreign)


def _from_variables(variables: Mapping[str, str]) -> Values:
    """Take the settings out of an environment; an empty variable is unset, and tables have no single one."""
    names = (name for name in NAMES if name not in _TABLES)
    return {name: value for name in names if (value := variables.get(_variable(name)))}


def _variable(name: str) -> str:
    return f"ATTACHE_{name.upper()}"


def _checked(values: Values, where: Where, *, foreign: bool = False) -> Values:
    """Return `values` if every one may stand where it stands."""
    if foreign:
        _refuse_commands(values, where)
    for name in values:
        if name in FACTS:
            raise SettingsError(f"{where((name,))}: cannot be set here", hint="home: set the variable ATTACHE_HOME")
        if foreign and name in USER_ONLY:
            raise SettingsError(f"{where((name,))}: a folder cannot set this", hint="set it in your own settings file")
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        first, *more = error.errors(include_url=False, include_input=False)
        key = tuple(str(part) for part in first["loc"])
        also = f" (and {len(more)} more)" if more else ""
        if first["type"] != "extra_forbidden":
            wrong = first["msg"].replace("Input", "value", 1)
            raise SettingsError(f"{where(key)}: {wrong}{also}", hint="attache config show lists what holds") from error
        table = _TABLES.get(key[0], ProviderSettings)
        known = NAMES if len(key) == 1 else tuple(table.model_fields)
        hint = hint_for(key[-1], known) + ("; all: attache config show" if len(key) == 1 else "")
        raise SettingsError(f"{where(key)}: no such setting{also}", hint=hint) from error
    return values


def _refuse_commands(values: Values, where: Where) -> None:
    """Refuse what would run a program that a folder names before anything is asked of it."""
    providers = values.get("providers")
    for name, fields in cast("dict[str, object]", providers if isinstance(providers, dict) else {}).items():
        if isinstance(fields, dict) and "api_key_command" in fields:
            place = where(("providers", name, "api_key_command"))
            raise SettingsError(f"{place}: a folder cannot set this", hint="set it in your own settings file")


def _line_of(text: str, key: tuple[str, ...]) -> int:
    """Return the line, from 1, on which a key of a TOML document begins.

    It is the line after the longest beginning of the document that is TOML by itself and does not hold the key yet.
    """
    lines = text.splitlines(keepends=True)
    line = 1
    for count in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        if _holds(document, key):
            break
        line = count + 1
    return line


def _holds(document: Values, key: tuple[str, ...]) -> bool:
    value: Any = document
    for part in key:
        if isinstance(value, list):
            return True  # an element of an array: the array's line serves
        if not isinstance(value, dict) or part not in value:
            return False
        value = cast("Values", value)[part]
    return True


def _merge(below: Values, above: Values) -> Values:
    """Lay one place's values over another's; providers and servers are laid over each other field by field."""
    tables: dict[str, dict[str, Values]] = {}
    for table in ("providers", "servers"):
        laid = tables[table] = dict(below.get(table, {}))
        for name, fields in cast("dict[str, Values]", above.get(table, {})).items():
            laid[name] = {**laid.get(name, {}), **fields}
    return {**below, **above, **tables}
