"""What may be spent on models, held against what was: for a run, a session, a day, a project, a person."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attache.foundation.settings import Settings
from attache.schema.errors import BudgetReached
from attache.storage.ledger import Ledger, person


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that what was spent has come to."""

    name: str
    setting: str
    limit_usd: float
    spent_usd: float

    @property
    def words(self) -> str:
        """Return what to say in short."""
        return f"over {self.name} (${self.limit_usd:.2f})"


async def _at_once() -> None:
    return


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits that hold for the runs of one session."""

    settings: Settings
    ledger: Ledger
    session: str
    """The session's id, or what else the calls are for."""
    project: str
    settled: Callable[[], Awaitable[None]] = _at_once
    """Return once the bills of this session are in the ledger."""

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
        if found := await self.reached(run_cost_usd):
            raise BudgetReached(
                f"{found.words}: ${found.spent_usd:.2f} are spent",
                hint=f"raise or unset {found.setting} in your settings; what was spent on what: attache cost",
            )

    async def reached(self, run_cost_usd: float = 0.0) -> Reached | None:
        """Return the first limit that what was spent has come to, None where there is none."""
        limit = self.settings.max_cost_usd
        if limit is not None and run_cost_usd >= limit:
            return Reached("this run's budget", "max_cost_usd", limit, run_cost_usd)
        if all(limit is None for limit in self._kept()):
            return None
        await self.settled()
        now = time.localtime()
        day = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))
        month = time.mktime((now.tm_year, now.tm_mon, 1, 0, 0, 0, 0, 0, -1))
        scopes = (
            ("this session's budget", "max_session_cost_usd", 0.0, {"session": self.session}),
            ("today's budget", "max_day_cost_usd", day, {"user": person()}),
            ("this project's budget for this month", "max_project_cost_usd", month, {"project": self.project}),
            ("your budget for this month", "max_user_cost_usd", month, {"user": person()}),
        )
        for (name, setting, since, where), limit in zip(scopes, self._kept(), strict=True):
            if limit is not None and (spent := await self.ledger.spent(since, **where)) >= limit:
                return Reached(name, setting, limit, spent)
        return None
