"""Posting a need: what is wanted, under which pact, for how much at most, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from pacts.currencies import LARGEST, exponent_of
from pacts.models import Need, PactVersion, Party, User
from pacts.tables import TaskDraft
from reputation import evidence
from reputation.envelope import instant

SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=90)
LONGEST_CHOICE = timedelta(days=60)
MOST_SAMPLES = 10
LONGEST_ABOUT = 4000


class NeedRefused(ValueError):
    """The need cannot be posted, or cannot be changed any more; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedDraft:
    """A need before it is posted. `ceiling` is the most one milestone may cost, in minor units;
    offers are taken up to exactly `offers_until` and chosen from until `choose_until`."""

    title: str
    work: str
    pact_version: PactVersion
    ceiling: int
    currency: str
    offers_until: datetime
    choose_until: datetime
    about: str = ""
    samples: Sequence[TaskDraft] = ()
    starts_on: date | None = None


def post(*, buyer: Party, draft: NeedDraft, by: User, now: datetime) -> Need:
    """Post it: its terms never change from then on. Raises `NeedRefused`, `CurrencyUnknown`."""
    exponent_of(draft.currency)
    _refuse_unfit(buyer, draft, now)
    with transaction.atomic():
        need = Need.objects.create(
            buyer=buyer,
            title=draft.title.strip(),
            about=draft.about.strip(),
            work=draft.work,
            pact_version=draft.pact_version,
            samples=[_sample(one) for one in draft.samples],
            ceiling=draft.ceiling,
            currency=draft.currency,
            starts_on=draft.starts_on,
            offers_until=draft.offers_until,
            choose_until=draft.choose_until,
            posted_by=by,
            posted_at=now,
        )
        _log(need, now)
    return need


def _sample(one: TaskDraft) -> dict[str, Any]:
    return {"input": one.input, "expected": one.expected}


def _refuse_unfit(buyer: Party, draft: NeedDraft, now: datetime) -> None:
    if not draft.title.strip():
        raise NeedRefused("give the need a title")
    if draft.pact_version.pact.buyer_id != buyer.id:
        raise NeedRefused("post it under a pact of your own; write one first")
    if draft.pact_version.terms.get("independence") == "third_party":
        raise NeedRefused(
            "this pact is judged by a third party, whose tasks decide; needs are judged on your "
            "tasks by the platform: write a version with the independence `platform`"
        )
    if not 0 < draft.ceiling <= LARGEST:
        raise NeedRefused("say what one milestone may cost at most: an amount above zero")
    if len(draft.samples) > MOST_SAMPLES:
        raise NeedRefused(f"show at most {MOST_SAMPLES} sample tasks")
    if not now + SHORTEST <= draft.offers_until <= now + LONGEST:
        raise NeedRefused("take offers for at least ten minutes and at most 90 days")
    if not draft.offers_until < draft.choose_until <= draft.offers_until + LONGEST_CHOICE:
        raise NeedRefused("choose after the offers are opened, within 60 days of it")
    if draft.starts_on and draft.starts_on < now.date():
        raise NeedRefused("the work cannot start before today")


def _log(need: Need, now: datetime) -> None:
    evidence.append(
        kind="need.posted",
        subjects={"need": need.id, "party": need.buyer_id, "pact_version": need.pact_version_id},
        facts={
            "work": need.work,
            "ceiling": need.ceiling,
            "currency": need.currency,
            "offers_until": instant(need.offers_until),
            "choose_until": instant(need.choose_until),
        },
        digests={"terms": need.pact_version.digest},
        at=now,
    )
