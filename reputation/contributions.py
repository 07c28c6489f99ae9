"""From a number to the evidence it is made of: what each piece added, so that the parts add up.

`of_agent` takes what moved one version's standing apart, from the points the fold wrote; money and
bonds are read from the evidence itself. `of_buyer` does the same for a buyer's record.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Coalesce, Lag

from reputation.fold import (
    DEFAULT,
    DISPUTE,
    KINDS,
    RULING,
    SETTLEMENT,
    START,
    VERDICT,
    State,
    fold,
)
from reputation.models import BuyerTie, Evidence, EvidenceSubject, StandingCursor, StandingPoint
from reputation.tallies import METHOD, Fact

FUNDING = "escrow.funded"
# What an agent's numbers are about, besides the name of any dimension.
OF_AGENTS = ("everything", "compliance", "disputes", "claim", "evaluations", "money", "bond")
OF_BUYERS = ("hires", "disputes", "rulings", "silences", "builders")


class NumberUnknown(LookupError):
    """There is no such number; the message names those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one piece of evidence added: name → count, or → minor units of `currency`.

    `cause_id` is the evidence by which it began to count; `permille` the buyer's weight.
    """

    evidence_id: str
    cause_id: str
    kind: str
    at: datetime
    adds: Mapping[str, int]
    currency: str = ""
    permille: int | None = None
    place: str = field(default="", compare=False)  # where the next page begins


def of_agent(
    *, agent_id: str, version_id: str, about: str, limit: int, before: str = ""
) -> list[Contribution]:
    """What one number of a version is made of, newest first; `before` is the `place` of the last
    one seen. Money and bonds are the agent's over all versions. What nobody knows has no parts."""
    if about in _OF_EVIDENCE:
        subject, role = (agent_id, "agent")
        if about == "evaluations":
            subject, role = (version_id, "agent_version")
        kinds, read = _OF_EVIDENCE[about]
        return _page(_read(_naming(subject, role, kinds, before), read), limit)
    return _page(_moved(version_id, about, before), limit)


def of_buyer(*, buyer_id: str, about: str, limit: int, before: str = "") -> list[Contribution]:
    """What one number of a buyer's record is made of, newest first. Raises NumberUnknown."""
    if about == "rulings":
        return _page(_rulings(buyer_id, before), limit)
    if about == "builders":
        return _page(_builders(buyer_id, before), limit)
    if about not in _OF_BUYER:
        raise NumberUnknown(f"a buyer's numbers are {', '.join(OF_BUYERS)}, not {about!r}")
    role, kinds, read = _OF_BUYER[about]
    return _page(_read(_naming(buyer_id, role, kinds, before), read), limit)


Adds = tuple[Mapping[str, int], str]
Read = Callable[[Fact], Adds | None]


def _page(found: Iterable[Contribution], limit: int) -> list[Contribution]:
    return list(islice(found, limit))


# --- what moved a standing ------------------------------------------------------------------------

_MOVED: Mapping[str, tuple[str, ...]] = {
    "everything": (),
    "compliance": ("met", "breached"),
    "disputes": ("disputes", "tasks"),
    "claim": ("claim_bps",),
}


def _moved(version_id: str, about: str, before: str) -> Iterator[Contribution]:
    """Points keep what a version's counts came to; what one added is the step from the last."""
    columns = ("met", "breached", "disputes", "tasks")
    steps = {
        f"more_{name}": F(name) - Coalesce(Window(Lag(name), order_by="id"), 0) for name in columns
    }
    rows = StandingPoint.objects.filter(version_id=version_id).annotate(**steps)
    if about in ("compliance", "disputes"):
        moved = Q()
        for name in _MOVED[about]:
            moved |= ~Q(**{f"more_{name}": 0})
        rows = rows.filter(moved)
    elif about == "claim":
        rows = rows.filter(kind="claim.recorded")
    elif about == "everything":
        rows = rows.exclude(changes={})
    else:
        rows = rows.filter(changes__has_key=about)
    if before.isdigit():
        rows = rows.filter(pk__lt=int(before))
    for point in rows.order_by("-id").iterator(chunk_size=200):
        yield _step(point, about)


def _step(point: StandingPoint, about: str) -> Contribution:
    if about == "claim":
        adds = {"claim_bps": point.claim_bps or 0}
    elif _MOVED.get(about):
        adds = {name: getattr(point, f"more_{name}") for name in _MOVED[about]}
    else:
        named = point.changes.values() if about == "everything" else [point.changes[about]]
        adds = dict(zip(("kept", "failed"), map(sum, zip(*named, strict=True)), strict=True))
    return Contribution(
        evidence_id=point.evidence_id,
        cause_id=point.cause_id,
        kind=point.kind,
        at=point.at,
        adds=adds,
        permille=point.permille if point.changes else None,
        place=str(point.pk),
    )


# --- what evidence says itself --------------------------------------------------------------------


def _naming(subject: str, role: str, kinds: tuple[str, ...], before: str) -> QuerySet[Evidence]:
    """Evidence of these kinds that names somebody in a role, as far as standings have read."""
    cursor = StandingCursor.objects.filter(pk=METHOD).first()
    named = EvidenceSubject.objects.filter(role=role, subject_id=subject).values("evidence_id")
    rows = Evidence.objects.filter(
        pk__in=named, kind__in=kinds, entries__index__lt=cursor.next_index if cursor else 0
    )
    return (rows.filter(pk__lt=before) if before else rows).order_by("-pk")


def _read(rows: QuerySet[Evidence], read: Read) -> Iterator[Contribution]:
    for row in rows.iterator(chunk_size=200):
        if (found := read(row.read())) is not None:
            yield _contribution(row, *found)


def _contribution(row: Evidence, adds: Mapping[str, int], currency: str = "") -> Contribution:
    return Contribution(
        evidence_id=row.pk,
        cause_id=row.pk,
        kind=row.kind,
        at=row.recorded_at,
        adds=adds,
        currency=currency,
        place=row.pk,
    )


def _money(fact: Fact) -> Adds | None:
    facts = fact["facts"]
    if fact["kind"] == FUNDING:
        return {"held": facts["amount"]}, facts["currency"]
    earned, back = facts["released"] + facts["fee"], facts["refunded"]
    return {"earned": earned, "returned": back, "held": -earned - back}, facts["currency"]


def _bond(fact: Fact) -> Adds | None:
    facts = fact["facts"]
    if not facts.get("bond"):
        return None
    if fact["kind"] != SETTLEMENT:
        return {"staked": facts["bond"]}, facts["currency"]
    lost = facts["bond"] if facts.get("bond_outcome") == "slashed" else 0
    return {"staked": -facts["bond"], "slashed": lost}, facts["currency"]


def _evaluation(fact: Fact) -> Adds | None:
    if fact["kind"] == VERDICT:
        return {"concluded": 1}, ""
    return {"started": 1, "own": int(fact["facts"]["independence"] == "self")}, ""


def _hire(fact: Fact) -> Adds | None:
    return {"hires": 1}, ""


def _silence(fact: Fact) -> Adds | None:
    facts = fact["facts"]
    silent = facts.get("fault") == "buyer" and facts.get("timeout") == "acceptance"
    return ({"silences": 1}, "") if silent else None


def _dispute(fact: Fact) -> Adds | None:
    facts = fact["facts"]
    own = facts["ground"] != "human_review" and facts.get("side") != "builder"
    return ({"disputes": 1}, "") if own else None


_OF_EVIDENCE: Mapping[str, tuple[tuple[str, ...], Read]] = {
    "evaluations": ((START, VERDICT), _evaluation),
    "money": ((FUNDING, SETTLEMENT), _money),
    "bond": ((FUNDING, SETTLEMENT), _bond),
}
_OF_BUYER: Mapping[str, tuple[str, tuple[str, ...], Read]] = {
    "hires": ("buyer", (SETTLEMENT,), _hire),
    "silences": ("buyer", (SETTLEMENT,), _silence),
    "disputes": ("party", (DISPUTE,), _dispute),
}


def _rulings(buyer_id: str, before: str) -> Iterator[Contribution]:
    """How each of its disputes ended, by the fold itself over the facts of that engagement."""
    opened = [
        row.read()["subjects"]
        for row in _naming(buyer_id, "party", (DISPUTE,), "")
        if _dispute(row.read())
    ]
    ends = EvidenceSubject.objects.filter(
        role="dispute", subject_id__in=[one["dispute"] for one in opened]
    )
    engagement_of = {one["dispute"]: one["engagement"] for one in opened}
    rows = Evidence.objects.filter(
        pk__in=ends.values("evidence_id"), kind__in=(RULING, DEFAULT), entries__isnull=False
    )
    for row in (rows.filter(pk__lt=before) if before else rows).order_by("-pk"):
        engagement = engagement_of[row.read()["subjects"]["dispute"]]
        if adds := _ruled(buyer_id, engagement, row):
            yield _contribution(row, adds)


def _ruled(buyer_id: str, engagement: str, ruling: Evidence) -> Mapping[str, int] | None:
    named = EvidenceSubject.objects.filter(role="engagement", subject_id=engagement)
    about = Q(pk__in=named.values("evidence_id"))
    about |= Q(pk=ruling.read()["facts"].get("verdict_evidence", ""))
    until = ruling.entries.get().index
    rows = Evidence.objects.filter(about, kind__in=KINDS, entries__index__lt=until)
    state = fold(State(), [row.read() for row in rows.order_by("entries__index").distinct()])
    before = state.buyers.get(buyer_id)
    after = fold(state, [ruling.read()]).buyers.get(buyer_id)
    if before is None or after is None or after.rulings == before.rulings:
        return None
    return {"rulings": 1, "upheld": after.upheld - before.upheld}


def _builders(buyer_id: str, before: str) -> Iterator[Contribution]:
    """Each established builder it hired, by its newest settled hire there."""
    ties = BuyerTie.objects.filter(buyer_id=buyer_id, counts=True)
    wanted = set(ties.values_list("builder_id", flat=True))
    for row in _naming(buyer_id, "buyer", (SETTLEMENT,), ""):
        builder: Any = row.read()["subjects"].get("builder")
        if builder in wanted:
            wanted.discard(builder)
            if not before or row.pk < before:
                yield _contribution(row, {"builders": 1})


__all__ = ["OF_AGENTS", "OF_BUYERS", "Contribution", "NumberUnknown", "of_agent", "of_buyer"]
