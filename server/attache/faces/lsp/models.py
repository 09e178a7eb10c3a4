"""Which model would answer: looked up in the background, so that offers can say why they cannot be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attache.schema.errors import AttacheError

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server

OFFLINE: Final = "offline/offline"
NO_MODEL: Final = "no model configured: attache doctor tells how"


class Models:
    """The model in force for what is begun from the editor."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.chosen = ""
        """As `provider/name`; empty until it is known."""

    async def look(self) -> None:
        """Find out which model there is, once."""
        if self.chosen:
            return
        from attache.providers.catalog import Catalog

        try:
            self.chosen = await Catalog(self._server.settings).choose()
        except AttacheError as error:
            self._server.complain(error)

    def choose(self, ref: str) -> None:
        """Take another model from now on."""
        self.chosen = ref

    @property
    def reason(self) -> str:
        """Why nothing that needs a model can be done; empty where it can, or where that is not known yet."""
        return NO_MODEL if self.chosen == OFFLINE else ""
