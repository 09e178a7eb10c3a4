"""Which model would answer: looked up in the background, so that offers can say why they cannot be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attache.schema.errors import AttacheError

if TYPE_CHECKING:
    from attache.faces.lsp.server import Server
    from attache.foundation.settings import Settings

OFFLINE: Final = "offline/offline"
NO_MODEL: Final = "no model configured: attache doctor tells how"


class Models:
    """The model in force for what is begun from the editor."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.chosen = ""
        """As `provider/name`; empty until it is known."""
        self.spent = ""
        """The budget that is spent, in words."""

    async def look(self) -> None:
        """Find out which model there is, once."""
        if self.chosen:
            return
        from attache.providers.catalog import Catalog

        try:
            self.chosen = await Catalog(self._server.settings).choose()
        except AttacheError as error:
            self._server.complain(error)
        if any(limit is not None for limit in _budgets(self._server.settings)):
            await self._server.app()  # its ledger knows what is spent
            await self.weigh()

    async def weigh(self) -> None:
        """Look whether what may be spent is spent: a read where a budget is set and the agent is open, else nothing."""
        app, settings = self._server.app_now, self._server.settings
        if app is None:
            return
        from attache.agent.budget import Budget

        # What a run or a session may take is said when it has taken it.
        limits = settings.model_copy(update={"max_cost_usd": None, "max_session_cost_usd": None})
        reached = await Budget(limits, app.resources.ledger, "", str(self._server.folder)).reached()
        self.spent = reached.words if reached else ""

    def choose(self, ref: str) -> None:
        """Take another model from now on."""
        self.chosen = ref

    @property
    def reason(self) -> str:
        """Why nothing that needs a model can be done; empty where it can, or where that is not known yet."""
        return NO_MODEL if self.chosen == OFFLINE else self.spent


def _budgets(settings: Settings) -> tuple[float | None, ...]:
    return settings.max_day_cost_usd, settings.max_project_cost_usd, settings.max_user_cost_usd
