"""Which models there are, which to take, and opening one; a new provider on a known wire is a row of catalog.toml."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from attache.foundation.registry import hint_for, near
from attache.foundation.settings import Settings
from attache.providers import ollama, prices, row
from attache.providers.health import Health, Watched, save
from attache.providers.model import Distant, Model
from attache.providers.pace import Pace
from attache.providers.row import ProviderRow
from attache.schema.errors import SettingsError, UnknownModel
from attache.schema.models import ModelInfo, Usage

if TYPE_CHECKING:
    from attache.providers.embedding import Embedder

OFFLINE = "offline/offline"
Connect = Callable[[ProviderRow, str, Settings], Model]


class Catalog:
    """The providers under the settings in force, and the models opened so far, each once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        prices.keep_in(settings.home)
        self._rows = row.rows(settings)
        self._open: dict[str, Model] = {}
        self._distant: dict[str, Distant] = {}
        self._paces: dict[str, Pace] = {}
        self._embedder: Embedder | None = None
        self.health = Health()

    def rows(self) -> tuple[ProviderRow, ...]:
        """Return all rows, in the order in which a model is chosen."""
        return tuple(self._rows.values())

    def row(self, name: str) -> ProviderRow:
        """Return a row; raises UnknownModel with near names."""
        if name not in self._rows:
            hint = f"{hint_for(name, self._rows)}; list: attache providers"
            raise UnknownModel(f'unknown provider "{name}"', hint=hint)
        return self._rows[name]

    def has_key(self, found: ProviderRow) -> bool:
        """Say whether the provider can be called: a key is set, a cloud's credentials are, or none is needed."""
        return row.usable(found, self._settings)

    async def choose(self) -> str:
        """Return the model to take: the user's, else that of the first key, else a running Ollama's, else offline."""
        if self._settings.model:
            return self._ref(self._settings.model)
        for found in self._rows.values():
            name = found.default_model or next(iter(found.models), "")
            if name and not found.local and row.keyed(found, self._settings):
                return f"{found.name}/{name}"
        local = self._rows["ollama"]
        running = await ollama.find(row.access(local, self._settings).base_url)
        return f"ollama/{local.default_model or running}" if running else OFFLINE

    def open(self, ref: str) -> Model:
        """Return the model called `ref`, not spoken to yet; the same one each time, so that connections serve again.

        Raises:
            UnknownModel: no provider has that name; the hint lists near names. A name the provider does not know is
                found out at the first call.
        """
        ref = self._ref(ref)
        if ref not in self._open:
            provider, _, name = ref.partition("/")
            found = self._rows[provider]
            model = self._connect(found)(found, name, self._settings)
            if isinstance(model, Distant) and (found.local or not model.info.tools):
                from attache.providers.textual import Textual

                model = Textual(model)  # what runs on one's own machine leaves more to chance
            if isinstance(model, Distant):
                self._distant[ref] = model
            self._open[ref] = self._kept(found, Watched(model, self.health, self._pace(provider)))
        return self._open[ref]

    async def warm(self, ref: str) -> None:
        """Import what the model will need, in a thread, so that its first answer does not wait for that."""
        self.open(ref)
        if distant := self._distant.get(self._ref(ref)):
            await distant.prepare()

    async def models(self, provider: str) -> tuple[str, ...]:
        """Return the models that a provider offers now; raises ProviderError where it cannot be asked."""
        found = self.row(provider)
        model = self._connect(found)(found, found.default_model or "-", self._settings) if self._lists(found) else None
        if not isinstance(model, Distant):
            return tuple(name for name in (found.default_model, *found.models) if name)
        try:
            offered = await model.models()
        finally:
            await model.close()
        return offered or found.models or await asyncio.to_thread(prices.names, found)

    def price(self, info: ModelInfo, usage: Usage) -> float | None:
        """Return what a call cost in US dollars, None where the price is unknown."""
        return self.cost(info.provider, info.name, usage)

    def cost(self, provider: str, model: str, usage: Usage) -> float | None:
        """Return the same by names, for models that do not talk."""
        return prices.price(self.row(provider), model, usage)

    @property
    def embeds(self) -> bool:
        """Whether the user has set a model that makes vectors."""
        return bool(self._settings.embedding_model)

    def embedder(self) -> Embedder:
        """Return the model that makes vectors, the same one each time.

        Raises UnknownModel where none is set, where no provider has that name, and where the provider has no such API.
        """
        if self._embedder is None:
            from attache.providers.embedding import Embedder

            provider, _, name = self._settings.embedding_model.strip().partition("/")
            if not name:
                raise UnknownModel(
                    f'embedding_model: "{self._settings.embedding_model}" names no model',
                    hint="name it as provider/model",
                )
            found = self.row(provider)
            breaker = self.health.breaker(provider)
            self._embedder = Embedder(found, name, self._settings, breaker, self._pace(provider))
        return self._embedder

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.to_thread(save, self._settings.home, self.health)
        distant, self._distant, self._open = self._distant, {}, {}
        for model in distant.values():
            await model.close()
        if self._embedder is not None:
            await self._embedder.close()

    def _lists(self, found: ProviderRow) -> bool:
        return bool(found.base_url or found.name in self._settings.providers)

    def _kept(self, found: ProviderRow, model: Model) -> Model:
        """Return the model with its answers kept on disk, where the user asks for that and it costs anything."""
        seconds = self._settings.keep_answers_seconds
        if not seconds or found.wire in {"offline", "scripted"}:
            return model
        from attache.providers.kept import Kept

        return Kept(model, self._settings.home / "answers", seconds)

    def _pace(self, provider: str) -> Pace:
        """Return the provider's pace, which all its models share."""
        if provider not in self._paces:
            own = self._settings.providers.get(provider)
            self._paces[provider] = Pace(own.requests_per_minute, own.tokens_per_minute) if own else Pace()
        return self._paces[provider]

    def _ref(self, text: str) -> str:
        """Return what the user typed as `provider/name`; a provider alone stands for its default model."""
        provider, _, name = text.strip().partition("/")
        if provider in self._rows:
            found = self._rows[provider]
            name = name or found.default_model or next(iter(found.models), "")
            if not name:
                raise UnknownModel(
                    f'"{text}" names no model',
                    hint=f"name one of its models: {provider}/<name>; list: attache models",
                )
            return f"{provider}/{name}"
        known = self._known()
        if text in known:
            return f"{known[text]}/{text}"
        guesses = [f"{guess}/{name}" for guess in near(provider, self._rows)] if name else []
        guesses = guesses or [
            guess if guess in self._rows else f"{known[guess]}/{guess}" for guess in near(text, known)
        ]
        hint = f"near: {', '.join(guesses)}" if guesses else "name it as provider/model"
        raise UnknownModel(f'unknown model "{text}"', hint=f"{hint}; list: attache models")

    def _known(self) -> dict[str, str]:
        """Return the provider of each known model, and of itself; one with a key goes before one without."""
        known = {name: name for name in self._rows}
        for found in sorted(self._rows.values(), key=self.has_key, reverse=True):
            for name in (found.default_model, *found.models, *prices.names(found)):
                known.setdefault(name, found.name)
        return known

    def _connect(self, found: ProviderRow) -> Connect:
        module = f"attache.providers.{found.wire}"
        try:
            connect = importlib.import_module(module).connect if found.wire.isidentifier() else None
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            connect = None
        except AttributeError:
            connect = None
        if connect is None:
            wires = ", ".join(sorted({known.wire for known in row.built_in()}))
            raise SettingsError(f'providers.{found.name}: unknown wire "{found.wire}"', hint=f"wires: {wires}")
        return cast("Connect", connect)
