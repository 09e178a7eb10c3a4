"""The built-in model that needs no key: rules over what the tools find."""

from __future__ import annotations

from attache.foundation.settings import Settings
from attache.providers.model import Model
from attache.providers.offline.model import Offline
from attache.providers.row import ProviderRow


def connect(row: ProviderRow, model_name: str, settings: Settings) -> Model:
    """Return the model; it takes no configuration."""
    del row, model_name, settings
    return Offline()
