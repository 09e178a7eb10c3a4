"""Attaché: an AI coding agent that lives in a language server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attache.agent.orchestrator import Orchestrator
    from attache.foundation.settings import Settings

__version__ = "0.1.0"
__all__ = ["Orchestrator", "Settings", "__version__"]


def __getattr__(name: str) -> object:
    """Import the public names when they are asked for, so that `attache --version` stays instant."""
    if name == "Orchestrator":
        from attache.agent.orchestrator import Orchestrator

        return Orchestrator
    if name == "Settings":
        from attache.foundation.settings import Settings

        return Settings
    raise AttributeError(name)
