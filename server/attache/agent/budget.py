"""What may be spent on models, held against what was: for a run, a session, a day, a project, a person."""

from __future__ import annotations

import time
from dataclasses import dataclass

from attache.foundation.settings import Settings
from attache.schema.errors import BudgetReached
from attache.storage.ledger import Ledger, person


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits that hold for the runs of one session."""

    settings: Settings
    ledger: Ledger
    session: str
    project: str

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for limit in (self.settings.max_cost_usd, *self._kept()))

    def _kept(self) -> tuple[float | None, ...]:
        settings = self.settings
        return (
            settings.max_session_cost_usd,
            settings.max_day_cost_usd,
            settings.max_project_cost_usd,
            settings.max_user_cost_usd,
        )

    async def check(self, run_cost_usd: float) -> None:
        """Raise BudgetReached where what may be spent is spent, with the name of the setting that says so."""
        limit = self.settings.max_cost_usd
        if limit is not None and run_cost_usd >= limit:
            raise _reached("this run", "max_cost_usd", limit, run_cost_usd)
        if all(limit is None for limit in self._kept()):
            return
        now = time.localtime()
        day = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        month = time.mktime((now.tm_year, now.tm_mon, 1, 0, 0, 0, 0, 0, -1))
        scopes = (
            ("this session", "max_session_cost_usd", 0.0, {"session": self.session}),
            ("today", "max_day_cost_usd", day, {"user": person()}),
            ("this project this month", "max_project_cost_usd", month, {"project": self.project}),
            ("you this month", "max_user_cost_usd", month, {"user": person()}),
        )
        for (words, name, since, where), limit in zip(scopes, self._kept(), strict=True):
            if limit is not None and (spent := await self.ledger.spent(since, **where)) >= limit:
                raise _reached(words, name, limit, spent)


def _reached(words: str, name: str, limit: float, spent: float) -> BudgetReached:
    return BudgetReached(
        f"over the budget for {words}: ${spent:.2f} of ${limit:.2f} are spent",
        hint=f"raise or unset {name} in your settings; what was spent on what: attache cost",
    )
