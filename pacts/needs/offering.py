"""Offering: sealed at once, committed to in the log, replaced or withdrawn until the deadline.

What an offer says is in no column that a page, an export or the back office reads. Whoever offers
holds the need's row, and so does the reveal: an offer is either before it or refused.
"""

import json
from datetime import datetime
from typing import Any

from django.db import transaction

from pacts.feasibility import LONGEST_TIMER
from pacts.models import AgentVersion, Need, Party, SealedOffer, User
from pacts.needs import commitments
from pacts.reevaluations import refuse_restricted
from reputation import evidence
from reputation.envelope import instant
from reputation.identifiers import new_id

LONGEST_NOTE = 4000


class OfferRefused(ValueError):
    """This cannot be offered; the message says why and what to change."""


class NeedClosed(ValueError):
    """The need takes no offers any more."""


def offer(
    *,
    need: Need,
    builder: Party,
    agent_version: AgentVersion,
    price: int,
    work_seconds: int,
    note: str,
    by: User,
    now: datetime,
) -> SealedOffer:
    """Seal an offer, in the place of the builder's earlier one if there is one.

    `price` of one milestone in the need's currency, minor units. At exactly the deadline it still
    counts. Raises `NeedClosed`, `OfferRefused`, `pacts.reevaluations.ReEvaluationDue`.
    """
    _refuse_unfit(need, builder, agent_version, price, work_seconds, note, now)
    with transaction.atomic():
        need = _held(need, now)
        _end_standing(need, builder, SealedOffer.State.REPLACED, now)
        made = _sealed(
            SealedOffer(id=new_id("off"), need=need, builder=builder, placed_by=by, placed_at=now),
            agent_version,
            {"price": price, "currency": need.currency, "work_seconds": work_seconds},
            note.strip(),
        )
        made.sealed_evidence_id = evidence.append(
            kind="offer.sealed",
            subjects={"need": need.id, "offer": made.id},
            facts={"offers_until": instant(need.offers_until)},
            digests={"commitment": made.commitment},
            at=now,
        ).id
        made.save(force_insert=True)
    return made


def _sealed(
    made: SealedOffer, version: AgentVersion, facts: dict[str, Any], note: str
) -> SealedOffer:
    salt = commitments.new_nonce()
    document = {
        "format": commitments.FORMAT,
        "need": made.need_id,
        "offer": made.id,
        "builder": made.builder_id,
        "agent": version.agent_id,
        "agent_version": version.id,
        **facts,
        "terms": made.need.pact_version.digest,
        "note": commitments.note_digest(salt=salt, note=note),
        "nonce": commitments.new_nonce(),
    }
    made.commitment = commitments.commitment(document)
    made.sealed = json.dumps({"document": document, "note": note, "salt": salt})
    return made


def take_back(*, need: Need, builder: Party, now: datetime) -> SealedOffer:
    """Withdraw the builder's standing offer, until the deadline. It is never opened.

    Raises `NeedClosed`, `OfferRefused` where there is none.
    """
    with transaction.atomic():
        need = _held(need, now)
        ended = _end_standing(need, builder, SealedOffer.State.WITHDRAWN, now)
        if ended is None:
            raise OfferRefused("you have no offer here to withdraw")
    return ended


def _held(need: Need, now: datetime) -> Need:
    """The need, locked, while it takes offers. Raises `NeedClosed`."""
    rows = Need.objects.select_for_update(of=("self",), no_key=True)
    need = rows.select_related("pact_version").get(pk=need.pk)
    if need.state != Need.State.OPEN or now > need.offers_until:
        raise NeedClosed("the time for offers is over; they were opened together")
    return need


def _end_standing(need: Need, builder: Party, state: str, now: datetime) -> SealedOffer | None:
    standing = SealedOffer.objects.filter(need=need, builder=builder, state="standing").first()
    if standing is None:
        return None
    standing.state, standing.taken_back_at = state, now
    standing.save(update_fields=["state", "taken_back_at"])
    evidence.append(
        kind="offer.taken_back",
        subjects={"need": need.id, "offer": standing.id},
        facts={"outcome": state},
        at=now,
    )
    return standing


def _refuse_unfit(
    need: Need,
    builder: Party,
    version: AgentVersion,
    price: int,
    work_seconds: int,
    note: str,
    now: datetime,
) -> None:
    agent = version.agent
    if agent.builder_id != builder.id:
        raise OfferRefused("offer one of your own agents")
    if need.buyer_id == builder.id:
        raise OfferRefused("a party makes no offer on its own need")
    if agent.work != need.work:
        raise OfferRefused(f"this agent does “{agent.work}”, the need is for “{need.work}”")
    if agent.control_proved_at is None:
        raise OfferRefused("prove control of the agent's endpoint first")
    if not 0 < price <= need.ceiling:
        raise OfferRefused("the price is above zero and at most what the buyer would pay")
    if not 1 <= work_seconds <= LONGEST_TIMER:
        raise OfferRefused("say how long the work takes, at most 366 days")
    if len(note) > LONGEST_NOTE:
        raise OfferRefused(f"the note is longer than {LONGEST_NOTE} characters; shorten it")
    refuse_restricted(agent_id=agent.id, now=now)


def opened_for_its_builder(one: SealedOffer) -> dict[str, Any]:
    """What a sealed offer says, for whoever wrote it: `{document, note, salt}`; once it was erased,
    an empty document and no words."""
    if not one.sealed:
        return {"document": {}, "note": "", "salt": ""}
    found: dict[str, Any] = json.loads(one.sealed)
    return found
