"""A provider as a row of data: the API it speaks, where it is reached, which variables hold its key, its oddities."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from attache.foundation.redact import remember_secret
from attache.foundation.settings import ModelTraits, ProviderSettings, Settings
from attache.providers import keys
from attache.schema.data import Record
from attache.schema.errors import SettingsError

_ALL_INTERFACES = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what a server binds; a client reaches it on this machine

_BLANK = re.compile(r"\{([A-Z0-9_|]+(?:=[\w-]+)?)\}")

Echo = Literal["reasoning_content", "reasoning_details", "extra_content"]
"""Fields of an OpenAI-style answer that a provider wants back with the conversation, and that others refuse."""


class Quirks(Record):
    """Where a provider leaves the form that its wire's inventor gave it."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    stream_usage: bool = True
    """Whether usage must be asked for in a stream; False where asking is an error, since it comes anyway."""
    required_tool_choice: Literal["required", "any", ""] = "required"
    """Its word for "call some tool"; empty where it has none."""
    call_id_length: int | None = None
    """The exact length of a tool call's id, letters and digits only."""
    images: bool = True
    files: bool = False
    """Whether a PDF may come as such."""
    echo: tuple[Echo, ...] = ()
    thinking: Literal["", "reasoning_effort", "reasoning"] = ""
    """The field that takes a budget for reasoning."""
    tools_without_effort: tuple[str, ...] = ()
    """Names (globs) of models that take tools on this wire only with reasoning switched off."""
    manual_thinking: tuple[str, ...] = ()
    """Names (globs) of models that take a budget for thinking; the others decide for themselves how much."""
    without_reasoning: tuple[str, ...] = ()
    """Names (globs) of models that cannot reason, and refuse what concerns it."""
    cached: tuple[str, ...] = ()
    """Names (globs) of models that take marks of what is worth caching; the others refuse them."""
    reasoning_apart: bool = False
    """Whether output tokens are counted without those of reasoning, which are charged all the same."""


PLAIN = Quirks()


class ProviderRow(Record):
    """One row of the catalogue."""

    name: str
    label: str
    wire: str
    """Name of the module of this package that speaks its API."""
    base_url: str = ""
    """May hold `{VARIABLE}` of the environment, `{ONE|OTHER}`, or `{VARIABLE=usual}`."""
    base_url_env: tuple[str, ...] = ()
    base_url_suffix: str = ""
    """What the vendor's own variable leaves out of the base URL."""
    key_env: tuple[str, ...] = ()
    key_header: str = ""
    """The header that the key stands in by itself; empty where it is `Authorization: Bearer`, or the SDK's affair."""
    credentials: Literal["", "google", "aws:bedrock", "aws:bedrock-mantle"] = ""
    """The cloud, and its service, whose own credentials do where there is no key."""
    credentials_env: tuple[str, ...] = ()
    """Variables that say that there are such credentials."""
    default_model: str = ""
    """Empty where names are the user's own, or where a key may well lie about for another purpose."""
    models: tuple[str, ...] = ()
    """Models it offers, where it cannot list them itself."""
    models_path: str = "/models"
    """Where the models are listed; empty where they are not."""
    counts: str = ""
    """How it is asked for the tokens of a request (`counting.WAYS`); empty where it cannot be."""
    embeds: str = ""
    """How it is asked for vectors (`embedding.WAYS`); empty where it has none."""
    embeds_at_once: int = 0
    """How many texts one call may hold, where that is fewer than usual."""
    local: bool = False
    """Whether it runs on the user's own machine, needs no key and costs nothing."""
    prices: str = ""
    """Its name in the data of genai-prices, where that is another."""
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    quirks: Quirks = PLAIN


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a provider may take."""

    first_byte_seconds: float = 300
    idle_seconds: float = 120
    total_seconds: float = 3600


@dataclass(frozen=True, slots=True)
class Access:
    """How a row is reached under the settings in force."""

    row: ProviderRow
    base_url: str
    key: str = field(repr=False)
    key_name: str
    """The variable the key stands in, or the one to set where there is none."""
    limits: Limits = Limits()
    capabilities: Mapping[str, ModelTraits] = field(default_factory=dict[str, ModelTraits])
    """The user's own word on what models can do, by patterns."""
    find_key: Callable[[], str] | None = field(default=None, repr=False)
    """Asks the keyring, or the user's command, for the key; blocks, and raises AuthenticationFailed."""

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine, so that no proxy may stand between."""
        return re.match(r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)", self.base_url) is not None


@cache
def built_in() -> tuple[ProviderRow, ...]:
    """Return the rows of catalog.toml, in the order in which a model is chosen."""
    table = tomllib.loads(Path(__file__).with_name("catalog.toml").read_text("utf-8"))
    return tuple(ProviderRow.model_validate({"name": name, **fields}) for name, fields in table.items())


def rows(settings: Settings) -> dict[str, ProviderRow]:
    """Return the rows by name: the built-in ones as the user changed them, then the user's own."""
    found = {row.name: row for row in built_in()}
    for name, own in settings.providers.items():
        found[name] = _changed(found.get(name), name, own)
    return found


def access(row: ProviderRow, settings: Settings) -> Access:
    """Return where `row` is reached and with which key; `ATTACHE_<PROVIDER>_…` goes before the vendor's variables."""
    prefix = f"ATTACHE_{row.name.upper().replace('-', '_')}"
    names = (f"{prefix}_API_KEY", *row.key_env)
    key_name = next((name for name in names if settings.env(name).strip()), (row.key_env or names)[0])
    limits = Limits(settings.model_first_byte_seconds, settings.model_idle_seconds, settings.model_total_seconds)
    key = settings.env(key_name).strip()
    find_key = None if key else _elsewhere(row, settings)
    return Access(row, _base_url(row, settings, prefix), key, key_name, limits, settings.capabilities, find_key)


def unlocked(found: Access) -> Access:
    """Return the access with its key, from the keyring or the user's command where it stands there.

    Blocks meanwhile. Raises AuthenticationFailed.
    """
    if found.find_key is None:
        remember_secret(found.key, f"{found.row.name} key")
        return found
    return unlocked(replace(found, key=found.find_key(), find_key=None))


def keyed(row: ProviderRow, settings: Settings) -> bool:
    """Say whether a key is there, in a variable, in the keyring or behind a command; none is fetched."""
    found = access(row, settings)
    return bool(found.key or found.find_key)


def _elsewhere(row: ProviderRow, settings: Settings) -> Callable[[], str] | None:
    """Return the way to a key that stands in no variable, None where there is none."""
    own = settings.providers.get(row.name)
    if own and own.api_key_command:
        return partial(keys.from_command, row.name, own.api_key_command)
    return partial(keys.from_keyring, row.name) if row.name in keys.kept(settings.home) else None


def usable(row: ProviderRow, settings: Settings) -> bool:
    """Say whether the provider can be called: a key is set, a cloud's credentials are, or none is needed."""
    return row.local or keyed(row, settings) or any(settings.env(name) for name in row.credentials_env)


def blanks(url: str) -> list[str]:
    """Return the variables that a base URL still waits for."""
    return [names.partition("|")[0] for names in _BLANK.findall(url)]


def _changed(row: ProviderRow | None, name: str, own: ProviderSettings) -> ProviderRow:
    if row is None and not own.wire:
        raise SettingsError(
            f"providers.{name}: `wire` is missing",
            hint=f'no built-in provider has this name; give its API, such as wire = "openai_chat", or one of: '
            f"{', '.join(known.name for known in built_in())}",
        )
    base = row or ProviderRow(name=name, label=name, wire=own.wire)
    # What goes with a wire is that of the first provider on it.
    like = next((known for known in built_in() if known.wire == own.wire), None)
    if like and (row is None or row.wire != own.wire):
        base = base.model_copy(
            update={name: getattr(like, name) for name in ("models_path", "key_header", "counts", "embeds")}
        )
    change = {
        key: value
        for key, value in (
            ("wire", own.wire),
            ("default_model", own.default_model),
            ("models", own.models),
            ("local", own.local),
            ("headers", own.headers),
            ("key_env", (own.api_key_env, *base.key_env) if own.api_key_env else ()),
        )
        if value
    }
    return base.model_copy(update=change)


def _base_url(row: ProviderRow, settings: Settings, prefix: str) -> str:
    own = settings.providers.get(row.name)
    if ours := settings.env(f"{prefix}_BASE_URL") or (own.base_url if own else ""):
        return ours.rstrip("/")
    vendors = next((value for name in row.base_url_env if (value := settings.env(name).rstrip("/"))), "")
    if not vendors:
        return _filled(row.base_url, settings)
    if "://" not in vendors:
        vendors = f"http://{vendors}"
    vendors = _with_port(vendors, row.base_url) if row.local else vendors
    return vendors if vendors.endswith(row.base_url_suffix) else vendors + row.base_url_suffix


def _filled(url: str, settings: Settings) -> str:
    """Put variables in their places; one that is not set stays, so that it can be named."""

    def value(match: re.Match[str]) -> str:
        names, _, usual = match[1].partition("=")
        return next((said for name in names.split("|") if (said := settings.env(name).strip())), usual or match[0])

    # Google's endpoint for all the world has no prefix.
    return _BLANK.sub(value, url).replace("//global-", "//")


def _with_port(url: str, default: str) -> str:
    """Complete an address such as a local server takes it for itself: no port, or all interfaces."""
    from urllib.parse import urlsplit

    try:
        parts, usual = urlsplit(url), urlsplit(default)
        host = parts.hostname or ""
        port = parts.port or (usual.port if parts.scheme == "http" else None)
    except ValueError:
        return url  # no address at all; what comes of it is said when it is called
    host = "127.0.0.1" if host in _ALL_INTERFACES else f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "") + parts.path
