"""The reveal: after the deadline every standing offer is opened at once, each held against its own
commitment. The row is the queue; two sweeps open a need once."""

import json
import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from pacts.models import AgentVersion, Need, SealedOffer
from pacts.needs import commitments
from pacts.needs.closing import close
from reputation import evidence, restrictions
from reputation.envelope import instant

log = logging.getLogger(__name__)

_OPENED = (
    *("state", "agent_version", "price", "work_seconds", "note", "nonce", "unfit"),
    "revealed_evidence_id",
)
_STOPS = ("re_evaluate", "route_elsewhere", "suspend")


def reveal_due(*, now: datetime, limit: int = 50) -> int:
    """Open the offers of every need whose deadline is strictly past; returns how many needs."""
    due = Need.objects.filter(state=Need.State.OPEN, offers_until__lt=now)
    ids = list(due.order_by("offers_until").values_list("pk", flat=True)[:limit])
    return sum(_revealed(need_id, now) for need_id in ids)


def _revealed(need_id: str, now: datetime) -> bool:
    """One that cannot be opened (a seal whose key was lost) is logged and holds up no other."""
    try:
        return _reveal(need_id, now)
    except Exception:
        log.exception("the offers of %s could not be opened", need_id)
        return False


def _reveal(need_id: str, now: datetime) -> bool:
    with transaction.atomic():
        need = (
            Need.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("pact_version")
            .filter(pk=need_id, state=Need.State.OPEN, offers_until__lt=now)
            .first()
        )
        if need is None:
            return False
        standing = list(need.offers.filter(state="standing").order_by("placed_at", "pk"))
        for one in standing:
            _open(one, now)
        if not standing:
            close(need, Need.Ending.NO_OFFERS, now=now)
            return True
        need.state, need.revealed_at = Need.State.REVEALED, now
        need.save(update_fields=["state", "revealed_at"])
        evidence.append(
            kind="need.revealed",
            subjects={"need": need.id, "party": need.buyer_id},
            facts={"offers": len(standing), "choose_until": instant(need.choose_until)},
            at=now,
        )
    return True


def _open(one: SealedOffer, now: datetime) -> None:
    inside = json.loads(one.sealed)
    document = inside["document"]
    broken = commitments.commitment(document) != one.commitment
    version = AgentVersion.objects.select_related("agent").get(pk=document["agent_version"])
    one.state = SealedOffer.State.REVEALED
    one.agent_version, one.price = version, document["price"]
    one.work_seconds, one.note = document["work_seconds"], inside["note"]
    one.nonce = document["nonce"]
    one.unfit = "it is not what was sealed" if broken else unfit_now(version, now=now)
    one.revealed_evidence_id = _log(one, document, now)
    one.save(update_fields=_OPENED)


def unfit_now(version: AgentVersion, *, now: datetime) -> str:
    """Why nothing could come of an offer of this agent at this moment; empty if something could."""
    if version.agent.control_proved_at is None:
        return "control of the agent's endpoint is not proved any more"
    for one in restrictions.in_force(agent_id=version.agent_id, now=now):
        if one.action in _STOPS:
            return one.sentence[:300]
    return ""


def _log(one: SealedOffer, document: dict[str, Any], now: datetime) -> str:
    return evidence.append(
        kind="offer.revealed",
        subjects={
            "need": one.need_id,
            "offer": one.id,
            "party": one.builder_id,
            "agent": document["agent"],
            "agent_version": document["agent_version"],
        },
        facts={name: document[name] for name in ("price", "currency", "work_seconds")},
        digests={
            "commitment": one.commitment,
            **{name: document[name] for name in ("nonce", "note", "terms")},
        },
        at=now,
    ).id
