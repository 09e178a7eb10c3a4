"""What a model may see of personal data: all, placeholders, or what the user says when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attache.agent.consent import consent
from attache.agent.run import Run
from attache.foundation.personal import KINDS, PersonalKind
from attache.providers.catalog import OFFLINE
from attache.schema.errors import ApprovalDenied, ApprovalNeeded
from attache.schema.models import Request
from attache.security.approvals import for_reach

_TOLD = {
    "mail": "mail addresses",
    "phone": "phone numbers",
    "card": "card numbers",
    "iban": "bank accounts",
    "ip": "IP addresses",
    "id": "national ids",
}
_SHOWN = 5


async def discreet(run: Run, request: Request) -> Request:
    """Return the request as it may leave: the offline model, which sends nothing anywhere, sees all of it.

    Where the user is to be asked, each kind is asked for once a run; what is denied, or cannot be asked, is hidden.
    """
    if run.settings.personal_data == "off" or run.model.info.ref == OFFLINE:
        return request
    met = await asyncio.to_thread(run.veil.look, request)
    if run.settings.personal_data == "ask":
        for kind, values in met.items():
            if kind not in run.shared:
                run.shared[kind] = await _may_see(run, kind, values)
    hidden: list[PersonalKind] = [kind for kind in KINDS if not run.shared.get(kind)]
    return await asyncio.to_thread(run.veil.hide, request, hidden)


async def _may_see(run: Run, kind: PersonalKind, values: Sequence[str]) -> bool:
    what, model = _TOLD[kind], run.model.info.ref
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    rows = [
        (what, ", ".join(values[:_SHOWN]) + more),
        ("effect", f"{model} sees them as they are; where you say no, it sees placeholders"),
    ]
    title = f"send {what} to {run.model.info.provider}"
    question = for_reach(title, rows, title, tool="attache", run_id=run.id, call_id=run.calling)
    if question.pattern in run.state().grants:
        return True
    try:
        await consent(run, question)
    except (ApprovalDenied, ApprovalNeeded):
        return False
    return True
