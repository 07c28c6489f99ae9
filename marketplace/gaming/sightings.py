"""Reading the rows for signs of gaming, and keeping what was seen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Min, Q

from marketplace.gaming import signs
from marketplace.gaming.signs import Hires, Score, Sign
from marketplace.models import ScoreReading, Suspicion
from pacts.models import Agent, Engagement, Member
from reputation import evidence
from reputation.models import BuyerShare, StandingScore
from settlement.models import FINAL, Deposit, Payout

KEEP_READINGS = timedelta(days=31)
PRETEND = "sandbox:"  # says how the sandbox is to behave, and nothing of whose money it is


def watch(*, now: datetime) -> int:
    """Look at everything once; how many signs are new. The sweep."""
    _note_scores(now)
    hires = _hires(now)
    seen = [
        *signs.rings(hires),
        *signs.self_dealing(hires, members=_members(hires), purses=_purses(hires)),
        *signs.one_buyer(hires),
        *signs.jumps(_scores(now)),
    ]
    return keep(seen, now=now)


def keep(seen: Iterable[Sign], *, now: datetime) -> int:
    """Store what was seen: new signs with their evidence, known ones with today's figures."""
    by_key = {sign.key: sign for sign in seen}
    known = set(Suspicion.objects.filter(key__in=by_key).values_list("key", flat=True))
    for key in known:
        Suspicion.objects.filter(key=key).update(
            last_seen_at=now, figures=dict(by_key[key].figures)
        )
    return sum(_keep_new(sign, now) for key, sign in by_key.items() if key not in known)


def _keep_new(sign: Sign, now: datetime) -> bool:
    with transaction.atomic():
        row = Suspicion(
            pattern=sign.pattern,
            key=sign.key,
            parties=list(sign.parties),
            agents=list(sign.agents),
            figures=dict(sign.figures),
            first_seen_at=now,
            last_seen_at=now,
        )
        row.evidence_id = evidence.append(
            kind="gaming.found",
            subjects={"suspicion": row.pk},
            facts={
                "pattern": sign.pattern,
                "parties": len(sign.parties),
                "agents": len(sign.agents),
            },
            private={
                "parties": row.parties,
                "agents": row.agents,
                "figures": row.figures,
            },
            at=now,
            dedupe_key=f"gaming.found:{sign.key}",
        ).id
        row.save(force_insert=True)
    return True


def _hires(now: datetime) -> list[Hires]:
    """Each buyer's hires of each agent in the span that is looked at."""
    settled = Q(milestones__escrow__state__in=FINAL)
    rows = (
        Engagement.objects.filter(proposed_at__gte=now - signs.LOOKED_AT)
        .exclude(state=Engagement.State.PROPOSED)
        .order_by()
        .values("buyer_id", "builder_id", agent=F("agent_version__agent_id"))
        .annotate(
            engagements=Count("pk", distinct=True),
            settled=Count("milestones", filter=settled, distinct=True),
        )
    )
    return [
        Hires(
            buyer=row["buyer_id"],
            builder=row["builder_id"],
            agent=row["agent"],
            settled=row["settled"],
            engagements=row["engagements"],
        )
        for row in rows
    ]


def _parties(hires: list[Hires]) -> set[str]:
    return {party for one in hires for party in (one.buyer, one.builder)}


def _members(hires: list[Hires]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    rows = Member.objects.filter(party__in=_parties(hires), user__is_active=True)
    for party, user in rows.values_list("party_id", "user_id"):
        found[party].add(user)
    return {party: frozenset(users) for party, users in found.items()}


def _purses(hires: list[Hires]) -> dict[str, frozenset[str]]:
    """Where each party's money came from and went to. A deposit's source is a token of the rail."""
    parties, found = _parties(hires), defaultdict(set)
    into = Deposit.objects.filter(party__in=parties).exclude(source="")
    out = Payout.objects.filter(party__in=parties).exclude(destination="")
    ends = [
        *into.order_by().values_list("party_id", "rail", "source").distinct(),
        *out.order_by().values_list("party_id", "rail", "destination").distinct(),
    ]
    for party, rail, end in ends:
        if not end.startswith(PRETEND):
            found[party].add(f"{rail}:{end}")
    return {party: frozenset(purses) for party, purses in found.items()}


def _note_scores(now: datetime) -> None:
    """Today's score of every version that has one, once a day; old readings are forgotten."""
    today = now.date()
    if not ScoreReading.objects.filter(read_on=today).exists():
        known = set(Agent.objects.values_list("pk", flat=True))
        ScoreReading.objects.bulk_create(
            [
                ScoreReading(
                    agent_id=row.agent_id,
                    version_id=row.version_id,
                    read_on=today,
                    score_bps=row.score_bps,
                )
                for row in StandingScore.objects.exclude(score_bps=None)
                if row.agent_id in known and row.score_bps is not None
            ],
            ignore_conflicts=True,
        )
    ScoreReading.objects.filter(read_on__lt=(now - KEEP_READINGS).date()).delete()


def _scores(now: datetime) -> list[Score]:
    """Scores now beside the lowest of the last days."""
    since = (now - signs.JUMP_WITHIN).date()
    lowest: dict[str, Any] = {
        row["version_id"]: row
        for row in ScoreReading.objects.filter(read_on__gte=since)
        .order_by()
        .values("version_id", "agent_id", builder=F("agent__builder_id"))
        .annotate(was=Min("score_bps"), first=Min("read_on"))
    }
    rows = StandingScore.objects.filter(version_id__in=lowest).exclude(score_bps=None)
    risen = [row for row in rows if _rise(row, lowest) >= signs.JUMP_BPS]
    buyers = _buyers([row.version_id for row in risen])
    return [
        Score(
            agent=row.agent_id,
            builder=lowest[row.version_id]["builder"],
            version=row.version_id,
            now_bps=row.score_bps or 0,
            was_bps=lowest[row.version_id]["was"],
            was_on=lowest[row.version_id]["first"],
            buyers=buyers.get(row.version_id, 0),
        )
        for row in risen
    ]


def _rise(row: StandingScore, lowest: Mapping[str, Any]) -> int:
    return (row.score_bps or 0) - int(lowest[row.version_id]["was"])


def _buyers(versions: list[str]) -> dict[str, int]:
    rows = BuyerShare.objects.filter(version_id__in=versions).order_by().values("version_id")
    counted = rows.annotate(buyers=Count("buyer_id", distinct=True))
    return dict(counted.values_list("version_id", "buyers"))
