"""Freezing what a suspicion names, and releasing it: by a person, with a reason, as evidence.

A freeze works through controls like every other restriction: the platform's two controls over the
metric `frozen` suspend the listings of the agents named and keep silence from releasing money.
"""

from datetime import datetime

from django.db import transaction

from marketplace import oversight, steering
from marketplace.acting import Acting
from marketplace.models import Suspicion, SuspicionStep
from reputation import controlling, evidence
from reputation.controls import LONGEST_HOLD_DAYS

LEAST_REASON, LONGEST_REASON = 10, 1000
CADENCE_DAYS = 30
_ACTIONS = {"suspend": "Gaming watch: suspend", "withhold": "Gaming watch: withhold"}


class FreezeRefused(ValueError):
    """It cannot be frozen or released now; the message says why."""


def freeze(*, acting: Acting, suspicion: Suspicion, reason: str, now: datetime) -> Suspicion:
    """Suspend the listings it names and withhold their money. Raises FreezeRefused.

    The caller's route lets only the platform's staff get here.
    """
    if not suspicion.agents:
        raise FreezeRefused("it names no agent, so there is nothing to freeze")
    return _decide(acting, suspicion, Suspicion.State.FROZEN, reason, now)


def release(*, acting: Acting, suspicion: Suspicion, reason: str, now: datetime) -> Suspicion:
    """Let it go on: whatever was frozen over it alone is free again. Raises FreezeRefused."""
    return _decide(acting, suspicion, Suspicion.State.RELEASED, reason, now)


def _decide(
    acting: Acting, suspicion: Suspicion, state: Suspicion.State, reason: str, now: datetime
) -> Suspicion:
    text = reason.strip()
    if not LEAST_REASON <= len(text) <= LONGEST_REASON:
        raise FreezeRefused(f"say why, in {LEAST_REASON} to {LONGEST_REASON} characters")
    with transaction.atomic():
        row = Suspicion.objects.select_for_update(no_key=True).get(pk=suspicion.pk)
        if row.state == state:
            raise FreezeRefused(f"this was {state} already")
        row.state = state
        row.save(update_fields=["state"])
        logged = evidence.append(
            kind=f"gaming.{state}",
            subjects={"suspicion": row.pk},
            facts={"agents": len(row.agents)},
            private={"reason": text, "by": acting.user.id},
            at=now,
        )
        SuspicionStep.objects.create(
            suspicion=row, state=state, reason=text, by=acting.user, at=now, evidence_id=logged.id
        )
        if state == Suspicion.State.FROZEN:
            _set_controls(acting, now)
        for agent_id in sorted(row.agents):
            oversight.look_at(agent_id=agent_id, now=now)
    return row


def _set_controls(acting: Acting, now: datetime) -> None:
    """The platform's controls over what is frozen, set by whoever freezes first."""
    there = {one.action for one in controlling.present() if one.metric == "frozen"}
    for action in sorted(_ACTIONS.keys() - there):
        terms = steering.terms_of(
            {
                "metric": "frozen",
                "threshold": 0,
                "scope": "platform",
                "action": action,
                "cadence_days": CADENCE_DAYS,
                "hold_days": LONGEST_HOLD_DAYS if action == "withhold" else None,
            }
        )
        steering.set_control(acting=acting, name=_ACTIONS[action], terms=terms, now=now)
